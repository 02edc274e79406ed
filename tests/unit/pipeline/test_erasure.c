#include "server/pipeline/erasure.h"

#include <string.h>

#include "protocol/enrol.h"
#include "protocol/entry.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "server/store/snapshot.h"
#include "tests/lib/random.h"
#include "tests/lib/shred.h"
#include "tests/lib/suite.h"

static struct rig_command command;

static uint16_t close_subject(uint64_t voen)
{
    struct op_subject_close in = {.closed = 20001, .basis = {{2}}};

    return shred_run(SHRED_REGISTRAR, OPCODE_SUBJECT_CLOSE, voen,
                     SHRED_REGISTRAR, &in);
}

struct digests {
    uint8_t running[HASH_SIZE];
    uint8_t full[HASH_SIZE];
};

static struct digests digests(void)
{
    struct digests out;

    memcpy(out.running, state_head(shred_rig.state)->digest, HASH_SIZE);
    state_full_digest(shred_rig.state, out.full);
    return out;
}

static void same(const struct digests *a)
{
    struct digests b = digests();

    ck_assert_mem_eq(a, &b, sizeof b);
}

START_TEST(an_act_takes_both_keys_of_its_subject_and_no_other)
{
    uint64_t numbers[4], other[4];
    uint8_t key[KEY_SIZE];
    uint32_t act;

    shred_begin();
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, numbers, 4,
                                    KEYRING_RECORD, SHRED_VOEN, 0),
                      1);
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, other, 4, KEYRING_RECORD,
                                    SHRED_VOEN_OTHER, 0),
                      1);
    act = shred_order(SHRED_VOEN, 3);
    ck_assert_uint_eq(shred_bury(), 0);
    shred_erase(act);
    /* Not confirmed before it is done. */
    ck_assert(!shred_confirm());
    ck_assert_uint_eq(shred_bury(), 2);
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, numbers[0]),
                     ST_ERASED);
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, other[0]), ST_OK);
    ck_assert_uint_eq(shred_bury(), 0);
    ck_assert(shred_confirm());
    ck_assert(!shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

START_TEST(what_is_erased_does_not_depend_on_when_a_node_loses_the_key)
{
    struct rig_answer answer;
    struct digests before;
    uint32_t act;
    struct op_subject_close in = {.closed = 20001, .basis = {{2}}};
    struct work *work;

    shred_begin();
    act = shred_order(SHRED_VOEN, 1);
    /* Sealed under the key before the act, applied after it. */
    shred_erase(act);
    ck_assert_int_eq(close_subject(SHRED_VOEN), ST_ERASED);
    rig_begin(&shred_rig, &command);
    command.organisation = SHRED_OWNER;
    rig_item(&shred_rig, &command, OPCODE_SUBJECT_CLOSE, SHRED_VOEN,
             SHRED_REGISTRAR, &in);
    work = rig_finish(&shred_rig, &command, &shred_people[SHRED_REGISTRAR]);
    rig_run(&shred_rig, &answer, work);
    ck_assert_int_eq(answer.code, ST_ERASED);
    before = digests();
    /* Replayed by a node that still has it: the same. */
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_OK);
    same(&before);
    ck_assert_uint_eq(shred_bury(), 1);
    ck_assert_int_eq(close_subject(SHRED_VOEN), ST_ERASED);
    before = digests();
    ck_assert_int_eq(rig_restart(&shred_rig, true), ST_OK);
    same(&before);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(a_replay_stops_before_what_was_destroyed_and_a_snapshot_helps)
{
    struct digests before;
    uint32_t act;

    shred_begin();
    act = shred_order(SHRED_VOEN, 3);
    shred_erase(act);
    shred_bury();
    ck_assert(shred_confirm());
    (void)close_subject(SHRED_VOEN_OTHER);
    before = digests();
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_CONTENT_GONE);
    /* Nothing of that entry was done. */
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_SUBJECT), 0);
    ck_assert_uint_gt(apply_size(shred_rig.apply), 0);
    shred_rig.from_snapshot = true;
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_OK);
    same(&before);
    ck_assert_int_eq(close_subject(SHRED_VOEN), ST_ERASED);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(a_crash_before_the_snapshot_or_the_burial_is_made_good)
{
    uint64_t size;
    uint32_t act;
    uint8_t digest[HASH_SIZE], again[HASH_SIZE];
    char name[SNAPSHOT_NAME_SIZE];

    shred_begin();
    act = shred_order(SHRED_VOEN, 3);
    shred_erase(act);
    size = apply_size(shred_rig.apply);
    ck_assert_int_eq(snapshot_digest(digest, shred_rig.disk, size), ST_OK);
    snapshot_name(name, size, false);
    ck_assert_int_eq(disk_remove(shred_rig.disk, name), ST_OK);
    ck_assert_int_eq(rig_restart(&shred_rig, true), ST_OK);
    ck_assert_int_eq(erasure_resume(shred_rig.apply), ST_OK);
    ck_assert_int_eq(snapshot_digest(again, shred_rig.disk, size), ST_OK);
    ck_assert_mem_eq(digest, again, HASH_SIZE);
    ck_assert_uint_eq(shred_bury(), 2);
    ck_assert_int_eq(rig_restart(&shred_rig, true), ST_OK);
    ck_assert_uint_eq(shred_bury(), 0);
    ck_assert(shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

START_TEST(a_confirmation_of_another_state_stops_the_node)
{
    struct op_destroy_confirm fields;
    struct node_command *own;
    struct rig_answer answer;
    uint32_t act;

    shred_begin();
    act = shred_order(SHRED_VOEN, 3);
    shred_erase(act);
    shred_bury();
    ck_assert(
        erasure_confirmation(&fields, shred_rig.apply, shred_rig.node.key_id));
    fields.snapshot.b[0] ^= 1;
    own = node_command_begin(&shred_rig.signer);
    node_command_add(own, OPCODE_DESTROY_CONFIRM, &fields);
    ck_assert_int_eq(
        rig_commit(&shred_rig, node_command_finish(own, shred_rig.wall)),
        SEQUENCER_TAKEN);
    ck_assert_int_eq(rig_apply(&shred_rig, &answer), ST_DIVERGED);
    work_close(shred_rig.group->works);
    shred_rig.group->works = NULL;
    rig_close(&shred_rig);
}
END_TEST

START_TEST(an_act_that_forgets_a_key_is_not_confirmed)
{
    struct op_destroy_erase fields = {.act = 0};
    uint8_t bytes[64];
    struct writer space;

    shred_begin();
    fields.act = shred_order(SHRED_VOEN, 3);
    writer_init(&space, bytes, sizeof bytes);
    fields.keys = list_begin(&space);
    shred_node_does(OPCODE_DESTROY_ERASE, &fields);
    ck_assert_uint_eq(shred_bury(), 0);
    ck_assert(!shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

/* Refused where it is applied, with one code on every node. */
START_TEST(T_R_8_2_2_an_act_that_names_a_key_of_another_is_refused)
{
    struct op_destroy_erase fields = {.act = 0};
    struct erased_key key = {.subject = SHRED_VOEN, .class = DESTROY_RECORD};
    struct digests before;
    uint64_t number;
    uint8_t bytes[64];
    struct writer space;

    shred_begin();
    fields.act = shred_order(SHRED_VOEN, 3);
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, &number, 1,
                                    KEYRING_RECORD, SHRED_VOEN_OTHER, 0),
                      1);
    key.key = number;
    writer_init(&space, bytes, sizeof bytes);
    fields.keys = list_begin(&space);
    list_add(&fields.keys, &space, &schema_erased_key, &key);
    ck_assert_int_eq(shred_node_tries(OPCODE_DESTROY_ERASE, &fields),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(shred_bury(), 0);
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_ERASED), 0);
    /* A node that replays it, with the key or after a later act took it. */
    before = digests();
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_OK);
    same(&before);
    rig_close(&shred_rig);
}
END_TEST

