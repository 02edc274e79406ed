#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/record.h"
#include "server/net/home.h"

enum { US = 1000000 };

/* Errors in frames count for the session and its source (strikes). */
static void refuse_frame(struct connection *connection, enum status status,
                         const struct frame *frame, uint16_t tag)
{
    struct connection_fault fault = {tag, 0xffff, 0};
    enum status_scope scope = frame_scope(&connection->gate, status, frame);

    if (request_strike(connection, status, NULL, frame->request_id))
        return;
    connection_error(connection, status, scope, frame->request_id, &fault);
}

static void take_frame(struct connection *connection, const struct frame *frame)
{
    union frame_body body;
    struct field_error error = {ST_OK, 0};
    enum status status = ST_OK;

    atomic_fetch_add_explicit(&connection->home->net->counters.frames, 1,
                              memory_order_relaxed);
    if (frame->type != MESSAGE_COMMAND)
        status = frame_decode(&connection->gate, &body, &error, frame);
    if (status != ST_OK) {
        refuse_frame(connection, status, frame, error.tag);
        return;
    }
    if (connection->phase == PHASE_LOGIN)
        login_frame(connection, frame, &body);
    else
        request_frame(connection, frame, &body);
}

static bool takes_frames(const struct connection *connection)
{
    return (connection->phase == PHASE_LOGIN ||
            connection->phase == PHASE_OPEN) &&
           !connection->leaving;
}

static void take_record(struct connection *connection, struct slice plain)
{
    struct slice rest = plain;

    while (takes_frames(connection)) {
        struct frame frame;
        enum status status = frame_next(&connection->gate, &frame, &rest);
        if (status == ST_END)
            return;
        if (status == ST_OK)
            take_frame(connection, &frame);
        else
            refuse_frame(connection, status, &frame, 0);
        if (status != ST_OK && status != ST_OP_VERSION)
            return;
    }
}

/* Records of ${input}; gives how much is done with. */
static size_t take_records(struct connection *connection, struct slice input)
{
    struct net_loop *home = connection->home;
    size_t used = 0;

    while (takes_frames(connection)) {
        struct slice rest = {input.data + used, input.size - used};
        size_t size, plain_size;
        bool open = connection->phase == PHASE_OPEN;
        enum status status = record_measure(
            &size, rest, open ? RECORD_SIZE_MAX : RECORD_SIZE_MAX_BEFORE_LOGIN);
        if (status == ST_AGAIN)
            return used;
        if (home->signatures_left == 0 ||
            connection_waiting(connection) > connection_high(connection)) {
            connection->cut_short = true;
            return used;
        }
        if (status == ST_OK)
            status = record_open(&connection->channel.receiver, home->record,
                                 &plain_size, slice_of(rest.data, size));
        if (status != ST_OK) {
            pipeline_noise(home->net->pipeline, status, 1);
            connection_kill(connection);
            return used;
        }
        connection->record_deadline_us = 0;
        take_record(connection, slice_of(home->record, plain_size));
        sodium_memzero(home->record, plain_size);
        used += size;
    }
    return used;
}

/* The handshake; gives how much is done with. */
static size_t take_handshake(struct connection *connection, struct slice input)
{
    uint8_t out[CHANNEL_OUTPUT_SIZE_MAX];
    struct writer writer;
    size_t used = 0;
    struct net *net = connection->home->net;
    enum status status;

    writer_init(&writer, out, sizeof out);
    status = channel_step(&connection->channel, &used, &writer, input);
    if (writer.used > 0 &&
        !connection_write(connection, writer_slice(&writer))) {
        connection_kill(connection);
        return used;
    }
    if (status == ST_AGAIN)
        return used;
    if (connection->channel.state == CHANNEL_OPEN) {
        atomic_fetch_add(&net->counters.handshakes, 1);
        connection->phase = PHASE_LOGIN;
        connection->phase_deadline_us =
            loop_now_us() + (int64_t)LOGIN_S_MAX * US;
        if (status != ST_OK)
            connection_error(connection, status, SCOPE_CONNECTION, 0, NULL);
        return used;
    }
    pipeline_noise(net->pipeline, status, 1);
    if (status == ST_VERSION)
        connection_finish(connection); /* The reject is on its way. */
    else
        connection_kill(connection);
    return used;
}

static void keep_rest(struct connection *connection, struct slice rest)
{
    if (rest.size == 0)
        return;
    if (connection_hold(connection, rest.size)) {
        connection->rx = malloc(rest.size);
        if (connection->rx == NULL)
            connection_let_go(connection, rest.size);
    }
    if (connection->rx == NULL) {
        connection_kill(connection);
        return;
    }
    memcpy(connection->rx, rest.data, rest.size);
    connection->rx_size = rest.size;
    connection_expect_record(connection);
}

static void take_input(struct connection *connection, struct slice input)
{
    size_t used = 0;

    connection->cut_short = false;
    if (connection->phase == PHASE_HANDSHAKE)
        used = take_handshake(connection, input);
    if (takes_frames(connection))
        used += take_records(connection,
                             slice_of(input.data + used, input.size - used));
    if (connection->phase >= PHASE_CLOSING || connection->leaving)
        return;
    keep_rest(connection, slice_of(input.data + used, input.size - used));
    if (connection->cut_short)
        connection_wake(connection);
}

/* CLOSING: read off a little, so that the peer gets our last words. */
static void linger(struct connection *connection, ssize_t got)
{
    if (got <= 0) {
        connection_kill(connection);
        return;
    }
    connection->linger_size += (size_t)got;
    if (connection->linger_size > CLOSE_LINGER_SIZE_MAX)
        connection_kill(connection);
}

/* What waits in rx and what came behind it. */
static void take_all(struct connection *connection, size_t size)
{
    connection_drop_input(connection);
    take_input(connection, slice_of(connection->home->scratch, size));
}

static void read_input(struct connection *connection, int fd)
{
    uint8_t *scratch = connection->home->scratch;
    size_t have = connection->rx_size;
    size_t limit =
        connection->phase == PHASE_OPEN ? RX_SIZE_MAX : RX_SIZE_BEFORE_LOGIN;
    ssize_t got = 0;

    if (have > 0)
        memcpy(scratch, connection->rx, have);
    if (!connection->cut_short) {
        INVARIANT(have < limit);
        got = recv(fd, scratch + have, limit - have, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (connection->phase == PHASE_CLOSING) {
            linger(connection, got);
            return;
        }
        if (got < 0 || (got == 0 && connection->phase == PHASE_HANDSHAKE)) {
            connection_kill(connection);
            return;
        }
        if (got == 0) {
            connection_leave(connection, ST_OK); /* FIN without BYE is one. */
            return;
        }
    }
    take_all(connection, have + (size_t)got);
}

void connection_readable(int fd, short what, void *argument)
{
    struct connection *connection = argument;
    struct net_loop *home = connection->home;

    (void)what;
    home->signatures_left = connection->phase == PHASE_OPEN
                                ? SIGNATURES_PER_PASS_MAX
                                : SIGNATURES_PER_PASS_MAX_BEFORE_LOGIN;
    if (connection->pump_more)
        connection_wake(connection);
    read_input(connection, fd);
    connection_end_pass(home);
}
