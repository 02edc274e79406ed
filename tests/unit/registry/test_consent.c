#include "tests/lib/consent_scene.h"

#include <string.h>

#include "tests/lib/suite.h"

START_TEST(a_case_is_asked_granted_and_spent)
{
    struct scene scene;
    struct result_consent_read out;
    struct row_consent row;
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06 | SCENE_S10), ST_OK);
    row = scene_case(&scene, consent);
    ck_assert_uint_eq(row.state, CONSENT_ASKED);
    ck_assert_uint_eq(row.version, 1);
    ck_assert_uint_eq(row.asker, scene.body);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 2, 5), ST_OK);
    row = scene_case(&scene, consent);
    ck_assert_uint_eq(row.state, CONSENT_GRANTED);
    ck_assert_uint_eq(row.granted, SCENE_S06);
    ck_assert_uint_eq(row.decided_level, 3);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, &out), ST_OK);
    ck_assert_uint_eq(out.uses_left, 1);
    ck_assert_uint_eq(out.versions.count, 1);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, &out), ST_OK);
    ck_assert_uint_eq(out.uses_left, 0);
    ck_assert_uint_eq(scene_case(&scene, consent).state, CONSENT_SPENT);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_NO_GRANT);
    scene_close(&scene);
}
END_TEST

/* T-R-9.2.2 */
START_TEST(T_R_9_2_2_a_purpose_and_a_file_are_named_in_request_and_reading)
{
    struct scene scene;
    struct op_consent_ask ask = {.sections = SCENE_S06,
                                 .file_number = fixture_text(SCENE_FILE),
                                 .operations = CONSENT_VIEW};
    struct op_consent_read read = {.sections = SCENE_S06,
                                   .file_number = fixture_text(SCENE_FILE)};
    struct fixture *fixture = &scene.fixture;

    scene_open(&scene);
    ask.until = fixture->log_time + SCENE_DAY;
    for (uint32_t purpose = 0; purpose < 2; purpose++) { /* 1: no such. */
        ck_assert_int_eq(fixture_run(fixture, &scene.asker, OPCODE_CONSENT_ASK,
                                     &ask, scene.subject, purpose,
                                     scene.asker.duty, NULL),
                         ST_NO_PURPOSE);
    }
    ck_assert_int_eq(scene_ask(&scene, &read.consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, read.consent, SCENE_S06, 9, 5), ST_OK);
    ck_assert_int_eq(fixture_run(fixture, &scene.asker, OPCODE_CONSENT_READ,
                                 &read, scene.subject, 0, scene.asker.duty,
                                 NULL),
                     ST_NO_PURPOSE);
    ask.file_number = read.file_number = fixture_text("");
    ck_assert_int_eq(fixture_run(fixture, &scene.asker, OPCODE_CONSENT_ASK,
                                 &ask, scene.subject, SCENE_PURPOSE,
                                 scene.asker.duty, NULL),
                     ST_NO_PURPOSE);
    ck_assert_int_eq(fixture_run(fixture, &scene.asker, OPCODE_CONSENT_READ,
                                 &read, scene.subject, SCENE_PURPOSE,
                                 scene.asker.duty, NULL),
                     ST_NO_PURPOSE);
    scene_close(&scene);
}
END_TEST

START_TEST(a_purpose_covers_its_sections_and_its_kinds_of_asker_only)
{
    struct scene scene;
    struct op_consent_ask ask = {.sections = SCENE_S06 | SCENE_S10,
                                 .file_number = fixture_text(SCENE_FILE),
                                 .operations = CONSENT_VIEW};

    scene_open(&scene);
    fixture_purpose(&scene.fixture, 20, SCENE_S06,
                    1 << ORGANISATION_INSTITUTION);
    fixture_purpose(&scene.fixture, 21, SECTIONS_MASK, 1);
    ask.until = scene.fixture.log_time + SCENE_DAY;
    for (uint32_t purpose = 20; purpose <= 21; purpose++) {
        ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                     OPCODE_CONSENT_ASK, &ask, scene.subject,
                                     purpose, scene.asker.duty, NULL),
                         ST_NO_PURPOSE);
    }
    ask.sections = SCENE_S06;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                 OPCODE_CONSENT_ASK, &ask, scene.subject, 20,
                                 scene.asker.duty, NULL),
                     ST_OK);
    scene_close(&scene);
}
END_TEST

