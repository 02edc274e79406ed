#include "protocol/noise.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

static_assert(crypto_scalarmult_BYTES == KEY_SIZE, "DH size");
static_assert(crypto_auth_hmacsha256_BYTES == HASH_SIZE, "HMAC size");

enum noise_token { NOISE_END, NOISE_E, NOISE_S, NOISE_EE, NOISE_ES, NOISE_SE };

static const uint8_t noise_pattern[NOISE_MESSAGES][5] = {
    {NOISE_E},
    {NOISE_E, NOISE_EE, NOISE_S, NOISE_ES},
    {NOISE_S, NOISE_SE},
};

/* 32 characters: as long as a hash, so it is the first hash itself. */
static const char noise_name[] = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(sizeof noise_name - 1 == HASH_SIZE, "the name fills the hash");

static void noise_mix_hash(struct noise *noise, const void *data, size_t size)
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, noise->hash, HASH_SIZE);
    if (size > 0)
        crypto_hash_sha256_update(&state, data, size);
    crypto_hash_sha256_final(&state, noise->hash);
}

/* HKDF with two outputs (section 4.3); ${first} may be ${chaining_key}. */
static void noise_hkdf(uint8_t first[HASH_SIZE], uint8_t second[HASH_SIZE],
                       const uint8_t chaining_key[HASH_SIZE],
                       const uint8_t *input, size_t input_size)
{
    crypto_auth_hmacsha256_state state;
    uint8_t block[HASH_SIZE + 1];
    uint8_t temp[HASH_SIZE];

    crypto_auth_hmacsha256_init(&state, chaining_key, HASH_SIZE);
    if (input_size > 0)
        crypto_auth_hmacsha256_update(&state, input, input_size);
    crypto_auth_hmacsha256_final(&state, temp);
    block[0] = 1;
    crypto_auth_hmacsha256(first, block, 1, temp);
    memcpy(block, first, HASH_SIZE);
    block[HASH_SIZE] = 2;
    crypto_auth_hmacsha256(second, block, sizeof block, temp);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(block, sizeof block);
    sodium_memzero(temp, sizeof temp);
}

/* Mixes DH(secret, public) in; false for the all-zero product. */
static bool noise_mix_dh(struct noise *noise, const uint8_t *secret,
                         const uint8_t *public_key)
{
    uint8_t shared[KEY_SIZE];
    bool good = crypto_scalarmult(shared, secret, public_key) == 0;

    if (good) {
        noise_hkdf(noise->chaining_key, noise->cipher.key, noise->chaining_key,
                   shared, sizeof shared);
        noise->cipher.n = 0;
        noise->keyed = true;
    }
    sodium_memzero(shared, sizeof shared);
    return good;
}

static bool noise_mix_token(struct noise *noise, enum noise_token token)
{
    bool initiator = noise->role == NOISE_INITIATOR;

    switch (token) {
    case NOISE_EE:
        return noise_mix_dh(noise, noise->ephemeral_secret,
                            noise->remote_ephemeral);
    case NOISE_ES:
        return initiator ? noise_mix_dh(noise, noise->ephemeral_secret,
                                        noise->remote_static)
                         : noise_mix_dh(noise, noise->static_secret,
                                        noise->remote_ephemeral);
    case NOISE_SE:
        return initiator ? noise_mix_dh(noise, noise->static_secret,
                                        noise->remote_ephemeral)
                         : noise_mix_dh(noise, noise->ephemeral_secret,
                                        noise->remote_static);
    case NOISE_END:
    case NOISE_E:
    case NOISE_S:
        break;
    }
    INVARIANT(false);
    return false;
}

/* EncryptAndHash: plain bytes before the first key. */
static enum status noise_encrypt_and_hash(struct noise *noise,
                                          struct writer *out,
                                          struct slice plaintext)
{
    size_t size = plaintext.size + (noise->keyed ? AEAD_TAG_SIZE : 0u);
    uint8_t *at = writer_reserve(out, size);

    if (out->status != ST_OK)
        return ST_TOO_LARGE;
    if (!noise->keyed) {
        if (size > 0)
            memcpy(at, plaintext.data, size);
    } else if (noise_seal(&noise->cipher, at,
                          (struct slice){noise->hash, HASH_SIZE},
                          plaintext) != ST_OK) {
        return ST_HANDSHAKE;
    }
    noise_mix_hash(noise, at, size);
    return ST_OK;
}

static enum status noise_decrypt_and_hash(struct noise *noise,
                                          struct writer *out,
                                          struct slice received)
{
    size_t overhead = noise->keyed ? AEAD_TAG_SIZE : 0u;
    uint8_t *at;

    if (received.size < overhead)
        return ST_HANDSHAKE;
    at = writer_reserve(out, received.size - overhead);
    if (out->status != ST_OK)
        return ST_TOO_LARGE;
    if (!noise->keyed) {
        if (received.size > 0)
            memcpy(at, received.data, received.size);
    } else if (noise_open(&noise->cipher, at,
                          (struct slice){noise->hash, HASH_SIZE},
                          received) != ST_OK) {
        return ST_HANDSHAKE;
    }
    noise_mix_hash(noise, received.data, received.size);
    return ST_OK;
}

