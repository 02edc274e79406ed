/*
 * rows.h: rows of any table filled with numbers that follow from a seed.
 */
#ifndef DEFTER_TESTS_LIB_ROWS_H
#define DEFTER_TESTS_LIB_ROWS_H

#include "server/store/layout.h"

/* Large enough for a row of any table. */
union any_row {
#define T(number, lower, UPPER, scope) struct row_##lower lower;
    TABLE_LIST(T)
#undef T
};

enum { ROWS_SPACE_SIZE = 8 * 1024 };

/* What the slices of a row point into. */
struct rows_space {
    uint8_t bytes[ROWS_SPACE_SIZE];
    size_t used;
};

/* Fill the columns from ${first} on; the same seed gives the same values. */
void rows_fill(union any_row *row, struct rows_space *space, enum table table,
               unsigned first, uint64_t seed);

/* Insert the row of ${seed}, in an entry that is open. */
void rows_insert(struct state *state, enum table table, uint64_t seed);

bool rows_equal(enum table table, const union any_row *a,
                const union any_row *b);

#endif
