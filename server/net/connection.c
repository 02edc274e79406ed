#include "server/net/connection.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/error.h"
#include "protocol/record.h"
#include "server/net/home.h"

enum {
    US = 1000000,
    CONNECTION_SIZE = sizeof(struct connection) + MEMORY_CONNECTION_EXTRA_SIZE
};

static void on_writable(evutil_socket_t fd, short what, void *argument);

bool connection_open(struct net_loop *home, int fd, const struct source *source)
{
    struct connection *connection = calloc(1, sizeof *connection);
    uint8_t ephemeral[KEY_SIZE];
    uint32_t slot = 0;

    while (slot < home->slots_used && home->slots[slot] != NULL)
        slot++;
    if (connection == NULL || slot == home->slots_count)
        goto fail;
    connection->home = home;
    if (!connection_hold(connection, CONNECTION_SIZE))
        goto fail;
    connection->fd = fd;
    connection->source = *source;
    connection->id = (uint64_t)++home->generations[slot] << 32 | slot;
    connection->read_event =
        event_new(loop_base(home->loop), fd, EV_READ | EV_PERSIST,
                  connection_readable, connection);
    connection->write_event =
        event_new(loop_base(home->loop), fd, EV_WRITE, on_writable, connection);
    if (connection->read_event == NULL || connection->write_event == NULL ||
        event_add(connection->read_event, NULL) != 0)
        goto fail;
    connection->reading = true;
    connection->phase_deadline_us =
        loop_now_us() + (int64_t)HANDSHAKE_S_MAX * US;
    randombytes_buf(ephemeral, sizeof ephemeral);
    channel_serve(&connection->channel, home->net->identity.channel_secret,
                  ephemeral, home->net->identity.certificate);
    sodium_memzero(ephemeral, sizeof ephemeral);
    frame_gate_init(&connection->gate, FRAME_CLIENT);
    home->slots[slot] = connection;
    if (slot == home->slots_used)
        home->slots_used++;
    return true;
fail:
    if (connection != NULL) {
        if (connection->read_event != NULL)
            event_free(connection->read_event);
        if (connection->write_event != NULL)
            event_free(connection->write_event);
        connection_let_go(connection, connection->held_size);
        free(connection);
    }
    close(fd);
    return false;
}

void connection_kill(struct connection *connection)
{
    struct net_loop *home = connection->home;

    if (connection->phase == PHASE_DEAD)
        return;
    home_left(home, connection);
    connection->phase = PHASE_DEAD;
    event_free(connection->read_event);
    event_free(connection->write_event);
    close(connection->fd);
    home->slots[(uint32_t)connection->id] = NULL;
    connection->dead_next = home->dead;
    home->dead = connection;
}

static void free_connection(struct connection *connection)
{
    request_forget(connection);
    connection_let_go(connection, connection->held_size);
    channel_wipe(&connection->channel);
    sodium_memzero(&connection->pw_account, sizeof connection->pw_account);
    free(connection->requests);
    free(connection->rx);
    free(connection->tx);
    free(connection);
}

size_t connection_waiting(const struct connection *connection)
{
    const struct net_loop *home = connection->home;
    size_t gathered = home->plain_owner == connection ? home->plain.used : 0;

    return connection->tx_to - connection->tx_from + gathered;
}

/* Of unread bytes, the last record included. */
static size_t tx_size_max(const struct connection *connection)
{
    return connection->phase == PHASE_OPEN || connection->phase == PHASE_CLOSING
               ? TX_SIZE_MAX + RECORD_SIZE_MAX
               : TX_SIZE_MAX_BEFORE_LOGIN;
}

/* Room for ${size} bytes more behind tx_to; false at the cap. */
static bool grow_tx(struct connection *connection, size_t size)
{
    size_t waiting = connection->tx_to - connection->tx_from;
    size_t capacity = connection->tx_capacity;
    uint8_t *tx;

    if (connection->tx_from > 0 && connection->tx_to + size > capacity) {
        memmove(connection->tx, connection->tx + connection->tx_from, waiting);
        connection->tx_from = 0;
        connection->tx_to = waiting;
    }
    if (connection->tx_to + size <= capacity)
        return true;
    if (waiting + size > tx_size_max(connection))
        return false;
    capacity = capacity == 0 ? TX_SIZE_MAX_BEFORE_LOGIN : capacity;
    while (capacity < waiting + size)
        capacity *= 2;
    if (!connection_hold(connection, capacity - connection->tx_capacity))
        return false;
    tx = realloc(connection->tx, capacity);
    if (tx == NULL) {
        connection_let_go(connection, capacity - connection->tx_capacity);
        return false;
    }
    connection->tx = tx;
    connection->tx_capacity = capacity;
    return true;
}

