/*
 * failover_cover.c: whether what was asked, let or ordered in advance covers a
 * change of primary.
 */
#include <string.h>

#include "server/registry/failover.h"

static bool order_names(const struct row_failover *row,
                        const struct bytes16 *node)
{
    static const struct bytes16 any;

    return memcmp(&row->target, &any, sizeof any) == 0 ||
           memcmp(&row->target, node, sizeof *node) == 0;
}

static bool order_holds(const struct row_failover *row,
                        const struct bytes16 *node, int64_t now)
{
    return (row->state == FAILOVER_REQUESTED ||
            row->state == FAILOVER_APPROVED) &&
           now < row->until && order_names(row, node);
}

bool standing_holds(const struct row_standing *row, uint8_t realm,
                    const struct bytes16 *node, int64_t now)
{
    bool named = row->nodes.size == 0;

    for (size_t at = 0; !named && at < row->nodes.size; at += NODE_ID_SIZE)
        named = memcmp(row->nodes.data + at, node->b, NODE_ID_SIZE) == 0;
    return named && row->state == STANDING_LIVE && row->realm == realm &&
           row->from <= now && now < row->to && row->used < row->times;
}

/* The node that the realm waits for, and when its term began: an order given
 * in advance has to hold at that moment. */
static void cover_epoch(struct state *state, struct row_epoch *row_out,
                        const struct row_realm *realm)
{
    *row_out = (struct row_epoch){.number = realm->since};
    (void)state_get(state, TABLE_EPOCH, row_out);
}

enum status failover_covers(struct state *state, const struct row_realm *realm,
                            const struct failover_cover *cover, int64_t now)
{
    struct row_failover order = {.number = cover->failover};
    struct row_standing standing = {.number = cover->standing};
    struct row_epoch epoch;
    bool asked = false, let = false, given = false;

    cover_epoch(state, &epoch, realm);
    if (cover->failover != 0) {
        if (!state_get(state, TABLE_FAILOVER, &order))
            return ST_NO_SUCH;
        asked = order.realm == realm->realm &&
                order_holds(&order, &epoch.node, now);
        let = asked && order.state == FAILOVER_APPROVED;
        if (!asked)
            return ST_NO_BASIS;
    }
    if (cover->standing != 0) {
        if (!state_get(state, TABLE_STANDING, &standing))
            return ST_NO_SUCH;
        given = standing_holds(&standing, realm->realm, &epoch.node, now) &&
                (standing.automatic || asked);
        if (!given)
            return ST_NO_BASIS;
    }
    return realm->realm == CONTINUITY_PORTAL || let || given ? ST_OK
                                                             : ST_NO_BASIS;
}

/* ---- Looking for it ----------------------------------------------------- */

static uint32_t find_order(struct state *state, const struct row_realm *realm,
                           enum failover_state wanted,
                           const struct bytes16 *node, int64_t now)
{
    struct row_failover row = {.realm = realm->realm, .state = (uint8_t)wanted};
    struct state_scan scan;
    uint32_t found = 0;

    state_scan_open(state, &scan, INDEX_FAILOVER_BY_STATE, &row,
                    (struct state_range){.equal = 2});
    while (found == 0 && state_scan_next(&scan, &row)) {
        if (order_holds(&row, node, now))
            found = row.number;
    }
    state_scan_close(&scan);
    return found;
}

static uint32_t find_standing(struct state *state, uint8_t realm, bool asked,
                              const struct bytes16 *node, int64_t now)
{
    struct row_standing row = {.realm = realm, .state = STANDING_LIVE};
    struct state_scan scan;
    uint32_t found = 0;

    state_scan_open(state, &scan, INDEX_STANDING_BY_STATE, &row,
                    (struct state_range){.equal = 2});
    while (found == 0 && state_scan_next(&scan, &row)) {
        if ((row.automatic || asked) && standing_holds(&row, realm, node, now))
            found = row.number;
    }
    state_scan_close(&scan);
    return found;
}

bool failover_find_cover(struct state *state, struct failover_cover *cover_out,
                         const struct row_realm *realm, int64_t now)
{
    bool portal = realm->realm == CONTINUITY_PORTAL;
    struct row_epoch epoch;

    cover_epoch(state, &epoch, realm);
    *cover_out = (struct failover_cover){0};
    cover_out->failover =
        find_order(state, realm, FAILOVER_APPROVED, &epoch.node, now);
    if (cover_out->failover != 0)
        return true;
    cover_out->failover =
        find_order(state, realm, FAILOVER_REQUESTED, &epoch.node, now);
    if (portal && cover_out->failover != 0)
        return true;
    cover_out->standing = find_standing(
        state, realm->realm, cover_out->failover != 0, &epoch.node, now);
    return portal || cover_out->standing != 0;
}

enum failover_lack failover_lack(struct state *state, uint8_t realm,
                                 int64_t now)
{
    struct row_realm row = {.realm = realm};
    struct failover_cover cover;

    if (!state_get(state, TABLE_REALM, &row) || row.since == 0 ||
        failover_find_cover(state, &cover, &row, now))
        return FAILOVER_LACKS_NOTHING;
    return cover.failover != 0 ? FAILOVER_LACKS_APPROVAL
                               : FAILOVER_LACKS_REQUEST;
}

/* ---- What is planned ---------------------------------------------------- */

static enum failover_kind planned_in(struct state *state,
                                     enum continuity_realm realm,
                                     enum failover_state wanted,
                                     const struct bytes16 *node, int64_t now)
{
    struct row_failover row = {.realm = (uint8_t)realm,
                               .state = (uint8_t)wanted};
    enum failover_kind kind = FAILOVER_REAL;
    struct state_scan scan;

    state_scan_open(state, &scan, INDEX_FAILOVER_BY_STATE, &row,
                    (struct state_range){.equal = 2});
    while (kind == FAILOVER_REAL && state_scan_next(&scan, &row)) {
        if (row.kind != FAILOVER_REAL && order_holds(&row, node, now))
            kind = (enum failover_kind)row.kind;
    }
    state_scan_close(&scan);
    return kind;
}

/* In P it is enough to ask; in R the planned change has to be let. */
enum failover_kind failover_planned(struct state *state,
                                    const struct bytes16 *node, int64_t now)
{
    enum failover_kind kind =
        planned_in(state, CONTINUITY_PORTAL, FAILOVER_APPROVED, node, now);

    if (kind == FAILOVER_REAL)
        kind =
            planned_in(state, CONTINUITY_PORTAL, FAILOVER_REQUESTED, node, now);
    if (kind == FAILOVER_REAL)
        kind = planned_in(state, CONTINUITY_REGISTRY, FAILOVER_APPROVED, node,
                          now);
    if (kind == FAILOVER_REAL &&
        find_standing(state, CONTINUITY_REGISTRY, true, node, now) != 0)
        kind = planned_in(state, CONTINUITY_REGISTRY, FAILOVER_REQUESTED, node,
                          now);
    return kind;
}
