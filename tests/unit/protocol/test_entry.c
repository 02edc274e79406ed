#include "protocol/entry.h"

#include <stdlib.h>

#include "protocol/seal.h"
#include "protocol/tree.h"
#include "tests/lib/hex.h"
#include "tests/lib/sample.h"
#include "tests/lib/sample_entry.h"
#include "tests/lib/suite.h"

#define KEY_1 (((uint64_t)1 << 32) + 1)
#define KEY_2 (((uint64_t)1 << 32) + 2)

static uint8_t body_bytes[SAMPLE_BODY_SIZE_MAX];
static uint8_t entry_bytes[ENTRY_SIZE_MAX + 1];
static struct command_item command_items[ITEMS_MAX];
static uint8_t key_1[KEY_SIZE];
static uint8_t key_2[KEY_SIZE];

static void sample_digest(struct command *command, unsigned count,
                          uint8_t idem_fill)
{
    struct command_policy policy = sample_policy();
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct slice body =
        sample_command(body_bytes, sizeof body_bytes, count, idem_fill);

    sample_cluster_id(cluster_id);
    ck_assert_int_eq(command_decode(command, command_items, body, &policy),
                     ST_OK);
    command_digest(command, cluster_id);
    hex_decode(key_1, sizeof key_1, sample_seal_key1_hex);
    hex_decode(key_2, sizeof key_2, sample_seal_key2_hex);
}

/* The published entry 1: three items, the middle one open. */
static size_t sample_entry1(void)
{
    return hex_decode(entry_bytes, sizeof entry_bytes, sample_entry1_hex);
}

START_TEST(entry_of_one_sealed_item_is_the_published_bytes)
{
    struct command command;
    struct entry_seal seal = {KEY_1, key_1};
    struct entry_place place = {.category = 1, .epoch = 1, .index = 0};
    size_t size;
    uint8_t leaf[HASH_SIZE];

    hex_decode(entry_bytes, sizeof entry_bytes, sample_entry0_hex);
    place.log_time = (int64_t)load_u64(entry_bytes + 16);
    sample_digest(&command, 1, 0x55);
    size = entry_size(&command, &seal);
    entry_encode(entry_bytes, size, &place, &command, &seal);
    hex_expect(entry_bytes, size, sample_entry0_hex);
    entry_leaf_hash(leaf, slice_of(entry_bytes, size));
    hex_expect(leaf, sizeof leaf, sample_leaf0_hex);
}
END_TEST

START_TEST(entry_of_sealed_and_open_items_is_the_published_bytes)
{
    struct command command;
    struct entry_seal seals[] = {{KEY_1, key_1}, {0, NULL}, {KEY_2, key_2}};
    struct entry_place place = {.category = 1, .epoch = 1, .index = 1};
    size_t size = sample_entry1();
    uint8_t leaf[HASH_SIZE];

    place.log_time = (int64_t)load_u64(entry_bytes + 16);
    hex_decode(place.previous, HASH_SIZE, sample_leaf0_hex);
    sample_digest(&command, 3, 0x56);
    ck_assert_uint_eq(entry_size(&command, seals), size);
    memset(entry_bytes, 0xee, sizeof entry_bytes);
    entry_encode(entry_bytes, size, &place, &command, seals);
    hex_expect(entry_bytes, size, sample_entry1_hex);
    ck_assert_uint_eq(entry_bytes[size], 0xee);
    entry_leaf_hash(leaf, slice_of(entry_bytes, size));
    hex_expect(leaf, sizeof leaf, sample_leaf1_hex);
}
END_TEST

START_TEST(entry_decodes_to_its_place_and_its_items)
{
    struct slice bytes = slice_of(entry_bytes, sample_entry1());
    struct entry entry;
    struct item item;
    struct slice rest;
    unsigned found = 0;

    ck_assert_int_eq(entry_decode(&entry, bytes), ST_OK);
    ck_assert_uint_eq(entry.place.category, 1);
    ck_assert_uint_eq(entry.place.epoch, 1);
    ck_assert_uint_eq(entry.place.index, 1);
    ck_assert_uint_eq(entry.place.carrier, 0);
    hex_expect(entry.place.previous, HASH_SIZE, sample_leaf0_hex);
    ck_assert_uint_eq(entry.header.items_count, 3);
    for (rest = entry.items; entry_next_item(&item, &rest); found++) {
        struct item same;

        ck_assert_uint_eq(item.clear_part.subject, 1000 + found);
        ck_assert_uint_eq(item.seal_key, found == 0   ? KEY_1
                                         : found == 1 ? 0
                                                      : KEY_2);
        entry_item(&same, &entry, found);
        ck_assert_ptr_eq(same.bytes.data, item.bytes.data);
        ck_assert_int_eq(item_decode(&same, item.bytes), ST_OK);
    }
    ck_assert_uint_eq(found, 3);
}
END_TEST

