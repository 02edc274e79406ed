#include "client/kdf.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/text.h"

static_assert(crypto_pwhash_argon2id_SALTBYTES == SALT_SIZE, "salt size");

bool kdf_password_good(struct slice password)
{
    size_t used = 0;
    size_t points = 0;
    uint32_t point;

    if (password.size > PASSWORD_SIZE_MAX || !text_valid(password))
        return false;
    while (text_next(password, &used, &point) == ST_OK)
        points++;
    return points >= PASSWORD_POINTS_MIN && points <= PASSWORD_POINTS_MAX;
}

enum status kdf_derive(struct kdf_keys *keys_out, struct slice password,
                       const uint8_t *salt, uint32_t passes,
                       uint32_t memory_kib)
{
    uint8_t derived[PASSWORD_DERIVED_SIZE];

    if (!password_kdf_acceptable(passes, memory_kib) ||
        password.size > PASSWORD_SIZE_MAX)
        return ST_USAGE;
    if (crypto_pwhash_argon2id(derived, sizeof derived,
                               (const char *)password.data, password.size, salt,
                               passes, (size_t)memory_kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return ST_BUSY;
    identity_init(&keys_out->login, derived);
    memcpy(keys_out->wrap_key, derived + SEED_SIZE, KEY_SIZE);
    sodium_memzero(derived, sizeof derived);
    return ST_OK;
}

void kdf_wipe(struct kdf_keys *keys)
{
    sodium_memzero(keys, sizeof *keys);
}
