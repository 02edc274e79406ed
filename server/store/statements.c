#include "server/store/statements.h"

#include <string.h>

sqlite3_stmt *statements_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           NULL) != SQLITE_OK)
        statements_failed(db, sql);
    ENSURE(statement != NULL);
    return statement;
}

void statements_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        statements_failed(db, sql);
}

static const void *member(const void *row, const struct layout_column *column)
{
    return (const uint8_t *)row + column->offset;
}

static int64_t integer_of(const void *row, const struct layout_column *column)
{
    const void *at = member(row, column);

    switch (column->kind) {
    case COLUMN_u8:
        return *(const uint8_t *)at;
    case COLUMN_u16:
        return *(const uint16_t *)at;
    case COLUMN_u32:
        return *(const uint32_t *)at;
    case COLUMN_u64:
        REQUIRE(*(const uint64_t *)at <= INT64_MAX);
        return (int64_t)(*(const uint64_t *)at);
    case COLUMN_i32:
        return *(const int32_t *)at;
    case COLUMN_i64:
        return *(const int64_t *)at;
    case COLUMN_bytes8:
    case COLUMN_bytes16:
    case COLUMN_bytes32:
    case COLUMN_text:
    case COLUMN_blob:
    case COLUMN_item:
        break;
    }
    INVARIANT(false); /* No integer. */
    return 0;
}

static int bind_slice(sqlite3_stmt *statement, int number,
                      const struct layout_column *column, struct slice value)
{
    const void *data = value.size == 0 ? "" : (const void *)value.data;

    if (column->kind != COLUMN_text)
        return sqlite3_bind_blob64(statement, number, data, value.size,
                                   SQLITE_STATIC);
    REQUIRE(memchr(data, 0, value.size) == NULL);
    return sqlite3_bind_text64(statement, number, data, value.size,
                               SQLITE_STATIC, SQLITE_UTF8);
}

void statements_bind_column(sqlite3_stmt *statement,
                            const struct layout_table *t, const void *row,
                            unsigned position)
{
    const struct layout_column *column = &t->columns()[position];
    int number = (int)position + 1;
    int code = SQLITE_MISUSE;

    switch (column->kind) {
    case COLUMN_u8:
    case COLUMN_u16:
    case COLUMN_u32:
    case COLUMN_u64:
    case COLUMN_i32:
    case COLUMN_i64:
        code = sqlite3_bind_int64(statement, number, integer_of(row, column));
        break;
    case COLUMN_bytes8:
        code = sqlite3_bind_blob(statement, number, member(row, column), 8,
                                 SQLITE_STATIC);
        break;
    case COLUMN_bytes16:
        code = sqlite3_bind_blob(statement, number, member(row, column), 16,
                                 SQLITE_STATIC);
        break;
    case COLUMN_bytes32:
        code = sqlite3_bind_blob(statement, number, member(row, column), 32,
                                 SQLITE_STATIC);
        break;
    case COLUMN_text:
    case COLUMN_blob:
    case COLUMN_item:
        code = bind_slice(statement, number, column,
                          *(const struct slice *)member(row, column));
        break;
    }
    if (code != SQLITE_OK)
        statements_failed(sqlite3_db_handle(statement), t->name);
}

void statements_bind(sqlite3_stmt *statement, const struct layout_table *t,
                     const void *row, unsigned from, unsigned to)
{
    REQUIRE(to <= t->columns_count);
    for (unsigned i = from; i < to; i++)
        statements_bind_column(statement, t, row, i);
}

bool statements_change(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_DONE && (code & 0xff) != SQLITE_CONSTRAINT)
        statements_failed(sqlite3_db_handle(statement), sqlite3_sql(statement));
    sqlite3_reset(statement); /* Repeats what step already told. */
    return code != SQLITE_DONE;
}

/* A value that cannot have been written by us means a damaged file. */
static void check_range(sqlite3_stmt *statement, bool good)
{
    if (!good)
        statements_failed(sqlite3_db_handle(statement),
                          "a stored value is out of its column's range");
}

static void read_integer(sqlite3_stmt *statement, int position,
                         enum column_kind kind, void *to)
{
    int64_t value = sqlite3_column_int64(statement, position);

    if (kind == COLUMN_u8) {
        check_range(statement, value >= 0 && value <= UINT8_MAX);
        *(uint8_t *)to = (uint8_t)value;
    } else if (kind == COLUMN_u16) {
        check_range(statement, value >= 0 && value <= UINT16_MAX);
        *(uint16_t *)to = (uint16_t)value;
    } else if (kind == COLUMN_u32) {
        check_range(statement, value >= 0 && value <= UINT32_MAX);
        *(uint32_t *)to = (uint32_t)value;
    } else if (kind == COLUMN_u64) {
        check_range(statement, value >= 0);
        *(uint64_t *)to = (uint64_t)value;
    } else if (kind == COLUMN_i32) {
        check_range(statement, value >= INT32_MIN && value <= INT32_MAX);
        *(int32_t *)to = (int32_t)value;
    } else {
        *(int64_t *)to = value;
    }
}

static void read_bytes(sqlite3_stmt *statement, int position, void *to,
                       size_t size)
{
    const void *from = sqlite3_column_blob(statement, position);

    check_range(statement, from != NULL && (size_t)sqlite3_column_bytes(
                                               statement, position) == size);
    memcpy(to, from, size);
}

static void read_column(sqlite3_stmt *statement, int position,
                        const struct layout_column *column, void *row)
{
    void *to = (uint8_t *)row + column->offset;
    struct slice *slice = to;

    switch (column->kind) {
    case COLUMN_u8:
    case COLUMN_u16:
    case COLUMN_u32:
    case COLUMN_u64:
    case COLUMN_i32:
    case COLUMN_i64:
        read_integer(statement, position, column->kind, to);
        return;
    case COLUMN_bytes8:
        read_bytes(statement, position, to, 8);
        return;
    case COLUMN_bytes16:
        read_bytes(statement, position, to, 16);
        return;
    case COLUMN_bytes32:
        read_bytes(statement, position, to, 32);
        return;
    case COLUMN_text:
    case COLUMN_blob:
    case COLUMN_item:
        /* NULL for an empty value, which a slice may be. */
        slice->data = sqlite3_column_blob(statement, position);
        slice->size = (size_t)sqlite3_column_bytes(statement, position);
        return;
    }
}

void statements_read(sqlite3_stmt *statement, const struct layout_table *t,
                     void *row)
{
    const struct layout_column *columns = t->columns();

    for (unsigned i = 0; i < t->columns_count; i++)
        read_column(statement, (int)i, &columns[i], row);
}
