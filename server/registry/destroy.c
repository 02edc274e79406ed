#include "server/registry/destroy.h"

#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"

#define DESTROY_US_PER_HOUR (DATES_US_PER_SECOND * 3600)

/* ---- What is destroyed --------------------------------------------------- */

bool destroy_is_erased(struct state *state, uint64_t number)
{
    struct row_erased row = {.number = number};

    /* Every sealed item asks, and in most registers nothing was destroyed. */
    return number != 0 && state_count(state, TABLE_ERASED) > 0 &&
           state_get(state, TABLE_ERASED, &row);
}

bool destroy_subject_is_erased(struct state *state, uint64_t subject)
{
    struct row_subject row = {.voen = subject};

    return subject != 0 && subject <= INT64_MAX &&
           state_count(state, TABLE_DESTRUCTION) > 0 &&
           state_get(state, TABLE_SUBJECT, &row) && row.state == SUBJECT_ERASED;
}

/* What stays after the records: who asked, and a batch keeps what it refuses
 * (feed.c).  To the others everybody may ask, or any supplier: their handlers
 * say it to those who have shown that they may know. */
static bool is_let_through(uint16_t opcode)
{
    return opcode == OPCODE_ACCESS_LIST || opcode == OPCODE_CONSENT_LIST ||
           opcode == OPCODE_FEED_PUT || opcode == OPCODE_EXTRACT_VERIFY ||
           opcode == OPCODE_SUBJECT_OPEN || opcode == OPCODE_SUBJECT_CLOSE;
}

/* Any item may name a subject. */
static bool is_about_subject(const struct operation_info *operation)
{
    return operation->seal == SEAL_SUBJECT_RECORD ||
           operation->seal == SEAL_SUBJECT_EVIDENCE;
}

enum status destroy_check_subject(struct act *act)
{
    if (!destroy_subject_is_erased(act->state, act->subject))
        return ST_OK;
    if (destroy_was_self(act))
        return ST_ERASED;
    if (!is_about_subject(act->operation) ||
        is_let_through(act->operation->opcode))
        return ST_OK;
    if (act->letter == 'y' || act->letter == '2')
        return ST_ERASED;
    return act->duty == DUTY_USR && act_is_self(act, act->subject, RIGHT_ANY)
               ? ST_ERASED
               : ST_OK;
}

bool destroy_may_act(struct act *act)
{
    int64_t days = state_setting(act->state, SETTING_destroy_duty_days);
    struct row_duty row = {.assignment = act->assignment};

    return days == 0 ||
           (act->assignment != 0 && state_get(act->state, TABLE_DUTY, &row) &&
            row.acknowledged_at + days * DATES_US_PER_DAY <= act->log_time);
}

/* ---- Proposing ----------------------------------------------------------- */

/* Evidence outlives the records that it is about. */
static enum status propose_check_subject(struct act *act, uint64_t voen,
                                         uint16_t keys)
{
    struct row_subject row = {.voen = voen};

    if (!state_get(act->state, TABLE_SUBJECT, &row))
        return ST_NO_SUCH;
    return (keys & DESTROY_BIT(DESTROY_RECORD)) != 0 ||
                   row.state == SUBJECT_ERASED
               ? ST_OK
               : ST_WRONG_STATE;
}

/* Who still acts has to be known. */
static enum status propose_check_person(struct act *act, uint64_t number)
{
    struct row_person row = {.number = number};

    if (!state_get(act->state, TABLE_PERSON, &row))
        return ST_NO_SUCH;
    return destroy_person_has_ended(act->state, number) ? ST_OK
                                                        : ST_WRONG_STATE;
}

/* Each subject, or person, once, in order. */
static enum status propose_check(struct act *act,
                                 const struct op_destroy_propose *in)
{
    bool persons = (in->keys & DESTROY_OF_PERSONS) != 0;
    enum status status = ST_OK;
    struct list_reader reader;
    struct destroy_subject subject;
    uint64_t last = 0;

    if (!destroy_may_act(act))
        return ST_NO_DUTY;
    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (in->subjects.count == 0 ||
        (persons && (in->keys & DESTROY_OF_SUBJECTS) != 0))
        return ST_BAD_FIELD;
    list_reader_init(&reader, &in->subjects);
    while (status == ST_OK &&
           list_reader_next(&reader, &schema_destroy_subject, &subject)) {
        if (subject.subject <= last || subject.subject > INT64_MAX)
            return ST_BAD_FIELD;
        last = subject.subject;
        status = persons ? propose_check_person(act, last)
                         : propose_check_subject(act, last, in->keys);
    }
    return status;
}

