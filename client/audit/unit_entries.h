/*
 * unit_entries.h: the entries of an archive unit, by themselves: that they are
 * the leaves of its tiles, follow each other, and are signed with the keys that
 * they name.
 */
#ifndef DEFTER_CLIENT_AUDIT_UNIT_ENTRIES_H
#define DEFTER_CLIENT_AUDIT_UNIT_ENTRIES_H

#include "client/audit/unit_tiles.h"
#include "client/audit/verify.h"
#include "client/audit/workers.h"

struct unit_entries {
    struct unit *unit; /* All four borrowed. */
    struct unit_tiles *tiles;
    struct report *report;
    struct workers *workers;
    bool tree_only;
    bool with_signatures;
    bool is_counted; /* In the report, which otherwise the judge fills. */
};

/* Read all bundles once. */
NODISCARD bool unit_entries_check(const struct unit_entries *checking);

#endif
