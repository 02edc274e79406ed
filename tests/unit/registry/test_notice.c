#include <string.h>

#include "tests/lib/centres.h"
#include "tests/lib/suite.h"

static struct centres scene;

static uint16_t listed(const struct fixture_actor *actor, bool unread,
                       uint64_t after, struct notice_row *first_out)
{
    struct op_notice_list in = {.after = after, .unread = unread, .limit = 9};
    struct result_notice_list out;
    struct list_reader reader;

    ck_assert_int_eq(fixture_run(&scene.fixture, actor, OPCODE_NOTICE_LIST, &in,
                                 0, 0, actor->duty, &out),
                     ST_OK);
    list_reader_init(&reader, &out.notices);
    (void)list_reader_next(&reader, &schema_notice_row, first_out);
    return out.notices.count;
}

static enum status ack(const struct fixture_actor *actor, uint64_t notice)
{
    struct op_notice_ack in = {.notice = notice};

    return fixture_run(&scene.fixture, actor, OPCODE_NOTICE_ACK, &in, 0, 0,
                       actor->duty, NULL);
}

START_TEST(an_organisation_reads_its_own_notices_and_acknowledges_each_once)
{
    struct notice_row row, other;
    int64_t began;

    centres_open(&scene);
    ck_assert_uint_eq(listed(&scene.supplier, false, 0, &row), 0);
    centres_takes_over(&scene, &scene.backup, 90);
    began = state_head(scene.fixture.state)->log_time;
    (void)centres_enter_owed(&scene);
    ck_assert_uint_eq(listed(&scene.supplier, true, 0, &row), 2);
    ck_assert_uint_eq(row.kind, NOTICE_INCIDENT_OPENED);
    ck_assert_uint_eq(row.incident_kind, INCIDENT_INTERRUPTION);
    ck_assert_uint_eq(row.incident_place, INCIDENT_MAIN);
    ck_assert_int_eq(row.detected, began);
    ck_assert_uint_eq(listed(&scene.asker, true, 0, &other), 2);
    ck_assert_uint_ne(row.notice, other.notice);
    ck_assert_int_eq(ack(&scene.supplier, other.notice), ST_NO_SUCH);
    ck_assert_int_eq(ack(&scene.supplier, 4711), ST_NO_SUCH);
    ck_assert_int_eq(ack(&scene.supplier, row.notice), ST_OK);
    ck_assert_int_eq(ack(&scene.supplier, row.notice), ST_WRONG_STATE);
    ck_assert_uint_eq(listed(&scene.supplier, true, 0, &other), 1);
    ck_assert_uint_eq(listed(&scene.supplier, false, 0, &other), 2);
    ck_assert_int_gt(other.read_at, other.created);
    ck_assert_uint_eq(listed(&scene.supplier, false, row.notice, &other), 1);
    ck_assert_uint_eq(other.kind, NOTICE_FAILOVER_ACTIVATED);
    /* The coordinating body's own program reads for it. */
    ck_assert_uint_eq(listed(&scene.registry, false, 0, &row), 1);
    /* The owner's staff sees what the owner is told. */
    ck_assert_uint_eq(listed(&scene.security, false, 0, &row), 1);
    ck_assert_uint_eq(row.kind, NOTICE_FAILOVER_ACTIVATED);
    ck_assert_uint_eq(listed(&scene.security, false, UINT32_MAX, &row), 0);
    centres_close(&scene);
}
END_TEST

START_TEST(users_and_nodes_have_no_notices_of_organisations)
{
    struct op_notice_list in = {.limit = 9};
    struct fixture_actor user;

    centres_open(&scene);
    fixture_user(&scene.fixture, &user, "1234567");
    ck_assert_int_eq(fixture_run(&scene.fixture, &user, OPCODE_NOTICE_LIST, &in,
                                 0, 0, 0, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.backup,
                                 OPCODE_NOTICE_LIST, &in, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    centres_close(&scene);
}
END_TEST

START_TEST(a_closed_organisation_is_not_told)
{
    struct op_organisation_change in = {.state = ORGANISATION_CLOSED,
                                        .basis = fixture_digest(1)};

    centres_open(&scene);
    in.organisation = scene.asker.organisation;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &in, 0, 0, 1,
                                 NULL),
                     ST_OK);
    centres_takes_over(&scene, &scene.backup, 90);
    (void)centres_enter_owed(&scene);
    ck_assert_uint_eq(centres_incident(&scene, 1).notices, 3);
    centres_close(&scene);
}
END_TEST

SUITE_MAIN("notice",
           an_organisation_reads_its_own_notices_and_acknowledges_each_once,
           users_and_nodes_have_no_notices_of_organisations,
           a_closed_organisation_is_not_told)
