/*
 * etcd_fake_store.h: the keys, revisions and leases of etcd_fake.
 */
#ifndef DEFTER_TESTS_LIB_ETCD_FAKE_STORE_H
#define DEFTER_TESTS_LIB_ETCD_FAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAKE_KEY_SIZE_MAX = 128,
    FAKE_VALUE_SIZE_MAX = 2048,
    FAKE_LEASES_MAX = 64
};

struct fake_entry {
    char key[FAKE_KEY_SIZE_MAX + 1];
    uint8_t value[FAKE_VALUE_SIZE_MAX];
    size_t value_size;
    uint64_t created, modified, version, lease;
};

struct fake_lease {
    uint64_t id; /* 0: free. */
    uint32_t ttl_s;
    uint64_t left_ms;
};

/* Invariant: entries are in the order of their keys. */
struct fake_store {
    struct fake_entry **entries;
    size_t count, capacity;
    uint64_t revision; /* 1 at first, as etcd has it. */
    struct fake_lease leases[FAKE_LEASES_MAX];
    uint64_t lease_last;
};

void fake_store_init(struct fake_store *store);
void fake_store_wipe(struct fake_store *store);
void fake_store_copy(struct fake_store *to, const struct fake_store *from);

/* The first entry at or behind ${key}; count if there is none. */
size_t fake_store_at(const struct fake_store *store, const char *key);
struct fake_entry *fake_store_find(const struct fake_store *store,
                                   const char *key);

/* At the revision that the caller has counted up. */
void fake_store_put(struct fake_store *store, const char *key,
                    const uint8_t *value, size_t value_size, uint64_t lease);

/* NULL for one that is not there. */
struct fake_lease *fake_store_lease(struct fake_store *store, uint64_t id);
struct fake_lease *fake_store_grant(struct fake_store *store, uint32_t ttl_s);

/* With all its keys, at one new revision. */
void fake_store_revoke(struct fake_store *store, uint64_t id);

#endif
