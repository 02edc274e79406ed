/*
 * statements.h: prepared statements over rows: binding a row's columns, reading
 * them back, and ending the process when SQLite fails.
 */
#ifndef DEFTER_SERVER_STORE_STATEMENTS_H
#define DEFTER_SERVER_STORE_STATEMENTS_H

#include <sqlite3.h>

#include "server/store/layout.h"

/* The exit status of a process whose disk is full or fails, or gives back
 * another database than was written; and of one that has no memory left. */
enum { STATEMENTS_DISK_EXIT = 5, STATEMENTS_MEMORY_EXIT = 6 };

/* What failed, and what SQLite says of it, to standard error; then ends the
 * process, by abort() unless disk or memory are the cause.  ${db} NULL: there
 * was no memory for ${what}.  A local failure must never become an outcome;
 * what is acknowledged is in the log, which is durable. */
__attribute__((noreturn, cold)) void statements_failed(sqlite3 *db,
                                                       const char *what);

/* Prepared for as long as the database is open; aborts on failure. */
sqlite3_stmt *statements_prepare(sqlite3 *db, const char *sql);

/* Runs SQL that gives no rows; aborts on failure. */
void statements_run(sqlite3 *db, const char *sql);

/*
 * Bind columns [from, to) of ${row} as parameters of the same numbers.  Texts
 * and blobs are not copied: the row must live until the statement is reset.
 *
 * Requires: u64 values are at most INT64_MAX; texts hold no NUL.
 */
void statements_bind(sqlite3_stmt *statement, const struct layout_table *t,
                     const void *row, unsigned from, unsigned to);
void statements_bind_column(sqlite3_stmt *statement,
                            const struct layout_table *t, const void *row,
                            unsigned column);

/* One step of a statement that gives no rows, and its reset; true if a
 * constraint refused it. */
NODISCARD bool statements_change(sqlite3_stmt *statement);

/*
 * Fill ${row} from the statement's current row, which gives every column.
 * Slices are lent until the statement's next step or reset.
 */
void statements_read(sqlite3_stmt *statement, const struct layout_table *t,
                     void *row);

#endif
