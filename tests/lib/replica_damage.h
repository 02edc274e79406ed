/*
 * replica_damage.h: one replica whose log is damaged, and what its tests do to
 * it.  The rig is one for the whole suite.
 */
#ifndef DEFTER_TESTS_LIB_REPLICA_DAMAGE_H
#define DEFTER_TESTS_LIB_REPLICA_DAMAGE_H

#include "tests/lib/replica_rig.h"

extern struct replica_rig damage_rig;
extern struct rig_log damage_log_a, damage_log_b;

/* B is in sync under A, has ${size} entries of log_a and knows ${committed} of
 * them to be committed. */
void damage_begin(size_t size, uint64_t committed);
/* The same with 6 and 3; the last rots, which was acknowledged. */
void damage_begin_lost(void);

/* The frame of entry ${index} rots where it lies. */
void damage_rot(uint64_t index);
void damage_restart(void);

/* ${peer} asks, or begins an epoch. */
void damage_fetch(char peer, uint64_t first, uint32_t count);
void damage_newepoch(char peer, uint32_t epoch);

/* What ${peer} was asked for last, from ${log}; or nothing. */
void damage_give(char peer, const struct rig_log *log);
void damage_give_nothing(char peer, enum peer_fetch_result result);

#endif
