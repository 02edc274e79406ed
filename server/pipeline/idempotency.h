/*
 * idempotency.h: which (key_id, idem) the log holds already (PROTOCOL, section
 * 6, step 7).
 *
 * Fingerprints of everything that is remembered, under a random key of this
 * process, because strangers choose idems; and exact values for the entries
 * that are not yet applied.
 *
 * Threads: any.  The core thread looks up and adds what it sequences or
 * inherits; the apply thread adds what it replays, tells how far it is, and
 * takes out what was sequenced and not committed.
 */
#ifndef DEFTER_SERVER_PIPELINE_IDEMPOTENCY_H
#define DEFTER_SERVER_PIPELINE_IDEMPOTENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/limits.h"

struct idempotency;

enum idempotency_state {
    IDEMPOTENCY_NEW,
    IDEMPOTENCY_PENDING_SAME,  /* Not yet applied, same command hash. */
    IDEMPOTENCY_PENDING_OTHER, /* Not yet applied, another hash. */
    IDEMPOTENCY_APPLIED        /* Its row in state.db decides. */
};

/* Aborts if there is no memory. */
struct idempotency *idempotency_open(void);
void idempotency_close(struct idempotency *table);

enum idempotency_state idempotency_find(struct idempotency *table,
                                        const uint8_t key_id[KEY_ID_SIZE],
                                        const uint8_t idem[IDEM_SIZE],
                                        const uint8_t command_hash[HASH_SIZE]);

/* How many entries may be neither applied nor reserved for. */
enum { IDEMPOTENCY_PENDING_MAX = 8192 };

/* Make place for ${count} entries that are not applied, however many: what a
 * new primary inherits. */
void idempotency_reserve(struct idempotency *table, uint64_t count);

/*
 * idempotency_add(table, key_id, idem, command_hash, index):
 * Remember the command of entry ${index}; once more changes nothing.
 *
 * Requires: there is place for all entries that are not applied.
 */
void idempotency_add(struct idempotency *table,
                     const uint8_t key_id[KEY_ID_SIZE],
                     const uint8_t idem[IDEM_SIZE],
                     const uint8_t command_hash[HASH_SIZE], uint64_t index);

/*
 * idempotency_remove(table, key_id, idem, index):
 * Forget a command that was to be entry ${index} and may never be.
 */
void idempotency_remove(struct idempotency *table,
                        const uint8_t key_id[KEY_ID_SIZE],
                        const uint8_t idem[IDEM_SIZE], uint64_t index);

/*
 * idempotency_applied(table, applied_size, oldest):
 * The apply thread tells how far it is, and the oldest entry that still has a
 * row.  Neither falls.
 */
void idempotency_applied(struct idempotency *table, uint64_t applied_size,
                         uint64_t oldest);

#endif
