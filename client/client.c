#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/client_state.h"

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t client_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t client_steady_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int client_fail(struct defter *client, int status, const char *reason)
{
    REQUIRE(status != ST_OK);
    snprintf(client->reason, sizeof client->reason, "%s", reason);
    return status;
}

static bool copy_text(char *out, size_t size, const char *text)
{
    if (strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static int take_options(struct defter *client,
                        const struct defter_options *options)
{
    bool by_key = options->key_seed != NULL;

    if (options->address == NULL ||
        by_key == (options->username != NULL && options->password != NULL) ||
        !copy_text(client->address, sizeof client->address, options->address))
        return ST_USAGE;
    memcpy(client->authority_key, options->authority_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(client->cluster_id, client->authority_key);
    client->role = options->role;
    client->timeout_ms = options->timeout_ms == 0 ? CLIENT_TIMEOUT_MS_DEFAULT
                                                  : options->timeout_ms;
    if (!copy_text(client->agent, sizeof client->agent,
                   options->agent != NULL ? options->agent : "libdefter"))
        return ST_USAGE;
    if (by_key) {
        identity_init(&client->identity, options->key_seed);
        return ST_OK;
    }
    client->by_password = true;
    return copy_text(client->username, sizeof client->username,
                     options->username) &&
                   copy_text(client->password, sizeof client->password,
                             options->password)
               ? ST_OK
               : ST_USAGE;
}

int defter_open(struct defter **client_out,
                const struct defter_options *options)
{
    struct defter *client;
    int status;

    if (sodium_init() < 0)
        return ST_INTERNAL;
    client = calloc(1, sizeof *client);
    if (client == NULL)
        return ST_INTERNAL;
    client->fd = -1;
    client->pending_last = &client->pending;
    status = take_options(client, options);
    if (status == ST_OK && options->receipts_path != NULL)
        status =
            (int)receipt_store_open(&client->receipts, options->receipts_path);
    if (status != ST_OK) {
        defter_close(client);
        return status;
    }
    *client_out = client;
    return ST_OK;
}

void client_drop(struct defter *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->opened = false;
    client->watch_request = 0;
    session_close(client->session);
    client->session = NULL;
    /* What has no answer goes out again, the same bytes. */
    for (struct defter_command *command = client->pending; command != NULL;
         command = command->next)
        command->request_id = 0;
}

void defter_close(struct defter *client)
{
    if (client == NULL)
        return;
    if (client->opened) {
        session_bye(client->session);
        (void)defter_step(client);
    }
    client_drop(client);
    receipt_store_close(client->receipts);
    identity_wipe(&client->identity);
    sodium_memzero(client->password, sizeof client->password);
    free(client->rows);
    free(client->result);
    free(client);
}

const char *defter_reason(const struct defter *client)
{
    return client->reason;
}

static struct defter_command *unlink_pending(struct defter *client,
                                             uint64_t request_id)
{
    for (struct defter_command **at = &client->pending; *at != NULL;
         at = &(*at)->next) {
        struct defter_command *command = *at;
        if (command->request_id != request_id)
            continue;
        *at = command->next;
        if (client->pending_last == &command->next)
            client->pending_last = at;
        client->pending_count--;
        return command;
    }
    return NULL;
}

/* What a receipt must say of a command; then it is kept. */
static int check_receipt(struct defter *client,
                         const struct defter_command *command,
                         const struct answer *from, struct defter_answer *to)
{
    const struct nodecert *certificate = session_certificate(client->session);
    struct receipt receipt;
    uint8_t hash[HASH_SIZE];

    if (receipt_verify(&receipt, from->receipt, from->signature,
                       client->cluster_id, certificate->receipt_key) != ST_OK)
        return ST_RECEIPT;
    crypto_hash_sha256(hash, from->result.data, from->result.size);
    if (receipt.code != from->code ||
        memcmp(receipt.command_hash, command->hash, HASH_SIZE) != 0 ||
        (!from->result_omitted &&
         memcmp(receipt.result_hash, hash, HASH_SIZE) != 0))
        return ST_RECEIPT;
    to->has_receipt = 1;
    to->index = receipt.index;
    to->epoch = receipt.epoch;
    to->committed_at = receipt.committed_at;
    memcpy(to->receipt, from->receipt, RECEIPT_SIZE);
    memcpy(to->signature, from->signature, SIGNATURE_SIZE);
    if (client->receipts == NULL)
        return ST_OK;
    return (int)receipt_store_add(client->receipts, from->receipt,
                                  from->signature,
                                  session_certificate_bytes(client->session));
}

static void on_answer(struct defter *client, const struct session_event *event)
{
    struct defter_command *command = unlink_pending(client, event->request_id);
    struct defter_answer answer = {.item = 0xffff};
    int status = ST_OK;

    if (command == NULL)
        return;
    answer.code = event->answer.code;
    answer.duplicate = event->answer.duplicate;
    answer.omitted = event->answer.result_omitted;
    answer.items_count = command->items_count;
    answer.result = event->answer.result.data;
    answer.result_size = event->answer.result.size;
    if (event->answer.receipt != NULL)
        status = check_receipt(client, command, &event->answer, &answer);
    else if ((command->flags & COMMAND_FLAG_RECEIPT) != 0)
        status = ST_RECEIPT;
    if (status != ST_OK)
        client->receipt_failed =
            client_fail(client, status,
                        status == ST_RECEIPT ? "the receipt does not verify"
                                             : "the receipt cannot be kept");
    command->answered(command->context, command, status, &answer);
}

static void on_fault(struct defter *client, const struct session_event *event)
{
    struct defter_command *command = unlink_pending(client, event->request_id);
    struct defter_answer answer = {.code = event->error.code,
                                   .is_error = 1,
                                   .field = event->error.tag,
                                   .item = event->error.item_index,
                                   .retry_after_ms =
                                       event->error.retry_after_ms};

    if (event->request_id == client->query_request) {
        client->query_request = 0;
        client->query_status = event->error.code;
    }
    if (command == NULL)
        return;
    answer.items_count = command->items_count;
    command->answered(command->context, command, ST_OK, &answer);
}

static void on_rows(struct defter *client, const struct session_event *event)
{
    if (event->request_id != client->query_request)
        return;
    client->query_request = 0;
    free(client->rows);
    client->rows_size = event->rows.rows.size;
    client->rows = malloc(client->rows_size + 1);
    client->query_status = client->rows == NULL ? ST_INTERNAL : ST_OK;
    if (client->rows != NULL && client->rows_size > 0)
        memcpy(client->rows, event->rows.rows.data, client->rows_size);
}

static void happened(void *context, const struct session_event *event)
{
    struct defter *client = context;

    switch (event->kind) {
    case SESSION_OPENED:
        client->opened = true;
        break;
    case SESSION_ANSWERED:
        on_answer(client, event);
        break;
    case SESSION_FAULTED:
        on_fault(client, event);
        break;
    case SESSION_ROWS:
        on_rows(client, event);
        break;
    case SESSION_ENTRY:
        if (event->request_id == client->watch_request) {
            client->watch_entry(client->watch_context, event->bytes.data,
                                event->bytes.size);
            session_credit(client->session, client->watch_request, 1,
                           (uint32_t)event->bytes.size);
        }
        break;
    case SESSION_ADVISED:
        break; /* One node: there is nowhere else to go. */
    }
}

/* Begin to connect; the handshake goes on in defter_step(). */
static int dial(struct defter *client)
{
    struct session_login login = {
        .authority_key = client->authority_key,
        .identity = client->by_password ? NULL : &client->identity,
        .username = client->by_password ? client->username : NULL,
        .password = client->by_password ? client->password : NULL,
        .role = client->role,
        .agent = client->agent,
        .now_us = client_wall_us(),
    };
    struct session_events events = {client, happened};

    client_drop(client);
    client->fd = client_dial(client->address);
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
        if (status != ST_OK)
            return client_fail(client, (int)status,
                               session_reason(client->session));
        if (client->receipt_failed != 0)
            return client->receipt_failed;
    }
}

/* Send what waits, as far as the server's grant goes. */
static void send_pending(struct defter *client)
{
    for (struct defter_command *command = client->pending;
         client->opened && command != NULL; command = command->next) {
        if (command->request_id != 0)
            continue;
        if (command->body == NULL &&
            client_sign(command, client,
                        client_wall_us() +
                            session_clock_offset_us(client->session)) != ST_OK)
            return;
        command->request_id = session_command(
            client->session, slice_of(command->body, command->body_size));
        if (command->request_id == 0)
            return;
    }
}

int defter_step(struct defter *client)
{
    int status = ST_OK;

    if (client->session == NULL)
        status = dial(client);
    if (status == ST_OK) {
        send_pending(client);
        status = write_output(client);
    }
    if (status == ST_OK)
        status = read_input(client);
    if (status == ST_OK) {
        send_pending(client);
        status = write_output(client);
    }
    if (status != ST_OK)
        client_drop(client);
    return status;
}

int defter_fd(const struct defter *client)
{
    return client->fd;
}

int defter_wants(const struct defter *client)
{
    int wants = DEFTER_WANTS_READ;

    if (client->session != NULL && session_output(client->session).size > 0)
        wants |= DEFTER_WANTS_WRITE;
    return wants;
}

size_t defter_pending(const struct defter *client)
{
    return client->pending_count;
}

int defter_submit(struct defter *client, struct defter_command *command,
                  void *context,
                  void (*answered)(void *context,
                                   struct defter_command *command, int status,
                                   const struct defter_answer *answer))
{
    if (command->items_count == 0 || answered == NULL)
        return client_fail(client, ST_USAGE, "a command without items");
    command->context = context;
    command->answered = answered;
    command->request_id = 0;
    command->next = NULL;
    *client->pending_last = command;
    client->pending_last = &command->next;
    client->pending_count++;
    if (client->opened)
        send_pending(client);
    return ST_OK;
}

int defter_session(const struct defter *client, struct defter_session *out)
{
    const struct message_auth_ok *granted;

    if (!client->opened)
        return ST_NO_SESSION;
    granted = session_granted(client->session);
    *out = (struct defter_session){
        .log_size = granted->log_size,
        .role = granted->role,
        .level = granted->level,
        .items_max = granted->max_items,
        .inflight_max = granted->max_inflight,
        .clock_offset_us = session_clock_offset_us(client->session),
    };
    memcpy(out->key_id, session_identity(client->session)->key_id, KEY_ID_SIZE);
    memcpy(out->node_id, granted->node_id.b, NODE_ID_SIZE);
    memcpy(out->cluster_id, client->cluster_id, CLUSTER_ID_SIZE);
    return ST_OK;
}

int defter_watch(struct defter *client, uint64_t index, void *context,
                 void (*entry)(void *context, const uint8_t *bytes,
                               size_t size))
{
    if (!client->opened)
        return client_fail(client, ST_NO_SESSION, "not connected");
    client->watch_context = context;
    client->watch_entry = entry;
    client->watch_request = session_watch(client->session, index);
    if (client->watch_request == 0)
        return client_fail(client, ST_INTERNAL, "the watch was not sent");
    session_credit(client->session, client->watch_request,
                   EVENT_CREDIT_FRAMES_MAX, EVENT_CREDIT_BYTES_MAX);
    return ST_OK;
}
