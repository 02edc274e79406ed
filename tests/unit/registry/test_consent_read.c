#include "tests/lib/consent_scene.h"

#include <string.h>

#include "tests/lib/suite.h"

static enum status get(struct scene *scene, const struct fixture_actor *actor,
                       uint32_t consent, uint16_t sections, uint32_t purpose)
{
    struct op_section_get in = {.sections = sections,
                                .consent = consent,
                                .file_number = fixture_text(SCENE_FILE)};

    return fixture_run(&scene->fixture, actor, OPCODE_SECTION_GET, &in,
                       scene->subject, purpose, actor->duty, NULL);
}

/* The newest rows of the subject's access list, as its person sees them. */
static uint32_t shown(struct scene *scene, struct access_row *rows,
                      uint32_t rows_max)
{
    struct op_access_list in = {.limit = PAGE_ROWS_MAX};
    struct result_access_list out;
    struct list_reader reader;
    struct access_row row;
    uint32_t count = 0;

    ck_assert_int_eq(fixture_run(&scene->fixture, &scene->owner,
                                 OPCODE_ACCESS_LIST, &in, scene->subject, 0, 0,
                                 &out),
                     ST_OK);
    list_reader_init(&reader, &out.accesses);
    while (list_reader_next(&reader, &schema_access_row, &row)) {
        if (count < rows_max)
            rows[count] = row;
        count++;
    }
    return count;
}

/* T-R-4.3a, T-R-9.1.3, scenario 3 */
START_TEST(T_R_4_3a_a_participant_without_a_grant_is_refused_and_seen)
{
    struct scene scene;
    struct access_row row;

    scene_open(&scene);
    ck_assert_int_eq(get(&scene, &scene.asker, 0, SCENE_S10, SCENE_PURPOSE),
                     ST_NO_GRANT);
    ck_assert_uint_eq(shown(&scene, &row, 1), 1);
    ck_assert_uint_eq(row.organisation, scene.body);
    ck_assert_uint_eq(row.duty, DUTY_REQ);
    ck_assert_uint_eq(row.opcode, OPCODE_SECTION_GET);
    ck_assert_uint_eq(row.sections, SCENE_S10);
    ck_assert_uint_eq(row.purpose, SCENE_PURPOSE);
    ck_assert_uint_eq(row.code, ST_NO_GRANT);
    scene_close(&scene);
}
END_TEST

/* T-R-4.3b */
START_TEST(T_R_4_3b_a_grant_covers_its_sections_until_its_day)
{
    struct scene scene;
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(
        scene_ask(&scene, &consent, SCENE_S06 | SCENE_S08 | SCENE_S10), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06 | SCENE_S08, 99, 5),
                     ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_OK);
    ck_assert_int_eq(
        get(&scene, &scene.asker, consent, SCENE_S08, SCENE_PURPOSE), ST_OK);
    ck_assert_uint_eq(scene_case(&scene, consent).uses, 2);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S10, NULL), ST_NO_GRANT);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06 | SCENE_S10, NULL),
                     ST_NO_GRANT);
    fixture_wait(&scene.fixture, 5);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_NO_GRANT);
    ck_assert_uint_eq(scene_case(&scene, consent).uses, 2);
    scene_close(&scene);
}
END_TEST

/* T-R-4.3c, T-R-9.1.3 */
START_TEST(T_R_4_3c_a_grant_serves_one_body_one_purpose_and_one_file)
{
    struct scene scene;
    struct fixture_actor neighbour;
    struct op_consent_read in = {.sections = SCENE_S06};
    uint32_t other;

    scene_open(&scene);
    other = fixture_organisation(&scene.fixture, ORGANISATION_INSTITUTION, 0);
    fixture_participant(&scene.fixture, &neighbour, other, DUTY_REQ);
    ck_assert_int_eq(scene_ask(&scene, &in.consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, in.consent, SCENE_S06, 99, 5), ST_OK);
    in.file_number = fixture_text(SCENE_FILE);
    ck_assert_int_eq(fixture_run(&scene.fixture, &neighbour,
                                 OPCODE_CONSENT_READ, &in, scene.subject,
                                 SCENE_PURPOSE, neighbour.duty, NULL),
                     ST_NO_GRANT);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                 OPCODE_CONSENT_READ, &in, scene.subject,
                                 SCENE_PURPOSE_OTHER, scene.asker.duty, NULL),
                     ST_NO_GRANT);
    in.file_number = fixture_text("QRANT-2026/18");
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                 OPCODE_CONSENT_READ, &in, scene.subject,
                                 SCENE_PURPOSE, scene.asker.duty, NULL),
                     ST_NO_GRANT);
    in.file_number = fixture_text(SCENE_FILE);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                 OPCODE_CONSENT_READ, &in,
                                 records_voen(2, SUBJECT_LEGAL), SCENE_PURPOSE,
                                 scene.asker.duty, NULL),
                     ST_NO_GRANT);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.asker,
                                 OPCODE_CONSENT_READ, &in, scene.subject,
                                 SCENE_PURPOSE, scene.asker.duty, NULL),
                     ST_OK);
    scene_close(&scene);
}
END_TEST

