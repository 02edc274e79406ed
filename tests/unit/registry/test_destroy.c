#include <string.h>

#include "protocol/dates.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/suite.h"

enum { VOEN = 1400057421, VOEN_OTHER = 1401555071 };

static struct fixture fixture;
static struct fixture_actor officer; /* DPO */
static struct fixture_actor head;    /* DIR */
static struct fixture_actor keeper;  /* ARC */
static struct fixture_actor registrar;

static void open_scene(void)
{
    struct op_config_change at_once = {.setting = SETTING_destroy_hour,
                                       .value = -1,
                                       .note = fixture_text("test"),
                                       .basis = fixture_digest(1)};

    fixture_open(&fixture);
    fixture_seal_key(&fixture, &(struct keyring_row){.number = 77,
                                                     .owner = VOEN,
                                                     .class = KEYRING_RECORD});
    fixture_staff(&fixture, &officer, DUTY_DPO);
    fixture_staff(&fixture, &head, DUTY_DIR);
    fixture_staff(&fixture, &keeper, DUTY_ARC);
    fixture_staff(&fixture, &registrar, DUTY_REG);
    fixture_subject(&fixture, VOEN, SUBJECT_LEGAL);
    fixture_subject(&fixture, VOEN_OTHER, SUBJECT_LEGAL);
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE,
                                 &at_once, 0, 0, head.duty, NULL),
                     ST_OK);
}

static enum status propose_as(const struct fixture_actor *actor, uint16_t keys,
                              uint32_t *act_out)
{
    return fixture_propose(&fixture, actor, act_out, VOEN, keys);
}

static enum status step_as(const struct fixture_actor *actor, uint16_t opcode,
                           uint32_t act)
{
    union {
        struct op_destroy_approve approve;
        struct op_destroy_refuse refuse;
        struct op_destroy_execute execute;
    } in;

    memset(&in, 0, sizeof in);
    in.approve.act = act; /* First in each of them. */
    return fixture_run(&fixture, actor, opcode, &in, 0, 0, actor->duty, NULL);
}

static enum status erase(const struct fixture_actor *actor, uint32_t act,
                         uint64_t key)
{
    uint8_t bytes[64];
    struct writer space;
    struct erased_key row = {
        .key = key, .subject = VOEN, .class = DESTROY_RECORD};
    struct op_destroy_erase in = {.act = act};

    writer_init(&space, bytes, sizeof bytes);
    in.keys = list_begin(&space);
    list_add(&in.keys, &space, &schema_erased_key, &row);
    return fixture_run(&fixture, actor, OPCODE_DESTROY_ERASE, &in, 0, 0,
                       actor->duty, NULL);
}

static enum status confirm(uint32_t act, uint64_t erased_at, uint16_t keys)
{
    struct op_destroy_confirm in = {.act = act,
                                    .erased_at = erased_at,
                                    .keys = keys,
                                    .snapshot = fixture_digest(7)};

    return fixture_run(&fixture, &fixture.node, OPCODE_DESTROY_CONFIRM, &in, 0,
                       0, 0, NULL);
}

static struct row_destruction act_row(uint32_t act)
{
    struct row_destruction row = {.number = act};

    ck_assert(state_get(fixture.state, TABLE_DESTRUCTION, &row));
    return row;
}

static uint32_t ordered(void)
{
    uint32_t act;

    ck_assert_int_eq(propose_as(&officer, 1, &act), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_APPROVE, act), ST_OK);
    ck_assert_int_eq(step_as(&keeper, OPCODE_DESTROY_EXECUTE, act), ST_OK);
    return act;
}

