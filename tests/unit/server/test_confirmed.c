#include "server/node_confirmed.h"

#include <string.h>

#include "protocol/enrol.h"
#include "server/node_private.h"
#include "server/pipeline/erasure.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "server/store/snapshot.h"
#include "tests/lib/shred.h"
#include "tests/lib/suite.h"

/* ---- Who attests a snapshot -----------------------------------------------
 */

static enum status judge(uint64_t size, const uint8_t digest[HASH_SIZE])
{
    struct confirmed *confirmed =
        confirmed_open(shred_rig.journal, shred_rig.cluster_id);
    enum status status;

    ck_assert(
        confirmed_read(confirmed, journal_size(shred_rig.journal), UINT64_MAX));
    status = node_judge_snapshot(confirmed, size, digest);
    confirmed_close(confirmed);
    return status;
}

static void attest(void)
{
    struct op_system_attest fields;
    uint8_t bytes[8192];
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    attest_make(apply_attest(shred_rig.apply), &fields, &space, 0);
    shred_node_does(OPCODE_SYSTEM_ATTEST, &fields);
}

/* A second holder, whose keys the test has. */
static struct identity second;
static struct bytes16 second_id = {{2}};

static void enrol_second(void)
{
    struct enrol_claim claim = {.role = ENROL_NODE_ROLES + 1, .level = 3};
    struct op_node_enrol enrol = {.node_id = second_id,
                                  .label = slice_of("B", 1),
                                  .role = 1,
                                  .channel_key = {{5}},
                                  .basis = {{1}}};

    rig_identity(&shred_rig, &second);
    memcpy(enrol.receipt_key.b, second.public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, shred_rig.cluster_id, &second);
    shred_done(SHRED_ADMIN, OPCODE_NODE_ENROL, 0, SHRED_ADMIN, &enrol);
}

static void sign_as(const struct identity *who, uint16_t opcode,
                    const void *fields, uint16_t code)
{
    struct node_signer signer = shred_rig.signer;
    struct rig_answer answer;
    struct node_command *own;

    signer.identity = who;
    own = node_command_begin(&signer);
    node_command_add(own, opcode, fields);
    rig_run(&shred_rig, &answer, node_command_finish(own, shred_rig.wall));
    ck_assert_int_eq(answer.code, code);
}

static const uint8_t forged[HASH_SIZE] = {0xee};
static struct op_destroy_confirm honest, lie;
static uint64_t kept;

static void destroyed(void)
{
    shred_erase(shred_order(SHRED_VOEN, 3));
    kept = apply_size(shred_rig.apply);
    shred_bury();
    ck_assert(
        erasure_confirmation(&honest, shred_rig.apply, shred_rig.node.key_id));
    lie = honest;
    memcpy(lie.snapshot.b, forged, HASH_SIZE);
}

START_TEST(a_refused_confirmation_of_anybody_attests_nothing)
{
    shred_begin();
    destroyed();
    ck_assert_int_eq(shred_run(SHRED_REGISTRAR, OPCODE_DESTROY_CONFIRM, 0,
                               SHRED_REGISTRAR, &lie),
                     ST_NO_DUTY);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    ck_assert_int_eq(judge(kept, forged), ST_END);
    ck_assert(shred_confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_DIVERGED);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(a_confirmation_counts_when_the_log_says_that_it_was_done)
{
    shred_begin();
    destroyed();
    shred_node_does(OPCODE_DESTROY_CONFIRM, &honest);
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    /* The same once more is refused, whatever it says. */
    sign_as(&shred_rig.node, OPCODE_DESTROY_CONFIRM, &lie, ST_EXISTS);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept + 1, honest.snapshot.b), ST_END);
    rig_close(&shred_rig);
}
END_TEST

/* Each of the three is refused, and an entry all the same. */
START_TEST(nobody_enrols_and_attests_himself)
{
    struct enrol_claim claim = {.role = ENROL_NODE_ROLES + 1, .level = 3};
    struct op_node_enrol enrol = {.node_id = {{9}},
                                  .label = slice_of("X", 1),
                                  .role = 1,
                                  .channel_key = {{5}},
                                  .basis = {{1}}};
    struct op_system_attest stated = {.first = 0};

    shred_begin();
    destroyed();
    memcpy(enrol.receipt_key.b, shred_people[SHRED_REGISTRAR].public_key,
           PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, shred_rig.cluster_id,
                &shred_people[SHRED_REGISTRAR]);
    ck_assert_int_ne(shred_run(SHRED_REGISTRAR, OPCODE_NODE_ENROL, 0,
                               SHRED_REGISTRAR, &enrol),
                     ST_OK);
    ck_assert_int_ne(shred_run(SHRED_REGISTRAR, OPCODE_DESTROY_CONFIRM, 0,
                               SHRED_REGISTRAR, &lie),
                     ST_OK);
    stated.last = apply_size(shred_rig.apply) - 1;
    ck_assert_int_ne(shred_run(SHRED_REGISTRAR, OPCODE_SYSTEM_ATTEST, 0,
                               SHRED_REGISTRAR, &stated),
                     ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_END);
    ck_assert(shred_confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_DIVERGED);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(zeros_state_nothing)
{
    shred_begin();
    destroyed();
    memset(&honest.snapshot, 0, sizeof honest.snapshot);
    shred_node_does(OPCODE_DESTROY_CONFIRM, &honest);
    attest();
    ck_assert_int_eq(judge(kept, forged), ST_END);
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(where_two_hold_the_keys_two_have_to_say_the_same)
{
    shred_begin();
    enrol_second();
    destroyed();
    ck_assert(shred_confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    sign_as(&second, OPCODE_DESTROY_CONFIRM, &honest, ST_OK);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_DIVERGED);
    rig_close(&shred_rig);
}
END_TEST

START_TEST(one_that_is_retired_is_waited_for_no_more)
{
    struct op_node_retire retire = {.node_id = second_id,
                                    .note = slice_of("n", 1)};

    shred_begin();
    enrol_second();
    destroyed();
    ck_assert(shred_confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    shred_done(SHRED_ADMIN, OPCODE_NODE_RETIRE, 0, SHRED_ADMIN, &retire);
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    rig_close(&shred_rig);
}
END_TEST

SUITE_MAIN("confirmed", nobody_enrols_and_attests_himself,
           a_refused_confirmation_of_anybody_attests_nothing,
           a_confirmation_counts_when_the_log_says_that_it_was_done,
           zeros_state_nothing,
           where_two_hold_the_keys_two_have_to_say_the_same,
           one_that_is_retired_is_waited_for_no_more)
