#include <stdio.h>
#include <string.h>

#include "client/audit/judge_parts.h"

static void judge_place_fault(struct judge *judge, enum report_verdict verdict,
                              struct walk_place place, const char *what)
{
    char name[SOURCE_NAME_SIZE];
    struct report_fault *fault = &judge->report->fault;

    if (!report_fault(judge->report, verdict, judge->tree.size, what))
        return;
    source_name(judge->source, name, place.segment);
    (void)snprintf(fault->file, sizeof fault->file, "%s", name);
    fault->offset = place.offset;
}

/* Bytes that no entry has: an unfinished end, or damage in the midst. */
static void judge_tail(struct judge *judge, struct walk_place place,
                       const char *what)
{
    bool goes_on;
    enum status status =
        source_goes_on(judge->source, &goes_on, place, judge->tree.size);

    if (status != ST_OK) {
        (void)judge_give_up(judge, status);
        return;
    }
    if (goes_on) {
        judge_place_fault(judge, REPORT_TAMPERED, place, what);
        return;
    }
    judge_place_fault(judge, REPORT_INCOMPLETE, place, what);
    report_reason(judge->report, REPORT_REASON_TORN);
}

void judge_stop(struct judge *judge, const struct walk_batch *batch)
{
    struct walk_place place = batch->stop_place;
    bool is_last = source_is_last(judge->source, place.segment);

    switch (batch->stop) {
    case WALK_MORE:
    case WALK_DONE:
        return;
    case WALK_HEADER:
        judge_place_fault(judge, REPORT_TAMPERED, place,
                          "a segment's header is damaged");
        return;
    case WALK_FRAME:
        judge_tail(judge, place, "no entry can begin so");
        return;
    case WALK_NOT_ZERO:
        judge_tail(judge, place, "behind the last entry is something");
        return;
    case WALK_TRUNCATED:
        judge_place_fault(judge, is_last ? REPORT_INCOMPLETE : REPORT_TAMPERED,
                          place,
                          judge->source->walk != NULL
                              ? "the file is shorter than its header says"
                              : "the bundle ends before its last entry");
        if (is_last)
            report_reason(judge->report, REPORT_REASON_TORN);
        return;
    case WALK_TOO_LONG:
        judge_place_fault(judge, REPORT_TAMPERED, place,
                          judge->source->walk != NULL
                              ? "the file is longer than its header says"
                              : "behind the bundle's last entry is something");
        return;
    case WALK_MISSING:
        judge_place_fault(judge, REPORT_TAMPERED, place,
                          "the bundle is missing");
        return;
    case WALK_UNREADABLE:
        judge_place_fault(judge, REPORT_INCOMPLETE, place,
                          judge->source->walk != NULL
                              ? "the segment is no plain file, or cannot be "
                                "read"
                              : "the bundle is no plain file, or cannot be "
                                "read");
        report_reason(judge->report, REPORT_REASON_UNREADABLE);
        return;
    case WALK_EXHAUSTED:
        (void)judge_give_up(judge, ST_EXHAUSTED);
        return;
    }
}

/* Something from outside names an entry that is not here. */
static void judge_missing(struct judge *judge, const char *what,
                          uint64_t expected)
{
    struct report_fault *fault = &judge->report->fault;
    struct report_fault before = *fault;
    char name[SOURCE_NAME_SIZE] = "";

    fault->found = false;
    (void)report_fault(judge->report, REPORT_TAMPERED, judge->tree.size, what);
    if (before.found) {
        memcpy(fault->file, before.file, sizeof fault->file);
        fault->offset = before.offset;
    } else if (judge->source->walk != NULL || judge->tree.size > 0) {
        source_name(judge->source, name, judge->place.segment);
        (void)snprintf(fault->file, sizeof fault->file, "%s", name);
        fault->offset = judge->place.offset;
    }
    report_numbers(judge->report, expected, judge->tree.size);
}

/* The longest log that a checkpoint speaks of. */
static uint64_t judge_vouched_size(const struct judge *judge)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < judge->vouches->count; i++) {
        if (judge->vouches->all[i].checkpoint.size > size)
            size = judge->vouches->all[i].checkpoint.size;
    }
    return size;
}

