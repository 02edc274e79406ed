/*
 * program.h: what the subcommands of `defter` share.
 */
#ifndef DEFTER_CLIENT_PROGRAM_PROGRAM_H
#define DEFTER_CLIENT_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "client/defter.h"
#include "protocol/limits.h"

/* Exit codes, the same in every subcommand. */
enum {
    EXIT_GOOD = 0,
    EXIT_REFUSED = 1, /* Refused by the server, or tampered with. */
    EXIT_INCOMPLETE = 2,
    EXIT_USAGE = 3
};

/* Options before the subcommand. */
struct program {
    const char
        *cluster;     /* cluster.conf; NULL: $DEFTER_CLUSTER, ./cluster.conf */
    const char *key;  /* Key file; NULL: $DEFTER_KEY. */
    const char *user; /* Log in by name and password. */
    const char *signer;  /* Sign with this key over --key's connection. */
    const char *address; /* Instead of the file's; may be a list. */
    const char *receipts;
    const char *role;    /* Name or number; NULL: what the operation needs. */
    uint32_t timeout_ms; /* Of one answer; 0: the usual. */
    bool any_node;       /* Stay with a node that does not lead. */
    bool json;
    bool azerbaijani;
    bool color;
};

/* A subcommand: argv[0] is its name. */
struct subcommand {
    const char *name;
    int (*run)(struct program *program, int argc, char **argv);
    const char *usage; /* Behind "usage: defter ". */
    const char *english;
    const char *azerbaijani;
};

int init_run(struct program *program, int argc, char **argv);
int node_run(struct program *program, int argc, char **argv);
int promote_run(struct program *program, int argc, char **argv);
int member_run(struct program *program, int argc, char **argv);
int switchover_run(struct program *program, int argc, char **argv);
int force_run(struct program *program, int argc, char **argv);
int certificate_run(struct program *program, int argc, char **argv);
int keygen_run(struct program *program, int argc, char **argv);
int prove_run(struct program *program, int argc, char **argv);
int proof_run(struct program *program, int argc, char **argv);
int checkpoint_run(struct program *program, int argc, char **argv);
int operation_run(struct program *program, int argc, char **argv);
int password_run(struct program *program, int argc, char **argv);
int shell_run(struct program *program, int argc, char **argv);
int load_run(struct program *program, int argc, char **argv);
int status_run(struct program *program, int argc, char **argv);
int extract_run(struct program *program, int argc, char **argv);
int verify_run(struct program *program, int argc, char **argv);
int archive_run(struct program *program, int argc, char **argv);
int export_run(struct program *program, int argc, char **argv);
int dump_run(struct program *program, int argc, char **argv);
int witness_run(struct program *program, int argc, char **argv);
int destroy_run(struct program *program, int argc, char **argv);
int bench_run(struct program *program, int argc, char **argv);

/* "defter: " and a sentence to standard error; gives ${code} back. */
__attribute__((format(printf, 2, 3))) int program_fail(int code,
                                                       const char *format, ...);

/* ${text} as a number from ${least} to ${most}, decimal or 0x...; false if it
 * is none or has anything behind it. */
bool program_number(uint64_t *out, const char *text, uint64_t least,
                    uint64_t most);

/* Wrong usage of the subcommand ${name}: how it is used, to standard error;
 * gives EXIT_USAGE. */
int program_usage(const char *name);

/* The subcommands, ended by one without a name. */
const struct subcommand *program_subcommands(void);

#endif