/* A state that some other way says so: nothing is destroyed by mistake. */
START_TEST(a_state_that_names_a_key_of_another_stops_the_node)
{
    struct row_erased row = {.act = 1, .index = 1, .class = DESTROY_RECORD};
    struct erasure_list list;
    uint8_t digest[HASH_SIZE];

    shred_begin();
    row.subject = SHRED_VOEN;
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, &row.number, 1,
                                    KEYRING_RECORD, SHRED_VOEN_OTHER, 0),
                      1);
    state_begin(shred_rig.state);
    state_entry_begin(shred_rig.state);
    state_insert(shred_rig.state, TABLE_ERASED, &row);
    state_entry_end(shred_rig.state, digest);
    state_commit(shred_rig.state);
    ck_assert_int_eq(erasure_find(&list, shred_rig.apply), ST_DIVERGED);
    erasure_wipe(&list);
    rig_close(&shred_rig);
}
END_TEST

/* ---- Ruling 37: a property ------------------------------------------------
 */

enum { HISTORY_STEPS = 60, HISTORY_SUBJECTS = 9 };

static const uint64_t voens[HISTORY_SUBJECTS] = {
    1400057421, 1401555071, 9900003611, 9900001881, 1700767721,
    1300017201, 9900001901, 9900003871, 1000276532};

