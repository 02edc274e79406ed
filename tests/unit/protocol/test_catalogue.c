#include "protocol/catalogue.h"

#include <string.h>

#include "tests/lib/schema_sample.h"
#include "tests/lib/suite.h"

enum { STRUCT_SIZE_MAX = 4096, MEMORY_SIZE = 16 << 20, EMPTY_STRUCT_SIZE = 1 };

static uint8_t texts[MEMORY_SIZE], bytes[MEMORY_SIZE], again[MEMORY_SIZE];

union any_struct {
    uint64_t align;
    uint8_t bytes[STRUCT_SIZE_MAX];
};

/* How many names "a|b|c" holds; 0 where the note is no list. */
static uint32_t names_count(const char *note)
{
    uint32_t count = 1;

    if (strchr(note, '|') == NULL)
        return 0;
    for (; *note != '\0'; note++)
        count += *note == '|';
    return count;
}

static uint32_t bits_count(uint64_t mask)
{
    uint32_t count = 0;

    for (; mask != 0; mask >>= 1)
        count += (uint32_t)(mask & 1);
    return count;
}

static void check_row(const struct schema *schema, const struct field *row)
{
    uint32_t names = names_count(row->note);
    bool mask = row->kind == FIELD_mask16 || row->kind == FIELD_mask32;

    if (row->kind == FIELD_enum8) {
        ck_assert_msg(names == row->hi, "%s.%s has %u names", schema->name,
                      row->name, names);
        ck_assert_int_eq(row->lo, 1);
    }
    if (mask && names != 0)
        ck_assert_msg((uint64_t)row->hi == (UINT64_C(1) << names) - 1,
                      "%s.%s has %u names", schema->name, row->name, names);
    if (mask)
        ck_assert_msg(bits_count((uint64_t)row->hi) <= 32, "%s", row->name);
    ck_assert_msg(row->lo <= row->hi, "%s.%s has no value", schema->name,
                  row->name);
    if (row->kind == FIELD_list) {
        ck_assert_ptr_nonnull(row->element);
        ck_assert_int_gt(row->hi, 0);
        ck_assert_int_le(row->hi, LIST_COUNT_MAX);
    } else if (schema_kind_size(row->kind) == 0) {
        ck_assert_msg(row->lo >= 0 && row->hi <= ENTRY_SIZE_MAX, "%s",
                      row->name);
        if (row->kind != FIELD_blob)
            ck_assert_int_le(row->hi, STRING_SIZE_MAX);
    }
}

static void check_schema(const struct schema *schema)
{
    const struct field *rows = schema->rows();
    uint16_t tag = 0;

    ck_assert_uint_le(schema->fields_count, FIELDS_MAX);
    ck_assert_uint_le(schema->struct_size, STRUCT_SIZE_MAX);
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        check_row(schema, &rows[i]);
        ck_assert_msg(rows[i].tag == 0 ? tag == 0 : rows[i].tag > tag,
                      "%s.%s: fixed fields first, then tags rising",
                      schema->name, rows[i].name);
        tag = rows[i].tag;
        for (uint16_t j = 0; j < i; j++)
            ck_assert_msg(strcmp(rows[j].name, rows[i].name) != 0,
                          "%s has two fields %s", schema->name, rows[i].name);
    }
}

START_TEST(every_table_keeps_the_invariants_of_a_schema)
{
    schema_sample_each(check_schema);
}
END_TEST

static void check_elements(const struct schema *schema)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const struct schema *element = rows[i].element;
        if (element == NULL)
            continue;
        ck_assert_uint_gt(element->fields_count, 0);
        for (uint16_t j = 0; j < element->fields_count; j++)
            ck_assert_msg(element->rows()[j].tag == 0 &&
                              element->rows()[j].kind != FIELD_list,
                          "%s.%s nests", element->name,
                          element->rows()[j].name);
    }
}

START_TEST(elements_of_lists_hold_fixed_fields_only)
{
    schema_sample_each(check_elements);
}
END_TEST

/* Encodes a sample, decodes it, and encodes what was decoded once more. */
static void check_round_trip(const struct schema *schema,
                             enum sample_extent extent)
{
    union any_struct in, out;
    struct writer memory, first, second;
    struct field_error error;

    writer_init(&memory, texts, sizeof texts);
    schema_sample_fill(schema, &in, &memory, extent);
    ck_assert_msg(schema_check(schema, &error, &in) == ST_OK, "%s, field %x",
                  schema->name, error.tag);
    writer_init(&first, bytes, sizeof bytes);
    schema_encode(schema, &first, &in);
    ck_assert_int_eq(first.status, ST_OK);
    ck_assert_msg(schema_decode(schema, &out, &error, writer_slice(&first),
                                SCHEMA_REFUSE_UNKNOWN) == ST_OK,
                  "%s: %s, field %x", schema->name,
                  status_name((uint32_t)error.status), error.tag);
    writer_init(&second, again, sizeof again);
    schema_encode(schema, &second, &out);
    ck_assert_msg(slice_equal(writer_slice(&first), writer_slice(&second)),
                  "%s changes on its way", schema->name);
}

