/*
 * section.h: reading and writing the sections of one subject.
 */
#ifndef DEFTER_SERVER_REGISTRY_SECTION_H
#define DEFTER_SERVER_REGISTRY_SECTION_H

#include "server/registry/act.h"

/*
 * section_collect(act, list_out, subject, sections, provider):
 * The current versions of ${sections} as version_row elements for a result,
 * gathered in act->space, records byte for byte as they were put.  Sections
 * without a current version are left out.  ${provider} other than 0 leaves out
 * what other organisations supplied.  Where a subject declared contacts of its
 * own, S05 gives two rows.
 *
 * Returns: ST_OK; ST_NO_SUCH if there is no such subject; ST_ERASED if a record
 *          was destroyed.
 * Owns:    the list borrows act->space, which takes nothing until the result is
 *          encoded.
 */
NODISCARD enum status section_collect(struct act *act, struct list *list_out,
                                      uint64_t subject, uint16_t sections,
                                      uint32_t provider);

/*
 * section_may_read(act, consent_out, sections, consent, file_number):
 * Whether the signer may read ${sections} of act->subject: its own persons, the
 * holder of a grant, the owner's staff for a purpose and a file, a supplier
 * what it supplied.  consent_out->number is 0 unless a case was used.
 *
 * Returns: ST_OK; ST_NOT_SELF, ST_NO_GRANT and ST_NO_PURPOSE, alike whether
 *          the subject exists or not; ST_OUT_OF_SCOPE, and for a
 *          supplier that has nothing current of it ST_NO_SUCH.
 */
NODISCARD enum status section_may_read(struct act *act,
                                       struct row_consent *consent_out,
                                       uint16_t sections, uint32_t consent,
                                       struct slice file_number);

/* What is marked of a version whose record is ${record}, seen on ${day}: some
 * flags change with the day. */
uint16_t section_flags(const struct row_version *row, struct slice record,
                       int32_t day);

#endif