static void noise_advance(struct noise *noise)
{
    noise->messages_done++;
    if (noise->messages_done == NOISE_MESSAGES)
        noise->state = NOISE_DONE;
}

void noise_init(struct noise *noise, enum noise_role role,
                struct slice prologue, const uint8_t *static_secret,
                const uint8_t *ephemeral_secret)
{
    memset(noise, 0, sizeof *noise);
    noise->role = role;
    noise->state = NOISE_HANDSHAKE;
    memcpy(noise->hash, noise_name, HASH_SIZE);
    memcpy(noise->chaining_key, noise_name, HASH_SIZE);
    noise_mix_hash(noise, prologue.data, prologue.size);
    memcpy(noise->static_secret, static_secret, KEY_SIZE);
    memcpy(noise->ephemeral_secret, ephemeral_secret, KEY_SIZE);
    crypto_scalarmult_base(noise->static_public, noise->static_secret);
    crypto_scalarmult_base(noise->ephemeral_public, noise->ephemeral_secret);
}

void noise_wipe(struct noise *noise)
{
    sodium_memzero(noise, sizeof *noise);
    noise->state = NOISE_FAILED;
}

bool noise_writes_next(const struct noise *noise)
{
    return noise->state == NOISE_HANDSHAKE &&
           (noise->messages_done % 2 == 0) == (noise->role == NOISE_INITIATOR);
}

enum status noise_write(struct noise *noise, struct writer *out,
                        struct slice payload)
{
    const uint8_t *pattern;
    enum status status = ST_OK;

    REQUIRE(noise_writes_next(noise));
    pattern = noise_pattern[noise->messages_done];
    for (size_t i = 0; status == ST_OK && pattern[i] != NOISE_END; i++) {
        enum noise_token token = (enum noise_token)pattern[i];

        if (token == NOISE_E) {
            writer_bytes(out, noise->ephemeral_public, KEY_SIZE);
            noise_mix_hash(noise, noise->ephemeral_public, KEY_SIZE);
            status = out->status;
        } else if (token == NOISE_S) {
            status = noise_encrypt_and_hash(
                noise, out, (struct slice){noise->static_public, KEY_SIZE});
        } else if (!noise_mix_token(noise, token)) {
            status = ST_HANDSHAKE;
        }
    }
    if (status == ST_OK)
        status = noise_encrypt_and_hash(noise, out, payload);
    if (status != ST_OK) {
        noise_wipe(noise);
        return status;
    }
    noise_advance(noise);
    return ST_OK;
}

/* Reads the key that an ${E} or ${S} token carries. */
static enum status noise_read_key(struct noise *noise, struct reader *message,
                                  enum noise_token token)
{
    bool is_static = token == NOISE_S;
    size_t size = KEY_SIZE + (is_static && noise->keyed ? AEAD_TAG_SIZE : 0u);
    struct slice received = reader_bytes(message, size);
    struct writer key;

    if (message->status != ST_OK)
        return ST_HANDSHAKE;
    if (is_static) {
        writer_init(&key, noise->remote_static, KEY_SIZE);
        return noise_decrypt_and_hash(noise, &key, received);
    }
    memcpy(noise->remote_ephemeral, received.data, KEY_SIZE);
    noise_mix_hash(noise, received.data, received.size);
    return ST_OK;
}

enum status noise_read(struct noise *noise, struct writer *payload,
                       struct slice message)
{
    const uint8_t *pattern;
    struct reader reader;
    enum status status = ST_OK;

    if (noise->state != NOISE_HANDSHAKE)
        return ST_HANDSHAKE;
    REQUIRE(!noise_writes_next(noise));
    pattern = noise_pattern[noise->messages_done];
    reader_init(&reader, message);
    for (size_t i = 0; status == ST_OK && pattern[i] != NOISE_END; i++) {
        enum noise_token token = (enum noise_token)pattern[i];

        if (token == NOISE_E || token == NOISE_S)
            status = noise_read_key(noise, &reader, token);
        else if (!noise_mix_token(noise, token))
            status = ST_HANDSHAKE;
    }
    if (status == ST_OK)
        status = noise_decrypt_and_hash(
            noise, payload, reader_bytes(&reader, reader_left(&reader)));
    if (status != ST_OK) {
        noise_wipe(noise);
        return status;
    }
    noise_advance(noise);
    return ST_OK;
}

void noise_split(struct noise *noise, struct noise_cipher *sender_out,
                 struct noise_cipher *receiver_out, uint8_t hash_out[HASH_SIZE])
{
    bool initiator = noise->role == NOISE_INITIATOR;
    struct noise_cipher *to_responder = initiator ? sender_out : receiver_out;
    struct noise_cipher *to_initiator = initiator ? receiver_out : sender_out;

    REQUIRE(noise->state == NOISE_DONE);
    noise_hkdf(to_responder->key, to_initiator->key, noise->chaining_key, NULL,
               0);
    to_responder->n = 0;
    to_initiator->n = 0;
    memcpy(hash_out, noise->hash, HASH_SIZE);
    noise_wipe(noise);
}
