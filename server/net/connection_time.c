#include "server/net/home.h"

enum { US = 1000000 };

static bool is_over(int64_t deadline_us, int64_t now_us)
{
    return deadline_us != 0 && deadline_us <= now_us;
}

/* Half of the idle limit without a frame: are you there? */
static void ping(struct connection *connection, int64_t now_us)
{
    struct message_ping body = {.time = loop_wall_us()};

    connection->ping_due_us = 0;
    MAYBE(now_us > 0);
    frame_gate_pinged(&connection->gate);
    connection_send(connection, MESSAGE_PING, 0, &body);
}

/* It took too long over a handshake, a login or a record. */
static void time_out(struct connection *connection, int64_t now_us)
{
    struct net *net = connection->home->net;

    if (connection->phase != PHASE_CLOSING && !connection->leaving) {
        pipeline_noise(net->pipeline, ST_TIMEOUT, 1);
        if (is_over(connection->record_deadline_us, now_us))
            HOME_LIMIT(net, record_s);
        else if (connection->phase == PHASE_HANDSHAKE)
            HOME_LIMIT(net, handshake_s);
        else
            HOME_LIMIT(net, login_s);
    }
    connection_kill(connection);
}

void connection_expect_record(struct connection *connection)
{
    int64_t limit_s = connection->phase == PHASE_OPEN
                          ? RECORD_S_MAX
                          : RECORD_S_MAX_BEFORE_LOGIN;

    if (connection->record_deadline_us == 0 && !connection->cut_short &&
        connection->phase != PHASE_HANDSHAKE)
        connection->record_deadline_us = loop_now_us() + limit_s * US;
}

/* That it takes what waits for it is seen to by the stall deadline. */
void connection_deafen(struct connection *connection)
{
    connection->record_deadline_us = 0;
    connection->idle_deadline_us = 0;
    connection->ping_due_us = 0;
}

void connection_listen(struct connection *connection)
{
    if (connection->phase >= PHASE_CLOSING || connection->leaving)
        return;
    if (connection->rx_size > 0)
        connection_expect_record(connection);
    if (connection->phase == PHASE_OPEN)
        request_heard(connection);
}

void connection_tick(struct connection *connection, int64_t now_us)
{
    struct net *net = connection->home->net;

    if (is_over(connection->phase_deadline_us, now_us) ||
        is_over(connection->record_deadline_us, now_us)) {
        time_out(connection, now_us);
    } else if (is_over(connection->stall_deadline_us, now_us)) {
        HOME_LIMIT(net, slow_readers);
        connection_kill(connection);
    } else if (is_over(connection->idle_deadline_us, now_us)) {
        HOME_LIMIT(net, idle_s);
        connection_part(connection, ST_IDLE, BYE_IDLE);
    } else if (is_over(connection->lifetime_deadline_us, now_us)) {
        HOME_LIMIT(net, lifetime_s);
        connection_part(connection, ST_IDLE, BYE_LIFETIME);
    } else if (is_over(connection->ping_due_us, now_us)) {
        ping(connection, now_us);
    } else if (connection->draining && connection->phase == PHASE_HANDSHAKE) {
        connection_kill(connection);
    } else if (connection->draining && connection->requests_count == 0) {
        advice_draining(connection);
        connection_part(connection, ST_DRAINING, BYE_DRAINING);
    } else if (connection->pump_more) {
        connection_wake(connection);
    }
}
