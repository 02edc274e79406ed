/*
 * check_alone.c: what the helpers of tests assert by, where no test of Check
 * runs: nothing is noted, and what does not hold ends the process.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expr,
                       const char *msg, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: %s", file, line, expr);
    if (msg != NULL) {
        fputs(": ", stderr);
        va_start(arguments, msg);
        vfprintf(stderr, msg, arguments);
        va_end(arguments);
    }
    fputc('\n', stderr);
    abort();
}