enum status destroy_propose(struct act *act,
                            const struct op_destroy_propose *in,
                            struct result_destroy_propose *out)
{
    struct row_destruction row = {.state = DESTROY_PROPOSED,
                                  .ground = in->ground,
                                  .keys = in->keys,
                                  .basis = in->basis,
                                  .proposed_by = act->signer.person,
                                  .proposed = act->log_time};
    struct list_reader reader;
    struct destroy_subject subject;
    enum status status = propose_check(act, in);

    if (status != ST_OK)
        return status;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_DESTRUCTION);
    state_insert(act->state, TABLE_DESTRUCTION, &row);
    list_reader_init(&reader, &in->subjects);
    while (list_reader_next(&reader, &schema_destroy_subject, &subject)) {
        struct row_destruction_subject of = {.act = row.number,
                                             .subject = subject.subject,
                                             .proposed = act->index};
        state_insert(act->state, TABLE_DESTRUCTION_SUBJECT, &of);
    }
    out->act = row.number;
    return ST_OK;
}

/* ---- Deciding ------------------------------------------------------------ */

/* An order can be taken back until it is executed. */
static bool decide_fits(uint8_t from, enum destroy_state to)
{
    return from == DESTROY_PROPOSED ||
           (to == DESTROY_REFUSED &&
            (from == DESTROY_APPROVED || from == DESTROY_ORDERED));
}

static enum status decide(struct act *act, uint32_t number,
                          enum destroy_state to)
{
    struct row_destruction row = {.number = number};

    if (!state_get(act->state, TABLE_DESTRUCTION, &row))
        return ST_NO_SUCH;
    if (act->signer.person == row.proposed_by)
        return ST_SELF_APPROVE;
    if (!decide_fits(row.state, to))
        return ST_WRONG_STATE;
    row.state = (uint8_t)to;
    row.decided_by = act->signer.person;
    row.decided = act->log_time;
    state_update(act->state, TABLE_DESTRUCTION, &row);
    return ST_OK;
}

enum status destroy_approve(struct act *act,
                            const struct op_destroy_approve *in,
                            struct result_destroy_approve *out)
{
    (void)out;
    if (!destroy_may_act(act))
        return ST_NO_DUTY;
    return decide(act, in->act, DESTROY_APPROVED);
}

enum status destroy_refuse(struct act *act, const struct op_destroy_refuse *in,
                           struct result_destroy_refuse *out)
{
    (void)out;
    return decide(act, in->act, DESTROY_REFUSED);
}

/* ---- Ordering ------------------------------------------------------------ */

int64_t destroy_hour(struct state *state, int64_t from)
{
    int64_t hour = state_setting(state, SETTING_destroy_hour);
    int32_t offset = (int32_t)state_setting(state, SETTING_utc_offset_minutes);
    int64_t due;

    if (hour < 0)
        return from;
    due = dates_day_begin(dates_day_at(from, offset), offset) +
          hour * DESTROY_US_PER_HOUR;
    return due < from ? due + DATES_US_PER_DAY : due;
}

/* When the delay is over. */
static int64_t next_batch(struct act *act)
{
    int64_t hours = state_setting(act->state, SETTING_destroy_delay_hours);

    return destroy_hour(act->state,
                        act->log_time + hours * DESTROY_US_PER_HOUR);
}

enum status destroy_execute(struct act *act,
                            const struct op_destroy_execute *in,
                            struct result_destroy_execute *out)
{
    struct row_destruction row = {.number = in->act};

    if (!state_get(act->state, TABLE_DESTRUCTION, &row))
        return ST_NO_SUCH;
    if (!destroy_may_act(act))
        return ST_NO_DUTY;
    if (act->signer.person == row.proposed_by ||
        act->signer.person == row.decided_by)
        return ST_SELF_APPROVE;
    if (row.state == DESTROY_PROPOSED)
        return ST_SECOND_PERSON;
    if (row.state != DESTROY_APPROVED)
        return ST_WRONG_STATE;
    row.state = DESTROY_ORDERED;
    row.ordered_by = act->signer.person;
    row.ordered = act->log_time;
    row.due = next_batch(act);
    state_update(act->state, TABLE_DESTRUCTION, &row);
    out->due = row.due;
    return ST_OK;
}
