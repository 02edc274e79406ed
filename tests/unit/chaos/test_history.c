/* The checker of histories: a right one passes, and each wrong one is caught
 * for its own reason and for no other. */
#include "tests/lib/history.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

/* Text under way, and what was read of it. */
static char *text;
static size_t text_size;
static FILE *writing;
static struct history history;
static char why[128];

static void begin(void)
{
    history_free(&history);
    writing = open_memstream(&text, &text_size);
    ck_assert_ptr_nonnull(writing);
}

static void hex(unsigned number)
{
    fprintf(writing, " %064x", number);
}

static void log_of(const char *name)
{
    fprintf(writing, "log %s\n", name);
}

/* An entry whose leaf is 1000 more than its id. */
static void entry(unsigned index, unsigned epoch, unsigned id)
{
    fprintf(writing, "entry %u %u", index, epoch);
    hex(id);
    hex(1000 + id);
    putc('\n', writing);
}

static void acked(unsigned client, unsigned id, unsigned invoked,
                  unsigned returned, unsigned index)
{
    fprintf(writing, "op %u system.ping", client);
    hex(id);
    fprintf(writing, " %u %u acked 0 1 %u", invoked, returned, index);
    hex(1000 + id);
    fputs(" - -\n", writing);
}

/* A strict read of size ${value}, whose last entry has the id ${seen}. */
static void strict(unsigned client, unsigned id, unsigned invoked,
                   unsigned returned, unsigned index, unsigned value,
                   unsigned seen)
{
    fprintf(writing, "op %u chain.head", client);
    hex(id);
    fprintf(writing, " %u %u acked 0 1 %u", invoked, returned, index);
    hex(1000 + id);
    fprintf(writing, " %u", value);
    hex(1000 + seen);
    putc('\n', writing);
}

static void other(unsigned client, unsigned id, unsigned invoked,
                  const char *rest)
{
    fprintf(writing, "op %u system.ping", client);
    hex(id);
    fprintf(writing, " %u %s - - - - -\n", invoked, rest);
}

/* Entries of the ids 1 to ${count} at the indexes 0 to ${count} - 1. */
static void good_log(const char *name, unsigned count)
{
    log_of(name);
    for (unsigned i = 0; i < count; i++)
        entry(i, 1, i + 1);
}

static bool read_back(void)
{
    FILE *reading;
    bool good;

    ck_assert_int_eq(fclose(writing), 0);
    reading = fmemopen(text, text_size, "r");
    good = history_read(&history, reading, why, sizeof why);
    (void)fclose(reading);
    free(text);
    return good;
}

/* Exactly the faults of this one kind, as many as ${count}. */
static void expect(enum history_fault fault, size_t count)
{
    struct history_verdict verdict;

    ck_assert_msg(read_back(), "line %s", why);
    history_check(&verdict, &history, stdout);
    ck_assert_uint_eq(verdict.total, count);
    if (count > 0)
        ck_assert_msg(verdict.counts[fault] == count, "not for %s",
                      history_fault_name(fault));
    history_free(&history);
}

static void good_ops(void)
{
    acked(1, 1, 10, 20, 0);
    acked(2, 3, 15, 45, 2); /* Beside the next one: either order is right. */
    acked(1, 2, 21, 40, 1);
    strict(2, 4, 50, 60, 3, 3, 3);
}

START_TEST(a_right_history_has_no_fault)
{
    begin();
    good_ops();
    other(3, 90, 5, "- unknown 603");
    other(3, 91, 6, "9 refused 601");
    other(3, 5, 7, "- unknown 1035");
    good_log("A", 6);
    good_log("B", 5);
    expect(HISTORY_LOST, 0);
}
END_TEST

START_TEST(an_acked_entry_beyond_a_logs_end_is_lost)
{
    begin();
    good_ops();
    good_log("A", 4);
    good_log("B", 3);
    expect(HISTORY_LOST, 1);
}
END_TEST

