#include "protocol/parse.h"
#include "protocol/render.h"

#include <string.h>

#include "protocol/catalogue.h"
#include "tests/lib/schema_sample.h"
#include "tests/lib/suite.h"

enum { MEMORY_SIZE = 1 << 20, STRUCT_SIZE_MAX = 4096 };

static uint8_t memory_bytes[MEMORY_SIZE], text_bytes[MEMORY_SIZE];
static uint8_t sample_bytes[MEMORY_SIZE], first[MEMORY_SIZE],
    second[MEMORY_SIZE];

static struct slice text_of(const char *text)
{
    return slice_of(text, strlen(text));
}

/* The text of the value of ${name} in the struct at ${in}. */
static const char *shown(const struct schema *schema, const void *in,
                         const char *name)
{
    const struct field *field = parse_find(schema, text_of(name));
    struct writer writer;

    ck_assert_ptr_nonnull(field);
    writer_init(&writer, text_bytes, sizeof text_bytes - 1);
    render_value(&writer, field, (const uint8_t *)in + field->offset);
    ck_assert_int_eq(writer.status, ST_OK);
    text_bytes[writer.used] = '\0';
    return (const char *)text_bytes;
}

static enum status assign(const struct schema *schema, void *inout,
                          struct parse_error *error, const char *text)
{
    static struct writer memory;

    writer_init(&memory, memory_bytes, sizeof memory_bytes);
    return parse_assign(schema, inout, &memory, error, text_of(text));
}

START_TEST(amounts_are_written_in_manat_and_qepik)
{
    struct record_s06 record = {.income = 20000000};

    ck_assert_str_eq(shown(&schema_record_s06, &record, "income"), "200000.00");
    record.income = 1234;
    ck_assert_str_eq(shown(&schema_record_s06, &record, "income"), "12.34");
    record.income = 5;
    ck_assert_str_eq(shown(&schema_record_s06, &record, "income"), "0.05");
    record.income = -1;
    ck_assert_str_eq(shown(&schema_record_s06, &record, "income"), "none");
    record.income = INT64_MIN;
    ck_assert_str_eq(shown(&schema_record_s06, &record, "income"),
                     "-92233720368547758.08");
}
END_TEST

START_TEST(enums_and_masks_are_written_by_their_names)
{
    struct record_s06 record = {.class = 2};
    struct op_consent_ask ask = {.sections = 0x11, .operations = 5};
    struct consent_row row = {.asked = 0x1001};

    ck_assert_str_eq(shown(&schema_record_s06, &record, "class"), "small");
    record.class = 9;
    ck_assert_str_eq(shown(&schema_record_s06, &record, "class"), "9");
    ck_assert_str_eq(shown(&schema_op_consent_ask, &ask, "sections"),
                     "S01+S05");
    ck_assert_str_eq(shown(&schema_op_consent_ask, &ask, "operations"),
                     "view+extract");
    ck_assert_str_eq(shown(&schema_consent_row, &row, "asked"), "S01+S13");
    ck_assert_str_eq(shown(&schema_consent_row, &row, "granted"), "none");
}
END_TEST

START_TEST(dates_times_and_taxpayer_numbers_are_written_in_full)
{
    struct record_s03 record = {.number = 200432771, .issued = 20682};
    struct consent_row row = {.asked_at = 1787000000000001};

    ck_assert_str_eq(shown(&schema_record_s03, &record, "number"),
                     "0200432771");
    ck_assert_str_eq(shown(&schema_record_s03, &record, "issued"),
                     "2026-08-17");
    ck_assert_str_eq(shown(&schema_consent_row, &row, "asked_at"),
                     "2026-08-17T20:53:20.000001Z");
    ck_assert_str_eq(shown(&schema_consent_row, &row, "decided_at"), "none");
}
END_TEST

START_TEST(numbers_read_from_text_keep_their_bounds)
{
    struct op_consent_grant grant = {0};
    struct parse_error error;

    ck_assert_int_eq(
        assign(&schema_op_consent_grant, &grant, &error, "uses_max=12"), ST_OK);
    ck_assert_uint_eq(grant.uses_max, 12);
    ck_assert_int_eq(
        assign(&schema_op_consent_grant, &grant, &error, "uses_max=0"),
        ST_BAD_FIELD);
    ck_assert_str_eq(error.field, "uses_max");
    ck_assert_str_eq(error.why, "is outside its bounds");
    ck_assert_int_eq(
        assign(&schema_op_consent_grant, &grant, &error, "uses_max=1001"),
        ST_BAD_FIELD);
    ck_assert_int_eq(
        assign(&schema_op_consent_grant, &grant, &error, "uses_max=1x"),
        ST_BAD_FIELD);
    ck_assert_int_eq(assign(&schema_op_consent_grant, &grant, &error,
                            "consent=18446744073709551617"),
                     ST_BAD_FIELD);
    ck_assert_int_eq(
        assign(&schema_op_consent_grant, &grant, &error, "after_use=keep"),
        ST_OK);
    ck_assert_uint_eq(grant.after_use, 2);
    ck_assert_int_eq(
        assign(&schema_op_consent_grant, &grant, &error, "after_use=burn"),
        ST_BAD_FIELD);
    ck_assert_str_eq(error.names, "destroy|keep");
}
END_TEST

