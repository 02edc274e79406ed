#include "protocol/extract.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/lines.h"
#include "tests/lib/consent_scene.h"
#include "tests/lib/suite.h"

enum { SCENE_S01 = 1, SCENE_S12 = 1 << 11, SCENE_S05 = 1 << 4 };
enum { TEXT_SIZE = EXTRACT_TEXT_PARTS_MAX * EXTRACT_TEXT_PART_SIZE_MAX };

static struct scene scene;
static struct result_extract_issue issued;
static uint8_t hashes[EXTRACT_FIELDS_MAX][HASH_SIZE];
static uint32_t hashes_count;
static uint8_t text[TEXT_SIZE];
static size_t text_size;

static enum status issue(const struct fixture_actor *actor, uint16_t sections)
{
    struct op_extract_issue in = {.sections = sections};
    struct list_reader reader;
    struct hash_part part;
    enum status status =
        fixture_run(&scene.fixture, actor, OPCODE_EXTRACT_ISSUE, &in,
                    scene.subject, 0, actor->duty, &issued);

    if (status != ST_OK)
        return status;
    hashes_count = 0;
    list_reader_init(&reader, &issued.commitments);
    while (list_reader_next(&reader, &schema_hash_part, &part)) {
        ck_assert_uint_eq(part.hashes.size % HASH_SIZE, 0);
        memcpy(hashes[hashes_count], part.hashes.data, part.hashes.size);
        hashes_count += (uint32_t)(part.hashes.size / HASH_SIZE);
    }
    return status;
}

static enum status open_it(const struct fixture_actor *actor, uint64_t number,
                           struct result_extract_open *out)
{
    struct op_extract_open in = {.number = number};
    struct list_reader reader;
    struct text_part part;
    enum status status = fixture_run(&scene.fixture, actor, OPCODE_EXTRACT_OPEN,
                                     &in, scene.subject, 0, actor->duty, out);

    if (status != ST_OK)
        return status;
    text_size = 0;
    list_reader_init(&reader, &out->parts);
    while (list_reader_next(&reader, &schema_text_part, &part)) {
        memcpy(text + text_size, part.text.data, part.text.size);
        text_size += part.text.size;
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* Every commitment is that of one disclosure, and none is left. */
static void expect_commitments(void)
{
    static uint8_t found[EXTRACT_FIELDS_MAX][HASH_SIZE];
    struct slice rest = slice_of(text, text_size), line, section = {NULL, 0};
    struct extract_section read_section;
    struct extract_field read_field;
    struct slice salt_text;
    uint8_t salt[SALT_SIZE];
    uint32_t count = 0;

    while (lines_next(&line, &rest) == ST_OK) {
        if (lines_take(&line, "section ")) {
            section = line;
            ck_assert_int_eq(extract_section_read(&read_section, line), ST_OK);
            continue;
        }
        ck_assert(lines_take(&line, "field "));
        ck_assert(lines_split(&salt_text, &line, ' '));
        ck_assert_int_eq(lines_read_exact(salt, SALT_SIZE, salt_text), ST_OK);
        ck_assert_int_eq(extract_field_read(&read_field, line), ST_OK);
        extract_commit(found[count++], salt, section, line);
    }
    ck_assert_uint_eq(rest.size, 0);
    ck_assert_uint_eq(count, hashes_count);
    qsort(found, count, HASH_SIZE, compare);
    ck_assert_mem_eq(found, hashes, (size_t)count * HASH_SIZE);
    for (uint32_t i = 1; i < count; i++)
        ck_assert_int_lt(memcmp(hashes[i - 1], hashes[i], HASH_SIZE), 0);
}

static bool text_has(const char *needle)
{
    return memmem(text, text_size, needle, strlen(needle)) != NULL;
}

static enum status verify(const struct fixture_actor *actor, uint64_t subject,
                          uint64_t number, const uint8_t *root,
                          struct result_extract_verify *out)
{
    struct op_extract_verify in = {.number = number};

    memcpy(in.root.b, root, HASH_SIZE);
    return fixture_run(&scene.fixture, actor, OPCODE_EXTRACT_VERIFY, &in,
                       subject, 0, actor->duty, out);
}

static void root_of(uint8_t out[HASH_SIZE])
{
    extract_root(out, (const uint8_t(*)[HASH_SIZE])hashes, hashes_count);
}

static void bring_class(void)
{
    union section_record record;

    records_fill(&scene.feeder.records, &record, SECTION_S06, scene.subject,
                 act_day(scene.fixture.state, scene.fixture.log_time));
    record.s06.employees++;
    feeder_bring(&scene.feeder, scene.subject, SECTION_S06, &record);
}

/* ---- Issuing and opening ------------------------------------------------ */

START_TEST(T_R_6_2_2_an_extract_commits_to_every_field_of_what_it_covers)
{
    struct result_extract_open out;
    struct row_access row;

    scene_open(&scene);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S01 | SCENE_S06 | SCENE_S12),
                     ST_OK);
    ck_assert_uint_eq(issued.number, 1);
    ck_assert_uint_eq(issued.subject, scene.subject);
    ck_assert_uint_eq(issued.sections, SCENE_S01 | SCENE_S06 | SCENE_S12);
    fixture_accesses(&scene.fixture, &row, scene.subject);
    ck_assert_uint_eq(row.opcode, OPCODE_EXTRACT_ISSUE);
    ck_assert_uint_eq(row.sections, SCENE_S01 | SCENE_S06 | SCENE_S12);
    ck_assert_uint_eq(row.by_subject, scene.subject);
    ck_assert_int_eq(open_it(&scene.owner, issued.number, &out), ST_OK);
    ck_assert_uint_eq(out.index, scene.fixture.index - 2);
    expect_commitments();
    /* Source, version and date stand with it; what there is not, is said. */
    ck_assert(text_has("section S06 EHIS 1 "));
    ck_assert(text_has(" Some body\n"));
    ck_assert(text_has(" class number "));
    ck_assert(text_has("section S12 none\n"));
    ck_assert(text_has(" . state none\n"));
    ck_assert(text_has(" representatives list 1\n"));
    ck_assert(text_has(" representatives.1.fin text " SCENE_FIN "\n"));
    scene_close(&scene);
}
END_TEST

