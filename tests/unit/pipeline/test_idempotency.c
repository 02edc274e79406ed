#include "tests/lib/suite.h"

#include <string.h>

#include <sodium.h>

#include "protocol/bytes.h"
#include "server/pipeline/idempotency.h"

static const uint8_t key_id[KEY_ID_SIZE] = {1};

static void pair_of(uint64_t number, uint8_t idem[IDEM_SIZE],
                    uint8_t hash[HASH_SIZE])
{
    memset(idem, 0, IDEM_SIZE);
    memset(hash, 0, HASH_SIZE);
    store_u64(idem, number);
    store_u64(hash, number);
}

/* Command ${number} as entry ${index}. */
static void add(struct idempotency *table, uint64_t number, uint64_t index)
{
    uint8_t idem[IDEM_SIZE], hash[HASH_SIZE];

    pair_of(number, idem, hash);
    idempotency_add(table, key_id, idem, hash, index);
}

static void take_out(struct idempotency *table, uint64_t number, uint64_t index)
{
    uint8_t idem[IDEM_SIZE], hash[HASH_SIZE];

    pair_of(number, idem, hash);
    idempotency_remove(table, key_id, idem, index);
}

static enum idempotency_state find(struct idempotency *table, uint64_t number)
{
    uint8_t idem[IDEM_SIZE], hash[HASH_SIZE];

    pair_of(number, idem, hash);
    return idempotency_find(table, key_id, idem, hash);
}

START_TEST(a_command_taken_out_is_new_and_may_be_another_entry)
{
    struct idempotency *table = idempotency_open();

    add(table, 1, 10);
    add(table, 2, 11);
    take_out(table, 1, 10);
    ck_assert_int_eq(find(table, 1), IDEMPOTENCY_NEW);
    ck_assert_int_eq(find(table, 2), IDEMPOTENCY_PENDING_SAME);
    add(table, 1, 12);
    ck_assert_int_eq(find(table, 1), IDEMPOTENCY_PENDING_SAME);
    /* The former place is another's. */
    take_out(table, 1, 10);
    ck_assert_int_eq(find(table, 1), IDEMPOTENCY_PENDING_SAME);
    idempotency_applied(table, 13, 0);
    ck_assert_int_eq(find(table, 1), IDEMPOTENCY_APPLIED);
    idempotency_close(table);
}
END_TEST

START_TEST(another_command_in_the_place_of_one_taken_out_stays_known)
{
    struct idempotency *table = idempotency_open();

    add(table, 1, 10);
    add(table, 2, 10);
    take_out(table, 1, 10);
    ck_assert_int_eq(find(table, 1), IDEMPOTENCY_NEW);
    ck_assert_int_eq(find(table, 2), IDEMPOTENCY_PENDING_SAME);
    /* Told twice is told once. */
    add(table, 2, 10);
    take_out(table, 2, 10);
    ck_assert_int_eq(find(table, 2), IDEMPOTENCY_NEW);
    idempotency_close(table);
}
END_TEST

START_TEST(a_tail_of_any_length_is_known_exactly_once_it_was_reserved_for)
{
    enum { COUNT = 3 * IDEMPOTENCY_PENDING_MAX, FIRST = 5000 };
    struct idempotency *table = idempotency_open();

    for (uint64_t i = 0; i < FIRST; i++)
        add(table, i, i);
    idempotency_applied(table, 1000, 0);
    idempotency_reserve(table, COUNT);
    for (uint64_t i = 0; i < COUNT; i++)
        add(table, i, i);
    for (uint64_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(find(table, i), i < 1000 ? IDEMPOTENCY_APPLIED
                                                  : IDEMPOTENCY_PENDING_SAME);
    ck_assert_int_eq(find(table, COUNT), IDEMPOTENCY_NEW);
    for (uint64_t i = 1000; i < COUNT; i++)
        take_out(table, i, i);
    for (uint64_t i = 1000; i < COUNT; i++)
        ck_assert_int_eq(find(table, i), IDEMPOTENCY_NEW);
    idempotency_close(table);
}
END_TEST

SUITE_MAIN("idempotency", a_command_taken_out_is_new_and_may_be_another_entry,
           another_command_in_the_place_of_one_taken_out_stays_known,
           a_tail_of_any_length_is_known_exactly_once_it_was_reserved_for)
