#include "server/registry/subject.h"

#include <string.h>

#include "server/registry/consent.h"
#include "server/registry/version.h"
#include "server/store/search.h"
#include "tests/lib/feeder.h"
#include "tests/lib/suite.h"

#define LEGAL      UINT64_C(1400057421)
#define INDIVIDUAL UINT64_C(1000276532)
#define MISMATCHED UINT64_C(1401555081)

enum { PURPOSE = 7 };

static struct fixture fixture;
static struct fixture_actor registrar;

static void begin(void)
{
    fixture_open(&fixture);
    fixture_staff(&fixture, &registrar, DUTY_REG);
    fixture_purpose(&fixture, PURPOSE, SECTIONS_MASK, 0xffff);
}

static void end(void)
{
    fixture_close(&fixture);
}

static enum status open_by(const struct fixture_actor *actor, uint64_t voen,
                           uint8_t kind)
{
    struct op_subject_open in = {.kind = kind, .opened = 19000};

    return fixture_run(&fixture, actor, OPCODE_SUBJECT_OPEN, &in, voen, 0,
                       actor->duty, NULL);
}

static enum status close_by(const struct fixture_actor *actor, uint64_t voen,
                            int32_t day, uint8_t basis)
{
    struct op_subject_close in = {.closed = day,
                                  .basis = fixture_digest(basis)};

    return fixture_run(&fixture, actor, OPCODE_SUBJECT_CLOSE, &in, voen, 0,
                       actor->duty, NULL);
}

static enum status head_by(const struct fixture_actor *actor, uint64_t voen,
                           uint32_t purpose, const char *file,
                           struct result_subject_head *out)
{
    struct op_subject_head in = {.file_number = fixture_text(file)};

    return fixture_run(&fixture, actor, OPCODE_SUBJECT_HEAD, &in, voen, purpose,
                       actor->duty, out);
}

START_TEST(subject_open_makes_a_subject_and_its_cabinet_in_one_entry)
{
    struct result_subject_head out;

    begin();
    ck_assert_int_eq(open_by(&registrar, LEGAL, SUBJECT_LEGAL), ST_OK);
    ck_assert_int_eq(open_by(&registrar, INDIVIDUAL, SUBJECT_INDIVIDUAL),
                     ST_OK);
    ck_assert_int_eq(head_by(&registrar, INDIVIDUAL, PURPOSE, "F-1", &out),
                     ST_OK);
    ck_assert_uint_eq(out.kind, SUBJECT_INDIVIDUAL);
    ck_assert_uint_eq(out.state, SUBJECT_ACTIVE);
    ck_assert_int_eq(out.opened, 19000);
    ck_assert_int_eq(out.closed, 0);
    ck_assert_uint_eq(out.cabinet, 2);
    ck_assert_uint_eq(out.heads.count, 0);
    end();
}
END_TEST

START_TEST(subject_open_refuses_what_is_there_and_what_cannot_be)
{
    begin();
    ck_assert_int_eq(open_by(&registrar, LEGAL, SUBJECT_INDIVIDUAL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(open_by(&registrar, LEGAL + 3, SUBJECT_LEGAL),
                     ST_BAD_VOEN);
    ck_assert_int_eq(open_by(&registrar, LEGAL, SUBJECT_LEGAL), ST_OK);
    ck_assert_int_eq(open_by(&registrar, LEGAL, SUBJECT_LEGAL), ST_EXISTS);
    fixture.expect_version = 1;
    ck_assert_int_eq(open_by(&registrar, INDIVIDUAL, SUBJECT_INDIVIDUAL),
                     ST_NO_SUCH);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_SUBJECT), 1);
    end();
}
END_TEST

START_TEST(subject_open_takes_a_wrong_check_digit_only_where_it_is_set_so)
{
    struct op_config_change set = {.setting = SETTING_voen_strict,
                                   .value = 0,
                                   .note = fixture_text("köhnə nömrələr"),
                                   .basis = fixture_digest(1)};
    struct fixture_actor head;

    begin();
    ck_assert_int_eq(open_by(&registrar, MISMATCHED, SUBJECT_LEGAL),
                     ST_BAD_VOEN);
    fixture_staff(&fixture, &head, DUTY_DIR);
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &set, 0,
                                 0, head.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(open_by(&registrar, MISMATCHED, SUBJECT_LEGAL), ST_OK);
    end();
}
END_TEST

