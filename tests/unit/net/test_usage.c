#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/usage.h"

enum { US = 1000000, CAPACITY = 64 };

static struct usage *usage;
static const uint8_t alice[USAGE_NAME_SIZE] = {1};
static const uint8_t bob[USAGE_NAME_SIZE] = {2};

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    ck_assert_int_eq(usage_open(&usage, CAPACITY), ST_OK);
}

static void teardown(void)
{
    usage_close(usage);
}

START_TEST(a_bucket_gives_its_burst_and_then_its_rate)
{
    struct bucket bucket = {0};
    int64_t now = 5 * US;

    for (int i = 0; i < 40; i++)
        ck_assert(bucket_take(&bucket, now, 10, 40, 1));
    ck_assert(!bucket_take(&bucket, now, 10, 40, 1));
    ck_assert(bucket_take(&bucket, now + US / 10, 10, 40, 1));
    ck_assert(!bucket_take(&bucket, now + US / 10, 10, 40, 1));
    for (int i = 0; i < 40; i++)
        ck_assert(bucket_take(&bucket, now + 3600LL * US, 10, 40, 1));
    ck_assert(!bucket_take(&bucket, now + 3600LL * US, 10, 40, 1));
}
END_TEST

START_TEST(a_clock_set_back_fills_no_bucket)
{
    struct bucket bucket = {0};

    ck_assert(bucket_take(&bucket, 100 * US, 1, 1, 1));
    ck_assert(!bucket_take(&bucket, 1 * US, 1, 1, 1));
}
END_TEST

START_TEST(connections_of_one_name_end_at_its_limit)
{
    ck_assert(usage_enter(usage, alice, 2, 1));
    ck_assert(usage_enter(usage, alice, 2, 1));
    ck_assert(!usage_enter(usage, alice, 2, 1));
    ck_assert(usage_enter(usage, bob, 2, 1));
    usage_leave(usage, alice);
    ck_assert(usage_enter(usage, alice, 2, 1));
}
END_TEST

START_TEST(the_seventeenth_strike_within_a_minute_is_a_penalty_of_a_minute)
{
    int64_t now = 10 * US;

    for (int i = 0; i < STRIKES_MAX; i++)
        ck_assert(!usage_strike(usage, alice, now + i));
    ck_assert_int_eq(usage_penalty(usage, alice, now + 20), 0);
    ck_assert(usage_strike(usage, alice, now + 20));
    ck_assert_int_eq(usage_penalty(usage, alice, now + 20),
                     (int64_t)PENALTY_S_MIN * US);
    ck_assert_int_eq(usage_penalty(usage, bob, now + 20), 0);
    ck_assert_int_eq(
        usage_penalty(usage, alice, now + 21 + (int64_t)PENALTY_S_MIN * US), 0);
}
END_TEST

START_TEST(strikes_of_an_older_minute_do_not_count)
{
    int64_t now = 10 * US;

    for (int i = 0; i < STRIKES_MAX; i++)
        ck_assert(!usage_strike(usage, alice, now));
    now += (int64_t)(STRIKES_WINDOW_S + 1) * US;
    ck_assert(!usage_strike(usage, alice, now));
}
END_TEST

START_TEST(each_further_penalty_doubles_up_to_a_quarter_of_an_hour)
{
    int64_t now = 10 * US;
    int64_t expected_s = PENALTY_S_MIN;

    for (int round = 0; round < 6; round++) {
        for (int i = 0; i <= STRIKES_MAX; i++)
            (void)usage_strike(usage, alice, now);
        ck_assert_int_eq(usage_penalty(usage, alice, now), expected_s * US);
        now += expected_s * US + 1;
        expected_s =
            expected_s * 2 > PENALTY_S_MAX ? PENALTY_S_MAX : expected_s * 2;
    }
}
END_TEST

START_TEST(the_fifth_wrong_password_starts_a_delay_that_doubles)
{
    int64_t now = 10 * US;

    for (int i = 1; i < LOGIN_FAILURES_FREE; i++) {
        ck_assert_uint_eq(usage_login_failed(usage, alice, now), (uint32_t)i);
        ck_assert_int_eq(usage_login_delay(usage, alice, now), 0);
    }
    (void)usage_login_failed(usage, alice, now);
    ck_assert_int_eq(usage_login_delay(usage, alice, now), US);
    (void)usage_login_failed(usage, alice, now);
    ck_assert_int_eq(usage_login_delay(usage, alice, now), 2 * US);
    for (int i = 0; i < 30; i++)
        (void)usage_login_failed(usage, alice, now);
    ck_assert_int_eq(usage_login_delay(usage, alice, now),
                     (int64_t)LOGIN_DELAY_S_MAX * US);
}
END_TEST

