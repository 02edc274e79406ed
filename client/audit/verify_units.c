#include "client/audit/verify_units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/audit/unit_entries.h"
#include "client/audit/verify_units_parts.h"

/* ---- One by itself ------------------------------------------------------- */

/* Several have their names before those of their files; NULL if memory is
 * short. */
static const char *verify_units_prefix(struct verify_units *at, size_t number)
{
    const char *path = at->paths[number];
    size_t size = strlen(path);
    char *prefix;

    if (at->count == 1)
        return "";
    while (size > 1 && path[size - 1] == '/')
        size--;
    prefix = malloc(size + 2);
    if (prefix == NULL)
        return NULL;
    (void)snprintf(prefix, size + 2, "%.*s/", (int)size, path);
    at->prefixes[number] = prefix;
    return prefix;
}

static bool verify_units_authority(const struct verify_units *at,
                                   const struct unit *unit)
{
    const struct verify_options *options = at->options;

    if (!options->has_authority ||
        memcmp(options->authority, unit->told.authority, PUBLIC_KEY_SIZE) == 0)
        return true;
    (void)unit_fault(unit, at->report, REPORT_NO_INDEX, "genesis",
                     "the genesis is of another authority");
    report_hashes(at->report, options->authority, unit->told.authority,
                  PUBLIC_KEY_SIZE);
    return false;
}

static bool verify_units_one(struct verify_units *at, struct unit *unit)
{
    const struct verify_options *options = at->options;
    struct unit_tiles *tiles = malloc(sizeof *tiles);
    struct unit_entries entries = {.unit = unit,
                                   .tiles = tiles,
                                   .report = at->report,
                                   .workers = at->workers,
                                   .tree_only = options->tree_only,
                                   .with_signatures = !options->no_signatures &&
                                                      !options->tree_only &&
                                                      !at->is_log,
                                   .is_counted = !at->is_log};
    bool good;

    if (tiles == NULL)
        return report_lacks_memory(at->report);
    good = unit_check_files(unit, at->report) &&
           unit_check_texts(unit, at->report, &at->verify.vouches.policy) &&
           verify_units_authority(at, unit);
    if (good) {
        unit_tiles_init(tiles, unit, at->report);
        good = unit_tiles_check(tiles) && unit_entries_check(&entries);
    }
    free(tiles);
    return good;
}

/* ---- One behind the other ------------------------------------------------ */

static bool verify_units_follows(struct verify_units *at, size_t number)
{
    const struct unit *unit = &at->units[number];
    const struct unit *before;
    uint64_t next;

    if (number == 0)
        return true;
    before = unit - 1;
    next = before->told.last + 1;
    if (unit->genesis_size != before->genesis_size ||
        memcmp(unit->genesis_bytes, before->genesis_bytes,
               unit->genesis_size) != 0)
        return unit_fault(unit, at->report, REPORT_NO_INDEX, "genesis",
                          "it is a unit of another log than the one before");
    if (unit->told.first != next) {
        const bool twice = unit->told.first < next;

        (void)unit_fault(unit, at->report, REPORT_NO_INDEX, ARCHIVE_MANIFEST,
                         twice ? "the unit has entries that one before has: it "
                                 "is there twice, or is one too many"
                               : "the unit does not begin where the one before "
                                 "ends");
        report_numbers(at->report, next, unit->told.first);
        at->report->verdict = REPORT_INCOMPLETE;
        report_reason(at->report,
                      twice ? REPORT_REASON_TWICE : REPORT_REASON_GAP);
        return false;
    }
    if (memcmp(unit->told.leaf_before, before->told.leaf_after, HASH_SIZE) !=
        0) {
        (void)unit_fault(unit, at->report, REPORT_NO_INDEX, ARCHIVE_MANIFEST,
                         "the unit does not follow the one before");
        report_hashes(at->report, before->told.leaf_after,
                      unit->told.leaf_before, HASH_SIZE);
        return false;
    }
    return true;
}

