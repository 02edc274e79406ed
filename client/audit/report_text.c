#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

#include "client/audit/report_parts.h"
#include "protocol/catalogue.h"
#include "protocol/dates.h"

static void text_hex(FILE *out, const char *label, const uint8_t *bytes,
                     size_t size)
{
    char hex[2 * HASH_SIZE + 1];

    REQUIRE(size <= HASH_SIZE);
    fprintf(out, "  %-12s %s\n", label,
            sodium_bin2hex(hex, sizeof hex, bytes, size));
}

/* Names from outside do nothing to the terminal that shows them. */
static void text_name(FILE *out, const char *name)
{
    for (const unsigned char *at = (const unsigned char *)name; *at != '\0';
         at++) {
        if (*at < ' ' || *at > '~')
            fprintf(out, "\\x%02x", *at);
        else
            fputc(*at, out);
    }
}

static void text_fault(const struct report *report, FILE *out)
{
    const struct report_fault *fault = &report->fault;

    if (!fault->found)
        return;
    if (fault->index == REPORT_NO_INDEX)
        fprintf(out, "  %s\n", fault->what);
    else
        fprintf(out, "  entry %" PRIu64 ": %s\n", fault->index, fault->what);
    if (fault->file[0] != '\0') {
        fputs("  at           ", out);
        text_name(out, fault->file);
        fprintf(out, ", offset %" PRIu64, fault->offset);
        if (fault->hash != REPORT_NO_INDEX)
            fprintf(out, " (hash %" PRIu64 ")", fault->hash);
        fputc('\n', out);
    }
    if (fault->expected[0] != '\0') {
        fputs("  expected     ", out);
        text_name(out, fault->expected);
        fputs("\n  found        ", out);
        text_name(out, fault->actual);
        fputc('\n', out);
    }
}

static void text_sentences(FILE *out, uint32_t bits, const char *const *texts,
                           unsigned count, const char *before)
{
    for (unsigned i = 0; i < count; i++) {
        if ((bits >> i & 1) != 0)
            fprintf(out, "%s%s\n", before, texts[i]);
    }
}

static const char *report_state_text(enum report_state state)
{
    switch (state) {
    case REPORT_CLAIMED:
        return "claimed, not attested";
    case REPORT_REFUSED:
        return "refused";
    case REPORT_VERIFIED:
        return "certificate by operator and authority verified";
    }
    return "?";
}

static void text_left_out(FILE *out, const char *label, uint64_t count,
                          uint64_t max)
{
    if (count > max)
        fprintf(out, "  %-12s %" PRIu64 " more\n", label, count - max);
}

static void text_refused(const struct report *report, FILE *out)
{
    uint64_t shown = report_shown(report->refused_count, REPORT_REFUSED_MAX);

    for (uint64_t i = 0; i < shown; i++) {
        const struct report_refused *at = &report->refused[i];

        fprintf(out, "  refused      entry %" PRIu64 ", %s: %u %s\n", at->index,
                operation_info(at->opcode)->name, at->code,
                status_name(at->code));
    }
    text_left_out(out, "refused", report->refused_count, REPORT_REFUSED_MAX);
}

static void text_skipped(const struct report *report, FILE *out)
{
    uint64_t shown = report_shown(report->skipped_count, REPORT_SKIPPED_MAX);

    for (uint64_t i = 0; i < shown; i++) {
        const struct report_skipped *at = &report->skipped[i];

        fprintf(out,
                "  skipped      configurations %" PRIu64 " to %" PRIu64 "\n",
                at->first, at->last);
    }
    text_left_out(out, "skipped", report->skipped_count, REPORT_SKIPPED_MAX);
}

static void text_step(FILE *out, const char *label, const char *did,
                      const struct report_step *step)
{
    uint8_t time[DATES_TIME_SIZE];

    dates_time_format(time, step->time);
    fprintf(out, "  %-12s %s by person %" PRIu64 ", entry %" PRIu64 ", %.*s\n",
            label, did, step->person, step->index, DATES_TIME_SIZE,
            (const char *)time);
}

/* Who hid accesses; what the seals hide, and how long, is no open item's. */
static void text_hidden(const struct report *report, FILE *out)
{
    uint64_t shown = report_shown(report->hidden_count, REPORT_HIDDEN_MAX);

    for (uint64_t i = 0; i < shown; i++) {
        const struct report_hidden *at = &report->hidden[i];
        char seal[32];

        (void)snprintf(seal, sizeof seal, "hidden by %" PRIu64, i + 1);
        text_step(out, seal, "proposed", &at->proposed);
        if (at->decided.index != 0)
            text_step(out, "",
                      at->state == REPORT_HIDING_REFUSED ? "refused"
                                                         : "approved",
                      &at->decided);
        if (!sodium_is_zero(at->basis, HASH_SIZE))
            text_hex(out, "  basis", at->basis, HASH_SIZE);
        if (at->lifted.index != 0)
            text_step(out, "", "lifted", &at->lifted);
        fprintf(out,
                "               from whom, by which law and until when is "
                "sealed in entry %" PRIu64 "\n",
                at->proposed.index);
    }
    text_left_out(out, "hidden by", report->hidden_count, REPORT_HIDDEN_MAX);
}

