#include "tests/lib/suite.h"

#include <string.h>

#include "server/pipeline/outcome.h"
#include "tests/lib/pipeline_rig.h"

static struct rig rig;
static struct rig_command command;

enum { DUTY_ADM_ASSIGNMENT = 1, NO_ORGANISATION = 999 };

static void add_enrol(const char *name)
{
    struct op_organisation_enrol enrol = {
        .kind = 2,
        .name = slice_of(name, strlen(name)),
        .basis = {{1}},
    };

    rig_item(&rig, &command, OPCODE_ORGANISATION_ENROL, 0, DUTY_ADM_ASSIGNMENT,
             &enrol);
}

static void add_change(uint32_t organisation)
{
    struct op_organisation_change change = {
        .organisation = organisation, .state = 1, .basis = {{1}}};

    rig_item(&rig, &command, OPCODE_ORGANISATION_CHANGE, 0, DUTY_ADM_ASSIGNMENT,
             &change);
}

static void run(struct rig_answer *answer, uint16_t flags)
{
    command.header.flags = flags;
    rig_run(&rig, answer, rig_finish(&rig, &command, &rig.admin));
}

/* The code of item ${at} in a batch's result. */
static uint16_t code_of(const struct rig_answer *answer, uint16_t at)
{
    struct reader reader;
    uint16_t code = 0;

    reader_init(&reader, slice_of(answer->result, answer->result_size));
    uint16_t count = reader_u16(&reader);
    ck_assert_uint_lt(at, count);
    for (uint16_t i = 0; i <= at; i++) {
        code = reader_u16(&reader);
        (void)reader_blob(&reader);
    }
    ck_assert_int_eq(reader.status, ST_OK);
    return code;
}

static void digest_of(uint8_t running[HASH_SIZE], uint8_t full[HASH_SIZE])
{
    memcpy(running, state_head(rig.state)->digest, HASH_SIZE);
    state_full_digest(rig.state, full);
}

/* ---- Batches ------------------------------------------------------------ */

START_TEST(D109_an_atomic_batch_with_a_bad_last_item_does_nothing)
{
    struct rig_answer answer;

    rig_open(&rig);
    uint64_t before = state_count(rig.state, TABLE_ORGANISATION);
    uint64_t size = journal_size(rig.journal);
    rig_begin(&rig, &command);
    add_enrol("A");
    add_enrol("B");
    add_change(NO_ORGANISATION);
    run(&answer, COMMAND_FLAG_ATOMIC);
    ck_assert_int_eq(answer.code, ST_NO_SUCH);
    ck_assert_int_eq(code_of(&answer, 0), ST_NOT_DONE);
    ck_assert_int_eq(code_of(&answer, 1), ST_NOT_DONE);
    ck_assert_int_eq(code_of(&answer, 2), ST_NO_SUCH);
    ck_assert_uint_eq(state_count(rig.state, TABLE_ORGANISATION), before);
    ck_assert_uint_eq(journal_size(rig.journal), size + 1);
    rig_close(&rig);
}
END_TEST

START_TEST(items_behind_the_bad_one_of_an_atomic_batch_are_not_done)
{
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    add_change(NO_ORGANISATION);
    add_enrol("A");
    run(&answer, COMMAND_FLAG_ATOMIC);
    ck_assert_int_eq(code_of(&answer, 0), ST_NO_SUCH);
    ck_assert_int_eq(code_of(&answer, 1), ST_NOT_DONE);
    rig_close(&rig);
}
END_TEST

START_TEST(an_atomic_batch_of_good_items_is_done)
{
    struct rig_answer answer;

    rig_open(&rig);
    uint64_t before = state_count(rig.state, TABLE_ORGANISATION);
    rig_begin(&rig, &command);
    add_enrol("A");
    add_enrol("B");
    run(&answer, COMMAND_FLAG_ATOMIC);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_eq(state_count(rig.state, TABLE_ORGANISATION), before + 2);
    rig_close(&rig);
}
END_TEST

