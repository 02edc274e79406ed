/* ctest-label: threads
 * Many connections at once, each of which may stop anywhere: inside a record,
 * behind a question, while it reads nothing.  What they do follows from a seed;
 * when, from the machine.  $STORM_STEPS and $STORM_SEED make more of it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocol/record.h"
#include "tests/lib/long_answers.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/random.h"
#include "tests/lib/suite.h"

enum {
    GUESTS = 16,
    STEPS = 1500,
    WAITS_MAX = 1000,
    PULL_SIZE_MAX = 1024 * 1024
};

/* One connection and what it still has to send. */
struct guest {
    struct wire wire;
    enum { GONE, STRANGER, LOGGED_IN } stage;
    bool modest;  /* Asks for nothing long. */
    bool listens; /* Reads whatever comes. */
    uint8_t out[3 * (RECORD_HEADER_SIZE + RECORD_SIZE_MAX)];
    size_t from, to;
};

static struct node_fixture fixture;
static struct guest guests[GUESTS];
static struct wire bystander;
static struct wire_command command;
static struct random random_state;
static uint64_t watched; /* The entry of a journal.watch. */

static uint32_t below(uint32_t limit)
{
    return random_below(&random_state, limit);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* ---- What a guest says -------------------------------------------------- */

static void put_message(struct guest *guest, struct writer *plain, uint8_t type,
                        const void *body)
{
    frame_write(plain, type, ++guest->wire.request_id, body);
}

static void put_command(struct guest *guest, struct writer *plain)
{
    struct op_journal_read read = {
        .from = 1 + below(200), .count = 64, .categories = 0xff};
    struct slice body;
    size_t begin;

    wire_command_begin(&command, fixture.cluster_id);
    command.clear.duty = fixture.auditor_duty;
    wire_command_item(&command, OPCODE_JOURNAL_READ, &read);
    body = wire_command_sign(&command, &fixture.auditor);
    begin = frame_begin(plain, MESSAGE_COMMAND, 0, ++guest->wire.request_id);
    writer_bytes(plain, body.data, body.size);
    frame_end(plain, begin);
}

static void put_frame(struct guest *guest, struct writer *plain)
{
    struct message_ping ping = {.time = 1};
    struct message_query query = {.query = QUERY_STATUS, .version = 1};
    struct message_watch watch = {.index = watched};
    struct message_credit credit = {
        .watch = below(40), .frames = below(100), .bytes = below(1000000)};
    struct message_cancel cancel = {.target = below(40)};
    struct message_proof_get proof = {
        .kind = PROOF_ENTRY, .which = PROOF_BEST, .index = 1 + below(100)};

    switch (guest->stage != LOGGED_IN ? 0 : below(guest->modest ? 6 : 8)) {
    case 0:
        put_message(guest, plain, MESSAGE_PING, &ping);
        return;
    case 1:
        put_message(guest, plain, MESSAGE_QUERY, &query);
        return;
    case 2:
        put_message(guest, plain, MESSAGE_WATCH, &watch);
        return;
    case 3:
        put_message(guest, plain, MESSAGE_CREDIT, &credit);
        return;
    case 4:
        put_message(guest, plain, MESSAGE_CANCEL, &cancel);
        return;
    case 5:
        put_message(guest, plain, MESSAGE_PROOF_GET, &proof);
        return;
    default:
        put_command(guest, plain);
    }
}

/* A record of some frames, of one, or of the greatest size. */
static void say(struct guest *guest)
{
    static uint8_t bytes[RECORD_PLAINTEXT_SIZE_MAX];
    const size_t size = guest->stage == LOGGED_IN
                            ? sizeof bytes
                            : RECORD_SIZE_MAX_BEFORE_LOGIN - AEAD_TAG_SIZE;
    uint32_t frames = 1 + random_skewed(&random_state, 24), pads;
    struct message_bye bye = {.code = 0};
    struct writer plain;

    if (guest->stage == GONE || sizeof guest->out - guest->to < size + 64)
        return;
    writer_init(&plain, bytes, size);
    while (frames-- > 0 && plain.size - plain.used > 512)
        put_frame(guest, &plain);
    if (below(60) == 0 && plain.size - plain.used > 64)
        put_message(guest, &plain, MESSAGE_BYE, &bye);
    pads = below(2) == 0 ? below(64) : 0;
    while (pads-- > 0 && plain.size - plain.used > FRAME_HEADER_SIZE) {
        size_t room = plain.size - plain.used - FRAME_HEADER_SIZE;
        frame_write_pad(&plain, room < PAD_SIZE_MAX ? room : PAD_SIZE_MAX);
    }
    ck_assert_int_eq(plain.status, ST_OK);
    ck_assert_int_eq(record_seal(&guest->wire.channel.sender,
                                 guest->out + guest->to, writer_slice(&plain)),
                     ST_OK);
    guest->to += plain.used + RECORD_OVERHEAD;
}

/* ---- How it goes on ----------------------------------------------------- */

static void leave(struct guest *guest)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (below(3) == 0) /* With a RST. */
        (void)setsockopt(guest->wire.fd, SOL_SOCKET, SO_LINGER, &at_once,
                         sizeof at_once);
    wire_close(&guest->wire);
    guest->stage = GONE;
}