void connection_wake(struct connection *connection)
{
    if (connection->dirty)
        return;
    connection->dirty = true;
    connection->dirty_next = connection->home->dirty;
    connection->home->dirty = connection;
}

bool connection_write(struct connection *connection, struct slice bytes)
{
    if (!grow_tx(connection, bytes.size))
        return false;
    memcpy(connection->tx + connection->tx_to, bytes.data, bytes.size);
    connection->tx_to += bytes.size;
    connection_wake(connection);
    return true;
}

/* One record of what is gathered for the owner. */
static void seal_gathered(struct net_loop *home)
{
    struct connection *owner = home->plain_owner;
    struct slice plain = writer_slice(&home->plain);
    size_t size = plain.size + RECORD_OVERHEAD;

    home->plain_owner = NULL;
    if (owner == NULL || plain.size == 0)
        return;
    INVARIANT(home->plain.status == ST_OK);
    home->plain.used = 0;
    if (owner->phase == PHASE_DEAD)
        return;
    if (!grow_tx(owner, size)) {
        HOME_LIMIT(home->net, slow_readers);
        connection_kill(owner);
        return;
    }
    if (record_seal(&owner->channel.sender, owner->tx + owner->tx_to, plain) !=
        ST_OK) {
        connection_kill(owner);
        return;
    }
    owner->tx_to += size;
    sodium_memzero(home->plain.data, plain.size);
}

struct writer *connection_frame(struct connection *connection, size_t size)
{
    struct net_loop *home = connection->home;

    REQUIRE(size <= FRAME_SIZE_MAX);
    REQUIRE(connection->channel.state == CHANNEL_OPEN);
    if (home->plain_owner != connection ||
        size > home->plain.size - home->plain.used)
        seal_gathered(home);
    if (home->plain_owner == NULL)
        home->plain.used = 0;
    home->plain_owner = connection;
    connection_wake(connection);
    return &home->plain;
}

void connection_send(struct connection *connection, uint8_t type,
                     uint64_t request_id, const void *body)
{
    struct writer *writer =
        connection_frame(connection, FRAME_SIZE_MAX_BEFORE_LOGIN * 4);

    frame_write(writer, type, request_id, body);
    ENSURE(writer->status == ST_OK);
}

static void say_error(struct connection *connection, enum status status,
                      enum status_scope scope, uint64_t request_id,
                      const struct connection_fault *fault)
{
    struct error_report report = error_about(status);

    report.scope = scope;
    if (fault != NULL) {
        report.tag = fault->tag;
        report.item_index = fault->item;
        report.retry_after_ms = fault->retry_after_ms;
    }
    if (status == ST_OP_VERSION) /* Version 1 of everything. */
        report.version_min = report.version_max = 1;
    error_write(connection_frame(connection, FRAME_SIZE_MAX_BEFORE_LOGIN),
                request_id, &report);
}

void connection_error(struct connection *connection, enum status status,
                      enum status_scope scope, uint64_t request_id,
                      const struct connection_fault *fault)
{
    if (connection->phase >= PHASE_CLOSING)
        return;
    say_error(connection, status, scope, request_id, fault);
    if (scope == SCOPE_CONNECTION)
        connection_finish(connection);
}

void connection_drop_input(struct connection *connection)
{
    free(connection->rx);
    connection_let_go(connection, connection->rx_size);
    connection->rx = NULL;
    connection->rx_size = 0;
    connection->cut_short = false;
}

/* Nothing more is heard: what came of a record goes, which may be more than
 * the room in which a connection that closes is read off. */
static void end_hearing(struct connection *connection)
{
    connection_drop_input(connection);
    connection->phase_deadline_us =
        loop_now_us() + (int64_t)CLOSE_LINGER_MS_MAX * 1000;
    connection->record_deadline_us = 0;
    connection->idle_deadline_us = 0;
    connection->lifetime_deadline_us = 0;
    connection->ping_due_us = 0;
}

void connection_finish(struct connection *connection)
{
    if (connection->phase >= PHASE_CLOSING)
        return;
    connection->phase = PHASE_CLOSING;
    end_hearing(connection);
    connection_wake(connection);
}

void connection_part(struct connection *connection, enum status status,
                     enum bye_code code)
{
    struct message_bye bye = {.code = (uint16_t)code};

