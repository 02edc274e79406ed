/*
 * client_state.h: what the files of the client share.
 */
#ifndef DEFTER_CLIENT_CLIENT_STATE_H
#define DEFTER_CLIENT_CLIENT_STATE_H

#include <stdbool.h>

#include "client/defter.h"
#include "client/nodes.h"
#include "client/receipt_store.h"
#include "client/session.h"
#include "protocol/command_build.h"

enum {
    CLIENT_TIMEOUT_MS_DEFAULT = 30000,
    CLIENT_RETRY_MS_MIN = 50,
    CLIENT_RETRY_MS_SOON = 500, /* The longest in the first while. */
    CLIENT_SOON_MS = 15000,
    CLIENT_RETRY_MS_MAX = 2000,
    CLIENT_ADVISED_MS_MAX = 5000, /* As long as a node may make us wait. */
    /* Without a byte while one is awaited: then a PING, then the next node. */
    CLIENT_SILENCE_MS_MAX = 5000,
    CLIENT_RESIGN_MAX = 3,
    CLIENT_COMMAND_SIZE_MAX = FRAME_BODY_SIZE_MAX
};

/* A node's clock that is further off is not believed: commands would be signed
 * for a time that is not now. */
#define CLIENT_CLOCK_OFF_US_MAX INT64_C(86400000000)

struct defter_command {
    uint8_t realm;
    uint16_t flags;
    uint64_t counter;
    bool has_signer;
    struct identity signer;
    /* Items as they will stand in the body: clear, salt, fields. */
    uint8_t *items;
    size_t items_size, items_capacity;
    uint16_t items_count;
    /* Signed: the body to send, the same each time. */
    uint8_t *body;
    size_t body_size;
    uint8_t hash[HASH_SIZE];
    uint8_t signed_by[KEY_ID_SIZE];
    /* On its way. */
    struct defter_command *next;
    uint64_t request_id; /* 0: to be sent (again). */
    int64_t until_ms;    /* Faults that pass are waited out until then. */
    bool lost;           /* These bytes went out and nothing came back. */
    struct defter_answer fault; /* The last that passed; code 0: none. */
    void *context;
    void (*answered)(void *context, struct defter_command *command, int status,
                     const struct defter_answer *answer);
};

struct defter {
    char addresses[ADDRESSES_SIZE_MAX + 1];
    struct nodes nodes;
    bool any_node;
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    bool by_password;
    struct identity identity; /* Of the login by key. */
    char username[USERNAME_SIZE_MAX + 1];
    char password[PASSWORD_SIZE_MAX + 1];
    bool derive;             /* Its sessions end with SESSION_DERIVED, */
    bool has_derived;        /* which has happened, */
    struct kdf_keys derived; /* and gave these. */
    uint16_t role;
    char agent[SESSION_AGENT_SIZE_MAX + 1];
    struct receipt_store *receipts;
    uint32_t timeout_ms;
    char reason[NODES_REASON_SIZE + 32];

    int fd; /* -1: not connected. */
    struct session *session;
    bool opened;       /* AUTH_OK came, of a node that will do. */
    bool leaving;      /* It will do no more. */
    int64_t heard_ms;  /* The last bytes from it. */
    int64_t pinged_ms; /* 0: it was heard since. */
    uint32_t advised_ms;
    /* No call before that, and the last pause; no sending before, likewise. */
    int64_t pause_until_ms, pause_ms;
    int64_t trouble_ms; /* When pauses began; 0: there is no trouble. */
    int64_t hold_until_ms, hold_ms;
    struct defter_command *pending;
    struct defter_command **pending_last;
    size_t pending_count;
    void *fault_context;
    void (*fault_passes)(void *context, int code); /* NULL: nobody is told. */
    int receipt_failed; /* A receipt did not verify: no more is believed. */

    bool query_wanted;
    bool query_is_proof; /* It is proof_get; its answer proof, */
    struct message_proof_get proof_get;
    struct message_proof proof; /* whose data are rows. */
    uint16_t query;
    struct slice query_fields;
    uint64_t query_request; /* 0: to be sent (again). */
    uint8_t *rows;
    size_t rows_size;
    int query_status;

    uint8_t *result; /* Of the last defter_call(). */
    uint64_t watch_request;
    void *watch_context;
    void (*watch_entry)(void *context, const uint8_t *bytes, size_t size);
};

/* client_call.c: ask once; the answer is in client->proof.  Gives its status.
 */
int client_ask(struct defter *client, const struct message_proof_get *ask,
               int64_t deadline_ms);

enum { PROOF_WITNESSED = 3 }; /* PROOF's standing. */

/* client_proof.c: as defter_proof_entry() by the best checkpoint; of a node
 * that calls checkpoints witnessed, the next such one is waited for a little.
 */
int client_proof_witnessed(struct defter *client, uint64_t index,
                           const uint8_t leaf[HASH_SIZE],
                           struct defter_proof *out);

/* client_proof.c: what shows the outcome of entry ${index}, waiting until it is
 * attested; in client->proof, whose data are client->rows. */
int client_proof_outcome(struct defter *client, uint64_t index);

/*
 * client_tie.c:
 * client_tie(client, file, proof_bytes, receipt):
 * The entry of the file that ${receipt} is of, if it lacks it, the attestation,
 * and a proof of both; ${proof_bytes} holds TLOG_PROOF_SIZE_MAX.  Where that
 * fails, as much of it as there is.
 *
 * Returns: ST_OK; ST_NO_SUCH if the command is forgotten, or another node
 *          attested it; ST_BUSY if it did not come in time; else as
 *          defter_call().
 */
struct extract_file;
struct receipt;
int client_tie(struct defter *client, struct extract_file *file,
               uint8_t *proof_bytes, const struct receipt *receipt);

/* client_command.c */
int client_sign(struct defter_command *command, const struct defter *client,
                int64_t now_us);
/* client_dial.c: a connecting socket, or -1 and errno. */
int client_dial(const char *address);

/* client_events.c: what the session tells. */
void client_happened(void *context, const struct session_event *event);
/* client_cluster.c: from node to node. */
/* Whether ERROR ${code} passes: the same bytes are sent again. */
bool client_is_passing(int code);
/* Send no command for a while, at least for ${least_ms}. */
void client_hold(struct defter *client, uint32_t least_ms);
/* The node has done something. */
void client_worked(struct defter *client);
void client_opened(struct defter *client, const struct session_event *event);
void client_advised(struct defter *client, const struct message_advice *advice);
/* The node will do no more: this step ends with the next one. */
void client_leave(struct defter *client);
/* The connection, or the try to have one, has ended with ${status} and
 * client->reason.  Gives what the step is to give: 0 while there are nodes that
 * were not tried and no session was lost. */
int client_move_on(struct defter *client, int status);
/* Whether the node owes us something. */
bool client_awaits(const struct defter *client);
/* ST_CONNECT if it has been silent for too long; first it gets a PING. */
int client_check_silence(struct defter *client);
/* ST_TIMEOUT, and what each node did. */
int client_out_of_time(struct defter *client);

/* client_step.c: send what waits, as far as the server's grant goes. */
void client_send_pending(struct defter *client);

int client_fail(struct defter *client, int status, const char *reason);
int64_t client_wall_us(void);
/* What is signed by a clock far ahead stays good until then: that is for a
 * person to decide. */
bool client_clock_is_credible(int64_t server_us);
/* The time to sign by: the server's, or our own where that is not credible. */
int64_t client_signing_us(const struct defter *client);
int64_t client_steady_ms(void);
void client_drop(struct defter *client);

#endif
