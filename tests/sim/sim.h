/*
 * sim.h: a whole cluster in one thread, in which everything that happens
 * follows from a seed (tests/DESIGN.md, the simulator).
 *
 * Time is simulated microseconds.  An event happens at (time, sequence).  A
 * node's events carry its generation, so that what a crashed process had
 * waiting never reaches the next one.
 */
#ifndef DEFTER_TESTS_SIM_SIM_H
#define DEFTER_TESTS_SIM_SIM_H

#include "protocol/entry.h"
#include "replication/journal_epochs.h"
#include "replication/journal_repair.h"
#include "replication/journal_scrub.h"
#include "replication/replica.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/random.h"

enum {
    SIM_NODES_MAX = 5,
    SIM_CLIENTS_MAX = 8,
    SIM_OPS_MAX = 4096,
    SIM_HISTORY_MAX = 1024,
    SIM_QUEUE_MAX = REPLICA_JOBS_MAX,
    SIM_MADE_MAX = 1 << 15 /* A power of two. */
};

#define SIM_FOREVER                                                   \
    (INT64_MAX / 4)          /* A pause that nobody knows the end of. \
                              */
enum { SIM_HOP_US = 50000 }; /* So long its events wait at a time. */

/* Exit codes. */
enum { SIM_GOOD = 0, SIM_CRASH = 127, SIM_LIVENESS = 128, SIM_WRONG = 129 };

/* Fault classes; a seed draws which of them it has. */
enum sim_fault {
    FAULT_CRASH = 1 << 0,
    FAULT_PAUSE = 1 << 1,
    FAULT_CUT = 1 << 2,      /* One-way cuts, isolations, partitions. */
    FAULT_DELAY = 1 << 3,    /* Heavy tails. */
    FAULT_REGISTER = 1 << 4, /* Requests lost, late, unanswered; stale reads. */
    FAULT_LEASE = 1 << 5,    /* Signs of life end early or late. */
    FAULT_ROT = 1 << 6,      /* Bits flip at rest. */
    FAULT_SYNC = 1 << 7,     /* A sync fails. */
    FAULT_FULL = 1 << 8,     /* The disk is full for a while. */
    FAULT_ROLLBACK = 1 << 9, /* A disk as it was some time ago. */
    FAULT_MARK = 1 << 10,    /* Rot in mark or meta. */
    FAULT_SLOW = 1 << 11,    /* A disk that takes seconds. */
    FAULT_CLOCK = 1 << 12,   /* Wall clocks that jump. */
    FAULT_HAND_OVER = 1 << 13,
    FAULT_MAYBE = 1 << 14,     /* The code does what is rare (MAYBE_SIM). */
    FAULT_LATENT = 1 << 15,    /* Sectors that cannot be read. */
    FAULT_MISDIRECT = 1 << 16, /* Writes that go elsewhere. */
    FAULT_LIE = 1 << 17,       /* Syncs of the log that do nothing. */
    FAULT_OPERATOR = 1 << 18,  /* Certificates that are not lawful. */
    FAULT_MOMENT = 1 << 19,    /* Bits flip just when somebody reads them. */
    FAULT_ALL = (1 << 20) - 1,
    /* What is drawn unless --faults names more: of the others DESIGN tells what
     * does not hold yet. */
    FAULT_USUAL = FAULT_ALL & ~FAULT_LIE
};

/* What else a seed is. */
enum sim_kind {
    KIND_MANUAL = 1 << 0, /* An operator signs, and there is no register. */
    KIND_SAFETY_ONLY = 1 << 1, /* No atlas: it may halt, and never be wrong. */
    KIND_AWAY = 1 << 2         /* No fault but a register that is away. */
};

enum { SIM_TEXT_SIZE = 256 };

#define SIM_COUNT_LIST(COUNT)          \
    COUNT(ACKED, "answers")            \
    COUNT(LEADS, "terms")              \
    COUNT(VIA, "through another")      \
    COUNT(CUTS, "tails cut")           \
    COUNT(CRASHES, "crashes")          \
    COUNT(ROTS, "damages")             \
    COUNT(REPAIRS, "repairs")          \
    COUNT(LOST, "lost")                \
    COUNT(FOUND, "found")              \
    COUNT(UNKNOWN, "unknown outcomes") \
    COUNT(DROPPED, "dropped")          \
    COUNT(ADDED, "added")              \
    COUNT(HALTS, "halts")              \
    COUNT(EVENTS, "events")
enum sim_count {
#define COUNT(name, text) COUNT_##name,
    SIM_COUNT_LIST(COUNT)
#undef COUNT
        SIM_COUNTS
};

struct sim_options {
    uint64_t seed;
    uint32_t faults;
    uint32_t nodes_count;
    uint32_t archives_count;
    uint8_t minimum;
    uint32_t clients_count;
    uint32_t segment_size;
    int64_t safety_us;  /* How long faults go on. */
    int64_t healing_us; /* How long the core may take. */
    uint32_t ops_max;
    uint32_t scrub_ms;
    uint32_t data_max; /* Bytes of an entry's item. */
    uint32_t kinds;
    bool trace;
    bool frames;
    bool canary;
    bool full; /* Nodes with the server's own pipeline and state. */
};

