/*
 * host.h: the real environment of the replica: one thread with an event base
 * that owns it.
 *
 * Whatever happens (frames, timers, jobs done, what the register says, entries
 * submitted, an operator's wish) becomes an event of replica_step(), and what
 * that answers is carried out in its order.  replica_step() is called from one
 * place (host_step) and by this thread alone; other threads reach it by mail.
 *
 *   host_open -> host_start -> host_stop -> host_close
 */
#ifndef DEFTER_SERVER_CLUSTER_HOST_H
#define DEFTER_SERVER_CLUSTER_HOST_H

#include "protocol/files.h"
#include "protocol/statement.h"
#include "server/cluster/host_pipeline.h"
#include "server/cluster/link.h"
#include "server/cluster/register.h"

/* Files in the node's directory by which an operator hands in a certificate in
 * manual mode: looked at once a second, and renamed to one of the others. */
#define HOST_FILE_INCOMING FILE_INCOMING_CERT
#define HOST_FILE_TAKEN    "taken.certificate"
#define HOST_FILE_REFUSED  "refused.certificate"

/* Invariant: replica.peers and links.peers name the same nodes, in the same
 * order. */
struct host_options {
    struct replica_options replica;
    struct links_options links;
    struct links_identity identity;
    uint8_t operator_key[PUBLIC_KEY_SIZE]; /* Of certificates; genesis'. */
    uint8_t receipt_key[PUBLIC_KEY_SIZE];  /* This node's own. */
};

/* Borrowed until host_close(). */
struct host_parts {
    struct disk *disk;
    struct journal *journal;
    struct meta *meta;                   /* Begun. */
    const struct journal_report *report; /* What opening the log found. */
    struct storage_keys keys;
};

/*
 * host_open(host_out, options, parts, reg, calls):
 * Open replica, links and register; nothing runs yet.
 *
 * Returns: ST_OK; ST_USAGE or ST_CONNECT as links_open(); ST_EXHAUSTED; what
 *          the register's open or replica_open() returns.
 * Owns:    copies ${options}, ${reg} and ${calls}.
 */
NODISCARD enum status host_open(struct host **host_out,
                                const struct host_options *options,
                                const struct host_parts *parts,
                                const struct cluster_register *reg,
                                const struct host_calls *calls);

NODISCARD enum status host_start(struct host *host);

/*
 * host_stop(host):
 * Answer who waits, end the thread, finish what the disk was given, cut the
 * links, and then take this node's sign of life out of the register.  Whoever
 * submits or asks later is refused.
 * Order: after the pipeline has drained; before the journal is closed.
 */
void host_stop(struct host *host);

/* Accepts NULL. */
void host_close(struct host *host);

/*
 * host_send(host, node_id, frame):
 * Send CHECKPOINT, COSIGNED, CONFIRM or SNAPSHOT_ASK to a node, or to all when
 * ${node_id} is NULL; it is lost where there is no link.  Any thread; never
 * waits.
 *
 * Requires: the frame is within its bounds (messages.def).
 */
struct peer_frame;
void host_send(struct host *host, const uint8_t *node_id,
               const struct peer_frame *frame);

/* Port of the links. */
uint16_t host_port(const struct host *host);

/* ---- An operator's questions -------------------------------------------- */

enum host_question {
    HOST_STATUS,   /* What the node is. */
    HOST_CONFIG,   /* The newest configuration: bytes. */
    HOST_CERT,     /* Its certificate: bytes; none with a register. */
    HOST_STATE,    /* What it may state of itself, unsigned: why, node_id. */
    HOST_CERTIFY,  /* Here is a certificate: bytes. */
    HOST_HAND_OVER /* Let node_id lead. */
};

enum { HOST_WAIT_MS = 2000 };

struct host_query {
    enum host_question question;
    enum config_why why;
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t bytes[CONFIG_CERT_SIZE_MAX]; /* CERTIFY in, CONFIG out. */
    size_t bytes_size;
    struct replica_status status;
    struct statement statement;
    char refusal[CLUSTER_LINE_SIZE_MAX]; /* CERTIFY: why not. */
};

/*
 * host_ask(host, query, wait_ms):
 * Ask, and wait for the answer in ${query}.  Any thread but the host's.
 *
 * Returns: ST_OK; ST_TIMEOUT, and the question may still be carried out;
 *          ST_DRAINING if the host has stopped; CONFIG: ST_NO_SUCH if there is
 *          none; STATE: what replica_state() returns; CERTIFY: ST_CERTIFICATE,
 *          ST_FILE_FORMAT, ST_BUSY (see host_certificate.c).
 */
NODISCARD enum status host_ask(struct host *host, struct host_query *query,
                               uint32_t wait_ms);

#endif
