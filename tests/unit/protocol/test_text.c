#include "protocol/text.h"

#include <string.h>

#include "tests/lib/suite.h"

static struct slice text_of(const char *text)
{
    return slice_of(text, strlen(text));
}

static bool is(enum field_kind kind, const char *text)
{
    return text_is(kind, text_of(text));
}

START_TEST(letters_of_every_length_are_read)
{
    struct slice text = text_of("a\xc9\x99\xe2\x82\xac\xf0\x9f\x8f\xa0");
    static const uint32_t points[] = {'a', 0x259, 0x20ac, 0x1f3e0};
    size_t used = 0;
    uint32_t point;

    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(text_next(text, &used, &point), ST_OK);
        ck_assert_uint_eq(point, points[i]);
    }
    ck_assert_int_eq(text_next(text, &used, &point), ST_END);
    ck_assert_uint_eq(used, text.size);
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_refused)
{
    static const char *const texts[] = {
        "\xc0\x80", /* Overlong NUL. */
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* Surrogates. */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* Above U+10FFFF. */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "\x80",
        "\xbf",
        "\xc9",
        "\xe2\x82",
        "\xf0\x9f\x8f",
        "\xc9"
        "a",
        "\xe2\x82"
        "a",
        "a\xf0\x9f\x8f"
        "a"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t used = strspn(texts[i], "a"), before = used;
        uint32_t point;
        ck_assert_msg(!text_valid(text_of(texts[i])), "text %zu", i);
        ck_assert_int_eq(text_next(text_of(texts[i]), &used, &point),
                         ST_BAD_FIELD);
        ck_assert_uint_eq(used, before);
    }
    ck_assert(text_valid(text_of("\xed\x9f\xbf\xee\x80\x80")));
    ck_assert(text_valid(text_of("\xf4\x8f\xbf\xbd")));
}
END_TEST

