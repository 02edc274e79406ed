/*
 * keyring_open.c: opening keyring.db, and wrapping what is in it.
 */
#include "server/store/keyring_private.h"

#include <stdlib.h>
#include <string.h>

#include "replication/sometimes.h"
#include "server/store/database.h"
#include "server/store/statements.h"

enum { KEYRING_VERSION = 1 };

static const char *const create[] = {
    "CREATE TABLE \"head\" (\"id\" INTEGER PRIMARY KEY, \"version\" INTEGER "
    "NOT NULL, \"cluster_id\" BLOB NOT NULL, \"check\" BLOB NOT NULL) STRICT",
    "CREATE TABLE \"key\" (\"number\" INTEGER PRIMARY KEY, \"class\" INTEGER "
    "NOT NULL, \"owner\" INTEGER NOT NULL, \"first_index\" INTEGER NOT NULL, "
    "\"wrapped\" BLOB NOT NULL) STRICT",
};

/* Made at every opening: files of former versions lack some. */
static const char *const create_later[] = {
    "CREATE INDEX IF NOT EXISTS \"key_by_first_index\" ON \"key\" "
    "(\"first_index\", \"number\")",
    "CREATE INDEX IF NOT EXISTS \"key_by_owner\" ON \"key\" (\"class\", "
    "\"owner\", \"number\")",
    "CREATE TABLE IF NOT EXISTS \"buried\" (\"number\" INTEGER PRIMARY KEY, "
    "\"act\" INTEGER NOT NULL, \"first_index\" INTEGER NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS \"buried_by_first_index\" ON \"buried\" "
    "(\"first_index\", \"number\")",
    "CREATE TABLE IF NOT EXISTS \"announced\" (\"id\" INTEGER PRIMARY KEY, "
    "\"check\" BLOB NOT NULL) STRICT",
};

/* ---- Wrapping ------------------------------------------------------------ */

static void make_ad(uint8_t ad[KEYRING_AD_SIZE],
                    const uint8_t cluster_id[CLUSTER_ID_SIZE],
                    const struct keyring_row *row)
{
    store_u64(ad, row->number);
    ad[8] = (uint8_t)row->class;
    store_u64(ad + 9, row->owner);
    memcpy(ad + 17, cluster_id, CLUSTER_ID_SIZE);
}

void keyring_wrap_under(uint8_t out[KEYRING_WRAPPED_SIZE],
                        const uint8_t wrapping_key[KEY_SIZE],
                        const uint8_t cluster_id[CLUSTER_ID_SIZE],
                        const struct keyring_row *row,
                        const uint8_t key[KEY_SIZE])
{
    uint8_t ad[KEYRING_AD_SIZE];

    make_ad(ad, cluster_id, row);
    randombytes_buf(out, SEAL_NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_NONCE_SIZE, NULL, key,
                                               KEY_SIZE, ad, sizeof ad, NULL,
                                               out, wrapping_key);
}

enum status keyring_unwrap_under(uint8_t key_out[KEY_SIZE],
                                 const uint8_t wrapping_key[KEY_SIZE],
                                 const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                 const struct keyring_row *row,
                                 struct slice wrapped)
{
    uint8_t ad[KEYRING_AD_SIZE];

    make_ad(ad, cluster_id, row);
    if (wrapped.size != KEYRING_WRAPPED_SIZE ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(
            key_out, NULL, NULL, wrapped.data + SEAL_NONCE_SIZE,
            KEYRING_WRAPPED_SIZE - SEAL_NONCE_SIZE, ad, sizeof ad, wrapped.data,
            wrapping_key) != 0)
        return ST_SEAL;
    return ST_OK;
}

void keyring_wrap(const struct keyring *keyring,
                  uint8_t out[KEYRING_WRAPPED_SIZE],
                  const struct keyring_row *row, const uint8_t key[KEY_SIZE])
{
    keyring_wrap_under(out, keyring->arena->wrapping_key, keyring->cluster_id,
                       row, key);
}

enum status keyring_unwrap(const struct keyring *keyring,
                           uint8_t key_out[KEY_SIZE],
                           const struct keyring_row *row, struct slice wrapped)
{
    return keyring_unwrap_under(key_out, keyring->arena->wrapping_key,
                                keyring->cluster_id, row, wrapped);
}

void keyring_check_make(uint8_t out[KEYRING_WRAPPED_SIZE],
                        const uint8_t wrapping_key[KEY_SIZE],
                        const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    const struct keyring_row zero = {0};
    const uint8_t zeros[KEY_SIZE] = {0};

    keyring_wrap_under(out, wrapping_key, cluster_id, &zero, zeros);
}

enum status keyring_check_open(const uint8_t wrapping_key[KEY_SIZE],
                               const uint8_t cluster_id[CLUSTER_ID_SIZE],
                               struct slice check)
{
    const struct keyring_row zero = {0};
    uint8_t key[KEY_SIZE];

    return keyring_unwrap_under(key, wrapping_key, cluster_id, &zero, check);
}

/* ---- Statements ---------------------------------------------------------- */

