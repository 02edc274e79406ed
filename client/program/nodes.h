/*
 * nodes.h: the operator's list of the cluster's nodes, nodes.conf.
 *
 *      [nodes]
 *      node = ID backup|archive ADDRESS PEER-ADDRESS
 */
#ifndef DEFTER_CLIENT_PROGRAM_NODES_H
#define DEFTER_CLIENT_PROGRAM_NODES_H

#include "client/program/file.h"
#include "protocol/limits.h"

enum { NODES_WORD_SIZE = 2 * NODE_ID_SIZE + 1 };

struct nodes_row {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    char address[ADDRESS_SIZE_MAX + 1];
    char peer_address[ADDRESS_SIZE_MAX + 1];
};

struct nodes {
    char path[FILE_PATH_SIZE_MAX];
    struct nodes_row rows[CONFIG_NODES_MAX];
    size_t count;
};

/* Read ${path}.  Gives an exit code; what is wrong has been said. */
int nodes_load(struct nodes *nodes, const char *path);

/* Add a row and write the file anew, whole.  Gives an exit code. */
int nodes_add(struct nodes *nodes, const struct nodes_row *row);

/*
 * nodes_named(nodes, row_out, word):
 * The node whose id is, or alone begins with, the at least four hex digits of
 * ${word}.  Gives an exit code; what is wrong has been said.
 */
int nodes_named(const struct nodes *nodes, const struct nodes_row **row_out,
                const char *word);

/* NULL if there is none. */
const struct nodes_row *nodes_row(const struct nodes *nodes,
                                  const uint8_t *node_id);

/* A numeric address and a port, with ${fixed} not 0; false, and it has been
 * said, for others. */
bool nodes_address(const char *option, const char *address, bool fixed);

#endif
