#include <stdlib.h>
#include <string.h>

#include "protocol/files.h"
#include "server/evidence/evidence_state.h"
#include "tests/lib/evidence_rig.h"
#include "tests/lib/suite.h"

static struct evidence_rig rig;
static struct evidence_proof proof;

/* A log of ${size} entries, applied; the node leads. */
static void begin(uint64_t size)
{
    evidence_rig_begin(&rig);
    evidence_rig_grow(&rig, size);
    ck_assert_uint_eq(evidence_rig_open(&rig, size), ST_OK);
    evidence_lead(rig.evidence, size);
}

static void end(void)
{
    evidence_rig_end(&rig);
}

static void again(uint64_t applied)
{
    evidence_rig_close(&rig);
    ck_assert_uint_eq(evidence_rig_open(&rig, applied), ST_OK);
}

static enum evidence_idle idle(void)
{
    struct evidence_status status;

    evidence_status(rig.evidence, &status);
    return status.idle;
}

/* ---- Signing ------------------------------------------------------------ */

START_TEST(evidence_signs_what_a_leader_has_applied_at_most_once_a_second)
{
    begin(3);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 3);
    evidence_rig_grow(&rig, 2);
    evidence_rig_apply(&rig, 5);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 3);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 5);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(rig.told_count, 2);
    end();
}
END_TEST

START_TEST(evidence_signs_nothing_before_the_epoch_of_its_term)
{
    begin(3);
    evidence_lead(rig.evidence, 5);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    evidence_rig_grow(&rig, 2);
    evidence_rig_apply(&rig, 4);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    evidence_rig_apply(&rig, 5);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 5);
    end();
}
END_TEST

START_TEST(evidence_signs_nothing_while_it_follows_or_has_no_key)
{
    begin(3);
    evidence_follow(rig.evidence);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    ck_assert_int_eq(idle(), EVIDENCE_FOLLOWS);
    rig.keyless = true;
    again(3);
    evidence_lead(rig.evidence, 3);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    ck_assert_int_eq(idle(), EVIDENCE_NO_KEY);
    end();
}
END_TEST

START_TEST(evidence_signs_once_more_when_it_stops)
{
    begin(3);
    evidence_rig_turn(&rig, 0);
    evidence_rig_grow(&rig, 1);
    evidence_rig_apply(&rig, 4);
    evidence_stop(rig.evidence);
    ck_assert_uint_eq(evidence_rig_note(&rig), 4);
    end();
}
END_TEST

START_TEST(evidence_serves_its_last_note_after_a_start)
{
    const uint8_t *data;
    size_t size;

    begin(7);
    evidence_rig_turn(&rig, 0);
    ck_assert(disk_model_peek(rig.model, FILE_CHECKPOINT, &data, &size));
    again(7);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 7);
    ck_assert_int_eq(idle(), EVIDENCE_FOLLOWS);
    ck_assert_uint_eq(rig.told_count, 2);
    ck_assert(rig.told_own[1]);
    end();
}
END_TEST

START_TEST(evidence_signs_nothing_of_a_log_that_was_not_signed)
{
    begin(5);
    evidence_rig_turn(&rig, 0);
    evidence_rig_close(&rig);
    evidence_rig_replace_log(&rig);
    evidence_rig_grow(&rig, 9);
    ck_assert_uint_eq(evidence_rig_open(&rig, 9), ST_OK);
    evidence_lead(rig.evidence, 1);
    for (int i = 0; i < 3; i++)
        evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    ck_assert_int_eq(idle(), EVIDENCE_CONTRADICTS);
    ck_assert_uint_eq(rig.told_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.said, "not the one that was signed"));
    /* A person decides, not the next start. */
    again(9);
    evidence_lead(rig.evidence, 1);
    evidence_rig_turn(&rig, 1);
    ck_assert_int_eq(idle(), EVIDENCE_CONTRADICTS);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    end();
}
END_TEST

START_TEST(evidence_of_a_shorter_log_waits_until_it_has_what_was_signed)
{
    struct evidence_state state;
    struct evidence_value value;

    begin(6);
    evidence_rig_close(&rig);
    ck_assert_uint_eq(evidence_state_open(&state, disk_model_disk(rig.model),
                                          EVIDENCE_RIG_ORIGIN),
                      ST_OK);
    evidence_rig_grow(&rig, 2);
    value = state.value;
    value.witnessed.size = 8;
    evidence_rig_root(&rig, value.witnessed.root, 8);
    ck_assert_uint_eq(evidence_state_write(&state, &value), ST_OK);
    evidence_state_close(&state);
    ck_assert_uint_eq(evidence_rig_open(&rig, 6), ST_OK);
    evidence_lead(rig.evidence, 6);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    ck_assert_int_eq(idle(), EVIDENCE_BEHIND);
    evidence_rig_apply(&rig, 7);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    evidence_rig_apply(&rig, 8);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 8);
    ck_assert_int_eq(idle(), EVIDENCE_SIGNS);
    end();
}
END_TEST

