#include "protocol/contract.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

/* Duties are assigned to persons from REQ to AUD; the others are what a key's
 * role makes of its holder. */
static bool duty_is_participants(uint8_t duty)
{
    return duty >= DUTY_REQ && duty <= DUTY_HED;
}

static bool duty_is_owners(uint8_t duty)
{
    return duty >= DUTY_REG && duty <= DUTY_DIR;
}

/* T-P-1.5: the owner's duties are held at the owner only, a participant's at a
 * participant only. */
static bool duty_fits(uint8_t duty, uint8_t organisation_kind)
{
    if (duty_is_participants(duty))
        return rows_is_participant(organisation_kind);
    if (duty_is_owners(duty))
        return organisation_kind == ORGANISATION_OWNER;
    return duty == DUTY_AUD && (organisation_kind == ORGANISATION_OWNER ||
                                organisation_kind == ORGANISATION_AUDITOR);
}

/* Who enters, decides on or sees subjects' data. */
static bool duty_handles_data(uint8_t duty)
{
    return duty_is_participants(duty) || duty == DUTY_REG || duty == DUTY_CHK ||
           duty == DUTY_CLK || duty == DUTY_HSE;
}

/* Pairs that one person may not hold (P-7.1.5, R-8.2.9). */
static bool duty_excludes(uint8_t one, uint8_t other)
{
    switch ((enum duty)one) {
    case DUTY_REG:
        return other == DUTY_CHK || other == DUTY_DPO || other == DUTY_ANA;
    case DUTY_ADM:
        return duty_handles_data(other);
    case DUTY_SEC:
        return other == DUTY_DIR;
    case DUTY_OPS:
        return other == DUTY_ARC;
    case DUTY_AUD:
        return duty_is_owners(other);
    case DUTY_REQ:
        return other == DUTY_HED;
    case DUTY_USR:
    case DUTY_SUP:
    case DUTY_CAS:
    case DUTY_HED:
    case DUTY_CHK:
    case DUTY_CLK:
    case DUTY_HSE:
    case DUTY_ARC:
    case DUTY_DPO:
    case DUTY_CAT:
    case DUTY_ANA:
    case DUTY_DIR:
    case DUTY_EHS:
    case DUTY_PRT:
    case DUTY_PAY:
    case DUTY_REP:
    case DUTY_COR:
    case DUTY_CLD:
    case DUTY_BPR:
    case DUTY_SYS:
    case DUTIES_COUNT:
        return false;
    }
    return false;
}

static bool duty_is_over(const struct row_duty *row, int32_t today)
{
    return row->state == DUTY_REVOKED || (row->to != 0 && row->to < today);
}

/* All the person's live duties count, of every organisation and account. */
static enum status duty_check_others(struct act *act, uint64_t person,
                                     uint32_t organisation, uint8_t duty)
{
    struct row_duty row = {.person = person};
    struct state_scan scan;
    enum status status = ST_OK;

    state_scan_open(act->state, &scan, INDEX_DUTY_BY_PERSON, &row,
                    (struct state_range){.equal = 1});
    while (status == ST_OK && state_scan_next(&scan, &row)) {
        if (duty_is_over(&row, act->today))
            continue;
        if (duty_excludes(row.duty, duty) || duty_excludes(duty, row.duty))
            status = ST_SELF_APPROVE;
        else if (row.duty == duty && row.organisation == organisation)
            status = ST_EXISTS;
    }
    state_scan_close(&scan);
    return status;
}

static enum status duty_check(struct act *act, const struct op_duty_assign *in)
{
    struct row_organisation organisation = {.number = in->organisation};
    struct row_person person = {.number = in->person};

    if (in->person == act->signer.person)
        return ST_SELF_APPROVE;
    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (in->to != 0 && in->to < in->from)
        return ST_BAD_FIELD;
    if (!state_get(act->state, TABLE_PERSON, &person) ||
        !state_get(act->state, TABLE_ORGANISATION, &organisation))
        return ST_NO_SUCH;
    if (organisation.state != ORGANISATION_ACTIVE)
        return ST_WRONG_STATE;
    if (!duty_fits(in->duty, organisation.kind))
        return ST_NO_DUTY;
    return duty_check_others(act, in->person, in->organisation, in->duty);
}

