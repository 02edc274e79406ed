#include "server/store/keyring_rewrap.h"

#include <string.h>
#include <unistd.h>

#include "server/store/database.h"
#include "server/store/keyring_private.h"
#include "server/store/statements.h"

/* ---- What a key is ------------------------------------------------------- */

static enum status judge_announced(enum keyring_rewrap_fit *fit_out,
                                   sqlite3 *db,
                                   const uint8_t wrapping_key[KEY_SIZE],
                                   const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db, "SELECT \"check\" FROM \"announced\" WHERE \"id\" = 1", -1,
        &statement, NULL);

    if (code == SQLITE_ERROR)
        return ST_OK; /* A file of a former version has no such table. */
    if (code != SQLITE_OK)
        return database_status(db);
    if (keyring_step(statement) &&
        keyring_check_open(wrapping_key, cluster_id,
                           keyring_bytes(statement, 0)) == ST_OK)
        *fit_out = KEYRING_REWRAP_ANNOUNCED;
    sqlite3_finalize(statement);
    return ST_OK;
}

enum status keyring_rewrap_judge(enum keyring_rewrap_fit *fit_out,
                                 const char *path,
                                 const uint8_t wrapping_key[KEY_SIZE],
                                 const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    enum status status;
    sqlite3 *db = NULL;

    *fit_out = KEYRING_REWRAP_FOREIGN;
    if (access(path, F_OK) != 0)
        return ST_NO_FILE;
    status = database_open(&db, path, DATABASE_FULL);
    if (status == ST_OK)
        status = keyring_head_check(db, wrapping_key, cluster_id);
    if (status == ST_OK)
        *fit_out = KEYRING_REWRAP_CURRENT;
    else if (status == ST_SEAL)
        status = judge_announced(fit_out, db, wrapping_key, cluster_id);
    database_close(db);
    return status;
}

/* ---- Another key --------------------------------------------------------- */

static void rewrap_check(struct keyring *keyring, const char *sql,
                         const uint8_t next[KEY_SIZE])
{
    sqlite3_stmt *statement = statements_prepare(keyring->writer, sql);
    uint8_t check[KEYRING_WRAPPED_SIZE];

    keyring_check_make(check, next, keyring->cluster_id);
    keyring_bind_bytes(statement, 1, check, sizeof check);
    keyring_run(statement);
    sqlite3_finalize(statement);
}

void keyring_rewrap_announce(struct keyring *keyring,
                             const uint8_t next[KEY_SIZE])
{
    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    rewrap_check(keyring, "INSERT OR REPLACE INTO \"announced\" VALUES (1, ?1)",
                 next);
}

/* What a row is moved with, in memory that is locked, and wiped at the end. */
struct rewrap_moving {
    const uint8_t *next;
    sqlite3_stmt *read;
    sqlite3_stmt *write;
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    uint8_t wrapped[KEYRING_WRAPPED_SIZE];
};

/* The next row behind moving->row; ST_END if there is none.  It is read whole
 * before it is written: a statement never walks over what another changes. */
static enum status rewrap_row(struct keyring *keyring,
                              struct rewrap_moving *moving)
{
    struct keyring_row *row = &moving->row;
    enum status status = ST_END;

    keyring_bind_number(moving->read, 1, row->number);
    if (keyring_step(moving->read)) {
        row->number = (uint64_t)sqlite3_column_int64(moving->read, 0);
        row->class = (enum keyring_class)sqlite3_column_int(moving->read, 1);
        row->owner = (uint64_t)sqlite3_column_int64(moving->read, 2);
        status = keyring_unwrap(keyring, moving->key, row,
                                keyring_bytes(moving->read, 3));
    }
    sqlite3_reset(moving->read);
    if (status != ST_OK)
        return status;
    keyring_wrap_under(moving->wrapped, moving->next, keyring->cluster_id, row,
                       moving->key);
    keyring_bind_number(moving->write, 1, row->number);
    keyring_bind_bytes(moving->write, 2, moving->wrapped, KEYRING_WRAPPED_SIZE);
    keyring_run(moving->write);
    return ST_OK;
}

static enum status rewrap_rows(struct keyring *keyring, uint64_t *rows_out,
                               const uint8_t next[KEY_SIZE])
{
    struct rewrap_moving *moving = sodium_malloc(sizeof *moving);
    enum status status = ST_OK;

    if (moving == NULL)
        statements_failed(NULL, "wrapping keys anew");
    *moving = (struct rewrap_moving){.next = next};
    moving->read = statements_prepare(
        keyring->writer,
        "SELECT \"number\", \"class\", \"owner\", \"wrapped\" FROM \"key\" "
        "WHERE \"number\" > ?1 ORDER BY \"number\" LIMIT 1");
    moving->write = statements_prepare(
        keyring->writer,
        "UPDATE \"key\" SET \"wrapped\" = ?2 WHERE \"number\" = ?1");
    *rows_out = 0;
    while ((status = rewrap_row(keyring, moving)) == ST_OK)
        (*rows_out)++;
    sqlite3_finalize(moving->read);
    sqlite3_finalize(moving->write);
    sodium_free(moving); /* Wipes it. */
    return status == ST_END ? ST_OK : status;
}

static void empty_wal(struct keyring *keyring)
{
    pthread_mutex_lock(&keyring->lock);
    keyring_checkpoint(keyring, SQLITE_CHECKPOINT_TRUNCATE);
    pthread_mutex_unlock(&keyring->lock);
}

enum status keyring_rewrap(struct keyring *keyring, uint64_t *rows_out,
                           const uint8_t next[KEY_SIZE])
{
    enum status status;

    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    keyring_run(keyring->begin);
    status = rewrap_rows(keyring, rows_out, next);
    if (status != ST_OK) {
        statements_run(keyring->writer, "ROLLBACK");
        return status;
    }
    rewrap_check(keyring, "UPDATE \"head\" SET \"check\" = ?1", next);
    statements_run(keyring->writer, "DELETE FROM \"announced\"");
    keyring_run(keyring->commit);
    pthread_mutex_lock(&keyring->lock);
    memcpy(keyring->arena->wrapping_key, next, KEY_SIZE);
    pthread_mutex_unlock(&keyring->lock);
    empty_wal(keyring);
    return ST_OK;
}

void keyring_rewrap_settle(struct keyring *keyring)
{
    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    statements_run(keyring->writer, "DELETE FROM \"announced\"");
    empty_wal(keyring);
}
