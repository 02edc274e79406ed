#include "protocol/dump.h"

#include <string.h>

#include "protocol/answer.h"
#include "protocol/entry.h"
#include "protocol/receipt.h"
#include "tests/lib/hex.h"
#include "tests/lib/sample.h"
#include "tests/lib/sample_entry.h"
#include "tests/lib/schema_sample.h"
#include "tests/lib/suite.h"

enum { PAGE_SIZE_MAX = 1 << 20 };

static uint8_t bytes[PAGE_SIZE_MAX], texts[PAGE_SIZE_MAX];
static char page[PAGE_SIZE_MAX];
static size_t page_size;

static void take_line(void *context, struct slice name, struct slice value)
{
    char *to = context;

    ck_assert_uint_lt(page_size + name.size + value.size + 4, PAGE_SIZE_MAX);
    memcpy(to + page_size, name.data, name.size);
    page_size += name.size;
    memcpy(to + page_size, ": ", 2);
    page_size += 2;
    if (value.size > 0)
        memcpy(to + page_size, value.data, value.size);
    page_size += value.size;
    memcpy(to + page_size, "\n", 2);
    page_size++;
}

static struct dump fresh_dump(void)
{
    struct dump dump;

    page_size = 0;
    page[0] = '\0';
    dump_init(&dump, page, take_line);
    return dump;
}

static void expect_line(const char *line)
{
    const char *at = strstr(page, line);

    ck_assert_msg(at != NULL && (at == page || at[-1] == '\n') &&
                      at[strlen(line)] == '\n',
                  "no line \"%s\" in\n%s", line, page);
}

START_TEST(a_frame_is_told_field_by_field)
{
    struct dump dump = fresh_dump();
    struct message_bye bye = {.code = 2};
    struct message_query query = {.query = QUERY_STATUS, .version = 1};
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, MESSAGE_QUERY, 6, &query);
    frame_write(&writer, MESSAGE_BYE, 7, &bye);
    dump_frames(&dump, writer_slice(&writer));
    expect_line("frame[0].type: 20 QUERY");
    expect_line("frame[0].body.query: 1 status");
    expect_line("frame[1].type: 8 BYE");
    expect_line("frame[1].request_id: 7");
    expect_line("frame[1].body.code: 2 IDLE");
}
END_TEST

START_TEST(a_command_is_told_item_by_item)
{
    static uint8_t buffer[SAMPLE_BODY_SIZE_MAX];
    struct dump dump = fresh_dump();

    dump_command(&dump, sample_command(buffer, sizeof buffer, 2, 0x55));
    expect_line("realm: R");
    expect_line("items: 2");
    expect_line("ttl_s: 300");
    expect_line("item[0].opcode: 257 auth.close");
    expect_line("item[1].subject: 1001");
    expect_line("item[1].salt: a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1");
    /* These vectors were made before there was an operations table. */
    expect_line("item[1].fields.refused: 402 BAD_FIELD at TLV 8");
}
END_TEST

START_TEST(an_entry_shows_its_place_and_what_is_sealed)
{
    struct dump dump = fresh_dump();
    size_t size = hex_decode(bytes, sizeof bytes, sample_entry0_hex);

    dump_entry(&dump, slice_of(bytes, size));
    expect_line("entry.index: 0");
    expect_line("entry.epoch: 1");
    expect_line("entry.item[0].seal_key: 4294967297");
    expect_line("entry.item[0].sealed_size: 42");
    dump = fresh_dump();
    dump_entry(&dump, slice_of(bytes, size - 1));
    expect_line("entry.refused: 1021 ENTRY_FORMED");
}
END_TEST

START_TEST(records_inside_fields_are_told_by_their_section)
{
    struct dump dump = fresh_dump();
    struct record_s06 record = {.class = 1,
                                .year = 2025,
                                .employees = 7,
                                .income = 1234567,
                                .determined_by = 1,
                                .determined = 20682};
    struct op_feed_put put = {.batch = 9, .section = SECTION_S06};
    struct writer inner, outer;

    writer_init(&inner, texts, sizeof texts);
    schema_encode(&schema_record_s06, &inner, &record);
    put.record = writer_slice(&inner);
    writer_init(&outer, bytes, sizeof bytes);
    schema_encode(&schema_op_feed_put, &outer, &put);
    dump_fields(&dump, OPCODE_FEED_PUT, writer_slice(&outer));
    expect_line("fields.section: S06");
    expect_line("fields.record.class: micro");
    expect_line("fields.record.income: 12345.67");
    expect_line("fields.record.determined: 2026-08-17");
}
END_TEST

