#include <string.h>

#include <sodium.h>

#include "protocol/dates.h"
#include "protocol/entry.h"
#include "tests/lib/centres.h"
#include "tests/lib/suite.h"

static struct centres scene;

static enum status run(const struct fixture_actor *actor, uint16_t opcode,
                       const void *fields, void *result)
{
    return fixture_run(&scene.fixture, actor, opcode, fields, 0, 0, actor->duty,
                       result);
}

static enum status refuse(const struct fixture_actor *actor, uint8_t name)
{
    struct op_failover_refuse in = {.order = {{name}},
                                    .reason = fixture_text("no")};

    return run(actor, OPCODE_FAILOVER_REFUSE, &in, NULL);
}

START_TEST(the_registrys_owner_asks_by_two_persons_of_two_duties)
{
    struct fixture_actor both, second;
    struct op_failover_request in, other;
    struct result_failover_request out;

    centres_open(&scene);
    fixture_staff(&scene.fixture, &second, DUTY_OPS);
    both = scene.operator;
    both.duty = 0;
    (void)fixture_duty(&scene.fixture, &both, DUTY_DIR, 0);
    in = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 2);
    ck_assert_int_eq(run(&scene.operator, OPCODE_FAILOVER_REQUEST, &in, &out),
                     ST_OK);
    ck_assert_uint_eq(out.state, FAILOVER_PROPOSED);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(centres_ask(&scene, &both, &in), ST_SELF_APPROVE);
    ck_assert_int_eq(centres_ask(&scene, &second, &in), ST_SECOND_PERSON);
    other = in;
    other.kind = FAILOVER_DRILL;
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &other), ST_EXISTS);
    other = in;
    other.until -= DATES_US_PER_SECOND;
    ck_assert_int_eq(run(&scene.head, OPCODE_FAILOVER_REQUEST, &other, &out),
                     ST_OK);
    ck_assert_uint_eq(out.state, FAILOVER_REQUESTED);
    ck_assert_int_eq(centres_failover(&scene, out.failover).until, other.until);
    ck_assert_int_eq(centres_ask(&scene, &second, &in), ST_WRONG_STATE);
    centres_close(&scene);
}
END_TEST

START_TEST(a_request_that_cannot_be_meant_is_refused)
{
    struct fixture_actor archive;
    struct op_failover_request good, in;

    centres_open(&scene);
    centres_enrol_node(&scene, &archive, 3, NODE_ARCHIVE);
    good = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_REAL, 0);
    in = good;
    in.order.b[0] = 0;
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_BAD_FIELD);
    in = good;
    in.until = scene.fixture.log_time;
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_BAD_FIELD);
    in.until += 32 * DATES_US_PER_DAY;
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_BAD_FIELD);
    in = good;
    in.kind = FAILOVER_PLANNED; /* And no node named. */
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_BAD_FIELD);
    in = good;
    in.target = centres_node(3); /* An archive is never primary. */
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_NO_SUCH);
    in.target = centres_node(9);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_NO_SUCH);
    in = good;
    in.incident = 4711;
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_NO_SUCH);
    ck_assert_int_eq(centres_ask(&scene, &scene.security, &good), ST_NO_DUTY);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & good), ST_OK);
    centres_close(&scene);
}
END_TEST

START_TEST(the_head_decides_on_the_portal_and_never_on_his_own_request)
{
    struct op_failover_request in;
    struct op_failover_approve approve = {.order = {{2}}};

    centres_open(&scene);
    in = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_REAL, 0);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.head, 1), ST_SELF_APPROVE);
    in.order.b[0] = 2;
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.portal, 2), ST_NO_DUTY);
    ck_assert_int_eq(centres_approve(&scene, &scene.head, 3), ST_NO_SUCH);
    approve.until = in.until + 1;
    ck_assert_int_eq(run(&scene.head, OPCODE_FAILOVER_APPROVE, &approve, NULL),
                     ST_BAD_FIELD);
    approve.until = scene.fixture.log_time + DATES_US_PER_SECOND;
    ck_assert_int_eq(run(&scene.head, OPCODE_FAILOVER_APPROVE, &approve, NULL),
                     ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.head, 2), ST_WRONG_STATE);
    ck_assert_uint_eq(
        centres_notices(&scene, NULL, FIXTURE_OWNER, NOTICE_FAILOVER_APPROVED),
        1);
    centres_close(&scene);
}
END_TEST

