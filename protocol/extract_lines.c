/*
 * extract_lines.c: the two lines of a disclosure.  What is read was committed
 * to by a node; it is read strictly all the same, so that nothing is shown to
 * people that could be taken for something else.
 */
#include <string.h>

#include "protocol/dates.h"
#include "protocol/extract.h"
#include "protocol/lines.h"
#include "protocol/text.h"

static const char *const path_names[EXTRACT_PATHS_COUNT] = {
    "none", "EHIS", "submission", "owner", "self"};

#define EXTRACT_KIND_WORD(name, word) word,
static const char *const kind_words[EXTRACT_KINDS_COUNT] = {
    EXTRACT_KINDS(EXTRACT_KIND_WORD)};
#undef EXTRACT_KIND_WORD

const char *extract_path_name(enum extract_path path)
{
    REQUIRE(path < EXTRACT_PATHS_COUNT);
    return path_names[path];
}

/* ---- Sections ----------------------------------------------------------- */

static void write_date(struct writer *writer, int32_t days)
{
    uint8_t text[DATES_DATE_SIZE];

    dates_format(text, days);
    writer_bytes(writer, text, sizeof text);
}

static void write_time(struct writer *writer, int64_t time)
{
    uint8_t text[DATES_TIME_SIZE];

    dates_time_format(text, time);
    writer_bytes(writer, text, sizeof text);
}

void extract_section_write(struct writer *writer,
                           const struct extract_section *section)
{
    REQUIRE(section->section >= 1 && section->section <= SECTIONS_COUNT);
    REQUIRE((section->path == EXTRACT_SELF || section->path == EXTRACT_NONE) ==
            (section->source == 0));
    REQUIRE((section->source == 0) == (section->source_name.size == 0));
    writer_u8(writer, 'S');
    writer_u8(writer, (uint8_t)('0' + section->section / 10));
    writer_u8(writer, (uint8_t)('0' + section->section % 10));
    lines_write(writer, " ");
    lines_write(writer, extract_path_name(section->path));
    if (section->path == EXTRACT_NONE)
        return;
    lines_write(writer, " ");
    lines_write_number(writer, section->version);
    lines_write(writer, " ");
    write_date(writer, section->as_of);
    lines_write(writer, " ");
    write_time(writer, section->received);
    lines_write(writer, " ");
    lines_write_number(writer, section->flags);
    lines_write(writer, " ");
    lines_write_number(writer, section->source);
    if (section->source == 0)
        return;
    lines_write(writer, " ");
    writer_bytes(writer, section->source_name.data, section->source_name.size);
}

/* The next word; the last one has no blank behind it. */
static struct slice take_word(struct slice *line)
{
    struct slice word;

    if (!lines_split(&word, line, ' ')) {
        word = *line;
        *line = slice_of(NULL, 0);
    }
    return word;
}

static bool read_section_number(uint8_t *out, struct slice word)
{
    if (word.size != 3 || word.data[0] != 'S' || word.data[1] < '0' ||
        word.data[1] > '9' || word.data[2] < '0' || word.data[2] > '9')
        return false;
    *out = (uint8_t)((word.data[1] - '0') * 10 + word.data[2] - '0');
    return *out >= 1 && *out <= SECTIONS_COUNT;
}

static bool read_path(enum extract_path *out, struct slice word)
{
    for (int i = 0; i < EXTRACT_PATHS_COUNT; i++) {
        if (lines_equal(word, path_names[i])) {
            *out = (enum extract_path)i;
            return true;
        }
    }
    return false;
}

static bool read_number(uint64_t *out, struct slice word, uint64_t max)
{
    return lines_read_number(out, word, max) == ST_OK;
}

static bool read_given(struct extract_section *out, struct slice *line)
{
    uint64_t version, flags, source;

    if (!read_number(&version, take_word(line), INT64_MAX) || version == 0 ||
        dates_parse(&out->as_of, take_word(line)) != ST_OK ||
        dates_time_parse(&out->received, take_word(line)) != ST_OK ||
        !read_number(&flags, take_word(line), UINT16_MAX) ||
        !read_number(&source, take_word(line), UINT32_MAX))
        return false;
    out->version = version;
    out->flags = (uint16_t)flags;
    out->source = (uint32_t)source;
    out->source_name = *line;
    *line = slice_of(NULL, 0);
    return (out->source == 0) == (out->path == EXTRACT_SELF) &&
           (out->source == 0) == (out->source_name.size == 0) &&
           text_valid(out->source_name);
}

