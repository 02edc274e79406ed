/*
 * evidence.h: what this node publishes of its log, so that others can check it:
 * the tree, checkpoints with signatures, proofs.
 *
 *   apply thread -- leaf hashes --> tree files (tree_files.h)
 *                                     |
 *   evidence thread: sign a checkpoint, gather cosignatures, mend the tree
 *                                     |
 *   I/O loops  <------ proofs ---------+
 *
 * Neither the core thread nor the apply thread ever waits for it.
 *
 * A *checkpoint* says: the log of this origin has this size and this root; a
 * *note* is a checkpoint with signatures (protocol/note.h, checkpoint.h).  The
 * primary signs; other nodes take its notes (evidence_take_note()), compare
 * them with their own tree, and serve them.
 *
 * What is promised, whatever crashes (evidence_state.h, signer.h):
 *   - never two roots for one size, never a size below one that was signed or
 *     witnessed before;
 *   - a root that contradicts what stands durably here is signed never: the
 *     node says so, goes on serving, and signs nothing any more;
 *   - what others sign is evidence, and never a reason to sign or not to.
 *
 * Threads: unless a function says otherwise, any may call it at any time after
 * evidence_open(), and none blocks for longer than some reads of the disk.
 */
#ifndef DEFTER_SERVER_EVIDENCE_EVIDENCE_H
#define DEFTER_SERVER_EVIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/status.h"

struct disk;
struct evidence;
struct identity;
struct journal;
struct note_key;
struct note_signature;
struct tlog_policy;

/* How much stands behind an answer (PROTOCOL, section 7.3).  Each includes
 * those before it. */
enum evidence_standing {
    EVIDENCE_LOCAL = 1,      /* Durable on this node, which is alone. */
    EVIDENCE_REPLICATED = 2, /* Durable on every member, more than one. */
    EVIDENCE_WITNESSED = 3   /* Below a checkpoint that satisfies the policy. */
};

enum evidence_level { EVIDENCE_NOTE, EVIDENCE_WARNING, EVIDENCE_FAILURE };

/* Why nothing is signed. */
enum evidence_idle {
    EVIDENCE_SIGNS,   /* It is, whenever there is something new. */
    EVIDENCE_FOLLOWS, /* Another node leads. */
    EVIDENCE_NO_KEY,  /* There is no log key here. */
    /* The log, or what of it stands in the tree, is below what was signed or
     * witnessed. */
    EVIDENCE_BEHIND,
    /* The log's root is another than what was signed or witnessed at that size:
     * never again. */
    EVIDENCE_CONTRADICTS,
    EVIDENCE_DISK /* Its state cannot be read or written. */
};
const char *evidence_idle_text(enum evidence_idle idle);

/* A checkpoint that is true of this node's own log. */
struct evidence_checkpoint {
    uint64_t size;
    uint8_t root[HASH_SIZE];
    struct slice text; /* What signatures cover (checkpoint.h). */
    struct slice note; /* The text, with the signatures known so far. */
    bool own;          /* This node signed it with the log's key. */
};

/*
 * What evidence calls, on the evidence thread; each may be NULL.  They may call
 * any function of this header but evidence_stop() and evidence_close().
 */
struct evidence_events {
    void *context;
    /* Lines for people. */
    void (*say)(void *context, enum evidence_level level, const char *line);
    /*
     * A newer checkpoint was signed here, or came from the primary and was
     * found true of this node's tree.  Sizes rise.  The cosigner signs it now,
     * and whoever sends notes to others does.
     */
    void (*checkpoint)(void *context,
                       const struct evidence_checkpoint *checkpoint);
    /* ${checkpoint} satisfies the policy, and no smaller one will be told. */
    void (*witnessed)(void *context,
                      const struct evidence_checkpoint *checkpoint);
};

/*
 * The cosigners that the log enrolled: ${find} gives the key of the one whose
 * name and keyid ${line} has, or says false.  Called on any thread, and may
 * call nothing of this header.
 */
struct evidence_cosigners {
    void *context;
    bool (*find)(void *context, struct note_key *key_out,
                 const struct note_signature *line); /* NULL: none is known. */
};

