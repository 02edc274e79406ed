/*
 * pipeline_private.h: what the files pipeline*.c share.
 */
#ifndef DEFTER_SERVER_PIPELINE_PIPELINE_PRIVATE_H
#define DEFTER_SERVER_PIPELINE_PIPELINE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "protocol/config_cert.h"
#include "server/pipeline/apply.h"
#include "server/pipeline/archive_collect.h"
#include "server/pipeline/erasure.h"
#include "server/pipeline/node_command.h"
#include "server/pipeline/open_data.h"
#include "server/pipeline/pipeline.h"
#include "server/pipeline/pipeline_log.h"
#include "server/pipeline/queue.h"
#include "server/pipeline/refused.h"
#include "server/pipeline/reply.h"
#include "server/pipeline/sequencer.h"
#include "server/pipeline/watches.h"
#include "server/registry/destroy.h"

enum {
    /* One being sequenced, and those under way to the disk and through apply;
     * with a host, that is to the disks of other nodes as well. */
    PIPELINE_GROUPS = 4,
    PIPELINE_UNDER_WAY_MAX = 2,
    PIPELINE_SHIPPED_MAX = 3,
    /* So much that waits is worth a group of its own beside the one under way;
     * less is gathered, because a group costs its sync, its transaction and its
     * wakings however small it is. */
    PIPELINE_HEAVY_SIZE = 64 * 1024,
    /* With a host, whose commit waits for two disks and a journey, it is
     * gathered no longer than this: meanwhile the processors would have nothing
     * to do. */
    PIPELINE_GATHER_MS = 1,
    /* Beyond what loops may queue: the node's own commands. */
    PIPELINE_OWN_MAX = 64,
    PIPELINE_TICK_MS = 100,
    PIPELINE_COMMIT_MS = 50, /* How long the state's transaction gathers. */
    PIPELINE_DEADLINES_MS = 1000,
    /* After which what came to nothing is entered again. */
    PIPELINE_ERASURE_MS = 5000,
    PIPELINE_ERASURE_LOOK_MS = 200,
    PIPELINE_AWAITED_MAX = 64, /* Confirmations of other nodes at a time. */
    PIPELINE_AWAITED_MS = PIPELINE_ERASURE_MS / 2, /* Until one comes again. */
    /* Configurations that wait to be entered. */
    PIPELINE_CONFIGS_MAX = 4,
    PIPELINE_PLACES_MAX = 64, /* Commands that are looked for. */
    /* What may be neither applied nor given up beside the inherited tail. */
    PIPELINE_PENDING = (PIPELINE_GROUPS + 1) * GROUP_ENTRIES_MAX
};
static_assert((int)PIPELINE_SHIPPED_MAX < (int)PIPELINE_GROUPS &&
                  (int)PIPELINE_UNDER_WAY_MAX < (int)PIPELINE_GROUPS,
              "one more group can be filled");
static_assert((int)PIPELINE_PENDING < (int)IDEMPOTENCY_PENDING_MAX,
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
    /* The last change of the primary, as the log tells it; under the lock. */
    uint32_t failover_epoch;
    int64_t failover_at;
    uint32_t looked_epoch; /* The apply thread's: it looked up to here. */
};
void pipeline_cluster_init(struct pipeline_cluster *cluster);
void pipeline_cluster_wipe(struct pipeline_cluster *cluster);
void pipeline_cluster_status(struct pipeline *pipeline,
                             struct cluster_status *out);

/*
 * Terms count how often the host said lead or follow; without a host there is
 * term 1, which leads and in which everything that the disk wrote is committed.
 */
struct pipeline_view {
    uint64_t term;
    bool leads;
    uint64_t lead_size; /* Entries with EPOCH, if it leads. */
    uint64_t committed;
    /* The newest term that ended, and what was committed of it. */
    uint64_t ended_term;
    uint64_t ended_size;
};

/* What a term that leads begins with. */
struct pipeline_term {
    struct sequencer_start start;
    uint8_t configuration[CONFIG_SIZE_MAX];
    size_t configuration_size;
    uint8_t certificate[CONFIG_CERT_SIZE_MAX];
    size_t certificate_size;
};

struct pipeline_config {
    uint64_t number;
    size_t size;
    size_t certificate_size;
    uint8_t bytes[CONFIG_SIZE_MAX];
    uint8_t certificate[CONFIG_CERT_SIZE_MAX];
};

/* What the host told last; the lock guards all of it.
 * Invariant: numbers of configs rise, and are above configs_done. */
struct pipeline_role {
    pthread_mutex_t lock;
    struct pipeline_view view;
    struct pipeline_term lead;
    struct pipeline_config configs[PIPELINE_CONFIGS_MAX];
    uint32_t configs_count;
    uint64_t configs_done; /* In the log of this term, or refused there. */
    int64_t offset_us_min;
    int64_t offset_us_max;
    struct group *given_up; /* Groups that the host has yet to read. */
};

/* Whose the keyring is in a cluster.  The lock is held as long as the thread
 * of the storage jobs uses it. */
struct pipeline_keys {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool core; /* The core thread's, which leads. */
};

