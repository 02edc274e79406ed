/*
 * tree_proof.c: inclusion and consistency, RFC 6962 section 2.1, checked by the
 * loops of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
 */
#include "protocol/tree.h"

#include <string.h>

#include "protocol/assumptions.h"

/* The largest power of two below ${size}. */
static uint64_t tree_split(uint64_t size)
{
    uint64_t split = 1;

    INVARIANT(size > 1);
    while (split << 1 < size)
        split <<= 1;
    return split;
}

enum status tree_leaves_read(void *context, uint8_t out[HASH_SIZE],
                             unsigned level, uint64_t index)
{
    const struct tree_leaves *leaves = context;
    size_t first;
    size_t count;

    REQUIRE(level < 63);
    count = (size_t)1 << level;
    REQUIRE(index <= leaves->count >> level);
    first = (size_t)index << level;
    REQUIRE(count <= leaves->count - first);
    tree_root_of(out, leaves->hashes + first, count);
    return ST_OK;
}

/*
 * The root over leaves [first, end), where ${first} is a multiple of every
 * complete subtree that the range holds.
 */
static enum status tree_range(uint8_t out[HASH_SIZE],
                              const struct tree_source *source, uint64_t first,
                              uint64_t end)
{
    bool found = false;

    /* From the right, because the small subtrees join first. */
    for (unsigned level = 0; level < TREE_HEIGHT_MAX - 1; level++) {
        uint64_t count = (uint64_t)1 << level;
        uint8_t hash[HASH_SIZE];
        enum status status;

        if (((end - first) & count) == 0)
            continue;
        end -= count;
        status = source->read(source->context, hash, level, end >> level);
        if (status != ST_OK)
            return status;
        if (found)
            tree_node_hash(out, hash, out);
        else
            memcpy(out, hash, HASH_SIZE);
        found = true;
    }
    ENSURE(found);
    return ST_OK;
}

/* Proofs are found from the root down and written from the leaf up. */
static void tree_reverse(uint8_t (*proof)[HASH_SIZE], size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        uint8_t hash[HASH_SIZE];

        memcpy(hash, proof[i], HASH_SIZE);
        memcpy(proof[i], proof[count - 1 - i], HASH_SIZE);
        memcpy(proof[count - 1 - i], hash, HASH_SIZE);
    }
}

enum status tree_inclusion_make(uint8_t (*proof)[HASH_SIZE], size_t *count_out,
                                const struct tree_source *source,
                                uint64_t index, uint64_t size)
{
    uint64_t first = 0;
    uint64_t end = size;
    size_t count = 0;

    REQUIRE(index < size && size <= TREE_SIZE_MAX);
    while (end - first > 1) {
        uint64_t middle = first + tree_split(end - first);
        bool left = index < middle;
        enum status status;

        INVARIANT(count < PROOF_HASHES_MAX);
        status = tree_range(proof[count++], source, left ? middle : first,
                            left ? end : middle);
        if (status != ST_OK)
            return status;
        if (left)
            end = middle;
        else
            first = middle;
    }
    tree_reverse(proof, count);
    *count_out = count;
    return ST_OK;
}

enum status tree_consistency_make(uint8_t (*proof)[HASH_SIZE],
                                  size_t *count_out,
                                  const struct tree_source *source,
                                  uint64_t older, uint64_t newer)
{
    uint64_t first = 0;
    uint64_t end = newer;
    size_t count = 0;
    enum status status;

    REQUIRE(older <= newer && newer <= TREE_SIZE_MAX);
    *count_out = 0;
    if (older == 0 || older == newer)
        return ST_OK;
    while (end != older) {
        uint64_t middle = first + tree_split(end - first);
        bool left = older <= middle;

        INVARIANT(count < PROOF_HASHES_MAX);
        status = tree_range(proof[count++], source, left ? middle : first,
                            left ? end : middle);
        if (status != ST_OK)
            return status;
        if (left)
            end = middle;
        else
            first = middle;
    }
    /* A whole older tree is known to the checker and is left out. */
    if (first != 0) {
        INVARIANT(count < PROOF_HASHES_MAX);
        status = tree_range(proof[count++], source, first, end);
        if (status != ST_OK)
            return status;
    }
    tree_reverse(proof, count);
    *count_out = count;
    return ST_OK;
}

enum status tree_inclusion_check(const uint8_t leaf_hash[HASH_SIZE],
                                 uint64_t index, uint64_t size,
                                 const uint8_t root[HASH_SIZE],
                                 const uint8_t (*proof)[HASH_SIZE],
                                 size_t count)
{
    uint64_t at = index;
    uint64_t last;
    uint8_t hash[HASH_SIZE];

    if (index >= size || size > TREE_SIZE_MAX || count > PROOF_HASHES_MAX)
        return ST_PROOF;
    last = size - 1;
    memcpy(hash, leaf_hash, HASH_SIZE);
    for (size_t i = 0; i < count; i++) {
        if (last == 0)
            return ST_PROOF;
        if ((at & 1) != 0 || at == last) {
            tree_node_hash(hash, proof[i], hash);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            tree_node_hash(hash, hash, proof[i]);
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0 || memcmp(hash, root, HASH_SIZE) != 0)
        return ST_PROOF;
    return ST_OK;
}

/* Walks one consistency path; both hashes begin as its first element. */
static bool tree_consistency_walk(uint8_t older_hash[HASH_SIZE],
                                  uint8_t newer_hash[HASH_SIZE], uint64_t at,
                                  uint64_t last,
                                  const uint8_t (*proof)[HASH_SIZE],
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            tree_node_hash(older_hash, proof[i], older_hash);
            tree_node_hash(newer_hash, proof[i], newer_hash);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            tree_node_hash(newer_hash, newer_hash, proof[i]);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0;
}

enum status tree_consistency_check(uint64_t older,
                                   const uint8_t older_root[HASH_SIZE],
                                   uint64_t newer,
                                   const uint8_t newer_root[HASH_SIZE],
                                   const uint8_t (*proof)[HASH_SIZE],
                                   size_t count)
{
    uint8_t older_hash[HASH_SIZE];
    uint8_t newer_hash[HASH_SIZE];
    uint64_t at;
    uint64_t last;
    size_t used = 0;

    if (older > newer || newer > TREE_SIZE_MAX || count > PROOF_HASHES_MAX)
        return ST_PROOF;
    if (older == newer)
        return count == 0 && memcmp(older_root, newer_root, HASH_SIZE) == 0
                   ? ST_OK
                   : ST_PROOF;
    if (older == 0) {
        struct tree empty;

        tree_init(&empty);
        tree_root(&empty, older_hash);
        return count == 0 && memcmp(older_root, older_hash, HASH_SIZE) == 0
                   ? ST_OK
                   : ST_PROOF;
    }
    at = older - 1;
    last = newer - 1;
    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    /* at == 0: the older tree is one complete subtree, its root is known. */
    if (at != 0 && count == 0)
        return ST_PROOF;
    memcpy(older_hash, at == 0 ? older_root : proof[used++], HASH_SIZE);
    memcpy(newer_hash, older_hash, HASH_SIZE);
    if (!tree_consistency_walk(older_hash, newer_hash, at, last, proof + used,
                               count - used) ||
        memcmp(older_hash, older_root, HASH_SIZE) != 0 ||
        memcmp(newer_hash, newer_root, HASH_SIZE) != 0)
        return ST_PROOF;
    return ST_OK;
}
