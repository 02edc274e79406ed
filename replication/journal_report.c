#include <inttypes.h>
#include <stdio.h>

#include "replication/journal.h"
#include "replication/meta.h"

const char *journal_case_name(enum journal_case found)
{
    switch (found) {
    case JOURNAL_CLEAN:
        return "C1";
    case JOURNAL_TORN:
        return "C2";
    case JOURNAL_LOST:
        return "C3";
    case JOURNAL_HOLE:
        return "C4";
    case JOURNAL_MARK_SLOT:
        return "C5";
    case JOURNAL_MARK_GONE:
        return "C6";
    case JOURNAL_META_GONE:
        return "C7";
    }
    INVARIANT(false);
    return "";
}

static const char *report_text(enum journal_case found)
{
    switch (found) {
    case JOURNAL_CLEAN:
        return "the log is whole";
    case JOURNAL_TORN:
        return "unfinished bytes behind the log were cut off and kept";
    case JOURNAL_LOST:
        return "acknowledged entries are missing or changed";
    case JOURNAL_HOLE:
        return "acknowledged entries are damaged; good ones follow";
    case JOURNAL_MARK_SLOT:
        return "bytes behind the log and a bad mark: nobody can tell whether "
               "they were acknowledged";
    case JOURNAL_MARK_GONE:
        return "the mark is gone, or newer than this node: the disk may have "
               "been set back";
    case JOURNAL_META_GONE:
        return "the node's identity cannot be read";
    }
    INVARIANT(false);
    return "";
}

static void report_hex(char *out, const uint8_t *hash)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < HASH_SIZE; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[(size_t)2 * HASH_SIZE] = '\0';
}

/* Text is cut short at ${size}, which is no failure. */
static void report_add(char *out, size_t size, size_t *used, const char *text)
{
    const int length = snprintf(out + *used, size - *used, "%s", text);

    ENSURE(length >= 0);
    *used += (size_t)length < size - *used ? (size_t)length : size - *used - 1;
}

void journal_report_meta(struct journal_report *report)
{
    *report = (struct journal_report){.found = JOURNAL_META_GONE,
                                      .status = ST_FILE_FORMAT};
    snprintf(report->file, sizeof report->file, "%s", META_FILE);
}

void journal_describe(char *out, size_t size,
                      const struct journal_report *report)
{
    char text[2 * DISK_NAME_SIZE_MAX];
    char hex[2 * HASH_SIZE + 1];
    size_t used = 0;

    REQUIRE(size > 0);
    report_add(out, size, &used, journal_case_name(report->found));
    report_add(out, size, &used, " ");
    report_add(out, size, &used, report_text(report->found));
    snprintf(text, sizeof text, "; size %" PRIu64 ", mark %" PRIu64,
             report->size, report->mark_size);
    report_add(out, size, &used, text);
    if (report->file[0] != '\0') {
        snprintf(text, sizeof text,
                 "; file %s, offset %" PRIu64 ", index %" PRIu64, report->file,
                 report->offset, report->index);
        report_add(out, size, &used, text);
    }
    if (report->next_good > 0) {
        snprintf(text, sizeof text, "; next good entry %" PRIu64,
                 report->next_good);
        report_add(out, size, &used, text);
    }
    if (report->hashes_known) {
        report_hex(hex, report->expected);
        report_add(out, size, &used, "; expected ");
        report_add(out, size, &used, hex);
        report_hex(hex, report->found_hash);
        report_add(out, size, &used, ", found ");
        report_add(out, size, &used, hex);
    }
    if (report->aside[0] != '\0') {
        report_add(out, size, &used, "; kept in ");
        report_add(out, size, &used, report->aside);
    }
}
