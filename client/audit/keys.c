#include "client/audit/keys.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/bytes.h"

enum { KEYS_ROOM_MIN = 256 };
static_assert(crypto_shorthash_KEYBYTES == 16, "the secret is a SipHash key");

void keys_init(struct keys *keys)
{
    memset(keys, 0, sizeof *keys);
    randombytes_buf(keys->secret, sizeof keys->secret);
}

void keys_free(struct keys *keys)
{
    free(keys->rows);
    free(keys->places);
    memset(keys, 0, sizeof *keys);
}

/* Where the key is, or where it would be put. */
static uint32_t keys_place(const struct keys *keys, const uint8_t *key_id)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t at;

    crypto_shorthash(hash, key_id, KEY_ID_SIZE, keys->secret);
    at = load_u32(hash) & (keys->places_room - 1);
    while (keys->places[at] != 0 &&
           memcmp(keys->rows[keys->places[at] - 1].key_id, key_id,
                  KEY_ID_SIZE) != 0)
        at = (at + 1) & (keys->places_room - 1);
    return at;
}

uint32_t keys_find(const struct keys *keys, const uint8_t *key_id)
{
    if (keys->count == 0)
        return KEYS_NONE;
    return keys->places[keys_place(keys, key_id)] - 1;
}

enum status keys_reserve(struct keys *keys)
{
    uint32_t room = keys->rows_room == 0 ? KEYS_ROOM_MIN : keys->rows_room * 2;
    struct keys_key *rows;
    uint32_t *places;

    if (keys->rows_room - keys->count >= KEYS_AT_ONCE)
        return ST_OK;
    if (room > KEYS_ROOM_MAX)
        return ST_TOO_LARGE;
    rows = reallocarray(keys->rows, room, sizeof *rows);
    if (rows == NULL)
        return ST_EXHAUSTED;
    keys->rows = rows;
    places = calloc(room * (size_t)2, sizeof *places);
    if (places == NULL)
        return ST_EXHAUSTED;
    free(keys->places);
    keys->places = places;
    keys->rows_room = room;
    keys->places_room = room * 2;
    for (uint32_t i = 0; i < keys->count; i++)
        keys->places[keys_place(keys, keys->rows[i].key_id)] = i + 1;
    return ST_OK;
}

uint32_t keys_add(struct keys *keys, const uint8_t *public_key)
{
    uint8_t key_id[KEY_ID_SIZE];
    uint32_t found, place;

    identity_key_id(key_id, public_key);
    found = keys_find(keys, key_id);
    if (found != KEYS_NONE)
        return found;
    REQUIRE(keys->count < keys->rows_room);
    place = keys_place(keys, key_id);
    keys->rows[keys->count] = (struct keys_key){.state = KEYS_NAMED};
    memcpy(keys->rows[keys->count].key_id, key_id, KEY_ID_SIZE);
    memcpy(keys->rows[keys->count].public_key, public_key, PUBLIC_KEY_SIZE);
    keys->places[place] = ++keys->count;
    return keys->count - 1;
}