START_TEST(what_the_coordinating_body_refused_covers_nothing)
{
    struct op_failover_request in;

    centres_open(&scene);
    centres_takes_over(&scene, &scene.backup, 90);
    in = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 0);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_int_eq(refuse(&scene.portal, 1), ST_NO_DUTY);
    ck_assert_int_eq(refuse(&scene.registry, 1), ST_OK);
    ck_assert_int_eq(refuse(&scene.registry, 1), ST_WRONG_STATE);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 1),
                     ST_WRONG_STATE);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2); /* Of P alone. */
    ck_assert_uint_eq(
        centres_notices(&scene, NULL, FIXTURE_OWNER, NOTICE_FAILOVER_REFUSED),
        1);
    centres_close(&scene);
}
END_TEST

START_TEST(an_approval_for_another_node_or_out_of_time_covers_nothing)
{
    struct op_failover_request in;

    centres_open(&scene);
    in = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 1);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 1), ST_OK);
    in = centres_order(&scene, 2, CONTINUITY_REGISTRY, FAILOVER_REAL, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 2), ST_OK);
    fixture_wait(&scene.fixture, 1);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert(!continuity_realm_open(scene.fixture.state, 'R'));
    ck_assert_int_eq(refuse(&scene.registry, 2), ST_WRONG_STATE);
    centres_close(&scene);
}
END_TEST

START_TEST(an_approval_given_before_the_failure_lets_the_registry_start)
{
    struct op_failover_request in;

    centres_open(&scene);
    in = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 0);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_int_eq(centres_approve(&scene, &scene.registry, 1), ST_OK);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 3);
    ck_assert(continuity_realm_open(scene.fixture.state, 'R'));
    ck_assert_uint_eq(centres_failover(&scene, 1).incident, 1);
    /* Once. */
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    ck_assert(!continuity_realm_open(scene.fixture.state, 'R'));
    centres_close(&scene);
}
END_TEST

/* ---- Standing orders ---------------------------------------------------- */

static enum status stand(const struct fixture_actor *actor,
                         const struct op_failover_order *in,
                         uint32_t *standing_out)
{
    struct result_failover_order out = {.standing = 0};
    enum status code = run(actor, OPCODE_FAILOVER_ORDER, in, &out);

    if (standing_out != NULL)
        *standing_out = out.standing;
    return code;
}

START_TEST(a_standing_order_has_an_author_a_basis_and_limits)
{
    uint8_t bytes[64];
    struct op_failover_order good, in;
    struct node_ref ref = {.node_id = centres_node(9)};
    struct writer writer;

    centres_open(&scene);
    good = centres_standing(&scene, CONTINUITY_REGISTRY);
    ck_assert_int_eq(stand(&scene.head, &good, NULL), ST_NO_DUTY);
    ck_assert_int_eq(stand(&scene.portal, &good, NULL), ST_NO_DUTY);
    in = good;
    in.basis = fixture_digest(0);
    ck_assert_int_eq(stand(&scene.registry, &in, NULL), ST_NO_BASIS);
    in = good;
    in.to = in.from;
    ck_assert_int_eq(stand(&scene.registry, &in, NULL), ST_BAD_FIELD);
    in.to = in.from + 367 * DATES_US_PER_DAY;
    ck_assert_int_eq(stand(&scene.registry, &in, NULL), ST_BAD_FIELD);
    in.from -= 3 * DATES_US_PER_DAY;
    in.to = in.from + DATES_US_PER_DAY;
    ck_assert_int_eq(stand(&scene.registry, &in, NULL), ST_BAD_FIELD);
    in = good;
    writer_init(&writer, bytes, sizeof bytes);
    in.nodes = list_begin(&writer);
    list_add(&in.nodes, &writer, &schema_node_ref, &ref);
    ck_assert_int_eq(stand(&scene.registry, &in, NULL), ST_NO_SUCH);
    ck_assert_int_eq(stand(&scene.registry, &good, NULL), ST_OK);
    good.for_realm = CONTINUITY_PORTAL;
    ck_assert_int_eq(stand(&scene.head, &good, NULL), ST_OK);
    centres_close(&scene);
}
END_TEST

