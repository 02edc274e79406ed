/*
 * cluster.h: the cluster.conf and the key that a subcommand works with.
 */
#ifndef DEFTER_CLIENT_PROGRAM_CLUSTER_H
#define DEFTER_CLIENT_PROGRAM_CLUSTER_H

#include "client/program/program.h"

struct cluster {
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    char address[ADDRESS_SIZE_MAX + 1];
};

/* Read --cluster, $DEFTER_CLUSTER or ./cluster.conf.  Gives an exit code; what
 * is wrong has been said. */
int cluster_load(struct cluster *cluster, const struct program *program);

/* A client by --key or --user, not connected yet.  ${role} 0: --role's, or 4
 * (staff).  Gives an exit code; what is wrong has been said. */
int cluster_client(struct defter **client_out, const struct program *program,
                   uint16_t role);

/* The same, connected and logged in; close it in any case. */
int cluster_connect(struct defter **client_out, const struct program *program,
                    uint16_t role);

/* A line that is not shown on a terminal; ${*terminal_out}: a person typed it.
 * Gives an exit code. */
int cluster_ask(char *out, size_t size, const char *prompt, bool *terminal_out);

/* The seed in a key file of this cluster; wipe it.  Gives an exit code. */
int cluster_seed(uint8_t seed_out[SEED_SIZE], const char *path);

/* A role's number by name or number; 0 if there is none. */
uint16_t cluster_role(const char *text);

#endif
