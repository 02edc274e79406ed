/*
 * archive_collect.h: what is counted of the entries that will be the next
 * archive unit, and where that unit ends (P-7.1.4).
 *
 * A unit ends with a whole bundle of c2sp.org/tlog-tiles, or where nothing
 * fills one, with the newest entry.
 */
#ifndef DEFTER_SERVER_PIPELINE_ARCHIVE_COLLECT_H
#define DEFTER_SERVER_PIPELINE_ARCHIVE_COLLECT_H

#include "protocol/entry.h"

/* Of the entries from the unit's first up to some size. */
struct archive_counts {
    uint64_t size; /* Of the log. */
    uint64_t bytes;
    uint32_t categories[CATEGORIES_COUNT];
};

struct archive_collect {
    uint64_t first; /* UINT64_MAX: nothing was begun. */
    int64_t begun;  /* Log time of entry ${first}. */
    struct archive_counts now;
    struct archive_counts whole; /* At the last end of a bundle. */
};

/* A unit begins at entry ${first}. */
void archive_collect_begin(struct archive_collect *collect, uint64_t first);

/* Requires: the entry is the next, of index collect->now.size. */
void archive_collect_add(struct archive_collect *collect,
                         const struct entry *entry);

/*
 * archive_collect_due(collect, bytes_max, days_max, now):
 * Whether the unit is to be made at ${now}: it has ${bytes_max} bytes, or its
 * first entry is ${days_max} days old; 0 is no limit.
 *
 * Returns: what is in it; NULL if it is not.
 */
const struct archive_counts *archive_collect_due(
    const struct archive_collect *collect, uint64_t bytes_max, int64_t days_max,
    int64_t now);

#endif
