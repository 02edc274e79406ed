/*
 * statements_failed.c: the end of a process that SQLite fails.  The simulator
 * has its own: one node of many ends there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "server/store/statements.h"

/* In the form of the diagnostics, which are above this folder; in one write. */
static void say_failure(const char *what, const char *why, int code)
{
    time_t now = time(NULL);
    struct tm day = {0};
    char line[512], moment[32] = "";
    int size;

    if (gmtime_r(&now, &day) != NULL)
        (void)strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &day);
    size = snprintf(line, sizeof line, "%s failure: database: %s: %s (%d)\n",
                    moment, what, why, code);
    if (size >= (int)sizeof line) {
        size = sizeof line - 1;
        line[size - 1] = '\n';
    }
    if (size <= 0 || write(STDERR_FILENO, line, (size_t)size) < 0)
        return; /* Nobody listens. */
}

/* What follows from it, and the exit status; NULL if this program is wrong. */
static const char *judge(int *exit_out, int code)
{
    *exit_out = STATEMENTS_DISK_EXIT;
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "its disk is full; nothing that was acknowledged is lost: make "
               "room and start it again";
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return "its disk fails; nothing that was acknowledged is lost";
    case SQLITE_CORRUPT: /* Also a page that the disk would not read. */
    case SQLITE_NOTADB:
        return "its disk fails, or the file is damaged; nothing that was "
               "acknowledged is lost";
    case SQLITE_NOMEM:
        *exit_out = STATEMENTS_MEMORY_EXIT;
        return "it has no memory; nothing that was acknowledged is lost: start "
               "it again";
    default: /* A code of SQLite, which is no enum. */
        return NULL;
    }
}

void statements_failed(sqlite3 *db, const char *what)
{
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
    const char *file = db == NULL ? NULL : sqlite3_db_filename(db, NULL);
    const char *why;
    int status;

    say_failure(what, db == NULL ? "no memory" : sqlite3_errmsg(db), code);
    if (file != NULL && file[0] != '\0')
        say_failure("the file", file, code);
    why = judge(&status, code);
    if (why == NULL)
        abort();
    say_failure("this node stands down", why, code);
    _exit(status);
}
