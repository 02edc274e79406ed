/* ctest-label: threads
 * A node that does not lead: what it answers, and what it says of itself. */
#include <string.h>

#include "protocol/login.h"
#include "server/node_private.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

static const char primary_address[] = "192.0.2.7:7840";
static const uint8_t primary_id[NODE_ID_SIZE] = {7, 1};

static struct node_fixture fixture;
static struct wire wire;
static struct wire_command command;
static struct wire_answer answer;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
}

static void close_node(void)
{
    wire_close(&wire);
    node_fixture_remove(&fixture);
}

static void follow(const char *address)
{
    pipeline_set_leading(fixture.node->pipeline, false, primary_id, address);
}

static void lead(void)
{
    pipeline_set_leading(fixture.node->pipeline, true, NULL, NULL);
}

static void login(void)
{
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
}

/* The next frame is of this type and for this request. */
static void expect_frame(uint8_t type, uint64_t request_id,
                         union frame_body *body)
{
    struct field_error error;
    struct frame frame;

    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, type);
    ck_assert_uint_eq(frame.request_id, request_id);
    ck_assert_int_eq(frame_decode(&wire.gate, body, &error, &frame), ST_OK);
}

static void expect_advice(enum status code, const char *address)
{
    union frame_body body;

    expect_frame(MESSAGE_ADVICE, 0, &body);
    ck_assert_int_eq(body.advice.code, code);
    ck_assert_mem_eq(body.advice.node_id.b, primary_id, NODE_ID_SIZE);
    ck_assert_uint_eq(body.advice.address.size, strlen(address));
    if (body.advice.address.size > 0)
        ck_assert_mem_eq(body.advice.address.data, address, strlen(address));
}

static void expect_not_primary(uint64_t request_id)
{
    union frame_body body;

    expect_frame(MESSAGE_ERROR, request_id, &body);
    ck_assert_int_eq(body.error.code, ST_NOT_PRIMARY);
    ck_assert_int_eq(body.error.scope, SCOPE_REQUEST);
}

static void send_ping(const char *text)
{
    wire_send_command(&wire, wire_command_ping(&command, fixture.cluster_id,
                                               &fixture.operator, text));
}

