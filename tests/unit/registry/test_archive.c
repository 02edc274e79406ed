#include "server/registry/archive.h"

#include <string.h>

#include "server/registry/notice.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/suite.h"

static struct fixture scene;
static struct fixture_actor archivist, auditor, operator_of_systems, head;

static void setup(void)
{
    fixture_open(&scene);
    scene.realm = 0;
    scene.index += 2000; /* A log long enough to have units. */
    fixture_staff(&scene, &archivist, DUTY_ARC);
    fixture_staff(&scene, &auditor, DUTY_AUD);
    fixture_staff(&scene, &operator_of_systems, DUTY_OPS);
    fixture_staff(&scene, &head, DUTY_DIR);
}

static enum status run(const struct fixture_actor *actor, uint16_t opcode,
                       const void *fields, void *result)
{
    return fixture_run(&scene, actor, opcode, fields, 0, 0, actor->duty,
                       result);
}

static struct bytes32 hash_of(uint8_t number)
{
    struct bytes32 hash = {.b = {number}};

    return hash;
}

/* The unit of the entries (unit - 1) * 256 to unit * 256 - 1. */
static struct op_archive_prepare sample(uint32_t unit, uint8_t *bytes,
                                        size_t size)
{
    static struct writer writer;
    struct op_archive_prepare in = {.unit = unit,
                                    .first = (unit - 1) * 256,
                                    .last = unit * 256 - 1,
                                    .bytes = 100000,
                                    .leaf_after = hash_of((uint8_t)unit),
                                    .root = hash_of(99)};

    if (unit > 1)
        in.leaf_before = hash_of((uint8_t)(unit - 1));
    writer_init(&writer, bytes, size);
    in.categories = list_begin(&writer);
    for (unsigned i = 0; i < CATEGORIES_COUNT; i++) {
        struct number count = {.value = i == 4 ? 256 : 0};

        list_add(&in.categories, &writer, &schema_number, &count);
    }
    return in;
}

static enum status prepare(const struct op_archive_prepare *in)
{
    return run(&scene.node, OPCODE_ARCHIVE_PREPARE, in, NULL);
}

static void prepare_good(uint32_t unit)
{
    uint8_t bytes[64];
    struct op_archive_prepare in = sample(unit, bytes, sizeof bytes);

    ck_assert_int_eq(prepare(&in), ST_OK);
}

static enum status seal(uint32_t unit)
{
    struct op_archive_seal in = {.unit = unit, .manifest = hash_of(77)};

    return run(&archivist, OPCODE_ARCHIVE_SEAL, &in, NULL);
}

static enum status ship(uint32_t unit, uint16_t *copy_out)
{
    struct op_archive_ship in = {.unit = unit,
                                 .medium = 3,
                                 .label = fixture_text("LTO-0017"),
                                 .place = fixture_text("vault 2, shelf 4")};
    struct result_archive_ship out = {.copy = 0};
    enum status status = run(&archivist, OPCODE_ARCHIVE_SHIP, &in, &out);

    *copy_out = out.copy;
    return status;
}

static enum status check(uint32_t unit, uint16_t copy, bool good,
                         uint8_t manifest)
{
    struct op_archive_verify in = {.unit = unit,
                                   .copy = copy,
                                   .good = good,
                                   .manifest = hash_of(manifest)};

    return run(&archivist, OPCODE_ARCHIVE_VERIFY, &in, NULL);
}

static enum status restore(uint32_t unit, bool good, uint64_t size,
                           uint8_t leaf)
{
    struct op_archive_restore_test in = {
        .unit = unit, .good = good, .size = size, .leaf = hash_of(leaf)};

    return run(&archivist, OPCODE_ARCHIVE_RESTORE_TEST, &in, NULL);
}

static struct row_archive_unit unit_row(uint32_t unit)
{
    struct row_archive_unit row = {.number = unit};

    ck_assert(state_get(scene.state, TABLE_ARCHIVE_UNIT, &row));
    return row;
}

/* Notices of that kind, to the archivist's organisation. */
static uint32_t notices(uint8_t kind)
{
    struct op_notice_list in = {.limit = 99};
    struct result_notice_list out;
    struct list_reader reader;
    struct notice_row row;
    uint32_t count = 0;

    ck_assert_int_eq(run(&archivist, OPCODE_NOTICE_LIST, &in, &out), ST_OK);
    list_reader_init(&reader, &out.notices);
    while (list_reader_next(&reader, &schema_notice_row, &row))
        count += row.kind == kind;
    return count;
}

