/*
 * noise_cipher.c: ChaCha20-Poly1305 with Noise's counter.
 */
#include "protocol/noise.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

enum { NOISE_NONCE_SIZE = crypto_aead_chacha20poly1305_ietf_NPUBBYTES };

static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == KEY_SIZE,
              "cipher key size");
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == AEAD_TAG_SIZE,
              "cipher tag size");

static void noise_nonce(uint8_t out[NOISE_NONCE_SIZE], uint64_t n)
{
    memset(out, 0, 4);
    store_u64(out + 4, n);
}

enum status noise_seal(struct noise_cipher *cipher, uint8_t *out,
                       struct slice ad, struct slice plaintext)
{
    uint8_t nonce[NOISE_NONCE_SIZE];

    if (cipher->n == UINT64_MAX)
        return ST_COUNTER;
    noise_nonce(nonce, cipher->n);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext.data,
                                              plaintext.size, ad.data, ad.size,
                                              NULL, nonce, cipher->key);
    cipher->n++;
    return ST_OK;
}

enum status noise_open(struct noise_cipher *cipher, uint8_t *out,
                       struct slice ad, struct slice ciphertext)
{
    uint8_t nonce[NOISE_NONCE_SIZE];

    if (cipher->n == UINT64_MAX)
        return ST_COUNTER;
    if (ciphertext.size < AEAD_TAG_SIZE)
        return ST_DECRYPT;
    noise_nonce(nonce, cipher->n);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            out, NULL, NULL, ciphertext.data, ciphertext.size, ad.data, ad.size,
            nonce, cipher->key) != 0)
        return ST_DECRYPT;
    cipher->n++;
    return ST_OK;
}

void noise_rekey(struct noise_cipher *cipher)
{
    static const uint8_t zeros[KEY_SIZE];
    uint8_t nonce[NOISE_NONCE_SIZE];
    uint8_t sealed[KEY_SIZE + AEAD_TAG_SIZE];

    noise_nonce(nonce, UINT64_MAX);
    crypto_aead_chacha20poly1305_ietf_encrypt(
        sealed, NULL, zeros, sizeof zeros, NULL, 0, NULL, nonce, cipher->key);
    memcpy(cipher->key, sealed, KEY_SIZE);
    sodium_memzero(sealed, sizeof sealed);
}
