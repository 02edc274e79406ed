#include <string.h>

#include "tests/lib/centres.h"
#include "tests/lib/suite.h"

static struct centres scene;

static enum status run(const struct fixture_actor *actor, uint16_t opcode,
                       const void *fields, void *result)
{
    return fixture_run(&scene.fixture, actor, opcode, fields, 0, 0, actor->duty,
                       result);
}

static uint32_t open_one(const struct fixture_actor *actor, uint16_t realms,
                         const char *text)
{
    struct op_incident_open in = {.kind = INCIDENT_ERROR,
                                  .place = INCIDENT_CHANNEL,
                                  .realms = realms,
                                  .detected = FIXTURE_TIME,
                                  .text = fixture_text(text)};
    struct result_incident_open out;

    ck_assert_int_eq(run(actor, OPCODE_INCIDENT_OPEN, &in, &out), ST_OK);
    return out.incident;
}

static enum status step(uint32_t incident, uint8_t state, const char *text)
{
    struct op_incident_update in = {
        .incident = incident, .state = state, .text = fixture_text(text)};

    return run(&scene.operator, OPCODE_INCIDENT_UPDATE, &in, NULL);
}

static enum status close_one(uint32_t incident, const char *text)
{
    struct op_incident_close in = {.incident = incident,
                                   .text = fixture_text(text)};

    return run(&scene.operator, OPCODE_INCIDENT_CLOSE, &in, NULL);
}

static uint32_t listed(const struct fixture_actor *actor, uint32_t after,
                       struct incident_row *last_out)
{
    struct op_incident_list in = {.after = after, .limit = 9};
    struct result_incident_list out;
    struct list_reader reader;

    ck_assert_int_eq(run(actor, OPCODE_INCIDENT_LIST, &in, &out), ST_OK);
    list_reader_init(&reader, &out.incidents);
    while (list_reader_next(&reader, &schema_incident_row, last_out))
        continue;
    return out.incidents.count;
}

enum { HANDLING = 1, RESTORED, REOPENED };

START_TEST(T_R_8_2_5_an_opened_incident_tells_participants_and_its_body_at_once)
{
    struct row_notice notice;
    uint32_t incident;

    centres_open(&scene);
    incident = open_one(&scene.operator, CONTINUITY_BIT(CONTINUITY_REGISTRY),
                        "the channel is slow");
    ck_assert_uint_eq(centres_notices(&scene, &notice,
                                      scene.supplier.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    ck_assert_uint_eq(notice.incident, incident);
    ck_assert_int_eq(notice.created, centres_incident(&scene, incident).opened);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.registry.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.portal.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      0);
    ck_assert_uint_eq(centres_incident(&scene, incident).notices, 3);
    centres_close(&scene);
}
END_TEST

START_TEST(an_incident_goes_from_opening_to_report_and_back)
{
    struct incident_row row;
    uint32_t incident;

    centres_open(&scene);
    incident = open_one(&scene.security, CONTINUITY_REALMS_ALL, "alarm");
    ck_assert_int_eq(close_one(incident, "early"), ST_WRONG_STATE);
    ck_assert_int_eq(step(incident, REOPENED, "no"), ST_WRONG_STATE);
    ck_assert_int_eq(step(incident, HANDLING, "looking"), ST_OK);
    ck_assert_int_eq(step(incident, HANDLING, "still looking"), ST_OK);
    ck_assert_int_eq(step(incident, RESTORED, "mended"), ST_OK);
    ck_assert_int_eq(step(incident, HANDLING, "no"), ST_WRONG_STATE);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.asker.organisation,
                                      NOTICE_INCIDENT_RESTORED),
                      1);
    ck_assert_int_eq(close_one(incident, "a cable"), ST_OK);
    ck_assert_uint_eq(listed(&scene.head, 0, &row), 1);
    ck_assert_uint_eq(row.state, INCIDENT_CLOSED);
    ck_assert_uint_eq(row.steps, 4);
    ck_assert_uint_eq(row.notices, 8);
    ck_assert(slice_equal(row.text, fixture_text("alarm")));
    ck_assert(slice_equal(row.last, fixture_text("a cable")));
    ck_assert_int_eq(close_one(incident, "again"), ST_WRONG_STATE);
    ck_assert_int_eq(step(incident, REOPENED, "not the cable"), ST_OK);
    ck_assert_uint_eq(listed(&scene.head, 0, &row), 1);
    ck_assert_uint_eq(row.state, INCIDENT_REOPENED);
    ck_assert(slice_equal(row.last, fixture_text("not the cable")));
    ck_assert_int_eq(row.closed, 0);
    ck_assert_int_eq(step(4711, HANDLING, "x"), ST_NO_SUCH);
    ck_assert_int_eq(close_one(4711, "x"), ST_NO_SUCH);
    centres_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_5c_the_register_of_errors_keeps_every_incident)
{
    struct incident_row row;
    uint32_t first, second;

    centres_open(&scene);
    first = open_one(&scene.operator, CONTINUITY_BIT(CONTINUITY_PORTAL), "one");
    second =
        open_one(&scene.operator, CONTINUITY_BIT(CONTINUITY_REGISTRY), "two");
    ck_assert_int_eq(step(first, RESTORED, "done"), ST_OK);
    ck_assert_int_eq(close_one(first, "cause"), ST_OK);
    fixture_wait(&scene.fixture, 3000);
    centres_takes_over(&scene, &scene.backup, 90);
    (void)centres_enter_owed(&scene);
    ck_assert_uint_eq(listed(&scene.operator, 0, &row), 3);
    ck_assert_uint_eq(row.epoch, 2);
    ck_assert_uint_eq(listed(&scene.operator, second, &row), 1);
    ck_assert_uint_eq(listed(&scene.operator, UINT32_MAX, &row), 0);
    /* A coordinating body sees its own realm's. */
    ck_assert_uint_eq(listed(&scene.portal, 0, &row), 2);
    ck_assert_uint_eq(listed(&scene.registry, 0, &row), 2);
    /* No operation has a letter for taking one away. */
    ck_assert_ptr_null(operation_named(fixture_text("incident.delete")));
    /* The words outlive no key: they are open items. */
    ck_assert_int_eq((int)operation_info(OPCODE_INCIDENT_OPEN)->seal,
                     (int)SEAL_OPEN);
    centres_close(&scene);
}
END_TEST

