/*
 * node_cluster.c: what stands between the host, which decides whether this node
 * leads, and the rest of the node.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "replication/need.h"
#include "server/cluster/cluster_clock.h"
#include "server/diag.h"
#include "server/node_cluster.h"
#include "server/node_private.h"

/* ---- What the host calls ------------------------------------------------ */

static const char *client_address(const struct node *node,
                                  const uint8_t *node_id)
{
    const struct links_options *links = &node->options.cluster.links;

    for (size_t i = 0; i < links->peers_count; i++) {
        if (memcmp(links->peers[i].node_id, node_id, NODE_ID_SIZE) == 0)
            return links->peers[i].client;
    }
    return "";
}

static void on_lead(void *context, uint32_t epoch,
                    const struct journal_end *end, struct slice config,
                    struct slice certificate)
{
    struct node *node = context;

    diag_say(DIAG_NOTE,
             "this node leads: epoch %" PRIu32 ", %" PRIu64 " entries", epoch,
             end->size);
    pipeline_lead(node->pipeline, &(struct pipeline_lead){
                                      .epoch = epoch,
                                      .end = *end,
                                      .configuration = config,
                                      .certificate = certificate,
                                  });
    pipeline_set_leading(node->pipeline, true, NULL, NULL);
    if (node->cosign != NULL)
        cosign_lead(node->cosign, true);
    node->cluster->leads = true;
    node->cluster->cut_off = false;
    node->cluster->committed_ms = cluster_clock_ms();
}

static void on_follow(void *context)
{
    struct node *node = context;

    diag_say(DIAG_NOTE, "this node leads no more");
    node->cluster->leads = false;
    if (node->cosign != NULL)
        cosign_lead(node->cosign, false);
    pipeline_set_leading(node->pipeline, false, NULL, NULL);
    pipeline_follow(node->pipeline);
}

static void on_configured(void *context, struct slice config,
                          struct slice certificate)
{
    struct node *node = context;

    pipeline_note_config(node->pipeline, config, certificate);
}

static void on_committed(void *context, uint64_t size)
{
    struct node *node = context;

    pipeline_committed(node->pipeline, size);
}

static void on_drain(void *context, bool on)
{
    struct node *node = context;

    pipeline_drain_commands(node->pipeline, on);
}

static void on_halt(void *context, enum replica_halt why)
{
    struct node *node = context;

    diag_say(DIAG_FAILURE,
             "this node halts (cause %d): it keeps everything as it is, and "
             "serves nothing more; see OPERATING, when a node halts",
             (int)why);
    if (node->cluster->leads)
        on_follow(context);
}

void node_cluster_begin_anew(struct node *node)
{
    atomic_store(&node->cluster->anew, true);
    (void)kill(getpid(), NODE_SIGNAL_ANEW);
}

static void on_restart(void *context)
{
    diag_say(DIAG_NOTE, "this node begins anew in its new lineage");
    node_cluster_begin_anew(context);
}

static bool on_idle(void *context)
{
    struct node *node = context;

    return pipeline_idle(node->pipeline);
}

/* Who cannot apply the log decides nothing: he waits for a snapshot. */
static bool on_enrolled(void *context)
{
    struct node *node = context;
    struct directory_key key;
    uint8_t key_id[KEY_ID_SIZE];

    enum { KEY_IS_ACTIVE = 1 };
    if (pipeline_lacks(node->pipeline) != 0)
        return false;
    identity_key_id(key_id, node->identity.public_key);
    return directory_find(node->directory, &key, key_id) && key.is_node &&
           key.state == KEY_IS_ACTIVE;
}

/* Zeros: nobody, or this node. */
static void tell_primary(struct node *node, const uint8_t *primary)
{
    struct node_cluster *cluster = node->cluster;

    if (node->cosign == NULL ||
        memcmp(cluster->primary, primary, NODE_ID_SIZE) == 0)
        return;
    memcpy(cluster->primary, primary, NODE_ID_SIZE);
    cosign_primary(node->cosign,
                   sodium_is_zero(primary, NODE_ID_SIZE) ? NULL : primary);
}

