/*
 * replica.h: one node's part in the cluster, as a step function: events in,
 * actions out (REPLICATION).
 *
 * It reads no clock, opens nothing and starts nothing: time comes with each
 * event, and what is to be sent, written or asked goes out as an action.  It
 * reads its own log (journal.h) and writes it through jobs (storage.h).  So the
 * same code runs in a node and in the simulator.
 *
 *                 +-------------- removed, or another primary --------------+
 *                 v                                                         |
 *   START --> LEARNER --admitted--> MEMBER --won--> CANDIDATE --entered-->
 * BARRIER |           ^ \                 ^                ^ | v           |
 * +--won, is no member--> RECOVERING +              EPOCH committed LOST
 * --found--+                                                         v PRIMARY
 * <---------------- PRIMARY any --two histories, foreign lineage--> HALTED
 *
 * LEARNER and MEMBER follow; which of both a node is, the newest configuration
 * says.  STALLED is a primary that may not commit: a figure, not a role.
 *
 * One thread uses a replica.
 */
#ifndef DEFTER_REPLICATION_REPLICA_H
#define DEFTER_REPLICATION_REPLICA_H

#include "protocol/config.h"
#include "protocol/config_cert.h"
#include "protocol/peer.h"
#include "replication/register.h"
#include "replication/storage.h"

enum replica_role {
    REPLICA_START, /* Its incarnation is not registered yet. */
    REPLICA_LOST,  /* Its log lacks what it acknowledged: it repairs. */
    REPLICA_LEARNER,
    REPLICA_MEMBER,
    REPLICA_CANDIDATE,  /* Won; verifies the tail that it inherited. */
    REPLICA_RECOVERING, /* Won as no member; takes over a member's log. */
    REPLICA_BARRIER,    /* Leads; its EPOCH is not committed yet. */
    REPLICA_PRIMARY,
    REPLICA_HALTED
};
const char *replica_role_name(enum replica_role role);

/* Milliseconds. */
struct replica_timers {
    uint32_t beacon_ms; /* Between two signs of life. */
    uint32_t remove_ms; /* Silence after which a member is dropped. */
    uint32_t grace_ms;  /* Silence after which another tries to lead. */
    uint32_t sync_ms;   /* Without a sync that ended, a disk is dead. */
    uint32_t retry_ms;  /* Before a lost question is asked again. */
    uint32_t drain_ms;  /* A planned hand-over may take no longer. */
    uint32_t scrub_ms;  /* Between two looks at old entries; 0: none. */
};
extern const struct replica_timers replica_timers_lan;
extern const struct replica_timers replica_timers_wan;

struct replica_peer_option {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
};

struct replica_options {
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t lineage[LINEAGE_SIZE];
    bool archive;   /* Keeps entries, and is never primary. */
    bool automatic; /* There is a register that nodes write; else certificates
                     * decide. */
    bool first;     /* Named in genesis: writes the first configuration. */
    uint8_t founder[NODE_ID_SIZE]; /* The node that genesis names. */
    uint8_t minimum;               /* For that. */
    struct replica_timers timers;
    struct replica_peer_option peers[CONFIG_NODES_MAX - 1];
    size_t peers_count;
    uint8_t seed[SEED_SIZE]; /* Random; for nonces and for waiting times. */
};

/* Borrowed until replica_close(). */
struct replica_parts {
    struct journal *journal;             /* Only read here. */
    const struct meta_value *meta;       /* As begun. */
    const struct journal_report *report; /* What opening the log found. */
    uint32_t halted;                     /* What halt_cause() found. */
};

/* ---- Events ------------------------------------------------------------- */

enum replica_event_type {
    REPLICA_TICK,    /* Time passes; at least each beacon_ms / 4. */
    REPLICA_LINK_UP, /* An authenticated link to ${peer}. */
    REPLICA_LINK_DOWN,
    REPLICA_RECEIVED,   /* A frame from ${peer}. */
    REPLICA_SUBMITTED,  /* Entries that follow the log's end in this epoch. */
    REPLICA_JOB_DONE,   /* In the order in which jobs were given out. */
    REPLICA_VIEW,       /* The register's value, read or seen. */
    REPLICA_ANSWERED,   /* The fate of a proposal. */
    REPLICA_LOOKED,     /* The register holds incarnation ${number} of this
                         * node; 0: none. */
    REPLICA_REGISTERED, /* The incarnation stands in the register; ${higher}: a
                         * higher one did already. */
    REPLICA_ALIVE,      /* Whether ${node_id} shows signs of life there. */
    REPLICA_CERTIFIED, /* A certificate whose signatures the caller verified. */
    REPLICA_HAND_OVER, /* The operator wants ${node_id} to lead. */
    REPLICA_DRAINED,   /* After REPLICA_DRAIN: nothing more is under way. */
    REPLICA_VOUCH, /* The operator may add ${node_id}: it has to agree from now
                    * on, whatever this node forgets, until the next
                    * configuration is known. */
    REPLICA_ENROLLED /* Whether the log knows this node: without that it may
                      * not begin an epoch. */
};

