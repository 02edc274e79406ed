/*
 * version.h: versions of sections, and what follows when one becomes current.
 *
 * Versions of a section are numbered from 1 and never removed.  One is current;
 * of S05 a second one may be, which the subject itself declared.
 */
#ifndef DEFTER_SERVER_REGISTRY_VERSION_H
#define DEFTER_SERVER_REGISTRY_VERSION_H

#include "server/registry/section_check.h"
#include "server/registry/subject.h"

enum version_state {
    VERSION_PENDING = 1,
    VERSION_CURRENT = 2,
    VERSION_FORMER = 3,
    VERSION_RETURNED = 4
};

/* A version's record as it was put; lent by services->open_item. */
struct version_content {
    struct slice record;
    struct slice provider_record;
};

/*
 * version_open(act, content_out, row):
 * Returns: ST_OK; ST_ERASED if its key was destroyed.
 */
NODISCARD enum status version_open(struct act *act,
                                   struct version_content *content_out,
                                   const struct row_version *row);

/*
 * version_decode(act, record_out, row):
 * version_open(), and the record decoded by its section.
 */
NODISCARD enum status version_decode(struct act *act,
                                     union section_record *record_out,
                                     const struct row_version *row);

/* The head that a version of ${section} come by ${path} moves. */
uint32_t *version_head(struct subject *subject, uint8_t section, uint8_t path);

/*
 * version_current(act, row_out, subject, section, path):
 * Returns: true; false if ${section} has no current version come that way
 *          (PATH_SELF, or any other).
 */
bool version_current(struct act *act, struct row_version *row_out,
                     struct subject *subject, uint8_t section, uint8_t path);

/* True if a version of ${section} changes more than its head when it becomes
 * current, so that version_settle() must be given its record. */
bool version_has_effects(uint8_t section);

/*
 * version_add(act, subject, row):
 * The next version of row->section, in the state row->state; its number is set
 * in ${row}.  The caller stores ${subject}.
 *
 * Requires: row->state is VERSION_PENDING or VERSION_CURRENT; the latter is
 *           followed by version_settle().
 */
void version_add(struct act *act, struct subject *subject,
                 struct row_version *row);

/*
 * version_settle(act, subject, row, record):
 * Make ${row} what is current: the version before it becomes former, S01
 * replaces the representatives, S04 may close the subject, S06 moves it in or
 * out of the scope.  The caller stores ${subject}.
 *
 * Requires: ${record} is given where version_has_effects().
 */
void version_settle(struct act *act, struct subject *subject,
                    const struct row_version *row,
                    const union section_record *record);

/* All names of a record of S01, and blanks between them. */
enum { VERSION_NAME_SIZE_MAX = 512 + 128 + 3 * 64 + 4 };

/* The names of ${record} as one text; gives its size. */
size_t version_name(uint8_t out[VERSION_NAME_SIZE_MAX],
                    const struct record_s01 *record);

/* Let ${subject} be found by the names of ${record}, where there is an index;
 * version_settle() does it. */
void version_index(struct act *act, uint64_t subject,
                   const struct record_s01 *record);

/* Fill an empty index from the current names of all subjects, as a node does
 * when it starts; ${act} needs no more than its state and services. */
void version_index_all(struct act *act);

/*
 * version_scene(act, scene_out, subject, section, path):
 * What a record of ${section} about ${subject} is judged against, when the
 * act's organisation (or the subject itself) puts it now.  ${subject} may have
 * no row yet; its voen and kind are set.
 *
 * Owns: scene_out->provider is lent by the organisations' table.
 */
void version_scene(struct act *act, struct section_scene *scene_out,
                   struct subject *subject, uint8_t section, uint8_t path);

/* Nobody may act for the subject by section S01 any more. */
void version_forget_representatives(struct act *act, uint64_t voen);

#endif
