/* ctest-label: threads
 * ctest-timeout: 300
 * Readings that are not for the reader, searches that are none, and places in
 * lists that nobody was given. */
#include "protocol/voen.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/node_staff.h"
#include "tests/lib/row_suite.h"

enum { PURPOSE = 7 };

static struct node_fixture fixture;
static struct wire wire;
static struct wire_command command;
static struct wire_answer answer;
static struct node_staff registrar;
static uint64_t subject;

static void open_node(void)
{
    struct op_subject_open open = {.kind = 1, .opened = 20000};

    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    node_staff_purpose(&fixture, PURPOSE);
    node_staff_enrol(&fixture, &registrar, DUTY_REG);
    subject = 1000000001;
    while (voen_check(subject) != VOEN_OK)
        subject += 10;
    ck_assert_int_eq(node_staff_do(&fixture, &registrar, OPCODE_SUBJECT_OPEN,
                                   &open, subject, 0, &answer),
                     ST_OK);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

/* ---- Reading without leave ---------------------------------------------- */

static void expect_read(const struct node_staff *reader, uint32_t purpose,
                        const char *file, enum status status)
{
    struct op_section_get in = {.sections = SECTIONS_MASK,
                                .file_number = slice_of(file, strlen(file))};

    ck_assert_int_eq(node_staff_do(&fixture, reader, OPCODE_SECTION_GET, &in,
                                   subject, purpose, &answer),
                     status);
    ck_assert_uint_eq(answer.result_size, 0);
}

START_TEST(D111_a_personal_read_without_a_purpose_is_214_and_an_entry)
{
    uint64_t index;

    expect_read(&registrar, 0, "F-1", ST_NO_PURPOSE);
    index = answer.receipt.index;
    expect_read(&registrar, PURPOSE + 1, "F-1", ST_NO_PURPOSE);
    expect_read(&registrar, PURPOSE, "", ST_NO_PURPOSE);
    ck_assert_uint_ge(answer.receipt.index, index + 2);
}
END_TEST

START_TEST(D111_a_personal_read_without_a_grant_is_211_and_an_entry)
{
    struct op_section_get in = {.sections = SECTIONS_MASK,
                                .consent = 99,
                                .file_number = slice_of("F-1", 3)};

    node_fixture_login(&fixture, &wire, &fixture.user, ROLE_USER);
    wire_command_begin(&command, fixture.cluster_id);
    command.clear.subject = subject;
    command.clear.purpose = PURPOSE;
    wire_command_item(&command, OPCODE_SECTION_GET, &in);
    wire_send_command(&wire, wire_command_sign(&command, &fixture.user));
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error && answer.has_receipt);
    ck_assert_int_eq(answer.code, ST_NO_GRANT);
    ck_assert_uint_eq(answer.result_size, 0);
}
END_TEST

/* ---- Words -------------------------------------------------------------- */

static void expect_find(const char *words, enum status status)
{
    struct op_subject_find in = {.text = slice_of(words, strlen(words)),
                                 .limit = FIND_RESULTS_MAX,
                                 .file_number = slice_of("F-1", 3)};

    ck_assert_int_eq(node_staff_do(&fixture, &registrar, OPCODE_SUBJECT_FIND,
                                   &in, 0, PURPOSE, &answer),
                     status);
    if (status == ST_OK) {
        ck_assert_uint_eq(answer.result_size, SALT_SIZE + 2);
        ck_assert_uint_eq(load_u16(answer.result + SALT_SIZE), 0);
    } else {
        ck_assert_uint_eq(answer.result_size, 0);
    }
}

START_TEST(D113_words_of_another_language_find_nothing_or_are_402)
{
    expect_find("\" OR 1", ST_OK);
    expect_find("NEAR(", ST_OK);
    expect_find("a'); DROP TABLE subject;--", ST_OK);
    expect_find("subject:1 AND name", ST_OK);
    expect_find("*", ST_BAD_FIELD);
    expect_find("a b c d e f g h i", ST_BAD_FIELD);
    expect_find("q*", ST_BAD_FIELD);
    expect_find("name*x", ST_OK);
}
END_TEST