static void on_status(void *context, const struct replica_status *status)
{
    static const uint8_t nobody[NODE_ID_SIZE];
    struct node *node = context;
    struct node_cluster *cluster = node->cluster;
    bool known = !sodium_is_zero(status->primary, NODE_ID_SIZE) &&
                 memcmp(status->primary, node->node_id, NODE_ID_SIZE) != 0;

    (void)pthread_mutex_lock(&cluster->lock);
    cluster->status = *status;
    (void)pthread_mutex_unlock(&cluster->lock);
    tell_primary(node, known ? status->primary : nobody);
    node_cluster_watch(node, status);
    node_cluster_fetch(node, status->committed);
    if (!cluster->leads)
        pipeline_set_leading(
            node->pipeline, false, known ? status->primary : NULL,
            known ? client_address(node, status->primary) : NULL);
}

static void on_peer_clock(void *context, int64_t offset_us_min,
                          int64_t offset_us_max)
{
    struct node *node = context;

    pipeline_peer_clock(node->pipeline, offset_us_min, offset_us_max);
}

static size_t on_keys(void *context, uint8_t *rows, size_t size,
                      struct host_keys_cursor *cursor, uint64_t end)
{
    struct node *node = context;
    struct keyring_cursor at = {.first_index = cursor->first_index,
                                .number = cursor->number};
    size_t used = pipeline_keys(node->pipeline, rows, size, &at, end);

    cursor->first_index = at.first_index;
    cursor->number = at.number;
    return used;
}

static void on_linked(void *context, const uint8_t *node_id)
{
    struct node *node = context;

    if (node->cosign != NULL)
        cosign_linked(node->cosign, node_id);
}

static void on_checkpoint(void *context, const uint8_t *node_id,
                          struct slice note)
{
    struct node *node = context;

    if (node->cosign != NULL)
        cosign_take_note(node->cosign, node_id, note);
}

static void on_cosigned(void *context, const uint8_t *node_id, uint64_t size,
                        struct slice line)
{
    struct node *node = context;

    if (node->cosign != NULL)
        cosign_take_line(node->cosign, node_id, size, line);
}

static void on_failed(void *context, enum status status, const char *what)
{
    struct node *node = context;

    node_failed(node, status, journal_size(node->journal), what);
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    (void)context;
    diag_say(level == CLUSTER_NOTE      ? DIAG_NOTE
             : level == CLUSTER_WARNING ? DIAG_WARNING
                                        : DIAG_FAILURE,
             "%s", line);
}

static const struct host_calls cluster_calls = {
    .lead = on_lead,
    .follow = on_follow,
    .configured = on_configured,
    .committed = on_committed,
    .drain = on_drain,
    .halt = on_halt,
    .restart = on_restart,
    .idle = on_idle,
    .status = on_status,
    .enrolled = on_enrolled,
    .peer_clock = on_peer_clock,
    .keys = on_keys,
    .linked = on_linked,
    .checkpoint = on_checkpoint,
    .cosigned = on_cosigned,
    .confirm = node_cluster_confirmed,
    .snapshot_read = node_cluster_snapshot_read,
    .snapshot_part = node_cluster_snapshot_part,
    .failed = on_failed,
    .say = on_say,
};

/* ---- What the pipeline calls -------------------------------------------- */

struct cluster_submission {
    struct host_submission submission; /* First. */
    struct node *node;
    struct group *group;
};

static void submission_done(struct host_submission *submission, bool taken)
{
    struct cluster_submission *sent = (struct cluster_submission *)submission;

    (void)taken;
    pipeline_taken(sent->node->pipeline, sent->group);
    free(sent);
}

static void on_submit(void *context, struct group *group, bool keyed)
{
    struct node *node = context;
    struct cluster_submission *sent = calloc(1, sizeof *sent);

    NEED(sent != NULL);
    sent->node = node;
    sent->group = group;
    sent->submission.epoch = group->epoch;
    sent->submission.entries = group->entries;
    sent->submission.count = group->entries_count;
    sent->submission.keyed = keyed;
    sent->submission.done = submission_done;
    host_submit(node->cluster->host, &sent->submission);
}

