/*
 * node_expect.h: what a node answers to a bad input, and what becomes of the
 * connection, as tests say it in one line.
 */
#ifndef DEFTER_TESTS_LIB_NODE_EXPECT_H
#define DEFTER_TESTS_LIB_NODE_EXPECT_H

#include "tests/lib/node_fixture.h"

/* How far a connection is: the channel open; logged in with the process's own
 * key. */
enum node_expect_phase { EXPECT_CHAN, EXPECT_OPEN };
void node_expect_begin(struct node_fixture *fixture, struct wire *wire,
                       enum node_expect_phase phase);

/* A fixture whose limits are no hindrance to tests of other things. */
void node_expect_make(struct node_fixture *fixture);

/* An ERROR of ${status} comes, and then the end. */
void node_expect_end(struct wire *wire, enum status status);
/* An ERROR of ${status} comes, and the connection lives; it is closed here. */
void node_expect_refusal(struct wire *wire, enum status status);

/* A PING with a TLV tail, as the next request; its PONG comes. */
void node_expect_ping(struct wire *wire, struct slice tail);
void node_expect_pong(struct wire *wire);

/* A figure of the status, asked for over ${wire}. */
uint64_t node_expect_figure(struct wire *wire, const char *name);

/* A journal.watch from ${from} is granted to the auditor, whose ${wire} it is;
 * the index of its entry. */
uint64_t node_expect_grant(const struct node_fixture *fixture,
                           struct wire *wire, uint64_t from,
                           uint16_t categories);

/* An ERROR of ${status} to a command's body, for the request alone. */
void node_expect_error(struct wire *wire, struct slice body,
                       enum status status);

#endif
