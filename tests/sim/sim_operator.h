/*
 * sim_operator.h: what the two files of the operator share.
 */
#ifndef DEFTER_TESTS_SIM_SIM_OPERATOR_H
#define DEFTER_TESTS_SIM_SIM_OPERATOR_H

#include "tests/sim/sim.h"

/* The newest configuration that he signed; there is one. */
const struct register_view *sim_operator_last(const struct sim *sim);
bool sim_operator_reaches(const struct sim *sim, const struct sim_node *node);

/* A certificate goes to ${node}; ${error}: its number, if it is not lawful. */
void sim_paper_send(struct sim *sim, struct sim_node *node, struct slice config,
                    uint64_t error);
void sim_operator_signs(struct sim *sim, const struct config *config);
/* Whoever has not heard of the newest one hears of it. */
void sim_operator_sends(struct sim *sim);

#endif
