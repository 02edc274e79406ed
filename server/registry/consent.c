#include "server/registry/consent.h"

#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"

enum { CONSENT_AFTER_USE_KEEP = 2 };

static uint8_t subject_state(struct act *act, uint64_t voen)
{
    struct row_subject row = {.voen = voen};

    return state_get(act->state, TABLE_SUBJECT, &row) ? row.state : 0;
}

/* ---- Asking ---- */

/* In whose name the signer asks: his organisation's, or a subject's. */
static enum status ask_check_asker(struct act *act,
                                   const struct op_consent_ask *in)
{
    act->by_subject = 0;
    if (act->duty != DUTY_USR)
        return in->asker_subject == 0 ? ST_OK : ST_BAD_FIELD;
    if (in->asker_subject == 0 || in->asker_subject == act->subject)
        return ST_BAD_FIELD;
    if (!act_is_self(act, in->asker_subject, RIGHT_READ))
        return ST_NOT_SELF;
    act->by_subject = in->asker_subject;
    return subject_state(act, in->asker_subject) == SUBJECT_ACTIVE
               ? ST_OK
               : ST_OUT_OF_SCOPE;
}

static enum status ask_check(struct act *act, const struct op_consent_ask *in)
{
    enum status status = ask_check_asker(act, in);

    if (status != ST_OK)
        return status;
    status = act_check_purpose(act, in->sections);
    if (status != ST_OK)
        return status;
    if (in->file_number.size == 0)
        return ST_NO_PURPOSE;
    if (in->until <= act->log_time)
        return ST_BAD_FIELD;
    if (act->expect_version != 0)
        return ST_NO_SUCH;
    switch (subject_state(act, act->subject)) {
    case 0:
        return ST_NO_SUCH;
    case SUBJECT_ACTIVE:
        return ST_OK;
    }
    return ST_OUT_OF_SCOPE;
}

enum status consent_ask(struct act *act, const struct op_consent_ask *in,
                        struct result_consent_ask *out)
{
    struct row_consent row = {.subject = act->subject,
                              .asker = act->organisation,
                              .asker_subject = in->asker_subject,
                              .asker_person = act->signer.person,
                              .purpose = act->purpose,
                              .state = CONSENT_ASKED,
                              .version = 1,
                              .asked = in->sections,
                              .operations = in->operations,
                              .asked_at = act->log_time,
                              .until = in->until};
    enum status status;

    act->sections = in->sections;
    status = ask_check(act, in);
    if (status != ST_OK)
        return status;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_CONSENT);
    row.due =
        act->log_time +
        state_setting(act->state, SETTING_consent_ask_days) * DATES_US_PER_DAY;
    act_tag(act, &row.file_tag, TAG_FILE, in->file_number);
    row.ask_record = act_keep(act);
    act->consent = row.number;
    state_insert(act->state, TABLE_CONSENT, &row);
    out->consent = row.number;
    return ST_OK;
}

/* ---- Deciding ---- */

/*
 * The case that a step names.  A step is on the version that its author has
 * seen: a grant that crosses a withdrawal must not take.
 */
static enum status step_find(struct act *act, struct row_consent *row,
                             uint32_t number)
{
    row->number = number;
    if (!state_get(act->state, TABLE_CONSENT, row) ||
        row->subject != act->subject)
        return ST_NO_SUCH;
    act->consent = number;
    act->sections = row->state == CONSENT_GRANTED ? row->granted : row->asked;
    if (act->expect_version == 0)
        return ST_EXISTS;
    return act->expect_version == row->version ? ST_OK : ST_VERSION_CONFLICT;
}

/* A step of the subject's side. */
static enum status step_check_own(struct act *act, struct row_consent *row,
                                  uint32_t number, enum consent_state from)
{
    enum status status;

    if (!act_is_self(act, act->subject, RIGHT_CONSENT))
        return ST_NOT_SELF;
    status = step_find(act, row, number);
    if (status != ST_OK)
        return status;
    return row->state == from && row->due > act->log_time ? ST_OK
                                                          : ST_WRONG_STATE;
}

/* The step is done: ${due} is when the node has to act next, 0 for never. */
static void step_to(struct act *act, struct row_consent *row,
                    enum consent_state to, int64_t due)
{
    row->state = (uint8_t)to;
    row->version++;
    row->due = due;
    state_update(act->state, TABLE_CONSENT, row);
}

