/* ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "tests/lib/pipeline_rig.h"

static struct rig rig;
static struct rig_command command;

/* A ping of which further copies can be made by finishing it again. */
static void begin_ping(const char *text)
{
    struct op_system_ping ping = {.text = slice_of(text, strlen(text))};

    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &ping);
}

/* The same bytes again: the salt and the idem are those of before. */
static struct work *again(const struct command_build *build)
{
    command.build = *build;
    return rig_finish(&rig, &command, &rig.admin);
}

START_TEST(D92_the_same_bytes_again_give_the_former_answer_and_no_entry)
{
    struct rig_answer first, second;

    rig_open(&rig);
    begin_ping("a");
    struct command_build build = command.build;
    rig_run(&rig, &first, again(&build));
    uint64_t size = journal_size(rig.journal);
    rig_run(&rig, &second, again(&build));
    ck_assert_int_eq(first.code, ST_OK);
    ck_assert(!first.known);
    ck_assert(second.known);
    ck_assert_int_eq(second.code, first.code);
    ck_assert_uint_eq(second.index, first.index);
    ck_assert_uint_eq(second.result_size, first.result_size);
    ck_assert_mem_eq(second.result, first.result, first.result_size);
    ck_assert_mem_eq(second.result_hash, first.result_hash, HASH_SIZE);
    ck_assert_uint_eq(journal_size(rig.journal), size);
    rig_close(&rig);
}
END_TEST

START_TEST(D92_a_read_sent_again_omits_its_result)
{
    struct op_config_list list = {0};
    struct rig_answer first, second;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_CONFIG_LIST, 0, 1, &list);
    struct command_build build = command.build;
    rig_run(&rig, &first, again(&build));
    rig_run(&rig, &second, again(&build));
    ck_assert_int_eq(first.code, ST_OK);
    ck_assert_uint_gt(first.result_size, 0);
    ck_assert(second.known && second.omitted);
    ck_assert_uint_eq(second.result_size, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(D93_the_same_bytes_while_the_first_are_under_way_are_in_progress)
{
    struct rig_answer answer;

    rig_open(&rig);
    begin_ping("a");
    struct command_build build = command.build;
    ck_assert_int_eq(rig_commit(&rig, again(&build)), SEQUENCER_TAKEN);
    struct work *first = rig.group->works;
    rig.group->works = NULL;
    rig_run(&rig, &answer, again(&build));
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.code, ST_IN_PROGRESS);
    rig.group->works = first;
    ck_assert_int_eq(rig_apply(&rig, &answer), ST_OK);
    ck_assert_int_eq(answer.code, ST_OK);
    rig_close(&rig);
}
END_TEST

START_TEST(D94_other_bytes_under_a_used_idem_are_refused_without_an_entry)
{
    struct rig_answer answer;
    uint8_t idem[IDEM_SIZE];

    rig_open(&rig);
    begin_ping("a");
    memcpy(idem, command.header.idem, IDEM_SIZE);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    uint64_t size = journal_size(rig.journal);
    begin_ping("b");
    memcpy(command.header.idem, idem, IDEM_SIZE);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.code, ST_IDEM_CONFLICT);
    ck_assert_uint_eq(journal_size(rig.journal), size);
    rig_close(&rig);
}
END_TEST

START_TEST(D95_one_idem_may_be_used_by_two_keys)
{
    struct rig_answer answer;
    uint8_t idem[IDEM_SIZE];

    rig_open(&rig);
    begin_ping("a");
    memcpy(idem, command.header.idem, IDEM_SIZE);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    begin_ping("a");
    memcpy(command.header.idem, idem, IDEM_SIZE);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.node));
    ck_assert(!answer.is_error && !answer.known);
    rig_close(&rig);
}
END_TEST

