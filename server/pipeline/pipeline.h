/*
 * pipeline.h: from a verified command to its committed entry and its answer.
 *
 *   I/O loop -> core (sequencer) -> disk (keys, log, mark) -> apply -> I/O loop
 *
 * In a cluster a host stands where the disk does: see pipeline_log.h.
 *
 * Every command goes this one way, so that answers leave only when the entry is
 * durable, and everybody's commands are judged in the order of the log.
 *
 * Threads: pipeline_submit(), pipeline_refused(), pipeline_noise(),
 * pipeline_query(), pipeline_status(), the watch functions and the directory
 * may be used by any thread.
 */
#ifndef DEFTER_SERVER_PIPELINE_PIPELINE_H
#define DEFTER_SERVER_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/receipt.h"
#include "replication/journal.h"
#include "server/evidence/evidence.h"
#include "server/pipeline/clock.h"
#include "server/pipeline/cluster_status.h"
#include "server/pipeline/directory.h"
#include "server/pipeline/work.h"

struct pipeline; /* Opaque, as these are here: */
struct apply;
struct idempotency;
struct keyring;
struct search;
struct identity;
struct pipeline_log;

/*
 * The answer to one work.  An ERROR has ${is_error} and uses code, tag, item
 * and retry_after_ms; an ANSWER uses code, flags, receipt and result.  That to
 * a pipeline_place() is an ERROR or has ${is_place}.
 */
enum {
    REPLY_DUPLICATE = 1, /* As the flags of ANSWER. */
    REPLY_RECEIPT = 2,
    REPLY_RESULT_OMITTED = 4
};
struct reply {
    struct reply *next;
    uint64_t connection;
    uint64_t request_id;
    bool is_error;
    bool is_place; /* Where a command stands: index; which, as it was asked. */
    bool of_bytes; /* The same, for pipeline_place_bytes(). */
    /* For an outcome: index is its attestation, result {u16 lefts ‖ path}. */
    bool of_outcome;
    uint8_t flags;
    uint8_t which;
    uint16_t code;
    uint16_t tag;
    uint16_t item; /* 65535 = none. */
    uint32_t retry_after_ms;
    uint64_t index;
    uint8_t receipt[RECEIPT_SIZE];
    uint8_t receipt_signature[SIGNATURE_SIZE];
    size_t result_size;
    uint8_t result[]; /* At most RESULT_SIZE_MAX bytes. */
};

/* Accepts NULL.  Wipes the result. */
void reply_close(struct reply *reply);

/*
 * What the pipeline calls, on threads of its own.  None may block or call back
 * into the pipeline's changing functions.
 */
struct pipeline_events {
    void *context;
    /* Replies for connections of one loop, linked by next; the callee owns
     * them. */
    void (*answer)(void *context, uint32_t loop, struct reply *replies);
    /* Entries below ${size} are committed and applied. */
    void (*grown)(void *context, uint64_t size);
    /* The key is not active any more: its connections end (ST_SESSION_OVER).
     */
    void (*key_ended)(void *context, const uint8_t key_id[KEY_ID_SIZE]);
};

/*
 * pipeline_submit(pipeline, work):
 * Take a command that passed steps 1 to 6.  The pure decode (step 11) is done
 * here, in the caller's thread; what it finds is answered in its turn, because
 * a known command is answered before.
 *
 * Returns: ST_OK; else the caller keeps ${work} and answers ERROR with
 *          ST_BUSY (queue full), ST_READ_ONLY (also for a realm that waits for
 *          its failover), ST_NOT_PRIMARY or ST_DRAINING.
 */
NODISCARD enum status pipeline_submit(struct pipeline *pipeline,
                                      struct work *work);

struct directory *pipeline_directory(struct pipeline *pipeline);
/* The node's cluster, for command_digest(). */
const uint8_t *pipeline_cluster_id(const struct pipeline *pipeline);
/* Entries that are committed and applied. */
uint64_t pipeline_size(struct pipeline *pipeline);

/*
 * pipeline_refused(pipeline, line):
 * Note a refusal after login that made no entry (count is 1).  The pipeline
 * enters the lines, same ones counted together, in journal.refused.
 */
void pipeline_refused(struct pipeline *pipeline,
                      const struct refused_line *line);

/* Note ${count} refusals before login of one cause, for journal.noise. */
void pipeline_noise(struct pipeline *pipeline, enum status cause,
                    uint32_t count);