static void step_decide(struct act *act, struct row_consent *row)
{
    row->decided_at = act->log_time;
    row->decided_by = act->signer.key_id;
    row->decided_level = act->signer.level;
}

/* Whether the asker, as it is now, may still be given anything. */
static bool asker_is_live(struct act *act, const struct row_consent *row)
{
    struct row_organisation organisation = {.number = row->asker};

    if (row->asker == 0)
        return subject_state(act, row->asker_subject) == SUBJECT_ACTIVE;
    return state_get(act->state, TABLE_ORGANISATION, &organisation) &&
           organisation.state == ORGANISATION_ACTIVE;
}

/*
 * The six elements that the law demands (P-7.1.16): who consents and who
 * receives stand in the case, so does the purpose; here are the list of data
 * and operations, the validity and when it may be revoked, and what becomes of
 * the data.  A grant may narrow what was asked, never widen it.
 */
static enum status grant_check(struct act *act, const struct row_consent *row,
                               const struct op_consent_grant *in)
{
    int64_t longest = state_setting(act->state, SETTING_consent_grant_days) *
                      DATES_US_PER_DAY;

    if ((in->sections & ~row->asked) != 0 ||
        (in->operations & ~row->operations) != 0 || in->until > row->until ||
        in->until > act->log_time + longest || in->until <= act->log_time)
        return ST_BAD_FIELD;
    if ((in->after_use == CONSENT_AFTER_USE_KEEP) != (in->keep_days > 0))
        return ST_BAD_FIELD;
    if (subject_state(act, act->subject) != SUBJECT_ACTIVE)
        return ST_OUT_OF_SCOPE;
    return asker_is_live(act, row) ? ST_OK : ST_WRONG_STATE;
}

enum status consent_grant(struct act *act, const struct op_consent_grant *in,
                          struct result_consent_grant *out)
{
    struct row_consent row;
    enum status status = step_check_own(act, &row, in->consent, CONSENT_ASKED);

    (void)out;
    if (status != ST_OK)
        return status;
    status = grant_check(act, &row, in);
    if (status != ST_OK)
        return status;
    act->sections = in->sections;
    row.granted = in->sections;
    row.operations = in->operations;
    row.uses_max = in->uses_max;
    row.until = in->until;
    row.grant_record = act_keep(act);
    step_decide(act, &row);
    step_to(act, &row, CONSENT_GRANTED, in->until);
    return ST_OK;
}

enum status consent_refuse(struct act *act, const struct op_consent_refuse *in,
                           struct result_consent_refuse *out)
{
    struct row_consent row;
    enum status status = step_check_own(act, &row, in->consent, CONSENT_ASKED);

    (void)out;
    if (status != ST_OK)
        return status;
    step_decide(act, &row);
    step_to(act, &row, CONSENT_REFUSED, 0);
    return ST_OK;
}

enum status consent_revoke(struct act *act, const struct op_consent_revoke *in,
                           struct result_consent_revoke *out)
{
    struct row_consent row;
    enum status status =
        step_check_own(act, &row, in->consent, CONSENT_GRANTED);

    (void)out;
    if (status != ST_OK)
        return status;
    step_decide(act, &row);
    step_to(act, &row, CONSENT_REVOKED, 0);
    return ST_OK;
}

/* ---- The asker's side ---- */

static bool is_asker(struct act *act, const struct row_consent *row)
{
    if (row->asker != 0)
        return act->organisation == row->asker;
    return act->duty == DUTY_USR &&
           act_is_self(act, row->asker_subject, RIGHT_READ);
}

enum status consent_withdraw(struct act *act,
                             const struct op_consent_withdraw *in,
                             struct result_consent_withdraw *out)
{
    struct row_consent row = {.number = in->consent};
    enum status status;

    (void)out;
    if (!state_get(act->state, TABLE_CONSENT, &row) || !is_asker(act, &row))
        return ST_NOT_SELF;
    act->by_subject = row.asker_subject;
    status = step_find(act, &row, in->consent);
    if (status != ST_OK)
        return status;
    if (row.state != CONSENT_ASKED)
        return ST_WRONG_STATE;
    step_to(act, &row, CONSENT_WITHDRAWN, 0);
    return ST_OK;
}

