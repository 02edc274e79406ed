#include "server/store/database.h"

#include <stddef.h>
#include <string.h>

#include "replication/need.h"
#include "server/store/statements.h"

static const struct {
    int option;
    int value;
} switches[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
    {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
};

static const struct {
    int limit;
    int value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, DATABASE_VALUE_SIZE_MAX},
    {SQLITE_LIMIT_SQL_LENGTH, DATABASE_SQL_SIZE_MAX},
    {SQLITE_LIMIT_COLUMN, DATABASE_COLUMNS_MAX},
    {SQLITE_LIMIT_EXPR_DEPTH, 20},
    {SQLITE_LIMIT_COMPOUND_SELECT, 4},
    {SQLITE_LIMIT_FUNCTION_ARG, 16},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_VARIABLE_NUMBER, DATABASE_VARIABLES_MAX},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

/* journal_mode is not here: it answers with a row, and differs in memory. */
static const char *const pragmas[] = {
    "PRAGMA cell_size_check = ON",   "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",    "PRAGMA secure_delete = ON",
    "PRAGMA wal_autocheckpoint = 0",
};

enum status database_status(sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xff;

    if (code == SQLITE_NOMEM)
        statements_failed(db, "opening a database");
    return code == SQLITE_NOTADB || code == SQLITE_CORRUPT ||
                   code == SQLITE_ERROR
               ? ST_FILE_FORMAT
               : ST_DISK_FAILED;
}

static enum status set_pragmas(sqlite3 *db, enum database_durability durability)
{
    const char sizes[] = "PRAGMA page_size = 8192; "
                         "PRAGMA cache_size = -65536";

    static_assert(DATABASE_PAGE_SIZE == 8192 && DATABASE_CACHE_KIB == 65536,
                  "as the statements say");
    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        if (sqlite3_exec(db, pragmas[i], NULL, NULL, NULL) != SQLITE_OK)
            return database_status(db);
    }
    if (sqlite3_exec(db, sizes, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db,
                     durability == DATABASE_FULL
                         ? "PRAGMA synchronous = FULL"
                         : "PRAGMA synchronous = NORMAL",
                     NULL, NULL, NULL) != SQLITE_OK)
        return database_status(db);
    return ST_OK;
}

enum status database_open(sqlite3 **db_out, const char *path,
                          enum database_durability durability)
{
    enum status status;
    sqlite3 *db = NULL;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    *db_out = NULL;
    sqlite3_hard_heap_limit64(DATABASE_HEAP_SIZE_MAX);
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        if (db == NULL)
            statements_failed(NULL, path);
        status = database_status(db);
        goto fail;
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        sqlite3_limit(db, limits[i].limit, limits[i].value);
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int value = -1;
        if (sqlite3_db_config(db, switches[i].option, switches[i].value,
                              &value) != SQLITE_OK ||
            value != switches[i].value)
            statements_failed(db, "a setting was not taken");
    }
    sqlite3_busy_timeout(db, 0);
    status = set_pragmas(db, durability);
    if (status != ST_OK)
        goto fail;
    *db_out = db;
    return ST_OK;
fail:
    sqlite3_close(db);
    ENSURE(status != ST_OK);
    return status;
}

void database_close(sqlite3 *db)
{
    int code;

    if (db == NULL)
        return;
    code = sqlite3_close(db);
    INVARIANT(code == SQLITE_OK); /* Else a statement was forgotten. */
}

void database_remove(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    INVARIANT(vfs != NULL);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char *name = sqlite3_mprintf("%s%s", path, endings[i]);

        NEED(name != NULL);
        (void)vfs->xDelete(vfs, name, 0);
        sqlite3_free(name);
    }
}

enum status database_is_empty(sqlite3 *db, bool *empty_out)
{
    enum status status = ST_OK;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema", -1,
                           &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        status = database_status(db);
    else
        *empty_out = sqlite3_column_int64(statement, 0) == 0;
    sqlite3_finalize(statement);
    return status;
}
