/*
 * signer.h: whether a checkpoint may be signed, and signing it.  Decides from
 * what it is given, and keeps nothing.
 */
#ifndef DEFTER_SERVER_EVIDENCE_SIGNER_H
#define DEFTER_SERVER_EVIDENCE_SIGNER_H

#include "protocol/checkpoint.h"
#include "protocol/identity.h"
#include "server/evidence/evidence_state.h"

/* The root of the first ${size} entries of the log here.
 * Returns: ST_OK; ST_NO_SUCH if there are fewer; another if it is not known
 *          now. */
typedef enum status signer_root(void *context, uint8_t out[HASH_SIZE],
                                uint64_t size);

enum signer_verdict {
    SIGNER_SIGN,
    SIGNER_NOTHING_NEW, /* It was signed already, or there is no entry. */
    SIGNER_BEHIND,      /* Below what was signed or witnessed. */
    SIGNER_CONTRADICTS, /* Another root of a size that stands there already. */
    SIGNER_UNKNOWN      /* A root cannot be told now. */
};

/*
 * signer_agrees(value, context, root_of):
 * Whether the log here is that of which ${value} speaks: each size there has
 * its root here.  It is asked anew whenever the log is opened; a log that only
 * grows goes on to agree.
 *
 * Returns: SIGNER_SIGN; SIGNER_BEHIND; SIGNER_CONTRADICTS, also if
 *          value->contradicted; SIGNER_UNKNOWN.
 */
enum signer_verdict signer_agrees(const struct evidence_value *value,
                                  void *context, signer_root *root_of);

/*
 * signer_judge(value, size, root):
 * Whether the log's key may sign this size and root now.  Of sizes below those
 * in ${value} nothing is known but that they must not be signed.
 *
 * Order: after signer_agrees() said SIGNER_SIGN of the same log.
 */
enum signer_verdict signer_judge(const struct evidence_value *value,
                                 uint64_t size, const uint8_t root[HASH_SIZE]);

/*
 * signer_cosign(value, size, root):
 * The same for this node's cosigner, which signs what others signed: equal
 * sizes again and again, and never a smaller one.
 */
enum signer_verdict signer_cosign(const struct evidence_value *value,
                                  uint64_t size, const uint8_t root[HASH_SIZE]);

/*
 * signer_sign(writer, state, size, root, time_s, key, identity):
 * Note the checkpoint durably, then sign it and write the note.
 *
 * Requires: signer_judge() said SIGNER_SIGN; the rest as checkpoint_sign().
 * Returns:  ST_OK; ST_DISK_FAILED, and nothing was signed, and ${state} is only
 *           to be closed.
 */
NODISCARD enum status signer_sign(struct writer *writer,
                                  struct evidence_state *state, uint64_t size,
                                  const uint8_t root[HASH_SIZE], int64_t time_s,
                                  const struct note_key *key,
                                  const struct identity *identity);

#endif
