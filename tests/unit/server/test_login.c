/* ctest-timeout: 300
 * Logins by key, refused for whatever cause.  Not under TSan: one test starts a
 * node in a fork of a process that has one. */
#include "protocol/login.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire, other_wire;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

static void begin(void)
{
    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
}

static void sign_auth(struct message_auth_key *body, const struct wire *on,
                      const struct identity *identity, uint16_t role,
                      const uint8_t *cluster_id)
{
    struct login_claim claim = {.way = LOGIN_BY_KEY, .role = role};

    *body = (struct message_auth_key){.role = role};
    memcpy(claim.name, identity->key_id, KEY_ID_SIZE);
    memcpy(body->key_id.b, identity->key_id, KEY_ID_SIZE);
    login_sign(body->signature.b, &claim, cluster_id, on->channel.binding,
               identity);
}

static void expect_201(const struct message_auth_key *body,
                       enum status_scope scope)
{
    uint8_t got;

    wire_send(&wire, MESSAGE_AUTH_KEY, body);
    ck_assert_int_eq(wire_error(&wire, &got), ST_AUTH);
    ck_assert_int_eq(got, scope);
}

/* The connection lives, and the right login goes through on it. */
static void expect_login(void)
{
    struct message_auth_key body;
    struct frame frame;

    sign_auth(&body, &wire, &fixture.operator, ROLE_STAFF, fixture.cluster_id);
    wire_send(&wire, MESSAGE_AUTH_KEY, &body);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_AUTH_OK);
}

START_TEST(D63_a_signature_over_another_connections_hash_is_201)
{
    struct message_auth_key body;

    begin();
    node_fixture_channel(&fixture, &other_wire);
    sign_auth(&body, &other_wire, &fixture.operator, ROLE_STAFF,
              fixture.cluster_id);
    expect_201(&body, SCOPE_REQUEST);
    expect_login();
}
END_TEST

START_TEST(D64_a_login_for_another_cluster_is_201)
{
    uint8_t cluster_id[CLUSTER_ID_SIZE] = {1, 2, 3};
    struct message_auth_key body;

    begin();
    sign_auth(&body, &wire, &fixture.operator, ROLE_STAFF, cluster_id);
    expect_201(&body, SCOPE_REQUEST);
    expect_login();
}
END_TEST

/* The whole of the next refusal. */
static void refusal_of(const struct message_auth_key *body, uint8_t *bytes_out,
                       size_t *size_out)
{
    struct frame frame;

    wire_send(&wire, MESSAGE_AUTH_KEY, body);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_ERROR);
    ck_assert_uint_le(frame.body.size, 256);
    memcpy(bytes_out, frame.body.data, frame.body.size);
    *size_out = frame.body.size;
}

START_TEST(D65_every_cause_of_a_refused_login_is_the_same_201)
{
    struct message_auth_key body;
    struct identity stranger;
    uint8_t seed[SEED_SIZE] = {7}, first[256], other[256];
    size_t first_size, other_size;

    identity_init(&stranger, seed);
    begin();
    sign_auth(&body, &wire, &stranger, ROLE_STAFF, fixture.cluster_id);
    refusal_of(&body, first, &first_size);
    ck_assert_int_eq(load_u16(first), ST_AUTH);
    ck_assert_int_eq(first[2], SCOPE_REQUEST);
    sign_auth(&body, &wire, &fixture.operator, ROLE_STAFF, fixture.cluster_id);
    body.signature.b[10] ^= 1;
    refusal_of(&body, other, &other_size);
    ck_assert_uint_eq(other_size, first_size);
    ck_assert_mem_eq(other, first, first_size);
    sign_auth(&body, &wire, &fixture.operator, ROLE_AUDITOR,
              fixture.cluster_id);
    refusal_of(&body, other, &other_size);
    ck_assert_uint_eq(other_size, first_size);
    ck_assert_mem_eq(other, first, first_size);
}
END_TEST

START_TEST(D65_a_revoked_key_is_201_and_its_session_ends_with_203)
{
    struct op_key_revoke revoke = {.reason = 1};
    struct message_auth_key body;
    const struct identity *own = node_fixture_own(&fixture);

    node_fixture_login(&fixture, &other_wire, own, ROLE_STAFF);
    node_fixture_login(&fixture, &wire, own, ROLE_STAFF);
    memcpy(revoke.key_id.b, own->key_id, KEY_ID_SIZE);
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, own, 0, OPCODE_KEY_REVOKE,
                                     &revoke, NULL),
                     ST_OK);
    node_expect_end(&other_wire, ST_SESSION_OVER);
    node_expect_end(&wire, ST_SESSION_OVER);
    begin();
    sign_auth(&body, &wire, own, ROLE_STAFF, fixture.cluster_id);
    expect_201(&body, SCOPE_REQUEST);
    expect_login();
}
END_TEST

START_TEST(D67_the_fourth_refused_login_closes_unverified)
{
    struct message_auth_key body;

    begin();
    for (int i = 0; i < LOGIN_FAILURES_PER_CONNECTION_MAX; i++) {
        sign_auth(&body, &wire, &fixture.operator, ROLE_USER,
                  fixture.cluster_id);
        expect_201(&body, SCOPE_REQUEST);
    }
    /* Even the right one. */
    sign_auth(&body, &wire, &fixture.operator, ROLE_STAFF, fixture.cluster_id);
    expect_201(&body, SCOPE_CONNECTION);
    ck_assert(wire_closed(&wire));
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(reserved_fields_of_AUTH_KEY_are_108_and_close)
{
    struct message_auth_key body;

    for (int i = 0; i < 3; i++) {
        begin();
        sign_auth(&body, &wire, &fixture.operator, ROLE_STAFF,
                  fixture.cluster_id);
        body.flags = i == 0;
        body.reserved = i == 1;
        body.session_id.b[15] = i == 2;
        wire_send(&wire, MESSAGE_AUTH_KEY, &body);
        node_expect_end(&wire, ST_RESERVED);
    }
}
END_TEST

START_TEST(a_login_frame_of_any_other_length_is_402_and_closes)
{
    static const uint8_t zeros[200];

    for (size_t size = 0; size < 104; size += 35) {
        begin();
        wire_send_frame(&wire, MESSAGE_AUTH_KEY, 0, 1, ++wire.request_id,
                        slice_of(zeros, size));
        node_expect_end(&wire, ST_BAD_FIELD);
    }
}
END_TEST

ROW_SUITE_MAIN("login", &fixture, open_node, close_node,
               D63_a_signature_over_another_connections_hash_is_201,
               D64_a_login_for_another_cluster_is_201,
               D65_every_cause_of_a_refused_login_is_the_same_201,
               D65_a_revoked_key_is_201_and_its_session_ends_with_203,
               D67_the_fourth_refused_login_closes_unverified,
               reserved_fields_of_AUTH_KEY_are_108_and_close,
               a_login_frame_of_any_other_length_is_402_and_closes)
