/*
 * extract_page.c: an extract as a page of HTML.  Everything that is not of this
 * file goes through page_text(), which leaves nothing that a browser could take
 * for more than text; there is no script, and nothing is loaded.
 */
#include <string.h>

#include "protocol/extract_show.h"
#include "protocol/extract_words.h"
#include "protocol/lines.h"
#include "protocol/render.h"

enum { PAGE_TEXT_SIZE_MAX = 4096 };
static_assert((int)PAGE_TEXT_SIZE_MAX >= (int)EXTRACT_FIELD_LINE_SIZE_MAX + 64,
              "any value fits, and what is said of it");

static const char page_head[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'unsafe-inline'\">\n"
    "<style>\n"
    "body{font:11pt/1.4 serif;max-width:46em;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:17pt;margin:0}h2{font-size:13pt;margin:1.2em 0 0}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "td{border-bottom:1px solid #999;padding:2px 6px;vertical-align:top}\n"
    "td:first-child{width:38%;color:#333}\n"
    ".s{color:#333;margin:.2em 0 .4em}.v{border:1px solid #000;padding:.4em}\n"
    ".n{color:#333;white-space:pre-line}\n"
    ".h{font:8pt monospace;overflow-wrap:anywhere}\n"
    "@media print{body{margin:0}h2{break-after:avoid}tr{break-inside:avoid}}\n"
    "</style>\n";

static void page_text(struct writer *writer, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case '&':
            lines_write(writer, "&amp;");
            break;
        case '<':
            lines_write(writer, "&lt;");
            break;
        case '>':
            lines_write(writer, "&gt;");
            break;
        case '"':
            lines_write(writer, "&quot;");
            break;
        case '\'':
            lines_write(writer, "&#39;");
            break;
        default:
            writer_u8(writer, text.data[i]);
        }
    }
}

/* ${part} is written by one of the functions that both forms have. */
#define PAGE_PART(writer, call, ...)               \
    do {                                           \
        uint8_t part_[PAGE_TEXT_SIZE_MAX];         \
        struct writer text_;                       \
        writer_init(&text_, part_, sizeof part_);  \
        call(&text_, __VA_ARGS__);                 \
        page_text((writer), writer_slice(&text_)); \
    } while (0)

static void page_field(struct writer *writer, const struct extract_reading *one,
                       bool azerbaijani)
{
    uint8_t section = one->section.section;

    lines_write(writer, "<tr><td>");
    PAGE_PART(writer, extract_words_label, section, one->field.path,
              azerbaijani);
    lines_write(writer, "</td><td>");
    PAGE_PART(writer, extract_words_value, section, &one->field, azerbaijani);
    lines_write(writer, "</td></tr>\n");
}

static void page_section(struct writer *writer,
                         const struct extract_section *section,
                         bool azerbaijani)
{
    lines_write(writer, "<h2>");
    PAGE_PART(writer, extract_show_section, section, azerbaijani);
    lines_write(writer, "</h2>\n<p class=\"s\">");
    PAGE_PART(writer, extract_show_source, section, azerbaijani);
    lines_write(writer, "</p>\n<table>\n");
}

static void page_sections(struct writer *writer,
                          const struct extract_shown *shown)
{
    struct extract_reading reading = {.rest = shown->file->disclosures};
    const uint8_t *section = NULL;

    while (extract_file_next(&reading) == ST_OK) {
        if (reading.section_line.data != section) {
            lines_write(writer, section != NULL ? "</table>\n" : "");
            page_section(writer, &reading.section, shown->azerbaijani);
        }
        section = reading.section_line.data;
        if (reading.field.kind != EXTRACT_STATE ||
            reading.section.path == EXTRACT_NONE)
            page_field(writer, &reading, shown->azerbaijani);
    }
    lines_write(writer, section != NULL ? "</table>\n" : "");
}

/* What the paper must not be taken for. */
static void page_unchecked(struct writer *writer,
                           const struct extract_shown *shown)
{
    if (shown->report == NULL || shown->report->unchecked == 0)
        return;
    lines_write(writer, "<p class=\"n\">");
    PAGE_PART(writer, extract_show_unchecked, shown);
    lines_write(writer, "</p>\n");
}

/* By which the paper can be compared with the file. */
static void page_hash(struct writer *writer, const struct extract_shown *shown)
{
    uint8_t hash[HASH_SIZE];

    extract_file_result_hash(shown->file, hash);
    lines_write(writer, "<p class=\"h\">SHA-256 ");
    render_hex(writer, hash, sizeof hash);
    lines_write(writer, "</p>\n<p class=\"s\">");
    lines_write(writer,
                shown->azerbaijani
                    ? "Bu səhifə çıxarış faylının oxunuşudur. Sübut faylın "
                      "özüdür: onu <code>defter verify</code> yoxlayır."
                    : "This page is a reading of the extract's file. The "
                      "evidence is the file itself: <code>defter "
                      "verify</code> judges it.");
    lines_write(writer, "</p>\n");
}

void extract_show_page(struct writer *writer, const struct extract_shown *shown)
{
    const char *finding = extract_show_finding(shown);

    lines_write(writer, "<!DOCTYPE html>\n<html lang=\"");
    lines_write(writer, shown->azerbaijani ? "az" : "en");
    lines_write(writer, "\">\n<head>\n<meta charset=\"utf-8\">\n");
    lines_write(writer, page_head);
    lines_write(writer, "<title>");
    PAGE_PART(writer, extract_show_title, shown);
    lines_write(writer, "</title>\n</head>\n<body>\n<h1>");
    PAGE_PART(writer, extract_show_title, shown);
    lines_write(writer, "</h1>\n<p>");
    PAGE_PART(writer, extract_show_origin, shown);
    lines_write(writer, "</p>\n<p class=\"v\">");
    page_text(writer, slice_of(finding, strlen(finding)));
    lines_write(writer, "</p>\n");
    page_unchecked(writer, shown);
    page_sections(writer, shown);
    lines_write(writer, "<p>");
    PAGE_PART(writer, extract_show_count, shown);
    lines_write(writer, "</p>\n");
    page_hash(writer, shown);
    lines_write(writer, "</body>\n</html>\n");
}
