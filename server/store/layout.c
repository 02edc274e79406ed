#include "server/store/layout.h"

#include <stddef.h>
#include <string.h>

#include <sodium.h>

#define KEY_COUNTS(kind, name)   +1
#define OTHER_COUNTS(kind, name) +0
#define COLUMN_ROW(kind, name)   {#name, COLUMN_##kind, offsetof(row, name)},

#define T(number, lower, UPPER, scope)                       \
    static const struct layout_column *columns_##lower(void) \
    {                                                        \
        typedef struct row_##lower row;                      \
        static const struct layout_column list[] = {         \
            UPPER##_COLUMNS(COLUMN_ROW, COLUMN_ROW)};        \
        return list;                                         \
    }
TABLE_LIST(T)
#undef T

#define IN_DIGEST_STATE true
#define IN_DIGEST_LOCAL false

static const struct layout_table tables[TABLES_COUNT] = {
#define T(number, lower, UPPER, scope)            \
    {#lower,                                      \
     number,                                      \
     IN_DIGEST_##scope,                           \
     0 UPPER##_COLUMNS(KEY_COUNTS, OTHER_COUNTS), \
     0 UPPER##_COLUMNS(KEY_COUNTS, KEY_COUNTS),   \
     sizeof(struct row_##lower),                  \
     columns_##lower},
    TABLE_LIST(T)
#undef T
};

#define T(number, lower, UPPER, scope)                                   \
    static_assert((0 UPPER##_COLUMNS(KEY_COUNTS, KEY_COUNTS)) <=         \
                      LAYOUT_COLUMNS_MAX,                                \
                  #lower " has too many columns");                       \
    static_assert((0 UPPER##_COLUMNS(KEY_COUNTS, OTHER_COUNTS)) > 0 &&   \
                      (0 UPPER##_COLUMNS(OTHER_COUNTS, KEY_COUNTS)) > 0, \
                  #lower " has a key and something else");
TABLE_LIST(T)
#undef T

static const struct {
    const char *name;
    enum table table;
    bool unique;
    const char *columns; /* "a, b" */
} indexes[INDEXES_COUNT] = {
#define I(lower, UPPER, table, TABLE, unique, ...) \
    {#lower, TABLE_##TABLE, unique, #__VA_ARGS__},
    INDEX_LIST(I)
#undef I
};

static const char *const kind_names[] = {
#define K(kind, sql) sql,
    COLUMN_KIND_LIST(K)
#undef K
};

const struct layout_table *layout_table(enum table table)
{
    REQUIRE(table < TABLES_COUNT);
    return &tables[table];
}

bool layout_by_rowid(const struct layout_table *t)
{
    return t->key_count == 1 && t->columns()[0].kind <= COLUMN_i64;
}

/* Position of the column whose name is the first ${size} bytes of ${name}. */
static uint8_t column_named(const struct layout_table *t, const char *name,
                            size_t size)
{
    for (uint8_t i = 0; i < t->columns_count; i++) {
        const char *candidate = t->columns()[i].name;
        if (strncmp(candidate, name, size) == 0 && candidate[size] == '\0')
            return i;
    }
    INVARIANT(false); /* An index names a column that its table has not. */
    return 0;
}

static void add_column(uint8_t columns[LAYOUT_INDEX_COLUMNS_MAX],
                       uint8_t *count, uint8_t column)
{
    for (uint8_t i = 0; i < *count; i++) {
        if (columns[i] == column)
            return;
    }
    INVARIANT(*count < LAYOUT_INDEX_COLUMNS_MAX);
    columns[(*count)++] = column;
}

void layout_index(struct layout_index *out, enum table_index index)
{
    REQUIRE(index < INDEXES_COUNT);
    const struct layout_table *t = layout_table(indexes[index].table);
    const char *at = indexes[index].columns;

    memset(out, 0, sizeof *out);
    out->name = indexes[index].name;
    out->table = indexes[index].table;
    out->unique = indexes[index].unique;
    while (*at != '\0') {
        size_t size = strcspn(at, ", ");
        add_column(out->columns, &out->columns_count,
                   column_named(t, at, size));
        at += size;
        at += strspn(at, ", ");
    }
    for (uint8_t i = 0; i < t->key_count && !out->unique; i++)
        add_column(out->columns, &out->columns_count, i);
}

uint8_t layout_walk_columns(uint8_t columns[LAYOUT_INDEX_COLUMNS_MAX],
                            const struct layout_table *t,
                            const struct layout_index *index)
{
    if (index != NULL) {
        memcpy(columns, index->columns, index->columns_count);
        return index->columns_count;
    }
    for (uint8_t i = 0; i < t->key_count; i++)
        columns[i] = i;
    return t->key_count;
}

/* ---- Making SQL ---------------------------------------------------------- */

static void add(struct layout_sql *sql, const char *text)
{
    size_t size = strlen(text);

    INVARIANT(size < sizeof sql->text - sql->used);
    memcpy(sql->text + sql->used, text, size + 1);
    sql->used += size;
}

/* Names may be words of SQL ("key", "from"), so each stands in quotes. */
static void add_name(struct layout_sql *sql, const char *name)
{
    add(sql, "\"");
    add(sql, name);
    add(sql, "\"");
}

static void add_parameter(struct layout_sql *sql, unsigned position)
{
    char text[4] = {'?', 0, 0, 0};
    unsigned number = position + 1;

    INVARIANT(number < 100);
    text[1] = (char)('0' + number / 10);
    text[2] = (char)('0' + number % 10);
    add(sql, text);
}

static void add_columns(struct layout_sql *sql, const struct layout_table *t,
                        const uint8_t *columns, uint8_t count,
                        const char *order)
{
    for (uint8_t i = 0; i < count; i++) {
        add(sql, i == 0 ? "" : ", ");
        add_name(sql, t->columns()[columns == NULL ? i : columns[i]].name);
        add(sql, order);
    }
}

static void add_condition(struct layout_sql *sql, const struct layout_table *t,
                          uint8_t column, const char *relation, bool first)
{
    add(sql, first ? " WHERE " : " AND ");
    add_name(sql, t->columns()[column].name);
    add(sql, relation);
    add_parameter(sql, column);
}

static void add_key_condition(struct layout_sql *sql,
                              const struct layout_table *t)
{
    for (uint8_t i = 0; i < t->key_count; i++)
        add_condition(sql, t, i, " = ", i == 0);
}

void layout_create_table(struct layout_sql *sql, const struct layout_table *t)
{
    sql->used = 0;
    add(sql, "CREATE TABLE ");
    add_name(sql, t->name);
    add(sql, " (");
    for (uint8_t i = 0; i < t->columns_count; i++) {
        add(sql, i == 0 ? "" : ", ");
        add_name(sql, t->columns()[i].name);
        add(sql, " ");
        add(sql, kind_names[t->columns()[i].kind]);
        if (i == 0 && layout_by_rowid(t))
            add(sql, " PRIMARY KEY");
        else
            add(sql, " NOT NULL");
    }
    if (!layout_by_rowid(t)) {
        add(sql, ", PRIMARY KEY (");
        add_columns(sql, t, NULL, t->key_count, "");
        add(sql, ")");
    }
    add(sql, layout_by_rowid(t) ? ") STRICT" : ") STRICT, WITHOUT ROWID");
}

void layout_create_index(struct layout_sql *sql, const struct layout_index *i)
{
    const struct layout_table *t = layout_table(i->table);

    sql->used = 0;
    add(sql, i->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
    add_name(sql, i->name);
    add(sql, " ON ");
    add_name(sql, t->name);
    add(sql, " (");
    add_columns(sql, t, i->columns, i->columns_count, "");
    add(sql, ")");
}

static void add_select(struct layout_sql *sql, const struct layout_table *t)
{
    add(sql, "SELECT ");
    add_columns(sql, t, NULL, t->columns_count, "");
    add(sql, " FROM ");
    add_name(sql, t->name);
}

void layout_get(struct layout_sql *sql, const struct layout_table *t)
{
    sql->used = 0;
    add_select(sql, t);
    add_key_condition(sql, t);
}

void layout_insert(struct layout_sql *sql, const struct layout_table *t)
{
    sql->used = 0;
    add(sql, "INSERT INTO ");
    add_name(sql, t->name);
    add(sql, " (");
    add_columns(sql, t, NULL, t->columns_count, "");
    add(sql, ") VALUES (");
    for (uint8_t i = 0; i < t->columns_count; i++) {
        add(sql, i == 0 ? "" : ", ");
        add_parameter(sql, i);
    }
    add(sql, ")");
}

void layout_update(struct layout_sql *sql, const struct layout_table *t)
{
    sql->used = 0;
    add(sql, "UPDATE ");
    add_name(sql, t->name);
    add(sql, " SET ");
    for (uint8_t i = t->key_count; i < t->columns_count; i++) {
        add(sql, i == t->key_count ? "" : ", ");
        add_name(sql, t->columns()[i].name);
        add(sql, " = ");
        add_parameter(sql, i);
    }
    add_key_condition(sql, t);
}

void layout_delete(struct layout_sql *sql, const struct layout_table *t)
{
    sql->used = 0;
    add(sql, "DELETE FROM ");
    add_name(sql, t->name);
    add_key_condition(sql, t);
}

void layout_count(struct layout_sql *sql, const struct layout_table *t)
{
    sql->used = 0;
    add(sql, "SELECT count(*) FROM ");
    add_name(sql, t->name);
}

void layout_walk(struct layout_sql *sql, const struct layout_table *t,
                 struct layout_walk walk)
{
    uint8_t columns[LAYOUT_INDEX_COLUMNS_MAX];
    uint8_t count = layout_walk_columns(columns, t, walk.index);

    REQUIRE(walk.range.equal + (walk.range.from ? 1 : 0) <= count);
    sql->used = 0;
    add_select(sql, t);
    if (walk.index != NULL) {
        add(sql, " INDEXED BY ");
        add_name(sql, walk.index->name);
    } else if (layout_by_rowid(t)) {
        add(sql, " NOT INDEXED");
    } else {
        /* SQLite's own name of the key that the rows lie in. */
        add(sql, " INDEXED BY \"sqlite_autoindex_");
        add(sql, t->name);
        add(sql, "_1\"");
    }
    for (uint8_t i = 0; i < walk.range.equal; i++)
        add_condition(sql, t, columns[i], " = ", i == 0);
    if (walk.range.from)
        add_condition(
            sql, t, columns[walk.range.equal],
            walk.range.descending ? " <= " : " >= ", walk.range.equal == 0);
    add(sql, " ORDER BY ");
    add_columns(sql, t, columns, count,
                walk.range.descending ? " DESC" : " ASC");
}

void layout_hash(uint8_t out[HASH_SIZE])
{
    crypto_hash_sha256_state hash;
    struct layout_sql sql;
    struct layout_index index;

    crypto_hash_sha256_init(&hash);
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        uint8_t head[3];
        store_u16(head, tables[i].number);
        head[2] = tables[i].in_digest ? 1 : 0;
        crypto_hash_sha256_update(&hash, head, sizeof head);
        layout_create_table(&sql, &tables[i]);
        crypto_hash_sha256_update(&hash, (const uint8_t *)sql.text, sql.used);
        for (unsigned c = 0; c < tables[i].columns_count; c++) {
            uint8_t kind = (uint8_t)tables[i].columns()[c].kind;
            crypto_hash_sha256_update(&hash, &kind, sizeof kind);
        }
    }
    for (unsigned i = 0; i < INDEXES_COUNT; i++) {
        layout_index(&index, (enum table_index)i);
        layout_create_index(&sql, &index);
        crypto_hash_sha256_update(&hash, (const uint8_t *)sql.text, sql.used);
    }
    crypto_hash_sha256_final(&hash, out);
}
