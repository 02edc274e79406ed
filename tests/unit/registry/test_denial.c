#include "server/registry/denial.h"

#include <string.h>

#include "server/registry/notice.h"
#include "tests/lib/consent_scene.h"
#include "tests/lib/suite.h"

enum { TRIED = 20, REFUSED = 5, MISSING_FIRST_N = 500 };

static struct scene scene;
static struct fixture_actor stranger, security;

static void begin(void)
{
    scene_open(&scene);
    fixture_user(&scene.fixture, &stranger, "7654321");
    fixture_staff(&scene.fixture, &security, DUTY_SEC);
}

/* Notices of ${kind} that the security officer sees; the newest in ${row_out}.
 */
static uint32_t noticed(uint8_t kind, struct notice_row *row_out)
{
    struct op_notice_list in = {.limit = PAGE_ROWS_MAX};
    struct result_notice_list out;
    struct list_reader reader;
    struct notice_row row;
    uint32_t count = 0;

    ck_assert_int_eq(fixture_run(&scene.fixture, &security, OPCODE_NOTICE_LIST,
                                 &in, 0, 0, security.duty, &out),
                     ST_OK);
    list_reader_init(&reader, &out.notices);
    while (list_reader_next(&reader, &schema_notice_row, &row)) {
        if (row.kind != kind)
            continue;
        *row_out = row;
        count++;
    }
    return count;
}

static enum status get(const struct fixture_actor *actor, uint64_t subject)
{
    struct op_section_get in = {.sections = SCENE_S06};

    return fixture_run(&scene.fixture, actor, OPCODE_SECTION_GET, &in, subject,
                       0, 0, NULL);
}

static uint64_t missing(uint32_t n)
{
    return records_voen(MISSING_FIRST_N + n, SUBJECT_LEGAL);
}

static void change(enum setting setting, int64_t value)
{
    struct op_config_change in = {.setting = (uint16_t)setting,
                                  .value = value,
                                  .note = fixture_text("another limit"),
                                  .basis = fixture_digest(1)};
    struct fixture_actor head;

    fixture_staff(&scene.fixture, &head, DUTY_DIR);
    ck_assert_int_eq(fixture_run(&scene.fixture, &head, OPCODE_CONFIG_CHANGE,
                                 &in, 0, 0, head.duty, NULL),
                     ST_OK);
}

/* A line of journal.refused about ${actor}'s session. */
static void refuse(const struct fixture_actor *actor, enum status code,
                   uint32_t count)
{
    struct op_journal_refused in = {0};
    struct refused_line line = {
        .opcode = OPCODE_SECTION_GET, .code = (uint16_t)code, .count = count};
    uint8_t bytes[256];
    struct writer writer;

    memcpy(line.session.b, actor->identity.key_id, KEY_ID_SIZE);
    writer_init(&writer, bytes, sizeof bytes);
    in.lines = list_begin(&writer);
    list_add(&in.lines, &writer, &schema_refused_line, &line);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.node,
                                 OPCODE_JOURNAL_REFUSED, &in, 0, 0, 0, NULL),
                     ST_OK);
}

/* T-R-10.1.2 */
START_TEST(T_R_10_1_2_who_walks_through_numbers_is_seen_by_security_and_by_each)
{
    struct notice_row row;
    uint64_t subjects[TRIED];

    begin();
    for (uint32_t i = 0; i < TRIED; i++) {
        subjects[i] = missing(i);
        if (i % 2 == 0)
            fixture_subject(&scene.fixture, subjects[i], SUBJECT_LEGAL);
    }
    for (uint32_t i = 0; i + 1 < TRIED; i++) {
        ck_assert_int_eq(get(&stranger, subjects[i]), ST_NOT_SELF);
        ck_assert_uint_eq(scene.fixture.result.size, 0);
    }
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 0);
    ck_assert_int_eq(get(&stranger, subjects[TRIED - 1]), ST_NOT_SELF);
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 1);
    ck_assert_uint_eq(row.count, TRIED);
    ck_assert_mem_eq(row.key_id.b, stranger.identity.key_id, KEY_ID_SIZE);
    for (uint32_t i = 0; i < TRIED; i++)
        ck_assert_uint_eq(fixture_accesses(&scene.fixture, NULL, subjects[i]),
                          i % 2 == 0);
    scene_close(&scene);
}
END_TEST

