/*
 * login.h: the one signature of a login (PROTOCOL, section 5).
 *
 * T(tag) || cluster_id || handshake hash[32] || name[16] || u16 role ||
 * u16 flags || u32 0.  The handshake hash is fresh for each connection, so the
 * signature serves on that connection alone.
 */
#ifndef DEFTER_PROTOCOL_LOGIN_H
#define DEFTER_PROTOCOL_LOGIN_H

#include "protocol/identity.h"

enum { LOGIN_NAME_SIZE = 16 };

/* How the client shows who it is. */
enum login_way {
    LOGIN_BY_KEY,     /* AUTH_KEY: name is the key_id. */
    LOGIN_BY_PASSWORD /* PW_PROVE: name is from password_name(). */
};

struct login_claim {
    enum login_way way;
    uint16_t role;
    uint16_t flags;
    uint8_t name[LOGIN_NAME_SIZE];
};

void login_sign(uint8_t signature_out[SIGNATURE_SIZE],
                const struct login_claim *claim, const uint8_t *cluster_id,
                const uint8_t *binding, const struct identity *identity);

/*
 * login_verify(claim, signature, cluster_id, binding, public_key):
 * For an unknown key the caller verifies against any other, so that both take
 * the same time, and then answers ST_AUTH.
 *
 * Returns: ST_OK; ST_AUTH.
 */
NODISCARD enum status login_verify(const struct login_claim *claim,
                                   const uint8_t *signature,
                                   const uint8_t *cluster_id,
                                   const uint8_t *binding,
                                   const uint8_t *public_key);

#endif