START_TEST(an_extract_opens_alike_after_its_sections_have_changed)
{
    struct result_extract_open out;
    struct result_extract_issue first;

    scene_open(&scene);
    ck_assert_int_eq(issue(&scene.owner, SECTIONS_MASK), ST_OK);
    first = issued;
    bring_class();
    fixture_wait(&scene.fixture, 400);
    fixture_session(&scene.fixture, &scene.owner);
    ck_assert_int_eq(open_it(&scene.owner, first.number, &out), ST_OK);
    expect_commitments();
    scene_close(&scene);
}
END_TEST

/* A record of as many inspections as its table takes, with long words. */
static struct slice many_inspections(uint8_t *bytes, size_t size)
{
    static uint8_t list_bytes[BLOB_SIZE_MAX], words[512];
    union section_record record;
    struct list_reader reader;
    struct inspection inspection;
    struct writer list, writer;

    memset(words, 'a', sizeof words);
    records_fill(&scene.feeder.records, &record, SECTION_S09, scene.subject,
                 act_day(scene.fixture.state, scene.fixture.log_time));
    list_reader_init(&reader, &record.s09.inspections);
    ck_assert(list_reader_next(&reader, &schema_inspection, &inspection));
    inspection.body = slice_of(words, 256);
    inspection.ground = slice_of(words, 256);
    inspection.outcome_text = slice_of(words, 256);
    writer_init(&list, list_bytes, sizeof list_bytes);
    record.s09.inspections = list_begin(&list);
    for (int i = 0; i < 64; i++)
        list_add(&record.s09.inspections, &list, &schema_inspection,
                 &inspection);
    writer_init(&writer, bytes, size);
    schema_encode(&schema_record_s09, &writer, &record);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

START_TEST(an_extract_of_many_parts_opens_to_what_was_committed)
{
    static uint8_t bytes[BLOB_SIZE_MAX];
    struct result_extract_open out;

    scene_open(&scene);
    ck_assert_int_eq(feeder_begin(&scene.feeder, "big", false, SECTIONS_MASK),
                     ST_OK);
    ck_assert_int_eq(feeder_put(&scene.feeder, scene.subject, SECTION_S09,
                                many_inspections(bytes, sizeof bytes), NULL),
                     ST_OK);
    ck_assert_int_eq(feeder_commit(&scene.feeder, NULL), ST_OK);
    ck_assert_int_eq(issue(&scene.owner, SECTIONS_MASK), ST_OK);
    ck_assert_uint_gt(issued.commitments.count, 3);
    ck_assert_int_eq(open_it(&scene.owner, issued.number, &out), ST_OK);
    ck_assert_uint_gt(out.parts.count, 3);
    expect_commitments();
    ck_assert(text_has(" inspections list 64\n"));
    ck_assert(text_has(" inspections.64.body text aaa"));
    scene_close(&scene);
}
END_TEST

START_TEST(two_extracts_of_the_same_share_no_commitment)
{
    static uint8_t before[EXTRACT_FIELDS_MAX][HASH_SIZE];
    uint32_t count;

    scene_open(&scene);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_OK);
    count = hashes_count;
    memcpy(before, hashes, sizeof before);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_OK);
    ck_assert_uint_eq(issued.number, 2);
    ck_assert_uint_eq(hashes_count, count);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_ptr_null(
            bsearch(before[i], hashes, count, HASH_SIZE, compare));
    scene_close(&scene);
}
END_TEST

