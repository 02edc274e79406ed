/*
 * centres.h: the main and the backup centre, with everybody whom a change of
 * primary concerns, over the registry's rules.
 *
 *   struct centres scene;
 *
 *   centres_open(&scene);
 *   centres_takes_over(&scene, &scene.backup, 90);
 *   centres_enter_owed(&scene);
 *   centres_close(&scene);
 */
#ifndef DEFTER_TESTS_LIB_CENTRES_H
#define DEFTER_TESTS_LIB_CENTRES_H

#include "server/registry/continuity.h"
#include "server/registry/failover.h"
#include "server/registry/incident.h"
#include "server/registry/notice.h"
#include "tests/lib/registry_fixture.h"

struct centres {
    struct fixture fixture;
    struct fixture_actor *primary; /* fixture.node at first. */
    struct fixture_actor backup;   /* Enrolled, with centres_node(2). */
    struct fixture_actor operator; /* OPS */
    struct fixture_actor head;     /* DIR */
    struct fixture_actor security; /* SEC */
    struct fixture_actor portal;   /* Coordinating body of P, */
    struct fixture_actor registry; /* and of R, as the settings say. */
    struct fixture_actor cloud;
    struct fixture_actor supplier; /* SUP of a body, */
    struct fixture_actor asker;    /* REQ of an institution. */
    uint32_t provider;             /* An organisation that is no participant. */
};

void centres_open(struct centres *scene);
void centres_close(struct centres *scene);

/* Ids of nodes: the genesis' is 1, the backup's 2. */
struct bytes16 centres_node(uint8_t number);

/* The fields of a node's enrolment, and its key. */
void centres_enrolment(struct centres *scene, struct op_node_enrol *out,
                       struct identity *identity_out, uint8_t number,
                       enum node_role role);
void centres_enrol_node(struct centres *scene, struct fixture_actor *actor_out,
                        uint8_t number, enum node_role role);

/* ${node} begins the next epoch ${pause_s} seconds after the last entry. */
void centres_takes_over(struct centres *scene, struct fixture_actor *node,
                        uint32_t pause_s);

/* Enter what the primary owes now, which has to be accepted; how much. */
uint32_t centres_enter_owed(struct centres *scene);

/* An order of ${realm}: asked for by those who have to, until tomorrow. */
struct op_failover_request centres_order(const struct centres *scene,
                                         uint8_t name,
                                         enum continuity_realm realm,
                                         enum failover_kind kind,
                                         uint8_t target);
enum status centres_ask(struct centres *scene,
                        const struct fixture_actor *actor,
                        const struct op_failover_request *in);
enum status centres_approve(struct centres *scene,
                            const struct fixture_actor *actor, uint8_t name);
/* A standing order over any node from now until tomorrow. */
struct op_failover_order centres_standing(const struct centres *scene,
                                          enum continuity_realm realm);

/* What stands in the rows now. */
struct row_downtime centres_downtime(struct centres *scene, uint32_t number);
struct row_incident centres_incident(struct centres *scene, uint32_t number);
struct row_failover centres_failover(struct centres *scene, uint32_t number);
/* Notices of ${kind} to ${organisation}; the newest is in ${row_out} if not
 * NULL. */
uint32_t centres_notices(struct centres *scene, struct row_notice *row_out,
                         uint32_t organisation, enum notice_kind kind);

#endif
