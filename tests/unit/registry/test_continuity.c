#include <string.h>

#include "protocol/dates.h"
#include "tests/lib/centres.h"
#include "tests/lib/suite.h"

static struct centres scene;

static enum status activate(enum continuity_realm realm, uint32_t failover,
                            uint32_t standing)
{
    struct op_failover_activate in = {.for_realm = (uint8_t)realm,
                                      .epoch = scene.fixture.epoch,
                                      .failover = failover,
                                      .standing = standing};

    return fixture_run(&scene.fixture, scene.primary, OPCODE_FAILOVER_ACTIVATE,
                       &in, 0, 0, 0, NULL);
}

/* Any operation of realm R, by who may do it. */
static enum status work_in(uint8_t realm)
{
    struct op_system_ping in = {.text = fixture_text("")};
    enum status code;

    scene.fixture.realm = realm;
    code = fixture_run(&scene.fixture, &scene.operator, OPCODE_SYSTEM_PING, &in,
                       0, 0, scene.operator.duty, NULL);
    scene.fixture.realm = 'R';
    return code;
}

static uint32_t stand(enum continuity_realm realm,
                      const struct fixture_actor *actor)
{
    struct op_failover_order in = centres_standing(&scene, realm);
    struct result_failover_order out;

    ck_assert_int_eq(fixture_run(&scene.fixture, actor, OPCODE_FAILOVER_ORDER,
                                 &in, 0, 0, actor->duty, &out),
                     ST_OK);
    return out.standing;
}

START_TEST(
    T_P_6_1_4_the_new_primary_enters_incident_notices_activation_and_stoppage)
{
    struct row_notice notice;
    struct row_downtime down;
    struct row_failover failover;
    int64_t before;

    centres_open(&scene);
    before = state_head(scene.fixture.state)->log_time;
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_int_eq(work_in('P'), ST_OK);
    /* First the incident with its notices, then the activation of P. */
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert_uint_eq(centres_enter_owed(&scene), 0);
    ck_assert_uint_eq(centres_incident(&scene, 1).epoch, 2);
    ck_assert_uint_eq(centres_incident(&scene, 1).notices, 4);
    ck_assert_uint_eq(centres_notices(&scene, &notice,
                                      scene.supplier.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    ck_assert_uint_eq(notice.realms, CONTINUITY_REALMS_ALL);
    ck_assert_int_eq(notice.created, centres_incident(&scene, 1).opened);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.asker.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    ck_assert_uint_eq(centres_notices(&scene, &notice,
                                      scene.portal.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    ck_assert_uint_eq(notice.realms, CONTINUITY_BIT(CONTINUITY_PORTAL));
    /* Neither users nor providers are on the list. */
    ck_assert_uint_eq(
        centres_notices(&scene, NULL, scene.provider, NOTICE_INCIDENT_OPENED),
        0);
    failover = centres_failover(&scene, 1);
    ck_assert_uint_eq(failover.realm, CONTINUITY_PORTAL);
    ck_assert_uint_eq(failover.state, FAILOVER_ACTIVATED);
    ck_assert_uint_eq(failover.incident, 1);
    down = centres_downtime(&scene, 1);
    ck_assert_uint_eq(down.realm, CONTINUITY_PORTAL);
    ck_assert_int_eq(down.from, before);
    ck_assert_int_eq(down.to, before + 90 * DATES_US_PER_SECOND);
    ck_assert_uint_eq(down.incident, 1);
    ck_assert_uint_eq(down.kind, DOWNTIME_UNPLANNED);
    centres_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_5a_without_approval_or_order_the_registry_stays_closed)
{
    struct op_auth_open session = {.lifetime_s = 0};

    centres_open(&scene);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert(!continuity_realm_open(scene.fixture.state, 'R'));
    ck_assert(continuity_realm_open(scene.fixture.state, 'P'));
    ck_assert(continuity_realm_open(scene.fixture.state, 0));
    ck_assert_uint_eq(centres_enter_owed(&scene), 2); /* R is not owed. */
    /* Tried all the same: an entry, and refused. */
    ck_assert_int_eq(activate(CONTINUITY_REGISTRY, 0, 0), ST_NO_BASIS);
    ck_assert_int_eq(work_in('R'), ST_WRONG_STATE);
    ck_assert_int_eq(work_in('P'), ST_OK);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.operator,
                                 OPCODE_AUTH_OPEN, &session, 0, 0, 0, NULL),
                     ST_OK);
    /* The stoppage of R goes on, and so does the incident. */
    ck_assert_int_eq(centres_downtime(&scene, 2).to, 0);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_OPEN);
    /* A restart of the new primary changes nothing in that. */
    centres_takes_over(&scene, &scene.backup, 2);
    ck_assert(!continuity_realm_open(scene.fixture.state, 'R'));
    ck_assert_uint_eq(centres_enter_owed(&scene), 0);
    centres_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_5b_request_approval_activation_and_notices_in_that_order)
{
    struct op_failover_request in;
    struct row_notice told, activated;
    struct row_failover row;
    uint32_t number;

    centres_open(&scene);
    centres_takes_over(&scene, &scene.backup, 90);
    (void)centres_enter_owed(&scene);
    in = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 2);
    in.incident = 1;
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 1),
                     ST_SECOND_PERSON);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_uint_eq(centres_notices(&scene, &told,
                                      scene.registry.organisation,
                                      NOTICE_FAILOVER_REQUESTED),
                      1);
    number = told.failover;
    ck_assert_int_eq(activate(CONTINUITY_REGISTRY, number, 0), ST_NO_BASIS);
    /* The body of the other realm, and the head, do not decide on R. */
    ck_assert_int_eq(centres_approve(&scene, &scene.portal, 1), ST_NO_DUTY);
    ck_assert_int_eq(centres_approve(&scene, &scene.head, 1), ST_NO_DUTY);
    ck_assert_uint_eq(centres_enter_owed(&scene), 0);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 1), ST_OK);
    ck_assert_int_eq(work_in('R'), ST_WRONG_STATE);
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert_int_eq(work_in('R'), ST_OK);
    ck_assert(continuity_realm_open(scene.fixture.state, 'R'));
    row = centres_failover(&scene, number);
    ck_assert_uint_eq(row.state, FAILOVER_ACTIVATED);
    ck_assert_int_lt(row.requested, row.decided);
    ck_assert_int_lt(row.decided, row.activated);
    ck_assert_int_eq(centres_downtime(&scene, 2).to, row.activated);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_RESTORED);
    ck_assert_uint_eq(centres_incident(&scene, 1).failover, number);
    ck_assert_uint_eq(centres_notices(&scene, &activated,
                                      scene.registry.organisation,
                                      NOTICE_FAILOVER_ACTIVATED),
                      1);
    ck_assert_uint_gt(activated.number, told.number);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.asker.organisation,
                                      NOTICE_FAILOVER_ACTIVATED),
                      2); /* Of P and of R. */
    ck_assert_uint_eq(
        centres_notices(&scene, NULL, FIXTURE_OWNER, NOTICE_FAILOVER_ACTIVATED),
        2);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.supplier.organisation,
                                      NOTICE_INCIDENT_RESTORED),
                      1);
    centres_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_5b_a_standing_order_opens_the_registry_at_once_and_is_used)
{
    uint32_t standing;

    centres_open(&scene);
    standing = stand(CONTINUITY_REGISTRY, &scene.registry);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 3);
    ck_assert_int_eq(work_in('R'), ST_OK);
    ck_assert_uint_eq(centres_failover(&scene, 2).standing, standing);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_RESTORED);
    /* It was good for one time. */
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert_int_eq(activate(CONTINUITY_REGISTRY, 0, standing), ST_NO_BASIS);
    ck_assert_int_eq(work_in('R'), ST_WRONG_STATE);
    centres_close(&scene);
}
END_TEST

