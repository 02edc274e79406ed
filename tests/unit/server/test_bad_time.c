/* ctest-label: threads
 * ctest-timeout: 300
 * Inputs that take their time: what comes too slowly, and what comes so often
 * that nobody lives to see it end. Each test has a node of its own. */
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include <sodium.h>

#include "protocol/login.h"
#include "protocol/password.h"
#include "server/net/home.h"
#include "server/net/throttle.h"
#include "server/node_private.h"
#include "tests/lib/heap.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"
#include "tests/lib/suite.h"

static struct node_fixture fixture;
static struct wire wire, slow_wire, idle_wire, begun_wire, channel_wire;

static void open_node(void)
{
    heap_begin();
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
}

static void wait_s(struct wire *on, int seconds)
{
    const struct timeval wait = {seconds, 0};

    ck_assert_int_eq(
        setsockopt(on->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
}

static bool is_closed_by_now(const struct wire *on)
{
    uint8_t byte;

    return recv(on->fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* A byte a second of what would be good; it never comes to its end. */
static void drip(struct wire *on)
{
    static const uint8_t good[PREFACE_SIZE + 2 + HANDSHAKE_MSG1_SIZE] = {
        'D', 'F', 'T', '1', 1, 0, 0, 0, HANDSHAKE_MSG1_SIZE, 0, 9};
    const struct timespec second = {1, 0};
    size_t sent = 0;

    while (!is_closed_by_now(on)) {
        ck_assert_uint_lt(sent, sizeof good);
        wire_send_raw(on, good + sent, 1);
        sent++;
        (void)nanosleep(&second, NULL);
    }
    ck_assert_uint_gt(sent, 0);
}

/* The first tells nothing, the second a byte a second, the third announces the
 * longest record and sends a little of it, the fourth has an open channel and
 * no login. */
START_TEST(D1_D2_D28_D279_whoever_is_too_slow_is_closed_in_silence)
{
    static const uint8_t announced[RECORD_HEADER_SIZE + 100] = {0xff, 0xff};
    size_t before;

    open_node();
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    node_fixture_login(&fixture, &begun_wire, &fixture.operator, ROLE_STAFF);
    before = row_suite_node_uses(&fixture);
    node_fixture_channel(&fixture, &channel_wire);
    node_expect_ping(&channel_wire, slice_of(NULL, 0));
    node_expect_pong(&channel_wire);
    wait_s(&channel_wire, 2 * LOGIN_S_MAX);
    wait_s(&begun_wire, 2 * RECORD_S_MAX);
    wire_send_raw(&begun_wire, announced, sizeof announced);
    wire_connect(&idle_wire, fixture.port);
    wire_connect(&slow_wire, fixture.port);
    drip(&slow_wire);
    ck_assert(wire_closed_silently(&idle_wire));
    node_expect_ping(&wire, slice_of(NULL, 0));
    node_expect_pong(&wire);
    ck_assert(wire_closed_silently(&begun_wire));
    /* A PING is no reason to wait longer. */
    node_expect_ping(&channel_wire, slice_of(NULL, 0));
    node_expect_pong(&channel_wire);
    ck_assert(wire_closed_silently(&channel_wire));
    node_expect_ping(&wire, slice_of(NULL, 0));
    node_expect_pong(&wire);
    /* What was held for the record went with it. */
    ck_assert_uint_lt(row_suite_node_uses(&fixture),
                      before + RECORD_SIZE_MAX / 2);
    node_fixture_remove(&fixture);
}
END_TEST

/* Each would read an entry of the log. */
START_TEST(D278_watches_beyond_the_rate_of_commands_are_605)
{
    enum { SENT = 200 };
    struct message_watch watch = {.index = 0};
    int refused = 0, limited = 0;
    uint8_t scope;

    node_expect_make(&fixture);
    fixture.options.net.commands_per_second_person = 1;
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < SENT; i++) {
        uint16_t code;

        wire_send(&wire, MESSAGE_WATCH, &watch);
        code = wire_error(&wire, &scope);
        ck_assert_int_eq(scope, SCOPE_REQUEST);
        ck_assert(code == ST_NO_SUCH || code == ST_LIMIT);
        refused += code == ST_NO_SUCH ? 1 : 0;
        limited += code == ST_LIMIT ? 1 : 0;
    }
    ck_assert_int_ge(refused, 1);
    ck_assert_int_ge(limited, SENT / 2);
    node_fixture_remove(&fixture);
}
END_TEST

/* ---- Passwords ---------------------------------------------------------- */

static const char name[] = "hundred.times";

/* An account of the operator's; gives its login key. */
static void make_account(struct identity *login)
{
    struct op_password_set set = {.username = slice_of(name, sizeof name - 1),
                                  .kdf_epoch = 1};
    uint8_t seed[SEED_SIZE], wrapped[WRAPPED_KEY_SIZE] = {1};

    randombytes_buf(seed, sizeof seed);
    identity_init(login, seed);
    memcpy(set.login_key.b, login->public_key, PUBLIC_KEY_SIZE);
    set.wrapped_key = slice_of(wrapped, sizeof wrapped);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, &fixture.operator, 0,
                                     OPCODE_PASSWORD_SET, &set, NULL),
                     ST_OK);
}

/* The code of a login by password on a connection of its own. */
static uint16_t try_password(const struct identity *login)
{
    struct message_pw_start start = {
        .username = slice_of(name, sizeof name - 1), .role = ROLE_STAFF};
    struct login_claim claim = {.way = LOGIN_BY_PASSWORD, .role = ROLE_STAFF};
    struct message_pw_prove prove = {.role = ROLE_STAFF};
    struct frame frame;
    uint16_t code;

    node_fixture_channel(&fixture, &slow_wire);
    wire_send(&slow_wire, MESSAGE_PW_START, &start);
    ck_assert(wire_receive(&slow_wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_PW_PARAMS);
    password_name(claim.name, start.username);
    login_sign(prove.signature.b, &claim, fixture.cluster_id,
               slow_wire.channel.binding, login);
    wire_send(&slow_wire, MESSAGE_PW_PROVE, &prove);
    ck_assert(wire_receive(&slow_wire, &frame));
    code = frame.type == MESSAGE_AUTH_OK ? ST_OK : load_u16(frame.body.data);
    wire_close(&slow_wire);
    return code;
}

/* Failures of the past and from elsewhere: their delays are over. */
static void fail_before(int failures)
{
    const int64_t long_ago_us =
        loop_now_us() - 2 * (int64_t)LOGIN_DELAY_S_MAX * 1000000;
    struct throttle_try from = {.source = {1}};

    password_name(from.account, slice_of(name, sizeof name - 1));
    for (int i = 0; i < failures; i++)
        (void)throttle_failed(fixture.node->net->throttle, &from, long_ago_us);
}

/* The node enters the lock by itself. */
static void wait_for_the_lock(void)
{
    const struct timespec pause = {0, 20 * 1000 * 1000};
    struct directory_account account = {.state = 1};

    for (int i = 0; i < 500 && account.state == 1; i++) {
        (void)nanosleep(&pause, NULL);
        ck_assert(
            directory_find_account(pipeline_directory(fixture.node->pipeline),
                                   &account, slice_of(name, sizeof name - 1)));
    }
    ck_assert_uint_ne(account.state, 1);
}

START_TEST(D73_after_a_hundred_failures_the_right_password_is_201_too)
{
    struct identity login, wrong;
    uint8_t seed[SEED_SIZE] = {3};

    open_node();
    identity_init(&wrong, seed);
    make_account(&login);
    ck_assert_int_eq(try_password(&login), ST_OK);
    fail_before(LOGIN_FAILURES_LOCK - 1);
    ck_assert_int_eq(try_password(&wrong), ST_AUTH);
    wait_for_the_lock();
    ck_assert_int_eq(try_password(&login), ST_AUTH);
    /* Who has the key itself is not shut out. */
    node_fixture_serves(&fixture);
    node_fixture_remove(&fixture);
}
END_TEST

SUITE_MAIN("bad_time", D1_D2_D28_D279_whoever_is_too_slow_is_closed_in_silence,
           D278_watches_beyond_the_rate_of_commands_are_605,
           D73_after_a_hundred_failures_the_right_password_is_201_too)
