#include <string.h>

#include "tests/lib/feeder.h"
#include "tests/lib/section_reader.h"
#include "tests/lib/suite.h"

#define LEGAL  UINT64_C(1400057421)
#define NOBODY UINT64_C(9900003611)

static struct fixture fixture;
static struct feeder feeder;
static struct fixture_actor user, registrar, checker;
static struct records records;
static struct result_section_get out;
static struct version_row row;
static union section_record record;

static void begin(void)
{
    fixture_open(&fixture);
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    fixture_user(&fixture, &user, "5ABCDE7");
    fixture_staff(&fixture, &registrar, DUTY_REG);
    fixture_staff(&fixture, &checker, DUTY_CHK);
    fixture_purpose(&fixture, READER_PURPOSE, SECTIONS_MASK, 0xffff);
    fixture_subject(&fixture, LEGAL, SUBJECT_LEGAL);
    fixture_represent(&fixture, LEGAL, &user);
}

static void end(void)
{
    fixture_close(&fixture);
}

static int32_t today(void)
{
    return act_day(fixture.state, fixture.log_time);
}

/* Put ${record} as the owner's, who expects ${expected} to be the newest. */
static enum status put(uint8_t section, uint64_t expected, uint8_t basis,
                       uint64_t *version_out)
{
    struct op_section_put in = {.section = section,
                                .as_of = 20000,
                                .note = fixture_text("məktub 5"),
                                .basis = fixture_digest(basis),
                                .record =
                                    records_encode(&records, section, &record)};
    struct result_section_put result;
    enum status code;

    fixture.expect_version = expected;
    code = fixture_run(&fixture, &registrar, OPCODE_SECTION_PUT, &in, LEGAL, 0,
                       registrar.duty, &result);
    if (code == ST_OK && version_out != NULL)
        *version_out = result.version;
    return code;
}

static enum status put_good(uint8_t section, uint64_t expected,
                            uint64_t *version_out)
{
    records_fill(&records, &record, section, LEGAL, today());
    return put(section, expected, 9, version_out);
}

static enum status confirm(const struct fixture_actor *actor, uint32_t duty,
                           uint8_t section, uint64_t version)
{
    struct op_section_confirm in = {.section = section, .version = version};

    return fixture_run(&fixture, actor, OPCODE_SECTION_CONFIRM, &in, LEGAL, 0,
                       duty, NULL);
}

/* Self-declared contacts: one e-mail. */
static enum status declare(const char *email, uint64_t expected)
{
    struct contact contact = {
        .kind = 3, .value = records_text(email), .source = 2};
    struct op_section_self_put in = {.section = SECTION_S05, .as_of = 20000};

    memset(&record, 0, sizeof record);
    records_list(&records, &record.s05.contacts, 0, &schema_contact, &contact);
    in.record = records_encode(&records, SECTION_S05, &record);
    fixture.expect_version = expected;
    return fixture_run(&fixture, &user, OPCODE_SECTION_SELF_PUT, &in, LEGAL, 0,
                       0, NULL);
}

static void read_own(uint16_t sections)
{
    ck_assert_int_eq(section_reader_own(&fixture, &user, LEGAL, sections, &out),
                     ST_OK);
}