static void step(struct random *dice)
{
    struct op_subject_open opening = {.opened = 20000};
    struct op_subject_close closing = {.closed = 20001, .basis = {{2}}};
    uint64_t voen = voens[random_below(dice, HISTORY_SUBJECTS)];
    struct row_subject row = {.voen = voen};
    uint32_t kind = random_below(dice, 10);

    opening.kind = (uint8_t)(voen % 10);
    rig_wait(&shred_rig, random_below(dice, 3) * RIG_SECOND);
    if (kind < 4) {
        (void)shred_run(SHRED_REGISTRAR, OPCODE_SUBJECT_OPEN, voen,
                        SHRED_REGISTRAR, &opening);
    } else if (kind < 7) {
        (void)shred_run(SHRED_REGISTRAR, OPCODE_SUBJECT_CLOSE, voen,
                        SHRED_REGISTRAR, &closing);
    } else if (kind < 9 && state_get(shred_rig.state, TABLE_SUBJECT, &row)) {
        shred_erase(shred_order(voen, random_chance(dice, 500) ? 1 : 3));
        if (random_chance(dice, 700))
            shred_bury();
    } else {
        (void)shred_confirm();
    }
}

START_TEST(erasure_on_a_live_node_and_a_rebuild_after_it_reach_one_digest)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct random dice = random_stream(37, seed);
        struct digests before;

        shred_begin();
        for (int i = 0; i < HISTORY_STEPS; i++)
            step(&dice);
        shred_erase(shred_order(SHRED_VOEN_OTHER, 3));
        for (uint32_t i = random_below(&dice, 10); i > 0; i--)
            step(&dice);
        shred_bury();
        before = digests();
        shred_rig.from_snapshot = true;
        ck_assert_msg(rig_restart(&shred_rig, false) == ST_OK, "seed %d",
                      (int)seed);
        same(&before);
        ck_assert_int_eq(rig_restart(&shred_rig, true), ST_OK);
        same(&before);
        rig_close(&shred_rig);
    }
}
END_TEST

START_TEST(a_snapshot_from_before_evidence_was_destroyed_goes)
{
    uint64_t first, second;

    shred_begin();
    shred_erase(shred_order(SHRED_VOEN, 1));
    first = apply_size(shred_rig.apply);
    shred_bury();
    shred_erase(shred_order(SHRED_VOEN_OTHER, 1));
    second = apply_size(shred_rig.apply);
    shred_bury();
    /* Records alone leave them. */
    ck_assert_uint_eq(snapshot_newest(shred_rig.disk, second), first);
    shred_erase(shred_order(SHRED_VOEN, 2));
    ck_assert_uint_eq(snapshot_newest(shred_rig.disk, UINT64_MAX),
                      apply_size(shred_rig.apply));
    ck_assert_uint_eq(
        snapshot_newest(shred_rig.disk, apply_size(shred_rig.apply)), 0);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(a_tombstone_that_no_act_made_stops_the_node)
{
    struct erasure_list list;
    uint64_t number;

    shred_begin();
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, &number, 1,
                                    KEYRING_RECORD, SHRED_VOEN, 0),
                      1);
    keyring_bury(shred_rig.keyring, &number, 1,
                 apply_size(shred_rig.apply) - 1);
    ck_assert_int_eq(erasure_find(&list, shred_rig.apply), ST_DIVERGED);
    erasure_wipe(&list);
    rig_close(&shred_rig);
}
END_TEST

