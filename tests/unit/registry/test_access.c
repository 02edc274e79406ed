#include "tests/lib/consent_scene.h"

#include <string.h>

#include "tests/lib/suite.h"

enum { STRANGER_VOEN_N = 77 };

static enum status list(struct scene *scene, const struct fixture_actor *actor,
                        const struct op_access_list *in, uint64_t subject,
                        uint32_t purpose, struct result_access_list *out)
{
    return fixture_run(&scene->fixture, actor, OPCODE_ACCESS_LIST, in, subject,
                       purpose, actor->duty, out);
}

static enum status staff_read(struct scene *scene,
                              const struct fixture_actor *actor,
                              uint32_t purpose, const char *file)
{
    struct op_section_get in = {.sections = SCENE_S06,
                                .file_number = fixture_text(file)};

    return fixture_run(&scene->fixture, actor, OPCODE_SECTION_GET, &in,
                       scene->subject, purpose, actor->duty, NULL);
}

/* T-R-8.2.14 */
START_TEST(T_R_8_2_14_the_list_holds_every_access_staff_and_denials_included)
{
    struct scene scene;
    struct fixture_actor registrar, auditor, stranger;
    struct op_access_list in = {.limit = PAGE_ROWS_MAX};
    struct op_section_get self = {.sections = SCENE_S06};
    struct result_access_list out;
    uint32_t consent, before;

    scene_open(&scene);
    fixture_staff(&scene.fixture, &registrar, DUTY_REG);
    fixture_staff(&scene.fixture, &auditor, DUTY_AUD);
    fixture_user(&scene.fixture, &stranger, "7654321");
    before = fixture_accesses(&scene.fixture, NULL, scene.subject);
    ck_assert_uint_eq(before, 0); /* Feeding is no access. */

    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 5), ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S10, NULL), ST_NO_GRANT);
    ck_assert_int_eq(staff_read(&scene, &registrar, SCENE_PURPOSE, "S-1"),
                     ST_OK);
    ck_assert_int_eq(staff_read(&scene, &registrar, 0, "S-1"), ST_NO_PURPOSE);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_SECTION_GET, &self, scene.subject, 0, 0,
                                 NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&scene.fixture, &stranger, OPCODE_SECTION_GET,
                                 &self, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    ck_assert_int_eq(list(&scene, &auditor, &in, scene.subject, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.accesses.count, 8);
    /* The auditor's look is itself the ninth; this one will be the tenth. */
    ck_assert_int_eq(list(&scene, &scene.owner, &in, scene.subject, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.accesses.count, 9);
    ck_assert_uint_eq(fixture_accesses(&scene.fixture, NULL, scene.subject),
                      10);
    scene_close(&scene);
}
END_TEST

START_TEST(officers_look_only_to_answer_a_complaint_and_are_seen)
{
    struct scene scene;
    struct fixture_actor officers[2], other;
    struct op_access_list in = {.limit = 10};
    struct row_access row;

    scene_open(&scene);
    fixture_staff(&scene.fixture, &officers[0], DUTY_SEC);
    fixture_staff(&scene.fixture, &officers[1], DUTY_DPO);
    fixture_staff(&scene.fixture, &other, DUTY_REG);
    for (int i = 0; i < 2; i++) {
        in.file_number = fixture_text("ŞİKAYƏT-5");
        ck_assert_int_eq(
            list(&scene, &officers[i], &in, scene.subject, 0, NULL),
            ST_NO_PURPOSE);
        in.file_number = fixture_text("");
        ck_assert_int_eq(
            list(&scene, &officers[i], &in, scene.subject, SCENE_PURPOSE, NULL),
            ST_NO_PURPOSE);
        in.file_number = fixture_text("ŞİKAYƏT-5");
        ck_assert_int_eq(
            list(&scene, &officers[i], &in, scene.subject, SCENE_PURPOSE, NULL),
            ST_OK);
        fixture_accesses(&scene.fixture, &row, scene.subject);
        ck_assert_uint_eq(row.opcode, OPCODE_ACCESS_LIST);
        ck_assert_uint_eq(row.purpose, SCENE_PURPOSE);
        ck_assert_uint_eq(row.organisation, FIXTURE_OWNER);
        ck_assert_uint_eq(row.duty, i == 0 ? DUTY_SEC : DUTY_DPO);
    }
    ck_assert_int_eq(
        list(&scene, &other, &in, scene.subject, SCENE_PURPOSE, NULL),
        ST_NO_DUTY);
    fixture_accesses(&scene.fixture, &row, scene.subject);
    ck_assert_uint_eq(row.code, ST_NO_DUTY);
    scene_close(&scene);
}
END_TEST

/* T-R-10.1.2 */
START_TEST(T_R_10_1_2_a_stranger_learns_nothing_not_even_who_exists)
{
    struct scene scene;
    struct fixture_actor stranger;
    struct op_section_get get = {.sections = SCENE_S06};
    struct op_access_list in = {.limit = 10};
    struct op_consent_read read = {.consent = 1,
                                   .sections = SCENE_S06,
                                   .file_number = fixture_text(SCENE_FILE)};
    uint64_t subjects[2];

    scene_open(&scene);
    fixture_user(&scene.fixture, &stranger, "7654321");
    subjects[0] = scene.subject;
    subjects[1] = records_voen(STRANGER_VOEN_N, SUBJECT_LEGAL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(fixture_run(&scene.fixture, &stranger,
                                     OPCODE_SECTION_GET, &get, subjects[i], 0,
                                     0, NULL),
                         ST_NOT_SELF);
        ck_assert_uint_eq(scene.fixture.result.size, 0);
        ck_assert_int_eq(list(&scene, &stranger, &in, subjects[i], 0, NULL),
                         ST_NOT_SELF);
        ck_assert_uint_eq(scene.fixture.result.size, 0);
        ck_assert_int_eq(fixture_run(&scene.fixture, &stranger,
                                     OPCODE_CONSENT_READ, &read, subjects[i],
                                     SCENE_PURPOSE, 0, NULL),
                         ST_NO_GRANT);
        ck_assert_uint_eq(scene.fixture.result.size, 0);
    }
    ck_assert_uint_eq(fixture_accesses(&scene.fixture, NULL, subjects[0]), 3);
    ck_assert_uint_eq(fixture_accesses(&scene.fixture, NULL, subjects[1]), 0);
    scene_close(&scene);
}
END_TEST

START_TEST(pages_of_the_list_join_without_gap_or_overlap)
{
    struct scene scene;
    struct op_access_list in = {.limit = 4};
    struct op_section_get get = {.sections = SCENE_S06};
    struct result_access_list out;
    struct list_reader reader;
    struct access_row row;
    uint64_t last = UINT64_MAX;
    uint32_t seen = 0;

    scene_open(&scene);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                     OPCODE_SECTION_GET, &get, scene.subject, 0,
                                     0, NULL),
                         ST_OK);
    }
    do {
        ck_assert_int_eq(
            list(&scene, &scene.owner, &in, scene.subject, 0, &out), ST_OK);
        list_reader_init(&reader, &out.accesses);
        while (list_reader_next(&reader, &schema_access_row, &row)) {
            ck_assert_uint_lt(row.index << 16 | row.item, last);
            last = row.index << 16 | row.item;
            seen++;
        }
        in.before = out.next;
    } while (out.next != 0);
    ck_assert_uint_eq(seen, 10); /* The looks themselves are newer. */
    scene_close(&scene);
}
END_TEST