START_TEST(own_contacts_are_a_section_of_their_own)
{
    struct op_section_self_put in = {.section = SECTION_S05, .as_of = 20000};
    struct contact contact = {
        .kind = 3, .value = fixture_text("a@b.az"), .source = 2};
    struct result_extract_open out;
    union section_record record = {.s05 = {.has_extension = false}};

    scene_open(&scene);
    records_list(&scene.feeder.records, &record.s05.contacts, 0,
                 &schema_contact, &contact);
    in.record = records_encode(&scene.feeder.records, SECTION_S05, &record);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_SECTION_SELF_PUT, &in, scene.subject, 0,
                                 0, NULL),
                     ST_OK);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S05), ST_OK);
    ck_assert_int_eq(open_it(&scene.owner, issued.number, &out), ST_OK);
    expect_commitments();
    ck_assert(text_has("section S05 self 1 "));
    ck_assert(text_has(" contacts.1.value text a@b.az\n"));
    ck_assert(!text_has("none"));
    scene_close(&scene);
}
END_TEST

START_TEST(only_the_subject_s_persons_have_extracts)
{
    struct fixture_actor stranger, registrar;
    struct result_extract_open out;
    struct result_extract_list list;
    struct op_extract_list in = {.limit = 10};
    uint64_t number;

    scene_open(&scene);
    fixture_user(&scene.fixture, &stranger, "7654321");
    fixture_staff(&scene.fixture, &registrar, DUTY_REG);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_OK);
    number = issued.number;
    ck_assert_int_eq(issue(&stranger, SCENE_S06), ST_NOT_SELF);
    ck_assert_int_eq(issue(&registrar, SCENE_S06), ST_NO_DUTY);
    ck_assert_int_eq(open_it(&stranger, number, &out), ST_NOT_SELF);
    ck_assert_int_eq(open_it(&registrar, number, &out), ST_NO_DUTY);
    ck_assert_int_eq(open_it(&scene.owner, number + 1, &out), ST_NO_SUCH);
    ck_assert_int_eq(fixture_run(&scene.fixture, &stranger, OPCODE_EXTRACT_LIST,
                                 &in, scene.subject, 0, 0, &list),
                     ST_NOT_SELF);
    scene_close(&scene);
}
END_TEST

START_TEST(T_P_3_6_a_weak_key_gets_no_extract_and_the_subject_sees_the_try)
{
    struct row_key key = {0};
    struct row_access row;
    struct op_section_get get = {.sections = SCENE_S06};
    uint8_t digest[HASH_SIZE];

    scene_open(&scene);
    memcpy(key.key_id.b, scene.owner.identity.key_id, KEY_ID_SIZE);
    ck_assert(state_get(scene.fixture.state, TABLE_KEY, &key));
    key.level = 1;
    state_begin(scene.fixture.state);
    state_entry_begin(scene.fixture.state);
    state_update(scene.fixture.state, TABLE_KEY, &key);
    state_entry_end(scene.fixture.state, digest);
    state_commit(scene.fixture.state);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_SECTION_GET, &get, scene.subject, 0, 0,
                                 NULL),
                     ST_OK);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_LEVEL);
    fixture_accesses(&scene.fixture, &row, scene.subject);
    ck_assert_uint_eq(row.opcode, OPCODE_EXTRACT_ISSUE);
    ck_assert_uint_eq(row.code, ST_LEVEL);
    scene_close(&scene);
}
END_TEST

/* Nothing is asked of the subject but who he is: there is no fee to be paid,
 * and no field for one. */