START_TEST(masks_are_read_from_names_numbers_all_and_none)
{
    static const struct {
        const char *text;
        uint16_t mask;
    } cases[] = {{"sections=S01+S05", 0x11},
                 {"sections=S01,S05", 0x11},
                 {"sections=S13", 0x1000},
                 {"sections=17", 0x11},
                 {"sections=all", 0x1fff}};
    struct op_consent_ask ask = {0};
    struct parse_error error;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(
            assign(&schema_op_consent_ask, &ask, &error, cases[i].text), ST_OK);
        ck_assert_uint_eq(ask.sections, cases[i].mask);
    }
    ck_assert_int_eq(
        assign(&schema_op_consent_ask, &ask, &error, "sections=S14"),
        ST_BAD_FIELD);
    ck_assert_int_eq(
        assign(&schema_op_consent_ask, &ask, &error, "sections=none"),
        ST_BAD_FIELD);
}
END_TEST

START_TEST(amounts_and_dates_are_read_in_the_forms_they_are_written)
{
    static const struct {
        const char *text;
        int64_t qepik;
    } good[] = {{"income=12.34", 1234},
                {"income=12", 1200},
                {"income=12.3", 1230},
                {"income=0.05", 5},
                {"income=none", -1}};
    static const char *const bad[] = {
        "income=",    "income=.",     "income=1.234",
        "income=1,5", "income=-0.02", "income=99999999999999999999"};
    struct record_s06 record = {0};
    struct parse_error error;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_int_eq(
            assign(&schema_record_s06, &record, &error, good[i].text), ST_OK);
        ck_assert_int_eq(record.income, good[i].qepik);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(assign(&schema_record_s06, &record, &error, bad[i]),
                         ST_BAD_FIELD);
    ck_assert_int_eq(
        assign(&schema_record_s06, &record, &error, "determined=2026-08-17"),
        ST_OK);
    ck_assert_int_eq(record.determined, 20682);
    ck_assert_int_eq(
        assign(&schema_record_s06, &record, &error, "determined=17.08.2026"),
        ST_BAD_FIELD);
    ck_assert_str_eq(error.why, "is not a date (YYYY-MM-DD)");
}
END_TEST

START_TEST(a_taxpayer_number_is_read_with_its_own_code)
{
    struct record_s03 record = {0};
    struct parse_error error;

    ck_assert_int_eq(
        assign(&schema_record_s03, &record, &error, "number=200432771"), ST_OK);
    ck_assert_uint_eq(record.number, 200432771);
    ck_assert_int_eq(
        assign(&schema_record_s03, &record, &error, "number=1400057424"),
        ST_BAD_VOEN);
    ck_assert_str_eq(error.field, "number");
}
END_TEST

START_TEST(what_is_not_stated_may_be_written_none_or_zero)
{
    struct op_consent_ask ask = {.asker_subject = 7};
    struct op_key_revoke revoke = {.compromised_at = 7};
    struct record_s06 size = {.income = 7};
    struct parse_error error;

    ck_assert_int_eq(
        assign(&schema_op_consent_ask, &ask, &error, "asker_subject=0"), ST_OK);
    ck_assert_uint_eq(ask.asker_subject, 0);
    ck_assert_int_eq(
        assign(&schema_op_key_revoke, &revoke, &error, "compromised_at=0"),
        ST_OK);
    ck_assert_int_eq(revoke.compromised_at, 0);
    /* Of amounts -1 is not stated, and 0 is nothing. */
    ck_assert_int_eq(assign(&schema_record_s06, &size, &error, "income=none"),
                     ST_OK);
    ck_assert_int_eq(size.income, -1);
    ck_assert_int_eq(assign(&schema_record_s06, &size, &error, "income=0"),
                     ST_OK);
    ck_assert_int_eq(size.income, 0);
}
END_TEST

START_TEST(a_name_that_no_field_has_is_told)
{
    struct op_system_ping ping = {0};
    struct parse_error error;

    ck_assert_int_eq(assign(&schema_op_system_ping, &ping, &error, "txt=a"),
                     ST_UNKNOWN_FIELD);
    ck_assert_int_eq(assign(&schema_op_system_ping, &ping, &error, "text"),
                     ST_UNKNOWN_FIELD);
    ck_assert_int_eq(assign(&schema_op_system_ping, &ping, &error, ""),
                     ST_UNKNOWN_FIELD);
    ck_assert_int_eq(
        assign(&schema_op_system_ping, &ping, &error, "text=a=b {c}"), ST_OK);
    ck_assert(slice_equal(ping.text, text_of("a=b {c}")));
    ck_assert_int_eq(assign(&schema_op_system_ping, &ping, &error, "text=a\nb"),
                     ST_BAD_FIELD);
}
END_TEST

