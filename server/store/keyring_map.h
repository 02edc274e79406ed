/*
 * keyring_map.h: which owner has which key; memory of one thread.
 */
#ifndef DEFTER_SERVER_STORE_KEYRING_MAP_H
#define DEFTER_SERVER_STORE_KEYRING_MAP_H

#include <stddef.h>
#include <stdint.h>

/* An empty slot has number 0. */
struct keyring_owner {
    uint64_t owner;
    uint64_t number;
    uint8_t class;
};

/*
 * Open addressing with linear probing.  Slots are found by SipHash under a
 * random key, since strangers choose the owners' numbers.
 * Invariants: capacity is a power of two; count <= 3/4 capacity.
 */
struct keyring_map {
    struct keyring_owner *slots;
    size_t capacity;
    size_t count;
    uint8_t hash_key[16];
};

/* Aborts when memory runs out, here and below. */
void keyring_map_init(struct keyring_map *map);
void keyring_map_wipe(struct keyring_map *map);

/* The number, or 0. */
uint64_t keyring_map_find(const struct keyring_map *map, uint8_t class,
                          uint64_t owner);

/* Adds the number unless the owner has one already. */
void keyring_map_add(struct keyring_map *map, uint8_t class, uint64_t owner,
                     uint64_t number);

/* Removes the owner if ${number} is its number. */
void keyring_map_remove(struct keyring_map *map, uint8_t class, uint64_t owner,
                        uint64_t number);

#endif