/* Keys that the core thread has to destroy; the lock guards the list. */
struct pipeline_burial {
    pthread_mutex_t lock;
    atomic_bool due;
    struct erasure_list list;
};

/* A confirmation that the state awaits, and when one was taken; INT64_MIN: none
 * was. */
struct pipeline_awaited {
    struct destroy_awaited of;
    int64_t taken_ms;
};

/* What the thread that applies found to be awaited of other nodes, for whoever
 * takes confirmations.  The lock guards all of it. */
struct pipeline_awaits {
    pthread_mutex_t lock;
    struct pipeline_awaited awaited[PIPELINE_AWAITED_MAX];
    uint32_t count;
};

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
    struct queue places;      /* struct pipeline_place: loops to apply */
    struct queue chores;      /* To the background; any pointer wakes it. */

    struct pipeline_role role;
    struct pipeline_keys keys;
    struct pipeline_burial burial;
    struct pipeline_awaits awaits;
    uint8_t *accept_buffer;     /* ENTRY_SIZE_MAX; under keys.lock. */
    atomic_uint_fast64_t term;  /* As in role. */
    atomic_uint_fast64_t begun; /* Term whose commands are sequenced. */
    atomic_bool held;           /* No commands before a hand-over. */
    atomic_bool cut_off;        /* Leads, and can commit nothing. */
    atomic_bool crowded;        /* The disk has no room for commands. */
    atomic_bool has_secret;     /* Among the entries applied. */
    atomic_uint_fast64_t epoch; /* Of the newest entry applied. */
    /* Realms that wait for their failover, as CONTINUITY_BIT() has them. */
    atomic_uint closed_realms;
    atomic_uint registry_lack; /* enum failover_lack, while R is closed. */

    pthread_mutex_t gate; /* Guards under_way. */
    pthread_cond_t gate_changed;
    unsigned under_way;              /* Groups between core and their end. */
    atomic_size_t waiting_size;      /* Bodies in the queue of commands. */
    atomic_uint_fast64_t in_flight;  /* Works taken and not yet closed. */
    atomic_uint_fast64_t log_size;   /* Frame bytes not yet appended. */
    atomic_uint_fast64_t size;       /* Entries applied. */
    atomic_uint_fast64_t attested;   /* Entries attested. */
    atomic_uint_fast64_t unattested; /* Entries that wait for it. */
    atomic_uint_fast64_t lacks;      /* See pipeline_lacks(). */
    atomic_bool draining;
    atomic_bool stalled;
    atomic_bool start_refused;
    /* Terms whose attestation or deadlines found no place. */
    atomic_uint_fast64_t attest_refused;
    atomic_uint_fast64_t deadlines_refused;
    atomic_uint_fast64_t archive_refused;
    atomic_uint_fast64_t config_refused;
    /* The newest term that was refused owed commands, and how many (the low
     * half). */
    atomic_uint_fast64_t owed_refused;

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

/* Finish with a work. */
void pipeline_end_work(struct pipeline *pipeline, struct work *work);

/* Says what failed at the log's end, and ends the process. */
__attribute__((noreturn)) void pipeline_fail(struct pipeline *pipeline,
                                             enum status status, uint64_t index,
                                             const char *what);

/* ---- The role (pipeline_role.c) ------------------------------------------ */

void pipeline_role_init(struct pipeline *pipeline);
void pipeline_role_wipe(struct pipeline *pipeline);

/* What the host told last. */
struct pipeline_view pipeline_look(struct pipeline *pipeline);

/* Whether commands are sequenced in the newest term. */
bool pipeline_role_leads(struct pipeline *pipeline);

/* A group that will not be committed as such is not needed any more: itself if
 * the host has read it, else another in its place. */
struct group *pipeline_replace(struct pipeline *pipeline, struct group *group);

/* ---- What the node enters by itself (pipeline_own.c) --------------------- */

/* Put a command of the node in the queue; false if it is full, and the work is
 * gone.  It ends with ${term}. */
bool pipeline_push_own(struct pipeline *pipeline, struct work *work,
                       uint64_t term);

struct work *pipeline_epoch_work(struct pipeline *pipeline,
                                 const struct pipeline_term *lead);
struct work *pipeline_secret_work(struct pipeline *pipeline);
/* Refusals that are due to be entered. */
void pipeline_enter_refused(struct pipeline *pipeline, uint64_t term);
/* The lines of a journal.refused that finds no place wait with those that come
 * after them. */
void pipeline_keep_lines(struct pipeline *pipeline, const struct work *work);

/* ---- Configurations (pipeline_config.c) ---------------------------------- */

/* With the role's lock held: another term begins. */
void pipeline_forget_configs(struct pipeline_role *role);

/* ---- What the state says (pipeline_state.c) ------------------------------ */

/* The apply thread, or before it runs: tell the other threads. */
void pipeline_tell_state(struct pipeline *pipeline);
/* Whether realm R is served, in the words of the status query; any thread. */
const char *pipeline_registry_text(struct pipeline *pipeline);
/* Whether the realm of ${work} is open, or it needs none. */
bool pipeline_admits(struct pipeline *pipeline, const struct work *work);

