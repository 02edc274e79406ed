#include "server/registry/failover.h"

#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/notice.h"
#include "server/registry/rows.h"

static bool is_named(const struct bytes16 *id)
{
    static const struct bytes16 none;

    return memcmp(id, &none, sizeof none) != 0;
}

bool failover_may_decide(struct act *act, uint8_t realm)
{
    if (realm == CONTINUITY_PORTAL)
        return act->duty == DUTY_DIR;
    return (continuity_realms_of(act) & CONTINUITY_BIT(realm)) != 0;
}

bool failover_target_fits(struct state *state, const struct bytes16 *node)
{
    struct row_node row = {.node_id = *node};

    return !is_named(node) ||
           (state_get(state, TABLE_NODE, &row) && row.state == NODE_ACTIVE &&
            row.role != NODE_ARCHIVE);
}

static bool failover_named(struct state *state, struct row_failover *row_out,
                           const struct bytes16 *name)
{
    struct row_failover row = {.name = *name};
    struct state_scan scan;
    bool found;

    state_scan_open(state, &scan, INDEX_FAILOVER_BY_NAME, &row,
                    (struct state_range){.equal = 1});
    found = state_scan_next(&scan, row_out);
    state_scan_close(&scan);
    return found;
}

/* ---- Asking ------------------------------------------------------------- */

static enum status request_check(struct act *act,
                                 const struct op_failover_request *in)
{
    struct row_incident incident = {.number = in->incident};

    if (!is_named(&in->order) || in->until <= act->log_time ||
        in->until - act->log_time >
            FAILOVER_ORDER_DAYS_MAX * DATES_US_PER_DAY ||
        (continuity_realms(act->state) & CONTINUITY_BIT(in->for_realm)) == 0)
        return ST_BAD_FIELD;
    /* What is planned names its node: by that the log tells it from a
     * failure. */
    if (in->kind != FAILOVER_REAL && !is_named(&in->target))
        return ST_BAD_FIELD;
    if (!failover_target_fits(act->state, &in->target))
        return ST_NO_SUCH;
    if (in->incident != 0 && !state_get(act->state, TABLE_INCIDENT, &incident))
        return ST_NO_SUCH;
    return ST_OK;
}

static void request_sign(struct act *act, struct row_failover *row)
{
    if (act->duty == DUTY_DIR)
        row->director = act->signer.person;
    else
        row->operator= act->signer.person;
    if (row->realm == CONTINUITY_PORTAL ||
        (row->operator!= 0 && row->director != 0))
        row->state = FAILOVER_REQUESTED;
}

/* the owner applies to the coordinating body. */
static void request_tell(struct act *act, const struct row_failover *row)
{
    struct row_notice notice = {.kind = NOTICE_FAILOVER_REQUESTED,
                                .realms = CONTINUITY_BIT(row->realm),
                                .incident = row->incident,
                                .failover = row->number};

    if (row->state == FAILOVER_REQUESTED && row->realm == CONTINUITY_REGISTRY)
        notice_coordinators(act, &notice);
}

static void request_begin(struct act *act, struct row_failover *row_out,
                          const struct op_failover_request *in)
{
    struct row_failover row = {.name = in->order,
                               .realm = in->for_realm,
                               .kind = in->kind,
                               .state = FAILOVER_PROPOSED,
                               .target = in->target,
                               .incident = in->incident,
                               .head = in->head,
                               .requested = act->log_time,
                               .until = in->until};

    row.number = (uint32_t)state_next(act->state, SEQUENCE_FAILOVER);
    request_sign(act, &row);
    state_insert(act->state, TABLE_FAILOVER, &row);
    *row_out = row;
}

/* The second person asks for the same; the shorter time counts. */
static enum status request_join(struct act *act, struct row_failover *row,
                                const struct op_failover_request *in)
{
    if (row->realm != in->for_realm || row->kind != in->kind ||
        row->incident != in->incident ||
        memcmp(&row->target, &in->target, sizeof row->target) != 0)
        return ST_EXISTS;
    if (row->state != FAILOVER_PROPOSED || row->until <= act->log_time)
        return ST_WRONG_STATE;
    if (act->signer.person == row->operator||
                              act->signer.person == row->director)
        return ST_SELF_APPROVE;
    if (act->duty == DUTY_DIR ? row->director != 0 : row->operator!= 0)
        return ST_SECOND_PERSON;
    if (in->until < row->until)
        row->until = in->until;
    if (in->head > row->head)
        row->head = in->head;
    request_sign(act, row);
    state_update(act->state, TABLE_FAILOVER, row);
    return ST_OK;
}

enum status failover_request(struct act *act,
                             const struct op_failover_request *in,
                             struct result_failover_request *out)
{
    struct row_failover row;
    enum status status = request_check(act, in);

    if (status != ST_OK)
        return status;
    if (failover_named(act->state, &row, &in->order)) {
        status = request_join(act, &row, in);
        if (status != ST_OK)
            return status;
    } else {
        request_begin(act, &row, in);
    }
    request_tell(act, &row);
    out->failover = row.number;
    out->state = row.state;
    return ST_OK;
}

/* ---- Deciding ----------------------------------------------------------- */

static enum status decide_check(struct act *act, struct row_failover *row_out,
                                const struct bytes16 *name)
{
    if (!failover_named(act->state, row_out, name))
        return ST_NO_SUCH;
    if (!failover_may_decide(act, row_out->realm))
        return ST_NO_DUTY;
    if (act->signer.person == row_out->operator||
                              act->signer.person == row_out->director)
        return ST_SELF_APPROVE;
    if (row_out->until <= act->log_time)
        return ST_WRONG_STATE;
    return ST_OK;
}

static void decide(struct act *act, struct row_failover *row,
                   enum failover_state state)
{
    bool approved = state == FAILOVER_APPROVED;
    struct row_notice notice = {.kind = approved ? NOTICE_FAILOVER_APPROVED
                                                 : NOTICE_FAILOVER_REFUSED,
                                .realms = CONTINUITY_BIT(row->realm),
                                .incident = row->incident,
                                .failover = row->number};

    row->state = (uint8_t)state;
    row->decided_by = act->organisation;
    row->decided_person = act->signer.person;
    row->decided = act->log_time;
    state_update(act->state, TABLE_FAILOVER, row);
    notice_owner(act, &notice);
}

enum status failover_approve(struct act *act,
                             const struct op_failover_approve *in,
                             struct result_failover_approve *out)
{
    struct row_failover row;
    enum status status = decide_check(act, &row, &in->order);

    (void)out;
    if (status != ST_OK)
        return status;
    if (row.state == FAILOVER_PROPOSED)
        return ST_SECOND_PERSON;
    if (row.state != FAILOVER_REQUESTED)
        return ST_WRONG_STATE;
    if (in->until != 0 && (in->until <= act->log_time || in->until > row.until))
        return ST_BAD_FIELD;
    if (in->until != 0)
        row.until = in->until;
    decide(act, &row, FAILOVER_APPROVED);
    return ST_OK;
}

enum status failover_refuse(struct act *act,
                            const struct op_failover_refuse *in,
                            struct result_failover_refuse *out)
{
    struct row_failover row;
    enum status status = decide_check(act, &row, &in->order);

    (void)out;
    if (status != ST_OK)
        return status;
    if (row.state != FAILOVER_PROPOSED && row.state != FAILOVER_REQUESTED &&
        row.state != FAILOVER_APPROVED)
        return ST_WRONG_STATE;
    decide(act, &row, FAILOVER_REFUSED);
    return ST_OK;
}
