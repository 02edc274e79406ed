#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "tests/lib/suite.h"

static enum status assign(struct fixture *fixture, uint64_t person,
                          uint32_t organisation, enum duty duty,
                          uint32_t *assignment_out)
{
    struct op_duty_assign in = {.person = person,
                                .organisation = organisation,
                                .duty = (uint8_t)duty,
                                .basis = fixture_digest(5)};
    struct result_duty_assign out = {.assignment = 0};
    enum status code =
        fixture_run(fixture, &fixture->operator, OPCODE_DUTY_ASSIGN, &in, 0, 0,
                    fixture->operator.duty, &out);

    if (assignment_out != NULL)
        *assignment_out = out.assignment;
    return code;
}

static enum status find(struct fixture *fixture,
                        const struct fixture_actor *actor, uint32_t duty)
{
    struct op_purpose_put in = {.purpose = 1,
                                .title = fixture_text("T"),
                                .legal_basis = fixture_text("B"),
                                .sections = 1};

    return fixture_run(fixture, actor, OPCODE_PURPOSE_PUT, &in, 0, 0, duty,
                       NULL);
}

/* T-P-7.1.5, T-R-8.2.9, scenario 17 */
START_TEST(T_P_7_1_5_a_duty_has_no_effect_before_its_holder_acknowledged_it)
{
    struct fixture fixture;
    struct fixture_actor officer, other;
    struct op_duty_ack ack;

    fixture_open(&fixture);
    fixture_enrol(&fixture, &officer, ROLE_STAFF, 3, FIXTURE_OWNER);
    fixture_enrol(&fixture, &other, ROLE_STAFF, 3, FIXTURE_OWNER);
    ck_assert_int_eq(assign(&fixture, officer.person, FIXTURE_OWNER, DUTY_DPO,
                            &ack.assignment),
                     ST_OK);
    ck_assert_int_eq(find(&fixture, &officer, ack.assignment), ST_NO_DUTY);
    ck_assert_int_eq(
        fixture_run(&fixture, &other, OPCODE_DUTY_ACK, &ack, 0, 0, 0, NULL),
        ST_NOT_SELF);
    ck_assert_int_eq(
        fixture_run(&fixture, &officer, OPCODE_DUTY_ACK, &ack, 0, 0, 0, NULL),
        ST_OK);
    ck_assert_int_eq(find(&fixture, &officer, ack.assignment), ST_OK);
    ck_assert_int_eq(find(&fixture, &other, ack.assignment), ST_NO_DUTY);
    ck_assert_int_eq(
        fixture_run(&fixture, &officer, OPCODE_DUTY_ACK, &ack, 0, 0, 0, NULL),
        ST_WRONG_STATE);
    fixture_close(&fixture);
}
END_TEST

/* T-P-7.1.5, T-R-8.2.9, scenario 17 */
START_TEST(T_R_8_2_9_one_person_gets_no_two_duties_that_check_each_other)
{
    static const enum duty pairs[][2] = {
        {DUTY_REG, DUTY_CHK}, {DUTY_CHK, DUTY_REG}, {DUTY_REG, DUTY_DPO},
        {DUTY_SEC, DUTY_DIR}, {DUTY_DIR, DUTY_SEC}, {DUTY_OPS, DUTY_ARC},
        {DUTY_ANA, DUTY_REG}, {DUTY_AUD, DUTY_CAT}, {DUTY_CLK, DUTY_AUD},
        {DUTY_ADM, DUTY_REG}, {DUTY_CHK, DUTY_ADM}, {DUTY_CLK, DUTY_ADM}};
    struct fixture fixture;

    fixture_open(&fixture);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct fixture_actor clerk;

        fixture_enrol(&fixture, &clerk, ROLE_STAFF, 3, FIXTURE_OWNER);
        ck_assert_int_eq(
            assign(&fixture, clerk.person, FIXTURE_OWNER, pairs[i][0], NULL),
            ST_OK);
        ck_assert_int_eq(
            assign(&fixture, clerk.person, FIXTURE_OWNER, pairs[i][1], NULL),
            ST_SELF_APPROVE);
    }
    fixture_close(&fixture);
}
END_TEST