START_TEST(T_R_8_2_2_three_duties_and_the_nodes_end_an_act)
{
    uint32_t act, due[DESTROY_BATCH_MAX];
    struct row_destruction row;

    open_scene();
    act = ordered();
    ck_assert_uint_eq(destroy_due(fixture.state, due, fixture.log_time), 1);
    ck_assert_uint_eq(due[0], act);
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_OK);
    row = act_row(act);
    ck_assert_uint_eq(row.state, DESTROY_ERASED);
    ck_assert_uint_eq(row.erased, fixture.index - 1);
    ck_assert_uint_eq(row.keys_count, 1);
    ck_assert_uint_eq(row.holders, 1);
    ck_assert(destroy_is_erased(fixture.state, 77));
    ck_assert(!destroy_is_erased(fixture.state, 78));
    ck_assert_uint_eq(destroy_due(fixture.state, due, fixture.log_time), 0);
    ck_assert_int_eq(confirm(act, row.erased, 2), ST_BAD_FIELD);
    ck_assert_int_eq(confirm(act, row.erased - 1, 1), ST_BAD_FIELD);
    ck_assert_int_eq(confirm(act, row.erased, 1), ST_OK);
    ck_assert_uint_eq(act_row(act).state, DESTROY_CONFIRMED);
    ck_assert_int_eq(confirm(act, row.erased, 1), ST_EXISTS);
    fixture_close(&fixture);
}
END_TEST

START_TEST(T_R_8_2_2_nobody_destroys_alone)
{
    uint32_t act;
    struct fixture_actor both = {0};

    open_scene();
    /* One person with the three duties is still one person. */
    fixture_staff(&fixture, &both, DUTY_DPO);
    ck_assert_int_eq(propose_as(&both, 1, &act), ST_OK);
    both.duty = fixture_duty(&fixture, &both, DUTY_DIR, 0xff);
    ck_assert_int_eq(step_as(&both, OPCODE_DESTROY_APPROVE, act),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(step_as(&keeper, OPCODE_DESTROY_EXECUTE, act),
                     ST_SECOND_PERSON);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_APPROVE, act), ST_OK);
    both.duty = fixture_duty(&fixture, &both, DUTY_ARC, 0xff);
    ck_assert_int_eq(step_as(&both, OPCODE_DESTROY_EXECUTE, act),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(step_as(&keeper, OPCODE_DESTROY_EXECUTE, act), ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(T_R_8_2_2_other_duties_are_refused)
{
    uint32_t act, none;

    open_scene();
    ck_assert_int_eq(propose_as(&head, 1, &none), ST_NO_DUTY);
    ck_assert_int_eq(propose_as(&registrar, 1, &none), ST_NO_DUTY);
    ck_assert_int_eq(propose_as(&officer, 1, &act), ST_OK);
    ck_assert_int_eq(step_as(&officer, OPCODE_DESTROY_APPROVE, act),
                     ST_NO_DUTY);
    ck_assert_int_eq(step_as(&keeper, OPCODE_DESTROY_APPROVE, act), ST_NO_DUTY);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_EXECUTE, act), ST_NO_DUTY);
    /* What only the node may enter, and only in its order. */
    ck_assert_int_eq(erase(&keeper, act, 77), ST_NO_DUTY);
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_WRONG_STATE);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_refused_act_is_never_executed)
{
    uint32_t act;

    open_scene();
    ck_assert_int_eq(propose_as(&officer, 1, &act), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_REFUSE, act), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_APPROVE, act),
                     ST_WRONG_STATE);
    ck_assert_int_eq(step_as(&keeper, OPCODE_DESTROY_EXECUTE, act),
                     ST_WRONG_STATE);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_APPROVE, 99), ST_NO_SUCH);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_order_can_be_taken_back_until_it_is_executed)
{
    uint32_t act;

    open_scene();
    act = ordered();
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_REFUSE, act), ST_OK);
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_WRONG_STATE);
    act = ordered();
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_REFUSE, act),
                     ST_WRONG_STATE);
    fixture_close(&fixture);
}
END_TEST

static enum status set(uint16_t setting, int64_t value)
{
    struct op_config_change in = {.setting = setting,
                                  .value = value,
                                  .note = fixture_text("test"),
                                  .basis = fixture_digest(1)};

    return fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &in, 0, 0,
                       head.duty, NULL);
}

