/*
 * seats.h: a register in memory, for hosts in one process.
 */
#ifndef DEFTER_TESTS_LIB_SEATS_H
#define DEFTER_TESTS_LIB_SEATS_H

#include "server/cluster/register.h"

/* Numbers below it: a node is the byte that its node_id is filled with. */
enum { SEATS_MAX = 16 };

/* Where one host sits; ${number} is set by the test. */
struct seat {
    uint8_t number;
    struct cluster_register_events events;
};

/* All seats share one register.  Owns: ${seat} is lent for as long. */
struct cluster_register seats_register(struct seat *seat);

#endif
