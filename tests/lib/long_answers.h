/*
 * long_answers.h: a log whose reading fills many frames, and those who read it.
 */
#ifndef DEFTER_TESTS_LIB_LONG_ANSWERS_H
#define DEFTER_TESTS_LIB_LONG_ANSWERS_H

#include "tests/lib/node_fixture.h"

/* Large entries, so that one journal.read fills ANSWER_FRAMES_MAX frames. */
void long_answers_fill(const struct node_fixture *fixture);

/* Sends ${count} such journal.reads of the auditor over ${wire}, and reads no
 * answer. */
void long_answers_ask(const struct node_fixture *fixture, struct wire *wire,
                      int count);

#endif