/* Borrowed until evidence_close(). */
struct evidence_parts {
    struct disk *disk;
    struct journal *journal;
    const char *origin;                  /* The log's name. */
    const uint8_t *log_public_key;       /* As genesis names it. */
    const struct identity *log_identity; /* NULL: this node never signs. */
    const struct tlog_policy *policy;    /* NULL: nothing is witnessed. */
    struct evidence_cosigners cosigners;
    /* Clocks: microseconds since 1970, and since boot. */
    void *clock_context;
    int64_t (*wall_us)(void *context);
    int64_t (*boot_us)(void *context);
    struct evidence_events events;
};

/*
 * evidence_open(evidence_out, parts, applied_size):
 * Read the state and the tree files of a log of which ${applied_size} entries
 * are applied.  Where the tree is missing, short or different it is made from
 * the log by the evidence thread, and that is said.  Where the state cannot be
 * read nothing is signed (EVIDENCE_DISK).
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 * Owns:    gives ${*evidence_out}.
 * Order:   evidence_start(), evidence_stop(), evidence_close().
 */
NODISCARD enum status evidence_open(struct evidence **evidence_out,
                                    const struct evidence_parts *parts,
                                    uint64_t applied_size);

/* In the place of parts->events.  Order: before evidence_start(). */
void evidence_set_events(struct evidence *evidence,
                         const struct evidence_events *events);

/* Starts the thread; a test may call evidence_turn() instead.
 * Returns: ST_OK; ST_EXHAUSTED. */
NODISCARD enum status evidence_start(struct evidence *evidence);

/*
 * evidence_stop(evidence):
 * Sign once more what is new, if this node may, and end the thread.
 *
 * Order: when nothing is applied any more.
 */
void evidence_stop(struct evidence *evidence);

/* Accepts NULL. */
void evidence_close(struct evidence *evidence);

/*
 * evidence_turn(evidence):
 * What the thread does between two waits.
 *
 * Returns: milliseconds until it wants to be called again at the latest.
 */
uint32_t evidence_turn(struct evidence *evidence);

/* ---- What the pipeline tells -------------------------------------------- */

/*
 * evidence_applied(evidence, index, leaf):
 * Entry ${index} is committed and applied.  The apply thread's, in the order of
 * the log, without a gap from what evidence_open() was told on.  Readers see it
 * with evidence_publish().
 */
void evidence_applied(struct evidence *evidence, uint64_t index,
                      const uint8_t leaf[HASH_SIZE]);

/* The apply thread: what was applied may be proven and signed. */
void evidence_publish(struct evidence *evidence);

/* This node leads: it may sign sizes from ${size} on, which is EPOCH of its
 * term and all before it; or it follows, as it does at first. */
void evidence_lead(struct evidence *evidence, uint64_t size);
void evidence_follow(struct evidence *evidence);

/* ---- Notes and cosignatures --------------------------------------------- */

/*
 * evidence_note(evidence, out, size_out):
 * The newest note; ${out} has EVIDENCE_NOTE_SIZE_MAX bytes.
 * evidence_note_witnessed(): the newest that satisfied the policy.
 *
 * Returns: ST_OK; ST_NO_SUCH if there is none yet.
 */
NODISCARD enum status evidence_note(struct evidence *evidence, uint8_t *out,
                                    size_t *size_out);
NODISCARD enum status evidence_note_witnessed(struct evidence *evidence,
                                              uint8_t *out, size_t *size_out);

/*
 * evidence_take_note(evidence, note):
 * A note that the primary signed.  The evidence thread compares it with this
 * node's own tree, once the log has come so far, and serves it if it is true
 * (events.checkpoint).  Of its lines those are taken that verify, of witnesses
 * of the policy and of enrolled cosigners; those that are new on a note served
 * already are added.
 *
 * If it has another root than this node's log, whoever holds the log's key
 * signed two logs, and this node cannot know which one others have.  The first
 * such note is kept as the file `checkpoint.contradicts`, both roots are said,
 * now and at each start, and status tells.  This node goes on: what it signs is
 * still its own log alone, which agrees with all that it signed before.  Else
 * one note of whoever has that key would end all signing for good.
 *
 * Returns: ST_OK: it will be compared; ST_FILE_FORMAT; ST_TOO_LARGE; ST_ORIGIN;
 *          ST_NO_SUCH if the log did not sign it; ST_BAD_SIG.
 */
NODISCARD enum status evidence_take_note(struct evidence *evidence,
                                         struct slice note);

