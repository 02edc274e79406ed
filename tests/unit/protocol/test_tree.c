#include "protocol/tree.h"

#include <sodium.h>

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

enum { LEAVES = 40 };

static uint8_t leaf_hashes[LEAVES][HASH_SIZE];

static void fill_leaves(void)
{
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t leaf[2] = {(uint8_t)i, 0xaa};

        tree_leaf_hash(leaf_hashes[i], slice_of(leaf, sizeof leaf));
    }
}

/* The definition of RFC 6962 section 2.1, word for word. */
static void root_by_definition(uint8_t out[HASH_SIZE], size_t first,
                               size_t count)
{
    uint8_t left[HASH_SIZE];
    uint8_t right[HASH_SIZE];
    size_t split = 1;

    if (count == 1) {
        memcpy(out, leaf_hashes[first], HASH_SIZE);
        return;
    }
    while (split * 2 < count)
        split *= 2;
    root_by_definition(left, first, split);
    root_by_definition(right, first + split, count - split);
    tree_node_hash(out, left, right);
}

static const char *const rfc_leaves[] = {
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
};
static const char *const rfc_roots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

START_TEST(tree_root_of_an_empty_log_is_the_hash_of_nothing)
{
    struct tree tree;
    uint8_t root[HASH_SIZE];

    tree_init(&tree);
    tree_root(&tree, root);
    hex_expect(
        root, sizeof root,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(tree_roots_of_the_published_leaves_are_the_published_roots)
{
    struct tree tree;

    tree_init(&tree);
    for (size_t i = 0; i < 8; i++) {
        uint8_t leaf[16];
        uint8_t hash[HASH_SIZE];
        size_t size = hex_decode(leaf, sizeof leaf, rfc_leaves[i]);

        tree_leaf_hash(hash, slice_of(leaf, size));
        tree_append(&tree, hash);
        tree_root(&tree, hash);
        hex_expect(hash, sizeof hash, rfc_roots[i]);
    }
}
END_TEST

START_TEST(tree_grown_leaf_by_leaf_has_the_root_of_the_definition)
{
    struct tree tree;

    fill_leaves();
    tree_init(&tree);
    for (size_t size = 1; size <= LEAVES; size++) {
        uint8_t grown[HASH_SIZE];
        uint8_t at_once[HASH_SIZE];
        uint8_t defined[HASH_SIZE];

        tree_append(&tree, leaf_hashes[size - 1]);
        tree_root(&tree, grown);
        tree_root_of(at_once, leaf_hashes, size);
        root_by_definition(defined, 0, size);
        ck_assert_mem_eq(grown, defined, HASH_SIZE);
        ck_assert_mem_eq(at_once, defined, HASH_SIZE);
    }
}
END_TEST

START_TEST(tree_inclusion_shows_every_leaf_of_every_tree_and_nothing_else)
{
    struct tree_leaves leaves = {leaf_hashes, LEAVES};
    struct tree_source source = {&leaves, tree_leaves_read};

    fill_leaves();
    for (uint64_t size = 1; size <= LEAVES; size++) {
        uint8_t root[HASH_SIZE];

        root_by_definition(root, 0, size);
        for (uint64_t index = 0; index < size; index++) {
            uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
            size_t count;
            const uint8_t *leaf = leaf_hashes[index];

            ck_assert_int_eq(
                tree_inclusion_make(proof, &count, &source, index, size),
                ST_OK);
            ck_assert_int_eq(
                tree_inclusion_check(leaf, index, size, root, proof, count),
                ST_OK);
            for (uint64_t other = 0; other <= size; other++) {
                if (other != index)
                    ck_assert_int_eq(tree_inclusion_check(leaf, other, size,
                                                          root, proof, count),
                                     ST_PROOF);
            }
            if (count > 0)
                ck_assert_int_eq(tree_inclusion_check(leaf, index, size, root,
                                                      proof, count - 1),
                                 ST_PROOF);
            memcpy(proof[count], root, HASH_SIZE);
            ck_assert_int_eq(
                tree_inclusion_check(leaf, index, size, root, proof, count + 1),
                ST_PROOF);
        }
    }
}
END_TEST

START_TEST(tree_inclusion_fails_for_every_flipped_bit)
{
    struct tree_leaves leaves = {leaf_hashes, LEAVES};
    struct tree_source source = {&leaves, tree_leaves_read};
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t root[HASH_SIZE];
    size_t count;

    fill_leaves();
    root_by_definition(root, 0, 23);
    ck_assert_int_eq(tree_inclusion_make(proof, &count, &source, 13, 23),
                     ST_OK);
    for (size_t bit = 0; bit < count * HASH_SIZE * 8; bit++) {
        uint8_t *byte = &proof[bit / 8 / HASH_SIZE][bit / 8 % HASH_SIZE];

        *byte ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(
            tree_inclusion_check(leaf_hashes[13], 13, 23, root, proof, count),
            ST_PROOF);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(tree_consistency_holds_between_any_two_sizes_and_their_roots_only)
{
    struct tree_leaves leaves = {leaf_hashes, LEAVES};
    struct tree_source source = {&leaves, tree_leaves_read};

    fill_leaves();
    for (uint64_t newer = 1; newer <= LEAVES; newer++) {
        uint8_t new_root[HASH_SIZE];

        root_by_definition(new_root, 0, newer);
        for (uint64_t older = 0; older <= newer; older++) {
            uint8_t proof[PROOF_HASHES_MAX + 1][HASH_SIZE];
            uint8_t old_root[HASH_SIZE];
            size_t count;

            tree_root_of(old_root, leaf_hashes, older);
            ck_assert_int_eq(
                tree_consistency_make(proof, &count, &source, older, newer),
                ST_OK);
            ck_assert_int_eq(tree_consistency_check(older, old_root, newer,
                                                    new_root, proof, count),
                             ST_OK);
            memcpy(proof[count], new_root, HASH_SIZE);
            ck_assert_int_eq(tree_consistency_check(older, old_root, newer,
                                                    new_root, proof, count + 1),
                             ST_PROOF);
            if (count > 0)
                ck_assert_int_eq(tree_consistency_check(older, old_root, newer,
                                                        new_root, proof,
                                                        count - 1),
                                 ST_PROOF);
            for (size_t at = 0; at < count; at++) {
                proof[at][at % HASH_SIZE] ^= 4;
                ck_assert_int_eq(tree_consistency_check(older, old_root, newer,
                                                        new_root, proof, count),
                                 ST_PROOF);
                proof[at][at % HASH_SIZE] ^= 4;
            }
            old_root[31] ^= 1;
            ck_assert_int_eq(tree_consistency_check(older, old_root, newer,
                                                    new_root, proof, count),
                             ST_PROOF);
        }
    }
}
END_TEST

START_TEST(tree_consistency_never_runs_backwards)
{
    uint8_t proof[1][HASH_SIZE] = {{0}};
    uint8_t root[HASH_SIZE] = {0};

    ck_assert_int_eq(tree_consistency_check(5, root, 4, root, proof, 0),
                     ST_PROOF);
    ck_assert_int_eq(
        tree_consistency_check(1, root, TREE_SIZE_MAX + 1, root, proof, 1),
        ST_PROOF);
    ck_assert_int_eq(
        tree_inclusion_check(root, 0, TREE_SIZE_MAX + 1, root, proof, 0),
        ST_PROOF);
    ck_assert_int_eq(tree_inclusion_check(root, 0, 0, root, proof, 0),
                     ST_PROOF);
}
END_TEST

static enum status failing_read(void *context, uint8_t out[HASH_SIZE],
                                unsigned level, uint64_t index)
{
    (void)out;
    (void)level;
    (void)index;
    return *(const enum status *)context;
}

START_TEST(tree_proofs_end_with_what_their_source_failed_with)
{
    enum status failure = ST_DISK_FAILED;
    struct tree_source source = {&failure, failing_read};
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    size_t count;

    ck_assert_int_eq(tree_inclusion_make(proof, &count, &source, 3, 9),
                     ST_DISK_FAILED);
    ck_assert_int_eq(tree_consistency_make(proof, &count, &source, 3, 9),
                     ST_DISK_FAILED);
}
END_TEST

SUITE_MAIN("tree", tree_root_of_an_empty_log_is_the_hash_of_nothing,
           tree_roots_of_the_published_leaves_are_the_published_roots,
           tree_grown_leaf_by_leaf_has_the_root_of_the_definition,
           tree_inclusion_shows_every_leaf_of_every_tree_and_nothing_else,
           tree_inclusion_fails_for_every_flipped_bit,
           tree_consistency_holds_between_any_two_sizes_and_their_roots_only,
           tree_consistency_never_runs_backwards,
           tree_proofs_end_with_what_their_source_failed_with)
