#include "client/audit/report_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

const char *const report_reasons[REPORT_REASONS_COUNT] = {
#define R(name, text) text,
    REPORT_REASON_LIST(R)
#undef R
};
const char *const report_uncheckeds[REPORT_UNCHECKED_COUNT] = {
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
    report->fault = (struct report_fault){
        .found = true, .index = index, .hash = REPORT_NO_INDEX, .what = what};
    return true;
}

bool report_lacks_memory(struct report *report)
{
    report->lacks_memory = true;
    return false;
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

const char *report_statement_name(enum report_statement statement)
{
    switch (statement) {
    case REPORT_NO_STATEMENT:
        return "none";
    case REPORT_STATEMENT_TRUE:
        return "true";
    case REPORT_STATEMENT_FALSE:
        return "false";
    case REPORT_STATEMENT_SHORT:
        return "short";
    case REPORT_STATEMENT_FORGED:
        return "forged";
    }
    return "?";
}

const char *report_hiding_name(enum report_hiding state)
{
    switch (state) {
    case REPORT_HIDING_PROPOSED:
        return "proposed";
    case REPORT_HIDING_APPROVED:
        return "approved";
    case REPORT_HIDING_REFUSED:
        return "refused";
    case REPORT_HIDING_LIFTED:
        return "lifted";
    }
    return "?";
}

uint64_t report_shown(uint64_t count, uint64_t max)
{
    return count < max ? count : max;
}