START_TEST(a_standing_order_names_nodes_and_ends_when_revoked)
{
    uint8_t bytes[64];
    struct op_failover_order in;
    struct op_failover_revoke_order revoke = {.note = fixture_text("over")};
    struct node_ref ref = {.node_id = centres_node(1)};
    struct writer writer;

    centres_open(&scene);
    in = centres_standing(&scene, CONTINUITY_REGISTRY);
    writer_init(&writer, bytes, sizeof bytes);
    in.nodes = list_begin(&writer);
    list_add(&in.nodes, &writer, &schema_node_ref, &ref);
    in.times = 9;
    ck_assert_int_eq(stand(&scene.registry, &in, &revoke.standing), ST_OK);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2); /* Not that node. */
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 3);
    ck_assert_int_eq(
        run(&scene.head, OPCODE_FAILOVER_REVOKE_ORDER, &revoke, NULL),
        ST_NO_DUTY);
    ck_assert_int_eq(
        run(&scene.registry, OPCODE_FAILOVER_REVOKE_ORDER, &revoke, NULL),
        ST_OK);
    ck_assert_int_eq(
        run(&scene.registry, OPCODE_FAILOVER_REVOKE_ORDER, &revoke, NULL),
        ST_WRONG_STATE);
    revoke.standing = 4711;
    ck_assert_int_eq(
        run(&scene.registry, OPCODE_FAILOVER_REVOKE_ORDER, &revoke, NULL),
        ST_NO_SUCH);
    centres_takes_over(&scene, &scene.backup, 90);
    centres_takes_over(&scene, &scene.fixture.node, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 3); /* Two incidents, P. */
    ck_assert(!continuity_realm_open(scene.fixture.state, 'R'));
    centres_close(&scene);
}
END_TEST

START_TEST(an_order_that_is_not_automatic_needs_the_owners_request)
{
    struct op_failover_order standing;
    struct op_failover_request in;

    centres_open(&scene);
    standing = centres_standing(&scene, CONTINUITY_REGISTRY);
    standing.automatic = false;
    ck_assert_int_eq(stand(&scene.registry, &standing, NULL), ST_OK);
    centres_takes_over(&scene, &scene.backup, 90);
    ck_assert_uint_eq(centres_enter_owed(&scene), 2);
    in = centres_order(&scene, 1, CONTINUITY_REGISTRY, FAILOVER_REAL, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & in), ST_OK);
    ck_assert_uint_eq(centres_enter_owed(&scene), 0);
    ck_assert_int_eq(centres_ask(&scene, &scene.head, &in), ST_OK);
    ck_assert_uint_eq(centres_enter_owed(&scene), 1);
    ck_assert(continuity_realm_open(scene.fixture.state, 'R'));
    ck_assert_uint_eq(centres_failover(&scene, 2).standing, 1);
    centres_close(&scene);
}
END_TEST

START_TEST(without_a_named_body_nobody_can_let_the_registry_start)
{
    struct op_config_change in = {.setting = SETTING_coordinator_registry,
                                  .note = fixture_text("n"),
                                  .basis = fixture_digest(1)};
    struct op_failover_order standing;

    centres_open(&scene);
    in.value = scene.provider;
    ck_assert_int_eq(run(&scene.head, OPCODE_CONFIG_CHANGE, &in, NULL),
                     ST_BAD_FIELD);
    in.value = 4711;
    ck_assert_int_eq(run(&scene.head, OPCODE_CONFIG_CHANGE, &in, NULL),
                     ST_NO_SUCH);
    in.value = 0;
    ck_assert_int_eq(run(&scene.head, OPCODE_CONFIG_CHANGE, &in, NULL), ST_OK);
    standing = centres_standing(&scene, CONTINUITY_REGISTRY);
    ck_assert_int_eq(stand(&scene.registry, &standing, NULL), ST_NO_DUTY);
    /* But whoever may be meant is told. */
    centres_takes_over(&scene, &scene.backup, 90);
    (void)centres_enter_owed(&scene);
    ck_assert_uint_eq(centres_notices(&scene, NULL, scene.registry.organisation,
                                      NOTICE_INCIDENT_OPENED),
                      1);
    centres_close(&scene);
}
END_TEST

/* ---- Afterwards --------------------------------------------------------- */

static uint8_t entry_bytes[64];

static enum status read_some_entry(void *context, uint64_t index,
                                   struct slice *entry_out)
{
    (void)context;
    memset(entry_bytes, (int)index, sizeof entry_bytes);
    *entry_out = slice_of(entry_bytes, sizeof entry_bytes);
    return ST_OK;
}

