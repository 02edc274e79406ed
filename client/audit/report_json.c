#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

#include "client/audit/report_parts.h"
#include "protocol/catalogue.h"
#include "protocol/dates.h"

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
    if (fault->hash != REPORT_NO_INDEX)
        json_number(out, "hash", fault->hash);
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

static void json_step(FILE *out, const char *name,
                      const struct report_step *step)
{
    if (step->index == 0)
        return;
    fputc(',', out);
    json_name(out, name);
    fputc('{', out);
    json_number(out, "index", step->index);
    json_time(out, "time", step->time);
    json_name(out, "person");
    fprintf(out, "%" PRIu64 "}", step->person);
}

static void json_hidden(const struct report *report, FILE *out)
{
    uint64_t shown = report_shown(report->hidden_count, REPORT_HIDDEN_MAX);

    json_name(out, "hidden");
    fputc('[', out);
    for (uint64_t i = 0; i < shown; i++) {
        const struct report_hidden *at = &report->hidden[i];

        fputs(i == 0 ? "{" : ",{", out);
        json_number(out, "seal", i + 1);
        json_hex(out, "basis", at->basis, HASH_SIZE);
        json_name(out, "state");
        json_string(out, report_hiding_name(at->state));
        json_step(out, "proposed", &at->proposed);
        json_step(out, "decided", &at->decided);
        json_step(out, "lifted", &at->lifted);
        fputc('}', out);
    }
    fputs("],", out);
    json_number(out, "hidden_seals", report->hidden_count);
}

static void json_units(const struct report *report, FILE *out)
{
    json_number(out, "units", report->units);
    json_number(out, "first", report->first);
    json_number(out, "last", report->last);
    if (report->units == 1)
        json_hex(out, "manifest", report->manifest, HASH_SIZE);
}

static const char *json_kind(enum report_kind kind)
{
    switch (kind) {
    case REPORT_LOG:
        return "log";
    case REPORT_TILES:
        return "tiles";
    case REPORT_PROOF:
        return "proof";
    case REPORT_UNIT:
        return "unit";
    }
    return "?";
}

static const char *json_quorum(enum report_quorum quorum)
{
    switch (quorum) {
    case REPORT_NO_POLICY:
        return "no policy";
    case REPORT_QUORUM_MET:
        return "met";
    case REPORT_QUORUM_NOT:
        return "not met";
    }
    return "?";
}

static void json_checkpoint(FILE *out, const struct report_checkpoint *at)
{
    fputc('{', out);
    json_name(out, "file");
    json_string(out, at->file);
    fputc(',', out);
    json_name(out, "origin");
    json_string(out, at->origin);
    fputc(',', out);
    json_number(out, "size", at->size);
    json_hex(out, "root", at->root, HASH_SIZE);
    json_bool(out, "log_signed", at->is_signed);
    json_name(out, "quorum");
    json_string(out, json_quorum(at->quorum));
    fputc(',', out);
    json_name(out, "cosigned");
    fputc('[', out);
    for (uint32_t i = 0; i < at->cosigned_count; i++) {
        fputs(i == 0 ? "" : ",", out);
        json_string(out, at->cosigned[i]);
    }
    fputs("]}", out);
}

static void json_checkpoints(const struct report *report, FILE *out)
{
    json_name(out, "checkpoints");
    fputc('[', out);
    for (uint32_t i = 0; i < report->checkpoints_count; i++) {
        fputs(i == 0 ? "" : ",", out);
        json_checkpoint(out, &report->checkpoints[i]);
    }
    fputs("],", out);
}

/* Of a log, or of the entries in a tree. */
static void json_log(const struct report *report, FILE *out)
{
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
    json_hidden(report, out);
    json_time(out, "first_time", report->first_time);
    json_time(out, "last_time", report->last_time);
    json_number(out, "keys", report->keys);
    json_number(out, "signatures", report->signatures);
    json_number(out, "attestations", report->attestations);
    json_number(out, "attested", report->attested);
    json_number(out, "attestation_roots", report->roots);
    json_number(out, "refused_items", report->refusals);
    json_number(out, "receipts", report->receipts);
    json_number(out, "resumed", report->resumed);
    json_bool(out, "authority_trusted", report->authority_trusted);
    json_hex(out, "authority", report->authority_key, PUBLIC_KEY_SIZE);
    json_hex(out, "cluster", report->cluster_id, CLUSTER_ID_SIZE);
}

/* What the log says of a subject, and what somebody said that it does. */
static void json_counted(const struct report_counted *counted, FILE *out)
{
    if (counted->subject == 0 && counted->statement == REPORT_NO_STATEMENT)
        return;
    json_name(out, "counted");
    fprintf(out, "{\"subject\":\"%010" PRIu64 "\",", counted->subject);
    json_number(out, "items", counted->items);
    json_number(out, "entries", counted->entries);
    json_hex(out, "rolling", counted->rolling, HASH_SIZE);
    if (counted->statement != REPORT_NO_STATEMENT) {
        json_number(out, "stated_items", counted->stated_items);
        json_number(out, "stated_entries", counted->stated_entries);
    }
    json_name(out, "statement");
    json_string(out, report_statement_name(counted->statement));
    fputs("},", out);
}

void report_write_json(const struct report *report, FILE *out)
{
    fputc('{', out);
    json_name(out, "kind");
    json_string(out, json_kind(report->kind));
    fputc(',', out);
    json_name(out, "verdict");
    json_string(out, report_verdict_name(report->verdict));
    fputc(',', out);
    json_fault(report, out);
    json_sentences(out, "incomplete", report->reasons, report_reasons,
                   REPORT_REASONS_COUNT);
    fputc(',', out);
    json_checkpoints(report, out);
    if (report->kind == REPORT_PROOF)
        json_number(out, "index", report->proven);
    else
        json_log(report, out);
    if (report->kind == REPORT_UNIT)
        json_units(report, out);
    json_number(out, "covered", report->covered);
    json_number(out, "size",
                report->kind == REPORT_UNIT ? report->last + 1
                                            : report->entries);
    json_hex(out, "leaf", report->leaf, HASH_SIZE);
    json_hex(out, "root", report->root, HASH_SIZE);
    json_counted(&report->counted, out);
    json_sentences(out, "not_checked", report->unchecked, report_uncheckeds,
                   REPORT_UNCHECKED_COUNT);
    fputs("}\n", out);
}