START_TEST(the_activation_follows_the_notices_and_names_the_epoch)
{
    struct op_failover_activate in = {.for_realm = CONTINUITY_PORTAL,
                                      .epoch = 1};
    struct op_incident_open incident = {.kind = INCIDENT_INTERRUPTION,
                                        .place = INCIDENT_MAIN,
                                        .realms = CONTINUITY_REALMS_ALL,
                                        .epoch = 2,
                                        .text = fixture_text("")};

    centres_open(&scene);
    ck_assert_int_eq(activate(CONTINUITY_PORTAL, 0, 0), ST_WRONG_STATE);
    centres_takes_over(&scene, &scene.backup, 30);
    ck_assert_int_eq(activate(CONTINUITY_PORTAL, 0, 0), ST_WRONG_STATE);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.operator,
                                 OPCODE_INCIDENT_OPEN, &incident, 0, 0,
                                 scene.operator.duty, NULL),
                     ST_NO_DUTY);
    incident.epoch = 4711;
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_INCIDENT_OPEN, &incident, 0, 0, 0,
                                 NULL),
                     ST_NO_SUCH);
    incident.epoch = 1;
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_INCIDENT_OPEN, &incident, 0, 0, 0,
                                 NULL),
                     ST_WRONG_STATE);
    incident.epoch = 2;
    incident.realms = CONTINUITY_BIT(CONTINUITY_REGISTRY);
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_INCIDENT_OPEN, &incident, 0, 0, 0,
                                 NULL),
                     ST_BAD_FIELD);
    incident.realms = CONTINUITY_REALMS_ALL;
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_INCIDENT_OPEN, &incident, 0, 0, 0,
                                 NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_INCIDENT_OPEN, &incident, 0, 0, 0,
                                 NULL),
                     ST_EXISTS);
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_FAILOVER_ACTIVATE, &in, 0, 0, 0, NULL),
                     ST_WRONG_STATE);
    ck_assert_int_eq(activate(CONTINUITY_PORTAL, 4711, 0), ST_NO_SUCH);
    ck_assert_int_eq(activate(CONTINUITY_PORTAL, 0, 4711), ST_NO_SUCH);
    ck_assert_int_eq(activate(CONTINUITY_PORTAL, 0, 0), ST_OK);
    ck_assert_int_eq(activate(CONTINUITY_PORTAL, 0, 0), ST_WRONG_STATE);
    centres_close(&scene);
}
END_TEST