/*
 * evidence_add_cosignature(evidence, size, line):
 * A signature line, with its "\n", over the checkpoint of ${size}.
 *
 * Requires: the caller knows the key and has verified the line over the
 *           checkpoint's text.
 * Returns:  ST_OK, also if a line of that key was there already; ST_NO_SUCH if
 *           no note of that size is remembered (the newest EVIDENCE_NOTES_KEPT
 *           are); ST_TOO_LARGE if the note is full; ST_FILE_FORMAT; ST_BAD_SIG
 *           of a witness of the policy.
 */
NODISCARD enum status evidence_add_cosignature(struct evidence *evidence,
                                               uint64_t size,
                                               struct slice line);

/*
 * evidence_cosign_begin(evidence, size, root, time_s):
 * A cosigner of this node is about to sign: notes it durably first.
 *
 * Returns: ST_OK, and it may; ST_PROOF if ${root} is not this log's at
 *          ${size}, or was not what was cosigned at that size before;
 *          ST_END if a larger size was cosigned before; ST_AGAIN if the log is
 *          shorter; ST_DISK_FAILED or ST_DISK_FULL: it may not.
 */
NODISCARD enum status evidence_cosign_begin(struct evidence *evidence,
                                            uint64_t size,
                                            const uint8_t root[HASH_SIZE],
                                            int64_t time_s);

/* ---- Proofs ------------------------------------------------------------- */

/* Hashes with the note that they go with.  Invariant: it was checked. */
struct evidence_proof {
    uint64_t tree_size; /* Of the note. */
    size_t hashes_count;
    uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
    size_t note_size;
    uint8_t note[EVIDENCE_NOTE_SIZE_MAX];
};

/* Which note a proof goes with. */
enum evidence_which {
    EVIDENCE_BEST,  /* The newest witnessed one, if it covers what is asked. */
    EVIDENCE_NEWEST /* The newest. */
};

/*
 * evidence_inclusion(evidence, proof_out, index, which),
 * evidence_consistency(evidence, proof_out, older, which):
 * That entry ${index}, or the tree of the first ${older} entries, is in the
 * tree of the note.
 *
 * Returns: ST_OK; ST_NO_SUCH if the newest note does not reach so far, or there
 *          is none; ST_BUSY if the tree files are damaged: they are being
 *          mended from the log.
 */
NODISCARD enum status evidence_inclusion(struct evidence *evidence,
                                         struct evidence_proof *proof_out,
                                         uint64_t index,
                                         enum evidence_which which);
NODISCARD enum status evidence_consistency(struct evidence *evidence,
                                           struct evidence_proof *proof_out,
                                           uint64_t older,
                                           enum evidence_which which);

/*
 * evidence_consistency_between(evidence, hashes_out, count_out, older, newer):
 * The same between two sizes of this node's own log, as witnesses want it.
 *
 * Requires: older <= newer; ${hashes_out} holds PROOF_HASHES_MAX.
 * Returns:  ST_OK; ST_NO_SUCH if the log is shorter; ST_BUSY as above.
 */
NODISCARD enum status evidence_consistency_between(
    struct evidence *evidence, uint8_t (*hashes_out)[HASH_SIZE],
    size_t *count_out, uint64_t older, uint64_t newer);

/*
 * evidence_root(evidence, out, size):
 * The root of the first ${size} entries of this node's own log.
 *
 * Returns: ST_OK; ST_NO_SUCH if the log is shorter; ST_BUSY as above.
 */
NODISCARD enum status evidence_root(struct evidence *evidence,
                                    uint8_t out[HASH_SIZE], uint64_t size);

/* Standing of entry ${index}, which is applied; ${replicated}: this node has
 * other members. */
enum evidence_standing evidence_standing(struct evidence *evidence,
                                         uint64_t index, bool replicated);

/* What status tells. */
struct evidence_status {
    enum evidence_idle idle;
    uint64_t tree_size;      /* Entries that can be proven. */
    uint64_t note_size;      /* Of the newest note; 0: none. */
    int64_t note_time_s;     /* When it was signed or taken; 0: none. */
    uint64_t witnessed_size; /* 0: none. */
    bool has_policy;
    bool has_foreign; /* The file `checkpoint.contradicts` is there. */
};
void evidence_status(struct evidence *evidence, struct evidence_status *out);

#endif
