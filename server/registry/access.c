#include "server/registry/access.h"

#include "protocol/contract.h"
#include "replication/sometimes.h"
#include "server/registry/access_seal.h"
#include "server/registry/denial.h"
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
        act->duty == DUTY_SYS || act->operation->opcode == OPCODE_FEED_PUT ||
        access_seal_is_about(act->operation->opcode))
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

static void access_insert(struct act *act, const struct row_access *row,
                          struct access_seal_asker asker)
{
    state_insert(act->state, TABLE_ACCESS, row);
    access_seal_cover(act, row, asker);
}

static struct access_seal_asker access_asker(const struct act *act)
{
    return (struct access_seal_asker){.person = act->signer.person,
                                      .file_number = act->file_number};
}

void access_note(struct act *act, enum status code)
{
    struct row_access row;
    bool own;

    if (!access_is_concerned(act, code))
        return;
    own = access_is_own(act);
    if (!own)
        denial_tried(act, code);
    if (!access_subject_exists(act, act->subject))
        return;
    /* His own mistakes show a subject nothing, unless they are about a consent:
     * there a key too weak may be somebody else's (P-3.6). */
    if (own && code != ST_OK && act->operation->access == ACCESS_WRITE &&
        !access_is_consent(act))
        return;
    if (own && act->by_subject == 0)
        act->by_subject = act->subject;
    row = access_row_of(act, code);
    row.subject = act->subject;
    access_insert(act, &row, access_asker(act));
}

void access_note_undone(struct act *act)
{
    if (access_is_concerned(act, ST_OK))
        access_note(act, ST_NOT_DONE);
}

void access_note_found(struct act *act, uint64_t subject)
{
    struct row_access row = access_row_of(act, ST_OK);

    REQUIRE(act->subject == 0); /* Else there would be two rows of it. */
    row.subject = subject;
    access_insert(act, &row, access_asker(act));
}

void access_note_refused(struct act *act, const struct refused_line *line,
                         uint16_t position)
{
    struct row_access row = {.subject = line->subject};
    struct row_key key = {.key_id = line->session};

    REQUIRE(position < REFUSED_LINES_MAX);
    /* The subject is as it was sent: nobody checked it. */
    if (line->subject == 0 || line->subject > INT64_MAX ||
        access_seal_is_about(line->opcode) ||
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
    access_insert(act, &row, (struct access_seal_asker){.person = key.person});
}
