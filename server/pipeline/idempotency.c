#include "server/pipeline/idempotency.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "replication/need.h"

enum {
    IDEMPOTENCY_SLOTS_MIN = 1 << 16,
    IDEMPOTENCY_PAIR_SIZE = KEY_ID_SIZE + IDEM_SIZE
};

/* size = index + 1; 0: free. */
#define IDEMPOTENCY_REMOVED UINT64_MAX
struct idempotency_slot {
    uint64_t fingerprint;
    uint64_t size;
};

/* Without padding: it is compared as a whole. */
struct idempotency_pending {
    uint64_t size;
    uint8_t pair[IDEMPOTENCY_PAIR_SIZE];
    uint8_t command_hash[HASH_SIZE];
};

/* The lock guards everything but the key.  Invariants: slots_used * 2 <=
 * slots_count, a power of two; entry ${index} is pending at (index + 1) %
 * pending_count, also a power of two. */
struct idempotency {
    pthread_mutex_t lock;
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct idempotency_slot *slots;
    size_t slots_count;
    size_t slots_used;
    struct idempotency_pending *pending;
    size_t pending_count;
    uint64_t applied_size;
    uint64_t oldest;
};
static_assert(sizeof(struct idempotency_pending) ==
                  sizeof(uint64_t) + IDEMPOTENCY_PAIR_SIZE + HASH_SIZE,
              "no padding");
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t),
              "a fingerprint is one short hash");

struct idempotency *idempotency_open(void)
{
    struct idempotency *table = calloc(1, sizeof *table);

    NEED(table != NULL);
    NEED(pthread_mutex_init(&table->lock, NULL) == 0);
    crypto_shorthash_keygen(table->key);
    table->pending_count = IDEMPOTENCY_PENDING_MAX;
    table->pending = calloc(table->pending_count, sizeof *table->pending);
    NEED(table->pending != NULL);
    table->slots_count = IDEMPOTENCY_SLOTS_MIN;
    table->slots = calloc(table->slots_count, sizeof *table->slots);
    NEED(table->slots != NULL);
    return table;
}

