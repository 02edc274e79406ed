#include "server/node.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/config.h"
#include "replication/halt.h"
#include "replication/journal_repair.h"
#include "replication/need.h"
#include "replication/replica.h"
#include "server/diag.h"
#include "server/node_private.h"
#include "server/store/statements.h"

static_assert((int)NODE_DISK == (int)STATEMENTS_DISK_EXIT &&
                  (int)NODE_MEMORY == (int)STATEMENTS_MEMORY_EXIT,
              "one status, whichever file the disk fails");

enum { NODE_REALM_PORTAL = 1, NODE_REALM_REGISTRY = 2, NODE_DRAIN_MS = 5000 };

enum node_exit node_fail(enum status status, const char *what,
                         const char *where)
{
    const struct status_info *info = status_info(status);

    diag_say(DIAG_FAILURE, "%s: %s: %s", where, what, info->english);
    return NODE_REFUSED;
}

/* After this nothing may be done but to end. */
void node_failed(void *context, enum status status, uint64_t index,
                 const char *what)
{
    (void)context;
    diag_say(DIAG_FAILURE, "%s failed at entry %" PRIu64 ": %s", what, index,
             status_info(status)->english);
    if (status == ST_DIVERGED)
        _exit(NODE_DIVERGED);
    if (status == ST_DISK_FULL || status == ST_DISK_FAILED ||
        status == ST_CHECKSUM)
        _exit(NODE_DISK);
    if (status == ST_EXHAUSTED)
        _exit(NODE_MEMORY);
    /* What a key sealed that is gone, or that went with an act which this node
     * has not come to: a start says what to do. */
    if (status == ST_CONTENT_GONE || status == ST_KEY_MISSING ||
        status == ST_SEAL)
        _exit(NODE_DAMAGED);
    abort();
}

enum node_exit node_take(struct disk_posix **out, const char *directory)
{
    enum status status = disk_posix_open(out, directory);

    if (status == ST_WRONG_STATE)
        return node_fail(status, "another process holds this directory",
                         directory);
    if (status == ST_FILE_MODE)
        return node_fail(status, "chmod 700; this user's own", directory);
    if (status != ST_OK)
        return node_fail(status, "taking the directory", directory);
    return NODE_DRAINED;
}

/* One with peers halts at its start; one that is alone now does not start. */
static enum node_exit node_not_halted(struct node *node)
{
    uint32_t cause;
    enum status status = halt_cause(&cause, disk_posix_disk(node->disk));

    if (status != ST_OK)
        return node_fail(status, "reading", HALT_FILE);
    if (cause == HALT_NONE || node->options.cluster.is_there)
        return NODE_DRAINED;
    return node_fail(ST_WRONG_STATE,
                     "it halted; see OPERATING, when a node "
                     "halts",
                     node->options.directory);
}

/* What a lineage was forced on is committed, where the log has it: its operator
 * said so (replica_forced_tend()).  A log that was laid here has a new mark,
 * which knows of nothing. */
static uint64_t node_known_by_force(struct node *node)
{
    const struct meta_value *meta = &node->meta.value;
    struct config config;
    uint8_t leaf[HASH_SIZE];
    struct slice entry;

    if (!replica_stored_config(
            &config, slice_of(meta->configuration, meta->configuration_size)) ||
        config.why != CONFIG_FORCED || config.base_size == 0 ||
        memcmp(config.lineage, node->lineage, LINEAGE_SIZE) != 0 ||
        config.base_size > journal_size(node->journal) ||
        journal_read_entry(node->journal, &entry, node->entry_buffer,
                           config.base_size - 1) != ST_OK)
        return 0;
    entry_leaf_hash(leaf, entry);
    return memcmp(leaf, config.base_leaf, HASH_SIZE) == 0 ? config.base_size
                                                          : 0;
}

/* In a cluster only what is known to be committed may be applied. */
static enum node_exit node_open_known(struct node *node)
{
    struct node_known known = {.committed = UINT64_MAX};

    if (node->options.cluster.is_there) {
        uint64_t forced = node_known_by_force(node);

        known.committed = journal_committed(node->journal);
        known.committed = forced > known.committed ? forced : known.committed;
        known.lost = journal_lost(node->journal).kind != MARK_WHOLE;
        known.peers = true;
    }
    return node_open_state(node, &known);
}

