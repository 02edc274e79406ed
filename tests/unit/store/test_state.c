#include "server/store/state.h"

#include <string.h>

#include "server/store/state_private.h"

#include "tests/lib/rows.h"
#include "tests/lib/suite.h"

enum { ROWS = 40 };

static struct rows_space space;

static struct state *open_in_memory(void)
{
    struct state *state;

    ck_assert_int_eq(state_open(&state, ":memory:"), ST_OK);
    return state;
}

static void begin(struct state *state)
{
    state_begin(state);
    state_entry_begin(state);
}

static void end(struct state *state)
{
    uint8_t digest[HASH_SIZE];

    state_entry_end(state, digest);
    state_commit(state);
}

static void key_of(union any_row *key, enum table table,
                   const union any_row *row)
{
    const struct layout_table *t = layout_table(table);

    memset(key, 0, sizeof *key);
    memcpy(key, row, t->columns()[t->key_count].offset);
}

START_TEST(a_row_of_every_table_comes_back_as_it_was_put)
{
    struct state *state = open_in_memory();
    union any_row row, read;

    begin(state);
    for (unsigned table = 0; table < TABLES_COUNT; table++) {
        for (uint64_t seed = 1; seed <= ROWS; seed++) {
            memset(&row, 0, sizeof row);
            rows_fill(&row, &space, (enum table)table, 0, seed);
            key_of(&read, (enum table)table, &row);
            if (state_get(state, (enum table)table, &read))
                continue; /* A key of one byte came twice. */
            state_insert(state, (enum table)table, &row);
            ck_assert(state_get(state, (enum table)table, &read));
            ck_assert(rows_equal((enum table)table, &row, &read));
        }
    }
    end(state);
    state_close(state);
}
END_TEST

SUITE_MAIN("state", a_row_of_every_table_comes_back_as_it_was_put)