static bool check_covers(struct act *act, const struct row_consent *row,
                         uint16_t sections, const struct bytes16 *file_tag)
{
    return row->subject == act->subject && row->state == CONSENT_GRANTED &&
           row->due > act->log_time && row->uses < row->uses_max &&
           row->purpose == act->purpose &&
           memcmp(&row->file_tag, file_tag, sizeof *file_tag) == 0 &&
           (sections & ~row->granted) == 0 &&
           (row->operations & CONSENT_VIEW) != 0 &&
           subject_state(act, act->subject) == SUBJECT_ACTIVE;
}

enum status consent_check(struct act *act, struct row_consent *row_out,
                          uint32_t consent, uint16_t sections,
                          struct slice file_number)
{
    struct bytes16 file_tag;

    act->sections = sections;
    *row_out = (struct row_consent){.number = consent};
    if (act->purpose == 0 || file_number.size == 0)
        return ST_NO_PURPOSE;
    if (consent == 0 || !state_get(act->state, TABLE_CONSENT, row_out) ||
        !is_asker(act, row_out))
        return ST_NO_GRANT;
    act->by_subject = row_out->asker_subject;
    if (row_out->subject == act->subject)
        act->consent = consent;
    act_tag(act, &file_tag, TAG_FILE, file_number);
    return check_covers(act, row_out, sections, &file_tag) ? ST_OK
                                                           : ST_NO_GRANT;
}

void consent_use(struct act *act, struct row_consent *row)
{
    REQUIRE(row->state == CONSENT_GRANTED && row->uses < row->uses_max);
    row->uses++;
    /* A use alone leaves the version: else an asker who keeps reading could
     * keep the subject from revoking. */
    if (row->uses == row->uses_max)
        step_to(act, row, CONSENT_SPENT, 0);
    else
        state_update(act->state, TABLE_CONSENT, row);
}

/* ---- Time ---- */

static enum status step_by_time(struct act *act, uint32_t number,
                                enum consent_state from, enum consent_state to)
{
    struct row_consent row = {.number = number};

    if (!state_get(act->state, TABLE_CONSENT, &row))
        return ST_NO_SUCH;
    if (row.state != from || row.due > act->log_time)
        return ST_WRONG_STATE;
    step_to(act, &row, to, 0);
    return ST_OK;
}

enum status consent_lapse(struct act *act, const struct op_consent_lapse *in,
                          struct result_consent_lapse *out)
{
    (void)out;
    return step_by_time(act, in->consent, CONSENT_ASKED, CONSENT_LAPSED);
}

enum status consent_end(struct act *act, const struct op_consent_end *in,
                        struct result_consent_end *out)
{
    (void)out;
    return step_by_time(act, in->consent, CONSENT_GRANTED, CONSENT_ENDED);
}

void consent_subject_left(struct act *act, uint64_t subject)
{
    struct row_consent row = {.subject = subject};
    struct state_range range = {.equal = 1, .from = true};
    struct state_scan scan;
    bool found = true;

    /* One walk a case, because rows must not change in a walk. */
    while (found) {
        state_scan_open(act->state, &scan, INDEX_CONSENT_BY_SUBJECT, &row,
                        range);
        do {
            found = state_scan_next(&scan, &row);
        } while (found &&
                 (row.state != CONSENT_GRANTED || row.due <= act->log_time));
        state_scan_close(&scan);
        if (found) {
            row.due = act->log_time;
            state_update(act->state, TABLE_CONSENT, &row);
            row.number++;
        }
    }
}

uint32_t consent_due(struct state *state, struct consent_due *due_out,
                     uint32_t due_max, int64_t now)
{
    struct row_consent row = {.due = 1};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(state, &scan, INDEX_CONSENT_BY_DUE, &row,
                    (struct state_range){.from = true});
    while (count < due_max && state_scan_next(&scan, &row) && row.due <= now) {
        due_out[count].consent = row.number;
        due_out[count].opcode = row.state == CONSENT_ASKED
                                    ? OPCODE_CONSENT_LAPSE
                                    : OPCODE_CONSENT_END;
        count++;
    }
    state_scan_close(&scan);
    return count;
}
