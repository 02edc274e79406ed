/*
 * item.h: one operation of a command, as it is hashed, and as the log and the
 * state keep it (PROTOCOL, section 6; LOG-FORMAT, section 2).
 *
 *   stored  0 clear[32] · 32 commitment[32] · 64 u64 seal_key (0 = open)
 *          72 u32 data_size · 76 u32 0 · 80 data
 *
 * The data are salt || fields, sealed unless the key number is 0.
 */
#ifndef DEFTER_PROTOCOL_ITEM_H
#define DEFTER_PROTOCOL_ITEM_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

/* What an auditor without keys may see of an item: its first 32 bytes. */
struct item_clear {
    uint16_t opcode;
    uint16_t version;
    uint32_t size; /* Of the item on the wire: clear, salt and fields. */
    uint32_t duty;
    uint32_t purpose;
    uint64_t subject;
    uint64_t expect_version;
};

/*
 * A stored item.  The pointers borrow from the bytes it was read from.
 * Invariants: clear_part.size >= ITEM_SIZE_MIN;
 *             data.size == clear_part.size - ITEM_CLEAR_SIZE, and
 *             AEAD_TAG_SIZE more when it is sealed.
 */
struct item {
    struct slice bytes; /* The whole stored item. */
    struct item_clear clear_part;
    const uint8_t *clear;      /* ITEM_CLEAR_SIZE bytes. */
    const uint8_t *commitment; /* HASH_SIZE bytes. */
    uint64_t seal_key;
    struct slice data;
};

/* Read and write the ITEM_CLEAR_SIZE bytes; nothing is judged. */
void item_clear_decode(struct item_clear *out, const uint8_t *clear);
void item_clear_encode(uint8_t out[ITEM_CLEAR_SIZE],
                       const struct item_clear *clear);

/*
 * item_commitment(out, secret):
 * H(T("DFT1/item") || salt || fields); ${secret} is salt || fields.
 */
void item_commitment(uint8_t out[HASH_SIZE], struct slice secret);

/* H(0x00 || clear || commitment): the item's leaf in the body's tree. */
void item_leaf_hash(uint8_t out[HASH_SIZE], const uint8_t *clear,
                    const uint8_t *commitment);

/* Bytes that an item of ${clear_part} takes when stored. */
size_t item_stored_size(const struct item_clear *clear_part, bool sealed);

/*
 * item_take(item, reader):
 * Read the stored item at the reader's place, which may be followed by more.
 *
 * Returns: ST_OK; ST_ENTRY_FORMED for lengths that do not agree, a reserved
 *          word that is not zero, or too few bytes.  Commitments are not
 *          compared: see item_check_open().
 * Owns:    ${item} borrows from the reader's bytes.
 */
NODISCARD enum status item_take(struct item *item, struct reader *reader);

/* The same for bytes that are one stored item and nothing else. */
NODISCARD enum status item_decode(struct item *item, struct slice bytes);

/*
 * item_check_open(item):
 * Returns: ST_OK if the item is sealed, or its data hash to its commitment;
 *          else ST_ENTRY_FORMED.
 */
NODISCARD enum status item_check_open(const struct item *item);

/*
 * item_fields(item):
 * The fields of an open item, without the salt.
 *
 * Requires: item->seal_key == 0.
 */
struct slice item_fields(const struct item *item);

#endif
