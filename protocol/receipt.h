/*
 * receipt.h: what a node signs back for a committed command (PROTOCOL,
 * section 7).
 *
 *    0 u16 version = 1      16 u64 epoch            48 command_hash[32]
 *    2 u16 code             24 i64 committed_at     80 entry_hash[32]
 *    4 u32 flags            32 receipt_key_id[16]  112 result_hash[32]
 *    8 u64 index
 */
#ifndef DEFTER_PROTOCOL_RECEIPT_H
#define DEFTER_PROTOCOL_RECEIPT_H

#include "protocol/bytes.h"
#include "protocol/identity.h"
#include "protocol/limits.h"

enum { RECEIPT_VERSION = 1 };

enum {
    RECEIPT_FLAG_BATCH = 1, /* The result holds a code for each item. */
    RECEIPT_FLAGS_KNOWN = RECEIPT_FLAG_BATCH
};

struct receipt {
    uint16_t code;
    uint32_t flags;
    uint64_t index;
    uint64_t epoch;
    int64_t committed_at; /* The entry's log time. */
    uint8_t receipt_key_id[KEY_ID_SIZE];
    uint8_t command_hash[HASH_SIZE];
    uint8_t entry_hash[HASH_SIZE]; /* The entry's leaf hash. */
    uint8_t result_hash[HASH_SIZE];
};

void receipt_encode(uint8_t out[RECEIPT_SIZE], const struct receipt *receipt);

/*
 * receipt_decode(receipt, bytes):
 * Read RECEIPT_SIZE bytes.
 *
 * Returns: ST_OK; ST_RECEIPT for another version, an unknown flag, a negative
 *          time or an epoch beyond 32 bits.
 */
NODISCARD enum status receipt_decode(struct receipt *receipt,
                                     const uint8_t *bytes);

/*
 * receipt_sign(receipt, bytes_out, signature_out, cluster_id, identity):
 * Set the receipt's key number, encode it and sign it.
 */
void receipt_sign(struct receipt *receipt, uint8_t bytes_out[RECEIPT_SIZE],
                  uint8_t signature_out[SIGNATURE_SIZE],
                  const uint8_t *cluster_id, const struct identity *identity);

/*
 * receipt_verify(receipt_out, bytes, signature, cluster_id, public_key):
 * Returns: ST_OK; ST_RECEIPT if the bytes do not decode, name another key, or
 *          are not signed by ${public_key}.
 */
NODISCARD enum status receipt_verify(struct receipt *receipt_out,
                                     const uint8_t *bytes,
                                     const uint8_t *signature,
                                     const uint8_t *cluster_id,
                                     const uint8_t *public_key);

#endif
