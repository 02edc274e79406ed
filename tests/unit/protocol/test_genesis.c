#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/genesis.h"

static struct identity authority;
static uint8_t bytes[GENESIS_SIZE_MAX];
static size_t size;

static void setup(void)
{
    static const uint8_t seed[SEED_SIZE] = {1};
    static const struct genesis_random random = {{2}, {3}};
    struct op_system_genesis fields = {
        .origin = slice_of("test.example/log", 16),
        .environment = 2,
        .realms = 3,
        .owner = slice_of("Agentlik", 8),
    };

    ck_assert_int_ge(sodium_init(), 0);
    identity_init(&authority, seed);
    ck_assert_int_eq(genesis_write(bytes, &size, &fields, &authority,
                                   INT64_C(1700000000000000), &random),
                     ST_OK);
}

START_TEST(genesis_reads_back_as_it_was_written)
{
    struct op_system_genesis fields;
    struct entry entry;

    ck_assert_int_eq(genesis_read(&fields, &entry, slice_of(bytes, size)),
                     ST_OK);
    ck_assert_int_eq(fields.environment, 2);
    ck_assert_int_eq(fields.realms, 3);
    ck_assert_mem_eq(fields.authority_key.b, authority.public_key,
                     PUBLIC_KEY_SIZE);
    ck_assert_uint_eq(entry.place.index, 0);
    ck_assert_mem_eq(entry.header.key_id, authority.key_id, KEY_ID_SIZE);
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut_of_genesis_is_refused)
{
    struct op_system_genesis fields;
    struct entry entry;

    for (size_t bit = 0; bit < size * 8; bit++) {
        /* Log time, category and carrier are the entry's place: no signature
         * covers them, and entry 0 has no later hash to compare with here. */
        size_t at = bit / 8;
        if (at == 2 || (at >= 16 && at < 24) || at == 58 || at == 59)
            continue;
        bytes[at] ^= (uint8_t)(1u << (bit % 8));
        ck_assert_msg(genesis_read(&fields, &entry, slice_of(bytes, size)) !=
                          ST_OK,
                      "bit %zu", bit);
        bytes[at] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_ne(genesis_read(&fields, &entry, slice_of(bytes, cut)),
                         ST_OK);
}
END_TEST

START_TEST(genesis_with_a_text_over_its_limit_is_not_written)
{
    static const struct genesis_random random = {{2}, {3}};
    char owner[300];
    struct op_system_genesis fields = {
        .origin = slice_of("x", 1), .environment = 2, .realms = 1};

    memset(owner, 'a', sizeof owner);
    fields.owner = slice_of(owner, sizeof owner);
    ck_assert_int_eq(
        genesis_write(bytes, &size, &fields, &authority, 1, &random),
        ST_BAD_FIELD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("genesis");
    TCase *tcase = tcase_create("genesis");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, genesis_reads_back_as_it_was_written);
    tcase_add_test(tcase,
                   every_flipped_bit_and_every_cut_of_genesis_is_refused);
    tcase_add_test(tcase, genesis_with_a_text_over_its_limit_is_not_written);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