START_TEST(entry_signature_verifies_without_any_seal_key)
{
    struct slice bytes = slice_of(entry_bytes, sample_entry1());
    struct entry entry;
    struct identity user;
    struct identity other;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t hash[HASH_SIZE];

    sample_identity(&user, 2);
    sample_identity(&other, 3);
    sample_cluster_id(cluster_id);
    ck_assert_int_eq(entry_decode(&entry, bytes), ST_OK);
    ck_assert_int_eq(entry_verify(&entry, hash, cluster_id, user.public_key),
                     ST_OK);
    hex_expect(
        hash, sizeof hash,
        "0b7f3f9909ea0b40d455fb7ef0aa5555d2dac308dee81c8f87f68f52e822226d");
    ck_assert_int_eq(entry_verify(&entry, hash, cluster_id, other.public_key),
                     ST_BAD_SIG);
    cluster_id[3] ^= 1;
    ck_assert_int_eq(entry_verify(&entry, hash, cluster_id, user.public_key),
                     ST_BAD_SIG);
}
END_TEST

START_TEST(entry_is_refused_at_every_truncation_and_with_a_trailing_byte)
{
    size_t size = sample_entry1();
    struct entry entry;

    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *bytes = malloc(cut + 1);

        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, entry_bytes, cut);
        ck_assert_int_eq(entry_decode(&entry, (struct slice){bytes, cut}),
                         ST_ENTRY_FORMED);
        ck_assert_int_eq(entry_view(&entry, (struct slice){bytes, cut}),
                         ST_ENTRY_FORMED);
        free(bytes);
    }
    entry_bytes[size] = 0;
    ck_assert_int_eq(entry_decode(&entry, slice_of(entry_bytes, size + 1)),
                     ST_ENTRY_FORMED);
    store_u32(entry_bytes + 60, (uint32_t)(size + 1 - ENTRY_FIXED_SIZE));
    ck_assert_int_eq(entry_decode(&entry, slice_of(entry_bytes, size + 1)),
                     ST_ENTRY_FORMED);
}
END_TEST

/*
 * Every flipped bit is seen by the form, the signature or a seal, or else it
 * lies in the place that the leaf hash alone guards (bytes 2 to 59).
 */
