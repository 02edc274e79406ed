/*
 * node_staff.h: people of a running node's owner with a duty, and what stands
 * in its registry, made by signed commands over its port.
 */
#ifndef DEFTER_TESTS_LIB_NODE_STAFF_H
#define DEFTER_TESTS_LIB_NODE_STAFF_H

#include "server/registry/rows.h"
#include "tests/lib/node_fixture.h"

struct node_staff {
    struct identity identity;
    uint32_t assignment;
};

/* A new person of the owner's staff, with ${duty} that he has acknowledged. */
void node_staff_enrol(struct node_fixture *fixture, struct node_staff *out,
                      enum duty duty);

/* The code of one item about ${subject}, signed by ${staff} under his duty. The
 * answer, which must be one (an entry was made), is in ${answer_out}. */
uint16_t node_staff_do(const struct node_fixture *fixture,
                       const struct node_staff *staff, uint16_t opcode,
                       const void *fields, uint64_t subject, uint32_t purpose,
                       struct wire_answer *answer_out);

/* A purpose for all sections and askers, by a data officer. */
void node_staff_purpose(struct node_fixture *fixture, uint32_t number);

#endif
