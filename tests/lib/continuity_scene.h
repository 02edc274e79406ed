/*
 * continuity_scene.h: a cluster of two nodes with everybody whom a change of
 * primary concerns, over the registry's rules.
 *
 *   struct scene scene;
 *
 *   scene_open(&scene);
 *   scene_takes_over(&scene, &scene.backup);
 *   scene_enter_owed(&scene);
 *   scene_close(&scene);
 */
#ifndef DEFTER_TESTS_LIB_CONTINUITY_SCENE_H
#define DEFTER_TESTS_LIB_CONTINUITY_SCENE_H

#include "server/registry/continuity.h"
#include "server/registry/failover.h"
#include "server/registry/incident.h"
#include "server/registry/notice.h"
#include "tests/lib/registry_fixture.h"

struct scene {
    struct fixture fixture;
    struct fixture_actor *primary; /* fixture.node at first. */
    struct fixture_actor backup;   /* Enrolled, with scene_node(2). */
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

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

/* Ids of nodes: the genesis' is 1, the backup's 2. */
struct bytes16 scene_node(uint8_t number);

/* The fields of a node's enrolment, and its key. */
void scene_enrolment(struct scene *scene, struct op_node_enrol *out,
                     struct identity *identity_out, uint8_t number,
                     enum node_role role);
void scene_enrol_node(struct scene *scene, struct fixture_actor *actor_out,
                      uint8_t number, enum node_role role);

/* ${node} begins the next epoch ${pause_s} seconds after the last entry. */
void scene_takes_over(struct scene *scene, struct fixture_actor *node,
                      uint32_t pause_s);

/* Enter what the primary owes now, which has to be accepted; how much. */
uint32_t scene_enter_owed(struct scene *scene);

/* An order of ${realm}: asked for by those who have to, until tomorrow. */
struct op_failover_request scene_order(const struct scene *scene, uint8_t name,
                                       enum continuity_realm realm,
                                       enum failover_kind kind, uint8_t target);
enum status scene_ask(struct scene *scene, const struct fixture_actor *actor,
                      const struct op_failover_request *in);
enum status scene_approve(struct scene *scene,
                          const struct fixture_actor *actor, uint8_t name);
/* A standing order over any node from now until tomorrow. */
struct op_failover_order scene_standing(const struct scene *scene,
                                        enum continuity_realm realm);

/* What stands in the rows now. */
struct row_downtime scene_downtime(struct scene *scene, uint32_t number);
struct row_incident scene_incident(struct scene *scene, uint32_t number);
struct row_failover scene_failover(struct scene *scene, uint32_t number);
/* Notices of ${kind} to ${organisation}; the newest is in ${row_out} if not
 * NULL. */
uint32_t scene_notices(struct scene *scene, struct row_notice *row_out,
                       uint32_t organisation, enum notice_kind kind);

#endif