static void check_least(const struct schema *schema)
{
    check_round_trip(schema, SAMPLE_LEAST);
}

static void check_greatest(const struct schema *schema)
{
    check_round_trip(schema, SAMPLE_GREATEST);
}

START_TEST(every_struct_comes_back_equal_from_its_least_values)
{
    schema_sample_each(check_least);
}
END_TEST

START_TEST(every_struct_comes_back_equal_from_its_greatest_values)
{
    schema_sample_each(check_greatest);
}
END_TEST

/* The bytes of ${schema}'s modest sample. */
static size_t modest_bytes(const struct schema *schema)
{
    union any_struct in;
    struct writer memory, writer;

    writer_init(&memory, texts, sizeof texts);
    schema_sample_fill(schema, &in, &memory, SAMPLE_MODEST);
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(schema, &writer, &in);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer.used;
}

/* True if ${input} is refused, or is the one form of what it says. */
static bool refused_or_equal(const struct schema *schema, struct slice input)
{
    union any_struct out;
    struct field_error error;
    struct writer writer;

    if (schema_decode(schema, &out, &error, input, SCHEMA_REFUSE_UNKNOWN) !=
        ST_OK)
        return true;
    writer_init(&writer, again, sizeof again);
    schema_encode(schema, &writer, &out);
    return slice_equal(input, writer_slice(&writer));
}

static void check_flips(const struct schema *schema)
{
    size_t size = modest_bytes(schema);

    for (size_t bit = 0; bit < size * 8; bit++) {
        uint8_t mask = (uint8_t)(1u << (bit % 8));
        bytes[bit / 8] ^= mask;
        ck_assert_msg(refused_or_equal(schema, slice_of(bytes, size)),
                      "%s, bit %zu", schema->name, bit);
        bytes[bit / 8] ^= mask;
    }
}

START_TEST(a_flipped_bit_is_refused_or_is_another_value)
{
    schema_sample_each(check_flips);
}
END_TEST

static void check_cuts(const struct schema *schema)
{
    size_t size = modest_bytes(schema);

    for (size_t cut = 0; cut < size; cut++)
        ck_assert_msg(refused_or_equal(schema, slice_of(bytes, cut)),
                      "%s, cut at %zu", schema->name, cut);
}

START_TEST(a_cut_body_is_refused_or_lacks_whole_optional_fields)
{
    schema_sample_each(check_cuts);
}
END_TEST

static void check_trailing(const struct schema *schema)
{
    union any_struct out;
    struct field_error error;
    size_t size = modest_bytes(schema);

    for (size_t more = 1; more < TLV_HEADER_SIZE; more++) {
        memset(bytes + size, 0, more);
        ck_assert_int_eq(schema_decode(schema, &out, &error,
                                       slice_of(bytes, size + more),
                                       SCHEMA_REFUSE_UNKNOWN),
                         ST_TRAILING);
    }
}

START_TEST(bytes_behind_the_last_field_are_refused)
{
    schema_sample_each(check_trailing);
}
END_TEST

START_TEST(opcodes_rise_and_names_are_unique)
{
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    ck_assert_uint_gt(count, 50);
    for (uint32_t i = 0; i < count; i++) {
        struct slice name = slice_of(rows[i].name, strlen(rows[i].name));
        if (i > 0)
            ck_assert_msg(rows[i - 1].opcode < rows[i].opcode,
                          "%s is out of order", rows[i].name);
        ck_assert_ptr_eq(operation_info(rows[i].opcode), &rows[i]);
        ck_assert_ptr_eq(operation_named(name), &rows[i]);
    }
    ck_assert_ptr_null(operation_info(0));
    ck_assert_ptr_null(operation_info(UINT16_MAX));
    ck_assert_ptr_null(operation_named(slice_of("ping", 4)));
}
END_TEST

START_TEST(every_operation_says_of_each_duty_who_may)
{
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        const struct operation_info *row = &rows[i];
        ck_assert_msg(strlen(row->who) == DUTIES_COUNT - 1,
                      "%s has %zu letters", row->name, strlen(row->who));
        ck_assert_msg(strspn(row->who, "ysg2.") == strlen(row->who), "%s",
                      row->name);
        ck_assert(row->category >= 1 && row->category <= 8);
        ck_assert(row->level >= 1 && row->level <= 3);
        ck_assert_uint_ge(row->version, 1);
        ck_assert(row->english[0] != '\0' && row->azerbaijani[0] != '\0');
    }
}
END_TEST

START_TEST(only_a_key_of_the_named_owner_seals_by_its_first_field)
{
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        const struct field *first = rows[i].fields->rows();
        if (rows[i].seal == SEAL_PERSON_NAMED)
            ck_assert(first->kind == FIELD_bytes16 &&
                      strcmp(first->name, "key_id") == 0);
        if (rows[i].realm == OP_REALM_SYSTEM)
            ck_assert_msg(rows[i].seal != SEAL_SUBJECT_RECORD, "%s",
                          rows[i].name);
    }
}
END_TEST

