#include "server/pipeline/erasure.h"

#include <string.h>

#include "protocol/enrol.h"
#include "protocol/entry.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "server/store/snapshot.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/random.h"
#include "tests/lib/suite.h"

enum { OWNER = 1, VOEN = 1400057421, VOEN_OTHER = 1401555071 };
/* Persons and assignments have the same numbers. */
enum { ADMIN = 1, OFFICER, HEAD, KEEPER, REGISTRAR, PEOPLE };

static struct rig rig;
static struct rig_command command;
static struct identity people[PEOPLE];
static const uint8_t duties[PEOPLE] = {0,        DUTY_ADM, DUTY_DPO,
                                       DUTY_DIR, DUTY_ARC, DUTY_REG};

static uint16_t run(uint32_t who, uint16_t opcode, uint64_t subject,
                    uint32_t duty, const void *fields)
{
    struct rig_answer answer;

    rig_begin(&rig, &command);
    command.organisation = OWNER;
    rig_item(&rig, &command, opcode, subject, duty, fields);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &people[who]));
    ck_assert(!answer.is_error);
    return answer.code;
}

static void done(uint32_t who, uint16_t opcode, uint64_t subject, uint32_t duty,
                 const void *fields)
{
    uint16_t code = run(who, opcode, subject, duty, fields);

    ck_assert_msg(code == ST_OK, "%s: %u", operation_info(opcode)->name, code);
}

static void enrol(uint32_t who)
{
    struct enrol_claim claim = {
        .role = ROLE_STAFF, .level = 3, .organisation = OWNER};
    struct op_actor_enrol enrol = {.role = ROLE_STAFF,
                                   .level = 3,
                                   .organisation = OWNER,
                                   .evidence = {{1}}};
    struct op_duty_assign assign = {.person = who,
                                    .organisation = OWNER,
                                    .duty = duties[who],
                                    .scope = 0xff,
                                    .basis = {{1}}};
    struct op_duty_ack ack = {.assignment = who};

    rig_identity(&rig, &people[who]);
    memcpy(enrol.public_key.b, people[who].public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, rig.cluster_id, &people[who]);
    done(ADMIN, OPCODE_ACTOR_ENROL, 0, ADMIN, &enrol);
    done(ADMIN, OPCODE_DUTY_ASSIGN, 0, ADMIN, &assign);
    done(who, OPCODE_DUTY_ACK, 0, 0, &ack);
}

static void open_subject(uint64_t voen)
{
    struct op_subject_open in = {.kind = SUBJECT_LEGAL, .opened = 20000};

    done(REGISTRAR, OPCODE_SUBJECT_OPEN, voen, REGISTRAR, &in);
}

static void begin(void)
{
    struct op_config_change at_once = {.setting = SETTING_destroy_hour,
                                       .value = -1,
                                       .note = slice_of("n", 1),
                                       .basis = {{1}}};

    rig_open(&rig);
    people[ADMIN] = rig.admin;
    for (uint32_t who = OFFICER; who < PEOPLE; who++)
        enrol(who);
    done(HEAD, OPCODE_CONFIG_CHANGE, 0, HEAD, &at_once);
    open_subject(VOEN);
    open_subject(VOEN_OTHER);
}

static uint32_t order(uint64_t voen, uint16_t keys)
{
    static uint32_t act;
    uint8_t bytes[64];
    struct writer space;
    struct destroy_subject subject = {.subject = voen};
    struct op_destroy_propose propose = {
        .keys = keys, .ground = 1, .basis = {{1}}};
    struct op_destroy_approve approve;
    struct op_destroy_execute execute;

    writer_init(&space, bytes, sizeof bytes);
    propose.subjects = list_begin(&space);
    list_add(&propose.subjects, &space, &schema_destroy_subject, &subject);
    done(OFFICER, OPCODE_DESTROY_PROPOSE, 0, OFFICER, &propose);
    act = (uint32_t)state_count(rig.state, TABLE_DESTRUCTION);
    approve = (struct op_destroy_approve){.act = act};
    execute = (struct op_destroy_execute){.act = act};
    done(HEAD, OPCODE_DESTROY_APPROVE, 0, HEAD, &approve);
    done(KEEPER, OPCODE_DESTROY_EXECUTE, 0, KEEPER, &execute);
    return act;
}

