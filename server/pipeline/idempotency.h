/*
 * idempotency.h: which (key_id, idem) the log holds already (PROTOCOL, section
 * 6, step 7).
 *
 * Fingerprints of everything that is remembered, under a random key of this
 * process, because strangers choose idems; and exact values for the entries
 * that are not yet applied.  The core thread's, but for
 * idempotency_applied().
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

/*
 * idempotency_add(table, key_id, idem, command_hash, index):
 * Remember the command of entry ${index}.
 *
 * Requires: fewer than IDEMPOTENCY_PENDING_MAX entries are not applied.
 */
enum { IDEMPOTENCY_PENDING_MAX = 8192 };
void idempotency_add(struct idempotency *table,
                     const uint8_t key_id[KEY_ID_SIZE],
                     const uint8_t idem[IDEM_SIZE],
                     const uint8_t command_hash[HASH_SIZE], uint64_t index);

/*
 * idempotency_applied(table, applied_size, oldest):
 * The apply thread tells how far it is, and the oldest entry that still has a
 * row.  Neither falls.
 */
void idempotency_applied(struct idempotency *table, uint64_t applied_size,
                         uint64_t oldest);

#endif
