/*
 * fz_text.c: the first byte chooses a kind of text, the rest is the text.  It
 * is read by a second, slower reading of RFC 3629, and both must agree; a kind
 * of text never takes what plain text refuses.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocol/dates.h"
#include "protocol/text.h"
#include "protocol/voen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BAKU_MINUTES = 240 };

/* The one code point that ${size} bytes write in their shortest form, or -1. */
static int64_t point_of(const uint8_t *at, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint32_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    static const uint32_t masks[] = {0, 0x80, 0xe0, 0xf0, 0xf8};
    uint32_t point = at[0] & ~masks[size] & 0xff;

    if ((at[0] & masks[size]) != heads[size])
        return -1;
    for (size_t i = 1; i < size; i++) {
        if (at[i] >> 6 != 2)
            return -1;
        point = point << 6 | (at[i] & 0x3fu);
    }
    if (point < least[size] || point > 0x10ffff ||
        (point >= 0xd800 && point < 0xe000))
        return -1;
    return point;
}

/* The next code point and its size; -1 where there is none. */
static int64_t next_slowly(const uint8_t *at, size_t left, size_t *size_out)
{
    for (size_t size = 1; size <= 4 && size <= left; size++) {
        int64_t point = point_of(at, size);
        if (point >= 0) {
            *size_out = size;
            return point;
        }
    }
    return -1;
}

static void check_points(struct slice text)
{
    size_t used = 0;
    bool refused = false;
    uint32_t point;
    enum status status;

    do {
        size_t before = used, size = 0;
        int64_t slow =
            next_slowly(text.data + before, text.size - before, &size);
        status = text_next(text, &used, &point);
        INVARIANT((status == ST_OK) == (slow >= 0));
        if (status == ST_OK) {
            INVARIANT(used - before == size && (int64_t)point == slow);
            refused = refused || text_point_refused(point);
        }
    } while (status == ST_OK);
    INVARIANT((status == ST_END) == (used == text.size));
    INVARIANT(text_valid(text) == (status == ST_END && !refused));
}

static void check_numbers(struct slice text)
{
    uint8_t voen[VOEN_DIGITS], date[DATES_DATE_SIZE];
    uint64_t number;
    int32_t days;
    int64_t time;

    if (voen_parse(&number, text) == ST_OK) {
        INVARIANT(voen_check(number) != VOEN_INVALID);
        voen_format(voen, number);
        INVARIANT(slice_equal(
            slice_of(voen + VOEN_DIGITS - text.size, text.size), text));
    }
    if (dates_parse(&days, text) == ST_OK) {
        dates_format(date, days);
        INVARIANT(slice_equal(slice_of(date, sizeof date), text));
        INVARIANT(dates_from_civil(dates_to_civil(days)) == days);
        INVARIANT(dates_weekday(days) >= 1 && dates_weekday(days) <= 7);
        time = dates_day_begin(days, BAKU_MINUTES);
        /* The first day of all begins before the first moment of all. */
        INVARIANT(time < DATES_TIME_MIN ||
                  dates_day_at(time, BAKU_MINUTES) == days);
    }
    if (dates_time_parse(&time, text) == ST_OK)
        INVARIANT(time >= DATES_TIME_MIN && time <= DATES_TIME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum field_kind kind;
    struct slice text;

    if (size < 2)
        return 0;
    text = slice_of(data + 1, size - 1);
    kind = (enum field_kind)(FIELD_str +
                             data[0] % (FIELD_username - FIELD_str + 1));
    if (text_is(kind, text))
        INVARIANT(text_valid(text));
    check_points(text);
    check_numbers(text);
    return 0;
}
