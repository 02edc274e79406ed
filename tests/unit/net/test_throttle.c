#include "server/net/throttle.h"

#include <sodium.h>

#include "protocol/limits.h"
#include "tests/lib/suite.h"

enum { US = 1000000, CAPACITY = 1024 };

static struct throttle *throttle;
static const int64_t now = 100 * US;
static const struct throttle_try home = {{1}, {1}};
static const struct throttle_try away = {{1}, {2}};
static const struct throttle_try other_account = {{2}, {1}};

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    ck_assert_int_eq(throttle_open(&throttle, CAPACITY), ST_OK);
}

static void fail_often(const struct throttle_try *from, int times)
{
    for (int i = 0; i < times; i++)
        (void)throttle_failed(throttle, from, now);
}

START_TEST(failures_delay_an_account_from_everywhere_it_is_not_known)
{
    begin();
    fail_often(&away, LOGIN_FAILURES_FREE);
    ck_assert_int_eq(throttle_delay(throttle, &away, now), US);
    ck_assert_int_eq(throttle_delay(throttle, &home, now), US);
    ck_assert_int_eq(throttle_delay(throttle, &other_account, now), 0);
    throttle_close(throttle);
}
END_TEST

START_TEST(a_guesser_who_changes_his_address_is_delayed_all_the_same)
{
    struct throttle_try from = away;

    begin();
    for (uint8_t i = 0; i < 2 * LOGIN_FAILURES_FREE; i++) {
        from.source[8] = i;
        (void)throttle_failed(throttle, &from, now);
    }
    from.source[8] = UINT8_MAX;
    ck_assert_int_gt(throttle_delay(throttle, &from, now), 16 * US);
    throttle_close(throttle);
}
END_TEST

START_TEST(a_stranger_shuts_nobody_out_of_where_he_has_logged_in_before)
{
    begin();
    throttle_succeeded(throttle, &home, now);
    fail_often(&away, LOGIN_FAILURES_LOCK - 1);
    ck_assert_int_eq(throttle_delay(throttle, &away, now),
                     (int64_t)LOGIN_DELAY_S_MAX * US);
    ck_assert_int_eq(throttle_delay(throttle, &home, now), 0);
    throttle_close(throttle);
}
END_TEST

START_TEST(where_one_is_known_ones_own_failures_still_delay)
{
    begin();
    throttle_succeeded(throttle, &home, now);
    fail_often(&home, LOGIN_FAILURES_FREE);
    ck_assert_int_eq(throttle_delay(throttle, &home, now), US);
    throttle_succeeded(throttle, &home, now);
    ck_assert_int_eq(throttle_delay(throttle, &home, now), 0);
    throttle_close(throttle);
}
END_TEST

START_TEST(failures_from_everywhere_are_counted_for_the_lock)
{
    struct throttle_try from = away;
    uint32_t failures = 0;

    begin();
    for (uint8_t i = 0; i < LOGIN_FAILURES_LOCK; i++) {
        from.source[8] = i;
        failures = throttle_failed(throttle, &from, now);
    }
    ck_assert_uint_eq(failures, LOGIN_FAILURES_LOCK);
    throttle_succeeded(throttle, &home, now);
    ck_assert_uint_eq(throttle_failed(throttle, &home, now), 1);
    throttle_close(throttle);
}
END_TEST

START_TEST(strangers_cannot_use_up_the_verifications_of_those_who_are_known)
{
    begin();
    throttle_succeeded(throttle, &home, now);
    for (int i = 0; i < PW_PROVES_PER_SECOND_MAX; i++)
        ck_assert(throttle_take(throttle, &away, now));
    ck_assert(!throttle_take(throttle, &away, now));
    for (int i = 0; i < PW_PROVES_KNOWN_PER_SECOND_MAX; i++)
        ck_assert(throttle_take(throttle, &home, now));
    ck_assert(!throttle_take(throttle, &home, now));
    throttle_close(throttle);
}
END_TEST

SUITE_MAIN("throttle",
           failures_delay_an_account_from_everywhere_it_is_not_known,
           a_guesser_who_changes_his_address_is_delayed_all_the_same,
           a_stranger_shuts_nobody_out_of_where_he_has_logged_in_before,
           where_one_is_known_ones_own_failures_still_delay,
           failures_from_everywhere_are_counted_for_the_lock,
           strangers_cannot_use_up_the_verifications_of_those_who_are_known)
