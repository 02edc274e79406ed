/*
 * cosigner.h: how a node that does not lead signs the checkpoints of the log
 * that it holds (TRANSPARENCY, section 5).
 *
 * A cosignature of a node says: at this time the largest tree of this log that
 * this node has, applied and durable, has this root.  What it signed last is
 * durable before a signature is made (evidence_cosign_begin()).
 */
#ifndef DEFTER_SERVER_COSIGN_COSIGNER_H
#define DEFTER_SERVER_COSIGN_COSIGNER_H

#include "protocol/checkpoint.h"
#include "server/cosign/cosign_calls.h"

/* Invariant: the line is that of the checkpoint of ${size} with ${root}. */
struct cosigner {
    const struct cosign_calls *calls;
    bool has_key;
    struct note_key key;
    struct identity identity;
    uint64_t size; /* 0: nothing was signed since the start. */
    uint8_t root[HASH_SIZE];
    uint8_t line[PEER_COSIGNED_SIZE_MAX];
    size_t line_size;
};

/* ORIGIN "/node/" and the first 8 digits of the node's number; false if that
 * is no name. */
bool cosigner_name(struct note_key *key_out, const char *origin,
                   const uint8_t *node_id, const uint8_t *public_key);

/* ${identity} is NULL where the node has no such key. Order: ends with
 * cosigner_wipe(). */
void cosigner_init(struct cosigner *cosigner, const struct cosign_calls *calls,
                   const char *origin, const uint8_t *node_id,
                   const struct identity *identity);
void cosigner_wipe(struct cosigner *cosigner);

/*
 * cosigner_sign(cosigner, line_out, checkpoint, text):
 * Sign ${text}, which is that of ${checkpoint}; what was signed last is given
 * once more.
 *
 * Returns: ST_OK; ST_NO_SUCH without a key; as evidence_cosign_begin().
 * Owns:    lends ${*line_out} until the next call.
 */
NODISCARD enum status cosigner_sign(struct cosigner *cosigner,
                                    struct slice *line_out,
                                    const struct checkpoint *checkpoint,
                                    struct slice text);

#endif