START_TEST(a_planned_switchover_owes_activations_and_no_incident)
{
    struct op_failover_request portal, registry;

    centres_open(&scene);
    portal = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_PLANNED, 2);
    registry =
        centres_order(&scene, 2, CONTINUITY_REGISTRY, FAILOVER_PLANNED, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & portal), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & registry), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &registry), ST_OK);
    centres_takes_over(&scene, &scene.backup, 2);
    ck_assert_uint_eq(centres_downtime(&scene, 1).kind, DOWNTIME_PLANNED);
    /* R follows the same rule: nobody let it, so it waits. */
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert_uint_eq(centres_failover(&scene, 1).state, FAILOVER_ACTIVATED);
    ck_assert_int_eq(work_in('R'), ST_WRONG_STATE);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 2), ST_OK);
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert_int_eq(work_in('R'), ST_OK);
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_INCIDENT), 0);
    ck_assert_uint_eq(centres_downtime(&scene, 2).incident, 0);
    /* The way back was not planned. */
    centres_takes_over(&scene, &scene.fixture.node, 2);
    ck_assert_uint_eq(centres_downtime(&scene, 3).kind, DOWNTIME_UNPLANNED);
    centres_close(&scene);
}
END_TEST

START_TEST(a_drill_is_marked_and_a_plan_for_another_node_is_none)
{
    struct op_failover_request drill;
    struct fixture_actor third;

    centres_open(&scene);
    centres_enrol_node(&scene, &third, 3, NODE_SERVER);
    drill = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_DRILL, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & drill), ST_OK);
    centres_takes_over(&scene, &third, 2);
    ck_assert_uint_eq(centres_downtime(&scene, 1).kind, DOWNTIME_UNPLANNED);
    centres_takes_over(&scene, &scene.backup, 2);
    /* The open stoppage keeps what it began as. */
    ck_assert_uint_eq(centres_downtime(&scene, 1).kind, DOWNTIME_UNPLANNED);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert_uint_eq(centres_downtime(&scene, 1).incident, 1);
    ck_assert_uint_eq(centres_failover(&scene, 1).kind, FAILOVER_DRILL);
    centres_close(&scene);

    centres_open(&scene);
    drill = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_DRILL, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & drill), ST_OK);
    centres_takes_over(&scene, &scene.backup, 2);
    ck_assert_uint_eq(centres_downtime(&scene, 1).kind, DOWNTIME_DRILL);
    centres_close(&scene);
}
END_TEST

START_TEST(a_plan_under_a_standing_order_is_one_and_a_long_pause_is_none)
{
    struct op_failover_request ask;

    centres_open(&scene);
    ask = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_PLANNED, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & ask), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &ask), ST_OK);
    (void)stand(CONTINUITY_REGISTRY, &scene.registry);
    centres_takes_over(&scene, &scene.backup, 59);
    ck_assert_uint_eq(centres_downtime(&scene, 1).kind, DOWNTIME_PLANNED);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert_int_eq(work_in('R'), ST_OK);
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_INCIDENT), 0);
    centres_close(&scene);

    centres_open(&scene);
    ask = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_PLANNED, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & ask), ST_OK);
    centres_takes_over(&scene, &scene.backup, 60);
    ck_assert_uint_eq(centres_downtime(&scene, 1).kind, DOWNTIME_UNPLANNED);
    centres_close(&scene);
}
END_TEST

START_TEST(T_P_7_1_2_a_pause_of_the_same_primary_is_one_stoppage_each_realm)
{
    struct op_downtime_list in = {.limit = 9};
    struct result_downtime_list out;
    struct list_reader reader;
    struct downtime_row row;
    int64_t before;

    centres_open(&scene);
    centres_takes_over(&scene, &scene.fixture.node, 59);
    ck_assert_uint_eq(centres_enter_owed(&scene), 0);
    before = state_head(scene.fixture.state)->log_time;
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_int_eq(work_in('R'), ST_OK);
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_RESTORED);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.registry,
                                 OPCODE_DOWNTIME_LIST, &in, 0, 0, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.stoppages.count, 1); /* Its own realm's. */
    list_reader_init(&reader, &out.stoppages);
    ck_assert(list_reader_next(&reader, &schema_downtime_row, &row));
    ck_assert_uint_eq(row.realm, CONTINUITY_REGISTRY);
    ck_assert_int_eq(row.from, before);
    ck_assert_int_eq(row.to, before + 90 * DATES_US_PER_SECOND);
    ck_assert_uint_eq(row.incident, 1);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.cloud,
                                 OPCODE_DOWNTIME_LIST, &in, 0, 0, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.stoppages.count, 2);
    centres_close(&scene);
}
END_TEST