/* The asker's cases as it lists them; the newest in ${row_out}, whose texts
 * live until the next run. */
static uint32_t askers_list(struct scene *scene, struct consent_row *row_out)
{
    struct op_consent_list in = {.side = 2, .limit = 10};
    struct result_consent_list out;
    struct list_reader reader;
    uint32_t count = 0;

    ck_assert_int_eq(fixture_run(&scene->fixture, &scene->asker,
                                 OPCODE_CONSENT_LIST, &in, 0, 0,
                                 scene->asker.duty, &out),
                     ST_OK);
    list_reader_init(&reader, &out.consents);
    while (list_reader_next(&reader, &schema_consent_row, row_out))
        count++;
    return count;
}

/* T-R-4.3d: what the asker learns of a refusal; its notice comes with the
 * notices. */
START_TEST(T_R_4_3d_a_refusal_tells_the_asker_neither_data_nor_reason)
{
    struct scene scene;
    struct op_consent_refuse refuse = {.reason = fixture_text("şəxsi səbəb")};
    struct consent_row row;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &refuse.consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_step(&scene, OPCODE_CONSENT_REFUSE, &refuse, 1),
                     ST_OK);
    ck_assert_uint_eq(askers_list(&scene, &row), 1);
    ck_assert_uint_eq(row.state, CONSENT_REFUSED);
    ck_assert_uint_eq(row.granted, 0);
    ck_assert(slice_equal(row.file_number, fixture_text(SCENE_FILE)));
    ck_assert(memmem(scene.fixture.result.data, scene.fixture.result.size,
                     refuse.reason.data, refuse.reason.size) == NULL);
    ck_assert_int_eq(scene_read(&scene, refuse.consent, SCENE_S06, NULL),
                     ST_NO_GRANT);
    scene_close(&scene);
}
END_TEST

/* T-R-10.1.7 */
START_TEST(T_R_10_1_7_a_subject_reads_another_once_and_both_see_it)
{
    struct scene scene;
    struct fixture_actor asker;
    uint64_t asking;
    struct op_consent_ask ask = {.sections = SCENE_S06 | SCENE_S08,
                                 .file_number = fixture_text(SCENE_FILE),
                                 .operations = CONSENT_VIEW};
    struct op_consent_read read = {.sections = SCENE_S06,
                                   .file_number = fixture_text(SCENE_FILE)};
    struct op_consent_list list = {.side = 2, .limit = 10};
    struct result_consent_ask asked;
    struct result_consent_list listed;
    struct access_row rows[4];

    scene_open(&scene);
    asking = records_voen(3, SUBJECT_INDIVIDUAL);
    feeder_bring_good(&scene.feeder, asking, 1);
    fixture_user(&scene.fixture, &asker, RECORDS_FIN);
    ask.until = scene.fixture.log_time + 9 * SCENE_DAY;
    ask.asker_subject = scene.subject;
    ck_assert_int_eq(fixture_run(&scene.fixture, &asker, OPCODE_CONSENT_ASK,
                                 &ask, scene.subject, SCENE_PURPOSE, 0, NULL),
                     ST_BAD_FIELD); /* It does not ask itself. */
    ask.asker_subject = records_voen(4, SUBJECT_INDIVIDUAL);
    ck_assert_int_eq(fixture_run(&scene.fixture, &asker, OPCODE_CONSENT_ASK,
                                 &ask, scene.subject, SCENE_PURPOSE, 0, NULL),
                     ST_NOT_SELF); /* Nor in a stranger's name. */
    ask.asker_subject = asking;
    ck_assert_int_eq(fixture_run(&scene.fixture, &asker, OPCODE_CONSENT_ASK,
                                 &ask, scene.subject, SCENE_PURPOSE, 0, &asked),
                     ST_OK);
    ck_assert_int_eq(scene_grant(&scene, asked.consent, SCENE_S06, 1, 1),
                     ST_OK);
    read.consent = asked.consent;
    ck_assert_int_eq(fixture_run(&scene.fixture, &asker, OPCODE_CONSENT_READ,
                                 &read, scene.subject, SCENE_PURPOSE, 0, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&scene.fixture, &asker, OPCODE_CONSENT_READ,
                                 &read, scene.subject, SCENE_PURPOSE, 0, NULL),
                     ST_NO_GRANT);
    ck_assert_uint_ge(shown(&scene, rows, 4), 4);
    ck_assert_uint_eq(rows[0].code, ST_NO_GRANT);
    ck_assert_uint_eq(rows[1].code, ST_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(rows[i].opcode, OPCODE_CONSENT_READ);
        ck_assert_uint_eq(rows[i].subject, asking);
        ck_assert_uint_eq(rows[i].organisation, 0);
        ck_assert_uint_eq(rows[i].consent, asked.consent);
    }
    list.asker_subject = asking;
    ck_assert_int_eq(fixture_run(&scene.fixture, &asker, OPCODE_CONSENT_LIST,
                                 &list, 0, 0, 0, &listed),
                     ST_OK);
    ck_assert_uint_eq(listed.consents.count, 1);
    scene_close(&scene);
}
END_TEST

