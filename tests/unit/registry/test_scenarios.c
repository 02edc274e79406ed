/*
 * Courses of events through several operations, as the statutes tell them.
 */
#include <string.h>

#include "protocol/dates.h"
#include "server/registry/consent.h"
#include "tests/lib/centres.h"
#include "tests/lib/feeder.h"
#include "tests/lib/section_reader.h"
#include "tests/lib/suite.h"

#define LEGAL      UINT64_C(1400057421)
#define INDIVIDUAL UINT64_C(1000276532)

static struct fixture fixture;
static struct feeder feeder;
static struct fixture_actor user, asker, registrar;
static struct result_section_get out;
static struct version_row row;
static union section_record record;

static void begin(void)
{
    fixture_open(&fixture);
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    fixture_user(&fixture, &user, RECORDS_FIN);
    fixture_staff(&fixture, &registrar, DUTY_REG);
    fixture_participant(
        &fixture, &asker,
        fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0), DUTY_REQ);
    fixture_purpose(&fixture, READER_PURPOSE, SECTIONS_MASK, 0xffff);
}

static void end(void)
{
    fixture_close(&fixture);
}

static void good(uint8_t section, uint64_t subject)
{
    records_fill(&feeder.records, &record, section, subject,
                 act_day(fixture.state, fixture.log_time));
}

/* S01 of a legal person with one representative. */
static void bring_representative(uint64_t subject, const char *fin)
{
    struct representative person = {.surname = records_text("Quliyeva"),
                                    .given = records_text("Nigar"),
                                    .fin = records_text(fin),
                                    .from = 18000};

    good(SECTION_S01, subject);
    records_list(&feeder.records, &record.s01.representatives, 0,
                 &schema_representative, &person);
    feeder_bring(&feeder, subject, SECTION_S01, &record);
}

static void bring_class(uint64_t subject, enum size_class size_class)
{
    good(SECTION_S06, subject);
    record.s06.class = (uint8_t)size_class;
    feeder_bring(&feeder, subject, SECTION_S06, &record);
}

static uint32_t ask_and_grant(uint64_t subject, uint16_t sections)
{
    struct op_consent_ask ask = {.sections = sections,
                                 .file_number = fixture_text("F-1"),
                                 .operations = CONSENT_VIEW,
                                 .until =
                                     fixture.log_time + INT64_C(86400000000)};
    struct op_consent_grant give = {.sections = sections,
                                    .uses_max = 9,
                                    .until = ask.until,
                                    .operations = CONSENT_VIEW,
                                    .after_use = 1,
                                    .revocation = fixture_text("yoxdur")};
    struct result_consent_ask asked;

    ck_assert_int_eq(fixture_run(&fixture, &asker, OPCODE_CONSENT_ASK, &ask,
                                 subject, READER_PURPOSE, asker.duty, &asked),
                     ST_OK);
    give.consent = asked.consent;
    fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_CONSENT_GRANT, &give,
                                 subject, 0, 0, NULL),
                     ST_OK);
    return asked.consent;
}

static enum status ask_to_read(uint64_t subject, uint32_t consent)
{
    struct op_consent_read in = {.consent = consent,
                                 .sections = SECTION_BIT(SECTION_S06),
                                 .file_number = fixture_text("F-1")};

    return fixture_run(&fixture, &asker, OPCODE_CONSENT_READ, &in, subject,
                       READER_PURPOSE, asker.duty, NULL);
}

START_TEST(scenario_1_a_new_entrepreneur_arrives_and_reads_his_cabinet)
{
    struct result_feed_commit committed;
    struct subject subject;

    begin();
    ck_assert_int_eq(
        section_reader_own(&fixture, &user, INDIVIDUAL, SECTIONS_MASK, &out),
        ST_NOT_SELF);
    ck_assert_int_eq(feeder_begin(&feeder, "day-1", false, SECTIONS_MASK),
                     ST_OK);
    for (uint8_t section = 1; section <= 12; section++) {
        good(section, INDIVIDUAL);
        ck_assert_int_eq(
            feeder_put_record(&feeder, INDIVIDUAL, section, &record), ST_OK);
    }
    ck_assert_int_eq(feeder_commit(&feeder, &committed), ST_OK);
    ck_assert_uint_eq(committed.committed, 12);
    ck_assert(subject_load(&fixture.act, &subject, INDIVIDUAL));
    ck_assert_uint_eq(subject.row.kind, SUBJECT_INDIVIDUAL);
    ck_assert_uint_eq(subject.row.cabinet, 1);
    /* By his personal number in S01 he is himself. */
    ck_assert_int_eq(
        section_reader_own(&fixture, &user, INDIVIDUAL, 0xfff, &out), ST_OK);
    ck_assert_uint_eq(out.versions.count, 12);
    for (uint8_t section = 1; section <= 12; section++)
        ck_assert(section_reader_find(&out.versions, section, 0, &row, NULL));
    end();
}
END_TEST