/* ---- Places in lists ------------------------------------------------------
 */

/* A place is a plain number that anybody may say: it opens nothing. */
START_TEST(D114_the_place_of_another_reader_gives_what_is_ones_own)
{
    struct op_subject_find in = {.text = slice_of("name", 4),
                                 .limit = FIND_RESULTS_MAX,
                                 .after = subject - 1,
                                 .file_number = slice_of("F-1", 3)};
    struct node_staff stranger;

    ck_assert_int_eq(node_staff_do(&fixture, &registrar, OPCODE_SUBJECT_FIND,
                                   &in, 0, PURPOSE, &answer),
                     ST_OK);
    node_staff_enrol(&fixture, &stranger, DUTY_CLK);
    ck_assert_int_eq(node_staff_do(&fixture, &stranger, OPCODE_SUBJECT_FIND,
                                   &in, 0, PURPOSE, &answer),
                     ST_NO_DUTY);
    ck_assert_uint_eq(answer.result_size, 0);
}
END_TEST

/* The fields of query "purposes": after, u32. */
static void query_purposes(const void *fields, size_t size)
{
    struct message_query query = {.query = QUERY_PURPOSES,
                                  .version = 1,
                                  .fields = slice_of(fields, size)};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send(&wire, MESSAGE_QUERY, &query);
}

static uint16_t purposes_listed(uint32_t after)
{
    struct message_rows rows;
    struct field_error fault;
    struct frame frame;
    uint8_t fields[4];

    store_u32(fields, after);
    query_purposes(fields, sizeof fields);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_ROWS);
    ck_assert_int_eq(schema_decode(&schema_message_rows, &rows, &fault,
                                   frame.body, SCHEMA_SKIP_ODD),
                     ST_OK);
    wire_close(&wire);
    return load_u16(rows.rows.data);
}

START_TEST(D114_a_place_beyond_a_list_has_nothing_and_half_a_place_is_402)
{
    static const uint8_t fields[5] = {0};

    ck_assert_uint_eq(purposes_listed(PURPOSE - 1), 1);
    ck_assert_uint_eq(purposes_listed(PURPOSE), 0);
    ck_assert_uint_eq(purposes_listed(UINT32_MAX), 0);
    query_purposes(fields, 3);
    node_expect_refusal(&wire, ST_BAD_FIELD);
    query_purposes(fields, 0);
    node_expect_refusal(&wire, ST_BAD_FIELD);
}
END_TEST

START_TEST(D114_a_place_out_of_its_range_in_a_command_is_402)
{
    uint8_t fields[64];
    struct writer writer;

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    writer_init(&writer, fields, sizeof fields);
    writer_u16(&writer, 4);
    writer_bytes(&writer, "name", 4);
    writer_u8(&writer, 10);
    writer_u64(&writer, UINT64_C(10000000000)); /* No number has 11 digits. */
    writer_u16(&writer, 0);
    wire_command_begin(&command, fixture.cluster_id);
    wire_command_bytes(&command, OPCODE_SUBJECT_FIND, writer_slice(&writer));
    node_expect_error(&wire,
                      wire_command_sign(&command, node_fixture_own(&fixture)),
                      ST_BAD_FIELD);
}
END_TEST

ROW_SUITE_MAIN("bad_reads", &fixture, open_node, close_node,
               D111_a_personal_read_without_a_purpose_is_214_and_an_entry,
               D111_a_personal_read_without_a_grant_is_211_and_an_entry,
               D113_words_of_another_language_find_nothing_or_are_402,
               D114_the_place_of_another_reader_gives_what_is_ones_own,
               D114_a_place_beyond_a_list_has_nothing_and_half_a_place_is_402,
               D114_a_place_out_of_its_range_in_a_command_is_402)