/* T-P-7.1.16: who consents and who receives, the purpose, the list of data and
 * operations, the validity and its revocation, and what becomes of the data. */
START_TEST(T_P_7_1_16_a_grant_that_lacks_an_element_is_refused)
{
    struct scene scene;
    struct op_consent_grant good, bad[10];
    size_t count = 0;
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    good = scene_grant_fields(&scene, consent, SCENE_S06, 1, 5);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        bad[i] = good;
    bad[count++].consent = 0;    /* Who receives, and why. */
    bad[count++].sections = 0;   /* The list of data ... */
    bad[count++].operations = 0; /* ... and of operations. */
    bad[count++].uses_max = 0;   /* Validity. */
    bad[count++].until = 0;
    bad[count++].until = scene.fixture.log_time;
    bad[count++].revocation = fixture_text(""); /* When it may be revoked. */
    bad[count++].after_use = 0;                 /* What becomes of the data. */
    bad[count++].after_use = 2;                 /* Kept, but how long? */
    bad[count++].keep_days = 30;                /* Destroyed, yet kept. */
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_GRANT, &bad[i], 1),
                         ST_BAD_FIELD);
    }
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_GRANT, &good, 1), ST_OK);
    scene_close(&scene);
}
END_TEST

START_TEST(a_grant_narrows_what_was_asked_and_never_widens_it)
{
    struct scene scene;
    struct op_consent_grant in;
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06 | SCENE_S08), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06 | SCENE_S10, 1, 5),
                     ST_BAD_FIELD);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 25),
                     ST_BAD_FIELD); /* Asked for 20 days. */
    in = scene_grant_fields(&scene, consent, SCENE_S06, 1, 5);
    in.operations = CONSENT_EXTRACT;
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_GRANT, &in, 1),
                     ST_BAD_FIELD);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 5), ST_OK);
    scene_close(&scene);
}
END_TEST

START_TEST(a_consent_is_no_longer_than_the_setting_allows)
{
    struct scene scene;
    struct fixture_actor head;
    struct op_config_change in = {.setting = SETTING_consent_grant_days,
                                  .value = 3,
                                  .note = fixture_text("shorter"),
                                  .basis = fixture_digest(1)};
    uint32_t consent;

    scene_open(&scene);
    fixture_staff(&scene.fixture, &head, DUTY_DIR);
    ck_assert_int_eq(fixture_run(&scene.fixture, &head, OPCODE_CONFIG_CHANGE,
                                 &in, 0, 0, head.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 4),
                     ST_BAD_FIELD);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 3), ST_OK);
    scene_close(&scene);
}
END_TEST

/* T-R-4.3e */
START_TEST(T_R_4_3e_no_consent_stands_without_a_request)
{
    struct scene scene;
    struct op_consent_refuse refuse;
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(scene_grant(&scene, 1, SCENE_S06, 1, 5), ST_NO_SUCH);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    refuse = (struct op_consent_refuse){.consent = consent};
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REFUSE, &refuse, 1),
                     ST_OK);
    /* On the version it has now: the step itself is not possible. */
    {
        struct op_consent_grant grant =
            scene_grant_fields(&scene, consent, SCENE_S06, 1, 5);
        ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_GRANT, &grant, 2),
                         ST_WRONG_STATE);
    }
    scene_close(&scene);
}
END_TEST

