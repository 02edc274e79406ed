/*
 * nodecert.h: what binds a node's channel key and receipt key to the cluster's
 * authority (PROTOCOL, section 2).
 *
 *    0 u16 version = 1     16 i64 not_after (s)    56 x25519 key[32]
 *    2 u16 role            24 cluster_id[16]       88 receipt key[32]
 *    4 u32 serial          40 node_id[16]         120 signature[64]
 *    8 i64 not_before (s)
 *
 * The signature is the authority's over T("DFT1/nodecert") || bytes 0 to 119.
 */
#ifndef DEFTER_PROTOCOL_NODECERT_H
#define DEFTER_PROTOCOL_NODECERT_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/identity.h"

enum { NODECERT_VERSION = 1 };

enum nodecert_role {
    NODECERT_SERVER = 1,
    NODECERT_BACKUP = 2,
    NODECERT_ARCHIVE = 3
};

struct nodecert {
    uint16_t role;
    uint32_t serial;
    int64_t not_before_s;
    int64_t not_after_s;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t channel_key[PUBLIC_KEY_SIZE]; /* X25519 */
    uint8_t receipt_key[PUBLIC_KEY_SIZE]; /* Ed25519 */
};

/* Why a certificate is refused; the first that applies, in this order. */
enum nodecert_fault {
    NODECERT_GOOD,
    NODECERT_BAD_VERSION,
    NODECERT_OTHER_CLUSTER,
    NODECERT_BAD_SIGNATURE, /* Changed, or of another authority. */
    NODECERT_NOT_YET_VALID,
    NODECERT_EXPIRED,
    NODECERT_OTHER_ROLE,
    NODECERT_OTHER_CHANNEL_KEY, /* Not the key the peer proved. */
    NODECERT_LIFETIME,          /* Negative or over the limit. */
    NODECERT_BAD_RECEIPT_KEY,   /* Not a point of the main subgroup. */
    NODECERT_FAULTS_COUNT
};

/* What the reader of a certificate knows already. */
struct nodecert_expected {
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint16_t role;
    int64_t now_s; /* Seconds since 1970-01-01 UTC. */
};

/*
 * nodecert_sign(out, cert, authority):
 * Write the NODECERT_SIZE bytes of ${cert}, signed.
 */
void nodecert_sign(uint8_t out[NODECERT_SIZE], const struct nodecert *cert,
                   const struct identity *authority);

/* Read NODECERT_SIZE bytes without judging them. */
void nodecert_decode(struct nodecert *cert, const uint8_t *bytes);

/*
 * nodecert_verify(cert, fault_out, bytes, expected, channel_key):
 * Judge NODECERT_SIZE bytes.  ${channel_key} is the static key the peer proved
 * in the handshake, NULL when there was none.  The bounds of validity are
 * NODECERT_CLOCK_SLACK_S seconds wide, inclusive.
 *
 * Returns: ST_OK; ST_CERTIFICATE, and ${*fault_out} says why.
 */
NODISCARD enum status nodecert_verify(struct nodecert *cert,
                                      enum nodecert_fault *fault_out,
                                      const uint8_t *bytes,
                                      const struct nodecert_expected *expected,
                                      const uint8_t *channel_key);

/* The fault in words, for people. */
const char *nodecert_fault_text(enum nodecert_fault fault);

#endif
