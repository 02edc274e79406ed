#include "server/registry/section_check.h"

#include <stddef.h>

#include "protocol/voen.h"
#include "server/registry/section_check_lists.h"

enum {
    KIND_LEGAL = 1, /* enum subject_kind */
    TLV_FIELD = 0x80,
    CODE_SIZE = 7,
    CODE_SIZE_LEGACY = 5,
    BY_FIRST_YEAR_RULE = 3,
    LICENCE_ANNULLED = 4
};

enum status section_check_refuse(struct section_finding *finding,
                                 const struct schema *schema, size_t offset)
{
    const struct field *rows = schema->rows();

    finding->field = 0;
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (rows[i].offset != offset)
            continue;
        finding->field = rows[i].tag == 0 ? (uint16_t)(i + 1)
                                          : (uint16_t)(rows[i].tag | TLV_FIELD);
    }
    ENSURE(finding->field != 0);
    return ST_BAD_FIELD;
}

/* Two extensions with one number would leave open which of them holds. */
static bool extensions_valid(bool present, const struct list *extensions)
{
    struct list_reader reader;
    struct extension extension;
    uint16_t seen[EXTENSIONS_MAX];
    size_t count = 0;

    if (!present)
        return true;
    list_reader_init(&reader, extensions);
    while (list_reader_next(&reader, &schema_extension, &extension)) {
        for (size_t i = 0; i < count; i++) {
            if (seen[i] == extension.id)
                return false;
        }
        INVARIANT(count < EXTENSIONS_MAX);
        seen[count++] = extension.id;
    }
    return true;
}

static enum status check_extensions(const union section_record *record,
                                    struct section_finding *finding,
                                    uint8_t section)
{
    switch ((enum section)section) {
#define SECTION(number, lower, UPPER, english, azerbaijani)  \
    case SECTION_##UPPER:                                    \
        return extensions_valid(record->lower.has_extension, \
                                &record->lower.extension)    \
                   ? ST_OK                                   \
                   : SECTION_REFUSE(finding, lower, extension);
        SECTION_LIST(SECTION)
#undef SECTION
    }
    return ST_BAD_FIELD;
}

static enum status check_representatives(struct section_finding *finding,
                                         const struct record_s01 *record)
{
    struct list_reader reader;
    struct representative person;

    list_reader_init(&reader, &record->representatives);
    while (list_reader_next(&reader, &schema_representative, &person)) {
        if (person.to != 0 && person.to < person.from)
            return SECTION_REFUSE(finding, s01, representatives);
    }
    return ST_OK;
}

/* A legal person has a name, an individual the parts of one. */
static enum status check_s01(const struct section_scene *scene,
                             struct section_finding *finding,
                             const struct record_s01 *record)
{
    bool legal = scene->kind == KIND_LEGAL;

    if (record->kind != scene->kind)
        return SECTION_REFUSE(finding, s01, kind);
    if ((record->full_name.size > 0) != legal)
        return SECTION_REFUSE(finding, s01, full_name);
    if (record->short_name.size > 0 && !legal)
        return SECTION_REFUSE(finding, s01, short_name);
    if ((record->surname.size > 0) == legal)
        return SECTION_REFUSE(finding, s01, surname);
    if ((record->given.size > 0) == legal)
        return SECTION_REFUSE(finding, s01, given);
    if (record->patronymic.size > 0 && legal)
        return SECTION_REFUSE(finding, s01, patronymic);
    if (record->fin.size > 0 && legal)
        return SECTION_REFUSE(finding, s01, fin);
    return check_representatives(finding, record);
}

static enum status check_s03(const struct section_scene *scene,
                             struct section_finding *finding,
                             const struct record_s03 *record)
{
    enum voen_verdict verdict = voen_check(record->number);

    if (record->number != scene->subject || verdict == VOEN_INVALID ||
        (verdict == VOEN_MISMATCH && scene->voen_strict)) {
        SECTION_REFUSE(finding, s03, number);
        return ST_BAD_VOEN;
    }
    if (verdict == VOEN_MISMATCH)
        finding->flags |= FLAG_VOEN_DIFFERS;
    if (record->issued > scene->today)
        return SECTION_REFUSE(finding, s03, issued);
    return ST_OK;
}

/* Registered, then changed, then liquidated; nothing of it tomorrow. */
static enum status check_s04(const struct section_scene *scene,
                             struct section_finding *finding,
                             const struct record_s04 *record)
{
    if (record->kind != scene->kind)
        return SECTION_REFUSE(finding, s04, kind);
    if (record->issued != 0 &&
        (record->issued < record->registered || record->issued > scene->today))
        return SECTION_REFUSE(finding, s04, issued);
    if (record->registered > scene->today)
        return SECTION_REFUSE(finding, s04, registered);
    if (record->changed != 0 && (record->changed < record->registered ||
                                 record->changed > scene->today))
        return SECTION_REFUSE(finding, s04, changed);
    if (record->liquidated != 0 && (record->liquidated < record->registered ||
                                    record->liquidated < record->changed ||
                                    record->liquidated > scene->today))
        return SECTION_REFUSE(finding, s04, liquidated);
    return ST_OK;
}

