/*
 * cluster_status.h: what a node says of itself and of its cluster: to clients
 * that come to the wrong node, and in the public status query.
 *
 * Whoever knows (the replica) supplies it; a node that nobody tells anything is
 * a cluster of one.
 */
#ifndef DEFTER_SERVER_PIPELINE_CLUSTER_STATUS_H
#define DEFTER_SERVER_PIPELINE_CLUSTER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/catalogue.h"

/* X(WORD, text): what a node is at the moment. */
#define CLUSTER_ROLES(X)        \
    X(SINGLE, "single")         \
    X(PRIMARY, "primary")       \
    X(BACKUP, "backup")         \
    X(ARCHIVE, "archive")       \
    X(LEARNER, "learner")       \
    X(LOST, "lost")             \
    X(CANDIDATE, "candidate")   \
    X(RECOVERING, "recovering") \
    X(HALTED, "halted")

enum cluster_role {
#define X(WORD, text) CLUSTER_##WORD,
    CLUSTER_ROLES(X)
#undef X
};

/* A member as the primary sees it. */
struct cluster_member {
    struct bytes16 node_id;
    enum cluster_role role;
    bool in_sync;                       /* Nothing commits without it. */
    uint64_t size;                      /* Entries that it is known to have. */
    uint32_t heard_ms;                  /* Since it was last heard. */
    char address[ADDRESS_SIZE_MAX + 1]; /* For clients; empty: not told. */
};

struct cluster_status {
    struct bytes16 node_id; /* Of this node. */
    struct bytes16 lineage; /* Of its log; zeros: not told. */
    enum cluster_role role;
    uint64_t epoch;
    uint64_t configuration;
    uint64_t log_size;       /* Entries durable here. */
    uint64_t committed_size; /* Of them committed, as far as is known here. */
    struct bytes16 primary;  /* Zeros: not known. */
    char primary_address[ADDRESS_SIZE_MAX + 1]; /* Empty: not known. */
    /* Of the last change of the primary, as the log tells it; the pipeline
     * fills it in.  0: none. */
    uint64_t failover_epoch;
    int64_t failover_at;    /* Wall clock, microseconds. */
    uint32_t members_count; /* 0 where this node is not told. */
    struct cluster_member members[CLUSTER_NODES_MAX];
};

/* The word of the role in the status query. */
const char *cluster_role_text(enum cluster_role role);

/*
 * cluster_status_rows(status, out, space):
 * What ${status} says, as TLVs of the status query's rows; texts and the list
 * of members go to ${space} and are lent from it.
 */
void cluster_status_rows(const struct cluster_status *status,
                         struct rows_status *out, struct writer *space);

#endif
