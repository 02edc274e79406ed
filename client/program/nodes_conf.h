/*
 * nodes_conf.h: the operator's list of the cluster's nodes, nodes.conf.
 *
 *      [nodes]
 *      node = ID backup|archive ADDRESS PEER-ADDRESS
 */
#ifndef DEFTER_CLIENT_PROGRAM_NODES_CONF_H
#define DEFTER_CLIENT_PROGRAM_NODES_CONF_H

#include "client/program/file.h"
#include "protocol/limits.h"

enum { NODES_WORD_SIZE = 2 * NODE_ID_SIZE + 1 };

struct nodes_conf_row {
    uint8_t node_id[NODE_ID_SIZE];
    bool archive;
    char address[ADDRESS_SIZE_MAX + 1];
    char peer_address[ADDRESS_SIZE_MAX + 1];
};

struct nodes_conf {
    char path[FILE_PATH_SIZE_MAX];
    struct nodes_conf_row rows[CONFIG_NODES_MAX];
    size_t count;
};

/* Read ${path}.  Gives an exit code; what is wrong has been said. */
int nodes_conf_load(struct nodes_conf *nodes, const char *path);

/* Add a row and write the file anew, whole.  Gives an exit code. */
int nodes_conf_add(struct nodes_conf *nodes, const struct nodes_conf_row *row);

/*
 * nodes_conf_named(nodes, row_out, word):
 * The node whose id is, or alone begins with, the at least four hex digits of
 * ${word}.  Gives an exit code; what is wrong has been said.
 */
int nodes_conf_named(const struct nodes_conf *nodes,
                     const struct nodes_conf_row **row_out, const char *word);

/* NULL if there is none. */
const struct nodes_conf_row *nodes_conf_row(const struct nodes_conf *nodes,
                                            const uint8_t *node_id);

/* A numeric address and a port, with ${fixed} not 0; false, and it has been
 * said, for others. */
bool nodes_conf_address(const char *option, const char *address, bool fixed);

#endif
