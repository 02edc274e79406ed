/*
 * sim_full_parts.h: what the files sim_full_*.c share.
 *
 * A node's threads are turns: an event each, at a time that the seed draws.
 */
#ifndef DEFTER_TESTS_SIM_SIM_FULL_PARTS_H
#define DEFTER_TESTS_SIM_SIM_FULL_PARTS_H

#include "protocol/command_build.h"
#include "server/node_private.h"
#include "server/pipeline/pipeline_private.h"
#include "tests/sim/sim_full.h"

/* 2026-08-17T09:00:00Z, when a seed begins. */
#define FULL_TIME INT64_C(1786957200000000)

/* Who signs commands; each has the duty of his name. */
enum full_person {
    FULL_ADMIN,
    FULL_REGISTRAR,
    FULL_CHECKER,
    FULL_OFFICER, /* DPO */
    FULL_HEAD,    /* DIR */
    FULL_AUDITOR,
    FULL_COORDINATOR,
    FULL_PEOPLE
};

enum full_kind {
    FULL_SETUP, /* One of those that come before everything. */
    FULL_PING,
    FULL_WRITE,  /* A new subject, and its contacts. */
    FULL_READ,   /* What FULL_WRITE of another operation wrote. */
    FULL_JOURNAL /* Entries of the log. */
};

/* An operation's command: the same bytes at each try. */
struct full_op {
    enum full_kind kind;
    uint32_t about;   /* READ: the operation that wrote. */
    uint64_t subject; /* WRITE, READ */
    size_t size;
    uint8_t *body;
};

/* What an entry came to, whoever applied it first. */
struct full_entry {
    bool applied;
    uint16_t code;
    uint32_t op; /* UINT32_MAX: no client's. */
    uint8_t digest[HASH_SIZE];
    uint8_t outcomes[HASH_SIZE];
};

struct sim_full {
    struct random bytes; /* What libsodium and SQLite take for chance. */
    struct random load, turns, fault;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct identity authority;
    struct identity nodes[SIM_NODES_MAX];
    struct identity people[FULL_PEOPLE];
    uint8_t genesis[GENESIS_SIZE_MAX];
    size_t genesis_size;
    struct full_op *ops;  /* SIM_OPS_MAX */
    uint64_t *committed;  /* By operation: its entry; UINT64_MAX: none yet. */
    uint32_t setup_count; /* The first operations. */
    bool ready;           /* They are done, and everybody else may begin. */
    struct full_entry *entries;
    uint64_t entries_capacity;
    struct disk_model *scratch; /* For states that are built anew. */
    uint64_t reads;             /* That disclosed something. */
};

struct sim_full_node {
    struct sim *sim;
    struct sim_node *node;
    struct disk_model *disk; /* state.db and keyring.db. */
    struct disk_model *older;
    struct node server; /* As server/node_state.c has it. */
    struct pipeline_log log;
    struct core core;
    struct applier applier;
    bool ended;         /* Its process did, within a call. */
    int64_t turn_at[2]; /* 0: none is waiting. */
    int64_t starved[2]; /* Until then that thread does not run. */
    int64_t submit_at;  /* Of the newest group under way to the replica. */
    uint32_t lead_epoch;
    uint64_t config_told;
    uint64_t told; /* Entries of which the oracle heard here. */
    uint64_t seen; /* Entries whose rows were compared. */
    bool blind;    /* More is committed than the oracle could read. */
    bool enrolled;
    bool was_enrolled; /* Its log came so far once. */
};

enum { FULL_TURN_CORE, FULL_TURN_APPLY };

/* ---- Threads (sim_full_turns.c) ----------------------------------------- */

void sim_full_wake(struct sim *sim, struct sim_node *node, int turn);
/* Other threads have the processors for a while, ${per_mille} times. */
void sim_full_starve(struct sim_full_node *full, int turn, uint32_t per_mille);
/* pipeline_log.submit */
void sim_full_submit(void *context, struct group *group, bool keyed);
/* The core has left the keyring to the thread of the storage jobs. */
void sim_full_settle(struct sim_full_node *full);

/* ---- Commands (sim_full_people.c, sim_full_setup.c, sim_full_ops.c) ----- */

void sim_full_people(struct sim_full *full, struct sim *sim);
uint32_t sim_full_duty(enum full_person person);

/* One command being signed. */
struct full_command {
    struct command_build build;
    struct command_header header;
    uint8_t buffer[8192];
    uint8_t fields[4096];
};
void sim_full_begin(struct sim *sim, struct full_command *command, uint32_t op);
void sim_full_item(struct sim *sim, struct full_command *command,
                   uint16_t opcode, uint64_t subject, uint32_t duty,
                   const void *fields);
void sim_full_sign(struct sim *sim, struct full_command *command, uint32_t op,
                   enum full_person signer);
/* The setup's command number ${op}; false: there are no more. */
bool sim_full_setup(struct sim *sim, uint32_t op);
/* pipeline_events.answer */
void sim_full_answer(void *context, uint32_t loop, struct reply *replies);

/* ---- What must hold (sim_full_checks.c) --------------------------------- */

void sim_full_saw(struct sim *sim, uint64_t index, struct slice entry);
void sim_full_check_answer(struct sim *sim, struct sim_node *node,
                           const struct reply *reply, uint64_t *index_out);

/* ---- SQLite's file system (sim_full_vfs.c, sim_full_locks.c) ------------ */

/* In the life of one world it is the default one. */
void sim_full_vfs_open(struct sim *sim);
void sim_full_vfs_close(void);
/* Failures that it gave out so far, of disks that fail. */
uint64_t sim_full_vfs_failures(void);

/* ---- Ends of processes (sim_full_ends.c) -------------------------------- */

/* Calls; false if the node's process would have ended in it. */
bool sim_full_try(struct sim_full_node *full,
                  void (*call)(struct sim_full_node *full, void *context),
                  void *context);
void sim_full_failed(void *context, enum status status, uint64_t index,
                     const char *what);
void sim_full_chance(struct sim *sim);

#endif