START_TEST(T_R_1_8_an_extract_is_given_without_payment)
{
    const struct operation_info *operation =
        operation_info(OPCODE_EXTRACT_ISSUE);

    scene_open(&scene);
    ck_assert_uint_eq(operation->fields->fields_count, 1);
    ck_assert_str_eq(operation->fields->rows()[0].name, "sections");
    ck_assert_int_eq(issue(&scene.owner, SECTIONS_MASK), ST_OK);
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_destroyed_is_neither_issued_nor_opened)
{
    struct result_extract_open out;

    scene_open(&scene);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_OK);
    scene.fixture.erased = true;
    ck_assert_int_eq(open_it(&scene.owner, issued.number, &out), ST_ERASED);
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_ERASED);
    scene_close(&scene);
}
END_TEST

/* ---- Whether it still holds --------------------------------------------- */

START_TEST(T_R_6_2_2_a_holder_learns_what_has_changed_since)
{
    struct fixture_actor stranger;
    struct result_extract_verify out;
    struct row_access row;
    uint8_t root[HASH_SIZE];

    scene_open(&scene);
    fixture_user(&scene.fixture, &stranger, "7654321");
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06 | SCENE_S08 | SCENE_S12),
                     ST_OK);
    root_of(root);
    ck_assert_int_eq(
        verify(&stranger, scene.subject, issued.number, root, &out), ST_OK);
    ck_assert_uint_eq(out.sections, SCENE_S06 | SCENE_S08 | SCENE_S12);
    ck_assert_uint_eq(out.superseded, 0);
    /* The subject sees who looked. */
    fixture_accesses(&scene.fixture, &row, scene.subject);
    ck_assert_uint_eq(row.opcode, OPCODE_EXTRACT_VERIFY);
    ck_assert_uint_eq(row.sections, out.sections);
    bring_class();
    ck_assert_int_eq(
        verify(&stranger, scene.subject, issued.number, root, &out), ST_OK);
    ck_assert_uint_eq(out.superseded, SCENE_S06);
    scene_close(&scene);
}
END_TEST

START_TEST(who_holds_no_extract_learns_nothing)
{
    struct fixture_actor stranger;
    struct result_extract_verify out;
    uint8_t root[HASH_SIZE];

    scene_open(&scene);
    fixture_user(&scene.fixture, &stranger, "7654321");
    ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_OK);
    root_of(root);
    ck_assert_int_eq(
        verify(&stranger, scene.subject, issued.number + 1, root, &out),
        ST_NO_SUCH);
    ck_assert_int_eq(
        verify(&stranger, scene.subject + 10, issued.number, root, &out),
        ST_NO_SUCH);
    root[31] ^= 1;
    ck_assert_int_eq(
        verify(&stranger, scene.subject, issued.number, root, &out),
        ST_NO_SUCH);
    scene_close(&scene);
}
END_TEST

START_TEST(a_subject_lists_his_extracts_from_the_newest)
{
    struct op_extract_list in = {.limit = 2};
    struct result_extract_list out;
    struct list_reader reader;
    struct extract_row row;

    scene_open(&scene);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(issue(&scene.owner, SCENE_S06), ST_OK);
    bring_class();
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_EXTRACT_LIST, &in, scene.subject, 0, 0,
                                 &out),
                     ST_OK);
    ck_assert_uint_eq(out.next, 2);
    list_reader_init(&reader, &out.extracts);
    ck_assert(list_reader_next(&reader, &schema_extract_row, &row));
    ck_assert_uint_eq(row.number, 3);
    ck_assert_uint_eq(row.sections, SCENE_S06);
    ck_assert_uint_eq(row.superseded, SCENE_S06);
    in.before = out.next;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_EXTRACT_LIST, &in, scene.subject, 0, 0,
                                 &out),
                     ST_OK);
    ck_assert_uint_eq(out.next, 0);
    ck_assert_uint_eq(out.extracts.count, 1);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("extract",
           T_R_6_2_2_an_extract_commits_to_every_field_of_what_it_covers,
           an_extract_opens_alike_after_its_sections_have_changed,
           an_extract_of_many_parts_opens_to_what_was_committed,
           two_extracts_of_the_same_share_no_commitment,
           own_contacts_are_a_section_of_their_own,
           only_the_subject_s_persons_have_extracts,
           T_P_3_6_a_weak_key_gets_no_extract_and_the_subject_sees_the_try,
           T_R_1_8_an_extract_is_given_without_payment,
           what_was_destroyed_is_neither_issued_nor_opened,
           T_R_6_2_2_a_holder_learns_what_has_changed_since,
           who_holds_no_extract_learns_nothing,
           a_subject_lists_his_extracts_from_the_newest)
