#include "protocol/dates.h"

#include <string.h>

/*
 * Years are counted from March, so that the leap day is the last of its year;
 * an era is the 400 years after which the calendar repeats.
 */
enum {
    DAYS_PER_ERA = 146097,
    DAYS_PER_YEAR = 365,
    DAYS_PER_4_YEARS = 1461,
    DAYS_PER_100_YEARS = 36524,
    YEARS_PER_ERA = 400,
    DAYS_TO_1970 = 719468, /* From 0000-03-01. */
    DAYS_PER_WEEK = 7,
    EPOCH_WEEKDAY = 4 /* 1970-01-01 was a Thursday. */
};

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool dates_exists(struct dates_civil civil)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30,
                                      31, 31, 30, 31, 30, 31};
    int32_t length;

    if (civil.year < 0 || civil.year > 9999 || civil.month < 1 ||
        civil.month > 12)
        return false;
    length = lengths[civil.month - 1];
    if (civil.month == 2 && is_leap(civil.year))
        length++;
    return civil.day >= 1 && civil.day <= length;
}

int32_t dates_from_civil(struct dates_civil civil)
{
    int64_t year = civil.month <= 2 ? civil.year - 1 : civil.year;
    int64_t era = floor_divide(year, YEARS_PER_ERA);
    int64_t year_of_era = year - era * YEARS_PER_ERA;
    int64_t month = (civil.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + civil.day - 1;

    REQUIRE(dates_exists(civil));
    return (int32_t)(era * DAYS_PER_ERA + year_of_era * DAYS_PER_YEAR +
                     year_of_era / 4 - year_of_era / 100 + day_of_year -
                     DAYS_TO_1970);
}

struct dates_civil dates_to_civil(int32_t days)
{
    int64_t since = (int64_t)days + DAYS_TO_1970;
    int64_t era = floor_divide(since, DAYS_PER_ERA);
    int64_t day = since - era * DAYS_PER_ERA;
    int64_t year = (day - day / (DAYS_PER_4_YEARS - 1) +
                    day / DAYS_PER_100_YEARS - day / (DAYS_PER_ERA - 1)) /
                   DAYS_PER_YEAR;
    int64_t month;
    struct dates_civil civil;

    REQUIRE(days >= DATES_DAY_MIN && days <= DATES_DAY_MAX);
    day -= year * DAYS_PER_YEAR + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    civil.day = (int32_t)(day - (153 * month + 2) / 5 + 1);
    civil.month = (int32_t)(month < 10 ? month + 3 : month - 9);
    civil.year =
        (int32_t)(year + era * YEARS_PER_ERA + (civil.month <= 2 ? 1 : 0));
    ENSURE(dates_exists(civil));
    return civil;
}

int32_t dates_day_at(int64_t time, int32_t offset_minutes)
{
    int64_t shift = offset_minutes * 60 * DATES_US_PER_SECOND;

    REQUIRE(time >= DATES_TIME_MIN && time <= DATES_TIME_MAX);
    return (int32_t)floor_divide(time + shift, DATES_US_PER_DAY);
}

int64_t dates_day_begin(int32_t days, int32_t offset_minutes)
{
    return days * DATES_US_PER_DAY - offset_minutes * 60 * DATES_US_PER_SECOND;
}

int32_t dates_weekday(int32_t days)
{
    int64_t since_monday = (int64_t)days + EPOCH_WEEKDAY - 1;

    return (int32_t)(since_monday - floor_divide(since_monday, DAYS_PER_WEEK) *
                                        DAYS_PER_WEEK) +
           1;
}

/* Exactly ${count} digits at ${*used}; false if they are not there. */
static bool take_digits(struct slice text, size_t *used, size_t count,
                        int32_t *value_out)
{
    int32_t value = 0;

    if (count > text.size - *used)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint8_t c = text.data[*used + i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *used += count;
    *value_out = value;
    return true;
}

static bool take_sign(struct slice text, size_t *used, char sign)
{
    if (*used == text.size || text.data[*used] != (uint8_t)sign)
        return false;
    ++*used;
    return true;
}

static bool take_date(struct slice text, size_t *used, int32_t *days_out)
{
    struct dates_civil civil;

    if (!take_digits(text, used, 4, &civil.year) ||
        !take_sign(text, used, '-') ||
        !take_digits(text, used, 2, &civil.month) ||
        !take_sign(text, used, '-') ||
        !take_digits(text, used, 2, &civil.day) || !dates_exists(civil))
        return false;
    *days_out = dates_from_civil(civil);
    return true;
}

/* hh:mm:ss and at most six digits behind the point, as microseconds. */
static bool take_clock(struct slice text, size_t *used, int64_t *us_out)
{
    int32_t hour, minute, second, digit, fraction = 0;
    int32_t scale = (int32_t)DATES_US_PER_SECOND;

    if (!take_digits(text, used, 2, &hour) || !take_sign(text, used, ':') ||
        !take_digits(text, used, 2, &minute) || !take_sign(text, used, ':') ||
        !take_digits(text, used, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (take_sign(text, used, '.')) {
        if (!take_digits(text, used, 1, &digit))
            return false;
        do {
            scale /= 10;
            fraction += digit * scale;
        } while (scale > 1 && take_digits(text, used, 1, &digit));
    }
    *us_out =
        ((hour * 60 + minute) * INT64_C(60) + second) * DATES_US_PER_SECOND +
        fraction;
    return true;
}

enum status dates_parse(int32_t *days_out, struct slice text)
{
    size_t used = 0;

    *days_out = 0;
    return take_date(text, &used, days_out) && used == text.size ? ST_OK
                                                                 : ST_BAD_FIELD;
}

enum status dates_time_parse(int64_t *time_out, struct slice text)
{
    size_t used = 0;
    int32_t days = 0;
    int64_t clock = 0;

    *time_out = 0;
    if (!take_date(text, &used, &days))
        return ST_BAD_FIELD;
    if (used < text.size &&
        (!take_sign(text, &used, 'T') || !take_clock(text, &used, &clock) ||
         !take_sign(text, &used, 'Z')))
        return ST_BAD_FIELD;
    if (used != text.size)
        return ST_BAD_FIELD;
    *time_out = days * DATES_US_PER_DAY + clock;
    return ST_OK;
}

static void put_digits(uint8_t *out, size_t count, int64_t value)
{
    for (size_t i = count; i > 0; i--) {
        out[i - 1] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
    ENSURE(value == 0);
}

void dates_format(uint8_t out[DATES_DATE_SIZE], int32_t days)
{
    struct dates_civil civil = dates_to_civil(days);

    memcpy(out, "0000-00-00", DATES_DATE_SIZE);
    put_digits(out, 4, civil.year);
    put_digits(out + 5, 2, civil.month);
    put_digits(out + 8, 2, civil.day);
}

void dates_time_format(uint8_t out[DATES_TIME_SIZE], int64_t time)
{
    int32_t days = dates_day_at(time, 0);
    int64_t us = time - days * DATES_US_PER_DAY;
    int64_t seconds = us / DATES_US_PER_SECOND;

    dates_format(out, days);
    memcpy(out + DATES_DATE_SIZE, "T00:00:00.000000Z",
           DATES_TIME_SIZE - DATES_DATE_SIZE);
    put_digits(out + 11, 2, seconds / 3600);
    put_digits(out + 14, 2, seconds / 60 % 60);
    put_digits(out + 17, 2, seconds % 60);
    put_digits(out + 20, 6, us % DATES_US_PER_SECOND);
}
