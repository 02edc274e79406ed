/*
 * fuzz_seeds_fields.c: inputs for the corpora of fuzz targets that follow from
 * the tables of operations and sections: records of extracts, and fields as
 * people type them.
 *
 *   DIRECTORY=tests/fuzz/corpus fuzz_seeds_fields
 */
#include "protocol/catalogue.h"
#include "protocol/render.h"
#include "tests/lib/schema_sample.h"
#include "tests/lib/seed_file.h"
#include "tests/lib/suite.h"

enum { TEXTS_SIZE = 8 << 20 };

/* ---- Records of extracts ------------------------------------------------- */

static union {
    uint64_t align;
    uint8_t bytes[BODY_STRUCT_SIZE_MAX * 4];
} value;
static uint8_t texts[TEXTS_SIZE];

static void fill(const struct schema *schema, enum sample_extent extent)
{
    struct writer writer;

    ck_assert_uint_le(schema->struct_size, sizeof value);
    memset(&value, 0, sizeof value);
    writer_init(&writer, texts, sizeof texts);
    schema_sample_fill(schema, &value, &writer, extent);
    ck_assert_int_eq(writer.status, ST_OK);
}

START_TEST(records_of_extracts_are_written)
{
    static const enum sample_extent extents[] = {SAMPLE_LEAST, SAMPLE_MODEST};
    char name[32];

    for (uint8_t i = 1; i <= SECTIONS_COUNT; i++) {
        const struct schema *schema = section_info(i)->record;

        for (size_t j = 0; j < sizeof extents / sizeof extents[0]; j++) {
            fill(schema, extents[j]);
            writer_u8(seed_begin(), 2);
            writer_u8(&seed, (uint8_t)(i - 1));
            schema_encode(schema, &seed, &value);
            snprintf(name, sizeof name, "s%02u-%s", i,
                     j == 0 ? "least" : "modest");
            seed_put("fz_extract", name);
        }
    }
}
END_TEST

/* ---- Fields as people type them ------------------------------------------ */

/* As fz_parse.c numbers operations and, behind them, sections. */
static const struct schema *numbered(uint16_t *number_out, uint32_t i)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);

    if (i < count) {
        *number_out = operations[i].opcode;
        return operations[i].fields;
    }
    i = i - count + 1;
    if (i > SECTIONS_COUNT)
        return NULL;
    *number_out = (uint16_t)(0xff00 + i);
    return section_info((uint8_t)i)->record;
}

/* The first field of ${kind}, and of which schema; a list of elements of one
 * field if ${bare}. */
static const struct field *find(uint16_t *opcode_out,
                                const struct schema **schema_out,
                                enum field_kind kind, bool bare)
{
    const struct schema *schema;

    for (uint32_t i = 0; (schema = numbered(opcode_out, i)) != NULL; i++) {
        for (uint16_t j = 0; j < schema->fields_count; j++) {
            const struct field *row = &schema->rows()[j];

            if (row->kind != kind ||
                (kind == FIELD_list &&
                 (row->element->fields_count == 1) != bare))
                continue;
            *schema_out = schema;
            return row;
        }
    }
    return NULL;
}

static void begin_line(uint16_t opcode, const struct field *row)
{
    writer_u16(seed_begin(), opcode);
    seed_text(row->name);
    seed_text("=");
}

static void put_written(const struct field *row, const struct schema *schema,
                        uint16_t opcode, enum sample_extent extent)
{
    char name[32];

    fill(schema, extent);
    begin_line(opcode, row);
    render_value(&seed, row, value.bytes + row->offset);
    snprintf(name, sizeof name, "kind%02d-%d", row->kind, extent);
    seed_put("fz_parse", name);
}