START_TEST(D110_a_batch_with_a_bad_middle_item_does_the_others)
{
    struct rig_answer answer;

    rig_open(&rig);
    uint64_t before = state_count(rig.state, TABLE_ORGANISATION);
    rig_begin(&rig, &command);
    add_enrol("A");
    add_change(NO_ORGANISATION);
    add_enrol("B");
    run(&answer, 0);
    ck_assert_int_eq(answer.code, ST_PARTIAL);
    ck_assert_int_eq(code_of(&answer, 0), ST_OK);
    ck_assert_int_eq(code_of(&answer, 1), ST_NO_SUCH);
    ck_assert_int_eq(code_of(&answer, 2), ST_OK);
    ck_assert_uint_eq(state_count(rig.state, TABLE_ORGANISATION), before + 2);
    rig_close(&rig);
}
END_TEST

START_TEST(a_batch_of_bad_items_has_the_first_one_s_code)
{
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    add_change(NO_ORGANISATION);
    add_change(NO_ORGANISATION);
    run(&answer, 0);
    ck_assert_int_eq(answer.code, ST_NO_SUCH);
    rig_close(&rig);
}
END_TEST

START_TEST(D108_a_read_and_a_write_in_one_batch_make_no_entry)
{
    struct op_config_list list = {0};
    struct rig_answer answer;

    rig_open(&rig);
    uint64_t size = journal_size(rig.journal);
    rig_begin(&rig, &command);
    add_enrol("A");
    rig_item(&rig, &command, OPCODE_CONFIG_LIST, 0, 1, &list);
    run(&answer, 0);
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.code, ST_MIXED_BATCH);
    ck_assert_uint_eq(answer.item, 1);
    ck_assert_uint_eq(journal_size(rig.journal), size);
    rig_close(&rig);
}
END_TEST

START_TEST(D104_an_unknown_operation_makes_no_entry)
{
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, 0xfffe, 0, 0, NULL);
    run(&answer, 0);
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.code, ST_UNKNOWN_OP);
    rig_close(&rig);
}
END_TEST

START_TEST(an_operation_in_another_realm_makes_no_entry)
{
    struct op_system_ping ping = {.text = {NULL, 0}};
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &ping);
    command.header.realm = REALM_SYSTEM;
    run(&answer, 0);
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.code, ST_WRONG_ENV);
    rig_close(&rig);
}
END_TEST

START_TEST(D119_log_time_does_not_go_back_with_the_clock)
{
    struct rig_answer answer;

    rig_open(&rig);
    int64_t before = state_head(rig.state)->log_time;
    rig.wall -= 30 * RIG_SECOND;
    rig_ping(&rig, &rig.admin, &answer, "a");
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_int_ge(state_head(rig.state)->log_time, before);
    rig_close(&rig);
}
END_TEST

START_TEST(D118_a_log_without_room_refuses_and_loses_nothing)
{
    struct op_system_ping ping = {.text = slice_of("p", 1)};
    struct rig_answer answer;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &ping);
    struct command_build build = command.build;
    struct work *work = rig_finish(&rig, &command, &rig.admin);
    uint64_t size = sequencer_end(rig.sequencer)->size;
    decode_work(work);
    group_reset(rig.group, 100);
    ck_assert_int_eq(sequencer_put(rig.sequencer, rig.group, work),
                     SEQUENCER_REFUSED);
    ck_assert_int_eq(work->fault.status, ST_READ_ONLY);
    ck_assert_uint_eq(sequencer_end(rig.sequencer)->size, size);
    work_close(work);
    /* With room the same bytes are new: nothing was remembered of them. */
    command.build = build;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert(!answer.known);
    ck_assert_int_eq(answer.code, ST_OK);
    rig_close(&rig);
}
END_TEST

/* ---- Replay ------------------------------------------------------------- */

/* A little of everything: done, refused, partial, undone, sealed, counted. */
static void fill(void)
{
    struct op_actor_identity identity = {
        .surname = slice_of("Sarabskaya", 10),
        .given = slice_of("Nargiz", 6),
        .fin = slice_of("7ZZ0QWE", 7),
    };
    struct rig_answer answer;

    memcpy(identity.key_id.b, rig.admin.key_id, KEY_ID_SIZE);
    rig_do(&rig, &rig.admin, &answer, OPCODE_ACTOR_IDENTITY, 0,
           DUTY_ADM_ASSIGNMENT, &identity);
    ck_assert_int_eq(answer.code, ST_OK);
    rig_begin(&rig, &command);
    add_enrol("A");
    add_change(NO_ORGANISATION);
    run(&answer, 0);
    rig_begin(&rig, &command);
    add_enrol("B");
    add_change(NO_ORGANISATION);
    run(&answer, COMMAND_FLAG_ATOMIC);
    rig_begin(&rig, &command);
    add_enrol("C");
    command.header.counter = 7;
    run(&answer, 0);
    ck_assert_int_eq(answer.code, ST_OK);
    rig_begin(&rig, &command);
    add_enrol("late");
    command.header.signed_at -= 3600 * RIG_SECOND;
    run(&answer, 0);
    ck_assert_int_eq(answer.code, ST_EXPIRED);
    rig_wait(&rig, RIG_SECOND);
    rig_ping(&rig, &rig.admin, &answer, "z");
}