START_TEST(entry_with_any_bit_flipped_is_seen)
{
    size_t size = sample_entry1();
    struct slice bytes = slice_of(entry_bytes, size);
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t leaf[HASH_SIZE];
    uint8_t original[HASH_SIZE];

    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    hex_decode(key_1, sizeof key_1, sample_seal_key1_hex);
    hex_decode(key_2, sizeof key_2, sample_seal_key2_hex);
    entry_leaf_hash(original, bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct entry entry;
        struct item item;
        struct slice rest;
        enum status status;
        uint8_t hash[HASH_SIZE];

        entry_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        entry_leaf_hash(leaf, bytes);
        ck_assert_mem_ne(leaf, original, HASH_SIZE);
        status = entry_decode(&entry, bytes);
        if (status == ST_OK)
            status = entry_verify(&entry, hash, cluster_id, user.public_key);
        for (rest = entry.items;
             status == ST_OK && entry_next_item(&item, &rest);) {
            uint8_t secret[64];
            struct slice opened;

            status = seal_open(&opened, &item,
                               item.seal_key == KEY_1 ? key_1 : key_2, secret,
                               sizeof secret);
        }
        if (status == ST_OK) {
            size_t at = bit / 8;
            size_t seal_key_3 = size - 42 - 16;

            /* A key number that names the same key to this loop. */
            ck_assert((at >= 2 && at < 60) ||
                      (at >= seal_key_3 && at < seal_key_3 + 8));
        }
        entry_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

/* One word spoilt: offset, size, value. */
static const struct form_case {
    size_t offset;
    size_t size;
    uint64_t value;
} form_cases[] = {
    {0, 2, 2},           /* version */
    {2, 1, 0},           /* category */
    {2, 1, 9},           /* category */
    {3, 1, 'P'},         /* realm differs from the header's */
    {56, 2, 2},          /* count differs from the header's */
    {56, 2, 4},          /* count differs from the header's */
    {60, 4, 0},          /* body_len */
    {60, 4, 0xffffffff}, /* body_len */
    {64, 2, 2},          /* env_version */
    {64 + 52, 4, 173},   /* wire lengths do not sum to it */
    {64 + 52, 4, 175},   /* wire lengths do not sum to it */
    {192 + 4, 4, 47},    /* item_len below the least */
    {192 + 4, 4, 59},    /* data_len does not follow from item_len */
    {192 + 4, 4, 31},    /* item_len below the clear part */
    {192 + 72, 4, 41},   /* data_len */
    {192 + 72, 4, 0},    /* data_len */
    {192 + 72, 4, 0xffffffff},
    {192 + 76, 4, 1},       /* reserved */
    {192 + 64, 8, 0},       /* sealed bytes called open */
    {192 + 122 + 64, 8, 5}, /* open bytes called sealed */
    {192 + 122 + 80, 1, 0}, /* open data that do not hash to the commitment */
};

START_TEST(entry_that_breaks_one_rule_of_form_is_refused)
{
    for (size_t i = 0; i < sizeof form_cases / sizeof form_cases[0]; i++) {
        struct slice bytes = slice_of(entry_bytes, sample_entry1());
        struct entry entry;

        memcpy(entry_bytes + form_cases[i].offset, &form_cases[i].value,
               form_cases[i].size);
        ck_assert_msg(entry_decode(&entry, bytes) == ST_ENTRY_FORMED,
                      "case %zu is taken", i);
    }
}
END_TEST

START_TEST(entry_without_items_or_over_the_size_is_refused)
{
    struct entry entry;

    sample_entry1();
    store_u16(entry_bytes + 56, 0);
    store_u16(entry_bytes + 64 + 4, 0);
    store_u32(entry_bytes + 60, 0);
    store_u32(entry_bytes + 64 + 52, 0);
    ck_assert_int_eq(
        entry_decode(&entry, slice_of(entry_bytes, ENTRY_FIXED_SIZE)),
        ST_ENTRY_FORMED);
    ck_assert_int_eq(
        entry_decode(&entry, slice_of(entry_bytes, ENTRY_SIZE_MAX + 1)),
        ST_ENTRY_FORMED);
}
END_TEST

START_TEST(entry_view_hashes_nothing_and_entry_decode_does)
{
    struct slice bytes = slice_of(entry_bytes, sample_entry1());
    struct entry entry;

    entry_bytes[192 + 122 + 80] ^= 1;
    ck_assert_int_eq(entry_view(&entry, bytes), ST_OK);
    ck_assert_int_eq(entry_decode(&entry, bytes), ST_ENTRY_FORMED);
}
END_TEST

START_TEST(entry_of_the_most_items_round_trips)
{
    static struct entry_seal seals[ITEMS_MAX];
    struct command command;
    struct entry entry;
    struct identity user;
    struct entry_place place = {.category = CATEGORY_MAX,
                                .epoch = UINT32_MAX,
                                .index = UINT64_MAX,
                                .log_time = INT64_MAX,
                                .carrier = UINT16_MAX};
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t hash[HASH_SIZE];
    size_t size;

    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    sample_digest(&command, ITEMS_MAX, 9);
    for (unsigned i = 0; i < ITEMS_MAX; i++)
        seals[i] = (struct entry_seal){i % 3 == 0 ? 0 : i, key_1};
    size = entry_size(&command, seals);
    ck_assert_uint_le(size, ENTRY_FIXED_SIZE + command.header.body_size +
                                ENTRY_ITEM_GROWTH * ITEMS_MAX);
    entry_encode(entry_bytes, size, &place, &command, seals);
    ck_assert_int_eq(entry_decode(&entry, slice_of(entry_bytes, size)), ST_OK);
    ck_assert_uint_eq(entry.place.index, UINT64_MAX);
    ck_assert_int_eq(entry.place.log_time, INT64_MAX);
    ck_assert_uint_eq(entry.place.carrier, UINT16_MAX);
    ck_assert_int_eq(entry_verify(&entry, hash, cluster_id, user.public_key),
                     ST_OK);
    ck_assert_mem_eq(hash, command.hash, HASH_SIZE);
}
END_TEST

SUITE_MAIN("entry", entry_of_one_sealed_item_is_the_published_bytes,
           entry_of_sealed_and_open_items_is_the_published_bytes,
           entry_decodes_to_its_place_and_its_items,
           entry_signature_verifies_without_any_seal_key,
           entry_is_refused_at_every_truncation_and_with_a_trailing_byte,
           entry_with_any_bit_flipped_is_seen,
           entry_that_breaks_one_rule_of_form_is_refused,
           entry_without_items_or_over_the_size_is_refused,
           entry_view_hashes_nothing_and_entry_decode_does,
           entry_of_the_most_items_round_trips)