START_TEST(the_list_can_be_cut_by_time)
{
    struct scene scene;
    struct op_access_list in = {.limit = 100};
    struct op_section_get get = {.sections = SCENE_S06};
    struct result_access_list out;
    int64_t times[5];

    scene_open(&scene);
    for (int i = 0; i < 5; i++) {
        times[i] = scene.fixture.log_time;
        ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                     OPCODE_SECTION_GET, &get, scene.subject, 0,
                                     0, NULL),
                         ST_OK);
    }
    in.from = times[1];
    in.to = times[3];
    ck_assert_int_eq(list(&scene, &scene.owner, &in, scene.subject, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.accesses.count, 3);
    in.from = times[4];
    ck_assert_int_eq(list(&scene, &scene.owner, &in, scene.subject, 0, &out),
                     ST_BAD_FIELD);
    scene_close(&scene);
}
END_TEST

enum { CUT_ROWS = 9 };

/* Of the rows, which are the newest first, those that a list up to ${to} and
 * below number ${before} must show. */
static void list_is(struct scene *scene, const struct access_row *rows,
                    int64_t to, uint64_t before)
{
    struct op_access_list in = {.to = to, .before = before, .limit = 100};
    struct result_access_list out;
    struct list_reader reader;
    struct access_row row;

    ck_assert_int_eq(list(scene, &scene->owner, &in, scene->subject, 0, &out),
                     ST_OK);
    list_reader_init(&reader, &out.accesses);
    for (int i = 0; i < CUT_ROWS; i++) {
        if (rows[i].when > to ||
            (before != 0 && (rows[i].index << 16 | rows[i].item) >= before))
            continue;
        ck_assert(list_reader_next(&reader, &schema_access_row, &row));
        ck_assert_uint_eq(row.index, rows[i].index);
    }
    ck_assert(!list_reader_next(&reader, &schema_access_row, &row));
}