START_TEST(a_state_rebuilt_from_the_log_has_the_same_digests)
{
    uint8_t running[2][HASH_SIZE], full[2][HASH_SIZE];

    rig_open(&rig);
    fill();
    digest_of(running[0], full[0]);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    digest_of(running[1], full[1]);
    ck_assert_mem_eq(running[0], running[1], HASH_SIZE);
    ck_assert_mem_eq(full[0], full[1], HASH_SIZE);
    rig_close(&rig);
}
END_TEST

START_TEST(a_kill_between_commit_and_apply_is_made_up_by_replay)
{
    uint8_t running[2][HASH_SIZE], full[2][HASH_SIZE];
    struct op_system_ping ping = {.text = slice_of("k", 1)};
    struct rig_answer answer;

    rig_open(&rig);
    fill();
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &ping);
    struct command_build build = command.build;
    ck_assert_int_eq(rig_commit(&rig, rig_finish(&rig, &command, &rig.admin)),
                     SEQUENCER_TAKEN);
    work_close(rig.group->works);
    rig.group->works = NULL;
    ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
    ck_assert_uint_eq(apply_size(rig.apply), journal_size(rig.journal));
    digest_of(running[0], full[0]);
    /* D102: who sends the same bytes again gets the answer. */
    command.build = build;
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.admin));
    ck_assert(answer.known);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_eq(answer.index, apply_size(rig.apply) - 1);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    digest_of(running[1], full[1]);
    ck_assert_mem_eq(running[0], running[1], HASH_SIZE);
    ck_assert_mem_eq(full[0], full[1], HASH_SIZE);
    rig_close(&rig);
}
END_TEST

START_TEST(sealed_text_is_in_no_file_of_the_node)
{
    rig_open(&rig);
    fill();
    state_checkpoint(rig.state, true);
    ck_assert(!rig_files_hold(&rig, "Sarabskaya"));
    ck_assert(!rig_files_hold(&rig, "7ZZ0QWE"));
    /* What is open is found, so the search does look. */
    ck_assert(rig_files_hold(&rig, "Owner"));
    rig_close(&rig);
}
END_TEST

/* ---- Attestations ------------------------------------------------------- */

/* What is to be attested now; lists' bytes lie in ${bytes}. */
static void state_now(struct op_system_attest *stated, uint8_t *bytes,
                      size_t size)
{
    struct writer space;

    writer_init(&space, bytes, size);
    attest_make(apply_attest(rig.apply), stated, &space, 0);
    ck_assert_int_eq(space.status, ST_OK);
}

static enum status enter(const struct op_system_attest *stated)
{
    struct node_command *own = node_command_begin(&rig.signer);
    struct rig_answer answer;

    node_command_add(own, OPCODE_SYSTEM_ATTEST, stated);
    ck_assert_int_eq(rig_commit(&rig, node_command_finish(own, rig.wall)),
                     SEQUENCER_TAKEN);
    return rig_apply(&rig, &answer);
}

/* Else whoever may log in could make any number of keys that no act destroys:
 * nobody is there whose they are. */
