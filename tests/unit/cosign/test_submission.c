#include "server/cosign/submission.h"

#include "tests/lib/suite.h"

static struct submission it;

START_TEST(a_witness_is_asked_when_there_is_something_new_and_once_at_a_time)
{
    submission_init(&it);
    ck_assert_int_eq(submission_wait_ms(&it, 0, 5), -1);
    ck_assert_int_eq(submission_wait_ms(&it, 7, 5), 0);
    submission_asked(&it, 7, 5);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 6), -1);
    submission_ended(&it, SUBMISSION_SIGNED, 0, 10);
    ck_assert_uint_eq(it.known, 7);
    ck_assert_int_eq(submission_wait_ms(&it, 7, 10), -1); /* It is done. */
    ck_assert_int_eq(submission_wait_ms(&it, 9, 10),
                     5 + SUBMISSION_PERIOD_MS - 10);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 5 + SUBMISSION_PERIOD_MS), 0);
}
END_TEST

START_TEST(a_409_is_followed_at_once_and_a_second_one_later)
{
    submission_init(&it);
    submission_asked(&it, 9, 0);
    submission_ended(&it, SUBMISSION_SIZE, 4, 20);
    ck_assert_uint_eq(it.known, 4);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 20), 0);
    submission_asked(&it, 9, 20);
    submission_ended(&it, SUBMISSION_SIZE, 5, 40);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 40), SUBMISSION_PAUSE_MS_MIN);
    submission_asked(&it, 9, 5000);
    submission_ended(&it, SUBMISSION_SIZE, 6, 5001);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 5001),
                     2 * SUBMISSION_PAUSE_MS_MIN);
}
END_TEST

START_TEST(one_that_has_all_is_asked_once_more_for_the_line_that_was_lost)
{
    submission_init(&it);
    submission_asked(&it, 9, 0);
    submission_ended(&it, SUBMISSION_SIZE, 9, 1);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 1), 0);
    ck_assert(!submission_is_ahead(&it, 9));
    submission_asked(&it, 9, 1);
    submission_ended(&it, SUBMISSION_SIGNED, 0, 2);
    ck_assert_int_eq(submission_wait_ms(&it, 9, 1000000), -1);
}
END_TEST

START_TEST(one_that_is_ahead_is_asked_when_the_log_is_there)
{
    submission_init(&it);
    submission_asked(&it, 9, 0);
    submission_ended(&it, SUBMISSION_SIZE, 12, 1);
    ck_assert(submission_is_ahead(&it, 9));
    ck_assert_int_eq(submission_wait_ms(&it, 9, 1000000), -1);
    ck_assert_int_eq(submission_wait_ms(&it, 11, 1000000), -1);
    ck_assert_int_eq(submission_wait_ms(&it, 12, 1000000), 0);
}
END_TEST

START_TEST(failures_are_followed_by_pauses_that_grow_up_to_a_bound)
{
    int64_t now_ms = 0, pause_ms = SUBMISSION_PAUSE_MS_MIN;

    submission_init(&it);
    for (int i = 0; i < 20; i++) {
        submission_asked(&it, 9, now_ms);
        submission_ended(&it, SUBMISSION_FAILED, 0, now_ms);
        ck_assert_int_eq(submission_wait_ms(&it, 9, now_ms), pause_ms);
        now_ms += pause_ms;
        pause_ms *= 2;
        if (pause_ms > SUBMISSION_PAUSE_MS_MAX)
            pause_ms = SUBMISSION_PAUSE_MS_MAX;
    }
    submission_asked(&it, 9, now_ms);
    submission_ended(&it, SUBMISSION_SIGNED, 0, now_ms);
    submission_asked(&it, 10, now_ms + SUBMISSION_PERIOD_MS);
    submission_ended(&it, SUBMISSION_FAILED, 0, now_ms);
    ck_assert_int_eq(submission_wait_ms(&it, 10, now_ms),
                     SUBMISSION_PAUSE_MS_MIN);
}
END_TEST

SUITE_MAIN("submission",
           a_witness_is_asked_when_there_is_something_new_and_once_at_a_time,
           a_409_is_followed_at_once_and_a_second_one_later,
           one_that_has_all_is_asked_once_more_for_the_line_that_was_lost,
           one_that_is_ahead_is_asked_when_the_log_is_there,
           failures_are_followed_by_pauses_that_grow_up_to_a_bound)
