/* The cosigners that a unit's file of keys names, which nobody signed. */
#include "protocol/archive_keys.h"
#include "tests/lib/unit_scene.h"
#include "tests/unit/audit/node_log.h"

#define STRANGER "W+3e5a47a7+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"

static struct unit_scene scene;

/* The log of a node that cosigns, as the unit "u" from entry ${from} on. */
static void open_scene(uint64_t from)
{
    struct identity cosigner;

    setup();
    signed_log_key(&cosigner, 0x53);
    enrol_as(&second, 2, 1, true, ST_OK, &cosigner);
    signed_log_attest(&made);
    signed_log_ping(&made);
    signed_log_attest(&made);
    unit_scene_open_signed(&scene, &made);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, from, UINT64_MAX), ST_OK);
}

/* Change the unit's keys, and judge it under a manifest made anew. */
static enum report_verdict judge_changed(const char *change)
{
    static const char *const names[] = {"u", NULL};
    char command[1536];

    (void)snprintf(command, sizeof command,
                   "cd %s && grep -q '^cosigner test/node/02' u/keys && %s",
                   scene.base, change);
    ck_assert_msg(system(command) == 0, "%s", command);
    unit_scene_reseal(&scene, "u");
    return unit_scene_judge(&scene, names);
}

static bool is_open(void)
{
    return (scene.report.unchecked >> REPORT_UNCHECKED_COSIGNERS & 1) != 0;
}

START_TEST(a_cosigner_whom_the_log_enrolled_is_one)
{
    open_scene(0);
    ck_assert_msg(judge_changed("true") == REPORT_GOOD, "%s",
                  scene.report.fault.what);
    ck_assert(!is_open());
    unit_scene_close(&scene);
}
END_TEST

START_TEST(of_a_cosigner_whom_no_entry_enrols_that_is_said)
{
    open_scene(0);
    ck_assert_int_eq(
        judge_changed("sed -i '/^cosigner/icosigner " STRANGER "' u/keys"),
        REPORT_GOOD);
    ck_assert(is_open());
    unit_scene_close(&scene);
}
END_TEST

START_TEST(without_the_entries_from_0_on_any_cosigner_is_somebodys_word)
{
    open_scene(1);
    ck_assert_int_eq(judge_changed("true"), REPORT_GOOD);
    ck_assert(is_open());
    ck_assert_uint_ne(scene.report.unchecked >> REPORT_UNCHECKED_COUNTS & 1, 0);
    unit_scene_close(&scene);
}
END_TEST

/* The line of node ${number}, with the cosigner's key made of ${seed}. */
static void give_key(uint8_t number, uint8_t seed)
{
    const uint8_t node_id[NODE_ID_SIZE] = {number};
    struct identity cosigner;
    struct note_key key;
    uint8_t line[512];
    struct writer writer;
    char change[1024];

    signed_log_key(&cosigner, seed);
    ck_assert_int_eq(archive_keys_cosigner_of(&key, slice_of("test", 4),
                                              node_id, cosigner.public_key),
                     ST_OK);
    writer_init(&writer, line, sizeof line);
    archive_keys_write_cosigner(&writer, &key);
    ck_assert_int_eq(writer.status, ST_OK);
    (void)snprintf(change, sizeof change, "sed -i '/^cosigner/c%.*s' u/keys",
                   (int)writer.used - 1, (const char *)line);
    (void)judge_changed(change);
}

START_TEST(a_node_has_no_other_cosigners_key_than_the_log_gives_it)
{
    static const uint8_t wrong[][2] = {{2, 0x54}, {3, 0x53}};

    for (size_t i = 0; i < 2; i++) {
        open_scene(0);
        give_key(wrong[i][0], wrong[i][1]);
        ck_assert_int_eq(scene.report.verdict, REPORT_TAMPERED);
        ck_assert_str_eq(scene.report.fault.file, "keys");
        unit_scene_close(&scene);
    }
    open_scene(0);
    give_key(2, 0x53);
    ck_assert_int_eq(scene.report.verdict, REPORT_GOOD);
    ck_assert(!is_open());
    unit_scene_close(&scene);
}
END_TEST

SUITE_MAIN("unit cosigners", a_cosigner_whom_the_log_enrolled_is_one,
           of_a_cosigner_whom_no_entry_enrols_that_is_said,
           without_the_entries_from_0_on_any_cosigner_is_somebodys_word,
           a_node_has_no_other_cosigners_key_than_the_log_gives_it)