static void node_does(uint16_t opcode, const void *fields)
{
    struct node_command *own = node_command_begin(&rig.signer);
    struct rig_answer answer;

    node_command_add(own, opcode, fields);
    rig_run(&rig, &answer, node_command_finish(own, rig.wall));
    ck_assert_int_eq(answer.code, ST_OK);
}

static void erase(uint32_t act)
{
    struct op_destroy_erase fields;
    uint8_t bytes[4096];
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    erasure_make(&fields, &space, rig.apply, act);
    node_does(OPCODE_DESTROY_ERASE, &fields);
}

static size_t bury(void)
{
    struct erasure_list list;
    size_t count;

    ck_assert(erasure_sync(rig.apply));
    ck_assert_int_eq(erasure_find(&list, rig.apply), ST_OK);
    count = list.count;
    erasure_bury(rig.keyring, &list);
    erasure_wipe(&list);
    return count;
}

static bool confirm(void)
{
    struct op_destroy_confirm fields;

    if (!erasure_confirmation(&fields, rig.apply, rig.node.key_id))
        return false;
    node_does(OPCODE_DESTROY_CONFIRM, &fields);
    return true;
}

static uint16_t close_subject(uint64_t voen)
{
    struct op_subject_close in = {.closed = 20001, .basis = {{2}}};

    return run(REGISTRAR, OPCODE_SUBJECT_CLOSE, voen, REGISTRAR, &in);
}

struct digests {
    uint8_t running[HASH_SIZE];
    uint8_t full[HASH_SIZE];
};

static struct digests digests(void)
{
    struct digests out;

    memcpy(out.running, state_head(rig.state)->digest, HASH_SIZE);
    state_full_digest(rig.state, out.full);
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

    begin();
    ck_assert_uint_eq(
        keyring_owned(rig.keyring, numbers, 4, KEYRING_RECORD, VOEN), 1);
    ck_assert_uint_eq(
        keyring_owned(rig.keyring, other, 4, KEYRING_RECORD, VOEN_OTHER), 1);
    act = order(VOEN, 3);
    ck_assert_uint_eq(bury(), 0);
    erase(act);
    /* Not confirmed before it is done. */
    ck_assert(!confirm());
    ck_assert_uint_eq(bury(), 2);
    ck_assert_int_eq(keyring_key(rig.keyring, key, numbers[0]), ST_ERASED);
    ck_assert_int_eq(keyring_key(rig.keyring, key, other[0]), ST_OK);
    ck_assert_uint_eq(bury(), 0);
    ck_assert(confirm());
    ck_assert(!confirm());
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_erased_does_not_depend_on_when_a_node_loses_the_key)
{
    struct rig_answer answer;
    struct digests before;
    uint32_t act;
    struct op_subject_close in = {.closed = 20001, .basis = {{2}}};
    struct work *work;

    begin();
    act = order(VOEN, 1);
    /* Sealed under the key before the act, applied after it. */
    erase(act);
    ck_assert_int_eq(close_subject(VOEN), ST_ERASED);
    rig_begin(&rig, &command);
    command.organisation = OWNER;
    rig_item(&rig, &command, OPCODE_SUBJECT_CLOSE, VOEN, REGISTRAR, &in);
    work = rig_finish(&rig, &command, &people[REGISTRAR]);
    rig_run(&rig, &answer, work);
    ck_assert_int_eq(answer.code, ST_ERASED);
    before = digests();
    /* Replayed by a node that still has it: the same. */
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    same(&before);
    ck_assert_uint_eq(bury(), 1);
    ck_assert_int_eq(close_subject(VOEN), ST_ERASED);
    before = digests();
    ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
    same(&before);
    rig_close(&rig);
}
END_TEST

