#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "server/registry/password.h"
#include "tests/lib/suite.h"

static const uint8_t wrapped[WRAPPED_KEY_SIZE] = {1, 2, 3};

/* The fields of password.set and password.change, which are alike. */
static struct op_password_set account(const struct fixture_actor *actor,
                                      const char *name)
{
    struct op_password_set in = {.username = fixture_text(name),
                                 .kdf_epoch = 1,
                                 .wrapped_key =
                                     slice_of(wrapped, sizeof wrapped)};

    /* Any good point serves as the login key. */
    memcpy(in.login_key.b, actor->identity.public_key, PUBLIC_KEY_SIZE);
    return in;
}

static enum status put(struct fixture *fixture,
                       const struct fixture_actor *actor, uint16_t opcode,
                       const char *name)
{
    struct op_password_set in = account(actor, name);

    return fixture_run(fixture, actor, opcode, &in, 0, 0, 0, NULL);
}

static bool find(struct fixture *fixture, struct row_credential *row,
                 const char *name)
{
    act_name_tag(&fixture->act, &row->name_tag, fixture_text(name));
    return state_get(fixture->state, TABLE_CREDENTIAL, row);
}

START_TEST(an_account_is_found_by_the_tag_of_its_name)
{
    struct fixture fixture;
    struct fixture_actor one, other;
    struct row_credential row;
    struct row_record record;

    fixture_open(&fixture);
    fixture_user(&fixture, &one, "1234567");
    fixture_user(&fixture, &other, "7654321");
    ck_assert_int_eq(put(&fixture, &one, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    ck_assert_mem_eq(row.key_id.b, one.identity.key_id, KEY_ID_SIZE);
    ck_assert_uint_eq(row.state, CREDENTIAL_USABLE);
    record.number = row.credential;
    ck_assert(state_get(fixture.state, TABLE_RECORD, &record));
    ck_assert_int_eq(put(&fixture, &other, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_EXISTS);
    ck_assert_int_eq(put(&fixture, &one, OPCODE_PASSWORD_SET, "nigar.2"),
                     ST_EXISTS);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_change_drops_the_former_credential_from_the_state)
{
    struct fixture fixture;
    struct fixture_actor user;
    struct row_credential row, renamed;
    struct row_record record;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_CHANGE, "nigar.q"),
                     ST_NO_SUCH);
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    record.number = row.credential;
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_CHANGE, "nigar.q"),
                     ST_OK);
    ck_assert(!state_get(fixture.state, TABLE_RECORD, &record));
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_CHANGE, "nigar.2"),
                     ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    ck_assert_uint_eq(row.state, CREDENTIAL_REPLACED);
    ck_assert(find(&fixture, &renamed, "nigar.2"));
    ck_assert_uint_eq(renamed.state, CREDENTIAL_USABLE);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_CREDENTIAL), 2);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_lock_stays_until_security_lifts_it)
{
    struct fixture fixture;
    struct fixture_actor user, officer;
    struct op_key_lock lock;
    struct op_password_enable enable = {.note = fixture_text("came himself")};
    struct row_credential row;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    fixture_staff(&fixture, &officer, DUTY_SEC);
    memcpy(lock.key_id.b, user.identity.key_id, KEY_ID_SIZE);
    enable.key_id = lock.key_id;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_KEY_LOCK,
                                 &lock, 0, 0, 0, NULL),
                     ST_NO_SUCH);
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_KEY_LOCK,
                                 &lock, 0, 0, 0, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_KEY_LOCK,
                                 &lock, 0, 0, 0, NULL),
                     ST_WRONG_STATE);
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_CHANGE, "nigar.q"),
                     ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    ck_assert_uint_eq(row.state, CREDENTIAL_LOCKED);
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_PASSWORD_ENABLE,
                                 &enable, 0, 0, officer.duty, NULL),
                     ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    ck_assert_uint_eq(row.state, CREDENTIAL_USABLE);
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_PASSWORD_ENABLE,
                                 &enable, 0, 0, officer.duty, NULL),
                     ST_WRONG_STATE);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_account_ends_with_its_key)
{
    struct fixture fixture;
    struct fixture_actor user;
    struct op_key_revoke revoke = {.reason = 1};
    struct row_credential row;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_OK);
    memcpy(revoke.key_id.b, user.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_KEY_REVOKE, &revoke, 0, 0, 0, NULL),
        ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    ck_assert_uint_eq(row.state, CREDENTIAL_REPLACED);
    ck_assert_uint_eq(row.credential, 0);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_replaced_name_returns_to_its_person_and_to_nobody_else)
{
    struct fixture fixture;
    struct fixture_actor user, again, other;
    struct op_actor_enrol enrol;
    struct row_credential row;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    fixture_user(&fixture, &other, "7654321");
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_OK);
    ck_assert_int_eq(put(&fixture, &user, OPCODE_PASSWORD_CHANGE, "nigar.2"),
                     ST_OK);
    ck_assert_int_eq(put(&fixture, &other, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_EXISTS);
    again = user;
    fixture_enrolment(&fixture, &enrol, &again.identity, ROLE_USER, 3, 0,
                      user.person);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ACTOR_ENROL, &enrol, 0, 0, 1, NULL),
                     ST_OK);
    fixture_session(&fixture, &again);
    ck_assert_int_eq(put(&fixture, &again, OPCODE_PASSWORD_SET, "nigar.2"),
                     ST_EXISTS); /* In use under the other key. */
    ck_assert_int_eq(put(&fixture, &again, OPCODE_PASSWORD_SET, "nigar.q"),
                     ST_OK);
    ck_assert(find(&fixture, &row, "nigar.q"));
    ck_assert_mem_eq(row.key_id.b, again.identity.key_id, KEY_ID_SIZE);
    ck_assert_uint_eq(row.state, CREDENTIAL_USABLE);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_account_needs_a_good_login_key_and_a_known_derivation)
{
    struct fixture fixture;
    struct fixture_actor user;
    struct op_password_set in;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    in = account(&user, "nigar.q");
    in.kdf_epoch = 2;
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_PASSWORD_SET, &in, 0, 0, 0, NULL),
        ST_BAD_FIELD);
    in = account(&user, "nigar.q");
    memset(in.login_key.b, 0, sizeof in.login_key.b);
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_PASSWORD_SET, &in, 0, 0, 0, NULL),
        ST_BAD_FIELD);
    in = account(&user, "Nigar"); /* Names are lower-cased by the client. */
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_PASSWORD_SET, &in, 0, 0, 0, NULL),
        ST_BAD_FIELD);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("password", an_account_is_found_by_the_tag_of_its_name,
           a_change_drops_the_former_credential_from_the_state,
           a_lock_stays_until_security_lifts_it, an_account_ends_with_its_key,
           a_replaced_name_returns_to_its_person_and_to_nobody_else,
           an_account_needs_a_good_login_key_and_a_known_derivation)