/* Writes ${point} as UTF-8 and returns the number of bytes. */
static size_t put_point(uint8_t *at, uint32_t point)
{
    if (point < 0x80) {
        at[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        at[0] = (uint8_t)(0xc0 | point >> 6);
        at[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        at[0] = (uint8_t)(0xe0 | point >> 12);
        at[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        at[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    at[0] = (uint8_t)(0xf0 | point >> 18);
    at[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    at[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    at[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

START_TEST(every_code_point_is_read_as_itself_unless_refused)
{
    uint32_t refused = 0;

    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint8_t bytes[4];
        size_t size = put_point(bytes, point), used = 0;
        uint32_t read;
        enum status status = text_next(slice_of(bytes, size), &used, &read);
        bool surrogate = point >= 0xd800 && point <= 0xdfff;

        if (status != (surrogate ? ST_BAD_FIELD : ST_OK))
            ck_abort_msg("U+%04X", point);
        if (surrogate)
            continue;
        if (read != point ||
            text_valid(slice_of(bytes, size)) == text_point_refused(point))
            ck_abort_msg("U+%04X", point);
        refused += text_point_refused(point);
    }
    /* C0 32, DEL and C1 33, noncharacters 66, 2028-2029 2, 202A-202E 5,
     * 2066-2069 4, FEFF 1. */
    ck_assert_uint_eq(refused, 32 + 33 + 66 + 2 + 5 + 4 + 1);
}
END_TEST

START_TEST(signs_that_steer_terminals_are_refused)
{
    ck_assert(!text_valid(slice_of("a\0b", 3)));
    ck_assert(!text_valid(text_of("\x1b[2J")));
    ck_assert(!text_valid(text_of("a\x7f")));
    ck_assert(!text_valid(text_of("a\xc2\x85")));
    ck_assert(!text_valid(text_of("line\nline")));
    ck_assert(!text_valid(text_of("\xe2\x80\xae"
                                  "abc")));
    ck_assert(!text_valid(text_of("\xef\xbb\xbf"
                                  "abc")));
    ck_assert(!text_valid(text_of("\xef\xb7\x90")));
    ck_assert(
        text_valid(text_of("\xc4\xb0stifad\xc9\x99\xc3\xa7i \xe2\x84\x96 1")));
    ck_assert(text_valid(slice_of(NULL, 0)));
}
END_TEST

START_TEST(a_name_has_a_letter_and_no_outer_blanks)
{
    ck_assert(is(FIELD_name, "\xc6\x8fliyev"));
    ck_assert(is(FIELD_name, "2-ci Bak\xc4\xb1 MMC"));
    ck_assert(!is(FIELD_name, " Aliyev"));
    ck_assert(!is(FIELD_name, "Aliyev "));
    ck_assert(!is(FIELD_name, "12-34"));
    ck_assert(!is(FIELD_name, "-"));
    ck_assert(!is(FIELD_name, "Ali\tyev"));
}
END_TEST

START_TEST(a_personal_number_has_seven_signs_without_i_and_o)
{
    ck_assert(is(FIELD_fin, "5ABCD9Z"));
    ck_assert(is(FIELD_fin, "0000000"));
    ck_assert(!is(FIELD_fin, "5ABCD9"));
    ck_assert(!is(FIELD_fin, "5ABCD9ZZ"));
    ck_assert(!is(FIELD_fin, "5abcd9z"));
    ck_assert(!is(FIELD_fin, "5ABID9Z"));
    ck_assert(!is(FIELD_fin, "5ABOD9Z"));
    ck_assert(!is(FIELD_fin, "5AB-D9Z"));
}
END_TEST

START_TEST(a_phone_number_is_written_as_e164)
{
    ck_assert(is(FIELD_phone, "+994501234567"));
    ck_assert(is(FIELD_phone, "+1234567"));
    ck_assert(is(FIELD_phone, "+123456789012345"));
    ck_assert(!is(FIELD_phone, "+123456"));
    ck_assert(!is(FIELD_phone, "+1234567890123456"));
    ck_assert(!is(FIELD_phone, "+0994501234567"));
    ck_assert(!is(FIELD_phone, "994501234567"));
    ck_assert(!is(FIELD_phone, "+994 50 123 45 67"));
}
END_TEST

START_TEST(an_email_address_has_one_at_sign_and_a_dotted_domain)
{
    ck_assert(is(FIELD_email, "ad.soyad+kob@example.gov.az"));
    ck_assert(is(FIELD_email, "a@b.c"));
    ck_assert(!is(FIELD_email, "a@b"));
    ck_assert(!is(FIELD_email, "@b.c"));
    ck_assert(!is(FIELD_email, "a@"));
    ck_assert(!is(FIELD_email, "a@b.c@d.e"));
    ck_assert(!is(FIELD_email, ".a@b.c"));
    ck_assert(!is(FIELD_email, "a.@b.c"));
    ck_assert(!is(FIELD_email, "a..b@c.d"));
    ck_assert(!is(FIELD_email, "a@.b.c"));
    ck_assert(!is(FIELD_email, "a@b..c"));
    ck_assert(!is(FIELD_email, "a@b.c."));
    ck_assert(!is(FIELD_email, "a b@c.d"));
    ck_assert(!is(FIELD_email, "\xc9\x99@c.d"));
}
END_TEST

START_TEST(digits_and_user_names_take_nothing_else)
{
    ck_assert(is(FIELD_digits, "0123456789"));
    ck_assert(!is(FIELD_digits, "12 34"));
    ck_assert(!is(FIELD_digits, "-1"));
    ck_assert(is(FIELD_username, "ad.soyad_1-x"));
    ck_assert(!is(FIELD_username, "Ad"));
    ck_assert(!is(FIELD_username, "a b"));
    ck_assert(!is(FIELD_username, "a'b"));
    ck_assert(!is(FIELD_username, "a%00"));
    ck_assert(!is(FIELD_username, "\xc9\x99li"));
}
END_TEST

SUITE_MAIN("text", letters_of_every_length_are_read,
           bytes_that_are_not_utf8_are_refused,
           every_code_point_is_read_as_itself_unless_refused,
           signs_that_steer_terminals_are_refused,
           a_name_has_a_letter_and_no_outer_blanks,
           a_personal_number_has_seven_signs_without_i_and_o,
           a_phone_number_is_written_as_e164,
           an_email_address_has_one_at_sign_and_a_dotted_domain,
           digits_and_user_names_take_nothing_else)