START_TEST(a_failover_is_verified_by_a_head_above_it_and_then_closed)
{
    struct op_failover_verify verify = {.failover = 1};
    struct op_failover_close close = {.failover = 1,
                                      .report = fixture_text("done")};
    struct slice entry;
    uint64_t epoch_size;

    centres_open(&scene);
    scene.fixture.services.read_entry = read_some_entry;
    centres_takes_over(&scene, &scene.backup, 90);
    epoch_size = scene.fixture.index;
    ck_assert_int_eq(run(&scene.operator, OPCODE_FAILOVER_CLOSE, &close, NULL),
                     ST_NO_SUCH);
    (void)centres_enter_owed(&scene);
    ck_assert_int_eq(run(&scene.operator, OPCODE_FAILOVER_CLOSE, &close, NULL),
                     ST_WRONG_STATE);
    verify.size = epoch_size;
    ck_assert_int_eq(
        run(&scene.operator, OPCODE_FAILOVER_VERIFY, &verify, NULL),
        ST_BAD_FIELD);
    (void)read_some_entry(NULL, verify.size - 1, &entry);
    entry_leaf_hash(verify.leaf.b, entry);
    verify.size--; /* Below the new term. */
    ck_assert_int_eq(
        run(&scene.operator, OPCODE_FAILOVER_VERIFY, &verify, NULL),
        ST_BAD_FIELD);
    verify.size = scene.fixture.index + 1; /* Not there yet. */
    ck_assert_int_eq(
        run(&scene.operator, OPCODE_FAILOVER_VERIFY, &verify, NULL),
        ST_BAD_FIELD);
    verify.size = epoch_size;
    ck_assert_int_eq(
        run(&scene.operator, OPCODE_FAILOVER_VERIFY, &verify, NULL), ST_OK);
    ck_assert_int_eq(
        run(&scene.operator, OPCODE_FAILOVER_VERIFY, &verify, NULL),
        ST_WRONG_STATE);
    ck_assert_int_eq(run(&scene.operator, OPCODE_FAILOVER_CLOSE, &close, NULL),
                     ST_OK);
    ck_assert_uint_eq(centres_failover(&scene, 1).state, FAILOVER_CLOSED);
    centres_close(&scene);
}
END_TEST

START_TEST(failovers_and_standing_orders_are_listed_to_those_concerned)
{
    struct op_failover_list in = {.limit = 9};
    struct op_failover_request ask;
    struct op_failover_order standing;
    struct result_failover_list out;
    struct list_reader reader;
    struct failover_row row;
    struct standing_row order;

    centres_open(&scene);
    ask = centres_order(&scene, 1, CONTINUITY_PORTAL, FAILOVER_REAL, 0);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & ask), ST_OK);
    ask = centres_order(&scene, 2, CONTINUITY_REGISTRY, FAILOVER_DRILL, 2);
    ck_assert_int_eq(centres_ask(&scene, &scene.operator, & ask), ST_OK);
    standing = centres_standing(&scene, CONTINUITY_REGISTRY);
    ck_assert_int_eq(stand(&scene.registry, &standing, NULL), ST_OK);
    fixture_wait(&scene.fixture, 1);
    ck_assert_int_eq(run(&scene.operator, OPCODE_FAILOVER_LIST, &in, &out),
                     ST_OK);
    ck_assert_uint_eq(out.failovers.count, 2);
    ck_assert_uint_eq(out.standing_orders.count, 1);
    ck_assert_int_eq(run(&scene.registry, OPCODE_FAILOVER_LIST, &in, &out),
                     ST_OK);
    ck_assert_uint_eq(out.failovers.count, 1);
    list_reader_init(&reader, &out.failovers);
    ck_assert(list_reader_next(&reader, &schema_failover_row, &row));
    ck_assert_uint_eq(row.kind, FAILOVER_DRILL);
    ck_assert_uint_eq(row.state, FAILOVER_EXPIRED);
    ck_assert_uint_eq(row.operator, scene.operator.person);
    list_reader_init(&reader, &out.standing_orders);
    ck_assert(list_reader_next(&reader, &schema_standing_row, &order));
    ck_assert_uint_eq(order.state, STANDING_EXPIRED);
    in.after = 2;
    in.after_standing = UINT32_MAX;
    ck_assert_int_eq(run(&scene.cloud, OPCODE_FAILOVER_LIST, &in, &out), ST_OK);
    ck_assert_uint_eq(out.failovers.count + out.standing_orders.count, 0);
    centres_close(&scene);
}
END_TEST

SUITE_MAIN("failover", the_registrys_owner_asks_by_two_persons_of_two_duties,
           a_request_that_cannot_be_meant_is_refused,
           the_head_decides_on_the_portal_and_never_on_his_own_request,
           what_the_coordinating_body_refused_covers_nothing,
           an_approval_for_another_node_or_out_of_time_covers_nothing,
           an_approval_given_before_the_failure_lets_the_registry_start,
           a_standing_order_has_an_author_a_basis_and_limits,
           a_standing_order_names_nodes_and_ends_when_revoked,
           an_order_that_is_not_automatic_needs_the_owners_request,
           without_a_named_body_nobody_can_let_the_registry_start,
           a_failover_is_verified_by_a_head_above_it_and_then_closed,
           failovers_and_standing_orders_are_listed_to_those_concerned)
