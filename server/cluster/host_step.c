#include <string.h>

#include <sodium.h>

#include "protocol/peer.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/host_private.h"

/* The keys go before the entries that need them: actions are in order. */
static void send_keys(struct host *host, const struct replica_action *action)
{
    uint64_t end = action->keys.first + action->keys.count;
    struct host_keys_cursor cursor = {action->keys.first, 0};
    size_t size;

    while (links_is_up(host->links, action->peer)) {
        struct peer_frame frame = {.type = PEER_KEYS};
        struct writer writer;

        frame.keys.first = cursor.first_index;
        size = host->calls.keys(host->calls.context, host->rows,
                                PEER_KEYS_SIZE_MAX, &cursor, end);
        INVARIANT(size <= PEER_KEYS_SIZE_MAX);
        if (size == 0)
            break;
        frame.keys.rows = slice_of(host->rows, size);
        writer_init(&writer, host->frame, FRAME_BODY_SIZE_MAX);
        peer_encode(&writer, &frame);
        INVARIANT(writer.status == ST_OK);
        links_send(host->links, action->peer, PEER_KEYS, writer_slice(&writer));
        sodium_memzero(host->rows, size);
        sodium_memzero(host->frame, writer.used);
    }
}

static void ask(struct host *host, const struct replica_action *action)
{
    switch (action->ask.call) {
    case REGISTER_READ:
        host->reg.read(host->reg_self);
        return;
    case REGISTER_CAS:
        host->reg.cas(host->reg_self, action->ask.proposal);
        return;
    case REGISTER_LOOK:
        host->reg.look(host->reg_self);
        return;
    case REGISTER_INCARNATION:
        host->reg.incarnation(host->reg_self, action->ask.incarnation);
        return;
    }
}

static void lead(struct host *host, const struct replica_action *action)
{
    struct replica_status status;

    host->clock_checked = false;
    replica_status(host->replica, &status, cluster_clock_ms());
    host_tell_clocks(host, &status);
    host->lead_epoch = action->lead.epoch;
    host->config_told = 0;
    host->calls.lead(host->calls.context, action->lead.epoch, &action->lead.end,
                     action->lead.config, action->lead.certificate);
}

static void follow(struct host *host)
{
    host->lead_epoch = 0;
    host->draining = false;
    host->calls.follow(host->calls.context);
}

static void halt(struct host *host, enum replica_halt why)
{
    host->lead_epoch = 0;
    host->calls.halt(host->calls.context, why);
}

static void carry_out(struct host *host, const struct replica_action *action)
{
    const struct host_calls *calls = &host->calls;

    switch (action->type) {
    case REPLICA_SEND:
        links_send(host->links, action->peer, action->send.type,
                   action->send.body);
        return;
    case REPLICA_SEND_KEYS:
        send_keys(host, action);
        return;
    case REPLICA_DROP_LINK:
        links_drop(host->links, action->peer);
        return;
    case REPLICA_JOB:
        disk_thread_push(host->disk_thread, action->job);
        return;
    case REPLICA_ASK:
        ask(host, action);
        return;
    case REPLICA_COMMIT:
        calls->committed(calls->context, action->size);
        return;
    case REPLICA_LEAD:
        lead(host, action);
        host->status_due = true;
        return;
    case REPLICA_FOLLOW:
        follow(host);
        host->status_due = true;
        return;
    case REPLICA_DRAIN:
        host->draining = action->on;
        calls->drain(calls->context, action->on);
        return;
    case REPLICA_VERIFY:
        host_verify(host, action->certificate);
        return;
    case REPLICA_HALT:
        halt(host, action->halt);
        return;
    case REPLICA_RESTART:
        calls->restart(calls->context);
        return;
    case REPLICA_SAY:
        host_say(host, action);
        host->status_due = true; /* Whatever is worth a line. */
        return;
    }
}

/* Not every configuration comes with an epoch; the log is to hold them all. */
static void tell_config(struct host *host)
{
    struct config config;
    struct slice bytes;

    if (host->lead_epoch == 0 ||
        !replica_config(host->replica, &config, &bytes) ||
        config.number == host->config_told)
        return;
    host->config_told = config.number;
    host->calls.configured(host->calls.context, bytes,
                           replica_certificate(host->replica));
}

void host_step(struct host *host, struct replica_event *event)
{
    /* Whatever an action leads to comes as an event of its own, later. */
    REQUIRE(!host->stepping);
    host->stepping = true;
    event->now_ms = cluster_clock_ms();
    event->wall_us = cluster_clock_wall_us();
    host->refusal = NULL;
    replica_actions_reset(&host->actions);
    replica_step(host->replica, &host->actions, event);
    for (size_t i = 0; i < host->actions.count; i++)
        carry_out(host, &host->actions.list[i]);
    tell_config(host);
    host->stepping = false;
}
