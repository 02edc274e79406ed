#include "server/node_confirmed.h"

#include <string.h>

#include "protocol/enrol.h"
#include "server/node_private.h"
#include "server/pipeline/erasure.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "server/store/snapshot.h"
#include "tests/lib/pipeline_rig.h"
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

/* ---- Who attests a snapshot -----------------------------------------------
 */

static enum status judge(uint64_t size, const uint8_t digest[HASH_SIZE])
{
    struct confirmed *confirmed = confirmed_open(rig.journal, rig.cluster_id);
    enum status status;

    ck_assert(confirmed_read(confirmed, journal_size(rig.journal), UINT64_MAX));
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
    attest_make(apply_attest(rig.apply), &fields, &space, 0);
    node_does(OPCODE_SYSTEM_ATTEST, &fields);
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

    rig_identity(&rig, &second);
    memcpy(enrol.receipt_key.b, second.public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, rig.cluster_id, &second);
    done(ADMIN, OPCODE_NODE_ENROL, 0, ADMIN, &enrol);
}

static void sign_as(const struct identity *who, uint16_t opcode,
                    const void *fields, uint16_t code)
{
    struct node_signer signer = rig.signer;
    struct rig_answer answer;
    struct node_command *own;

    signer.identity = who;
    own = node_command_begin(&signer);
    node_command_add(own, opcode, fields);
    rig_run(&rig, &answer, node_command_finish(own, rig.wall));
    ck_assert_int_eq(answer.code, code);
}

static const uint8_t forged[HASH_SIZE] = {0xee};
static struct op_destroy_confirm honest, lie;
static uint64_t kept;

static void destroyed(void)
{
    erase(order(VOEN, 3));
    kept = apply_size(rig.apply);
    bury();
    ck_assert(erasure_confirmation(&honest, rig.apply, rig.node.key_id));
    lie = honest;
    memcpy(lie.snapshot.b, forged, HASH_SIZE);
}

START_TEST(a_refused_confirmation_of_anybody_attests_nothing)
{
    begin();
    destroyed();
    ck_assert_int_eq(run(REGISTRAR, OPCODE_DESTROY_CONFIRM, 0, REGISTRAR, &lie),
                     ST_NO_DUTY);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    ck_assert_int_eq(judge(kept, forged), ST_END);
    ck_assert(confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_DIVERGED);
    rig_close(&rig);
}
END_TEST

START_TEST(a_confirmation_counts_when_the_log_says_that_it_was_done)
{
    begin();
    destroyed();
    node_does(OPCODE_DESTROY_CONFIRM, &honest);
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    /* The same once more is refused, whatever it says. */
    sign_as(&rig.node, OPCODE_DESTROY_CONFIRM, &lie, ST_EXISTS);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept + 1, honest.snapshot.b), ST_END);
    rig_close(&rig);
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

    begin();
    destroyed();
    memcpy(enrol.receipt_key.b, people[REGISTRAR].public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, rig.cluster_id, &people[REGISTRAR]);
    ck_assert_int_ne(run(REGISTRAR, OPCODE_NODE_ENROL, 0, REGISTRAR, &enrol),
                     ST_OK);
    ck_assert_int_ne(run(REGISTRAR, OPCODE_DESTROY_CONFIRM, 0, REGISTRAR, &lie),
                     ST_OK);
    stated.last = apply_size(rig.apply) - 1;
    ck_assert_int_ne(
        run(REGISTRAR, OPCODE_SYSTEM_ATTEST, 0, REGISTRAR, &stated), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_END);
    ck_assert(confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_DIVERGED);
    rig_close(&rig);
}
END_TEST

START_TEST(zeros_state_nothing)
{
    begin();
    destroyed();
    memset(&honest.snapshot, 0, sizeof honest.snapshot);
    node_does(OPCODE_DESTROY_CONFIRM, &honest);
    attest();
    ck_assert_int_eq(judge(kept, forged), ST_END);
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    rig_close(&rig);
}
END_TEST

START_TEST(where_two_hold_the_keys_two_have_to_say_the_same)
{
    begin();
    enrol_second();
    destroyed();
    ck_assert(confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    sign_as(&second, OPCODE_DESTROY_CONFIRM, &honest, ST_OK);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    ck_assert_int_eq(judge(kept, forged), ST_DIVERGED);
    rig_close(&rig);
}
END_TEST

START_TEST(one_that_is_retired_is_waited_for_no_more)
{
    struct op_node_retire retire = {.node_id = second_id,
                                    .note = slice_of("n", 1)};

    begin();
    enrol_second();
    destroyed();
    ck_assert(confirm());
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    done(ADMIN, OPCODE_NODE_RETIRE, 0, ADMIN, &retire);
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_END);
    attest();
    ck_assert_int_eq(judge(kept, honest.snapshot.b), ST_OK);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("confirmed", nobody_enrols_and_attests_himself,
           a_refused_confirmation_of_anybody_attests_nothing,
           a_confirmation_counts_when_the_log_says_that_it_was_done,
           zeros_state_nothing,
           where_two_hold_the_keys_two_have_to_say_the_same,
           one_that_is_retired_is_waited_for_no_more)
