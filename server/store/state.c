#include "server/store/state_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- Transactions, entries, marks ---------------------------------------- */

static void run(sqlite3_stmt *statement)
{
    bool refused = statements_change(statement);

    INVARIANT(!refused);
}

void state_begin(struct state *state)
{
    REQUIRE(!state->in_transaction);
    run(state->begin);
    state->in_transaction = true;
}

void state_commit(struct state *state)
{
    uint8_t bytes[STATE_HEAD_SIZE];

    REQUIRE(state->in_transaction && !state->in_entry);
    state_head_encode(bytes, &state->head);
    if (sqlite3_bind_blob(state->put_head, 1, bytes, sizeof bytes,
                          SQLITE_STATIC) != SQLITE_OK)
        statements_failed(state->db, "the head");
    run(state->put_head);
    ENSURE(sqlite3_changes(state->db) == 1);
    run(state->commit);
    state->in_transaction = false;
}

const struct state_head *state_head(const struct state *state)
{
    return &state->head;
}

void state_set_head(struct state *state, const struct state_head *head)
{
    uint8_t digest[HASH_SIZE];

    REQUIRE(state->in_transaction && !state->in_entry);
    memcpy(digest, state->head.digest, HASH_SIZE);
    state->head = *head;
    memcpy(state->head.digest, digest, HASH_SIZE);
}

void state_entry_begin(struct state *state)
{
    REQUIRE(state->in_transaction && !state->in_entry);
    crypto_hash_sha256_init(&state->changes);
    state->in_entry = true;
}

void state_entry_end(struct state *state, uint8_t digest_out[HASH_SIZE])
{
    uint8_t step[2 * HASH_SIZE];

    REQUIRE(state->in_entry && !state->marked);
    memcpy(step, state->head.digest, HASH_SIZE);
    crypto_hash_sha256_final(&state->changes, step + HASH_SIZE);
    crypto_hash_sha256(state->head.digest, step, sizeof step);
    memcpy(digest_out, state->head.digest, HASH_SIZE);
    state->in_entry = false;
}

void state_mark(struct state *state)
{
    REQUIRE(state->in_entry && !state->marked);
    run(state->mark);
    state->marked_changes = state->changes;
    state->marked = true;
}

void state_undo(struct state *state)
{
    REQUIRE(state->marked);
    run(state->undo);
    run(state->keep);
    state->changes = state->marked_changes;
    state->marked = false;
    memset(state->settings_known, 0, sizeof state->settings_known);
    for (unsigned i = 0; i < TABLES_COUNT; i++)
        state->tables[i].count = STATE_COUNT_UNKNOWN;
}

void state_keep(struct state *state)
{
    REQUIRE(state->marked);
    run(state->keep);
    state->marked = false;
}

/* ---- Rows ---------------------------------------------------------------- */

static bool is_slice(const struct layout_column *column)
{
    return column->kind == COLUMN_text || column->kind == COLUMN_blob ||
           column->kind == COLUMN_item;
}

static struct slice *slice_at(void *row, const struct layout_column *column)
{
    return (struct slice *)(void *)((uint8_t *)row + column->offset);
}

/* SQLite's memory ends with the reset that lets others write; what the row
 * points at is copied to memory of its table. */
static void lend(struct state_table *table, const struct layout_table *t,
                 void *row)
{
    const struct layout_column *columns = t->columns();
    size_t size = 0;

    for (unsigned i = t->key_count; i < t->columns_count; i++)
        size += is_slice(&columns[i]) ? slice_at(row, &columns[i])->size : 0;
    if (size > table->lent_size) {
        free(table->lent);
        table->lent_size = 2 * size;
        table->lent = malloc(table->lent_size);
        if (table->lent == NULL)
            statements_failed(NULL, t->name);
    }
    size = 0;
    for (unsigned i = t->key_count; i < t->columns_count; i++) {
        struct slice *slice = slice_at(row, &columns[i]);
        if (!is_slice(&columns[i]) || slice->size == 0)
            continue;
        memcpy(table->lent + size, slice->data, slice->size);
        slice->data = table->lent + size;
        size += slice->size;
    }
}

bool state_get(struct state *state, enum table table, void *row)
{
    REQUIRE(table < TABLES_COUNT && row != NULL);
    struct state_table *own = &state->tables[table];
    const struct layout_table *t = layout_table(table);
    int code;

    statements_bind(own->get, t, row, 0, t->key_count);
    code = sqlite3_step(own->get);
    if (code == SQLITE_ROW) {
        statements_read(own->get, t, row);
        lend(own, t, row);
    } else if (code != SQLITE_DONE) {
        statements_failed(state->db, t->name);
    }
    sqlite3_reset(own->get);
    return code == SQLITE_ROW;
}

static void change(struct state *state, enum state_change what,
                   enum table table, const void *row)
{
    const struct layout_table *t = layout_table(table);

    if (t->in_digest)
        state_digest_change(&state->changes, what, t, row);
    if (table == TABLE_SETTING)
        memset(state->settings_known, 0, sizeof state->settings_known);
}

/* What is beside the digest may also be changed between two entries. */
static bool may_change(const struct state *state, enum table table)
{
    return table < TABLES_COUNT &&
           (state->in_entry ||
            (state->in_transaction && !layout_table(table)->in_digest));
}

void state_insert(struct state *state, enum table table, const void *row)
{
    REQUIRE(may_change(state, table));
    struct state_table *own = &state->tables[table];
    const struct layout_table *t = layout_table(table);
    bool exists;

    statements_bind(own->insert, t, row, 0, t->columns_count);
    exists = statements_change(own->insert);
    REQUIRE(!exists);
    own->count += own->count == STATE_COUNT_UNKNOWN ? 0 : 1;
    change(state, CHANGE_INSERT, table, row);
}

