#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "tests/lib/suite.h"

/* The fields of key.rotate: the new key proves itself as its holder's heir. */
static void rotation(struct fixture *fixture, struct op_key_rotate *out,
                     struct identity *identity_out, enum role role,
                     const struct fixture_actor *actor)
{
    struct op_actor_enrol proof;

    fixture_enrolment(fixture, &proof, identity_out, role, 3,
                      actor->organisation, actor->person);
    out->public_key = proof.public_key;
    out->proof = proof.proof;
}

static enum status ping(struct fixture *fixture,
                        const struct fixture_actor *actor)
{
    struct op_system_ping in = {.text = fixture_text("salam")};
    struct result_system_ping out;
    enum status code =
        fixture_run(fixture, actor, OPCODE_SYSTEM_PING, &in, 0, 0, 0, &out);

    if (code == ST_OK)
        ck_assert_uint_eq(out.index, fixture->index - 1);
    return code;
}

START_TEST(a_rotated_key_hands_everything_to_its_heir)
{
    struct fixture fixture;
    struct fixture_actor clerk, heir;
    struct op_key_rotate in;
    struct op_duty_list list = {.after = 0};

    fixture_open(&fixture);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    heir = clerk;
    rotation(&fixture, &in, &heir.identity, ROLE_STAFF, &clerk);
    ck_assert_int_eq(
        fixture_run(&fixture, &clerk, OPCODE_KEY_ROTATE, &in, 0, 0, 0, NULL),
        ST_OK);
    ck_assert_int_eq(ping(&fixture, &clerk), ST_KEY_INACTIVE);
    ck_assert_int_eq(ping(&fixture, &heir), ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &heir, OPCODE_DUTY_LIST, &list, 0, 0,
                                 clerk.duty, NULL),
                     ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(rotation_ends_the_session_and_the_old_key_cannot_come_back)
{
    struct fixture fixture;
    struct fixture_actor user, heir;
    struct op_key_rotate in, again;
    struct identity identity;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    heir = user;
    rotation(&fixture, &in, &heir.identity, ROLE_USER, &user);
    again = in;
    again.proof.b[0] ^= 1;
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_KEY_ROTATE, &again, 0, 0, 0, NULL),
        ST_BAD_SIG);
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_KEY_ROTATE, &in, 0, 0, 0, NULL),
        ST_OK);
    ck_assert_int_eq(ping(&fixture, &heir), ST_NO_SESSION);
    fixture_session(&fixture, &heir);
    ck_assert_int_eq(ping(&fixture, &heir), ST_OK);
    rotation(&fixture, &again, &identity, ROLE_USER, &user);
    memcpy(again.public_key.b, user.identity.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(
        fixture_run(&fixture, &heir, OPCODE_KEY_ROTATE, &again, 0, 0, 0, NULL),
        ST_BAD_SIG);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_person_has_no_more_keys_than_there_may_be)
{
    struct fixture fixture;
    struct fixture_actor clerk;

    fixture_open(&fixture);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    for (int i = 1; i <= PERSON_KEYS_MAX; i++) {
        struct fixture_actor heir = clerk;
        struct op_key_rotate in;

        rotation(&fixture, &in, &heir.identity, ROLE_STAFF, &clerk);
        ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_KEY_ROTATE, &in,
                                     0, 0, 0, NULL),
                         i < PERSON_KEYS_MAX ? ST_OK : ST_QUOTA);
        if (i < PERSON_KEYS_MAX)
            clerk = heir;
    }
    ck_assert_int_eq(ping(&fixture, &clerk), ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_carriers_number_follows_its_key)
{
    struct fixture fixture;
    struct fixture_actor portal, heir;
    struct op_carrier_enrol enrol = {.kind = CARRIER_KIND_WEB,
                                     .label = fixture_text("web")};
    struct op_key_rotate in;
    struct row_carrier row = {.number = 1};
    struct row_key key;

    fixture_open(&fixture);
    fixture_enrol(&fixture, &portal, ROLE_PORTAL, 3, FIXTURE_OWNER);
    memcpy(enrol.key_id.b, portal.identity.key_id, KEY_ID_SIZE);
    enrol.kind = CARRIER_KIND_EHIS; /* It is no gateway. */
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_CARRIER_ENROL, &enrol, 0, 0, 1, NULL),
                     ST_BAD_FIELD);
    enrol.kind = CARRIER_KIND_WEB;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_CARRIER_ENROL, &enrol, 0, 0, 1, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_CARRIER_ENROL, &enrol, 0, 0, 1, NULL),
                     ST_EXISTS);
    heir = portal;
    rotation(&fixture, &in, &heir.identity, ROLE_PORTAL, &portal);
    ck_assert_int_eq(
        fixture_run(&fixture, &portal, OPCODE_KEY_ROTATE, &in, 0, 0, 0, NULL),
        ST_OK);
    ck_assert(state_get(fixture.state, TABLE_CARRIER, &row));
    ck_assert_mem_eq(row.key_id.b, heir.identity.key_id, KEY_ID_SIZE);
    key.key_id = row.key_id;
    ck_assert(state_get(fixture.state, TABLE_KEY, &key));
    ck_assert_uint_eq(key.carrier, 1);
    fixture_close(&fixture);
}
END_TEST

