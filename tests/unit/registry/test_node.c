#include <string.h>

#include "protocol/enrol.h"
#include "tests/lib/centres.h"
#include "tests/lib/suite.h"

static struct centres scene;

static enum status enrol(const struct op_node_enrol *in)
{
    return fixture_run(&scene.fixture, &scene.fixture.operator,
                       OPCODE_NODE_ENROL, in, 0, 0, 1, NULL);
}

static enum status retire(uint8_t number)
{
    struct op_node_retire in = {.node_id = centres_node(number),
                                .note = fixture_text("old")};

    return fixture_run(&scene.fixture, &scene.fixture.operator,
                       OPCODE_NODE_RETIRE, &in, 0, 0, 1, NULL);
}

static enum status begin_epoch(const struct fixture_actor *node, uint32_t epoch)
{
    struct op_system_epoch in = {.epoch = epoch};

    return fixture_run(&scene.fixture, node, OPCODE_SYSTEM_EPOCH, &in, 0, 0, 0,
                       NULL);
}

START_TEST(a_node_is_enrolled_with_a_basis_and_its_keys_proof)
{
    struct op_node_enrol good, in;
    struct identity identity;
    struct row_node row = {.node_id = centres_node(3)};
    struct row_key key;
    struct enrol_claim claim = {.role = 3, .level = 3};

    centres_open(&scene);
    centres_enrolment(&scene, &good, &identity, 3, NODE_ARCHIVE);
    in = good;
    in.basis = fixture_digest(0);
    ck_assert_int_eq(enrol(&in), ST_NO_BASIS);
    in = good;
    in.node_id = centres_node(0);
    ck_assert_int_eq(enrol(&in), ST_BAD_FIELD);
    in.node_id = centres_node(2);
    ck_assert_int_eq(enrol(&in), ST_EXISTS);
    in = good;
    in.channel_key = fixture_digest(0);
    ck_assert_int_eq(enrol(&in), ST_BAD_FIELD);
    in = good;
    in.role = 2; /* A backup is a server that is not primary. */
    ck_assert_int_eq(enrol(&in), ST_BAD_FIELD);
    in = good;
    in.role = NODE_SERVER; /* Proved as an archive. */
    ck_assert_int_eq(enrol(&in), ST_BAD_SIG);
    in = good;
    in.receipt_key = fixture_digest(0);
    ck_assert_int_eq(enrol(&in), ST_BAD_FIELD);
    /* The proof of a participant's key makes no archive of it. */
    in = good;
    enrol_prove(in.proof.b, &claim, scene.fixture.services.cluster_id,
                &identity);
    ck_assert_int_eq(enrol(&in), ST_BAD_SIG);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.operator,
                                 OPCODE_NODE_ENROL, &good, 0, 0,
                                 scene.operator.duty, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(enrol(&good), ST_OK);
    in = good;
    in.node_id = centres_node(4); /* The key is another's. */
    ck_assert_int_eq(enrol(&in), ST_EXISTS);
    ck_assert(state_get(scene.fixture.state, TABLE_NODE, &row));
    ck_assert_uint_eq(row.role, NODE_ARCHIVE);
    key.key_id = row.key_id;
    ck_assert(state_get(scene.fixture.state, TABLE_KEY, &key));
    ck_assert_uint_eq(key.is_node, 1);
    ck_assert_mem_eq(key.key_id.b, identity.key_id, KEY_ID_SIZE);
    centres_close(&scene);
}
END_TEST

