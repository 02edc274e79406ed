#include "server/net/throttle.h"

#include <sodium.h>
#include <string.h>

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

/* From many addresses, names that nobody has, until no table has a place that a
 * stranger could take. */
static void flood_names(int64_t at)
{
    for (uint32_t i = 0; i < 8 * CAPACITY; i++) {
        struct throttle_try from = {{0xee}, {0xee}};

        memcpy(from.account + 4, &i, sizeof i);
        from.source[4] = (uint8_t)(i % 8);
        for (int j = 0; j < 2 * LOGIN_FAILURES_FREE; j++)
            (void)throttle_failed(throttle, &from, at);
    }
}

START_TEST(a_flood_of_invented_names_delays_nobody_where_he_is_known)
{
    int64_t at = now + US;

    begin();
    throttle_succeeded(throttle, &home, now);
    flood_names(at);
    ck_assert_int_eq(throttle_delay(throttle, &home, at), 0);
    for (int i = 0; i < PW_PROVES_PER_SECOND_MAX; i++)
        ck_assert(throttle_take(throttle, &away, at));
    ck_assert(throttle_take(throttle, &home, at));
    /* And his own failures are counted as before. */
    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        (void)throttle_failed(throttle, &home, at);
    ck_assert_int_eq(throttle_delay(throttle, &home, at), US);
    throttle_close(throttle);
}
END_TEST

START_TEST(a_flood_of_invented_names_holds_strangers_up_for_seconds_only)
{
    int64_t at = now;

    begin();
    flood_names(at);
    ck_assert_int_le(throttle_delay(throttle, &home, at),
                     (int64_t)LOGIN_DELAY_CROWD_S_MAX * US);
    at += (int64_t)LOGIN_DELAY_CROWD_S_MAX * US;
    ck_assert_int_eq(throttle_delay(throttle, &home, at), 0);
    throttle_close(throttle);
}
END_TEST

START_TEST(an_account_is_known_where_it_logged_in_last_and_for_its_time)
{
    struct throttle_try from = home;
    int64_t at = now;

    begin();
    for (uint8_t i = 0; i <= LOGIN_SOURCES_KNOWN_MAX; i++) {
        from.source[8] = i;
        throttle_succeeded(throttle, &from, ++at);
    }
    throttle_succeeded(throttle, &other_account, now);
    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        (void)throttle_failed(throttle, &away, at);
    from.source[8] = 0; /* The oldest. */
    ck_assert_int_eq(throttle_delay(throttle, &from, at), US);
    for (uint8_t i = 1; i <= LOGIN_SOURCES_KNOWN_MAX; i++) {
        from.source[8] = i;
        ck_assert_int_eq(throttle_delay(throttle, &from, at), 0);
    }
    at += (int64_t)LOGIN_SOURCE_KNOWN_S * US;
    (void)throttle_failed(throttle, &away, at);
    ck_assert_int_eq(throttle_delay(throttle, &from, at), 2 * US);
    throttle_close(throttle);
}
END_TEST

START_TEST(who_logs_in_from_everywhere_takes_no_other_accounts_place)
{
    struct throttle_try from = other_account;

    begin();
    throttle_succeeded(throttle, &home, now);
    for (uint32_t i = 0; i < 8 * CAPACITY; i++) {
        memcpy(from.source + 4, &i, sizeof i);
        throttle_succeeded(throttle, &from, now + i);
    }
    fail_often(&away, LOGIN_FAILURES_FREE);
    ck_assert_int_eq(throttle_delay(throttle, &home, now), 0);
    throttle_close(throttle);
}
END_TEST

SUITE_MAIN("throttle",
           failures_delay_an_account_from_everywhere_it_is_not_known,
           a_guesser_who_changes_his_address_is_delayed_all_the_same,
           a_stranger_shuts_nobody_out_of_where_he_has_logged_in_before,
           where_one_is_known_ones_own_failures_still_delay,
           failures_from_everywhere_are_counted_for_the_lock,
           strangers_cannot_use_up_the_verifications_of_those_who_are_known,
           a_flood_of_invented_names_delays_nobody_where_he_is_known,
           a_flood_of_invented_names_holds_strangers_up_for_seconds_only,
           an_account_is_known_where_it_logged_in_last_and_for_its_time,
           who_logs_in_from_everywhere_takes_no_other_accounts_place)
