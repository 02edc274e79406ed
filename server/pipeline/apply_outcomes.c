#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"
#include "replication/need.h"
#include "server/pipeline/apply_private.h"

enum { OUTCOME_PLACE_SHIFT = 16 };

/* Extracts that entries first to last issued, in their order. */
static size_t outcomes_find(struct apply *apply,
                            uint64_t indexes[ATTEST_ENTRIES_MAX],
                            uint64_t first, uint64_t last)
{
    struct row_extract row = {.number = 0};
    struct state_scan scan;
    size_t count = 0;

    state_scan_key(apply->parts.state, &scan, TABLE_EXTRACT, &row,
                   (struct state_range){.descending = true});
    while (count < ATTEST_ENTRIES_MAX && state_scan_next(&scan, &row)) {
        uint64_t index = row.record >> OUTCOME_PLACE_SHIFT;

        if (index < first)
            break;
        if (index <= last)
            indexes[count++] = index;
    }
    state_scan_close(&scan);
    for (size_t i = 0; i < count / 2; i++) {
        uint64_t other = indexes[i];

        indexes[i] = indexes[count - 1 - i];
        indexes[count - 1 - i] = other;
    }
    return count;
}

void apply_keep_outcomes(struct apply *apply,
                         const struct op_system_attest *stated,
                         uint64_t attestation)
{
    uint64_t indexes[ATTEST_ENTRIES_MAX];
    size_t count = outcomes_find(apply, indexes, stated->first, stated->last);
    struct attestation_path *paths;

    if (count == 0)
        return;
    paths = calloc(count, sizeof *paths);
    NEED(paths != NULL);
    attest_paths(apply->attest, paths, indexes, count, stated->last);
    for (size_t i = 0; i < count; i++) {
        struct row_outcome row = {
            .index = indexes[i],
            .attestation = attestation,
            .lefts = paths[i].lefts,
            .path = slice_of(paths[i].hashes, paths[i].count * HASH_SIZE)};

        state_insert(apply->parts.state, TABLE_OUTCOME, &row);
    }
    if (apply->oldest_outcome == UINT64_MAX)
        apply->oldest_outcome = indexes[0];
    free(paths);
}

void apply_find_oldest_outcome(struct apply *apply)
{
    struct row_outcome row = {.index = 0};
    struct state_scan scan;

    state_scan_key(apply->parts.state, &scan, TABLE_OUTCOME, &row,
                   (struct state_range){.from = true});
    apply->oldest_outcome =
        state_scan_next(&scan, &row) ? row.index : UINT64_MAX;
    state_scan_close(&scan);
}

void apply_purge_outcome(struct apply *apply, uint64_t index)
{
    struct row_outcome row = {.index = index};

    if (apply->oldest_outcome != index)
        return;
    state_delete(apply->parts.state, TABLE_OUTCOME, &row);
    apply_find_oldest_outcome(apply);
}

enum status apply_outcome_of(struct apply *apply, struct apply_shown *out,
                             uint64_t index)
{
    struct row_outcome row = {.index = index};

    if (!state_get(apply->parts.state, TABLE_OUTCOME, &row))
        return index < attest_first(apply->attest) ? ST_NO_SUCH : ST_BUSY;
    INVARIANT(row.path.size <= sizeof out->path.hashes);
    memset(out, 0, sizeof *out);
    out->attestation = row.attestation;
    out->path.lefts = row.lefts;
    out->path.count = row.path.size / HASH_SIZE;
    memcpy(out->path.hashes, row.path.data, row.path.size);
    return ST_OK;
}
