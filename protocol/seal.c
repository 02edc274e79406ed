#include "protocol/seal.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/tags.h"

static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == KEY_SIZE,
              "seal key size");
static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == SEAL_NONCE_SIZE,
              "seal nonce size");
static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == AEAD_TAG_SIZE,
              "seal tag size");

void seal_close(uint8_t *out, const uint8_t *key, const uint8_t *clear,
                const uint8_t *commitment, struct slice secret)
{
    uint8_t leaf[HASH_SIZE];

    item_leaf_hash(leaf, clear, commitment);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, NULL, secret.data, secret.size, clear, ITEM_CLEAR_SIZE, NULL, leaf,
        key);
}

enum status seal_open(struct slice *secret_out, const struct item *item,
                      const uint8_t *key, uint8_t *buffer, size_t size)
{
    uint8_t hash[HASH_SIZE];
    struct slice secret = item->data;

    if (item->seal_key != 0) {
        INVARIANT(item->data.size >= SALT_SIZE + AEAD_TAG_SIZE);
        secret = slice_of(buffer, item->data.size - AEAD_TAG_SIZE);
        REQUIRE(secret.size <= size);
        item_leaf_hash(hash, item->clear, item->commitment);
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(
                buffer, NULL, NULL, item->data.data, item->data.size,
                item->clear, ITEM_CLEAR_SIZE, hash, key) != 0)
            return ST_SEAL;
    }
    item_commitment(hash, secret);
    if (memcmp(hash, item->commitment, HASH_SIZE) != 0) {
        if (item->seal_key != 0)
            sodium_memzero(buffer, secret.size);
        return ST_SEAL;
    }
    *secret_out = secret;
    return ST_OK;
}

struct slice seal_fields(struct slice secret)
{
    REQUIRE(secret.size >= SALT_SIZE);
    return slice_of(secret.data + SALT_SIZE, secret.size - SALT_SIZE);
}

void seal_result_salt(uint8_t out[SALT_SIZE], const uint8_t *key,
                      uint64_t index, uint16_t item)
{
    uint8_t input[TAG_SIZE + 8 + 2];
    uint8_t mac[crypto_auth_hmacsha256_BYTES];

    static_assert(crypto_auth_hmacsha256_KEYBYTES == KEY_SIZE, "HMAC key size");
    memcpy(input, tags_bytes(TAG_RESULT), TAG_SIZE);
    store_u64(input + TAG_SIZE, index);
    store_u16(input + TAG_SIZE + 8, item);
    crypto_auth_hmacsha256(mac, input, sizeof input, key);
    memcpy(out, mac, SALT_SIZE);
}