/* T-R-8.2.1 */
START_TEST(T_R_8_2_1_what_is_not_confirmed_nobody_sees)
{
    struct op_section_history in = {
        .section = SECTION_S08, .limit = 9, .file_number = fixture_text("F-1")};
    uint64_t version;

    begin();
    ck_assert_int_eq(put_good(SECTION_S08, 0, &version), ST_OK);
    ck_assert_uint_eq(version, 1);
    read_own(SECTIONS_MASK);
    ck_assert_uint_eq(out.versions.count, 0);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_HISTORY, &in,
                                 LEGAL, 0, 0, NULL),
                     ST_NO_SUCH);
    /* The checker has to see what he confirms. */
    ck_assert_int_eq(fixture_run(&fixture, &checker, OPCODE_SECTION_HISTORY,
                                 &in, LEGAL, READER_PURPOSE, checker.duty,
                                 NULL),
                     ST_OK);
    ck_assert_int_eq(
        section_reader_other(&fixture, &checker, LEGAL, SECTIONS_MASK, 0, &out),
        ST_OK);
    ck_assert_uint_eq(out.versions.count, 0);
    ck_assert_int_eq(confirm(&checker, checker.duty, SECTION_S08, 1), ST_OK);
    read_own(SECTIONS_MASK);
    ck_assert(section_reader_find(&out.versions, SECTION_S08, 0, &row, NULL));
    ck_assert_uint_eq(row.provider, FIXTURE_OWNER);
    ck_assert_uint_eq(row.path, PATH_OWNER);
    ck_assert_int_eq(confirm(&checker, checker.duty, SECTION_S08, 1),
                     ST_WRONG_STATE);
    end();
}
END_TEST

START_TEST(section_confirm_is_for_another_person_whatever_his_duties)
{
    struct op_duty_revoke revoke = {.assignment = 0,
                                    .note = fixture_text("keçid")};
    uint64_t version;
    uint32_t duty;

    begin();
    ck_assert_int_eq(put_good(SECTION_S08, 0, &version), ST_OK);
    ck_assert_int_eq(confirm(&registrar, registrar.duty, SECTION_S08, version),
                     ST_NO_DUTY);
    revoke.assignment = registrar.duty;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_DUTY_REVOKE, &revoke, 0, 0,
                                 fixture.operator.duty, NULL),
                     ST_OK);
    duty = fixture_duty(&fixture, &registrar, DUTY_CHK, 0);
    ck_assert_int_eq(confirm(&registrar, duty, SECTION_S08, version),
                     ST_SELF_APPROVE);
    end();
}
END_TEST

START_TEST(section_return_leaves_the_version_but_not_its_effect)
{
    struct op_section_return in = {.section = SECTION_S08,
                                   .version = 1,
                                   .reason = fixture_text("səhv kod")};
    struct row_version kept = {
        .subject = LEGAL, .section = SECTION_S08, .version = 1};

    begin();
    ck_assert_int_eq(put_good(SECTION_S08, 0, NULL), ST_OK);
    in.version = 2;
    ck_assert_int_eq(fixture_run(&fixture, &checker, OPCODE_SECTION_RETURN, &in,
                                 LEGAL, 0, checker.duty, NULL),
                     ST_NO_SUCH);
    in.version = 1;
    ck_assert_int_eq(fixture_run(&fixture, &checker, OPCODE_SECTION_RETURN, &in,
                                 LEGAL, 0, checker.duty, NULL),
                     ST_OK);
    ck_assert(state_get(fixture.state, TABLE_VERSION, &kept));
    ck_assert_uint_eq(kept.state, VERSION_RETURNED);
    ck_assert_int_eq(confirm(&checker, checker.duty, SECTION_S08, 1),
                     ST_WRONG_STATE);
    ck_assert_int_eq(put_good(SECTION_S08, 1, NULL), ST_OK);
    end();
}
END_TEST

/* T-P-7.1.3 */
START_TEST(T_P_7_1_3_a_change_without_a_basis_document_is_refused)
{
    struct bytes32 basis = fixture_digest(9);

    begin();
    records_fill(&records, &record, SECTION_S08, LEGAL, today());
    ck_assert_int_eq(put(SECTION_S08, 0, 0, NULL), ST_NO_BASIS);
    ck_assert_int_eq(put(SECTION_S08, 0, 9, NULL), ST_OK);
    ck_assert_int_eq(confirm(&checker, checker.duty, SECTION_S08, 1), ST_OK);
    read_own(SECTION_BIT(SECTION_S08));
    ck_assert(section_reader_find(&out.versions, SECTION_S08, 0, &row, NULL));
    ck_assert_mem_eq(&row.basis, &basis, sizeof basis);
    end();
}
END_TEST

