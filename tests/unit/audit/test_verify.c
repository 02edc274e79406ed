/* A log is judged good, tampered or incomplete, and the fault is located. */
#include <sys/stat.h>

#include "tests/lib/suite.h"
#include "tests/unit/audit/log_case.h"

static void expect_fault(uint64_t index, const char *what)
{
    if (report.fault.found)
        ck_assert_msg(strstr(report.fault.what, what) != NULL, "entry %llu: %s",
                      (unsigned long long)report.fault.index,
                      report.fault.what);
    ck_assert(report.fault.found);
    ck_assert_uint_eq(report.fault.index, index);
    ck_assert_str_ne(report.fault.file, "");
}

/* Tampered at ${index}, because of ${what}. */
static void expect_tampered(uint64_t index, const char *what)
{
    empty_directory();
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    expect_fault(index, what);
}

static void expect_sound(void)
{
    empty_directory();
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    expect_head();
    (void)judged();
    ck_assert_msg(!report.fault.found, "%s", report.fault.what);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
}

/* ---- Good and incomplete --------------------------------------------------
 */

START_TEST(a_whole_log_with_its_head_is_good)
{
    struct op_system_secret secret = {.secret = {{1}}};

    setup();
    signed_log_add(&made, &made.node, OPCODE_SYSTEM_SECRET, 0, &secret, ST_OK);
    signed_log_ping(&made);
    signed_log_attest(&made);
    signed_log_ping(&made);
    signed_log_attest(&made);
    options.has_authority = true;
    memcpy(options.authority, made.authority.public_key, PUBLIC_KEY_SIZE);
    expect_sound();
    ck_assert_uint_eq(report.entries, 7);
    ck_assert_uint_eq(report.signatures, 7);
    ck_assert_uint_eq(report.attested, 6);
    ck_assert_uint_eq(report.attestations, 2);
    ck_assert_uint_eq(report.roots, 1); /* The secret's result is sealed. */
    ck_assert_uint_eq(report.sealed_items, 1);
    ck_assert_uint_eq(report.covered, 7);
    ck_assert_uint_eq(report.epoch, 1);
    ck_assert_mem_eq(report.leaf, made.leaf, HASH_SIZE);
    ck_assert_uint_eq(report.unchecked >> REPORT_UNCHECKED_AUTHORITY & 1, 0);
    teardown();
}
END_TEST

START_TEST(a_log_whose_end_nothing_covers_is_incomplete)
{
    setup();
    signed_log_ping(&made);
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    ck_assert(!report.fault.found);
    ck_assert_uint_eq(report.reasons, 1U << REPORT_REASON_END);
    expect_head();
    options.head_size = 2;
    signed_log_root(&made, options.head_root, 2);
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    ck_assert_uint_eq(report.covered, 2);
    options.has_head = false;
    options.has_leaf = true;
    memcpy(options.leaf, made.leaf, HASH_SIZE);
    ck_assert_int_eq(judged(), REPORT_GOOD);
    options.leaf[0] ^= 1;
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    teardown();
}
END_TEST

START_TEST(many_segments_are_one_log)
{
    setup();
    for (int i = 0; i < 40; i++)
        signed_log_ping(&made);
    signed_log_attest(&made);
    signed_log_write(&made, directory, TEST_SMALL_SEGMENT_SIZE);
    expect_head();
    ck_assert_int_eq(judged(), REPORT_GOOD);
    ck_assert_uint_gt(report.segments, 5);
    ck_assert_uint_eq(report.roots, 1);
    options.no_signatures = true;
    ck_assert_int_eq(judged(), REPORT_GOOD);
    ck_assert_uint_eq(report.signatures, 0);
    teardown();
}
END_TEST

