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

bool client_clock_is_credible(int64_t server_us)
{
    int64_t own_us = client_wall_us();

    return server_us > own_us - CLIENT_CLOCK_OFF_US_MAX &&
           server_us < own_us + CLIENT_CLOCK_OFF_US_MAX;
}

int64_t client_signing_us(const struct defter *client)
{
    int64_t own_us = client_wall_us();
    int64_t server_us = own_us + session_clock_offset_us(client->session);

    return client_clock_is_credible(server_us) ? server_us : own_us;
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
        !copy_text(client->addresses, sizeof client->addresses,
                   options->address) ||
        nodes_open(&client->nodes, client->addresses) != ST_OK)
        return ST_USAGE;
    client->any_node = options->any_node != 0;
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
    client->opened = client->leaving = false;
    client->watch_request = client->query_request = 0;
    client->pinged_ms = 0;
    session_close(client->session);
    client->session = NULL;
    /* What has no answer goes out again, the same bytes. */
    for (struct defter_command *command = client->pending; command != NULL;
         command = command->next) {
        command->lost = command->lost || command->request_id != 0;
        command->request_id = 0;
    }
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
    kdf_wipe(&client->derived);
    free(client->rows);
    free(client->result);
    free(client);
}

const char *defter_reason(const struct defter *client)
{
    return client->reason;
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
    command->lost = false;
    command->fault = (struct defter_answer){.code = 0};
    command->until_ms = client_steady_ms() + client->timeout_ms;
    command->next = NULL;
    *client->pending_last = command;
    client->pending_last = &command->next;
    client->pending_count++;
    if (client->opened)
        client_send_pending(client);
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