START_TEST(D92_the_former_answer_outlives_a_restart)
{
    for (int keep = 0; keep < 2; keep++) {
        struct rig_answer first, second;

        rig_open(&rig);
        begin_ping("a");
        struct command_build build = command.build;
        rig_run(&rig, &first, again(&build));
        ck_assert_int_eq(rig_restart(&rig, keep == 1), ST_OK);
        rig_run(&rig, &second, again(&build));
        ck_assert(second.known);
        ck_assert_uint_eq(second.index, first.index);
        ck_assert_mem_eq(second.result, first.result, first.result_size);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(D98_a_late_retry_of_an_entered_command_gets_its_answer)
{
    struct rig_answer first, second;

    rig_open(&rig);
    begin_ping("a");
    struct command_build build = command.build;
    rig_run(&rig, &first, again(&build));
    rig_wait(&rig, 47 * 3600 * RIG_SECOND);
    rig_run(&rig, &second, again(&build));
    ck_assert(second.known);
    ck_assert_uint_eq(second.index, first.index);
    rig_close(&rig);
}
END_TEST

START_TEST(D99_after_the_retention_the_same_bytes_are_expired)
{
    struct rig_answer first, other, second;

    rig_open(&rig);
    begin_ping("a");
    struct command_build build = command.build;
    rig_run(&rig, &first, again(&build));
    rig_wait(&rig, 49 * 3600 * RIG_SECOND);
    /* Rows go by log time, a few with each entry, once they are attested. */
    struct op_system_attest stated = {.first = 0};
    uint8_t bytes[256];
    struct writer space;
    writer_init(&space, bytes, sizeof bytes);
    attest_make(apply_attest(rig.apply), &stated, &space, 0);
    struct node_command *own = node_command_begin(&rig.signer);
    node_command_add(own, OPCODE_SYSTEM_ATTEST, &stated);
    rig_run(&rig, &other, node_command_finish(own, rig.wall));
    ck_assert_int_eq(other.code, ST_OK);
    struct rig_command *saved = malloc(sizeof *saved);
    memcpy(saved, &command, sizeof *saved);
    for (int i = 0; i < 3; i++)
        rig_ping(&rig, &rig.admin, &other, "purge");
    memcpy(&command, saved, sizeof *saved);
    free(saved);
    rig_run(&rig, &second, again(&build));
    ck_assert(!second.known && !second.is_error);
    ck_assert_int_eq(second.code, ST_EXPIRED);
    ck_assert_uint_gt(second.index, first.index);
    rig_close(&rig);
}
END_TEST

START_TEST(D96_a_command_signed_too_long_ago_is_an_entry_and_expired)
{
    struct rig_answer answer;

    rig_open(&rig);
    begin_ping("a");
    command.header.ttl_s = 10;
    command.header.signed_at = rig.wall - (10 + SKEW_S) * RIG_SECOND - 1;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_EXPIRED);
    begin_ping("a");
    command.header.ttl_s = 10;
    command.header.signed_at = rig.wall - (10 + SKEW_S) * RIG_SECOND;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert_int_eq(answer.code, ST_OK);
    rig_close(&rig);
}
END_TEST

START_TEST(D97_a_command_signed_in_the_future_is_an_entry_and_early)
{
    struct rig_answer answer;

    rig_open(&rig);
    begin_ping("a");
    command.header.signed_at = rig.wall + SKEW_S * RIG_SECOND + 1;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_EARLY);
    begin_ping("a");
    command.header.signed_at = rig.wall + SKEW_S * RIG_SECOND;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert_int_eq(answer.code, ST_OK);
    rig_close(&rig);
}
END_TEST

static uint16_t ping_counted(uint64_t counter)
{
    struct rig_answer answer;

    begin_ping("a");
    command.header.counter = counter;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    return answer.code;
}

START_TEST(D101_a_counter_that_does_not_rise_is_a_replay)
{
    rig_open(&rig);
    ck_assert_int_eq(ping_counted(5), ST_OK);
    ck_assert_int_eq(ping_counted(5), ST_REPLAY);
    ck_assert_int_eq(ping_counted(4), ST_REPLAY);
    ck_assert_int_eq(ping_counted(0), ST_OK);
    ck_assert_int_eq(ping_counted(9), ST_OK);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    ck_assert_int_eq(ping_counted(9), ST_REPLAY);
    rig_close(&rig);
}
END_TEST

START_TEST(a_counter_is_spent_by_a_command_that_is_refused)
{
    struct op_duty_ack ack = {.assignment = 77};
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_DUTY_ACK, 0, 1, &ack);
    command.header.counter = 3;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert_int_ne(answer.code, ST_OK);
    ck_assert_int_eq(ping_counted(3), ST_REPLAY);
    rig_close(&rig);
}
END_TEST

START_TEST(a_clock_thrown_forward_stalls_the_node_until_it_agrees_again)
{
    struct rig_answer answer;

    rig_open(&rig);
    rig.wall += 3600 * RIG_SECOND;
    rig_ping(&rig, &rig.admin, &answer, "a");
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.code, ST_READ_ONLY);
    ck_assert(sequencer_stalled(rig.sequencer));
    rig.wall -= 3600 * RIG_SECOND;
    ck_assert(!sequencer_look(rig.sequencer));
    rig_ping(&rig, &rig.admin, &answer, "a");
    ck_assert_int_eq(answer.code, ST_OK);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("idempotent",
           D92_the_same_bytes_again_give_the_former_answer_and_no_entry,
           D92_a_read_sent_again_omits_its_result,
           D93_the_same_bytes_while_the_first_are_under_way_are_in_progress,
           D94_other_bytes_under_a_used_idem_are_refused_without_an_entry,
           D95_one_idem_may_be_used_by_two_keys,
           D92_the_former_answer_outlives_a_restart,
           D98_a_late_retry_of_an_entered_command_gets_its_answer,
           D99_after_the_retention_the_same_bytes_are_expired,
           D96_a_command_signed_too_long_ago_is_an_entry_and_expired,
           D97_a_command_signed_in_the_future_is_an_entry_and_early,
           D101_a_counter_that_does_not_rise_is_a_replay,
           a_counter_is_spent_by_a_command_that_is_refused,
           a_clock_thrown_forward_stalls_the_node_until_it_agrees_again)
