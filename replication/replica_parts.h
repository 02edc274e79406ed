/*
 * replica_parts.h: what the files replica*.c share.
 */
#ifndef DEFTER_REPLICATION_REPLICA_PARTS_H
#define DEFTER_REPLICATION_REPLICA_PARTS_H

#include "replication/journal_epochs.h"
#include "replication/journal_repair.h"
#include "replication/journal_scrub.h"
#include "replication/replica.h"

/* ---- The log, as the replica sees it ------------------------------------ */

/* Entries held in memory: those on their way to the disk, and the newest behind
 * them.  holds: jobs that still point to them. */
struct replica_batch {
    struct journal_end before; /* Where the log ended then. */
    uint64_t first;
    size_t count;
    size_t size; /* Bytes of the entries. */
    unsigned holds;
    bool in_log;
    bool keyed; /* Some entry uses a seal key for the first time. */
    struct journal_entry *entries;
};

/* Batches in the order of the log: ${count} of them, from ring[from] on. */
struct replica_recent {
    struct replica_batch **ring;
    size_t from, count, capacity;
};
void replica_recent_wipe(struct replica_recent *recent);
void replica_recent_add(struct replica_recent *recent,
                        struct replica_batch *batch);

/* Batch ${number}, the oldest is 0.  Requires: number < count. */
struct replica_batch *replica_recent_at(const struct replica_recent *recent,
                                        size_t number);

/* The newest, or NULL. */
struct replica_batch *replica_recent_newest(
    const struct replica_recent *recent);

/* The batch that holds entry ${index}: there may be as many as entries, and
 * each commit asks.  Requires: one does. */
struct replica_batch *replica_recent_find(const struct replica_recent *recent,
                                          uint64_t index);

/* Out of the list; the batch stays.  Requires: count > 0. */
void replica_recent_drop_oldest(struct replica_recent *recent);
void replica_recent_drop_newest(struct replica_recent *recent);

/*
 * Invariants: committed <= end.size; published never falls, and unless the node
 * is lost published <= committed; durable.size <= end.size, unless a cut is on
 * its way to the disk; the batches hold [recent_first, end.size) without a gap.
 */
struct replica_log {
    struct journal *journal;
    struct journal_end end;     /* What is on its way to the disk counts. */
    struct journal_end durable; /* As the newest job left it. */
    uint64_t committed;
    uint64_t told; /* Committed entries that are ours, durable or not. */
    uint64_t published;
    uint64_t marked; /* committed, as the mark has it. */
    struct replica_recent recent;
    uint64_t recent_first;
    size_t recent_size;
    struct journal_epoch *epochs; /* Rising. */
    size_t epochs_count;
    size_t epochs_capacity;
    uint8_t *buffer; /* JOURNAL_READ_SIZE */
};

void replica_log_open(struct replica_log *log, struct journal *journal);
void replica_log_close(struct replica_log *log);

/* Entry ${first} begins ${epoch}, unless that has begun. */
void replica_log_note_epoch(struct replica_log *log, uint32_t epoch,
                            uint64_t first, const uint8_t leaf[HASH_SIZE]);

/* What is durable, as the journal has it: an epoch that began in a hole is
 * known once that is repaired. */
void replica_log_read_epochs(struct replica_log *log);

/* Leaf hash of entry ${index}.  Requires: index < end.size.
 * Returns: ST_OK; ST_CHECKSUM, ST_DISK_FAILED. */
NODISCARD enum status replica_log_leaf(const struct replica_log *log,
                                       uint8_t out[HASH_SIZE], uint64_t index);

/* An entry; lent until the next call.  Requires: index < end.size. */
NODISCARD enum status replica_log_entry(struct replica_log *log,
                                        struct slice *out, uint64_t index);

/* Whether entry ${index}, if it is in memory, is the first to use a key. */
bool replica_log_keyed(const struct replica_log *log, uint64_t index);

/* Copy entries behind the end; gives the batch, which a job must hold. */
struct replica_batch *replica_log_add(struct replica_log *log,
                                      const struct journal_entry *entries,
                                      size_t count, bool keyed);
void replica_log_hold(struct replica_batch *batch);
void replica_log_release(struct replica_log *log, struct replica_batch *batch);