START_TEST(another_entry_at_an_acked_index_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    acked(1, 2, 21, 40, 1);
    log_of("A");
    entry(0, 1, 1);
    entry(1, 1, 77);
    expect(HISTORY_OTHER, 1);
}
END_TEST

START_TEST(an_acked_entry_that_moved_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    log_of("A");
    entry(0, 1, 77);
    entry(1, 1, 1);
    expect(HISTORY_OTHER, 1);
}
END_TEST

START_TEST(an_acked_entry_with_another_hash_is_seen)
{
    begin();
    fputs("op 1 system.ping", writing);
    hex(1);
    fputs(" 10 20 acked 0 1 0", writing);
    hex(5555);
    fputs(" - -\n", writing);
    good_log("A", 2);
    expect(HISTORY_LEAF, 1);
}
END_TEST

START_TEST(a_receipt_of_another_epoch_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    log_of("A");
    entry(0, 2, 1);
    expect(HISTORY_EPOCH, 1);
}
END_TEST

START_TEST(two_receipts_for_one_index_are_seen_without_logs)
{
    begin();
    acked(1, 1, 10, 20, 0);
    acked(2, 2, 12, 21, 0);
    expect(HISTORY_SHARED, 1);
}
END_TEST

START_TEST(a_command_with_two_lines_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    other(1, 1, 10, "- unknown 1035");
    good_log("A", 2);
    expect(HISTORY_REPEATED, 1);
}
END_TEST

START_TEST(one_command_at_two_indexes_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    log_of("A");
    entry(0, 1, 1);
    entry(1, 1, 2);
    entry(2, 1, 2);
    expect(HISTORY_TWICE, 1);
}
END_TEST

START_TEST(a_command_without_answer_may_be_done_once_only)
{
    begin();
    acked(1, 1, 10, 20, 0);
    other(2, 2, 11, "- unknown 603");
    log_of("A");
    entry(0, 1, 1);
    entry(1, 1, 2);
    entry(2, 1, 2);
    expect(HISTORY_TWICE, 1);
}
END_TEST

START_TEST(a_refused_command_that_was_done_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    other(2, 2, 11, "15 refused 601");
    good_log("A", 2);
    expect(HISTORY_REFUSED_DONE, 1);
}
END_TEST

START_TEST(logs_that_part_are_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    good_log("A", 3);
    log_of("B");
    entry(0, 1, 1);
    entry(1, 1, 88);
    entry(2, 1, 89);
    expect(HISTORY_DIFFER, 1);
}
END_TEST

START_TEST(an_epoch_that_falls_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    log_of("A");
    entry(0, 1, 1);
    entry(1, 3, 2);
    entry(2, 2, 3);
    expect(HISTORY_EPOCH_FALLS, 1);
}
END_TEST

START_TEST(an_order_against_the_clock_is_seen)
{
    begin();
    acked(1, 2, 10, 20, 1);
    acked(2, 1, 21, 40, 0);
    good_log("A", 2);
    expect(HISTORY_ORDER, 1);
}
END_TEST

START_TEST(a_client_that_goes_back_is_seen)
{
    begin();
    acked(1, 2, 10, 20, 1);
    acked(1, 1, 21, 40, 0);
    good_log("A", 2);
    expect(HISTORY_SESSION, 1);
}
END_TEST

/* It has no answer, and still cannot stand before what had ended earlier. */
START_TEST(an_unknown_command_that_stands_too_early_is_seen)
{
    begin();
    acked(1, 2, 10, 20, 1);
    other(2, 1, 30, "- unknown 1035");
    good_log("A", 2);
    expect(HISTORY_ORDER, 1);
}
END_TEST

START_TEST(a_strict_read_that_misses_an_acked_entry_is_stale)
{
    begin();
    acked(1, 1, 10, 20, 0);
    acked(1, 2, 21, 30, 1);
    strict(2, 3, 31, 40, 2, 1, 1);
    good_log("A", 3);
    expect(HISTORY_STALE, 1);
}
END_TEST