/* T-R-10.1.2: the same word for each operation by which one could ask. */
START_TEST(T_R_10_1_2_no_operation_tells_a_stranger_who_exists)
{
    const struct op_section_get get_sections = {.sections = SCENE_S06};
    const struct op_section_history history = {.section = 6, .limit = 1};
    const struct op_subject_head head = {.consent = 0};
    const struct op_subject_completeness completeness = {
        .file_number = {NULL, 0}};
    const struct op_access_list accesses = {.limit = 1};
    const struct op_consent_read read = {.consent = 1, .sections = SCENE_S06};
    const struct op_consent_list cases = {.side = 1, .limit = 1};
    const struct op_extract_issue issue = {.sections = SCENE_S06};
    const struct op_extract_list extracts = {.limit = 1};
    const struct {
        uint16_t opcode;
        const void *fields;
    } tries[] = {
        {OPCODE_SECTION_GET, &get_sections},
        {OPCODE_SECTION_HISTORY, &history},
        {OPCODE_SUBJECT_HEAD, &head},
        {OPCODE_SUBJECT_COMPLETENESS, &completeness},
        {OPCODE_ACCESS_LIST, &accesses},
        {OPCODE_CONSENT_READ, &read},
        {OPCODE_CONSENT_LIST, &cases},
        {OPCODE_EXTRACT_ISSUE, &issue},
        {OPCODE_EXTRACT_LIST, &extracts},
    };
    const struct fixture_actor *actors[] = {&stranger, &scene.asker};
    enum status codes[2];

    begin();
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            for (size_t exists = 0; exists < 2; exists++) {
                codes[exists] = fixture_run(
                    &scene.fixture, actors[k], tries[i].opcode, tries[i].fields,
                    exists != 0 ? scene.subject : missing(1), 0,
                    actors[k]->duty, NULL);
                ck_assert_uint_eq(scene.fixture.result.size, 0);
            }
            ck_assert_int_eq(codes[0], codes[1]);
            ck_assert_int_ne(codes[0], ST_OK);
        }
    }
    scene_close(&scene);
}
END_TEST

START_TEST(ten_times_as_many_tries_are_told_again_and_a_new_day_begins_anew)
{
    struct notice_row row;

    begin();
    for (uint32_t i = 0; i < 10 * TRIED; i++)
        ck_assert_int_eq(get(&stranger, missing(i % 7)), ST_NOT_SELF);
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 2);
    ck_assert_uint_eq(row.count, 10 * TRIED);
    fixture_wait(&scene.fixture, 1);
    fixture_session(&scene.fixture, &stranger);
    for (uint32_t i = 0; i < TRIED; i++)
        ck_assert_int_eq(get(&stranger, missing(i)), ST_NOT_SELF);
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 3);
    ck_assert_uint_eq(row.count, TRIED);
    scene_close(&scene);
}
END_TEST

START_TEST(ones_own_mistakes_and_what_is_granted_are_no_tries)
{
    struct notice_row row;

    begin();
    change(SETTING_tried_notice, 1);
    ck_assert_int_eq(get(&scene.owner, scene.subject), ST_OK);
    scene.fixture.expect_version = 1;
    ck_assert_int_eq(get(&scene.owner, scene.subject), ST_BAD_FIELD);
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 0);
    ck_assert_int_eq(get(&stranger, scene.subject), ST_NOT_SELF);
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(a_limit_of_zero_tells_nobody)
{
    struct notice_row row;

    begin();
    change(SETTING_tried_notice, 0);
    for (uint32_t i = 0; i < 2 * TRIED; i++)
        ck_assert_int_eq(get(&stranger, missing(i)), ST_NOT_SELF);
    ck_assert_uint_eq(noticed(NOTICE_TRIED, &row), 0);
    scene_close(&scene);
}
END_TEST

/* T-P-7.1.1; the lock is the penalty of the net. */
START_TEST(T_P_7_1_1_five_bad_signatures_of_a_key_are_noticed_by_security)
{
    struct notice_row row;

    begin();
    refuse(&stranger, ST_BAD_SIG, REFUSED - 2);
    refuse(&stranger, ST_BAD_SIG, 1);
    ck_assert_uint_eq(noticed(NOTICE_REFUSED, &row), 0);
    refuse(&scene.owner, ST_BAD_SIG, 1);
    ck_assert_uint_eq(noticed(NOTICE_REFUSED, &row), 0);
    refuse(&stranger, ST_BAD_SIG, 1);
    ck_assert_uint_eq(noticed(NOTICE_REFUSED, &row), 1);
    ck_assert_uint_eq(row.count, REFUSED);
    ck_assert_mem_eq(row.key_id.b, stranger.identity.key_id, KEY_ID_SIZE);
    scene_close(&scene);
}
END_TEST

/* T-R-9.2.3 */
START_TEST(T_R_9_2_3_signatures_of_others_and_reused_numbers_are_noticed_too)
{
    struct notice_row row;

    begin();
    refuse(&scene.asker, ST_NOT_CARRIER, 3);
    refuse(&scene.asker, ST_LIMIT, 1000); /* Haste is no offence. */
    refuse(&scene.asker, ST_EXPIRED, 1000);
    ck_assert_uint_eq(noticed(NOTICE_REFUSED, &row), 0);
    refuse(&scene.asker, ST_IDEM_CONFLICT, UINT32_MAX);
    ck_assert_uint_eq(noticed(NOTICE_REFUSED, &row), 1);
    ck_assert_uint_eq(row.count, UINT32_MAX);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("denial",
           T_R_10_1_2_who_walks_through_numbers_is_seen_by_security_and_by_each,
           T_R_10_1_2_no_operation_tells_a_stranger_who_exists,
           ten_times_as_many_tries_are_told_again_and_a_new_day_begins_anew,
           ones_own_mistakes_and_what_is_granted_are_no_tries,
           a_limit_of_zero_tells_nobody,
           T_P_7_1_1_five_bad_signatures_of_a_key_are_noticed_by_security,
           T_R_9_2_3_signatures_of_others_and_reused_numbers_are_noticed_too)