START_TEST(a_step_on_an_older_version_of_the_case_is_refused)
{
    struct scene scene;
    struct op_consent_withdraw withdraw;
    struct op_consent_revoke revoke;
    uint32_t one, other;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &one, SCENE_S06), ST_OK);
    withdraw = (struct op_consent_withdraw){.consent = one};
    scene.fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                 OPCODE_CONSENT_WITHDRAW, &withdraw,
                                 scene.subject, 0, scene.asker.duty, NULL),
                     ST_OK);
    ck_assert_uint_eq(scene_case(&scene, one).state, CONSENT_WITHDRAWN);
    ck_assert_int_eq(scene_grant(&scene, one, SCENE_S06, 1, 5),
                     ST_VERSION_CONFLICT);
    ck_assert_int_eq(scene_ask(&scene, &other, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, other, SCENE_S06, 9, 5), ST_OK);
    revoke = (struct op_consent_revoke){.consent = other};
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REVOKE, &revoke, 1),
                     ST_VERSION_CONFLICT);
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REVOKE, &revoke, 0),
                     ST_EXISTS);
    /* Reading in between does not keep the subject from revoking. */
    ck_assert_int_eq(scene_read(&scene, other, SCENE_S06, NULL), ST_OK);
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REVOKE, &revoke, 2),
                     ST_OK);
    ck_assert_int_eq(scene_read(&scene, other, SCENE_S06, NULL), ST_NO_GRANT);
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REVOKE, &revoke, 3),
                     ST_WRONG_STATE);
    scene_close(&scene);
}
END_TEST

START_TEST(D100_a_grant_that_comes_behind_its_revocation_is_502)
{
    struct scene scene;
    struct op_consent_revoke revoke;
    uint32_t one;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &one, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, one, SCENE_S06, 9, 5), ST_OK);
    revoke = (struct op_consent_revoke){.consent = one};
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REVOKE, &revoke, 2),
                     ST_OK);
    /* Signed before, delayed on its way, and under another number. */
    ck_assert_int_eq(scene_grant(&scene, one, SCENE_S06, 9, 5),
                     ST_VERSION_CONFLICT);
    ck_assert_uint_eq(scene_case(&scene, one).state, CONSENT_REVOKED);
    ck_assert_int_eq(scene_read(&scene, one, SCENE_S06, NULL), ST_NO_GRANT);
    scene_close(&scene);
}
END_TEST

START_TEST(only_the_asker_withdraws_and_only_the_subject_decides)
{
    struct scene scene;
    struct fixture_actor other;
    struct op_consent_withdraw withdraw;
    struct op_consent_grant grant;
    uint32_t consent;

    scene_open(&scene);
    fixture_user(&scene.fixture, &other, "7654321");
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    withdraw = (struct op_consent_withdraw){.consent = consent};
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_WITHDRAW, &withdraw, 1),
                     ST_NOT_SELF);
    grant = scene_grant_fields(&scene, consent, SCENE_S06, 1, 5);
    scene.fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&scene.fixture, &other, OPCODE_CONSENT_GRANT,
                                 &grant, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    ck_assert_uint_eq(scene_case(&scene, consent).state, CONSENT_ASKED);
    scene_close(&scene);
}
END_TEST

static enum status by_time(struct scene *scene, uint16_t opcode,
                           uint32_t consent)
{
    struct op_consent_lapse in = {.consent = consent};

    return fixture_run(&scene->fixture, &scene->fixture.node, opcode, &in, 0, 0,
                       0, NULL);
}

