/*
 * Finding subjects by the words of their names.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/feeder.h"
#include "tests/lib/suite.h"

enum { PURPOSE = 7 };

static struct fixture fixture;
static struct feeder feeder;
static struct fixture_actor clerk;
static struct result_subject_find out;
static uint64_t legal, other, individual;

static void name_legal(uint64_t subject, const char *name)
{
    union section_record record;

    records_fill(&feeder.records, &record, SECTION_S01, subject,
                 act_day(fixture.state, fixture.log_time));
    record.s01.full_name = records_text(name);
    record.s01.short_name = records_text("");
    feeder_bring(&feeder, subject, SECTION_S01, &record);
}

static void name_individual(uint64_t subject, const char *surname,
                            const char *given)
{
    union section_record record;

    records_fill(&feeder.records, &record, SECTION_S01, subject,
                 act_day(fixture.state, fixture.log_time));
    record.s01.surname = records_text(surname);
    record.s01.given = records_text(given);
    record.s01.patronymic = records_text("");
    feeder_bring(&feeder, subject, SECTION_S01, &record);
}

static void begin(void)
{
    fixture_open(&fixture);
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    fixture_purpose(&fixture, PURPOSE, SECTIONS_MASK, 0xffff);
    legal = records_voen(1, SUBJECT_LEGAL);
    other = records_voen(2, SUBJECT_LEGAL);
    individual = records_voen(3, SUBJECT_INDIVIDUAL);
    name_legal(legal, "\"QIZILGÜL\" Məhdud Məsuliyyətli Cəmiyyəti");
    name_legal(other, "Əməliyyat Mərkəzi Məhdud Məsuliyyətli Cəmiyyəti");
    name_individual(individual, "Qızılgülov", "Elçin");
}

static void end(void)
{
    fixture_close(&fixture);
}

static enum status find_by(const struct fixture_actor *actor, const char *text,
                           uint32_t purpose, const char *file)
{
    struct op_subject_find in = {.text = fixture_text(text),
                                 .limit = 10,
                                 .file_number = fixture_text(file)};

    return fixture_run(&fixture, actor, OPCODE_SUBJECT_FIND, &in, 0, purpose,
                       actor->duty, &out);
}

/* Subjects found, "1 2" by their serials' order in begin(); "!402" if refused.
 */
static const char *find(const char *text)
{
    static char shown[64];
    struct list_reader reader;
    struct found_row row;
    enum status status = find_by(&clerk, text, PURPOSE, "F-1");
    size_t used = 0;

    shown[0] = '\0';
    if (status != ST_OK) {
        snprintf(shown, sizeof shown, "!%d", (int)status);
        return shown;
    }
    list_reader_init(&reader, &out.subjects);
    while (list_reader_next(&reader, &schema_found_row, &row))
        used += (size_t)snprintf(shown + used, sizeof shown - used, "%s%s",
                                 used == 0 ? "" : " ",
                                 row.subject == legal   ? "legal"
                                 : row.subject == other ? "other"
                                                        : "individual");
    return shown;
}

START_TEST(words_find_names_whatever_their_case_and_diacritics)
{
    begin();
    ck_assert_str_eq(find("qizilgul"), "legal");
    ck_assert_str_eq(find("QIZILGÜL cəmiyyəti"), "legal");
    ck_assert_str_eq(find("emeliyyat"), "other");
    ck_assert_str_eq(find("qızılgül*"), legal < individual
                                            ? "legal individual"
                                            : "individual legal");
    ck_assert_str_eq(find("elcin"), "individual");
    ck_assert_str_eq(find("nobody"), "");
    end();
}
END_TEST

