#include "server/registry/epoch.h"

#include <string.h>

#include <sodium.h>

#include "protocol/config_entry.h"
#include "protocol/contract.h"
#include "protocol/dates.h"
#include "protocol/genesis.h"
#include "server/registry/continuity.h"
#include "server/registry/dispatch.h"
#include "server/registry/failover.h"
#include "server/registry/rows.h"

bool epoch_last(struct state *state, struct row_epoch *row_out)
{
    struct row_epoch last = {.number = UINT32_MAX};
    struct state_scan scan;
    bool found;

    state_scan_key(state, &scan, TABLE_EPOCH, &last,
                   (struct state_range){.from = true, .descending = true});
    found = state_scan_next(&scan, row_out);
    state_scan_close(&scan);
    return found;
}

bool epoch_last_change(struct state *state, struct row_epoch *row_out,
                       uint32_t after)
{
    struct row_epoch last = {.number = UINT32_MAX};
    struct state_scan scan;
    bool found = false;

    state_scan_key(state, &scan, TABLE_EPOCH, &last,
                   (struct state_range){.from = true, .descending = true});
    while (!found && state_scan_next(&scan, row_out) && row_out->number > after)
        found = row_out->change >= EPOCH_UNPLANNED;
    state_scan_close(&scan);
    return found;
}

bool epoch_is_primary(struct state *state, const struct bytes16 *key_id)
{
    struct row_epoch last;

    return !epoch_last(state, &last) ||
           memcmp(&last.key_id, key_id, sizeof *key_id) == 0;
}

/* ---- Configurations ----------------------------------------------------- */

bool epoch_configuration(struct state *state, struct row_configuration *row_out)
{
    struct row_configuration last = {.index = INT64_MAX};
    struct state_scan scan;
    bool found;

    state_scan_key(state, &scan, TABLE_CONFIGURATION, &last,
                   (struct state_range){.from = true, .descending = true});
    found = state_scan_next(&scan, &last);
    state_scan_close(&scan);
    if (!found)
        return false;
    /* What a walk lends ends with it. */
    row_out->index = last.index;
    found = state_get(state, TABLE_CONFIGURATION, row_out);
    INVARIANT(found);
    return true;
}

/* The keys of genesis, and the archive that signed as witness. */
static void epoch_cert_keys(struct act *act, struct config_cert_keys *out,
                            struct slice certificate)
{
    struct op_system_genesis genesis;
    struct config_cert cert;
    struct entry entry;
    struct slice bytes;
    enum status status;

    memset(out, 0, sizeof *out);
    if (config_cert_decode(&cert, certificate) != ST_OK)
        return;
    status = act->services->read_entry(act->services->context, 0, &bytes);
    INVARIANT(status == ST_OK);
    status = genesis_read(&genesis, &entry, bytes);
    INVARIANT(status == ST_OK);
    memcpy(out->operator_key, genesis.operator_key.b, PUBLIC_KEY_SIZE);
    memcpy(out->authority_key, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    for (size_t i = 0; i < cert.signatures_count; i++) {
        const struct config_signature *signature = &cert.signatures[i];
        struct row_node row;

        memcpy(row.node_id.b, signature->node_id, NODE_ID_SIZE);
        if (signature->signer != CONFIG_SIGNER_WITNESS ||
            !state_get(act->state, TABLE_NODE, &row) ||
            row.role != NODE_ARCHIVE || row.state != NODE_ACTIVE)
            continue;
        memcpy(out->witnesses[0].node_id, row.node_id.b, NODE_ID_SIZE);
        memcpy(out->witnesses[0].receipt_key, row.receipt_key.b,
               PUBLIC_KEY_SIZE);
        out->witnesses_count = 1;
    }
}

static enum status epoch_configuration_check(struct act *act,
                                             const struct config_entry *entry)
{
    struct config_cert_keys keys;
    struct config_held held = {{NULL, 0}, {NULL, 0}};
    struct row_configuration last;

    epoch_cert_keys(act, &keys, entry->certificate);
    if (epoch_configuration(act->state, &last)) {
        held.bytes = last.configuration;
        held.certificate = last.certificate;
        if (!entry->begins && slice_equal(entry->bytes, held.bytes))
            return ST_EXISTS;
    }
    return config_entry_judge(entry, &held, act->services->cluster_id, &keys) ==
                   NULL
               ? ST_OK
               : ST_BAD_FIELD;
}

static void epoch_configuration_keep(struct act *act,
                                     const struct config_entry *entry)
{
    struct row_configuration row = {.index = act->index,
                                    .number = entry->number,
                                    .epoch = entry->epoch,
                                    .log_time = act->log_time,
                                    .configuration = entry->bytes,
                                    .certificate = entry->certificate};

    if (entry->number == 0)
        return;
    crypto_hash_sha256(row.digest.b, entry->bytes.data, entry->bytes.size);
    state_insert(act->state, TABLE_CONFIGURATION, &row);
}

/* The signer's row, if it may be primary. */
static bool epoch_find_node(struct act *act, struct row_node *row_out)
{
    struct row_node row = {.key_id = act->signer.key_id};
    struct state_scan scan;
    bool found;

    state_scan_open(act->state, &scan, INDEX_NODE_BY_KEY, &row,
                    (struct state_range){.equal = 1});
    found = state_scan_next(&scan, row_out);
    state_scan_close(&scan);
    return found && row_out->state == NODE_ACTIVE &&
           row_out->role != NODE_ARCHIVE;
}

enum status system_config(struct act *act, const struct op_system_config *in,
                          struct result_system_config *out)
{
    struct config_entry entry = {.index = act->index,
                                 .number = in->number,
                                 .epoch = in->epoch,
                                 .bytes = in->configuration};
    struct row_node node;
    enum status status;