/* Forget everything from ${size} on.
 * Returns: as replica_log_leaf() of the entry before. */
NODISCARD enum status replica_log_cut(struct replica_log *log, uint64_t size);

/* Epoch of entry ${index}.  Requires: index < end.size. */
uint32_t replica_log_epoch(const struct replica_log *log, uint64_t index);

/* The newest epochs, as a frame's list. */
struct list replica_log_epochs(const struct replica_log *log,
                               struct writer *space);

/*
 * How many entries this log has in common with one of ${size} entries and these
 * ${epochs}: an epoch has one primary, so whoever has its first entry has what
 * follows it.
 */
uint64_t replica_log_common(const struct replica_log *log, uint64_t size,
                            const struct journal_epoch *epochs, size_t count,
                            uint64_t committed);

/* ---- Peers -------------------------------------------------------------- */

/* The end of an APPEND that is not answered yet. */
struct replica_sent {
    uint64_t end;
    size_t size;
};

struct replica_peer {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    bool linked;
    bool greeted; /* HELLO came; what follows is from it. */
    uint64_t incarnation;
    uint16_t flags;
    uint16_t flags_told; /* What this node's last HELLO to it said of itself. */
    uint32_t promised;
    uint64_t config_number;
    uint64_t size;
    uint64_t committed;
    struct journal_epoch epochs[PEER_EPOCHS_MAX];
    size_t epochs_count;
    int64_t heard_ms; /* 0: never. */
    int64_t clock_us; /* Its wall clock less our now_ms, when it was heard. */
    int64_t disputed_ms; /* When people were told of it; 0: never. */
    bool foreign_told;   /* That it is of another lineage. */

    /* What a primary ships. */
    bool streaming;
    uint32_t stream;
    uint64_t next;          /* Index to send next. */
    uint64_t matched;       /* Durable there and matching, in this epoch. */
    int64_t progress_ms;    /* Since when it is waited for, */
    uint64_t progress_size; /* ... and for what. */
    bool joining;       /* Agrees already, and is proposed once it has all. */
    int64_t joining_ms; /* Since then. */
    bool mismatched;    /* The stream that began at ${began} was refused. */
    uint64_t began;
    int64_t flags_ms; /* Since its log is lost or damaged. */
    int64_t again_ms; /* Not before: it refused. */
    struct replica_sent sent[REPLICA_WINDOW_FRAMES];
    size_t sent_first;
    size_t sent_count;
    size_t sent_size;
    uint64_t told; /* committed, as it was told last. */

    /* What it is asked as a primary's follower. */
    struct slice keys[REPLICA_KEYS_MAX]; /* Of the next APPEND. */
    size_t keys_count;
    size_t queued_size; /* Bytes of jobs that are its. */

    /* What it answered as a sealed member. */
    bool sealed;
    uint32_t sealed_epoch;
    uint64_t sealed_size;
    uint8_t sealed_leaf[HASH_SIZE];

    /* Backing off from adding one that keeps failing. */
    int64_t dropped_ms;
    uint32_t dropped_count;
};

/* ---- Jobs, answers that wait for them, proposals ------------------------ */

/* A job with what it holds. */
struct replica_job {
    struct storage_job job; /* First. */
    struct replica_batch *batch;
    struct slice keys[REPLICA_KEYS_MAX];
    uint8_t *bytes; /* Of a configuration, or of entries that repair. */
    struct journal_entry *entries; /* REPAIR */
    size_t peer;                   /* Whose APPEND it was; SIZE_MAX: our own. */
    uint32_t epoch;                /* In which it was sent. */
    size_t size;                   /* Counted in the peer's queued_size. */
};

/* What is sent to a peer once a job is done. */
enum replica_owed_type { OWED_NOTHING, OWED_APPENDED, OWED_SEALED };
struct replica_owed {
    enum replica_owed_type type;
    uint64_t job; /* Number after which it goes out. */
    size_t peer;
    uint32_t epoch;
    uint32_t stream;
    uint64_t size;
};

struct replica_proposal {
    bool open;
    bool unknown; /* Sent, no answer: sent again as it is. */
    int64_t sent_ms;
    struct config config;
    struct register_proposal ask;
};