START_TEST(subject_open_by_a_body_needs_the_authority_over_numbers)
{
    struct fixture_actor tax, other;

    begin();
    fixture_participant(&fixture, &tax,
                        fixture_organisation(&fixture,
                                             ORGANISATION_BODY_WITH_SYSTEM,
                                             SECTION_BIT(SECTION_S03)),
                        DUTY_SUP);
    fixture_participant(&fixture, &other,
                        fixture_organisation(&fixture,
                                             ORGANISATION_BODY_WITH_SYSTEM,
                                             SECTION_BIT(SECTION_S07)),
                        DUTY_SUP);
    ck_assert_int_eq(open_by(&other, LEGAL, SUBJECT_LEGAL), ST_NOT_AUTHORITY);
    ck_assert_int_eq(open_by(&tax, LEGAL, SUBJECT_LEGAL), ST_OK);
    ck_assert_int_eq(close_by(&other, LEGAL, 20000, 1), ST_NOT_AUTHORITY);
    end();
}
END_TEST

START_TEST(subject_close_keeps_everything_and_rests_on_a_document)
{
    struct result_subject_head out;
    struct feeder feeder;

    begin();
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    feeder_bring_good(&feeder, LEGAL, SECTION_S08);
    ck_assert_int_eq(close_by(&registrar, LEGAL, 20100, 0), ST_NO_BASIS);
    ck_assert_int_eq(close_by(&registrar, INDIVIDUAL, 20100, 1), ST_NO_SUCH);
    ck_assert_int_eq(close_by(&registrar, LEGAL, 19999, 1), ST_BAD_FIELD);
    ck_assert_int_eq(close_by(&registrar, LEGAL, 20100, 1), ST_OK);
    ck_assert_int_eq(close_by(&registrar, LEGAL, 20100, 1), ST_WRONG_STATE);
    ck_assert_int_eq(head_by(&registrar, LEGAL, PURPOSE, "F-1", &out), ST_OK);
    ck_assert_uint_eq(out.state, SUBJECT_CLOSED);
    ck_assert_int_eq(out.closed, 20100);
    ck_assert_uint_eq(out.heads.count, 1);
    end();
}
END_TEST

START_TEST(subject_close_ends_what_the_subject_granted)
{
    struct op_consent_ask ask = {.sections = SECTION_BIT(SECTION_S08),
                                 .file_number = fixture_text("Q-1"),
                                 .operations = CONSENT_VIEW,
                                 .until = FIXTURE_TIME + INT64_C(86400000000)};
    struct op_consent_grant grant = {.sections = ask.sections,
                                     .uses_max = 5,
                                     .until = ask.until,
                                     .operations = CONSENT_VIEW,
                                     .after_use = 1,
                                     .revocation =
                                         fixture_text("istənilən vaxt")};
    struct op_consent_read read = {.sections = ask.sections,
                                   .file_number = ask.file_number};
    struct result_consent_ask asked;
    struct fixture_actor bank, owner;

    begin();
    ck_assert_int_eq(open_by(&registrar, LEGAL, SUBJECT_LEGAL), ST_OK);
    fixture_participant(
        &fixture, &bank,
        fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0), DUTY_REQ);
    fixture_user(&fixture, &owner, "5ABCDE7");
    fixture_represent(&fixture, LEGAL, &owner);
    ck_assert_int_eq(fixture_run(&fixture, &bank, OPCODE_CONSENT_ASK, &ask,
                                 LEGAL, PURPOSE, bank.duty, &asked),
                     ST_OK);
    grant.consent = asked.consent;
    fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&fixture, &owner, OPCODE_CONSENT_GRANT, &grant,
                                 LEGAL, 0, 0, NULL),
                     ST_OK);
    read.consent = asked.consent;
    ck_assert_int_eq(fixture_run(&fixture, &bank, OPCODE_CONSENT_READ, &read,
                                 LEGAL, PURPOSE, bank.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(close_by(&registrar, LEGAL, 20100, 1), ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &bank, OPCODE_CONSENT_READ, &read,
                                 LEGAL, PURPOSE, bank.duty, NULL),
                     ST_NO_GRANT);
    end();
}
END_TEST