struct replica_event {
    int64_t now_ms;  /* Never falls. */
    int64_t wall_us; /* This node's wall clock. */
    enum replica_event_type type;
    size_t peer; /* Number in options.peers. */
    union {
        struct {
            uint8_t type;
            struct slice body;
        } received;
        struct {
            const struct journal_entry *entries; /* Copied. */
            size_t count;
            bool keyed; /* Some use a key for the first time. */
        } submitted;
        struct storage_job *job;
        const struct register_view *view;
        struct {
            uint64_t token;
            enum register_outcome outcome;
            const struct register_view *view;
        } answered;
        struct {
            bool higher;
            uint64_t number; /* ${higher}: what stands there. */
        } registered;
        struct {
            uint8_t node_id[NODE_ID_SIZE];
            bool alive;
        } alive;
        struct slice certificate;
        uint8_t node_id[NODE_ID_SIZE];
        bool enrolled;
        uint64_t number; /* LOOKED */
    };
};

/* ---- Actions ------------------------------------------------------------ */

enum replica_action_type {
    REPLICA_SEND,      /* A frame to ${peer}. */
    REPLICA_SEND_KEYS, /* The keys first used by entries [first, first + count):
                        * as KEYS frames to ${peer}, before what follows. */
    REPLICA_DROP_LINK, /* ${peer} broke the rules, or is of another cluster. */
    REPLICA_JOB,       /* For the disk, in order. */
    REPLICA_ASK,       /* The register. */
    REPLICA_COMMIT,    /* Entries below ${size} are committed and durable here;
                        * it never falls. */
    REPLICA_LEAD,      /* Sequence at ${end} in ${epoch}, EPOCH first. */
    REPLICA_FOLLOW,    /* Sequence no more: of what was submitted and is not
                        * committed the outcome is unknown. */
    REPLICA_DRAIN,     /* Take no commands (${on}), or take them again. */
    REPLICA_VERIFY,    /* ${certificate}, which a peer sent: if its signatures
                        * are right, give it back as REPLICA_CERTIFIED. */
    REPLICA_HALT,      /* This node serves nothing any more. */
    REPLICA_RESTART,   /* A new lineage is durable: nothing of this start counts
                        * in it, so open the node anew. */
    REPLICA_SAY        /* A line for people. */
};

enum replica_note {
    NOTE_ROLE,    /* number: role */
    NOTE_LEADS,   /* epoch */
    NOTE_STALLED, /* number: members */
    NOTE_RESUMED,
    NOTE_DROPPED, /* node: a member was removed or replaced */
    NOTE_ADDED,   /* node */
    NOTE_CUT,     /* number: size; text: where the rest is kept */
    NOTE_LOST,    /* number: size that must be reached */
    NOTE_FOUND,
    NOTE_REPAIRED,    /* number: index */
    NOTE_ROT,         /* number: index */
    NOTE_REGISTER,    /* the register contradicts itself, or went back */
    NOTE_CERTIFICATE, /* number: config_fault; refused */
    NOTE_PEER,        /* node: broke the rules; number: status */
    NOTE_HALT,        /* number: replica_halt */
    NOTE_CLOCK,       /* node: its clock differs; number: milliseconds */
    NOTE_WANT,        /* number: config_why the operator is waited for; node */
    NOTE_DISPUTE,     /* node: it says that another entry is committed; number:
                       * index */
    NOTE_UNKEPT,  /* number: size; divergent/ is full, what was cut is gone */
    NOTE_LINEAGE, /* node: of another lineage; number: its first 8 bytes */
    NOTE_FORCED   /* number: replica_forced; FORCED_GOOD: it is taken */
};

/* Why a forced configuration is not taken; the first that applies. */
enum replica_forced {
    FORCED_GOOD,
    FORCED_NO_CERTIFICATE, /* It is none, or a register decides here. */
    FORCED_UNKNOWN, /* Who is to lead does not know the one that it follows. */
    FORCED_DAMAGED, /* Who is to lead has damaged entries. */
    FORCED_BASE,    /* Who is to lead holds another log than was signed for. */
    FORCED_OLDER,   /* One of this number, or a later one, is known. */
    FORCED_LEADS,   /* This node leads: nothing was lost. */
    FORCED_BEYOND,  /* This log is no beginning of what the lineage has. */
    FORCED_COUNT
};
const char *replica_forced_text(enum replica_forced forced);

