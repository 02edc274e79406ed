/*
 * node_cluster_query.c: the operator's questions, and everybody's.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "protocol/statement.h"
#include "server/diag.h"
#include "server/node_cluster.h"
#include "server/pipeline/cluster_status.h"

enum { MODE_MANUAL = 2, MODE_ETCD = 3, QUERY_WAIT_MS = 2000 };
#define QUERY_US_PER_S INT64_C(1000000)

static struct slice query_copy(struct writer *space, const void *data,
                               size_t size)
{
    uint8_t *at = size == 0 ? NULL : writer_reserve(space, size);

    if (at == NULL)
        return slice_of(NULL, 0);
    memcpy(at, data, size);
    return slice_of(at, size);
}

static struct slice query_text(struct writer *space, const char *text)
{
    enum { TEXT_MAX = 128 };
    size_t size = strnlen(text, TEXT_MAX);

    return query_copy(space, text, size);
}

/* ---- Status ------------------------------------------------------------- */

static enum cluster_role status_role(enum replica_role role, bool archive)
{
    switch (role) {
    case REPLICA_LOST:
        return CLUSTER_LOST;
    case REPLICA_START:
    case REPLICA_LEARNER:
        return archive ? CLUSTER_ARCHIVE : CLUSTER_LEARNER;
    case REPLICA_MEMBER:
        return archive ? CLUSTER_ARCHIVE : CLUSTER_BACKUP;
    case REPLICA_CANDIDATE:
    case REPLICA_BARRIER:
        return CLUSTER_CANDIDATE;
    case REPLICA_RECOVERING:
        return CLUSTER_RECOVERING;
    case REPLICA_PRIMARY:
        return CLUSTER_PRIMARY;
    case REPLICA_HALTED:
        return CLUSTER_HALTED;
    }
    return CLUSTER_LEARNER;
}

static const char *status_address(const struct node *node,
                                  const uint8_t *node_id)
{
    const struct links_options *links = &node->options.cluster.links;

    if (memcmp(node_id, node->node_id, NODE_ID_SIZE) == 0)
        return node->options.address;
    for (size_t i = 0; i < links->peers_count; i++) {
        if (memcmp(links->peers[i].node_id, node_id, NODE_ID_SIZE) == 0)
            return links->peers[i].client;
    }
    return "";
}

static void status_member(const struct node *node,
                          const struct replica_status *status, size_t at,
                          struct cluster_member *out)
{
    const struct replica_member_status *from = &status->nodes[at];
    bool is_primary = memcmp(from->node_id, status->primary, NODE_ID_SIZE) == 0;

    memcpy(out->node_id.b, from->node_id, NODE_ID_SIZE);
    if (at == 0)
        out->role = status_role(status->role, from->archive);
    else if (from->lost)
        out->role = CLUSTER_LOST;
    else if (from->archive)
        out->role = CLUSTER_ARCHIVE;
    else if (is_primary)
        out->role = CLUSTER_PRIMARY;
    else
        out->role = from->member ? CLUSTER_BACKUP : CLUSTER_LEARNER;
    out->in_sync = from->member;
    out->size = from->matched;
    out->heard_ms = from->heard_ms < 0 || from->heard_ms > UINT32_MAX
                        ? UINT32_MAX
                        : (uint32_t)from->heard_ms;
    if (at == 0)
        out->heard_ms = 0;
    (void)snprintf(out->address, sizeof out->address, "%s",
                   status_address(node, from->node_id));
}

static void query_cluster(void *context, struct cluster_status *out)
{
    struct node *node = context;
    struct node_cluster *cluster = node->cluster;
    struct replica_status status;

    (void)pthread_mutex_lock(&cluster->lock);
    status = cluster->status;
    (void)pthread_mutex_unlock(&cluster->lock);
    memcpy(out->node_id.b, node->node_id, NODE_ID_SIZE);
    memcpy(out->lineage.b, node->lineage, LINEAGE_SIZE);
    out->role = status_role(status.role, node->options.cluster.archive);
    out->epoch = status.epoch;
    out->configuration = status.config_number;
    out->log_size = status.size;
    out->committed_size = status.committed;
    memcpy(out->primary.b, status.primary, NODE_ID_SIZE);
    (void)snprintf(out->primary_address, sizeof out->primary_address, "%s",
                   status_address(node, status.primary));
    out->members_count = 0;
    for (size_t i = 0; i < status.nodes_count; i++)
        status_member(node, &status, i, &out->members[out->members_count++]);
}