/* ---- The core thread (pipeline_core.c, pipeline_term.c) ----------------- */

struct core {
    struct pipeline *pipeline;
    struct reply_lists replies;
    void *works[GROUP_ENTRIES_MAX];
    size_t works_count;
    uint64_t term;
    bool leads; /* Commands are sequenced. */
    /* On the way there. */
    bool has_keys; /* The keyring is this thread's. */
    uint64_t inherited_size;
    bool has_epoch; /* EPOCH is sequenced. */
    bool owes_secret;
    bool waits; /* For what does not announce itself. */
};

/*
 * core_turn(core):
 * Take what waits and sequence a group of it; what comes of a change of the
 * role is done before.
 *
 * Requires: fewer than PIPELINE_SHIPPED_MAX groups are under way, unless the
 *           term is another than the core's; else it waits for a group.
 * Returns:  false once everything was taken and no more comes.
 */
bool core_turn(struct core *core);

/* Hand what was put into ${group} on. */
void core_send(struct core *core, struct group *group);
/* Whether nothing can be sequenced because of the clock. */
void core_stall(struct core *core, bool stalled);
/* An empty group. */
struct group *core_group(struct core *core);

/* Come to the term that the host told last; true if it leads. */
bool core_serve_term(struct core *core);
/* Give the keyring back. */
void core_end_term(struct core *core);

/* ---- The apply thread (pipeline_apply.c, pipeline_due.c) ---------------- */

/* Invariant: groups are in the order of submission. */
struct applier {
    struct pipeline *pipeline;
    struct pipeline_view view;
    void *groups[PIPELINE_GROUPS]; /* Own ones, not yet done with. */
    size_t groups_count;
    struct work *done; /* Applied; they end when they are answered. */
    struct reply_lists replies;
    /* What the registry owes because of a change of primary, in this term. */
    uint32_t owed_made;
    uint32_t owed_done;
    int64_t owed_ms;      /* Looked for; INT64_MIN: not yet. */
    uint64_t config_made; /* Number of the one under way; 0 = none. */
    bool in_transaction;
    int64_t begun_ms; /* The transaction. */
    bool deadlines_made;
    int64_t deadlines_ms;
    /* What acts destroyed: whether the core was told which keys are left here,
     * and when something was entered last; INT64_MIN: not yet, or applied. */
    bool looked_for_keys;
    int64_t erasure_ms;
    int64_t erase_ms;
    int64_t confirm_ms;
    /* The next archive unit (pipeline_archive.c). */
    struct archive_collect archive;
    bool archive_made; /* Something of the archive is under way. */
    int64_t archive_ms;
    uint8_t archive_buffer[JOURNAL_READ_SIZE];
};

/* Apply some of what is committed, commit, and enter what is due; never waits.
 * Returns: whether there may be more at once. */
bool applier_turn(struct applier *applier);

/* The core thread: an owed command of ${term} found no place. */
void pipeline_owed_refused(struct pipeline *pipeline, uint64_t term);
/* What is due, if this node leads. */
void applier_own(struct applier *applier, int64_t now_ms);
/* The term is another one. */
void applier_own_begin(struct applier *applier);
/* A command of the node itself was applied. */
void applier_own_applied(struct applier *applier, const struct work *work);
/* ---- Evidence (pipeline_proof.c) ----------------------------------------- */

/* An entry was applied; what was may be proven. */
void applier_tell_leaf(struct applier *applier);
void applier_publish(struct applier *applier);
/* Commands that loops look for. */
void applier_places(struct applier *applier);
/* With the role's lock held, or before the threads run. */
void pipeline_tell_role(struct pipeline *pipeline,
                        const struct pipeline_view *view);
void pipeline_evidence_figures(struct pipeline *pipeline, struct list *figures,
                               struct writer *space);

/* Archive units and checks that are due (pipeline_archive.c). */
void applier_archive(struct applier *applier, int64_t now_ms);

/* The next configuration that waits (pipeline_config.c). */
void applier_enter_config(struct applier *applier);
void applier_config_applied(struct applier *applier);

/* ---- Acts that destroy keys (pipeline_erasure.c) ------------------------- */

void pipeline_burial_init(struct pipeline_burial *burial);
void pipeline_burial_wipe(struct pipeline_burial *burial);
void pipeline_awaits_init(struct pipeline_awaits *awaits);
void pipeline_awaits_end(struct pipeline_awaits *awaits);
/* Destroy what the apply thread found. Requires: nothing is staged. */
void core_bury(struct core *core);
/* The last entry destroyed: commit it and keep the state as it is. */
void applier_keep(struct applier *applier);
/* Look for keys that acts destroyed, if that is due, once the state is synced.
 */
void applier_bury(struct applier *applier);
/* Enter acts whose hour has come, and this node's confirmations. */
void applier_erase(struct applier *applier, int64_t now_ms);
/* A node that follows asks the primary to enter its confirmation. */
void applier_confirm_to_primary(struct applier *applier, int64_t now_ms);
/* One of both was applied, or refused as an entry. */
void applier_erasure_applied(struct applier *applier, uint16_t opcode);

#endif