static void text_forced(const struct report *report, FILE *out)
{
    for (uint32_t i = 0; i < report->forced_count; i++) {
        const struct report_forced *at = &report->forced[i];

        fprintf(
            out,
            "  FORCED       entry %" PRIu64 ", configuration %" PRIu64 ": %s\n"
            "               every member was gone, and a new lineage begins "
            "here\n",
            at->index, at->number, report_state_text(at->state));
        if (at->lost_count > 0)
            fprintf(out,
                    "  lost         entries %" PRIu64 " to %" PRIu64
                    "%s of the old lineage, which were committed, as it says\n",
                    at->index, at->index + at->lost_count - 1,
                    at->lost_count == UINT32_MAX ? " at least" : "");
        fprintf(out,
                "  lost         what others acknowledged from entry %" PRIu64
                " on, if anything\n",
                at->index + at->lost_count);
        text_hex(out, "kept up to", at->previous, HASH_SIZE);
        text_hex(out, "lineage", at->lineage, LINEAGE_SIZE);
    }
    text_left_out(out, "FORCED", report->forced_count + report->forced_left_out,
                  report->forced_count);
}

static const char *text_quorum(enum report_quorum quorum)
{
    switch (quorum) {
    case REPORT_NO_POLICY:
        return "nobody else was asked for";
    case REPORT_QUORUM_MET:
        return "quorum met";
    case REPORT_QUORUM_NOT:
        return "quorum NOT met";
    }
    return "?";
}

static void text_checkpoints(const struct report *report, FILE *out)
{
    for (uint32_t i = 0; i < report->checkpoints_count; i++) {
        const struct report_checkpoint *at = &report->checkpoints[i];

        fputs("  checkpoint   ", out);
        text_name(out, at->file);
        fprintf(out, ": size %" PRIu64 ", %s, %s", at->size,
                at->is_signed ? "signed by the log"
                              : "not verified as the log's",
                text_quorum(at->quorum));
        for (uint32_t j = 0; j < at->cosigned_count; j++) {
            fprintf(out, "%s ", j == 0 ? "; cosigned by" : ",");
            text_name(out, at->cosigned[j]);
        }
        fputc('\n', out);
    }
}

static void text_counts(const struct report *report, FILE *out)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);

    fprintf(out,
            "  entries      %" PRIu64 " in %" PRIu64 " segments, %" PRIu64
            " bytes; %" PRIu64 " items, %" PRIu64 " of them sealed\n"
            "  epochs       %" PRIu64 ", the last is %" PRIu32 "\n"
            "  keys         %" PRIu64 "; %" PRIu64 " signatures verified\n"
            "  attested     %" PRIu64 " entries by %" PRIu64
            " attestations (%" PRIu64 " roots worked out), %" PRIu64
            " items refused\n"
            "  receipts     %" PRIu64 " held against the log\n"
            "  covered      %" PRIu64 " entries vouched for from outside\n",
            report->entries, report->segments, report->bytes, report->items,
            report->sealed_items, report->epochs, report->epoch, report->keys,
            report->signatures, report->attested, report->attestations,
            report->roots, report->refusals, report->receipts, report->covered);
    fputs("  categories  ", out);
    for (unsigned i = CATEGORY_MIN; i <= CATEGORY_MAX; i++)
        fprintf(out, " %u:%" PRIu64, i, report->by_category[i]);
    fputs("\n  operations  ", out);
    for (uint32_t i = 0; i < count && i < REPORT_OPERATIONS; i++) {
        if (report->by_operation[i] > 0)
            fprintf(out, " %s:%" PRIu64, operations[i].name,
                    report->by_operation[i]);
    }
    fputc('\n', out);
}

/* Of a log, or of the entries in a tree. */
static void text_log(const struct report *report, FILE *out)
{
    text_forced(report, out);
    text_refused(report, out);
    text_skipped(report, out);
    text_hidden(report, out);
    text_counts(report, out);
    if (report->has_genesis) {
        text_hex(out, "cluster", report->cluster_id, CLUSTER_ID_SIZE);
        text_hex(out, "authority", report->authority_key, PUBLIC_KEY_SIZE);
    }
    fprintf(out, "  head         size %" PRIu64 "\n",
            report->kind == REPORT_UNIT ? report->last + 1 : report->entries);
    if (report->resumed > 0)
        fprintf(out,
                "  resumed      signatures of the first %" PRIu64
                " entries were verified before\n",
                report->resumed);
}

static void text_units(const struct report *report, FILE *out)
{
    fprintf(out,
            "  units        %" PRIu64 ", with the entries %" PRIu64
            " to %" PRIu64 "\n",
            report->units, report->first, report->last);
    if (report->units == 1)
        text_hex(out, "manifest", report->manifest, HASH_SIZE);
}

void report_write_text(const struct report *report, FILE *out)
{
    fprintf(out, "%s\n", report_verdict_name(report->verdict));
    text_fault(report, out);
    text_sentences(out, report->reasons, report_reasons, REPORT_REASONS_COUNT,
                   "  incomplete:  ");
    text_checkpoints(report, out);
    if (report->kind == REPORT_PROOF)
        fprintf(out, "  proof        of entry %" PRIu64 "\n", report->proven);
    else
        text_log(report, out);
    if (report->kind == REPORT_UNIT)
        text_units(report, out);
    text_hex(out, "leaf", report->leaf, HASH_SIZE);
    text_hex(out, "root", report->root, HASH_SIZE);
    fputs("  not checked:\n", out);
    text_sentences(out, report->unchecked, report_uncheckeds,
                   REPORT_UNCHECKED_COUNT, "    - ");
}
