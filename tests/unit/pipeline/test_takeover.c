/* A change of primary, through the log: what apply and replay make of it. */
#include <stdlib.h>
#include <string.h>

#include "protocol/enrol.h"
#include "server/pipeline/directory.h"
#include "server/registry/continuity.h"
#include "server/registry/rows.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

static struct rig rig;
static struct identity second, third;

enum { DUTY_ADM_ASSIGNMENT = 1 };

static void run(const struct identity *signer, uint16_t opcode, uint32_t duty,
                const void *fields, uint16_t code)
{
    struct rig_answer answer;

    rig_do(&rig, signer, &answer, opcode, 0, duty, fields);
    ck_assert(!answer.is_error);
    ck_assert_uint_eq(answer.code, code);
}

static void key_changed(void *context, const uint8_t key_id[KEY_ID_SIZE],
                        bool ended)
{
    struct directory_key key;

    (void)context;
    if (memcmp(key_id, second.key_id, KEY_ID_SIZE) == 0)
        ck_assert(ended || directory_find(rig.keys, &key, key_id));
}

/* Whether the second node does so, with the third key. */
static bool cosigns(bool is_active)
{
    const uint8_t node_id[NODE_ID_SIZE] = {2};
    struct directory_cosigner cosigner;

    return directory_find_cosigner(rig.keys, &cosigner, node_id) &&
           cosigner.is_active == is_active &&
           memcmp(cosigner.public_key.b, third.public_key, PUBLIC_KEY_SIZE) ==
               0;
}

static void enrol_second(void)
{
    struct apply_changes changes = {.context = &rig, .key = key_changed};
    struct enrol_claim claim = {.role = ENROL_NODE_ROLES + 1, .level = 3};
    struct op_node_enrol fields = {.node_id = {{2}},
                                   .label = slice_of("b", 1),
                                   .role = 1,
                                   .channel_key = {{7}},
                                   .basis = {{1}},
                                   .has_cosigner_key = true};
    struct directory_cosigner cosigner;
    struct directory_key key;

    rig_identity(&rig, &second);
    rig_identity(&rig, &third);
    apply_set_changes(rig.apply, &changes);
    ck_assert(!directory_find(rig.keys, &key, second.key_id));
    ck_assert(!directory_find_cosigner(rig.keys, &cosigner, fields.node_id.b));
    memcpy(fields.receipt_key.b, second.public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.cosigner_key.b, third.public_key, PUBLIC_KEY_SIZE);
    enrol_prove(fields.proof.b, &claim, rig.cluster_id, &second);
    run(&rig.admin, OPCODE_NODE_ENROL, DUTY_ADM_ASSIGNMENT, &fields, ST_OK);
    ck_assert(directory_find(rig.keys, &key, second.key_id));
    ck_assert(key.is_node);
    ck_assert(cosigns(true));
}

/* The second node is the primary of the next epoch, after ${pause}. */
static void take_over(int64_t pause)
{
    struct op_system_epoch epoch;

    rig_wait(&rig, pause);
    ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
    epoch = (struct op_system_epoch){.epoch = rig.epoch};
    run(&second, OPCODE_SYSTEM_EPOCH, 0, &epoch, ST_OK);
}

static void ping(uint16_t code)
{
    struct rig_answer answer;

    rig_ping(&rig, &rig.admin, &answer, "p");
    ck_assert_uint_eq(answer.code, code);
}

