/*
 * manual_rig.h: one replica alone (replica_rig.h) among A, B and the archive Z,
 * where the operator's certificates decide, and the certificates.
 */
#ifndef DEFTER_TESTS_LIB_MANUAL_RIG_H
#define DEFTER_TESTS_LIB_MANUAL_RIG_H

#include "tests/lib/replica_rig.h"

extern struct replica_rig manual_rig;
extern struct rig_log manual_log; /* Of A; what tests send of it. */
/* What was certified last, and its bytes; what is to be certified next. */
extern struct sample_config manual_newest;

void manual_begin(char self);
/* A, that leads alone under the first certificate, with one entry. */
void manual_begin_alone(uint8_t minimum);
/* A and B in sync, with that minimum. */
void manual_begin_pair(uint8_t minimum);

/* The certificate of ${config}; the bytes are overwritten by the next call. */
struct slice manual_certificate(const struct sample_config *config);
/* The replica is handed a verified certificate: ${bytes}; manual_newest's; the
 * first one, A alone. */
void manual_certified(struct slice bytes);
void manual_certify(void);
void manual_first(uint8_t minimum);
/* manual_newest becomes a successor of itself, for the test to change. */
void manual_next(enum config_why why);

/* Four seconds; as many milliseconds, nobody being heard. */
void manual_go(void);
void manual_pass(int64_t ms);
void manual_vouch_for_b(void);

#endif
