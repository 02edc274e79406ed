#include "protocol/voen.h"

enum { SERIAL_DIGITS = 8, MODULUS = 11, LAST_LEGAL = 1, LAST_INDIVIDUAL = 2 };

uint32_t voen_digit(uint32_t serial)
{
    static const uint8_t weights[SERIAL_DIGITS] = {4, 1, 8, 6, 2, 7, 5, 3};
    uint32_t sum = 0, rest = serial;

    for (size_t i = SERIAL_DIGITS; i > 0; i--) {
        sum += rest % 10 * weights[i - 1];
        rest /= 10;
    }
    REQUIRE(rest == 0);
    return sum % MODULUS;
}

enum voen_verdict voen_check(uint64_t number)
{
    uint64_t last = number % 10, computed = number / 10 % 10;

    if (number > VOEN_MAX || (last != LAST_LEGAL && last != LAST_INDIVIDUAL))
        return VOEN_INVALID;
    return voen_digit((uint32_t)(number / 100)) == computed ? VOEN_OK
                                                            : VOEN_MISMATCH;
}

enum status voen_parse(uint64_t *number_out, struct slice text)
{
    uint64_t number = 0;

    *number_out = 0;
    if (text.size != VOEN_DIGITS && text.size != VOEN_DIGITS_SHORT)
        return ST_BAD_VOEN;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return ST_BAD_VOEN;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (voen_check(number) == VOEN_INVALID)
        return ST_BAD_VOEN;
    *number_out = number;
    return ST_OK;
}

void voen_format(uint8_t out[VOEN_DIGITS], uint64_t number)
{
    REQUIRE(number <= VOEN_MAX);
    for (size_t i = VOEN_DIGITS; i > 0; i--) {
        out[i - 1] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}