START_TEST(a_node_that_cosigns_has_a_key_for_that_alone)
{
    struct op_node_list list = {.after = {{0}}};
    struct result_node_list out;
    struct list_reader reader;
    struct cosigner_row row;
    struct identity identity, cosigner;
    struct op_node_enrol good, in;

    centres_open(&scene);
    fixture_identity(&scene.fixture, &cosigner);
    centres_enrolment(&scene, &good, &identity, 3, NODE_ARCHIVE);
    good.has_cosigner_key = true;
    good.cosigner_key = fixture_public_key(&cosigner);
    in = good;
    in.cosigner_key = fixture_digest(0); /* No point that may sign. */
    ck_assert_int_eq(enrol(&in), ST_BAD_FIELD);
    in.cosigner_key = good.receipt_key;
    ck_assert_int_eq(enrol(&in), ST_BAD_FIELD);
    ck_assert_int_eq(enrol(&good), ST_OK);
    centres_enrolment(&scene, &in, &identity, 4, NODE_SERVER);
    in.has_cosigner_key = true;
    in.cosigner_key = good.cosigner_key; /* Another node's. */
    ck_assert_int_eq(enrol(&in), ST_EXISTS);
    in.cosigner_key = good.receipt_key; /* And what signs entries. */
    ck_assert_int_eq(enrol(&in), ST_EXISTS);
    in.cosigner_key = fixture_public_key(&scene.fixture.operator.identity);
    ck_assert_int_eq(enrol(&in), ST_EXISTS);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_NODE_LIST, &list, 0, 0, 1, &out),
                     ST_OK);
    ck_assert_uint_eq(out.nodes.count, 3);
    ck_assert(out.has_cosigners);
    ck_assert_uint_eq(out.cosigners.count, 1);
    list_reader_init(&reader, &out.cosigners);
    ck_assert(list_reader_next(&reader, &schema_cosigner_row, &row));
    ck_assert_mem_eq(row.node_id.b, good.node_id.b, NODE_ID_SIZE);
    ck_assert_mem_eq(row.cosigner_key.b, cosigner.public_key, PUBLIC_KEY_SIZE);
    list.after = good.node_id;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_NODE_LIST, &list, 0, 0, 1, &out),
                     ST_OK);
    ck_assert(!out.has_cosigners); /* As before there were any. */
    centres_close(&scene);
}
END_TEST

START_TEST(only_a_server_begins_an_epoch_and_once)
{
    struct fixture_actor archive;

    centres_open(&scene);
    centres_enrol_node(&scene, &archive, 3, NODE_ARCHIVE);
    /* Inside the primary's term nobody takes over. */
    ck_assert_int_eq(begin_epoch(&scene.backup, 1), ST_EXISTS);
    scene.fixture.epoch = 2;
    ck_assert_int_eq(begin_epoch(&archive, 2), ST_NO_DUTY);
    ck_assert_int_eq(begin_epoch(&scene.backup, 2), ST_OK);
    ck_assert_int_eq(begin_epoch(&scene.backup, 2), ST_EXISTS);
    centres_close(&scene);
}
END_TEST

START_TEST(a_node_acts_as_the_system_only_while_it_is_primary)
{
    struct op_journal_noise noise = {.from = 1, .to = 2};
    struct op_repl_status status = {0};

    centres_open(&scene);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.backup,
                                 OPCODE_JOURNAL_NOISE, &noise, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq((int)scene.fixture.act.duty, (int)DUTY_REP);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.backup,
                                 OPCODE_REPL_STATUS, &status, 0, 0, 0, NULL),
                     ST_OK);
    centres_takes_over(&scene, &scene.backup, 2);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.backup,
                                 OPCODE_JOURNAL_NOISE, &noise, 0, 0, 0, NULL),
                     ST_OK);
    /* The old primary, back again, writes nothing of its own. */
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.node,
                                 OPCODE_JOURNAL_NOISE, &noise, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    centres_close(&scene);
}
END_TEST