enum {
    REPLICA_OWED_MAX = 2048,
    REPLICA_PROPOSALS_MAX = 4,
    /* What a frame's list of epochs takes at most: u32, u64 and a hash each. */
    REPLICA_EPOCHS_SIZE = PEER_EPOCHS_MAX * (4 + 8 + HASH_SIZE)
};

/* Entries being gathered for a hole in this disk's log. */
struct replica_repair {
    uint64_t examined; /* EXAMINE jobs under way. */
    bool gathering;
    bool given; /* The REPAIR job is under way. */
    uint64_t first;
    uint64_t next;
    uint64_t end;
    size_t peer; /* Asked last. */
    uint32_t token;
    int64_t asked_ms;
    unsigned failures;       /* In a row. */
    bool misfit;             /* What came is right and does not fit there. */
    struct replica_job *job; /* With what came so far. */
    size_t size;             /* Bytes of it. */
};

/* Asking for the end of a log that lost it. */
struct replica_refill {
    size_t peer;    /* Asked last. */
    uint32_t token; /* 0: nobody yet. */
    int64_t asked_ms;
};

struct replica {
    struct replica_options options;
    struct replica_log log;
    enum replica_role role;
    enum replica_halt halt;
    bool halt_told; /* In this start. */
    int64_t now_ms; /* Of the event at hand. */
    int64_t wall_us;
    int64_t started_ms;
    bool ticked;
    int64_t tick_ms;                 /* The last. */
    struct replica_actions *actions; /* Of the event at hand. */

    /* Durable, or on its way. */
    uint32_t promised;
    uint32_t used_epoch;
    uint32_t seen_epoch; /* The highest that any peer named. */
    uint64_t incarnation;
    uint64_t claimed; /* The last that may be registered. */
    bool registered;
    bool enrolled;
    int64_t registering_ms;
    int64_t older_ms; /* When a peer last told of a later start. */

    /* The newest configuration known. */
    bool configured;
    struct config config;
    uint8_t config_bytes[CONFIG_SIZE_MAX];
    size_t config_size;
    uint8_t certificate[CONFIG_CERT_SIZE_MAX];
    size_t certificate_size;
    uint64_t revision;
    int64_t config_ms;     /* When it became known. */
    int64_t viewed_ms;     /* When the register last said anything. */
    int64_t reading_ms;    /* When it was last asked. */
    bool booted;           /* This start proposed the first configuration. */
    uint64_t first_number; /* Of the first value that this start saw there. */
    bool view_fresh;       /* Since the reading at grace. */
    bool
        alive[CONFIG_NODES_MAX]; /* As the register says; by peer, then self. */
    bool alive_known[CONFIG_NODES_MAX];
    bool gone[CONFIG_NODES_MAX]; /* It was alive in this start, and is not. */

    /* Lost or damaged. */
    bool lost;
    bool finding; /* FOUND is under way. */
    int64_t finding_ms;
    uint64_t lost_to;
    bool forced; /* Another lineage is on its way to the disk: all waits. */
    struct replica_repair repair;
    struct replica_refill refill;
    uint32_t token;
    struct journal_scrub scrub;
    int64_t scrub_ms;

    /* Following. */
    size_t primary_peer; /* Who leads, as frames show; SIZE_MAX: nobody. */
    uint32_t primary_epoch;
    int64_t heard_ms; /* Of a primary. */

    /* Leading. */
    uint32_t epoch;
    uint64_t barrier; /* Index of this epoch's EPOCH. */
    int64_t lead_ms;  /* When this term began. */
    bool stalled;
    uint32_t streams;
    uint8_t ship_buffer[PEER_ENTRIES_SIZE_MAX];
    uint64_t beacon_sequence;
    int64_t beacon_ms;
    size_t adopt_peer; /* RECOVERING: whose log is taken over. */
    size_t adopt_last; /* Whose it was to be before. */
    uint32_t adopt_token;
    uint32_t adopt_asks; /* In a row that brought nothing. */
    int64_t adopt_ms;
    bool adopted;
    bool adopting; /* A member whose tail is beyond repair. */
    bool hopeless; /* The same, before it won. */
    struct replica_proposal proposals[REPLICA_PROPOSALS_MAX];
    uint64_t proposal_token;
    uint64_t nonces;
    int64_t attempt_ms;             /* Not before: to try to lead. */
    int64_t members_ms;             /* Not before: to change members. */
    uint64_t vouched_job;           /* After which they are durable. */
    bool vouched[CONFIG_NODES_MAX]; /* Peers named in a statement for ADD. */

