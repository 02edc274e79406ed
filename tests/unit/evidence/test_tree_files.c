#include "server/evidence/tree_files.h"

#include <string.h>

#include "tests/lib/evidence_rig.h"
#include "tests/lib/suite.h"

enum { ENTRIES = 600 };

static struct evidence_rig rig;
static struct tree_files *files;
static bool anchored;
static const struct tree_anchor nothing = {.size = 0};

static void open_files(const struct tree_anchor *anchor)
{
    ck_assert_uint_eq(tree_files_open(&files, &anchored,
                                      disk_model_disk(rig.model), rig.journal,
                                      anchor),
                      ST_OK);
}

static void close_files(void)
{
    tree_files_close(files);
    files = NULL;
}

static void begin(void)
{
    evidence_rig_begin(&rig);
    evidence_rig_grow(&rig, ENTRIES);
}

static void begin_full(void)
{
    begin();
    open_files(&nothing);
    ck_assert_uint_eq(tree_files_catch_up(files, rig.journal, ENTRIES, ENTRIES),
                      ST_OK);
    ck_assert_uint_eq(tree_files_size(files), ENTRIES);
}

static void end(void)
{
    close_files();
    evidence_rig_end(&rig);
}

static struct tree_anchor anchor_of(uint64_t size)
{
    struct tree_anchor anchor = {.size = size};

    evidence_rig_root(&rig, anchor.root, size);
    return anchor;
}

/* Whether every proof of the tree of ${size} entries checks. */
static bool all_proofs_check(uint64_t size)
{
    const struct tree_source source = tree_files_source(files);
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t root[HASH_SIZE];
    size_t count;
    bool good = true;

    evidence_rig_root(&rig, root, size);
    for (uint64_t i = 0; i < size && good; i++)
        good = tree_inclusion_make(proof, &count, &source, i, size) == ST_OK &&
               tree_inclusion_check(rig.leaves[i], i, size, root,
                                    (const uint8_t(*)[HASH_SIZE])proof,
                                    count) == ST_OK;
    return good;
}

START_TEST(tree_files_hold_the_complete_subtrees_of_each_level)
{
    const uint8_t *data;
    size_t size;
    uint8_t root[HASH_SIZE];

    begin_full();
    ck_assert(disk_model_peek(rig.model, "tree/00", &data, &size));
    ck_assert_uint_eq(size, ENTRIES * HASH_SIZE);
    ck_assert_mem_eq(data, rig.leaves, size);
    ck_assert(disk_model_peek(rig.model, "tree/01", &data, &size));
    ck_assert_uint_eq(size, 2 * HASH_SIZE);
    for (size_t i = 0; i < 2; i++) {
        tree_root_of(root, (const uint8_t(*)[HASH_SIZE])rig.leaves + 256 * i,
                     256);
        ck_assert_mem_eq(data + i * HASH_SIZE, root, HASH_SIZE);
    }
    ck_assert(disk_model_peek(rig.model, "tree/02", &data, &size));
    ck_assert_uint_eq(size, 0);
    end();
}
END_TEST

START_TEST(tree_files_prove_every_entry_at_sizes_around_a_tile)
{
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 513, 600};

    begin_full();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        ck_assert(all_proofs_check(sizes[i]));
    end();
}
END_TEST