START_TEST(a_second_failure_while_the_registry_waits_keeps_its_stoppage)
{
    int64_t before;

    centres_open(&scene);
    before = state_head(scene.fixture.state)->log_time;
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_OPEN);
    (void)stand(CONTINUITY_REGISTRY, &scene.registry);
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_DOWNTIME), 3);
    ck_assert_int_eq(centres_downtime(&scene, 2).from, before);
    ck_assert_int_eq(centres_downtime(&scene, 2).to,
                     state_head(scene.fixture.state)->log_time);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_RESTORED);
    ck_assert_uint_eq(centres_incident(&scene, 2).state, INCIDENT_RESTORED);
    centres_close(&scene);
}
END_TEST

START_TEST(a_primary_that_died_before_it_told_leaves_that_to_the_next)
{
    struct continuity_owed owed[CONTINUITY_OWED_MAX];

    centres_open(&scene);
    centres_takes_over(&scene, &scene.backup, 90);
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_uint_eq(
        continuity_owed(scene.fixture.state, owed, 1, scene.fixture.log_time),
        1);
    ck_assert_uint_eq(owed[0].opcode, OPCODE_INCIDENT_OPEN);
    ck_assert_uint_eq(owed[0].fields.incident_open.epoch, 2);
    ck_assert_uint_eq(centres_enter_owed(&scene), 3);
    ck_assert_uint_eq(centres_downtime(&scene, 1).incident, 1);
    centres_close(&scene);
}
END_TEST

START_TEST(a_cluster_of_the_portal_alone_has_no_registry_that_waits)
{
    struct row_realm registry = {.realm = CONTINUITY_REGISTRY};
    struct op_failover_order standing;
    struct op_failover_request ask;
    uint8_t digest[HASH_SIZE];

    centres_open(&scene);
    state_begin(scene.fixture.state);
    state_entry_begin(scene.fixture.state);
    state_delete(scene.fixture.state, TABLE_REALM, &registry);
    state_entry_end(scene.fixture.state, digest);
    state_commit(scene.fixture.state);
    ask = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 0);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & ask), ST_BAD_FIELD);
    standing = centres_standing(&scene, CONTINUITY_REGISTRY);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.registry,
                                 OPCODE_FAILOVER_ORDER, &standing, 0, 0, 0,
                                 NULL),
                     ST_BAD_FIELD);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_DOWNTIME), 1);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_RESTORED);
    /* The body of R is not concerned. */
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.registry.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      0);
    ck_assert_int_eq(activate(CONTINUITY_REGISTRY, 0, 0), ST_BAD_FIELD);
    centres_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_18_continuity_stands_in_the_journal_under_its_category)
{
    enum { CONTINUITY = 7, NOTICES = 8 };
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].opcode >> 8 == 0x0d)
            ck_assert_uint_eq(rows[i].category, CONTINUITY);
        if (rows[i].opcode >> 8 == 0x0c)
            ck_assert_uint_eq(rows[i].category, NOTICES);
        /* Whoever has no keys can read them. */
        if (rows[i].opcode >> 8 >= 0x0c)
            ck_assert_int_eq((int)rows[i].seal, (int)SEAL_OPEN);
    }
}
END_TEST

SUITE_MAIN(
    "continuity",
    T_P_6_1_4_the_new_primary_enters_incident_notices_activation_and_stoppage,
    T_R_8_2_5a_without_approval_or_order_the_registry_stays_closed,
    T_R_8_2_5b_request_approval_activation_and_notices_in_that_order,
    T_R_8_2_5b_a_standing_order_opens_the_registry_at_once_and_is_used,
    the_activation_follows_the_notices_and_names_the_epoch,
    a_planned_switchover_owes_activations_and_no_incident,
    a_drill_is_marked_and_a_plan_for_another_node_is_none,
    a_plan_under_a_standing_order_is_one_and_a_long_pause_is_none,
    T_P_7_1_2_a_pause_of_the_same_primary_is_one_stoppage_each_realm,
    a_second_failure_while_the_registry_waits_keeps_its_stoppage,
    a_primary_that_died_before_it_told_leaves_that_to_the_next,
    a_cluster_of_the_portal_alone_has_no_registry_that_waits,
    T_R_8_2_18_continuity_stands_in_the_journal_under_its_category)
