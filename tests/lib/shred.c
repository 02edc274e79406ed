#include "tests/lib/shred.h"

#include <string.h>

#include "protocol/enrol.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "tests/lib/suite.h"

struct rig shred_rig;
static struct rig_command command;
struct identity shred_people[SHRED_PEOPLE];
static const uint8_t duties[SHRED_PEOPLE] = {0,        DUTY_ADM, DUTY_DPO,
                                             DUTY_DIR, DUTY_ARC, DUTY_REG};

uint16_t shred_run(uint32_t who, uint16_t opcode, uint64_t subject,
                   uint32_t duty, const void *fields)
{
    struct rig_answer answer;

    rig_begin(&shred_rig, &command);
    command.organisation = SHRED_OWNER;
    rig_item(&shred_rig, &command, opcode, subject, duty, fields);
    rig_run(&shred_rig, &answer,
            rig_finish(&shred_rig, &command, &shred_people[who]));
    ck_assert(!answer.is_error);
    return answer.code;
}

void shred_done(uint32_t who, uint16_t opcode, uint64_t subject, uint32_t duty,
                const void *fields)
{
    uint16_t code = shred_run(who, opcode, subject, duty, fields);

    ck_assert_msg(code == ST_OK, "%s: %u", operation_info(opcode)->name, code);
}

static void shred_enrol(uint32_t who)
{
    struct enrol_claim claim = {
        .role = ROLE_STAFF, .level = 3, .organisation = SHRED_OWNER};
    struct op_actor_enrol enrol = {.role = ROLE_STAFF,
                                   .level = 3,
                                   .organisation = SHRED_OWNER,
                                   .evidence = {{1}}};
    struct op_duty_assign assign = {.person = who,
                                    .organisation = SHRED_OWNER,
                                    .duty = duties[who],
                                    .scope = 0xff,
                                    .basis = {{1}}};
    struct op_duty_ack ack = {.assignment = who};

    rig_identity(&shred_rig, &shred_people[who]);
    memcpy(enrol.public_key.b, shred_people[who].public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, shred_rig.cluster_id,
                &shred_people[who]);
    shred_done(SHRED_ADMIN, OPCODE_ACTOR_ENROL, 0, SHRED_ADMIN, &enrol);
    shred_done(SHRED_ADMIN, OPCODE_DUTY_ASSIGN, 0, SHRED_ADMIN, &assign);
    shred_done(who, OPCODE_DUTY_ACK, 0, 0, &ack);
}

static void shred_open_subject(uint64_t voen)
{
    struct op_subject_open in = {.kind = SUBJECT_LEGAL, .opened = 20000};

    shred_done(SHRED_REGISTRAR, OPCODE_SUBJECT_OPEN, voen, SHRED_REGISTRAR,
               &in);
}

void shred_begin(void)
{
    struct op_config_change at_once = {.setting = SETTING_destroy_hour,
                                       .value = -1,
                                       .note = slice_of("n", 1),
                                       .basis = {{1}}};

    rig_open(&shred_rig);
    shred_people[SHRED_ADMIN] = shred_rig.admin;
    for (uint32_t who = SHRED_OFFICER; who < SHRED_PEOPLE; who++)
        shred_enrol(who);
    shred_done(SHRED_HEAD, OPCODE_CONFIG_CHANGE, 0, SHRED_HEAD, &at_once);
    shred_open_subject(SHRED_VOEN);
    shred_open_subject(SHRED_VOEN_OTHER);
}

uint32_t shred_order(uint64_t voen, uint16_t keys)
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
    shred_done(SHRED_OFFICER, OPCODE_DESTROY_PROPOSE, 0, SHRED_OFFICER,
               &propose);
    act = (uint32_t)state_count(shred_rig.state, TABLE_DESTRUCTION);
    approve = (struct op_destroy_approve){.act = act};
    execute = (struct op_destroy_execute){.act = act};
    shred_done(SHRED_HEAD, OPCODE_DESTROY_APPROVE, 0, SHRED_HEAD, &approve);
    shred_done(SHRED_KEEPER, OPCODE_DESTROY_EXECUTE, 0, SHRED_KEEPER, &execute);
    return act;
}

uint16_t shred_node_tries(uint16_t opcode, const void *fields)
{
    struct node_command *own = node_command_begin(&shred_rig.signer);
    struct rig_answer answer;

    node_command_add(own, opcode, fields);
    rig_run(&shred_rig, &answer, node_command_finish(own, shred_rig.wall));
    return answer.code;
}

void shred_node_does(uint16_t opcode, const void *fields)
{
    ck_assert_int_eq(shred_node_tries(opcode, fields), ST_OK);
}

void shred_erase(uint32_t act)
{
    struct erased_key keys[DESTROY_KEYS_MAX];
    struct op_destroy_erase fields;
    uint8_t bytes[8192];
    struct node_command *own = node_command_begin(&shred_rig.signer);
    struct rig_answer answer;
    struct writer space;
    size_t count = act == 0 ? erasure_replaced(keys, shred_rig.apply,
                                               DESTROY_KEYS_MAX, shred_rig.wall)
                            : erasure_keys(keys, shred_rig.apply, act);
    size_t from = 0;

    do {
        size_t here =
            count - from < LIST_COUNT_MAX ? count - from : LIST_COUNT_MAX;

        writer_init(&space, bytes, sizeof bytes);
        erasure_make(&fields, &space, act, keys + from, here);
        node_command_add(own, OPCODE_DESTROY_ERASE, &fields);
        from += here;
    } while (from < count);
    rig_run(&shred_rig, &answer, node_command_finish(own, shred_rig.wall));
    ck_assert_int_eq(answer.code, ST_OK);
}

size_t shred_bury(void)
{
    struct erasure_list list;
    size_t count;

    ck_assert(erasure_sync(shred_rig.apply));
    ck_assert_int_eq(erasure_find(&list, shred_rig.apply), ST_OK);
    count = list.count;
    erasure_bury(shred_rig.keyring, &list);
    erasure_wipe(&list);
    return count;
}

bool shred_confirm(void)
{
    struct op_destroy_confirm fields;

    if (!erasure_confirmation(&fields, shred_rig.apply, shred_rig.node.key_id))
        return false;
    shred_node_does(OPCODE_DESTROY_CONFIRM, &fields);
    return true;
}