START_TEST(nothing_is_destroyed_before_the_delay_is_over)
{
    uint32_t act, due[DESTROY_BATCH_MAX];
    int64_t from;

    open_scene();
    ck_assert_int_eq(set(SETTING_destroy_delay_hours, 24), ST_OK);
    act = ordered();
    from = act_row(act).ordered;
    ck_assert_int_eq(act_row(act).due, from + DATES_US_PER_DAY);
    ck_assert_uint_eq(destroy_due(fixture.state, due, from), 0);
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_WRONG_STATE);
    /* At the hour, and not before the day is over. */
    ck_assert_int_eq(set(SETTING_destroy_hour, 2), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_REFUSE, act), ST_OK);
    act = ordered();
    ck_assert(act_row(act).due >= act_row(act).ordered + DATES_US_PER_DAY);
    ck_assert(act_row(act).due < act_row(act).ordered + 2 * DATES_US_PER_DAY);
    ck_assert_int_eq(act_row(act).due % DATES_US_PER_DAY,
                     22 * 3600 * DATES_US_PER_SECOND);
    fixture_close(&fixture);
}
END_TEST

/* Whoever makes three persons and gives them the duties has to wait. */
START_TEST(a_duty_that_is_younger_than_the_setting_destroys_nothing)
{
    uint32_t act;

    open_scene();
    ck_assert_int_eq(propose_as(&officer, 1, &act), ST_OK);
    ck_assert_int_eq(set(SETTING_destroy_duty_days, 7), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_DESTROY_APPROVE, act), ST_NO_DUTY);
    ck_assert_int_eq(propose_as(&officer, 1, &act), ST_NO_DUTY);
    /* Nor does he make it easier. */
    ck_assert_int_eq(set(SETTING_destroy_duty_days, 0), ST_NO_DUTY);
    ck_assert_int_eq(set(SETTING_destroy_delay_hours, 0), ST_NO_DUTY);
    ck_assert_int_eq(set(SETTING_destroy_hour, -1), ST_NO_DUTY);
    ck_assert_int_eq(set(SETTING_idem_hours, 48), ST_OK);
    fixture.log_time += 7 * DATES_US_PER_DAY;
    act = ordered();
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_holder_that_is_retired_holds_up_no_act)
{
    struct op_node_retire retire = {.note = fixture_text("lost")};
    struct row_node other = {
        .node_id = {{9}}, .key_id = {{9}}, .role = 1, .state = NODE_ACTIVE};
    struct row_key key = {.key_id = {{9}}, .is_node = 1, .state = KEY_ACTIVE};
    struct destroy_awaited awaited[4];
    struct fixture_actor admin;
    uint8_t digest[HASH_SIZE];
    uint32_t act;

    open_scene();
    fixture_staff(&fixture, &admin, DUTY_ADM);
    state_begin(fixture.state);
    state_entry_begin(fixture.state);
    state_insert(fixture.state, TABLE_KEY, &key);
    state_insert(fixture.state, TABLE_NODE, &other);
    state_entry_end(fixture.state, digest);
    state_commit(fixture.state);
    act = ordered();
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_OK);
    ck_assert_uint_eq(destroy_awaited(fixture.state, awaited, 4), 2);
    ck_assert_uint_eq(destroy_awaited(fixture.state, awaited, 1), 1);
    ck_assert_int_eq(confirm(act, act_row(act).erased, 1), ST_OK);
    ck_assert_uint_eq(act_row(act).state, DESTROY_ERASED);
    ck_assert_uint_eq(destroy_awaited(fixture.state, awaited, 4), 1);
    ck_assert_mem_eq(&awaited[0].key_id, &other.key_id, sizeof other.key_id);
    retire.node_id = other.node_id;
    ck_assert_int_eq(fixture_run(&fixture, &admin, OPCODE_NODE_RETIRE, &retire,
                                 0, 0, admin.duty, NULL),
                     ST_OK);
    ck_assert_uint_eq(act_row(act).state, DESTROY_CONFIRMED);
    ck_assert_uint_eq(act_row(act).confirmed, 1);
    ck_assert_uint_eq(act_row(act).holders, 2);
    fixture_close(&fixture);
}
END_TEST

