/*
 * node.c: which nodes there are, and how they stand (P-6.1.5, R-8.2.6).
 */
#include <string.h>

#include "protocol/contract.h"
#include "protocol/enrol.h"
#include "server/registry/continuity.h"
#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/epoch.h"
#include "server/registry/key.h"
#include "server/registry/rows.h"

/* ---- Enrolment ---------------------------------------------------------- */

/* A node's claim names a role that no person's or machine's key can have, so
 * that no proof serves for both. */
static enum status node_check_key(struct act *act, struct row_key *key,
                                  const struct op_node_enrol *in)
{
    struct enrol_claim claim = {.role = (uint16_t)(ENROL_NODE_ROLES + in->role),
                                .level = key->level};
    struct row_key present;
    enum status status = enrol_check(
        &claim, in->proof.b, act->services->cluster_id, in->receipt_key.b);

    if (status != ST_OK)
        return status;
    identity_key_id(key->key_id.b, in->receipt_key.b);
    present.key_id = key->key_id;
    return state_get(act->state, TABLE_KEY, &present) ? ST_EXISTS : ST_OK;
}

/* A cosignature does not commit to its cosigner's name: the key alone says who
 * it is, so that it serves for nothing and nobody else. */
static enum status node_check_cosigner(struct act *act,
                                       const struct op_node_enrol *in)
{
    struct row_cosigner row = {0};
    struct row_key entered;
    struct state_scan scan;
    bool known;

    if (!in->has_cosigner_key)
        return ST_OK;
    if (!identity_public_key_acceptable(in->cosigner_key.b) ||
        memcmp(&in->cosigner_key, &in->receipt_key, PUBLIC_KEY_SIZE) == 0)
        return ST_BAD_FIELD;
    identity_key_id(entered.key_id.b, in->cosigner_key.b);
    known = state_get(act->state, TABLE_KEY, &entered);
    state_scan_key(act->state, &scan, TABLE_COSIGNER, &row,
                   (struct state_range){.from = true});
    while (!known && state_scan_next(&scan, &row))
        known = memcmp(&row.public_key, &in->cosigner_key,
                       sizeof row.public_key) == 0;
    state_scan_close(&scan);
    return known ? ST_EXISTS : ST_OK;
}

static enum status node_check(struct act *act, struct row_key *key,
                              const struct op_node_enrol *in)
{
    static const struct bytes16 none;
    struct row_node present = {.node_id = in->node_id};
    enum status status;

    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (memcmp(&in->node_id, &none, sizeof none) == 0 ||
        !rows_is_given(&in->channel_key) ||
        (in->role != NODE_SERVER && in->role != NODE_ARCHIVE))
        return ST_BAD_FIELD;
    if (state_get(act->state, TABLE_NODE, &present))
        return ST_EXISTS;
    if (state_count(act->state, TABLE_NODE) >= NODES_ENROLLED_MAX)
        return ST_QUOTA;
    status = node_check_cosigner(act, in);
    return status == ST_OK ? node_check_key(act, key, in) : status;
}

enum status node_enrol(struct act *act, const struct op_node_enrol *in,
                       struct result_node_enrol *out)
{
    struct row_key key = {.public_key = in->receipt_key,
                          .level = 3,
                          .state = KEY_ACTIVE,
                          .is_node = 1,
                          .enrolled = act->index,
                          .evidence = in->basis};
    struct row_node row = {.node_id = in->node_id,
                           .channel_key = in->channel_key,
                           .receipt_key = in->receipt_key,
                           .label = in->label,
                           .address = in->address,
                           .role = in->role,
                           .state = NODE_ACTIVE,
                           .enrolled = act->index};
    enum status status = node_check(act, &key, in);

    if (status != ST_OK)
        return status;
    row.key_id = key.key_id;
    state_insert(act->state, TABLE_KEY, &key);
    state_insert(act->state, TABLE_NODE, &row);
    if (in->has_cosigner_key)
        state_insert(act->state, TABLE_COSIGNER,
                     &(struct row_cosigner){.node_id = in->node_id,
                                            .public_key = in->cosigner_key});
    out->key_id = key.key_id;
    return ST_OK;
}

enum status node_retire(struct act *act, const struct op_node_retire *in,
                        struct result_node_retire *out)
{
    struct row_node row = {.node_id = in->node_id};
    struct row_key key;
    bool found;

    (void)out;
    if (!state_get(act->state, TABLE_NODE, &row))
        return ST_NO_SUCH;
    /* The primary hands over first: else nobody could sign for the node. */
    if (row.state != NODE_ACTIVE || epoch_is_primary(act->state, &row.key_id))
        return ST_WRONG_STATE;
    key.key_id = row.key_id;
    found = state_get(act->state, TABLE_KEY, &key);
    INVARIANT(found);
    key_end(act, &key, KEY_REVOKED);
    row.state = NODE_RETIRED;
    row.retired = act->index;
    state_update(act->state, TABLE_NODE, &row);
    destroy_node_retired(act);
    return ST_OK;
}

