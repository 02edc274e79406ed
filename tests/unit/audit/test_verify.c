/* ctest-timeout: 300 */
/* A log is judged good, tampered or incomplete, and the fault is located. */
#include "client/audit/verify.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

enum { TEST_SEGMENT_SIZE = 8 * 1024, TEST_SMALL_SEGMENT_SIZE = 4096 + 1200 };

static struct signed_log made;
static char directory[64];
static struct report report;
static struct verify_options options;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    memcpy(directory, "/tmp/defter-audit-XXXXXX", 25);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    signed_log_init(&made);
    memset(&options, 0, sizeof options);
    options.directory = directory;
    options.threads = 2;
}

static void empty_directory(void)
{
    DIR *names = opendir(directory);
    const struct dirent *name;

    ck_assert_ptr_nonnull(names);
    while ((name = readdir(names)) != NULL)
        (void)unlinkat(dirfd(names), name->d_name, 0);
    closedir(names);
}

static void teardown(void)
{
    empty_directory();
    ck_assert_int_eq(rmdir(directory), 0);
}

static enum report_verdict judged(void)
{
    ck_assert_int_eq(verify_log(&report, &options), ST_OK);
    return report.verdict;
}

static void expect_head(void)
{
    options.has_head = true;
    options.head_size = made.count;
    signed_log_root(&made, options.head_root, made.count);
}

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

/* ---- Every bit, every cut -------------------------------------------------
 */

static uint8_t file_bytes[TEST_SEGMENT_SIZE];
static char file_path[128];

static void write_file(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(file_path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Part of the file anew, in place. */
static void patch_file(size_t offset, size_t size)
{
    int file = open(file_path, O_WRONLY);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, file_bytes + offset, size, (off_t)offset),
                     (ssize_t)size);
    close(file);
}

static size_t small_log(void)
{
    struct op_system_secret secret = {.secret = {{1}}};
    size_t used = SEGMENT_HEADER_SIZE;
    FILE *file;

    setup();
    options.threads = 1;
    signed_log_attest(&made);
    signed_log_add(&made, &made.node, OPCODE_SYSTEM_SECRET, 0, &secret, ST_OK);
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    (void)snprintf(file_path, sizeof file_path, "%s/%020d.seg", directory, 0);
    file = fopen(file_path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(file_bytes, 1, sizeof file_bytes, file),
                      sizeof file_bytes);
    fclose(file);
    for (size_t i = 0; i < made.count; i++)
        used += segment_frame_size(made.entries[i].size);
    return used;
}

/* With and without the head: which entry is at an offset. */
static uint64_t entry_at(size_t offset)
{
    size_t end = SEGMENT_HEADER_SIZE;
    uint64_t index = 0;

    if (offset < SEGMENT_HEADER_SIZE)
        return 0;
    while (index < made.count) {
        end += segment_frame_size(made.entries[index].size);
        if (offset < end)
            break;
        index++;
    }
    return index;
}

START_TEST(every_flipped_bit_of_a_file_is_found_and_located)
{
    size_t used = small_log();

    for (size_t bit = 0; bit < (used + 64) * 8; bit++) {
        /* Of the zeros of a header, a few say what all say. */
        if (bit / 8 > 128 && bit / 8 < SEGMENT_HEADER_SIZE - 64 && bit % 61)
            continue;
        file_bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        patch_file(bit / 8, 1);
        ck_assert_int_ne(judged(), REPORT_GOOD);
        ck_assert(report.fault.found);
        ck_assert_uint_eq(report.fault.index, entry_at(bit / 8));
        if (entry_at(bit / 8) < made.count - 1)
            ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
        file_bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        patch_file(bit / 8, 1);
    }
    teardown();
}
END_TEST

/* Whoever changes bytes on purpose makes the checksum fit. */
static void flip_on_purpose(bool with_head)
{
    size_t offset = SEGMENT_HEADER_SIZE;

    if (with_head)
        expect_head();
    for (size_t i = 0; i < made.count; i++) {
        struct signed_log_entry *entry = &made.entries[i];

        for (size_t bit = 0; bit < entry->size * 8; bit++) {
            /* The head changes what is said of the last entry alone. */
            if (!with_head && i + 1 < made.count && bit % 7 != 0)
                continue;
            entry->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            segment_frame_encode(file_bytes + offset,
                                 slice_of(entry->bytes, entry->size));
            patch_file(offset, segment_frame_size(entry->size));
            ck_assert_int_ne(judged(), REPORT_GOOD);
            if (with_head || i + 1 < made.count) {
                ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
                ck_assert(report.fault.found);
                ck_assert_uint_ge(report.fault.index, i);
                ck_assert_uint_le(report.fault.index, i + 1);
            }
            entry->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        segment_frame_encode(file_bytes + offset,
                             slice_of(entry->bytes, entry->size));
        patch_file(offset, segment_frame_size(entry->size));
        offset += segment_frame_size(entry->size);
    }
}

START_TEST(every_bit_flipped_on_purpose_is_found)
{
    (void)small_log();
    flip_on_purpose(false);
    teardown();
}
END_TEST

START_TEST(with_the_head_no_flipped_bit_of_the_last_entry_escapes)
{
    (void)small_log();
    flip_on_purpose(true);
    teardown();
}
END_TEST

START_TEST(every_truncated_file_is_found)
{
    size_t used = small_log();

    expect_head();
    for (size_t size = 0; size < sizeof file_bytes;
         size += size < used ? 1 : 256) {
        write_file(file_bytes, size);
        ck_assert_int_eq(judged(),
                         size < used ? REPORT_TAMPERED : REPORT_INCOMPLETE);
        ck_assert(report.fault.found);
    }
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
           every_flipped_bit_of_a_file_is_found_and_located,
           every_bit_flipped_on_purpose_is_found,
           with_the_head_no_flipped_bit_of_the_last_entry_escapes,
           every_truncated_file_is_found,
           entries_cut_off_the_end_are_missed_by_whoever_has_the_head,
           swapped_and_removed_entries_are_found, a_missing_segment_is_found,
           an_epoch_that_no_node_begins_is_found,
           a_receipt_covers_the_log_up_to_its_entry,
           a_receipt_that_the_log_does_not_hold_is_found)