/* ---- Statements --------------------------------------------------------- */

/* What the operator asked for; ST_WRONG_STATE for another node's question. */
static enum status statement_asked(const struct node *node,
                                   struct statement_request *out,
                                   struct slice request)
{
    enum status status =
        statement_request_read(out, request, node->genesis.operator_key.b,
                               (int64_t)time(NULL) * QUERY_US_PER_S);

    if (status != ST_OK)
        return status;
    return memcmp(out->asked, node->node_id, NODE_ID_SIZE) == 0 &&
                   memcmp(out->cluster_id, node->cluster_id, CLUSTER_ID_SIZE) ==
                       0
               ? ST_OK
               : ST_WRONG_STATE;
}

/* What binds this node is stated once it is durable. */
static enum status statement_bound(struct node *node, struct host_query *query,
                                   const struct statement_request *asked)
{
    enum { TRIES = 20, PAUSE_NS = 10000000 };
    enum status status = ST_TIMEOUT;

    for (int i = 0; i < TRIES; i++) {
        query->question = HOST_STATE;
        query->why = asked->why;
        memcpy(query->node_id, asked->about, NODE_ID_SIZE);
        status = host_ask(node->cluster->host, query, QUERY_WAIT_MS);
        if (status != ST_OK || (query->statement.flags & STATEMENT_ACK) != 0 ||
            (asked->why != CONFIG_ADD && asked->why != CONFIG_REPLACE))
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return status;
}

static enum status statement_make(struct node *node, struct host_query *query,
                                  const struct statement_request *asked)
{
    query->question = HOST_STATE;
    if (asked == NULL)
        return host_ask(node->cluster->host, query, QUERY_WAIT_MS);
    /* A switchover is asked for again and again, until the primary is sealed.
     */
    if (asked->why == CONFIG_SWITCHOVER) {
        query->question = HOST_HAND_OVER;
        memcpy(query->node_id, asked->about, NODE_ID_SIZE);
        enum status status =
            host_ask(node->cluster->host, query, QUERY_WAIT_MS);
        if (status != ST_OK)
            return status;
    }
    return statement_bound(node, query, asked);
}

static void statement_config(struct node *node,
                             struct rows_cluster_statement *out,
                             struct writer *space, struct host_query *query)
{
    struct config_cert cert;

    query->question = HOST_CONFIG;
    if (host_ask(node->cluster->host, query, QUERY_WAIT_MS) != ST_OK)
        return;
    out->config = query_copy(space, query->bytes, query->bytes_size);
    query->question = HOST_CERT;
    if (host_ask(node->cluster->host, query, QUERY_WAIT_MS) == ST_OK &&
        config_cert_decode(&cert, slice_of(query->bytes, query->bytes_size)) ==
            ST_OK)
        out->config_cert = query_copy(space, query->bytes, query->bytes_size);
}

static void query_statement(void *context, struct rows_cluster_statement *out,
                            struct writer *space, struct slice request)
{
    struct node *node = context;
    struct host_query query = {.why = CONFIG_SETTLE};
    struct statement_request asked;
    uint8_t bytes[STATEMENT_SIZE];
    enum status status = ST_OK;

    out->mode =
        node->options.cluster.automatic ? (uint8_t)MODE_ETCD : MODE_MANUAL;
    if (request.size > 0)
        status = statement_asked(node, &asked, request);
    if (status == ST_OK)
        status = statement_make(node, &query, request.size > 0 ? &asked : NULL);
    out->code = (uint16_t)status;
    if (status != ST_OK)
        return;
    statement_sign(bytes, &query.statement, &node->identity);
    out->statement = query_copy(space, bytes, sizeof bytes);
    out->certificate = query_copy(space, node->certificate, NODECERT_SIZE);
    statement_config(node, out, space, &query);
}

/* ---- Certificates ------------------------------------------------------- */

/* A new lineage is answered for once it is durable. */
static enum status certificate_durable(const struct node *node,
                                       struct slice certificate)
{
    enum { TRIES = 200, PAUSE_NS = 10000000 };
    struct config_cert cert;
    struct config config;

    if (config_cert_decode(&cert, certificate) != ST_OK ||
        cert.kind != CONFIG_FORCED ||
        config_decode(&config, cert.config) != ST_OK ||
        memcmp(config.lineage, node->lineage, LINEAGE_SIZE) == 0)
        return ST_OK;
    for (int i = 0; i < TRIES; i++) {
        if (node_begins_anew(node))
            return ST_OK;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return ST_TIMEOUT;
}

static void query_certificate(void *context,
                              struct rows_cluster_certificate *out,
                              struct writer *space, struct slice certificate)
{
    struct node *node = context;
    struct host_query query = {.question = HOST_CERTIFY};
    enum status status = ST_TOO_LARGE;

    if (certificate.size <= sizeof query.bytes) {
        memcpy(query.bytes, certificate.data, certificate.size);
        query.bytes_size = certificate.size;
        status = host_ask(node->cluster->host, &query, QUERY_WAIT_MS);
    }
    if (status == ST_OK)
        status = certificate_durable(node, certificate);
    out->code = (uint16_t)(status == ST_OK ? ST_OK : ST_WRONG_STATE);
    if (status != ST_OK)
        out->text = query_text(space, query.refusal[0] != '\0'
                                          ? query.refusal
                                          : status_info(status)->english);
}

static void query_witness(void *context, struct rows_cluster_witness *out,
                          struct writer *space, struct slice certificate)
{
    struct node *node = context;
    struct host_query query = {.question = HOST_CONFIG};
    struct witness_view view = {.now_s = (int64_t)time(NULL),
                                .identity = &node->identity};
    enum status status = ST_WRONG_STATE;

    memcpy(out->node_id.b, node->node_id, NODE_ID_SIZE);
    memcpy(view.keys.operator_key, node->genesis.operator_key.b,
           PUBLIC_KEY_SIZE);
    memcpy(view.keys.authority_key, node->genesis.authority_key.b,
           PUBLIC_KEY_SIZE);
    if (node->cluster->witness_open)
        status = host_ask(node->cluster->host, &query, QUERY_WAIT_MS);
    if (status == ST_OK) {
        view.config = slice_of(query.bytes, query.bytes_size);
        (void)pthread_mutex_lock(&node->cluster->witness_lock);
        status = witness_sign(&node->cluster->witness, out->signature.b,
                              certificate, &view);
        (void)pthread_mutex_unlock(&node->cluster->witness_lock);
    }
    if (status == ST_DISK_FAILED)
        node_failed(node, status, 0, "countersigning");
    out->code = (uint16_t)status;
    if (status != ST_OK)
        out->text = query_text(space, status_info(status)->english);
}

/* An archive's memory is made with the node, and never again. */
enum node_exit node_cluster_open_witness(struct node *node)
{
    struct disk *disk = disk_posix_disk(node->disk);
    struct node_cluster *cluster = node->cluster;
    enum status status;

    if (!node->options.cluster.archive)
        return NODE_DRAINED;
    status = witness_open(&cluster->witness, disk, node->cluster_id);
    if (status == ST_NO_FILE && node->meta.value.incarnation == 1) {
        status = witness_create(disk, node->cluster_id);
        if (status == ST_OK)
            status = witness_open(&cluster->witness, disk, node->cluster_id);
    }
    cluster->witness_open = status == ST_OK;
    if (status != ST_OK)
        diag_say(DIAG_WARNING,
                 "this archive countersigns nothing: its memory of what it "
                 "countersigned cannot be read (%s)",
                 status_info(status)->english);
    return NODE_DRAINED;
}

void node_cluster_serve(struct node *node)
{
    pipeline_set_cluster(node->pipeline, node, query_cluster);
    pipeline_set_operator(node->pipeline, &(struct pipeline_operator){
                                              .context = node,
                                              .statement = query_statement,
                                              .certificate = query_certificate,
                                              .witness = query_witness,
                                          });
}
