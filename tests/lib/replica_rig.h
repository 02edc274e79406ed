/*
 * replica_rig.h: one replica on a disk in memory, driven event by event.
 *
 * The test is everything else: the peers, the register, the operator, the clock
 * and the moment when the disk works.  What the replica does comes as a text,
 * one line for each action (replica_rig_trace.c), so that a test says what it
 * expects as it is read:
 *
 *   lone_append(&rig, 'A', &log, 2, 4, 4);
 *   lone_expect(&rig, "job append 2..3\n");
 *   lone_work(&rig);
 *   lone_expect(&rig, "send A APPENDED epoch 1 stream 1 size 4\n");
 *
 * Nodes are named by letters: A and B may be primary, Z is an archive.
 */
#ifndef DEFTER_TESTS_LIB_REPLICA_RIG_H
#define DEFTER_TESTS_LIB_REPLICA_RIG_H

#include "replication/replica.h"
#include "replication/replica_parts.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/rig_log.h"

enum {
    RIG_JOBS_MAX = 4096,
    RIG_SENDS_MAX = 4096,
    RIG_TRACE_SIZE = 1 << 20,
    RIG_SEGMENT = SEGMENT_HEADER_SIZE + 8192
};

/* A frame that was sent. */
struct lone_send {
    char to;
    uint8_t type;
    uint8_t *bytes;
    size_t size;
};

struct replica_rig {
    char self;
    char peers[CONFIG_NODES_MAX]; /* Letters, by number of peer. */
    struct disk_model *model;
    struct journal *journal;
    struct journal_report report;
    struct meta meta;
    struct storage storage;
    struct replica_options options;
    uint32_t segment_size;
    uint64_t aside_size_max; /* journal_options */
    struct replica *replica;
    int64_t now_ms;
    int64_t wall_us;

    struct storage_job *jobs[RIG_JOBS_MAX]; /* Given, not done. */
    size_t jobs_count;
    bool disk_failed; /* The process would end. */

    struct register_proposal asked; /* The newest proposal. */
    size_t asked_count;
    uint64_t revision;      /* Of the register that the test plays. */
    struct config config;   /* What stands there; number 0: nothing. */
    struct journal_end end; /* Where this node sequences. */
    uint32_t epoch;
    bool leads;
    uint64_t published; /* The newest REPLICA_COMMIT. */

    struct lone_send sends[RIG_SENDS_MAX];
    size_t sends_count;
    char trace[RIG_TRACE_SIZE];
    size_t trace_size;
};

/* ---- Its life ----------------------------------------------------------- */

/* Node ${self} of a cluster of ${nodes} ("ABZ"); nothing is opened yet, and
 * rig->options may be changed. */
void lone_begin(struct replica_rig *rig, char self, const char *nodes);
void lone_end(struct replica_rig *rig);

/* Opens everything; with lone_stop() between, the next start. */
void lone_open(struct replica_rig *rig);
enum status lone_try_open(struct replica_rig *rig);
void lone_stop(struct replica_rig *rig);
/* Stops as without power; what was not synced is gone. */
void lone_lose_power(struct replica_rig *rig);

/* Opens, and goes on until it is registered and has read the register. */
void lone_start(struct replica_rig *rig);

/* ---- Events ------------------------------------------------------------- */

void lone_event(struct replica_rig *rig, struct replica_event *event);
/* ${ms} pass, then a tick. */
void lone_tick(struct replica_rig *rig, int64_t ms);
/* The same in steps as a node makes them. */
void lone_pass(struct replica_rig *rig, int64_t ms);
void lone_link(struct replica_rig *rig, char peer);
void lone_unlink(struct replica_rig *rig, char peer);
void lone_receive(struct replica_rig *rig, char peer,
                  const struct peer_frame *frame);
void lone_receive_bytes(struct replica_rig *rig, char peer, uint8_t type,
                        struct slice body);

/* The disk does the next ${count} jobs, or all that there are and that come of
 * them. */
void lone_jobs(struct replica_rig *rig, size_t count);
/* What is on the disk is read from there from now on. */
void lone_forget_recent(struct replica_rig *rig);
void lone_work(struct replica_rig *rig);