START_TEST(a_strict_read_of_what_comes_after_it_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    strict(2, 2, 21, 40, 1, 3, 3);
    good_log("A", 4);
    expect(HISTORY_FUTURE, 1);
}
END_TEST

START_TEST(a_strict_read_that_saw_a_lost_entry_is_seen)
{
    begin();
    acked(1, 1, 10, 20, 0);
    strict(2, 2, 21, 40, 1, 1, 66);
    good_log("A", 4);
    expect(HISTORY_SEEN, 1);
}
END_TEST

START_TEST(a_strict_read_that_goes_back_is_seen)
{
    struct history_verdict verdict;

    begin();
    strict(1, 2, 10, 20, 1, 1, 1);
    strict(2, 3, 21, 40, 2, 0, 1);
    good_log("A", 4);
    ck_assert(read_back());
    history_check(&verdict, &history, stdout);
    /* It misses what was acknowledged, too. */
    ck_assert_uint_eq(verdict.counts[HISTORY_BACK], 1);
    ck_assert_uint_eq(verdict.counts[HISTORY_STALE], 1);
    ck_assert_uint_eq(verdict.total, 2);
    history_free(&history);
}
END_TEST

START_TEST(overlapping_commands_may_stand_in_any_order)
{
    begin();
    acked(1, 2, 10, 30, 1);
    acked(2, 1, 30, 40, 0); /* Began when the other had just not ended. */
    good_log("A", 2);
    expect(HISTORY_ORDER, 0);
}
END_TEST

static void refuse(const char *line)
{
    begin();
    fputs(line, writing);
    ck_assert_msg(!read_back(), "taken: %s", line);
    history_free(&history);
}

START_TEST(lines_of_another_form_are_refused_by_number)
{
    refuse("op 1 2 3\n");
    refuse("entry 0 1 ab cd\n");
    refuse("log\n");
    refuse("log A\nentry 1 1\n");
    refuse("log A");
    begin();
    acked(1, 1, 10, 20, 0);
    fputs("op 1 system.ping", writing);
    hex(2);
    fputs(" 10 9 refused 601 - - - - -\n", writing); /* Ends before it began. */
    ck_assert(!read_back());
    ck_assert_msg(strncmp(why, "2:", 2) == 0, "%s", why);
    begin();
    log_of("A");
    entry(1, 1, 1); /* The first index is 0. */
    ck_assert(!read_back());
    begin();
    other(1, 1, 5, "9 unknown 603"); /* What ended is not unknown. */
    ck_assert(!read_back());
    begin();
    other(1, 1, 5, "9 acked 0"); /* A receipt names an index. */
    ck_assert(!read_back());
    history_free(&history);
}
END_TEST

SUITE_MAIN("history", a_right_history_has_no_fault,
           an_acked_entry_beyond_a_logs_end_is_lost,
           another_entry_at_an_acked_index_is_seen,
           an_acked_entry_that_moved_is_seen,
           an_acked_entry_with_another_hash_is_seen,
           a_receipt_of_another_epoch_is_seen,
           two_receipts_for_one_index_are_seen_without_logs,
           a_command_with_two_lines_is_seen, one_command_at_two_indexes_is_seen,
           a_command_without_answer_may_be_done_once_only,
           a_refused_command_that_was_done_is_seen, logs_that_part_are_seen,
           an_epoch_that_falls_is_seen, an_order_against_the_clock_is_seen,
           a_client_that_goes_back_is_seen,
           an_unknown_command_that_stands_too_early_is_seen,
           a_strict_read_that_misses_an_acked_entry_is_stale,
           a_strict_read_of_what_comes_after_it_is_seen,
           a_strict_read_that_saw_a_lost_entry_is_seen,
           a_strict_read_that_goes_back_is_seen,
           overlapping_commands_may_stand_in_any_order,
           lines_of_another_form_are_refused_by_number)