static void arrive(struct guest *guest)
{
    const struct timespec while_full = {0, 1000000};
    uint8_t bytes[64] = {0};

    guest->from = guest->to = 0;
    guest->modest = below(2) == 0;
    guest->listens = below(2) == 0;
    guest->stage = STRANGER;
    switch (below(8)) {
    case 0: /* A piece of a handshake. */
        wire_connect(&guest->wire, fixture.port);
        bytes[0] = 1;
        wire_send_raw(&guest->wire, bytes, below(sizeof bytes));
        leave(guest);
        return;
    case 1:
        node_fixture_channel(&fixture, &guest->wire);
        return;
    default:
        if (wire_try_login(&guest->wire, fixture.port,
                           fixture.authority.public_key, &fixture.auditor,
                           ROLE_AUDITOR)) {
            guest->stage = LOGGED_IN;
            return;
        }
        leave(guest);
        (void)nanosleep(&while_full, NULL);
    }
}

static void push(struct guest *guest, size_t size_max)
{
    size_t size = guest->to - guest->from;
    ssize_t sent;

    if (size > size_max)
        size = size_max;
    sent = send(guest->wire.fd, guest->out + guest->from, size,
                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        guest->from += (size_t)sent;
    if (guest->from == guest->to)
        guest->from = guest->to = 0;
}

/* False once the node has closed. */
static bool pull(struct guest *guest, size_t size_max)
{
    static uint8_t bytes[PULL_SIZE_MAX];
    ssize_t got = recv(guest->wire.fd, bytes, size_max, MSG_DONTWAIT);

    return got > 0 || (got < 0 && errno == EAGAIN);
}

static void step(struct guest *guest)
{
    if (guest->stage == GONE) {
        arrive(guest);
        return;
    }
    if (guest->listens)
        (void)pull(guest, PULL_SIZE_MAX);
    switch (below(16)) {
    case 0:
        wire_send_fin(&guest->wire);
        return;
    case 1:
        leave(guest);
        return;
    case 2:
        push(guest, 1 + random_skewed(&random_state, 2000));
        return;
    case 3:
    case 4:
        push(guest, 1 + below(sizeof guest->out));
        return;
    case 5:
    case 6:
        if (!pull(guest, 1 + random_skewed(&random_state, PULL_SIZE_MAX)))
            leave(guest);
        return;
    case 7:
    case 8:
        push(guest, sizeof guest->out);
        return;
    default:
        say(guest);
    }
}

/* ---- The node meanwhile, and afterwards --------------------------------- */

static void bystander_is_served(void)
{
    node_expect_ping(&bystander, slice_of(NULL, 0));
    node_expect_pong(&bystander);
}

static void nothing_is_left_of(const char *figure, uint64_t least)
{
    const struct timespec while_it_ends = {0, 20000000};
    uint64_t value = UINT64_MAX;

    for (int i = 0; i < WAITS_MAX && value > least; i++) {
        value = node_expect_figure(&bystander, figure);
        if (value > least)
            (void)nanosleep(&while_it_ends, NULL);
    }
    ck_assert_msg(value <= least, "%s: %llu", figure,
                  (unsigned long long)value);
}

static void node_begins(uint32_t memory_mib)
{
    static struct wire wire;

    node_expect_make(&fixture);
    fixture.options.net.memory_mib = memory_mib;
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    long_answers_fill(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.auditor, ROLE_AUDITOR);
    watched = node_expect_grant(&fixture, &wire, 1, 0xff);
    wire_close(&wire);
    node_fixture_login(&fixture, &bystander, &fixture.operator, ROLE_STAFF);
}

static void storm(uint64_t seed)
{
    uint64_t steps = number_of("STORM_STEPS", STEPS);

    random_state = random_stream(number_of("STORM_SEED", 1), seed);
    for (uint64_t i = 0; i < steps; i++) {
        step(&guests[below(GUESTS)]);
        if (i % 64 == 0)
            bystander_is_served();
    }
}

static void all_leave(void)
{
    for (int i = 0; i < GUESTS; i++) {
        if (guests[i].stage != GONE)
            leave(&guests[i]);
    }
}

static void nothing_is_left(void)
{
    nothing_is_left_of("connections", 1);
    nothing_is_left_of("connections_before_login", 0);
    nothing_is_left_of("in_flight", 0);
    nothing_is_left_of("memory.answers", 0);
    node_fixture_serves(&fixture);
}

static void node_ends(void)
{
    wire_close(&bystander);
    node_fixture_remove(&fixture);
}

START_TEST(connections_that_stop_anywhere_leave_a_node_that_serves)
{
    node_begins(64);
    storm(1);
    all_leave();
    nothing_is_left();
    node_ends();
}
END_TEST

START_TEST(so_they_do_where_memory_is_short)
{
    node_begins(2);
    storm(2);
    all_leave();
    nothing_is_left();
    node_ends();
}
END_TEST

START_TEST(a_node_drains_in_the_midst_of_them)
{
    node_begins(64);
    storm(3);
    node_fixture_stop(&fixture);
    all_leave();
    node_fixture_start(&fixture);
    node_fixture_serves(&fixture);
    node_ends();
}
END_TEST

SUITE_MAIN("storm", connections_that_stop_anywhere_leave_a_node_that_serves,
           so_they_do_where_memory_is_short, a_node_drains_in_the_midst_of_them)