/*
 * pipeline_lock_key(pipeline, key_id):
 * LOGIN_FAILURES_LOCK is reached: the node enters key.lock.
 */
void pipeline_lock_key(struct pipeline *pipeline,
                       const uint8_t key_id[KEY_ID_SIZE]);

/*
 * pipeline_query(pipeline, rows_out, query, version, fields):
 * Answer a public query from the newest applied state; the encoded rows are
 * appended to ${rows_out}, which has BLOB_SIZE_MAX bytes.
 *
 * Returns: ST_OK; ST_UNKNOWN_OP; ST_OP_VERSION; a decode error of the fields.
 */
NODISCARD enum status pipeline_query(struct pipeline *pipeline,
                                     struct writer *rows_out, uint16_t query,
                                     uint16_t version, struct slice fields);

/* Figures that the loops keep, for the status query; added by name. */
struct pipeline_figures {
    void *context;
    void (*add)(void *context, const char *name, uint64_t value);
};
/* The function is called within pipeline_query() of the status query, in the
 * caller's thread.  Order: before that. */
void pipeline_set_figures(struct pipeline *pipeline, void *context,
                          void (*report)(void *context,
                                         const struct pipeline_figures *to));

/*
 * What the operator's tool asks of a node (PROTOCOL, section 12): the callee
 * fills in the rows, whose blobs and texts it puts in ${space}.  Called within
 * pipeline_query(), in the caller's thread.
 */
struct rows_cluster_statement;
struct rows_cluster_certificate;
struct rows_cluster_witness;
struct pipeline_operator {
    void *context;
    /* ${request}: empty, or as the operator signed it; not verified yet. */
    void (*statement)(void *context, struct rows_cluster_statement *out,
                      struct writer *space, struct slice request);
    void (*certificate)(void *context, struct rows_cluster_certificate *out,
                        struct writer *space, struct slice certificate);
    void (*witness)(void *context, struct rows_cluster_witness *out,
                    struct writer *space, struct slice certificate);
};
/* Without it the node answers that it is a single one.  Copied.
 * Order: before pipeline_query(). */
void pipeline_set_operator(struct pipeline *pipeline,
                           const struct pipeline_operator *functions);

/* One journal.watch that was granted; the I/O loop that streams it owns it. */
struct watch {
    uint64_t entry;      /* Index of the journal.watch. */
    uint64_t next;       /* Entry to look at next. */
    uint16_t categories; /* Asked for and within the duty's scope. */
};

/*
 * pipeline_watch_open(pipeline, watch_out, entry, key_id):
 * Returns: ST_OK; ST_NO_SUCH if entry ${entry} is no granted journal.watch of
 *          ${key_id}, was opened before this node started, or has ended.
 */
NODISCARD enum status pipeline_watch_open(struct pipeline *pipeline,
                                          struct watch *watch_out,
                                          uint64_t entry,
                                          const uint8_t key_id[KEY_ID_SIZE]);

/*
 * pipeline_watch_next(pipeline, watch, entry_out, buffer):
 * Read the next applied entry that the watch may see.  ${buffer} has
 * WATCH_BUFFER_SIZE bytes.  Looks at no more than WATCH_SKIP_MAX entries.
 *
 * Returns: ST_OK; ST_END if there is none yet (see events.grown); ST_AGAIN if
 *          many were passed over and more follow; ST_SESSION_OVER if the key
 *          or the duty has ended; ST_CORRUPT if the log cannot be read.
 * Owns:    ${*entry_out} borrows from ${buffer}.
 */
enum { WATCH_BUFFER_SIZE = 64 * 1024, WATCH_SKIP_MAX = 256 };
NODISCARD enum status pipeline_watch_next(struct pipeline *pipeline,
                                          struct watch *watch,
                                          struct slice *entry_out,
                                          uint8_t *buffer);

/* ---- Evidence ----------------------------------------------------------- */

/* Who asks where the entry of a command stands. */
struct pipeline_place {
    uint32_t loop;
    uint64_t connection;
    uint64_t request_id;
    struct bytes16 key_id;
    struct bytes16 idem;
    uint8_t which;   /* Given back. */
    bool of_bytes;   /* The rest is pipeline_place_bytes()'s alone, */
    bool of_outcome; /* but this: what shows the outcome is wanted. */
    uint64_t index;
};

