#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/cluster/cluster_clock.h"
#include "server/cluster/link_private.h"

enum { NODE_TEXT_SIZE = 2 * NODE_ID_SIZE + 1 };

void link_say_up(struct link *link, int64_t now_ms)
{
    struct links *links = link->home;
    struct links_place *place = &links->places[link->peer];
    char line[CLUSTER_LINE_SIZE_MAX], node[NODE_TEXT_SIZE];
    char where[LINK_ADDRESS_TEXT_SIZE];

    if (link->up_said || (place->brief && now_ms - link->up_ms < LINK_BRIEF_MS))
        return;
    link->up_said = true;
    place->brief = false;
    (void)sodium_bin2hex(node, sizeof node, place->node_id, NODE_ID_SIZE);
    link_address_write(where, &link->address);
    (void)snprintf(line, sizeof line, "linked with node %s (%s), which %s",
                   node, where, link->dials ? "was dialed" : "dialed");
    place->failure_said = false;
    links->user.say(links->user.context, CLUSTER_NOTE, line);
}

/* From now on whole records are taken. */
static bool grow_rx(struct link *link)
{
    uint8_t *rx = malloc(LINK_RX_SIZE);

    if (rx == NULL)
        return false;
    memcpy(rx, link->rx, link->rx_size);
    link->rx = rx;
    link->rx_capacity = LINK_RX_SIZE;
    return true;
}

void link_admit(struct link *link, size_t peer, const struct nodecert *cert)
{
    struct links *links = link->home;
    struct links_place *place = &links->places[peer];

    if (!grow_rx(link)) {
        link_end(link, LINK_REASON_memory, "");
        return;
    }
    if (place->link != NULL) {
        link_end(place->link, LINK_REASON_replaced, "");
        place->down_owed = false;
        links->user.down(links->user.context, peer);
    }
    if (link->peer == LINK_PEER_NONE) {
        links->waiting--;
        links->strangers -= link->stranger ? 1 : 0;
    }
    if (place->dialing == link)
        place->dialing = NULL;
    link->peer = peer;
    link->phase = LINK_OPEN;
    link->handshake_deadline_ms = 0;
    place->link = link;
    place->receipt_known = true;
    memcpy(place->receipt_key, cert->receipt_key, PUBLIC_KEY_SIZE);
    link->up_ms = cluster_clock_ms();
    link_say_up(link, link->up_ms);
    links->user.up(links->user.context, peer);
}

static size_t find_place(const struct links *links, const uint8_t *node_id)
{
    for (size_t i = 0; i < links->places_count; i++) {
        if (memcmp(links->places[i].node_id, node_id, NODE_ID_SIZE) == 0)
            return i;
    }
    return LINK_PEER_NONE;
}

void link_judge(struct link *link)
{
    struct links *links = link->home;
    const struct hello *hello = &link->channel.hello;
    struct nodecert_expected expected = {
        .now_s = cluster_clock_wall_us() / 1000000,
    };
    struct nodecert cert;
    enum nodecert_fault fault;

    if (!hello->has_certificate) {
        link_end(link, LINK_REASON_certificate, "none was shown");
        return;
    }
    nodecert_decode(&cert, hello->certificate.data);
    size_t peer = find_place(links, cert.node_id);
    /* Of a node that is not known any role would be right, but the client's. */
    bool archive = peer == LINK_PEER_NONE ? cert.role == NODECERT_ARCHIVE
                                          : links->places[peer].archive;
    expected.role = archive ? NODECERT_ARCHIVE : NODECERT_BACKUP;
    memcpy(expected.authority_key, links->identity.authority_key,
           PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, links->identity.cluster_id, CLUSTER_ID_SIZE);
    if (nodecert_verify(&cert, &fault, hello->certificate.data, &expected,
                        link->channel.peer_static) != ST_OK)
        link_end(link, LINK_REASON_certificate, nodecert_fault_text(fault));
    else if (peer == LINK_PEER_NONE)
        link_end(link, LINK_REASON_unknown, "");
    else if (links->places[peer].is_dialed)
        link_end(link, LINK_REASON_way, "");
    else
        link_admit(link, peer, &cert);
}

bool link_is_meant(struct link *link)
{
    const struct links_place *place = &link->home->places[link->peer];
    const struct nodecert *cert = &link->channel.certificate;

    if (memcmp(cert->node_id, place->node_id, NODE_ID_SIZE) == 0)
        return true;
    link_end(link, LINK_REASON_other_node, "");
    return false;
}