START_TEST(section_put_names_the_version_it_expects)
{
    uint64_t version;

    begin();
    ck_assert_int_eq(put_good(SECTION_S08, 1, NULL), ST_NO_SUCH);
    ck_assert_int_eq(put_good(SECTION_S08, 0, NULL), ST_OK);
    ck_assert_int_eq(put_good(SECTION_S08, 0, NULL), ST_EXISTS);
    ck_assert_int_eq(put_good(SECTION_S08, 2, NULL), ST_VERSION_CONFLICT);
    ck_assert_int_eq(put_good(SECTION_S08, 1, &version), ST_OK);
    ck_assert_uint_eq(version, 2);
    end();
}
END_TEST

START_TEST(section_put_names_the_field_of_a_bad_record)
{
    struct result_section_put result;
    struct field_error error;

    begin();
    records_fill(&records, &record, SECTION_S06, LEGAL, today());
    record.s06.determined = today() + 1;
    ck_assert_int_eq(put(SECTION_S06, 0, 9, NULL), ST_BAD_FIELD);
    ck_assert_int_eq(schema_decode(&schema_result_section_put, &result, &error,
                                   fixture.result, SCHEMA_REFUSE_UNKNOWN),
                     ST_OK);
    ck_assert_uint_eq(result.version, 0);
    ck_assert_uint_eq(result.field, 5 << 8 | 6);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_VERSION), 0);
    end();
}
END_TEST

START_TEST(section_confirm_does_not_push_back_what_a_feed_brought_since)
{
    begin();
    ck_assert_int_eq(put_good(SECTION_S08, 0, NULL), ST_OK);
    feeder_bring_good(&feeder, LEGAL, SECTION_S08);
    ck_assert_int_eq(confirm(&checker, checker.duty, SECTION_S08, 1),
                     ST_VERSION_CONFLICT);
    read_own(SECTION_BIT(SECTION_S08));
    ck_assert(section_reader_find(&out.versions, SECTION_S08, 0, &row, NULL));
    ck_assert_uint_eq(row.version, 2);
    end();
}
END_TEST

/* T-P-1.6.2 */
START_TEST(T_P_1_6_2_a_user_changes_his_contacts_and_nothing_else)
{
    struct op_section_self_put class_put = {.section = SECTION_S06,
                                            .as_of = 20000};
    struct op_section_history in = {.section = SECTION_S05, .limit = 9};
    struct result_section_history history;

    begin();
    ck_assert_int_eq(declare("bir@example.az", 0), ST_OK);
    ck_assert_int_eq(declare("iki@example.az", 0), ST_EXISTS);
    ck_assert_int_eq(declare("iki@example.az", 1), ST_OK);
    read_own(SECTION_BIT(SECTION_S05));
    ck_assert_uint_eq(out.versions.count, 1);
    ck_assert(
        section_reader_find(&out.versions, SECTION_S05, 0, &row, &record));
    ck_assert_uint_eq(row.version, 2);
    ck_assert_uint_eq(row.path, PATH_SELF);
    ck_assert_uint_eq(row.provider, 0);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_HISTORY, &in,
                                 LEGAL, 0, 0, &history),
                     ST_OK);
    ck_assert_uint_eq(history.versions.count, 2);
    class_put.record = records_encode(&records, SECTION_S05, &record);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_SELF_PUT,
                                 &class_put, LEGAL, 0, 0, NULL),
                     ST_NOT_AUTHORITY);
    ck_assert_int_eq(fixture_run(&fixture, &user, OPCODE_SECTION_SELF_PUT,
                                 &class_put, NOBODY, 0, 0, NULL),
                     ST_NOT_SELF);
    end();
}
END_TEST

