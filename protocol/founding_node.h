/*
 * founding_node.h: the files of a further node, as bytes, and what the nodes of
 * a cluster are told of each other (OPERATING, files).
 *
 * `defter node new` brings randomness and the authority's key, and writes what
 * comes out.
 */
#ifndef DEFTER_PROTOCOL_FOUNDING_NODE_H
#define DEFTER_PROTOCOL_FOUNDING_NODE_H

#include "protocol/founding.h"

enum {
    FOUNDING_NODE_FILES_MAX = 9,
    FOUNDING_NODE_SIZE_MAX = 8192,
    FOUNDING_NODE_LINE_SIZE_MAX = 32 + 2 * NODE_ID_SIZE + 2 * ADDRESS_SIZE_MAX
};

/* A node as the others know it. */
struct founding_peer {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    struct slice address;      /* For clients. */
    struct slice peer_address; /* For other nodes. */
};

struct founding_node_plan {
    struct founding_peer self;
    struct founding_peer peers[CONFIG_NODES_MAX - 1]; /* Those there are. */
    size_t peers_count;
    uint8_t minimum;
    int64_t now_s;
    const struct identity *authority;
    struct slice genesis; /* The cluster's. */
    struct slice log_key; /* A key file's bytes; of a backup, else empty. */
    uint8_t channel[KEY_SIZE], receipt[KEY_SIZE], keyring[KEY_SIZE],
        cosigner[KEY_SIZE]; /* Random. */
};

/* Invariant: the files' bytes lie in bytes[]. */
struct founding_node {
    struct founding_file files[FOUNDING_NODE_FILES_MAX]; /* In ".". */
    size_t files_count;
    uint8_t channel_key[PUBLIC_KEY_SIZE];
    uint8_t receipt_key[PUBLIC_KEY_SIZE];
    uint8_t cosigner_key[PUBLIC_KEY_SIZE];
    struct writer writer;
    uint8_t bytes[FOUNDING_NODE_SIZE_MAX];
};

/*
 * founding_node_make(out, plan):
 * Returns: ST_OK; ST_BAD_FIELD for an address that is empty or too long; what
 *          genesis_read() returns; ST_WRONG_ENV if genesis is of another
 *          authority.
 * Order:   ends with founding_node_wipe().
 */
NODISCARD enum status founding_node_make(struct founding_node *out,
                                         const struct founding_node_plan *plan);
void founding_node_wipe(struct founding_node *out);

/* The certificate with which a node meets others: role BACKUP or ARCHIVE. */
void founding_node_link(uint8_t out[NODECERT_SIZE],
                        const uint8_t server[NODECERT_SIZE], bool archive,
                        const struct identity *authority);

/* Appends the section [cluster] of a node's configuration. */
void founding_node_section(struct writer *out, bool archive,
                           struct slice listen, uint8_t minimum,
                           const struct founding_peer *peers,
                           size_t peers_count);

/* Appends "peer = ID backup|archive PEER-ADDRESS ADDRESS", as it stands there.
 */
void founding_node_peer(struct writer *out, const struct founding_peer *peer);

/* Appends "node = ID backup|archive ADDRESS PEER-ADDRESS", as it stands in the
 * operator's list of nodes. */
void founding_node_line(struct writer *out, const struct founding_peer *peer);

#endif
