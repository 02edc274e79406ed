#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/diag.h"
#include "server/node_private.h"

/* One that ran out, or is of tomorrow, does not keep a node from starting: it
 * is still dialed, and its clock may be what is wrong. */
static enum node_exit link_judge(enum nodecert_fault fault)
{
    char text[128];

    (void)snprintf(text, sizeof text, "the certificate for links: %s",
                   nodecert_fault_text(fault));
    if (fault != NODECERT_EXPIRED && fault != NODECERT_NOT_YET_VALID)
        return node_fail(ST_CERTIFICATE, text, FILE_LINK_CERT);
    diag_say(DIAG_WARNING, "%s: %s; no peer takes this node when it dials",
             FILE_LINK_CERT, text);
    return NODE_DRAINED;
}

static enum node_exit link_check_peers(const struct node *node)
{
    const struct links_options *links = &node->options.cluster.links;

    for (size_t i = 0; i < links->peers_count; i++) {
        if (memcmp(links->peers[i].node_id, node->node_id, NODE_ID_SIZE) == 0)
            return node_fail(ST_USAGE, "[cluster] peer: this node itself",
                             links->peers[i].address);
    }
    return NODE_DRAINED;
}

enum node_exit node_read_link(struct node *node)
{
    struct nodecert_expected expected = {.role = node->options.cluster.archive
                                                     ? NODECERT_ARCHIVE
                                                     : NODECERT_BACKUP,
                                         .now_s = (int64_t)time(NULL)};
    struct nodecert certificate;
    enum nodecert_fault fault = NODECERT_GOOD;
    size_t size;
    enum node_exit exit =
        node_read_plain(node, node->link_certificate, &size,
                        sizeof node->link_certificate, FILE_LINK_CERT);

    if (exit != NODE_DRAINED)
        return exit;
    if (size != NODECERT_SIZE)
        return node_fail(ST_FILE_FORMAT, "certificate", FILE_LINK_CERT);
    memcpy(expected.authority_key, node->genesis.authority_key.b,
           PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    if (nodecert_verify(&certificate, &fault, node->link_certificate, &expected,
                        node->channel_key.public_key) != ST_OK)
        exit = link_judge(fault);
    if (exit != NODE_DRAINED)
        return exit;
    /* A fault above leaves what follows it unjudged. */
    nodecert_decode(&certificate, node->link_certificate);
    if (certificate.role != expected.role ||
        memcmp(certificate.node_id, node->node_id, NODE_ID_SIZE) != 0 ||
        memcmp(certificate.channel_key, node->channel_key.public_key,
               PUBLIC_KEY_SIZE) != 0 ||
        memcmp(certificate.receipt_key, node->identity.public_key,
               PUBLIC_KEY_SIZE) != 0)
        return node_fail(ST_CERTIFICATE,
                         "the certificate is of another node, role or key",
                         FILE_LINK_CERT);
    return link_check_peers(node);
}