START_TEST(frame_numbers_and_names_are_unique_and_outside_the_replicas)
{
    uint32_t count;
    const struct message_info *rows = message_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        ck_assert_msg(i == 0 || rows[i - 1].number < rows[i].number, "%s",
                      rows[i].name);
        ck_assert(rows[i].number < 0x20 || rows[i].number > 0x3f);
        ck_assert_ptr_eq(message_info(rows[i].number), &rows[i]);
    }
    ck_assert_ptr_null(message_info(0));
    ck_assert_ptr_null(message_info(0x17));
    ck_assert_ptr_null(message_info(0x20));
    ck_assert_ptr_null(message_info(0xff));
}
END_TEST

START_TEST(frames_of_the_wire_have_their_documented_sizes)
{
    ck_assert_uint_eq(schema_message_auth_key.fields_count, 6);
    ck_assert_uint_eq(modest_bytes(&schema_message_auth_key), 104);
    ck_assert_uint_eq(modest_bytes(&schema_message_pw_params), 28);
    ck_assert_uint_eq(modest_bytes(&schema_message_pw_prove), 72);
    ck_assert_uint_eq(modest_bytes(&schema_message_answer), ANSWER_FIXED_SIZE);
    ck_assert_uint_eq(schema_message_pad.fields_count, 0);
    ck_assert_uint_eq(schema_message_pad.struct_size, EMPTY_STRUCT_SIZE);
}
END_TEST

/* Compares "A|B|C" with the names that ${name_of} gives from 1 on. */
static void check_names(const char *list, const char *(*name_of)(uint32_t),
                        uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        size_t size = strcspn(list, "|");
        ck_assert_uint_eq(size, strlen(name_of(i)));
        ck_assert_int_eq(strncmp(list, name_of(i), size), 0);
        list += size;
        list += *list == '|';
    }
    ck_assert_str_eq(list, "");
}

static const char *section_name(uint32_t number)
{
    return section_info(number)->name;
}

START_TEST(lists_of_names_keep_step_with_the_tables)
{
    /* A node is nobody's assignment, so SYS cannot be assigned. */
    check_names(DUTY_NAMES, duty_name, DUTIES_COUNT - 2);
    ck_assert_str_eq(duty_name(DUTY_SYS), "SYS");
    ck_assert_str_eq(duty_name(0), "?");
    ck_assert_str_eq(duty_name(DUTIES_COUNT), "?");
    check_names(SECTION_NAMES, section_name, SECTIONS_COUNT);
    ck_assert_ptr_null(section_info(0));
    ck_assert_ptr_null(section_info(SECTIONS_COUNT + 1));
    ck_assert_uint_eq(names_count(ROLE_NAMES), ROLE_EHIS);
    ck_assert_str_eq(role_name(ROLE_EHIS), "EHIS");
    ck_assert_str_eq(role_name(ROLE_EHIS + 1), "?");
}
END_TEST

START_TEST(settings_start_within_their_bounds)
{
    static const struct {
        uint16_t number;
        int64_t initial, lo, hi;
    } settings[] = {
#define S(number, name, initial, lo, hi, meaning) {number, initial, lo, hi},
        SETTING_LIST(S)
#undef S
    };

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        ck_assert_uint_eq(settings[i].number, i + 1);
        ck_assert_int_le(settings[i].lo, settings[i].initial);
        ck_assert_int_ge(settings[i].hi, settings[i].initial);
    }
}
END_TEST

START_TEST(queries_are_found_by_their_number)
{
    uint32_t count;
    const struct query_info *rows = query_list(&count);

    for (uint32_t i = 0; i < count; i++)
        ck_assert_ptr_eq(query_info(rows[i].number), &rows[i]);
    ck_assert_ptr_null(query_info(0));
    ck_assert_str_eq(query_info(QUERY_STATUS)->name, "status");
}
END_TEST

SUITE_MAIN("catalogue", every_table_keeps_the_invariants_of_a_schema,
           elements_of_lists_hold_fixed_fields_only,
           every_struct_comes_back_equal_from_its_least_values,
           every_struct_comes_back_equal_from_its_greatest_values,
           a_flipped_bit_is_refused_or_is_another_value,
           a_cut_body_is_refused_or_lacks_whole_optional_fields,
           bytes_behind_the_last_field_are_refused,
           opcodes_rise_and_names_are_unique,
           every_operation_says_of_each_duty_who_may,
           only_a_key_of_the_named_owner_seals_by_its_first_field,
           frame_numbers_and_names_are_unique_and_outside_the_replicas,
           frames_of_the_wire_have_their_documented_sizes,
           lists_of_names_keep_step_with_the_tables,
           settings_start_within_their_bounds,
           queries_are_found_by_their_number)
