/*
 * verify_units.h: the verdict on archive units (ARCHIVE-FORMAT): each by
 * itself, that each follows the one before, and, where the first begins at
 * entry 0, on the log that they are together.
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_UNITS_H
#define DEFTER_CLIENT_AUDIT_VERIFY_UNITS_H

#include "client/audit/unit.h"
#include "client/audit/verify.h"

/* See verify_given(); options->units, or the one unit options->directory. */
NODISCARD enum status verify_units(struct report *report_out,
                                   const struct verify_options *options);

/*
 * verify_units_keep(units_out, report_out, options):
 * The same; where the verdict is not REPORT_TAMPERED and nothing was left
 * unread, ${*units_out} are the units, to read their entries (joined.h).
 *
 * Owns: gives ${*units_out} for verify_units_close(), also NULL.
 */
NODISCARD enum status verify_units_keep(struct unit **units_out,
                                        struct report *report_out,
                                        const struct verify_options *options);
void verify_units_close(struct unit *units, size_t count);

#endif
