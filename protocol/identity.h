/*
 * identity.h: Ed25519 keys, what they are called, and tagged signatures.
 *
 * The process must have called sodium_init() once before it signs or verifies.
 */
#ifndef DEFTER_PROTOCOL_IDENTITY_H
#define DEFTER_PROTOCOL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"
#include "protocol/tags.h"

/* The longest message identity_sign() takes, tag and cluster not counted. */
enum { IDENTITY_MESSAGE_SIZE_MAX = 1024 };

/*
 * A signing key.  Made only from its seed: a secret with somebody else's public
 * key would give the secret away with the second signature.
 */
struct identity {
    uint8_t public_key[PUBLIC_KEY_SIZE];
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t secret[SEED_SIZE + PUBLIC_KEY_SIZE];
};

/*
 * identity_init(identity, seed):
 * Derive the key pair and the key's number from the SEED_SIZE bytes of ${seed}.
 *
 * Order: ends with identity_wipe().
 */
void identity_init(struct identity *identity, const uint8_t *seed);
void identity_wipe(struct identity *identity);

/* First CLUSTER_ID_SIZE bytes of H(T("DFT1/cluster") || authority key). */
void identity_cluster_id(uint8_t out[CLUSTER_ID_SIZE],
                         const uint8_t *authority_public_key);

/* First KEY_ID_SIZE bytes of H(T("DFT1/key") || public key). */
void identity_key_id(uint8_t out[KEY_ID_SIZE], const uint8_t *public_key);

/*
 * identity_public_key_acceptable(public_key):
 * Whether the key may be enrolled: a canonical point of the main subgroup.
 * Verification alone accepts keys of mixed order, so every key is judged here
 * before it is written anywhere.
 */
bool identity_public_key_acceptable(const uint8_t *public_key);

/*
 * identity_sign(identity, signature_out, tag, cluster_id, message, size):
 * Sign T(tag) || cluster_id || message.  ${cluster_id} is NULL for the layouts
 * that hold the cluster's number in the message itself.
 *
 * Requires: size <= IDENTITY_MESSAGE_SIZE_MAX.
 */
void identity_sign(const struct identity *identity,
                   uint8_t signature_out[SIGNATURE_SIZE], enum tag tag,
                   const uint8_t *cluster_id, const void *message, size_t size);

/*
 * identity_verify(public_key, signature, tag, cluster_id, message, size):
 * Requires: size <= IDENTITY_MESSAGE_SIZE_MAX.
 * Returns:  ST_OK; ST_BAD_SIG.
 */
NODISCARD enum status identity_verify(const uint8_t *public_key,
                                      const uint8_t *signature, enum tag tag,
                                      const uint8_t *cluster_id,
                                      const void *message, size_t size);

#endif
