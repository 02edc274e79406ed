#include "protocol/tree.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

enum { TREE_LEAF_PREFIX = 0x00, TREE_NODE_PREFIX = 0x01 };

void tree_leaf_hash(uint8_t out[HASH_SIZE], struct slice bytes)
{
    static const uint8_t prefix = TREE_LEAF_PREFIX;
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, 1);
    if (bytes.size > 0)
        crypto_hash_sha256_update(&state, bytes.data, bytes.size);
    crypto_hash_sha256_final(&state, out);
}

void tree_node_hash(uint8_t out[HASH_SIZE], const uint8_t left[HASH_SIZE],
                    const uint8_t right[HASH_SIZE])
{
    uint8_t input[1 + 2 * HASH_SIZE];

    input[0] = TREE_NODE_PREFIX;
    memcpy(input + 1, left, HASH_SIZE);
    memcpy(input + 1 + HASH_SIZE, right, HASH_SIZE);
    crypto_hash_sha256(out, input, sizeof input);
}

void tree_init(struct tree *tree)
{
    tree->size = 0;
}

void tree_append(struct tree *tree, const uint8_t leaf_hash[HASH_SIZE])
{
    uint8_t hash[HASH_SIZE];
    unsigned level = 0;

    REQUIRE(tree->size < TREE_SIZE_MAX);
    memcpy(hash, leaf_hash, HASH_SIZE);
    for (uint64_t size = tree->size; (size & 1) != 0; size >>= 1) {
        tree_node_hash(hash, tree->hashes[level], hash);
        level++;
    }
    INVARIANT(level < TREE_HEIGHT_MAX);
    memcpy(tree->hashes[level], hash, HASH_SIZE);
    tree->size++;
}

void tree_root(const struct tree *tree, uint8_t out[HASH_SIZE])
{
    bool found = false;

    if (tree->size == 0) {
        crypto_hash_sha256(out, NULL, 0);
        return;
    }
    for (unsigned level = 0; level < TREE_HEIGHT_MAX; level++) {
        if ((tree->size >> level & 1) == 0)
            continue;
        if (found)
            tree_node_hash(out, tree->hashes[level], out);
        else
            memcpy(out, tree->hashes[level], HASH_SIZE);
        found = true;
    }
}

void tree_root_of(uint8_t out[HASH_SIZE], const uint8_t (*hashes)[HASH_SIZE],
                  size_t count)
{
    struct tree tree;

    tree_init(&tree);
    for (size_t i = 0; i < count; i++)
        tree_append(&tree, hashes[i]);
    tree_root(&tree, out);
}
