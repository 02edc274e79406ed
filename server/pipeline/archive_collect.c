#include "server/pipeline/archive_collect.h"

#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"

void archive_collect_begin(struct archive_collect *collect, uint64_t first)
{
    memset(collect, 0, sizeof *collect);
    collect->first = first;
    collect->now.size = collect->whole.size = first;
}

void archive_collect_add(struct archive_collect *collect,
                         const struct entry *entry)
{
    REQUIRE(entry->place.index == collect->now.size);
    if (entry->place.index == collect->first)
        collect->begun = entry->place.log_time;
    collect->now.size++;
    collect->now.bytes += entry->bytes.size;
    collect->now.categories[entry->place.category - CATEGORY_MIN]++;
    if (collect->now.size % TILE_WIDTH_MAX == 0)
        collect->whole = collect->now;
}

const struct archive_counts *archive_collect_due(
    const struct archive_collect *collect, uint64_t bytes_max, int64_t days_max,
    int64_t now)
{
    const bool is_whole = collect->whole.size > collect->first;
    const struct archive_counts *counts =
        is_whole ? &collect->whole : &collect->now;

    if (collect->now.size == collect->first)
        return NULL;
    if (bytes_max > 0 && is_whole && collect->whole.bytes >= bytes_max)
        return counts;
    /* A unit's bundles are bounded, whatever the settings say. */
    if (collect->now.size - collect->first >=
        (uint64_t)(ARCHIVE_BUNDLES_MAX - 2) * TILE_WIDTH_MAX)
        return counts;
    return days_max > 0 && now - collect->begun >= days_max * DATES_US_PER_DAY
               ? counts
               : NULL;
}
