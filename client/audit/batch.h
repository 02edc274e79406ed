/*
 * batch.h: the entries of a batch of frames: what can be found of each by
 * itself, on all cores.
 */
#ifndef DEFTER_CLIENT_AUDIT_BATCH_H
#define DEFTER_CLIENT_AUDIT_BATCH_H

#include "client/audit/source.h"
#include "client/audit/workers.h"
#include "protocol/entry.h"

struct batch_entry {
    enum status status; /* ST_OK; ST_CHECKSUM; ST_ENTRY_FORMED. */
    enum status signature;
    struct entry entry;
    uint8_t leaf[HASH_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE]; /* Whoever reads the log sets it. */
};

struct batch {
    struct walk_batch walk;
    struct batch_entry *entries; /* One for each frame. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    size_t verify_from; /* Where the signatures to verify begin. */
};

/* Returns: ST_OK; ST_EXHAUSTED if memory is short.
 * Order:   ends with batch_close(), also if it fails. */
NODISCARD enum status batch_open(struct batch *batch,
                                 const struct source *source);
/* Accepts what was only zeroed. */
void batch_close(struct batch *batch);

/*
 * batch_digest_start(batch, workers):
 * Of every frame: its checksum, that its entry is well formed, its leaf hash.
 *
 * Order: done after workers_wait().
 */
void batch_digest_start(struct batch *batch, struct workers *workers);

/*
 * batch_verify(batch, workers, from, count):
 * The signatures of the first ${count} entries but the first ${from}, with the
 * keys that were set.  Entry 0 of the log is verified with its own key: see
 * genesis_read().
 *
 * Returns: the number of the first whose signature is wrong; ${count} if none.
 */
size_t batch_verify(struct batch *batch, struct workers *workers, size_t from,
                    size_t count);

#endif