START_TEST(who_serves_no_organisation_makes_no_seal_key_for_another)
{
    struct op_actor_identity in = {
        .key_id = {{9}},
        .surname = slice_of("A", 1),
        .given = slice_of("B", 1),
    };
    struct rig_answer answer;
    struct keyring_row row;
    struct slice bytes;
    struct entry entry;
    struct item item;

    rig_open(&rig);
    rig_do(&rig, &rig.admin, &answer, OPCODE_ACTOR_IDENTITY, 0,
           DUTY_ADM_ASSIGNMENT, &in);
    ck_assert_int_eq(answer.code, ST_NO_SUCH);
    ck_assert_int_eq(
        journal_read_entry(rig.journal, &bytes, rig.entry_buffer, answer.index),
        ST_OK);
    ck_assert_int_eq(entry_view(&entry, bytes), ST_OK);
    entry_item(&item, &entry, 0);
    ck_assert_int_eq(keyring_row(rig.keyring, &row, item.seal_key), ST_OK);
    ck_assert_uint_eq(row.owner, keyring_person(rig.admin.key_id));
    rig_close(&rig);
}
END_TEST

START_TEST(an_attestation_covers_what_was_applied_and_holds_at_replay)
{
    struct op_system_attest stated;
    uint8_t bytes[4096];

    rig_open(&rig);
    fill();
    state_now(&stated, bytes, sizeof bytes);
    ck_assert_uint_eq(stated.first, 0);
    ck_assert_uint_eq(stated.last, apply_size(rig.apply) - 1);
    /* Partial: one. Atomic: two. Late: one. */
    ck_assert_uint_eq(stated.refusals.count, 4);
    ck_assert_int_eq(enter(&stated), ST_OK);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, stated.last + 1);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, stated.last + 1);
    rig_close(&rig);
}
END_TEST

/* Enters an attestation with one thing changed, as a forger might. */
static void forged_attestation_stops(void (*change)(struct op_system_attest *))
{
    struct op_system_attest stated;
    uint8_t bytes[4096];

    rig_open(&rig);
    fill();
    state_now(&stated, bytes, sizeof bytes);
    change(&stated);
    ck_assert_int_eq(enter(&stated), ST_DIVERGED);
    work_close(rig.group->works);
    rig.group->works = NULL;
    ck_assert_int_eq(rig_restart(&rig, false), ST_DIVERGED);
    rig_close(&rig);
}

static void change_root(struct op_system_attest *stated)
{
    stated->root.b[3] ^= 1;
}
static void change_digest(struct op_system_attest *stated)
{
    stated->digest.b[31] ^= 1;
}
static void change_refusals(struct op_system_attest *stated)
{
    stated->refusals.count = 0;
    stated->refusals.bytes.size = 0;
}
static void change_first(struct op_system_attest *stated)
{
    stated->first = 1;
}

START_TEST(an_attestation_of_another_root_stops_the_node)
{
    forged_attestation_stops(change_root);
}
END_TEST

START_TEST(an_attestation_of_another_digest_stops_the_node)
{
    forged_attestation_stops(change_digest);
}
END_TEST

START_TEST(an_attestation_without_the_refusals_stops_the_node)
{
    forged_attestation_stops(change_refusals);
}
END_TEST

START_TEST(an_attestation_that_leaves_entries_out_stops_the_node)
{
    forged_attestation_stops(change_first);
}
END_TEST

