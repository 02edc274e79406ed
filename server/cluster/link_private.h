/*
 * link_private.h: what the files link*.c share.
 */
#ifndef DEFTER_SERVER_CLUSTER_LINK_PRIVATE_H
#define DEFTER_SERVER_CLUSTER_LINK_PRIVATE_H

#include "protocol/channel.h"
#include "protocol/record.h"
#include "server/cluster/link.h"
#include "server/cluster/link_address.h"

struct event;

enum link_phase { LINK_CONNECTING, LINK_HANDSHAKE, LINK_OPEN, LINK_DEAD };

enum {
    LINK_PEER_NONE = LINKS_PEERS_MAX, /* Not one of them. */
    LINK_TICK_MS = 50,
    LINK_RX_SIZE = RECORD_HEADER_SIZE + RECORD_SIZE_MAX,
    LINK_TX_SIZE_MIN = 64 * 1024
};

/*
 * One connection.
 *
 * Invariants: peer < peers_count once it is open, and from the start when it
 * dials; rx_size <= rx_capacity; tx_from <= tx_to; the record being gathered
 * has plain_size bytes behind tx_to + RECORD_HEADER_SIZE.
 */
struct link {
    struct links *home;
    struct link *next; /* Of those alive, or of the dead. */
    int fd;
    enum link_phase phase;
    bool dials;
    bool stranger; /* It came from no peer's address. */
    bool fresh;    /* No record came yet. */
    bool up_said;  /* That it is open, */
    int64_t up_ms; /* since when. */
    size_t peer;   /* LINK_PEER_NONE: it has not shown who it is. */
    struct link_address address;
    struct event *read_event;
    struct event *write_event;

    /* Milliseconds; 0: none. */
    int64_t handshake_deadline_ms;
    int64_t record_deadline_ms;
    int64_t stall_deadline_ms;

    struct channel channel;
    uint8_t first[LINK_HANDSHAKE_SIZE_MAX];
    uint8_t *rx; /* first, then LINK_RX_SIZE bytes. */
    size_t rx_size, rx_capacity;
    uint8_t *tx;
    size_t tx_from, tx_to, tx_capacity;
    size_t plain_size;
};

/*
 * Invariants: link is OPEN; dialing is not; a down is owed only for an up that
 * was told.
 */
struct links_place {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    bool is_dialed; /* This node dials. */
    struct link_address address;
    struct link *link;
    struct link *dialing;
    bool down_owed;
    bool failure_said;
    /* The last link ended as soon as it was open, as with a node of another
     * lineage: no more is said before one lasts. */
    bool brief;
    bool dropped; /* The last link was given up here: the next may be too. */
    int64_t dial_at_ms;
    uint32_t dial_delay_ms;
    bool receipt_known;
    uint8_t receipt_key[PUBLIC_KEY_SIZE];
};

struct links {
    struct event_base *base;
    struct links_user user;
    struct links_identity identity;
    struct links_place places[LINKS_PEERS_MAX];
    size_t places_count;
    struct link *alive;
    struct link *dead;       /* Freed by links_settle(). */
    size_t waiting;          /* Accepted, and not authenticated. */
    size_t strangers;        /* Of them. */
    uint32_t strangers_left; /* That may come in this second. */
    int64_t strangers_ms;
    bool settling;

    int listen_fd;
    uint16_t port;
    int64_t resume_ms; /* Accepts nothing until then; 0: accepts. */
    struct event *accept_event;
    struct event *tick_event;
    uint8_t *plain; /* RECORD_PLAINTEXT_SIZE_MAX. */

    uint64_t counts[LINK_REASONS_COUNT];
    uint64_t unsaid[LINK_REASONS_COUNT];
    int64_t said_ms[LINK_REASONS_COUNT]; /* 0: never. */
};

/* link.c */
/* A new link for ${fd}, which it takes; NULL if memory is short, or counts. */
struct link *link_begin(struct links *links, int fd,
                        const struct link_address *address);
/* Ends it; told and freed by links_settle(). */
void link_end(struct link *link, enum link_reason reason, const char *detail);
/* Counts what happened to ${address}, and says it, not too often. */
void link_note(struct links *links, enum link_reason reason,
               const struct link_address *address, const char *detail);

/* link_read.c: the read event's callback. */
void link_readable(int fd, short what, void *argument);

/* link_admit.c */
/* The peer is ${peer}, whose certificate was good: the link opens. */
void link_admit(struct link *link, size_t peer, const struct nodecert *cert);
/* Says that a link is open, once it has lasted where the last one did not. */
void link_say_up(struct link *link, int64_t now_ms);
/* Judges what an accepted link showed in message 3. */
void link_judge(struct link *link);
/* Whether the node that was dialed is the one that was meant. */
bool link_is_meant(struct link *link);

/* link_write.c */
/* Handshake bytes. */
void link_write(struct link *link, struct slice bytes);
/* One more frame in the record that is gathered. */
void link_put(struct link *link, uint8_t type, struct slice body);
/* Seals and sends what there is. */
void link_flush(struct link *link);
/* The write event's callback. */
void link_writable(int fd, short what, void *argument);

/* link_listen.c */
NODISCARD enum status link_listen(struct links *links, const char *address);
void link_listen_tick(struct links *links, int64_t now_ms);
/* Options of every link's socket. */
void link_set_options(int fd);

/* link_dial.c */
/* The connection stands: the handshake begins. */
void link_greet(struct link *link);
void link_dial_tick(struct links *links, int64_t now_ms);
/* An attempt ended without a link, or a link ended: try again, later. */
void link_dial_later(struct links *links, size_t peer);

#endif
