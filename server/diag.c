#include "server/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Where the text goes in an escaped line: \xNN is four bytes for one. */
enum { DIAG_ESCAPED_SIZE = 4 * DIAG_LINE_SIZE_MAX + 64 };

static const char *diag_word(enum diag_level level)
{
    switch (level) {
    case DIAG_NOTE:
        return "note";
    case DIAG_WARNING:
        return "warning";
    case DIAG_FAILURE:
        return "failure";
    }
    return "?";
}

static size_t diag_escape(char *out, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= ' ' && byte <= '~') {
            out[used++] = (char)byte;
            continue;
        }
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = digits[byte >> 4];
        out[used++] = digits[byte & 15];
    }
    return used;
}

void diag_say(enum diag_level level, const char *format, ...)
{
    char text[DIAG_LINE_SIZE_MAX];
    char line[DIAG_ESCAPED_SIZE];
    struct timespec now = {0};
    struct tm day = {0};
    va_list arguments;
    size_t used;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &day);
    used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &day);
    used += (size_t)snprintf(line + used, sizeof line - used,
                             "%s: ", diag_word(level));
    used += diag_escape(line + used, text);
    line[used++] = '\n';
    /* One write, so that lines of threads do not mix; nothing can be done if
     * nobody listens. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}
