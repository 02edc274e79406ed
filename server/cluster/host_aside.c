/*
 * host_aside.c: frames between nodes that the replica never sees, though they
 * share its links: checkpoints and cosignatures, confirmations of erasure,
 * snapshots.  What is committed depends on none of them.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/peer.h"
#include "replication/need.h"
#include "server/cluster/host_private.h"

/* ---- What peers send ---------------------------------------------------- */

static const uint8_t *aside_node(const struct host *host, size_t peer)
{
    return host->options.links.peers[peer].node_id;
}

static void aside_break(struct host *host, size_t peer, enum status status)
{
    char node[2 * NODE_ID_SIZE + 1];

    (void)sodium_bin2hex(node, sizeof node, aside_node(host, peer),
                         NODE_ID_SIZE);
    host_tell(host, CLUSTER_WARNING, "node %s broke the rules: %s", node,
              status_info(status)->english);
    links_drop(host->links, peer);
}

static void aside_snapshot(struct host *host, size_t peer,
                           const struct peer_snapshot_ask *asked)
{
    struct peer_frame frame = {.type = PEER_SNAPSHOT};
    struct writer writer;

    frame.snapshot.size = asked->size;
    frame.snapshot.offset = asked->offset;
    host->calls.snapshot_read(host->calls.context, &frame);
    writer_init(&writer, host->frame, FRAME_BODY_SIZE_MAX);
    peer_encode(&writer, &frame);
    INVARIANT(writer.status == ST_OK);
    links_send(host->links, peer, PEER_SNAPSHOT, writer_slice(&writer));
}

static void aside_take(struct host *host, size_t peer,
                       const struct peer_frame *frame)
{
    const struct host_calls *calls = &host->calls;
    const uint8_t *node_id = aside_node(host, peer);

    if (frame->type == PEER_CHECKPOINT && calls->checkpoint != NULL)
        calls->checkpoint(calls->context, node_id, frame->checkpoint.note);
    else if (frame->type == PEER_COSIGNED && calls->cosigned != NULL)
        calls->cosigned(calls->context, node_id, frame->cosigned.size,
                        frame->cosigned.line);
    else if (frame->type == PEER_CONFIRM && calls->confirm != NULL)
        calls->confirm(calls->context, frame->confirm.command);
    else if (frame->type == PEER_SNAPSHOT_ASK && calls->snapshot_read != NULL)
        aside_snapshot(host, peer, &frame->snapshot_ask);
    else if (frame->type == PEER_SNAPSHOT && calls->snapshot_part != NULL)
        calls->snapshot_part(calls->context, node_id, frame);
}

bool host_aside_received(struct host *host, size_t peer, uint8_t type,
                         struct slice body)
{
    struct peer_frame frame;
    enum status status;

    if (type != PEER_CHECKPOINT && type != PEER_COSIGNED &&
        type != PEER_CONFIRM && type != PEER_SNAPSHOT_ASK &&
        type != PEER_SNAPSHOT)
        return false;
    status = peer_decode(&frame, type, body);
    if (status != ST_OK)
        aside_break(host, peer, status);
    else
        aside_take(host, peer, &frame);
    return true;
}

void host_aside_linked(struct host *host, size_t peer)
{
    const struct host_calls *calls = &host->calls;

    if (calls->linked != NULL)
        calls->linked(calls->context, aside_node(host, peer));
}

/* ---- What this node sends ----------------------------------------------- */

struct aside_mail {
    struct host_mail mail;
    bool all;
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t type;
    size_t size;
    uint8_t body[PEER_ASIDE_SIZE_MAX];
};

static void deliver_aside(struct host *host, struct host_mail *mail)
{
    struct aside_mail *sent = (struct aside_mail *)mail;

    for (size_t i = 0; i < host->options.links.peers_count; i++) {
        if (sent->all ||
            memcmp(aside_node(host, i), sent->node_id, NODE_ID_SIZE) == 0)
            links_send(host->links, i, sent->type,
                       slice_of(sent->body, sent->size));
    }
    free(sent);
}

void host_send(struct host *host, const uint8_t *node_id,
               const struct peer_frame *frame)
{
    struct aside_mail *sent = calloc(1, sizeof *sent);
    struct writer writer;

    REQUIRE(frame->type == PEER_CHECKPOINT || frame->type == PEER_COSIGNED ||
            frame->type == PEER_CONFIRM || frame->type == PEER_SNAPSHOT_ASK);
    NEED(sent != NULL);
    sent->mail.deliver = deliver_aside;
    sent->all = node_id == NULL;
    if (node_id != NULL)
        memcpy(sent->node_id, node_id, NODE_ID_SIZE);
    sent->type = (uint8_t)frame->type;
    writer_init(&writer, sent->body, sizeof sent->body);
    peer_encode(&writer, frame);
    INVARIANT(writer.status == ST_OK);
    sent->size = writer.used;
    if (!host_post(host, &sent->mail))
        free(sent);
}
