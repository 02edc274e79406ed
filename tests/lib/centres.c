#include "tests/lib/centres.h"

#include <string.h>

#include <check.h>

#include "protocol/dates.h"
#include "protocol/enrol.h"

struct bytes16 centres_node(uint8_t number)
{
    return (struct bytes16){{number}};
}

void centres_enrolment(struct centres *scene, struct op_node_enrol *out,
                       struct identity *identity_out, uint8_t number,
                       enum node_role role)
{
    struct enrol_claim claim = {
        .role = (uint16_t)(ENROL_NODE_ROLES + (unsigned)role), .level = 3};

    fixture_identity(&scene->fixture, identity_out);
    *out = (struct op_node_enrol){
        .node_id = centres_node(number),
        .label = fixture_text("ehtiyat"),
        .role = (uint8_t)role,
        .receipt_key = fixture_public_key(identity_out),
        .channel_key = fixture_digest((uint8_t)(0x40 + number)),
        .address = fixture_text("127.0.0.1:7401"),
        .basis = fixture_digest(8)};
    enrol_prove(out->proof.b, &claim, scene->fixture.services.cluster_id,
                identity_out);
}

void centres_enrol_node(struct centres *scene, struct fixture_actor *actor_out,
                        uint8_t number, enum node_role role)
{
    struct op_node_enrol in;

    memset(actor_out, 0, sizeof *actor_out);
    centres_enrolment(scene, &in, &actor_out->identity, number, role);
    ck_assert_int_eq(fixture_run(&scene->fixture, &scene->fixture.operator,
                                 OPCODE_NODE_ENROL, &in, 0, 0, 1, NULL),
                     ST_OK);
}

static void name_coordinator(struct centres *scene,
                             struct fixture_actor *actor_out, uint16_t setting)
{
    struct fixture *fixture = &scene->fixture;
    struct op_config_change in = {.setting = setting,
                                  .note = fixture_text("order"),
                                  .basis = fixture_digest(6)};
    uint32_t body = fixture_organisation(fixture, ORGANISATION_COORDINATOR, 0);

    fixture_enrol(fixture, actor_out, ROLE_COORDINATOR, 3, body);
    in.value = body;
    ck_assert_int_eq(fixture_run(fixture, &scene->head, OPCODE_CONFIG_CHANGE,
                                 &in, 0, 0, scene->head.duty, NULL),
                     ST_OK);
}

void centres_open(struct centres *scene)
{
    struct fixture *fixture = &scene->fixture;

    memset(scene, 0, sizeof *scene);
    fixture_open(fixture);
    scene->primary = &fixture->node;
    fixture_staff(fixture, &scene->operator, DUTY_OPS);
    fixture_staff(fixture, &scene->head, DUTY_DIR);
    fixture_staff(fixture, &scene->security, DUTY_SEC);
    name_coordinator(scene, &scene->portal, SETTING_coordinator_portal);
    name_coordinator(scene, &scene->registry, SETTING_coordinator_registry);
    fixture_enrol(fixture, &scene->cloud, ROLE_CLOUD, 3,
                  fixture_organisation(fixture, ORGANISATION_CLOUD, 0));
    fixture_participant(
        fixture, &scene->supplier,
        fixture_organisation(fixture, ORGANISATION_BODY_WITH_SYSTEM, 1),
        DUTY_SUP);
    fixture_participant(
        fixture, &scene->asker,
        fixture_organisation(fixture, ORGANISATION_INSTITUTION, 0), DUTY_REQ);
    scene->provider = fixture_organisation(fixture, ORGANISATION_PROVIDER, 0);
    centres_enrol_node(scene, &scene->backup, 2, NODE_SERVER);
}

void centres_close(struct centres *scene)
{
    fixture_close(&scene->fixture);
}

void centres_takes_over(struct centres *scene, struct fixture_actor *node,
                        uint32_t pause_s)
{
    struct op_system_epoch in = {.epoch = ++scene->fixture.epoch};

    /* The fixture's clock is one second on already. */
    scene->fixture.log_time += (pause_s - 1) * DATES_US_PER_SECOND;
    ck_assert_int_eq(fixture_run(&scene->fixture, node, OPCODE_SYSTEM_EPOCH,
                                 &in, 0, 0, 0, NULL),
                     ST_OK);
    scene->primary = node;
}

uint32_t centres_enter_owed(struct centres *scene)
{
    struct continuity_owed owed[CONTINUITY_OWED_MAX];
    uint32_t count =
        continuity_owed(scene->fixture.state, owed, CONTINUITY_OWED_MAX,
                        scene->fixture.log_time);

    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(fixture_run(&scene->fixture, scene->primary,
                                     owed[i].opcode, &owed[i].fields, 0, 0, 0,
                                     NULL),
                         ST_OK);
    return count;
}

struct op_failover_request centres_order(const struct centres *scene,
                                         uint8_t name,
                                         enum continuity_realm realm,
                                         enum failover_kind kind,
                                         uint8_t target)
{
    return (struct op_failover_request){
        .order = {{name}},
        .for_realm = (uint8_t)realm,
        .kind = (uint8_t)kind,
        .target = centres_node(target),
        .head = scene->fixture.index,
        .until = scene->fixture.log_time + DATES_US_PER_DAY,
        .reason = fixture_text("the main centre is down")};
}

enum status centres_ask(struct centres *scene,
                        const struct fixture_actor *actor,
                        const struct op_failover_request *in)
{
    return fixture_run(&scene->fixture, actor, OPCODE_FAILOVER_REQUEST, in, 0,
                       0, actor->duty, NULL);
}

enum status centres_approve(struct centres *scene,
                            const struct fixture_actor *actor, uint8_t name)
{
    struct op_failover_approve in = {.order = {{name}}};

    return fixture_run(&scene->fixture, actor, OPCODE_FAILOVER_APPROVE, &in, 0,
                       0, actor->duty, NULL);
}

struct op_failover_order centres_standing(const struct centres *scene,
                                          enum continuity_realm realm)
{
    return (struct op_failover_order){.for_realm = (uint8_t)realm,
                                      .from = scene->fixture.log_time,
                                      .to = scene->fixture.log_time +
                                            DATES_US_PER_DAY,
                                      .automatic = true,
                                      .times = 1,
                                      .basis = fixture_digest(7)};
}

struct row_downtime centres_downtime(struct centres *scene, uint32_t number)
{
    struct row_downtime row = {.number = number};

    ck_assert(state_get(scene->fixture.state, TABLE_DOWNTIME, &row));
    return row;
}

struct row_incident centres_incident(struct centres *scene, uint32_t number)
{
    struct row_incident row = {.number = number};

    ck_assert(state_get(scene->fixture.state, TABLE_INCIDENT, &row));
    return row;
}

struct row_failover centres_failover(struct centres *scene, uint32_t number)
{
    struct row_failover row = {.number = number};

    ck_assert(state_get(scene->fixture.state, TABLE_FAILOVER, &row));
    return row;
}

uint32_t centres_notices(struct centres *scene, struct row_notice *row_out,
                         uint32_t organisation, enum notice_kind kind)
{
    struct row_notice row = {.organisation = organisation};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(scene->fixture.state, &scan, INDEX_NOTICE_BY_ORGANISATION,
                    &row, (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (row.kind != (uint8_t)kind)
            continue;
        count++;
        if (row_out != NULL)
            *row_out = row;
    }
    state_scan_close(&scan);
    return count;
}