    /* A planned hand-over. */
    bool draining;
    bool drained;
    int64_t draining_ms;
    enum config_why wanted;
    int64_t wanted_ms;
    uint8_t hand_over_to[NODE_ID_SIZE];

    struct replica_peer peers[CONFIG_NODES_MAX - 1];
    size_t peers_count;
    uint64_t disputes; /* Claims against what is committed here. */
    uint64_t unkept;   /* Cuts of which nothing is kept. */

    struct storage_job *jobs_first;
    struct storage_job *jobs_last;
    size_t jobs_count;
    uint64_t job_number;
    uint64_t job_done;
    uint64_t cut_job;   /* The newest CUT given, and the least size of those */
    uint64_t cut_size;  /* that are not done. */
    uint64_t cut_again; /* Cut here once what is before is whole; or MAX. */
    struct replica_owed owed[REPLICA_OWED_MAX];
    size_t owed_first;
    size_t owed_count;
};

/* How meta keeps a configuration: as it is, or within its certificate. */
enum { STORED_CONFIG = 1, STORED_CERTIFICATE = 2 };

/* ---- Actions (replica_actions.c) ---------------------------------------- */

struct replica_action *replica_act(struct replica *replica,
                                   enum replica_action_type type);
/* Bytes that live as long as the actions. */
uint8_t *replica_space(struct replica *replica, size_t size);
void replica_send(struct replica *replica, size_t peer,
                  const struct peer_frame *frame);
void replica_say(struct replica *replica, enum replica_note note,
                 const uint8_t *node_id, uint64_t number);
/* ${index} is an entry's, or a configuration's number; ${evidence} an entry, a
 * certificate, or nothing.  It is durable before anybody hears of it that
 * counts: first among the actions, and kept at every start. */
void replica_halt(struct replica *replica, enum replica_halt halt,
                  uint64_t index, struct slice evidence);
/* This start begins halted: that is told with its first event. */
void replica_halt_again(struct replica *replica);

/* ---- Jobs (replica_jobs.c) ---------------------------------------------- */

struct replica_job *replica_job_new(struct replica *replica,
                                    enum storage_job_type type);
/* Give it to the disk; completions come in the same order. */
void replica_job_give(struct replica *replica, struct replica_job *job);
void replica_job_free(struct replica *replica, struct replica_job *job);
void replica_job_done(struct replica *replica, struct storage_job *job);
void replica_promise(struct replica *replica, uint32_t epoch);
/* Memory of a job's own; freed with it. */
uint8_t *replica_bytes(size_t size);
void replica_owe(struct replica *replica, const struct replica_owed *owed);
/* Cut off everything from ${size} on; only who is lost forgets what it knew to
 * be committed. */
void replica_cut(struct replica *replica, uint64_t size);
/* The cut that a damaged entry was in the way of. */
void replica_cut_again(struct replica *replica);
void replica_jobs_free(struct replica *replica);

/* ---- Parts -------------------------------------------------------------- */

bool replica_leads(const struct replica *replica); /* BARRIER or PRIMARY */
bool replica_won(const struct replica *replica); /* ... or on the way to it. */
void replica_set_role(struct replica *replica, enum replica_role role);
/* The role of one who follows. */
void replica_settle_role(struct replica *replica);
size_t replica_peer_of(const struct replica *replica, const uint8_t *node_id);
bool replica_is_self(const struct replica *replica, const uint8_t *node_id);
bool replica_is_member(const struct replica *replica);
/* Ask the register what stands there, unless that was done just now. */
void replica_look(struct replica *replica);
bool replica_elapsed(const struct replica *replica, int64_t since_ms,
                     uint32_t ms);

/* replica_forced.c: the operator begins a new lineage (V7). */
void replica_force(struct replica *replica, const struct config *config,
                   struct slice certificate);
void replica_forced_done(struct replica *replica, enum status status);
/* Whether the newest configuration begins a lineage with this very log, and
 * nothing was written in it yet. */
