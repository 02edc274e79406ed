#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/client_state.h"

int defter_is_final(int status)
{
    return status == ST_USAGE || status == ST_AUTH || status == ST_RECEIPT ||
           status == ST_CERTIFICATE || status == ST_REJECTED ||
           status == ST_DISK_FAILED || status == ST_INTERNAL ||
           status == ST_FENCED;
}

/* Of these another node, or the same one later, may still know better. */
static bool is_of_the_node(int status)
{
    return !defter_is_final(status) || status == ST_AUTH ||
           status == ST_CERTIFICATE || status == ST_REJECTED;
}

bool client_is_passing(int code)
{
    return code == ST_IN_PROGRESS || code == ST_NOT_PRIMARY ||
           code == ST_BUSY || code == ST_NO_QUORUM ||
           code == ST_UNKNOWN_OUTCOME || code == ST_READ_ONLY;
}

/* A failover takes seconds: as long as it may be one, nobody sleeps over its
 * end. */
static int64_t longest_pause(struct defter *client)
{
    int64_t now_ms = client_steady_ms();

    if (client->trouble_ms == 0)
        client->trouble_ms = now_ms;
    return now_ms - client->trouble_ms < CLIENT_SOON_MS ? CLIENT_RETRY_MS_SOON
                                                        : CLIENT_RETRY_MS_MAX;
}

/* Twice as long as the last time, of which up to half is left to chance. */
static int64_t grow_pause(struct defter *client, int64_t *pause_ms)
{
    int64_t longest_ms = longest_pause(client);
    uint32_t half;

    *pause_ms *= 2;
    if (*pause_ms < CLIENT_RETRY_MS_MIN)
        *pause_ms = CLIENT_RETRY_MS_MIN;
    if (*pause_ms > longest_ms)
        *pause_ms = longest_ms;
    half = (uint32_t)*pause_ms / 2;
    return *pause_ms - half + randombytes_uniform(half + 1);
}

/* When a wait of at least ${least_ms}, as far as we believe it, is over. */
static int64_t after(int64_t wait_ms, uint32_t least_ms)
{
    int64_t least = least_ms < CLIENT_ADVISED_MS_MAX ? (int64_t)least_ms
                                                     : CLIENT_ADVISED_MS_MAX;

    return client_steady_ms() + (wait_ms > least ? wait_ms : least);
}

void client_hold(struct defter *client, uint32_t least_ms)
{
    client->hold_until_ms =
        after(grow_pause(client, &client->hold_ms), least_ms);
}

void client_worked(struct defter *client)
{
    nodes_worked(&client->nodes);
    client->hold_ms = client->pause_ms = client->trouble_ms = 0;
}

void client_leave(struct defter *client)
{
    client->leaving = true;
}

/* Whether a node that is not the primary does as well. */
static bool may_stay(const struct defter *client)
{
    return client->any_node && client->pending_count == 0;
}

void client_opened(struct defter *client, const struct session_event *event)
{
    if (event->elsewhere)
        nodes_advise(&client->nodes, event->primary);
    if (event->elsewhere && !may_stay(client)) {
        client_leave(client);
        return;
    }
    client->nodes.worked = client->nodes.now;
    client->opened = true;
}

void client_advised(struct defter *client, const struct message_advice *advice)
{
    nodes_advise(&client->nodes, advice->address);
    client->advised_ms = advice->after_ms;
    if (advice->code == ST_NOT_PRIMARY && !may_stay(client))
        client_leave(client);
}

int client_move_on(struct defter *client, int status)
{
    bool was_open = client->opened;
    uint32_t least_ms = client->advised_ms;
    bool more;

    client_drop(client);
    client->advised_ms = 0;
    if (!is_of_the_node(status)) {
        client->pause_until_ms =
            after(grow_pause(client, &client->pause_ms), 0);
        return status;
    }
    more = nodes_fail(&client->nodes, status, client->reason);
    if (!more) {
        client->pause_until_ms =
            after(grow_pause(client, &client->pause_ms), least_ms);
        status = nodes_verdict(&client->nodes);
        nodes_reasons(&client->nodes, client->reason);
    }
    return more && !was_open ? ST_OK : status;
}

int client_out_of_time(struct defter *client)
{
    char reasons[NODES_REASON_SIZE];

    nodes_reasons(&client->nodes, reasons);
    snprintf(client->reason, sizeof client->reason, "no answer in time%s%s",
             reasons[0] != '\0' ? "; " : "", reasons);
    return ST_TIMEOUT;
}

bool client_awaits(const struct defter *client)
{
    return !client->opened || client->watch_request != 0 ||
           session_inflight(client->session) > 0;
}

int client_check_silence(struct defter *client)
{
    int64_t now_ms = client_steady_ms();

    if (!client_awaits(client) ||
        now_ms - client->heard_ms < CLIENT_SILENCE_MS_MAX)
        return ST_OK;
    if (!client->opened ||
        (client->pinged_ms != 0 &&
         now_ms - client->pinged_ms >= CLIENT_SILENCE_MS_MAX))
        return client_fail(client, ST_CONNECT, "it does not answer");
    if (client->pinged_ms == 0) {
        session_ping(client->session, client_wall_us());
        client->pinged_ms = now_ms;
    }
    return ST_OK;
}

int defter_wait_ms(const struct defter *client)
{
    int64_t now_ms = client_steady_ms();
    int64_t at_ms = INT64_MAX;

    if (client->session == NULL)
        at_ms = client->pause_until_ms;
    else if (client_awaits(client))
        at_ms = CLIENT_SILENCE_MS_MAX +
                (client->pinged_ms != 0 ? client->pinged_ms : client->heard_ms);
    if (client->session != NULL && client->hold_until_ms > now_ms &&
        client->hold_until_ms < at_ms)
        at_ms = client->hold_until_ms;
    if (at_ms == INT64_MAX)
        return -1;
    return at_ms <= now_ms ? 0 : (int)(at_ms - now_ms);
}

const char *defter_address(const struct defter *client)
{
    return nodes_address(&client->nodes);
}