START_TEST(an_attestation_by_another_than_the_node_is_refused)
{
    struct op_system_attest stated;
    struct rig_answer answer;
    uint8_t bytes[4096];

    rig_open(&rig);
    state_now(&stated, bytes, sizeof bytes);
    rig_do(&rig, &rig.admin, &answer, OPCODE_SYSTEM_ATTEST, 0,
           DUTY_ADM_ASSIGNMENT, &stated);
    ck_assert_int_eq(answer.code, ST_NO_DUTY);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(attestations_are_not_caused_by_attestations_alone)
{
    struct attest *attest = attest_open(0);
    struct item_outcome done = {.code = ST_OK};
    uint8_t digest[HASH_SIZE] = {1};
    struct op_system_attest stated;
    uint8_t bytes[64];
    struct writer space;
    const int64_t now = 100000;

    attest_add(attest, &done, 1, digest, false, now);
    writer_init(&space, bytes, sizeof bytes);
    attest_make(attest, &stated, &space, now);
    ck_assert(!attest_due(attest, now + ATTEST_IDLE_MS, true));
    attest_cut(attest, 0);
    ck_assert(!attest_due(attest, now + ATTEST_IDLE_MS, true));
    attest_add(attest, &done, 1, digest, true, now);
    ck_assert(!attest_due(attest, now + ATTEST_DELAY_MS, true));
    /* But each ten seconds of quiet have one. */
    ck_assert(attest_due(attest, now + ATTEST_IDLE_MS, false));
    attest_add(attest, &done, 1, digest, false, now + 1);
    ck_assert(!attest_due(attest, now + 2, false));
    ck_assert(attest_due(attest, now + 2, true));
    ck_assert(attest_due(attest, now + 1 + ATTEST_DELAY_MS, false));
    attest_close(attest);
}
END_TEST

START_TEST(an_attestation_is_split_when_it_lists_too_many_refusals)
{
    static struct item_outcome refused[ITEMS_MAX];
    static uint8_t bytes[LIST_COUNT_MAX * 16];
    struct attest *attest = attest_open(5);
    uint8_t digest[HASH_SIZE] = {1};
    struct op_system_attest stated;
    struct writer space;

    for (size_t i = 0; i < ITEMS_MAX; i++)
        refused[i].code = ST_NO_DUTY;
    for (int i = 0; i < 2; i++)
        attest_add(attest, refused, ITEMS_MAX, digest, false, 0);
    writer_init(&space, bytes, sizeof bytes);
    attest_make(attest, &stated, &space, 0);
    ck_assert_uint_eq(stated.first, 5);
    ck_assert_uint_eq(stated.last, 5);
    ck_assert_uint_eq(stated.refusals.count, LIST_COUNT_MAX);
    ck_assert_int_eq(attest_check(attest, &stated), ST_OK);
    attest_cut(attest, 5);
    ck_assert_uint_eq(attest_first(attest), 6);
    ck_assert_uint_eq(attest_waiting(attest), 1);
    attest_close(attest);
}
END_TEST

/* ---- Tampering ---------------------------------------------------------- */

START_TEST(a_replayed_entry_with_a_changed_signature_is_refused)
{
    struct rig_answer answer;
    uint8_t bytes[4096];
    struct slice entry;

    rig_open(&rig);
    rig_ping(&rig, &rig.admin, &answer, "a");
    ck_assert_int_eq(
        journal_read_entry(rig.journal, &entry, rig.entry_buffer, answer.index),
        ST_OK);
    ck_assert_uint_le(entry.size, sizeof bytes);
    memcpy(bytes, entry.data, entry.size);
    bytes[ENTRY_PREFIX_SIZE + COMMAND_HEADER_SIZE] ^= 1;
    entry.data = bytes;
    apply_begin(rig.apply);
    /* It does not follow what was applied either. */
    ck_assert_int_eq(apply_replay(rig.apply, entry), ST_CHAIN_BROKEN);
    store_u64(bytes + 8, apply_size(rig.apply));
    memcpy(bytes + 24, state_head(rig.state)->applied_leaf, HASH_SIZE);
    ck_assert_int_eq(apply_replay(rig.apply, entry), ST_BAD_SIG);
    apply_commit(rig.apply);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("apply", D109_an_atomic_batch_with_a_bad_last_item_does_nothing,
           items_behind_the_bad_one_of_an_atomic_batch_are_not_done,
           an_atomic_batch_of_good_items_is_done,
           D110_a_batch_with_a_bad_middle_item_does_the_others,
           a_batch_of_bad_items_has_the_first_one_s_code,
           D108_a_read_and_a_write_in_one_batch_make_no_entry,
           D104_an_unknown_operation_makes_no_entry,
           an_operation_in_another_realm_makes_no_entry,
           D119_log_time_does_not_go_back_with_the_clock,
           D118_a_log_without_room_refuses_and_loses_nothing,
           a_state_rebuilt_from_the_log_has_the_same_digests,
           a_kill_between_commit_and_apply_is_made_up_by_replay,
           sealed_text_is_in_no_file_of_the_node,
           who_serves_no_organisation_makes_no_seal_key_for_another,
           an_attestation_covers_what_was_applied_and_holds_at_replay,
           an_attestation_of_another_root_stops_the_node,
           an_attestation_of_another_digest_stops_the_node,
           an_attestation_without_the_refusals_stops_the_node,
           an_attestation_that_leaves_entries_out_stops_the_node,
           an_attestation_by_another_than_the_node_is_refused,
           attestations_are_not_caused_by_attestations_alone,
           an_attestation_is_split_when_it_lists_too_many_refusals,
           a_replayed_entry_with_a_changed_signature_is_refused)
