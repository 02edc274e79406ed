/*
 * fold.h: Azerbaijani text for searching and sorting.
 *
 * Two keys are made of a text:
 *   FOLD_CASE   lower case as Azerbaijani has it (I is ı, İ is i), look-alikes
 *               of other alphabets put right, marks dropped; ə, ı and ş stay
 *   FOLD_PLAIN  the same with the letters stripped to a to z, as people type
 *               who have no such keyboard: "emeliyyat" finds "Əməliyyat"
 * Both keep what they do not know.
 */
#ifndef DEFTER_SERVER_STORE_FOLD_H
#define DEFTER_SERVER_STORE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"

enum fold_key { FOLD_CASE, FOLD_PLAIN };

/*
 * fold_text(out, text, key):
 * Write the key of ${text} to ${out} and give the bytes written.  Idempotent.
 *
 * Requires: ${text} is strict UTF-8; ${out} holds text.size bytes, or twice
 *           that for FOLD_CASE, where I becomes the two bytes of ı.
 */
size_t fold_text(uint8_t *out, struct slice text, enum fold_key key);

/*
 * fold_token(folded, used):
 * The next run of letters and digits of a folded text behind ${*used}, which
 * moves behind it; empty at the end.
 *
 * Requires: ${folded} is strict UTF-8, as here and below.
 */
struct slice fold_token(struct slice folded, size_t *used);

/* Code points in ${text}. */
size_t fold_points(struct slice text);

/*
 * fold_compare(a, b):
 * Order of two texts by the Azerbaijani alphabet (a b c ç d e ə f g ğ h x ı i j
 * k q l m n o ö p r s ş t u ü v y z w): digits before letters, other signs
 * before both; case decides only between texts that are otherwise equal, small
 * letters first.  Negative, zero or positive; zero for equal texts only.
 */
int fold_compare(struct slice a, struct slice b);

#endif