enum status extract_section_read(struct extract_section *section_out,
                                 struct slice line)
{
    uint8_t again[EXTRACT_SECTION_LINE_SIZE_MAX];
    struct slice rest = line;
    struct writer writer;

    memset(section_out, 0, sizeof *section_out);
    if (line.size > sizeof again ||
        !read_section_number(&section_out->section, take_word(&rest)) ||
        !read_path(&section_out->path, take_word(&rest)))
        return ST_FILE_FORMAT;
    if (section_out->path != EXTRACT_NONE && !read_given(section_out, &rest))
        return ST_FILE_FORMAT;
    /* Times and blanks can be written otherwise; here they are not. */
    writer_init(&writer, again, sizeof again);
    extract_section_write(&writer, section_out);
    if (writer.status != ST_OK || !slice_equal(writer_slice(&writer), line))
        return ST_FILE_FORMAT;
    return ST_OK;
}

/* ---- Fields ------------------------------------------------------------- */

void extract_field_write(struct writer *writer,
                         const struct extract_field *field)
{
    REQUIRE(field->kind < EXTRACT_KINDS_COUNT);
    REQUIRE((field->kind == EXTRACT_EMPTY) == (field->value.size == 0));
    writer_bytes(writer, field->path.data, field->path.size);
    lines_write(writer, " ");
    lines_write(writer, kind_words[field->kind]);
    if (field->kind == EXTRACT_EMPTY)
        return;
    lines_write(writer, " ");
    writer_bytes(writer, field->value.data, field->value.size);
}

static bool is_path(struct slice text)
{
    if (text.size == 0 || text.size > EXTRACT_PATH_SIZE_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
              c == '.'))
            return false;
    }
    return true;
}

static bool read_kind(enum extract_kind *out, struct slice word)
{
    for (int i = 0; i < EXTRACT_KINDS_COUNT; i++) {
        if (lines_equal(word, kind_words[i])) {
            *out = (enum extract_kind)i;
            return true;
        }
    }
    return false;
}

/* Decimal, perhaps below zero. */
static bool is_number(struct slice text)
{
    uint64_t value;
    bool negative = lines_take(&text, "-");

    return read_number(&value, text,
                       negative ? (uint64_t)1 << 63 : UINT64_MAX) &&
           !(negative && value == 0);
}

static bool is_hex(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return text.size % 2 == 0;
}

static bool is_date(struct slice text)
{
    int32_t days;

    return dates_parse(&days, text) == ST_OK;
}

static bool is_time(struct slice text)
{
    int64_t time;

    return text.size == DATES_TIME_SIZE &&
           dates_time_parse(&time, text) == ST_OK;
}

static bool is_value(enum extract_kind kind, struct slice value)
{
    uint64_t count;

    switch (kind) {
    case EXTRACT_STATE:
        return lines_equal(value, "given") || lines_equal(value, "none");
    case EXTRACT_TEXT:
        return value.size > 0 && text_valid(value);
    case EXTRACT_EMPTY:
        return value.size == 0;
    case EXTRACT_NUMBER:
        return is_number(value);
    case EXTRACT_DATE:
        return is_date(value);
    case EXTRACT_TIME:
        return is_time(value);
    case EXTRACT_HEX:
        return value.size > 0 && is_hex(value);
    case EXTRACT_LIST:
        return read_number(&count, value, UINT16_MAX);
    case EXTRACT_KINDS_COUNT:
        break;
    }
    return false;
}

enum status extract_field_read(struct extract_field *field_out,
                               struct slice line)
{
    struct slice rest = line, word;
    bool has_value;

    memset(field_out, 0, sizeof *field_out);
    if (line.size > EXTRACT_FIELD_LINE_SIZE_MAX ||
        !lines_split(&field_out->path, &rest, ' ') || !is_path(field_out->path))
        return ST_FILE_FORMAT;
    has_value = lines_split(&word, &rest, ' ');
    if (!has_value) {
        word = rest;
        rest = slice_of(NULL, 0);
    }
    field_out->value = rest;
    if (!read_kind(&field_out->kind, word) ||
        has_value == (field_out->kind == EXTRACT_EMPTY) ||
        !is_value(field_out->kind, field_out->value))
        return ST_FILE_FORMAT;
    return ST_OK;
}