START_TEST(a_retired_node_signs_nothing_and_the_primary_cannot_be_retired)
{
    struct op_repl_status status = {0};
    struct op_node_list in = {.after = {{0}}};
    struct result_node_list out;
    struct list_reader reader;
    struct node_row row;

    centres_open(&scene);
    ck_assert_int_eq(retire(1), ST_WRONG_STATE);
    ck_assert_int_eq(retire(9), ST_NO_SUCH);
    ck_assert_int_eq(retire(2), ST_OK);
    ck_assert_int_eq(retire(2), ST_WRONG_STATE);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.backup,
                                 OPCODE_REPL_STATUS, &status, 0, 0, 0, NULL),
                     ST_KEY_INACTIVE);
    scene.fixture.epoch = 2;
    ck_assert_int_eq(begin_epoch(&scene.backup, 2), ST_KEY_INACTIVE);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_NODE_LIST, &in, 0, 0, 1, &out),
                     ST_OK);
    ck_assert_uint_eq(out.nodes.count, 2);
    list_reader_init(&reader, &out.nodes);
    ck_assert(list_reader_next(&reader, &schema_node_row, &row));
    ck_assert_uint_eq(row.state, NODE_ACTIVE);
    ck_assert_uint_eq(row.label.size, 0); /* The genesis gives it none. */
    ck_assert(list_reader_next(&reader, &schema_node_row, &row));
    ck_assert_uint_eq(row.state, NODE_RETIRED);
    ck_assert_uint_gt(row.retired, row.enrolled);
    ck_assert(slice_equal(row.address, fixture_text("127.0.0.1:7401")));
    in.after = centres_node(1);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_NODE_LIST, &in, 0, 0, 1, &out),
                     ST_OK);
    ck_assert_uint_eq(out.nodes.count, 1);
    centres_close(&scene);
}
END_TEST

/* T-P-6.1.5, R-8.2.6 */
START_TEST(T_P_6_1_5_the_cloud_reads_technical_status_and_no_payload)
{
    struct op_repl_status in = {0};
    struct result_repl_status out;
    struct list_reader reader;
    struct member_row row;
    struct op_section_get get = {.sections = 1,
                                 .file_number = fixture_text("")};
    struct op_subject_find find = {.text = fixture_text("ad"),
                                   .limit = 1,
                                   .file_number = fixture_text("")};
    struct op_incident_list incidents = {.limit = 1};
    struct op_journal_read journal = {.count = 1, .categories = 255};

    centres_open(&scene);
    centres_takes_over(&scene, &scene.backup, 90);
    (void)centres_enter_owed(&scene);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.cloud,
                                 OPCODE_REPL_STATUS, &in, 0, 0, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.epoch, 2);
    ck_assert_uint_eq(out.primary.b[0], 2);
    ck_assert_uint_eq(out.waiting, CONTINUITY_BIT(CONTINUITY_REGISTRY));
    ck_assert_uint_eq(out.failover, 1);
    ck_assert_int_gt(out.activated, out.began);
    ck_assert_uint_eq(out.members.count, 2);
    list_reader_init(&reader, &out.members);
    ck_assert(list_reader_next(&reader, &schema_member_row, &row));
    ck_assert(!row.primary);
    ck_assert_uint_eq(row.epoch, 1);
    ck_assert(list_reader_next(&reader, &schema_member_row, &row));
    ck_assert(row.primary);
    ck_assert_uint_eq(row.epoch, 2);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.cloud,
                                 OPCODE_SECTION_GET, &get, 1400057421, 0, 0,
                                 NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.cloud,
                                 OPCODE_SUBJECT_FIND, &find, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.cloud,
                                 OPCODE_INCIDENT_LIST, &incidents, 0, 0, 0,
                                 NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.cloud,
                                 OPCODE_JOURNAL_READ, &journal, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    centres_close(&scene);
}
END_TEST

SUITE_MAIN("node", a_node_is_enrolled_with_a_basis_and_its_keys_proof,
           a_node_that_cosigns_has_a_key_for_that_alone,
           only_a_server_begins_an_epoch_and_once,
           a_node_acts_as_the_system_only_while_it_is_primary,
           a_retired_node_signs_nothing_and_the_primary_cannot_be_retired,
           T_P_6_1_5_the_cloud_reads_technical_status_and_no_payload)