static enum status on_accept(void *context, const struct storage_job *job)
{
    struct node *node = context;

    return pipeline_accept(node->pipeline, job);
}

static void on_truncate(void *context, uint64_t size)
{
    struct node *node = context;

    pipeline_truncate_keys(node->pipeline, size);
}

/* ---- Options ------------------------------------------------------------ */

static void cluster_timers(const struct options_timers *from,
                           struct replica_timers *out)
{
    *out = from->wan ? replica_timers_wan : replica_timers_lan;
#define TAKE(name)                       \
    if (from->name != OPTIONS_AS_PRESET) \
    out->name = from->name
    TAKE(beacon_ms);
    TAKE(remove_ms);
    TAKE(grace_ms);
    TAKE(sync_ms);
    TAKE(drain_ms);
    TAKE(scrub_ms);
#undef TAKE
}

static void cluster_replica(const struct node *node,
                            struct replica_options *out)
{
    const struct options_cluster *options = &node->options.cluster;

    memcpy(out->node_id, node->node_id, NODE_ID_SIZE);
    memcpy(out->cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->lineage, node->meta.value.lineage, LINEAGE_SIZE);
    memcpy(out->founder, node->genesis.node_id.b, NODE_ID_SIZE);
    out->archive = options->archive;
    out->automatic = options->automatic;
    out->first = node->is_first;
    out->minimum = (uint8_t)options->minimum;
    cluster_timers(&options->timers, &out->timers);
    for (size_t i = 0; i < options->links.peers_count; i++) {
        memcpy(out->peers[i].node_id, options->links.peers[i].node_id,
               NODE_ID_SIZE);
        out->peers[i].archive = options->links.peers[i].archive;
    }
    out->peers_count = options->links.peers_count;
    randombytes_buf(out->seed, sizeof out->seed);
}

static void cluster_identity(const struct node *node,
                             struct links_identity *out)
{
    memcpy(out->node_id, node->node_id, NODE_ID_SIZE);
    memcpy(out->cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->authority_key, node->genesis.authority_key.b, PUBLIC_KEY_SIZE);
    memcpy(out->channel_secret, node->channel_key.secret, KEY_SIZE);
    memcpy(out->certificate, node->certificate, NODECERT_SIZE);
    memcpy(out->link_certificate, node->link_certificate, NODECERT_SIZE);
}

/* A sign of life lasts somewhat shorter than the silence after which another
 * node tries to lead. */
static uint32_t cluster_ttl_s(const struct node *node)
{
    struct replica_timers timers;
    uint32_t ttl_s;

    enum { MS_PER_S = 1000 };
    cluster_timers(&node->options.cluster.timers, &timers);
    ttl_s = timers.grace_ms * 5 / 6 / MS_PER_S;
    if (ttl_s < ETCD_TTL_S_MIN)
        ttl_s = ETCD_TTL_S_MIN;
    return ttl_s > ETCD_TTL_S_MAX ? (uint32_t)ETCD_TTL_S_MAX : ttl_s;
}

static struct cluster_register cluster_register_of(struct node *node)
{
    const struct options_cluster *options = &node->options.cluster;
    struct register_by_etcd *by = &node->cluster->etcd;

