/*
 * units_due.h: the archive units that a log says there are and a directory
 * lacks, made there: what a timer calls (OPERATING, the archive).
 *
 * A unit is made as unit-NUMBER.part and renamed when it is whole, so a run may
 * be killed at any instant and the next one goes on.  One run at a time has the
 * the directory; a unit that is there is never made again.
 *
 * The manifest of a unit names a checkpoint.  One that an archivist sealed can
 * therefore not come out again by a newer one: where it is missing it is named
 * and passed over, unless the caller names the checkpoint that it was made by.
 */
#ifndef DEFTER_CLIENT_EXPORT_UNITS_DUE_H
#define DEFTER_CLIENT_EXPORT_UNITS_DUE_H

#include "client/export/unit_export.h"

struct archive_record;

struct units_due_options {
    const char *directory;  /* The node's, or its log's. */
    const char *checkpoint; /* File; NULL: the node's own. */
    const char *policy;     /* File to put into the units; NULL: none. */
    const char *target;     /* Where units lie; made if it is not there. */
    unsigned threads;       /* 0: one for each core. */
    void *context;
    /* May be NULL; is called for each unit that was made. */
    void (*made)(void *context, const struct archive_unit *unit,
                 const char *path, const uint8_t manifest_hash[HASH_SIZE]);
    /* May be NULL; is called for each sealed unit that is missing. */
    void (*missing)(void *context, const struct archive_record *record);
};

struct units_due_result {
    uint64_t made_count;
    uint64_t there_count;   /* Were there already. */
    uint64_t missing_count; /* Sealed, and not there. */
    uint64_t waiting_count; /* The checkpoint does not cover them yet. */
    uint64_t number;        /* Of the unit that failed; 0: none did. */
    const char *what;       /* Why; NULL. */
    struct report *report;  /* Of the log; the caller's. */
};

/*
 * units_due(result, options):
 * Make the units of all archive records that attestations show to be done.
 * A unit that is not as it has to be leaves nothing behind.
 *
 * Requires: result->report is set.
 * Returns:  ST_OK; ST_WRONG_STATE if another run has the directory; ST_EXISTS
 *           if what lies at a unit's place is not the unit of its record;
 *           ST_CHECKSUM also if a unit is not what its record says; as
 *           unit_export().
 * Order:    after sodium_init().
 */
NODISCARD enum status units_due(struct units_due_result *result,
                                const struct units_due_options *options);

#endif
