#include "protocol/record.h"

#include <sodium.h>

#include "protocol/assumptions.h"

static_assert(RECORD_SIZE_MIN == AEAD_TAG_SIZE + 1, "no empty plaintext");

static bool record_rekeys(const struct noise_cipher *cipher)
{
    return cipher->n != 0 && cipher->n % RECORD_REKEY_INTERVAL == 0;
}

enum status record_measure(size_t *size_out, struct slice input,
                           size_t size_max)
{
    size_t size;

    *size_out = 0;
    if (input.size < RECORD_HEADER_SIZE)
        return ST_AGAIN;
    size = load_u16(input.data);
    if (size < RECORD_SIZE_MIN || size > size_max)
        return ST_RECORD_SIZE;
    *size_out = RECORD_HEADER_SIZE + size;
    return input.size < *size_out ? ST_AGAIN : ST_OK;
}

enum status record_open(struct noise_cipher *cipher, uint8_t *out,
                        size_t *plaintext_size_out, struct slice record)
{
    const struct slice no_ad = {NULL, 0};
    struct noise_cipher next = *cipher;
    struct slice ciphertext;
    enum status status;

    *plaintext_size_out = 0;
    if (record.size < RECORD_HEADER_SIZE + RECORD_SIZE_MIN ||
        record.size - RECORD_HEADER_SIZE != load_u16(record.data))
        return ST_RECORD_SIZE;
    ciphertext = slice_of(record.data + RECORD_HEADER_SIZE,
                          record.size - RECORD_HEADER_SIZE);
    /* On a copy: a forged record at the boundary must not renew the key. */
    if (record_rekeys(&next))
        noise_rekey(&next);
    status = noise_open(&next, out, no_ad, ciphertext);
    if (status == ST_OK) {
        *cipher = next;
        *plaintext_size_out = ciphertext.size - AEAD_TAG_SIZE;
    }
    sodium_memzero(&next, sizeof next);
    return status;
}

enum status record_seal(struct noise_cipher *cipher, uint8_t *out,
                        struct slice plaintext)
{
    const struct slice no_ad = {NULL, 0};

    REQUIRE(plaintext.size > 0 && plaintext.size <= RECORD_PLAINTEXT_SIZE_MAX);
    if (cipher->n == UINT64_MAX)
        return ST_COUNTER;
    if (record_rekeys(cipher))
        noise_rekey(cipher);
    store_u16(out, (uint16_t)(plaintext.size + AEAD_TAG_SIZE));
    return noise_seal(cipher, out + RECORD_HEADER_SIZE, no_ad, plaintext);
}
