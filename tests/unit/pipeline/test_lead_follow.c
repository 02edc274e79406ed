/* ctest-label: threads */
/* ctest-timeout: 300 */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/lib/suite.h"

#include "protocol/entry.h"
#include "server/pipeline/pipeline_private.h"
#include "tests/lib/pipeline_host.h"

static struct pipeline_host host;

static void submit_ping(uint64_t request_id)
{
    struct work *ping = pipeline_host_ping(&host);

    ck_assert_int_eq(pipeline_host_submit(&host, request_id, ping), ST_OK);
}

/* ---- Who is told -------------------------------------------------------- */

static void count_moved(void *context)
{
    atomic_uint *count = context;

    atomic_fetch_add(count, 1);
}

static void *move_to_and_fro(void *context)
{
    struct pipeline *pipeline = context;

    for (int i = 0; i < 1000; i++)
        pipeline_set_leading(pipeline, i % 2 == 0, NULL, "127.0.0.1:1");
    return NULL;
}

/* The host runs before the loops do. */
START_TEST(who_is_told_of_moves_may_come_while_the_node_moves)
{
    atomic_uint count = 0;
    pthread_t thread;

    pipeline_host_open(&host);
    ck_assert_int_eq(
        pthread_create(&thread, NULL, move_to_and_fro, host.pipeline), 0);
    pipeline_set_moved(host.pipeline, &count, count_moved);
    (void)pthread_join(thread, NULL);
    atomic_store(&count, 0);
    pipeline_set_leading(host.pipeline, true, NULL, NULL);
    pipeline_set_leading(host.pipeline, false, NULL, NULL);
    ck_assert_uint_ge(atomic_load(&count), 1);
    pipeline_set_moved(host.pipeline, NULL, NULL);
    pipeline_host_close(&host);
}
END_TEST

/* ---- Leading ------------------------------------------------------------- */

