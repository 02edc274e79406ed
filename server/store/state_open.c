/*
 * state_open.c: opening state.db, and every setting that keeps SQLite to what
 * this program asks of it.
 */
#include "server/store/state_private.h"

#include <stdlib.h>
#include <string.h>

#include "server/store/database.h"

static const char create_head[] =
    "CREATE TABLE \"head\" (\"id\" INTEGER PRIMARY KEY, \"version\" INTEGER "
    "NOT NULL, \"layout\" BLOB NOT NULL, \"head\" BLOB NOT NULL) STRICT";

void state_head_encode(uint8_t out[STATE_HEAD_SIZE],
                       const struct state_head *head)
{
    struct writer writer;

    writer_init(&writer, out, STATE_HEAD_SIZE);
    writer_u64(&writer, head->applied_size);
    writer_bytes(&writer, head->applied_leaf, HASH_SIZE);
    writer_u32(&writer, head->epoch);
    writer_i64(&writer, head->log_time);
    writer_bytes(&writer, head->digest, HASH_SIZE);
    writer_u64(&writer, head->attested_size);
    writer_bytes(&writer, head->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, head->frontier, sizeof head->frontier);
    ENSURE(writer.status == ST_OK && writer.used == STATE_HEAD_SIZE);
}

enum status state_head_decode(struct state_head *head, struct slice bytes)
{
    struct reader reader;

    reader_init(&reader, bytes);
    head->applied_size = reader_u64(&reader);
    reader_copy(&reader, head->applied_leaf, HASH_SIZE);
    head->epoch = reader_u32(&reader);
    head->log_time = reader_i64(&reader);
    reader_copy(&reader, head->digest, HASH_SIZE);
    head->attested_size = reader_u64(&reader);
    reader_copy(&reader, head->cluster_id, CLUSTER_ID_SIZE);
    reader_copy(&reader, head->frontier, sizeof head->frontier);
    return reader_end(&reader) == ST_OK ? ST_OK : ST_FILE_FORMAT;
}

static void create_tables(struct state *state)
{
    struct layout_sql sql;
    uint8_t hash[HASH_SIZE];
    uint8_t head[STATE_HEAD_SIZE];
    sqlite3_stmt *insert;
    bool refused;

    statements_run(state->db, "BEGIN IMMEDIATE");
    statements_run(state->db, create_head);
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        const struct layout_table *t = layout_table((enum table)i);
        layout_create_table(&sql, t);
        statements_run(state->db, sql.text);
    }
    for (unsigned i = 0; i < INDEXES_COUNT; i++) {
        layout_create_index(&sql, &state->indexes[i]);
        statements_run(state->db, sql.text);
    }
    layout_hash(hash);
    state_head_encode(head, &state->head);
    insert = statements_prepare(state->db,
                                "INSERT INTO \"head\" VALUES (1, ?1, ?2, ?3)");
    sqlite3_bind_int(insert, 1, STATE_VERSION);
    sqlite3_bind_blob(insert, 2, hash, sizeof hash, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 3, head, sizeof head, SQLITE_STATIC);
    refused = statements_change(insert);
    INVARIANT(!refused);
    sqlite3_finalize(insert);
    statements_run(state->db, "COMMIT");
}

/* The head's row, if the file was made by this version of these tables. */
static enum status read_head(struct state *state)
{
    enum status status = ST_FILE_FORMAT;
    uint8_t hash[HASH_SIZE];
    sqlite3_stmt *statement = NULL;

