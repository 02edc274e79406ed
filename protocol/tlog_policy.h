/*
 * tlog_policy.h: which logs and witnesses somebody trusts, and how many of them
 * must have signed (TRANSPARENCY, section 8; c2sp.org/tlog-policy, a draft).
 *
 *     log KEY [URL]
 *     witness NAME KEY [URL]
 *     group NAME all|any|NUMBER MEMBER...
 *     quorum NAME|none
 *
 * Words are separated by spaces and tabs; empty lines and those that begin with
 * "#" say nothing.  A name is defined before it is used, and stands in one
 * group at most; there is exactly one quorum.
 */
#ifndef DEFTER_PROTOCOL_TLOG_POLICY_H
#define DEFTER_PROTOCOL_TLOG_POLICY_H

#include "protocol/checkpoint.h"

/* X(name, english, azerbaijani): what may be wrong with a policy. */
#define TLOG_POLICY_FAULTS(X)                                        \
    X(GOOD, "nothing is wrong", "səhv yoxdur")                       \
    X(CHARACTER, "a control character, or no end of the line",       \
      "idarəedici simvol var və ya sətrin sonu yoxdur")              \
    X(KEYWORD, "neither log, witness, group nor quorum",             \
      "log, witness, group və ya quorum deyil")                      \
    X(WORDS, "a word is missing, or there is one too many",          \
      "söz çatmır və ya artıqdır")                                   \
    X(KEY, "the key is not well formed", "açar düzgün yazılmayıb")   \
    X(KEY_TYPE, "a key of a type that is not spoken here",           \
      "bu növ açar dəstəklənmir")                                    \
    X(KEY_ROLE, "this type of key is not for this line",             \
      "bu növ açar bu sətir üçün deyil")                             \
    X(KEY_AGAIN, "the key stands on an earlier line",                \
      "açar əvvəlki sətirdə var")                                    \
    X(NAME, "the name is too long or reserved",                      \
      "ad həddən uzundur və ya istifadə oluna bilməz")               \
    X(NAME_AGAIN, "the name is defined on an earlier line",          \
      "ad əvvəlki sətirdə təyin olunub")                             \
    X(NAME_UNKNOWN, "the name is not defined on an earlier line",    \
      "ad əvvəlki sətirlərdə təyin olunmayıb")                       \
    X(MEMBER_AGAIN, "the member is in a group already",              \
      "üzv artıq bir qrupdadır")                                     \
    X(THRESHOLD, "the number is not 1 to the count of the members",  \
      "say 1-dən üzvlərin sayına qədər deyil")                       \
    X(TOO_MANY, "more logs, witnesses or groups than are held here", \
      "jurnalların, şahidlərin və ya qrupların sayı həddi aşır")     \
    X(QUORUM_AGAIN, "a second quorum", "ikinci kvorum")              \
    X(QUORUM_MISSING, "there is no quorum", "kvorum yoxdur")         \
    X(TOO_LARGE, "the policy is too large", "siyasət həddən böyükdür")

#define TLOG_POLICY_ENUM(name, english, azerbaijani) TLOG_POLICY_##name,
enum tlog_policy_fault {
    TLOG_POLICY_FAULTS(TLOG_POLICY_ENUM) TLOG_POLICY_FAULTS_COUNT
};

const char *tlog_policy_fault_text(enum tlog_policy_fault fault);
const char *tlog_policy_fault_text_az(enum tlog_policy_fault fault);

/* What is wrong, and on which line, counted from 1. */
struct tlog_policy_error {
    enum tlog_policy_fault fault;
    size_t line;
};

/* Where nobody is trusted: of a quorum "none". */
enum { TLOG_POLICY_NONE = -1 };

struct tlog_policy_log {
    struct note_key key; /* Its name is the origin. */
    struct slice url;    /* Empty: none. */
};

struct tlog_policy_witness {
    struct slice name; /* In this policy alone. */
    struct note_key key;
    struct slice url;
};

/*
 * Members are numbers: witness i is i, group i is TLOG_POLICY_WITNESSES_MAX +
 * i.  Invariants: a group's members have smaller numbers than it, or are
 * witnesses; threshold is 1 to the number of members.
 */
struct tlog_policy_group {
    struct slice name;
    uint64_t members; /* One bit each. */
    unsigned threshold;
};

struct tlog_policy {
    struct tlog_policy_log logs[TLOG_POLICY_LOGS_MAX];
    size_t logs_count;
    struct tlog_policy_witness witnesses[TLOG_POLICY_WITNESSES_MAX];
    size_t witnesses_count;
    struct tlog_policy_group groups[TLOG_POLICY_GROUPS_MAX];
    size_t groups_count;
    int quorum; /* A member's number, or TLOG_POLICY_NONE. */
};

/*
 * tlog_policy_read(policy_out, error_out, text):
 * Returns: ST_OK; ST_FILE_FORMAT, and ${*error_out} says why.
 * Owns:    names and addresses in ${*policy_out} borrow from ${text}.
 */
NODISCARD enum status tlog_policy_read(struct tlog_policy *policy_out,
                                       struct tlog_policy_error *error_out,
                                       struct slice text);

/* What a note is worth by a policy. */
struct tlog_policy_verdict {
    const struct tlog_policy_log *log; /* Who signed it. */
    uint64_t signed_by; /* Members: witnesses, and groups that are satisfied. */
    uint64_t times_s[TLOG_POLICY_WITNESSES_MAX]; /* Of those that signed. */
    bool satisfied;                              /* The quorum. */
};

/*
 * tlog_policy_judge(verdict_out, checkpoint_out, policy, bytes):
 * Read a note with the checkpoint of a log of ${policy}, and verify who signed.
 *
 * Returns: ST_OK, and the verdict says whether there is a quorum; as
 *          checkpoint_open() (ST_ORIGIN if no log of the policy has this name);
 *          ST_BAD_SIG also if a line of any of its witnesses does not verify.
 * Owns:    ${*checkpoint_out} borrows from ${bytes}, the verdict from the
 *          policy.
 */
NODISCARD enum status tlog_policy_judge(struct tlog_policy_verdict *verdict_out,
                                        struct checkpoint *checkpoint_out,
                                        const struct tlog_policy *policy,
                                        struct slice bytes);

/* The name of a member by its number; the policy has it. */
struct slice tlog_policy_name(const struct tlog_policy *policy, int member);

#endif
