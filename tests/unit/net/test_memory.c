#include "server/net/memory.h"

#include "protocol/limits.h"
#include "tests/lib/suite.h"

enum { LOGINS = 1000, SESSIONS = 100000 };

static struct memory memory;

START_TEST(a_class_gives_no_more_than_its_cap_and_counts_what_it_refused)
{
    memory_init(&memory, LOGINS, SESSIONS);
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, SESSIONS - 1));
    ck_assert(!memory_take(&memory, MEMORY_SESSIONS, 2));
    ck_assert(!memory_take(&memory, MEMORY_SESSIONS, SIZE_MAX));
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, 1));
    ck_assert_uint_eq(memory.of[MEMORY_SESSIONS].refused, 2);
    memory_give(&memory, MEMORY_SESSIONS, SESSIONS);
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, SESSIONS));
}
END_TEST

START_TEST(a_class_that_is_full_takes_nothing_from_the_others)
{
    memory_init(&memory, LOGINS, SESSIONS);
    ck_assert(memory_take(&memory, MEMORY_BEFORE_LOGIN, LOGINS));
    ck_assert(!memory_take(&memory, MEMORY_BEFORE_LOGIN, 1));
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, SESSIONS));
    ck_assert(memory_take(&memory, MEMORY_ANSWERS, SESSIONS / 2));
}
END_TEST

START_TEST(a_class_is_tight_before_it_is_full)
{
    size_t tight = SESSIONS / 100 * MEMORY_TIGHT_PERCENT;

    memory_init(&memory, LOGINS, SESSIONS);
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, tight - 1));
    ck_assert(!memory_is_tight(&memory, MEMORY_SESSIONS));
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, 1));
    ck_assert(memory_is_tight(&memory, MEMORY_SESSIONS));
    ck_assert(!memory_is_tight(&memory, MEMORY_BEFORE_LOGIN));
}
END_TEST

START_TEST(a_class_is_scarce_half_way_from_tight_to_its_cap)
{
    size_t scarce = SESSIONS / 100 * (MEMORY_TIGHT_PERCENT + 100) / 2;

    memory_init(&memory, LOGINS, SESSIONS);
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, scarce - 1));
    ck_assert(memory_is_tight(&memory, MEMORY_SESSIONS));
    ck_assert(!memory_is_scarce(&memory, MEMORY_SESSIONS));
    ck_assert(memory_take(&memory, MEMORY_SESSIONS, 1));
    ck_assert(memory_is_scarce(&memory, MEMORY_SESSIONS));
}
END_TEST

START_TEST(a_share_is_a_part_of_the_cap_and_never_too_small_for_an_answer)
{
    memory_init(&memory, LOGINS, SESSIONS);
    ck_assert_uint_eq(memory_share(&memory, MEMORY_ANSWERS),
                      MEMORY_SHARE_SIZE_MIN);
    memory_init(&memory, LOGINS, (size_t)512 << 20);
    ck_assert_uint_eq(memory_share(&memory, MEMORY_ANSWERS),
                      ((size_t)256 << 20) / MEMORY_SHARES_COUNT);
}
END_TEST

START_TEST(a_cap_that_changes_holds_at_once_and_takes_nothing_back)
{
    memory_init(&memory, LOGINS, SESSIONS);
    ck_assert(memory_take(&memory, MEMORY_BEFORE_LOGIN, LOGINS));
    memory_set_cap(&memory, MEMORY_BEFORE_LOGIN, 2 * LOGINS);
    ck_assert(!memory_is_tight(&memory, MEMORY_BEFORE_LOGIN));
    ck_assert(memory_take(&memory, MEMORY_BEFORE_LOGIN, LOGINS));
    memory_set_cap(&memory, MEMORY_BEFORE_LOGIN, LOGINS);
    ck_assert(!memory_take(&memory, MEMORY_BEFORE_LOGIN, 1));
    memory_give(&memory, MEMORY_BEFORE_LOGIN, 2 * LOGINS);
    ck_assert(memory_take(&memory, MEMORY_BEFORE_LOGIN, LOGINS));
}
END_TEST

SUITE_MAIN("memory",
           a_class_gives_no_more_than_its_cap_and_counts_what_it_refused,
           a_class_that_is_full_takes_nothing_from_the_others,
           a_class_is_tight_before_it_is_full,
           a_class_is_scarce_half_way_from_tight_to_its_cap,
           a_share_is_a_part_of_the_cap_and_never_too_small_for_an_answer,
           a_cap_that_changes_holds_at_once_and_takes_nothing_back)
