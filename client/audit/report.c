#include "client/audit/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "protocol/catalogue.h"
#include "protocol/dates.h"

static const char *const report_reasons[] = {
#define R(name, text) text,
    REPORT_REASON_LIST(R)
#undef R
};
static const char *const report_uncheckeds[] = {
#define U(name, text) text,
    REPORT_UNCHECKED_LIST(U)
#undef U
};

bool report_fault(struct report *report, enum report_verdict verdict,
                  uint64_t index, const char *what)
{
    if (report->fault.found)
        return false;
    report->verdict = verdict;
    report->fault =
        (struct report_fault){.found = true, .index = index, .what = what};
    return true;
}

void report_numbers(struct report *report, uint64_t expected, uint64_t actual)
{
    struct report_fault *fault = &report->fault;

    (void)snprintf(fault->expected, sizeof fault->expected, "%" PRIu64,
                   expected);
    (void)snprintf(fault->actual, sizeof fault->actual, "%" PRIu64, actual);
}

void report_hashes(struct report *report, const uint8_t *expected,
                   const uint8_t *actual, size_t size)
{
    struct report_fault *fault = &report->fault;

    REQUIRE(2 * size < REPORT_VALUE_SIZE);
    (void)sodium_bin2hex(fault->expected, sizeof fault->expected, expected,
                         size);
    (void)sodium_bin2hex(fault->actual, sizeof fault->actual, actual, size);
}

void report_texts(struct report *report, const char *expected,
                  const char *actual)
{
    struct report_fault *fault = &report->fault;

    (void)snprintf(fault->expected, sizeof fault->expected, "%s", expected);
    (void)snprintf(fault->actual, sizeof fault->actual, "%s", actual);
}

bool report_is_lost(const struct report *report, uint64_t index)
{
    bool found = false;

    for (uint32_t i = 0; i < report->forced_count; i++) {
        const struct report_forced *at = &report->forced[i];

        found = found || (at->state != REPORT_REFUSED && index >= at->index &&
                          index - at->index < at->lost_count);
    }
    return found;
}

void report_reason(struct report *report, enum report_reason reason)
{
    report->reasons |= UINT32_C(1) << reason;
    if (report->verdict == REPORT_GOOD)
        report->verdict = REPORT_INCOMPLETE;
}

void report_unchecked(struct report *report, enum report_unchecked unchecked)
{
    report->unchecked |= UINT32_C(1) << unchecked;
}

const char *report_verdict_name(enum report_verdict verdict)
{
    switch (verdict) {
    case REPORT_GOOD:
        return "good";
    case REPORT_TAMPERED:
        return "tampered";
    case REPORT_INCOMPLETE:
        return "incomplete";
    }
    return "?";
}

/* ---- For people --------------------------------------------------------- */

static void text_hex(FILE *out, const char *label, const uint8_t *bytes,
                     size_t size)
{
    char hex[2 * HASH_SIZE + 1];

    REQUIRE(size <= HASH_SIZE);
    fprintf(out, "  %-12s %s\n", label,
            sodium_bin2hex(hex, sizeof hex, bytes, size));
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
    if (fault->file[0] != '\0')
        fprintf(out, "  at           %s, offset %" PRIu64 "\n", fault->file,
                fault->offset);
    if (fault->expected[0] != '\0')
        fprintf(out, "  expected     %s\n  found        %s\n", fault->expected,
                fault->actual);
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

static const char *report_state_name(enum report_state state)
{
    switch (state) {
    case REPORT_CLAIMED:
        return "claimed";
    case REPORT_REFUSED:
        return "refused";
    case REPORT_VERIFIED:
        return "verified";
    }
    return "?";
}

static uint64_t report_shown(uint64_t count, uint64_t max)
{
    return count < max ? count : max;
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

void report_write_text(const struct report *report, FILE *out)
{
    fprintf(out, "%s\n", report_verdict_name(report->verdict));
    text_fault(report, out);
    text_sentences(out, report->reasons, report_reasons, REPORT_REASONS_COUNT,
                   "  incomplete:  ");
    text_forced(report, out);
    text_refused(report, out);
    text_skipped(report, out);
    text_counts(report, out);
    if (report->has_genesis) {
        text_hex(out, "cluster", report->cluster_id, CLUSTER_ID_SIZE);
        text_hex(out, "authority", report->authority_key, PUBLIC_KEY_SIZE);
    }
    fprintf(out, "  head         size %" PRIu64 "\n", report->entries);
    text_hex(out, "leaf", report->leaf, HASH_SIZE);
    text_hex(out, "root", report->root, HASH_SIZE);
    fputs("  not checked:\n", out);
    text_sentences(out, report->unchecked, report_uncheckeds,
                   REPORT_UNCHECKED_COUNT, "    - ");
}

/* ---- JSON --------------------------------------------------------------- */

static void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';
         at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20 || *at >= 0x7f)
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    }
    fputc('"', out);
}

