#include "tests/lib/section_reader.h"

#include <check.h>

enum status section_reader_own(struct fixture *fixture,
                               const struct fixture_actor *actor,
                               uint64_t subject, uint16_t sections,
                               struct result_section_get *out)
{
    struct op_section_get in = {.sections = sections};

    return fixture_run(fixture, actor, OPCODE_SECTION_GET, &in, subject, 0,
                       actor->duty, out);
}

enum status section_reader_other(struct fixture *fixture,
                                 const struct fixture_actor *actor,
                                 uint64_t subject, uint16_t sections,
                                 uint32_t consent,
                                 struct result_section_get *out)
{
    struct op_section_get in = {.sections = sections,
                                .consent = consent,
                                .file_number = fixture_text("F-1")};

    return fixture_run(fixture, actor, OPCODE_SECTION_GET, &in, subject,
                       READER_PURPOSE, actor->duty, out);
}

bool section_reader_find(const struct list *versions, uint8_t section,
                         uint32_t nth, struct version_row *row_out,
                         union section_record *record_out)
{
    struct list_reader reader;
    struct field_error error;

    list_reader_init(&reader, versions);
    while (list_reader_next(&reader, &schema_version_row, row_out)) {
        if (row_out->section != section || nth-- > 0)
            continue;
        if (record_out != NULL)
            ck_assert_int_eq(schema_decode(section_info(section)->record,
                                           record_out, &error, row_out->record,
                                           SCHEMA_REFUSE_UNKNOWN),
                             ST_OK);
        return true;
    }
    return false;
}
