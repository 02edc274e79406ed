#include "protocol/extract_show.h"

#include <string.h>

#include "protocol/extract_record.h"
#include "protocol/extract_words.h"
#include "protocol/lines.h"
#include "protocol/render.h"
#include "tests/lib/extract_sample.h"
#include "tests/lib/suite.h"

enum { SHOWN_SIZE = EXTRACT_SHOW_SIZE(EXTRACT_SAMPLE_TEXT_SIZE) };

static struct extract_sample sample;
static uint8_t commitments[EXTRACT_FIELDS_MAX][HASH_SIZE];
static struct extract_file file;
static struct extract_report report;
static char shown_bytes[SHOWN_SIZE + 1];

static void begin(void)
{
    size_t line;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(extract_file_read(&file, commitments, &line, sample.file),
                     ST_OK);
    extract_judge(&report, &file, &sample.trust);
}

static void show(void (*form)(struct writer *, const struct extract_shown *),
                 bool azerbaijani, bool judged)
{
    struct extract_shown shown = {.file = &file,
                                  .report = judged ? &report : NULL,
                                  .azerbaijani = azerbaijani};
    struct writer writer;

    writer_init(&writer, shown_bytes, SHOWN_SIZE);
    form(&writer, &shown);
    ck_assert_int_eq(writer.status, ST_OK);
    ck_assert_uint_le(writer.used, EXTRACT_SHOW_SIZE(sample.file.size));
    shown_bytes[writer.used] = '\0';
}

static void has(const char *text)
{
    ck_assert_msg(strstr(shown_bytes, text) != NULL, "no %s in %s", text,
                  shown_bytes);
}

static void has_not(const char *text)
{
    ck_assert_msg(strstr(shown_bytes, text) == NULL, "%s in %s", text,
                  shown_bytes);
}

START_TEST(an_extract_is_shown_in_lines)
{
    begin();
    show(extract_show_lines, false, true);
    has("Extract No 17, taxpayer number 1400057421\n");
    has("Issued 2025-12-17 19:33:20 UTC, log entry 5\n");
    has("attestation that the registry decided and answered so\n");
    has("\nS01 names\n  Dövlət Vergi Xidməti, version 3, state of 2026-05-27, "
        "received 2025-12-17 19:33:20 UTC; size class differs");
    has("  kind                             legal\n");
    has("  1: to                            not stated\n");
    has("  class                            micro\n");
    has("  income                           10000.00\n");
    has("\nS12 other data\n  section                          nothing there\n");
    has("Fields: 25, shown: 25, kept back: 0\n");
}
END_TEST

START_TEST(an_extract_is_shown_in_azerbaijani)
{
    begin();
    show(extract_show_lines, true, true);
    has("Çıxarış № 17, VÖEN 1400057421\n");
    has("təsdiqləməsi jurnaldadır\n");
    has("\nS01 adlar\n");
    has("hüquqi şəxs\n");
    has("  Ölçü kateqoriyası ");
    has(" mikro\n");
    has("göstərilməyib\n");
    has("məlumat yoxdur\n");
    show(extract_show_lines, true, false);
    has("yoxlanmayıb\n");
}
END_TEST

START_TEST(a_page_has_the_same_and_needs_nothing_else)
{
    begin();
    show(extract_show_page, false, true);
    has("<!DOCTYPE html>\n<html lang=\"en\">");
    has("<h1>Extract No 17, taxpayer number 1400057421</h1>");
    has("<tr><td>class</td><td>micro</td></tr>");
    has("<h2>S12 other data</h2>");
    has("default-src 'none'");
    has_not("<script");
    has_not("http://");
    has_not("https://");
    has_not(" src=");
    has_not("url(");
    show(extract_show_page, true, false);
    has("<html lang=\"az\">");
    has("<tr><td>Ölçü kateqoriyası</td><td>mikro</td></tr>");
}
END_TEST

/* What nobody vouched for does not pass for more, on paper neither. */
START_TEST(what_was_not_checked_is_said_in_lines_and_on_the_page)
{
    begin();
    show(extract_show_lines, false, true);
    has("\nnot checked:\n  - the signature of whoever asked for it");
    has_not("whether anybody but");
    sample.policy.quorum = TLOG_POLICY_NONE;
    extract_judge(&report, &file, &sample.trust);
    show(extract_show_lines, false, true);
    has("\n  - whether anybody but the log's own node vouches for the "
        "checkpoint: no policy asks for it\n");
    show(extract_show_page, false, true);
    has("not checked:\n  - whether anybody but the log&#39;s own node vouches");
    show(extract_show_page, true, true);
    has("yoxlanmayıb:\n  - nəzarət nöqtəsini jurnalın öz qovşağından "
        "başqasının təsdiqləməsi");
    show(extract_show_page, false, false);
    has_not("not checked:");
}
END_TEST