void keyring_bind_number(sqlite3_stmt *statement, int parameter, uint64_t value)
{
    REQUIRE(value <= INT64_MAX);
    if (sqlite3_bind_int64(statement, parameter, (int64_t)value) != SQLITE_OK)
        statements_failed(sqlite3_db_handle(statement), "binding a number");
}

void keyring_bind_bytes(sqlite3_stmt *statement, int parameter,
                        const uint8_t *bytes, size_t size)
{
    if (sqlite3_bind_blob64(statement, parameter, bytes, size, SQLITE_STATIC) !=
        SQLITE_OK)
        statements_failed(sqlite3_db_handle(statement), "binding bytes");
}

struct slice keyring_bytes(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);

    return slice_of(data, (size_t)sqlite3_column_bytes(statement, column));
}

void keyring_run(sqlite3_stmt *statement)
{
    bool refused = statements_change(statement);

    REQUIRE(!refused);
}

/* One step of a statement that may give a row; the caller resets it. */
bool keyring_step(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        statements_failed(sqlite3_db_handle(statement), sqlite3_sql(statement));
    return code == SQLITE_ROW;
}

static int count_wal(void *context, sqlite3 *db, const char *name, int pages)
{
    struct keyring *keyring = context;

    (void)db;
    (void)name;
    keyring->wal_pages = pages;
    return SQLITE_OK;
}

/* ---- Opening ------------------------------------------------------------- */

static void create_file(struct keyring *keyring)
{
    uint8_t check[KEYRING_WRAPPED_SIZE];
    sqlite3_stmt *insert;

    keyring_check_make(check, keyring->arena->wrapping_key,
                       keyring->cluster_id);
    statements_run(keyring->writer, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < sizeof create / sizeof create[0]; i++)
        statements_run(keyring->writer, create[i]);
    insert = statements_prepare(keyring->writer,
                                "INSERT INTO \"head\" VALUES (1, ?1, ?2, ?3)");
    keyring_bind_number(insert, 1, KEYRING_VERSION);
    keyring_bind_bytes(insert, 2, keyring->cluster_id, CLUSTER_ID_SIZE);
    keyring_bind_bytes(insert, 3, check, sizeof check);
    keyring_run(insert);
    sqlite3_finalize(insert);
    statements_run(keyring->writer, "COMMIT");
}

enum status keyring_head_check(sqlite3 *db,
                               const uint8_t wrapping_key[KEY_SIZE],
                               const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    enum status status = ST_FILE_FORMAT;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db,
                           "SELECT \"version\", \"cluster_id\", \"check\" "
                           "FROM \"head\" WHERE \"id\" = 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return database_status(db);
    if (keyring_step(statement) &&
        sqlite3_column_int64(statement, 0) == KEYRING_VERSION &&
        slice_equal(keyring_bytes(statement, 1),
                    slice_of(cluster_id, CLUSTER_ID_SIZE)))
        status = keyring_check_open(wrapping_key, cluster_id,
                                    keyring_bytes(statement, 2));
    sqlite3_finalize(statement);
    return status;
}

/* Numbers rise along the log, so the first that is met is the owner's. */
void keyring_load_map(struct keyring *keyring)
{
    sqlite3_stmt *statement = statements_prepare(
        keyring->writer,
        "SELECT \"number\", \"class\", \"owner\" FROM \"key\" ORDER BY 1");

    while (keyring_step(statement)) {
        uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
        keyring_map_add(&keyring->map,
                        (uint8_t)sqlite3_column_int64(statement, 1),
                        (uint64_t)sqlite3_column_int64(statement, 2), number);
        keyring->last = number;
    }
    sqlite3_finalize(statement);
    statement = statements_prepare(keyring->writer,
                                   "SELECT max(\"number\") FROM \"buried\"");
    if (keyring_step(statement)) {
        uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
        keyring->last = number > keyring->last ? number : keyring->last;
    }
    sqlite3_finalize(statement);
}