static void judge_outside(struct judge *judge)
{
    const struct verify_options *options = judge->options;
    const struct receipts *receipts = &judge->receipts;

    /* What cannot be read may hold what seems to be missing. */
    if (judge->report->verdict == REPORT_TAMPERED || judge->status != ST_OK ||
        (judge->report->reasons >> REPORT_REASON_UNREADABLE & 1) != 0)
        return;
    if (receipts->next > 0 &&
        receipts->rows[receipts->next - 1].index >= judge->report->covered)
        judge->report->covered = receipts->rows[receipts->next - 1].index + 1;
    if (options->has_head && options->head_size > judge->tree.size)
        judge_missing(judge, "the log ends before the expected head",
                      options->head_size);
    else if (!judge_vouches_end(judge))
        judge_missing(judge, "the log ends before the checkpoint",
                      judge_vouched_size(judge));
    else if (options->resume.size > judge->tree.size)
        judge_missing(judge,
                      "the log ends before the size that an earlier run "
                      "verified",
                      options->resume.size);
    else if (receipts->next < receipts->count)
        judge_missing(
            judge,
            report_is_lost(judge->report, receipts->rows[receipts->next].index)
                ? "the log ends before an entry that a receipt names, and "
                  "that is among those declared lost (FORCED)"
                : "the log ends before an entry that a receipt names",
            receipts->rows[receipts->count - 1].index + 1);
    else if (options->has_leaf && !judge->is_leaf_seen)
        judge_missing(judge, "no entry has the expected leaf hash",
                      judge->tree.size + 1);
}

static void judge_not_checked(struct judge *judge)
{
    struct report *report = judge->report;

    if (!judge->options->has_authority)
        report_unchecked(report, REPORT_UNCHECKED_AUTHORITY);
    if (judge->options->resume.size > 0)
        report_unchecked(report, REPORT_UNCHECKED_RESUMED);
    if (judge->options->tree_only) {
        report_unchecked(report, REPORT_UNCHECKED_TREE_ONLY);
        report_unchecked(report, REPORT_UNCHECKED_END);
        return;
    }
    if (judge->options->no_signatures)
        report_unchecked(report, REPORT_UNCHECKED_SIGNATURES);
    if (judge->options->receipts == NULL)
        report_unchecked(report, REPORT_UNCHECKED_RECEIPTS);
    if (judge->receipts.torn_size > 0)
        report_unchecked(report, REPORT_UNCHECKED_TORN_RECEIPT);
    if (report->sealed_items > 0)
        report_unchecked(report, REPORT_UNCHECKED_SEALED);
    report_unchecked(report, REPORT_UNCHECKED_OUTCOMES);
    if (report->roots < report->attestations)
        report_unchecked(report, REPORT_UNCHECKED_ROOTS);
    if (report->attested < report->entries)
        report_unchecked(report, REPORT_UNCHECKED_TAIL);
    report_unchecked(report, REPORT_UNCHECKED_END);
}

/* Whether the log ends in a term that only its node's word makes one: a change
 * of primary, or a lineage, whose entry was not attested as done. */
static bool judge_claimed(const struct judge *judge)
{
    const struct authority *authority = &judge->authority;

    if (!judge->has_primary || authority->epoch == judge->epoch)
        return false;
    return !authority->keys.rows[judge->primary].is_node ||
           !authority_is_primary(authority, judge->primary) ||
           (judge->forced > 0 && judge->forced >= judge->decisions.size);
}

void judge_end(struct judge *judge)
{
    struct report *report = judge->report;

    report->entries = judge->tree.size;
    report->epoch = judge->epoch;
    report->keys = judge->authority.keys.count;
    report->attestations = judge->decisions.attestations_count;
    report->attested = judge->decisions.size;
    report->roots = judge->decisions.roots_count;
    report->refusals = judge->decisions.refusals_count;
    report->receipts = judge->receipts.next;
    memcpy(report->leaf, judge->leaf, HASH_SIZE);
    tree_root(&judge->tree, report->root);
    report->resumed = judge->options->resume.size;
    judge_outside(judge);
    judge_vouches_told(judge);
    if (report->covered < report->entries || report->entries == 0)
        report_reason(report, REPORT_REASON_END);
    if (report->unknown_items > 0)
        report_reason(report, REPORT_REASON_UNKNOWN);
    else if (judge->options->tree_only)
        MAYBE(report->attested == 0);
    else if (judge->decisions.is_lost ||
             report->entries - report->attested > AUDIT_UNATTESTED_MAX)
        report_reason(report, REPORT_REASON_UNATTESTED);
    if (judge_claimed(judge))
        report_reason(report, REPORT_REASON_TERM);
    if (judge->refused > 0 && judge->refused == judge->term)
        report_reason(report, REPORT_REASON_REFUSED);
    judge_not_checked(judge);
}
