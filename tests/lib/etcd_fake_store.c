#include "tests/lib/etcd_fake_store.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"

/* As real members number theirs: far from small numbers. */
#define LEASE_FIRST 7587000000000000001u

void fake_store_init(struct fake_store *store)
{
    memset(store, 0, sizeof *store);
    store->revision = 1;
    store->lease_last = LEASE_FIRST;
}

void fake_store_wipe(struct fake_store *store)
{
    for (size_t i = 0; i < store->count; i++)
        free(store->entries[i]);
    free(store->entries);
    memset(store, 0, sizeof *store);
}

void fake_store_copy(struct fake_store *to, const struct fake_store *from)
{
    *to = *from;
    to->capacity = from->count;
    to->entries = calloc(from->count + 1, sizeof *to->entries);
    INVARIANT(to->entries != NULL);
    for (size_t i = 0; i < from->count; i++) {
        to->entries[i] = malloc(sizeof **to->entries);
        INVARIANT(to->entries[i] != NULL);
        *to->entries[i] = *from->entries[i];
    }
}

size_t fake_store_at(const struct fake_store *store, const char *key)
{
    size_t low = 0, high = store->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(store->entries[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct fake_entry *fake_store_find(const struct fake_store *store,
                                   const char *key)
{
    size_t at = fake_store_at(store, key);

    if (at == store->count || strcmp(store->entries[at]->key, key) != 0)
        return NULL;
    return store->entries[at];
}

static struct fake_entry *insert(struct fake_store *store, const char *key)
{
    size_t at = fake_store_at(store, key);
    struct fake_entry *entry = calloc(1, sizeof *entry);

    REQUIRE(strlen(key) <= FAKE_KEY_SIZE_MAX);
    INVARIANT(entry != NULL);
    if (store->count >= store->capacity) {
        store->capacity = 2 * store->capacity + 16;
        store->entries =
            realloc(store->entries, store->capacity * sizeof *store->entries);
        INVARIANT(store->entries != NULL);
    }
    memmove(store->entries + at + 1, store->entries + at,
            (store->count - at) * sizeof *store->entries);
    store->entries[at] = entry;
    store->count++;
    memcpy(entry->key, key, strlen(key) + 1);
    entry->created = store->revision;
    return entry;
}

void fake_store_put(struct fake_store *store, const char *key,
                    const uint8_t *value, size_t value_size, uint64_t lease)
{
    struct fake_entry *entry = fake_store_find(store, key);

    REQUIRE(value_size <= FAKE_VALUE_SIZE_MAX);
    if (entry == NULL)
        entry = insert(store, key);
    memcpy(entry->value, value, value_size);
    entry->value_size = value_size;
    entry->modified = store->revision;
    entry->version++;
    entry->lease = lease;
}

struct fake_lease *fake_store_lease(struct fake_store *store, uint64_t id)
{
    for (size_t i = 0; i < FAKE_LEASES_MAX; i++)
        if (id != 0 && store->leases[i].id == id)
            return &store->leases[i];
    return NULL;
}

struct fake_lease *fake_store_grant(struct fake_store *store, uint32_t ttl_s)
{
    for (size_t i = 0; i < FAKE_LEASES_MAX; i++) {
        struct fake_lease *lease = &store->leases[i];
        if (lease->id != 0)
            continue;
        lease->id = ++store->lease_last;
        lease->ttl_s = ttl_s < 2 ? 2 : ttl_s;
        lease->left_ms = (uint64_t)lease->ttl_s * 1000;
        return lease;
    }
    return NULL;
}

void fake_store_revoke(struct fake_store *store, uint64_t id)
{
    struct fake_lease *lease = fake_store_lease(store, id);
    size_t kept = 0, before = store->count;

    REQUIRE(lease != NULL);
    lease->id = 0;
    for (size_t i = 0; i < before; i++) {
        if (store->entries[i]->lease == id)
            free(store->entries[i]);
        else
            store->entries[kept++] = store->entries[i];
    }
    store->count = kept;
    if (kept < before)
        store->revision++;
}