/* What people type of a kind, and what they mistype. */
static const struct {
    enum field_kind kind;
    const char *texts[10];
} typed[] = {
    {FIELD_date, {"none", "2026-02-30", "2026-2-3", "0", "1900-01-01"}},
    {FIELD_time, {"none", "2026-08-17T09:30:00Z", "2026-08-17", "0"}},
    {FIELD_money,
     {"12", "12.3", "-0.05", "-7.25", ".5", "1.234", "1.x", "", "none",
      "92233720368547758.08"}},
    {FIELD_bool8, {"yes", "true", "1", "no", "false", "0", "perhaps"}},
    {FIELD_enum8, {"1", "99", "nothing-of-the-kind", "18446744073709551615"}},
    {FIELD_mask16, {"all", "none", "1", "1|2", "1+nobody", "65535", ""}},
    {FIELD_mask32, {"all", "none", "1,2", "4294967296", "x"}},
    {FIELD_voen, {"none", "1400057421", "1400057420", "0", "x"}},
    {FIELD_u64, {"0", "18446744073709551615", "18446744073709551616", "-1"}},
    {FIELD_i64, {"-1", "-9223372036854775808", "9223372036854775808"}},
    {FIELD_u32, {"4294967296", "-1", "x", ""}},
    {FIELD_u16, {"65536", "0"}},
    {FIELD_bytes16,
     {"none", "00112233445566778899AABBCCDDEEFF", "00",
      "x0112233445566778899aabbccddeeff"}},
    {FIELD_bytes32, {"none", "00"}},
    {FIELD_blob, {"", "00ff", "0", "0g"}},
    {FIELD_str, {"", "a\tb", "\xff"}},
    {FIELD_fin, {"", "1234567", "1"}},
    {FIELD_digits, {"", "12", "1x"}},
};

static void put_typed(size_t i)
{
    uint16_t opcode;
    const struct schema *schema;
    const struct field *row = find(&opcode, &schema, typed[i].kind, false);
    char name[32];

    for (size_t j = 0; row != NULL && j < 10; j++) {
        if (typed[i].texts[j] == NULL)
            break;
        begin_line(opcode, row);
        seed_text(typed[i].texts[j]);
        snprintf(name, sizeof name, "typed%02d-%zu", typed[i].kind, j);
        seed_put("fz_parse", name);
    }
}

/* A list as it is written, and then cut, doubled, quoted and gone on with. */
static void put_lists(bool bare)
{
    static const char *const ends[] = {",",   "x",     ",{",     "}",
                                       ",\"", ",\"\\", ",{x=1}", ",\"a\\\"b\""};
    uint16_t opcode;
    const struct schema *schema;
    const struct field *row = find(&opcode, &schema, FIELD_list, bare);
    char name[32];

    if (row == NULL)
        return;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        fill(schema, SAMPLE_MODEST);
        begin_line(opcode, row);
        render_value(&seed, row, value.bytes + row->offset);
        seed_text(ends[i]);
        snprintf(name, sizeof name, "list-%d-%zu", bare, i);
        seed_put("fz_parse", name);
    }
    begin_line(opcode, row);
    render_value(&seed, row, value.bytes + row->offset);
    seed.used--;
    snprintf(name, sizeof name, "list-%d-cut", bare);
    seed_put("fz_parse", name);
    begin_line(opcode, row);
    seed_text("{");
    seed_text(row->element->rows()[0].name);
    seed_text("=\"a\\\"b");
    snprintf(name, sizeof name, "list-%d-quote", bare);
    seed_put("fz_parse", name);
}

START_TEST(fields_are_written_as_people_type_them)
{
    const struct schema *schema;
    uint16_t opcode;

    for (int kind = 0; kind <= FIELD_list; kind++) {
        const struct field *row =
            find(&opcode, &schema, (enum field_kind)kind, false);

        if (row == NULL)
            continue;
        put_written(row, schema, opcode, SAMPLE_LEAST);
        put_written(row, schema, opcode, SAMPLE_MODEST);
        put_written(row, schema, opcode, SAMPLE_GREATEST);
    }
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++)
        put_typed(i);
    put_lists(false);
    put_lists(true);
    writer_u16(seed_begin(), opcode);
    seed_text("no sign");
    seed_put("fz_parse", "no-sign");
    writer_u16(seed_begin(), opcode);
    seed_text("nobody=1");
    seed_put("fz_parse", "no-field");
}
END_TEST

SUITE_MAIN("fuzz_seeds_fields", records_of_extracts_are_written,
           fields_are_written_as_people_type_them)
