#include "protocol/identity.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

static_assert(crypto_sign_SEEDBYTES == SEED_SIZE, "seed size");
static_assert(crypto_sign_PUBLICKEYBYTES == PUBLIC_KEY_SIZE, "key size");
static_assert(crypto_sign_SECRETKEYBYTES == SEED_SIZE + PUBLIC_KEY_SIZE,
              "secret size");
static_assert(crypto_sign_BYTES == SIGNATURE_SIZE, "signature size");
static_assert(crypto_hash_sha256_BYTES == HASH_SIZE, "hash size");

/* The signed bytes of one message, tag first. */
struct identity_message {
    uint8_t bytes[TAG_SIZE + CLUSTER_ID_SIZE + IDENTITY_MESSAGE_SIZE_MAX];
    size_t size;
};

static void identity_compose(struct identity_message *out, enum tag tag,
                             const uint8_t *cluster_id, const void *message,
                             size_t size)
{
    REQUIRE(size <= IDENTITY_MESSAGE_SIZE_MAX);
    memcpy(out->bytes, tags_bytes(tag), TAG_SIZE);
    out->size = TAG_SIZE;
    if (cluster_id != NULL) {
        memcpy(out->bytes + out->size, cluster_id, CLUSTER_ID_SIZE);
        out->size += CLUSTER_ID_SIZE;
    }
    if (size > 0)
        memcpy(out->bytes + out->size, message, size);
    out->size += size;
}

static void identity_tagged_key_hash(uint8_t out[16], enum tag tag,
                                     const uint8_t *public_key)
{
    uint8_t input[TAG_SIZE + PUBLIC_KEY_SIZE];
    uint8_t hash[HASH_SIZE];

    memcpy(input, tags_bytes(tag), TAG_SIZE);
    memcpy(input + TAG_SIZE, public_key, PUBLIC_KEY_SIZE);
    crypto_hash_sha256(hash, input, sizeof input);
    memcpy(out, hash, 16);
}

void identity_init(struct identity *identity, const uint8_t *seed)
{
    crypto_sign_seed_keypair(identity->public_key, identity->secret, seed);
    identity_key_id(identity->key_id, identity->public_key);
}

void identity_wipe(struct identity *identity)
{
    sodium_memzero(identity, sizeof *identity);
}

void identity_cluster_id(uint8_t out[CLUSTER_ID_SIZE],
                         const uint8_t *authority_public_key)
{
    static_assert(CLUSTER_ID_SIZE == 16, "half a hash");
    identity_tagged_key_hash(out, TAG_CLUSTER, authority_public_key);
}

void identity_key_id(uint8_t out[KEY_ID_SIZE], const uint8_t *public_key)
{
    static_assert(KEY_ID_SIZE == 16, "half a hash");
    identity_tagged_key_hash(out, TAG_KEY, public_key);
}

bool identity_public_key_acceptable(const uint8_t *public_key)
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

void identity_sign(const struct identity *identity,
                   uint8_t signature_out[SIGNATURE_SIZE], enum tag tag,
                   const uint8_t *cluster_id, const void *message, size_t size)
{
    struct identity_message composed;

    identity_compose(&composed, tag, cluster_id, message, size);
    crypto_sign_detached(signature_out, NULL, composed.bytes, composed.size,
                         identity->secret);
}

enum status identity_verify(const uint8_t *public_key, const uint8_t *signature,
                            enum tag tag, const uint8_t *cluster_id,
                            const void *message, size_t size)
{
    struct identity_message composed;

    identity_compose(&composed, tag, cluster_id, message, size);
    if (crypto_sign_verify_detached(signature, composed.bytes, composed.size,
                                    public_key) != 0)
        return ST_BAD_SIG;
    return ST_OK;
}