/* T-R-5.1.5 */
START_TEST(T_R_5_1_5_own_and_provided_contacts_stand_side_by_side)
{
    begin();
    feeder_bring_good(&feeder, LEGAL, SECTION_S05);
    ck_assert_int_eq(declare("bir@example.az", 1), ST_OK);
    feeder_bring_good(&feeder, LEGAL, SECTION_S05);
    ck_assert_int_eq(declare("iki@example.az", 3), ST_OK);
    read_own(SECTIONS_MASK);
    ck_assert_uint_eq(out.versions.count, 2);
    ck_assert(section_reader_find(&out.versions, SECTION_S05, 0, &row, NULL));
    ck_assert_uint_eq(row.version, 3);
    ck_assert_uint_eq(row.path, PATH_EHIS);
    ck_assert(section_reader_find(&out.versions, SECTION_S05, 1, &row, NULL));
    ck_assert_uint_eq(row.version, 4);
    ck_assert_uint_eq(row.path, PATH_SELF);
    end();
}
END_TEST

/* T-R-5.1.4 */
START_TEST(T_R_5_1_4_liquidation_closes_the_subject_but_keeps_it)
{
    struct subject subject;

    begin();
    feeder_bring_good(&feeder, LEGAL, SECTION_S08);
    records_fill(&feeder.records, &record, SECTION_S04, LEGAL, today());
    record.s04.liquidated = today() - 2;
    feeder_bring(&feeder, LEGAL, SECTION_S04, &record);
    ck_assert(subject_load(&fixture.act, &subject, LEGAL));
    ck_assert_uint_eq(subject.row.state, SUBJECT_CLOSED);
    ck_assert_int_eq(subject.row.closed, today() - 2);
    read_own(SECTIONS_MASK);
    ck_assert_uint_eq(out.versions.count, 2);
    end();
}
END_TEST

/* T-R-5.1.6: the registration date of S04 decides on the first year. */
START_TEST(T_R_5_1_6_the_first_year_is_counted_from_the_registration)
{
    begin();
    records_fill(&feeder.records, &record, SECTION_S06, LEGAL, today());
    record.s06.income = 500000000;
    record.s06.determined_by = 3;
    feeder_bring(&feeder, LEGAL, SECTION_S06, &record);
    read_own(SECTION_BIT(SECTION_S06));
    ck_assert(section_reader_find(&out.versions, SECTION_S06, 0, &row, NULL));
    ck_assert_uint_eq(row.flags, 0);
    feeder_bring_good(&feeder, LEGAL, SECTION_S04); /* 400 days ago. */
    records_fill(&feeder.records, &record, SECTION_S06, LEGAL, today());
    record.s06.income = 500000000;
    record.s06.determined_by = 3;
    feeder_bring(&feeder, LEGAL, SECTION_S06, &record);
    read_own(SECTION_BIT(SECTION_S06));
    ck_assert(
        section_reader_find(&out.versions, SECTION_S06, 0, &row, &record));
    ck_assert_uint_eq(row.flags, FLAG_CLASS_DIFFERS);
    ck_assert_uint_eq(record.s06.class, CLASS_MICRO);
    end();
}
END_TEST

SUITE_MAIN("section_put", T_R_8_2_1_what_is_not_confirmed_nobody_sees,
           section_confirm_is_for_another_person_whatever_his_duties,
           section_return_leaves_the_version_but_not_its_effect,
           T_P_7_1_3_a_change_without_a_basis_document_is_refused,
           section_put_names_the_version_it_expects,
           section_put_names_the_field_of_a_bad_record,
           section_confirm_does_not_push_back_what_a_feed_brought_since,
           T_P_1_6_2_a_user_changes_his_contacts_and_nothing_else,
           T_R_5_1_5_own_and_provided_contacts_stand_side_by_side,
           T_R_5_1_4_liquidation_closes_the_subject_but_keeps_it,
           T_R_5_1_6_the_first_year_is_counted_from_the_registration)
