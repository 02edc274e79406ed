/* ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "protocol/entry.h"
#include "tests/lib/pipeline_host.h"

/* Two nodes of one cluster. */
static struct pipeline_host host;
static struct pipeline_host other;

static void digest_of(struct pipeline_host *of, uint8_t out[HASH_SIZE])
{
    memcpy(out, state_head(of->rig.state)->digest, HASH_SIZE);
}

START_TEST(a_node_that_applies_what_another_sequenced_comes_to_the_same_state)
{
    struct op_organisation_enrol enrol = {
        .kind = 2, .name = slice_of("Body", 4), .basis = {{1}}};
    uint8_t digests[2][HASH_SIZE];
    static struct rig_command command;

    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    for (uint64_t i = 1; i < 20; i++) {
        struct pipeline_host_answer answer;

        rig_begin(&host.rig, &command);
        rig_item(&host.rig, &command, OPCODE_ORGANISATION_ENROL, 0, 1, &enrol);
        struct work *work = rig_finish(&host.rig, &command, &host.rig.admin);
        ck_assert_int_eq(pipeline_host_submit(&host, i, work), ST_OK);
        pipeline_host_answer_run(&host, i, &answer);
        ck_assert_int_eq(answer.code, ST_OK);
        ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
        pipeline_host_commit_to(&other, host.committed);
    }
    /* The backup attests nothing, and checks what is attested. */
    while (pipeline_host_count(&host, OPCODE_SYSTEM_ATTEST) == 0) {
        atomic_fetch_add(&host.passed, RIG_SECOND);
        atomic_fetch_add(&other.passed, RIG_SECOND);
        pipeline_host_write(&host);
        pipeline_host_commit(&host);
        pipeline_host_nap();
    }
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    pipeline_host_commit(&host);
    pipeline_host_wait_applied(&host, journal_size(host.rig.journal));
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_commit(&other);
    pipeline_host_wait_applied(&other, journal_size(host.rig.journal));
    ck_assert_uint_eq(pipeline_host_held(&other), 0);
    pipeline_host_stop(&host);
    pipeline_host_stop(&other);
    state_full_digest(host.rig.state, digests[0]);
    state_full_digest(other.rig.state, digests[1]);
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    digest_of(&host, digests[0]);
    digest_of(&other, digests[1]);
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

START_TEST(D103_a_new_primary_knows_the_commands_of_the_tail_that_it_inherits)
{
    struct pipeline_host_answer answer;
    struct work *work;

    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    work = pipeline_host_ping(&host);
    struct work *soon = pipeline_host_again(work);
    struct work *late = pipeline_host_again(work);
    ck_assert_int_eq(pipeline_host_submit(&host, 1, work), ST_OK);
    pipeline_host_hold(&host, 1);
    uint64_t index = journal_size(host.rig.journal);
    pipeline_host_write(&host);
    /* The node may have attested in between. */
    while (pipeline_host_opcode(&host, index) != OPCODE_SYSTEM_PING)
        index++;
    /* All of it reaches the other node, and is not committed there. */
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_follow(&host);
    ck_assert_uint_lt(pipeline_size(other.pipeline), index);
    pipeline_host_win(&other);
    pipeline_host_hold(&other, 1);
    while (pipeline_host_submit(&other, 1, soon) != ST_OK)
        pipeline_host_nap();
    pipeline_host_answer(&other, 1, &answer);
    ck_assert_int_eq(answer.code, ST_IN_PROGRESS);
    pipeline_host_run_to(&other, index + 1);
    ck_assert_int_eq(pipeline_host_submit(&other, 2, late), ST_OK);
    pipeline_host_answer_run(&other, 2, &answer);
    ck_assert((answer.flags & REPLY_DUPLICATE) != 0);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_eq(answer.index, index);
    /* Keys of the tail are its keys: nothing else is sealed anew. */
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_SYSTEM_SECRET), 1);
    pipeline_host_check_replay(&other);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

START_TEST(a_new_primary_attests_the_inherited_tail_right_after_its_epoch)
{
    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    (void)pipeline_host_run_ping(&host, 1);
    uint64_t size = journal_size(host.rig.journal);
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_follow(&host);
    pipeline_host_commit(&other);
    pipeline_host_wait_applied(&other, size);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&other), 0);
    /* No time passes: it does not wait for more to gather. */
    pipeline_host_win(&other);
    pipeline_host_run_to(&other, size + 2);
    ck_assert_int_eq(pipeline_host_opcode(&other, size), OPCODE_SYSTEM_EPOCH);
    ck_assert_int_eq(pipeline_host_opcode(&other, size + 1),
                     OPCODE_SYSTEM_ATTEST);
    pipeline_host_check_replay(&other);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

/* Entries of a node to the log of another, behind the back of its pipeline. */
static void copy_entries(struct pipeline_host *to, struct pipeline_host *from)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct journal_entry entry;

    for (uint64_t i = journal_size(to->rig.journal);
         i < journal_size(from->rig.journal); i++) {
        ck_assert_int_eq(
            journal_read_entry(from->rig.journal, &entry.bytes, buffer, i),
            ST_OK);
        entry_leaf_hash(entry.leaf, entry.bytes);
        ck_assert_int_eq(journal_append(to->rig.journal, &entry, 1), ST_OK);
        ck_assert_int_eq(journal_sync(to->rig.journal, to->committed), ST_OK);
    }
}

