/*
 * standing.c: orders given in advance, with limits, so that an automatic
 * failover stays lawful and fast (P-6.1.4, R-8.2.5).
 */
#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/failover.h"
#include "server/registry/rows.h"

/* The ids back to back, each once, in ${bytes}. */
static enum status standing_nodes(struct act *act, struct slice *nodes_out,
                                  uint8_t *bytes, const struct list *nodes)
{
    struct list_reader reader;
    struct node_ref ref;
    size_t size = 0;

    list_reader_init(&reader, nodes);
    while (list_reader_next(&reader, &schema_node_ref, &ref)) {
        if (!failover_target_fits(act->state, &ref.node_id))
            return ST_NO_SUCH;
        memcpy(bytes + size, ref.node_id.b, NODE_ID_SIZE);
        size += NODE_ID_SIZE;
    }
    *nodes_out = slice_of(bytes, size);
    return ST_OK;
}

static enum status standing_check(struct act *act,
                                  const struct op_failover_order *in)
{
    if (!failover_may_decide(act, in->for_realm))
        return ST_NO_DUTY;
    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (in->to <= in->from || in->to <= act->log_time ||
        in->to - in->from > STANDING_ORDER_DAYS_MAX * DATES_US_PER_DAY ||
        (continuity_realms(act->state) & CONTINUITY_BIT(in->for_realm)) == 0)
        return ST_BAD_FIELD;
    return ST_OK;
}

enum status failover_order(struct act *act, const struct op_failover_order *in,
                           struct result_failover_order *out)
{
    uint8_t nodes[STANDING_NODES_MAX * NODE_ID_SIZE];
    struct row_standing row = {.realm = in->for_realm,
                               .state = STANDING_LIVE,
                               .from = in->from,
                               .to = in->to,
                               .automatic = in->automatic,
                               .times = in->times,
                               .given_by = act->organisation,
                               .person = act->signer.person,
                               .basis = in->basis};
    enum status status = standing_check(act, in);

    if (status != ST_OK)
        return status;
    status = standing_nodes(act, &row.nodes, nodes, &in->nodes);
    if (status != ST_OK)
        return status;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_STANDING);
    state_insert(act->state, TABLE_STANDING, &row);
    out->standing = row.number;
    return ST_OK;
}

enum status failover_revoke_order(struct act *act,
                                  const struct op_failover_revoke_order *in,
                                  struct result_failover_revoke_order *out)
{
    struct row_standing row = {.number = in->standing};

    (void)out;
    if (!state_get(act->state, TABLE_STANDING, &row))
        return ST_NO_SUCH;
    if (!failover_may_decide(act, row.realm))
        return ST_NO_DUTY;
    if (row.state == STANDING_REVOKED)
        return ST_WRONG_STATE;
    row.state = STANDING_REVOKED;
    state_update(act->state, TABLE_STANDING, &row);
    return ST_OK;
}
