/*
 * founding.h: the files of a new cluster, as bytes (OPERATING, files).
 *
 * `defter init` and `defterd --dev` bring randomness and write what comes out.
 */
#ifndef DEFTER_PROTOCOL_FOUNDING_H
#define DEFTER_PROTOCOL_FOUNDING_H

#include "protocol/genesis.h"
#include "protocol/keyfile.h"

enum founding_key {
    FOUNDING_AUTHORITY,
    FOUNDING_RECOVERY,
    FOUNDING_CHANNEL,
    FOUNDING_RECEIPT,
    FOUNDING_LOG,
    FOUNDING_KEYRING,
    FOUNDING_COSIGNER,
    FOUNDING_OPERATOR,
    FOUNDING_KEYS_COUNT
};

enum {
    FOUNDING_FILES_COUNT = FOUNDING_KEYS_COUNT + 4, /* Of a single node. */
    FOUNDING_FILES_MAX = FOUNDING_FILES_COUNT + 3,
    FOUNDING_SIZE_MAX = 8192,
    FOUNDING_CERTIFICATE_DAYS = 90
};

/* What is decided and what is drawn. */
struct founding_plan {
    struct slice origin; /* Name of the log. */
    struct slice owner;
    struct slice address;      /* On which the node listens. */
    struct slice peer_address; /* For other nodes; empty: a single node. */
    uint8_t minimum;           /* Members below which nothing is acknowledged;
                                * of a cluster. */
    uint8_t environment;       /* As in system.genesis. */
    uint16_t realms;
    int64_t now_s;
    uint8_t secrets[FOUNDING_KEYS_COUNT][KEY_SIZE]; /* Random. */
    uint8_t node_id[NODE_ID_SIZE];                  /* Random. */
    struct genesis_random genesis;                  /* Random. */
};

struct founding_file {
    const char *directory; /* "." for the cluster's own. */
    const char *name;
    bool is_secret; /* Mode 0600. */
    struct slice bytes;
};

/* Invariant: the files' bytes lie in bytes[]. */
struct founding {
    struct founding_file files[FOUNDING_FILES_MAX];
    uint32_t files_count;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct writer writer;
    uint8_t bytes[FOUNDING_SIZE_MAX];
};

/* The number of the cluster that the plan's authority makes. */
void founding_cluster_id(uint8_t out[CLUSTER_ID_SIZE],
                         const struct founding_plan *plan);

/*
 * founding_make(founding, plan):
 * Returns: ST_OK; ST_BAD_FIELD for a text that genesis refuses, or an origin
 *          under which nobody can sign a note.
 * Order:   ends with founding_wipe().
 */
NODISCARD enum status founding_make(struct founding *founding,
                                    const struct founding_plan *plan);
void founding_wipe(struct founding *founding);

#endif