/* A lineage was forced on a log that had lost the act; the entries behind come
 * to the index that it had. */
START_TEST(a_key_whose_act_a_lineage_took_stays_destroyed_and_the_node_goes_on)
{
    struct erasure_list list;
    struct keyring_row row;
    uint64_t number;

    shred_begin();
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, &number, 1,
                                    KEYRING_RECORD, SHRED_VOEN, 0),
                      1);
    keyring_bury(shred_rig.keyring, &number, 1, apply_size(shred_rig.apply));
    ck_assert_uint_eq(keyring_acts_lost(shred_rig.keyring), 0);
    keyring_lose_acts(shred_rig.keyring, apply_size(shred_rig.apply));
    ck_assert_uint_eq(keyring_acts_lost(shred_rig.keyring), 1);
    (void)close_subject(SHRED_VOEN_OTHER);
    ck_assert_int_eq(erasure_find(&list, shred_rig.apply), ST_OK);
    ck_assert_uint_eq(list.count, 0);
    erasure_wipe(&list);
    ck_assert_int_eq(keyring_row(shred_rig.keyring, &row, number), ST_ERASED);
    ck_assert_uint_eq(row.owner, KEYRING_ACT_LOST);
    /* The act is repeated: what is left goes, and the state says so. */
    shred_erase(shred_order(SHRED_VOEN, 3));
    ck_assert_uint_eq(shred_bury(), 1);
    ck_assert(shred_confirm());
    ck_assert_int_eq(close_subject(SHRED_VOEN), ST_ERASED);
    ck_assert_int_eq(keyring_row(shred_rig.keyring, &row, number), ST_ERASED);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(what_comes_after_the_records_is_sealed_for_a_later_act)
{
    uint64_t evidence[2];
    uint8_t key[KEY_SIZE];
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct slice bytes;
    struct entry entry;
    struct item item;

    shred_begin();
    shred_erase(shred_order(SHRED_VOEN, 1));
    shred_bury();
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, evidence, 2,
                                    KEYRING_EVIDENCE, SHRED_VOEN, 0),
                      1);
    ck_assert_int_eq(close_subject(SHRED_VOEN), ST_ERASED);
    ck_assert_int_eq(journal_read_entry(shred_rig.journal, &bytes, buffer,
                                        journal_size(shred_rig.journal) - 1),
                     ST_OK);
    ck_assert_int_eq(entry_view(&entry, bytes), ST_OK);
    entry_item(&item, &entry, 0);
    ck_assert_uint_eq(item.seal_key, evidence[0]);
    shred_erase(shred_order(SHRED_VOEN, 2));
    shred_bury();
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, item.seal_key),
                     ST_ERASED);
    rig_close(&shred_rig);
}
END_TEST

SUITE_MAIN("erasure", a_snapshot_from_before_evidence_was_destroyed_goes,
           a_tombstone_that_no_act_made_stops_the_node,
           a_key_whose_act_a_lineage_took_stays_destroyed_and_the_node_goes_on,
           what_comes_after_the_records_is_sealed_for_a_later_act,
           an_act_takes_both_keys_of_its_subject_and_no_other,
           what_is_erased_does_not_depend_on_when_a_node_loses_the_key,
           a_replay_stops_before_what_was_destroyed_and_a_snapshot_helps,
           a_crash_before_the_snapshot_or_the_burial_is_made_good,
           a_confirmation_of_another_state_stops_the_node,
           an_act_that_forgets_a_key_is_not_confirmed,
           T_R_8_2_2_an_act_that_names_a_key_of_another_is_refused,
           a_state_that_names_a_key_of_another_stops_the_node,
           erasure_on_a_live_node_and_a_rebuild_after_it_reach_one_digest)
