/*
 * sign_state.h: what was signed last by whoever must never sign two
 * configurations of one number: the operator, and an archive as witness
 * (LOG-FORMAT, section 11).
 *
 *      0 magic "DFTSIGN\0"      16 cluster_id[16]       72 certificate
 *      8 u16 version = 1        32 u64 number           then u64 XXH3-64 of all
 *     10 u16 keeper             40 hash[32]                  before
 *     12 u32 certificate_size
 *
 * hash is config_hash() of the configuration signed; certificate is what was
 * signed, so that the same can be signed and delivered again when it was lost
 * on its way: another of that number never will be.  Number 0: nothing was
 * signed.  A state set up anew from a note on paper knows the number alone.
 *
 * The state is durable before a signature leaves; where it lies, and how it is
 * written, is its keeper's (client/sign_store, replication/witness).
 */
#ifndef DEFTER_PROTOCOL_SIGN_STATE_H
#define DEFTER_PROTOCOL_SIGN_STATE_H

#include "protocol/config_cert.h"

enum sign_keeper { SIGN_OPERATOR = 1, SIGN_WITNESS = 2 };

enum {
    SIGN_STATE_VERSION = 1,
    SIGN_STATE_FIXED_SIZE = 72,
    SIGN_STATE_SIZE_MAX =
        SIGN_STATE_FIXED_SIZE + CONFIG_CERT_ENCODED_SIZE_MAX + 8,
    /* "NUMBER XXXXXXXX" and the final zero. */
    SIGN_PAPER_SIZE = 32
};

/* Invariants: number 0 has no certificate and a hash of zeros; a certificate
 * holds the configuration of number and hash. */
struct sign_state {
    enum sign_keeper keeper;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint64_t number;
    uint8_t hash[HASH_SIZE];
    uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
    size_t certificate_size;
};

/* Nothing was signed yet. */
void sign_state_init(struct sign_state *state, enum sign_keeper keeper,
                     const uint8_t *cluster_id);

/* Writes at most SIGN_STATE_SIZE_MAX bytes.  Requires: the invariants. */
void sign_state_encode(uint8_t *out, size_t *size_out,
                       const struct sign_state *state);

/*
 * sign_state_decode(out, bytes, keeper, cluster_id):
 * Returns: ST_OK; ST_FILE_FORMAT, also for another keeper's; ST_CHECKSUM;
 *          ST_WRONG_ENV for another cluster's.
 */
NODISCARD enum status sign_state_decode(struct sign_state *out,
                                        struct slice bytes,
                                        enum sign_keeper keeper,
                                        const uint8_t *cluster_id);

/*
 * sign_state_take(state, certificate):
 * Take the number of ${certificate}'s configuration, if it may be signed: it is
 * above the last one, or it is the last one once more.
 *
 * Returns: ST_OK, and ${state} is to be made durable before anything is signed;
 *          ST_FILE_FORMAT for what is no certificate; ST_WRONG_ENV for another
 *          cluster's; ST_EXISTS if another configuration of that number, or a
 *          later one, was signed.
 */
NODISCARD enum status sign_state_take(struct sign_state *state,
                                      struct slice certificate);

/* The number and the first 8 hex digits of the hash, to be kept on paper. */
void sign_state_paper(char out[SIGN_PAPER_SIZE],
                      const struct sign_state *state);

#endif
