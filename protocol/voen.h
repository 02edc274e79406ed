/*
 * voen.h: the rules of the taxpayer number, VOEN.
 *
 * Ten digits: two of the territory, six of the serial, one computed, and the
 * last one of the legal status, 1 legal person and 2 individual.  Length,
 * digits and the last digit are hard rules.  The computed digit is the sum of
 * the first eight times 4, 1, 8, 6, 2, 7, 5, 3, modulo 11; where the remainder
 * is 10 no digit fits.  A number is kept as an integer, so a leading zero is
 * not lost.
 */
#ifndef DEFTER_PROTOCOL_VOEN_H
#define DEFTER_PROTOCOL_VOEN_H

#include <stdint.h>

#include "protocol/bytes.h"

enum {
    VOEN_DIGITS = 10,
    VOEN_DIGITS_SHORT = 9, /* A leading zero was lost on the way. */
    VOEN_NO_DIGIT = 10     /* What voen_digit() gives where none fits. */
};
#define VOEN_MAX UINT64_C(9999999999)

enum voen_verdict {
    VOEN_OK,
    VOEN_MISMATCH, /* Well formed, but the computed digit differs. */
    VOEN_INVALID
};

enum voen_verdict voen_check(uint64_t number);

/*
 * voen_digit(serial):
 * The computed digit of the first eight digits; VOEN_NO_DIGIT where none fits.
 *
 * Requires: serial < 10^8.
 */
uint32_t voen_digit(uint32_t serial);

/*
 * voen_parse(number_out, text):
 * Read ten digits, or nine whose leading zero was lost.
 *
 * Returns: ST_OK for what voen_check() calls VOEN_OK or VOEN_MISMATCH;
 *          ST_BAD_VOEN otherwise.
 */
NODISCARD enum status voen_parse(uint64_t *number_out, struct slice text);

/* The ten digits of ${number}.  Requires: number <= VOEN_MAX. */
void voen_format(uint8_t out[VOEN_DIGITS], uint64_t number);

#endif