START_TEST(a_replay_stops_before_what_was_destroyed_and_a_snapshot_helps)
{
    struct digests before;
    uint32_t act;

    begin();
    act = order(VOEN, 3);
    erase(act);
    bury();
    ck_assert(confirm());
    (void)close_subject(VOEN_OTHER);
    before = digests();
    ck_assert_int_eq(rig_restart(&rig, false), ST_CONTENT_GONE);
    /* Nothing of that entry was done. */
    ck_assert_uint_eq(state_count(rig.state, TABLE_SUBJECT), 0);
    ck_assert_uint_gt(apply_size(rig.apply), 0);
    rig.from_snapshot = true;
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    same(&before);
    ck_assert_int_eq(close_subject(VOEN), ST_ERASED);
    rig_close(&rig);
}
END_TEST

START_TEST(a_crash_before_the_snapshot_or_the_burial_is_made_good)
{
    uint64_t size;
    uint32_t act;
    uint8_t digest[HASH_SIZE], again[HASH_SIZE];
    char name[SNAPSHOT_NAME_SIZE];

    begin();
    act = order(VOEN, 3);
    erase(act);
    size = apply_size(rig.apply);
    ck_assert_int_eq(snapshot_digest(digest, rig.disk, size), ST_OK);
    snapshot_name(name, size, false);
    ck_assert_int_eq(disk_remove(rig.disk, name), ST_OK);
    ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
    ck_assert_int_eq(erasure_resume(rig.apply), ST_OK);
    ck_assert_int_eq(snapshot_digest(again, rig.disk, size), ST_OK);
    ck_assert_mem_eq(digest, again, HASH_SIZE);
    ck_assert_uint_eq(bury(), 2);
    ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
    ck_assert_uint_eq(bury(), 0);
    ck_assert(confirm());
    rig_close(&rig);
}
END_TEST

START_TEST(a_confirmation_of_another_state_stops_the_node)
{
    struct op_destroy_confirm fields;
    struct node_command *own;
    struct rig_answer answer;
    uint32_t act;

    begin();
    act = order(VOEN, 3);
    erase(act);
    bury();
    ck_assert(erasure_confirmation(&fields, rig.apply, rig.node.key_id));
    fields.snapshot.b[0] ^= 1;
    own = node_command_begin(&rig.signer);
    node_command_add(own, OPCODE_DESTROY_CONFIRM, &fields);
    ck_assert_int_eq(rig_commit(&rig, node_command_finish(own, rig.wall)),
                     SEQUENCER_TAKEN);
    ck_assert_int_eq(rig_apply(&rig, &answer), ST_DIVERGED);
    work_close(rig.group->works);
    rig.group->works = NULL;
    rig_close(&rig);
}
END_TEST

START_TEST(an_act_that_forgets_a_key_is_not_confirmed)
{
    struct op_destroy_erase fields = {.act = 0};
    uint8_t bytes[64];
    struct writer space;

    begin();
    fields.act = order(VOEN, 3);
    writer_init(&space, bytes, sizeof bytes);
    fields.keys = list_begin(&space);
    node_does(OPCODE_DESTROY_ERASE, &fields);
    ck_assert_uint_eq(bury(), 0);
    ck_assert(!confirm());
    rig_close(&rig);
}
END_TEST

START_TEST(an_act_that_names_a_key_of_another_destroys_nothing)
{
    struct op_destroy_erase fields = {.act = 0};
    struct erased_key key = {.subject = VOEN, .class = DESTROY_RECORD};
    struct erasure_list list;
    uint64_t number;
    uint8_t bytes[64];
    struct writer space;

    begin();
    fields.act = order(VOEN, 3);
    ck_assert_uint_eq(
        keyring_owned(rig.keyring, &number, 1, KEYRING_RECORD, VOEN_OTHER), 1);
    key.key = number;
    writer_init(&space, bytes, sizeof bytes);
    fields.keys = list_begin(&space);
    list_add(&fields.keys, &space, &schema_erased_key, &key);
    node_does(OPCODE_DESTROY_ERASE, &fields);
    ck_assert_int_eq(erasure_find(&list, rig.apply), ST_DIVERGED);
    erasure_wipe(&list);
    rig_close(&rig);
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
    rig_wait(&rig, random_below(dice, 3) * RIG_SECOND);
    if (kind < 4) {
        (void)run(REGISTRAR, OPCODE_SUBJECT_OPEN, voen, REGISTRAR, &opening);
    } else if (kind < 7) {
        (void)run(REGISTRAR, OPCODE_SUBJECT_CLOSE, voen, REGISTRAR, &closing);
    } else if (kind < 9 && state_get(rig.state, TABLE_SUBJECT, &row)) {
        erase(order(voen, random_chance(dice, 500) ? 1 : 3));
        if (random_chance(dice, 700))
            bury();
    } else {
        (void)confirm();
    }
}

