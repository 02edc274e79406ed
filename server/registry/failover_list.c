/*
 * failover_list.c: failovers and standing orders, for who answers for them.
 */
#include "server/registry/dispatch.h"
#include "server/registry/failover.h"

static uint16_t list_realms(struct act *act)
{
    return act->letter == 's' ? continuity_realms_of(act)
                              : (uint16_t)CONTINUITY_REALMS_ALL;
}

static uint8_t failover_state_shown(const struct act *act,
                                    const struct row_failover *row)
{
    return row->state <= FAILOVER_APPROVED && row->until <= act->log_time
               ? FAILOVER_EXPIRED
               : row->state;
}

static void failover_show(struct act *act, struct list *list,
                          const struct row_failover *row)
{
    struct failover_row shown = {.failover = row->number,
                                 .order = row->name,
                                 .realm = row->realm,
                                 .kind = row->kind,
                                 .state = failover_state_shown(act, row),
                                 .target = row->target,
                                 .incident = row->incident,
                                 .head = row->head,
                                 .operator= row->operator,
                                 .director = row->director,
                                 .requested = row->requested,
                                 .until = row->until,
                                 .decided_by = row->decided_by,
                                 .decided = row->decided,
                                 .standing = row->standing,
                                 .epoch = row->epoch,
                                 .activated = row->activated,
                                 .verified = row->verified};

    list_add(list, act->space, &schema_failover_row, &shown);
}

static void list_failovers(struct act *act, struct list *list, uint32_t after,
                           uint8_t limit)
{
    struct row_failover row = {.number = after + 1};
    uint16_t realms = list_realms(act);
    struct state_scan scan;

    if (after == UINT32_MAX)
        return;
    state_scan_key(act->state, &scan, TABLE_FAILOVER, &row,
                   (struct state_range){.from = true});
    while (list->count < limit && state_scan_next(&scan, &row)) {
        if ((CONTINUITY_BIT(row.realm) & realms) != 0)
            failover_show(act, list, &row);
    }
    state_scan_close(&scan);
}

static void standing_show(struct act *act, struct list *list,
                          const struct row_standing *row)
{
    struct standing_row shown = {.standing = row->number,
                                 .realm = row->realm,
                                 .state = row->state,
                                 .from = row->from,
                                 .to = row->to,
                                 .automatic = row->automatic != 0,
                                 .times = row->times,
                                 .used = row->used,
                                 .nodes =
                                     (uint8_t)(row->nodes.size / NODE_ID_SIZE),
                                 .given_by = row->given_by,
                                 .basis = row->basis};

    if (row->state == STANDING_LIVE && row->to <= act->log_time)
        shown.state = STANDING_EXPIRED;
    list_add(list, act->space, &schema_standing_row, &shown);
}

static void list_standing(struct act *act, struct list *list, uint32_t after,
                          uint8_t limit)
{
    struct row_standing row = {.number = after + 1};
    uint16_t realms = list_realms(act);
    struct state_scan scan;

    if (after == UINT32_MAX)
        return;
    state_scan_key(act->state, &scan, TABLE_STANDING, &row,
                   (struct state_range){.from = true});
    while (list->count < limit && state_scan_next(&scan, &row)) {
        if ((CONTINUITY_BIT(row.realm) & realms) != 0)
            standing_show(act, list, &row);
    }
    state_scan_close(&scan);
}

enum status failover_list(struct act *act, const struct op_failover_list *in,
                          struct result_failover_list *out)
{
    out->failovers = list_begin(act->space);
    list_failovers(act, &out->failovers, in->after, in->limit);
    out->standing_orders = list_begin(act->space);
    list_standing(act, &out->standing_orders, in->after_standing, in->limit);
    return ST_OK;
}
