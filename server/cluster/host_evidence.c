/*
 * host_evidence.c: checkpoints and cosignatures between nodes.  They share the
 * links with the replica, which never sees them: what is committed depends on
 * none of it.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/peer.h"
#include "server/cluster/host_private.h"

/* ---- What peers send ---------------------------------------------------- */

static const uint8_t *evidence_node(const struct host *host, size_t peer)
{
    return host->options.links.peers[peer].node_id;
}

static void evidence_break(struct host *host, size_t peer, enum status status)
{
    char node[2 * NODE_ID_SIZE + 1];

    (void)sodium_bin2hex(node, sizeof node, evidence_node(host, peer),
                         NODE_ID_SIZE);
    host_tell(host, CLUSTER_WARNING, "node %s broke the rules: %s", node,
              status_info(status)->english);
    links_drop(host->links, peer);
}

bool host_evidence_received(struct host *host, size_t peer, uint8_t type,
                            struct slice body)
{
    const struct host_calls *calls = &host->calls;
    struct peer_frame frame;
    enum status status;

    if (type != PEER_CHECKPOINT && type != PEER_COSIGNED)
        return false;
    status = peer_decode(&frame, type, body);
    if (status != ST_OK)
        evidence_break(host, peer, status);
    else if (type == PEER_CHECKPOINT && calls->checkpoint != NULL)
        calls->checkpoint(calls->context, evidence_node(host, peer),
                          frame.checkpoint.note);
    else if (type == PEER_COSIGNED && calls->cosigned != NULL)
        calls->cosigned(calls->context, evidence_node(host, peer),
                        frame.cosigned.size, frame.cosigned.line);
    return true;
}

void host_evidence_linked(struct host *host, size_t peer)
{
    const struct host_calls *calls = &host->calls;

    if (calls->linked != NULL)
        calls->linked(calls->context, evidence_node(host, peer));
}

/* ---- What this node sends ----------------------------------------------- */

struct evidence_mail {
    struct host_mail mail;
    bool all;
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t type;
    size_t size;
    uint8_t body[PEER_EVIDENCE_SIZE_MAX];
};

static void deliver_evidence(struct host *host, struct host_mail *mail)
{
    struct evidence_mail *sent = (struct evidence_mail *)mail;

    for (size_t i = 0; i < host->options.links.peers_count; i++) {
        if (sent->all ||
            memcmp(evidence_node(host, i), sent->node_id, NODE_ID_SIZE) == 0)
            links_send(host->links, i, sent->type,
                       slice_of(sent->body, sent->size));
    }
    free(sent);
}

void host_send(struct host *host, const uint8_t *node_id,
               const struct peer_frame *frame)
{
    struct evidence_mail *sent = calloc(1, sizeof *sent);
    struct writer writer;

    REQUIRE(frame->type == PEER_CHECKPOINT || frame->type == PEER_COSIGNED);
    INVARIANT(sent != NULL);
    sent->mail.deliver = deliver_evidence;
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