START_TEST(erasure_on_a_live_node_and_a_rebuild_after_it_reach_one_digest)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct random dice = random_stream(37, seed);
        struct digests before;

        begin();
        for (int i = 0; i < HISTORY_STEPS; i++)
            step(&dice);
        erase(order(VOEN_OTHER, 3));
        for (uint32_t i = random_below(&dice, 10); i > 0; i--)
            step(&dice);
        bury();
        before = digests();
        rig.from_snapshot = true;
        ck_assert_msg(rig_restart(&rig, false) == ST_OK, "seed %d", (int)seed);
        same(&before);
        ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
        same(&before);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_snapshot_from_before_evidence_was_destroyed_goes)
{
    uint64_t first, second;

    begin();
    erase(order(VOEN, 1));
    first = apply_size(rig.apply);
    bury();
    erase(order(VOEN_OTHER, 1));
    second = apply_size(rig.apply);
    bury();
    /* Records alone leave them. */
    ck_assert_uint_eq(snapshot_newest(rig.disk, second), first);
    erase(order(VOEN, 2));
    ck_assert_uint_eq(snapshot_newest(rig.disk, UINT64_MAX),
                      apply_size(rig.apply));
    ck_assert_uint_eq(snapshot_newest(rig.disk, apply_size(rig.apply)), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_tombstone_that_no_act_made_stops_the_node)
{
    struct erasure_list list;
    uint64_t number;

    begin();
    ck_assert_uint_eq(
        keyring_owned(rig.keyring, &number, 1, KEYRING_RECORD, VOEN), 1);
    keyring_bury(rig.keyring, &number, 1, apply_size(rig.apply) - 1);
    ck_assert_int_eq(erasure_find(&list, rig.apply), ST_DIVERGED);
    erasure_wipe(&list);
    rig_close(&rig);
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

    begin();
    erase(order(VOEN, 1));
    bury();
    ck_assert_uint_eq(
        keyring_owned(rig.keyring, evidence, 2, KEYRING_EVIDENCE, VOEN), 1);
    ck_assert_int_eq(close_subject(VOEN), ST_ERASED);
    ck_assert_int_eq(journal_read_entry(rig.journal, &bytes, buffer,
                                        journal_size(rig.journal) - 1),
                     ST_OK);
    ck_assert_int_eq(entry_view(&entry, bytes), ST_OK);
    entry_item(&item, &entry, 0);
    ck_assert_uint_eq(item.seal_key, evidence[0]);
    erase(order(VOEN, 2));
    bury();
    ck_assert_int_eq(keyring_key(rig.keyring, key, item.seal_key), ST_ERASED);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("erasure", a_snapshot_from_before_evidence_was_destroyed_goes,
           a_tombstone_that_no_act_made_stops_the_node,
           what_comes_after_the_records_is_sealed_for_a_later_act,
           an_act_takes_both_keys_of_its_subject_and_no_other,
           what_is_erased_does_not_depend_on_when_a_node_loses_the_key,
           a_replay_stops_before_what_was_destroyed_and_a_snapshot_helps,
           a_crash_before_the_snapshot_or_the_burial_is_made_good,
           a_confirmation_of_another_state_stops_the_node,
           an_act_that_forgets_a_key_is_not_confirmed,
           an_act_that_names_a_key_of_another_destroys_nothing,
           erasure_on_a_live_node_and_a_rebuild_after_it_reach_one_digest)