/*
 * pipeline_place(pipeline, place):
 * Look for the command of this key and idempotency number among those applied
 * in the last IDEM_RETENTION_HOURS.  The reply comes with events.answer.
 *
 * Returns: ST_OK; ST_BUSY if too many are looked for; ST_DRAINING.
 */
NODISCARD enum status pipeline_place(struct pipeline *pipeline,
                                     const struct pipeline_place *place);

/*
 * pipeline_inclusion(pipeline, proof_out, standing_out, index, which),
 * pipeline_consistency(pipeline, proof_out, standing_out, older, which):
 * As evidence_inclusion() and evidence_consistency(); ${*standing_out} is how
 * much stands behind the entry, or the newest entry of the proof's tree.
 *
 * Returns: ST_OK; ST_NO_SUCH; ST_BUSY also if no checkpoint holds the entry
 *          yet.
 */
NODISCARD enum status pipeline_inclusion(struct pipeline *pipeline,
                                         struct evidence_proof *proof_out,
                                         uint8_t *standing_out, uint64_t index,
                                         enum evidence_which which);
NODISCARD enum status pipeline_consistency(struct pipeline *pipeline,
                                           struct evidence_proof *proof_out,
                                           uint8_t *standing_out,
                                           uint64_t older,
                                           enum evidence_which which);

/* enum evidence_standing of an applied entry. */
uint8_t pipeline_standing(struct pipeline *pipeline, uint64_t index);

/*
 * pipeline_place_bytes(pipeline, place, index, key_id, carrier):
 * Whether the bytes of entry ${index} may be given out: pipeline_entry_of()
 * has them for ${key_id} and ${carrier}, the command is remembered as
 * pipeline_place() remembers it, and all of it was done.  An item's clear part
 * names the key that seals it, which is the subject's own if there is such a
 * subject: whoever was refused must not learn that.  The reply comes with
 * events.answer; what it refuses is ST_NO_SUCH.  ${place} has loop, connection,
 * request_id and of_outcome; the rest is filled in.
 *
 * With of_outcome the reply is instead what shows the outcome of the command,
 * which is an extract.issue: ST_BUSY as long as it is not attested.
 *
 * Returns: as pipeline_entry_of(), and as pipeline_place().
 */
NODISCARD enum status pipeline_place_bytes(struct pipeline *pipeline,
                                           struct pipeline_place *place,
                                           uint64_t index,
                                           const uint8_t key_id[KEY_ID_SIZE],
                                           uint16_t carrier);

/*
 * pipeline_entry_of(pipeline, entry_out, buffer, index, key_id, carrier):
 * The bytes of an applied entry, for the key that signed it, or the carrier
 * that carried it: ${carrier} is its number, 0 of a session that carries
 * nobody.  They leave only once the reply of pipeline_place_bytes() says so.
 * ${buffer} has JOURNAL_READ_SIZE bytes.
 *
 * Returns: ST_OK; ST_NO_SUCH if there is none, or another key signed it and
 *          not this carrier carried it; ST_CORRUPT if the log cannot be read.
 * Owns:    ${*entry_out} borrows from ${buffer}.
 */
NODISCARD enum status pipeline_entry_of(struct pipeline *pipeline,
                                        struct slice *entry_out,
                                        uint8_t *buffer, uint64_t index,
                                        const uint8_t key_id[KEY_ID_SIZE],
                                        uint16_t carrier);

/*
 * pipeline_attestation(pipeline, entry_out, buffer, index):
 * The bytes of the attestation that a reply with of_outcome named.
 *
 * Returns: ST_OK; ST_CORRUPT if the log cannot be read.
 * Owns:    ${*entry_out} borrows from ${buffer}, of JOURNAL_READ_SIZE bytes.
 */
NODISCARD enum status pipeline_attestation(struct pipeline *pipeline,
                                           struct slice *entry_out,
                                           uint8_t *buffer, uint64_t index);

/* ---- The cluster -------------------------------------------------------- */

/* Where the primary is, as far as it is known: zeros, and an empty text. */
struct pipeline_primary {
    struct bytes16 node_id;
    char address[ADDRESS_SIZE_MAX + 1]; /* host:port for clients. */
};

/*
 * pipeline_set_leading(pipeline, leading, primary_id, primary_address):
 * From now on commands are taken, or answered ST_NOT_PRIMARY with what is known
 * of the primary (${primary_id} and ${primary_address} may be NULL, and do not
 * count where ${leading}).  Until the first call the node leads.  Any thread;
 * the same again changes nothing.
 */
