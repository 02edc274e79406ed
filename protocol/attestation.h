/*
 * attestation.h: an entry of system.attest, and what it shows of one item to
 * whoever has neither the log nor its keys (LOG-FORMAT, section 6).
 *
 *   leaf = SHA-256(0x00 ‖ u64 index ‖ u16 item ‖ u16 code ‖ result_hash)
 *
 * Its root is over the leaves of all items of the entries first to last.
 */
#ifndef DEFTER_PROTOCOL_ATTESTATION_H
#define DEFTER_PROTOCOL_ATTESTATION_H

#include "protocol/catalogue.h"
#include "protocol/entry.h"

/* The leaf of one outcome; ${result_hash} is that of no bytes where nothing was
 * given. */
void attestation_leaf(uint8_t out[HASH_SIZE], uint64_t index, uint16_t item,
                      uint16_t code, const uint8_t result_hash[HASH_SIZE]);

/* What leads from an outcome's leaf to the root of its attestation, the nearest
 * sibling first.  Sides are told instead of places, because nothing that is
 * signed says how many leaves there are. */
struct attestation_path {
    uint8_t hashes[ATTEST_HASHES_MAX][HASH_SIZE];
    size_t count;
    uint16_t lefts; /* Bit i: hash i stands on the left; none from count on. */
};

struct attestation {
    struct entry entry;
    struct op_system_attest stated;
};

/*
 * attestation_paths_make(paths_out, positions, paths_count, leaves, count):
 * The paths of the leaves at ${positions} in the tree of ${count} leaves, whose
 * inner nodes are made once for all of them.
 *
 * Requires: each position < count <= ATTEST_LEAVES_MAX.
 * Owns:     ${positions} and ${leaves} are used up.
 */
void attestation_paths_make(struct attestation_path *paths_out,
                            size_t *positions, size_t paths_count,
                            uint8_t (*leaves)[HASH_SIZE], size_t count);

/* The root to which ${path} leads from ${leaf}. */
void attestation_path_root(uint8_t out[HASH_SIZE],
                           const struct attestation_path *path,
                           const uint8_t leaf[HASH_SIZE]);

/*
 * attestation_read(out, bytes):
 * Returns: ST_OK; ST_ENTRY_FORMED for what is no entry, or one of anything but
 *          system.attest alone, open and of entries before it, within the time
 *          in which it counts, and with everything else of header and clear
 *          part as nodes write it.
 * Owns:    ${*out} borrows ${bytes}.
 */
NODISCARD enum status attestation_read(struct attestation *out,
                                       struct slice bytes);

/*
 * attestation_shows(attestation, path, index, result_hash):
 * Whether the first item of entry ${index} was done, and gave a result of that
 * hash, as the attestation states it.
 *
 * Returns: ST_OK; ST_PROOF.
 */
NODISCARD enum status attestation_shows(const struct attestation *attestation,
                                        const struct attestation_path *path,
                                        uint64_t index,
                                        const uint8_t result_hash[HASH_SIZE]);

#endif
