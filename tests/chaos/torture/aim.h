/*
 * aim.h: libtorture.so, to be preloaded: which call of a process fails.
 *
 *   TORTURE_CLASS=WORD      memory, disk, room, calls or clock
 *   TORTURE_NTH=N           the N-th call of the class fails; 0: none does
 *   TORTURE_PATH=HASH       not the N-th, but the first on this path: the
 *                           functions that have called each other up to it
 *   TORTURE_PATHS=1         "path HASH N" for the first call on each path
 *   TORTURE_ERROR=NUMBER    errno of a call that fails
 *   TORTURE_ON=1            and so do all that come after it
 *   TORTURE_STEP=SECONDS    of the clock, from the N-th reading on
 *   TORTURE_WAIT=1          count from SIGUSR2 on, not from the start
 *   TORTURE_REPORT=FILE     "hit NAME N" when a call fails, "count N" at the
 *                           end of the process are added to it
 *
 * The calls of all threads are one sequence.  Of the class "room" only calls
 * that need room on a disk count, and each second number that is hit lets half
 * of the bytes through first, as a disk does that becomes full.
 */
#ifndef DEFTER_TESTS_CHAOS_TORTURE_AIM_H
#define DEFTER_TESTS_CHAOS_TORTURE_AIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aim_class {
    AIM_MEMORY = 1,
    AIM_DISK = 2,
    AIM_ROOM = 4,
    AIM_CALLS = 8,
    AIM_CLOCK = 16
};

/*
 * aim_hits(classes, name):
 * Counts a call of these classes if one of them is aimed at.  True: it has to
 * fail, and errno is set.
 */
bool aim_hits(unsigned classes, const char *name);

/* As aim_hits() of AIM_DISK and AIM_ROOM, for a write of ${size} bytes: how
 * many of them go through; 0: it has to fail, and errno is set. */
size_t aim_room(const char *name, size_t size);

/* How far the clock is off now, in seconds; counts a reading of it. */
int64_t aim_clock(void);

/* aim_path.c: see to it that aim_path() needs no memory of its own. */
void aim_path_begin(void);

/* The path of the call that is under way: the same in each process that runs
 * the same files; 0 while another is looked for by this thread. */
uint64_t aim_path(void);

/* Whether the path is new to this process; false where too many are known. */
bool aim_path_is_new(uint64_t path);

/* The function of that name behind this library; ends the process if none. */
void *aim_next(const char *name);

#endif
