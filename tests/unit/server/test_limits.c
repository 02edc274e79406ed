/* ctest-label: threads
 * What a node does at its limits: it says so, keeps its size, and serves the
 * others. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/heap.h"
#include "tests/lib/node_expect.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"

enum { WIRES = 40 };

static struct node_fixture fixture;
static struct wire wire, other_wire;
static struct wire wires[WIRES];
static struct wire_command command;
static struct wire_answer answer;

static int open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

/* Until ${condition} holds; tests look again, they do not wait for long. */
#define EVENTUALLY(condition)                                 \
    do {                                                      \
        const struct timespec pause_ = {0, 20 * 1000 * 1000}; \
        bool holds_ = (condition);                            \
        for (int i_ = 0; i_ < 500 && !holds_; i_++) {         \
            (void)nanosleep(&pause_, NULL);                   \
            holds_ = (condition);                             \
        }                                                     \
        ck_assert(holds_);                                    \
    } while (0)

START_TEST(the_status_says_which_limit_was_met)
{
    node_fixture_make(&fixture);
    fixture.options.net.connections_per_source = 2;
    fixture.options.net.connections_per_person = 1;
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    ck_assert_uint_eq(node_expect_figure(&wire, "limit.connections_source"), 0);
    node_fixture_channel(&fixture, &wires[0]);
    node_fixture_channel(&fixture, &wires[1]);
    wire_connect(&other_wire, fixture.port);
    ck_assert(wire_closed_silently(&other_wire));
    ck_assert_uint_eq(node_expect_figure(&wire, "limit.connections_source"), 1);
    ck_assert_uint_eq(node_expect_figure(&wire, "limit.connections_key"), 0);
    wire_close(&wires[0]);
    EVENTUALLY(node_expect_figure(&wire, "connections_before_login") == 1);
    ck_assert(!wire_login(&other_wire, fixture.port,
                          fixture.authority.public_key, &fixture.operator,
                          ROLE_STAFF));
    ck_assert_uint_eq(node_expect_figure(&wire, "limit.connections_key"), 1);
    ck_assert_uint_eq(node_expect_figure(&wire, "limit.penalties_source"), 0);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(memory_of_connections_is_counted_and_given_back)
{
    uint64_t before_login, sessions;

    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    before_login = node_expect_figure(&wire, "memory.before_login");
    sessions = node_expect_figure(&wire, "memory.sessions");
    for (int i = 0; i < WIRES / 2; i++)
        node_fixture_channel(&fixture, &wires[i]);
    ck_assert_uint_ge(node_expect_figure(&wire, "memory.before_login"),
                      before_login + WIRES / 2 * 1024);
    ck_assert_uint_le(node_expect_figure(&wire, "memory.before_login"),
                      before_login +
                          WIRES / 2 * MEMORY_PER_CONNECTION_BEFORE_LOGIN);
    for (int i = WIRES / 2; i < WIRES; i++)
        node_fixture_login(&fixture, &wires[i], &fixture.operator, ROLE_STAFF);
    ck_assert_uint_ge(node_expect_figure(&wire, "memory.sessions"),
                      sessions + WIRES / 2 * 1024);
    for (int i = 0; i < WIRES; i++)
        wire_close(&wires[i]);
    EVENTUALLY(
        node_expect_figure(&wire, "memory.before_login") == before_login &&
        node_expect_figure(&wire, "memory.sessions") <= sessions + TX_SIZE_LOW);
    node_fixture_remove(&fixture);
}
END_TEST

/* Logins first, then requests; what is under way ends, and a place that becomes
 * free serves again. */
START_TEST(when_memory_is_tight_logins_are_114_and_requests_601)
{
    enum { SESSIONS_MAX = 250 };
    static struct wire crowd[SESSIONS_MAX];
    int let_in = 0;

    node_expect_make(&fixture);
    fixture.options.net.memory_mib = 1;
    fixture.options.net.connections_per_person = SESSIONS_MAX;
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    while (let_in < SESSIONS_MAX &&
           wire_try_login(&crowd[let_in], fixture.port,
                          fixture.authority.public_key, &fixture.operator,
                          ROLE_STAFF))
        let_in++;
    ck_assert_int_gt(let_in, 8);
    ck_assert_int_lt(let_in, SESSIONS_MAX);
    wire_send_command(&wire, wire_command_ping(&command, fixture.cluster_id,
                                               &fixture.operator, "tight"));
    ck_assert(wire_answer(&wire, &answer));
    ck_assert_int_eq(answer.code, ST_BUSY);
    ck_assert_int_eq(answer.scope, SCOPE_REQUEST);
    ck_assert_uint_gt(answer.retry_after_ms, 0);
    node_expect_ping(&wire, slice_of(NULL, 0));
    node_expect_pong(&wire);
    for (int i = 0; i < let_in; i++)
        wire_close(&crowd[i]);
    do {
        wire_send_command(&wire, wire_command_ping(&command, fixture.cluster_id,
                                                   &fixture.operator, "on"));
        ck_assert(wire_answer(&wire, &answer));
    } while (answer.code == ST_BUSY);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_gt(node_expect_figure(&wire, "limit.memory"), 0);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(commands_beyond_the_rate_are_605_and_all_are_answered)
{
    enum { SENT = 2000, BURST = 4 };
    int taken = 0, refused = 0, sent = 0;

    node_fixture_make(&fixture);
    fixture.options.net.commands_per_second_person = 1;
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    /* In lumps that are more than a pass takes; nothing is read meanwhile. */
    while (sent < SENT) {
        for (int i = 0; i < 500; i++, sent++)
            wire_send_command(&wire,
                              wire_command_ping(&command, fixture.cluster_id,
                                                &fixture.operator, "fast"));
        for (int i = 0; i < 500; i++) {
            ck_assert(wire_answer(&wire, &answer));
            if (!answer.is_error) {
                taken++;
                continue;
            }
            ck_assert_int_eq(answer.code, ST_LIMIT);
            ck_assert_uint_gt(answer.retry_after_ms, 0);
            refused++;
        }
    }
    ck_assert_int_ge(taken, BURST);
    ck_assert_int_ge(refused, SENT / 2);
    node_fixture_remove(&fixture);
}
END_TEST

/* T-R-9.2.4 */
START_TEST(T_R_9_2_4_a_flood_of_one_is_605_and_the_others_are_served)
{
    enum { LUMPS = 60, EVERY = 15 };
    const struct identity *own;
    int refused = 0;

    node_fixture_make(&fixture);
    node_fixture_start(&fixture);
    own = node_fixture_own(&fixture);
    node_fixture_login(&fixture, &wire, own, ROLE_STAFF);
    node_fixture_login(&fixture, &other_wire, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < LUMPS; i++) {
        for (int j = 0; j < INFLIGHT_MAX_PERSON; j++)
            wire_send_command(
                &wire,
                wire_command_ping(&command, fixture.cluster_id, own, "flood"));
        for (int j = 0; j < INFLIGHT_MAX_PERSON; j++) {
            ck_assert(wire_answer(&wire, &answer));
            refused += answer.code == ST_LIMIT;
        }
        if (i % EVERY != 0)
            continue;
        wire_send_command(&other_wire,
                          wire_command_ping(&command, fixture.cluster_id,
                                            &fixture.operator, "other"));
        ck_assert(wire_answer(&other_wire, &answer));
        ck_assert_int_eq(answer.code, ST_OK);
    }
    ck_assert_int_gt(refused, 0);
    ck_assert_uint_ge(node_expect_figure(&other_wire, "limit.commands_rate"),
                      (uint64_t)refused);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(D3_more_connections_from_a_source_than_allowed_are_refused)
{
    node_fixture_make(&fixture);
    fixture.options.net.connections_per_source = 2;
    node_fixture_start(&fixture);
    node_fixture_channel(&fixture, &wires[0]);
    node_fixture_channel(&fixture, &wires[1]);
    wire_connect(&wire, fixture.port);
    ck_assert(wire_closed_silently(&wire));
    node_expect_ping(&wires[0], slice_of(NULL, 0));
    node_expect_pong(&wires[0]);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(D3_handshakes_beyond_a_sources_rate_are_refused)
{
    enum { TRIES = 400 };
    int done = 0;

    node_fixture_make(&fixture);
    fixture.options.net.handshakes_per_source_burst = 3;
    node_fixture_start(&fixture);
    while (done < TRIES &&
           wire_try_login(&wire, fixture.port, fixture.authority.public_key,
                          &fixture.operator, ROLE_STAFF)) {
        wire_close(&wire);
        done++;
    }
    ck_assert_int_ge(done, 3);
    ck_assert_int_lt(done, TRIES);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(at_the_connection_cap_the_next_waits_and_is_served_when_one_leaves)
{
    node_expect_make(&fixture);
    fixture.options.net.connections = 3;
    node_fixture_start(&fixture);
    for (int i = 0; i < 3; i++)
        node_fixture_login(&fixture, &wires[i], &fixture.operator, ROLE_STAFF);
    wire_connect(&wire, fixture.port); /* By the system, not by the node. */
    wire_close(&wires[1]);
    wire_handshake(&wire, fixture.authority.public_key);
    node_expect_ping(&wires[0], slice_of(NULL, 0));
    node_expect_pong(&wires[0]);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(before_login_connections_are_dropped_early_and_others_are_served)
{
    static struct wire session;
    int closed = 0;

    node_expect_make(&fixture);
    fixture.options.net.connections_before_login = 8;
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &session, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < WIRES; i++)
        wire_connect(&wires[i], fixture.port);
    for (int i = 0; i < WIRES; i++) {
        uint8_t byte;
        struct timeval wait = {0, 50 * 1000};
        (void)setsockopt(wires[i].fd, SOL_SOCKET, SO_RCVTIMEO, &wait,
                         sizeof wait);
        closed += recv(wires[i].fd, &byte, 1, 0) == 0;
    }
    ck_assert_int_ge(closed, WIRES - 8);
    node_expect_ping(&session, slice_of(NULL, 0));
    node_expect_pong(&session);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(D4_a_node_takes_no_more_connections_than_it_has_descriptors_for)
{
    struct rlimit limit;
    int most = 0;

    node_expect_make(&fixture);
    /* This process is client and node: the clients' descriptors come first. */
    for (int i = 0; i < WIRES; i++) {
        wires[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        most = wires[i].fd > most ? wires[i].fd : most;
    }
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)most + 64;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < WIRES; i++)
        wire_reconnect(&wires[i], fixture.port);
    for (int i = 0; i < 20; i++) {
        wire_send_command(&wire, wire_command_ping(&command, fixture.cluster_id,
                                                   &fixture.operator, "on"));
        ck_assert(wire_answer(&wire, &answer));
        ck_assert_int_eq(answer.code, ST_OK);
    }
    for (int i = 0; i < WIRES; i++)
        close(wires[i].fd);
    EVENTUALLY(wire_try_login(&other_wire, fixture.port,
                              fixture.authority.public_key, &fixture.operator,
                              ROLE_STAFF));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_key_has_no_more_connections_than_its_limit)
{
    node_fixture_make(&fixture);
    fixture.options.net.connections_per_person = 3;
    node_fixture_start(&fixture);
    for (int i = 0; i < 3; i++)
        node_fixture_login(&fixture, &wires[i], &fixture.operator, ROLE_STAFF);
    ck_assert(!wire_login(&wire, fixture.port, fixture.authority.public_key,
                          &fixture.operator, ROLE_STAFF));
    ck_assert(wire_closed(&wire));
    wire_close(&wires[0]);
    /* Its place is free as soon as the node has seen the end. */
    EVENTUALLY(wire_try_login(&other_wire, fixture.port,
                              fixture.authority.public_key, &fixture.operator,
                              ROLE_STAFF));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(D5_resets_right_after_accept_leave_nothing_behind)
{
    int before;

    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_serves(&fixture);
    before = open_files();
    for (int i = 0; i < 500; i++) {
        const struct linger now = {1, 0};
        wire_connect(&wire, fixture.port);
        ck_assert_int_eq(
            setsockopt(wire.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
        wire_close(&wire);
    }
    EVENTUALLY(open_files() <= before);
    node_fixture_serves(&fixture);
    node_fixture_remove(&fixture);
}
END_TEST

/* Takes a byte now and then, which is no progress. */
START_TEST(D51_a_reader_who_takes_a_drop_at_a_time_is_closed)
{
    struct message_query query = {.query = QUERY_STATUS, .version = 1};
    const struct timeval wait = {0, 200 * 1000};
    const struct timespec pause = {0, 100 * 1000 * 1000};
    bool full = false;

    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    node_fixture_login(&fixture, &other_wire, &fixture.operator, ROLE_STAFF);
    (void)setsockopt(wire.fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    for (int i = 0; i < 200000 && !full; i++)
        full = !wire_try_send(&wire, MESSAGE_QUERY, &query);
    ck_assert(full);
    for (int i = 0; i < 10 * 2 * TX_STALL_S_MAX &&
                    node_expect_figure(&other_wire, "limit.slow_readers") == 0;
         i++) {
        uint8_t drop;
        (void)recv(wire.fd, &drop, 1, MSG_DONTWAIT);
        (void)nanosleep(&pause, NULL);
    }
    ck_assert_uint_eq(node_expect_figure(&other_wire, "limit.slow_readers"), 1);
    ck_assert_uint_eq(node_expect_figure(&other_wire, "connections"), 1);
    node_fixture_remove(&fixture);
}
END_TEST

/* Queries without reading an answer: the node stops reading, and keeps its
 * size; when the answers are read, none is missing. */
START_TEST(D51_answers_that_nobody_reads_stop_the_reading)
{
    struct message_query query = {.query = QUERY_STATUS, .version = 1};
    struct timeval wait = {0, 200 * 1000};
    size_t before, sent = 0, received = 0;
    struct frame frame;
    bool full = false;

    heap_begin();
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    node_fixture_login(&fixture, &other_wire, &fixture.operator, ROLE_STAFF);
    before = heap_used();
    (void)setsockopt(wire.fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    while (!full && sent < 200000) {
        full = !wire_try_send(&wire, MESSAGE_QUERY, &query);
        sent++;
    }
    ck_assert_msg(full, "the node read %zu queries", sent);
    /* One session's limit, and a little for the rest of the node. */
    ck_assert_uint_lt(heap_used(), before + 4 * TX_SIZE_MAX);
    node_expect_ping(&other_wire, slice_of(NULL, 0));
    node_expect_pong(&other_wire);
    while (received + 1 < sent && wire_receive(&wire, &frame))
        received++;
    ck_assert_uint_ge(received + 1, sent);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_connection_before_login_takes_little_memory)
{
    size_t before;

    heap_begin();
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_serves(&fixture);
    before = heap_used();
    for (int i = 0; i < WIRES; i++)
        node_fixture_channel(&fixture, &wires[i]);
    ck_assert_uint_lt(heap_used(), before + WIRES * 10 * 1024);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_session_beyond_its_lifetime_is_111_and_ends_with_a_bye)
{
    struct frame frame;

    node_expect_make(&fixture);
    fixture.options.net.session_lifetime_person_s = 1;
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_ERROR);
    ck_assert_int_eq(load_u16(frame.body.data), ST_IDLE);
    ck_assert_int_eq(frame.body.data[2], SCOPE_CONNECTION);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_BYE);
    ck_assert_int_eq(load_u16(frame.body.data), BYE_LIFETIME);
    ck_assert(wire_closed(&wire));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_draining_node_answers_and_says_goodbye_to_each_in_its_phase)
{
    struct frame frame;

    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    wire_connect(&wires[0], fixture.port);
    node_fixture_channel(&fixture, &wires[1]);
    node_fixture_login(&fixture, &wires[2], &fixture.operator, ROLE_STAFF);
    wire_send_command(&wires[2], wire_command_ping(&command, fixture.cluster_id,
                                                   &fixture.operator, "last"));
    ck_assert(wire_answer(&wires[2], &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    node_fixture_stop(&fixture);
    ck_assert(wire_closed_silently(&wires[0]));
    for (int i = 1; i <= 2; i++) {
        ck_assert(wire_receive(&wires[i], &frame));
        ck_assert_int_eq(frame.type, MESSAGE_ERROR);
        ck_assert_int_eq(load_u16(frame.body.data), ST_DRAINING);
        ck_assert_int_eq(frame.body.data[2], SCOPE_CONNECTION);
        ck_assert(wire_receive(&wires[i], &frame));
        ck_assert_int_eq(frame.type, MESSAGE_BYE);
        ck_assert_int_eq(load_u16(frame.body.data), BYE_DRAINING);
        ck_assert(wire_closed(&wires[i]));
    }
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(D102_a_retry_after_a_restart_is_a_duplicate_of_the_original_entry)
{
    static struct wire_answer again;
    struct slice body;

    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    body = wire_command_ping(&command, fixture.cluster_id, &fixture.operator,
                             "once");
    wire_send_command(&wire, body);
    ck_assert(wire_answer(&wire, &answer));
    wire_close(&wire);
    node_fixture_stop(&fixture);
    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    wire_send_command(&wire, body);
    ck_assert(wire_answer(&wire, &again));
    ck_assert(again.duplicate);
    ck_assert_uint_eq(again.receipt.index, answer.receipt.index);
    ck_assert_mem_eq(again.receipt_bytes, answer.receipt_bytes, RECEIPT_SIZE);
    node_fixture_remove(&fixture);
}
END_TEST

SUITE_MAIN("limits", commands_beyond_the_rate_are_605_and_all_are_answered,
           T_R_9_2_4_a_flood_of_one_is_605_and_the_others_are_served,
           the_status_says_which_limit_was_met,
           memory_of_connections_is_counted_and_given_back,
           when_memory_is_tight_logins_are_114_and_requests_601,
           D51_a_reader_who_takes_a_drop_at_a_time_is_closed,
           D3_more_connections_from_a_source_than_allowed_are_refused,
           D3_handshakes_beyond_a_sources_rate_are_refused,
           at_the_connection_cap_the_next_waits_and_is_served_when_one_leaves,
           before_login_connections_are_dropped_early_and_others_are_served,
           D4_a_node_takes_no_more_connections_than_it_has_descriptors_for,
           a_key_has_no_more_connections_than_its_limit,
           D5_resets_right_after_accept_leave_nothing_behind,
           D51_answers_that_nobody_reads_stop_the_reading,
           a_connection_before_login_takes_little_memory,
           a_session_beyond_its_lifetime_is_111_and_ends_with_a_bye,
           a_draining_node_answers_and_says_goodbye_to_each_in_its_phase,
           D102_a_retry_after_a_restart_is_a_duplicate_of_the_original_entry)
