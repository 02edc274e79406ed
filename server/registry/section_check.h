/*
 * section_check.h: what a record must be to become a version of its section.
 *
 * The schema has judged each value alone; here the record is judged as a whole
 * and against the subject it speaks of (P-5.1.2, R-5.1.1 to ).
 */
#ifndef DEFTER_SERVER_REGISTRY_SECTION_CHECK_H
#define DEFTER_SERVER_REGISTRY_SECTION_CHECK_H

#include "protocol/catalogue.h"

/* How a version came: version_row.path. */
enum section_path {
    PATH_EHIS = 1,
    PATH_SUBMISSION = 2,
    PATH_OWNER = 3,
    PATH_SELF = 4
};

/* VERSION_FLAGS, bit by bit. */
enum section_flag {
    FLAG_CLASS_DIFFERS = 1,
    FLAG_VOEN_DIFFERS = 2,
    FLAG_LEGACY_CODE = 4,
    FLAG_EXPIRED = 8,
    FLAG_DISPUTED = 16,
    FLAG_LATE = 32
};

enum size_class {
    CLASS_UNKNOWN = 0,
    CLASS_MICRO = 1,
    CLASS_SMALL = 2,
    CLASS_MEDIUM = 3,
    CLASS_LARGE = 4
};

/* What a record is judged against. */
struct section_scene {
    uint64_t subject;
    uint8_t kind; /* enum subject_kind */
    uint8_t path; /* enum section_path */
    bool voen_strict;
    int32_t today;
    bool registered_known;
    int32_t registered;    /* By the current S04. */
    struct slice provider; /* Name of the organisation; for S11 only. */
};

/* A decoded record of any section. */
union section_record {
#define SECTION(number, lower, UPPER, english, azerbaijani) \
    struct record_##lower lower;
    SECTION_LIST(SECTION)
#undef SECTION
};

struct section_finding {
    uint16_t field; /* Of the record, at fault: tag + 0x80 for a TLV. */
    uint16_t flags; /* enum section_flag, of a good record. */
};

/*
 * section_check(scene, record_out, finding_out, section, input):
 * Decode ${input} as a record of ${section} and judge it.
 *
 * Requires: section is 1 to SECTIONS_COUNT.
 * Returns:  ST_OK; ST_BAD_VOEN for a taxpayer number that is not the
 *           subject's; ST_BAD_FIELD and the decoder's statuses.
 * Owns:     ${record_out} borrows ${input}.
 */
NODISCARD enum status section_check(const struct section_scene *scene,
                                    union section_record *record_out,
                                    struct section_finding *finding_out,
                                    uint8_t section, struct slice input);

/* Names the member of the record at ${offset} as the field at fault.
 * Returns: ST_BAD_FIELD. */
enum status section_check_refuse(struct section_finding *finding,
                                 const struct schema *schema, size_t offset);
#define SECTION_REFUSE(finding, lower, member)              \
    section_check_refuse((finding), &schema_record_##lower, \
                         offsetof(struct record_##lower, member))

/*
 * section_check_class(employees, income, employees_only):
 * Size class by the higher of the two criteria (Cabinet decision 556 of 2018);
 * by the employees alone in a subject's first year.
 * UINT32_MAX employees and an ${income} of -1 qepik are not stated.
 */
enum size_class section_check_class(uint32_t employees, int64_t income,
                                    bool employees_only);

/* True if ${record} of S07 holds a licence whose term is over on ${today}. */
bool section_check_expired(const struct record_s07 *record, int32_t today);

#endif