START_TEST(subject_head_tells_staff_nothing_without_purpose_and_file)
{
    struct result_subject_head out;

    begin();
    ck_assert_int_eq(open_by(&registrar, LEGAL, SUBJECT_LEGAL), ST_OK);
    ck_assert_int_eq(head_by(&registrar, LEGAL, 0, "F-1", &out), ST_NO_PURPOSE);
    ck_assert_int_eq(head_by(&registrar, LEGAL, PURPOSE, "", &out),
                     ST_NO_PURPOSE);
    ck_assert_int_eq(head_by(&registrar, LEGAL, PURPOSE + 1, "F-1", &out),
                     ST_NO_PURPOSE);
    ck_assert_int_eq(head_by(&registrar, INDIVIDUAL, PURPOSE, "F-1", &out),
                     ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(T_P_5_1_2_a_head_shows_ten_of_twelve_sections)
{
    struct result_subject_head out;
    struct head_row head;
    struct list_reader reader;
    struct feeder feeder;
    uint8_t section = 0;

    begin();
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    for (uint8_t i = 1; i <= 10; i++)
        feeder_bring_good(&feeder, LEGAL, i);
    ck_assert_int_eq(head_by(&registrar, LEGAL, PURPOSE, "F-1", &out), ST_OK);
    ck_assert_uint_eq(out.heads.count, 10);
    list_reader_init(&reader, &out.heads);
    while (list_reader_next(&reader, &schema_head_row, &head)) {
        ck_assert_uint_eq(head.section, ++section);
        ck_assert_uint_eq(head.version, 1);
        ck_assert_uint_eq(head.provider, feeder.actor.organisation);
        ck_assert_int_eq(head.as_of, 20000);
    }
    end();
}
END_TEST

static size_t found(const struct search *search, const char *word)
{
    struct search_query query = {.text = fixture_text(word), .limit = 9};
    uint64_t subjects[9];
    size_t count = 0;

    ck_assert_int_eq(search_find(search, subjects, &count, &query), ST_OK);
    return count;
}

START_TEST(subject_is_found_by_its_current_names_after_a_start_too)
{
    union section_record record;
    struct feeder feeder;
    struct search *rebuilt;

    begin();
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    feeder_bring_good(&feeder, INDIVIDUAL, SECTION_S01);
    ck_assert_uint_eq(found(fixture.services.search, "aliyev"), 0);
    ck_assert_uint_eq(found(fixture.services.search, "Əliyev"), 1);
    records_fill(&feeder.records, &record, SECTION_S01, INDIVIDUAL, 20000);
    record.s01.surname = fixture_text("Quliyev");
    feeder_bring(&feeder, INDIVIDUAL, SECTION_S01, &record);
    feeder_bring_good(&feeder, LEGAL, SECTION_S01);
    ck_assert_uint_eq(found(fixture.services.search, "Əliyev"), 0);
    rebuilt = search_open();
    search_close(fixture.services.search);
    fixture.services.search = rebuilt;
    version_index_all(&fixture.act);
    ck_assert_uint_eq(search_count(rebuilt), 2);
    ck_assert_uint_eq(found(rebuilt, "Əliyev"), 0);
    ck_assert_uint_eq(found(rebuilt, "Quliyev Çingiz"), 1);
    ck_assert_uint_eq(found(rebuilt, "ÜLKƏR"), 1);
    end();
}
END_TEST

SUITE_MAIN("subject", subject_open_makes_a_subject_and_its_cabinet_in_one_entry,
           subject_open_refuses_what_is_there_and_what_cannot_be,
           subject_open_takes_a_wrong_check_digit_only_where_it_is_set_so,
           subject_open_by_a_body_needs_the_authority_over_numbers,
           subject_close_keeps_everything_and_rests_on_a_document,
           subject_close_ends_what_the_subject_granted,
           subject_head_tells_staff_nothing_without_purpose_and_file,
           T_P_5_1_2_a_head_shows_ten_of_twelve_sections,
           subject_is_found_by_its_current_names_after_a_start_too)
