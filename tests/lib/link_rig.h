/*
 * link_rig.h: nodes with links between them over 127.0.0.1, all on one event
 * base in one thread, and a peer that may say anything.
 *
 * A node's number is the byte that its node_id is filled with, so that the
 * order in which they dial is plain: the greater dials.
 */
#ifndef DEFTER_TESTS_LIB_LINK_RIG_H
#define DEFTER_TESTS_LIB_LINK_RIG_H

#include "protocol/channel.h"
#include "server/cluster/link.h"

struct event_base;

enum { RIG_NODES_MAX = 4, RIG_SEEN_MAX = 2048 };

/* A frame that came, as its type, size and a sum of its bytes. */
struct link_rig_seen {
    size_t peer;
    uint8_t type;
    size_t size;
    uint32_t sum;
};

struct link_rig_node {
    struct link_rig *rig;
    uint8_t number;
    struct links *links;
    struct links_identity identity;
    struct links_options options;
    size_t ups[LINKS_PEERS_MAX];
    size_t downs[LINKS_PEERS_MAX];
    struct link_rig_seen seen[RIG_SEEN_MAX];
    size_t seen_count;
    bool echoes;                      /* Sends back what comes. */
    bool drops;                       /* Drops the link at each frame. */
    char line[CLUSTER_LINE_SIZE_MAX]; /* Said last. */
    size_t lines;
};

struct link_rig {
    struct event_base *base;
    struct link_rig_node nodes[RIG_NODES_MAX];
};

/* What a certificate says; link_rig_certificate() fills it in rightly. */
struct link_rig_claim {
    struct nodecert cert;
    uint8_t authority; /* The seed's byte; RIG_AUTHORITY is right. */
};
enum { RIG_AUTHORITY = 1 };

void link_rig_open(struct link_rig *rig);
void link_rig_close(struct link_rig *rig);

/* The secret and the public channel key of a node. */
void link_rig_channel_key(uint8_t secret[KEY_SIZE],
                          uint8_t public_key[KEY_SIZE], uint8_t number);
struct link_rig_claim link_rig_claim(uint8_t number, uint16_t role);
void link_rig_sign(uint8_t out[NODECERT_SIZE],
                   const struct link_rig_claim *claim);

/* A node, not listening yet; then a peer of it; then it listens and dials. */
struct link_rig_node *link_rig_node(struct link_rig *rig, uint8_t number);
void link_rig_peer(struct link_rig_node *node, uint8_t number, bool archive,
                   uint16_t port);
void link_rig_start(struct link_rig_node *node);
/* Two nodes that are each other's backups; the second has the greater number.
 */
void link_rig_pair(struct link_rig *rig);

/* Lets the base run until ${*value} is at least ${least}. */
void link_rig_until(struct link_rig *rig, const size_t *value, size_t least);
/* Until a reason was counted. */
void link_rig_until_count(struct link_rig *rig,
                          const struct link_rig_node *node,
                          enum link_reason reason, uint64_t least);
/* Whatever can happen at once, happens. */
void link_rig_turn(struct link_rig *rig);

uint32_t link_rig_sum(struct slice bytes);

/* ---- A peer that may say anything --------------------------------------- */

struct link_rig_wire {
    struct link_rig *rig;
    int fd;
    struct channel channel;
    uint8_t sent[1024]; /* What the handshake sent. */
    size_t sent_size;
    bool closed; /* The other side has. */
    size_t took; /* Bytes that came after the handshake. */
};

/* From 127.0.0.${host}. */
void link_rig_wire_connect(struct link_rig_wire *wire, struct link_rig *rig,
                           uint16_t port, uint8_t host);
/* The whole handshake with the channel key of ${number}, showing ${certificate}
 * (NULL: none); false if the other side closes before its message 2. */
bool link_rig_wire_handshake(struct link_rig_wire *wire, uint8_t number,
                             const uint8_t *certificate);
void link_rig_wire_raw(struct link_rig_wire *wire, const void *bytes,
                       size_t size);
void link_rig_wire_record(struct link_rig_wire *wire, struct slice plain);
/* One frame with any header. */
void link_rig_wire_frame(struct link_rig_wire *wire, uint8_t type,
                         uint8_t flags, uint16_t version, uint64_t request_id,
                         struct slice body);
/* Reads off until the other side has closed. */
void link_rig_wire_until_closed(struct link_rig_wire *wire);
void link_rig_wire_close(struct link_rig_wire *wire);

#endif