START_TEST(duties_are_compared_over_all_organisations_of_a_person)
{
    struct fixture fixture;
    struct fixture_actor auditor;
    uint32_t firm, body, first;
    struct op_duty_revoke revoke;

    fixture_open(&fixture);
    firm = fixture_organisation(&fixture, ORGANISATION_AUDITOR, 0);
    body = fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0);
    fixture_enrol(&fixture, &auditor, ROLE_AUDITOR, 3, firm);
    ck_assert_int_eq(assign(&fixture, auditor.person, firm, DUTY_AUD, &first),
                     ST_OK);
    ck_assert_int_eq(
        assign(&fixture, auditor.person, FIXTURE_OWNER, DUTY_CLK, NULL),
        ST_SELF_APPROVE);
    ck_assert_int_eq(assign(&fixture, auditor.person, body, DUTY_REQ, NULL),
                     ST_OK);
    ck_assert_int_eq(assign(&fixture, auditor.person, body, DUTY_HED, NULL),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(assign(&fixture, auditor.person, body, DUTY_REQ, NULL),
                     ST_EXISTS);
    revoke = (struct op_duty_revoke){.assignment = first};
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_DUTY_REVOKE, &revoke, 0, 0, 1, NULL),
                     ST_OK);
    ck_assert_int_eq(
        assign(&fixture, auditor.person, FIXTURE_OWNER, DUTY_CLK, NULL), ST_OK);
    fixture_close(&fixture);
}
END_TEST

/* T-P-1.5 */
START_TEST(T_P_1_5_the_owners_duties_are_held_at_the_owner_only)
{
    struct fixture fixture;
    struct fixture_actor head;
    struct op_duty_assign in = {.duty = DUTY_REG, .basis = fixture_digest(5)};
    uint32_t body;

    fixture_open(&fixture);
    body = fixture_organisation(&fixture, ORGANISATION_BODY_WITH_SYSTEM, 0);
    fixture_participant(&fixture, &head, body, DUTY_HED);
    in.person = head.person;
    in.organisation = FIXTURE_OWNER;
    /* A body's head is no administrator of duties. */
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_DUTY_ASSIGN, &in, 0, 0,
                                 head.duty, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(assign(&fixture, head.person, body, DUTY_REG, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(
        assign(&fixture, head.person, FIXTURE_OWNER, DUTY_SUP, NULL),
        ST_NO_DUTY);
    ck_assert_int_eq(assign(&fixture, head.person, body, DUTY_AUD, NULL),
                     ST_NO_DUTY);
    for (unsigned duty = DUTY_EHS; duty <= DUTY_BPR; duty++) {
        ck_assert_int_eq(
            assign(&fixture, head.person, body, (enum duty)duty, NULL),
            ST_NO_DUTY);
    }
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_administrator_neither_assigns_to_himself_nor_leaves_by_himself)
{
    struct fixture fixture;
    struct op_duty_revoke revoke = {.assignment = 1};
    struct op_duty_assign in = {
        .person = 99, .organisation = FIXTURE_OWNER, .duty = DUTY_CAT};

    fixture_open(&fixture);
    ck_assert_int_eq(assign(&fixture, fixture.operator.person, FIXTURE_OWNER,
                            DUTY_CAT, NULL),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_DUTY_REVOKE, &revoke, 0, 0, 1, NULL),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_DUTY_ASSIGN, &in, 0, 0, 1, NULL),
                     ST_NO_BASIS);
    in.basis = fixture_digest(1);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_DUTY_ASSIGN, &in, 0, 0, 1, NULL),
                     ST_NO_SUCH);
    fixture_close(&fixture);
}
END_TEST