bool replica_forced_begins(const struct replica *replica);
/* ... or with another one, which may not lead it. */
bool replica_forced_elsewhere(const struct replica *replica);
/* What the lineage begins with is committed in it. */
void replica_forced_tend(struct replica *replica);
void replica_foreign(struct replica *replica, size_t peer,
                     const uint8_t lineage[LINEAGE_SIZE]);

/* replica_peers.c */
void replica_hello(struct replica *replica, size_t peer);
void replica_link_up(struct replica *replica, size_t peer);
void replica_link_down(struct replica *replica, size_t peer);
void replica_received(struct replica *replica, size_t peer, uint8_t type,
                      struct slice body);
/* Others hear whether this log is whole, when that changed. */
void replica_tell_flags(struct replica *replica);
void replica_tell_config(struct replica *replica, size_t peer);
void replica_keys_forget(struct replica_peer *peer);
void replica_peer_epochs(struct replica_peer *peer, const struct list *epochs);
void replica_break(struct replica *replica, size_t peer, enum status why);

/* replica_follow.c */
void replica_on_append(struct replica *replica, size_t peer,
                       const struct peer_frame *frame);
void replica_follow_fetched(struct replica *replica, size_t peer,
                            uint32_t epoch, struct slice entries);
void replica_on_beacon(struct replica *replica, size_t peer,
                       const struct peer_beacon *beacon);

/* replica_fence.c */
void replica_on_newepoch(struct replica *replica, size_t peer, uint32_t epoch);
/* Tells ${peer} how far this log goes, once nothing below ${epoch} is taken. */
void replica_seal(struct replica *replica, size_t peer, uint32_t epoch);
void replica_refuse(struct replica *replica, size_t peer,
                    enum peer_refusal reason, uint32_t epoch, uint32_t stream);
bool replica_epoch_fits(const struct replica *replica, uint32_t epoch);
/* Whether ${epoch} may be taken from ${peer}; promises it where it is new. */
bool replica_fence(struct replica *replica, size_t peer, uint32_t epoch,
                   uint32_t stream);

/*
 * replica_dispute.c
 *
 * Whether the newest configuration known here names ${peer} to lead in
 * ${epoch}; false for SIZE_MAX.
 */
bool replica_is_named(const struct replica *replica, size_t peer,
                      uint32_t epoch);
/* Somebody leads whom no configuration known here names: the register is asked,
 * but not again and again. */
void replica_look_for_name(struct replica *replica);
/* ${peer} says that another entry than this log's is committed at ${index}, and
 * proves nothing: it is counted, and told. */
void replica_dispute(struct replica *replica, size_t peer, uint64_t index);

/* replica_ship.c */
void replica_stream_begin(struct replica *replica, size_t peer);
void replica_stream_end(struct replica *replica, size_t peer);
/* From now on it is waited for, to have what there is now. */
void replica_expect(const struct replica *replica, struct replica_peer *peer);
void replica_ship(struct replica *replica, size_t peer);
void replica_ship_all(struct replica *replica);
void replica_send_keys(struct replica *replica, size_t peer, uint64_t first,
                       uint64_t end);
void replica_beacons(struct replica *replica, bool now);
void replica_on_appended(struct replica *replica, size_t peer,
                         const struct peer_appended *appended);
void replica_on_refused(struct replica *replica, size_t peer,
                        const struct peer_refused *refused);
/* ${peer} has less than everything from now on, if it had everything. */
void replica_peer_falls_behind(struct replica *replica,
                               struct replica_peer *peer);
void replica_submitted(struct replica *replica,
                       const struct replica_event *event);

/* replica_commit.c */
void replica_commit(struct replica *replica);
void replica_publish(struct replica *replica);
/* Whether ${node_id} is one of those who must agree (the maximal set). */
bool replica_must_agree(const struct replica *replica, const uint8_t *node_id);
/* A follower learns how far its primary committed. */
void replica_learn_commit(struct replica *replica, uint64_t committed);

/* replica_register.c */
void replica_read_register(struct replica *replica);
void replica_propose(struct replica *replica, const struct config *config,
                     const uint8_t *joins, const uint8_t *alive);
