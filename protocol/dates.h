/*
 * dates.h: days and times of the proleptic Gregorian calendar, by arithmetic
 * alone.  A date is a number of days, a time a number of microseconds, both
 * since 1970-01-01 UTC.  No time zone of the machine is ever asked.
 */
#ifndef DEFTER_PROTOCOL_DATES_H
#define DEFTER_PROTOCOL_DATES_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"

enum {
    DATES_DATE_SIZE = 10, /* 2026-08-17 */
    DATES_TIME_SIZE = 27  /* 2026-08-17T09:30:00.000000Z */
};
#define DATES_US_PER_SECOND INT64_C(1000000)
#define DATES_US_PER_DAY    (INT64_C(86400) * DATES_US_PER_SECOND)
/* 0000-01-01 and 9999-12-31: four digits write the year. */
#define DATES_DAY_MIN  (-719528)
#define DATES_DAY_MAX  2932896
#define DATES_TIME_MIN (DATES_US_PER_DAY * DATES_DAY_MIN)
#define DATES_TIME_MAX (DATES_US_PER_DAY * (DATES_DAY_MAX + 1) - 1)

struct dates_civil {
    int32_t year;
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
};

/* True if the calendar has this day, in the years 0 to 9999. */
bool dates_exists(struct dates_civil civil);

/* Requires: dates_exists(civil). */
int32_t dates_from_civil(struct dates_civil civil);

/* Requires: DATES_DAY_MIN <= days <= DATES_DAY_MAX (also below). */
struct dates_civil dates_to_civil(int32_t days);

/* The civil day of ${time} where clocks are ${offset_minutes} before UTC. */
int32_t dates_day_at(int64_t time, int32_t offset_minutes);

/* The first microsecond of the day ${days} there. */
int64_t dates_day_begin(int32_t days, int32_t offset_minutes);

/* Monday is 1, Sunday 7. */
int32_t dates_weekday(int32_t days);

/*
 * dates_parse(days_out, text): YYYY-MM-DD.
 * Returns: ST_OK; ST_BAD_FIELD for other forms and for days that do not exist.
 */
NODISCARD enum status dates_parse(int32_t *days_out, struct slice text);

/*
 * dates_time_parse(time_out, text):
 * YYYY-MM-DDThh:mm:ss, then perhaps a point and 1 to 6 digits, then Z; or
 * YYYY-MM-DD for its first moment in UTC.
 *
 * Returns: ST_OK; ST_BAD_FIELD otherwise.
 */
NODISCARD enum status dates_time_parse(int64_t *time_out, struct slice text);

void dates_format(uint8_t out[DATES_DATE_SIZE], int32_t days);

/* Requires: DATES_TIME_MIN <= time <= DATES_TIME_MAX. */
void dates_time_format(uint8_t out[DATES_TIME_SIZE], int64_t time);

#endif