    if (connection->phase >= PHASE_CLOSING)
        return;
    say_error(connection, status, SCOPE_CONNECTION, 0, NULL);
    connection_send(connection, MESSAGE_BYE, 0, &bye);
    connection_finish(connection);
}

void connection_leave(struct connection *connection, enum status status)
{
    if (connection->phase >= PHASE_CLOSING || connection->leaving)
        return;
    connection->leaving = true;
    connection->leave_status = status;
    end_hearing(connection);
    connection_wake(connection);
    connection_answered(connection);
}

void connection_answered(struct connection *connection)
{
    if (connection->phase >= PHASE_CLOSING || !connection->leaving ||
        connection->requests_count > 0)
        return;
    if (connection->leave_status != ST_OK)
        say_error(connection, connection->leave_status, SCOPE_CONNECTION, 0,
                  NULL);
    connection_finish(connection);
}

size_t connection_high(const struct connection *connection)
{
    return connection->phase == PHASE_OPEN ? TX_SIZE_HIGH
                                           : TX_SIZE_HIGH_BEFORE_LOGIN;
}

/* Reading stops while answers pile up, and goes on below the low mark. */
static bool wants_input(const struct connection *connection)
{
    size_t waiting = connection->tx_to - connection->tx_from;
    size_t high = connection_high(connection);

    if (connection->phase == PHASE_CLOSING)
        return connection->shut;
    if (connection->leaving)
        return false;
    if (connection->owed != NULL && connection->owed_size > TX_SIZE_HIGH)
        return false;
    return waiting < high / (TX_SIZE_HIGH / TX_SIZE_LOW) ||
           (connection->reading && waiting <= high);
}

static void balance(struct connection *connection)
{
    bool wants = wants_input(connection);

    if (!wants && connection->reading) {
        event_del(connection->read_event);
        connection->reading = false;
        connection_deafen(connection);
    } else if (wants && !connection->reading) {
        connection->reading = event_add(connection->read_event, NULL) == 0;
        connection_listen(connection);
    }
    /* What waits here is whole: no byte may come to wake us. */
    if (connection->reading && connection->cut_short)
        event_active(connection->read_event, EV_READ, 0);
}

/* The peer took something.  Who takes little at a time is slow as well. */
static void stall_less(struct connection *connection, size_t size)
{
    size_t owed = connection->owed_size + connection_waiting(connection);
    size_t least = owed / TX_STALL_PARTS;

    connection->stalled_size += size;
    if (connection->stalled_size < TX_STALL_SIZE_MIN ||
        connection->stalled_size < least)
        return;
    connection->stall_deadline_us = 0;
    connection->stalled_size = 0;
}

static void all_sent(struct connection *connection)
{
    connection->tx_from = connection->tx_to = 0;
    connection->stall_deadline_us = 0;
    connection->stalled_size = 0;
    if (connection->phase == PHASE_CLOSING && !connection->shut) {
        connection->shut = true;
        (void)shutdown(connection->fd, SHUT_WR);
    }
    if (connection->tx_capacity > TX_SIZE_LOW) {
        free(connection->tx);
        connection_let_go(connection, connection->tx_capacity);
        connection->tx = NULL;
        connection->tx_capacity = 0;
    }
}

static void flush(struct connection *connection)
{
    while (connection->tx_from < connection->tx_to) {
        ssize_t sent =
            send(connection->fd, connection->tx + connection->tx_from,
                 connection->tx_to - connection->tx_from,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (connection->stall_deadline_us == 0)
                connection->stall_deadline_us =
                    loop_now_us() + (int64_t)TX_STALL_S_MAX * US;
            event_add(connection->write_event, NULL);
            break;
        }
        if (sent < 0) {
            connection_kill(connection);
            return;
        }
        connection->tx_from += (size_t)sent;
        stall_less(connection, (size_t)sent);
    }
    if (connection->tx_from == connection->tx_to)
        all_sent(connection);
    balance(connection);
}

void connection_end_pass(struct net_loop *home)
{
    seal_gathered(home);
    while (home->dirty != NULL) {
        struct connection *connection = home->dirty;
        home->dirty = connection->dirty_next;
        connection->dirty = false;
        if (connection->phase == PHASE_OPEN)
            watching_pump(connection);
        do {
            seal_gathered(home);
            if (connection->phase != PHASE_DEAD)
                flush(connection);
        } while (request_pump(connection));
    }
    while (home->dead != NULL) {
        struct connection *connection = home->dead;
        home->dead = connection->dead_next;
        free_connection(connection);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;

    (void)fd;
    (void)what;
    connection_wake(connection);
    connection_end_pass(connection->home);
}
