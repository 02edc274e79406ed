#include "server/registry/extract_make.h"

#include <string.h>

#include "protocol/extract_record.h"

static_assert((int)EXTRACT_EHIS == (int)PATH_EHIS &&
                  (int)EXTRACT_SUBMISSION == (int)PATH_SUBMISSION &&
                  (int)EXTRACT_OWNER == (int)PATH_OWNER &&
                  (int)EXTRACT_SELF == (int)PATH_SELF,
              "how a version came is told by the same numbers");

void extract_make_head(struct writer *heads, const struct extract_head *head)
{
    writer_u8(heads, head->section);
    writer_u8(heads, head->path);
    writer_u32(heads, head->version);
    writer_u16(heads, head->flags);
    writer_u32(heads, head->source);
    writer_blob(heads, head->name);
    ENSURE(heads->status == ST_OK);
}

bool extract_make_next_head(struct extract_head *out, struct reader *heads)
{
    if (reader_left(heads) == 0)
        return false;
    out->section = reader_u8(heads);
    out->path = reader_u8(heads);
    out->version = reader_u32(heads);
    out->flags = reader_u16(heads);
    out->source = reader_u32(heads);
    out->name = reader_blob(heads);
    INVARIANT(heads->status == ST_OK); /* The state keeps what was written. */
    return true;
}

/* extract_lines.line */
static void make_line(void *context, struct slice line)
{
    struct extract_maker *maker = context;
    struct extract_disclosure one = {.begins = maker->begins,
                                     .section_line = maker->section_line,
                                     .field_line = line};

    if (maker->status != ST_OK)
        return;
    maker->begins = false;
    maker->status = maker->act->services->extract_salt(
        maker->act->services->context, maker->item, maker->place,
        maker->number++, one.salt);
    if (maker->status == ST_OK)
        maker->status = maker->take(maker->context, &one);
}

static void make_begin(struct extract_maker *maker, struct writer *line,
                       const struct extract_section *section)
{
    extract_section_write(line, section);
    ENSURE(line->status == ST_OK);
    maker->section_line = writer_slice(line);
    maker->begins = true;
    maker->status = ST_OK;
}

enum status extract_make_version(struct extract_maker *maker,
                                 const struct extract_head *head,
                                 const struct row_version *version,
                                 struct slice record)
{
    struct extract_section section = {.section = head->section,
                                      .path = (enum extract_path)head->path,
                                      .version = head->version,
                                      .as_of = version->as_of,
                                      .received = version->received,
                                      .flags = head->flags,
                                      .source = head->source,
                                      .source_name = head->name};
    struct extract_lines lines = {.context = maker, .line = make_line};
    uint8_t bytes[EXTRACT_SECTION_LINE_SIZE_MAX];
    struct writer line;
    enum status status;

    writer_init(&line, bytes, sizeof bytes);
    make_begin(maker, &line, &section);
    status = extract_record_lines(&lines, head->section, record);
    INVARIANT(status == ST_OK); /* It decoded when it was put. */
    return maker->status;
}

enum status extract_make_none(struct extract_maker *maker, uint8_t section)
{
    struct extract_section none = {.section = section, .path = EXTRACT_NONE};
    struct extract_lines lines = {.context = maker, .line = make_line};
    uint8_t bytes[EXTRACT_SECTION_LINE_SIZE_MAX];
    struct writer line;

    writer_init(&line, bytes, sizeof bytes);
    make_begin(maker, &line, &none);
    extract_record_none(&lines);
    return maker->status;
}
