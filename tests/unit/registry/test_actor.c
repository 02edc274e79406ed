#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "tests/lib/suite.h"

static enum status enrol(struct fixture *fixture,
                         const struct fixture_actor *actor,
                         const struct op_actor_enrol *in,
                         struct result_actor_enrol *out)
{
    return fixture_run(fixture, actor, OPCODE_ACTOR_ENROL, in, 0, 0,
                       actor->duty, out);
}

START_TEST(a_key_is_enrolled_with_its_own_proof_and_a_new_person)
{
    struct fixture fixture;
    struct op_actor_enrol in;
    struct result_actor_enrol out;
    struct identity identity;
    struct row_key row;

    fixture_open(&fixture);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 2, FIXTURE_OWNER,
                      0);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, &out), ST_OK);
    ck_assert_mem_eq(out.key_id.b, identity.key_id, KEY_ID_SIZE);
    row.key_id = out.key_id;
    ck_assert(state_get(fixture.state, TABLE_KEY, &row));
    ck_assert_uint_eq(row.person, out.person);
    ck_assert_uint_eq(row.level, 2);
    ck_assert_uint_eq(row.organisation, FIXTURE_OWNER);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, &out), ST_EXISTS);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_key_that_is_no_point_or_not_proven_is_refused)
{
    struct fixture fixture;
    struct op_actor_enrol in;
    struct identity identity;

    fixture_open(&fixture);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 2, FIXTURE_OWNER,
                      0);
    memset(in.public_key.b, 0, sizeof in.public_key.b);
    in.public_key.b[0] = 1; /* The neutral element. */
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_BAD_FIELD);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 2, FIXTURE_OWNER,
                      0);
    in.proof.b[7] ^= 1;
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_BAD_SIG);
    in.proof.b[7] ^= 1;
    in.level = 1; /* Not what its holder signed. */
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_BAD_SIG);
    in.level = 2;
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL), ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(the_highest_level_needs_evidence_of_the_identification)
{
    struct fixture fixture;
    struct op_actor_enrol in;
    struct identity identity;

    fixture_open(&fixture);
    fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 3, 0, 0);
    memset(&in.evidence, 0, sizeof in.evidence);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_NO_BASIS);
    fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 2, 0, 0);
    memset(&in.evidence, 0, sizeof in.evidence);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL), ST_OK);
    fixture_close(&fixture);
}
END_TEST

/* T-R-2.1 */
START_TEST(nobody_enrols_another_key_for_himself)
{
    struct fixture fixture;
    struct op_actor_enrol in;
    struct identity identity;

    fixture_open(&fixture);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 3, FIXTURE_OWNER,
                      fixture.operator.person);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_SELF_APPROVE);
    fixture_close(&fixture);
}
END_TEST

START_TEST(T_R_2_1_nobody_becomes_a_participant_without_the_owners_act)
{
    struct fixture fixture;
    struct op_organisation_enrol bank = {.kind = ORGANISATION_INSTITUTION,
                                         .name = fixture_text("Bank")};
    struct op_actor_enrol in;
    struct identity identity;
    uint32_t provider;

    fixture_open(&fixture);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_ENROL, &bank, 0, 0, 1,
                                 NULL),
                     ST_NO_BASIS);
    provider = fixture_organisation(&fixture, ORGANISATION_PROVIDER, 0);
    fixture_enrolment(&fixture, &in, &identity, ROLE_PARTICIPANT, 3, provider,
                      0);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_BAD_FIELD);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 3, provider, 0);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_BAD_FIELD);
    fixture_enrolment(&fixture, &in, &identity, ROLE_PROVIDER, 3, provider, 0);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL), ST_OK);
    fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 3, provider, 0);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_BAD_FIELD);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 3, 99, 0);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_NO_SUCH);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 3, 1, 99);
    ck_assert_int_eq(enrol(&fixture, &fixture.operator, & in, NULL),
                     ST_NO_SUCH);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_portal_component_enrols_users_and_nobody_who_serves_a_body)
{
    struct fixture fixture;
    struct fixture_actor portal;
    struct op_actor_enrol in;
    struct result_actor_enrol out;
    struct identity identity;

    fixture_open(&fixture);
    fixture_enrol(&fixture, &portal, ROLE_PORTAL, 3, FIXTURE_OWNER);
    fixture_enrolment(&fixture, &in, &identity, ROLE_STAFF, 2, FIXTURE_OWNER,
                      0);
    ck_assert_int_eq(enrol(&fixture, &portal, &in, NULL), ST_NO_DUTY);
    fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 2, 0,
                      fixture.operator.person);
    ck_assert_int_eq(enrol(&fixture, &portal, &in, NULL), ST_NO_DUTY);
    fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 2, 0, 0);
    ck_assert_int_eq(enrol(&fixture, &portal, &in, &out), ST_OK);
    fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 1, 0, out.person);
    ck_assert_int_eq(enrol(&fixture, &portal, &in, NULL), ST_OK);
    fixture_close(&fixture);
}
END_TEST