START_TEST(evidence_goes_only_after_the_records)
{
    uint32_t act;

    open_scene();
    ck_assert_int_eq(propose_as(&officer, 2, &act), ST_WRONG_STATE);
    act = ordered();
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_OK);
    ck_assert_int_eq(propose_as(&officer, 2, &act), ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_act_without_a_basis_or_about_nobody_is_refused)
{
    struct op_destroy_propose in = {.keys = 1, .ground = 1};

    open_scene();
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_DESTROY_PROPOSE,
                                 &in, 0, 0, officer.duty, NULL),
                     ST_NO_BASIS);
    in.basis = fixture_digest(3);
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_DESTROY_PROPOSE,
                                 &in, 0, 0, officer.duty, NULL),
                     ST_BAD_FIELD);
    fixture_close(&fixture);
}
END_TEST

START_TEST(the_batch_runs_at_its_hour_of_civil_time)
{
    struct op_config_change at_two = {.setting = SETTING_destroy_hour,
                                      .value = 2,
                                      .note = fixture_text("test"),
                                      .basis = fixture_digest(1)};
    uint32_t act, due[DESTROY_BATCH_MAX];
    int64_t when;

    open_scene();
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &at_two,
                                 0, 0, head.duty, NULL),
                     ST_OK);
    act = ordered();
    when = act_row(act).due;
    /* 02:00 in UTC+4 is 22:00 UTC of the day before. */
    ck_assert_int_eq(when % DATES_US_PER_DAY, 22 * 3600 * DATES_US_PER_SECOND);
    ck_assert(when > fixture.log_time);
    ck_assert(when - fixture.log_time <= DATES_US_PER_DAY);
    ck_assert_uint_eq(destroy_due(fixture.state, due, when - 1), 0);
    ck_assert_uint_eq(destroy_due(fixture.state, due, when), 1);
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_WRONG_STATE);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_act_names_only_keys_of_its_own_subjects_and_classes)
{
    uint8_t bytes[64];
    struct writer space;
    struct erased_key row = {
        .key = 5, .subject = VOEN_OTHER, .class = DESTROY_RECORD};
    struct op_destroy_erase in = {.act = 0};

    open_scene();
    in.act = ordered();
    writer_init(&space, bytes, sizeof bytes);
    in.keys = list_begin(&space);
    list_add(&in.keys, &space, &schema_erased_key, &row);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_DESTROY_ERASE,
                                 &in, 0, 0, 0, NULL),
                     ST_NO_SUCH);
    row = (struct erased_key){
        .key = 5, .subject = VOEN, .class = DESTROY_EVIDENCE};
    writer_init(&space, bytes, sizeof bytes);
    in.keys = list_begin(&space);
    list_add(&in.keys, &space, &schema_erased_key, &row);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_DESTROY_ERASE,
                                 &in, 0, 0, 0, NULL),
                     ST_BAD_FIELD);
    fixture_close(&fixture);
}
END_TEST

/* The keyring tells alike on every node, and when the act is applied again. */
START_TEST(T_R_8_2_2_an_act_names_no_key_of_another_owner)
{
    const struct keyring_row others[] = {
        {.number = 78, .owner = VOEN_OTHER, .class = KEYRING_RECORD},
        {.number = 79, .owner = VOEN, .class = KEYRING_EVIDENCE},
        {.number = 80, .owner = 1, .class = KEYRING_ORGANISATION},
        {.number = 81, .owner = 3, .class = KEYRING_TOMBSTONE}};
    struct keyring_row later = {
        .number = 82, .owner = VOEN, .class = KEYRING_RECORD};
    struct keyring_row again = {.number = 83, .class = KEYRING_TOMBSTONE};
    uint32_t act;

    open_scene();
    act = ordered();
    later.first_index = fixture.index + 10;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        fixture_seal_key(&fixture, &others[i]);
    fixture_seal_key(&fixture, &later);
    for (uint64_t key = 78; key <= 82; key++)
        ck_assert_int_eq(erase(&fixture.node, act, key), ST_BAD_FIELD);
    /* Nobody knows it. */
    ck_assert_int_eq(erase(&fixture.node, act, 99), ST_BAD_FIELD);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_ERASED), 0);
    again.owner = fixture.index;
    fixture_seal_key(&fixture, &again);
    ck_assert_int_eq(erase(&fixture.node, act, 83), ST_OK);
    ck_assert(destroy_is_erased(fixture.state, 83));
    fixture_close(&fixture);
}
END_TEST