enum node_exit node_open(struct node **node_out, const struct options *options)
{
    struct node *node = calloc(1, sizeof *node);
    enum node_exit exit;

    NEED(node != NULL);
    /* It holds the node's keys. */
    (void)sodium_mlock(node, sizeof *node);
    node->options = *options;
    node->clock = clock_system();
    node->options.net.address = node->options.address;
    node->entry_buffer = malloc(JOURNAL_READ_SIZE);
    NEED(node->entry_buffer != NULL);
    exit = node_take(&node->disk, node->options.directory);
    if (exit == NODE_DRAINED) {
        node->snapshots = disk_posix_disk(node->disk);
        exit = node_not_halted(node);
    }
    if (exit == NODE_DRAINED)
        exit = node_read_files(node);
    if (exit == NODE_DRAINED)
        exit = node_open_log(node);
    if (exit == NODE_DRAINED)
        exit = node_open_known(node);
    if (exit == NODE_DRAINED)
        exit = node_open_evidence(node);
    if (exit == NODE_DRAINED)
        exit = node_escrow_open(node);
    if (exit != NODE_DRAINED) {
        node_close(node);
        return exit;
    }
    *node_out = node;
    return NODE_DRAINED;
}

static enum node_exit node_open_net(struct node *node)
{
    struct net_options *options = &node->options.net;
    struct net_identity identity = {.log_vkey = ""};
    enum status status;

    options->portal = (node->genesis.realms & NODE_REALM_PORTAL) != 0;
    options->registry = (node->genesis.realms & NODE_REALM_REGISTRY) != 0;
    memcpy(identity.channel_secret, node->channel_key.secret, KEY_SIZE);
    memcpy(identity.certificate, node->certificate, NODECERT_SIZE);
    memcpy(identity.node_id, node->node_id, NODE_ID_SIZE);
    memcpy(identity.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(identity.log_vkey, node->log_vkey, sizeof identity.log_vkey);
    status = net_open(&node->net, options, &identity);
    sodium_memzero(&identity, sizeof identity);
    if (status != ST_OK)
        return node_fail(status, "listening (is the address taken?)",
                         node->options.address);
    return NODE_DRAINED;
}

/* A node that nobody replicates: alone. */
static void node_tell_cluster(void *context, struct cluster_status *out)
{
    const struct node *node = context;

    out->node_id = node->genesis.node_id;
    memcpy(out->lineage.b, node->lineage, LINEAGE_SIZE);
}

/* SQLite's files need room as well, and a node alone has nobody who could take
 * its place: it stops taking commands before there is none.  More must be there
 * to begin again, so that it does not change its mind with each group. */
static bool node_has_room(void *context)
{
    enum { MIB = 1024 * 1024, ROOM_MIB_MIN = 64, ROOM_AGAIN_MIB_MIN = 96 };
    struct node *node = context;
    uint64_t room = disk_posix_room(node->disk) / MIB;
    uint64_t wanted = node->crowded ? ROOM_AGAIN_MIB_MIN : ROOM_MIB_MIN;

    if ((room < wanted) == node->crowded)
        return !node->crowded;
    node->crowded = room < wanted;
    if (node->crowded)
        diag_say(DIAG_WARNING,
                 "the disk has only %" PRIu64
                 " MiB free: commands are answered 604 until %d MiB are",
                 room, ROOM_AGAIN_MIB_MIN);
    else
        diag_say(DIAG_NOTE, "the disk has room again: commands are taken");
    return !node->crowded;
}

static void node_say_clock(bool doubted)
{
    if (doubted)
        diag_say(DIAG_WARNING,
                 "this node's clock leapt, or differs from every other node's "
                 "by more than a minute: commands are answered 604 until it is "
                 "right");
    else
        diag_say(DIAG_NOTE, "this node's clock is believed again");
}

static enum node_exit node_open_pipeline(struct node *node)
{
    struct pipeline_parts parts = {
        .journal = node->journal,
        .keyring = node->keyring,
        .state = node->state,
        .search = node->search,
        .directory = node->directory,
        .apply = node->apply,
        .idempotency = node->idempotency,
        .identity = &node->identity,
        .evidence = node->evidence,
        .clock = node->clock,
        .events = net_events(node->net),
        .end = journal_end(node->journal),
        .lost_below = node_lost_below(node),
        .lacks = node->lacks,
        .lost_taken = node_say_lost,
        .clock_doubted = node_say_clock,
        .failed = node_failed,
    };
    enum status status = ST_OK;