enum sim_event_type {
    EVENT_TICK,
    EVENT_DISK,
    EVENT_FRAME,
    EVENT_LINK,
    EVENT_BREAK,
    EVENT_REGISTER,
    EVENT_ANSWER,
    EVENT_WATCH,
    EVENT_LEASE,
    EVENT_START,
    EVENT_RESUME,
    EVENT_FAULT,
    EVENT_CLIENT,
    EVENT_REPLY,
    EVENT_HEAL,
    EVENT_FAILED,
    EVENT_FOLLOW,
    EVENT_OPERATOR,
    EVENT_CERTIFIED,
    EVENT_TURN,  /* Of a thread of a full node. */
    EVENT_SUBMIT /* A group of it reaches the replica. */
};

struct sim_event {
    int64_t at;
    uint64_t sequence;
    enum sim_event_type type;
    uint32_t node;
    uint32_t generation;
    uint64_t number; /* By type. */
    void *data;      /* Freed with the event. */
};

/* ---- Nodes -------------------------------------------------------------- */

/* A client's operation that a primary has sequenced. */
struct sim_pending {
    uint64_t index;
    uint32_t op;
};

/* The state machine: what entries below ${applied} say. */
struct sim_state {
    uint64_t applied;
    uint8_t digest[HASH_SIZE];
    uint64_t *index_of; /* By operation; UINT64_MAX: not applied. */
};

struct sim_node {
    uint32_t number;
    uint8_t id[NODE_ID_SIZE];
    bool archive;
    struct disk_model *disk;
    struct disk_model *older; /* For a rollback, with its keys. */
    uint64_t *older_keys;
    uint64_t older_incarnation;
    bool up;
    bool down_for_good; /* Nobody starts it. */
    bool outside;       /* Of the core. */
    uint32_t generation;
    int64_t paused_until;
    int64_t clock_us; /* Its wall clock's offset. */

    struct meta meta;
    struct journal *journal;
    struct journal_report report;
    struct storage storage;
    struct replica *replica;
    struct replica_actions actions;
    struct storage_job *jobs[SIM_QUEUE_MAX];
    size_t jobs_count;
    size_t running; /* Of jobs[], those that the disk has at hand. */
    bool disk_busy;
    int64_t disk_slow_us;

    /* What stands for the pipeline. */
    bool leading;
    bool follows; /* It leads no more, and has not heard of it. */
    bool enters;  /* EPOCH, once the actions at hand are done. */
    bool draining;
    bool drain_told;
    uint32_t epoch;
    struct journal_end end; /* As sequenced. */
    struct sim_pending pending[SIM_OPS_MAX];
    size_t pending_count;
    struct sim_state state;
    uint64_t *keys; /* By operation: index + 1 of its first use; 0: none. */
    enum config_why want; /* What it waits for the operator to sign; 0: not. */
    uint8_t want_node[NODE_ID_SIZE];
    int64_t want_at;
    int64_t alive_until;        /* In the register. */
    bool damaged;               /* The atlas counts it as a bad copy. */
    bool doubtful;              /* ... until it is healed. */
    bool lying;                 /* Its disk does not sync the log. */
    struct sim_full_node *full; /* NULL: the model. */
};

/* ---- Network ------------------------------------------------------------ */

struct sim_link {
    bool up;
    uint32_t generation;
    int64_t last[2]; /* Delivery of the newest frame, by direction. */
    bool cut[2];     /* Frames from the lower to the higher number vanish; and
                      * back. */
    bool breaking;
};

/* ---- Register ----------------------------------------------------------- */

struct sim_register {
    uint64_t revision;
    struct register_view history[SIM_HISTORY_MAX];
    size_t history_count;
    uint64_t incarnation[SIM_NODES_MAX];
    uint32_t writer[SIM_NODES_MAX]; /* Generation that registered it. */
    int64_t unavailable_until;
    bool cut[SIM_NODES_MAX];
};

/* ---- Clients ------------------------------------------------------------ */

enum sim_op_state { OP_NEW, OP_SENT, OP_DONE };
struct sim_op {
    enum sim_op_state state;
    uint32_t client;
    uint32_t tries;
    int64_t invoked;
    int64_t returned;
    uint64_t index;
};
struct sim_client {
    uint32_t op; /* Current, or UINT32_MAX. */
    uint32_t node;
    uint32_t attempt;
};

struct sim {
    struct sim_options options;
    int64_t now;
    uint64_t sequence;
    struct sim_event *heap;
    size_t heap_count;
    size_t heap_capacity;
    struct random net, disk, load, schedule, fault, reg, maybe, moment;
    struct sim_node nodes[SIM_NODES_MAX];
    struct sim_link links[SIM_NODES_MAX][SIM_NODES_MAX];
    struct sim_register reg_state;
    struct sim_op *ops;
    uint32_t ops_count;
    struct sim_client clients[SIM_CLIENTS_MAX];
    bool healing;
    int64_t healing_at;
    int64_t reviewed_at;
    int64_t operator_heard; /* When the primary last answered him. */
    int64_t core_at; /* When it was last looked whether a core is left. */
    bool faulty;     /* What has to be there is: faults may come. */
    int64_t away_at;
    uint64_t away_acked; /* As the register went away. */
    uint64_t away_unknown;
    uint64_t *made; /* The beginnings of all leaves made: a table. */
    size_t made_count;
    bool over;
    uint64_t hash; /* Of everything that happened. */
    struct replica_timers timers;

    /* The oracle: committed entries, in order. */
    uint8_t (*committed)[HASH_SIZE];
    uint64_t committed_count;
    uint64_t committed_capacity;

    struct sim_full *full; /* NULL: a light seed. */
    int failure;
    char text[SIM_TEXT_SIZE];
    uint64_t counts[SIM_COUNTS];
};

#include "tests/sim/sim_calls.h"

#endif
