#include "protocol/tlog_policy.h"

#include <string.h>

#include "protocol/assumptions.h"

#define POLICY_TEXT(name, english, azerbaijani)    english,
#define POLICY_TEXT_AZ(name, english, azerbaijani) azerbaijani,

const char *tlog_policy_fault_text(enum tlog_policy_fault fault)
{
    static const char *const texts[] = {TLOG_POLICY_FAULTS(POLICY_TEXT)};

    REQUIRE(fault < TLOG_POLICY_FAULTS_COUNT);
    return texts[fault];
}

const char *tlog_policy_fault_text_az(enum tlog_policy_fault fault)
{
    static const char *const texts[] = {TLOG_POLICY_FAULTS(POLICY_TEXT_AZ)};

    REQUIRE(fault < TLOG_POLICY_FAULTS_COUNT);
    return texts[fault];
}

/* Whoever of the policy's logs has this name must have signed. */
static enum status judge_log(const struct tlog_policy_log **log_out,
                             const struct tlog_policy *policy,
                             const struct note *note, struct slice origin)
{
    enum status found = ST_ORIGIN;

    *log_out = NULL;
    /* One log may have two keys, while it changes them. */
    for (size_t i = 0; i < policy->logs_count; i++) {
        const struct tlog_policy_log *log = &policy->logs[i];
        enum status status;

        if (!slice_equal(origin, note_key_name(&log->key)))
            continue;
        status = note_verify(note, &log->key);
        if (status == ST_BAD_SIG)
            return status;
        if (status == ST_OK && *log_out == NULL)
            *log_out = log;
        found = *log_out != NULL ? ST_OK : ST_NO_SUCH;
    }
    return found;
}

static enum status judge_witnesses(struct tlog_policy_verdict *verdict,
                                   const struct tlog_policy *policy,
                                   const struct note *note)
{
    for (size_t i = 0; i < policy->witnesses_count; i++) {
        enum status status = checkpoint_cosigned(&verdict->times_s[i], note,
                                                 &policy->witnesses[i].key);

        if (status == ST_OK)
            verdict->signed_by |= (uint64_t)1 << i;
        else if (status != ST_NO_SUCH)
            return status;
    }
    return ST_OK;
}

/* In their order: the members of a group are judged before it. */
static void judge_groups(struct tlog_policy_verdict *verdict,
                         const struct tlog_policy *policy)
{
    for (size_t i = 0; i < policy->groups_count; i++) {
        const struct tlog_policy_group *group = &policy->groups[i];
        unsigned count = 0;

        for (uint64_t left = group->members & verdict->signed_by; left != 0;
             left &= left - 1)
            count++;
        INVARIANT(group->threshold >= 1);
        if (count >= group->threshold)
            verdict->signed_by |= (uint64_t)1
                                  << (TLOG_POLICY_WITNESSES_MAX + i);
    }
}

enum status tlog_policy_judge(struct tlog_policy_verdict *verdict_out,
                              struct checkpoint *checkpoint_out,
                              const struct tlog_policy *policy,
                              struct slice bytes)
{
    struct note note;
    enum status status;

    memset(verdict_out, 0, sizeof *verdict_out);
    status = note_read(&note, bytes);
    if (status == ST_OK)
        status = checkpoint_read(checkpoint_out, note.text);
    if (status == ST_OK)
        status =
            judge_log(&verdict_out->log, policy, &note, checkpoint_out->origin);
    if (status == ST_OK)
        status = judge_witnesses(verdict_out, policy, &note);
    if (status != ST_OK)
        return status;
    judge_groups(verdict_out, policy);
    verdict_out->satisfied =
        policy->quorum == TLOG_POLICY_NONE ||
        (verdict_out->signed_by >> policy->quorum & 1) != 0;
    return ST_OK;
}