START_TEST(a_right_password_forgets_the_wrong_ones)
{
    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        (void)usage_login_failed(usage, alice, US);
    usage_login_succeeded(usage, alice);
    ck_assert_int_eq(usage_login_delay(usage, alice, US), 0);
    ck_assert_uint_eq(usage_login_failed(usage, alice, US), 1);
}
END_TEST

START_TEST(a_newer_login_that_counts_fences_the_older_one)
{
    ck_assert(usage_counts(usage, alice, 3));
    ck_assert(usage_counts(usage, alice, 3));
    ck_assert(usage_counts(usage, alice, 5));
    ck_assert(!usage_counts(usage, alice, 3));
    ck_assert(usage_counts(usage, bob, 1));
}
END_TEST

START_TEST(a_table_full_of_live_names_refuses_new_ones)
{
    uint32_t entered = 0;

    for (uint32_t i = 0; i < 10 * CAPACITY; i++) {
        uint8_t name[USAGE_NAME_SIZE] = {9};
        memcpy(name + 4, &i, sizeof i);
        entered += usage_enter(usage, name, 1, 1);
    }
    ck_assert_uint_le(entered, CAPACITY);
    ck_assert_uint_ge(entered, CAPACITY / 2);
}
END_TEST

/* ${count} names that nobody has used yet, each by one call of ${use}. */
static void flood(uint32_t count, int64_t now,
                  void (*use)(const uint8_t *name, int64_t now))
{
    static uint32_t used;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t name[USAGE_NAME_SIZE] = {7};
        used++;
        memcpy(name + 4, &used, sizeof used);
        use(name, now);
    }
}

static void take(const uint8_t *name, int64_t now)
{
    (void)usage_take(usage, name, USAGE_HANDSHAKES, 20, 50, 1, now);
}

static void fail_login(const uint8_t *name, int64_t now)
{
    (void)usage_login_failed(usage, name, now);
}

static void fail_login_often(const uint8_t *name, int64_t now)
{
    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        (void)usage_login_failed(usage, name, now);
}

static void fail_login_long(const uint8_t *name, int64_t now)
{
    for (int i = 0; i < 4 * LOGIN_FAILURES_FREE; i++)
        (void)usage_login_failed(usage, name, now);
}

START_TEST(names_without_an_offence_make_room_for_new_ones)
{
    flood(10 * CAPACITY, US, take);
    ck_assert(usage_take(usage, alice, USAGE_HANDSHAKES, 20, 50, 1, US));
    ck_assert(usage_enter(usage, bob, 1, US));
    ck_assert_uint_eq(usage_full_count(usage), 0);
}
END_TEST

START_TEST(a_flood_of_names_buys_no_pardon_for_a_strike)
{
    int64_t now = 10 * US;

    for (int i = 0; i < STRIKES_MAX; i++)
        ck_assert(!usage_strike(usage, alice, now));
    flood(100 * CAPACITY, now + US, take);
    ck_assert(usage_strike(usage, alice, now + 2 * US));
}
END_TEST

START_TEST(a_flood_of_names_ends_no_penalty_and_does_not_halve_the_next)
{
    int64_t now = 10 * US;

    for (int i = 0; i <= STRIKES_MAX; i++)
        (void)usage_strike(usage, alice, now);
    flood(100 * CAPACITY, now, take);
    ck_assert_int_eq(usage_penalty(usage, alice, now),
                     (int64_t)PENALTY_S_MIN * US);
    now += (int64_t)(PENALTY_S_MIN + PENALTY_S_MAX - 1) * US;
    flood(100 * CAPACITY, now, take);
    for (int i = 0; i <= STRIKES_MAX; i++)
        (void)usage_strike(usage, alice, now);
    ck_assert_int_eq(usage_penalty(usage, alice, now),
                     2 * (int64_t)PENALTY_S_MIN * US);
}
END_TEST

START_TEST(a_flood_of_names_ends_no_delay_of_a_login)
{
    int64_t now = 10 * US;

    fail_login_often(alice, now);
    flood(100 * CAPACITY, now, fail_login);
    ck_assert_int_eq(usage_login_delay(usage, alice, now), US);
}
END_TEST

START_TEST(names_that_found_no_place_share_one_count_and_its_delay)
{
    int64_t now = 10 * US;

    flood(20 * CAPACITY, now, fail_login_often);
    ck_assert_uint_gt(usage_full_count(usage), 0);
    /* Nobody's account is locked for it. */
    ck_assert_uint_eq(usage_login_failed(usage, bob, now), 0);
    ck_assert_int_eq(usage_login_delay(usage, alice, now),
                     (int64_t)LOGIN_DELAY_CROWD_S_MAX * US);
}
END_TEST