bool replica_proposing(const struct replica *replica);
void replica_retry(struct replica *replica);
void replica_viewed(struct replica *replica, const struct register_view *view);
void replica_answered(struct replica *replica,
                      const struct replica_event *event);
void replica_found(struct replica *replica);
void replica_certified(struct replica *replica, struct slice certificate);
/* Begins a successor of the newest configuration, with base and nonce. */
void replica_successor(struct replica *replica, struct config *out,
                       enum config_why why);
void replica_keep_config(struct replica *replica);
void replica_configure(struct replica *replica, struct slice config,
                       struct slice certificate, uint64_t revision);
bool replica_load_config(struct replica *replica, struct slice stored);

/* replica_lead.c, replica_recover.c */
void replica_try_to_lead(struct replica *replica);
void replica_take_lead(
    struct replica *replica); /* The configuration says so. */
/* The same, if it does. */
void replica_lead_as_named(struct replica *replica);
void replica_step_down(struct replica *replica);
void replica_candidate(struct replica *replica);
void replica_recovering(struct replica *replica);
void replica_on_sealed(struct replica *replica, size_t peer,
                       const struct peer_sealed *sealed);
void replica_adopt_fetched(struct replica *replica, size_t peer,
                           const struct peer_frame *frame);
/* Whether all that ${peer} sealed in this term of a node that was no member is
 * durable here, and whole. */
bool replica_has_adopted(const struct replica *replica, size_t peer);
/* Whether this log has, still, what ADOPTED says of it. */
bool replica_holds_base(const struct replica *replica);

/* replica_members.c */
void replica_members_tend(struct replica *replica);
void replica_vouch(struct replica *replica, const uint8_t *node_id);
void replica_hand_over(struct replica *replica, const uint8_t *node_id);
void replica_hand_over_tend(struct replica *replica);
void replica_want(struct replica *replica, enum config_why why,
                  const uint8_t *node_id);
bool replica_caught_up(const struct replica *replica, size_t peer);

/* replica_lost.c */
void replica_lost_open(struct replica *replica);
void replica_lost_tend(struct replica *replica);
void replica_set_lost(struct replica *replica);
void replica_rise(struct replica *replica, uint64_t above);
void replica_lose(struct replica *replica);
/* The log is one that a sealed member vouches for. */
void replica_find(struct replica *replica);
/* A configuration may say that nothing is missing any more. */
void replica_admitted(struct replica *replica);
void replica_found_done(struct replica *replica, enum status status);

/* replica_refill.c */
void replica_refill_tend(struct replica *replica);
/* False: the answer is not one to this. */
bool replica_refill_fetched(struct replica *replica, size_t peer,
                            const struct peer_frame *frame);

/* replica_repair.c, replica_serve.c */
/* Whether somebody's stream brings what is missing here. */
bool replica_hears_primary(const struct replica *replica);
/* The one after ${*peer} that can be asked; false if there is none. */
bool replica_next_peer(const struct replica *replica, size_t *peer);
void replica_repair_tend(struct replica *replica);
void replica_repair_wipe(struct replica *replica);
/* Entry ${index} could not be read. */
void replica_damaged(struct replica *replica, uint64_t index);
/* Whether some entry is, or may be, damaged. */
bool replica_has_holes(const struct replica *replica);
/* Whether the log has to end where a hole begins: nobody has all of what is
 * missing, or what stands behind it was written to a wrong place. */
bool replica_must_cut(const struct replica *replica, uint64_t *first_out);
void replica_examined(struct replica *replica, const struct replica_job *job);
void replica_repaired(struct replica *replica, const struct replica_job *job);
/* Whoever applies this log goes on, if it is whole again. */
void replica_repair_tell(struct replica *replica);
void replica_on_fetch(struct replica *replica, size_t peer,
                      const struct peer_fetch *fetch);
void replica_on_fetched(struct replica *replica, size_t peer,
                        const struct peer_frame *frame);
/* At the end of a scrubbing cycle over ${size} entries. */
void replica_compare(struct replica *replica, uint64_t size);
void replica_on_scrub(struct replica *replica, size_t peer,
                      const struct peer_scrub *scrub);
void replica_on_scrubbed(struct replica *replica, size_t peer,
                         const struct peer_scrubbed *scrubbed);

#endif
