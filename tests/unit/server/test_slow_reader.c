/* ctest-label: threads
 * Who reads his answers slowly: what he sends waits meanwhile, and nothing is
 * held against him for that. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "protocol/record.h"
#include "server/net/home.h"
#include "server/node_private.h"
#include "tests/lib/long_answers.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

enum { READS = INFLIGHT_MAX_PERSON - 1, NAPS_MAX = 500, NAP_MS = 20 };

static struct node_fixture fixture;
static struct wire reader;
static uint8_t record[1024];
static size_t record_size;

static void nap(int times)
{
    const struct timespec time = {0, NAP_MS * 1000 * 1000};

    for (int i = 0; i < times; i++)
        (void)nanosleep(&time, NULL);
}

/* ---- The reader's connection, on its loop's thread ----------------------- */

struct look {
    struct mail mail;
    bool late; /* All deadlines of what he sends pass now. */
    atomic_bool done;
    /* Out. */
    bool found, reads, is_expected;
    size_t begun_size; /* Of a record that is not whole. */
};

static void pass(int64_t *deadline_us)
{
    if (*deadline_us != 0)
        *deadline_us = 1;
}

static void look_at(struct look *look, struct connection *connection)
{
    look->found = true;
    look->reads = connection->reading;
    look->begun_size = connection->cut_short ? 0 : connection->rx_size;
    look->is_expected =
        connection->idle_deadline_us != 0 &&
        (connection->record_deadline_us != 0) == (connection->rx_size > 0);
    if (!look->late)
        return;
    pass(&connection->idle_deadline_us);
    pass(&connection->record_deadline_us);
}

static void deliver_look(struct loop *loop, void *context, struct mail *mail)
{
    struct look *look = (struct look *)mail;
    struct net_loop *home = context;

    MAYBE(loop == home->loop);
    for (uint32_t i = 0; i < home->slots_used; i++) {
        struct connection *connection = home->slots[i];

        if (connection != NULL && connection->phase == PHASE_OPEN &&
            memcmp(connection->session.key_id.b, fixture.auditor.key_id,
                   KEY_ID_SIZE) == 0)
            look_at(look, connection);
    }
    atomic_store(&look->done, true);
}

static struct look look(bool late)
{
    struct look out = {.mail.deliver = deliver_look, .late = late};

    loop_post(fixture.node->net->homes[0].loop, &out.mail);
    while (!atomic_load(&out.done))
        nap(1);
    return out;
}

/* ---- What he sends ------------------------------------------------------- */

static void set(int level, int name, int value)
{
    ck_assert_int_eq(setsockopt(reader.fd, level, name, &value, sizeof value),
                     0);
}

/* One more journal.read. */
static void seal_ask(void)
{
    static struct wire_command command;
    static uint8_t plain[sizeof record - RECORD_OVERHEAD];
    struct op_journal_read read = {.from = 10, .count = 1, .categories = 0xff};
    struct writer writer;
    struct slice body;
    size_t begin;

    wire_command_begin(&command, fixture.cluster_id);
    command.header.realm = REALM_SYSTEM;
    command.clear.duty = fixture.auditor_duty;
    wire_command_item(&command, OPCODE_JOURNAL_READ, &read);
    body = wire_command_sign(&command, &fixture.auditor);
    writer_init(&writer, plain, sizeof plain);
    begin = frame_begin(&writer, MESSAGE_COMMAND, 0, ++reader.request_id);
    writer_bytes(&writer, body.data, body.size);
    frame_end(&writer, begin);
    ck_assert_int_eq(
        record_seal(&reader.channel.sender, record, writer_slice(&writer)),
        ST_OK);
    record_size = writer.used + RECORD_OVERHEAD;
}

/* More than buffers hold, and in the same segment a record that is not whole.
 */
static void ask_much(void)
{
    set(SOL_SOCKET, SO_RCVBUF, TX_SIZE_LOW);
    set(IPPROTO_TCP, TCP_CORK, 1);
    long_answers_ask(&fixture, &reader, READS);
    seal_ask();
    wire_send_raw(&reader, record, record_size / 2);
    set(IPPROTO_TCP, TCP_CORK, 0);
}

/* All parts of ${count} answers. */
static void read_answers(int count)
{
    while (count > 0) {
        struct frame frame;

        ck_assert_msg(wire_receive(&reader, &frame), "the node closed");
        if (frame.type == MESSAGE_PING)
            continue;
        ck_assert_int_eq(frame.type, MESSAGE_ANSWER);
        count -= (frame.flags & FRAME_FLAG_MORE) == 0;
    }
}

START_TEST(nothing_runs_out_while_the_node_reads_nothing)
{
    struct look now = {.reads = true};

    node_expect_make(&fixture);
    fixture.options.net.loops = 1;
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    long_answers_fill(&fixture);
    node_fixture_login(&fixture, &reader, &fixture.auditor, ROLE_AUDITOR);
    ask_much();
    for (int i = 0; i < NAPS_MAX && now.reads; i++) {
        nap(1);
        now = look(false);
    }
    ck_assert(now.found && !now.reads);
    ck_assert_uint_eq(now.begun_size, record_size / 2);
    (void)look(true);
    nap(4 * LOOP_TICK_MS / NAP_MS);
    read_answers(READS);
    for (int i = 0; i < NAPS_MAX && !now.reads; i++) {
        nap(1);
        now = look(false);
    }
    /* From here on he may be late again. */
    ck_assert(now.found && now.is_expected);
    wire_send_raw(&reader, record + record_size / 2,
                  record_size - record_size / 2);
    read_answers(1);
    wire_close(&reader);
    node_fixture_remove(&fixture);
}
END_TEST

SUITE_MAIN("slow reader", nothing_runs_out_while_the_node_reads_nothing)