/* Of the nodes behind ${after} up to ${last}. */
static void node_list_cosigners(struct act *act, struct list *list,
                                const struct bytes16 *after,
                                const struct bytes16 *last)
{
    struct row_cosigner row = {.node_id = *after};
    struct cosigner_row shown;
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_COSIGNER, &row,
                   (struct state_range){.from = true});
    while (state_scan_next(&scan, &row) &&
           memcmp(&row.node_id, last, sizeof *last) <= 0) {
        if (memcmp(&row.node_id, after, sizeof *after) == 0)
            continue;
        shown = (struct cosigner_row){.node_id = row.node_id,
                                      .cosigner_key = row.public_key};
        list_add(list, act->space, &schema_cosigner_row, &shown);
    }
    state_scan_close(&scan);
}

enum status node_list(struct act *act, const struct op_node_list *in,
                      struct result_node_list *out)
{
    struct row_node row = {.node_id = in->after};
    struct bytes16 last = in->after;
    struct node_row shown;
    struct state_scan scan;

    out->nodes = list_begin(act->space);
    state_scan_key(act->state, &scan, TABLE_NODE, &row,
                   (struct state_range){.from = true});
    while (out->nodes.count < PAGE_ROWS_MAX && state_scan_next(&scan, &row)) {
        if (memcmp(&row.node_id, &in->after, sizeof row.node_id) == 0)
            continue;
        shown = (struct node_row){.node_id = row.node_id,
                                  .label = row.label,
                                  .role = row.role,
                                  .state = row.state,
                                  .key_id = row.key_id,
                                  .receipt_key = row.receipt_key,
                                  .channel_key = row.channel_key,
                                  .address = row.address,
                                  .enrolled = row.enrolled,
                                  .retired = row.retired};
        list_add(&out->nodes, act->space, &schema_node_row, &shown);
        last = row.node_id;
    }
    state_scan_close(&scan);
    out->cosigners = list_begin(act->space);
    node_list_cosigners(act, &out->cosigners, &in->after, &last);
    out->has_cosigners = out->cosigners.count > 0;
    return ST_OK;
}

/* ---- Status ------------------------------------------------------------- */

/* The last term that the node began; 0 if none. */
static uint32_t node_last_epoch(struct act *act, const struct bytes16 *node)
{
    struct row_epoch row = {.node = *node, .number = UINT32_MAX};
    struct state_scan scan;
    bool found;

    state_scan_open(
        act->state, &scan, INDEX_EPOCH_BY_NODE, &row,
        (struct state_range){.equal = 1, .from = true, .descending = true});
    found = state_scan_next(&scan, &row);
    state_scan_close(&scan);
    return found ? row.number : 0;
}

static void status_members(struct act *act, struct list *list, uint32_t epoch)
{
    struct row_node row = {0};
    struct member_row shown;
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_NODE, &row,
                   (struct state_range){.from = true});
    while (list->count < PAGE_ROWS_MAX && state_scan_next(&scan, &row)) {
        shown = (struct member_row){.node_id = row.node_id,
                                    .label = row.label,
                                    .role = row.role,
                                    .state = row.state};
        shown.epoch = node_last_epoch(act, &row.node_id);
        shown.primary = shown.epoch == epoch;
        list_add(list, act->space, &schema_member_row, &shown);
    }
    state_scan_close(&scan);
}

/* Of the realms: which wait, and the failover that was activated last. */
static void status_realms(struct act *act, struct result_repl_status *out)
{
    struct row_realm row = {0};
    struct row_failover failover;
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_REALM, &row,
                   (struct state_range){.from = true});
    while (state_scan_next(&scan, &row)) {
        if (row.since != 0)
            out->waiting |= CONTINUITY_BIT(row.realm);
        if (row.failover > out->failover)
            out->failover = row.failover;
    }
    state_scan_close(&scan);
    failover.number = out->failover;
    if (out->failover != 0 && state_get(act->state, TABLE_FAILOVER, &failover))
        out->activated = failover.activated;
}

enum status repl_status(struct act *act, const struct op_repl_status *in,
                        struct result_repl_status *out)
{
    struct row_configuration configuration;
    struct row_epoch epoch;

    (void)in;
    if (!epoch_last(act->state, &epoch))
        return ST_WRONG_STATE;
    out->epoch = epoch.number;
    out->primary = epoch.node;
    out->began = epoch.began;
    if (epoch_configuration(act->state, &configuration)) {
        out->number = configuration.number;
        out->configuration = configuration.digest;
    }
    status_realms(act, out);
    out->members = list_begin(act->space);
    status_members(act, &out->members, epoch.number);
    return ST_OK;
}