START_TEST(T_R_8_2_2_later_commands_about_the_subject_are_answered_erased)
{
    struct op_subject_close close = {.basis = fixture_digest(2)};
    struct op_section_get get = {.sections = 1,
                                 .file_number = fixture_text("F-1")};
    struct op_access_list accesses = {.limit = 10};
    struct result_access_list seen;
    struct fixture_actor auditor;
    uint32_t act;

    open_scene();
    fixture_purpose(&fixture, 1, 0x1fff, 0x3ff);
    fixture_staff(&fixture, &auditor, DUTY_AUD);
    act = ordered();
    ck_assert_int_eq(erase(&fixture.node, act, 77), ST_OK);
    close.closed = fixture.act.today;
    ck_assert_int_eq(fixture_run(&fixture, &registrar, OPCODE_SUBJECT_CLOSE,
                                 &close, VOEN, 0, registrar.duty, NULL),
                     ST_ERASED);
    ck_assert_int_eq(fixture_run(&fixture, &registrar, OPCODE_SECTION_GET, &get,
                                 VOEN, 1, registrar.duty, NULL),
                     ST_ERASED);
    /* The other one is as before. */
    ck_assert_int_ne(fixture_run(&fixture, &registrar, OPCODE_SECTION_GET, &get,
                                 VOEN_OTHER, 1, registrar.duty, NULL),
                     ST_ERASED);
    /* Who tried stays in the access list. */
    ck_assert_int_eq(fixture_run(&fixture, &auditor, OPCODE_ACCESS_LIST,
                                 &accesses, VOEN, 0, auditor.duty, &seen),
                     ST_OK);
    ck_assert_uint_ge(seen.accesses.count, 2);
    fixture_close(&fixture);
}
END_TEST

/* T-R-10.1.2: to whom nothing may be told, what was destroyed is as what never
 * was; also where an operation is about no subject at all. */
START_TEST(T_R_10_1_2_a_stranger_does_not_learn_whose_records_are_destroyed)
{
    const struct op_system_ping ping = {.text = fixture_text("x")};
    const struct op_extract_verify verify = {.number = 1};
    const struct op_subject_close close = {.basis = fixture_digest(2)};
    static const uint64_t subjects[] = {VOEN, UINT64_C(9900003611)};
    struct fixture_actor stranger, body;

    open_scene();
    fixture_user(&fixture, &stranger, "7654321");
    fixture_participant(&fixture, &body,
                        fixture_organisation(&fixture,
                                             ORGANISATION_BODY_WITH_SYSTEM,
                                             SECTION_BIT(SECTION_S08)),
                        DUTY_SUP);
    ck_assert_int_eq(erase(&fixture.node, ordered(), 77), ST_OK);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(fixture_run(&fixture, &stranger, OPCODE_SYSTEM_PING,
                                     &ping, subjects[i], 0, 0, NULL),
                         ST_OK);
        ck_assert_int_eq(fixture_run(&fixture, &stranger, OPCODE_EXTRACT_VERIFY,
                                     &verify, subjects[i], 0, 0, NULL),
                         ST_NO_SUCH);
        ck_assert_int_eq(fixture_run(&fixture, &body, OPCODE_SUBJECT_CLOSE,
                                     &close, subjects[i], 0, body.duty, NULL),
                         ST_NOT_AUTHORITY);
    }
    fixture_close(&fixture);
}
END_TEST

