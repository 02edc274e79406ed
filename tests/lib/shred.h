/*
 * shred.h: a node with two subjects and the persons who can have their data
 * destroyed, and what they and the node do for it.  One for the whole suite.
 */
#ifndef DEFTER_TESTS_LIB_SHRED_H
#define DEFTER_TESTS_LIB_SHRED_H

#include "server/pipeline/erasure.h"
#include "tests/lib/pipeline_rig.h"

enum {
    SHRED_OWNER = 1,
    SHRED_VOEN = 1400057421,
    SHRED_VOEN_OTHER = 1401555071
};
/* Persons and assignments have the same numbers. */
enum {
    SHRED_ADMIN = 1,
    SHRED_OFFICER,
    SHRED_HEAD,
    SHRED_KEEPER,
    SHRED_REGISTRAR,
    SHRED_PEOPLE
};

extern struct rig shred_rig;
extern struct identity shred_people[SHRED_PEOPLE];

/* Acts are executed at once. */
void shred_begin(void);

/* ${who} gives a command; its code.  shred_done(): which is 0. */
uint16_t shred_run(uint32_t who, uint16_t opcode, uint64_t subject,
                   uint32_t duty, const void *fields);
void shred_done(uint32_t who, uint16_t opcode, uint64_t subject, uint32_t duty,
                const void *fields);
/* The node tries; it does, with code 0. */
uint16_t shred_node_tries(uint16_t opcode, const void *fields);
void shred_node_does(uint16_t opcode, const void *fields);

/* An act about the subject's ${keys}, up to its order; its number. */
uint32_t shred_order(uint64_t voen, uint16_t keys);
/* The node executes it, destroys the keys (how many), and confirms that
 * (whether there was anything to be confirmed). */
void shred_erase(uint32_t act);
size_t shred_bury(void);
bool shred_confirm(void);

#endif
