/*
 * operator.h: what the commands share with which the operator changes who is
 * primary and who must agree, where no register decides (OPERATING, several
 * nodes).
 *
 * Each asks the nodes for signed statements, judges the wish
 * (protocol/succession.h), shows in words what would be signed and on what
 * evidence, makes its state durable, signs, has the archive countersign, saves
 * the certificate and hands it to every node that answers.
 */
#ifndef DEFTER_CLIENT_PROGRAM_OPERATOR_H
#define DEFTER_CLIENT_PROGRAM_OPERATOR_H

#include "client/program/nodes_conf.h"
#include "client/program/program.h"
#include "client/sign_store.h"
#include "protocol/succession.h"

enum {
    OPERATOR_TIMEOUT_MS = 5000,
    OPERATOR_WAIT_S = 60,
    OPERATOR_VALID_S = 24 * 3600,
    OPERATOR_WHY_SIZE = 160,
    OPERATOR_NAME_SIZE = 65
};

/* The modes of cluster.statement. */
enum operator_mode { MODE_UNKNOWN, MODE_SINGLE, MODE_MANUAL, MODE_ETCD };

/* What is not in the view of succession.h; in its order, the list's. */
struct operator_node {
    const struct nodes_conf_row *row;
    struct defter *client; /* Connected if it answers. */
    enum operator_mode mode;
    uint8_t receipt_key[PUBLIC_KEY_SIZE];
    char why_not[OPERATOR_WHY_SIZE]; /* Not reached. */
    bool left_out;                   /* By --without. */
};

struct operator_job {
    struct program program;
    const char *command; /* Name of the subcommand, for usage. */
    const char *nodes_path, *state_path, *authority_path, *out_path;
    const char *via; /* Of promote. */
    uint8_t minimum; /* Of force; 0: as it is. */
    bool yes, no_deliver;
    int64_t valid_s;
    int64_t wait_s; /* Until a primary has handed everything over. */
    const char *without[CONFIG_NODES_MAX];
    size_t without_count;
    struct nodes_conf nodes;
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    struct identity identity; /* The operator's. */
    struct operator_node known[CONFIG_NODES_MAX];
    struct succession_view view;
    struct succession_wish wish;
    struct succession_plan plan;
    enum succession_fault fault;
    char name[OPERATOR_NAME_SIZE]; /* Of the cluster; FORCED. */
    struct sign_store *store;
    uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
    size_t certificate_size;
    char saved[FILE_PATH_SIZE_MAX]; /* Where; "": not. */
    char paper[SIGN_PAPER_SIZE];
    bool named;       /* To the primary, which waits for the node now. */
    bool unwitnessed; /* Signed, but no archive countersigned. */
    struct operator_delivery {
        bool tried;
        uint16_t code;
        char text[OPERATOR_WHY_SIZE];
    } delivered[CONFIG_NODES_MAX];
};

/*
 * operator_begin(job, program, argc, argv, words_out):
 * Options, files and keys.  ${*words_out} is the first of what is left of
 * argv.  Each of these gives an exit code; what is wrong has been said.
 * Order: ends with operator_end(), whatever it gave.
 */
int operator_begin(struct operator_job *job, const struct program *program,
                   int argc, char **argv, int *words_out);
void operator_end(struct operator_job *job);

/* Ask every node how it is. */
int operator_ask_all(struct operator_job *job);

/*
 * operator_ask_primary(job, about, wait_sealed):
 * Ask the primary of the newest configuration to state what is wished for about
 * a node, if it answers; with ${wait_sealed} until it has stopped.
 */
int operator_ask_primary(struct operator_job *job, const uint8_t *about,
                         bool wait_sealed);

/* Ask the node of the wish until it leads; false: not within job->wait_s. */
bool operator_await_leader(struct operator_job *job);

/* The cluster's name, from any node that answers; else its number. */
void operator_ask_name(struct operator_job *job);

/* What every node said, what is wished for, and whether it may be signed. */
void operator_say(const struct operator_job *job);
/* The first of these alone. */
void operator_say_nodes(const struct operator_job *job);
/* The same with what came of it, as JSON. */
void operator_say_json(const struct operator_job *job);
/* What came of it. */
void operator_say_done(const struct operator_job *job);
/* The command that is to follow what was signed, and the same in words. */
enum { OPERATOR_NEXT_SIZE = 80 };
void operator_next(const struct operator_job *job,
                   char out[OPERATOR_NEXT_SIZE]);
void operator_say_next(const struct operator_job *job);
/* A certificate in words. */
int operator_say_certificate(const struct program *program, const char *path,
                             struct slice certificate);

/* Let a person agree; EXIT_REFUSED if he does not. */
int operator_confirm(const struct operator_job *job);

/* Durable state, signatures, witness, file. */
int operator_sign(struct operator_job *job);

/* The same for the certificate that the state holds. */
int operator_sign_again(struct operator_job *job);

/* Hand job->certificate to every node that answers. */
int operator_deliver(struct operator_job *job);

/* Words of the two languages. */
#define OPERATOR_WORDS(options, in_english, in_azerbaijani) \
    ((options)->azerbaijani ? (in_azerbaijani) : (in_english))

/* The first eight digits of a node's id. */
enum { OPERATOR_SHORT_SIZE = 9 };
void operator_short(char out[OPERATOR_SHORT_SIZE], const uint8_t *node_id);

#endif