START_TEST(each_row_tells_kind_state_and_name)
{
    struct list_reader reader;
    struct found_row row;

    begin();
    ck_assert_str_eq(find("elcin"), "individual");
    list_reader_init(&reader, &out.subjects);
    ck_assert(list_reader_next(&reader, &schema_found_row, &row));
    ck_assert_uint_eq(row.kind, SUBJECT_INDIVIDUAL);
    ck_assert_uint_eq(row.state, SUBJECT_ACTIVE);
    ck_assert(slice_equal(row.name, fixture_text("Qızılgülov Elçin")));
    /* Out of scope, it shows that it is there and nothing else. */
    fixture_subject_state(&fixture, individual, SUBJECT_OUT_OF_SCOPE);
    ck_assert_str_eq(find("elcin"), "individual");
    list_reader_init(&reader, &out.subjects);
    ck_assert(list_reader_next(&reader, &schema_found_row, &row));
    ck_assert_uint_eq(row.state, SUBJECT_OUT_OF_SCOPE);
    ck_assert_uint_eq(row.name.size, 0);
    end();
}
END_TEST

START_TEST(a_renamed_subject_is_found_by_its_new_name_only)
{
    begin();
    name_legal(legal, "Bənövşə Açıq Səhmdar Cəmiyyəti");
    ck_assert_str_eq(find("qizilgul"), "");
    ck_assert_str_eq(find("benovse"), "legal");
    end();
}
END_TEST

/* T-R-8.2.14 */
START_TEST(T_R_8_2_14_each_subject_found_sees_who_found_it_and_why)
{
    struct row_access row;
    uint32_t before[3], after[3];

    begin();
    before[0] = fixture_accesses(&fixture, NULL, legal);
    before[1] = fixture_accesses(&fixture, NULL, other);
    before[2] = fixture_accesses(&fixture, NULL, individual);
    ck_assert_int_eq(find_by(&clerk, "mehdud", PURPOSE, "F-1"), ST_OK);
    ck_assert_uint_eq(out.subjects.count, 2);
    after[0] = fixture_accesses(&fixture, &row, legal);
    ck_assert_uint_eq(row.opcode, OPCODE_SUBJECT_FIND);
    ck_assert_uint_eq(row.purpose, PURPOSE);
    ck_assert_uint_eq(row.sections, SECTION_BIT(SECTION_S01));
    ck_assert_uint_eq(row.organisation, FIXTURE_OWNER);
    ck_assert_uint_eq(row.duty, DUTY_REG);
    ck_assert_uint_eq(row.code, ST_OK);
    after[1] = fixture_accesses(&fixture, NULL, other);
    after[2] = fixture_accesses(&fixture, NULL, individual);
    ck_assert_uint_eq(after[0], before[0] + 1);
    ck_assert_uint_eq(after[1], before[1] + 1);
    ck_assert_uint_eq(after[2], before[2]);
    end();
}
END_TEST

