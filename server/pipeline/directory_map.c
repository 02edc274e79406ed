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

/* The slot that holds ${key}, or the free one where it belongs. */
static size_t map_slot(const struct directory_map *map, const uint8_t *key)
{
    size_t mask = map->slots_count - 1;
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, key, map->key_size, map->hash_key);
    size_t slot = (size_t)hash & mask;
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

/* A table of ${slots_count} slots with the values that pass the test. */
static void map_rebuild(struct directory_map *map, size_t slots_count,
                        const void *with,
                        bool (*remove)(const void *value, const void *with))
{
    struct directory_map former = *map;

    map_allocate(map, slots_count);
    for (size_t i = 0; i < former.slots_count; i++) {
        const uint8_t *value = map_value(&former, i);
        if (former.taken[i] && (remove == NULL || !remove(value, with)))
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
        map_rebuild(map, map->slots_count * 2, NULL, NULL);
    map_set(map, key, value);
}

void directory_map_remove_if(struct directory_map *map, const void *with,
                             bool (*test)(const void *value, const void *with))
{
    for (size_t i = 0; i < map->slots_count; i++) {
        if (map->taken[i] && test(map_value(map, i), with)) {
            map_rebuild(map, map->slots_count, with, test);
            return;
        }
    }
}
