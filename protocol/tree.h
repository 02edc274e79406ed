/*
 * tree.h: the Merkle tree of RFC 6962 over the log's entries, and over the
 * items of one command.
 *
 *   leaf = SHA-256(0x00 || bytes), node = SHA-256(0x01 || left || right),
 *   split at the largest power of two below the number of leaves.
 */
#ifndef DEFTER_PROTOCOL_TREE_H
#define DEFTER_PROTOCOL_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

/* No tree of this project grows beyond this number of leaves. */
#define TREE_SIZE_MAX ((uint64_t)1 << 62)

/*
 * A tree that only grows: the roots of its complete subtrees.
 * Invariant: hashes[level] is set for every bit ${level} of ${size}.
 */
struct tree {
    uint64_t size;
    uint8_t hashes[TREE_HEIGHT_MAX][HASH_SIZE];
};

/*
 * Where proofs read from.  ${read} gives the root of the complete subtree of
 * 2^level leaves that begins at leaf (index << level); its failure ends the
 * proof's making with the same status.
 */
struct tree_source {
    void *context;
    enum status (*read)(void *context, uint8_t out[HASH_SIZE], unsigned level,
                        uint64_t index);
};

/* Leaf hashes in memory, back to back: the context of tree_leaves_read(). */
struct tree_leaves {
    const uint8_t (*hashes)[HASH_SIZE];
    size_t count;
};

void tree_leaf_hash(uint8_t out[HASH_SIZE], struct slice bytes);
void tree_node_hash(uint8_t out[HASH_SIZE], const uint8_t left[HASH_SIZE],
                    const uint8_t right[HASH_SIZE]);

void tree_init(struct tree *tree);

/* Requires: tree->size < TREE_SIZE_MAX. */
void tree_append(struct tree *tree, const uint8_t leaf_hash[HASH_SIZE]);

/* The root; the hash of nothing for an empty tree. */
void tree_root(const struct tree *tree, uint8_t out[HASH_SIZE]);

/* The root over ${count} leaf hashes. */
void tree_root_of(uint8_t out[HASH_SIZE], const uint8_t (*hashes)[HASH_SIZE],
                  size_t count);

/* Reads from a struct tree_leaves; see struct tree_source. */
enum status tree_leaves_read(void *context, uint8_t out[HASH_SIZE],
                             unsigned level, uint64_t index);

/*
 * tree_inclusion_make(proof, count_out, source, index, size):
 * The path of leaf ${index} in the tree of the first ${size} leaves, nearest
 * sibling first.
 *
 * Requires: index < size <= TREE_SIZE_MAX; ${proof} holds PROOF_HASHES_MAX.
 * Returns:  ST_OK, or what the source failed with.
 */
NODISCARD enum status tree_inclusion_make(uint8_t (*proof)[HASH_SIZE],
                                          size_t *count_out,
                                          const struct tree_source *source,
                                          uint64_t index, uint64_t size);

/*
 * tree_inclusion_check(leaf_hash, index, size, root, proof, count):
 * Returns: ST_OK; ST_PROOF, and nothing is shown.
 */
NODISCARD enum status tree_inclusion_check(const uint8_t leaf_hash[HASH_SIZE],
                                           uint64_t index, uint64_t size,
                                           const uint8_t root[HASH_SIZE],
                                           const uint8_t (*proof)[HASH_SIZE],
                                           size_t count);

/*
 * tree_consistency_make(proof, count_out, source, older, newer):
 * That the tree of ${older} leaves is the beginning of the tree of ${newer}.
 * Empty when the sizes are equal or ${older} is 0.
 *
 * Requires: older <= newer <= TREE_SIZE_MAX; ${proof} holds PROOF_HASHES_MAX.
 * Returns:  ST_OK, or what the source failed with.
 */
NODISCARD enum status tree_consistency_make(uint8_t (*proof)[HASH_SIZE],
                                            size_t *count_out,
                                            const struct tree_source *source,
                                            uint64_t older, uint64_t newer);

/*
 * tree_consistency_check(older, older_root, newer, newer_root, proof, count):
 * Returns: ST_OK; ST_PROOF, and nothing is shown.
 */
NODISCARD enum status tree_consistency_check(
    uint64_t older, const uint8_t older_root[HASH_SIZE], uint64_t newer,
    const uint8_t newer_root[HASH_SIZE], const uint8_t (*proof)[HASH_SIZE],
    size_t count);

#endif