START_TEST(tree_files_know_the_root_of_every_size_that_they_hold)
{
    uint8_t expected[HASH_SIZE];
    uint8_t root[HASH_SIZE];

    begin_full();
    for (uint64_t size = 0; size <= ENTRIES; size++) {
        evidence_rig_root(&rig, expected, size);
        ck_assert_uint_eq(tree_files_root(files, root, size), ST_OK);
        ck_assert_mem_eq(root, expected, HASH_SIZE);
    }
    ck_assert_uint_eq(tree_files_root(files, root, ENTRIES + 1), ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(tree_files_are_the_same_whether_leaves_are_offered_or_read)
{
    const uint8_t *data;
    size_t size;

    begin();
    open_files(&nothing);
    for (uint64_t at = 0; at < ENTRIES;) {
        size_t count = at + 100 > ENTRIES ? ENTRIES - at : 100;

        tree_files_offer(files, at,
                         (const uint8_t(*)[HASH_SIZE])rig.leaves + at, count);
        at += count;
        ck_assert_uint_eq(tree_files_size(files), at);
    }
    ck_assert(all_proofs_check(ENTRIES));
    ck_assert(disk_model_peek(rig.model, "tree/01", &data, &size));
    ck_assert_uint_eq(size, 2 * HASH_SIZE);
    end();
}
END_TEST

START_TEST(tree_files_pass_over_leaves_that_do_not_follow)
{
    begin();
    open_files(&nothing);
    tree_files_offer(files, 5, (const uint8_t(*)[HASH_SIZE])rig.leaves + 5, 10);
    ck_assert_uint_eq(tree_files_size(files), 0);
    ck_assert_uint_eq(tree_files_catch_up(files, rig.journal, 20, 8), ST_OK);
    ck_assert_uint_eq(tree_files_size(files), 8);
    tree_files_offer(files, 5, (const uint8_t(*)[HASH_SIZE])rig.leaves + 5, 10);
    ck_assert_uint_eq(tree_files_size(files), 8);
    tree_files_offer(files, 8, (const uint8_t(*)[HASH_SIZE])rig.leaves + 8, 10);
    ck_assert_uint_eq(tree_files_size(files), 18);
    ck_assert(all_proofs_check(18));
    end();
}
END_TEST

START_TEST(tree_files_begin_at_an_anchor_whose_root_they_lead_to)
{
    struct tree_anchor anchor;

    begin_full();
    for (uint64_t size = 1; size <= ENTRIES; size += 37) {
        close_files();
        anchor = anchor_of(size);
        open_files(&anchor);
        ck_assert(anchored);
        ck_assert_uint_eq(tree_files_size(files), size);
        ck_assert_uint_eq(
            tree_files_catch_up(files, rig.journal, ENTRIES, ENTRIES), ST_OK);
    }
    ck_assert(all_proofs_check(ENTRIES));
    end();
}
END_TEST

START_TEST(tree_files_begin_empty_at_an_anchor_of_another_root)
{
    struct tree_anchor anchor;

    begin_full();
    close_files();
    anchor = anchor_of(ENTRIES);
    anchor.root[3] ^= 1;
    open_files(&anchor);
    ck_assert(!anchored);
    ck_assert_uint_eq(tree_files_size(files), 0);
    end();
}
END_TEST

START_TEST(tree_files_do_not_go_on_with_a_log_of_another_history)
{
    struct tree_anchor anchor;

    begin_full();
    close_files();
    anchor = anchor_of(300);
    evidence_rig_replace_log(&rig);
    evidence_rig_grow(&rig, ENTRIES);
    open_files(&anchor);
    ck_assert(!anchored);
    ck_assert_uint_eq(tree_files_size(files), 0);
    end();
}
END_TEST

START_TEST(tree_files_that_are_short_or_gone_are_made_anew)
{
    static const char *const names[] = {"tree/00", "tree/01"};

    for (size_t i = 0; i < 2; i++) {
        struct tree_anchor at;

        begin_full();
        close_files();
        at = anchor_of(ENTRIES);
        disk_model_drop(rig.model, names[i]);
        open_files(&at);
        ck_assert(!anchored);
        ck_assert_uint_eq(
            tree_files_catch_up(files, rig.journal, ENTRIES, ENTRIES), ST_OK);
        ck_assert(all_proofs_check(ENTRIES));
        end();
    }
}
END_TEST

START_TEST(tree_file_with_a_flipped_bit_gives_no_proof_that_checks_until_mended)
{
    begin_full();
    for (size_t at = 0; at < 2 * HASH_SIZE; at += 9) {
        disk_model_rot(rig.model, "tree/01", at, 3);
        ck_assert(!all_proofs_check(ENTRIES));
        tree_files_doubt(files);
        ck_assert_uint_eq(tree_files_mend(files, rig.journal), ST_OK);
        ck_assert(!tree_files_damaged(files));
        ck_assert(all_proofs_check(ENTRIES));
    }
    disk_model_rot(rig.model, "tree/00", 300 * HASH_SIZE, 0);
    ck_assert(!all_proofs_check(ENTRIES));
    ck_assert_uint_eq(tree_files_mend(files, rig.journal), ST_OK);
    ck_assert(all_proofs_check(ENTRIES));
    end();
}
END_TEST

START_TEST(
    tree_files_that_could_not_be_written_are_damaged_and_the_tree_goes_on)
{
    uint8_t root[HASH_SIZE];
    uint8_t expected[HASH_SIZE];
    struct tree edge;

    begin();
    open_files(&nothing);
    disk_model_fail_after(rig.model, 1, ST_DISK_FULL);
    tree_files_offer(files, 0, (const uint8_t(*)[HASH_SIZE])rig.leaves, 100);
    ck_assert(tree_files_damaged(files));
    tree_files_edge(files, &edge);
    tree_root(&edge, root);
    evidence_rig_root(&rig, expected, 100);
    ck_assert_mem_eq(root, expected, HASH_SIZE);
    ck_assert(!all_proofs_check(100));
    ck_assert_uint_eq(tree_files_mend(files, rig.journal), ST_OK);
    ck_assert(all_proofs_check(100));
    end();
}
END_TEST

START_TEST(tree_files_of_another_log_are_not_mended_from_this_one)
{
    begin_full();
    evidence_rig_replace_log(&rig);
    evidence_rig_grow(&rig, ENTRIES);
    ck_assert_uint_eq(tree_files_mend(files, rig.journal), ST_PROOF);
    ck_assert(tree_files_damaged(files));
    end();
}
END_TEST

START_TEST(tree_files_are_right_after_any_loss_of_power)
{
    for (unsigned seed = 0; seed < 64; seed++) {
        uint8_t keep[64];
        struct tree_anchor anchor;
        struct disk_model *after;

        begin();
        open_files(&nothing);
        ck_assert_uint_eq(
            tree_files_catch_up(files, rig.journal, 300 + seed, ENTRIES),
            ST_OK);
        close_files();
        for (size_t i = 0; i < sizeof keep; i++)
            keep[i] = (uint8_t)(seed * 37 + i * i * 11 + (seed >> 2));
        after =
            disk_model_crash(rig.model, keep, sizeof keep, seed % 2 == 0, seed);
        disk_model_free(rig.model);
        rig.model = after;
        anchor = anchor_of(280);
        open_files(&anchor);
        ck_assert_uint_eq(
            tree_files_catch_up(files, rig.journal, ENTRIES, ENTRIES), ST_OK);
        if (!all_proofs_check(ENTRIES))
            ck_assert_uint_eq(tree_files_mend(files, rig.journal), ST_OK);
        ck_assert(all_proofs_check(ENTRIES));
        end();
    }
}
END_TEST

SUITE_MAIN(
    "tree_files", tree_files_hold_the_complete_subtrees_of_each_level,
    tree_files_prove_every_entry_at_sizes_around_a_tile,
    tree_files_know_the_root_of_every_size_that_they_hold,
    tree_files_are_the_same_whether_leaves_are_offered_or_read,
    tree_files_pass_over_leaves_that_do_not_follow,
    tree_files_begin_at_an_anchor_whose_root_they_lead_to,
    tree_files_begin_empty_at_an_anchor_of_another_root,
    tree_files_do_not_go_on_with_a_log_of_another_history,
    tree_files_that_are_short_or_gone_are_made_anew,
    tree_file_with_a_flipped_bit_gives_no_proof_that_checks_until_mended,
    tree_files_that_could_not_be_written_are_damaged_and_the_tree_goes_on,
    tree_files_of_another_log_are_not_mended_from_this_one,
    tree_files_are_right_after_any_loss_of_power)
