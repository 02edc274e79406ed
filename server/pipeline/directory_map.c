#include "server/pipeline/directory_map.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"
#include "replication/need.h"

enum { DIRECTORY_MAP_SLOTS_MIN = 256 };

static void map_allocate(struct directory_map *map, size_t slots_count)
{
    map->values = calloc(slots_count, map->value_size);
    map->taken = calloc(slots_count, sizeof *map->taken);
    NEED(map->values != NULL && map->taken != NULL);
    map->slots_count = slots_count;
    map->used = 0;
}

void directory_map_init(struct directory_map *map, size_t key_size,
                        size_t value_size)
{
    REQUIRE(key_size <= value_size);
    crypto_shorthash_keygen(map->hash_key);
    map->key_size = key_size;
    map->value_size = value_size;
    map_allocate(map, DIRECTORY_MAP_SLOTS_MIN);
}

static void map_drop(uint8_t *values, bool *taken, size_t size)
{
    sodium_memzero(values, size);
    free(values);
    free(taken);
}

void directory_map_wipe(struct directory_map *map)
{
    map_drop(map->values, map->taken, map->slots_count * map->value_size);
    map->values = NULL;
    map->taken = NULL;
}

static uint8_t *map_value(const struct directory_map *map, size_t slot)
{
    return map->values + slot * map->value_size;
}

/* Where the search for ${key} begins. */
static size_t map_home(const struct directory_map *map, const uint8_t *key)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, key, map->key_size, map->hash_key);
    return (size_t)hash & (map->slots_count - 1);
}

/* The slot that holds ${key}, or the free one where it belongs. */
static size_t map_slot(const struct directory_map *map, const uint8_t *key)
{
    size_t mask = map->slots_count - 1;
    size_t slot = map_home(map, key);

    while (map->taken[slot] &&
           memcmp(map_value(map, slot), key, map->key_size) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

const void *directory_map_find(const struct directory_map *map,
                               const uint8_t *key)
{
    size_t slot = map_slot(map, key);

    return map->taken[slot] ? map_value(map, slot) : NULL;
}

static void map_set(struct directory_map *map, const uint8_t *key,
                    const void *value)
{
    size_t slot = map_slot(map, key);

    map->used += !map->taken[slot];
    map->taken[slot] = true;
    memcpy(map_value(map, slot), value, map->value_size);
}

/* The same values in a table of ${slots_count} slots. */
static void map_rebuild(struct directory_map *map, size_t slots_count)
{
    struct directory_map former = *map;

    map_allocate(map, slots_count);
    for (size_t i = 0; i < former.slots_count; i++) {
        const uint8_t *value = map_value(&former, i);
        if (former.taken[i])
            map_set(map, value, value);
    }
    map_drop(former.values, former.taken,
             former.slots_count * former.value_size);
}

void directory_map_put(struct directory_map *map, const uint8_t *key,
                       const void *value)
{
    REQUIRE(memcmp(key, value, map->key_size) == 0);
    if ((map->used + 1) * 2 > map->slots_count)
        map_rebuild(map, map->slots_count * 2);
    map_set(map, key, value);
}

void directory_map_remove(struct directory_map *map, const uint8_t *key)
{
    size_t mask = map->slots_count - 1;
    size_t gap = map_slot(map, key);

    if (!map->taken[gap])
        return;
    for (size_t at = (gap + 1) & mask; map->taken[at]; at = (at + 1) & mask) {
        size_t home = map_home(map, map_value(map, at));

        /* A search passes the gap on its way to this one only if it begins
         * there or before. */
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        memcpy(map_value(map, gap), map_value(map, at), map->value_size);
        gap = at;
    }
    sodium_memzero(map_value(map, gap), map->value_size);
    map->taken[gap] = false;
    map->used--;
}
