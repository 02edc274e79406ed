#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

/* A frame on its way. */
struct net_frame {
    uint32_t from;
    uint32_t to;
    uint32_t link; /* Generation of the link that it is on. */
    uint8_t type;
    size_t size;
    uint8_t body[];
};

static struct sim_link *net_link(struct sim *sim, uint32_t a, uint32_t b)
{
    return a < b ? &sim->links[a][b] : &sim->links[b][a];
}

static int64_t net_delay(struct sim *sim)
{
    int64_t delay = random_between(&sim->net, 200, 2000);

    if ((sim->options.faults & FAULT_DELAY) != 0 && !sim->healing &&
        random_chance(&sim->net, 20))
        delay += random_skewed(&sim->net, 800000);
    return delay;
}

void sim_send(struct sim *sim, uint32_t from, uint32_t to, uint8_t type,
              struct slice body)
{
    struct sim_link *link = net_link(sim, from, to);
    struct net_frame *frame;
    size_t way = from < to ? 0 : 1;
    int64_t at = sim->now + net_delay(sim);

    if (!link->up || link->cut[way])
        return;
    if (sim->options.frames) {
        struct peer_frame view;
        enum status status = peer_decode(&view, type, body);

        INVARIANT(status == ST_OK);
        sim_trace(sim, "    %u -> %u %s %u %u %u", from, to,
                  peer_info(type)->name,
                  type == PEER_APPEND     ? (unsigned)view.append.previous_size
                  : type == PEER_APPENDED ? (unsigned)view.appended.size
                  : type == PEER_REFUSED  ? (unsigned)view.refused.reason
                                          : 0,
                  type == PEER_APPEND     ? (unsigned)view.append.stream
                  : type == PEER_APPENDED ? (unsigned)view.appended.stream
                  : type == PEER_REFUSED  ? (unsigned)view.refused.stream
                                          : 0,
                  (unsigned)body.size);
    }
    sim_check_shipped(sim, from, type, body);
    frame = malloc(sizeof *frame + body.size);
    INVARIANT(frame != NULL);
    *frame = (struct net_frame){.from = from,
                                .to = to,
                                .link = link->generation,
                                .type = type,
                                .size = body.size};
    memcpy(frame->body, body.data, body.size);
    /* What follows on a stream comes after what went before. */
    if (at < link->last[way])
        at = link->last[way];
    link->last[way] = at;
    sim_at(sim, at, EVENT_FRAME, to, 0, frame);
}

void sim_frame(struct sim *sim, const struct sim_event *event)
{
    const struct net_frame *frame = event->data;
    struct sim_link *link = net_link(sim, frame->from, frame->to);
    struct replica_event received = {.type = REPLICA_RECEIVED};

    if (!link->up || link->generation != frame->link ||
        link->cut[frame->from < frame->to ? 0 : 1])
        return;
    sim_mix(sim, frame->type + frame->size);
    received.peer = sim_peer(sim, frame->to, frame->from);
    received.received.type = frame->type;
    received.received.body = slice_of(frame->body, frame->size);
    sim_node_event(sim, &sim->nodes[frame->to], &received);
}

/* ---- Links -------------------------------------------------------------- */

static void net_tell(struct sim *sim, uint32_t node, uint32_t other,
                     enum replica_event_type type)
{
    struct replica_event event = {.type = type};

    event.peer = sim_peer(sim, node, other);
    sim_node_event(sim, &sim->nodes[node], &event);
}

static void net_reconnect(struct sim *sim, uint32_t a, uint32_t b)
{
    sim_at(sim, sim->now + random_between(&sim->net, 5000, 150000), EVENT_LINK,
           SIM_NODES_MAX, a * SIM_NODES_MAX + b, NULL);
}

void sim_link_connect(struct sim *sim, uint32_t a, uint32_t b)
{
    struct sim_link *link = net_link(sim, a, b);
    struct sim_node *first = &sim->nodes[a];
    struct sim_node *second = &sim->nodes[b];

    if (link->up || !first->up || !second->up)
        return; /* Whoever starts tries again. */
    if (link->cut[0] || link->cut[1] || first->paused_until > sim->now ||
        second->paused_until > sim->now) {
        net_reconnect(sim, a, b);
        return;
    }
    link->up = true;
    link->breaking = false;
    link->generation++;
    link->last[0] = link->last[1] = sim->now;
    net_tell(sim, a, b, REPLICA_LINK_UP);
    net_tell(sim, b, a, REPLICA_LINK_UP);
}

void sim_link_break(struct sim *sim, uint32_t a, uint32_t b)
{
    struct sim_link *link = net_link(sim, a, b);

    link->breaking = false;
    if (!link->up)
        return;
    link->up = false;
    link->generation++;
    net_tell(sim, a, b, REPLICA_LINK_DOWN);
    net_tell(sim, b, a, REPLICA_LINK_DOWN);
    net_reconnect(sim, a < b ? a : b, a < b ? b : a);
}

void sim_links_of_crashed(struct sim *sim, uint32_t node)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (i != node)
            sim_link_break(sim, node, i);
    }
}

void sim_cut(struct sim *sim, uint32_t from, uint32_t to, bool cut)
{
    struct sim_link *link = net_link(sim, from, to);

    link->cut[from < to ? 0 : 1] = cut;
    /* Frames vanish, and some time later the link is known to be dead. */
    if (cut && link->up && !link->breaking) {
        link->breaking = true;
        sim_at(sim, sim->now + random_between(&sim->net, 100000, 1500000),
               EVENT_BREAK, SIM_NODES_MAX, from * SIM_NODES_MAX + to, NULL);
    }
}
