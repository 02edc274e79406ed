/*
 * control.h: when the power goes.
 */
#ifndef DEFTER_TESTS_CHAOS_AMNESIA_CONTROL_H
#define DEFTER_TESTS_CHAOS_AMNESIA_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether anything is followed: the library is set up and has a directory. */
bool control_is_on(void);

/* A disk that says it has synced and has not: what tests must notice. */
bool control_is_deaf(void);

/* Around everything that changes files or the undo log. */
void control_lock(void);
void control_unlock(void);

/* One more call that changes or syncs a followed file; with the lock held, and
 * before the call is done.  May not return. */
void control_count(void);

/* Whether the absolute ${path} is followed. */
bool control_follows(const char *path);

/* The absolute path, without dots and links, of ${name} below the directory
 * ${at} (AT_FDCWD: the current one), or of ${at} itself for an empty name.
 * False if its folder is not there or the path does not fit. */
bool control_path(char *out, size_t size, int at, const char *name);

#endif
