/*
 * cluster_clock.h: the clocks of the node's real environment; replication/
 * itself reads none.
 */
#ifndef DEFTER_SERVER_CLUSTER_CLUSTER_CLOCK_H
#define DEFTER_SERVER_CLUSTER_CLUSTER_CLOCK_H

#include <stdint.h>

/* Milliseconds since the machine started, sleep included; never falls. */
int64_t cluster_clock_ms(void);

/* Microseconds since 1970, as the machine believes. */
int64_t cluster_clock_wall_us(void);

#endif
