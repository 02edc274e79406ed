/*
 * enrol.h: the proof with which a new key is enrolled (PROTOCOL, section 5.5):
 * its own signature over what it is to become.
 */
#ifndef DEFTER_PROTOCOL_ENROL_H
#define DEFTER_PROTOCOL_ENROL_H

#include "protocol/identity.h"

/* The role in the claim of a node's receipt key: this and the node's role. */
enum { ENROL_NODE_ROLES = 256 };

/* person: as in the request, 0 where a new person is asked for. */
struct enrol_claim {
    uint16_t role;
    uint8_t level;
    uint32_t organisation;
    uint64_t person;
};

void enrol_prove(uint8_t proof_out[SIGNATURE_SIZE],
                 const struct enrol_claim *claim, const uint8_t *cluster_id,
                 const struct identity *identity);

/*
 * enrol_check(claim, proof, cluster_id, public_key):
 * Returns: ST_OK; ST_BAD_FIELD for a key that is no acceptable point;
 *          ST_BAD_SIG.
 */
NODISCARD enum status enrol_check(const struct enrol_claim *claim,
                                  const uint8_t *proof,
                                  const uint8_t *cluster_id,
                                  const uint8_t *public_key);

#endif