/* What one failure keeps up must not be a delay that shuts others out. */
START_TEST(the_shared_delay_is_short_and_forgotten_after_a_quiet_time)
{
    int64_t now = 10 * US;

    flood(20 * CAPACITY, now, fail_login_long);
    now += (int64_t)LOGIN_DELAY_CROWD_S_MAX * US;
    ck_assert_int_eq(usage_login_delay(usage, alice, now), 0);
    now += (int64_t)LOGIN_CROWD_FORGOTTEN_S * US;
    ck_assert_uint_eq(usage_login_failed(usage, alice, now), 0);
    ck_assert_int_eq(usage_login_delay(usage, bob, now), 0);
}
END_TEST

START_TEST(a_name_whose_delay_is_over_makes_room_for_one_that_fails_now)
{
    int64_t now = 10 * US;

    flood(20 * CAPACITY, now, fail_login_often);
    now += 2 * US;
    ck_assert_uint_eq(usage_login_failed(usage, alice, now), 1);
    ck_assert_int_eq(usage_login_delay(usage, bob, now), 0);
}
END_TEST

START_TEST(a_flood_of_names_halves_no_delay_of_who_failed_more_often)
{
    int64_t now = 10 * US;

    for (int i = 0; i <= LOGIN_FAILURES_FREE; i++)
        (void)usage_login_failed(usage, alice, now);
    now += 10 * US; /* Nothing runs any more. */
    flood(100 * CAPACITY, now, fail_login);
    for (int i = 0; i < 20; i++) {
        flood(10 * CAPACITY, now, fail_login_often);
        now += 2 * US;
    }
    ck_assert_uint_eq(usage_login_failed(usage, alice, now),
                      LOGIN_FAILURES_FREE + 2);
    ck_assert_int_eq(usage_login_delay(usage, alice, now), 4 * US);
}
END_TEST

START_TEST(what_a_name_holds_ends_at_its_limit_and_keeps_its_place)
{
    ck_assert(usage_hold(usage, alice, USAGE_ANSWERS, 90, 100));
    ck_assert(!usage_hold(usage, alice, USAGE_ANSWERS, 11, 100));
    ck_assert(!usage_hold(usage, alice, USAGE_ANSWERS, SIZE_MAX, 100));
    ck_assert(usage_hold(usage, alice, USAGE_SESSIONS, 100, 100));
    ck_assert(usage_hold(usage, bob, USAGE_ANSWERS, 100, 100));
    flood(100 * CAPACITY, 3600LL * US, take);
    ck_assert_uint_eq(usage_held(usage, alice, USAGE_ANSWERS), 90);
    usage_let_go(usage, alice, USAGE_ANSWERS, 90);
    ck_assert_uint_eq(usage_held(usage, alice, USAGE_ANSWERS), 0);
    ck_assert_uint_eq(usage_held(usage, alice, USAGE_SESSIONS), 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("usage");
    TCase *tcase = tcase_create("usage");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_bucket_gives_its_burst_and_then_its_rate);
    tcase_add_test(tcase, a_clock_set_back_fills_no_bucket);
    tcase_add_test(tcase, connections_of_one_name_end_at_its_limit);
    tcase_add_test(
        tcase, the_seventeenth_strike_within_a_minute_is_a_penalty_of_a_minute);
    tcase_add_test(tcase, strikes_of_an_older_minute_do_not_count);
    tcase_add_test(tcase,
                   each_further_penalty_doubles_up_to_a_quarter_of_an_hour);
    tcase_add_test(tcase, the_fifth_wrong_password_starts_a_delay_that_doubles);
    tcase_add_test(tcase, a_right_password_forgets_the_wrong_ones);
    tcase_add_test(tcase, a_newer_login_that_counts_fences_the_older_one);
    tcase_add_test(tcase, a_table_full_of_live_names_refuses_new_ones);
    tcase_add_test(tcase, names_without_an_offence_make_room_for_new_ones);
    tcase_add_test(tcase, a_flood_of_names_buys_no_pardon_for_a_strike);
    tcase_add_test(
        tcase, a_flood_of_names_ends_no_penalty_and_does_not_halve_the_next);
    tcase_add_test(tcase, a_flood_of_names_ends_no_delay_of_a_login);
    tcase_add_test(tcase,
                   names_that_found_no_place_share_one_count_and_its_delay);
    tcase_add_test(tcase,
                   the_shared_delay_is_short_and_forgotten_after_a_quiet_time);
    tcase_add_test(
        tcase, a_name_whose_delay_is_over_makes_room_for_one_that_fails_now);
    tcase_add_test(tcase,
                   a_flood_of_names_halves_no_delay_of_who_failed_more_often);
    tcase_add_test(tcase,
                   what_a_name_holds_ends_at_its_limit_and_keeps_its_place);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