START_TEST(an_unanswered_request_lapses_and_a_granted_one_ends)
{
    struct scene scene;
    struct consent_due due[4];
    uint32_t asked, granted;
    struct op_consent_grant grant;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &asked, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_ask(&scene, &granted, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, granted, SCENE_S06, 9, 5), ST_OK);
    ck_assert_uint_eq(
        consent_due(scene.fixture.state, due, 4, scene.fixture.log_time), 0);
    ck_assert_int_eq(by_time(&scene, OPCODE_CONSENT_END, granted),
                     ST_WRONG_STATE);
    fixture_wait(&scene.fixture, 31);
    fixture_session(&scene.fixture, &scene.owner);
    ck_assert_uint_eq(
        consent_due(scene.fixture.state, due, 4, scene.fixture.log_time), 2);
    ck_assert_uint_eq(due[0].consent, granted);
    ck_assert_uint_eq(due[0].opcode, OPCODE_CONSENT_END);
    ck_assert_uint_eq(due[1].consent, asked);
    ck_assert_uint_eq(due[1].opcode, OPCODE_CONSENT_LAPSE);
    /* Its time is over, whether or not the node has said so. */
    grant = scene_grant_fields(&scene, asked, SCENE_S06, 1, 1);
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_GRANT, &grant, 1),
                     ST_WRONG_STATE);
    ck_assert_int_eq(scene_read(&scene, granted, SCENE_S06, NULL), ST_NO_GRANT);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(by_time(&scene, due[i].opcode, due[i].consent), ST_OK);
    ck_assert_int_eq(by_time(&scene, OPCODE_CONSENT_LAPSE, asked),
                     ST_WRONG_STATE);
    ck_assert_uint_eq(scene_case(&scene, asked).state, CONSENT_LAPSED);
    ck_assert_uint_eq(scene_case(&scene, granted).state, CONSENT_ENDED);
    ck_assert_uint_eq(
        consent_due(scene.fixture.state, due, 4, scene.fixture.log_time), 0);
    scene_close(&scene);
}
END_TEST

START_TEST(what_a_subject_granted_ends_when_it_is_closed)
{
    struct scene scene;
    struct fixture_actor registrar;
    struct op_subject_close in = {.note = fixture_text("liquidated"),
                                  .basis = fixture_digest(2)};
    struct consent_due due[4];
    uint32_t consents[2], asked;

    scene_open(&scene);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(scene_ask(&scene, &consents[i], SCENE_S06), ST_OK);
        ck_assert_int_eq(scene_grant(&scene, consents[i], SCENE_S06, 9, 5),
                         ST_OK);
    }
    ck_assert_int_eq(scene_ask(&scene, &asked, SCENE_S06), ST_OK);
    fixture_staff(&scene.fixture, &registrar, DUTY_REG);
    in.closed = act_day(scene.fixture.state, scene.fixture.log_time);
    ck_assert_int_eq(fixture_run(&scene.fixture, &registrar,
                                 OPCODE_SUBJECT_CLOSE, &in, scene.subject, 0,
                                 registrar.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(scene_read(&scene, consents[0], SCENE_S06, NULL),
                     ST_NO_GRANT);
    ck_assert_uint_eq(
        consent_due(scene.fixture.state, due, 4, scene.fixture.log_time), 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(by_time(&scene, due[i].opcode, due[i].consent), ST_OK);
    ck_assert_uint_eq(scene_case(&scene, consents[1]).state, CONSENT_ENDED);
    ck_assert_int_eq(scene_grant(&scene, asked, SCENE_S06, 1, 5),
                     ST_OUT_OF_SCOPE);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("consent", a_case_is_asked_granted_and_spent,
           T_R_9_2_2_a_purpose_and_a_file_are_named_in_request_and_reading,
           a_purpose_covers_its_sections_and_its_kinds_of_asker_only,
           T_P_7_1_16_a_grant_that_lacks_an_element_is_refused,
           a_grant_narrows_what_was_asked_and_never_widens_it,
           a_consent_is_no_longer_than_the_setting_allows,
           T_R_4_3e_no_consent_stands_without_a_request,
           a_step_on_an_older_version_of_the_case_is_refused,
           D100_a_grant_that_comes_behind_its_revocation_is_502,
           only_the_asker_withdraws_and_only_the_subject_decides,
           an_unanswered_request_lapses_and_a_granted_one_ends,
           what_a_subject_granted_ends_when_it_is_closed)
