/*
 * nodes.h: the nodes of a cluster as a client tries them.
 *
 * The client goes through them in rounds.  Within a round a node is tried at
 * most once: first the one that was advised, then the one that worked last,
 * then the others in their order.  A round in which none would do ends with a
 * pause that grows.  So whatever nodes advise, an end comes, and many clients
 * of a cluster that is down do not hammer it.
 */
#ifndef DEFTER_CLIENT_NODES_H
#define DEFTER_CLIENT_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"

enum {
    NODES_MAX = ADDRESSES_MAX + 1, /* And one that was only advised. */
    NODE_REASON_SIZE = 96,
    NODES_REASON_SIZE = NODES_MAX * (NODE_REASON_SIZE + ADDRESS_SIZE_MAX + 4)
};

struct node_entry {
    char address[ADDRESS_SIZE_MAX + 1];
    bool tried; /* In this round. */
    int status; /* Why it would not do, the last time; 0: it was not tried. */
    char reason[NODE_REASON_SIZE];
};

/* Invariants: given >= 1; now < count; count is given, or given + 1 once there
 * was an address that only a node had named. */
struct nodes {
    struct node_entry at[NODES_MAX];
    uint32_t given;
    uint32_t count;
    uint32_t now;     /* Being tried, or serving. */
    uint32_t worked;  /* Did last. */
    uint32_t advised; /* To be tried next; NODES_MAX: none. */
};

/*
 * nodes_open(nodes, text):
 * Take "host:port,host:port,...": numeric hosts, IPv6 in brackets, blanks
 * around the commas.  What is there twice counts once.
 *
 * Returns: ST_OK; ST_USAGE for an address that does not read, or for none or
 *          more than ADDRESSES_MAX of them.
 */
NODISCARD enum status nodes_open(struct nodes *nodes, const char *text);

/* Whether ${address} is one that can be called: "host:port", numeric. */
bool nodes_address_reads(const char *address);

/* The address to call. */
const char *nodes_address(const struct nodes *nodes);

/* A node that must show the cluster's certificate said where to go; what is no
 * address, or was tried in this round, is not followed. */
void nodes_advise(struct nodes *nodes, struct slice address);

/* The node that is called has done something: the round is over. */
void nodes_worked(struct nodes *nodes);

/*
 * nodes_fail(nodes, status, reason):
 * The node that is called will not do; go to the next one.
 *
 * Returns: true if there is one that was not tried in this round; else the
 *          round is over, and the next one begins where it should.
 */
bool nodes_fail(struct nodes *nodes, int status, const char *reason);

/* Of a round that is over: what to tell of it as a whole.  Who says that he is
 * not the primary has accepted the login; one that a node refused and none
 * accepted is refused. */
int nodes_verdict(const struct nodes *nodes);
/* Each node that failed and why, into ${out} of NODES_REASON_SIZE bytes. */
void nodes_reasons(const struct nodes *nodes, char *out);

#endif