/* Alone they are judged by their own checkpoint, and by nothing that speaks of
 * the log. */
static enum status verify_units_evidence(const struct verify_units *at)
{
    if (at->is_log)
        return verify_silent(at->report, at->options, VERIFY_OF_ENTRY, "units");
    return verify_silent(
        at->report, at->options,
        VERIFY_OF_HEAD | VERIFY_OF_LEAF | VERIFY_OF_RECEIPTS |
            VERIFY_OF_CHECKPOINT | VERIFY_OF_ENTRY | VERIFY_OF_RESUME,
        at->options->tree_only ? "units of which the tree alone is asked for"
                               : "units that do not begin at entry 0");
}

static enum status verify_units_each(struct verify_units *at)
{
    const struct verify_options *options = at->options;

    for (size_t i = 0; i < at->count; i++) {
        struct unit *unit = &at->units[i];
        const char *prefix = verify_units_prefix(at, i);
        enum status status =
            prefix == NULL ? ST_EXHAUSTED
                           : unit_open(unit, at->report, at->paths[i], prefix);

        if (status == ST_DISK_FAILED && at->count > 1) {
            (void)unit_unreadable(unit, at->report, "");
            return ST_OK;
        }
        if (status != ST_OK)
            return status;
        if (i == 0)
            at->is_log = !at->report->fault.found && !options->tree_only &&
                         unit->told.first == 0;
        if (i == 0 && !at->report->fault.found)
            status = verify_units_evidence(at);
        if (status != ST_OK)
            return status;
        if (at->report->fault.found || !verify_units_one(at, unit) ||
            !verify_units_follows(at, i))
            return at->report->lacks_memory ? ST_EXHAUSTED : ST_OK;
        memcpy(at->report->manifest, unit->hash, HASH_SIZE);
        unit_slim(unit);
        if (options->progress != NULL)
            options->progress(options->context, i + 1,
                              at->count * (at->is_log ? 2 : 1));
    }
    return ST_OK;
}

/* ---- What is told of them ------------------------------------------------ */

static void verify_units_alone(struct verify_units *at)
{
    const struct unit *last = &at->units[at->count - 1];
    struct report *report = at->report;

    memcpy(report->authority_key, last->told.authority, PUBLIC_KEY_SIZE);
    memcpy(report->cluster_id, last->told.cluster_id, CLUSTER_ID_SIZE);
    memcpy(report->leaf, last->told.leaf_after, HASH_SIZE);
    memcpy(report->root, last->told.root, HASH_SIZE);
    report->has_genesis = true;
    if (vouch_stands(&last->checkpoint))
        report->covered = last->told.last + 1;
    if (report->covered == 0)
        report_reason(report, REPORT_REASON_END);
    if (!at->options->has_authority)
        report_unchecked(report, REPORT_UNCHECKED_AUTHORITY);
    if (at->options->no_signatures)
        report_unchecked(report, REPORT_UNCHECKED_SIGNATURES);
    report_unchecked(report, at->options->tree_only ? REPORT_UNCHECKED_TREE_ONLY
                                                    : REPORT_UNCHECKED_BEFORE);
    for (size_t i = 0; i < at->count; i++) {
        if (at->units[i].cosigners_count > 0)
            report_unchecked(report, REPORT_UNCHECKED_COSIGNERS);
    }
    report_unchecked(report, REPORT_UNCHECKED_COUNTS);
    report_unchecked(report, REPORT_UNCHECKED_SEALED);
    report_unchecked(report, REPORT_UNCHECKED_OUTCOMES);
    report_unchecked(report, REPORT_UNCHECKED_END);
}

