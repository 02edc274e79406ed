/*
 * session.h: one connection as a state machine: bytes in, bytes and events out.
 *
 *   CHANNEL --handshake--> LOGIN --AUTH_OK--> OPEN --BYE, error--> OVER
 *
 * It does no input, output or waiting of its own, so that the blocking client,
 * the event-driven one and tests run the same code.  The caller moves bytes:
 * session_output() to the socket, bytes of the socket to session_input().
 */
#ifndef DEFTER_CLIENT_SESSION_H
#define DEFTER_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/kdf.h"
#include "protocol/answer.h"
#include "protocol/channel.h"
#include "protocol/frame.h"
#include "protocol/identity.h"

enum session_phase {
    SESSION_CHANNEL,
    SESSION_LOGIN,
    SESSION_OPEN,
    SESSION_OVER
};

enum { SESSION_AGENT_SIZE_MAX = 64 };

/* Who logs in: by key, or by name and password (identity NULL). */
struct session_login {
    const uint8_t *authority_key; /* Pinned. */
    const struct identity *identity;
    const char *username;
    const char *password; /* UTF-8 NFC. */
    bool derive; /* By password: only derive its keys, then it is over. */
    uint16_t role;
    const char *agent;
    int64_t now_us; /* Wall clock, for the certificate. */
};

/* What a step of session_input() may tell. */
enum session_event_kind {
    SESSION_OPENED,   /* elsewhere; primary. */
    SESSION_ANSWERED, /* request_id; answer. */
    SESSION_FAULTED,  /* request_id; error: an ERROR for one request. */
    SESSION_ROWS,     /* request_id; rows. */
    SESSION_PROOF,    /* request_id; proof. */
    SESSION_ENTRY,    /* request_id of the WATCH; bytes: an entry. */
    SESSION_ADVISED,  /* advice. */
    SESSION_DERIVED   /* keys. */
};
struct session_event {
    enum session_event_kind kind;
    uint64_t request_id;
    struct answer answer;
    struct message_error error;
    struct message_rows rows;
    struct message_proof proof;
    struct message_advice advice;
    const struct kdf_keys *keys;
    struct slice bytes;
    bool elsewhere;       /* The node is not the primary; that is */
    struct slice primary; /* host:port, empty if the node does not know. */
};
/* Slices in the event are lent for the call. */
struct session_events {
    void *context;
    void (*happened)(void *context, const struct session_event *event);
};

struct session; /* Opaque. */

/*
 * session_open(session_out, login, events):
 * Returns: ST_OK; ST_INTERNAL if memory is short.
 * Owns:    gives ${*session_out}; keeps copies of the login's texts and key.
 */
NODISCARD enum status session_open(struct session **session_out,
                                   const struct session_login *login,
                                   const struct session_events *events);
/* Accepts NULL; wipes keys and buffers. */
void session_close(struct session *session);

/*
 * session_input(session, input):
 * Take bytes that came from the server; all of them are used.
 *
 * Returns: ST_OK; once the session is over, why: ST_CLOSED after BYE, the code
 *          of an ERROR that ended the connection, ST_CERTIFICATE, ST_HANDSHAKE,
 *          ST_REJECTED, ST_DECRYPT, or what a frame of the server broke.
 */
NODISCARD enum status session_input(struct session *session,
                                    struct slice input);

/* Bytes to be sent; lent until the next call.  Then session_sent(). */
struct slice session_output(const struct session *session);
void session_sent(struct session *session, size_t size);

enum session_phase session_phase(const struct session *session);
/* Why it is over, in words; "" while it is not. */
const char *session_reason(const struct session *session);

/* What the server granted; valid once open. */
const struct message_auth_ok *session_granted(const struct session *session);
/* The log's key as text (note.h), "" if the node named none. */
const char *session_log_key(const struct session *session);
const struct nodecert *session_certificate(const struct session *session);
/* Its NODECERT_SIZE bytes. */
const uint8_t *session_certificate_bytes(const struct session *session);
/* The signing key: the login's, or the one a password login brought. */
const struct identity *session_identity(const struct session *session);
/* Requests without an answer yet. */
uint32_t session_inflight(const struct session *session);
/* Server's clock less ours, microseconds, as of AUTH_OK or what came since. */
int64_t session_clock_offset_us(const struct session *session);
/* A receipt of now says ${server_us}: log time may be ahead of every clock. */
void session_clock_says(struct session *session, int64_t server_us,
                        int64_t now_us);

/*
 * Requests.  Each gives its request_id, 0 if the session is not open, the frame
 * does not fit, or the grant of requests in flight is used up.
 */
uint64_t session_command(struct session *session, struct slice body);
uint64_t session_query(struct session *session, uint16_t query,
                       struct slice fields);
uint64_t session_proof(struct session *session,
                       const struct message_proof_get *ask);
uint64_t session_watch(struct session *session, uint64_t index);
void session_credit(struct session *session, uint64_t watch, uint32_t frames,
                    uint32_t bytes);
void session_ping(struct session *session, int64_t time_us);
void session_bye(struct session *session);

#endif