START_TEST(nobody_calls_a_waiting_registry_restored)
{
    struct op_failover_order standing;

    centres_open(&scene);
    centres_takes_over(&scene, &scene.backup, 90);
    (void)centres_enter_owed(&scene);
    ck_assert_int_eq(step(1, HANDLING, "the body was asked"), ST_OK);
    ck_assert_int_eq(step(1, RESTORED, "it runs"), ST_WRONG_STATE);
    standing = centres_standing(&scene, CONTINUITY_REGISTRY);
    ck_assert_int_eq(
        run(&scene.registry, OPCODE_FAILOVER_ORDER, &standing, NULL), ST_OK);
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert_uint_eq(centres_incident(&scene, 1).state, INCIDENT_RESTORED);
    ck_assert_int_eq(close_one(1, "power"), ST_OK);
    centres_close(&scene);
}
END_TEST

START_TEST(an_incident_of_a_time_to_come_is_refused)
{
    struct op_incident_open in = {.kind = INCIDENT_ERROR,
                                  .place = INCIDENT_EHIS,
                                  .realms = 1,
                                  .text = fixture_text("")};

    centres_open(&scene);
    in.detected = scene.fixture.log_time + 1;
    ck_assert_int_eq(run(&scene.operator, OPCODE_INCIDENT_OPEN, &in, NULL),
                     ST_BAD_FIELD);
    in.detected--;
    ck_assert_int_eq(run(&scene.supplier, OPCODE_INCIDENT_OPEN, &in, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(run(&scene.operator, OPCODE_INCIDENT_OPEN, &in, NULL),
                     ST_OK);
    centres_close(&scene);
}
END_TEST

SUITE_MAIN("incident",
           T_R_8_2_5_an_opened_incident_tells_participants_and_its_body_at_once,
           an_incident_goes_from_opening_to_report_and_back,
           T_R_8_2_5c_the_register_of_errors_keeps_every_incident,
           nobody_calls_a_waiting_registry_restored,
           an_incident_of_a_time_to_come_is_refused)
