/*
 * seal.h: sealing the secret part of an item under a seal key, so that
 * destroying the key destroys the content and nothing else (LOG-FORMAT,
 * section 3).
 *
 * XChaCha20-Poly1305; nonce = the first 24 bytes of the item's leaf hash, which
 * is unique because the salt is inside it; associated data = the clear part.
 */
#ifndef DEFTER_PROTOCOL_SEAL_H
#define DEFTER_PROTOCOL_SEAL_H

#include "protocol/item.h"

/*
 * seal_close(out, key, clear, commitment, secret):
 * Write the secret.size + AEAD_TAG_SIZE sealed bytes of ${secret} (salt ||
 * fields) to ${out}.
 *
 * Requires: ${commitment} is item_commitment() of ${secret}.
 */
void seal_close(uint8_t *out, const uint8_t *key, const uint8_t *clear,
                const uint8_t *commitment, struct slice secret);

/*
 * seal_open(secret_out, item, key, buffer, size):
 * Open the data of ${item} to ${buffer} and compare them with the commitment.
 * An open item is only compared, and ${key} is not looked at.
 *
 * Requires: size >= item->data.size - AEAD_TAG_SIZE for a sealed item.
 * Returns:  ST_OK; ST_SEAL if the bytes do not open under ${key}, or open to
 *           something else than was signed.
 * Owns:     ${*secret_out} (salt || fields) borrows ${buffer}, or the item's
 *           bytes if it is open.
 */
NODISCARD enum status seal_open(struct slice *secret_out,
                                const struct item *item, const uint8_t *key,
                                uint8_t *buffer, size_t size);

/* The fields behind the salt of what seal_open() gave. */
struct slice seal_fields(struct slice secret);

/*
 * seal_result_salt(out, key, index, item):
 * The SALT_SIZE bytes that begin every result of a sealed operation: the same
 * on every node, and gone with the key.
 */
void seal_result_salt(uint8_t out[SALT_SIZE], const uint8_t *key,
                      uint64_t index, uint16_t item);

#endif
