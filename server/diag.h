/*
 * diag.h: diagnostics, the lines that people read to see how the program is
 * doing.  One event a line on standard error, for whatever gathers it.
 */
#ifndef DEFTER_SERVER_DIAG_H
#define DEFTER_SERVER_DIAG_H

enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_FAILURE };

/*
 * diag_say(level, format, ...):
 * Any thread.  Whatever is no printable ASCII, text of strangers above all, is
 * written as an escape; a line has at most DIAG_LINE_SIZE_MAX bytes.
 */
enum { DIAG_LINE_SIZE_MAX = 1024 };
__attribute__((format(printf, 2, 3))) void diag_say(enum diag_level level,
                                                    const char *format, ...);

#endif
