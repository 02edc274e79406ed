#include "protocol/extract.h"

#include <string.h>

#include <sodium.h>

#include "protocol/tags.h"

enum { EXTRACT_OF_FIELD = 1, EXTRACT_OF_ALL = 2 };

void extract_salt(uint8_t out[SALT_SIZE], const uint8_t key[KEY_SIZE],
                  uint64_t index, uint16_t item, uint32_t number)
{
    uint8_t input[TAG_SIZE + 8 + 2 + 4];
    uint8_t mac[crypto_auth_hmacsha256_BYTES];

    memcpy(input, tags_bytes(TAG_EXTRACT), TAG_SIZE);
    store_u64(input + TAG_SIZE, index);
    store_u16(input + TAG_SIZE + 8, item);
    store_u32(input + TAG_SIZE + 10, number);
    crypto_auth_hmacsha256(mac, input, sizeof input, key);
    memcpy(out, mac, SALT_SIZE);
}

/* The tag, and what of an extract is hashed. */
static void extract_begin(crypto_hash_sha256_state *hash, uint8_t what)
{
    crypto_hash_sha256_init(hash);
    crypto_hash_sha256_update(hash, tags_bytes(TAG_EXTRACT), TAG_SIZE);
    crypto_hash_sha256_update(hash, &what, sizeof what);
}

void extract_commit(uint8_t out[HASH_SIZE], const uint8_t salt[SALT_SIZE],
                    struct slice section_line, struct slice field_line)
{
    static const uint8_t end = '\n';
    crypto_hash_sha256_state hash;

    REQUIRE(section_line.size > 0 && field_line.size > 0);
    extract_begin(&hash, EXTRACT_OF_FIELD);
    crypto_hash_sha256_update(&hash, salt, SALT_SIZE);
    crypto_hash_sha256_update(&hash, section_line.data, section_line.size);
    crypto_hash_sha256_update(&hash, &end, sizeof end);
    crypto_hash_sha256_update(&hash, field_line.data, field_line.size);
    crypto_hash_sha256_final(&hash, out);
}

void extract_root(uint8_t out[HASH_SIZE],
                  const uint8_t (*commitments)[HASH_SIZE], uint32_t count)
{
    crypto_hash_sha256_state hash;
    uint8_t size[4];

    store_u32(size, count);
    extract_begin(&hash, EXTRACT_OF_ALL);
    crypto_hash_sha256_update(&hash, size, sizeof size);
    for (uint32_t i = 0; i < count; i++) {
        REQUIRE(i == 0 ||
                memcmp(commitments[i - 1], commitments[i], HASH_SIZE) < 0);
        crypto_hash_sha256_update(&hash, commitments[i], HASH_SIZE);
    }
    crypto_hash_sha256_final(&hash, out);
}
