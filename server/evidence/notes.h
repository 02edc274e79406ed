/*
 * notes.h: the newest notes that are true of this node's log, in memory, while
 * their cosignatures come in; and notes that the log has yet to reach.
 *
 * Not for several threads: the caller's lock guards it.
 */
#ifndef DEFTER_SERVER_EVIDENCE_NOTES_H
#define DEFTER_SERVER_EVIDENCE_NOTES_H

#include "protocol/checkpoint.h"
#include "protocol/tlog_policy.h"
#include "server/evidence/evidence.h"

enum { NOTES_WAITING_MAX = 4 };

/*
 * Invariants: bytes hold a note that checkpoint_open() took; its first
 * ${text_size} are the text.  It has one line of the log's key, and every
 * other one verifies, and is the only one of its name and keyid: so there is
 * room for all whom this node knows, whatever others write.
 */
struct notes_note {
    uint64_t size;
    uint8_t root[HASH_SIZE];
    int64_t time_s; /* When it was signed or taken. */
    bool own;
    bool changed; /* Since it was judged last. */
    bool witnessed;
    size_t text_size;
    size_t bytes_size;
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
};

/*
 * Invariants: kept[0] to kept[kept_count - 1] have rising sizes; so have the
 * first ${waiting_count} that wait.
 */
struct notes {
    const struct note_key *log_key;
    const struct tlog_policy *policy; /* NULL: none. */
    struct evidence_cosigners cosigners;
    size_t kept_count;
    size_t waiting_count;
    struct notes_note *kept[EVIDENCE_NOTES_KEPT];
    struct notes_note *waiting[NOTES_WAITING_MAX];
};

/* Keeps the keys by which lines are verified. */
void notes_init(struct notes *notes, const struct note_key *log_key,
                const struct tlog_policy *policy,
                const struct evidence_cosigners *cosigners);
void notes_wipe(struct notes *notes);

/*
 * notes_read(note_out, notes, bytes):
 * Read a note that the log signed.  Of the other lines those are taken that
 * verify, of the policy's witnesses and of enrolled cosigners: whoever knows
 * the key of a bad line would refuse the note, and a line of nobody takes the
 * place of somebody's.
 *
 * Returns: as checkpoint_open(); ST_TOO_LARGE above EVIDENCE_NOTE_SIZE_MAX.
 * Owns:    gives ${*note_out}, to be closed with notes_close().
 */
NODISCARD enum status notes_read(struct notes_note **note_out,
                                 const struct notes *notes, struct slice bytes);
/* Accepts NULL. */
void notes_close(struct notes_note *note);

/* ---- Notes that wait ---------------------------------------------------- */

/* Takes ${note}.  Of more than NOTES_WAITING_MAX the largest gives way, and of
 * one size the one before: the log comes to the smallest first. */
void notes_wait(struct notes *notes, struct notes_note *note);

/* Gives the smallest that a log of ${size} entries reaches; NULL for none. */
struct notes_note *notes_take_waiting(struct notes *notes, uint64_t size);

/* ---- Notes that are true ------------------------------------------------ */

/*
 * notes_keep(notes, note):
 * Takes ${note}, and the lines of one of this size that is there already are
 * joined with its own.
 *
 * Requires: a kept note of its size has its root.
 * Returns:  whether it is the newest, and was not there.
 */
bool notes_keep(struct notes *notes, struct notes_note *note);

/* Lent; NULL for none. */
struct notes_note *notes_newest(const struct notes *notes);
struct notes_note *notes_of(const struct notes *notes, uint64_t size);

/*
 * notes_add_line(note, notes, line):
 * Add a signature line, with its "\n", unless its name and keyid are there.
 *
 * Requires: the line was verified, unless it is a witness's of the policy.
 * Returns: ST_OK; and the note is as before: ST_FILE_FORMAT; ST_TOO_LARGE;
 *          ST_BAD_SIG of a witness of the policy.
 */
NODISCARD enum status notes_add_line(struct notes_note *note,
                                     const struct notes *notes,
                                     struct slice line);

/* Whether the quorum of the policy signed; without one never. */
bool notes_satisfies(const struct notes *notes, const struct notes_note *note);

#endif
