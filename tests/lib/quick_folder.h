/*
 * quick_folder.h: a fresh directory in memory, for thousands of small writes of
 * which a disk would make much ado; in /tmp where there is no such place.
 */
#ifndef DEFTER_TESTS_LIB_QUICK_FOLDER_H
#define DEFTER_TESTS_LIB_QUICK_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <check.h>

enum { QUICK_FOLDER_SIZE = 64 };

/* ${word} is in its name; the caller removes it. */
static inline void quick_folder(char path_out[QUICK_FOLDER_SIZE],
                                const char *word)
{
    (void)snprintf(path_out, QUICK_FOLDER_SIZE, "%s/defter-%s-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", word);
    ck_assert_ptr_nonnull(mkdtemp(path_out));
}

#endif
