#include "protocol/extract.h"

#include <string.h>

#include <sodium.h>

#include "protocol/extract_record.h"
#include "tests/lib/hex.h"
#include "tests/lib/records.h"
#include "tests/lib/suite.h"

/* Computed in Python (EXTRACT, section 5). */
static const char salt_hex[] = "3e7cfa772f01763fe59881c64d628932";
static const char field_hex[] =
    "f50b0170cb6304b44c84a55a7958b50c9bc9b2554942afb985b750300deb2df1";
static const char none_hex[] =
    "77e2edb30161ef8597c6f9f2dc799055d73c9dfe52a969b8b17ae602cae20d85";
static const char root_hex[] =
    "7532f3e4c0f0cd9e357254cb226edd15daee02b548d965c5090036e2d8406ce3";
static const char section_text[] =
    "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 "
    "Dövlət Vergi Xidməti";

static struct slice text(const char *of)
{
    return slice_of(of, strlen(of));
}

START_TEST(salts_commitments_and_root_are_the_published_ones)
{
    uint8_t key[KEY_SIZE], salt[SALT_SIZE], hashes[2][HASH_SIZE];
    uint8_t root[HASH_SIZE];

    for (int i = 0; i < KEY_SIZE; i++)
        key[i] = (uint8_t)i;
    extract_salt(salt, key, 1000, 0, 7);
    hex_expect(salt, sizeof salt, salt_hex);
    extract_commit(hashes[1], salt, text(section_text), text("class number 2"));
    hex_expect(hashes[1], HASH_SIZE, field_hex);
    extract_commit(hashes[0], salt, text("S12 none"), text(". state none"));
    hex_expect(hashes[0], HASH_SIZE, none_hex);
    extract_root(root, (const uint8_t(*)[HASH_SIZE])hashes, 2);
    hex_expect(root, sizeof root, root_hex);
}
END_TEST

START_TEST(a_commitment_tells_section_and_field_apart)
{
    uint8_t salt[SALT_SIZE] = {1}, one[HASH_SIZE], other[HASH_SIZE];

    extract_commit(one, salt, text("S12 none"), text("a b"));
    extract_commit(other, salt, text("S12 non"), text("ea b"));
    ck_assert_mem_ne(one, other, HASH_SIZE);
    salt[15] ^= 0x80;
    extract_commit(other, salt, text("S12 none"), text("a b"));
    ck_assert_mem_ne(one, other, HASH_SIZE);
}
END_TEST

/* ---- Sections ----------------------------------------------------------- */

START_TEST(the_line_of_a_section_is_written_and_read_in_one_way)
{
    struct extract_section section;
    uint8_t bytes[EXTRACT_SECTION_LINE_SIZE_MAX];
    struct writer writer;

    ck_assert_int_eq(extract_section_read(&section, text(section_text)), ST_OK);
    ck_assert_uint_eq(section.section, 6);
    ck_assert_int_eq(section.path, EXTRACT_EHIS);
    ck_assert_uint_eq(section.version, 3);
    ck_assert_uint_eq(section.flags, 1);
    ck_assert_uint_eq(section.source, 5);
    ck_assert(slice_equal(section.source_name, text("Dövlət Vergi Xidməti")));
    writer_init(&writer, bytes, sizeof bytes);
    extract_section_write(&writer, &section);
    ck_assert(slice_equal(writer_slice(&writer), text(section_text)));
    ck_assert_int_eq(extract_section_read(&section, text("S12 none")), ST_OK);
    ck_assert_int_eq(section.path, EXTRACT_NONE);
    ck_assert_int_eq(
        extract_section_read(
            &section,
            text("S05 self 2 2026-08-11 2026-08-17T09:00:00.000000Z 0 0")),
        ST_OK);
    ck_assert_int_eq(section.path, EXTRACT_SELF);
}
END_TEST