static void prepare(struct keyring *keyring)
{
    sqlite3 *writer = keyring->writer;

    keyring->begin = statements_prepare(writer, "BEGIN IMMEDIATE");
    keyring->commit = statements_prepare(writer, "COMMIT");
    keyring->insert = statements_prepare(
        writer, "INSERT INTO \"key\" VALUES (?1, ?2, ?3, ?4, ?5)");
    keyring->erase =
        statements_prepare(writer, "DELETE FROM \"key\" WHERE \"number\" = ?1 "
                                   "RETURNING \"class\", \"owner\", "
                                   "\"first_index\"");
    keyring->bury = statements_prepare(
        writer, "INSERT OR IGNORE INTO \"buried\" VALUES (?1, ?2, ?3)");
    keyring->lose = statements_prepare(
        writer, "UPDATE \"buried\" SET \"act\" = ?1 WHERE \"act\" >= ?2");
    keyring->truncate = statements_prepare(
        writer, "DELETE FROM \"key\" WHERE \"first_index\" >= ?1");
    keyring->find_stray = statements_prepare(
        writer, "SELECT 1 FROM \"key\" WHERE \"first_index\" BETWEEN ?1 AND "
                "?2 AND \"number\" >> 32 <> ?3 LIMIT 1");
    keyring->drop_strays = statements_prepare(
        writer, "DELETE FROM \"key\" WHERE \"first_index\" BETWEEN ?1 AND ?2 "
                "AND \"number\" >> 32 <> ?3");
    keyring->get = statements_prepare(
        keyring->reader, "SELECT \"class\", \"owner\", \"first_index\", "
                         "\"wrapped\" FROM \"key\" WHERE \"number\" = ?1");
    keyring->get_tombstone = statements_prepare(
        keyring->reader,
        "SELECT \"act\" FROM \"buried\" WHERE \"number\" = ?1");
    keyring->next_buried = statements_prepare(
        keyring->reader, "SELECT \"number\", \"act\" FROM \"buried\" WHERE "
                         "\"number\" > ?1 ORDER BY \"number\" LIMIT 1");
    keyring->count_lost = statements_prepare(
        keyring->reader, "SELECT count(*) FROM \"buried\" WHERE \"act\" = ?1");
    keyring->owned_by = statements_prepare(
        keyring->reader,
        "SELECT \"number\" FROM \"key\" WHERE \"class\" = ?1 AND \"owner\" = "
        "?2 AND \"number\" > ?3 ORDER BY \"number\"");
    keyring->walk = statements_prepare(
        keyring->reader,
        "SELECT \"number\", \"class\", \"owner\", \"first_index\", "
        "\"wrapped\" FROM \"key\" WHERE (\"first_index\", \"number\") >= "
        "(?1, ?2) AND \"first_index\" < ?3 UNION ALL "
        "SELECT \"number\", 0, \"act\", \"first_index\", NULL FROM "
        "\"buried\" WHERE (\"first_index\", \"number\") >= (?1, ?2) AND "
        "\"first_index\" < ?3 ORDER BY 4, 1");
}

static enum status open_files(struct keyring *keyring, const char *path)
{
    bool fresh = false;
    enum status status = keyring_file_create(path);

    if (status == ST_OK)
        status = database_open(&keyring->writer, path,
                               MUTANT(104) ? DATABASE_NORMAL : DATABASE_FULL);
    if (status == ST_OK)
        status = database_is_empty(keyring->writer, &fresh);
    if (status == ST_OK && fresh)
        create_file(keyring);
    if (status == ST_OK)
        status = keyring_head_check(
            keyring->writer, keyring->arena->wrapping_key, keyring->cluster_id);
    for (size_t i = 0;
         status == ST_OK && i < sizeof create_later / sizeof create_later[0];
         i++)
        statements_run(keyring->writer, create_later[i]);
    if (status == ST_OK)
        status = database_open(&keyring->reader, path, DATABASE_FULL);
    return status;
}

enum status keyring_open(struct keyring **keyring_out, const char *path,
                         const uint8_t wrapping_key[KEY_SIZE],
                         const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    enum status status;
    struct keyring *keyring = calloc(1, sizeof *keyring);

    REQUIRE(keyring_out != NULL && path != NULL);
    if (keyring == NULL)
        statements_failed(NULL, path);
    pthread_mutex_init(&keyring->lock, NULL);
    keyring_map_init(&keyring->map);
    keyring->arena = keyring_arena_open();
    memcpy(keyring->arena->wrapping_key, wrapping_key, KEY_SIZE);
    memcpy(keyring->cluster_id, cluster_id, CLUSTER_ID_SIZE);
    status = open_files(keyring, path);
    if (status != ST_OK)
        goto fail;
    sqlite3_wal_hook(keyring->writer, count_wal, keyring);
    prepare(keyring);
    keyring_load_map(keyring);
    *keyring_out = keyring;
    return ST_OK;
fail:
    keyring_close(keyring);
    *keyring_out = NULL;
    ENSURE(status != ST_OK);
    return status;
}

void keyring_close(struct keyring *keyring)
{
    if (keyring == NULL)
        return;
    sqlite3_finalize(keyring->begin);
    sqlite3_finalize(keyring->commit);
    sqlite3_finalize(keyring->insert);
    sqlite3_finalize(keyring->erase);
    sqlite3_finalize(keyring->bury);
    sqlite3_finalize(keyring->lose);
    sqlite3_finalize(keyring->truncate);
    sqlite3_finalize(keyring->find_stray);
    sqlite3_finalize(keyring->drop_strays);
    sqlite3_finalize(keyring->get);
    sqlite3_finalize(keyring->get_tombstone);
    sqlite3_finalize(keyring->next_buried);
    sqlite3_finalize(keyring->count_lost);
    sqlite3_finalize(keyring->owned_by);
    sqlite3_finalize(keyring->walk);
    database_close(keyring->reader);
    database_close(keyring->writer);
    keyring_map_wipe(&keyring->map);
    keyring_arena_close(keyring->arena);
    free(keyring->staged);
    pthread_mutex_destroy(&keyring->lock);
    free(keyring);
}
