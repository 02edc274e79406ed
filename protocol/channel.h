/*
 * channel.h: preface, handshake and then records, for either side, without any
 * input or output of its own (PROTOCOL, sections 2 and 3).
 *
 *   client                                server
 *   CHANNEL_MSG2 (preface, msg1 sent)     CHANNEL_PREFACE
 *     | msg2, certificate good              | preface
 *     | -> msg3                           CHANNEL_MSG1
 *   CHANNEL_OPEN                            | msg1 -> msg2
 *                                         CHANNEL_MSG3
 *                                           | msg3
 *                                         CHANNEL_OPEN
 *   any state --failure--> CHANNEL_FAILED
 *
 * Handshake messages are u16 length || bytes; the prologue are the preface's
 * eight bytes as received.
 */
#ifndef DEFTER_PROTOCOL_CHANNEL_H
#define DEFTER_PROTOCOL_CHANNEL_H

#include "protocol/bytes.h"
#include "protocol/hello.h"
#include "protocol/limits.h"
#include "protocol/nodecert.h"
#include "protocol/noise.h"

enum { CHANNEL_MAJOR = 1, CHANNEL_MINOR_MAX = 0 };

enum {
    /* What a client has to send first, and what either side sends later. */
    CHANNEL_CLIENT_FIRST_SIZE = PREFACE_SIZE + 2 + HANDSHAKE_MSG1_SIZE,
    CHANNEL_OUTPUT_SIZE_MAX = 2 + HANDSHAKE_MSG3_SIZE_MAX
};

enum channel_state {
    CHANNEL_PREFACE,
    CHANNEL_MSG1,
    CHANNEL_MSG2,
    CHANNEL_MSG3,
    CHANNEL_OPEN,
    CHANNEL_FAILED
};

struct channel {
    enum channel_state state;
    struct noise noise; /* Wiped when the channel opens. */
    struct noise_cipher sender;
    struct noise_cipher receiver;
    uint8_t binding[HASH_SIZE]; /* The handshake hash, once open. */
    uint8_t static_secret[KEY_SIZE];
    uint8_t ephemeral_secret[KEY_SIZE];
    uint8_t certificate_bytes[NODECERT_SIZE]; /* The server's. */

    /* Server: what the client showed. */
    uint8_t peer_static[KEY_SIZE];
    uint8_t minor_max;
    bool link; /* Another node dials: its certificate is taken. */
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE_MAX];
    struct hello hello; /* Borrows ${payload}; the client's own before. */

    /* Client: how the server's certificate is judged. */
    struct nodecert_expected expected;
    struct nodecert certificate;
    enum nodecert_fault fault;
    uint8_t rejected_major_min; /* After ST_REJECTED. */
    uint8_t rejected_major_max;
};

/*
 * channel_serve(channel, static_secret, ephemeral_secret, certificate):
 * Begin the server's side.  All is copied; the ephemeral secret must be fresh.
 *
 * Order: ends with channel_wipe().
 */
void channel_serve(struct channel *channel, const uint8_t *static_secret,
                   const uint8_t *ephemeral_secret, const uint8_t *certificate);

/* The same for a node that another one dials: message 3 may hold a certificate,
 * which the caller judges with ${peer_static}. */
void channel_serve_link(struct channel *channel, const uint8_t *static_secret,
                        const uint8_t *ephemeral_secret,
                        const uint8_t *certificate);

/*
 * channel_connect(channel, out, static_secret, ephemeral_secret, expected,
 *                 hello):
 * Begin the client's side: append preface and message 1 to ${out}, which has
 * room for CHANNEL_CLIENT_FIRST_SIZE.
 *
 * Owns:  keeps the slices in ${hello} until the channel is open.
 * Order: ends with channel_wipe().
 */
void channel_connect(struct channel *channel, struct writer *out,
                     const uint8_t *static_secret,
                     const uint8_t *ephemeral_secret,
                     const struct nodecert_expected *expected,
                     const struct hello *hello);

/*
 * channel_step(channel, used_out, out, input):
 * Take what is there of the handshake and append to ${out}, which has room for
 * CHANNEL_OUTPUT_SIZE_MAX, what must be sent.  ${*used_out} bytes of ${input}
 * are done with; the rest is given again with what follows.
 *
 * Returns: ST_OK         the channel is open; what is left of the input are
 *                        records
 *          ST_AGAIN      more input is needed
 *          ST_VERSION    server: another major; send ${out}, then close
 *          ST_REJECTED   client: the server speaks the majors now in the
 *                        channel; nothing of that is authenticated
 *          ST_CERTIFICATE  client: channel->fault says why
 *          ST_HANDSHAKE  close without an answer
 *          ST_BAD_FIELD, ST_UNKNOWN_FIELD, ST_FIELD_ORDER, ST_FRAME,
 *          ST_TOO_LARGE  server: message 3 is genuine, but its payload is not
 *                        right; the channel is open, for an ERROR frame only
 *                        (between nodes: close it)
 * Requires: the channel is neither open nor failed.
 */
NODISCARD enum status channel_step(struct channel *channel, size_t *used_out,
                                   struct writer *out, struct slice input);

/* Wipes every key; the channel is failed from then on. */
void channel_wipe(struct channel *channel);

/*
 * channel_set_counters(channel, n):
 * For tests of the records' far end: both directions go on at ${n}.
 *
 * Requires: the channel is open and no record has passed.
 */
void channel_set_counters(struct channel *channel, uint64_t n);

#endif