START_TEST(a_node_that_follows_takes_no_commands)
{
    pipeline_host_open(&host);
    struct work *work = pipeline_host_ping(&host);
    ck_assert_int_eq(pipeline_host_submit(&host, 1, work), ST_NOT_PRIMARY);
    work_close(work);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&host), 0);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_term_begins_with_its_epoch_and_in_an_empty_cluster_the_secret)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    ck_assert_int_eq(pipeline_host_opcode(&host, 1), OPCODE_SYSTEM_EPOCH);
    ck_assert_int_eq(pipeline_host_opcode(&host, 2), OPCODE_SYSTEM_SECRET);
    ck_assert(host.keyed);
    pipeline_host_follow(&host);
    pipeline_host_lead(&host);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_EPOCH), 2);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_SECRET), 1);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_secret_in_the_inherited_tail_is_not_set_again)
{
    pipeline_host_open(&host);
    pipeline_host_win(&host);
    while (journal_size(host.rig.journal) < 3) {
        pipeline_host_write(&host);
        pipeline_host_nap();
    }
    /* Written, and not committed: another term begins. */
    pipeline_host_follow(&host);
    pipeline_host_lead(&host);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_EPOCH), 2);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_SECRET), 1);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(answers_leave_only_when_their_entries_are_committed)
{
    struct pipeline_host_answer answer;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    uint64_t size = journal_size(host.rig.journal);
    submit_ping(1);
    pipeline_host_hold_command(&host);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_answered(&host, 1), 0);
    pipeline_host_write(&host);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_answered(&host, 1), 0);
    ck_assert_uint_eq(pipeline_size(host.pipeline), size);
    pipeline_host_commit(&host);
    pipeline_host_answer(&host, 1, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert(!answer.is_error);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(of_a_group_that_is_committed_in_part_only_that_part_is_answered)
{
    enum { COUNT = 8 };
    struct pipeline_host_answer answer;
    uint64_t first, next;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    /* As many groups as may be under way, of one each: the others gather. */
    for (next = 1; next <= PIPELINE_SHIPPED_MAX; next++) {
        submit_ping(next);
        pipeline_host_hold(&host, next);
    }
    for (uint64_t i = 0; i < COUNT; i++)
        submit_ping(next + i);
    pipeline_host_write(&host);
    first = journal_size(host.rig.journal);
    pipeline_host_commit(&host);
    pipeline_host_answer(&host, next - 1, &answer);
    pipeline_host_hold_command(&host);
    ck_assert_uint_eq(pipeline_host_held(&host), 1);
    pipeline_host_write(&host);
    ck_assert_uint_eq(journal_size(host.rig.journal), first + COUNT);
    pipeline_host_commit_to(&host, first + 1);
    pipeline_host_answer(&host, next, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_eq(answer.index, first);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_answered(&host, next + 1), 0);
    /* What was committed was answered; of the rest nobody knows. */
    pipeline_host_follow(&host);
    pipeline_host_answer(&host, next + 1, &answer);
    ck_assert_int_eq(answer.code, ST_UNKNOWN_OUTCOME);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(
    D117_who_waits_for_a_primary_that_is_cut_off_is_told_once_and_applied_once)
{
    struct pipeline_host_answer answer;
    struct work *work, *again;
    uint64_t first;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    first = journal_size(host.rig.journal);
    work = pipeline_host_ping(&host);
    again = pipeline_host_again(work);
    ck_assert_int_eq(pipeline_host_submit(&host, 1, work), ST_OK);
    pipeline_host_hold_command(&host);
    for (uint64_t i = 2; i < 6; i++)
        submit_ping(i);
    pipeline_cut_off(host.pipeline, true);
    for (uint64_t i = 1; i < 6; i++) {
        pipeline_host_answer(&host, i, &answer);
        ck_assert(answer.is_error);
        if (i == 1 || answer.code != ST_NOT_PRIMARY)
            ck_assert_int_eq(answer.code, ST_UNKNOWN_OUTCOME);
    }
    ck_assert_int_eq(pipeline_host_submit(&host, 6, again), ST_NOT_PRIMARY);
    /* The members are back: what was told stays told, and takes place. */
    pipeline_cut_off(host.pipeline, false);
    pipeline_host_run_to(&host, first + 1);
    ck_assert_int_eq(pipeline_host_submit(&host, 7, again), ST_OK);
    pipeline_host_answer_run(&host, 7, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_eq(answer.index, first);
    ck_assert_uint_ne(answer.flags & REPLY_DUPLICATE, 0);
    ck_assert_uint_eq(pipeline_host_answered(&host, 1), 1);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_new_term_takes_commands_however_the_former_one_ended)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    pipeline_cut_off(host.pipeline, true);
    pipeline_host_follow(&host);
    pipeline_host_lead(&host);
    (void)pipeline_host_run_ping(&host, 9);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

/* ---- Ceasing to lead, between any two steps ----------------------------- */

enum step { HELD, READ, WRITTEN, COMMITTED, STEPS };

/* Command 1 has come to ${step} when the term ends; command 2 waits. */
static struct work *follow_at(enum step step, bool takes)
{
    struct work *again;
    struct work *work;

    pipeline_host_open(&host);
    host.takes = takes;
    pipeline_host_lead(&host);
    work = pipeline_host_ping(&host);
    again = pipeline_host_again(work);
    ck_assert_int_eq(pipeline_host_submit(&host, 1, work), ST_OK);
    pipeline_host_hold_command(&host);
    submit_ping(2);
    if (step == READ)
        pipeline_host_drop(&host);
    if (step >= WRITTEN)
        pipeline_host_write(&host);
    if (step == COMMITTED)
        pipeline_host_commit(&host);
    pipeline_host_follow(&host);
    return again;
}

static void check_ended(enum step step)
{
    struct pipeline_host_answer answer;

    pipeline_host_answer(&host, 1, &answer);
    ck_assert_int_eq(answer.code,
                     step == COMMITTED ? ST_OK : ST_UNKNOWN_OUTCOME);
    pipeline_host_answer(&host, 2, &answer);
    /* It may just have been sequenced. */
    ck_assert(answer.is_error);
    if (answer.code != ST_UNKNOWN_OUTCOME)
        ck_assert_int_eq(answer.code, ST_NOT_PRIMARY);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_answered(&host, 1), 1);
    ck_assert_uint_eq(pipeline_host_answered(&host, 2), 1);
}

START_TEST(whoever_waits_when_the_term_ends_is_told_once_what_is_known)
{
    for (int step = 0; step < STEPS; step++) {
        for (int takes = 0; takes < 2; takes++) {
            work_close(follow_at((enum step)step, takes == 1));
            check_ended((enum step)step);
            pipeline_host_write(&host);
            pipeline_host_check_replay(&host);
            pipeline_host_close(&host);
        }
    }
}
END_TEST

/* A retry while the new term is not committed: what stands in the log is in
 * progress, the rest is new. */
static void retry_soon(enum step step, const struct work *first)
{
    struct pipeline_host_answer answer;
    struct work *soon = pipeline_host_again(first);

    pipeline_host_hold(&host, 1); /* EPOCH. */
    while (pipeline_host_submit(&host, 3, soon) != ST_OK)
        pipeline_host_nap();
    if (step == WRITTEN) {
        pipeline_host_answer(&host, 3, &answer);
        ck_assert_int_eq(answer.code, ST_IN_PROGRESS);
        return;
    }
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_answered(&host, 3), 0);
    pipeline_host_answer_run(&host, 3, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
}

static void retry_at(enum step step, bool soon)
{
    struct work *again = follow_at(step, true);
    struct pipeline_host_answer answer;

    check_ended(step);
    pipeline_host_drop(&host);
    uint64_t size = journal_size(host.rig.journal);
    if (soon) {
        pipeline_host_win(&host);
        retry_soon(step, again);
        pipeline_host_run_to(&host, size + 1);
    } else {
        pipeline_host_lead(&host);
    }
    ck_assert_int_eq(pipeline_host_submit(&host, 4, again), ST_OK);
    pipeline_host_answer_run(&host, 4, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_int_eq((answer.flags & REPLY_DUPLICATE) != 0,
                     soon || step >= WRITTEN);
    /* The original's place: before the term, or in it. */
    if (step >= WRITTEN)
        ck_assert_uint_lt(answer.index, size);
    else
        ck_assert_uint_ge(answer.index, size);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}

START_TEST(a_retry_after_the_term_meets_what_became_of_the_first)
{
    for (int step = 0; step < STEPS; step++) {
        retry_at((enum step)step, false);
        retry_at((enum step)step, true);
    }
}
END_TEST

START_TEST(a_group_that_the_host_has_not_read_stays_as_it_was_submitted)
{
    struct journal_entry entry;

    work_close(follow_at(HELD, true));
    check_ended(HELD);
    struct group *group = host.groups[0];
    size_t count = group->entries_count;
    entry = group->entries[0];
    /* Other groups come and go meanwhile. */
    host.groups_count = 0;
    pipeline_host_lead(&host);
    for (uint64_t i = 10; i < 20; i++)
        (void)pipeline_host_run_ping(&host, i);
    uint8_t leaf[HASH_SIZE];
    ck_assert_uint_eq(group->entries_count, count);
    ck_assert_mem_eq(group->entries[0].leaf, entry.leaf, HASH_SIZE);
    entry_leaf_hash(leaf, group->entries[0].bytes);
    ck_assert_mem_eq(leaf, entry.leaf, HASH_SIZE);
    pipeline_taken(host.pipeline, group);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_term_does_not_begin_before_the_former_one_is_cleared_away)
{
    struct pipeline_host_answer answer;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    submit_ping(1);
    pipeline_host_hold(&host, 1);
    (void)pthread_mutex_lock(&host.growth);
    pipeline_host_write(&host);
    pipeline_host_commit(&host);
    /* The apply thread is held up, and with it what was submitted. */
    submit_ping(2);
    pipeline_host_hold(&host, 1);
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    pipeline_host_win(&host);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&host), 0);
    (void)pthread_mutex_unlock(&host.growth);
    pipeline_host_hold(&host, 1);
    pipeline_host_answer(&host, 1, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    pipeline_host_answer(&host, 2, &answer);
    ck_assert_int_eq(answer.code, ST_UNKNOWN_OUTCOME);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

/* ---- Attestations -------------------------------------------------------- */

START_TEST(an_attestation_under_way_when_the_term_ends_is_not_made_twice)
{
    for (int written = 0; written < 2; written++) {
        pipeline_host_open(&host);
        pipeline_host_lead(&host);
        while (pipeline_host_held(&host) == 0) {
            atomic_fetch_add(&host.passed, RIG_SECOND);
            pipeline_host_nap();
        }
        if (written)
            pipeline_host_write(&host);
        else
            pipeline_host_drop(&host);
        pipeline_host_follow(&host);
        pipeline_host_lead(&host);
        for (int i = 0; i < 20; i++) {
            atomic_fetch_add(&host.passed, RIG_SECOND);
            pipeline_host_write(&host);
            pipeline_host_commit(&host);
            pipeline_host_nap();
        }
        pipeline_host_check_replay(&host);
        pipeline_host_close(&host);
    }
}
END_TEST

/* ---- Many at once ------------------------------------------------------- */

enum { SENDS = 600 };

static atomic_bool sent_all;
static struct work *works[SENDS];
static bool taken[SENDS];

static void *sender(void *argument)
{
    (void)argument;
    for (uint64_t i = 1; i < SENDS; i++) {
        enum status status = pipeline_host_submit(&host, i, works[i]);

        taken[i] = status == ST_OK;
        if (!taken[i])
            work_close(works[i]);
        pipeline_host_nap();
    }
    atomic_store(&sent_all, true);
    return NULL;
}

START_TEST(every_command_is_answered_once_however_often_the_role_changes)
{
    struct pipeline_host_answer answer;
    unsigned answered = 0, turns = 0;
    pthread_t thread;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    for (uint64_t i = 1; i < SENDS; i++)
        works[i] = pipeline_host_ping(&host);
    atomic_store(&sent_all, false);
    ck_assert_int_eq(pthread_create(&thread, NULL, sender, NULL), 0);
    while (!atomic_load(&sent_all)) {
        turns++;
        host.takes = turns % 3 != 0;
        for (unsigned i = 0; i < turns % 7; i++) {
            pipeline_host_write(&host);
            if (turns % 2 == 0)
                pipeline_host_commit(&host);
            pipeline_host_nap();
        }
        pipeline_host_follow(&host);
        if (turns % 5 == 0)
            pipeline_host_nap();
        if (turns % 4 == 0) {
            pipeline_host_win(&host);
            pipeline_host_follow(&host);
        }
        pipeline_host_win(&host);
        for (unsigned i = 0; i < 4; i++) {
            pipeline_host_write(&host);
            pipeline_host_commit(&host);
            pipeline_host_nap();
        }
    }
    (void)pthread_join(thread, NULL);
    for (uint64_t i = 1; i < SENDS; i++) {
        if (!taken[i])
            continue;
        pipeline_host_answer_run(&host, i, &answer);
        answered += !answer.is_error;
    }
    ck_assert_uint_gt(answered, 0);
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    pipeline_host_check_replay(&host);
    for (uint64_t i = 1; i < SENDS; i++)
        ck_assert_uint_eq(host.times[i], taken[i] ? 1 : 0);
    pipeline_host_close(&host);
}
END_TEST

/* ---- Clocks, hand-over, end --------------------------------------------- */

START_TEST(a_clock_that_every_other_node_contradicts_stalls_the_primary)
{
    pipeline_host_open(&host);
    pipeline_peer_clock(host.pipeline, 70 * RIG_SECOND, 90 * RIG_SECOND);
    pipeline_host_win(&host);
    pipeline_host_nap_long();
    /* Not even EPOCH is sequenced. */
    ck_assert_uint_eq(pipeline_host_held(&host), 0);
    ck_assert_int_eq(atomic_load(&pipeline_host_doubts), 1);
    /* Nor as long as nobody's clock is known. */
    pipeline_peer_clock(host.pipeline, INT64_MAX, INT64_MIN);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&host), 0);
    pipeline_peer_clock(host.pipeline, -5 * RIG_SECOND, 90 * RIG_SECOND);
    pipeline_host_run_to(&host, 2);
    while (!pipeline_idle(host.pipeline)) {
        pipeline_host_write(&host);
        pipeline_host_commit(&host);
        atomic_fetch_add(&host.passed, RIG_SECOND);
        pipeline_host_nap();
    }
    (void)pipeline_host_run_ping(&host, 1);
    ck_assert_int_eq(atomic_load(&pipeline_host_doubts), 0);
    pipeline_peer_clock(host.pipeline, -90 * RIG_SECOND, -70 * RIG_SECOND);
    struct pipeline_host_answer answer;
    struct work *work = pipeline_host_ping(&host);
    if (pipeline_host_submit(&host, 2, work) == ST_OK) {
        pipeline_host_answer_run(&host, 2, &answer);
        ck_assert_int_eq(answer.code, ST_READ_ONLY);
    } else {
        work_close(work);
    }
    pipeline_peer_clock(host.pipeline, INT64_MIN, INT64_MAX);
    while ((work = pipeline_host_ping(&host),
            pipeline_host_submit(&host, 3, work) != ST_OK)) {
        work_close(work);
        pipeline_host_nap();
    }
    pipeline_host_answer_run(&host, 3, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(before_a_hand_over_commands_are_held_and_what_is_applied_is_attested)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    (void)pipeline_host_run_ping(&host, 1);
    ck_assert(!pipeline_idle(host.pipeline));
    pipeline_drain_commands(host.pipeline, true);
    struct work *work = pipeline_host_ping(&host);
    ck_assert_int_eq(pipeline_host_submit(&host, 2, work), ST_READ_ONLY);
    work_close(work);
    while (!pipeline_idle(host.pipeline)) {
        pipeline_host_write(&host);
        pipeline_host_commit(&host);
        pipeline_host_nap();
    }
    uint64_t size = journal_size(host.rig.journal);
    ck_assert_int_eq(pipeline_host_opcode(&host, size - 1),
                     OPCODE_SYSTEM_ATTEST);
    pipeline_drain_commands(host.pipeline, false);
    (void)pipeline_host_run_ping(&host, 3);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_node_that_nobody_commits_for_ends_all_the_same)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    submit_ping(1);
    pipeline_host_hold(&host, 1);
    pipeline_drain(host.pipeline);
    ck_assert_uint_eq(host.times[1], 1);
    ck_assert_int_eq(host.answers[1].code, ST_UNKNOWN_OUTCOME);
    pipeline_host_close(&host);
}
END_TEST

SUITE_MAIN(
    "lead_follow", who_is_told_of_moves_may_come_while_the_node_moves,
    a_node_that_follows_takes_no_commands,
    D117_who_waits_for_a_primary_that_is_cut_off_is_told_once_and_applied_once,
    a_new_term_takes_commands_however_the_former_one_ended,
    a_term_begins_with_its_epoch_and_in_an_empty_cluster_the_secret,
    a_secret_in_the_inherited_tail_is_not_set_again,
    answers_leave_only_when_their_entries_are_committed,
    of_a_group_that_is_committed_in_part_only_that_part_is_answered,
    whoever_waits_when_the_term_ends_is_told_once_what_is_known,
    a_retry_after_the_term_meets_what_became_of_the_first,
    a_group_that_the_host_has_not_read_stays_as_it_was_submitted,
    a_term_does_not_begin_before_the_former_one_is_cleared_away,
    an_attestation_under_way_when_the_term_ends_is_not_made_twice,
    every_command_is_answered_once_however_often_the_role_changes,
    a_clock_that_every_other_node_contradicts_stalls_the_primary,
    before_a_hand_over_commands_are_held_and_what_is_applied_is_attested,
    a_node_that_nobody_commits_for_ends_all_the_same)