    layout_hash(hash);
    if (sqlite3_prepare_v2(state->db,
                           "SELECT \"version\", \"layout\", \"head\" FROM "
                           "\"head\" WHERE \"id\" = 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return database_status(state->db);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        struct slice layout, head;
        layout.data = sqlite3_column_blob(statement, 1);
        layout.size = (size_t)sqlite3_column_bytes(statement, 1);
        head.data = sqlite3_column_blob(statement, 2);
        head.size = (size_t)sqlite3_column_bytes(statement, 2);
        if (sqlite3_column_int64(statement, 0) == STATE_VERSION &&
            slice_equal(layout, slice_of(hash, sizeof hash)))
            status = state_head_decode(&state->head, head);
    }
    sqlite3_finalize(statement);
    return status;
}

static void prepare(struct state *state)
{
    struct layout_sql sql;

    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        const struct layout_table *t = layout_table((enum table)i);
        struct state_table *own = &state->tables[i];
        layout_get(&sql, t);
        own->get = statements_prepare(state->db, sql.text);
        layout_insert(&sql, t);
        own->insert = statements_prepare(state->db, sql.text);
        layout_update(&sql, t);
        own->update = statements_prepare(state->db, sql.text);
        layout_delete(&sql, t);
        own->delete = statements_prepare(state->db, sql.text);
        own->count = STATE_COUNT_UNKNOWN;
    }
    state->begin = statements_prepare(state->db, "BEGIN IMMEDIATE");
    state->commit = statements_prepare(state->db, "COMMIT");
    state->mark = statements_prepare(state->db, "SAVEPOINT mark");
    state->undo = statements_prepare(state->db, "ROLLBACK TO mark");
    state->keep = statements_prepare(state->db, "RELEASE mark");
    state->put_head = statements_prepare(
        state->db, "UPDATE \"head\" SET \"head\" = ?1 WHERE \"id\" = 1");
}

static int count_wal(void *context, sqlite3 *db, const char *name, int pages)
{
    struct state *state = context;

    (void)db;
    (void)name;
    state->wal_pages = pages;
    return SQLITE_OK;
}

enum status state_open(struct state **state_out, const char *path)
{
    enum status status;
    struct state *state = calloc(1, sizeof *state);
    bool fresh = false;

    REQUIRE(state_out != NULL && path != NULL);
    if (state == NULL)
        statements_failed(NULL, path);
    for (unsigned i = 0; i < INDEXES_COUNT; i++)
        layout_index(&state->indexes[i], (enum table_index)i);
    status = database_open(&state->db, path, DATABASE_NORMAL);
    if (status != ST_OK)
        goto fail;
    status = database_is_empty(state->db, &fresh);
    if (status != ST_OK)
        goto fail;
    if (fresh)
        create_tables(state);
    status = read_head(state);
    if (status != ST_OK)
        goto fail;
    sqlite3_wal_hook(state->db, count_wal, state);
    prepare(state);
    *state_out = state;
    return ST_OK;
fail:
    state_close(state);
    *state_out = NULL;
    ENSURE(status != ST_OK);
    return status;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        struct state_table *own = &state->tables[i];
        sqlite3_finalize(own->get);
        sqlite3_finalize(own->insert);
        sqlite3_finalize(own->update);
        sqlite3_finalize(own->delete);
        free(own->lent);
    }
    for (unsigned i = 0; i < TABLES_COUNT + INDEXES_COUNT; i++) {
        for (unsigned shape = 0; shape < STATE_SHAPES_COUNT; shape++)
            sqlite3_finalize(state->walks[i][shape]);
    }
    sqlite3_finalize(state->begin);
    sqlite3_finalize(state->commit);
    sqlite3_finalize(state->mark);
    sqlite3_finalize(state->undo);
    sqlite3_finalize(state->keep);
    sqlite3_finalize(state->put_head);
    database_close(state->db);
    free(state);
}

void state_checkpoint(struct state *state, bool truncate)
{
    int mode =
        truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int code;

    REQUIRE(!state->in_transaction);
    if (!truncate && state->wal_pages < DATABASE_WAL_PAGES_MAX)
        return;
    code = sqlite3_wal_checkpoint_v2(state->db, NULL, mode, NULL, NULL);
    /* A reader in the way only means that it happens later. */
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        statements_failed(state->db, "checkpoint");
    if (code == SQLITE_OK)
        state->wal_pages = 0;
}