enum status duty_assign(struct act *act, const struct op_duty_assign *in,
                        struct result_duty_assign *out)
{
    struct row_duty row = {.person = in->person,
                           .organisation = in->organisation,
                           .duty = in->duty,
                           .state = DUTY_ASSIGNED,
                           .scope = in->scope,
                           .from = in->from,
                           .to = in->to,
                           .basis = in->basis,
                           .assigned_by = act->signer.person,
                           .assigned_at = act->log_time};
    enum status status = duty_check(act, in);

    if (status != ST_OK)
        return status;
    row.assignment = (uint32_t)state_next(act->state, SEQUENCE_ASSIGNMENT);
    state_insert(act->state, TABLE_DUTY, &row);
    out->assignment = row.assignment;
    return ST_OK;
}

enum status duty_ack(struct act *act, const struct op_duty_ack *in,
                     struct result_duty_ack *out)
{
    struct row_duty row = {.assignment = in->assignment};

    (void)out;
    if (!state_get(act->state, TABLE_DUTY, &row))
        return ST_NO_SUCH;
    if (act->signer.person == 0 || row.person != act->signer.person)
        return ST_NOT_SELF;
    if (row.state != DUTY_ASSIGNED || duty_is_over(&row, act->today))
        return ST_WRONG_STATE;
    row.state = DUTY_ACTIVE;
    row.acknowledged_at = act->log_time;
    state_update(act->state, TABLE_DUTY, &row);
    return ST_OK;
}

enum status duty_revoke(struct act *act, const struct op_duty_revoke *in,
                        struct result_duty_revoke *out)
{
    struct row_duty row = {.assignment = in->assignment};

    (void)out;
    if (!state_get(act->state, TABLE_DUTY, &row))
        return ST_NO_SUCH;
    /* Nobody can leave the registry without an administrator. */
    if (row.person == act->signer.person)
        return ST_SELF_APPROVE;
    if (row.state == DUTY_REVOKED)
        return ST_WRONG_STATE;
    row.state = DUTY_REVOKED;
    state_update(act->state, TABLE_DUTY, &row);
    return ST_OK;
}

/* Rows after a number: of one's own person, of one's organisation, or all. */
static void duty_list_open(struct act *act, struct state_scan *scan,
                           struct row_duty *row)
{
    if (act->letter == 'y') {
        state_scan_key(act->state, scan, TABLE_DUTY, row,
                       (struct state_range){.from = true});
    } else if (act->organisation != 0) {
        row->organisation = act->organisation;
        state_scan_open(act->state, scan, INDEX_DUTY_BY_ORGANISATION, row,
                        (struct state_range){.equal = 1, .from = true});
    } else {
        row->person = act->signer.person;
        state_scan_open(act->state, scan, INDEX_DUTY_BY_PERSON, row,
                        (struct state_range){.equal = 1, .from = true});
    }
}

enum status duty_list(struct act *act, const struct op_duty_list *in,
                      struct result_duty_list *out)
{
    struct row_duty row = {0};
    struct duty_row shown;
    struct state_scan scan;

    out->duties = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    row.assignment = in->after + 1;
    duty_list_open(act, &scan, &row);
    while (out->duties.count < PAGE_ROWS_MAX && state_scan_next(&scan, &row)) {
        if (in->person != 0 && row.person != in->person)
            continue;
        shown = (struct duty_row){.assignment = row.assignment,
                                  .person = row.person,
                                  .organisation = row.organisation,
                                  .duty = row.duty,
                                  .state = row.state,
                                  .scope = row.scope,
                                  .from = row.from,
                                  .to = row.to};
        if (row.state != DUTY_REVOKED && duty_is_over(&row, act->today))
            shown.state = DUTY_EXPIRED;
        list_add(&out->duties, act->space, &schema_duty_row, &shown);
    }
    state_scan_close(&scan);
    return ST_OK;
}
