/*
 * entry.h: one command with its place in the log (LOG-FORMAT, section 1).
 *
 * The bytes of an entry are what is stored, shipped, hashed and audited; they
 * never change.
 */
#ifndef DEFTER_PROTOCOL_ENTRY_H
#define DEFTER_PROTOCOL_ENTRY_H

#include "protocol/bytes.h"
#include "protocol/command.h"
#include "protocol/item.h"
#include "protocol/limits.h"

enum { ENTRY_VERSION = 1, CATEGORY_MIN = 1, CATEGORY_MAX = 8 };

/* What the sequencer gives to a command. */
struct entry_place {
    uint8_t category; /* Journal category, CATEGORY_MIN to CATEGORY_MAX. */
    uint32_t epoch;
    uint64_t index;
    int64_t log_time; /* Microseconds; never decreases along the log. */
    uint8_t previous[HASH_SIZE]; /* Leaf hash of the entry before. */
    uint16_t carrier;            /* 0: the signer's own connection. */
};

/* Under which key one item is sealed. */
struct entry_seal {
    uint64_t number; /* 0: the item stays open, ${key} is not looked at. */
    const uint8_t *key;
};

/*
 * An entry that was read; the pointers borrow from its bytes.
 * Invariant: ${items} are header.items_count well-formed stored items.
 */
struct entry {
    struct slice bytes;
    struct entry_place place;
    struct command_header header;
    const uint8_t *header_bytes; /* COMMAND_HEADER_SIZE bytes. */
    const uint8_t *signature;    /* SIGNATURE_SIZE bytes. */
    struct slice items;          /* The stored items, back to back. */
};

/*
 * entry_size(command, seals):
 * The bytes that entry_encode() will write.
 *
 * Requires: ${seals} has one element per item.
 */
size_t entry_size(const struct command *command,
                  const struct entry_seal *seals);

/*
 * entry_encode(out, size, place, command, seals):
 * Write the entry of a verified command, sealing its items.
 *
 * Requires: size is entry_size() of the same arguments and at most
 *           ENTRY_SIZE_MAX; command_digest() was called.
 */
void entry_encode(uint8_t *out, size_t size, const struct entry_place *place,
                  const struct command *command,
                  const struct entry_seal *seals);

/*
 * entry_decode(entry, bytes):
 * Read an entry and see that it is well formed: version, category and reserved
 * words; realm and count equal to the header's; every item's lengths; wire
 * lengths that sum to the header's body_len; exact sizes; open data that hash
 * to their commitments.
 *
 * Returns: ST_OK; ST_ENTRY_FORMED.
 * Owns:    ${entry} borrows ${bytes}.
 */
NODISCARD enum status entry_decode(struct entry *entry, struct slice bytes);

/*
 * entry_view(entry, bytes):
 * The same for bytes that this node has decoded before: nothing is hashed.
 */
NODISCARD enum status entry_view(struct entry *entry, struct slice bytes);

/*
 * entry_next_item(item, rest):
 * Take the next stored item from ${*rest}, which begins as entry->items.
 *
 * Returns: false when none is left.
 * Requires: ${*rest} comes from a decoded entry.
 */
bool entry_next_item(struct item *item, struct slice *rest);

/* Item number ${number} of the entry.  Requires: number < items_count. */
void entry_item(struct item *item, const struct entry *entry, size_t number);

/* SHA-256(0x00 || entry): the next entry's previous, and the tree's leaf. */
void entry_leaf_hash(uint8_t out[HASH_SIZE], struct slice bytes);

/*
 * entry_compose(entry, out, cluster_id):
 * The 128 bytes that the command's signer signed, rebuilt without any key.
 */
void entry_compose(const struct entry *entry, uint8_t out[COMMAND_SIGNED_SIZE],
                   const uint8_t *cluster_id);

/*
 * entry_verify(entry, hash_out, cluster_id, public_key):
 * Verify the command's signature without any seal key; ${hash_out} gets the
 * command hash.
 *
 * Returns: ST_OK; ST_BAD_SIG, also if the key is not the header's key_id.
 */
NODISCARD enum status entry_verify(const struct entry *entry,
                                   uint8_t hash_out[HASH_SIZE],
                                   const uint8_t *cluster_id,
                                   const uint8_t *public_key);

#endif
