/*
 * suite.h: the main program of a test file, in one line.
 *
 *   SUITE_MAIN("tree", first_test_name, second_test_name, ...)
 *   SUITE_MAIN_WITH("node", open, close, first_test_name, ...)
 *
 * Each test runs in a process of its own; what ${open} made lives in the
 * parent, where its threads go on.  Under a sanitizer a process costs fifty
 * times what most tests do, so there those of SUITE_MAIN share one, unless the
 * file defines SUITE_FORKS before this one is included: because they count on a
 * fresh process, or leave something behind.  $CK_FORK decides otherwise.
 */
#ifndef DEFTER_TESTS_LIB_SUITE_H
#define DEFTER_TESTS_LIB_SUITE_H

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include <check.h>

#include "tests/lib/sanitizer.h"

#if (defined(SANITIZER_OF_MEMORY) || defined(SANITIZER_OF_THREADS)) && \
    !defined(SUITE_FORKS)
#define SUITE_SHARED 1
#else
#define SUITE_SHARED 0
#endif

static inline int suite_run_until(const char *name, SFun open, SFun close,
                                  const TTest *const *tests, size_t count,
                                  int signal)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 300);
    if (open != NULL)
        tcase_add_unchecked_fixture(tcase, open, close);
    for (size_t i = 0; i < count; i++)
        tcase_add_test_raise_signal(tcase, tests[i], signal);
    suite_add_tcase(suite, tcase);
    if (SUITE_SHARED && open == NULL && signal == 0 &&
        getenv("CK_FORK") == NULL)
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int suite_run(const char *name, const TTest *const *tests,
                            size_t count)
{
    return suite_run_until(name, NULL, NULL, tests, count, 0);
}

/* Each of these tests must end with a contract that does not hold. */
static inline int suite_run_aborting(const char *name,
                                     const TTest *const *tests, size_t count)
{
    return suite_run_until(name, NULL, NULL, tests, count, SIGABRT);
}

/* Each of these tests must end its process with this status. */
static inline int suite_run_exiting(const char *name, const TTest *const *tests,
                                    size_t count, int status)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    for (size_t i = 0; i < count; i++)
        tcase_add_exit_test(tcase, tests[i], status);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define SUITE_MAIN(name, ...)                                          \
    int main(void)                                                     \
    {                                                                  \
        const TTest *const tests[] = {__VA_ARGS__};                    \
        return suite_run(name, tests, sizeof tests / sizeof tests[0]); \
    }

#define SUITE_MAIN_WITH(name, open, close, ...)                    \
    int main(void)                                                 \
    {                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                \
        return suite_run_until(name, open, close, tests,           \
                               sizeof tests / sizeof tests[0], 0); \
    }

#endif
