#include "server/store/keyring_map.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "server/store/statements.h"

enum { CAPACITY_MIN = 1024 };

static struct keyring_owner *new_slots(size_t capacity)
{
    struct keyring_owner *slots = calloc(capacity, sizeof *slots);

    if (slots == NULL)
        statements_failed(NULL, "owners of keys");
    return slots;
}

void keyring_map_init(struct keyring_map *map)
{
    map->capacity = CAPACITY_MIN;
    map->count = 0;
    map->slots = new_slots(map->capacity);
    randombytes_buf(map->hash_key, sizeof map->hash_key);
}

void keyring_map_wipe(struct keyring_map *map)
{
    free(map->slots);
    sodium_memzero(map, sizeof *map);
}

static size_t home_of(const struct keyring_map *map, uint8_t class,
                      uint64_t owner)
{
    uint8_t input[9];
    uint64_t hash;

    memcpy(input, &owner, 8);
    input[8] = class;
    crypto_shorthash((uint8_t *)&hash, input, sizeof input, map->hash_key);
    return hash & (map->capacity - 1);
}

/* The slot of the owner, or the empty one where it would stand. */
static size_t slot_of(const struct keyring_map *map, uint8_t class,
                      uint64_t owner)
{
    size_t at = home_of(map, class, owner);

    while (map->slots[at].number != 0 &&
           (map->slots[at].owner != owner || map->slots[at].class != class))
        at = (at + 1) & (map->capacity - 1);
    return at;
}

uint64_t keyring_map_find(const struct keyring_map *map, uint8_t class,
                          uint64_t owner)
{
    return map->slots[slot_of(map, class, owner)].number;
}

static void grow(struct keyring_map *map)
{
    struct keyring_map larger = *map;

    larger.capacity = 2 * map->capacity;
    larger.slots = new_slots(larger.capacity);
    for (size_t i = 0; i < map->capacity; i++) {
        const struct keyring_owner *slot = &map->slots[i];
        if (slot->number != 0)
            larger.slots[slot_of(&larger, slot->class, slot->owner)] = *slot;
    }
    free(map->slots);
    *map = larger;
}

void keyring_map_add(struct keyring_map *map, uint8_t class, uint64_t owner,
                     uint64_t number)
{
    size_t at;

    REQUIRE(number != 0);
    if (map->count >= map->capacity / 4 * 3)
        grow(map);
    at = slot_of(map, class, owner);
    if (map->slots[at].number != 0)
        return;
    map->slots[at] = (struct keyring_owner){owner, number, class};
    map->count++;
}

void keyring_map_remove(struct keyring_map *map, uint8_t class, uint64_t owner,
                        uint64_t number)
{
    const size_t mask = map->capacity - 1;
    size_t hole = slot_of(map, class, owner);

    if (map->slots[hole].number != number || number == 0)
        return;
    /* Whatever probed past the hole moves back into it, so that no search
     * ends early. */
    for (size_t at = (hole + 1) & mask; map->slots[at].number != 0;
         at = (at + 1) & mask) {
        size_t home = home_of(map, map->slots[at].class, map->slots[at].owner);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole].number = 0;
    map->count--;
}
