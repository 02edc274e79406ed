/* What is told of keys that change: no more than a group can change is lost. */
#include <stdlib.h>
#include <string.h>

#include "protocol/enrol.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

enum { KEYS = 1100, KEYS_PER_COMMAND = 100, OWNER = 1, ADMIN = 1, GUARD = 2 };

static struct rig rig;
static struct identity holders[KEYS], guard;
static struct rig_command command;
static bool is_ended[KEYS];

static void key_changed(void *context, const uint8_t key_id[KEY_ID_SIZE],
                        bool ended)
{
    MAYBE(context == &rig);
    for (uint32_t i = 0; i < KEYS; i++) {
        if (memcmp(holders[i].key_id, key_id, KEY_ID_SIZE) == 0)
            is_ended[i] = ended;
    }
}

/* One command of a group; nothing is told yet. */
static void apply_one(const struct identity *signer)
{
    struct work *work = rig_finish(&rig, &command, signer);
    struct apply_outcome outcome;

    ck_assert_int_eq(rig_commit(&rig, work), SEQUENCER_TAKEN);
    ck_assert_int_eq(apply_entry(rig.apply, &outcome, work, rig.boot / 1000),
                     ST_OK);
    ck_assert_uint_eq(outcome.code, ST_OK);
    rig.group->works = NULL;
    work_close(work);
}

static void add_enrolment(struct identity *holder)
{
    struct enrol_claim claim = {
        .role = ROLE_STAFF, .level = 3, .organisation = OWNER};
    struct op_actor_enrol enrol = {.role = ROLE_STAFF,
                                   .level = 3,
                                   .organisation = OWNER,
                                   .evidence = {{1}}};

    rig_identity(&rig, holder);
    memcpy(enrol.public_key.b, holder->public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, rig.cluster_id, holder);
    rig_item(&rig, &command, OPCODE_ACTOR_ENROL, 0, ADMIN, &enrol);
}

static void add_revocation(struct identity *holder)
{
    struct op_key_revoke revoke = {.reason = 1};

    memcpy(revoke.key_id.b, holder->key_id, KEY_ID_SIZE);
    rig_item(&rig, &command, OPCODE_KEY_REVOKE, 0, GUARD, &revoke);
}

/* All in one group. */
static void for_all(const struct identity *signer,
                    void (*add)(struct identity *holder))
{
    apply_begin(rig.apply);
    for (uint32_t i = 0; i < KEYS; i++) {
        if (i % KEYS_PER_COMMAND == 0)
            rig_begin(&rig, &command);
        add(&holders[i]);
        if ((i + 1) % KEYS_PER_COMMAND == 0)
            apply_one(signer);
    }
    apply_commit(rig.apply);
}

static void run(const struct identity *signer, uint16_t opcode, uint32_t duty,
                const void *fields)
{
    struct rig_answer answer;

    rig_do(&rig, signer, &answer, opcode, 0, duty, fields);
    ck_assert(!answer.is_error);
    ck_assert_uint_eq(answer.code, ST_OK);
}

/* Who may revoke what is not his own; person and assignment are the second. */
static void enrol_guard(void)
{
    struct op_duty_assign assign = {.person = GUARD,
                                    .organisation = OWNER,
                                    .duty = DUTY_SEC,
                                    .basis = {{1}}};
    struct op_duty_ack ack = {.assignment = GUARD};

    apply_begin(rig.apply);
    rig_begin(&rig, &command);
    add_enrolment(&guard);
    apply_one(&rig.admin);
    apply_commit(rig.apply);
    run(&rig.admin, OPCODE_DUTY_ASSIGN, ADMIN, &assign);
    run(&guard, OPCODE_DUTY_ACK, 0, &ack);
}

START_TEST(every_key_that_a_group_ends_is_told_of)
{
    struct apply_changes changes = {.context = &rig, .key = key_changed};

    rig_open(&rig);
    apply_set_changes(rig.apply, &changes);
    enrol_guard();
    for_all(&rig.admin, add_enrolment);
    for_all(&guard, add_revocation);
    for (uint32_t i = 0; i < KEYS; i++)
        ck_assert_msg(is_ended[i], "key %u still has its sessions", i);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("changes", every_key_that_a_group_ends_is_told_of)
