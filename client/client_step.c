#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

#include "client/client_state.h"

/* Begin to connect; the handshake goes on in defter_step(). */
static int dial(struct defter *client)
{
    struct session_login login = {
        .authority_key = client->authority_key,
        .identity = client->by_password ? NULL : &client->identity,
        .username = client->by_password ? client->username : NULL,
        .password = client->by_password ? client->password : NULL,
        .derive = client->derive,
        .role = client->role,
        .agent = client->agent,
        .now_us = client_wall_us(),
    };
    struct session_events events = {client, client_happened};

    client_drop(client);
    client->heard_ms = client_steady_ms();
    client->fd = client_dial(nodes_address(&client->nodes));
    if (client->fd < 0)
        return client_fail(client, errno == EINVAL ? ST_USAGE : ST_CONNECT,
                           strerror(errno));
    if (session_open(&client->session, &login, &events) != ST_OK)
        return client_fail(client, ST_INTERNAL, "out of memory");
    return ST_OK;
}

static int write_output(struct defter *client)
{
    struct slice output = session_output(client->session);

    while (output.size > 0) {
        ssize_t sent = send(client->fd, output.data, output.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 &&
            (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN))
            return ST_OK;
        if (sent < 0)
            return client_fail(client, ST_CONNECT, strerror(errno));
        session_sent(client->session, (size_t)sent);
        output = session_output(client->session);
    }
    return ST_OK;
}

static int read_input(struct defter *client)
{
    static _Thread_local uint8_t input[RECORD_SIZE_MAX + RECORD_HEADER_SIZE];

    for (;;) {
        ssize_t got = recv(client->fd, input, sizeof input, 0);
        enum status status;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 &&
            (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN))
            return ST_OK;
        if (got < 0)
            return client_fail(client, ST_CONNECT, strerror(errno));
        if (got == 0)
            return client_fail(client, ST_CLOSED,
                               "the server closed the connection");
        status = session_input(client->session, slice_of(input, (size_t)got));
        sodium_memzero(input, (size_t)got);
        client->heard_ms = client_steady_ms();
        client->pinged_ms = 0;
        if (status != ST_OK)
            return client_fail(client, (int)status,
                               session_reason(client->session));
        if (client->receipt_failed != 0)
            return client->receipt_failed;
    }
}

static void send_query(struct defter *client)
{
    if (!client->query_wanted || client->query_request != 0)
        return;
    if (client->query_is_proof)
        client->query_request =
            session_proof(client->session, &client->proof_get);
    else
        client->query_request =
            session_query(client->session, client->query, client->query_fields);
}

/* Send what waits, as far as the server's grant goes. */
void client_send_pending(struct defter *client)
{
    int64_t now_ms = client_steady_ms();

    if (!client->opened || client->leaving)
        return;
    if (!client_awaits(client))
        client->heard_ms = now_ms; /* Nothing was awaited until now. */
    send_query(client);
    for (struct defter_command *command = client->pending;
         now_ms >= client->hold_until_ms && command != NULL;
         command = command->next) {
        if (command->request_id != 0)
            continue;
        if (command->body == NULL &&
            client_sign(command, client, client_signing_us(client)) != ST_OK)
            return;
        command->request_id = session_command(
            client->session, slice_of(command->body, command->body_size));
        if (command->request_id == 0)
            return;
    }
}

/* What there is to write and to read. */
static int move(struct defter *client)
{
    int status;

    client_send_pending(client);
    status = write_output(client);
    if (status == ST_OK)
        status = read_input(client);
    if (status == ST_OK && client->leaving)
        status = client_fail(client, ST_NOT_PRIMARY, "it is not the primary");
    if (status == ST_OK)
        status = client_check_silence(client);
    if (status == ST_OK) {
        client_send_pending(client);
        status = write_output(client);
    }
    return status;
}

int defter_step(struct defter *client)
{
    int status = ST_OK;

    if (client->session == NULL) {
        if (client_steady_ms() < client->pause_until_ms)
            return ST_OK;
        status = dial(client);
    }
    if (status == ST_OK)
        status = move(client);
    return status == ST_OK ? ST_OK : client_move_on(client, status);
}
