/*
 * fz_extract.c: files of extracts, as anybody may have written them.  What
 * reads is written again as the same bytes, with all of its disclosures and
 * with some; it is judged without a crash, and what nobody signed is never
 * true.
 *
 * The first byte chooses: 2, a section's number and its record, as the lines
 * of a new extract; else even, a file; odd, the line of a section or a field.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/extract_judge.h"
#include "protocol/extract_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t commitments[EXTRACT_FIELDS_MAX][HASH_SIZE];
static uint8_t again[EXTRACT_FILE_SIZE_MAX];

static bool keeps_odd(void *context, const struct extract_reading *one)
{
    (void)context;
    return one->line % 2 == 1;
}

static bool keeps_all(void *context, const struct extract_reading *one)
{
    (void)context;
    (void)one;
    return true;
}

static void check_judge(const struct extract_file *file)
{
    static const struct extract_trust trust = {.authority_key = {1}};
    struct extract_report report;

    extract_judge(&report, file, &trust);
    INVARIANT(extract_judge_verdict(report.finding) == EXTRACT_TAMPERED);
    INVARIANT(extract_judge_text(report.finding) != NULL);
    INVARIANT(extract_judge_text_az(report.finding) != NULL);
}

static void check_file(struct slice input)
{
    struct extract_file file, chosen;
    uint8_t hash[HASH_SIZE];
    struct writer writer;
    enum status status;
    size_t line;

    INVARIANT(extract_file_is(slice_of(NULL, 0)) == false);
    if (extract_file_read(&file, commitments, &line, input) != ST_OK)
        return;
    INVARIANT(extract_file_is(input));
    INVARIANT(file.disclosures_count == 0 || input.size < 1 ||
              extract_file_is(slice_of(input.data + 1, input.size - 1)));
    INVARIANT(extract_file_receipt_line(&file) <
              extract_file_header_lines(&file));
    writer_init(&writer, again, sizeof again);
    extract_file_write(&writer, &file);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    writer_init(&writer, again, sizeof again);
    extract_file_choose(&writer, &file, NULL, keeps_all);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    extract_file_result_hash(&file, hash);
    check_judge(&file);
    writer_init(&writer, again, sizeof again);
    extract_file_choose(&writer, &file, NULL, keeps_odd);
    status =
        extract_file_read(&chosen, commitments, &line, writer_slice(&writer));
    INVARIANT(status == ST_OK);
    INVARIANT(chosen.disclosures_count <= file.disclosures_count);
}

static void check_lines(struct slice input)
{
    uint8_t bytes[EXTRACT_FIELD_LINE_SIZE_MAX];
    struct extract_section section;
    struct extract_named named;
    struct extract_field field;
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    if (extract_section_read(&section, input) == ST_OK) {
        extract_section_write(&writer, &section);
        INVARIANT(slice_equal(writer_slice(&writer), input));
    } else if (extract_field_read(&field, input) == ST_OK) {
        extract_field_write(&writer, &field);
        INVARIANT(slice_equal(writer_slice(&writer), input));
        for (uint8_t i = 0; i < SECTIONS_COUNT + 2; i++)
            MAYBE(extract_record_named(&named, i, field.path));
    }
}

/* ---- Records ------------------------------------------------------------ */

struct record_lines {
    uint8_t section;
    size_t count;
};

/* Each line reads, is of a field of the section, and is written as it was. */
static void check_line(void *context, struct slice line)
{
    struct record_lines *lines = context;
    struct extract_field field;
    struct extract_named named;
    enum status status = extract_field_read(&field, line);

    INVARIANT(status == ST_OK);
    check_lines(line);
    INVARIANT(extract_record_named(&named, lines->section, field.path));
    INVARIANT((named.field == NULL) == (lines->count == 0));
    INVARIANT((named.element != 0) == (named.part != NULL));
    lines->count++;
}

static void check_record(struct slice input)
{
    struct record_lines context = {0};
    const struct extract_lines lines = {&context, check_line};
    union {
        uint64_t align;
        uint8_t bytes[BODY_STRUCT_SIZE_MAX];
    } record;
    struct field_error error;
    struct slice bytes;
    enum status status;

    if (input.size == 0)
        return;
    context.section = (uint8_t)(input.data[0] % SECTIONS_COUNT + 1);
    bytes = slice_of(input.data + 1, input.size - 1);
    status = extract_record_lines(&lines, context.section, bytes);
    INVARIANT(status == schema_decode(section_info(context.section)->record,
                                      &record, &error, bytes,
                                      SCHEMA_REFUSE_UNKNOWN));
    INVARIANT((status == ST_OK) == (context.count > 0));
    context.count = 0;
    extract_record_none(&lines);
    INVARIANT(context.count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 2) {
        check_record(slice_of(data + 1, size - 1));
        return 0;
    }
    if (data[0] % 2 == 0)
        check_file(slice_of(data + 1, size - 1));
    else
        check_lines(slice_of(data + 1, size - 1));
    return 0;
}