static void setting(uint16_t number, int64_t value)
{
    struct op_config_change in = {.setting = number,
                                  .value = value,
                                  .note = fixture_text("a setting"),
                                  .basis = hash_of(1)};

    ck_assert_int_eq(run(&head, OPCODE_CONFIG_CHANGE, &in, NULL), ST_OK);
}

START_TEST(T_P_7_1_4_the_node_prepares_units_that_follow_each_other_by_itself)
{
    uint8_t bytes[64];
    struct op_archive_prepare in;
    struct archive_next next;

    setup();
    archive_next(scene.state, &next);
    ck_assert_uint_eq(next.unit, 1);
    ck_assert_uint_eq(next.first, 0);
    in = sample(2, bytes, sizeof bytes);
    ck_assert_int_eq(prepare(&in), ST_WRONG_STATE);
    prepare_good(1);
    in = sample(1, bytes, sizeof bytes);
    ck_assert_int_eq(prepare(&in), ST_EXISTS);
    in = sample(2, bytes, sizeof bytes);
    in.first++;
    ck_assert_int_eq(prepare(&in), ST_WRONG_STATE);
    in = sample(2, bytes, sizeof bytes);
    in.leaf_before = hash_of(9);
    ck_assert_int_eq(prepare(&in), ST_BAD_FIELD);
    in = sample(2, bytes, sizeof bytes);
    in.last = in.first - 1;
    ck_assert_int_eq(prepare(&in), ST_BAD_FIELD);
    in = sample(2, bytes, sizeof bytes);
    in.last--;
    ck_assert_int_eq(prepare(&in), ST_BAD_FIELD);
    in = sample(2, bytes, sizeof bytes);
    in.last = scene.index;
    ck_assert_int_eq(prepare(&in), ST_BAD_FIELD);
    prepare_good(2);
    archive_next(scene.state, &next);
    ck_assert_uint_eq(next.unit, 3);
    ck_assert_uint_eq(next.first, 512);
    ck_assert_mem_eq(next.leaf_before, hash_of(2).b, HASH_SIZE);
    fixture_close(&scene);
}
END_TEST

START_TEST(T_P_7_1_4_the_archive_record_is_listed_with_hashes_and_counts)
{
    struct op_archive_list in = {.limit = 9};
    struct result_archive_list out;
    struct list_reader reader;
    struct archive_row row;

    setup();
    prepare_good(1);
    prepare_good(2);
    ck_assert_int_eq(run(&auditor, OPCODE_ARCHIVE_LIST, &in, &out), ST_OK);
    ck_assert_uint_eq(out.units.count, 2);
    list_reader_init(&reader, &out.units);
    ck_assert(list_reader_next(&reader, &schema_archive_row, &row));
    ck_assert(list_reader_next(&reader, &schema_archive_row, &row));
    ck_assert_uint_eq(row.unit, 2);
    ck_assert_uint_eq(row.state, ARCHIVE_PREPARED);
    ck_assert_uint_eq(row.first, 256);
    ck_assert_uint_eq(row.last, 511);
    ck_assert_mem_eq(row.leaf_before.b, hash_of(1).b, HASH_SIZE);
    ck_assert_mem_eq(row.leaf_after.b, hash_of(2).b, HASH_SIZE);
    ck_assert_int_eq(row.keep_until, 0);
    fixture_close(&scene);
}
END_TEST