static enum status identify(struct fixture *fixture,
                            const struct fixture_actor *actor,
                            const struct fixture_actor *who, const char *fin)
{
    struct op_actor_identity in = {.surname = fixture_text("Həsənov"),
                                   .given = fixture_text("Elçin"),
                                   .fin = fixture_text(fin)};

    memcpy(in.key_id.b, who->identity.key_id, KEY_ID_SIZE);
    return fixture_run(fixture, actor, OPCODE_ACTOR_IDENTITY, &in, 0, 0,
                       actor->duty, NULL);
}

START_TEST(one_personal_number_is_one_person)
{
    struct fixture fixture;
    struct fixture_actor one, other, portal;
    struct row_person row;
    struct bytes16 expected;

    fixture_open(&fixture);
    fixture_enrol(&fixture, &portal, ROLE_PORTAL, 3, FIXTURE_OWNER);
    fixture_enrol(&fixture, &one, ROLE_USER, 2, 0);
    fixture_enrol(&fixture, &other, ROLE_USER, 2, 0);
    ck_assert_int_eq(identify(&fixture, &portal, &one, "1A2B3C4"), ST_OK);
    row.number = one.person;
    ck_assert(state_get(fixture.state, TABLE_PERSON, &row));
    ck_assert_uint_ne(row.identity, 0);
    act_tag(&fixture.act, &expected, TAG_FIN, fixture_text("1A2B3C4"));
    ck_assert_mem_eq(&row.fin_tag, &expected, sizeof expected);

    ck_assert_int_eq(identify(&fixture, &portal, &other, "1A2B3C4"), ST_EXISTS);
    /* A portal component says it once; the owner's staff may correct. */
    ck_assert_int_eq(identify(&fixture, &portal, &one, "7654321"), ST_EXISTS);
    ck_assert_int_eq(identify(&fixture, &fixture.operator, & one, "7654321"),
                     ST_OK);
    ck_assert_int_eq(identify(&fixture, &portal, &other, "1A2B3C4"), ST_OK);
    ck_assert_int_eq(identify(&fixture, &portal, &fixture.operator, "1111111"),
                     ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

START_TEST(no_personal_number_stands_in_a_row)
{
    struct fixture fixture;
    struct fixture_actor user;
    struct row_person row;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1A2B3C4");
    row.number = user.person;
    ck_assert(state_get(fixture.state, TABLE_PERSON, &row));
    ck_assert(memmem(&row, sizeof row, "1A2B3C4", 7) == NULL);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("actor", a_key_is_enrolled_with_its_own_proof_and_a_new_person,
           a_key_that_is_no_point_or_not_proven_is_refused,
           the_highest_level_needs_evidence_of_the_identification,
           nobody_enrols_another_key_for_himself,
           T_R_2_1_nobody_becomes_a_participant_without_the_owners_act,
           a_portal_component_enrols_users_and_nobody_who_serves_a_body,
           one_personal_number_is_one_person,
           no_personal_number_stands_in_a_row)
