/*
 * statements_failed.c: the end of a process that SQLite fails.  The simulator
 * has its own: one node of many ends there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/store/statements.h"

void statements_failed(sqlite3 *db, const char *what)
{
    fprintf(stderr, "database: %s: %s (%d)\n", what,
            db == NULL ? "no memory" : sqlite3_errmsg(db),
            db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db));
    abort();
}