START_TEST(lists_are_read_with_quotes_and_written_back)
{
    const char *const text =
        "{kind=legal,postal_index=AZ1000,region=10,"
        "text=\"N\\\"1\\\", H{a}\",from=none},"
        "{kind=residence,postal_index=\"\",region=0,text=B,from=2026-08-17}";
    char line[512] = "addresses=";
    struct record_s02 record = {0};
    struct parse_error error;

    memcpy(line + strlen(line), text, strlen(text) + 1);
    ck_assert_msg(assign(&schema_record_s02, &record, &error, line) == ST_OK,
                  "%s %s", error.field, error.why);
    ck_assert_uint_eq(record.addresses.count, 2);
    ck_assert_str_eq(shown(&schema_record_s02, &record, "addresses"), text);
}
END_TEST

START_TEST(elements_of_one_field_may_stand_bare)
{
    struct op_system_ping ping = {0};
    struct parse_error error;

    ck_assert_int_eq(
        assign(&schema_op_system_ping, &ping, &error, "numbers=1,2,{value=3}"),
        ST_OK);
    ck_assert_uint_eq(ping.numbers.count, 3);
    ck_assert_str_eq(shown(&schema_op_system_ping, &ping, "numbers"),
                     "{value=1},{value=2},{value=3}");
    ck_assert_int_eq(assign(&schema_op_system_ping, &ping, &error, "numbers="),
                     ST_OK);
    ck_assert_uint_eq(ping.numbers.count, 0);
}
END_TEST

START_TEST(lists_that_are_not_well_written_are_refused)
{
    static const char *const bad[] = {
        "numbers={value=1",
        "numbers={value=1},",
        "numbers={value=1}x",
        "numbers={other=1}",
        "numbers={value}",
        "numbers={}",
        "numbers=1,,2",
        "numbers=x",
        "numbers={value=\"1}",
        "numbers=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    struct op_system_ping ping = {0};
    struct parse_error error;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(assign(&schema_op_system_ping, &ping, &error, bad[i]) !=
                          ST_OK,
                      "%s", bad[i]);
        ck_assert_ptr_nonnull(error.why);
    }
}
END_TEST

START_TEST(an_element_that_lacks_a_field_is_told_which)
{
    struct record_s02 record = {0};
    struct parse_error error;

    ck_assert_int_eq(assign(&schema_record_s02, &record, &error,
                            "addresses={kind=legal,region=1}"),
                     ST_BAD_FIELD);
    ck_assert_str_eq(error.field, "text");
}
END_TEST

/* Writes every field of a sample as text and reads it into a new struct. */
static void check_schema(const struct schema *schema)
{
    union {
        uint64_t align;
        uint8_t bytes[STRUCT_SIZE_MAX];
    } in, out;
    const struct field *rows = schema->rows();
    struct writer sample, memory, text, a, b;
    struct parse_error error;
    size_t from;

    writer_init(&sample, sample_bytes, sizeof sample_bytes);
    schema_sample_fill(schema, &in, &sample, SAMPLE_MODEST);
    memset(&out, 0, sizeof out);
    writer_init(&memory, memory_bytes, sizeof memory_bytes);
    writer_init(&text, text_bytes, sizeof text_bytes);
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        enum status status;
        from = text.used;
        render_text(&text, rows[i].name);
        render_text(&text, "=");
        render_value(&text, &rows[i], in.bytes + rows[i].offset);
        status = parse_assign(schema, &out, &memory, &error,
                              slice_of(text_bytes + from, text.used - from));
        /* A sample's taxpayer number need not be a valid one. */
        if (status == ST_BAD_VOEN ||
            (error.why != NULL && strstr(error.why, "taxpayer") != NULL))
            return;
        ck_assert_msg(status == ST_OK, "%s.%s %s", schema->name, rows[i].name,
                      error.why == NULL ? "?" : error.why);
    }
    writer_init(&a, first, sizeof first);
    schema_encode(schema, &a, &in);
    writer_init(&b, second, sizeof second);
    schema_encode(schema, &b, &out);
    ck_assert_msg(slice_equal(writer_slice(&a), writer_slice(&b)),
                  "%s changes as text", schema->name);
}

START_TEST(what_is_written_as_text_is_read_back_the_same)
{
    schema_sample_each(check_schema);
}
END_TEST

SUITE_MAIN("render", amounts_are_written_in_manat_and_qepik,
           enums_and_masks_are_written_by_their_names,
           dates_times_and_taxpayer_numbers_are_written_in_full,
           numbers_read_from_text_keep_their_bounds,
           masks_are_read_from_names_numbers_all_and_none,
           amounts_and_dates_are_read_in_the_forms_they_are_written,
           a_taxpayer_number_is_read_with_its_own_code,
           what_is_not_stated_may_be_written_none_or_zero,
           a_name_that_no_field_has_is_told,
           lists_are_read_with_quotes_and_written_back,
           elements_of_one_field_may_stand_bare,
           lists_that_are_not_well_written_are_refused,
           an_element_that_lacks_a_field_is_told_which,
           what_is_written_as_text_is_read_back_the_same)
