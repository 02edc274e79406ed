#include <string.h>

#include "protocol/dates.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "tests/lib/consent_scene.h"
#include "tests/lib/suite.h"

enum { SEAL_PERSON_KEY = 91, SEAL_CREDENTIAL_KEY, SEAL_OTHER_KEY };

static struct fixture fixture;
static struct fixture_actor officer; /* DPO */
static struct fixture_actor head;    /* DIR */
static struct fixture_actor keeper;  /* ARC */
static struct fixture_actor user;
static struct fixture_actor other;

static void open_staff(struct fixture *of)
{
    struct op_config_change at_once = {.setting = SETTING_destroy_hour,
                                       .value = -1,
                                       .note = fixture_text("test"),
                                       .basis = fixture_digest(1)};

    fixture_staff(of, &officer, DUTY_DPO);
    fixture_staff(of, &head, DUTY_DIR);
    fixture_staff(of, &keeper, DUTY_ARC);
    ck_assert_int_eq(fixture_run(of, &head, OPCODE_CONFIG_CHANGE, &at_once, 0,
                                 0, head.duty, NULL),
                     ST_OK);
}

static uint64_t owner_of(const struct fixture_actor *actor)
{
    return keyring_person(actor->identity.key_id);
}

/* Two users, whose seal keys the keyring has. */
static void open_scene(void)
{
    fixture_open(&fixture);
    open_staff(&fixture);
    fixture_user(&fixture, &user, "1234567");
    fixture_user(&fixture, &other, "7654321");
    fixture_seal_key(&fixture, &(struct keyring_row){.number = SEAL_PERSON_KEY,
                                                     .owner = owner_of(&user),
                                                     .class = KEYRING_PERSON});
    fixture_seal_key(&fixture,
                     &(struct keyring_row){.number = SEAL_CREDENTIAL_KEY,
                                           .owner = owner_of(&user),
                                           .class = KEYRING_CREDENTIAL});
    fixture_seal_key(&fixture, &(struct keyring_row){.number = SEAL_OTHER_KEY,
                                                     .owner = owner_of(&other),
                                                     .class = KEYRING_PERSON});
}

static enum status propose(struct fixture *of, uint64_t about, uint16_t keys,
                           uint32_t *act_out)
{
    return fixture_propose(of, &officer, act_out, about, keys);
}

static uint32_t ordered(struct fixture *of, uint64_t about, uint16_t keys)
{
    struct op_destroy_approve approve = {.act = 0};
    struct op_destroy_execute execute = {.act = 0};

    ck_assert_int_eq(propose(of, about, keys, &approve.act), ST_OK);
    execute.act = approve.act;
    ck_assert_int_eq(fixture_run(of, &head, OPCODE_DESTROY_APPROVE, &approve, 0,
                                 0, head.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(of, &keeper, OPCODE_DESTROY_EXECUTE, &execute,
                                 0, 0, keeper.duty, NULL),
                     ST_OK);
    return approve.act;
}

/* ${key} 0: none. */
static enum status erase(struct fixture *of, uint32_t act, uint64_t key,
                         uint64_t about, enum destroy_class class)
{
    uint8_t bytes[64];
    struct writer space;
    struct erased_key row = {
        .key = key, .subject = about, .class = (uint8_t) class};
    struct op_destroy_erase in = {.act = act};

    writer_init(&space, bytes, sizeof bytes);
    in.keys = list_begin(&space);
    if (key != 0)
        list_add(&in.keys, &space, &schema_erased_key, &row);
    return fixture_run(of, &of->node, OPCODE_DESTROY_ERASE, &in, 0, 0, 0, NULL);
}

static void end_key(const struct fixture_actor *actor)
{
    struct op_key_revoke in = {.reason = 3};

    memcpy(in.key_id.b, actor->identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(
        fixture_run(&fixture, actor, OPCODE_KEY_REVOKE, &in, 0, 0, 0, NULL),
        ST_OK);
}

static struct row_person person_row(const struct fixture_actor *actor)
{
    struct row_person row = {.number = actor->person};

    ck_assert(state_get(fixture.state, TABLE_PERSON, &row));
    return row;
}

enum {
    PERSON = DESTROY_BIT(DESTROY_PERSON),
    CREDENTIAL = DESTROY_BIT(DESTROY_CREDENTIAL),
    BOTH = PERSON | CREDENTIAL
};

START_TEST(T_R_8_2_2_an_act_destroys_who_a_person_is)
{
    static const struct bytes16 none;
    struct row_record record;
    struct row_person row;
    uint32_t act;

    open_scene();
    row = person_row(&user);
    record.number = row.identity;
    ck_assert(state_get(fixture.state, TABLE_RECORD, &record));
    end_key(&user);
    act = ordered(&fixture, user.person, BOTH);
    ck_assert_int_eq(
        erase(&fixture, act, SEAL_PERSON_KEY, user.person, DESTROY_PERSON),
        ST_OK);
    row = person_row(&user);
    ck_assert_uint_eq(row.identity, 0);
    ck_assert_mem_eq(&row.fin_tag, &none, sizeof none);
    ck_assert_uint_eq(row.erased, fixture.index - 1);
    ck_assert(!state_get(fixture.state, TABLE_RECORD, &record));
    ck_assert(destroy_is_erased(fixture.state, SEAL_PERSON_KEY));
    /* Nobody else. */
    ck_assert_uint_eq(person_row(&other).erased, 0);
    ck_assert_uint_ne(person_row(&other).identity, 0);
    fixture_close(&fixture);
}
END_TEST

START_TEST(nobody_who_still_acts_is_destroyed)
{
    uint32_t act, due[DESTROY_BATCH_MAX];
    struct op_actor_enrol enrol;
    struct fixture_actor again = {0};

    open_scene();
    ck_assert_int_eq(propose(&fixture, user.person, BOTH, &act),
                     ST_WRONG_STATE);
    end_key(&user);
    act = ordered(&fixture, user.person, BOTH);
    ck_assert_uint_eq(destroy_due(fixture.state, due, fixture.log_time), 1);
    /* He comes back before the hour: the act waits. */
    fixture_enrolment(&fixture, &enrol, &again.identity, ROLE_USER, 3, 0,
                      user.person);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ACTOR_ENROL, &enrol, 0, 0,
                                 fixture.operator.duty, NULL),
                     ST_OK);
    ck_assert_uint_eq(destroy_due(fixture.state, due, fixture.log_time), 0);
    ck_assert_int_eq(erase(&fixture, act, 0, 0, DESTROY_PERSON),
                     ST_WRONG_STATE);
    fixture_session(&fixture, &again);
    end_key(&again);
    ck_assert_uint_eq(destroy_due(fixture.state, due, fixture.log_time), 1);
    fixture_close(&fixture);
}
END_TEST

