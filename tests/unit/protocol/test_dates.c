#include "protocol/dates.h"

#include <string.h>

#include "protocol/catalogue.h"
#include "tests/lib/suite.h"

static struct slice text_of(const char *text)
{
    return slice_of(text, strlen(text));
}

static int32_t day_of(const char *text)
{
    int32_t days;

    ck_assert_msg(dates_parse(&days, text_of(text)) == ST_OK, "%s", text);
    return days;
}

static int64_t time_of(const char *text)
{
    int64_t time;

    ck_assert_msg(dates_time_parse(&time, text_of(text)) == ST_OK, "%s", text);
    return time;
}

START_TEST(known_days_have_their_numbers)
{
    ck_assert_int_eq(day_of("1970-01-01"), 0);
    ck_assert_int_eq(day_of("1969-12-31"), -1);
    ck_assert_int_eq(day_of("2000-02-29"), 11016);
    ck_assert_int_eq(day_of("2000-03-01"), 11017);
    ck_assert_int_eq(day_of("1900-01-01"), DATE_LO);
    ck_assert_int_eq(day_of("2200-12-31"), DATE_HI);
    ck_assert_int_eq(day_of("0000-01-01"), DATES_DAY_MIN);
    ck_assert_int_eq(day_of("9999-12-31"), DATES_DAY_MAX);
}
END_TEST

START_TEST(every_day_of_ten_thousand_years_follows_the_one_before)
{
    struct dates_civil before = dates_to_civil(DATES_DAY_MIN);

    for (int32_t days = DATES_DAY_MIN + 1; days <= DATES_DAY_MAX; days++) {
        struct dates_civil civil = dates_to_civil(days);
        struct dates_civil next = {before.year, before.month, before.day + 1};

        if (!dates_exists(next))
            next = (struct dates_civil){before.year, before.month + 1, 1};
        if (!dates_exists(next))
            next = (struct dates_civil){before.year + 1, 1, 1};
        if (civil.year != next.year || civil.month != next.month ||
            civil.day != next.day || dates_from_civil(civil) != days)
            ck_abort_msg("day %d", days);
        before = civil;
    }
}
END_TEST

START_TEST(days_that_do_not_exist_are_refused)
{
    static const char *const texts[] = {
        "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31",
        "2026-01-00", "2026-1-01",  "26-01-01",   "2026/01/01", "2026-01-01 ",
        "",           "2026-01-0x", "-026-01-01", "12026-01-01"};
    int32_t days;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(dates_parse(&days, text_of(texts[i])) == ST_BAD_FIELD,
                      "%s", texts[i]);
}
END_TEST

START_TEST(dates_and_times_are_written_as_they_are_read)
{
    static const char *const times[] = {
        "1970-01-01T00:00:00.000000Z", "2026-08-17T09:30:05.000007Z",
        "1969-12-31T23:59:59.999999Z", "0000-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z"};
    uint8_t date[DATES_DATE_SIZE], time[DATES_TIME_SIZE];

    dates_format(date, day_of("2026-08-17"));
    ck_assert_int_eq(memcmp(date, "2026-08-17", sizeof date), 0);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        dates_time_format(time, time_of(times[i]));
        ck_assert_int_eq(memcmp(time, times[i], sizeof time), 0);
    }
    ck_assert_int_eq(time_of("9999-12-31T23:59:59.999999Z"), DATES_TIME_MAX);
}
END_TEST

START_TEST(a_time_may_leave_out_its_end)
{
    ck_assert_int_eq(time_of("1970-01-02"), DATES_US_PER_DAY);
    ck_assert_int_eq(time_of("1970-01-01T00:00:01Z"), DATES_US_PER_SECOND);
    ck_assert_int_eq(time_of("1970-01-01T00:00:01.5Z"), 1500000);
    ck_assert_int_eq(time_of("1970-01-01T00:00:00.000001Z"), 1);
}
END_TEST

START_TEST(other_forms_of_a_time_are_refused)
{
    static const char *const texts[] = {"1970-01-01T",
                                        "1970-01-01T00:00Z",
                                        "1970-01-01T24:00:00Z",
                                        "1970-01-01T00:60:00Z",
                                        "1970-01-01T00:00:60Z",
                                        "1970-01-01T00:00:00",
                                        "1970-01-01T00:00:00.Z",
                                        "1970-01-01T00:00:00.1234567Z",
                                        "1970-01-01 00:00:00Z",
                                        "1970-01-01T00:00:00Zx",
                                        "T00:00:00Z"};
    int64_t time;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(dates_time_parse(&time, text_of(texts[i])) ==
                          ST_BAD_FIELD,
                      "%s", texts[i]);
}
END_TEST

START_TEST(the_civil_day_begins_before_that_of_utc_in_the_east)
{
    enum { BAKU = 240, WEST = -300 };
    int64_t evening = time_of("2026-08-17T20:00:00Z");

    ck_assert_int_eq(dates_day_at(evening, BAKU), day_of("2026-08-18"));
    ck_assert_int_eq(dates_day_at(evening - 1, BAKU), day_of("2026-08-17"));
    ck_assert_int_eq(dates_day_at(time_of("2026-08-17T04:59:59Z"), WEST),
                     day_of("2026-08-16"));
    ck_assert_int_eq(dates_day_at(-1, 0), -1);
    ck_assert_int_eq(dates_day_begin(day_of("2026-08-18"), BAKU), evening);
}
END_TEST

START_TEST(weekdays_are_those_of_the_calendar)
{
    ck_assert_int_eq(dates_weekday(day_of("1970-01-01")), 4);
    ck_assert_int_eq(dates_weekday(day_of("2026-11-22")), 7);
    ck_assert_int_eq(dates_weekday(day_of("2026-11-23")), 1);
    ck_assert_int_eq(dates_weekday(day_of("1969-12-29")), 1);
    ck_assert_int_eq(dates_weekday(day_of("1900-01-01")), 1);
}
END_TEST

SUITE_MAIN("dates", known_days_have_their_numbers,
           every_day_of_ten_thousand_years_follows_the_one_before,
           days_that_do_not_exist_are_refused,
           dates_and_times_are_written_as_they_are_read,
           a_time_may_leave_out_its_end, other_forms_of_a_time_are_refused,
           the_civil_day_begins_before_that_of_utc_in_the_east,
           weekdays_are_those_of_the_calendar)