/* Scenario 2 */
START_TEST(the_subject_sees_the_request_the_grant_the_reading_and_the_denial)
{
    static const struct {
        uint16_t opcode;
        uint16_t code;
        uint16_t sections;
    } expected[] = {
        {OPCODE_CONSENT_READ, ST_NO_GRANT, SCENE_S06},
        {OPCODE_CONSENT_READ, ST_OK, SCENE_S06},
        {OPCODE_CONSENT_GRANT, ST_OK, SCENE_S06},
        {OPCODE_CONSENT_ASK, ST_OK, SCENE_S06 | SCENE_S10},
    };
    struct scene scene;
    struct access_row rows[4];
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06 | SCENE_S10), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 5), ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_NO_GRANT);
    ck_assert_uint_eq(shown(&scene, rows, 4), 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(rows[i].opcode, expected[i].opcode);
        ck_assert_uint_eq(rows[i].code, expected[i].code);
        ck_assert_uint_eq(rows[i].sections, expected[i].sections);
        ck_assert_uint_eq(rows[i].consent, consent);
    }
    ck_assert_uint_eq(rows[2].subject, scene.subject);
    scene_close(&scene);
}
END_TEST

/* T-P-3.6 */
START_TEST(T_P_3_6_a_weak_key_reads_its_own_data_and_grants_nothing)
{
    struct scene scene;
    struct fixture_actor weak;
    struct op_actor_enrol enrol;
    struct op_consent_grant grant;
    struct op_section_get in = {.sections = SCENE_S06};
    struct access_row row;
    uint32_t consent;

    scene_open(&scene);
    weak = scene.owner;
    fixture_enrolment(&scene.fixture, &enrol, &weak.identity, ROLE_USER, 1, 0,
                      scene.owner.person);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_ACTOR_ENROL, &enrol, 0, 0, 1, NULL),
                     ST_OK);
    fixture_session(&scene.fixture, &weak);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(fixture_run(&scene.fixture, &weak, OPCODE_SECTION_GET, &in,
                                 scene.subject, 0, 0, NULL),
                     ST_OK);
    grant = scene_grant_fields(&scene, consent, SCENE_S06, 1, 5);
    scene.fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&scene.fixture, &weak, OPCODE_CONSENT_GRANT,
                                 &grant, scene.subject, 0, 0, NULL),
                     ST_LEVEL);
    ck_assert_uint_gt(shown(&scene, &row, 1), 0);
    ck_assert_uint_eq(row.opcode, OPCODE_CONSENT_GRANT);
    ck_assert_uint_eq(row.code, ST_LEVEL);
    scene_close(&scene);
}
END_TEST

/* T-P-4.1.1 */
START_TEST(T_P_4_1_1_who_is_not_listed_cannot_open_the_cabinet_and_is_seen)
{
    struct scene scene;
    struct fixture_actor stranger;
    struct op_section_get in = {.sections = SCENE_S06};
    struct op_consent_list list = {.side = 1, .limit = 1};
    struct access_row rows[3];

    scene_open(&scene);
    fixture_user(&scene.fixture, &stranger, "7654321");
    ck_assert_int_eq(fixture_run(&scene.fixture, &stranger, OPCODE_SECTION_GET,
                                 &in, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    ck_assert_int_eq(fixture_run(&scene.fixture, &stranger, OPCODE_CONSENT_LIST,
                                 &list, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    ck_assert_uint_eq(shown(&scene, rows, 3), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(rows[i].code, ST_NOT_SELF);
        ck_assert_uint_eq(rows[i].subject, 0);
        ck_assert_mem_ne(rows[i].person.b, "\0\0\0\0\0\0\0\0", 8);
    }
    ck_assert_mem_eq(rows[0].person.b, rows[1].person.b, 8);
    scene_close(&scene);
}
END_TEST

START_TEST(destroyed_words_of_a_request_are_listed_as_empty)
{
    struct scene scene;
    struct consent_row row;
    uint32_t consent;

    scene_open(&scene);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    scene.fixture.erased = true;
    ck_assert_uint_eq(askers_list(&scene, &row), 1);
    ck_assert_uint_eq(row.file_number.size, 0);
    ck_assert_uint_eq(row.text.size, 0);
    ck_assert_uint_eq(row.asked, SCENE_S06);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("consent_read",
           T_R_4_3a_a_participant_without_a_grant_is_refused_and_seen,
           T_R_4_3b_a_grant_covers_its_sections_until_its_day,
           T_R_4_3c_a_grant_serves_one_body_one_purpose_and_one_file,
           T_R_4_3d_a_refusal_tells_the_asker_neither_data_nor_reason,
           T_R_10_1_7_a_subject_reads_another_once_and_both_see_it,
           the_subject_sees_the_request_the_grant_the_reading_and_the_denial,
           T_P_3_6_a_weak_key_reads_its_own_data_and_grants_nothing,
           T_P_4_1_1_who_is_not_listed_cannot_open_the_cabinet_and_is_seen,
           destroyed_words_of_a_request_are_listed_as_empty)
