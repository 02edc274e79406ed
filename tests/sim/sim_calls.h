/*
 * sim_calls.h: what the files of the simulator do for each other; sim.h
 * includes it.
 */
#ifndef DEFTER_TESTS_SIM_SIM_CALLS_H
#define DEFTER_TESTS_SIM_SIM_CALLS_H

#include "tests/sim/sim.h"

/* sim_world.c */
void sim_open(struct sim *sim, const struct sim_options *options);
void sim_close(struct sim *sim);
int sim_run(struct sim *sim);
void sim_at(struct sim *sim, int64_t at, enum sim_event_type type,
            uint32_t node, uint64_t number, void *data);
void sim_fail(struct sim *sim, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_trace(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_mix(struct sim *sim, uint64_t value);

/* sim_node.c */
void sim_node_name(struct sim *sim, uint32_t number);
void sim_node_make(struct sim *sim, uint32_t number);
void sim_node_start(struct sim *sim, struct sim_node *node);
void sim_node_crash(struct sim *sim, struct sim_node *node);
void sim_node_close(struct sim_node *node);
void sim_node_fails(struct sim *sim, struct sim_node *node);
void sim_node_event(struct sim *sim, struct sim_node *node,
                    struct replica_event *event);
void sim_node_disk(struct sim *sim, struct sim_node *node);
/* Peer number of ${other} at ${node}, and back. */
size_t sim_peer(const struct sim *sim, uint32_t node, uint32_t other);
uint32_t sim_other(const struct sim *sim, uint32_t node, size_t peer);

/* sim_pipeline.c */
void sim_lead(struct sim *sim, struct sim_node *node,
              const struct replica_action *action);
void sim_enter(struct sim *sim, struct sim_node *node);
void sim_follow(struct sim *sim, struct sim_node *node);
void sim_commit(struct sim *sim, struct sim_node *node, uint64_t size);
void sim_command(struct sim *sim, struct sim_node *node, uint32_t op);
void sim_state_open(struct sim_node *node);
uint32_t sim_entry_op(struct slice entry);
uint64_t sim_entry_index(struct slice entry);

/* sim_net.c */
void sim_send(struct sim *sim, uint32_t from, uint32_t to, uint8_t type,
              struct slice body);
void sim_frame(struct sim *sim, const struct sim_event *event);
void sim_link_break(struct sim *sim, uint32_t a, uint32_t b);
void sim_link_connect(struct sim *sim, uint32_t a, uint32_t b);
void sim_links_of_crashed(struct sim *sim, uint32_t node);
void sim_cut(struct sim *sim, uint32_t from, uint32_t to, bool cut);

/* sim_register.c */
void sim_ask(struct sim *sim, struct sim_node *node,
             const struct replica_action *action);
void sim_register_event(struct sim *sim, const struct sim_event *event);
void sim_answer_event(struct sim *sim, const struct sim_event *event);
void sim_watch_event(struct sim *sim, const struct sim_event *event);
void sim_lease(struct sim *sim, struct sim_node *node);
bool sim_register_config(const struct sim *sim, struct config *out);

/* sim_keys.c */
#define SIM_EPOCH_OP UINT32_MAX /* EPOCH is no client's operation. */
bool sim_key_used(uint32_t op);
bool sim_key_known(const struct sim_node *node, uint32_t op);
void sim_key_make(struct sim_node *node, uint32_t op, uint64_t index);
void sim_keys_send(struct sim *sim, struct sim_node *node,
                   const struct replica_action *action);
struct storage_keys sim_keys_of(struct sim_node *node);

/* sim_operator.c */
void sim_operator(struct sim *sim);
void sim_certified(struct sim *sim, const struct sim_event *event);
void sim_verify(struct sim *sim, struct sim_node *node,
                struct slice certificate);

/* sim_faults.c, sim_moments.c, sim_atlas.c */
void sim_fault(struct sim *sim);

/* A place of the log of a node that may be damaged. */
struct fault_place {
    struct sim_node *node;
    char name[DISK_NAME_SIZE_MAX];
    uint64_t index;
    uint64_t offset;
};
/* False if entry ${index} lies nowhere.  Requires: it is in the journal. */
bool sim_fault_place(struct sim *sim, struct fault_place *out,
                     struct sim_node *node, uint64_t index);
void sim_fault_damage(struct sim *sim, const struct fault_place *place);
/* ${node} takes a role in which it goes by its log, or by another's. */
void sim_moment(struct sim *sim, struct sim_node *node, enum replica_role role);
bool sim_atlas_holds(struct sim *sim, struct sim_node *node);
bool sim_atlas_allows(struct sim *sim, const struct sim_node *victim);
void sim_atlas_review(struct sim *sim);

/* sim_heal.c */
void sim_heal(struct sim *sim);
/* Whether rest can be demanded at all. */
void sim_heal_judge(struct sim *sim);
bool sim_healed(struct sim *sim);

/* sim_clients.c */
/* ${number}: the client, and its attempt << 32. */
void sim_client(struct sim *sim, uint64_t number);
void sim_reply(struct sim *sim, uint32_t op, bool done, uint64_t index);

/* sim_checks.c */
void sim_check_durable(struct sim *sim, struct sim_node *node, uint64_t index,
                       const uint8_t leaf[HASH_SIZE]);
void sim_saw_made(struct sim *sim, const uint8_t leaf[HASH_SIZE]);
void sim_check_shipped(struct sim *sim, uint32_t from, uint8_t type,
                       struct slice body);
void sim_check_state(struct sim *sim, struct sim_node *one,
                     struct sim_node *other);
void sim_check_segments(struct sim *sim, struct sim_node *one,
                        struct sim_node *other);
void sim_check_aside(struct sim *sim, struct sim_node *node,
                     const struct storage_job *job, uint64_t size_before);
void sim_check_bounds(struct sim *sim, struct sim_node *node);
void sim_judge_away(struct sim *sim);

/* sim_oracle.c */
void sim_saw_commit(struct sim *sim, struct sim_node *node, uint64_t index,
                    const uint8_t leaf[HASH_SIZE]);
void sim_saw_lead(struct sim *sim, struct sim_node *node);
void sim_saw_config(struct sim *sim, const struct config *newer,
                    const struct config *older, struct slice older_bytes);
/* A new value of the register, or a new certificate. */
void sim_register_put(struct sim *sim, struct slice value);
void sim_judge_end(struct sim *sim);
void sim_dump(struct sim *sim);

#endif
