/*
 * node_cluster.h: what the files node_cluster*.c share.
 */
#ifndef DEFTER_SERVER_NODE_CLUSTER_H
#define DEFTER_SERVER_NODE_CLUSTER_H

#include <pthread.h>
#include <stdatomic.h>

#include <sodium.h>

#include "replication/witness.h"
#include "server/cluster/host.h"
#include "server/cluster/register_by_etcd.h"
#include "server/node_private.h"
#include "server/pipeline/pipeline_log.h"

/* A snapshot on its way here: one whose digest the log has told before. */
struct node_fetch {
    bool said;                   /* That one is needed. */
    struct confirmed *confirmed; /* NULL before one was needed. */
    size_t peer;                 /* Who is asked, or was asked last. */
    bool bad[LINKS_PEERS_MAX];   /* Sent another file: not asked any more. */
    uint64_t size;               /* Entries that it applied; 0: none comes. */
    uint64_t total;              /* Bytes; 0: not told yet. */
    uint64_t offset;             /* Bytes that came. */
    int64_t asked_ms;            /* The part that is awaited. */
    int64_t begun_ms;
    uint8_t expected[HASH_SIZE];
    crypto_hash_sha256_state hash; /* Of what came. */
    struct disk_file *file;
};

/* The lock guards status. */
struct node_cluster {
    struct host *host;
    struct pipeline_log log;
    struct register_by_etcd etcd;
    /* The host's thread. */
    bool leads;
    bool cut_off;
    uint8_t primary[NODE_ID_SIZE]; /* Another node, as cosign was told. */
    uint64_t committed;   /* When it last moved, or there was nothing to: */
    int64_t committed_ms; /* of the boot clock. */
    uint32_t grace_ms;
    struct node_fetch fetch;
    uint64_t refused_count;  /* Confirmations of other nodes, */
    int64_t refused_said_ms; /* and when that was said last; 0: never. */
    atomic_bool anew;        /* A new lineage is durable. */
    pthread_mutex_t lock;
    struct replica_status status;
    bool witness_open;            /* An archive that may countersign. */
    pthread_mutex_t witness_lock; /* Guards witness. */
    struct witness witness;
};

/* node_cluster_cut_off.c: at each report of the replica, on the host's thread;
 * a primary that can commit nothing tells who waits. */
void node_cluster_watch(struct node *node, const struct replica_status *status);

/* node_cluster_erasure.c: what the host calls (host_pipeline.h), and the
 * pipeline (pipeline_log.h); and, now and again, for a node that lacks what it
 * needs to apply on. */
void node_cluster_confirm(void *context, struct slice command);
void node_cluster_confirmed(void *context, struct slice command);
void node_cluster_snapshot_read(void *context, struct peer_frame *frame);
void node_cluster_snapshot_part(void *context, const uint8_t *node_id,
                                const struct peer_frame *frame);
void node_cluster_fetch(struct node *node, uint64_t committed);
void node_cluster_fetch_close(struct node *node);
/* Main closes the node, and opens it again. */
void node_cluster_begin_anew(struct node *node);

/* node_cluster_query.c: what the node answers to the operator, and to whoever
 * asks how the cluster is. */
enum node_exit node_cluster_open_witness(struct node *node);
void node_cluster_serve(struct node *node);

#endif
