/*
 * directory_map.h: a hash table of equal structs that begin with their key,
 * under a random key of this process: strangers choose what is looked up.
 */
#ifndef DEFTER_SERVER_PIPELINE_DIRECTORY_MAP_H
#define DEFTER_SERVER_PIPELINE_DIRECTORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

/* Invariants: used * 2 <= slots_count, a power of two; taken[i] tells whether
 * slot i holds a value. */
struct directory_map {
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint8_t *values;
    bool *taken;
    size_t key_size;
    size_t value_size;
    size_t slots_count;
    size_t used;
};

/* Aborts if there is no memory, as directory_map_put() does. */
void directory_map_init(struct directory_map *map, size_t key_size,
                        size_t value_size);
void directory_map_wipe(struct directory_map *map);

/* NULL if there is none; lent until the next change. */
const void *directory_map_find(const struct directory_map *map,
                               const uint8_t *key);

/* Adds or replaces the value that begins with ${key}. */
void directory_map_put(struct directory_map *map, const uint8_t *key,
                       const void *value);

/* Removes the value that begins with ${key}, if there is one. */
void directory_map_remove(struct directory_map *map, const uint8_t *key);

#endif
