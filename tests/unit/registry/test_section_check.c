#include "server/registry/section_check.h"

#include <string.h>

#include "tests/lib/records.h"
#include "tests/lib/suite.h"

enum { TODAY = 20682 };
#define LEGAL      UINT64_C(1400057421)
#define INDIVIDUAL UINT64_C(1000276532)

static struct records records;
static union section_record record, decoded;
static struct section_finding finding;
static struct section_scene scene;

/* A good record and the scene in which it is good. */
static void begin(uint8_t section, uint64_t subject)
{
    scene = (struct section_scene){.subject = subject,
                                   .kind = (uint8_t)(subject % 10),
                                   .path = PATH_EHIS,
                                   .voen_strict = true,
                                   .today = TODAY,
                                   .provider = records_text(RECORDS_BODY)};
    records_fill(&records, &record, section, subject, TODAY);
}

static enum status check(uint8_t section)
{
    struct slice bytes = records_encode(&records, section, &record);

    return section_check(&scene, &decoded, &finding, section, bytes);
}

#define REFUSED(section, number)                         \
    do {                                                 \
        ck_assert_uint_eq(check(section), ST_BAD_FIELD); \
        ck_assert_uint_eq(finding.field, number);        \
    } while (0)
#define TAKEN(section, bits)                      \
    do {                                          \
        ck_assert_uint_eq(check(section), ST_OK); \
        ck_assert_uint_eq(finding.flags, bits);   \
    } while (0)

START_TEST(section_check_takes_a_good_record_of_each_section)
{
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        begin(section, LEGAL);
        TAKEN(section, 0);
        begin(section, INDIVIDUAL);
        TAKEN(section, 0);
    }
}
END_TEST

START_TEST(section_check_refuses_every_truncation_of_a_record)
{
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        begin(section, LEGAL);
        struct slice bytes = records_encode(&records, section, &record);
        for (size_t size = 0; size < bytes.size; size++)
            ck_assert_uint_ne(section_check(&scene, &decoded, &finding, section,
                                            slice_of(bytes.data, size)),
                              ST_OK);
    }
}
END_TEST

/* T-P-5.1.2 */
START_TEST(T_P_5_1_2_a_bad_number_class_or_date_is_refused_by_its_field)
{
    begin(SECTION_S03, LEGAL);
    record.s03.number = LEGAL + 10;
    ck_assert_uint_eq(check(SECTION_S03), ST_BAD_VOEN);
    ck_assert_uint_eq(finding.field, 1);
    begin(SECTION_S06, LEGAL);
    record.s06.class = 5;
    REFUSED(SECTION_S06, 1);
    begin(SECTION_S06, LEGAL);
    record.s06.determined = TODAY + 1;
    REFUSED(SECTION_S06, 6);
}
END_TEST

/* T-R-5.1.1: names by the kind of the subject. */
START_TEST(T_R_5_1_1_names_are_those_of_the_kind)
{
    begin(SECTION_S01, LEGAL);
    record.s01.kind = 2;
    REFUSED(SECTION_S01, 1);
    begin(SECTION_S01, LEGAL);
    record.s01.full_name.size = 0;
    REFUSED(SECTION_S01, 2);
    begin(SECTION_S01, LEGAL);
    record.s01.surname = records_text("Əliyev");
    REFUSED(SECTION_S01, 4);
    begin(SECTION_S01, INDIVIDUAL);
    record.s01.given.size = 0;
    REFUSED(SECTION_S01, 5);
    begin(SECTION_S01, INDIVIDUAL);
    record.s01.full_name = records_text("Ad");
    REFUSED(SECTION_S01, 2);
    begin(SECTION_S01, INDIVIDUAL);
    record.s01.fin = records_text("5ABCDO7");
    REFUSED(SECTION_S01, 7);
}
END_TEST

