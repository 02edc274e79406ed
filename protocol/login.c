#include "protocol/login.h"

#include <string.h>

#include "protocol/assumptions.h"
#include "protocol/bytes.h"

enum { LOGIN_MESSAGE_SIZE = HASH_SIZE + LOGIN_NAME_SIZE + 8 };
static_assert(TAG_SIZE + CLUSTER_ID_SIZE + LOGIN_MESSAGE_SIZE == 88,
              "88 bytes are signed");
static_assert((int)LOGIN_NAME_SIZE == (int)KEY_ID_SIZE,
              "a key's number is a name");

static enum tag login_tag(enum login_way way)
{
    switch (way) {
    case LOGIN_BY_KEY:
        return TAG_AUTH;
    case LOGIN_BY_PASSWORD:
        return TAG_PWAUTH;
    }
    INVARIANT(false);
    return TAG_AUTH;
}

static void login_compose(uint8_t out[LOGIN_MESSAGE_SIZE],
                          const struct login_claim *claim,
                          const uint8_t *binding)
{
    memcpy(out, binding, HASH_SIZE);
    memcpy(out + HASH_SIZE, claim->name, LOGIN_NAME_SIZE);
    store_u16(out + 48, claim->role);
    store_u16(out + 50, claim->flags);
    store_u32(out + 52, 0);
}

void login_sign(uint8_t signature_out[SIGNATURE_SIZE],
                const struct login_claim *claim, const uint8_t *cluster_id,
                const uint8_t *binding, const struct identity *identity)
{
    uint8_t message[LOGIN_MESSAGE_SIZE];

    login_compose(message, claim, binding);
    identity_sign(identity, signature_out, login_tag(claim->way), cluster_id,
                  message, sizeof message);
}

enum status login_verify(const struct login_claim *claim,
                         const uint8_t *signature, const uint8_t *cluster_id,
                         const uint8_t *binding, const uint8_t *public_key)
{
    uint8_t message[LOGIN_MESSAGE_SIZE];

    login_compose(message, claim, binding);
    if (identity_verify(public_key, signature, login_tag(claim->way),
                        cluster_id, message, sizeof message) != ST_OK)
        return ST_AUTH;
    return ST_OK;
}
