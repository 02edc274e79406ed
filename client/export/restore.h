/*
 * restore.h: the files of a log, made again from archive units, bit by bit
 * (LOG-FORMAT, section 4).
 */
#ifndef DEFTER_CLIENT_EXPORT_RESTORE_H
#define DEFTER_CLIENT_EXPORT_RESTORE_H

#include "client/audit/verify.h"

struct restore_result {
    uint64_t entries_count;
    uint64_t segments_count;
    uint8_t leaf[HASH_SIZE]; /* Of the last entry. */
    bool is_judged; /* The units are good enough; what fails then is writing, or
                       that they are no longer what they were. */
};

/*
 * restore_log(result_out, report, options, target, incomplete):
 * Verify the units as ${options} say, and write their entries as segments into
 * ${target}/log, which must not be there.
 *
 * Returns: ST_OK if all was written; ST_PROOF if nothing was, because the
 *          report says that the units are tampered with, cannot be read, have
 *          gaps or do not begin at entry 0, or, unless ${incomplete} says that
 *          this is no matter, for any other reason are not good; ST_EXISTS;
 * ST_BAD_FIELD for a segment size that no log has; ST_DISK_FULL;
 * ST_DISK_FAILED; what verify_given() returns.
 */
NODISCARD enum status restore_log(struct restore_result *result_out,
                                  struct report *report,
                                  const struct verify_options *options,
                                  const char *target, bool incomplete);

#endif
