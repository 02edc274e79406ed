#include "server/registry/section.h"

#include <string.h>

#include "server/registry/consent.h"
#include "tests/lib/feeder.h"
#include "tests/lib/section_reader.h"
#include "tests/lib/suite.h"

#define LEGAL      UINT64_C(1400057421)
#define INDIVIDUAL UINT64_C(1000276532)
#define NOBODY     UINT64_C(9900003611)
#define FIN        "5ABCDE7"

static struct fixture fixture;
static struct feeder feeder;
static struct fixture_actor user, registrar;
static struct result_section_get out;
static struct version_row row;
static union section_record record;

static void begin(void)
{
    fixture_open(&fixture);
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    fixture_user(&fixture, &user, FIN);
    fixture_staff(&fixture, &registrar, DUTY_REG);
    fixture_purpose(&fixture, READER_PURPOSE, SECTIONS_MASK, 0xffff);
}

static void end(void)
{
    fixture_close(&fixture);
}

/* The fixture's user holds the cabinet of a subject with all its sections. */
static void bring_all(uint64_t subject)
{
    for (uint8_t i = 1; i <= SECTIONS_COUNT; i++)
        feeder_bring_good(&feeder, subject, i);
    fixture_represent(&fixture, subject, &user);
}

static void read_own(uint64_t subject, uint16_t sections)
{
    ck_assert_int_eq(
        section_reader_own(&fixture, &user, subject, sections, &out), ST_OK);
}

static void find(uint8_t section)
{
    ck_assert(section_reader_find(&out.versions, section, 0, &row, &record));
    /* P-3.3.5: each with its source and date. */
    ck_assert_uint_eq(row.provider, feeder.actor.organisation);
    ck_assert_int_eq(row.as_of, 20000);
    ck_assert_uint_eq(row.path, PATH_EHIS);
    ck_assert_uint_eq(row.state, VERSION_CURRENT);
    ck_assert(slice_equal(row.provider_record, fixture_text("P-1")));
}

/* T-P-3.3.5.1 to T-P-3.3.5.5: for both kinds of subjects. */
static void check_common(uint64_t subject)
{
    struct list_reader reader;
    struct licence licence;
    struct contact contact;

    begin();
    bring_all(subject);
    read_own(subject, SECTIONS_MASK);
    ck_assert_uint_eq(out.versions.count, SECTIONS_COUNT);
    find(SECTION_S03);
    ck_assert_uint_eq(record.s03.number, subject);
    find(SECTION_S08);
    ck_assert(slice_equal(record.s08.main_code, fixture_text("5610101")));
    find(SECTION_S07);
    list_reader_init(&reader, &record.s07.licences);
    ck_assert(list_reader_next(&reader, &schema_licence, &licence));
    ck_assert(slice_equal(licence.number, fixture_text("L-1")));
    find(SECTION_S06);
    ck_assert_uint_eq(record.s06.class, CLASS_MICRO);
    find(SECTION_S05);
    list_reader_init(&reader, &record.s05.contacts);
    ck_assert(list_reader_next(&reader, &schema_contact, &contact));
    ck_assert(slice_equal(contact.value, fixture_text("+994501234567")));
    end();
}

START_TEST(T_P_3_3_5_1_to_5_number_activity_licences_class_and_contacts)
{
    check_common(LEGAL);
    check_common(INDIVIDUAL);
}
END_TEST

START_TEST(T_P_3_3_5_6_a_natural_person_has_a_name_and_an_address)
{
    struct list_reader reader;
    struct address address;

    begin();
    bring_all(INDIVIDUAL);
    read_own(INDIVIDUAL, SECTION_BIT(SECTION_S01) | SECTION_BIT(SECTION_S02));
    find(SECTION_S01);
    ck_assert(slice_equal(record.s01.surname, fixture_text("Əliyev")));
    ck_assert(slice_equal(record.s01.given, fixture_text("Çingiz")));
    ck_assert(slice_equal(record.s01.patronymic, fixture_text("Həsən")));
    ck_assert_uint_eq(record.s01.full_name.size, 0);
    find(SECTION_S02);
    list_reader_init(&reader, &record.s02.addresses);
    ck_assert(list_reader_next(&reader, &schema_address, &address));
    ck_assert_uint_eq(address.kind, 2);
    end();
}
END_TEST