START_TEST(T_R_5_1_1_a_representative_leaves_after_he_came)
{
    struct representative person = {.surname = records_text("Quliyev"),
                                    .given = records_text("Elçin"),
                                    .from = 100,
                                    .to = 99};

    begin(SECTION_S01, LEGAL);
    records_list(&records, &record.s01.representatives, 0,
                 &schema_representative, &person);
    REFUSED(SECTION_S01, 8);
    person.to = 100;
    records_list(&records, &record.s01.representatives, 0,
                 &schema_representative, &person);
    TAKEN(SECTION_S01, 0);
}
END_TEST

/* T-R-5.1.2 */
START_TEST(T_R_5_1_2_a_legal_person_has_no_residence_nor_an_individual_a_seat)
{
    struct address address = {.kind = 2, .text = records_text("Bakı")};

    begin(SECTION_S02, LEGAL);
    records_list(&records, &record.s02.addresses, 0, &schema_address, &address);
    REFUSED(SECTION_S02, 1);
    begin(SECTION_S02, INDIVIDUAL);
    address.kind = 3;
    records_list(&records, &record.s02.addresses, 0, &schema_address, &address);
    TAKEN(SECTION_S02, 0);
    address.kind = 1;
    records_list(&records, &record.s02.addresses, 0, &schema_address, &address);
    REFUSED(SECTION_S02, 1);
}
END_TEST

/* T-R-5.1.3 */
START_TEST(T_R_5_1_3_the_check_digit_is_demanded_or_marked)
{
    static const uint64_t good[] = {
        1400057421, 1401555071, 9900003611, 9900001881, 1700767721, 1300017201,
        9900001901, 9900003871, 200432771,  1000276532, 1501069851};
    static const uint64_t mismatched[] = {1401555081, 1525855852};
    static const uint64_t ill_formed[] = {1400057424, 1400057420};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        begin(SECTION_S03, good[i]);
        TAKEN(SECTION_S03, 0);
    }
    for (size_t i = 0; i < sizeof mismatched / sizeof mismatched[0]; i++) {
        begin(SECTION_S03, mismatched[i]);
        ck_assert_uint_eq(check(SECTION_S03), ST_BAD_VOEN);
        scene.voen_strict = false;
        TAKEN(SECTION_S03, FLAG_VOEN_DIFFERS);
    }
    for (size_t i = 0; i < sizeof ill_formed / sizeof ill_formed[0]; i++) {
        begin(SECTION_S03, ill_formed[i]);
        scene.voen_strict = false;
        ck_assert_uint_eq(check(SECTION_S03), ST_BAD_VOEN);
    }
}
END_TEST

/* T-R-5.1.4 */
START_TEST(T_R_5_1_4_registration_change_and_liquidation_are_ordered)
{
    begin(SECTION_S04, LEGAL);
    record.s04.changed = record.s04.registered - 1;
    REFUSED(SECTION_S04, 8);
    begin(SECTION_S04, LEGAL);
    record.s04.changed = TODAY - 10;
    record.s04.liquidated = TODAY - 11;
    REFUSED(SECTION_S04, 9);
    record.s04.liquidated = TODAY - 10;
    TAKEN(SECTION_S04, 0);
    record.s04.liquidated = TODAY + 1;
    REFUSED(SECTION_S04, 9);
    begin(SECTION_S04, LEGAL);
    record.s04.issued = record.s04.registered - 1;
    REFUSED(SECTION_S04, 4);
    begin(SECTION_S04, LEGAL);
    record.s04.issued = 0;
    record.s04.registered = TODAY + 1;
    REFUSED(SECTION_S04, 7);
}
END_TEST

static enum status check_contact(uint8_t path, struct contact contact)
{
    begin(SECTION_S05, LEGAL);
    scene.path = path;
    records_list(&records, &record.s05.contacts, 0, &schema_contact, &contact);
    return check(SECTION_S05);
}