/* ---- The register ------------------------------------------------------- */

/* The register holds ${number} of this node; if that hinders nothing, it asks
 * for its own to be registered. */
void lone_looked(struct replica_rig *rig, uint64_t number);
void lone_registered(struct replica_rig *rig);
/* ${config} stands there at the next revision; the replica sees it. */
void lone_view(struct replica_rig *rig, const struct config *config);
/* What is there already is seen once more. */
void lone_see(struct replica_rig *rig);
/* The newest proposal wins, and stands there. */
void lone_win(struct replica_rig *rig);
void lone_answer(struct replica_rig *rig, enum register_outcome outcome);
/* The primary that stands there started again, in ${epoch}; the replica sees
 * it. */
void lone_restart(struct replica_rig *rig, uint32_t epoch);
void lone_alive(struct replica_rig *rig, char node, bool alive);
/* The configuration that was proposed last. */
struct config lone_proposed(const struct replica_rig *rig);

/* ---- Peers -------------------------------------------------------------- */

/* A link and a HELLO of ${peer}, who has the first ${size} entries of ${log}
 * (NULL: none). */
void lone_greet(struct replica_rig *rig, char peer, const struct rig_log *log,
                uint64_t size);
/* A HELLO as lone_greet()'s; the test may change it and send it itself. */
void lone_hello(const struct replica_rig *rig, struct peer_frame *out,
                const struct rig_log *log, uint64_t size);

/* An APPEND of entries [first, end) of ${log} in its epoch, stream 1. */
void lone_append(struct replica_rig *rig, char peer, const struct rig_log *log,
                 uint64_t first, uint64_t end, uint64_t committed);
void lone_append_in(struct replica_rig *rig, char peer,
                    const struct rig_log *log, uint32_t epoch, uint64_t first,
                    uint64_t end, uint64_t committed);
/* An APPENDED of ${peer} to the newest APPEND that it was sent. */
void lone_ack(struct replica_rig *rig, char peer, uint64_t size);
/* To everything that it was sent. */
void lone_ack_all(struct replica_rig *rig, char peer);

/* A backup, or a learner, that has all of ${log}: A and ${members} are in sync
 * under A's epoch 1; the link to A is gone again. */
void lone_backup(struct replica_rig *rig, const char *members, uint8_t minimum,
                 const struct rig_log *log);
/* ${ms} pass; then the register says the same as before. */
void lone_silence(struct replica_rig *rig, int64_t ms);

/* ---- Leading ------------------------------------------------------------ */

/* ${count} entries follow, in this node's epoch. */
void lone_submit(struct replica_rig *rig, size_t count);
/* The newest proposal wins, and this node begins to lead by it. */
void lone_win_lead(struct replica_rig *rig);
/* A alone leads, its EPOCH is committed if ${minimum} is 1. */
void lone_lead_alone(struct replica_rig *rig, uint8_t minimum);
/* A leads with B as member, everything is committed; minimum 2. */
void lone_lead_pair(struct replica_rig *rig);

/* ---- What it did -------------------------------------------------------- */

/* DEFTER_TRACE=1 in the environment prints every line as it comes.
 * The actions since the last call, or since lone_forget(), are these. */
void lone_expect(struct replica_rig *rig, const char *text);
/* Among them is a line that begins so; nothing is forgotten. */
bool lone_did(const struct replica_rig *rig, const char *text);
size_t lone_count(const struct replica_rig *rig, const char *text);
void lone_forget(struct replica_rig *rig);
/* The newest frame of that type to ${peer}; false if there was none. */
bool lone_sent(const struct replica_rig *rig, struct peer_frame *out, char peer,
               enum peer_number type);

struct replica_status lone_status(const struct replica_rig *rig);
enum replica_role lone_role(const struct replica_rig *rig);
size_t lone_peer(const struct replica_rig *rig, char peer);

/* replica_rig_trace.c */
void lone_trace_action(struct replica_rig *rig,
                       const struct replica_action *action);
/* A job that did not end well. */
void lone_trace_done(struct replica_rig *rig, const struct storage_job *job);

#endif
