/*
 * password.h: what surrounds a password login (PROTOCOL, section 5).  The
 * derivation itself (Argon2id) runs on the client alone; see client/kdf.h.
 */
#ifndef DEFTER_PROTOCOL_PASSWORD_H
#define DEFTER_PROTOCOL_PASSWORD_H

#include <stdbool.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/login.h"

enum { PASSWORD_NONCE_SIZE = 24 };
/* What derivation gives: the login key's seed and the wrap key. */
enum { PASSWORD_DERIVED_SIZE = SEED_SIZE + KEY_SIZE };

/* True for [a-z0-9._-]{3,32}. */
bool password_username_good(struct slice username);

/*
 * password_salt(out, salt_key, username):
 * First SALT_SIZE bytes of HMAC-SHA-256(salt_key, T("DFT1/pwsalt") || name):
 * the same for known and unknown names, and in no table.
 */
void password_salt(uint8_t out[SALT_SIZE], const uint8_t *salt_key,
                   struct slice username);

/* The name in PW_PROVE: first 16 bytes of H(T("DFT1/pwname") || name). */
void password_name(uint8_t out[LOGIN_NAME_SIZE], struct slice username);

/* The credential table's key: HMAC-SHA-256(salt_key, T("DFT1/pwname") || name).
 */
void password_row_key(uint8_t out[HASH_SIZE], const uint8_t *salt_key,
                      struct slice username);

/*
 * password_kdf_acceptable(passes, memory_kib):
 * Whether a client works with what a server asks for: neither too weak nor
 * meant to exhaust it.
 */
bool password_kdf_acceptable(uint32_t passes, uint32_t memory_kib);

/*
 * password_wrap(out, wrap_key, nonce, seed, cluster_id, key_id):
 * Write WRAPPED_KEY_SIZE bytes: nonce || XChaCha20-Poly1305 of the signing
 * seed; associated data T("DFT1/pwwrap") || cluster_id || key_id.  ${nonce} is
 * PASSWORD_NONCE_SIZE random bytes.
 */
void password_wrap(uint8_t out[WRAPPED_KEY_SIZE], const uint8_t *wrap_key,
                   const uint8_t *nonce, const uint8_t *seed,
                   const uint8_t *cluster_id, const uint8_t *key_id);

/*
 * password_unwrap(seed_out, wrapped, wrap_key, cluster_id, key_id):
 * Returns: ST_OK; ST_AUTH if it does not open, or opens to the seed of another
 *          key than ${key_id}; ${seed_out} is then zeros.
 */
NODISCARD enum status password_unwrap(uint8_t seed_out[SEED_SIZE],
                                      const uint8_t *wrapped,
                                      const uint8_t *wrap_key,
                                      const uint8_t *cluster_id,
                                      const uint8_t *key_id);

#endif
