/*
 * checkpoint.h: the signed head of a log, and what others sign of it
 * (TRANSPARENCY, sections 4 and 5; c2sp.org/tlog-checkpoint and
 * c2sp.org/tlog-cosignature).
 *
 *     origin "\n"
 *     size, decimal "\n"
 *     base64(root[32]) "\n"
 *     any number of extension lines, not empty
 *
 * is the text of a note; extension lines are read and never written.  A
 * cosigner signs
 *
 *     "cosignature/v1\n" "time " seconds, decimal "\n" text
 *
 * and its blob is keyid[4] ‖ u64 big-endian seconds ‖ signature[64].
 */
#ifndef DEFTER_PROTOCOL_CHECKPOINT_H
#define DEFTER_PROTOCOL_CHECKPOINT_H

#include "protocol/note.h"

/* Invariants: size <= TREE_SIZE_MAX. */
struct checkpoint {
    struct slice origin; /* Not empty; of an own log, a name (note.h). */
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

/* The latest time of a cosignature, in seconds since 1970. */
#define CHECKPOINT_TIME_MAX ((uint64_t)INT64_MAX)

/*
 * checkpoint_write(writer, checkpoint):
 * Write the text.
 *
 * Requires: note_name_valid(checkpoint->origin); size <= TREE_SIZE_MAX.
 */
void checkpoint_write(struct writer *writer,
                      const struct checkpoint *checkpoint);

/*
 * checkpoint_read(checkpoint_out, text):
 * Read the text of a note.  Whether the root fits the size is not judged: that
 * of the empty tree has one root alone.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_TOO_LARGE above CHECKPOINT_TEXT_SIZE_MAX.
 * Owns:    ${*checkpoint_out} borrows from ${text}.
 */
NODISCARD enum status checkpoint_read(struct checkpoint *checkpoint_out,
                                      struct slice text);

/*
 * checkpoint_sign(writer, checkpoint, key, identity):
 * Write the whole note with the log's own line.  Further lines may follow.
 *
 * Requires: as checkpoint_write() and note_sign_line(); the origin is the
 *           key's name; the caller never signs two roots of one size.
 */
void checkpoint_sign(struct writer *writer, const struct checkpoint *checkpoint,
                     const struct note_key *key,
                     const struct identity *identity);

/*
 * checkpoint_open(checkpoint_out, note_out, bytes, log_key):
 * Read a note whose text is a checkpoint of the log that ${log_key} names.
 *
 * Requires: log_key->type == NOTE_ED25519.
 * Returns:  ST_OK; ST_FILE_FORMAT; ST_TOO_LARGE; ST_ORIGIN if it is another
 *           log's; ST_NO_SUCH if the log did not sign it; ST_BAD_SIG if its
 *           signature does not verify.
 * Owns:     both borrow from ${bytes}.
 */
NODISCARD enum status checkpoint_open(struct checkpoint *checkpoint_out,
                                      struct note *note_out, struct slice bytes,
                                      const struct note_key *log_key);

/*
 * checkpoint_cosign_line(writer, text, key, identity, time_s):
 * Sign the text of a checkpoint as a cosigner and write the line.  The bytes
 * that are signed do not name the cosigner: each of its roles has its own key.
 *
 * Requires: key->type == NOTE_COSIGNATURE, and it is ${identity}'s;
 *           checkpoint_read() took ${text}; time_s <= CHECKPOINT_TIME_MAX.
 */
void checkpoint_cosign_line(struct writer *writer, struct slice text,
                            const struct note_key *key,
                            const struct identity *identity, uint64_t time_s);

/*
 * checkpoint_cosigned(time_s_out, note, key):
 * Verify the lines of a cosigner; of more than one, the latest time counts.
 *
 * Requires: key->type == NOTE_COSIGNATURE.
 * Returns:  ST_OK; ST_NO_SUCH if no line is of this key; ST_BAD_SIG if one is,
 *           and does not verify; ST_TOO_LARGE above CHECKPOINT_TEXT_SIZE_MAX.
 */
NODISCARD enum status checkpoint_cosigned(uint64_t *time_s_out,
                                          const struct note *note,
                                          const struct note_key *key);

#endif