START_TEST(D116_a_command_gets_600_and_then_advice)
{
    uint64_t size;

    open_node();
    login();
    size = pipeline_size(fixture.node->pipeline);
    follow(primary_address);
    expect_advice(ST_NOT_PRIMARY, primary_address);
    send_ping("to the primary");
    expect_not_primary(wire.request_id);
    expect_advice(ST_NOT_PRIMARY, primary_address);
    ck_assert_uint_eq(pipeline_size(fixture.node->pipeline), size);
    /* The connection lives, and serves again once the node leads. */
    lead();
    send_ping("to this node");
    ck_assert(wire_answer(&wire, &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    close_node();
}
END_TEST

START_TEST(the_address_may_be_unknown)
{
    open_node();
    follow(NULL);
    login();
    send_ping("to whom?");
    expect_not_primary(wire.request_id);
    expect_advice(ST_NOT_PRIMARY, "");
    close_node();
}
END_TEST

START_TEST(a_watch_gets_600_and_then_advice)
{
    struct message_watch watch = {.index = 1};

    open_node();
    follow(primary_address);
    login();
    wire_send(&wire, MESSAGE_WATCH, &watch);
    expect_not_primary(wire.request_id);
    expect_advice(ST_NOT_PRIMARY, primary_address);
    close_node();
}
END_TEST

START_TEST(open_connections_hear_once_that_the_primary_has_moved)
{
    struct message_ping ping = {.time = 1};
    union frame_body body;

    open_node();
    login();
    follow(primary_address);
    follow(primary_address);
    expect_advice(ST_NOT_PRIMARY, primary_address);
    wire_send(&wire, MESSAGE_PING, &ping);
    expect_frame(MESSAGE_PONG, wire.request_id, &body);
    follow("192.0.2.8:7840");
    expect_advice(ST_NOT_PRIMARY, "192.0.2.8:7840");
    close_node();
}
END_TEST

/* AUTH_OK as it comes to a login now. */
static void log_in_and_read(struct message_auth_ok *ok, struct frame *frame)
{
    struct login_claim claim = {.way = LOGIN_BY_KEY, .role = ROLE_STAFF};
    struct message_auth_key key = {.role = ROLE_STAFF};
    union frame_body body;
    struct field_error error;

    node_fixture_channel(&fixture, &wire);
    memcpy(claim.name, fixture.operator.key_id, KEY_ID_SIZE);
    memcpy(key.key_id.b, fixture.operator.key_id, KEY_ID_SIZE);
    login_sign(key.signature.b, &claim, fixture.cluster_id,
               wire.channel.binding, &fixture.operator);
    wire_send(&wire, MESSAGE_AUTH_KEY, &key);
    ck_assert(wire_receive(&wire, frame));
    ck_assert_int_eq(frame->type, MESSAGE_AUTH_OK);
    ck_assert_int_eq(frame_decode(&wire.gate, &body, &error, frame), ST_OK);
    *ok = body.auth_ok;
}

START_TEST(AUTH_OK_names_the_primary_where_it_is_another_node)
{
    struct message_auth_ok ok;
    struct frame frame;

    open_node();
    log_in_and_read(&ok, &frame);
    ck_assert(!ok.has_primary);
    wire_close(&wire);
    follow(primary_address);
    log_in_and_read(&ok, &frame);
    ck_assert(ok.has_primary);
    ck_assert_uint_eq(ok.primary.size, strlen(primary_address));
    ck_assert_mem_eq(ok.primary.data, primary_address, ok.primary.size);
    wire_close(&wire);
    follow(NULL);
    log_in_and_read(&ok, &frame);
    ck_assert(ok.has_primary);
    ck_assert_uint_eq(ok.primary.size, 0);
    close_node();
}
END_TEST

static void ask_status(struct rows_status *rows)
{
    struct message_query query = {.query = QUERY_STATUS, .version = 1};
    union frame_body body;
    struct field_error error;

    wire_send(&wire, MESSAGE_QUERY, &query);
    expect_frame(MESSAGE_ROWS, wire.request_id, &body);
    ck_assert_int_eq(schema_decode(&schema_rows_status, rows, &error,
                                   body.rows.rows, SCHEMA_REFUSE_UNKNOWN),
                     ST_OK);
}

static void expect_text(struct slice text, const char *wanted)
{
    ck_assert_uint_eq(text.size, strlen(wanted));
    ck_assert_mem_eq(text.data, wanted, text.size);
}

START_TEST(a_node_alone_says_so_in_its_status)
{
    struct rows_status rows;

    open_node();
    login();
    ask_status(&rows);
    ck_assert(rows.has_role && rows.has_node_id && rows.has_log_size);
    expect_text(rows.role, "single");
    ck_assert_uint_eq(rows.log_size, pipeline_size(fixture.node->pipeline));
    ck_assert_uint_eq(rows.committed_size, rows.log_size);
    ck_assert(!rows.has_members && !rows.has_primary && !rows.has_failover_at);
    close_node();
}
END_TEST

/* What a replica would tell, with every place of the list in use. */
static void tell(void *context, struct cluster_status *out)
{
    (void)context;
    out->role = CLUSTER_BACKUP;
    out->epoch = 12;
    out->configuration = 34;
    out->log_size = 1000;
    out->committed_size = 998;
    memcpy(out->primary.b, primary_id, NODE_ID_SIZE);
    memcpy(out->primary_address, primary_address, sizeof primary_address);
    out->failover_epoch = 11;
    out->failover_at = 1786957200000000;
    out->members_count = CLUSTER_NODES_MAX;
    for (uint32_t i = 0; i < CLUSTER_NODES_MAX; i++) {
        struct cluster_member *member = &out->members[i];
        member->node_id.b[0] = (uint8_t)i;
        member->role = (enum cluster_role)i;
        member->in_sync = i % 2 == 0;
        member->size = 100 + i;
        member->heard_ms = i;
        memset(member->address, 'a', ADDRESS_SIZE_MAX);
    }
}

START_TEST(a_backup_answers_the_status_query_with_all_it_was_told)
{
    struct list_reader reader;
    struct rows_status rows;
    struct cluster_row row;
    uint32_t seen = 0;

    open_node();
    pipeline_set_cluster(fixture.node->pipeline, NULL, tell);
    follow(primary_address);
    login();
    ask_status(&rows);
    expect_text(rows.role, "backup");
    expect_text(rows.primary_address, primary_address);
    ck_assert_mem_eq(rows.primary.b, primary_id, NODE_ID_SIZE);
    ck_assert_uint_eq(rows.epoch, 12);
    ck_assert_uint_eq(rows.configuration, 34);
    ck_assert_uint_eq(rows.log_size, 1000);
    ck_assert_uint_eq(rows.committed_size, 998);
    ck_assert_uint_eq(rows.failover_epoch, 11);
    ck_assert_int_eq(rows.failover_at, 1786957200000000);
    list_reader_init(&reader, &rows.members);
    while (list_reader_next(&reader, &schema_cluster_row, &row)) {
        ck_assert_uint_eq(row.node_id.b[0], seen);
        expect_text(row.role, cluster_role_text((enum cluster_role)seen));
        ck_assert_int_eq(row.in_sync, seen % 2 == 0);
        ck_assert_uint_eq(row.size, 100 + seen);
        ck_assert_uint_eq(row.heard_ms, seen);
        ck_assert_uint_eq(row.address.size, ADDRESS_SIZE_MAX);
        seen++;
    }
    ck_assert_uint_eq(seen, CLUSTER_NODES_MAX);
    close_node();
}
END_TEST

START_TEST(a_backup_that_shuts_down_names_the_primary_before_the_end)
{
    union frame_body body;

    open_node();
    follow(primary_address);
    login();
    node_drain(fixture.node);
    expect_advice(ST_DRAINING, primary_address);
    expect_frame(MESSAGE_ERROR, 0, &body);
    ck_assert_int_eq(body.error.code, ST_DRAINING);
    node_close(fixture.node);
    fixture.node = NULL;
    close_node();
}
END_TEST

SUITE_MAIN("backup", D116_a_command_gets_600_and_then_advice,
           the_address_may_be_unknown, a_watch_gets_600_and_then_advice,
           open_connections_hear_once_that_the_primary_has_moved,
           AUTH_OK_names_the_primary_where_it_is_another_node,
           a_node_alone_says_so_in_its_status,
           a_backup_answers_the_status_query_with_all_it_was_told,
           a_backup_that_shuts_down_names_the_primary_before_the_end)
