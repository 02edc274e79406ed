/*
 * register.h: the register, which holds the cluster's configuration and changes
 * it by compare-and-swap alone (REPLICATION, section 5).
 *
 * Behind it stand etcd (server/cluster/register_etcd), and the simulator's own.
 * Nothing rests on reading it: a value read may be old, and only a proposal
 * that is known to be won counts.
 */
#ifndef DEFTER_REPLICATION_REGISTER_H
#define DEFTER_REPLICATION_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/limits.h"

enum { REGISTER_VALUE_SIZE_MAX = CONFIG_SIZE_MAX, REGISTER_GUARDS_MAX = 8 };

/* What is asked of it. */
enum register_call { REGISTER_READ, REGISTER_CAS, REGISTER_INCARNATION };

/* The incarnation of a node that must still be registered. */
struct register_guard {
    uint8_t node_id[NODE_ID_SIZE];
    uint64_t incarnation;
};

struct register_proposal {
    uint64_t token;    /* The proposer's number; given back with the answer. */
    uint64_t revision; /* The value must still stand at it; 0: none may. */
    uint64_t number;   /* Of the new configuration, for its history. */
    uint8_t value[REGISTER_VALUE_SIZE_MAX];
    size_t value_size;
    struct register_guard guards[REGISTER_GUARDS_MAX];
    size_t guards_count;
    bool guard_alive; /* ${alive} must show no sign of life. */
    uint8_t alive[NODE_ID_SIZE];
};

enum register_outcome {
    REGISTER_WON,      /* Known: the value stands. */
    REGISTER_LOST,     /* Known: the revision moved on. */
    REGISTER_REJECTED, /* A guard failed at the same revision: settles
                        * nothing. */
    REGISTER_UNKNOWN   /* No answer: it may be carried out later. */
};

/* A value seen; value_size 0: there is none. */
struct register_view {
    uint64_t revision;
    uint8_t value[REGISTER_VALUE_SIZE_MAX];
    size_t value_size;
};

#endif
