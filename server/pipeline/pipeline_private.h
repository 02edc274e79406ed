/*
 * pipeline_private.h: what the files pipeline*.c share.
 */
#ifndef DEFTER_SERVER_PIPELINE_PIPELINE_PRIVATE_H
#define DEFTER_SERVER_PIPELINE_PIPELINE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/pipeline/apply.h"
#include "server/pipeline/node_command.h"
#include "server/pipeline/open_data.h"
#include "server/pipeline/pipeline.h"
#include "server/pipeline/queue.h"
#include "server/pipeline/refused.h"
#include "server/pipeline/reply.h"
#include "server/pipeline/sequencer.h"
#include "server/pipeline/watches.h"

enum {
    /* One being sequenced, and those under way to the disk and through apply.
     */
    PIPELINE_GROUPS = 3,
    PIPELINE_UNDER_WAY_MAX = 2,
    /* So much that waits is worth a group of its own beside the one under way;
     * less is gathered, because a group costs its sync, its transaction and its
     * wakings however small it is. */
    PIPELINE_HEAVY_SIZE = 64 * 1024,
    /* Beyond what loops may queue: the node's own commands. */
    PIPELINE_OWN_MAX = 64,
    PIPELINE_TICK_MS = 100,
    PIPELINE_COMMIT_MS = 50, /* How long the state's transaction gathers. */
    PIPELINE_DEADLINES_MS = 1000
};
static_assert((PIPELINE_GROUPS + 1) * GROUP_ENTRIES_MAX <
                  IDEMPOTENCY_PENDING_MAX,
              "what is pending is remembered exactly");

struct pipeline_counts {
    atomic_uint_fast64_t commands; /* Applied, of others. */
    atomic_uint_fast64_t own;
    atomic_uint_fast64_t items;
    atomic_uint_fast64_t groups;
    atomic_uint_fast64_t duplicates;
    atomic_uint_fast64_t refused; /* ERRORs of the pipeline. */
    atomic_uint_fast64_t busy;
};

/* What the pipeline knows of the cluster; the lock guards primary, and changes
 * of following. */
struct pipeline_cluster {
    atomic_bool following; /* Another node leads. */
    pthread_mutex_t lock;
    struct pipeline_primary primary;
    void *moved_context;
    void (*moved)(void *context);
    void *fill_context;
    void (*fill)(void *context, struct cluster_status *out);
};
void pipeline_cluster_init(struct pipeline_cluster *cluster);
void pipeline_cluster_wipe(struct pipeline_cluster *cluster);
void pipeline_cluster_status(struct pipeline *pipeline,
                             struct cluster_status *out);

struct pipeline {
    struct pipeline_parts parts;
    struct pipeline_cluster cluster;
    struct node_signer signer;
    struct sequencer *sequencer;
    struct refused refused;
    struct watches watches;
    struct open_data open_data;
    struct pipeline_counts counts;
    struct pipeline_operator operator_functions; /* Zeros: none. */
    void *figures_context;
    void (*figures)(void *context, const struct pipeline_figures *to);

    struct queue commands;    /* struct work: loops and apply to core */
    struct queue to_disk;     /* struct group */
    struct queue to_apply;    /* struct group */
    struct queue free_groups; /* struct group */
    struct queue chores;      /* To the background; any pointer wakes it. */
    struct group *groups[PIPELINE_GROUPS];

    pthread_mutex_t gate; /* Guards under_way. */
    pthread_cond_t gate_changed;
    unsigned under_way;              /* Groups between core and their end. */
    atomic_size_t waiting_size;      /* Bodies in the queue of commands. */
    atomic_uint_fast64_t in_flight;  /* Works taken and not yet closed. */
    atomic_uint_fast64_t log_size;   /* Frame bytes not yet appended. */
    atomic_uint_fast64_t size;       /* Entries applied. */
    atomic_uint_fast64_t attested;   /* Entries attested. */
    atomic_uint_fast64_t unattested; /* Entries that wait for it. */
    atomic_bool draining;
    atomic_bool stalled;
    /* Commands of the node that found no place, by what they were. */
    atomic_bool start_refused;
    atomic_bool attest_refused;
    atomic_bool deadlines_refused;
    bool deadlines_made; /* The apply thread's. */
    int64_t deadlines_ms;

    pthread_t core;
    pthread_t disk;
    pthread_t apply;
    pthread_t background;
    bool started;
};

/* Thread mains; the argument is the pipeline. */
void *pipeline_core_main(void *argument);
void *pipeline_disk_main(void *argument);
void *pipeline_apply_main(void *argument);
void *pipeline_background_main(void *argument);

/* Put a command of the node in the queue; false if it is full, and the work is
 * gone. */
bool pipeline_push_own(struct pipeline *pipeline, struct work *work);

/* Finish with a work. */
void pipeline_end_work(struct pipeline *pipeline, struct work *work);

#endif
