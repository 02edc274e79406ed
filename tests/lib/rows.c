#include "tests/lib/rows.h"

#include <string.h>

/* SplitMix64. */
static uint64_t next(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ${least} to ${least} + 99 bytes; letters only in a text. */
static struct slice fill_slice(struct rows_space *space, uint64_t *seed,
                               size_t least, bool text)
{
    size_t size = least + next(seed) % 100;
    uint8_t *to = space->bytes + space->used;

    REQUIRE(size <= sizeof space->bytes - space->used);
    for (size_t i = 0; i < size; i++)
        to[i] = text ? (uint8_t)('a' + next(seed) % 26) : (uint8_t)next(seed);
    space->used += size;
    return slice_of(to, size);
}

static void fill_column(void *to, const struct layout_column *column,
                        struct rows_space *space, uint64_t *seed)
{
    uint64_t values[4] = {next(seed), next(seed), next(seed), next(seed)};

    switch (column->kind) {
    case COLUMN_u8:
        memcpy(to, values, 1);
        return;
    case COLUMN_u16:
        memcpy(to, values, 2);
        return;
    case COLUMN_u32:
    case COLUMN_i32:
        memcpy(to, values, 4);
        return;
    case COLUMN_u64:
        values[0] &= INT64_MAX;
        memcpy(to, values, 8);
        return;
    case COLUMN_i64:
    case COLUMN_bytes8:
        memcpy(to, values, 8);
        return;
    case COLUMN_bytes16:
        memcpy(to, values, 16);
        return;
    case COLUMN_bytes32:
        memcpy(to, values, 32);
        return;
    case COLUMN_text:
    case COLUMN_blob:
        *(struct slice *)to =
            fill_slice(space, seed, 0, column->kind == COLUMN_text);
        return;
    case COLUMN_item:
        *(struct slice *)to = fill_slice(space, seed, 80, false);
        return;
    }
}

void rows_fill(union any_row *row, struct rows_space *space, enum table table,
               unsigned first, uint64_t seed)
{
    const struct layout_table *t = layout_table(table);

    space->used = 0;
    for (unsigned i = first; i < t->columns_count; i++)
        fill_column((uint8_t *)row + t->columns()[i].offset, &t->columns()[i],
                    space, &seed);
}

static size_t size_of(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_u8:
        return 1;
    case COLUMN_u16:
        return 2;
    case COLUMN_u32:
    case COLUMN_i32:
        return 4;
    case COLUMN_u64:
    case COLUMN_i64:
    case COLUMN_bytes8:
        return 8;
    case COLUMN_bytes16:
        return 16;
    case COLUMN_bytes32:
        return 32;
    case COLUMN_text:
    case COLUMN_blob:
    case COLUMN_item:
        return 0;
    }
    return 0;
}

bool rows_equal(enum table table, const union any_row *a,
                const union any_row *b)
{
    const struct layout_table *t = layout_table(table);

    for (unsigned i = 0; i < t->columns_count; i++) {
        const struct layout_column *column = &t->columns()[i];
        const uint8_t *left = (const uint8_t *)a + column->offset;
        const uint8_t *right = (const uint8_t *)b + column->offset;
        size_t size = size_of(column->kind);

        if (size > 0 ? memcmp(left, right, size) != 0
                     : !slice_equal(*(const struct slice *)(const void *)left,
                                    *(const struct slice *)(const void *)right))
            return false;
    }
    return true;
}

void rows_insert(struct state *state, enum table table, uint64_t seed)
{
    static struct rows_space space;
    union any_row row;

    memset(&row, 0, sizeof row);
    rows_fill(&row, &space, table, 0, seed);
    /* Keys of one byte are few: number them. */
    if (table == TABLE_SEQUENCE)
        row.sequence.kind = (uint8_t)seed;
    if (table == TABLE_SETTING)
        row.setting.setting = (uint16_t)seed;
    if (table == TABLE_CARRIER)
        row.carrier.number = (uint16_t)seed;
    state_insert(state, table, &row);
}