START_TEST(T_P_3_3_5_7_a_legal_person_has_its_name_seat_and_registration)
{
    begin();
    bring_all(LEGAL);
    read_own(LEGAL, SECTION_BIT(SECTION_S01) | SECTION_BIT(SECTION_S02) |
                        SECTION_BIT(SECTION_S04));
    ck_assert_uint_eq(out.versions.count, 3);
    find(SECTION_S01);
    ck_assert(slice_equal(record.s01.full_name, fixture_text("“Ülkər” MMC")));
    ck_assert_uint_eq(record.s01.surname.size, 0);
    find(SECTION_S04);
    ck_assert_uint_eq(record.s04.legal_form, 10);
    ck_assert_uint_eq(record.s04.ownership, 2);
    ck_assert(slice_equal(record.s04.certificate, fixture_text("C-1")));
    ck_assert_int_gt(record.s04.issued, 0);
    end();
}
END_TEST

/* T-R-6.1: what was committed is what is read. */
START_TEST(T_R_6_1_a_read_after_a_commit_gives_the_new_version)
{
    begin();
    bring_all(LEGAL);
    for (uint16_t employees = 1; employees <= 5; employees++) {
        records_fill(&feeder.records, &record, SECTION_S06, LEGAL, 20000);
        record.s06.employees = employees;
        feeder_bring(&feeder, LEGAL, SECTION_S06, &record);
        read_own(LEGAL, SECTION_BIT(SECTION_S06));
        find(SECTION_S06);
        ck_assert_uint_eq(row.version, employees + 1);
        ck_assert_uint_eq(record.s06.employees, employees);
    }
    end();
}
END_TEST

/* T-P-3.4.6 */
START_TEST(T_P_3_4_6_an_unchanged_section_is_not_sent_again)
{
    struct op_section_get in = {.sections = SECTION_BIT(SECTION_S06),
                                .if_version = 1};

    begin();
    bring_all(LEGAL);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_GET, &in,
                                 LEGAL, 0, 0, NULL),
                     ST_NOT_MODIFIED);
    ck_assert_uint_eq(fixture.result.size, 0);
    feeder_bring_good(&feeder, LEGAL, SECTION_S06);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_GET, &in,
                                 LEGAL, 0, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.versions.count, 1);
    in.sections |= SECTION_BIT(SECTION_S01);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_GET, &in,
                                 LEGAL, 0, 0, NULL),
                     ST_BAD_FIELD);
    end();
}
END_TEST

/* T-R-10.1.2: no oracle. */
START_TEST(T_R_10_1_2_a_stranger_learns_nothing_not_even_who_exists)
{
    struct op_section_history history = {.section = SECTION_S01, .limit = 1};
    struct op_subject_head head = {0};
    static const uint64_t subjects[] = {LEGAL, NOBODY};

    begin();
    feeder_bring_good(&feeder, LEGAL, SECTION_S01);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(section_reader_own(&fixture, &user, subjects[i],
                                            SECTIONS_MASK, &out),
                         ST_NOT_SELF);
        ck_assert_uint_eq(fixture.result.size, 0);
        ck_assert_int_eq(section_reader_other(&fixture, &user, subjects[i],
                                              SECTIONS_MASK, 1, &out),
                         ST_NO_GRANT);
        ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_HISTORY,
                                     &history, subjects[i], 0, 0, NULL),
                         ST_NOT_SELF);
        ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SUBJECT_HEAD,
                                     &head, subjects[i], 0, 0, NULL),
                         ST_NOT_SELF);
    }
    /* And the subject sees who tried. */
    ck_assert_uint_eq(fixture_accesses(&fixture, NULL, LEGAL), 4);
    end();
}
END_TEST

START_TEST(section_get_gives_of_a_mask_what_is_there)
{
    begin();
    feeder_bring_good(&feeder, LEGAL, SECTION_S03);
    feeder_bring_good(&feeder, LEGAL, SECTION_S08);
    fixture_represent(&fixture, LEGAL, &user);
    read_own(LEGAL, SECTIONS_MASK);
    ck_assert_uint_eq(out.versions.count, 2);
    read_own(LEGAL, SECTION_BIT(SECTION_S10));
    ck_assert_uint_eq(out.versions.count, 0);
    fixture.expect_version = 1;
    ck_assert_int_eq(
        section_reader_own(&fixture, &user, LEGAL, SECTIONS_MASK, &out),
        ST_BAD_FIELD);
    end();
}
END_TEST