START_TEST(T_R_8_2_14_who_found_a_subject_under_a_seal_of_it_is_marked)
{
    struct fixture_actor guard, head;
    struct op_access_seal_propose propose = {.organisation = FIXTURE_OWNER,
                                             .file_number = fixture_text("F-1"),
                                             .legal_basis = fixture_text("law"),
                                             .basis = fixture_digest(1)};
    struct op_access_seal_approve approve = {.seal = 1};
    struct row_sealed_access mark;
    struct row_access row;

    begin();
    fixture_staff(&fixture, &guard, DUTY_SEC);
    fixture_staff(&fixture, &head, DUTY_DIR);
    propose.subject = legal;
    propose.until = fixture.log_time + INT64_C(86400000000);
    ck_assert_int_eq(fixture_run(&fixture, &guard, OPCODE_ACCESS_SEAL_PROPOSE,
                                 &propose, 0, 0, guard.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_ACCESS_SEAL_APPROVE,
                                 &approve, 0, 0, head.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(find_by(&clerk, "mehdud", PURPOSE, "F-1"), ST_OK);
    ck_assert_uint_eq(out.subjects.count, 2);
    fixture_accesses(&fixture, &row, legal);
    mark = (struct row_sealed_access){.subject = legal, .number = row.number};
    ck_assert(state_get(fixture.state, TABLE_SEALED_ACCESS, &mark));
    ck_assert_uint_eq(state_count(fixture.state, TABLE_SEALED_ACCESS), 1);
    end();
}
END_TEST

/* T-R-10.1.2 */
START_TEST(T_R_10_1_2_nobody_but_the_owners_clerks_may_search)
{
    static const enum duty others[] = {DUTY_CLK, DUTY_SEC, DUTY_OPS,
                                       DUTY_ADM, DUTY_DPO, DUTY_AUD};
    struct fixture_actor user, asker, staff, checker;

    begin();
    fixture_user(&fixture, &user, RECORDS_FIN);
    fixture_participant(
        &fixture, &asker,
        fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0), DUTY_REQ);
    /* The same answer, whether there is such a name or not. */
    ck_assert_int_eq(find_by(&user, "qizilgul", PURPOSE, "F-1"), ST_NO_DUTY);
    ck_assert_int_eq(find_by(&user, "nobody", PURPOSE, "F-1"), ST_NO_DUTY);
    ck_assert_int_eq(find_by(&asker, "qizilgul", PURPOSE, "F-1"), ST_NO_DUTY);
    ck_assert_int_eq(find_by(&asker, "nobody", PURPOSE, "F-1"), ST_NO_DUTY);
    ck_assert_uint_eq(fixture.result.size, 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        fixture_staff(&fixture, &staff, others[i]);
        ck_assert_int_eq(find_by(&staff, "qizilgul", PURPOSE, "F-1"),
                         ST_NO_DUTY);
    }
    fixture_staff(&fixture, &checker, DUTY_CHK);
    ck_assert_int_eq(find_by(&checker, "qizilgul", PURPOSE, "F-1"), ST_OK);
    ck_assert_uint_eq(out.subjects.count, 1);
    end();
}
END_TEST

START_TEST(a_search_needs_a_registered_purpose_and_a_file)
{
    begin();
    ck_assert_int_eq(find_by(&clerk, "qizilgul", 0, "F-1"), ST_NO_PURPOSE);
    ck_assert_int_eq(find_by(&clerk, "qizilgul", 99, "F-1"), ST_NO_PURPOSE);
    ck_assert_int_eq(find_by(&clerk, "qizilgul", PURPOSE, ""), ST_NO_PURPOSE);
    end();
}
END_TEST

START_TEST(D113_words_that_are_none_find_nothing_and_reveal_nothing)
{
    begin();
    ck_assert_str_eq(find("\" OR 1"), "");
    ck_assert_str_eq(find("NEAR("), "");
    ck_assert_str_eq(find("*"), "!402");
    ck_assert_str_eq(find("a b c d e f g h i"), "!402");
    ck_assert_str_eq(find("q*"), "!402");
    ck_assert_uint_eq(fixture.result.size, 0);
    end();
}
END_TEST

START_TEST(pages_go_on_behind_the_last_subject)
{
    struct op_subject_find in = {.text = fixture_text("mehdud"),
                                 .limit = 1,
                                 .file_number = fixture_text("F-1")};
    uint64_t first, second;
    struct list_reader reader;
    struct found_row row;

    begin();
    first = legal < other ? legal : other;
    second = legal < other ? other : legal;
    for (int page = 0; page < 3; page++) {
        ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_SUBJECT_FIND, &in,
                                     0, PURPOSE, clerk.duty, &out),
                         ST_OK);
        list_reader_init(&reader, &out.subjects);
        ck_assert(list_reader_next(&reader, &schema_found_row, &row) ==
                  (page < 2));
        if (page == 2)
            break;
        ck_assert_uint_eq(row.subject, page == 0 ? first : second);
        in.after = row.subject;
    }
    end();
}
END_TEST

SUITE_MAIN("subject_find", words_find_names_whatever_their_case_and_diacritics,
           each_row_tells_kind_state_and_name,
           a_renamed_subject_is_found_by_its_new_name_only,
           T_R_8_2_14_each_subject_found_sees_who_found_it_and_why,
           T_R_8_2_14_who_found_a_subject_under_a_seal_of_it_is_marked,
           T_R_10_1_2_nobody_but_the_owners_clerks_may_search,
           a_search_needs_a_registered_purpose_and_a_file,
           D113_words_that_are_none_find_nothing_and_reveal_nothing,
           pages_go_on_behind_the_last_subject)