/* A file that nobody signed may hold any text. */
START_TEST(what_is_in_the_file_can_only_be_text_of_the_page)
{
    static const char text[] =
        "section S01 EHIS 3 2026-05-27 2025-12-17T19:33:20.000000Z 1 5 "
        "<img src=x onerror=alert(1)>\n"
        "field O+lIEOw14yuETrc+LO9Hcw== full_name text "
        "</td><script>\"alert\"('x')&amp;</script>\n"
        "field O+lIEOw14yuETrc+LO9Hcw== what.no.table.has text <b>\n"
        "field O+lIEOw14yuETrc+LO9Hcw== class number 99\n";

    begin();
    file.disclosures = slice_of(text, sizeof text - 1);
    show(extract_show_page, false, true);
    has_not("<script");
    has_not("<img");
    has_not("<b>");
    has_not("'x'");
    has("&lt;/td&gt;&lt;script&gt;&quot;alert&quot;(&#39;x&#39;)&amp;amp;"
        "&lt;/script&gt;");
    has("&lt;img src=x onerror=alert(1)&gt;");
    has("<td>what.no.table.has</td>");
    /* No number of fields kept back is below zero. */
    file.commitments_count = 1;
    file.disclosures_count = 4;
    show(extract_show_lines, false, true);
    has("kept back: 0");
}
END_TEST

static uint32_t names_count(const char *names)
{
    uint32_t count = names == NULL ? 0 : 1;

    for (; names != NULL && *names != '\0'; names++)
        count += *names == '|';
    return count;
}

/* In both languages every number of an enum has a name. */
static void expect_values(uint8_t section, struct slice path,
                          const struct field *row)
{
    for (uint32_t i = 1; i <= names_count(render_names(row)); i++) {
        for (int azerbaijani = 0; azerbaijani < 2; azerbaijani++) {
            uint8_t number[16], text[256];
            struct writer digits, value;
            struct extract_field field = {.path = path, .kind = EXTRACT_NUMBER};

            writer_init(&digits, number, sizeof number);
            lines_write_number(&digits, i);
            field.value = writer_slice(&digits);
            writer_init(&value, text, sizeof text);
            extract_words_value(&value, section, &field, azerbaijani != 0);
            ck_assert_msg(!slice_equal(writer_slice(&value), field.value),
                          "S%02u.%.*s has no name for %u (%d)", section,
                          (int)path.size, (const char *)path.data, i,
                          azerbaijani);
        }
    }
}

static void expect_words(uint8_t section, const char *path,
                         const struct field *row)
{
    struct slice slice = slice_of(path, strlen(path));
    uint8_t english[128], azerbaijani[128];
    struct writer one, other;

    writer_init(&one, english, sizeof english);
    writer_init(&other, azerbaijani, sizeof azerbaijani);
    extract_words_label(&one, section, slice, false);
    extract_words_label(&other, section, slice, true);
    ck_assert_msg(!slice_equal(writer_slice(&one), writer_slice(&other)),
                  "S%02u.%s has no word", section, path);
    if (row->kind == FIELD_enum8)
        expect_values(section, slice, row);
}

START_TEST(every_field_has_a_word_in_both_languages)
{
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        const struct schema *schema = section_info(section)->record;
        const struct field *rows = schema->rows();

        for (uint16_t i = 0; i < schema->fields_count; i++) {
            const struct schema *element = rows[i].element;

            expect_words(section, rows[i].name, &rows[i]);
            for (uint16_t j = 0; element != NULL && j < element->fields_count;
                 j++) {
                char path[EXTRACT_PATH_SIZE_MAX + 1];

                snprintf(path, sizeof path, "%s.1.%s", rows[i].name,
                         element->rows()[j].name);
                expect_words(section, path, &element->rows()[j]);
            }
        }
    }
}
END_TEST

START_TEST(marks_are_named)
{
    uint8_t text[256];
    struct writer writer;

    writer_init(&writer, text, sizeof text);
    extract_words_flags(&writer, 8 | 16, false);
    ck_assert(
        slice_equal(writer_slice(&writer), slice_of("expired, disputed", 17)));
    writer_init(&writer, text, sizeof text);
    extract_words_flags(&writer, 8, true);
    ck_assert(lines_equal(writer_slice(&writer), "müddəti bitib"));
    writer_init(&writer, text, sizeof text);
    extract_words_flags(&writer, 0x8000, false);
    ck_assert(lines_equal(writer_slice(&writer), "32768"));
}
END_TEST

SUITE_MAIN("extract_show", an_extract_is_shown_in_lines,
           an_extract_is_shown_in_azerbaijani,
           a_page_has_the_same_and_needs_nothing_else,
           what_was_not_checked_is_said_in_lines_and_on_the_page,
           what_is_in_the_file_can_only_be_text_of_the_page,
           every_field_has_a_word_in_both_languages, marks_are_named)
