#include "protocol/tlog_policy.h"

#include <string.h>

#include "protocol/assumptions.h"
#include "protocol/lines.h"

enum {
    POLICY_MEMBERS_MAX = TLOG_POLICY_WITNESSES_MAX + TLOG_POLICY_GROUPS_MAX
};
static_assert(POLICY_MEMBERS_MAX <= 64, "members are bits of one number");

/* A policy as it is read, line by line. */
struct policy_reading {
    struct tlog_policy *policy;
    uint64_t grouped; /* Members of some group. */
    bool has_quorum;
};

/* ---- Words ------------------------------------------------------------ */

static bool word_is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Takes the next word from ${line}; an empty one at its end. */
static struct slice word_next(struct slice *line)
{
    size_t from = 0, to;
    struct slice word;

    if (line->size == 0)
        return *line;
    while (from < line->size && word_is_blank(line->data[from]))
        from++;
    to = from;
    while (to < line->size && !word_is_blank(line->data[to]))
        to++;
    word = slice_of(line->data + from, to - from);
    *line = slice_of(line->data + to, line->size - to);
    return word;
}

static bool line_characters_valid(struct slice line)
{
    for (size_t i = 0; i < line.size; i++) {
        uint8_t c = line.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* ---- Names ------------------------------------------------------------ */

static uint64_t member_bit(int member)
{
    return (uint64_t)1 << member;
}

struct slice tlog_policy_name(const struct tlog_policy *policy, int member)
{
    size_t number = (size_t)member;

    REQUIRE(member >= 0 && member < POLICY_MEMBERS_MAX);
    if (number < TLOG_POLICY_WITNESSES_MAX) {
        REQUIRE(number < policy->witnesses_count);
        return policy->witnesses[number].name;
    }
    REQUIRE(number - TLOG_POLICY_WITNESSES_MAX < policy->groups_count);
    return policy->groups[number - TLOG_POLICY_WITNESSES_MAX].name;
}

/* The number of the member with this name, or TLOG_POLICY_NONE. */
static int find_member(const struct tlog_policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->witnesses_count; i++) {
        if (slice_equal(policy->witnesses[i].name, name))
            return (int)i;
    }
    for (size_t i = 0; i < policy->groups_count; i++) {
        if (slice_equal(policy->groups[i].name, name))
            return TLOG_POLICY_WITNESSES_MAX + (int)i;
    }
    return TLOG_POLICY_NONE;
}

static enum tlog_policy_fault name_fault(const struct tlog_policy *policy,
                                         struct slice name)
{
    if (name.size == 0)
        return TLOG_POLICY_WORDS;
    if (name.size > NOTE_NAME_SIZE_MAX || lines_equal(name, "none"))
        return TLOG_POLICY_NAME;
    if (find_member(policy, name) != TLOG_POLICY_NONE)
        return TLOG_POLICY_NAME_AGAIN;
    return TLOG_POLICY_GOOD;
}

/* ---- Lines ------------------------------------------------------------ */

static enum tlog_policy_fault read_key(struct note_key *key_out,
                                       struct slice text, enum note_type type)
{
    enum status status = note_key_read(key_out, text);

    if (text.size == 0)
        return TLOG_POLICY_WORDS;
    if (status == ST_KEY_TYPE)
        return TLOG_POLICY_KEY_TYPE;
    if (status != ST_OK)
        return TLOG_POLICY_KEY;
    return key_out->type == type ? TLOG_POLICY_GOOD : TLOG_POLICY_KEY_ROLE;
}

static bool keys_are_one(const struct note_key *a, const struct note_key *b)
{
    return memcmp(a->public_key, b->public_key, PUBLIC_KEY_SIZE) == 0;
}

static enum tlog_policy_fault read_log(struct tlog_policy *policy,
                                       struct slice line)
{
    struct tlog_policy_log *log;
    enum tlog_policy_fault fault;

    if (policy->logs_count == TLOG_POLICY_LOGS_MAX)
        return TLOG_POLICY_TOO_MANY;
    log = &policy->logs[policy->logs_count];
    fault = read_key(&log->key, word_next(&line), NOTE_ED25519);
    if (fault != TLOG_POLICY_GOOD)
        return fault;
    for (size_t i = 0; i < policy->logs_count; i++) {
        /* Lineages of one log have its key, and names of their own. */
        if (keys_are_one(&policy->logs[i].key, &log->key) &&
            strcmp(policy->logs[i].key.name, log->key.name) == 0)
            return TLOG_POLICY_KEY_AGAIN;
    }
    log->url = word_next(&line);
    policy->logs_count++;
    return word_next(&line).size == 0 ? TLOG_POLICY_GOOD : TLOG_POLICY_WORDS;
}

static enum tlog_policy_fault read_witness(struct tlog_policy *policy,
                                           struct slice line)
{
    struct tlog_policy_witness *witness;
    enum tlog_policy_fault fault;

    if (policy->witnesses_count == TLOG_POLICY_WITNESSES_MAX)
        return TLOG_POLICY_TOO_MANY;
    witness = &policy->witnesses[policy->witnesses_count];
    witness->name = word_next(&line);
    fault = name_fault(policy, witness->name);
    if (fault == TLOG_POLICY_GOOD)
        fault = read_key(&witness->key, word_next(&line), NOTE_COSIGNATURE);
    if (fault != TLOG_POLICY_GOOD)
        return fault;
    for (size_t i = 0; i < policy->witnesses_count; i++) {
        if (keys_are_one(&policy->witnesses[i].key, &witness->key))
            return TLOG_POLICY_KEY_AGAIN;
    }
    witness->url = word_next(&line);
    policy->witnesses_count++;
    return word_next(&line).size == 0 ? TLOG_POLICY_GOOD : TLOG_POLICY_WORDS;
}

static enum tlog_policy_fault read_members(struct policy_reading *reading,
                                           struct tlog_policy_group *group,
                                           unsigned *count_out,
                                           struct slice line)
{
    struct slice name;

    *count_out = 0;
    group->members = 0;
    while ((name = word_next(&line)).size > 0) {
        int member = find_member(reading->policy, name);

        if (member == TLOG_POLICY_NONE)
            return TLOG_POLICY_NAME_UNKNOWN;
        if ((reading->grouped & member_bit(member)) != 0)
            return TLOG_POLICY_MEMBER_AGAIN;
        reading->grouped |= member_bit(member);
        group->members |= member_bit(member);
        *count_out += 1;
    }
    return *count_out > 0 ? TLOG_POLICY_GOOD : TLOG_POLICY_WORDS;
}

static enum tlog_policy_fault read_group(struct policy_reading *reading,
                                         struct slice line)
{
    struct tlog_policy *policy = reading->policy;
    struct tlog_policy_group *group;
    struct slice how;
    enum tlog_policy_fault fault;
    uint64_t threshold = 1; /* Of "any". */
    unsigned count;

    if (policy->groups_count == TLOG_POLICY_GROUPS_MAX)
        return TLOG_POLICY_TOO_MANY;
    group = &policy->groups[policy->groups_count];
    group->name = word_next(&line);
    fault = name_fault(policy, group->name);
    if (fault != TLOG_POLICY_GOOD)
        return fault;
    how = word_next(&line);
    fault = read_members(reading, group, &count, line);
    if (fault != TLOG_POLICY_GOOD)
        return fault;
    if (lines_equal(how, "all"))
        threshold = count;
    else if (!lines_equal(how, "any") &&
             (lines_read_number(&threshold, how, count) != ST_OK ||
              threshold == 0))
        return TLOG_POLICY_THRESHOLD;
    group->threshold = (unsigned)threshold;
    policy->groups_count++;
    return TLOG_POLICY_GOOD;
}

static enum tlog_policy_fault read_quorum(struct policy_reading *reading,
                                          struct slice line)
{
    struct slice name = word_next(&line);

    if (reading->has_quorum)
        return TLOG_POLICY_QUORUM_AGAIN;
    if (name.size == 0 || word_next(&line).size > 0)
        return TLOG_POLICY_WORDS;
    reading->has_quorum = true;
    reading->policy->quorum = find_member(reading->policy, name);
    if (reading->policy->quorum == TLOG_POLICY_NONE &&
        !lines_equal(name, "none"))
        return TLOG_POLICY_NAME_UNKNOWN;
    return TLOG_POLICY_GOOD;
}

static enum tlog_policy_fault read_line(struct policy_reading *reading,
                                        struct slice line)
{
    struct slice keyword;

    if (!line_characters_valid(line))
        return TLOG_POLICY_CHARACTER;
    keyword = word_next(&line);
    if (keyword.size == 0 || keyword.data[0] == '#')
        return TLOG_POLICY_GOOD;
    if (lines_equal(keyword, "log"))
        return read_log(reading->policy, line);
    if (lines_equal(keyword, "witness"))
        return read_witness(reading->policy, line);
    if (lines_equal(keyword, "group"))
        return read_group(reading, line);
    if (lines_equal(keyword, "quorum"))
        return read_quorum(reading, line);
    return TLOG_POLICY_KEYWORD;
}

enum status tlog_policy_read(struct tlog_policy *policy_out,
                             struct tlog_policy_error *error_out,
                             struct slice text)
{
    struct policy_reading reading = {.policy = policy_out};
    struct slice line;
    enum status status = ST_END;

    memset(policy_out, 0, sizeof *policy_out);
    policy_out->quorum = TLOG_POLICY_NONE;
    *error_out = (struct tlog_policy_error){TLOG_POLICY_GOOD, 1};
    if (text.size > TLOG_POLICY_SIZE_MAX) {
        error_out->fault = TLOG_POLICY_TOO_LARGE;
        return ST_FILE_FORMAT;
    }
    while ((status = lines_next(&line, &text)) == ST_OK) {
        error_out->fault = read_line(&reading, line);
        if (error_out->fault != TLOG_POLICY_GOOD)
            return ST_FILE_FORMAT;
        error_out->line++;
    }
    if (status != ST_END)
        error_out->fault = TLOG_POLICY_CHARACTER;
    else if (!reading.has_quorum)
        error_out->fault = TLOG_POLICY_QUORUM_MISSING;
    return error_out->fault == TLOG_POLICY_GOOD ? ST_OK : ST_FILE_FORMAT;
}