void state_update(struct state *state, enum table table, const void *row)
{
    REQUIRE(may_change(state, table));
    struct state_table *own = &state->tables[table];
    const struct layout_table *t = layout_table(table);
    bool exists;

    statements_bind(own->update, t, row, 0, t->columns_count);
    exists = statements_change(own->update);
    REQUIRE(!exists); /* In a unique index. */
    REQUIRE(sqlite3_changes(state->db) == 1);
    change(state, CHANGE_UPDATE, table, row);
}

void state_delete(struct state *state, enum table table, const void *row)
{
    REQUIRE(may_change(state, table));
    struct state_table *own = &state->tables[table];
    const struct layout_table *t = layout_table(table);

    statements_bind(own->delete, t, row, 0, t->key_count);
    run(own->delete);
    REQUIRE(sqlite3_changes(state->db) == 1);
    own->count -= own->count == STATE_COUNT_UNKNOWN ? 0 : 1;
    change(state, CHANGE_DELETE, table, row);
}

/* ---- Walks --------------------------------------------------------------- */

static unsigned shape_of(struct state_range range)
{
    unsigned shape = range.equal * 4u;

    REQUIRE(range.equal <= LAYOUT_INDEX_COLUMNS_MAX);
    return shape + (range.from ? 2u : 0u) + (range.descending ? 1u : 0u);
}

static void scan_open(struct state *state, struct state_scan *scan,
                      unsigned slot, enum table table,
                      const struct layout_index *index, const void *row,
                      struct state_range range)
{
    const struct layout_table *t = layout_table(table);
    sqlite3_stmt **statement = &state->walks[slot][shape_of(range)];
    uint8_t columns[LAYOUT_INDEX_COLUMNS_MAX];
    unsigned bound = range.equal + (range.from ? 1u : 0u);
    struct layout_sql sql;

    REQUIRE(bound <= layout_walk_columns(columns, t, index));
    if (*statement == NULL) {
        layout_walk(&sql, t, (struct layout_walk){index, range});
        *statement = statements_prepare(state->db, sql.text);
    }
    REQUIRE(!sqlite3_stmt_busy(*statement)); /* One walk at a time. */
    for (unsigned i = 0; i < bound; i++)
        statements_bind_column(*statement, t, row, columns[i]);
    *scan = (struct state_scan){state, *statement, (uint16_t)table};
}

void state_scan_open(struct state *state, struct state_scan *scan,
                     enum table_index index, const void *row,
                     struct state_range range)
{
    REQUIRE(index < INDEXES_COUNT);
    const struct layout_index *own = &state->indexes[index];

    scan_open(state, scan, TABLES_COUNT + index, own->table, own, row, range);
}

void state_scan_key(struct state *state, struct state_scan *scan,
                    enum table table, const void *row, struct state_range range)
{
    REQUIRE(table < TABLES_COUNT);
    scan_open(state, scan, table, table, NULL, row, range);
}

bool state_scan_next(struct state_scan *scan, void *row)
{
    int code;

    if (scan->statement == NULL)
        return false;
    code = sqlite3_step(scan->statement);
    if (code == SQLITE_ROW) {
        statements_read(scan->statement, layout_table(scan->table), row);
        return true;
    }
    if (code != SQLITE_DONE)
        statements_failed(scan->state->db, sqlite3_sql(scan->statement));
    state_scan_close(scan);
    return false;
}

void state_scan_close(struct state_scan *scan)
{
    if (scan->statement != NULL)
        sqlite3_reset(scan->statement);
    scan->statement = NULL;
}

/* ---- Small conveniences -------------------------------------------------- */

uint64_t state_count(struct state *state, enum table table)
{
    REQUIRE(table < TABLES_COUNT);
    struct state_table *own = &state->tables[table];
    struct layout_sql sql;
    sqlite3_stmt *statement;

    if (own->count != STATE_COUNT_UNKNOWN)
        return (uint64_t)own->count;
    layout_count(&sql, layout_table(table));
    statement = statements_prepare(state->db, sql.text);
    if (sqlite3_step(statement) != SQLITE_ROW)
        statements_failed(state->db, sql.text);
    own->count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return (uint64_t)own->count;
}

uint64_t state_next(struct state *state, enum sequence sequence)
{
    struct row_sequence row = {.kind = (uint8_t)sequence};
    uint64_t number;

    if (!state_get(state, TABLE_SEQUENCE, &row)) {
        row.next = 2;
        state_insert(state, TABLE_SEQUENCE, &row);
        return 1;
    }
    number = row.next++;
    state_update(state, TABLE_SEQUENCE, &row);
    return number;
}

static const struct {
    uint16_t number;
    int64_t initial;
} settings[SETTINGS_COUNT] = {
#define SETTING(number, name, initial, lo, hi, text) {number, initial},
    SETTING_LIST(SETTING)
#undef SETTING
};

int64_t state_setting(struct state *state, uint16_t setting)
{
    struct row_setting row = {.setting = setting};
    unsigned i = 0;

    while (i < SETTINGS_COUNT && settings[i].number != setting)
        i++;
    REQUIRE(i < SETTINGS_COUNT);
    if (!state->settings_known[i]) {
        state->settings[i] = state_get(state, TABLE_SETTING, &row)
                                 ? row.value
                                 : settings[i].initial;
        state->settings_known[i] = true;
    }
    return state->settings[i];
}
