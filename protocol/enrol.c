#include "protocol/enrol.h"

#include "protocol/bytes.h"

enum { ENROL_MESSAGE_SIZE = PUBLIC_KEY_SIZE + 16 };

static void enrol_compose(uint8_t out[ENROL_MESSAGE_SIZE],
                          const struct enrol_claim *claim,
                          const uint8_t *public_key)
{
    struct writer writer;

    writer_init(&writer, out, ENROL_MESSAGE_SIZE);
    writer_bytes(&writer, public_key, PUBLIC_KEY_SIZE);
    writer_u16(&writer, claim->role);
    writer_u8(&writer, claim->level);
    writer_u8(&writer, 0);
    writer_u32(&writer, claim->organisation);
    writer_u64(&writer, claim->person);
    ENSURE(writer.used == ENROL_MESSAGE_SIZE);
}

void enrol_prove(uint8_t proof_out[SIGNATURE_SIZE],
                 const struct enrol_claim *claim, const uint8_t *cluster_id,
                 const struct identity *identity)
{
    uint8_t message[ENROL_MESSAGE_SIZE];

    enrol_compose(message, claim, identity->public_key);
    identity_sign(identity, proof_out, TAG_ENROL, cluster_id, message,
                  sizeof message);
}

enum status enrol_check(const struct enrol_claim *claim, const uint8_t *proof,
                        const uint8_t *cluster_id, const uint8_t *public_key)
{
    uint8_t message[ENROL_MESSAGE_SIZE];

    if (!identity_public_key_acceptable(public_key))
        return ST_BAD_FIELD;
    enrol_compose(message, claim, public_key);
    return identity_verify(public_key, proof, TAG_ENROL, cluster_id, message,
                           sizeof message);
}
