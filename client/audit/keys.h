/*
 * keys.h: every signing key that the log has named, and what the log makes of
 * it.
 *
 * A key_id is the hash of its public key, so that any item that holds the key
 * gives it; whether the key was active at an index is decided by the outcomes
 * (authority.h).
 */
#ifndef DEFTER_CLIENT_AUDIT_KEYS_H
#define DEFTER_CLIENT_AUDIT_KEYS_H

#include "protocol/identity.h"

enum keys_state {
    KEYS_NAMED, /* In an item whose outcome is not known, or not OK. */
    KEYS_ACTIVE,
    KEYS_ENDED
};

struct keys_key {
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
    enum keys_state state;
    bool is_node;
    bool may_be_node; /* An item enrols it as one. */
    uint8_t role;
    uint8_t level;
    uint16_t carrier; /* 0: carries nobody. */
    uint32_t organisation;
    uint64_t person;
};

struct keys {
    struct keys_key *rows;
    uint32_t count;
    uint32_t rows_room;
    uint32_t *places; /* Number of a row + 1; 0 = empty. */
    uint32_t places_room;
    uint8_t secret[16]; /* Against key_ids made to collide. */
};

/* Order: ends with keys_free(). */
void keys_init(struct keys *keys);
void keys_free(struct keys *keys);

enum { KEYS_NONE = UINT32_MAX };
enum { KEYS_AT_ONCE = 2, KEYS_ROOM_MAX = 1 << 30 };

/* The row's number, KEYS_NONE if no item named the key. */
uint32_t keys_find(const struct keys *keys, const uint8_t *key_id);

/*
 * keys_reserve(keys):
 * Memory for KEYS_AT_ONCE rows more.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short; ST_TOO_LARGE above
 *          KEYS_ROOM_MAX rows.
 */
NODISCARD enum status keys_reserve(struct keys *keys);

/* The number of the key's row, which is new (KEYS_NAMED) or was there.
 * Requires: keys_reserve(), before every KEYS_AT_ONCE of them. */
uint32_t keys_add(struct keys *keys, const uint8_t *public_key);

#endif