/* Those that are later are many, and are not looked at one by one. */
START_TEST(a_list_up_to_a_time_begins_right_there)
{
    struct scene scene;
    struct op_access_list in = {.limit = CUT_ROWS};
    struct op_section_get get = {.sections = SCENE_S06};
    struct result_access_list out;
    struct list_reader reader;
    struct access_row rows[CUT_ROWS];

    scene_open(&scene);
    for (int i = 0; i < CUT_ROWS; i++)
        ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                     OPCODE_SECTION_GET, &get, scene.subject, 0,
                                     0, NULL),
                         ST_OK);
    ck_assert_int_eq(list(&scene, &scene.owner, &in, scene.subject, 0, &out),
                     ST_OK);
    list_reader_init(&reader, &out.accesses);
    for (int i = 0; i < CUT_ROWS; i++)
        ck_assert(list_reader_next(&reader, &schema_access_row, &rows[i]));
    for (int i = 0; i < CUT_ROWS; i++) {
        list_is(&scene, rows, rows[i].when, 0);
        list_is(&scene, rows, rows[i].when - 1, 0);
        for (int j = 0; j < CUT_ROWS; j++) {
            list_is(&scene, rows, rows[i].when, rows[j].index << 16);
            list_is(&scene, rows, rows[i].when, (rows[j].index << 16) + 1);
        }
    }
    list_is(&scene, rows, 1, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_refused_before_it_became_an_entry_is_listed_too)
{
    struct scene scene;
    struct op_journal_refused in;
    struct refused_line line = {
        .opcode = OPCODE_SECTION_GET, .code = ST_BAD_FIELD, .count = 3};
    uint8_t bytes[1024];
    struct writer writer;
    struct row_access row;

    scene_open(&scene);
    writer_init(&writer, bytes, sizeof bytes);
    in.lines = list_begin(&writer);
    line.subject = scene.subject;
    memcpy(line.session.b, scene.asker.identity.key_id, KEY_ID_SIZE);
    list_add(&in.lines, &writer, &schema_refused_line, &line);
    line.code = ST_EXPIRED;
    list_add(&in.lines, &writer, &schema_refused_line, &line);
    line.subject = records_voen(STRANGER_VOEN_N, SUBJECT_LEGAL);
    list_add(&in.lines, &writer, &schema_refused_line, &line);
    line.subject = UINT64_MAX; /* Nobody checked what was refused. */
    list_add(&in.lines, &writer, &schema_refused_line, &line);
    line.subject = records_voen(STRANGER_VOEN_N, SUBJECT_LEGAL);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.node,
                                 OPCODE_JOURNAL_REFUSED, &in, 0, 0, 0, NULL),
                     ST_OK);
    ck_assert_uint_eq(fixture_accesses(&scene.fixture, &row, scene.subject), 2);
    ck_assert_uint_eq(row.code, ST_EXPIRED);
    ck_assert_uint_eq(row.count, 3);
    ck_assert_uint_eq(row.organisation, scene.body);
    ck_assert_uint_eq(row.number & 0xffff, 1);
    ck_assert_uint_eq(fixture_accesses(&scene.fixture, NULL, line.subject), 0);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("access",
           T_R_8_2_14_the_list_holds_every_access_staff_and_denials_included,
           officers_look_only_to_answer_a_complaint_and_are_seen,
           T_R_10_1_2_a_stranger_learns_nothing_not_even_who_exists,
           pages_of_the_list_join_without_gap_or_overlap,
           the_list_can_be_cut_by_time, a_list_up_to_a_time_begins_right_there,
           what_was_refused_before_it_became_an_entry_is_listed_too)