START_TEST(evidence_whose_state_is_lost_signs_nothing_and_serves)
{
    begin(4);
    evidence_rig_turn(&rig, 0);
    evidence_rig_close(&rig);
    disk_model_rot(rig.model, EVIDENCE_STATE_FILE, 60, 1);
    disk_model_rot(rig.model, EVIDENCE_STATE_FILE, SLOT_SIZE + 60, 1);
    ck_assert_uint_eq(evidence_rig_open(&rig, 4), ST_OK);
    evidence_lead(rig.evidence, 4);
    evidence_rig_grow(&rig, 1);
    evidence_rig_apply(&rig, 5);
    evidence_rig_turn(&rig, 1);
    ck_assert_int_eq(idle(), EVIDENCE_DISK);
    ck_assert_uint_eq(evidence_rig_note(&rig), 4);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 2, EVIDENCE_NEWEST), ST_OK);
    end();
}
END_TEST

/*
 * The promise: whatever was told, and so may have left, stands on the disk; a
 * log that differs from it is not signed, and nothing below it.
 */
START_TEST(evidence_never_signs_two_roots_of_a_size_wherever_power_is_lost)
{
    size_t calls = 0;
    bool ended = false;

    for (; !ended; calls++) {
        size_t told;

        begin(3);
        disk_model_power_off_after(rig.model, calls);
        for (uint64_t size = 3; size < 8; size++) {
            evidence_rig_turn(&rig, 1);
            if (disk_model_is_off(rig.model))
                break;
            evidence_rig_grow(&rig, 1);
            evidence_rig_apply(&rig, size + 1);
        }
        ended = !disk_model_is_off(rig.model);
        told = rig.told_count;
        evidence_rig_crash(&rig, calls % 2 == 0);
        evidence_rig_replace_log(&rig);
        evidence_rig_grow(&rig, 12);
        ck_assert_uint_eq(evidence_rig_open(&rig, 2), ST_OK);
        evidence_lead(rig.evidence, 1);
        for (uint64_t size = 3; size <= 12; size++) {
            evidence_rig_apply(&rig, size);
            evidence_rig_turn(&rig, 1);
        }
        if (told > 0)
            ck_assert_uint_eq(rig.told_count, told);
        ck_assert(told == 0 || evidence_rig_note(&rig) == 0);
        end();
    }
    ck_assert_uint_gt(calls, 20);
}
END_TEST

START_TEST(evidence_goes_on_after_any_loss_of_power_with_the_same_log)
{
    for (size_t calls = 0; calls < 60; calls++) {
        uint64_t last = 0;

        begin(3);
        disk_model_power_off_after(rig.model, calls);
        for (uint64_t size = 3; size < 8; size++) {
            evidence_rig_turn(&rig, 1);
            evidence_rig_grow(&rig, 1);
            evidence_rig_apply(&rig, size + 1);
        }
        if (rig.told_count > 0)
            last = rig.told_sizes[rig.told_count - 1];
        evidence_rig_crash(&rig, calls % 2 == 0);
        rig.told_count = 0;
        ck_assert_uint_eq(evidence_rig_open(&rig, 8), ST_OK);
        evidence_rig_grow(&rig, 1);
        evidence_rig_apply(&rig, 9);
        evidence_lead(rig.evidence, 9);
        evidence_rig_turn(&rig, 1);
        ck_assert_uint_eq(evidence_rig_note(&rig), 9);
        ck_assert_uint_lt(last, 9);
        for (uint64_t i = 0; i < 9; i++)
            ck_assert_uint_eq(
                evidence_inclusion(rig.evidence, &proof, i, EVIDENCE_BEST),
                ST_OK);
        end();
    }
}
END_TEST

/* ---- Proofs ------------------------------------------------------------- */

static void check_inclusion(uint64_t index)
{
    struct checkpoint checkpoint;
    struct note note;

    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, index, EVIDENCE_BEST), ST_OK);
    ck_assert_uint_eq(checkpoint_open(&checkpoint, &note,
                                      slice_of(proof.note, proof.note_size),
                                      &rig.log_key),
                      ST_OK);
    ck_assert_uint_eq(checkpoint.size, proof.tree_size);
    ck_assert_uint_eq(
        tree_inclusion_check(
            rig.leaves[index], index, checkpoint.size, checkpoint.root,
            (const uint8_t(*)[HASH_SIZE])proof.hashes, proof.hashes_count),
        ST_OK);
}

