#include <string.h>

#include "tests/lib/consent_scene.h"
#include "tests/lib/suite.h"

static struct scene scene;

static enum status ask(const struct fixture_actor *actor, uint32_t purpose,
                       const char *file, uint64_t subject,
                       struct result_subject_completeness *out)
{
    struct op_subject_completeness in = {.file_number = fixture_text(file)};

    return fixture_run(&scene.fixture, actor, OPCODE_SUBJECT_COMPLETENESS, &in,
                       subject, purpose, actor->duty, out);
}

static void put_row(uint64_t count)
{
    struct row_completeness row = {
        .subject = scene.subject, .count = count, .rolling = fixture_digest(7)};
    uint8_t digest[HASH_SIZE];

    state_begin(scene.fixture.state);
    state_entry_begin(scene.fixture.state);
    state_insert(scene.fixture.state, TABLE_COMPLETENESS, &row);
    state_entry_end(scene.fixture.state, digest);
    state_commit(scene.fixture.state);
}

START_TEST(T_R_8_2_14_the_count_is_stated_as_of_the_entry_that_asks)
{
    struct result_subject_completeness out;
    struct bytes32 rolling = fixture_digest(7);
    uint64_t size;

    scene_open(&scene);
    put_row(17);
    size = scene.fixture.index;
    ck_assert_int_eq(ask(&scene.owner, 0, "", scene.subject, &out), ST_OK);
    ck_assert_uint_eq(out.subject, scene.subject);
    ck_assert_uint_eq(out.count, 17);
    ck_assert_mem_eq(out.rolling.b, rolling.b, HASH_SIZE);
    ck_assert_uint_eq(out.size, size);
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_staff_ask_for_a_purpose_auditors_freely_strangers_never)
{
    struct fixture_actor registrar, auditor, stranger, other;
    struct result_subject_completeness out;
    struct row_access row;

    scene_open(&scene);
    fixture_staff(&scene.fixture, &registrar, DUTY_REG);
    fixture_staff(&scene.fixture, &auditor, DUTY_AUD);
    fixture_staff(&scene.fixture, &other, DUTY_SEC);
    fixture_user(&scene.fixture, &stranger, "7654321");
    ck_assert_int_eq(ask(&registrar, 0, "F-1", scene.subject, &out),
                     ST_NO_PURPOSE);
    ck_assert_int_eq(ask(&registrar, SCENE_PURPOSE, "", scene.subject, &out),
                     ST_NO_PURPOSE);
    ck_assert_int_eq(ask(&registrar, SCENE_PURPOSE, "F-1", scene.subject, &out),
                     ST_OK);
    ck_assert_int_eq(ask(&auditor, 0, "", scene.subject, &out), ST_OK);
    ck_assert_int_eq(ask(&other, SCENE_PURPOSE, "F-1", scene.subject, &out),
                     ST_NO_DUTY);
    ck_assert_int_eq(ask(&stranger, 0, "", scene.subject, &out), ST_NOT_SELF);
    /* Alike where there is nobody. */
    ck_assert_int_eq(ask(&stranger, 0, "", scene.subject + 10, &out),
                     ST_NOT_SELF);
    ck_assert_int_eq(ask(&auditor, 0, "", scene.subject + 10, &out),
                     ST_NO_SUCH);
    /* And the subject sees that it was asked. */
    ck_assert_uint_eq(fixture_accesses(&scene.fixture, &row, scene.subject), 6);
    ck_assert_uint_eq(row.opcode, OPCODE_SUBJECT_COMPLETENESS);
    ck_assert_uint_eq(row.code, ST_NOT_SELF);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("completeness",
           T_R_8_2_14_the_count_is_stated_as_of_the_entry_that_asks,
           T_R_8_2_14_staff_ask_for_a_purpose_auditors_freely_strangers_never)