    if (!options->automatic)
        return register_none();
    for (size_t i = 0; i < options->etcd_count; i++) {
        (void)snprintf(by->endpoints[i], sizeof by->endpoints[i], "%s%s",
                       options->etcd_ca[0] != '\0' ? "https://" : "http://",
                       options->etcd[i]);
        by->etcd.endpoints[i] = by->endpoints[i];
    }
    by->etcd.endpoints_count = options->etcd_count;
    if (options->etcd_ca[0] != '\0') {
        by->etcd.authority_file = options->etcd_ca;
        by->etcd.certificate_file = options->etcd_certificate;
        by->etcd.key_file = options->etcd_key;
    }
    memcpy(by->etcd.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(by->etcd.node_id, node->node_id, NODE_ID_SIZE);
    by->etcd.connect_ms = REGISTER_CONNECT_MS_DEFAULT;
    by->etcd.request_ms = REGISTER_REQUEST_MS_DEFAULT;
    by->etcd.poll_ms = REGISTER_POLL_MS_DEFAULT;
    by->etcd.ttl_s = cluster_ttl_s(node);
    for (size_t i = 0; i < options->links.peers_count; i++)
        memcpy(by->nodes[by->nodes_count++], options->links.peers[i].node_id,
               NODE_ID_SIZE);
    memcpy(by->nodes[by->nodes_count++], node->node_id, NODE_ID_SIZE);
    return register_by_etcd(by);
}

/* ---- Life --------------------------------------------------------------- */

static enum status cluster_open_host(struct node *node)
{
    struct node_cluster *cluster = node->cluster;
    struct host_options *options = calloc(1, sizeof *options);
    struct host_calls calls = cluster_calls;
    struct host_parts parts = {
        .disk = disk_posix_disk(node->disk),
        .journal = node->journal,
        .meta = &node->meta,
        .report = &node->report,
        .keys = {.context = node, .accept = on_accept, .truncate = on_truncate},
    };
    struct cluster_register reg = cluster_register_of(node);
    enum status status;

    NEED(options != NULL);
    cluster_replica(node, &options->replica);
    cluster->grace_ms = options->replica.timers.grace_ms;
    options->links = node->options.cluster.links;
    cluster_identity(node, &options->identity);
    memcpy(options->operator_key, node->genesis.operator_key.b,
           PUBLIC_KEY_SIZE);
    memcpy(options->receipt_key, node->identity.public_key, PUBLIC_KEY_SIZE);
    calls.context = node;
    status = host_open(&cluster->host, options, &parts, &reg, &calls);
    sodium_memzero(options, sizeof *options);
    free(options);
    return status;
}

enum node_exit node_cluster_open(struct node *node)
{
    struct node_cluster *cluster = calloc(1, sizeof *cluster);
    enum status status;

    NEED(cluster != NULL);
    node->cluster = cluster;
    cluster->log = (struct pipeline_log){
        .context = node, .submit = on_submit, .confirm = node_cluster_confirm};
    NEED(pthread_mutex_init(&cluster->lock, NULL) == 0);
    NEED(pthread_mutex_init(&cluster->witness_lock, NULL) == 0);
    status = cluster_open_host(node);
    if (status != ST_OK)
        return node_fail(status, "listening for other nodes",
                         node->options.cluster.links.address);
    return node_cluster_open_witness(node);
}

const struct pipeline_log *node_cluster_log(const struct node *node)
{
    return &node->cluster->log;
}

enum node_exit node_cluster_start(struct node *node)
{
    node_cluster_serve(node);
    pipeline_set_leading(node->pipeline, false, NULL, NULL);
    if (host_start(node->cluster->host) != ST_OK)
        return node_fail(ST_EXHAUSTED, "starting the cluster's thread",
                         node->options.cluster.links.address);
    diag_say(DIAG_NOTE, "other nodes are heard on port %u",
             host_port(node->cluster->host));
    return NODE_DRAINED;
}

bool node_begins_anew(const struct node *node)
{
    return node->cluster != NULL && atomic_load(&node->cluster->anew);
}

void node_cluster_stop(struct node *node)
{
    if (node->cluster != NULL && node->cluster->host != NULL)
        host_stop(node->cluster->host);
}

void node_cluster_close(struct node *node)
{
    if (node->cluster == NULL)
        return;
    host_close(node->cluster->host);
    node_cluster_fetch_close(node);
    (void)pthread_mutex_destroy(&node->cluster->witness_lock);
    (void)pthread_mutex_destroy(&node->cluster->lock);
    free(node->cluster);
    node->cluster = NULL;
}
