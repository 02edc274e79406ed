/*
 * What happens where the machine gives no memory.
 */
#define SUITE_FORKS
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replication/need.h"
#include "tests/lib/suite.h"

enum { SAID_SIZE = 256 };

START_TEST(what_is_there_is_needed_in_silence)
{
    int one = 1;
    const int *there = &one;

    NEED(there != NULL);
}
END_TEST

static void on_exit_handler(void)
{
    abort(); /* As when the power goes: nothing of it runs. */
}

START_TEST(who_lacks_memory_says_what_for_and_ends_with_a_status_of_its_own)
{
    char said[SAID_SIZE] = "";
    int ends[2], status;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        const void *buffer = NULL;

        (void)dup2(ends[1], STDERR_FILENO);
        (void)atexit(on_exit_handler);
        NEED(buffer != NULL);
    }
    (void)close(ends[1]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), NEED_STATUS);
    ck_assert_int_gt(read(ends[0], said, sizeof said - 1), 0);
    (void)close(ends[0]);
    ck_assert_ptr_nonnull(strstr(said, "no memory is left"));
    ck_assert_ptr_nonnull(strstr(said, "NEED(buffer != NULL) at "));
    ck_assert_ptr_nonnull(strstr(said, "test_need.c:"));
}
END_TEST

SUITE_MAIN("need", what_is_there_is_needed_in_silence,
           who_lacks_memory_says_what_for_and_ends_with_a_status_of_its_own)