START_TEST(another_line_of_a_section_is_refused)
{
    static const char *const bad[] = {
        "",
        "S",
        "S12",
        "S12 ",
        "S12 none ",
        "S12 none 1",
        "S00 none",
        "S14 none",
        "s12 none",
        "S1 none",
        "S012 none",
        "S06  EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 A",
        "S06 ehis 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 A",
        "S06 EHIS 0 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 A",
        "S06 EHIS 03 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 A",
        "S06 EHIS 3 2026-02-30 2026-08-17T09:00:00.000000Z 1 5 A",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00Z 1 5 A",
        "S06 EHIS 3 2026-08-11 2026-08-17 1 5 A",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 65536 5 A",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 0",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 ",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 \x01",
        "S06 EHIS 3 2026-08-11 2026-08-17T09:00:00.000000Z 1 5 \xc3",
        "S05 self 2 2026-08-11 2026-08-17T09:00:00.000000Z 0 5 A",
        "S05 self 2 2026-08-11 2026-08-17T09:00:00.000000Z 0 0 A"};
    struct extract_section section;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(extract_section_read(&section, text(bad[i])) ==
                          ST_FILE_FORMAT,
                      "%s", bad[i]);
}
END_TEST

/* ---- Fields ------------------------------------------------------------- */

START_TEST(lines_of_fields_are_read_strictly)
{
    static const char *const good[] = {". state given",
                                       ". state none",
                                       "a text x",
                                       "a text  x ",
                                       "a empty",
                                       "a number 0",
                                       "a number -1",
                                       "a date 1970-01-01",
                                       "a list 65535",
                                       "a_b.1.c hex 00ff",
                                       "a number 18446744073709551615",
                                       "a number -9223372036854775808",
                                       "a time 2026-08-17T09:00:00.000000Z"};
    static const char *const bad[] = {"",
                                      "a",
                                      "a ",
                                      " text x",
                                      "A text x",
                                      "a text",
                                      "a text ",
                                      "a empty ",
                                      "a empty x",
                                      "a Text x",
                                      "a number",
                                      "a number ",
                                      "a number 00",
                                      "a number -0",
                                      "a number +1",
                                      "a number 1 ",
                                      "a number --1",
                                      "a date 2026-1-1",
                                      "a list 65536",
                                      "a list -1",
                                      "a hex 0",
                                      "a hex 0F",
                                      "a hex",
                                      "a state maybe",
                                      "a text x\x7f",
                                      "a number 18446744073709551616",
                                      "a number -9223372036854775809",
                                      "a time 2026-08-17",
                                      "a time 2026-08-17T09:00:00Z"};
    struct extract_field field;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint8_t bytes[EXTRACT_FIELD_LINE_SIZE_MAX];
        struct writer writer;

        ck_assert_msg(extract_field_read(&field, text(good[i])) == ST_OK, "%s",
                      good[i]);
        writer_init(&writer, bytes, sizeof bytes);
        extract_field_write(&writer, &field);
        ck_assert(slice_equal(writer_slice(&writer), text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(extract_field_read(&field, text(bad[i])) ==
                          ST_FILE_FORMAT,
                      "%s", bad[i]);
}
END_TEST

/* ---- Records ------------------------------------------------------------ */

struct gathered {
    uint8_t bytes[65536];
    size_t size;
    uint32_t count;
    uint8_t section;
};

static void gather(void *context, struct slice line)
{
    struct gathered *gathered = context;
    struct extract_named named;
    struct extract_field field;

    ck_assert_int_eq(extract_field_read(&field, line), ST_OK);
    ck_assert(extract_record_named(&named, gathered->section, field.path));
    ck_assert_uint_lt(gathered->size + line.size, sizeof gathered->bytes);
    memcpy(gathered->bytes + gathered->size, line.data, line.size);
    gathered->size += line.size;
    gathered->bytes[gathered->size++] = '\n';
    gathered->count++;
}

static void lines_of(struct gathered *out, uint8_t section,
                     const union section_record *record,
                     struct records *records)
{
    struct extract_lines lines = {.context = out, .line = gather};
    struct slice bytes = records_encode(records, section, record);

    memset(out, 0, sizeof *out);
    out->section = section;
    ck_assert_int_eq(extract_record_lines(&lines, section, bytes), ST_OK);
}

START_TEST(a_record_gives_a_line_for_each_field_of_each_element)
{
    static struct gathered gathered;
    static struct records records;
    union section_record record = {.s02 = {.has_extension = true}};
    struct address address = {.kind = 1,
                              .postal_index = text("AZ1000"),
                              .region = 12,
                              .text = text("Bakı, Nizami 1"),
                              .from = 0};
    struct extension extension = {.id = 7, .value = slice_of("\0\xff", 2)};
    static const char expected[] = ". state given\n"
                                   "addresses list 1\n"
                                   "addresses.1.kind number 1\n"
                                   "addresses.1.postal_index text AZ1000\n"
                                   "addresses.1.region number 12\n"
                                   "addresses.1.text text Bakı, Nizami 1\n"
                                   "addresses.1.from date 1970-01-01\n"
                                   "extension list 1\n"
                                   "extension.1.id number 7\n"
                                   "extension.1.value hex 00ff\n";

    records_list(&records, &record.s02.addresses, 0, &schema_address, &address);
    records_list(&records, &record.s02.extension, 1, &schema_extension,
                 &extension);
    lines_of(&gathered, SECTION_S02, &record, &records);
    ck_assert_uint_eq(gathered.size, sizeof expected - 1);
    ck_assert_mem_eq(gathered.bytes, expected, gathered.size);
}
END_TEST

START_TEST(every_section_s_good_record_gives_lines_that_the_tables_name)
{
    static struct gathered gathered;
    static struct records records;
    union section_record record;

    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        records_fill(&records, &record, section, 1400057421, 20600);
        lines_of(&gathered, section, &record, &records);
        ck_assert_uint_gt(gathered.count, 2);
    }
}
END_TEST

START_TEST(what_is_no_record_gives_no_line)
{
    static struct gathered gathered;
    struct extract_lines lines = {.context = &gathered, .line = gather};

    ck_assert_int_ne(
        extract_record_lines(&lines, SECTION_S06, slice_of("\x01", 1)), ST_OK);
    ck_assert_uint_eq(gathered.count, 0);
}
END_TEST

START_TEST(paths_that_no_table_has_are_not_named)
{
    static const char *const bad[] = {"classes",
                                      "class.1.kind",
                                      "representatives.0.fin",
                                      "representatives.33.fin",
                                      "representatives.01.fin",
                                      "representatives.1",
                                      "representatives.1.fins",
                                      "representatives..fin",
                                      "",
                                      "..",
                                      "representatives.1.fin.x"};
    struct extract_named named;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!extract_record_named(&named, SECTION_S01, text(bad[i])),
                      "%s", bad[i]);
    ck_assert(!extract_record_named(&named, 14, text(".")));
    ck_assert(extract_record_named(&named, SECTION_S01,
                                   text("representatives.32.fin")));
    ck_assert_uint_eq(named.element, 32);
    ck_assert_str_eq(named.part->name, "fin");
}
END_TEST

