/*
 * link.h: links between nodes: authenticated, encrypted, on a port of their own
 * (REPLICATION).
 *
 * For each pair of nodes there is one link: the node with the greater node_id
 * dials, the other accepts.  The handshake is that of clients (channel.h), but
 * who dials shows a certificate too: its own, of a backup or an archive. Either
 * side takes the other only if the authority signed for it, it is of this
 * cluster, valid now and one of the peers in the configuration.  A newer
 * authenticated link of a peer replaces the older one.
 *
 *   dials:    CONNECTING -> HANDSHAKE --certificate good--> OPEN
 *   accepts:                HANDSHAKE --certificate good--> OPEN
 *   any --failure, drop, end--> DEAD
 *
 * What goes over a link are frames of peer.h, which are passed on as they are.
 * What a link may hold is bounded: LINK_HANDSHAKE_SIZE_MAX bytes before it is
 * authenticated, then one record and LINK_OUTPUT_SIZE_MAX of output.
 *
 * All links live on one event base and are touched by its thread alone.
 */
#ifndef DEFTER_SERVER_CLUSTER_LINK_H
#define DEFTER_SERVER_CLUSTER_LINK_H

#include "protocol/bytes.h"
#include "protocol/config.h"
#include "protocol/nodecert.h"
#include "server/cluster/cluster_say.h"

struct event_base;
struct links; /* Opaque. */

enum { LINKS_PEERS_MAX = CONFIG_NODES_MAX - 1 };

struct links_peer {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    char address[ADDRESS_SIZE_MAX + 1];
    char client[ADDRESS_SIZE_MAX + 1]; /* Where it serves clients; or "". */
};

struct links_options {
    char address[ADDRESS_SIZE_MAX + 1]; /* Where to listen; port 0: any. */
    struct links_peer peers[LINKS_PEERS_MAX];
    size_t peers_count;
};

/* What this node shows, and by what it judges others. */
struct links_identity {
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t channel_secret[KEY_SIZE];
    uint8_t certificate[NODECERT_SIZE];      /* As clients see it. */
    uint8_t link_certificate[NODECERT_SIZE]; /* Of a backup or an archive. */
};

/* Why a link was refused or ended; counted. */
#define LINK_REASONS(X)                                                   \
    X(busy, "too many wait that have not shown who they are")             \
    X(handshake, "the handshake failed")                                  \
    X(late, "the handshake took too long")                                \
    X(version, "another version of the protocol")                         \
    X(certificate, "the certificate is refused")                          \
    X(unknown, "the node is no peer of this one")                         \
    X(other_node, "another node than configured answers there")           \
    X(way, "the node with the greater number dials")                      \
    X(record, "a record that is too large, too slow or does not decrypt") \
    X(frame, "a frame that no node sends")                                \
    X(full, "more waits to be sent than may")                             \
    X(stalled, "it does not read")                                        \
    X(closed, "it was closed")                                            \
    X(replaced, "a newer link took its place")                            \
    X(dropped, "this node gave it up")                                    \
    X(connect, "it cannot be reached")                                    \
    X(memory, "memory or descriptors are short")
enum link_reason {
#define X(name, text) LINK_REASON_##name,
    LINK_REASONS(X)
#undef X
        LINK_REASONS_COUNT
};
const char *link_reason_text(enum link_reason reason);

/* What the owner is told, on the base's thread. ${peer} is a number in
 * options.peers.  Each up is followed by one down before the next up. */
struct links_user {
    void *context;
    void (*up)(void *context, size_t peer);
    void (*down)(void *context, size_t peer);
    /* ${body} is lent for the call. */
    void (*received)(void *context, size_t peer, uint8_t type,
                     struct slice body);
    cluster_say *say;
};

/*
 * links_open(links_out, base, options, identity, user):
 * Listen, and dial those whom this node dials, as the base runs.
 *
 * Requires: peers differ from each other and from this node; their addresses
 *           are such as link_address_read() reads.
 * Returns:  ST_OK; ST_USAGE for the address to listen on; ST_CONNECT if the
 *           system refuses it; ST_EXHAUSTED if memory or descriptors are short.
 * Owns:     copies what it is given; keeps ${base}.
 */
NODISCARD enum status links_open(struct links **links_out,
                                 struct event_base *base,
                                 const struct links_options *options,
                                 const struct links_identity *identity,
                                 const struct links_user *user);

/* Ends without calling back; accepts NULL. */
void links_close(struct links *links);

/*
 * links_send(links, peer, type, body):
 * Send a frame, if there is a link; it leaves with links_settle().  May be
 * called from the user's functions, as links_drop() may: a link that ends is
 * told of by links_settle() and never from within these calls.
 *
 * Requires: body.size <= FRAME_BODY_SIZE_MAX.
 */
void links_send(struct links *links, size_t peer, uint8_t type,
                struct slice body);
void links_drop(struct links *links, size_t peer);

/*
 * links_settle(links):
 * Send what is gathered, tell of links that ended.
 * Order: last in each pass of the base in which links_send() or links_drop()
 *        was called from elsewhere than the user's functions.
 */
void links_settle(struct links *links);

bool links_is_up(const struct links *links, size_t peer);

/* The key with which the peer signs receipts, as its certificate showed since
 * this start; false if it did not yet. */
bool links_receipt_key(const struct links *links, size_t peer,
                       uint8_t out[PUBLIC_KEY_SIZE]);

uint16_t links_port(const struct links *links);

/* How often. */
uint64_t links_count(const struct links *links, enum link_reason reason);

#endif