START_TEST(a_sealed_result_begins_with_its_salt)
{
    struct dump dump = fresh_dump();
    struct result_consent_ask result = {.consent = 31};
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_zeros(&writer, SALT_SIZE);
    schema_encode(&schema_result_consent_ask, &writer, &result);
    dump_result(&dump, OPCODE_CONSENT_ASK, ST_OK, writer_slice(&writer));
    expect_line("result.code: 0 OK");
    expect_line("result.salt: 00000000000000000000000000000000");
    expect_line("result.consent: 31");
    dump = fresh_dump();
    dump_result(&dump, OPCODE_CONSENT_ASK, ST_NO_PURPOSE, slice_of(NULL, 0));
    expect_line("result.code: 214 NO_PURPOSE");
}
END_TEST

START_TEST(an_answer_shows_its_receipt)
{
    struct receipt receipt = {.code = ST_OK, .index = 12, .epoch = 3};
    uint8_t receipt_bytes[RECEIPT_SIZE], signature[SIGNATURE_SIZE] = {1};
    struct answer answer = {.receipt = receipt_bytes, .signature = signature};
    struct dump dump = fresh_dump();
    struct writer writer;

    receipt_encode(receipt_bytes, &receipt);
    answer.result = slice_of("abc", 3);
    writer_init(&writer, bytes, sizeof bytes);
    answer_write_part(&writer, 5, &answer, 0);
    dump_frames(&dump, writer_slice(&writer));
    expect_line("frame[0].body.code: 0 OK");
    expect_line("frame[0].body.receipt.index: 12");
    expect_line("frame[0].body.result: 616263");
}
END_TEST

START_TEST(long_bytes_are_cut_and_their_size_told)
{
    struct dump dump = fresh_dump();

    memset(bytes, 0xab, 100);
    dump_hex(&dump, "x", bytes, 100);
    ck_assert_ptr_nonnull(strstr(page, "abab... (100 bytes)\n"));
}
END_TEST

/* The greatest values of every table go through without a broken contract. */
static void check_schema(const struct schema *schema)
{
    union {
        uint64_t align;
        uint8_t bytes[BODY_STRUCT_SIZE_MAX];
    } in;
    struct dump dump = fresh_dump();
    struct writer memory;

    writer_init(&memory, texts, sizeof texts);
    schema_sample_fill(schema, &in, &memory, SAMPLE_MODEST);
    dump_struct(&dump, schema, &in);
    ck_assert_msg(page_size > 0 || schema->fields_count == 0, "%s",
                  schema->name);
}

START_TEST(long_bytes_are_told_whole_where_that_is_asked_for)
{
    struct dump dump = fresh_dump();

    memset(bytes, 0xab, ENTRY_SIZE_MAX);
    dump.full = true;
    dump_hex(&dump, "x", bytes, ENTRY_SIZE_MAX);
    ck_assert_uint_eq(page_size, 2 * ENTRY_SIZE_MAX + 4);
    ck_assert_ptr_null(strstr(page, "..."));
}
END_TEST

START_TEST(every_table_can_be_told)
{
    schema_sample_each(check_schema);
}
END_TEST

START_TEST(damaged_frames_are_told_as_far_as_they_make_sense)
{
    static uint8_t buffer[SAMPLE_BODY_SIZE_MAX];
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);
    struct writer writer;
    size_t begin, size;

    writer_init(&writer, bytes, sizeof bytes);
    begin = frame_begin(&writer, MESSAGE_COMMAND, 0, 1);
    writer_bytes(&writer, body.data, body.size);
    frame_end(&writer, begin);
    size = writer.used;
    for (size_t cut = 1; cut < size; cut++) {
        struct dump dump = fresh_dump();
        dump_frames(&dump, slice_of(bytes, cut));
        expect_line("frame[0].refused: 104 FRAME");
    }
    for (size_t bit = 0; bit < size * 8; bit++) {
        struct dump dump = fresh_dump();
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        dump_frames(&dump, slice_of(bytes, size));
        ck_assert_uint_gt(page_size, 0);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}
END_TEST

SUITE_MAIN("dump", a_frame_is_told_field_by_field,
           a_command_is_told_item_by_item,
           an_entry_shows_its_place_and_what_is_sealed,
           records_inside_fields_are_told_by_their_section,
           a_sealed_result_begins_with_its_salt, an_answer_shows_its_receipt,
           long_bytes_are_cut_and_their_size_told,
           long_bytes_are_told_whole_where_that_is_asked_for,
           every_table_can_be_told,
           damaged_frames_are_told_as_far_as_they_make_sense)
