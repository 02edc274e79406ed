/*
 * Which accesses a seal covers.
 */
#include "tests/lib/seal_scene.h"

#include <string.h>

#include "protocol/dates.h"
#include "tests/lib/suite.h"

START_TEST(T_R_8_2_14_a_seal_covers_nothing_of_the_past)
{
    struct op_access_seal_propose in;
    uint32_t seal;

    seal_begin();
    in = seal_proposal();
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_int_eq(seal_propose(&in, &seal), ST_OK);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_APPROVE, seal), ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 2);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 0);
    seal_end();
}
END_TEST

START_TEST(T_R_8_2_14_who_sealed_does_not_hide_himself)
{
    seal_begin();
    seal_live();
    guard.duty = fixture_duty(fixture, &guard, DUTY_REG, 0xff);
    head.duty = fixture_duty(fixture, &head, DUTY_CHK, 0xff);
    ck_assert_int_eq(seal_read(&guard, SEAL_CASE), ST_OK);
    ck_assert_int_eq(seal_read(&head, SEAL_CASE), ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 2);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 0);
    seal_end();
}
END_TEST

START_TEST(another_case_purpose_organisation_or_subject_is_not_covered)
{
    struct op_access_seal_propose in;

    seal_begin();
    in = seal_proposal();
    in.for_purpose = SCENE_PURPOSE_OTHER;
    seal_by(&in);
    in = seal_proposal();
    in.organisation = scene.body;
    seal_by(&in);
    in = seal_proposal();
    in.file_number = fixture_text("CIN-2026/5");
    seal_by(&in);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 0);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 2);
    seal_end();
}
END_TEST

START_TEST(of_two_seals_the_one_that_ends_last_covers_and_counts_once)
{
    struct op_access_seal_propose in;
    uint32_t longer;

    seal_begin();
    seal_live();
    in = seal_proposal();
    in.file_number = fixture_text("");
    in.until += DATES_US_PER_DAY;
    longer = seal_by(&in);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_uint_eq(seal_look(&auditor).mark.seal, longer);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 1);
    seal_end();
}
END_TEST

START_TEST(T_R_8_2_14_a_seal_lets_nobody_read_and_hides_who_tried)
{
    struct op_access_seal_propose in;

    seal_begin();
    in = seal_proposal();
    in.organisation = scene.body;
    in.file_number = fixture_text("");
    seal_by(&in);
    ck_assert_int_eq(seal_read(&scene.asker, SEAL_CASE), ST_NO_GRANT);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 1);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 1); /* The own look. */
    seal_end();
}
END_TEST

START_TEST(T_R_8_2_14_what_the_subject_consented_to_is_always_shown)
{
    struct op_access_seal_propose in;
    uint32_t consent;

    seal_begin();
    in = seal_proposal();
    in.organisation = scene.body;
    in.file_number = fixture_text("");
    seal_by(&in);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 5), ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 3);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 0);
    seal_end();
}
END_TEST

START_TEST(every_read_of_the_registry_for_the_case_is_hidden)
{
    struct op_section_history in = {
        .section = 6, .limit = 5, .file_number = fixture_text(SEAL_CASE)};
    struct op_subject_head head_in = {.file_number = fixture_text(SEAL_CASE)};

    seal_begin();
    seal_live();
    ck_assert_int_eq(fixture_run(fixture, &registrar, OPCODE_SECTION_HISTORY,
                                 &in, scene.subject, SCENE_PURPOSE,
                                 registrar.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(fixture, &registrar, OPCODE_SUBJECT_HEAD,
                                 &head_in, scene.subject, SCENE_PURPOSE,
                                 registrar.duty, NULL),
                     ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 2);
    seal_end();
}
END_TEST

START_TEST(what_was_refused_before_it_was_an_entry_is_hidden_by_organisation)
{
    struct op_access_seal_propose in;
    struct op_journal_refused refused;
    struct refused_line line = {
        .opcode = OPCODE_SECTION_GET, .code = ST_BAD_FIELD, .count = 3};
    uint8_t bytes[512];
    struct writer writer;

    seal_begin();
    in = seal_proposal();
    in.organisation = scene.body;
    in.file_number = fixture_text("");
    seal_by(&in);
    writer_init(&writer, bytes, sizeof bytes);
    refused.lines = list_begin(&writer);
    line.subject = scene.subject;
    memcpy(line.session.b, scene.asker.identity.key_id, KEY_ID_SIZE);
    list_add(&refused.lines, &writer, &schema_refused_line, &line);
    /* That somebody tried to seal is told to nobody. */
    line.opcode = OPCODE_ACCESS_SEAL_PROPOSE;
    list_add(&refused.lines, &writer, &schema_refused_line, &line);
    ck_assert_int_eq(fixture_run(fixture, &fixture->node,
                                 OPCODE_JOURNAL_REFUSED, &refused, 0, 0, 0,
                                 NULL),
                     ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 1);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 1);
    seal_end();
}
END_TEST

SUITE_MAIN("access_seal_cover", T_R_8_2_14_a_seal_covers_nothing_of_the_past,
           T_R_8_2_14_who_sealed_does_not_hide_himself,
           another_case_purpose_organisation_or_subject_is_not_covered,
           of_two_seals_the_one_that_ends_last_covers_and_counts_once,
           T_R_8_2_14_a_seal_lets_nobody_read_and_hides_who_tried,
           T_R_8_2_14_what_the_subject_consented_to_is_always_shown,
           every_read_of_the_registry_for_the_case_is_hidden,
           what_was_refused_before_it_was_an_entry_is_hidden_by_organisation)
