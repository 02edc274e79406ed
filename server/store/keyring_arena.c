#include "server/store/keyring_arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "server/store/statements.h"

static_assert((KEYRING_SETS & (KEYRING_SETS - 1)) == 0,
              "a set is chosen by a mask");

struct keyring_arena *keyring_arena_open(void)
{
    /* sodium_malloc needs what sodium_init learns; a second call is free. */
    struct keyring_arena *arena =
        sodium_init() < 0 ? NULL : sodium_malloc(sizeof *arena);

    if (arena == NULL)
        statements_failed(NULL, "opened keys");
    sodium_memzero(arena, sizeof *arena);
    /* sodium_malloc locks too, but does not tell when it could not. */
    if (sodium_mlock(arena, sizeof *arena) != 0)
        fprintf(stderr, "keyring: opened keys are not locked in memory; "
                        "raise the limit of locked memory (ulimit -l)\n");
    return arena;
}

void keyring_arena_close(struct keyring_arena *arena)
{
    sodium_free(arena); /* Wipes; accepts NULL. */
}

/* Numbers count up from epoch << 32: neighbours fall into neighbouring sets. */
static struct keyring_slot *set_of(struct keyring_arena *arena, uint64_t number)
{
    return arena->sets[(number ^ number >> 32) & (KEYRING_SETS - 1)];
}

static unsigned way_of(const struct keyring_slot *set, uint64_t number)
{
    unsigned way = 0;

    while (way < KEYRING_WAYS && set[way].number != number)
        way++;
    return way;
}

static void move_to_front(struct keyring_slot *set, unsigned way)
{
    struct keyring_slot slot = set[way];

    memmove(set + 1, set, way * sizeof *set);
    set[0] = slot;
    sodium_memzero(&slot, sizeof slot);
}

bool keyring_arena_get(struct keyring_arena *arena, uint8_t key_out[KEY_SIZE],
                       uint64_t number)
{
    REQUIRE(number != 0);
    struct keyring_slot *set = set_of(arena, number);
    unsigned way = way_of(set, number);

    if (way == KEYRING_WAYS)
        return false;
    if (way > 0)
        move_to_front(set, way);
    memcpy(key_out, set[0].key, KEY_SIZE);
    return true;
}

void keyring_arena_put(struct keyring_arena *arena, uint64_t number,
                       const uint8_t key[KEY_SIZE])
{
    REQUIRE(number != 0);
    struct keyring_slot *set = set_of(arena, number);
    unsigned way = way_of(set, number);

    if (way == KEYRING_WAYS)
        way = KEYRING_WAYS - 1; /* The one unused for longest goes. */
    set[way].number = number;
    memcpy(set[way].key, key, KEY_SIZE);
    move_to_front(set, way);
}

void keyring_arena_drop(struct keyring_arena *arena, uint64_t number)
{
    struct keyring_slot *set = set_of(arena, number);
    unsigned way = way_of(set, number);

    if (way < KEYRING_WAYS)
        sodium_memzero(&set[way], sizeof set[way]);
}

void keyring_arena_drop_all(struct keyring_arena *arena)
{
    sodium_memzero(arena->sets, sizeof arena->sets);
}