START_TEST(section_get_by_staff_needs_a_purpose_and_a_file)
{
    struct op_section_get in = {.sections = SECTIONS_MASK};

    begin();
    bring_all(LEGAL);
    ck_assert_int_eq(
        section_reader_own(&fixture, &registrar, LEGAL, SECTIONS_MASK, &out),
        ST_NO_PURPOSE);
    ck_assert_int_eq(fixture_run(&fixture, &registrar, OPCODE_SECTION_GET, &in,
                                 LEGAL, READER_PURPOSE, registrar.duty, &out),
                     ST_NO_PURPOSE);
    ck_assert_int_eq(section_reader_other(&fixture, &registrar, LEGAL,
                                          SECTIONS_MASK, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.versions.count, SECTIONS_COUNT);
    ck_assert_int_eq(section_reader_other(&fixture, &registrar, NOBODY,
                                          SECTIONS_MASK, 0, &out),
                     ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(section_get_by_a_supplier_gives_what_it_supplied)
{
    struct feeder other;

    begin();
    feeder_open(&other, &fixture, SECTIONS_MASK);
    feeder_bring_good(&feeder, LEGAL, SECTION_S03);
    feeder_bring_good(&feeder, LEGAL, SECTION_S07);
    feeder_bring_good(&other, LEGAL, SECTION_S08);
    ck_assert_int_eq(
        section_reader_own(&fixture, &feeder.actor, LEGAL, SECTIONS_MASK, &out),
        ST_OK);
    ck_assert_uint_eq(out.versions.count, 2);
    ck_assert(!section_reader_find(&out.versions, SECTION_S08, 0, &row, NULL));
    /* Nothing of its own looks like nobody at all. */
    ck_assert_int_eq(section_reader_own(&fixture, &other.actor, LEGAL,
                                        SECTION_BIT(SECTION_S03), &out),
                     ST_NO_SUCH);
    ck_assert_int_eq(section_reader_own(&fixture, &other.actor, NOBODY,
                                        SECTION_BIT(SECTION_S03), &out),
                     ST_NO_SUCH);
    end();
}
END_TEST

/* T-R-10.1.2: what is out of scope is nobody's, too, to a body that supplied
 * nothing of it. */
START_TEST(T_R_10_1_2_a_supplier_does_not_learn_who_is_out_of_scope)
{
    struct op_section_history history = {.section = SECTION_S03, .limit = 1};
    struct feeder other;
    static const uint64_t subjects[] = {LEGAL, NOBODY};

    begin();
    feeder_open(&other, &fixture, SECTIONS_MASK);
    feeder_bring_good(&feeder, LEGAL, SECTION_S03);
    fixture_subject_state(&fixture, LEGAL, SUBJECT_OUT_OF_SCOPE);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(section_reader_own(&fixture, &other.actor, subjects[i],
                                            SECTION_BIT(SECTION_S03), &out),
                         ST_NO_SUCH);
        ck_assert_int_eq(fixture_run(&fixture, &other.actor,
                                     OPCODE_SECTION_HISTORY, &history,
                                     subjects[i], 0, other.actor.duty, NULL),
                         ST_NO_SUCH);
    }
    end();
}
END_TEST

static uint32_t grant(const struct fixture_actor *asker, uint16_t sections,
                      uint16_t uses)
{
    struct op_consent_ask ask = {.sections = sections,
                                 .file_number = fixture_text("F-1"),
                                 .operations = CONSENT_VIEW,
                                 .until = FIXTURE_TIME + INT64_C(86400000000)};
    struct op_consent_grant give = {.sections = sections,
                                    .uses_max = uses,
                                    .until = ask.until,
                                    .operations = CONSENT_VIEW,
                                    .after_use = 1,
                                    .revocation = fixture_text("yoxdur")};
    struct result_consent_ask asked;

    ck_assert_int_eq(fixture_run(&fixture, asker, OPCODE_CONSENT_ASK, &ask,
                                 LEGAL, READER_PURPOSE, asker->duty, &asked),
                     ST_OK);
    give.consent = asked.consent;
    fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_CONSENT_GRANT, &give,
                                 LEGAL, 0, 0, NULL),
                     ST_OK);
    return asked.consent;
}