    (void)out;
    if (in->has_certificate)
        entry.certificate = in->certificate;
    if (in->epoch != act->epoch)
        return ST_BAD_FIELD;
    if (!epoch_find_node(act, &node))
        return ST_NO_DUTY;
    entry.node_id = node.node_id.b;
    status = epoch_configuration_check(act, &entry);
    if (status == ST_OK)
        epoch_configuration_keep(act, &entry);
    return status;
}

/* ---- Terms -------------------------------------------------------------- */

static enum epoch_change epoch_changed(struct act *act,
                                       const struct row_epoch *before,
                                       const struct row_epoch *row)
{
    int64_t longest = state_setting(act->state, SETTING_stoppage_s);
    bool paused = row->began - row->before >= longest * DATES_US_PER_SECOND;

    if (memcmp(&before->node, &row->node, sizeof row->node) == 0)
        return paused ? EPOCH_STOPPAGE : EPOCH_SAME;
    if (paused) /* Nobody plans that. */
        return EPOCH_UNPLANNED;
    switch (failover_planned(act->state, &row->node, act->log_time)) {
    case FAILOVER_PLANNED:
        return EPOCH_PLANNED;
    case FAILOVER_DRILL:
        return EPOCH_DRILL;
    case FAILOVER_REAL:
        break;
    }
    return EPOCH_UNPLANNED;
}

/* ${node} begins the entry's epoch; what follows from that is done here. */
static void epoch_begin(struct act *act, const struct row_node *node)
{
    struct row_epoch row = {.number = act->epoch,
                            .index = act->index,
                            .node = node->node_id,
                            .key_id = node->key_id,
                            .began = act->log_time,
                            .before = state_head(act->state)->log_time,
                            .change = EPOCH_SAME};
    struct row_epoch before;

    if (epoch_last(act->state, &before))
        row.change = (uint8_t)epoch_changed(act, &before, &row);
    row.owed = row.change == EPOCH_STOPPAGE || row.change == EPOCH_UNPLANNED;
    state_insert(act->state, TABLE_EPOCH, &row);
    if (row.change != EPOCH_SAME)
        continuity_interrupted(act, &row);
}

enum status system_epoch(struct act *act, const struct op_system_epoch *in,
                         struct result_system_epoch *out)
{
    struct config_entry entry = {.index = act->index,
                                 .number = in->number,
                                 .epoch = in->epoch,
                                 .bytes = in->configuration,
                                 .begins = true};
    struct row_epoch last;
    struct row_node node;
    enum status status;

    (void)out;
    if (in->has_certificate)
        entry.certificate = in->certificate;
    if (in->epoch != act->epoch)
        return ST_BAD_FIELD;
    /* A term begins once: nobody becomes primary inside another's. */
    if (epoch_last(act->state, &last) && last.number >= in->epoch)
        return ST_EXISTS;
    if (!epoch_find_node(act, &node))
        return ST_NO_DUTY;
    entry.node_id = node.node_id.b;
    status = epoch_configuration_check(act, &entry);
    if (status != ST_OK)
        return status;
    epoch_configuration_keep(act, &entry);
    epoch_begin(act, &node);
    return ST_OK;
}