START_TEST(a_group_that_the_next_primary_replaced_is_never_applied)
{
    enum { TIMES = 5 };
    struct pipeline_host_answer answer;

    for (int times = 0; times < TIMES; times++) {
        pipeline_host_open(&host);
        pipeline_host_open(&other);
        pipeline_host_lead(&host);
        ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
        pipeline_host_commit_to(&other, host.committed);
        ck_assert_int_eq(
            pipeline_host_submit(&host, 1, pipeline_host_ping(&host)), ST_OK);
        pipeline_host_hold(&host, 1);
        /* The other leads, and its entries take the places of what is held. */
        pipeline_host_wait_applied(&other, other.committed);
        pipeline_host_lead(&other);
        (void)pipeline_host_run_ping(&other, 1);
        (void)pipeline_host_run_ping(&other, 2);
        copy_entries(&host, &other);
        /* At once, so that the apply thread hears both together. */
        pipeline_host_follow(&host);
        pipeline_host_commit(&host);
        pipeline_host_answer(&host, 1, &answer);
        ck_assert_int_eq(answer.code, ST_UNKNOWN_OUTCOME);
        pipeline_host_wait_applied(&host, journal_size(other.rig.journal));
        pipeline_host_drop(&host);
        pipeline_host_check_replay(&host);
        pipeline_host_close(&host);
        pipeline_host_close(&other);
    }
}
END_TEST

/* ---- Turn by turn ----------------------------------------------------------
 */

enum { TURNS = 12, PER_TURN = 4, COMMANDS = TURNS * PER_TURN };

static struct work *copies[COMMANDS];
static uint64_t requests;

static bool try_send(struct pipeline_host *to, const struct work *command)
{
    struct work *work = pipeline_host_again(command);
    bool sent = pipeline_host_submit(to, ++requests, work) == ST_OK;

    if (!sent)
        work_close(work);
    return sent;
}

/* Command ${number} and an older one once more, left anywhere on their way. */
static void send_some(struct pipeline_host *to, struct pipeline_host *backup,
                      size_t number)
{
    copies[number] = pipeline_host_ping(to);
    while (!try_send(to, copies[number]))
        pipeline_host_nap();
    (void)try_send(to, copies[number / 2]);
    if (number % 3 == 0)
        return;
    pipeline_host_nap();
    pipeline_host_write(to);
    if (number % 3 == 1)
        return;
    ck_assert_int_eq(pipeline_host_ship(backup, to), ST_OK);
    pipeline_host_commit(to);
    pipeline_host_commit_to(backup, to->committed);
}

/* How often the idem of ${command} stands in the log of ${in}. */
static size_t entries_of(struct pipeline_host *in, const struct work *command)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct slice bytes;
    struct entry entry;
    size_t count = 0;

    for (uint64_t i = 0; i < journal_size(in->rig.journal); i++) {
        ck_assert_int_eq(journal_read_entry(in->rig.journal, &bytes, buffer, i),
                         ST_OK);
        ck_assert_int_eq(entry_view(&entry, bytes), ST_OK);
        count += memcmp(entry.header.idem, command->command.header.idem,
                        IDEM_SIZE) == 0;
    }
    return count;
}

/* Until its answer is no refusal of the moment. */
static void send_until_done(struct pipeline_host *to,
                            const struct work *command)
{
    struct pipeline_host_answer answer;

    do {
        while (!try_send(to, command))
            pipeline_host_nap();
        pipeline_host_answer_run(to, requests, &answer);
    } while (answer.is_error);
    ck_assert_int_eq(answer.code, ST_OK);
}

START_TEST(each_command_is_entered_once_however_often_two_nodes_take_turns)
{
    uint8_t digests[2][HASH_SIZE];

    pipeline_host_open(&host);
    pipeline_host_open(&other);
    for (size_t turn = 0; turn < TURNS; turn++) {
        struct pipeline_host *primary = turn % 2 == 0 ? &host : &other;
        struct pipeline_host *backup = turn % 2 == 0 ? &other : &host;

        primary->epoch = (uint32_t)turn;
        pipeline_host_win(primary);
        for (size_t i = 0; i < PER_TURN; i++)
            send_some(primary, backup, turn * PER_TURN + i);
        /* What was written is shipped; not all of it is committed. */
        ck_assert_int_eq(pipeline_host_ship(backup, primary), ST_OK);
        pipeline_host_follow(primary);
        pipeline_host_drop(primary);
    }
    host.epoch = TURNS;
    pipeline_host_lead(&host);
    for (size_t i = 0; i < COMMANDS; i++) {
        send_until_done(&host, copies[i]);
        ck_assert_uint_eq(entries_of(&host, copies[i]), 1);
        work_close(copies[i]);
    }
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    pipeline_host_commit(&host);
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_commit(&other);
    pipeline_host_check_replay(&host);
    pipeline_host_check_replay(&other);
    digest_of(&host, digests[0]);
    digest_of(&other, digests[1]);
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

SUITE_MAIN("two_nodes",
           a_node_that_applies_what_another_sequenced_comes_to_the_same_state,
           D103_a_new_primary_knows_the_commands_of_the_tail_that_it_inherits,
           a_new_primary_attests_the_inherited_tail_right_after_its_epoch,
           a_group_that_the_next_primary_replaced_is_never_applied,
           each_command_is_entered_once_however_often_two_nodes_take_turns)
