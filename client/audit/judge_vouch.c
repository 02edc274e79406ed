#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "client/audit/judge_parts.h"

enum { JUDGE_LINEAGE_DIGITS = 8 };

static bool judge_vouch_fault(struct judge *judge, const struct vouch *vouch,
                              const char *what)
{
    if (report_fault(judge->report, REPORT_TAMPERED, REPORT_NO_INDEX, what))
        (void)snprintf(judge->report->fault.file,
                       sizeof judge->report->fault.file, "%s",
                       vouch->told.file);
    return false;
}

bool judge_vouches(struct judge *judge, struct slice origin,
                   const uint8_t *log_key)
{
    struct vouches *vouches = judge->vouches;

    REQUIRE(origin.size <= sizeof judge->origin_bytes);
    if (origin.size > 0)
        memcpy(judge->origin_bytes, origin.data, origin.size);
    judge->origin = slice_of(judge->origin_bytes, origin.size);
    for (uint32_t i = 0; i < vouches->count; i++) {
        struct vouch *vouch = &vouches->all[i];
        const char *what =
            vouch_judge(vouch, &vouches->policy, judge->origin, log_key);

        if (what != NULL)
            return judge_vouch_fault(judge, vouch, what);
    }
    return true;
}

/* Whether the origin's lineage is one that this log has begun. */
static bool judge_lineage(const struct judge *judge, const struct vouch *vouch)
{
    const struct slice digits = vouch_lineage(vouch, judge->origin);
    const struct report *report = judge->report;
    char hex[2 * LINEAGE_SIZE + 1];
    bool found = digits.size == 0 || report->forced_left_out > 0;

    for (uint32_t i = 0; i < report->forced_count && !found; i++) {
        (void)sodium_bin2hex(hex, sizeof hex, report->forced[i].lineage,
                             LINEAGE_SIZE);
        found = report->forced[i].state != REPORT_REFUSED &&
                memcmp(hex, digits.data, JUDGE_LINEAGE_DIGITS) == 0;
    }
    return found;
}

bool judge_left(const struct judge *judge, const struct vouch *vouch)
{
    const struct slice digits = vouch_lineage(vouch, judge->origin);
    const struct report *report = judge->report;
    char hex[2 * LINEAGE_SIZE + 1];

    if (judge->forced == 0 || report->forced_count == 0 ||
        vouch->checkpoint.size <= judge->forced)
        return false;
    (void)sodium_bin2hex(hex, sizeof hex,
                         report->forced[report->forced_count - 1].lineage,
                         LINEAGE_SIZE);
    return digits.size == 0 ||
           memcmp(hex, digits.data, JUDGE_LINEAGE_DIGITS) != 0;
}

bool judge_vouches_end(struct judge *judge)
{
    struct vouches *vouches = judge->vouches;
    struct report *report = judge->report;
    uint8_t empty[HASH_SIZE];
    bool is_short = false;

    tree_root_of(empty, NULL, 0);
    for (uint32_t i = 0; i < vouches->count; i++) {
        struct vouch *vouch = &vouches->all[i];

        if (!judge->options->tree_only && !judge_lineage(judge, vouch)) {
            (void)judge_vouch_fault(judge, vouch,
                                    "the checkpoint is of a lineage that this "
                                    "log has not begun");
            return true;
        }
        if (vouch->checkpoint.size == 0 &&
            memcmp(vouch->checkpoint.root, empty, HASH_SIZE) != 0) {
            (void)judge_vouch_fault(judge, vouch,
                                    "the checkpoint's root of an empty log is "
                                    "another");
            return true;
        }
        if (vouch_is_alone(&vouches->policy))
            report_unchecked(report, REPORT_UNCHECKED_WITNESS);
        if (vouch->is_matched && vouch_stands(vouch) &&
            vouch->checkpoint.size > report->covered)
            report->covered = vouch->checkpoint.size;
        if (vouch->is_own && judge_left(judge, vouch))
            report_unchecked(report, REPORT_UNCHECKED_LINEAGE);
        else
            is_short = is_short || vouch->checkpoint.size > judge->tree.size;
    }
    return !is_short;
}

void judge_vouches_told(struct judge *judge)
{
    const struct vouches *vouches = judge->vouches;
    struct report *report = judge->report;
    bool is_lacking = false, is_unknown = false;
    uint64_t standing = 0;

    for (uint32_t i = 0; i < vouches->count; i++) {
        const struct vouch *vouch = &vouches->all[i];

        report->checkpoints[report->checkpoints_count++] = vouch->told;
        is_lacking = is_lacking || vouch->told.quorum == REPORT_QUORUM_NOT;
        is_unknown = is_unknown || !vouch->told.is_signed;
        if (vouch_stands(vouch) && vouch->checkpoint.size > standing)
            standing = vouch->checkpoint.size;
    }
    if (is_lacking && standing == 0)
        report_reason(report, REPORT_REASON_QUORUM);
    if (is_unknown && !report->fault.found)
        report_reason(report, REPORT_REASON_LOG_KEY);
}
