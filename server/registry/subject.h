/*
 * subject.h: subjects, their cabinets and the heads of their sections.
 *
 * A subject is opened with its cabinet in one row, so that there are as many
 * cabinets as subjects (P-3.3).  Nothing ever removes one.
 */
#ifndef DEFTER_SERVER_REGISTRY_SUBJECT_H
#define DEFTER_SERVER_REGISTRY_SUBJECT_H

#include "server/registry/act.h"

enum subject_kind { SUBJECT_LEGAL = 1, SUBJECT_INDIVIDUAL = 2 };
enum subject_state {
    SUBJECT_ACTIVE = 1,
    SUBJECT_OUT_OF_SCOPE = 2,
    SUBJECT_CLOSED = 3,
    SUBJECT_ERASED = 4 /* An act destroyed its records. */
};

#define SECTION_BIT(number) ((uint16_t)(1u << ((number)-1)))

/* Bytes of subject.heads: two numbers a section, and the own contacts. */
enum { SUBJECT_HEADS_SIZE = SECTIONS_COUNT * 8 + 4 };

/* A subject's row, and its heads as numbers; index: section - 1. */
struct subject {
    struct row_subject row; /* Its heads slice is not used. */
    uint32_t current[SECTIONS_COUNT];
    uint32_t newest[SECTIONS_COUNT];
    /* Contacts that the subject itself declared stand beside the provider's
     * their current version of S05; 0 none. */
    uint32_t own_contacts;
};

/*
 * subject_load(act, subject_out, voen):
 * Returns: true; false if there is no such subject.
 */
bool subject_load(struct act *act, struct subject *subject_out, uint64_t voen);

/* Write the row and the heads of a subject that has a row. */
void subject_store(struct act *act, const struct subject *subject);

/*
 * subject_check_voen(act, kind_out, flags_out, voen):
 * Ten digits whose last names the kind of subject, and whose ninth agrees with
 * the first eight: by the setting voen_strict the last is demanded, or marked
 * in ${*flags_out} (VERSION_FLAG_VOEN).
 *
 * Returns: ST_OK; ST_BAD_VOEN.
 */
NODISCARD enum status subject_check_voen(struct act *act, uint8_t *kind_out,
                                         uint16_t *flags_out, uint64_t voen);

/*
 * subject_create(act, subject_out, voen, kind, opened):
 * The subject and its cabinet.
 *
 * Requires: subject_check_voen(${voen}) gave ${kind}; there is no such subject.
 */
void subject_create(struct act *act, struct subject *subject_out, uint64_t voen,
                    uint8_t kind, int32_t opened);

/* Close a subject: its grants end, all else is kept. */
void subject_end(struct act *act, struct subject *subject, int32_t closed);

#endif
