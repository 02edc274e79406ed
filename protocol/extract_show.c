#include "protocol/extract_show.h"

#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/dates.h"
#include "protocol/extract_words.h"
#include "protocol/lines.h"
#include "protocol/render.h"
#include "protocol/voen.h"

enum { LABEL_COLUMNS = 34 };

static void write_date(struct writer *writer, int32_t days)
{
    uint8_t text[DATES_DATE_SIZE];

    dates_format(text, days);
    writer_bytes(writer, text, sizeof text);
}

/* To the second, and without the letters between. */
static void write_time(struct writer *writer, int64_t time)
{
    enum { DAY = DATES_DATE_SIZE, CLOCK = 8 };
    uint8_t text[DATES_TIME_SIZE];

    dates_time_format(text, time);
    writer_bytes(writer, text, DAY);
    lines_write(writer, " ");
    writer_bytes(writer, text + DAY + 1, CLOCK);
    lines_write(writer, " UTC");
}

void extract_show_title(struct writer *writer,
                        const struct extract_shown *shown)
{
    uint8_t digits[VOEN_DIGITS];

    lines_write(writer, shown->azerbaijani ? "Çıxarış № " : "Extract No ");
    lines_write_number(writer, shown->file->number);
    lines_write(writer, shown->azerbaijani ? ", VÖEN " : ", taxpayer number ");
    voen_format(digits, shown->file->subject);
    writer_bytes(writer, digits, sizeof digits);
}

void extract_show_origin(struct writer *writer,
                         const struct extract_shown *shown)
{
    struct receipt receipt;

    if (receipt_decode(&receipt, shown->file->receipt) != ST_OK ||
        receipt.committed_at > DATES_TIME_MAX) {
        lines_write(writer, shown->azerbaijani ? "qəbz oxunmur"
                                               : "its receipt does not read");
        return;
    }
    lines_write(writer, shown->azerbaijani ? "Verilib: " : "Issued ");
    write_time(writer, receipt.committed_at);
    lines_write(writer,
                shown->azerbaijani ? ", jurnal yazısı " : ", log entry ");
    lines_write_number(writer, receipt.index);
}

const char *extract_show_finding(const struct extract_shown *shown)
{
    if (shown->report == NULL)
        return shown->azerbaijani ? "yoxlanmayıb" : "not verified";
    return shown->azerbaijani ? extract_judge_text_az(shown->report->finding)
                              : extract_judge_text(shown->report->finding);
}

void extract_show_unchecked(struct writer *writer,
                            const struct extract_shown *shown)
{
    if (shown->report == NULL || shown->report->unchecked == 0)
        return;
    lines_write(writer,
                shown->azerbaijani ? "yoxlanmayıb:\n" : "not checked:\n");
    for (int i = 0; i < EXTRACT_UNCHECKED_COUNT; i++) {
        if ((shown->report->unchecked & 1u << i) == 0)
            continue;
        lines_write(writer, "  - ");
        lines_write(writer, extract_judge_unchecked((enum extract_unchecked)i,
                                                    shown->azerbaijani));
        lines_write(writer, "\n");
    }
}

void extract_show_section(struct writer *writer,
                          const struct extract_section *section,
                          bool azerbaijani)
{
    const struct section_info *info = section_info(section->section);

    lines_write(writer, info->name);
    lines_write(writer, " ");
    lines_write(writer, azerbaijani ? info->azerbaijani : info->english);
    if (section->path == EXTRACT_SELF)
        lines_write(writer, azerbaijani ? ", subyektin özünün bildirdiyi"
                                        : ", as the subject declared");
}

void extract_show_source(struct writer *writer,
                         const struct extract_section *section,
                         bool azerbaijani)
{
    if (section->path == EXTRACT_NONE)
        return;
    if (section->source != 0) {
        writer_bytes(writer, section->source_name.data,
                     section->source_name.size);
        lines_write(writer, ", ");
    }
    lines_write(writer, azerbaijani ? "versiya " : "version ");
    lines_write_number(writer, section->version);
    lines_write(writer,
                azerbaijani ? ", tarixə olan vəziyyət: " : ", state of ");
    write_date(writer, section->as_of);
    lines_write(writer, azerbaijani ? ", daxil olub: " : ", received ");
    write_time(writer, section->received);
    if (section->flags != 0) {
        lines_write(writer, "; ");
        extract_words_flags(writer, section->flags, azerbaijani);
    }
}

void extract_show_count(struct writer *writer,
                        const struct extract_shown *shown)
{
    uint32_t all = shown->file->commitments_count;
    uint32_t open = shown->file->disclosures_count;

    if (shown->azerbaijani)
        lines_write(writer, "Sahələrin sayı: ");
    else
        lines_write(writer, "Fields: ");
    lines_write_number(writer, all);
    lines_write(writer, shown->azerbaijani ? ", göstərilən: " : ", shown: ");
    lines_write_number(writer, open);
    lines_write(writer,
                shown->azerbaijani ? ", gizli saxlanılan: " : ", kept back: ");
    lines_write_number(writer, open < all ? all - open : 0);
}

/* ---- Lines -------------------------------------------------------------- */

/* Code points of UTF-8, as a terminal counts them. */
static size_t columns_of(const uint8_t *text, size_t size)
{
    size_t columns = 0;

    for (size_t i = 0; i < size; i++)
        columns += (text[i] & 0xc0) != 0x80;
    return columns;
}

static void show_field(struct writer *writer, const struct extract_reading *one,
                       bool azerbaijani)
{
    size_t from = writer->used, columns;

    lines_write(writer, "  ");
    extract_words_label(writer, one->section.section, one->field.path,
                        azerbaijani);
    if (writer->status != ST_OK)
        return;
    columns = columns_of(writer->data + from, writer->used - from);
    for (; columns < LABEL_COLUMNS; columns++)
        lines_write(writer, " ");
    lines_write(writer, " ");
    extract_words_value(writer, one->section.section, &one->field, azerbaijani);
    lines_write(writer, "\n");
}

static void show_section(struct writer *writer,
                         const struct extract_section *section,
                         bool azerbaijani)
{
    lines_write(writer, "\n");
    extract_show_section(writer, section, azerbaijani);
    lines_write(writer, "\n");
    if (section->path == EXTRACT_NONE)
        return;
    lines_write(writer, "  ");
    extract_show_source(writer, section, azerbaijani);
    lines_write(writer, "\n");
}

void extract_show_lines(struct writer *writer,
                        const struct extract_shown *shown)
{
    struct extract_reading reading = {.rest = shown->file->disclosures};
    const uint8_t *section = NULL;

    extract_show_title(writer, shown);
    lines_write(writer, "\n");
    extract_show_origin(writer, shown);
    lines_write(writer, "\n");
    lines_write(writer, extract_show_finding(shown));
    lines_write(writer, "\n");
    extract_show_unchecked(writer, shown);
    while (extract_file_next(&reading) == ST_OK) {
        if (reading.section_line.data != section)
            show_section(writer, &reading.section, shown->azerbaijani);
        section = reading.section_line.data;
        /* That it is given shows in what is given. */
        if (reading.field.kind != EXTRACT_STATE ||
            reading.section.path == EXTRACT_NONE)
            show_field(writer, &reading, shown->azerbaijani);
    }
    lines_write(writer, "\n");
    extract_show_count(writer, shown);
    lines_write(writer, "\n");
}
