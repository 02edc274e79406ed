/*
 * node_cluster.h: what the files node_cluster*.c share.
 */
#ifndef DEFTER_SERVER_NODE_CLUSTER_H
#define DEFTER_SERVER_NODE_CLUSTER_H

#include <pthread.h>
#include <stdatomic.h>

#include "replication/witness.h"
#include "server/cluster/host.h"
#include "server/cluster/register_by_etcd.h"
#include "server/node_private.h"
#include "server/pipeline/pipeline_log.h"

/* The lock guards status. */
struct node_cluster {
    struct host *host;
    struct pipeline_log log;
    struct register_by_etcd etcd;
    /* The host's thread. */
    bool leads;
    bool cut_off;
    uint64_t committed;   /* When it last moved, or there was nothing to: */
    int64_t committed_ms; /* of the boot clock. */
    uint32_t grace_ms;
    atomic_bool anew; /* A new lineage is durable. */
    pthread_mutex_t lock;
    struct replica_status status;
    bool witness_open;            /* An archive that may countersign. */
    pthread_mutex_t witness_lock; /* Guards witness. */
    struct witness witness;
};

/* node_cluster_cut_off.c: at each report of the replica, on the host's thread;
 * a primary that can commit nothing tells who waits. */
void node_cluster_watch(struct node *node, const struct replica_status *status);

/* node_cluster_query.c: what the node answers to the operator, and to whoever
 * asks how the cluster is. */
enum node_exit node_cluster_open_witness(struct node *node);
void node_cluster_serve(struct node *node);

#endif