START_TEST(
    T_R_8_2_8_a_unit_goes_from_preparation_over_sealing_to_verified_copies)
{
    struct op_archive_copies in = {.unit = 1, .limit = 9};
    struct result_archive_copies out;
    struct archive_copy_row row;
    struct list_reader reader;
    uint16_t copy;

    setup();
    ck_assert_int_eq(seal(1), ST_NO_SUCH);
    prepare_good(1);
    ck_assert_int_eq(ship(1, &copy), ST_WRONG_STATE);
    ck_assert_int_eq(seal(1), ST_OK);
    ck_assert_int_eq(seal(1), ST_WRONG_STATE);
    ck_assert_int_eq(check(1, 1, true, 77), ST_NO_SUCH);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_uint_eq(copy, 1);
    ck_assert_uint_eq(unit_row(1).state, ARCHIVE_SHIPPED);
    ck_assert_int_eq(restore(1, true, 256, 1), ST_WRONG_STATE);
    ck_assert_int_eq(check(1, 1, true, 78), ST_BAD_FIELD);
    ck_assert_int_eq(check(1, 1, true, 77), ST_OK);
    ck_assert_uint_eq(unit_row(1).state, ARCHIVE_VERIFIED);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_uint_eq(copy, 2);
    ck_assert_int_eq(run(&auditor, OPCODE_ARCHIVE_COPIES, &in, &out), ST_OK);
    ck_assert_uint_eq(out.copies.count, 2);
    list_reader_init(&reader, &out.copies);
    ck_assert(list_reader_next(&reader, &schema_archive_copy_row, &row));
    ck_assert_uint_eq(row.medium, 3);
    ck_assert(slice_equal(row.label, fixture_text("LTO-0017")));
    ck_assert(slice_equal(row.place, fixture_text("vault 2, shelf 4")));
    ck_assert_int_ne(row.checked, 0);
    fixture_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_8_a_restore_test_names_the_head_that_the_unit_ended_with)
{
    uint16_t copy;

    setup();
    prepare_good(1);
    ck_assert_int_eq(seal(1), ST_OK);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_int_eq(check(1, copy, true, 77), ST_OK);
    ck_assert_int_eq(restore(1, true, 255, 1), ST_BAD_FIELD);
    ck_assert_int_eq(restore(1, true, 256, 2), ST_BAD_FIELD);
    ck_assert_int_eq(restore(1, true, 256, 1), ST_OK);
    ck_assert_int_ne(unit_row(1).restored, 0);
    ck_assert_int_eq(restore(1, false, 12, 0), ST_OK);
    ck_assert_uint_eq(unit_row(1).restore_tests, 2);
    ck_assert_uint_eq(notices(NOTICE_ARCHIVE_COPY_BAD), 1);
    fixture_close(&scene);
}
END_TEST

static uint32_t due(struct op_archive_due *first_out)
{
    struct op_archive_due all[4];
    uint32_t count = archive_due_list(scene.state, all, 4, scene.log_time);

    if (count > 0)
        *first_out = all[0];
    return count;
}

START_TEST(T_P_6_1_10_an_overdue_check_of_a_medium_is_told_once)
{
    struct op_archive_due at = {.unit = 1, .copy = 1};
    uint16_t copy;

    setup();
    setting(SETTING_archive_check_days, 30);
    prepare_good(1);
    ck_assert_int_eq(seal(1), ST_OK);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_uint_eq(due(&at), 0);
    ck_assert_int_eq(run(&scene.node, OPCODE_ARCHIVE_DUE, &at, NULL),
                     ST_WRONG_STATE);
    fixture_wait(&scene, 31);
    ck_assert_uint_eq(due(&at), 1);
    ck_assert_uint_eq(at.unit, 1);
    ck_assert_uint_eq(at.copy, 1);
    ck_assert_int_eq(run(&scene.node, OPCODE_ARCHIVE_DUE, &at, NULL), ST_OK);
    ck_assert_int_eq(run(&scene.node, OPCODE_ARCHIVE_DUE, &at, NULL),
                     ST_WRONG_STATE);
    ck_assert_uint_eq(due(&at), 0);
    fixture_session(&scene, &archivist);
    ck_assert_uint_eq(notices(NOTICE_ARCHIVE_CHECK_DUE), 1);
    ck_assert_int_eq(check(1, 1, true, 77), ST_OK);
    fixture_wait(&scene, 31);
    ck_assert_uint_eq(due(&at), 1);
    fixture_close(&scene);
}
END_TEST

START_TEST(a_copy_that_is_damaged_is_told_and_another_takes_its_place)
{
    uint16_t copy;

    setup();
    prepare_good(1);
    ck_assert_int_eq(seal(1), ST_OK);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_int_eq(check(1, 1, false, 0), ST_OK);
    ck_assert_uint_eq(unit_row(1).state, ARCHIVE_SHIPPED);
    ck_assert_uint_eq(notices(NOTICE_ARCHIVE_COPY_BAD), 1);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_int_eq(check(1, copy, true, 77), ST_OK);
    ck_assert_uint_eq(unit_row(1).state, ARCHIVE_VERIFIED);
    fixture_close(&scene);
}
END_TEST