static enum status revoke_key(struct fixture *fixture,
                              const struct fixture_actor *actor,
                              const struct fixture_actor *whose)
{
    struct op_key_revoke in = {.reason = 2, .compromised_at = 1000};

    memcpy(in.key_id.b, whose->identity.key_id, KEY_ID_SIZE);
    return fixture_run(fixture, actor, OPCODE_KEY_REVOKE, &in, 0, 0,
                       actor->duty, NULL);
}

START_TEST(a_holder_revokes_his_own_keys_and_security_anybodys)
{
    struct fixture fixture;
    struct fixture_actor one, other, officer;
    struct row_key row;

    fixture_open(&fixture);
    fixture_staff(&fixture, &one, DUTY_REG);
    fixture_staff(&fixture, &other, DUTY_CHK);
    fixture_staff(&fixture, &officer, DUTY_SEC);
    ck_assert_int_eq(revoke_key(&fixture, &one, &other), ST_NOT_SELF);
    ck_assert_int_eq(ping(&fixture, &other), ST_OK);
    ck_assert_int_eq(revoke_key(&fixture, &one, &one), ST_OK);
    ck_assert_int_eq(ping(&fixture, &one), ST_KEY_INACTIVE);
    memcpy(row.key_id.b, one.identity.key_id, KEY_ID_SIZE);
    ck_assert(state_get(fixture.state, TABLE_KEY, &row));
    ck_assert_int_eq(row.compromised_at, 1000);
    ck_assert_uint_eq(row.state, KEY_REVOKED);
    ck_assert_int_eq(revoke_key(&fixture, &officer, &other), ST_OK);
    ck_assert_int_eq(revoke_key(&fixture, &officer, &other), ST_WRONG_STATE);
    ck_assert_int_eq(revoke_key(&fixture, &officer, &fixture.node), ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

START_TEST(sessions_last_as_long_as_the_settings_allow)
{
    struct fixture fixture;
    struct fixture_actor user, portal;
    struct op_auth_open in = {.lifetime_s = 0};
    struct result_auth_open out;
    struct result_auth_resume resumed;
    struct op_auth_resume resume = {.agent = fixture_text("t")};

    fixture_open(&fixture);
    fixture_enrol(&fixture, &user, ROLE_USER, 1, 0);
    fixture_enrol(&fixture, &portal, ROLE_PORTAL, 3, FIXTURE_OWNER);
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_AUTH_OPEN, &in, 0, 0, 0, &out),
        ST_OK);
    ck_assert_int_eq(out.until - fixture.act.log_time,
                     INT64_C(43200) * 1000000);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_AUTH_RESUME, &resume,
                                 0, 0, 0, &resumed),
                     ST_OK);
    ck_assert_int_eq(resumed.until, out.until);
    ck_assert_int_eq(
        fixture_run(&fixture, &portal, OPCODE_AUTH_OPEN, &in, 0, 0, 0, &out),
        ST_OK);
    ck_assert_int_eq(out.until - fixture.act.log_time,
                     INT64_C(604800) * 1000000);
    in.lifetime_s = 60;
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_AUTH_OPEN, &in, 0, 0, 0, &out),
        ST_OK);
    ck_assert_int_eq(out.until - fixture.act.log_time, INT64_C(60) * 1000000);
    in.lifetime_s = 4000000000;
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_AUTH_OPEN, &in, 0, 0, 0, &out),
        ST_OK);
    ck_assert_int_eq(out.until - fixture.act.log_time,
                     INT64_C(43200) * 1000000);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("key", a_rotated_key_hands_everything_to_its_heir,
           rotation_ends_the_session_and_the_old_key_cannot_come_back,
           a_person_has_no_more_keys_than_there_may_be,
           a_carriers_number_follows_its_key,
           a_holder_revokes_his_own_keys_and_security_anybodys,
           sessions_last_as_long_as_the_settings_allow)
