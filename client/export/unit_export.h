/*
 * unit_export.h: archive units, made from a log (ARCHIVE-FORMAT).
 *
 * The log is read from its beginning, so that nothing is archived that does not
 * lead to the checkpoint's root, or that is not signed with a key that the log
 * has named; signatures of commands are left to whoever verifies the unit.
 */
#ifndef DEFTER_CLIENT_EXPORT_UNIT_EXPORT_H
#define DEFTER_CLIENT_EXPORT_UNIT_EXPORT_H

#include "client/audit/report.h"
#include "protocol/archive_unit.h"

struct unit_export_options {
    const char *directory;  /* The node's, or its log's. */
    const char *checkpoint; /* File; NULL: the node's own. */
    const char *policy;     /* File to put into the unit; NULL: none. */
    /* A unit's directory; with a rule, one with a directory for each. */
    const char *target;
    uint64_t number; /* Of the first unit. */
    uint64_t first;
    uint64_t last; /* UINT64_MAX: the checkpoint's last entry. */
    /* A rule: a unit ends with the bundle that reaches one of these. */
    uint64_t bytes_max; /* 0: no such limit. */
    uint64_t days_max;
    unsigned threads; /* 0: one for each core. */
    void *context;
    /* May be NULL; is called now and then. */
    void (*progress)(void *context, uint64_t passed, uint64_t total);
    /* May be NULL; is called for each unit when it is whole. */
    void (*made)(void *context, const struct archive_unit *unit,
                 const char *path, const uint8_t manifest_hash[HASH_SIZE]);
};

struct unit_export_result {
    uint64_t units_count;
    uint64_t entries_count;
    uint64_t bytes_count;  /* Of the entries. */
    uint64_t packed_size;  /* Of the bundles' files. */
    uint64_t plain_size;   /* Of what is in them. */
    const char *what;      /* Why it was refused; NULL. */
    struct report *report; /* Of the log; the caller's. */
};

/*
 * unit_export(result, options):
 * Write the units.  Those that were made stay there when one fails.
 *
 * Requires: result->report is set.
 * Returns:  ST_OK; ST_NO_FILE if there is no log, or the target's parent is
 *           not there; ST_ORIGIN if there is no checkpoint, or none of this
 *           log; ST_BAD_FIELD for a range that the checkpoint does not cover;
 *           ST_EXISTS if the target is not empty; ST_LOST if the log ends
 *           before the checkpoint; ST_CHECKSUM if the log has a fault, which
 *           stands in the report; ST_TOO_LARGE; ST_FILE_FORMAT for a policy
 *           that is none; ST_DISK_FULL; ST_DISK_FAILED; ST_EXHAUSTED if
 *           memory is short.
 * Order:    after sodium_init().
 */
NODISCARD enum status unit_export(struct unit_export_result *result,
                                  const struct unit_export_options *options);

#endif
