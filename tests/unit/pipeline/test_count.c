#include "server/registry/count.h"

#include <string.h>

#include "protocol/completeness.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

#define FIRST  UINT64_C(1400057421)
#define SECOND UINT64_C(1000276532)

static struct rig rig;
static struct rig_command command;

static void add_get(uint64_t subject)
{
    struct op_section_get get = {.sections = 1};

    rig_item(&rig, &command, OPCODE_SECTION_GET, subject, 0, &get);
}

/* Refused, as the signer is nobody's person. */
static void run(uint16_t flags)
{
    struct rig_answer answer;

    command.header.flags = flags;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert(!answer.is_error);
    ck_assert_int_ne(answer.code, ST_OK);
}

static void ask_about(uint64_t subject)
{
    rig_begin(&rig, &command);
    add_get(subject);
    run(0);
}

static struct row_completeness row_of(uint64_t subject)
{
    struct row_completeness row = {.subject = subject};

    if (!state_get(rig.state, TABLE_COMPLETENESS, &row))
        memset(&row, 0, sizeof row);
    return row;
}

/* As an auditor without keys finds it. */
static struct completeness walk(uint64_t subject)
{
    struct completeness sum = {.count = 0};
    uint8_t leaf[HASH_SIZE];
    struct slice bytes;
    struct entry entry;

    for (uint64_t i = 0; i < journal_size(rig.journal); i++) {
        ck_assert_int_eq(
            journal_read_entry(rig.journal, &bytes, rig.entry_buffer, i),
            ST_OK);
        ck_assert_int_eq(entry_decode(&entry, bytes), ST_OK);
        entry_leaf_hash(leaf, bytes);
        completeness_entry(&sum, subject, &entry, leaf);
    }
    return sum;
}

static void expect(uint64_t subject, uint64_t count)
{
    struct row_completeness row = row_of(subject);
    struct completeness found = walk(subject);

    ck_assert_uint_eq(row.count, count);
    ck_assert_uint_eq(found.count, count);
    ck_assert_mem_eq(row.rolling.b, found.rolling, HASH_SIZE);
}

START_TEST(every_item_that_names_a_subject_is_counted_refused_or_not)
{
    rig_open(&rig);
    ask_about(FIRST);
    ask_about(SECOND);
    rig_begin(&rig, &command);
    add_get(FIRST);
    add_get(FIRST);
    add_get(SECOND);
    add_get(FIRST);
    run(0);
    expect(FIRST, 4);
    expect(SECOND, 2);
    expect(FIRST + 1, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(items_of_a_batch_that_was_not_done_are_counted)
{
    rig_open(&rig);
    rig_begin(&rig, &command);
    add_get(FIRST);
    add_get(SECOND);
    run(COMMAND_FLAG_ATOMIC);
    expect(FIRST, 1);
    expect(SECOND, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_command_refused_as_a_whole_is_counted)
{
    rig_open(&rig);
    rig_begin(&rig, &command);
    command.header.counter = 5;
    add_get(FIRST);
    run(0);
    rig_begin(&rig, &command);
    command.header.counter = 5; /* REPLAY: no handler sees it. */
    add_get(FIRST);
    run(0);
    expect(FIRST, 2);
    rig_close(&rig);
}
END_TEST

START_TEST(who_replays_the_log_comes_to_the_same_counts)
{
    uint8_t live[HASH_SIZE], replayed[HASH_SIZE];

    rig_open(&rig);
    ask_about(FIRST);
    ask_about(SECOND);
    ask_about(FIRST);
    state_full_digest(rig.state, live);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    state_full_digest(rig.state, replayed);
    ck_assert_mem_eq(live, replayed, HASH_SIZE);
    expect(FIRST, 2);
    ask_about(FIRST);
    expect(FIRST, 3);
    rig_close(&rig);
}
END_TEST

/* Its receipt signs the result of the whole command. */
START_TEST(an_extract_is_issued_by_a_command_of_its_own)
{
    struct op_extract_issue issue = {.sections = 1};
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_EXTRACT_ISSUE, FIRST, 0, &issue);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert_int_eq(answer.code, ST_NOT_SELF);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_EXTRACT_ISSUE, FIRST, 0, &issue);
    rig_item(&rig, &command, OPCODE_EXTRACT_ISSUE, FIRST, 0, &issue);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert_int_eq(answer.code, ST_BAD_FIELD);
    expect(FIRST, 3);
    rig_close(&rig);
}
END_TEST

START_TEST(counts_enter_the_digest)
{
    uint8_t before[HASH_SIZE];
    struct state_head head;

    rig_open(&rig);
    ask_about(FIRST);
    head = *state_head(rig.state);
    state_full_digest(rig.state, before);
    ask_about(FIRST);
    ck_assert_mem_ne(head.digest, state_head(rig.state)->digest, HASH_SIZE);
    state_full_digest(rig.state, head.digest);
    ck_assert_mem_ne(before, head.digest, HASH_SIZE);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("count", every_item_that_names_a_subject_is_counted_refused_or_not,
           items_of_a_batch_that_was_not_done_are_counted,
           a_command_refused_as_a_whole_is_counted,
           who_replays_the_log_comes_to_the_same_counts,
           an_extract_is_issued_by_a_command_of_its_own,
           counts_enter_the_digest)
