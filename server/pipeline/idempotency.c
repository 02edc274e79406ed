#include "server/pipeline/idempotency.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"

enum {
    IDEMPOTENCY_SLOTS_MIN = 1 << 16,
    IDEMPOTENCY_PAIR_SIZE = KEY_ID_SIZE + IDEM_SIZE
};

/* size = index + 1; 0: free. */
struct idempotency_slot {
    uint64_t fingerprint;
    uint64_t size;
};

struct idempotency_pending {
    uint64_t size;
    uint8_t pair[IDEMPOTENCY_PAIR_SIZE];
    uint8_t command_hash[HASH_SIZE];
};

/* Invariant: slots_used * 2 <= slots_count, a power of two. */
struct idempotency {
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct idempotency_slot *slots;
    size_t slots_count;
    size_t slots_used;
    struct idempotency_pending pending[IDEMPOTENCY_PENDING_MAX];
    atomic_uint_fast64_t applied_size;
    atomic_uint_fast64_t oldest;
};
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t),
              "a fingerprint is one short hash");

struct idempotency *idempotency_open(void)
{
    struct idempotency *table = calloc(1, sizeof *table);

    INVARIANT(table != NULL);
    crypto_shorthash_keygen(table->key);
    table->slots_count = IDEMPOTENCY_SLOTS_MIN;
    table->slots = calloc(table->slots_count, sizeof *table->slots);
    INVARIANT(table->slots != NULL);
    return table;
}

void idempotency_close(struct idempotency *table)
{
    if (table == NULL)
        return;
    free(table->slots);
    free(table);
}

static void idempotency_pair(uint8_t out[IDEMPOTENCY_PAIR_SIZE],
                             const uint8_t *key_id, const uint8_t *idem)
{
    memcpy(out, key_id, KEY_ID_SIZE);
    memcpy(out + KEY_ID_SIZE, idem, IDEM_SIZE);
}

static uint64_t idempotency_fingerprint(const struct idempotency *table,
                                        const uint8_t *pair)
{
    uint64_t fingerprint;

    crypto_shorthash((uint8_t *)&fingerprint, pair, IDEMPOTENCY_PAIR_SIZE,
                     table->key);
    return fingerprint;
}

enum idempotency_state idempotency_find(struct idempotency *table,
                                        const uint8_t key_id[KEY_ID_SIZE],
                                        const uint8_t idem[IDEM_SIZE],
                                        const uint8_t command_hash[HASH_SIZE])
{
    uint8_t pair[IDEMPOTENCY_PAIR_SIZE];
    uint64_t applied = atomic_load(&table->applied_size);
    uint64_t oldest = atomic_load(&table->oldest);
    size_t mask = table->slots_count - 1;

    idempotency_pair(pair, key_id, idem);
    uint64_t fingerprint = idempotency_fingerprint(table, pair);
    for (size_t at = (size_t)fingerprint & mask; table->slots[at].size != 0;
         at = (at + 1) & mask) {
        const struct idempotency_slot *slot = &table->slots[at];
        if (slot->fingerprint != fingerprint || slot->size <= oldest)
            continue;
        if (slot->size <= applied)
            return IDEMPOTENCY_APPLIED;
        const struct idempotency_pending *pending =
            &table->pending[slot->size % IDEMPOTENCY_PENDING_MAX];
        INVARIANT(pending->size == slot->size);
        if (memcmp(pending->pair, pair, sizeof pair) != 0)
            continue;
        return memcmp(pending->command_hash, command_hash, HASH_SIZE) == 0
                   ? IDEMPOTENCY_PENDING_SAME
                   : IDEMPOTENCY_PENDING_OTHER;
    }
    return IDEMPOTENCY_NEW;
}

static void idempotency_insert(struct idempotency *table,
                               struct idempotency_slot slot)
{
    size_t mask = table->slots_count - 1;
    size_t at = (size_t)slot.fingerprint & mask;

    while (table->slots[at].size != 0)
        at = (at + 1) & mask;
    table->slots[at] = slot;
    table->slots_used++;
}

/* A new table without the forgotten, twice as large if the rest needs it. */
static void idempotency_rehash(struct idempotency *table)
{
    struct idempotency_slot *former = table->slots;
    size_t former_count = table->slots_count;
    uint64_t oldest = atomic_load(&table->oldest);
    size_t kept = 0;

    for (size_t i = 0; i < former_count; i++)
        kept += former[i].size > oldest;
    if (kept * 4 > former_count)
        table->slots_count *= 2;
    table->slots = calloc(table->slots_count, sizeof *table->slots);
    INVARIANT(table->slots != NULL);
    table->slots_used = 0;
    for (size_t i = 0; i < former_count; i++) {
        if (former[i].size > oldest)
            idempotency_insert(table, former[i]);
    }
    free(former);
}

void idempotency_add(struct idempotency *table,
                     const uint8_t key_id[KEY_ID_SIZE],
                     const uint8_t idem[IDEM_SIZE],
                     const uint8_t command_hash[HASH_SIZE], uint64_t index)
{
    struct idempotency_pending *pending =
        &table->pending[(index + 1) % IDEMPOTENCY_PENDING_MAX];

    idempotency_pair(pending->pair, key_id, idem);
    memcpy(pending->command_hash, command_hash, HASH_SIZE);
    pending->size = index + 1;
    if ((table->slots_used + 1) * 2 > table->slots_count)
        idempotency_rehash(table);
    idempotency_insert(
        table, (struct idempotency_slot){
                   .fingerprint = idempotency_fingerprint(table, pending->pair),
                   .size = index + 1,
               });
}

void idempotency_applied(struct idempotency *table, uint64_t applied_size,
                         uint64_t oldest)
{
    atomic_store(&table->oldest, oldest);
    atomic_store(&table->applied_size, applied_size);
}
