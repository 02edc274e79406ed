/*
 * pipeline_log.h: where groups become committed, seen from both sides.
 *
 * A node of a cluster may lead (it sequences commands) or follow (it applies
 * what another node sequenced), and changes between both while it runs.  Who
 * decides that, writes the log and speaks with other nodes is the *host*; the
 * pipeline knows nothing of links, and the host nothing of commands.
 *
 *   core --submit--> host --pipeline_committed--> apply
 *
 * Without a host the pipeline writes the log itself: what is durable here is
 * committed.
 *
 * A node follows until pipeline_lead(), and from pipeline_follow() on.
 */
#ifndef DEFTER_SERVER_PIPELINE_PIPELINE_LOG_H
#define DEFTER_SERVER_PIPELINE_PIPELINE_LOG_H

#include "replication/storage.h"
#include "server/pipeline/group.h"
#include "server/pipeline/pipeline.h"
#include "server/store/keyring_rows.h"

struct pipeline_log {
    void *context;
    /*
     * The core thread: group->entries follow the log's end in group->epoch;
     * ${keyed}: some use a key for the first time, which is durable here.  A
     * group of an epoch in which this node does not lead any more is to be
     * passed over.
     *
     * Owns: ${group} is lent until pipeline_taken(), or pipeline_committed()
     *       passes it.  It may not block, nor call the pipeline otherwise than
     *       with pipeline_taken().
     */
    void (*submit)(void *context, struct group *group, bool keyed);
    /*
     * The apply thread of a node that follows: have the primary enter this
     * command, which this node signed.  Nothing is promised: it is asked again.
     * NULL: nobody is there to be asked.
     *
     * Owns: ${command} is lent for the call.
     */
    void (*confirm)(void *context, struct slice command);
};

/* ---- What the host tells: any thread, in its order; none blocks --------- */

/*
 * pipeline_taken(pipeline, group):
 * The host has read ${group} and will not look at it again, whether it took the
 * entries or passed over them.
 *
 * Order: at most once for each submit, before pipeline_committed() passes it.
 *        Where it is left out, a group that never is committed is kept until
 *        pipeline_close().
 */
void pipeline_taken(struct pipeline *pipeline, struct group *group);

/*
 * pipeline_committed(pipeline, size):
 * Entries below ${size} are committed, and durable here: they are applied, in
 * the order of the log, whoever sequenced them.
 *
 * Requires: it never falls.
 */
void pipeline_committed(struct pipeline *pipeline, uint64_t size);

/* How this node comes to lead. */
struct pipeline_lead {
    uint32_t epoch;         /* Above end.epoch. */
    struct journal_end end; /* Durable here. */
    struct slice configuration;
    struct slice certificate; /* Empty with a register. */
};

/*
 * pipeline_lead(pipeline, lead):
 * Sequence from now on.  EPOCH is the first entry; commands follow when those
 * of the inherited tail (what is durable and not applied) are known.
 *
 * Requires: the slices are at most CONFIG_SIZE_MAX and CONFIG_CERT_SIZE_MAX;
 *           the configuration is one, or empty.
 * Owns:     borrows ${lead} for the call.
 */
void pipeline_lead(struct pipeline *pipeline, const struct pipeline_lead *lead);

/*
 * pipeline_follow(pipeline):
 * Sequence no more.  Commands that wait are refused with ST_NOT_PRIMARY; those
 * submitted and not committed are answered ST_UNKNOWN_OUTCOME: they may stand
 * in the log of the next primary, and come back from there.
 *
 * Order: after pipeline_committed() of everything that was committed before.
 */
void pipeline_follow(struct pipeline *pipeline);

/*
 * pipeline_note_config(pipeline, config, certificate):
 * The newest configuration that this node has, with its certificate or an empty
 * slice; as often as the host likes.  While the node leads, those that the log
 * does not hold are entered after EPOCH, in the order of their numbers; of
 * more than a few that wait the newest remain.  A follower passes them over.
 *
 * Requires: ${config} is a configuration; ${certificate} is at most
 *           CONFIG_CERT_ENCODED_SIZE_MAX.
 * Owns:     borrows both for the call.
 */
