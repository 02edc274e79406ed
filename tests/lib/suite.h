/*
 * suite.h: the main program of a test file, in one line.
 *
 *   SUITE_MAIN("tree", first_test_name, second_test_name, ...)
 */
#ifndef DEFTER_TESTS_LIB_SUITE_H
#define DEFTER_TESTS_LIB_SUITE_H

#include <stddef.h>
#include <stdlib.h>

#include <check.h>

static inline int suite_run(const char *name, const TTest *const *tests,
                            size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 60);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
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

#endif
