/*
 * row_suite.h: the main program of a test file whose tests send bad inputs to
 * one node (docs/BAD-INPUTS.md).
 *
 *   ROW_SUITE_MAIN("bad_frames", &fixture, open, close, first_name, ...)
 *
 * ${open} starts the node of ${fixture}, in this process; each test runs in a
 * fork of it and sees the node through its port alone.  All tests run once, and
 * then ROW_SUITE_ROUNDS times more (under TSan no more, and the second of the
 * two is not judged).  Two things hold beside what each asserts:
 *
 *   others are served   a session that was opened before the first test has a
 *                       PING answered behind each one, and a command entered
 *                       at the end
 *   nothing is kept     the memory that the node has in use grows over the
 *                       later rounds by no more than ROW_SUITE_GROWTH_MAX for
 *                       each test: what a key, a source and its results
 *                       are remembered with (Check's own too)
 */
#ifndef DEFTER_TESTS_LIB_ROW_SUITE_H
#define DEFTER_TESTS_LIB_ROW_SUITE_H

#include <check.h>

#include "tests/lib/node_fixture.h"

enum { ROW_SUITE_ROUNDS = 2, ROW_SUITE_GROWTH_MAX = 1024 };

int row_suite_run(const char *name, struct node_fixture *fixture, SFun open,
                  SFun close, const TTest *const *tests, size_t count);

/* Bytes that this process has in use, but for what has a bound of its own and
 * is filled by time and not by what clients send: SQLite's pages, and the
 * newest checkpoints. */
size_t row_suite_node_uses(const struct node_fixture *fixture);

#define ROW_SUITE_MAIN(name, fixture, open, close, ...)         \
    int main(void)                                              \
    {                                                           \
        const TTest *const tests[] = {__VA_ARGS__};             \
        return row_suite_run(name, fixture, open, close, tests, \
                             sizeof tests / sizeof tests[0]);   \
    }

#endif