START_TEST(evidence_proves_every_entry_of_the_newest_note)
{
    begin(300);
    evidence_rig_turn(&rig, 0);
    for (uint64_t i = 0; i < 300; i++)
        check_inclusion(i);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 300, EVIDENCE_BEST),
        ST_NO_SUCH);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, UINT64_MAX, EVIDENCE_BEST),
        ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(evidence_proves_that_every_older_tree_is_the_beginning)
{
    static const uint64_t sizes[] = {0,  1,   2,   3,   63, 64,
                                     65, 255, 256, 257, 300};
    const size_t count = sizeof sizes / sizeof sizes[0];
    uint8_t older[HASH_SIZE];
    uint8_t newer[HASH_SIZE];

    begin(300);
    evidence_rig_turn(&rig, 0);
    for (size_t i = 0; i < count; i++) {
        evidence_rig_root(&rig, older, sizes[i]);
        for (size_t j = i; j < count; j++) {
            uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
            size_t hashes_count;

            evidence_rig_root(&rig, newer, sizes[j]);
            ck_assert_uint_eq(evidence_consistency_between(rig.evidence, hashes,
                                                           &hashes_count,
                                                           sizes[i], sizes[j]),
                              ST_OK);
            ck_assert_uint_eq(
                tree_consistency_check(sizes[i], older, sizes[j], newer,
                                       (const uint8_t(*)[HASH_SIZE])hashes,
                                       hashes_count),
                ST_OK);
        }
        ck_assert_uint_eq(evidence_consistency(rig.evidence, &proof, sizes[i],
                                               EVIDENCE_NEWEST),
                          ST_OK);
        ck_assert_uint_eq(
            tree_consistency_check(sizes[i], older, 300, newer,
                                   (const uint8_t(*)[HASH_SIZE])proof.hashes,
                                   proof.hashes_count),
            ST_OK);
    }
    ck_assert_uint_eq(
        evidence_consistency(rig.evidence, &proof, 301, EVIDENCE_BEST),
        ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(evidence_gives_no_proof_of_damaged_files_and_mends_them)
{
    begin(600);
    evidence_rig_turn(&rig, 0);
    check_inclusion(10);
    disk_model_rot(rig.model, "tree/01", HASH_SIZE + 3, 2);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 10, EVIDENCE_BEST), ST_BUSY);
    evidence_rig_turn(&rig, 0);
    check_inclusion(10);
    disk_model_rot(rig.model, "tree/00", 599 * HASH_SIZE, 2);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 599, EVIDENCE_BEST), ST_BUSY);
    evidence_rig_turn(&rig, 10);
    check_inclusion(599);
    end();
}
END_TEST

START_TEST(evidence_makes_the_tree_anew_where_its_files_are_gone)
{
    begin(300);
    evidence_rig_turn(&rig, 0);
    evidence_rig_close(&rig);
    disk_model_drop(rig.model, "tree/00");
    disk_model_drop(rig.model, "tree/01");
    ck_assert_uint_eq(evidence_rig_open(&rig, 300), ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 300);
    for (uint64_t i = 0; i < 300; i++)
        check_inclusion(i);
    end();
}
END_TEST

START_TEST(evidence_reads_from_the_log_what_was_applied_in_its_absence)
{
    begin(10);
    evidence_rig_turn(&rig, 0);
    evidence_rig_grow(&rig, 30);
    /* As if the apply thread's leaves had been passed over. */
    evidence_applied(rig.evidence, 39, rig.leaves[39]);
    evidence_publish(rig.evidence);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 40);
    end();
}
END_TEST

SUITE_MAIN("evidence",
           evidence_signs_what_a_leader_has_applied_at_most_once_a_second,
           evidence_signs_nothing_before_the_epoch_of_its_term,
           evidence_signs_nothing_while_it_follows_or_has_no_key,
           evidence_signs_once_more_when_it_stops,
           evidence_serves_its_last_note_after_a_start,
           evidence_signs_nothing_of_a_log_that_was_not_signed,
           evidence_of_a_shorter_log_waits_until_it_has_what_was_signed,
           evidence_whose_state_is_lost_signs_nothing_and_serves,
           evidence_never_signs_two_roots_of_a_size_wherever_power_is_lost,
           evidence_goes_on_after_any_loss_of_power_with_the_same_log,
           evidence_proves_every_entry_of_the_newest_note,
           evidence_proves_that_every_older_tree_is_the_beginning,
           evidence_gives_no_proof_of_damaged_files_and_mends_them,
           evidence_makes_the_tree_anew_where_its_files_are_gone,
           evidence_reads_from_the_log_what_was_applied_in_its_absence)
