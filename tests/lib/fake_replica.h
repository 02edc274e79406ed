/*
 * fake_replica.h: stands where replication/replica.c and storage.c do, so that
 * their host can be tested alone.  It writes down what it is told, and does
 * what the test's script says.
 *
 * Its names are weak: where the real ones are linked too, a program has both.
 */
#ifndef DEFTER_TESTS_LIB_FAKE_REPLICA_H
#define DEFTER_TESTS_LIB_FAKE_REPLICA_H

#include "replication/replica.h"

enum { FAKE_EVENTS_MAX = 4096, FAKE_BODY_SIZE_MAX = 64 };

/* An event as it came; ticks are only counted. */
struct fake_event {
    struct replica_event event;       /* What it points to is gone, but for: */
    uint8_t body[FAKE_BODY_SIZE_MAX]; /* Of frames and certificates. */
    size_t body_size;
    uint64_t view_revision;
};

/*
 * What the replica answers: called at each event, by the host's thread, with
 * the replica whose node_id is filled with ${number}.
 */
typedef void fake_script(uint8_t number, struct replica_actions *actions,
                         const struct replica_event *event);
extern uint32_t fake_replica_halted; /* As the newest was opened. */
extern fake_script *fake_replica_script;

/* One more action; its other fields are the caller's to fill in. */
struct replica_action *fake_act(struct replica_actions *actions,
                                enum replica_action_type type);

/* Any thread.  How many events of ${type} came to node ${number}, and the
 * newest of them. */
size_t fake_replica_count(uint8_t number, enum replica_event_type type);
struct fake_event fake_replica_newest(uint8_t number,
                                      enum replica_event_type type);
/* Waits until there were ${least}. */
void fake_replica_await(uint8_t number, enum replica_event_type type,
                        size_t least);

/* What replica_status() says of health and the minimum; what replica_config()
 * gives, or "". */
void fake_replica_set_healthy(bool healthy);
void fake_replica_set_minimum(uint8_t minimum);
void fake_replica_set_nodes(const struct replica_member_status *nodes,
                            size_t count);
void fake_replica_set_config(const char *config);

/* While the disk is stopped, storage_run() waits. */
void fake_disk_stop(void);
void fake_disk_go(void);

#endif