START_TEST(a_change_of_primary_is_the_same_live_and_after_a_rebuild)
{
    struct continuity_owed owed[CONTINUITY_OWED_MAX];
    struct row_downtime down[2] = {{.number = 1}, {.number = 1}};
    uint8_t full[2][HASH_SIZE];
    int64_t before;
    uint32_t count;

    rig_open(&rig);
    enrol_second();
    ping(ST_OK);
    before = state_head(rig.state)->log_time;
    take_over(90 * RIG_SECOND);
    count = continuity_owed(rig.state, owed, CONTINUITY_OWED_MAX, rig.wall);
    ck_assert_uint_eq(count, 2);
    for (uint32_t i = 0; i < count; i++)
        run(&second, owed[i].opcode, 0, &owed[i].fields, ST_OK);
    ping(ST_WRONG_STATE);
    ck_assert(state_get(rig.state, TABLE_DOWNTIME, &down[0]));
    ck_assert_int_eq(down[0].from, before);
    ck_assert_int_ge(down[0].to, before + 90 * RIG_SECOND);
    ck_assert(!continuity_realm_open(rig.state, 'R'));
    state_full_digest(rig.state, full[0]);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    state_full_digest(rig.state, full[1]);
    ck_assert_mem_eq(full[0], full[1], HASH_SIZE);
    apply_load_directory(rig.apply);
    ck_assert(cosigns(true));
    ck_assert(state_get(rig.state, TABLE_DOWNTIME, &down[1]));
    ck_assert_int_eq(down[1].from, before);
    ck_assert(!continuity_realm_open(rig.state, 'R'));
    rig_close(&rig);
}
END_TEST

static void state_truth(struct op_system_attest *stated, uint8_t *bytes,
                        size_t size)
{
    struct writer space;

    attest_give_up(apply_attest(rig.apply));
    writer_init(&space, bytes, size);
    attest_make(apply_attest(rig.apply), stated, &space, 0);
    ck_assert_int_eq(space.status, ST_OK);
}

static void retire_second(void)
{
    struct op_node_retire retire = {.node_id = {{2}}, .note = slice_of("n", 1)};

    run(&rig.admin, OPCODE_NODE_RETIRE, DUTY_ADM_ASSIGNMENT, &retire, ST_OK);
}

START_TEST(the_old_primary_and_a_retired_node_attest_nothing)
{
    struct op_system_ping fields = {.text = slice_of("n", 1)};
    struct op_system_attest attest;
    struct directory_key key;
    uint8_t bytes[256];

    rig_open(&rig);
    enrol_second();
    state_truth(&attest, bytes, sizeof bytes);
    run(&second, OPCODE_SYSTEM_ATTEST, 0, &attest, ST_NO_DUTY);
    retire_second();
    state_truth(&attest, bytes, sizeof bytes);
    run(&second, OPCODE_SYSTEM_ATTEST, 0, &attest, ST_KEY_INACTIVE);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, 0);
    run(&second, OPCODE_SYSTEM_PING, 0, &fields, ST_KEY_INACTIVE);
    ck_assert(directory_find(rig.keys, &key, second.key_id));
    ck_assert_uint_eq(key.state, KEY_REVOKED);
    ck_assert(cosigns(false));
    rig_close(&rig);
}
END_TEST

/* Its certificate is good for longer than its key. */
static void lie_of_second_stops(bool is_retired)
{
    struct rig_command *command = malloc(sizeof *command);
    struct op_system_attest attest;
    struct rig_answer answer;
    uint8_t bytes[256];

    ck_assert_ptr_nonnull(command);
    rig_open(&rig);
    enrol_second();
    if (is_retired)
        retire_second();
    state_truth(&attest, bytes, sizeof bytes);
    attest.root.b[7] ^= 1;
    rig_begin(&rig, command);
    rig_item(&rig, command, OPCODE_SYSTEM_ATTEST, 0, 0, &attest);
    ck_assert_int_eq(rig_commit(&rig, rig_finish(&rig, command, &second)),
                     SEQUENCER_TAKEN);
    ck_assert_int_eq(rig_apply(&rig, &answer), ST_DIVERGED);
    work_close(rig.group->works);
    rig.group->works = NULL;
    ck_assert_int_eq(rig_restart(&rig, false), ST_DIVERGED);
    rig_close(&rig);
    free(command);
}

START_TEST(a_false_attestation_of_another_node_stops_the_node)
{
    lie_of_second_stops(false);
}
END_TEST

START_TEST(a_false_attestation_with_a_retired_key_stops_the_node)
{
    lie_of_second_stops(true);
}
END_TEST

SUITE_MAIN("takeover", a_change_of_primary_is_the_same_live_and_after_a_rebuild,
           the_old_primary_and_a_retired_node_attest_nothing,
           a_false_attestation_of_another_node_stops_the_node,
           a_false_attestation_with_a_retired_key_stops_the_node)
