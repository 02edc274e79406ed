#include "protocol/password.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/tags.h"

static_assert(WRAPPED_KEY_SIZE ==
                  PASSWORD_NONCE_SIZE + SEED_SIZE + AEAD_TAG_SIZE,
              "nonce, seed and tag");
static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES ==
                  PASSWORD_NONCE_SIZE,
              "wrap nonce size");

enum { PASSWORD_AD_SIZE = TAG_SIZE + CLUSTER_ID_SIZE + KEY_ID_SIZE };

bool password_username_good(struct slice username)
{
    if (username.size < USERNAME_SIZE_MIN || username.size > USERNAME_SIZE_MAX)
        return false;
    for (size_t i = 0; i < username.size; i++) {
        uint8_t c = username.data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' &&
            c != '_' && c != '-')
            return false;
    }
    return true;
}

static void password_hmac(uint8_t out[HASH_SIZE], const uint8_t *key,
                          enum tag tag, struct slice username)
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, KEY_SIZE);
    crypto_auth_hmacsha256_update(&state, tags_bytes(tag), TAG_SIZE);
    crypto_auth_hmacsha256_update(&state, username.data, username.size);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void password_salt(uint8_t out[SALT_SIZE], const uint8_t *salt_key,
                   struct slice username)
{
    uint8_t mac[HASH_SIZE];

    password_hmac(mac, salt_key, TAG_PWSALT, username);
    memcpy(out, mac, SALT_SIZE);
}

void password_name(uint8_t out[LOGIN_NAME_SIZE], struct slice username)
{
    crypto_hash_sha256_state state;
    uint8_t hash[HASH_SIZE];

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, tags_bytes(TAG_PWNAME), TAG_SIZE);
    crypto_hash_sha256_update(&state, username.data, username.size);
    crypto_hash_sha256_final(&state, hash);
    memcpy(out, hash, LOGIN_NAME_SIZE);
}

void password_row_key(uint8_t out[HASH_SIZE], const uint8_t *salt_key,
                      struct slice username)
{
    password_hmac(out, salt_key, TAG_PWNAME, username);
}

bool password_kdf_acceptable(uint32_t passes, uint32_t memory_kib)
{
    return passes >= KDF_PASSES_MIN && passes <= KDF_PASSES_MAX &&
           memory_kib >= KDF_MEMORY_KIB_MIN && memory_kib <= KDF_MEMORY_KIB_MAX;
}

static void password_ad(uint8_t out[PASSWORD_AD_SIZE],
                        const uint8_t *cluster_id, const uint8_t *key_id)
{
    memcpy(out, tags_bytes(TAG_PWWRAP), TAG_SIZE);
    memcpy(out + TAG_SIZE, cluster_id, CLUSTER_ID_SIZE);
    memcpy(out + TAG_SIZE + CLUSTER_ID_SIZE, key_id, KEY_ID_SIZE);
}

void password_wrap(uint8_t out[WRAPPED_KEY_SIZE], const uint8_t *wrap_key,
                   const uint8_t *nonce, const uint8_t *seed,
                   const uint8_t *cluster_id, const uint8_t *key_id)
{
    uint8_t ad[PASSWORD_AD_SIZE];

    password_ad(ad, cluster_id, key_id);
    memcpy(out, nonce, PASSWORD_NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + PASSWORD_NONCE_SIZE, NULL,
                                               seed, SEED_SIZE, ad, sizeof ad,
                                               NULL, nonce, wrap_key);
}

enum status password_unwrap(uint8_t seed_out[SEED_SIZE], const uint8_t *wrapped,
                            const uint8_t *wrap_key, const uint8_t *cluster_id,
                            const uint8_t *key_id)
{
    uint8_t ad[PASSWORD_AD_SIZE];
    struct identity identity;
    bool same = false;

    password_ad(ad, cluster_id, key_id);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            seed_out, NULL, NULL, wrapped + PASSWORD_NONCE_SIZE,
            SEED_SIZE + AEAD_TAG_SIZE, ad, sizeof ad, wrapped, wrap_key) == 0) {
        identity_init(&identity, seed_out);
        same = memcmp(identity.key_id, key_id, KEY_ID_SIZE) == 0;
        identity_wipe(&identity);
    }
    if (!same) {
        sodium_memzero(seed_out, SEED_SIZE);
        return ST_AUTH;
    }
    return ST_OK;
}