/* T-P-7.2.3 */
START_TEST(T_P_7_2_3_a_duty_ends_with_its_term)
{
    struct fixture fixture;
    struct fixture_actor expert;
    struct op_duty_assign in = {.organisation = FIXTURE_OWNER,
                                .duty = DUTY_AUD,
                                .scope = 0xff,
                                .basis = fixture_digest(5)};
    struct op_duty_list list = {.after = 0};
    struct result_duty_assign out;
    struct result_duty_list rows;
    struct op_duty_ack ack;

    fixture_open(&fixture);
    fixture_enrol(&fixture, &expert, ROLE_AUDITOR, 3, FIXTURE_OWNER);
    in.person = expert.person;
    in.from = act_day(fixture.state, fixture.log_time);
    in.to = in.from + 10;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_DUTY_ASSIGN, &in, 0, 0, 1, &out),
                     ST_OK);
    ack.assignment = out.assignment;
    ck_assert_int_eq(
        fixture_run(&fixture, &expert, OPCODE_DUTY_ACK, &ack, 0, 0, 0, NULL),
        ST_OK);
    fixture_wait(&fixture, 10);
    ck_assert_int_eq(fixture_run(&fixture, &expert, OPCODE_DUTY_LIST, &list, 0,
                                 0, out.assignment, &rows),
                     ST_OK);
    fixture_wait(&fixture, 1);
    ck_assert_int_eq(fixture_run(&fixture, &expert, OPCODE_DUTY_LIST, &list, 0,
                                 0, out.assignment, &rows),
                     ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

static uint32_t list_count(struct fixture *fixture,
                           const struct fixture_actor *actor, uint32_t duty,
                           uint64_t person, uint8_t state)
{
    struct op_duty_list in = {.person = person};
    struct result_duty_list out;
    struct list_reader reader;
    struct duty_row row;
    uint32_t count = 0;

    ck_assert_int_eq(
        fixture_run(fixture, actor, OPCODE_DUTY_LIST, &in, 0, 0, duty, &out),
        ST_OK);
    list_reader_init(&reader, &out.duties);
    while (list_reader_next(&reader, &schema_duty_row, &row))
        count += state == 0 || row.state == state;
    return count;
}

/* T-P-7.1.5 */
START_TEST(T_P_7_1_5_an_auditor_lists_all_duties_and_others_their_own_bodys)
{
    struct fixture fixture;
    struct fixture_actor auditor, asker, user;
    uint32_t body;

    fixture_open(&fixture);
    body = fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0);
    fixture_staff(&fixture, &auditor, DUTY_AUD);
    fixture_participant(&fixture, &asker, body, DUTY_REQ);
    fixture_user(&fixture, &user, "1234567");
    ck_assert_int_eq(assign(&fixture, asker.person, body, DUTY_CAS, NULL),
                     ST_OK);
    ck_assert_uint_eq(list_count(&fixture, &auditor, auditor.duty, 0, 0), 4);
    ck_assert_uint_eq(
        list_count(&fixture, &auditor, auditor.duty, 0, DUTY_ASSIGNED), 1);
    ck_assert_uint_eq(
        list_count(&fixture, &auditor, auditor.duty, asker.person, 0), 2);
    ck_assert_uint_eq(list_count(&fixture, &asker, asker.duty, 0, 0), 2);
    ck_assert_uint_eq(list_count(&fixture, &user, 0, 0, 0), 0);
    ck_assert_uint_eq(list_count(&fixture, &fixture.operator, 0, 0, 0), 1);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("duty",
           T_P_7_1_5_a_duty_has_no_effect_before_its_holder_acknowledged_it,
           T_R_8_2_9_one_person_gets_no_two_duties_that_check_each_other,
           duties_are_compared_over_all_organisations_of_a_person,
           T_P_1_5_the_owners_duties_are_held_at_the_owner_only,
           an_administrator_neither_assigns_to_himself_nor_leaves_by_himself,
           T_P_7_2_3_a_duty_ends_with_its_term,
           T_P_7_1_5_an_auditor_lists_all_duties_and_others_their_own_bodys)