START_TEST(T_R_8_2_2_the_certificate_names_ground_people_keys_and_holders)
{
    struct op_destroy_show in = {.act = 0};
    struct result_destroy_show out;
    struct list_reader reader;
    struct destroy_holder holder;
    struct erased_key key;

    open_scene();
    in.act = ordered();
    ck_assert_int_eq(erase(&fixture.node, in.act, 77), ST_OK);
    ck_assert_int_eq(confirm(in.act, act_row(in.act).erased, 1), ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_DESTROY_SHOW, &in,
                                 0, 0, officer.duty, &out),
                     ST_OK);
    ck_assert_uint_eq(out.ground, 1);
    ck_assert_uint_eq(out.proposed_by, officer.person);
    ck_assert_uint_eq(out.decided_by, head.person);
    ck_assert_uint_eq(out.ordered_by, keeper.person);
    ck_assert_uint_eq(out.subjects.count, 1);
    list_reader_init(&reader, &out.erased_keys);
    ck_assert(list_reader_next(&reader, &schema_erased_key, &key));
    ck_assert_uint_eq(key.key, 77);
    list_reader_init(&reader, &out.nodes);
    ck_assert(list_reader_next(&reader, &schema_destroy_holder, &holder));
    ck_assert_uint_eq(holder.index, fixture.index - 2);
    in.act = 99;
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_DESTROY_SHOW, &in,
                                 0, 0, officer.duty, NULL),
                     ST_NO_SUCH);
    fixture_close(&fixture);
}
END_TEST

START_TEST(T_P_1_4_a_retention_rule_takes_two_duties_and_no_restart)
{
    struct op_retention_put in = {.kind = 1,
                                  .what = 5,
                                  .days = 3650,
                                  .action = 2,
                                  .basis = fixture_digest(8)};
    struct op_retention_list list = {0};
    struct result_retention_put out;
    struct result_retention_list rules;

    open_scene();
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_RETENTION_PUT, &in,
                                 0, 0, officer.duty, &out),
                     ST_OK);
    ck_assert_uint_eq(out.state, 1);
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_RETENTION_PUT, &in,
                                 0, 0, officer.duty, &out),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(fixture_run(&fixture, &registrar, OPCODE_RETENTION_PUT,
                                 &in, 0, 0, registrar.duty, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_RETENTION_PUT, &in, 0,
                                 0, head.duty, &out),
                     ST_OK);
    ck_assert_uint_eq(out.state, 2);
    ck_assert_int_eq(fixture_run(&fixture, &keeper, OPCODE_RETENTION_LIST,
                                 &list, 0, 0, keeper.duty, &rules),
                     ST_OK);
    ck_assert_uint_eq(rules.rules.count, 1);
    in.what = 14;
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_RETENTION_PUT, &in, 0,
                                 0, head.duty, NULL),
                     ST_BAD_FIELD);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("destroy", T_R_8_2_2_three_duties_and_the_nodes_end_an_act,
           T_R_8_2_2_nobody_destroys_alone, T_R_8_2_2_other_duties_are_refused,
           a_refused_act_is_never_executed,
           an_order_can_be_taken_back_until_it_is_executed,
           nothing_is_destroyed_before_the_delay_is_over,
           a_duty_that_is_younger_than_the_setting_destroys_nothing,
           a_holder_that_is_retired_holds_up_no_act,
           evidence_goes_only_after_the_records,
           an_act_without_a_basis_or_about_nobody_is_refused,
           the_batch_runs_at_its_hour_of_civil_time,
           an_act_names_only_keys_of_its_own_subjects_and_classes,
           T_R_8_2_2_an_act_names_no_key_of_another_owner,
           T_R_8_2_2_later_commands_about_the_subject_are_answered_erased,
           T_R_10_1_2_a_stranger_does_not_learn_whose_records_are_destroyed,
           T_R_8_2_2_the_certificate_names_ground_people_keys_and_holders,
           T_P_1_4_a_retention_rule_takes_two_duties_and_no_restart)
