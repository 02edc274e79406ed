/*
 * tlog_proof.h: that an entry is in a log, in a file that needs nothing else
 * (TRANSPARENCY, section 7; c2sp.org/tlog-proof, a draft).
 *
 *     c2sp.org/tlog-proof@v1
 *     extra BASE64             may be missing
 *     index INDEX
 *     0 to PROOF_HASHES_MAX hashes, base64, the leaf's sibling first
 *     an empty line
 *     the note with the checkpoint
 *
 * Nobody signed what is behind "extra": it may hold what makes the leaf hash,
 * and then the proof judges it.
 */
#ifndef DEFTER_PROTOCOL_TLOG_PROOF_H
#define DEFTER_PROTOCOL_TLOG_PROOF_H

#include "protocol/checkpoint.h"
#include "protocol/tlog_policy.h"

struct tlog_proof {
    struct slice extra; /* As base64; empty: there is none. */
    uint64_t index;
    uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
    size_t count;
    struct slice note; /* As it came. */
};

/*
 * tlog_proof_write(writer, proof):
 * Requires: index < TREE_SIZE_MAX; extra is base64 (lines.h); the whole is at
 *           most TLOG_PROOF_SIZE_MAX bytes.
 */
void tlog_proof_write(struct writer *writer, const struct tlog_proof *proof);

/*
 * tlog_proof_read(proof_out, bytes):
 * Returns: ST_OK, and the note is not read yet; ST_TOO_LARGE above
 *          TLOG_PROOF_SIZE_MAX or PROOF_HASHES_MAX; ST_FILE_FORMAT.
 * Owns:    ${*proof_out} borrows from ${bytes}.
 */
NODISCARD enum status tlog_proof_read(struct tlog_proof *proof_out,
                                      struct slice bytes);

/*
 * tlog_proof_verify(checkpoint_out, proof, leaf_hash, log_key):
 * That the log of this key holds the leaf at the proof's index.
 *
 * Requires: log_key->type == NOTE_ED25519.
 * Returns:  ST_OK; as checkpoint_open(); ST_PROOF.
 */
NODISCARD enum status tlog_proof_verify(struct checkpoint *checkpoint_out,
                                        const struct tlog_proof *proof,
                                        const uint8_t leaf_hash[HASH_SIZE],
                                        const struct note_key *log_key);

/*
 * tlog_proof_judge(verdict_out, checkpoint_out, proof, leaf_hash, policy):
 * The same for any log of ${policy}, and that its quorum of witnesses signed.
 *
 * Returns: ST_OK; as tlog_policy_judge(); ST_PROOF; ST_WITNESSES if all holds
 *          but the quorum, and the verdict says who signed.
 */
NODISCARD enum status tlog_proof_judge(struct tlog_policy_verdict *verdict_out,
                                       struct checkpoint *checkpoint_out,
                                       const struct tlog_proof *proof,
                                       const uint8_t leaf_hash[HASH_SIZE],
                                       const struct tlog_policy *policy);

#endif
