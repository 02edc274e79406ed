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

/* Of the disk, and not of this program. */
static bool is_of_disk(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return true;
    default: /* A code of SQLite, which is no enum. */
        return false;
    }
}

void statements_failed(sqlite3 *db, const char *what)
{
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db);

    say_failure(what, db == NULL ? "no memory" : sqlite3_errmsg(db), code);
    if (!is_of_disk(code))
        abort();
    say_failure("this node stands down",
                (code & 0xff) == SQLITE_FULL
                    ? "its disk is full; nothing that was acknowledged is "
                      "lost: make room and start it again"
                    : "its disk fails; nothing that was acknowledged is lost",
                code);
    _exit(STATEMENTS_DISK_EXIT);
}
