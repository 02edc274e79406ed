/*
 * need.h: what this machine has to give, where nothing goes on without it.
 *
 * NEED(condition) is for memory, timers and locks.  To lack one is no mistake
 * of this program, so it is no contract, and where no caller could do anything
 * about it, no status either: the process says what it lacks and ends at once,
 * as when its power goes.  What was acknowledged is on its disk.
 */
#ifndef DEFTER_REPLICATION_NEED_H
#define DEFTER_REPLICATION_NEED_H

/* What the process ends with; OPERATING lists it for operators. */
enum { NEED_STATUS = 6 };

/* Prints condition, file and line to standard error, takes no memory for that,
 * and ends the process without its handlers. */
__attribute__((noreturn, cold)) void need_lacks(const char *condition,
                                                const char *file, int line);

#define NEED(condition) \
    ((condition) ? (void)0 : need_lacks(#condition, __FILE__, __LINE__))

#endif