START_TEST(another_authority_is_refused)
{
    setup();
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    options.has_authority = true;
    memcpy(options.authority, made.node.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    expect_fault(0, "another authority");
    teardown();
}
END_TEST

START_TEST(entries_cut_off_the_end_are_missed_by_whoever_has_the_head)
{
    size_t used = small_log();

    used -= segment_frame_size(made.entries[made.count - 1].size);
    memset(file_bytes + used, 0, sizeof file_bytes - used);
    write_file(file_bytes, sizeof file_bytes);
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    ck_assert(!report.fault.found);
    expect_head();
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    ck_assert_uint_eq(report.fault.index, made.count - 1);
    ck_assert_str_eq(report.fault.expected, "4");
    ck_assert_str_eq(report.fault.actual, "3");
    teardown();
}
END_TEST

/* ---- Whole entries --------------------------------------------------------
 */

START_TEST(swapped_and_removed_entries_are_found)
{
    struct signed_log_entry first, second;

    setup();
    for (int i = 0; i < 4; i++)
        signed_log_ping(&made);
    first = made.entries[3];
    second = made.entries[4];
    made.entries[3] = second;
    made.entries[4] = first;
    expect_tampered(3, "index is not the next");
    /* With places that fit, the entry behind them tells. */
    store_u64(made.entries[3].bytes + 8, 3);
    store_u64(made.entries[4].bytes + 8, 4);
    memcpy(made.entries[3].bytes + 24, first.bytes + 24, HASH_SIZE);
    entry_leaf_hash(made.entries[4].bytes + 24,
                    slice_of(made.entries[3].bytes, made.entries[3].size));
    expect_tampered(4, "log time falls");
    made.entries[3] = first;
    memmove(&made.entries[4], &made.entries[5], sizeof made.entries[0]);
    made.count--;
    expect_tampered(4, "index is not the next");
    /* Whoever links everything behind it anew needs the head's silence. */
    signed_log_relink(&made, 4);
    empty_directory();
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    teardown();
}
END_TEST

START_TEST(a_missing_segment_is_found)
{
    char path[160];

    setup();
    for (int i = 0; i < 20; i++)
        signed_log_ping(&made);
    signed_log_write(&made, directory, TEST_SMALL_SEGMENT_SIZE);
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    for (int i = 1; i < 10; i++) {
        (void)snprintf(path, sizeof path, "%s/%020d.seg", directory, i);
        if (unlink(path) == 0)
            break;
    }
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "does not follow"));
    (void)snprintf(path, sizeof path, "%s/%020d.seg", directory, 0);
    (void)unlink(path);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    ck_assert_uint_eq(report.fault.index, 0);
    teardown();
}
END_TEST

START_TEST(an_epoch_that_no_node_begins_is_found)
{
    struct op_system_epoch epoch = {.epoch = 2};

    setup();
    made.epoch = 2;
    signed_log_ping(&made);
    expect_tampered(2, "epoch rises");
    made.count = 2;
    entry_leaf_hash(made.leaf,
                    slice_of(made.entries[1].bytes, made.entries[1].size));
    signed_log_add(&made, &made.owner, OPCODE_SYSTEM_EPOCH, 0, &epoch,
                   ST_NO_DUTY);
    expect_tampered(2, "epoch rises");
    teardown();
}
END_TEST

/* ---- Receipts -------------------------------------------------------------
 */

static void write_receipt(uint64_t index, const struct identity *node,
                          bool wrong_leaf)
{
    uint8_t record[SIGNED_LOG_RECEIPT_SIZE];

    signed_log_receipt(&made, record, index, node, wrong_leaf);
    (void)snprintf(file_path, sizeof file_path, "%s/receipts", directory);
    write_file(record, sizeof record);
    options.receipts = file_path;
}

START_TEST(a_receipt_covers_the_log_up_to_its_entry)
{
    setup();
    signed_log_ping(&made);
    signed_log_ping(&made);
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    write_receipt(2, &made.node, false);
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    ck_assert_uint_eq(report.covered, 3);
    write_receipt(3, &made.node, false);
    ck_assert_int_eq(judged(), REPORT_GOOD);
    ck_assert_uint_eq(report.receipts, 1);
    teardown();
}
END_TEST

START_TEST(a_receipt_that_the_log_does_not_hold_is_found)
{
    setup();
    signed_log_ping(&made);
    signed_log_ping(&made);
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    write_receipt(2, &made.node, true);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    expect_fault(2, "names another entry");
    write_receipt(2, &made.owner, false);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    expect_fault(REPORT_NO_INDEX, "not signed by the node");
    write_receipt(3, &made.node, false);
    empty_directory();
    write_receipt(3, &made.node, false);
    made.count--;
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "receipt names"));
    teardown();
}
END_TEST

SUITE_MAIN("verify", a_whole_log_with_its_head_is_good,
           a_log_whose_end_nothing_covers_is_incomplete,
           many_segments_are_one_log, another_authority_is_refused,
           entries_cut_off_the_end_are_missed_by_whoever_has_the_head,
           swapped_and_removed_entries_are_found, a_missing_segment_is_found,
           an_epoch_that_no_node_begins_is_found,
           a_receipt_covers_the_log_up_to_its_entry,
           a_receipt_that_the_log_does_not_hold_is_found)
