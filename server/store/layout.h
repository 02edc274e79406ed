/*
 * layout.h: the tables of tables.def as data, and the SQL made of them.
 */
#ifndef DEFTER_SERVER_STORE_LAYOUT_H
#define DEFTER_SERVER_STORE_LAYOUT_H

#include "server/store/state.h"

/* COLUMN_KIND_LIST(K): K(kind, what SQLite calls it) */
#define COLUMN_KIND_LIST(K) \
    K(u8, "INTEGER")        \
    K(u16, "INTEGER")       \
    K(u32, "INTEGER")       \
    K(u64, "INTEGER")       \
    K(i32, "INTEGER")       \
    K(i64, "INTEGER")       \
    K(bytes8, "BLOB")       \
    K(bytes16, "BLOB")      \
    K(bytes32, "BLOB")      \
    K(text, "TEXT")         \
    K(blob, "BLOB")         \
    K(item, "BLOB")

enum column_kind {
#define K(kind, sql) COLUMN_##kind,
    COLUMN_KIND_LIST(K)
#undef K
};

enum {
    LAYOUT_COLUMNS_MAX = 32,
    LAYOUT_INDEX_COLUMNS_MAX = 8,
    LAYOUT_SQL_SIZE_MAX = 4096
};

struct layout_column {
    const char *name;
    enum column_kind kind;
    uint16_t offset; /* Of the member in the row's struct. */
};

/*
 * Invariants: the key columns stand first; 0 < key_count < columns_count <=
 * LAYOUT_COLUMNS_MAX.
 */
struct layout_table {
    const char *name;
    uint16_t number;
    bool in_digest;
    uint8_t key_count;
    uint8_t columns_count;
    uint16_t row_size;
    const struct layout_column *(*columns)(void);
};

/* An index: the positions of its columns in its table, in order.  The key's
 * columns follow those that tables.def names, so that equal rows have one
 * order on every node. */
struct layout_index {
    const char *name;
    enum table table;
    bool unique;
    uint8_t columns_count;
    uint8_t columns[LAYOUT_INDEX_COLUMNS_MAX];
};

/* How a walk is bounded: what struct state_range says. */
struct layout_walk {
    const struct layout_index *index; /* NULL: by the key. */
    struct state_range range;
};

const struct layout_table *layout_table(enum table table);

/* True if the key is one integer, which then is SQLite's rowid. */
bool layout_by_rowid(const struct layout_table *t);

/* Fill ${out} from tables.def. */
void layout_index(struct layout_index *out, enum table_index index);

/* Texts of SQL, as NUL-terminated strings in ${sql}.  Requires: they fit. */
struct layout_sql {
    char text[LAYOUT_SQL_SIZE_MAX];
    size_t used;
};

/* A table whose key is not the rowid lies in the order of its key. */
void layout_create_table(struct layout_sql *sql, const struct layout_table *t);
void layout_create_index(struct layout_sql *sql, const struct layout_index *i);

/* Parameter ?n is column n (from 1) in each; selects give every column. */
void layout_get(struct layout_sql *sql, const struct layout_table *t);
void layout_insert(struct layout_sql *sql, const struct layout_table *t);
void layout_update(struct layout_sql *sql, const struct layout_table *t);
void layout_delete(struct layout_sql *sql, const struct layout_table *t);
void layout_count(struct layout_sql *sql, const struct layout_table *t);
void layout_walk(struct layout_sql *sql, const struct layout_table *t,
                 struct layout_walk walk);

/* The columns a walk goes by, in order; returns their number. */
uint8_t layout_walk_columns(uint8_t columns[LAYOUT_INDEX_COLUMNS_MAX],
                            const struct layout_table *t,
                            const struct layout_index *index);

/* SHA-256 over every statement that makes the database: its version. */
void layout_hash(uint8_t out[HASH_SIZE]);

#endif