static void verify_units_told(struct verify_units *at)
{
    const struct vouch *vouch = &at->units[at->count - 1].checkpoint;
    struct report *report = at->report;

    if (report->checkpoints_count < REPORT_CHECKPOINTS_MAX) {
        struct report_checkpoint *told =
            &report->checkpoints[report->checkpoints_count++];

        *told = vouch->told;
        (void)snprintf(told->file, sizeof told->file, "%s%s",
                       at->units[at->count - 1].prefix, VERIFY_CHECKPOINT);
    }
    if (vouch_is_alone(&at->verify.vouches.policy))
        report_unchecked(report, REPORT_UNCHECKED_WITNESS);
    if (vouch->told.quorum == REPORT_QUORUM_NOT)
        report_reason(report, REPORT_REASON_QUORUM);
}

/* Whether they are all that should be there. */
static void verify_units_whole(struct verify_units *at)
{
    const struct verify_options *options = at->options;
    struct report *report = at->report;

    if (options->stray != NULL) {
        if (report_fault(report, REPORT_INCOMPLETE, REPORT_NO_INDEX,
                         "it has no manifest"))
            (void)snprintf(report->fault.file, sizeof report->fault.file, "%s",
                           options->stray);
        report_reason(report, REPORT_REASON_STRAY);
    }
    if (options->is_whole && at->units[0].told.first != 0)
        report_reason(report, REPORT_REASON_FIRST);
}

static enum status verify_units_all(struct verify_units *at)
{
    struct report *report = at->report;
    enum status status = verify_units_each(at);

    if (status != ST_OK)
        return status;
    verify_units_whole(at);
    report->units = at->count;
    report->authority_trusted = at->options->has_authority;
    if (report->fault.found)
        return ST_OK;
    report->first = at->units[0].told.first;
    report->last = at->units[at->count - 1].told.last;
    if (at->is_log)
        status = verify_units_log(at);
    else
        verify_units_alone(at);
    if (status == ST_OK)
        verify_units_told(at);
    return status;
}

void verify_units_close(struct unit *units, size_t count)
{
    for (size_t i = 0; units != NULL && i < count; i++)
        unit_close(&units[i]);
    free(units);
}

static enum status verify_units_begin(struct verify_units *at)
{
    at->units = calloc(at->count, sizeof *at->units);
    at->prefixes = calloc(at->count, sizeof *at->prefixes);
    if (at->units == NULL || at->prefixes == NULL)
        return ST_EXHAUSTED;
    return workers_open(&at->workers, at->options->threads);
}

/* All but the units themselves, which outlive their names. */
static void verify_units_end(struct verify_units *at)
{
    workers_close(at->workers);
    for (size_t i = 0; i < at->count; i++) {
        if (at->units != NULL)
            at->units[i].prefix = "";
        if (at->prefixes != NULL)
            free(at->prefixes[i]);
    }
    free(at->prefixes);
}

enum status verify_units_keep(struct unit **units_out,
                              struct report *report_out,
                              const struct verify_options *options)
{
    char *const alone[] = {(char *)(uintptr_t)options->directory};
    struct verify_units at = {.options = options, .report = report_out};
    enum status status;

    memset(report_out, 0, sizeof *report_out);
    report_out->kind = REPORT_UNIT;
    at.count = options->units_count > 0 ? options->units_count : 1;
    at.paths = options->units_count > 0 ? options->units : alone;
    *units_out = NULL;
    if (at.count > ARCHIVE_UNITS_MAX)
        return ST_TOO_LARGE;
    status = verify_outside(&at.verify, report_out, options);
    if (status != ST_OK || report_out->fault.found) {
        verify_close(&at.verify);
        return status;
    }
    status = verify_units_begin(&at);
    if (status == ST_OK)
        status = verify_units_all(&at);
    verify_close(&at.verify);
    verify_units_end(&at);
    *units_out = at.units;
    return status;
}

enum status verify_units(struct report *report_out,
                         const struct verify_options *options)
{
    const size_t count = options->units_count > 0 ? options->units_count : 1;
    struct unit *units;
    enum status status = verify_units_keep(&units, report_out, options);

    verify_units_close(units, count);
    return status;
}