struct replica_action {
    enum replica_action_type type;
    size_t peer;
    union {
        struct {
            uint8_t type;
            struct slice body; /* Lent until the actions are reset. */
        } send;
        struct {
            uint64_t first;
            uint64_t count;
        } keys;
        struct storage_job *job;
        struct {
            enum register_call call;
            const struct register_proposal *proposal; /* REGISTER_CAS; lent. */
            uint64_t incarnation;                     /* REGISTER_INCARNATION */
        } ask;
        uint64_t size;
        struct {
            uint32_t epoch;
            struct journal_end end;
            struct slice config;      /* Lent until the next configuration. */
            struct slice certificate; /* Empty with a register. */
        } lead;
        bool on;
        struct slice certificate;
        enum replica_halt halt;
        struct {
            enum replica_note note;
            uint8_t node_id[NODE_ID_SIZE];
            uint64_t number;
            const char *text; /* "" or lent. */
        } say;
    };
};

/* Grows as needed; reset before each step.  Invariant: count <= capacity. */
struct replica_actions {
    struct replica_action *list;
    size_t count;
    size_t capacity;
    struct replica_arena *arena; /* What sends and texts lie in. */
};
void replica_actions_init(struct replica_actions *actions);
void replica_actions_reset(struct replica_actions *actions);
void replica_actions_wipe(struct replica_actions *actions);

/* ---- The replica -------------------------------------------------------- */

struct replica; /* Opaque; replica_parts.h for its own files and tests. */

/* The configuration that meta keeps: by itself or in its certificate, behind
 * the peers that were vouched for.  False: there is none. */
bool replica_stored_config(struct config *out, struct slice stored);

/*
 * replica_open(replica_out, options, parts):
 * Begin where the log and meta stand.  Aborts without memory, here and below.
 * Order: the first event may be anything; nothing is done before a TICK.
 */
NODISCARD enum status replica_open(struct replica **replica_out,
                                   const struct replica_options *options,
                                   const struct replica_parts *parts);
void replica_close(struct replica *replica);

/*
 * replica_step(replica, actions, event):
 * Let one event happen; what follows from it is appended to ${actions}, to be
 * done in order.  Whatever peers, register and operator send is judged here and
 * never a failure of the caller.
 */
void replica_step(struct replica *replica, struct replica_actions *actions,
                  const struct replica_event *event);

/* When the next TICK is due at the latest. */
int64_t replica_deadline(const struct replica *replica);

/* ---- What it is --------------------------------------------------------- */

struct replica_member_status {
    uint8_t node_id[NODE_ID_SIZE];
    bool member;
    bool learner;
    bool archive;
    bool eligible;
    bool linked;
    bool lost;
    uint64_t matched; /* As the primary knows it; else what it said. */
    int64_t heard_ms; /* Since it was last heard; -1 never. */
    /* Its wall clock less ours now, if its own did not leap since it was
     * heard. */
    int64_t clock_us;
};

struct replica_status {
    enum replica_role role;
    enum replica_halt halt;
    bool healthy; /* It may show signs of life in the register. */
    bool stalled;
    bool draining;
    uint32_t epoch; /* In which it leads, or that it follows. */
    uint32_t promised;
    uint64_t config_number;
    uint8_t minimum;
    uint8_t primary[NODE_ID_SIZE]; /* Zeros: none known. */
    uint64_t size;                 /* Durable. */
    uint64_t committed;
    uint64_t lost_to;   /* LOST: what must be reached. */
    uint64_t proposals; /* Open. */
    uint64_t disputes;  /* Claims of peers against what is committed here. */
    uint64_t unkept;    /* Cuts of which nothing is kept: divergent/ is full. */
    struct replica_member_status nodes[CONFIG_NODES_MAX]; /* Itself first. */
    size_t nodes_count;
};
void replica_status(const struct replica *replica, struct replica_status *out,
                    int64_t now_ms);

/* The newest configuration known, and its bytes; false if there is none. */
bool replica_config(const struct replica *replica, struct config *out,
                    struct slice *bytes_out);

/* Its certificate; empty with a register, and of the first one. */
struct slice replica_certificate(const struct replica *replica);

/* What this node may state to the operator's tool (protocol/statement.h); the
 * caller signs it.  What is stated for ADD or REPLACE binds this node: the ACK
 * is set once REPLICA_VOUCH for the named node is durable; ask again.  For
 * ADOPTED the ACK says that this node is durably where the named member sealed
 * its log for the term of the configuration that is stated. */
struct statement;
NODISCARD enum status replica_state(struct replica *replica,
                                    struct statement *out, enum config_why why,
                                    const uint8_t *node_id, int64_t now_ms);

/* I1 to I18 as far as one node can see them; aborts where one does not hold.
 * The simulator calls it after each step. */
void replica_check(const struct replica *replica);

#endif
