/*
 * verify_units_parts.h: what the files of the verifier of units share.
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_UNITS_PARTS_H
#define DEFTER_CLIENT_AUDIT_VERIFY_UNITS_PARTS_H

#include "client/audit/unit.h"
#include "client/audit/verify_parts.h"

struct verify_units {
    const struct verify_options *options;
    struct report *report;
    struct verify verify;
    struct workers *workers;
    char *const *paths;
    size_t count;
    struct unit *units;
    char **prefixes; /* Of names in the report. */
    bool is_log;     /* They begin at entry 0. */
};

/*
 * verify_units_log(at):
 * Judge the units as the log that they are together, and what it says of them.
 *
 * Requires: they begin at entry 0, and each was good by itself.
 * Returns:  what verify_given() returns.
 */
NODISCARD enum status verify_units_log(struct verify_units *at);

#endif