START_TEST(who_was_destroyed_gets_no_key_and_no_identity)
{
    struct op_actor_identity identity = {.surname = fixture_text("Quliyeva"),
                                         .given = fixture_text("Nigar"),
                                         .fin = fixture_text("1234567")};
    struct op_actor_enrol enrol;
    struct identity key;
    struct fixture_actor anew;
    uint32_t act;

    open_scene();
    end_key(&user);
    act = ordered(&fixture, user.person, PERSON);
    ck_assert_int_eq(
        erase(&fixture, act, SEAL_PERSON_KEY, user.person, DESTROY_PERSON),
        ST_OK);
    fixture_enrolment(&fixture, &enrol, &key, ROLE_USER, 3, 0, user.person);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ACTOR_ENROL, &enrol, 0, 0,
                                 fixture.operator.duty, NULL),
                     ST_ERASED);
    memcpy(identity.key_id.b, user.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ACTOR_IDENTITY, &identity, 0, 0,
                                 fixture.operator.duty, NULL),
                     ST_ERASED);
    /* The same human may come as another person. */
    fixture_user(&fixture, &anew, "1234567");
    ck_assert_uint_ne(anew.person, user.person);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_act_about_a_person_names_his_own_keys_only)
{
    uint32_t act;

    open_scene();
    end_key(&user);
    act = ordered(&fixture, user.person, BOTH);
    ck_assert_int_eq(
        erase(&fixture, act, SEAL_OTHER_KEY, user.person, DESTROY_PERSON),
        ST_BAD_FIELD);
    ck_assert_int_eq(
        erase(&fixture, act, SEAL_OTHER_KEY, other.person, DESTROY_PERSON),
        ST_NO_SUCH);
    ck_assert_int_eq(
        erase(&fixture, act, SEAL_PERSON_KEY, user.person, DESTROY_CREDENTIAL),
        ST_BAD_FIELD);
    ck_assert_int_eq(
        erase(&fixture, act, SEAL_PERSON_KEY, user.person, DESTROY_RECORD),
        ST_BAD_FIELD);
    ck_assert_int_eq(erase(&fixture, act, SEAL_CREDENTIAL_KEY, user.person,
                           DESTROY_CREDENTIAL),
                     ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_act_is_about_subjects_or_about_persons)
{
    uint32_t act;

    open_scene();
    end_key(&user);
    ck_assert_int_eq(propose(&fixture, user.person,
                             PERSON | DESTROY_BIT(DESTROY_RECORD), &act),
                     ST_BAD_FIELD);
    ck_assert_int_eq(propose(&fixture, 999, PERSON, &act), ST_NO_SUCH);
    ck_assert_int_eq(propose(&fixture, user.person, CREDENTIAL, &act), ST_OK);
    fixture_close(&fixture);
}
END_TEST

/* ---- Credentials that were replaced -------------------------------------- */

static void replace(uint64_t number, int64_t due)
{
    struct row_replaced row = {
        .number = number, .person = user.person, .due = due};
    uint8_t digest[HASH_SIZE];

    state_begin(fixture.state);
    state_entry_begin(fixture.state);
    state_insert(fixture.state, TABLE_REPLACED, &row);
    state_entry_end(fixture.state, digest);
    state_commit(fixture.state);
}

START_TEST(ruling_40_what_was_replaced_is_destroyed_without_persons)
{
    struct row_destruction row = {.number = 1};
    struct erased_key due[4];

    open_scene();
    /* What nobody replaced is not. */
    ck_assert_int_eq(erase(&fixture, 0, SEAL_CREDENTIAL_KEY, user.person,
                           DESTROY_CREDENTIAL),
                     ST_NO_SUCH);
    ck_assert_int_eq(
        erase(&fixture, 0, SEAL_PERSON_KEY, user.person, DESTROY_PERSON),
        ST_BAD_FIELD);
    ck_assert_int_eq(erase(&fixture, 0, 0, 0, DESTROY_CREDENTIAL),
                     ST_BAD_FIELD);
    replace(SEAL_CREDENTIAL_KEY, fixture.log_time + 10 * DATES_US_PER_SECOND);
    ck_assert_uint_eq(
        destroy_replaced_due(fixture.state, due, 4, fixture.log_time), 0);
    ck_assert_int_eq(erase(&fixture, 0, SEAL_CREDENTIAL_KEY, user.person,
                           DESTROY_CREDENTIAL),
                     ST_WRONG_STATE);
    fixture.log_time += 10 * DATES_US_PER_SECOND;
    ck_assert_uint_eq(
        destroy_replaced_due(fixture.state, due, 4, fixture.log_time), 1);
    ck_assert_uint_eq(due[0].key, SEAL_CREDENTIAL_KEY);
    ck_assert_uint_eq(due[0].subject, user.person);
    ck_assert_int_eq(erase(&fixture, 0, SEAL_CREDENTIAL_KEY, other.person,
                           DESTROY_CREDENTIAL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(erase(&fixture, 0, SEAL_CREDENTIAL_KEY, user.person,
                           DESTROY_CREDENTIAL),
                     ST_OK);
    ck_assert(destroy_is_erased(fixture.state, SEAL_CREDENTIAL_KEY));
    ck_assert_uint_eq(state_count(fixture.state, TABLE_REPLACED), 0);
    ck_assert(state_get(fixture.state, TABLE_DESTRUCTION, &row));
    ck_assert_uint_eq(row.state, DESTROY_ERASED);
    ck_assert_uint_eq(row.ground, DESTROY_GROUND_REPLACED);
    ck_assert_uint_eq(row.keys_count, 1);
    ck_assert_uint_eq(row.proposed_by, 0);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_act_about_a_person_takes_what_he_replaced_too)
{
    uint32_t act;

    open_scene();
    replace(SEAL_CREDENTIAL_KEY, INT64_MAX);
    end_key(&user);
    act = ordered(&fixture, user.person, BOTH);
    ck_assert_int_eq(erase(&fixture, act, SEAL_CREDENTIAL_KEY, user.person,
                           DESTROY_CREDENTIAL),
                     ST_OK);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_REPLACED), 0);
    fixture_close(&fixture);
}
END_TEST

/* ---- Who a subject was --------------------------------------------------- */

START_TEST(T_R_8_2_2_its_person_is_told_that_the_evidence_is_destroyed)
{
    struct op_section_get get = {.sections = SCENE_S06};
    struct op_access_list accesses = {.limit = 10};
    struct op_consent_list consents = {.side = 1, .limit = 10};
    struct fixture_actor stranger;
    struct scene scene;
    uint32_t act;

    scene_open(&scene);
    open_staff(&scene.fixture);
    fixture_user(&scene.fixture, &stranger, "7654321");
    act = ordered(&scene.fixture, scene.subject, 3);
    ck_assert_int_eq(erase(&scene.fixture, act, 0, 0, DESTROY_RECORD), ST_OK);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_SECTION_GET, &get, scene.subject, 0, 0,
                                 NULL),
                     ST_ERASED);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_ACCESS_LIST, &accesses, scene.subject,
                                 0, 0, NULL),
                     ST_ERASED);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_CONSENT_LIST, &consents, scene.subject,
                                 0, 0, NULL),
                     ST_ERASED);
    /* A stranger learns nothing: as about a subject that never was. */
    ck_assert_int_eq(fixture_run(&scene.fixture, &stranger, OPCODE_SECTION_GET,
                                 &get, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    ck_assert_int_eq(fixture_run(&scene.fixture, &stranger, OPCODE_ACCESS_LIST,
                                 &accesses, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    /* No tag of a personal number is kept for it. */
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_REPRESENTATIVE),
                      0);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("destroy_person", T_R_8_2_2_an_act_destroys_who_a_person_is,
           nobody_who_still_acts_is_destroyed,
           who_was_destroyed_gets_no_key_and_no_identity,
           an_act_about_a_person_names_his_own_keys_only,
           an_act_is_about_subjects_or_about_persons,
           ruling_40_what_was_replaced_is_destroyed_without_persons,
           an_act_about_a_person_takes_what_he_replaced_too,
           T_R_8_2_2_its_person_is_told_that_the_evidence_is_destroyed)
