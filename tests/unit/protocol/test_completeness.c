#include "protocol/completeness.h"

#include <string.h>

#include "tests/lib/hex.h"
#include "tests/lib/sample_entry.h"
#include "tests/lib/suite.h"

#define SUBJECT UINT64_C(1400057421)

/* Items 0 and 3 of one entry and item 1 of another, computed in Python. */
static const char golden_hex[] =
    "7494e45d15805b5060c4a7f6c09ea0ae9486922fd811a53450e69f6e994bbac6";

static void three(struct completeness *sum, const uint16_t items[3])
{
    uint8_t leaves[2][HASH_SIZE];

    memset(leaves[0], 0xaa, HASH_SIZE);
    memset(leaves[1], 0xbb, HASH_SIZE);
    memset(sum, 0, sizeof *sum);
    completeness_add(sum, SUBJECT, leaves[0], items[0]);
    completeness_add(sum, SUBJECT, leaves[0], items[1]);
    completeness_add(sum, SUBJECT, leaves[1], items[2]);
}

START_TEST(completeness_is_the_published_hash)
{
    struct completeness sum;

    three(&sum, (const uint16_t[3]){0, 3, 1});
    ck_assert_uint_eq(sum.count, 3);
    hex_expect(sum.rolling, HASH_SIZE, golden_hex);
}
END_TEST

START_TEST(completeness_depends_on_the_order_and_on_whom_it_is_about)
{
    struct completeness sum, other;
    uint8_t leaf[HASH_SIZE] = {1};

    three(&sum, (const uint16_t[3]){0, 3, 1});
    three(&other, (const uint16_t[3]){3, 0, 1});
    ck_assert_mem_ne(sum.rolling, other.rolling, HASH_SIZE);
    memset(&sum, 0, sizeof sum);
    memset(&other, 0, sizeof other);
    completeness_add(&sum, SUBJECT, leaf, 0);
    completeness_add(&other, SUBJECT + 1, leaf, 0);
    ck_assert_mem_ne(sum.rolling, other.rolling, HASH_SIZE);
}
END_TEST

START_TEST(completeness_of_an_entry_counts_the_items_that_name_the_subject)
{
    struct completeness sum = {.count = 0}, other = {.count = 0};
    uint8_t bytes[1024], leaf[HASH_SIZE];
    size_t size = hex_decode(bytes, sizeof bytes, sample_entry1_hex);
    struct entry entry;

    ck_assert_int_eq(entry_decode(&entry, slice_of(bytes, size)), ST_OK);
    entry_leaf_hash(leaf, entry.bytes);
    /* Its items are about 1000, 1001 and 1002. */
    completeness_entry(&sum, 1001, &entry, leaf);
    completeness_add(&other, 1001, leaf, 1);
    ck_assert_uint_eq(sum.count, 1);
    ck_assert_mem_eq(sum.rolling, other.rolling, HASH_SIZE);
    completeness_entry(&sum, 999, &entry, leaf);
    ck_assert_uint_eq(sum.count, 1);
}
END_TEST

START_TEST(nobody_is_no_subject)
{
    ck_assert(!completeness_names(0));
    ck_assert(completeness_names(1));
    ck_assert(completeness_names(INT64_MAX));
    ck_assert(!completeness_names((uint64_t)INT64_MAX + 1));
}
END_TEST

SUITE_MAIN("completeness", completeness_is_the_published_hash,
           completeness_depends_on_the_order_and_on_whom_it_is_about,
           completeness_of_an_entry_counts_the_items_that_name_the_subject,
           nobody_is_no_subject)
