/*
 * database.h: opening SQLite with every setting that keeps it to what this
 * program asks of it.  Used by state.c and keyring.c.
 */
#ifndef DEFTER_SERVER_STORE_DATABASE_H
#define DEFTER_SERVER_STORE_DATABASE_H

#include <stdbool.h>

#include <sqlite3.h>

#include "protocol/contract.h"
#include "protocol/status.h"

enum {
    DATABASE_PAGE_SIZE = 8192,
    DATABASE_WAL_SIZE_MAX = 64 * 1024 * 1024, /* Then a checkpoint is due. */
    DATABASE_WAL_PAGES_MAX = DATABASE_WAL_SIZE_MAX / DATABASE_PAGE_SIZE,
    DATABASE_CACHE_KIB = 64 * 1024,
    DATABASE_HEAP_SIZE_MAX = 1024 * 1024 * 1024, /* Of all databases. */
    DATABASE_VALUE_SIZE_MAX = 2 * 1024 * 1024,
    DATABASE_SQL_SIZE_MAX = 16 * 1024,
    DATABASE_COLUMNS_MAX = 64,
    DATABASE_VARIABLES_MAX = 64
};

/*
 * NORMAL: WAL, no fsync at a commit; what the log can give back.
 * FULL:   every commit is durable when it returns.
 */
enum database_durability { DATABASE_NORMAL, DATABASE_FULL };

/*
 * database_open(db_out, path, durability):
 * Open or create ${path} (":memory:" in memory), for use by one thread.
 *
 * Returns: ST_OK; ST_DISK_FAILED; ST_FILE_FORMAT for a file that is no
 *          database.
 * Owns:    gives ${*db_out}; close with database_close, statements first.
 */
NODISCARD enum status database_open(sqlite3 **db_out, const char *path,
                                    enum database_durability durability);
void database_close(sqlite3 *db);

/* Deletes ${path} and what SQLite keeps beside it, where they are. */
void database_remove(const char *path);

/* ${*empty_out}: no table was ever made. Returns: as database_open. */
NODISCARD enum status database_is_empty(sqlite3 *db, bool *empty_out);

/* ST_FILE_FORMAT or ST_DISK_FAILED, by the last error of ${db}. */
enum status database_status(sqlite3 *db);

#endif