/* Names of fields stand in extracts that people keep: a field may be added at
 * the end of its table, and none may be renamed or change its kind. */
START_TEST(the_names_of_fields_are_the_ones_in_old_extracts)
{
    crypto_hash_sha256_state hash;
    uint8_t digest[HASH_SIZE];

    crypto_hash_sha256_init(&hash);
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        const struct schema *schema = section_info(section)->record;
        const struct field *rows = schema->rows();

        for (uint16_t i = 0; i < schema->fields_count; i++) {
            uint8_t kind = (uint8_t)rows[i].kind;
            const struct schema *element = rows[i].element;

            crypto_hash_sha256_update(&hash, (const uint8_t *)rows[i].name,
                                      strlen(rows[i].name) + 1);
            crypto_hash_sha256_update(&hash, &kind, 1);
            for (uint16_t j = 0; element != NULL && j < element->fields_count;
                 j++)
                crypto_hash_sha256_update(
                    &hash, (const uint8_t *)element->rows()[j].name,
                    strlen(element->rows()[j].name) + 1);
        }
    }
    crypto_hash_sha256_final(&hash, digest);
    hex_expect(digest, sizeof digest,
               "e8c4d00d66929fb1d32b25efa3700cf95c6b752b4935a10d586d789a1e65"
               "ac63");
}
END_TEST

SUITE_MAIN("extract_lines", salts_commitments_and_root_are_the_published_ones,
           a_commitment_tells_section_and_field_apart,
           the_line_of_a_section_is_written_and_read_in_one_way,
           another_line_of_a_section_is_refused,
           lines_of_fields_are_read_strictly,
           a_record_gives_a_line_for_each_field_of_each_element,
           every_section_s_good_record_gives_lines_that_the_tables_name,
           what_is_no_record_gives_no_line,
           paths_that_no_table_has_are_not_named,
           the_names_of_fields_are_the_ones_in_old_extracts)