/* T-R-5.1.5 */
START_TEST(T_R_5_1_5_contacts_have_the_form_of_their_kind)
{
    static const struct {
        uint8_t kind;
        const char *value;
        enum status status;
    } cases[] = {
        {1, "+994125981100", ST_OK},
        {1, "0125981100", ST_BAD_FIELD},
        {2, "+994 50 1234567", ST_BAD_FIELD},
        {2, "+0945012345", ST_BAD_FIELD},
        {3, "kob@example.az", ST_OK},
        {3, "kob@example", ST_BAD_FIELD},
        {3, "kob.example.az", ST_BAD_FIELD},
        {4, "https://example.az", ST_OK},
        {4, "salam dünya.az", ST_BAD_FIELD},
        {4, "example", ST_BAD_FIELD},
        {5, "ofis 3", ST_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct contact contact = {.kind = cases[i].kind,
                                  .value = records_text(cases[i].value),
                                  .source = 1};
        ck_assert_msg(check_contact(PATH_EHIS, contact) == cases[i].status,
                      "%s", cases[i].value);
    }
}
END_TEST

START_TEST(T_R_5_1_5_nobody_speaks_in_the_name_of_the_other_source)
{
    struct contact contact = {
        .kind = 2, .value = records_text("+994501234567"), .source = 2};

    ck_assert_uint_eq(check_contact(PATH_EHIS, contact), ST_BAD_FIELD);
    ck_assert_uint_eq(check_contact(PATH_OWNER, contact), ST_BAD_FIELD);
    ck_assert_uint_eq(check_contact(PATH_SELF, contact), ST_OK);
    contact.verified = TODAY - 1;
    ck_assert_uint_eq(check_contact(PATH_SELF, contact), ST_BAD_FIELD);
    contact.source = 1;
    ck_assert_uint_eq(check_contact(PATH_SELF, contact), ST_BAD_FIELD);
    ck_assert_uint_eq(check_contact(PATH_EHIS, contact), ST_OK);
}
END_TEST

/* T-R-5.1.6: the vectors of the Cabinet's decision; income in manat. */
START_TEST(T_R_5_1_6_the_higher_of_the_two_criteria_decides)
{
    static const struct {
        uint32_t employees;
        int64_t qepik;
        enum size_class size_class;
    } cases[] = {
        {5, 25000000, CLASS_SMALL},      {10, 20000000, CLASS_MICRO},
        {11, 20000000, CLASS_SMALL},     {10, 20001000, CLASS_SMALL},
        {10, 20000001, CLASS_SMALL},     {50, 300000000, CLASS_SMALL},
        {51, 0, CLASS_MEDIUM},           {250, 3000000000, CLASS_MEDIUM},
        {251, 100000, CLASS_LARGE},      {1, 3000001000, CLASS_LARGE},
        {UINT32_MAX, 0, CLASS_MICRO},    {51, -1, CLASS_MEDIUM},
        {UINT32_MAX, -1, CLASS_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_uint_eq(
            section_check_class(cases[i].employees, cases[i].qepik, false),
            cases[i].size_class);
}
END_TEST

START_TEST(T_R_5_1_6_a_class_that_differs_is_marked_and_kept)
{
    begin(SECTION_S06, LEGAL);
    record.s06.class = CLASS_MEDIUM;
    TAKEN(SECTION_S06, FLAG_CLASS_DIFFERS);
    ck_assert_uint_eq(decoded.s06.class, CLASS_MEDIUM);
    record.s06.employees = UINT32_MAX;
    record.s06.income = -1;
    TAKEN(SECTION_S06, 0);
}
END_TEST

START_TEST(T_R_5_1_6_in_the_first_year_the_employees_alone_decide)
{
    begin(SECTION_S06, LEGAL);
    record.s06.employees = 5;
    record.s06.income = 500000000;
    record.s06.class = CLASS_MICRO;
    TAKEN(SECTION_S06, FLAG_CLASS_DIFFERS);
    record.s06.determined_by = 3; /* All that is known before S04. */
    TAKEN(SECTION_S06, 0);
    scene.registered_known = true;
    scene.registered = record.s06.determined - 364; /* Its 365th day. */
    TAKEN(SECTION_S06, 0);
    scene.registered = record.s06.determined - 365;
    TAKEN(SECTION_S06, FLAG_CLASS_DIFFERS);
    record.s06.class = CLASS_MEDIUM;
    TAKEN(SECTION_S06, 0);
}
END_TEST

/* T-R-5.1.7 */
START_TEST(T_R_5_1_7_a_licence_expires_the_day_after_its_term)
{
    struct licence licence = {.number = records_text("L"),
                              .kind = 1,
                              .activity = records_text("tikinti"),
                              .authority = records_text("N"),
                              .issued = TODAY - 5,
                              .valid_to = TODAY - 6,
                              .state = 1};

    begin(SECTION_S07, LEGAL);
    TAKEN(SECTION_S07, 0);
    ck_assert(!section_check_expired(&decoded.s07, TODAY + 10));
    ck_assert(section_check_expired(&decoded.s07, TODAY + 11));
    records_list(&records, &record.s07.licences, 0, &schema_licence, &licence);
    REFUSED(SECTION_S07, 1);
    licence.valid_to = 0;
    records_list(&records, &record.s07.licences, 0, &schema_licence, &licence);
    TAKEN(SECTION_S07, 0);
    ck_assert(!section_check_expired(&decoded.s07, TODAY + 9999));
}
END_TEST

START_TEST(T_R_5_1_7_an_annulled_licence_does_not_expire)
{
    struct licence licence = {.number = records_text("L"),
                              .kind = 1,
                              .activity = records_text("tikinti"),
                              .authority = records_text("N"),
                              .issued = TODAY - 9,
                              .valid_to = TODAY - 6,
                              .state = 4};

    begin(SECTION_S07, LEGAL);
    records_list(&records, &record.s07.licences, 0, &schema_licence, &licence);
    TAKEN(SECTION_S07, 0);
    ck_assert(!section_check_expired(&decoded.s07, TODAY));
}
END_TEST

/* T-R-5.1.8 */
START_TEST(T_R_5_1_8_seven_digits_are_taken_and_five_are_marked)
{
    struct activity_code code = {.code = records_text("56101")};

    begin(SECTION_S08, LEGAL);
    TAKEN(SECTION_S08, 0);
    records_list(&records, &record.s08.codes, 0, &schema_activity_code, &code);
    TAKEN(SECTION_S08, FLAG_LEGACY_CODE);
    code.code = records_text("561011");
    records_list(&records, &record.s08.codes, 0, &schema_activity_code, &code);
    REFUSED(SECTION_S08, 2);
    begin(SECTION_S08, LEGAL);
    record.s08.main_code = records_text("56101");
    TAKEN(SECTION_S08, FLAG_LEGACY_CODE);
    record.s08.main_code = records_text("561010");
    REFUSED(SECTION_S08, 1);
}
END_TEST

static enum status check_inspection(struct inspection inspection)
{
    begin(SECTION_S09, LEGAL);
    inspection.body = records_text(RECORDS_BODY);
    inspection.act_number = records_text("A-1");
    inspection.law = 1;
    inspection.outcome = 2;
    records_list(&records, &record.s09.inspections, 0, &schema_inspection,
                 &inspection);
    return check(SECTION_S09);
}

/* T-R-5.1.9 */
START_TEST(T_R_5_1_9_a_measure_has_its_term_and_the_kind_is_stated)
{
    struct inspection inspection = {
        .kind = 2, .from = TODAY - 9, .to = TODAY - 8, .measure_amount = -1};

    ck_assert_uint_eq(check_inspection(inspection), ST_OK);
    inspection.kind = 0;
    ck_assert_uint_eq(check_inspection(inspection), ST_BAD_FIELD);
    inspection.kind = 1;
    inspection.measure_from = TODAY - 8;
    ck_assert_uint_eq(check_inspection(inspection), ST_BAD_FIELD);
    inspection.measure = records_text("fəaliyyət dayandırılıb");
    ck_assert_uint_eq(check_inspection(inspection), ST_OK);
    inspection.measure_to = TODAY - 9;
    ck_assert_uint_eq(check_inspection(inspection), ST_BAD_FIELD);
    inspection.measure_to = TODAY + 9;
    ck_assert_uint_eq(check_inspection(inspection), ST_OK);
    inspection.to = TODAY - 10;
    ck_assert_uint_eq(check_inspection(inspection), ST_BAD_FIELD);
}
END_TEST

static enum status check_support(uint8_t path, struct support support)
{
    begin(SECTION_S10, LEGAL);
    scene.path = path;
    support.giver = records_text("UNDP");
    support.kind = 1;
    support.form = 1;
    support.state = 1;
    records_list(&records, &record.s10.supports, 0, &schema_support, &support);
    return check(SECTION_S10);
}

/* T-R-5.1.10 */
START_TEST(T_R_5_1_10_foreign_support_is_reported_by_a_participant)
{
    struct support support = {
        .giver_kind = 4, .amount = -1, .given = TODAY - 1};

    ck_assert_uint_eq(check_support(PATH_EHIS, support), ST_OK);
    ck_assert_uint_eq(check_support(PATH_OWNER, support), ST_BAD_FIELD);
    support.giver_kind = 2;
    ck_assert_uint_eq(check_support(PATH_OWNER, support), ST_OK);
    support.amount = -2;
    ck_assert_uint_eq(check_support(PATH_EHIS, support), ST_BAD_FIELD);
    support.amount = 0;
    support.currency = records_text("USD");
    ck_assert_uint_eq(check_support(PATH_EHIS, support), ST_OK);
    support.currency = records_text("us");
    ck_assert_uint_eq(check_support(PATH_EHIS, support), ST_BAD_FIELD);
}
END_TEST

START_TEST(T_R_5_1_10_amounts_add_up_to_the_last_qepik)
{
    struct support support = {.giver_kind = 1,
                              .giver = records_text("Agentlik"),
                              .kind = 1,
                              .form = 1,
                              .given = TODAY - 1,
                              .state = 1};
    static const int64_t amounts[] = {1, 150000, 99, -1, 3000000001};
    struct list_reader reader;
    int64_t total = 0;

    begin(SECTION_S10, LEGAL);
    support.amount = amounts[0];
    records_list(&records, &record.s10.supports, 0, &schema_support, &support);
    for (size_t i = 1; i < sizeof amounts / sizeof amounts[0]; i++) {
        support.amount = amounts[i];
        list_add(&record.s10.supports, &records.lists[0], &schema_support,
                 &support);
    }
    TAKEN(SECTION_S10, 0);
    list_reader_init(&reader, &decoded.s10.supports);
    while (list_reader_next(&reader, &schema_support, &support))
        total += support.amount == -1 ? 0 : support.amount;
    ck_assert_int_eq(total, 3000150101);
}
END_TEST

/* T-R-5.1.11 */
START_TEST(T_R_5_1_11_the_evaluator_is_the_provider_and_names_its_period)
{
    begin(SECTION_S11, LEGAL);
    scene.provider = records_text("Başqa qurum");
    REFUSED(SECTION_S11, 1);
    scene.path = PATH_OWNER; /* From the evaluator's paper. */
    TAKEN(SECTION_S11, 0);

    struct evaluation evaluation = {.evaluator = records_text(RECORDS_BODY),
                                    .kind = 1,
                                    .from = TODAY - 10,
                                    .to = TODAY - 11,
                                    .method = records_text("M"),
                                    .made = TODAY};
    begin(SECTION_S11, LEGAL);
    records_list(&records, &record.s11.evaluations, 0, &schema_evaluation,
                 &evaluation);
    REFUSED(SECTION_S11, 1);
    evaluation.to = TODAY - 10;
    evaluation.method.size = 0;
    records_list(&records, &record.s11.evaluations, 0, &schema_evaluation,
                 &evaluation);
    REFUSED(SECTION_S11, 1);
}
END_TEST

static enum status check_other(struct other_data value)
{
    begin(SECTION_S12, LEGAL);
    value.value = records_text("riskli");
    value.authority = records_text(RECORDS_BODY);
    value.legal_basis = records_text("VM");
    value.openness = 1;
    records_list(&records, &record.s12.values, 0, &schema_other_data, &value);
    return check(SECTION_S12);
}

/* T-R-5.1.12 */
START_TEST(T_R_5_1_12_a_risk_rests_on_a_decision_and_types_are_registered)
{
    struct other_data value = {
        .type = 1, .from = TODAY - 9, .decision = records_text("Q")};

    ck_assert_uint_eq(check_other(value), ST_OK);
    value.to = TODAY - 10;
    ck_assert_uint_eq(check_other(value), ST_BAD_FIELD);
    value.to = TODAY;
    ck_assert_uint_eq(check_other(value), ST_OK);
    value.type = 2;
    ck_assert_uint_eq(check_other(value), ST_BAD_FIELD);
    ck_assert_uint_eq(finding.field, 1);
    value.type = 1;
    value.decision.size = 0;
    ck_assert_uint_eq(check_other(value), ST_BAD_FIELD);
}
END_TEST

START_TEST(section_check_refuses_two_extensions_of_one_number)
{
    struct extension extension = {.id = 9, .value = records_text("a")};

    begin(SECTION_S08, LEGAL);
    record.s08.has_extension = true;
    records_list(&records, &record.s08.extension, 1, &schema_extension,
                 &extension);
    TAKEN(SECTION_S08, 0);
    list_add(&record.s08.extension, &records.lists[1], &schema_extension,
             &extension);
    REFUSED(SECTION_S08, 0x80 | 15);
}
END_TEST

SUITE_MAIN("section_check", section_check_takes_a_good_record_of_each_section,
           section_check_refuses_every_truncation_of_a_record,
           T_P_5_1_2_a_bad_number_class_or_date_is_refused_by_its_field,
           T_R_5_1_1_names_are_those_of_the_kind,
           T_R_5_1_1_a_representative_leaves_after_he_came,
           T_R_5_1_2_a_legal_person_has_no_residence_nor_an_individual_a_seat,
           T_R_5_1_3_the_check_digit_is_demanded_or_marked,
           T_R_5_1_4_registration_change_and_liquidation_are_ordered,
           T_R_5_1_5_contacts_have_the_form_of_their_kind,
           T_R_5_1_5_nobody_speaks_in_the_name_of_the_other_source,
           T_R_5_1_6_the_higher_of_the_two_criteria_decides,
           T_R_5_1_6_a_class_that_differs_is_marked_and_kept,
           T_R_5_1_6_in_the_first_year_the_employees_alone_decide,
           T_R_5_1_7_a_licence_expires_the_day_after_its_term,
           T_R_5_1_7_an_annulled_licence_does_not_expire,
           T_R_5_1_8_seven_digits_are_taken_and_five_are_marked,
           T_R_5_1_9_a_measure_has_its_term_and_the_kind_is_stated,
           T_R_5_1_10_foreign_support_is_reported_by_a_participant,
           T_R_5_1_10_amounts_add_up_to_the_last_qepik,
           T_R_5_1_11_the_evaluator_is_the_provider_and_names_its_period,
           T_R_5_1_12_a_risk_rests_on_a_decision_and_types_are_registered,
           section_check_refuses_two_extensions_of_one_number)