    if (node->options.cluster.is_there) {
        parts.log = node_cluster_log(node);
    } else {
        parts.room_context = node;
        parts.has_room = node_has_room;
        status = meta_take_epoch(&node->meta, &parts.epoch);
    }
    if (status != ST_OK)
        return node_fail(status, "taking an epoch", META_FILE);
    if (node->escrow != NULL) {
        parts.copies_context = node->escrow;
        parts.copies_buried = node_escrow_buried;
        parts.copies_clean = node_escrow_is_clean;
    }
    memcpy(parts.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    node->pipeline = pipeline_open(&parts);
    if (!node->options.cluster.is_there)
        pipeline_set_cluster(node->pipeline, node, node_tell_cluster);
    status = pipeline_start(node->pipeline);
    if (status != ST_OK)
        return node_fail(status, "beginning an epoch (is the disk full?)",
                         FILE_LOG_DIR);
    if (!node->options.cluster.is_there)
        diag_say(DIAG_NOTE, "epoch %" PRIu32 ", %" PRIu64 " entries",
                 parts.epoch, pipeline_size(node->pipeline));
    return NODE_DRAINED;
}

enum node_exit node_start(struct node *node)
{
    bool cluster = node->options.cluster.is_there;
    enum node_exit exit = node_open_net(node);

    if (exit == NODE_DRAINED && cluster)
        exit = node_cluster_open(node);
    if (exit == NODE_DRAINED)
        exit = node_open_cosign(node);
    if (exit == NODE_DRAINED)
        exit = node_open_pipeline(node);
    if (exit == NODE_DRAINED && cluster)
        exit = node_cluster_start(node);
    if (exit == NODE_DRAINED)
        exit = node_cosign_start(node);
    if (exit != NODE_DRAINED)
        return exit;
    if (net_start(node->net, node->pipeline) != ST_OK) {
        pipeline_drain(node->pipeline);
        return node_fail(ST_EXHAUSTED, "starting the loops",
                         node->options.address);
    }
    if (node->evidence != NULL && evidence_start(node->evidence) != ST_OK)
        node_failed(node, ST_EXHAUSTED, 0, "starting a thread");
    node_escrow_start(node);
    diag_say(DIAG_NOTE, "serving on %s (port %u), %" PRIu32 " connections",
             node->options.address, net_port(node->net),
             net_connections_max(node->net));
    return NODE_DRAINED;
}

void node_drain(struct node *node)
{
    diag_say(DIAG_NOTE, "draining");
    if (node->net != NULL)
        net_drain(node->net, NODE_DRAIN_MS);
    if (node->pipeline != NULL) {
        pipeline_drain(node->pipeline);
        if (node->evidence != NULL)
            evidence_stop(node->evidence);
        node_cosign_stop(node);
        node_cluster_stop(node);
        node_escrow_stop(node);
        diag_say(DIAG_NOTE, "drained at %" PRIu64 " entries",
                 pipeline_size(node->pipeline));
    }
}

void node_close(struct node *node)
{
    if (node == NULL)
        return;
    if (node->net != NULL)
        net_close(node->net);
    node_cluster_close(node);
    node_cosign_close(node);
    pipeline_close(node->pipeline);
    node_close_evidence(node);
    node_escrow_close(node);
    apply_close(node->apply);
    idempotency_close(node->idempotency);
    directory_close(node->directory);
    if (node->search != NULL)
        search_close(node->search);
    if (node->state != NULL)
        state_close(node->state);
    if (node->keyring != NULL)
        keyring_close(node->keyring);
    journal_close(node->journal);
    if (node->meta_open)
        meta_close(&node->meta);
    disk_posix_close(node->disk);
    identity_wipe(&node->identity);
    identity_wipe(&node->log_identity);
    identity_wipe(&node->cosigner);
    keyfile_wipe(&node->channel_key);
    keyfile_wipe(&node->keyring_key);
    free(node->entry_buffer);
    (void)sodium_munlock(node, sizeof *node); /* Wipes. */
    free(node);
}

void node_set_options(struct node *node, const struct options *options)
{
    REQUIRE(options_fixed(&node->options, options) == NULL);
    net_set_limits(node->net, &options->net);
}

uint16_t node_port(const struct node *node)
{
    return net_port(node->net);
}

struct pipeline *node_pipeline(struct node *node)
{
    return node->pipeline;
}