static void json_name(FILE *out, const char *name)
{
    json_string(out, name);
    fputc(':', out);
}

static void json_number(FILE *out, const char *name, uint64_t number)
{
    json_name(out, name);
    fprintf(out, "%" PRIu64 ",", number);
}

static void json_bool(FILE *out, const char *name, bool value)
{
    json_name(out, name);
    fputs(value ? "true," : "false,", out);
}

static void json_hex(FILE *out, const char *name, const uint8_t *bytes,
                     size_t size)
{
    char hex[2 * HASH_SIZE + 1];

    REQUIRE(size <= HASH_SIZE);
    json_name(out, name);
    fprintf(out, "\"%s\",", sodium_bin2hex(hex, sizeof hex, bytes, size));
}

static void json_time(FILE *out, const char *name, int64_t time)
{
    uint8_t text[DATES_TIME_SIZE];

    INVARIANT(time >= DATES_TIME_MIN && time <= DATES_TIME_MAX);
    dates_time_format(text, time);
    json_name(out, name);
    fprintf(out, "\"%.*s\",", DATES_TIME_SIZE, (const char *)text);
}

static void json_sentences(FILE *out, const char *name, uint32_t bits,
                           const char *const *texts, unsigned count)
{
    const char *between = "";

    json_name(out, name);
    fputc('[', out);
    for (unsigned i = 0; i < count; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        fputs(between, out);
        json_string(out, texts[i]);
        between = ",";
    }
    fputc(']', out);
}

static void json_fault(const struct report *report, FILE *out)
{
    const struct report_fault *fault = &report->fault;

    json_name(out, "first_bad");
    if (!fault->found) {
        fputs("null,", out);
        return;
    }
    fputc('{', out);
    if (fault->index != REPORT_NO_INDEX)
        json_number(out, "index", fault->index);
    json_name(out, "file");
    json_string(out, fault->file);
    fputc(',', out);
    json_number(out, "offset", fault->offset);
    json_name(out, "expected");
    json_string(out, fault->expected);
    fputc(',', out);
    json_name(out, "found");
    json_string(out, fault->actual);
    fputc(',', out);
    json_name(out, "what");
    json_string(out, fault->what);
    fputs("},", out);
}

static void json_counts(const struct report *report, FILE *out)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);
    const char *between = "";

    json_name(out, "by_category");
    fputc('{', out);
    for (unsigned i = CATEGORY_MIN; i <= CATEGORY_MAX; i++)
        fprintf(out, "%s\"%u\":%" PRIu64, i == CATEGORY_MIN ? "" : ",", i,
                report->by_category[i]);
    fputs("},", out);
    json_name(out, "by_operation");
    fputc('{', out);
    for (uint32_t i = 0; i < count && i < REPORT_OPERATIONS; i++) {
        if (report->by_operation[i] == 0)
            continue;
        fputs(between, out);
        json_name(out, operations[i].name);
        fprintf(out, "%" PRIu64, report->by_operation[i]);
        between = ",";
    }
    fputs("},", out);
}

