/*
 * keyring_arena.h: opened seal keys in one locked run of memory, those used
 * last.  The caller serialises.
 */
#ifndef DEFTER_SERVER_STORE_KEYRING_ARENA_H
#define DEFTER_SERVER_STORE_KEYRING_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/limits.h"

enum { KEYRING_WAYS = 8, KEYRING_SETS = SEAL_ARENA_KEYS_MAX / KEYRING_WAYS };

struct keyring_slot {
    uint64_t number; /* 0: empty. */
    uint8_t key[KEY_SIZE];
};

/* A number belongs to one set; within a set the slot used last stands first. */
struct keyring_arena {
    struct keyring_slot sets[KEYRING_SETS][KEYRING_WAYS];
    uint8_t wrapping_key[KEY_SIZE];
};

/* In memory that is never swapped or dumped; says so if the system refuses to
 * lock it, and aborts if there is none. */
struct keyring_arena *keyring_arena_open(void);
void keyring_arena_close(struct keyring_arena *arena);

bool keyring_arena_get(struct keyring_arena *arena, uint8_t key_out[KEY_SIZE],
                       uint64_t number);
void keyring_arena_put(struct keyring_arena *arena, uint64_t number,
                       const uint8_t key[KEY_SIZE]);
void keyring_arena_drop(struct keyring_arena *arena, uint64_t number);
void keyring_arena_drop_all(struct keyring_arena *arena);

#endif