START_TEST(a_units_term_is_a_setting_and_only_a_due_one_is_handed_over)
{
    struct op_archive_transfer in = {.unit = 1,
                                     .basis = hash_of(4),
                                     .receiver = fixture_text("the archive")};
    struct op_archive_due at = {.unit = 0};
    uint16_t copy;

    setup();
    setting(SETTING_archive_keep_days, 10);
    prepare_good(1);
    ck_assert_int_eq(seal(1), ST_OK);
    ck_assert_int_eq(ship(1, &copy), ST_OK);
    ck_assert_int_eq(check(1, copy, true, 77), ST_OK);
    ck_assert_int_eq(run(&archivist, OPCODE_ARCHIVE_TRANSFER, &in, NULL),
                     ST_WRONG_STATE);
    fixture_wait(&scene, 11);
    ck_assert_uint_eq(due(&at), 1);
    ck_assert_uint_eq(at.copy, 0);
    ck_assert_int_eq(run(&scene.node, OPCODE_ARCHIVE_DUE, &at, NULL), ST_OK);
    fixture_session(&scene, &archivist);
    ck_assert_uint_eq(notices(NOTICE_ARCHIVE_UNIT_DUE), 1);
    ck_assert_uint_eq(unit_row(1).state, ARCHIVE_IS_DUE);
    ck_assert_int_eq(run(&archivist, OPCODE_ARCHIVE_TRANSFER, &in, NULL),
                     ST_OK);
    ck_assert_uint_eq(unit_row(1).state, ARCHIVE_TRANSFERRED);
    ck_assert_int_eq(ship(1, &copy), ST_WRONG_STATE);
    fixture_close(&scene);
}
END_TEST

START_TEST(only_an_archivist_acts_on_units_and_only_the_node_prepares_them)
{
    uint8_t bytes[64];
    struct op_archive_prepare in;
    struct op_archive_seal sealing = {.unit = 1, .manifest = hash_of(77)};
    struct op_archive_due at = {.unit = 1};

    setup();
    in = sample(1, bytes, sizeof bytes);
    ck_assert_int_eq(run(&archivist, OPCODE_ARCHIVE_PREPARE, &in, NULL),
                     ST_NO_DUTY);
    prepare_good(1);
    ck_assert_int_eq(
        run(&operator_of_systems, OPCODE_ARCHIVE_SEAL, &sealing, NULL),
        ST_NO_DUTY);
    ck_assert_int_eq(run(&auditor, OPCODE_ARCHIVE_SEAL, &sealing, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(run(&archivist, OPCODE_ARCHIVE_DUE, &at, NULL),
                     ST_NO_DUTY);
    fixture_close(&scene);
}
END_TEST

START_TEST(a_copy_on_a_node_needs_an_archive_node)
{
    struct op_archive_ship in = {.unit = 1,
                                 .medium = ARCHIVE_MEDIUM_NODE,
                                 .node = {.b = {1, 2, 3}},
                                 .label = fixture_text("a"),
                                 .place = fixture_text("b")};

    setup();
    prepare_good(1);
    ck_assert_int_eq(seal(1), ST_OK);
    ck_assert_int_eq(run(&archivist, OPCODE_ARCHIVE_SHIP, &in, NULL),
                     ST_NO_SUCH);
    in.medium = 2;
    ck_assert_int_eq(run(&archivist, OPCODE_ARCHIVE_SHIP, &in, NULL),
                     ST_BAD_FIELD);
    fixture_close(&scene);
}
END_TEST

SUITE_MAIN(
    "archive",
    T_P_7_1_4_the_node_prepares_units_that_follow_each_other_by_itself,
    T_P_7_1_4_the_archive_record_is_listed_with_hashes_and_counts,
    T_R_8_2_8_a_unit_goes_from_preparation_over_sealing_to_verified_copies,
    T_R_8_2_8_a_restore_test_names_the_head_that_the_unit_ended_with,
    T_P_6_1_10_an_overdue_check_of_a_medium_is_told_once,
    a_copy_that_is_damaged_is_told_and_another_takes_its_place,
    a_units_term_is_a_setting_and_only_a_due_one_is_handed_over,
    only_an_archivist_acts_on_units_and_only_the_node_prepares_them,
    a_copy_on_a_node_needs_an_archive_node)
