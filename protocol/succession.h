/*
 * succession.h: what the operator may sign, and on what evidence (REPLICATION,
 * manual mode).
 *
 * The tool asks every node that it reaches for a statement; what they say, and
 * what is wished for, gives the configuration to be signed or the reason why
 * nobody may sign it.
 */
#ifndef DEFTER_PROTOCOL_SUCCESSION_H
#define DEFTER_PROTOCOL_SUCCESSION_H

#include "protocol/statement.h"

/* One node of the operator's list. */
struct succession_node {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    bool reached; /* What follows was said by it, and verified. */
    struct statement statement;
    uint8_t bytes[STATEMENT_SIZE]; /* As it signed it. */
    uint8_t config[CONFIG_ENCODED_SIZE_MAX];
    size_t config_size;
};

struct succession_view {
    struct succession_node nodes[CONFIG_NODES_MAX];
    size_t nodes_count;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
};

/* What is wished for.  Enrolling and retiring are both CONFIG_NODES. */
struct succession_wish {
    enum config_why why;
    uint8_t node[NODE_ID_SIZE]; /* Who leads, joins, leaves, is enrolled. */
    uint8_t by[NODE_ID_SIZE];   /* REPLACE: who joins; PROMOTE_VIA, ADOPTED: the
                                 * member whose log is taken over. */
    bool retire;                /* CONFIG_NODES: the node goes. */
    uint8_t minimum; /* CONFIG_NODES and FORCED: a new one; 0: same. */
    uint8_t nonce[CONFIG_NONCE_SIZE]; /* Random. */
};

/* Why nothing may be signed; the first that applies. */
enum succession_fault {
    SUCCESSION_GOOD,
    SUCCESSION_NOBODY,         /* No node that has a configuration answers. */
    SUCCESSION_FOREIGN,        /* One is of another cluster or lineage. */
    SUCCESSION_EQUIVOCATION,   /* Two configurations of one number. */
    SUCCESSION_KIND,           /* This is not the operator's to do. */
    SUCCESSION_UNKNOWN_NODE,   /* The node is none of the cluster's. */
    SUCCESSION_PRIMARY_SILENT, /* The primary must ask for this, and does not
                                * answer or does not lead. */
    SUCCESSION_PRIMARY_LIVES,  /* The primary leads: it must hand over. */
    SUCCESSION_SILENT,         /* The node itself does not answer. */
    SUCCESSION_LOST,           /* It lacks, or has damaged, what it held. */
    SUCCESSION_BEHIND,         /* It lacks what others know is committed, or
                                * the newest configuration. */
    SUCCESSION_NOT_ACKED,      /* V5: the primary has no live acknowledgement
                                * from who is to join. */
    SUCCESSION_NOT_SEALED,     /* The primary still takes commands. */
    SUCCESSION_NO_NEED,        /* There is a way that loses less or waits
                                * less: a member that answers and is whole. */
    SUCCESSION_EPOCHS,         /* Epochs are used up. */
    SUCCESSION_CONFIG,         /* plan->config_fault says which rule. */
    SUCCESSION_FAULTS_COUNT
};
const char *succession_fault_text(enum succession_fault fault);
const char *succession_fault_text_az(enum succession_fault fault);

struct succession_plan {
    struct config older;
    uint8_t older_bytes[CONFIG_ENCODED_SIZE_MAX];
    size_t older_size;
    struct config newer; /* To be signed. */
    uint8_t newer_bytes[CONFIG_ENCODED_SIZE_MAX];
    size_t newer_size;
    enum config_fault config_fault;
    uint8_t evidence[HASH_SIZE]; /* Of the statements, in the list's order. */
    uint8_t concerned[NODE_ID_SIZE]; /* Of whom a fault speaks; or zeros. */
    bool witness_needed;
    /* FORCED: entries from ${kept} up to ${known} were committed and are lost,
     * and whatever nodes that do not answer committed after them.  Another node
     * that answers holds up to ${held} entries. */
    uint64_t kept;
    uint64_t known;
    uint64_t held;
};

/*
 * succession_take(node, bytes, receipt_key, config, cluster_id):
 * Take what a node said: its statement of STATEMENT_SIZE bytes, and its newest
 * configuration, which may be empty.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_BAD_SIG; ST_WRONG_ENV for another cluster;
 *          ST_CHECKSUM if the statement names another configuration or node.
 */
NODISCARD enum status succession_take(struct succession_node *node,
                                      struct slice bytes,
                                      const uint8_t *receipt_key,
                                      struct slice config,
                                      const uint8_t *cluster_id);

/*
 * succession_newest(plan, view):
 * The newest configuration that is known: plan->older, and its bytes.
 * Returns: GOOD, NOBODY, FOREIGN or EQUIVOCATION.
 */
enum succession_fault succession_newest(struct succession_plan *plan,
                                        const struct succession_view *view);

/*
 * succession_make(plan, view, wish):
 * Judge the wish and make what is to be signed.
 */
enum succession_fault succession_make(struct succession_plan *plan,
                                      const struct succession_view *view,
                                      const struct succession_wish *wish);

#endif