void pipeline_note_config(struct pipeline *pipeline, struct slice config,
                          struct slice certificate);

/*
 * pipeline_drain_commands(pipeline, on):
 * Before a planned hand-over: take no more commands (ST_READ_ONLY) and attest
 * what is applied; or take them again, as each new term does.
 */
void pipeline_drain_commands(struct pipeline *pipeline, bool on);

/*
 * pipeline_cut_off(pipeline, on):
 * This node leads and has been able to commit nothing for so long that whoever
 * waits is told: commands that wait are refused with ST_NOT_PRIMARY, those
 * submitted are answered ST_UNKNOWN_OUTCOME, and are applied all the same if
 * they are committed later.  Or it takes commands again, as each new term does.
 */
void pipeline_cut_off(struct pipeline *pipeline, bool on);

/*
 * pipeline_take_confirmation(pipeline, command):
 * Enter a destroy.confirm that another node signed, if this node leads and the
 * state awaits it of that node.
 *
 * Returns: ST_OK: it was put in the queue, or that is full, or one is on its
 *          way; ST_NOT_PRIMARY; ST_NO_SUCH if none is awaited; ST_BUSY; else
 *          what is wrong with it.
 */
NODISCARD enum status pipeline_take_confirmation(struct pipeline *pipeline,
                                                 struct slice command);

/*
 * pipeline_lacks(pipeline):
 * The entry that this node cannot apply, and 1, because an act above it
 * destroyed what it holds: only a snapshot of a greater size helps.  0: it
 * lacks nothing.  Any thread.
 */
uint64_t pipeline_lacks(struct pipeline *pipeline);

/* Nothing is under way, and nothing is left to be attested by this node. */
bool pipeline_idle(struct pipeline *pipeline);

/*
 * pipeline_peer_clock(pipeline, offset_us_min, offset_us_max):
 * The clocks of the nodes that answer, less this node's, lie between these.
 * While all are more than a minute ahead, or all behind, nothing is sequenced.
 * INT64_MIN and INT64_MAX: none answers; INT64_MAX and INT64_MIN: one has to
 * answer first.
 */
void pipeline_peer_clock(struct pipeline *pipeline, int64_t offset_us_min,
                         int64_t offset_us_max);

/* ---- Seal keys ---------------------------------------------------------- */

/*
 * pipeline_accept(pipeline, job):
 * What a backup checks before it acknowledges, and the durability of the keys
 * that came with the entries.  The thread that runs storage jobs; it may wait
 * for a pipeline_follow() that was told to be done.
 *
 * Returns: ST_OK, also for this node's own entries (job->verify_keys unset);
 *          ST_ENTRY_FORMED for an entry that is not well formed, of an unknown
 *          operation, or with an item open that must be sealed or the other way
 *          round; ST_EARLY for a log time more than a minute ahead of this
 *          node's clock: ask again; ST_KEY_MISSING for a key number that has no
 *          row, here or with the job, and no tombstone; ST_SEAL for an item
 *          that does not open to its commitment, or rows that are none;
 *          ST_DIVERGED for a number that stands here with other bytes;
 *          ST_WRONG_STATE while this node leads.
 */
NODISCARD enum status pipeline_accept(struct pipeline *pipeline,
                                      const struct storage_job *job);

/*
 * pipeline_truncate_keys(pipeline, size):
 * Keys first used at or above ${size} go.  As pipeline_accept().
 *
 * Requires: this node follows.
 */
void pipeline_truncate_keys(struct pipeline *pipeline, uint64_t size);

/*
 * pipeline_keys(pipeline, out, size, cursor, end):
 * The next rows of keys first used below ${end}, for one KEYS frame; see
 * keyring_rows_next().  Any thread.
 */
size_t pipeline_keys(struct pipeline *pipeline, uint8_t *out, size_t size,
                     struct keyring_cursor *cursor, uint64_t end);

#endif
