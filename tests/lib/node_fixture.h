/*
 * node_fixture.h: a whole node in this process, in a directory of its own, for
 * tests that speak with its port.
 *
 *   struct node_fixture fixture;
 *
 *   node_fixture_make(&fixture);     keys, certificate, genesis, options
 *   fixture.options.net.loops = 1;   what a test wants otherwise
 *   node_fixture_start(&fixture);
 *   node_fixture_people(&fixture);   by signed commands
 *   node_fixture_stop(&fixture);     drained; start again, or
 *   node_fixture_remove(&fixture);
 *
 * Whatever fails ends the test.
 */
#ifndef DEFTER_TESTS_LIB_NODE_FIXTURE_H
#define DEFTER_TESTS_LIB_NODE_FIXTURE_H

#include "server/node.h"
#include "tests/lib/wire_command.h"

enum { NODE_FIXTURE_PATH_SIZE = 256 };

struct node_fixture {
    char directory[NODE_FIXTURE_PATH_SIZE];
    struct options options;
    struct node *node; /* NULL: it does not run. */
    uint16_t port;
    struct identity authority;
    struct identity operator; /* ROLE_STAFF, holds ADM, assignment 1. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];

    /* node_fixture_people() */
    struct identity user;    /* Level 3, with a session. */
    struct identity other;   /* As user. */
    struct identity gateway; /* A carrier of kind EHIS. */
    struct identity auditor;
    uint32_t auditor_duty; /* All categories. */
};

void node_fixture_make(struct node_fixture *fixture);
/* Another node of the same cluster, before either has started: the same keys
 * and genesis in a directory of its own.  What it enters, the first does not
 * know. */
void node_fixture_twin(struct node_fixture *twin,
                       const struct node_fixture *fixture);
void node_fixture_start(struct node_fixture *fixture);
void node_fixture_stop(struct node_fixture *fixture);
void node_fixture_remove(struct node_fixture *fixture);

void node_fixture_people(struct node_fixture *fixture);

/* The fields that enrol a fresh key, with its proof; level 3. */
void node_fixture_enrolment(const struct node_fixture *fixture,
                            struct op_actor_enrol *out,
                            struct identity *identity_out, enum role role,
                            uint32_t organisation);

/* A new key of ${role}; level 3.  Gives its person. */
uint64_t node_fixture_enrol(struct node_fixture *fixture, struct wire *wire,
                            struct identity *identity_out, enum role role,
                            uint32_t organisation);

/* A key of the owner's staff for this test process alone, so that its strikes
 * are not held against others; enrolled by the first call. */
const struct identity *node_fixture_own(struct node_fixture *fixture);

/* A connection on which ${identity} is logged in. */
void node_fixture_login(const struct node_fixture *fixture, struct wire *wire,
                        const struct identity *identity, enum role role);

/* A connection after the handshake. */
void node_fixture_channel(const struct node_fixture *fixture,
                          struct wire *wire);

/* One item, signed by ${identity}, in a command of its own; gives the answer's
 * code. ${result_out} may be NULL. */
uint16_t node_fixture_do(const struct node_fixture *fixture, struct wire *wire,
                         const struct identity *identity, uint32_t duty,
                         uint16_t opcode, const void *fields, void *result_out);

/* The node still serves: a new connection logs in and has a ping entered. */
void node_fixture_serves(const struct node_fixture *fixture);

#endif