START_TEST(section_get_by_others_needs_a_live_grant_and_uses_it_up)
{
    struct fixture_actor asker, handler;
    uint32_t organisation, consent;

    begin();
    bring_all(LEGAL);
    organisation = fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0);
    fixture_participant(&fixture, &asker, organisation, DUTY_REQ);
    fixture_participant(&fixture, &handler, organisation, DUTY_CAS);
    ck_assert_int_eq(section_reader_other(&fixture, &asker, LEGAL,
                                          SECTION_BIT(SECTION_S06), 0, &out),
                     ST_NO_GRANT);
    consent = grant(&asker, SECTION_BIT(SECTION_S06), 1);
    ck_assert_int_eq(section_reader_other(&fixture, &asker, LEGAL,
                                          SECTION_BIT(SECTION_S06) |
                                              SECTION_BIT(SECTION_S10),
                                          consent, &out),
                     ST_NO_GRANT);
    ck_assert_int_eq(section_reader_other(&fixture, &asker, LEGAL,
                                          SECTION_BIT(SECTION_S06), consent,
                                          &out),
                     ST_OK);
    ck_assert_uint_eq(out.versions.count, 1);
    ck_assert_int_eq(section_reader_other(&fixture, &handler, LEGAL,
                                          SECTION_BIT(SECTION_S06), consent,
                                          &out),
                     ST_NO_GRANT);
    end();
}
END_TEST

/* T-R-5.1.7 */
START_TEST(T_R_5_1_7_an_expired_licence_shows_expired_without_a_feed)
{
    begin();
    bring_all(LEGAL); /* Valid for ten more days. */
    read_own(LEGAL, SECTION_BIT(SECTION_S07));
    find(SECTION_S07);
    ck_assert_uint_eq(row.flags, 0);
    fixture_wait(&fixture, 11);
    fixture_session(&fixture, &user);
    read_own(LEGAL, SECTION_BIT(SECTION_S07));
    find(SECTION_S07);
    ck_assert_uint_eq(row.flags, FLAG_EXPIRED);
    ck_assert_uint_eq(row.version, 1);
    end();
}
END_TEST

START_TEST(section_history_keeps_what_was_and_pages_backwards)
{
    struct op_section_history in = {.section = SECTION_S06, .limit = 2};
    struct result_section_history history;
    struct list_reader reader;

    begin();
    for (int i = 0; i < 5; i++)
        feeder_bring_good(&feeder, LEGAL, SECTION_S06);
    fixture_represent(&fixture, LEGAL, &user);
    for (uint32_t newest = 5; newest >= 3; newest -= 2) {
        ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_HISTORY,
                                     &in, LEGAL, 0, 0, &history),
                         ST_OK);
        ck_assert_uint_eq(history.versions.count, 2);
        list_reader_init(&reader, &history.versions);
        for (uint32_t i = 0; i < 2; i++) {
            ck_assert(list_reader_next(&reader, &schema_version_row, &row));
            ck_assert_uint_eq(row.version, newest - i);
            ck_assert_uint_eq(row.state, row.version == 5 ? VERSION_CURRENT
                                                          : VERSION_FORMER);
        }
        in.before = row.version;
    }
    in.before = 1;
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_HISTORY, &in,
                                 LEGAL, 0, 0, &history),
                     ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(section_get_says_so_where_the_content_was_destroyed)
{
    begin();
    bring_all(LEGAL);
    fixture.erased = true;
    ck_assert_int_eq(
        section_reader_own(&fixture, &user, LEGAL, SECTIONS_MASK, &out),
        ST_ERASED);
    end();
}
END_TEST

SUITE_MAIN("section",
           T_P_3_3_5_1_to_5_number_activity_licences_class_and_contacts,
           T_P_3_3_5_6_a_natural_person_has_a_name_and_an_address,
           T_P_3_3_5_7_a_legal_person_has_its_name_seat_and_registration,
           T_R_6_1_a_read_after_a_commit_gives_the_new_version,
           T_P_3_4_6_an_unchanged_section_is_not_sent_again,
           T_R_10_1_2_a_stranger_learns_nothing_not_even_who_exists,
           section_get_gives_of_a_mask_what_is_there,
           section_get_by_staff_needs_a_purpose_and_a_file,
           section_get_by_a_supplier_gives_what_it_supplied,
           T_R_10_1_2_a_supplier_does_not_learn_who_is_out_of_scope,
           section_get_by_others_needs_a_live_grant_and_uses_it_up,
           T_R_5_1_7_an_expired_licence_shows_expired_without_a_feed,
           section_history_keeps_what_was_and_pages_backwards,
           section_get_says_so_where_the_content_was_destroyed)