static enum size_class class_by_employees(uint32_t employees)
{
    if (employees == UINT32_MAX)
        return CLASS_UNKNOWN;
    if (employees <= CLASS_MICRO_EMPLOYEES_MAX)
        return CLASS_MICRO;
    if (employees <= CLASS_SMALL_EMPLOYEES_MAX)
        return CLASS_SMALL;
    if (employees <= CLASS_MEDIUM_EMPLOYEES_MAX)
        return CLASS_MEDIUM;
    return CLASS_LARGE;
}

static enum size_class class_by_income(int64_t income)
{
    const int64_t unit = QEPIK_PER_THOUSAND_MANAT;

    if (income < 0)
        return CLASS_UNKNOWN;
    if (income <= CLASS_MICRO_INCOME_MAX * unit)
        return CLASS_MICRO;
    if (income <= CLASS_SMALL_INCOME_MAX * unit)
        return CLASS_SMALL;
    if (income <= CLASS_MEDIUM_INCOME_MAX * unit)
        return CLASS_MEDIUM;
    return CLASS_LARGE;
}

enum size_class section_check_class(uint32_t employees, int64_t income,
                                    bool employees_only)
{
    enum size_class staff = class_by_employees(employees);
    enum size_class money =
        employees_only ? CLASS_UNKNOWN : class_by_income(income);

    return staff > money ? staff : money;
}

/* The date of registration decides on the first year where it is known;
 * before S04 has come, the provider's word does. */
static bool first_year(const struct section_scene *scene,
                       const struct record_s06 *record)
{
    if (!scene->registered_known)
        return record->determined_by == BY_FIRST_YEAR_RULE;
    return (int64_t)record->determined - scene->registered <
           CLASS_FIRST_YEAR_DAYS;
}

/* The provider determines the class; a doubt is marked and never corrected. */
static enum status check_s06(const struct section_scene *scene,
                             struct section_finding *finding,
                             const struct record_s06 *record)
{
    enum size_class computed;

    if (record->determined > scene->today)
        return SECTION_REFUSE(finding, s06, determined);
    computed = section_check_class(record->employees, record->income,
                                   first_year(scene, record));
    if (computed != CLASS_UNKNOWN && computed != record->class)
        finding->flags |= FLAG_CLASS_DIFFERS;
    return ST_OK;
}

static bool code_valid(struct slice code, struct section_finding *finding)
{
    if (code.size == CODE_SIZE_LEGACY)
        finding->flags |= FLAG_LEGACY_CODE;
    return code.size == CODE_SIZE || code.size == CODE_SIZE_LEGACY;
}

static enum status check_s08(struct section_finding *finding,
                             const struct record_s08 *record)
{
    struct list_reader reader;
    struct activity_code activity;

    if (!code_valid(record->main_code, finding))
        return SECTION_REFUSE(finding, s08, main_code);
    list_reader_init(&reader, &record->codes);
    while (list_reader_next(&reader, &schema_activity_code, &activity)) {
        if (!code_valid(activity.code, finding))
            return SECTION_REFUSE(finding, s08, codes);
    }
    return ST_OK;
}

static enum status check_meaning(const struct section_scene *scene,
                                 struct section_finding *finding,
                                 uint8_t section,
                                 const union section_record *record)
{
    switch ((enum section)section) {
    case SECTION_S01:
        return check_s01(scene, finding, &record->s01);
    case SECTION_S02:
        return section_check_lists_s02(scene, finding, &record->s02);
    case SECTION_S03:
        return check_s03(scene, finding, &record->s03);
    case SECTION_S04:
        return check_s04(scene, finding, &record->s04);
    case SECTION_S05:
        return section_check_lists_s05(scene, finding, &record->s05);
    case SECTION_S06:
        return check_s06(scene, finding, &record->s06);
    case SECTION_S07:
        return section_check_lists_s07(scene, finding, &record->s07);
    case SECTION_S08:
        return check_s08(finding, &record->s08);
    case SECTION_S09:
        return section_check_lists_s09(scene, finding, &record->s09);
    case SECTION_S10:
        return section_check_lists_s10(scene, finding, &record->s10);
    case SECTION_S11:
        return section_check_lists_s11(scene, finding, &record->s11);
    case SECTION_S12:
        return section_check_lists_s12(scene, finding, &record->s12);
    case SECTION_S13:
        return section_check_lists_s13(scene, finding, &record->s13);
    }
    return ST_BAD_FIELD;
}

enum status section_check(const struct section_scene *scene,
                          union section_record *record_out,
                          struct section_finding *finding_out, uint8_t section,
                          struct slice input)
{
    const struct section_info *info = section_info(section);
    struct field_error error;
    enum status status;

    REQUIRE(info != NULL);
    *finding_out = (struct section_finding){0};
    status = schema_decode(info->record, record_out, &error, input,
                           SCHEMA_REFUSE_UNKNOWN);
    if (status != ST_OK) {
        finding_out->field = (uint16_t)((error.tag & 0x7f) |
                                        (error.tag > 0x8000 ? TLV_FIELD : 0));
        return status;
    }
    status = check_extensions(record_out, finding_out, section);
    if (status == ST_OK)
        status = check_meaning(scene, finding_out, section, record_out);
    return status;
}

bool section_check_expired(const struct record_s07 *record, int32_t today)
{
    struct list_reader reader;
    struct licence licence;

    list_reader_init(&reader, &record->licences);
    while (list_reader_next(&reader, &schema_licence, &licence)) {
        if (licence.valid_to != 0 && licence.valid_to < today &&
            licence.state != LICENCE_ANNULLED)
            return true;
    }
    return false;
}
