#include "server/registry/epoch.h"

#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
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

bool epoch_is_primary(struct state *state, const struct bytes16 *key_id)
{
    struct row_epoch last;

    return !epoch_last(state, &last) ||
           memcmp(&last.key_id, key_id, sizeof *key_id) == 0;
}

/* ---- Configurations ----------------------------------------------------- */

/* As both operations bring it. */
struct system_configuration {
    uint64_t number; /* 0: a single node without a register. */
    uint32_t epoch;
    struct slice bytes;
    struct slice certificate;
    bool begins; /* With a term, which may go on with the one before. */
};

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

/*
 * Whether the configuration may follow what the log holds.  Numbers rise, but a
 * term under a grant goes on with the very bytes of the one before.
 */
static enum status system_configuration_check(
    struct state *state, const struct system_configuration *in)
{
    struct row_configuration last;
    uint8_t digest[HASH_SIZE];

    if ((in->number == 0) != (in->bytes.size == 0) ||
        (in->number == 0 && in->certificate.size != 0))
        return ST_BAD_FIELD;
    if (!epoch_configuration(state, &last))
        return ST_OK;
    if (in->number > last.number)
        return ST_OK;
    if (in->number < last.number)
        return ST_BAD_FIELD;
    if (!in->begins)
        return ST_EXISTS;
    crypto_hash_sha256(digest, in->bytes.data, in->bytes.size);
    return memcmp(digest, last.digest.b, sizeof digest) == 0 ? ST_OK
                                                             : ST_BAD_FIELD;
}

static void configuration_keep(struct act *act,
                               const struct system_configuration *in)
{
    struct row_configuration row = {.index = act->index,
                                    .number = in->number,
                                    .epoch = in->epoch,
                                    .log_time = act->log_time,
                                    .configuration = in->bytes,
                                    .certificate = in->certificate};

    if (in->number == 0)
        return;
    crypto_hash_sha256(row.digest.b, in->bytes.data, in->bytes.size);
    state_insert(act->state, TABLE_CONFIGURATION, &row);
}

enum status system_config(struct act *act, const struct op_system_config *in,
                          struct result_system_config *out)
{
    struct system_configuration configuration = {
        .number = in->number, .epoch = in->epoch, .bytes = in->configuration};
    enum status status;

    (void)out;
    if (in->has_certificate)
        configuration.certificate = in->certificate;
    if (in->epoch != act->epoch)
        return ST_BAD_FIELD;
    status = system_configuration_check(act->state, &configuration);
    if (status == ST_OK)
        configuration_keep(act, &configuration);
    return status;
}

/* ---- Terms -------------------------------------------------------------- */

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
    struct system_configuration configuration = {.number = in->number,
                                                 .epoch = in->epoch,
                                                 .bytes = in->configuration,
                                                 .begins = true};
    struct row_epoch last;
    struct row_node node;
    enum status status;

    (void)out;
    if (in->has_certificate)
        configuration.certificate = in->certificate;
    if (in->epoch != act->epoch)
        return ST_BAD_FIELD;
    /* A term begins once: nobody becomes primary inside another's. */
    if (epoch_last(act->state, &last) && last.number >= in->epoch)
        return ST_EXISTS;
    if (!epoch_find_node(act, &node))
        return ST_NO_DUTY;
    status = system_configuration_check(act->state, &configuration);
    if (status != ST_OK)
        return status;
    configuration_keep(act, &configuration);
    epoch_begin(act, &node);
    return ST_OK;
}
