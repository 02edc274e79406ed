#include "protocol/voen.h"

#include <string.h>

#include "tests/lib/suite.h"

static enum status parse(uint64_t *number, const char *text)
{
    return voen_parse(number, slice_of(text, strlen(text)));
}

/* T-R-5.1.3 */
START_TEST(T_R_5_1_3_issued_taxpayer_numbers_pass_with_their_check_digit)
{
    static const char *const texts[] = {
        "1400057421", "1401555071", "9900003611", "9900001881", "1700767721",
        "1300017201", "9900001901", "9900003871", "0200432771", "1000276532",
        "1501069851", "2000000081", "2000000082", "1234567801"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t number;
        uint8_t back[VOEN_DIGITS];
        ck_assert_int_eq(parse(&number, texts[i]), ST_OK);
        ck_assert_msg(voen_check(number) == VOEN_OK, "%s", texts[i]);
        voen_format(back, number);
        ck_assert_int_eq(memcmp(back, texts[i], VOEN_DIGITS), 0);
    }
}
END_TEST

/* T-R-5.1.3 */
START_TEST(T_R_5_1_3_a_wrong_check_digit_is_told_apart_from_a_bad_number)
{
    static const uint64_t mismatched[] = {1401555081, 1525855852};
    static const uint64_t invalid[] = {1400057424, 1400057420, 0, VOEN_MAX + 2,
                                       UINT64_MAX};

    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(voen_check(mismatched[i]), VOEN_MISMATCH);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(voen_check(invalid[i]), VOEN_INVALID);
}
END_TEST

/* T-R-5.1.3 */
START_TEST(T_R_5_1_3_a_lost_leading_zero_is_put_back)
{
    uint64_t number;

    ck_assert_int_eq(parse(&number, "200432771"), ST_OK);
    ck_assert_uint_eq(number, 200432771);
    ck_assert_int_eq(voen_check(number), VOEN_OK);
}
END_TEST

START_TEST(other_lengths_and_signs_are_no_taxpayer_number)
{
    static const char *const texts[] = {
        "",           "1",          "14000574",   "14000574211", "140005742x",
        "14000 5742", "-400057421", "+400057421", "1400057424"};
    uint64_t number;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_msg(parse(&number, texts[i]) == ST_BAD_VOEN, "%s", texts[i]);
        ck_assert_uint_eq(number, 0);
    }
}
END_TEST

START_TEST(where_the_remainder_is_ten_no_number_passes)
{
    static const uint32_t serials[] = {10000002, 10000014, 10000026};

    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(voen_digit(serials[i]), VOEN_NO_DIGIT);
        for (uint64_t tail = 0; tail < 100; tail++)
            ck_assert_int_ne(voen_check(serials[i] * UINT64_C(100) + tail),
                             VOEN_OK);
    }
    ck_assert_uint_eq(voen_digit(20000000), 8);
    ck_assert_uint_eq(voen_digit(12345678), 0);
}
END_TEST

START_TEST(a_changed_digit_never_passes_unnoticed)
{
    uint64_t number = 1400057421, place = 1;

    for (size_t i = 0; i < VOEN_DIGITS; i++, place *= 10) {
        uint64_t digit = number / place % 10;
        for (uint64_t other = 0; other < 10; other++) {
            /* The status digit is not covered by the computed one. */
            if (other != digit && !(i == 0 && other == 2))
                ck_assert_int_ne(voen_check(number + (other - digit) * place),
                                 VOEN_OK);
        }
    }
}
END_TEST

SUITE_MAIN("voen",
           T_R_5_1_3_issued_taxpayer_numbers_pass_with_their_check_digit,
           T_R_5_1_3_a_wrong_check_digit_is_told_apart_from_a_bad_number,
           T_R_5_1_3_a_lost_leading_zero_is_put_back,
           other_lengths_and_signs_are_no_taxpayer_number,
           where_the_remainder_is_ten_no_number_passes,
           a_changed_digit_never_passes_unnoticed)