void idempotency_close(struct idempotency *table)
{
    if (table == NULL)
        return;
    (void)pthread_mutex_destroy(&table->lock);
    free(table->pending);
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

static struct idempotency_pending *idempotency_pending_at(
    struct idempotency *table, uint64_t size)
{
    return &table->pending[size & (table->pending_count - 1)];
}

static enum idempotency_state idempotency_look(
    struct idempotency *table, const uint8_t pair[IDEMPOTENCY_PAIR_SIZE],
    const uint8_t command_hash[HASH_SIZE])
{
    uint64_t fingerprint = idempotency_fingerprint(table, pair);
    size_t mask = table->slots_count - 1;

    for (size_t at = (size_t)fingerprint & mask; table->slots[at].size != 0;
         at = (at + 1) & mask) {
        const struct idempotency_slot *slot = &table->slots[at];
        if (slot->fingerprint != fingerprint || slot->size <= table->oldest ||
            slot->size == IDEMPOTENCY_REMOVED)
            continue;
        if (slot->size <= table->applied_size)
            return IDEMPOTENCY_APPLIED;
        const struct idempotency_pending *pending =
            idempotency_pending_at(table, slot->size);
        INVARIANT(pending->size == slot->size);
        if (memcmp(pending->pair, pair, IDEMPOTENCY_PAIR_SIZE) != 0)
            continue;
        return memcmp(pending->command_hash, command_hash, HASH_SIZE) == 0
                   ? IDEMPOTENCY_PENDING_SAME
                   : IDEMPOTENCY_PENDING_OTHER;
    }
    return IDEMPOTENCY_NEW;
}

enum idempotency_state idempotency_find(struct idempotency *table,
                                        const uint8_t key_id[KEY_ID_SIZE],
                                        const uint8_t idem[IDEM_SIZE],
                                        const uint8_t command_hash[HASH_SIZE])
{
    uint8_t pair[IDEMPOTENCY_PAIR_SIZE];
    enum idempotency_state state;

    idempotency_pair(pair, key_id, idem);
    (void)pthread_mutex_lock(&table->lock);
    state = idempotency_look(table, pair, command_hash);
    (void)pthread_mutex_unlock(&table->lock);
    return state;
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

static bool idempotency_keeps(const struct idempotency *table,
                              const struct idempotency_slot *slot)
{
    return slot->size > table->oldest && slot->size != IDEMPOTENCY_REMOVED;
}

/* A new table without the forgotten, twice as large if the rest needs it. */
static void idempotency_rehash(struct idempotency *table)
{
    struct idempotency_slot *former = table->slots;
    size_t former_count = table->slots_count;
    size_t kept = 0;

    for (size_t i = 0; i < former_count; i++)
        kept += idempotency_keeps(table, &former[i]);
    if (kept * 4 > former_count)
        table->slots_count *= 2;
    table->slots = calloc(table->slots_count, sizeof *table->slots);
    NEED(table->slots != NULL);
    table->slots_used = 0;
    for (size_t i = 0; i < former_count; i++) {
        if (idempotency_keeps(table, &former[i]))
            idempotency_insert(table, former[i]);
    }
    free(former);
}

void idempotency_reserve(struct idempotency *table, uint64_t count)
{
    struct idempotency_pending *former;
    size_t former_count;

    (void)pthread_mutex_lock(&table->lock);
    former = table->pending;
    former_count = table->pending_count;
    while (table->pending_count < count)
        table->pending_count *= 2;
    if (table->pending_count > former_count) {
        table->pending = calloc(table->pending_count, sizeof *table->pending);
        NEED(table->pending != NULL);
        for (size_t i = 0; i < former_count; i++) {
            if (former[i].size > 0)
                *idempotency_pending_at(table, former[i].size) = former[i];
        }
        free(former);
    }
    (void)pthread_mutex_unlock(&table->lock);
}

static void idempotency_put(struct idempotency *table,
                            const struct idempotency_pending *new)
{
    struct idempotency_pending *pending =
        idempotency_pending_at(table, new->size);

    if (memcmp(pending, new, sizeof *new) == 0)
        return;
    *pending = *new;
    if ((table->slots_used + 1) * 2 > table->slots_count)
        idempotency_rehash(table);
    idempotency_insert(
        table, (struct idempotency_slot){
                   .fingerprint = idempotency_fingerprint(table, new->pair),
                   .size = new->size,
               });
}

void idempotency_add(struct idempotency *table,
                     const uint8_t key_id[KEY_ID_SIZE],
                     const uint8_t idem[IDEM_SIZE],
                     const uint8_t command_hash[HASH_SIZE], uint64_t index)
{
    struct idempotency_pending new = {.size = index + 1};

    idempotency_pair(new.pair, key_id, idem);
    memcpy(new.command_hash, command_hash, HASH_SIZE);
    (void)pthread_mutex_lock(&table->lock);
    idempotency_put(table, &new);
    (void)pthread_mutex_unlock(&table->lock);
}

void idempotency_remove(struct idempotency *table,
                        const uint8_t key_id[KEY_ID_SIZE],
                        const uint8_t idem[IDEM_SIZE], uint64_t index)
{
    uint8_t pair[IDEMPOTENCY_PAIR_SIZE];
    size_t mask;

    idempotency_pair(pair, key_id, idem);
    uint64_t fingerprint = idempotency_fingerprint(table, pair);
    (void)pthread_mutex_lock(&table->lock);
    mask = table->slots_count - 1;
    for (size_t at = (size_t)fingerprint & mask; table->slots[at].size != 0;
         at = (at + 1) & mask) {
        struct idempotency_slot *slot = &table->slots[at];
        if (slot->fingerprint == fingerprint && slot->size == index + 1)
            slot->size = IDEMPOTENCY_REMOVED;
    }
    struct idempotency_pending *pending =
        idempotency_pending_at(table, index + 1);
    if (pending->size == index + 1 &&
        memcmp(pending->pair, pair, sizeof pair) == 0)
        memset(pending, 0, sizeof *pending);
    (void)pthread_mutex_unlock(&table->lock);
}

void idempotency_applied(struct idempotency *table, uint64_t applied_size,
                         uint64_t oldest)
{
    (void)pthread_mutex_lock(&table->lock);
    table->oldest = oldest;
    table->applied_size = applied_size;
    (void)pthread_mutex_unlock(&table->lock);
}
