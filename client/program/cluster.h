/*
 * cluster.h: the cluster.conf and the key that a subcommand works with.
 */
#ifndef DEFTER_CLIENT_PROGRAM_CLUSTER_H
#define DEFTER_CLIENT_PROGRAM_CLUSTER_H

#include "client/program/program.h"

struct cluster {
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    char addresses[ADDRESSES_SIZE_MAX + 1]; /* As defter_options takes them. */
};

/* Who logs in, asked once; for as many clients as are wanted. */
struct cluster_login {
    struct cluster cluster;
    struct defter_options options; /* Points into this. */
    uint8_t seed[SEED_SIZE];
    char password[PASSWORD_SIZE_MAX + 2];
};

/* Read --cluster, $DEFTER_CLUSTER or ./cluster.conf.  Gives an exit code; what
 * is wrong has been said. */
int cluster_load(struct cluster *cluster, const struct program *program);

/* The same for a verifier who was given no --authority: only the authority's
 * key, and where no file is there both ways to name it are said. */
int cluster_authority(uint8_t key_out[PUBLIC_KEY_SIZE],
                      const struct program *program);

/* The cluster, and --key or --user with the password.  ${role} as below.  Gives
 * an exit code; what is wrong has been said.  Order: cluster_login_wipe() in
 * any case. */
int cluster_login_read(struct cluster_login *login,
                       const struct program *program, uint16_t role);
void cluster_login_wipe(struct cluster_login *login);

/* Why a connection was not made, and what can be done about it; gives the exit
 * code. */
int cluster_say_failure(int status, const char *reason);

/* A client by --key or --user, not connected yet.  ${role} 0: --role's, or 4
 * (staff).  Gives an exit code; what is wrong has been said. */
int cluster_client(struct defter **client_out, const struct program *program,
                   uint16_t role);

/* The same, connected and logged in; close it in any case. */
int cluster_connect(struct defter **client_out, const struct program *program,
                    uint16_t role);

/* Say once, until this is called again, that a command waits because nothing is
 * written now. */
void cluster_watch_faults(struct defter *client, const struct program *program);

/* A line that is not shown on a terminal; ${*terminal_out}: a person typed it.
 * Gives an exit code. */
int cluster_ask(char *out, size_t size, const char *prompt, bool *terminal_out);

/* The seed in a key file of this cluster; wipe it.  Gives an exit code. */
int cluster_seed(uint8_t seed_out[SEED_SIZE], const char *path);

/* A role's number by name or number; 0 if there is none. */
uint16_t cluster_role(const char *text);

#endif
