#include "server/registry/access.h"

#include "protocol/contract.h"
#include "replication/sometimes.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

enum { ACCESS_GROUP_CONSENT = 0x05, ACCESS_LINE_BITS = 6 };
static_assert(REFUSED_LINES_MAX <= 1 << ACCESS_LINE_BITS &&
                  ITEMS_MAX << ACCESS_LINE_BITS <= 1 << 16,
              "an item and a line fit the 16 bits below an index");

static bool access_subject_exists(struct act *act, uint64_t subject)
{
    struct row_subject row = {.voen = subject};

    return state_get(act->state, TABLE_SUBJECT, &row);
}

static bool access_is_own(struct act *act)
{
    return act->duty == DUTY_USR && act_is_self(act, act->subject, RIGHT_ANY);
}

static bool access_is_consent(const struct act *act)
{
    return act->operation->opcode >> 8 == ACCESS_GROUP_CONSENT;
}

static bool access_is_concerned(const struct act *act, enum status code)
{
    if (act->no_access_row || act->subject == 0 || MUTANT(110) ||
        act->duty == DUTY_SYS || act->operation->opcode == OPCODE_FEED_PUT)
        return false;
    return act->operation->access == ACCESS_READ || access_is_consent(act) ||
           code != ST_OK;
}

/* Who asks, for what and when; whose data, the caller says. */
static struct row_access access_row_of(struct act *act, enum status code)
{
    struct row_access row = {.number = act->index << 16 | act->item,
                             .when = act->log_time,
                             .by_subject = act->by_subject,
                             .opcode = act->operation->opcode,
                             .sections = act->sections,
                             .purpose = act->purpose,
                             .consent = act->consent,
                             .code = (uint16_t)code,
                             .count = 1};

    if (row.by_subject == 0)
        row.organisation = act->signer.organisation;
    if (act->assignment != 0) {
        row.organisation = act->organisation;
        row.duty = (uint8_t)act->duty;
    }
    act_pseudonym(act, &row.person);
    return row;
}

void access_note(struct act *act, enum status code)
{
    struct row_access row;
    bool own;

    if (!access_is_concerned(act, code) ||
        !access_subject_exists(act, act->subject))
        return;
    own = access_is_own(act);
    /* His own mistakes show a subject nothing, unless they are about a consent:
     * there a key too weak may be somebody else's (P-3.6). */
    if (own && code != ST_OK && act->operation->access == ACCESS_WRITE &&
        !access_is_consent(act))
        return;
    if (own && act->by_subject == 0)
        act->by_subject = act->subject;
    row = access_row_of(act, code);
    row.subject = act->subject;
    state_insert(act->state, TABLE_ACCESS, &row);
}

void access_note_found(struct act *act, uint64_t subject)
{
    struct row_access row = access_row_of(act, ST_OK);

    REQUIRE(act->subject == 0); /* Else there would be two rows of it. */
    row.subject = subject;
    state_insert(act->state, TABLE_ACCESS, &row);
}

void access_note_refused(struct act *act, const struct refused_line *line,
                         uint16_t position)
{
    struct row_access row = {.subject = line->subject};
    struct row_key key = {.key_id = line->session};

    REQUIRE(position < REFUSED_LINES_MAX);
    /* The subject is as it was sent: nobody checked it. */
    if (line->subject == 0 || line->subject > INT64_MAX ||
        !access_subject_exists(act, line->subject))
        return;
    /* The session is proven; who signed is not, where the command was refused
     * before its signature was believed. */
    if (state_get(act->state, TABLE_KEY, &key))
        row.organisation = key.organisation;
    act_pseudonym_of(act, &row.person, key.person);
    row.number =
        act->index << 16 | (uint64_t)(act->item << ACCESS_LINE_BITS | position);
    row.when = act->log_time;
    row.opcode = line->opcode;
    row.code = line->code;
    row.count = line->count;
    state_insert(act->state, TABLE_ACCESS, &row);
}

/*
 * The subject's own persons see their list; the owner's security and personal
 * data officers only to answer a complaint, which they name; auditors see all.
 * A stranger learns nothing, not even whether there is such a subject.
 */
static enum status access_may_list(struct act *act, struct slice file_number)
{
    enum status code;

    if (act->duty == DUTY_USR)
        return act_is_self(act, act->subject, RIGHT_ACCESS_LIST) ? ST_OK
                                                                 : ST_NOT_SELF;
    if (act->duty != DUTY_AUD) {
        code = act_check_purpose(act, 0);
        if (code != ST_OK)
            return code;
        if (file_number.size == 0)
            return ST_NO_PURPOSE;
    }
    return access_subject_exists(act, act->subject) ? ST_OK : ST_NO_SUCH;
}

static void access_show(struct access_row *out, const struct row_access *row)
{
    *out = (struct access_row){.index = row->number >> 16,
                               .item = (uint16_t)(row->number & 0xffff),
                               .when = row->when,
                               .organisation = row->organisation,
                               .subject = row->by_subject,
                               .duty = row->duty,
                               .person = row->person,
                               .opcode = row->opcode,
                               .sections = row->sections,
                               .purpose = row->purpose,
                               .consent = row->consent,
                               .code = row->code,
                               .count = row->count};
}

enum status access_list(struct act *act, const struct op_access_list *in,
                        struct result_access_list *out)
{
    struct row_access row = {.subject = act->subject};
    struct state_range range = {.equal = 1, .descending = true};
    struct state_scan scan;
    struct access_row shown;
    uint64_t last = 0;
    enum status code;

    if (in->to != 0 && in->from > in->to)
        return ST_BAD_FIELD;
    code = access_may_list(act, in->file_number);
    if (code != ST_OK)
        return code;

    out->accesses = list_begin(act->space);
    if (in->before != 0) {
        range.from = true;
        row.number = in->before - 1;
    }
    state_scan_key(act->state, &scan, TABLE_ACCESS, &row, range);
    while (state_scan_next(&scan, &row) && row.when >= in->from) {
        if (in->to != 0 && row.when > in->to)
            continue;
        if (out->accesses.count == in->limit) {
            out->next = last;
            break;
        }
        access_show(&shown, &row);
        list_add(&out->accesses, act->space, &schema_access_row, &shown);
        last = row.number;
    }
    state_scan_close(&scan);
    return ST_OK;
}
