/*
 * sim_full.h: full mode (DESIGN, full mode): each node has the server's own
 * pipeline, state machine, keyring and state.db in the place of the model. What
 * the rest of the simulator calls of it; sim_full_parts.h has the rest.
 */
#ifndef DEFTER_TESTS_SIM_SIM_FULL_H
#define DEFTER_TESTS_SIM_SIM_FULL_H

#include "tests/sim/sim.h"

/* ---- The world (sim_full_world.c) --------------------------------------- */

/* Order: the nodes have their ids. */
void sim_full_open(struct sim *sim);
void sim_full_close(struct sim *sim);
/* The wall clock of ${node}; NULL: the true one. */
int64_t sim_full_wall(const struct sim *sim, const struct sim_node *node);
const uint8_t *sim_full_cluster(const struct sim *sim);

/* ---- Nodes (sim_full_node.c) -------------------------------------------- */

void sim_full_make(struct sim *sim, struct sim_node *node);
/* Journal and meta are open: the rest.  ST_OK; ST_DISK_FAILED: try again. */
enum status sim_full_start(struct sim *sim, struct sim_node *node);
/* The process is gone, with all that it held. */
void sim_full_end(struct sim_node *node);
void sim_full_wipe(struct sim_node *node);
void sim_full_lose_power(struct sim *sim, struct sim_node *node);
void sim_full_keep_older(struct sim_node *node);
void sim_full_put_older(struct sim_node *node);
/* Something of the databases' disk fails. */
void sim_full_fault(struct sim *sim, struct sim_node *node);

/* ---- What the replica tells (sim_full_role.c) --------------------------- */

void sim_full_lead(struct sim *sim, struct sim_node *node,
                   const struct replica_action *action);
void sim_full_follow(struct sim *sim, struct sim_node *node);
void sim_full_commit(struct sim *sim, struct sim_node *node, uint64_t size);
void sim_full_drain(struct sim *sim, struct sim_node *node, bool on);
bool sim_full_is_idle(struct sim_node *node);
/* After each step of the replica, and now and again. */
void sim_full_stepped(struct sim *sim, struct sim_node *node);
void sim_full_tick(struct sim *sim, struct sim_node *node);
/* Its log came so far once that it may lead. */
bool sim_full_was_enrolled(const struct sim_node *node);
void sim_full_keys_send(struct sim *sim, struct sim_node *node,
                        const struct replica_action *action);
struct storage_keys sim_full_keys(struct sim_node *node);

/* ---- Threads (sim_full_turns.c) ----------------------------------------- */

void sim_full_turn(struct sim *sim, const struct sim_event *event);
void sim_full_submitted(struct sim *sim, const struct sim_event *event);

/* ---- Commands (sim_full_ops.c) ------------------------------------------ */

/* Makes operation ${op}'s command. */
void sim_full_op(struct sim *sim, uint32_t op);
/* Whether client ${number} has to wait for the setup. */
bool sim_full_waits(struct sim *sim, uint32_t number);
void sim_full_command(struct sim *sim, struct sim_node *node, uint32_t op);

/* ---- What must hold (sim_full_checks.c, sim_full_judge.c) --------------- */

/* What ${node} applied since the last time. */
void sim_full_look(struct sim *sim, struct sim_node *node);
bool sim_full_has_keys(struct sim_node *node, struct slice entry);
void sim_full_judge(struct sim *sim, struct sim_node *primary);

#endif
