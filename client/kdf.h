/*
 * kdf.h: from a password to a login key and a wrap key.  It runs on the
 * client alone, so the server never sees a password (PROTOCOL, section 5).
 */
#ifndef DEFTER_CLIENT_KDF_H
#define DEFTER_CLIENT_KDF_H

#include "protocol/identity.h"
#include "protocol/password.h"

/*
 * The two halves of a derivation.  The login key's public part is a secret
 * verifier: it stands in the credential table only.
 */
struct kdf_keys {
    struct identity login;
    uint8_t wrap_key[KEY_SIZE];
};

/*
 * kdf_password_good(password):
 * Whether a new password is taken: PASSWORD_POINTS_MIN to PASSWORD_POINTS_MAX
 * code points of valid text, at most PASSWORD_SIZE_MAX bytes.
 */
bool kdf_password_good(struct slice password);

/*
 * kdf_derive(keys_out, password, salt, passes, memory_kib):
 * Argon2id with one lane.  ${password} is UTF-8 in NFC; ${salt} is SALT_SIZE
 * bytes.  Takes tens of milliseconds to seconds.
 *
 * Returns: ST_OK; ST_USAGE for parameters that password_kdf_acceptable()
 *          refuses, or a password over PASSWORD_SIZE_MAX; ST_BUSY if the memory
 *          is not to be had.
 * Order:   ends with kdf_wipe().
 */
NODISCARD enum status kdf_derive(struct kdf_keys *keys_out,
                                 struct slice password, const uint8_t *salt,
                                 uint32_t passes, uint32_t memory_kib);
void kdf_wipe(struct kdf_keys *keys);

#endif
