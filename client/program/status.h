/*
 * status.h: what `defter status` has found out: each address asked, and the
 * members as the primary sees them.
 */
#ifndef DEFTER_CLIENT_PROGRAM_STATUS_H
#define DEFTER_CLIENT_PROGRAM_STATUS_H

#include "client/nodes.h"
#include "client/program/program.h"
#include "protocol/catalogue.h"

struct status_node {
    const char *address;
    struct defter *client;          /* Open: the rows are lent from it. */
    int status;                     /* 0: it answered; else why not, */
    char reason[NODES_REASON_SIZE]; /* in words. */
    struct rows_status rows;
};

struct status_report {
    struct nodes nodes; /* The addresses. */
    struct status_node at[ADDRESSES_MAX];
    uint32_t count;
    const struct status_node *primary; /* NULL: none answered. */
    char why[512];                     /* It is degraded; "": it is not. */
};

/* What realm R waits for after a change of primary. */
enum status_wait {
    STATUS_WAIT_NOTHING,
    STATUS_WAIT_REQUEST, /* failover.request of two persons of the owner. */
    STATUS_WAIT_APPROVAL /* failover.approve of the coordinating body. */
};
enum status_wait status_wait(const struct status_report *report);

/* The figure ${name} of a node that answered; empty if it has none. */
struct slice status_figure(const struct status_node *node, const char *name);

/* Entries that the node lacks of the primary's; false if that is not known. */
bool status_lag(const struct status_report *report,
                const struct status_node *node, uint64_t *lag_out);

void status_print_text(const struct program *program,
                       const struct status_report *report);
void status_print_json(const struct status_report *report);

#endif