/* P-6.1.4, R-8.2.5 */
START_TEST(scenario_6_the_primary_dies_and_both_realms_go_on_by_their_rules)
{
    static struct centres centres;
    struct fixture *at = &centres.fixture;
    struct op_failover_request ask;
    struct result_section_get got;
    struct row_downtime down;
    int64_t last;

    centres_open(&centres);
    fixture_staff(at, &registrar, DUTY_REG);
    fixture_purpose(at, READER_PURPOSE, SECTIONS_MASK, 0xffff);
    fixture_subject(at, LEGAL, SUBJECT_LEGAL);
    ck_assert_int_eq(
        section_reader_other(at, &registrar, LEGAL, SECTIONS_MASK, 0, &got),
        ST_OK);
    last = state_head(at->state)->log_time;
    centres_takes_over(&centres, &centres.backup, 75);
    /* Participants and coordinating bodies are told, P goes on. */
    ck_assert_uint_eq(centres_enter_owed(&centres), 2);
    ck_assert_uint_eq(centres_notices(&centres, NULL,
                                      centres.supplier.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    ck_assert_uint_eq(centres_notices(&centres, NULL,
                                      centres.portal.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    down = centres_downtime(&centres, 1);
    ck_assert_int_eq(down.from, last);
    ck_assert_int_eq(down.to - down.from, 75 * DATES_US_PER_SECOND);
    /* The registry is refused until its body lets it. */
    ck_assert_int_eq(
        section_reader_other(at, &registrar, LEGAL, SECTIONS_MASK, 0, &got),
        ST_WRONG_STATE);
    ask = centres_order(&centres, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 2);
    ck_assert_int_eq(centres_ask(&centres, &centres.operator, & ask), ST_OK);
    ck_assert_int_eq(centres_ask(&centres, &centres.head, &ask), ST_OK);
    ck_assert_int_eq(centres_approve(&centres, &centres.registry, 1), ST_OK);
    ck_assert_uint_eq(centres_enter_owed(&centres), 1);
    /* Nothing that stood in the log is lost. */
    ck_assert_int_eq(
        section_reader_other(at, &registrar, LEGAL, SECTIONS_MASK, 0, &got),
        ST_OK);
    ck_assert_uint_eq(centres_incident(&centres, 1).state, INCIDENT_RESTORED);
    centres_close(&centres);
}
END_TEST

/* T-R-5.1.1 */
START_TEST(scenario_13_a_dismissed_representative_loses_the_cabinet_at_once)
{
    struct op_section_history in = {.section = SECTION_S01, .limit = 9};
    struct result_section_history history;
    struct fixture_actor successor;
    uint32_t consent;

    begin();
    fixture_user(&fixture, &successor, "7XYZ123");
    bring_representative(LEGAL, RECORDS_FIN);
    bring_class(LEGAL, CLASS_MICRO);
    ck_assert_int_eq(section_reader_own(&fixture, &user, LEGAL, 1, &out),
                     ST_OK);
    ck_assert_int_eq(section_reader_own(&fixture, &successor, LEGAL, 1, &out),
                     ST_NOT_SELF);
    consent = ask_and_grant(LEGAL, SECTION_BIT(SECTION_S06));
    bring_representative(LEGAL, "7XYZ123");
    /* The session is open still, and gives him nothing. */
    ck_assert_int_eq(section_reader_own(&fixture, &user, LEGAL, 1, &out),
                     ST_NOT_SELF);
    ck_assert_int_eq(section_reader_own(&fixture, &successor, LEGAL, 1, &out),
                     ST_OK);
    /* What he granted while he might stays as given. */
    ck_assert_int_eq(ask_to_read(LEGAL, consent), ST_OK);
    /* Who was the representative before is in the history. */
    ck_assert_int_eq(fixture_run(&fixture, &successor, OPCODE_SECTION_HISTORY,
                                 &in, LEGAL, 0, 0, &history),
                     ST_OK);
    ck_assert_uint_eq(history.versions.count, 2);
    end();
}
END_TEST

START_TEST(T_R_5_1_1_several_representatives_act_in_their_terms)
{
    struct representative former = {.surname = records_text("Quliyeva"),
                                    .given = records_text("Nigar"),
                                    .fin = records_text(RECORDS_FIN),
                                    .from = 18000,
                                    .to = 20000};
    struct representative current = {.surname = records_text("Quliyev"),
                                     .given = records_text("Fuad"),
                                     .fin = records_text("7XYZ123"),
                                     .from = 20001};
    struct fixture_actor other;

    begin();
    fixture_user(&fixture, &other, "7XYZ123");
    good(SECTION_S01, LEGAL);
    records_list(&feeder.records, &record.s01.representatives, 0,
                 &schema_representative, &former);
    list_add(&record.s01.representatives, &feeder.records.lists[0],
             &schema_representative, &current);
    feeder_bring(&feeder, LEGAL, SECTION_S01, &record);
    ck_assert_int_eq(section_reader_own(&fixture, &user, LEGAL, 1, &out),
                     ST_NOT_SELF);
    ck_assert_int_eq(section_reader_own(&fixture, &other, LEGAL, 1, &out),
                     ST_OK);
    ck_assert(
        section_reader_find(&out.versions, SECTION_S01, 0, &row, &record));
    ck_assert_uint_eq(record.s01.representatives.count, 2);
    end();
}
END_TEST

/* T-P-2.1.8 */
START_TEST(scenario_15_what_a_newer_client_adds_is_kept_byte_for_byte)
{
    struct extension first = {.id = 7, .value = records_text("yeni sahə")};
    struct extension second = {.id = 700, .value = slice_of("\0\xff\1", 3)};
    uint8_t put[RECORDS_SIZE_MAX];
    struct slice bytes;
    size_t size;

    begin();
    bring_representative(LEGAL, RECORDS_FIN);
    good(SECTION_S08, LEGAL);
    record.s08.has_extension = true;
    records_list(&feeder.records, &record.s08.extension, 1, &schema_extension,
                 &first);
    list_add(&record.s08.extension, &feeder.records.lists[1], &schema_extension,
             &second);
    bytes = records_encode(&feeder.records, SECTION_S08, &record);
    size = bytes.size;
    memcpy(put, bytes.data, size);
    feeder_bring(&feeder, LEGAL, SECTION_S08, &record);
    ck_assert_int_eq(section_reader_own(&fixture, &user, LEGAL,
                                        SECTION_BIT(SECTION_S08), &out),
                     ST_OK);
    ck_assert(
        section_reader_find(&out.versions, SECTION_S08, 0, &row, &record));
    ck_assert_uint_eq(row.record.size, size);
    ck_assert_mem_eq(row.record.data, put, size);
    /* Who knows no extensions reads the rest. */
    ck_assert(slice_equal(record.s08.main_code, records_text("5610101")));
    end();
}
END_TEST

/* T-R-1.2 */
START_TEST(scenario_18_large_is_out_of_scope_and_medium_is_back)
{
    uint32_t before, after;

    begin();
    bring_representative(LEGAL, RECORDS_FIN);
    bring_class(LEGAL, CLASS_MEDIUM);
    before = ask_and_grant(LEGAL, SECTION_BIT(SECTION_S06));
    ck_assert_int_eq(ask_to_read(LEGAL, before), ST_OK);
    bring_class(LEGAL, CLASS_LARGE);
    /* Others read nothing any more; the subject reads on. */
    ck_assert_int_eq(ask_to_read(LEGAL, before), ST_NO_GRANT);
    ck_assert_int_eq(section_reader_other(&fixture, &registrar, LEGAL,
                                          SECTIONS_MASK, 0, &out),
                     ST_OUT_OF_SCOPE);
    ck_assert_int_eq(
        section_reader_own(&fixture, &feeder.actor, LEGAL, SECTIONS_MASK, &out),
        ST_OUT_OF_SCOPE);
    ck_assert_int_eq(
        section_reader_own(&fixture, &user, LEGAL, SECTIONS_MASK, &out), ST_OK);
    ck_assert_uint_eq(out.versions.count, 2);
    bring_class(LEGAL, CLASS_MEDIUM);
    /* The same record with its history; grants are asked for anew. */
    ck_assert_int_eq(section_reader_other(&fixture, &registrar, LEGAL,
                                          SECTION_BIT(SECTION_S06), 0, &out),
                     ST_OK);
    ck_assert(section_reader_find(&out.versions, SECTION_S06, 0, &row, NULL));
    ck_assert_uint_eq(row.version, 3);
    ck_assert_int_eq(ask_to_read(LEGAL, before), ST_NO_GRANT);
    after = ask_and_grant(LEGAL, SECTION_BIT(SECTION_S06));
    ck_assert_int_eq(ask_to_read(LEGAL, after), ST_OK);
    end();
}
END_TEST

SUITE_MAIN("scenarios",
           scenario_1_a_new_entrepreneur_arrives_and_reads_his_cabinet,
           scenario_6_the_primary_dies_and_both_realms_go_on_by_their_rules,
           scenario_13_a_dismissed_representative_loses_the_cabinet_at_once,
           T_R_5_1_1_several_representatives_act_in_their_terms,
           scenario_15_what_a_newer_client_adds_is_kept_byte_for_byte,
           scenario_18_large_is_out_of_scope_and_medium_is_back)