static void json_forced(const struct report *report, FILE *out)
{
    json_name(out, "forced");
    fputc('[', out);
    for (uint32_t i = 0; i < report->forced_count; i++) {
        const struct report_forced *at = &report->forced[i];

        fputs(i == 0 ? "{" : ",{", out);
        json_number(out, "index", at->index);
        json_number(out, "number", at->number);
        json_number(out, "lost", at->lost_count);
        json_name(out, "state");
        json_string(out, report_state_name(at->state));
        fputc(',', out);
        json_hex(out, "lineage", at->lineage, LINEAGE_SIZE);
        json_hex(out, "leaf", at->previous, HASH_SIZE);
        json_name(out, "what");
        json_string(out, "every member was gone: a new lineage begins");
        fputc('}', out);
    }
    fputs("],", out);
}

static void json_refused(const struct report *report, FILE *out)
{
    uint64_t shown = report_shown(report->refused_count, REPORT_REFUSED_MAX);

    json_name(out, "refused");
    fputc('[', out);
    for (uint64_t i = 0; i < shown; i++) {
        const struct report_refused *at = &report->refused[i];

        fputs(i == 0 ? "{" : ",{", out);
        json_number(out, "index", at->index);
        json_number(out, "code", at->code);
        json_name(out, "operation");
        json_string(out, operation_info(at->opcode)->name);
        fputc('}', out);
    }
    fputs("],", out);
    json_number(out, "refused_terms_and_configurations", report->refused_count);
}

static void json_skipped(const struct report *report, FILE *out)
{
    uint64_t shown = report_shown(report->skipped_count, REPORT_SKIPPED_MAX);

    json_name(out, "skipped");
    fputc('[', out);
    for (uint64_t i = 0; i < shown; i++)
        fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", i == 0 ? "" : ",",
                report->skipped[i].first, report->skipped[i].last);
    fputs("],", out);
}

void report_write_json(const struct report *report, FILE *out)
{
    fputc('{', out);
    json_name(out, "verdict");
    json_string(out, report_verdict_name(report->verdict));
    fputc(',', out);
    json_fault(report, out);
    json_sentences(out, "incomplete", report->reasons, report_reasons,
                   REPORT_REASONS_COUNT);
    fputc(',', out);
    json_number(out, "segments", report->segments);
    json_number(out, "entries", report->entries);
    json_number(out, "bytes", report->bytes);
    json_number(out, "items", report->items);
    json_number(out, "sealed_items", report->sealed_items);
    json_number(out, "unknown_items", report->unknown_items);
    json_counts(report, out);
    json_number(out, "epochs", report->epochs);
    json_number(out, "epoch", report->epoch);
    json_forced(report, out);
    json_refused(report, out);
    json_skipped(report, out);
    json_time(out, "first_time", report->first_time);
    json_time(out, "last_time", report->last_time);
    json_number(out, "keys", report->keys);
    json_number(out, "signatures", report->signatures);
    json_number(out, "attestations", report->attestations);
    json_number(out, "attested", report->attested);
    json_number(out, "attestation_roots", report->roots);
    json_number(out, "refused_items", report->refusals);
    json_number(out, "receipts", report->receipts);
    json_number(out, "covered", report->covered);
    json_bool(out, "authority_trusted", report->authority_trusted);
    json_hex(out, "authority", report->authority_key, PUBLIC_KEY_SIZE);
    json_hex(out, "cluster", report->cluster_id, CLUSTER_ID_SIZE);
    json_number(out, "size", report->entries);
    json_hex(out, "leaf", report->leaf, HASH_SIZE);
    json_hex(out, "root", report->root, HASH_SIZE);
    json_sentences(out, "not_checked", report->unchecked, report_uncheckeds,
                   REPORT_UNCHECKED_COUNT);
    fputs("}\n", out);
}