void pipeline_set_leading(struct pipeline *pipeline, bool leading,
                          const uint8_t *primary_id,
                          const char *primary_address);
bool pipeline_leads(struct pipeline *pipeline);
/* True if this node does not lead; then ${*primary_out} is who does. */
bool pipeline_primary_elsewhere(struct pipeline *pipeline,
                                struct pipeline_primary *primary_out);

/* ${moved} runs in the thread of each pipeline_set_leading() that changed
 * something after this call.  Any thread, while others are there too. */
void pipeline_set_moved(struct pipeline *pipeline, void *context,
                        void (*moved)(void *context));

/*
 * pipeline_set_cluster(pipeline, context, fill):
 * Who tells the status query of the cluster.  ${fill} runs in any thread, must
 * not block, and finds a node that is alone filled in, which it corrects.
 * Order: before the node serves.
 */
void pipeline_set_cluster(struct pipeline *pipeline, void *context,
                          void (*fill)(void *context,
                                       struct cluster_status *out));

/* ---- The node's half ---------------------------------------------------- */

/* Borrowed until pipeline_close().  The state is replayed to the log's end; in
 * a cluster to where it is known to be committed. */
struct pipeline_parts {
    struct journal *journal;
    struct keyring *keyring;
    struct state *state;
    struct search *search;
    struct directory *directory;
    struct apply *apply;
    struct idempotency *idempotency;
    const struct identity *identity; /* The node's receipt key. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct clock_source clock;
    struct pipeline_events events;
    struct evidence *evidence;      /* NULL: nothing is proven. */
    const struct pipeline_log *log; /* NULL: the pipeline writes the log. */
    /* Without a host only: */
    struct journal_end end;
    uint32_t epoch; /* Of this start, durable in meta. */
    /* Whether the disk has room for what comes of commands, asked by the core
     * thread; where it has none they are refused with ST_READ_ONLY.  NULL: not
     * asked. */
    void *room_context;
    bool (*has_room)(void *context);
    /* Where copies of the keys are kept outside the keyring; NULL: nowhere.
     * The thread that destroys keys tells it; no act is confirmed before it
     * says that none of them is left there. */
    void *copies_context;
    void (*copies_buried)(void *context);
    bool (*copies_clean)(void *context);
    /* Keys first used below this entry may be said to be destroyed by an act
     * that the log lost: where the node's lineage was forced; 0: it was not.
     * lost_taken is told how many were taken so; NULL: nobody. */
    uint64_t lost_below;
    void *lost_context;
    void (*lost_taken)(void *context, uint64_t count);
    /* This node's clock is not to be believed from now on, and commands are
     * refused; or it is again.  NULL: nobody is told. */
    void (*clock_doubted)(bool doubted);
    uint64_t lacks; /* As pipeline_lacks(), known from the start. */
    /* This node cannot go on; it returns only to end the process. */
    void *failed_context;
    void (*failed)(void *context, enum status status, uint64_t index,
                   const char *what);
};

/*
 * pipeline_open(parts):
 * Nothing runs yet.  Aborts if there is no memory.
 * Order:    pipeline_start(), pipeline_drain(), pipeline_close().
 */
struct pipeline *pipeline_open(const struct pipeline_parts *parts);

/*
 * pipeline_start(pipeline):
 * Start the threads, and enter this start's EPOCH, and in the first start the
 * cluster secret; returns when both are applied.  With a host it follows.
 *
 * Returns: ST_OK; ST_READ_ONLY if the disk had no room for them: nothing was
 *          entered in this epoch, nothing will be, and the threads ended.
 */
NODISCARD enum status pipeline_start(struct pipeline *pipeline);

/*
 * pipeline_drain(pipeline):
 * Take no more commands (ST_DRAINING), finish and answer those taken, attest,
 * checkpoint, and stop the threads.  Answers are given before it returns.
 *
 * Order: a host goes on telling until it returns, and is stopped then; what is
 *        not committed within some seconds is answered ST_UNKNOWN_OUTCOME.
 */
void pipeline_drain(struct pipeline *pipeline);

/* Accepts NULL. Order: after pipeline_drain(), if it was started. */
void pipeline_close(struct pipeline *pipeline);

#endif
