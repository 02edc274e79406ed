/*
 * wire.h: a client that may say anything: for tests of a running node.
 *
 * It goes as far as a test wants (connected, channel open, logged in) and then
 * sends the bytes it is given, right or wrong, and tells what comes back.
 */
#ifndef DEFTER_TESTS_LIB_WIRE_H
#define DEFTER_TESTS_LIB_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/channel.h"
#include "protocol/frame.h"
#include "protocol/identity.h"

struct wire {
    int fd;
    struct channel channel;
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t input[2 * (RECORD_SIZE_MAX + RECORD_HEADER_SIZE)];
    size_t input_size;
    uint8_t plain[RECORD_SIZE_MAX];
    struct slice rest; /* Frames of plain that were not given yet. */
    struct frame_gate gate;
    uint64_t request_id;
};

/* Each aborts the test if the node does not do its part. */
void wire_connect(struct wire *wire, uint16_t port);
void wire_handshake(struct wire *wire, const uint8_t *authority_key);
/* Handshake and AUTH_KEY; the answer is given as wire_receive() does. */
bool wire_login(struct wire *wire, uint16_t port, const uint8_t *authority_key,
                const struct identity *identity, uint16_t role);
/* wire_login(), but false also where the node closes without a word. */
bool wire_try_login(struct wire *wire, uint16_t port,
                    const uint8_t *authority_key,
                    const struct identity *identity, uint16_t role);
/* Connect wire->fd, a socket made before. */
void wire_reconnect(struct wire *wire, uint16_t port);
void wire_close(struct wire *wire);

/* Bytes as they are; a record of one or more frames; one frame. */
void wire_send_raw(struct wire *wire, const void *bytes, size_t size);
void wire_send_fin(struct wire *wire);
void wire_send_record(struct wire *wire, struct slice plain);
void wire_send_frame(struct wire *wire, uint8_t type, uint8_t flags,
                     uint16_t version, uint64_t request_id, struct slice body);
void wire_send(struct wire *wire, uint8_t type, const void *body);

/* More bytes in wire->input; 0 at the end.  A test that waits in vain fails. */
size_t wire_read_more(struct wire *wire);

/* wire_send(), but false if the node does not read within SO_SNDTIMEO; what
 * was begun is then lost. */
bool wire_try_send(struct wire *wire, uint8_t type, const void *body);

/* The next frame; false once the node has closed the connection. */
bool wire_receive(struct wire *wire, struct frame *frame_out);

/* Code and scope of the next frame, which must be an ERROR; 0 if the node
 * closed without one. */
uint16_t wire_error(struct wire *wire, uint8_t *scope_out);

/* True if the node closes now, having said nothing more. */
bool wire_closed_silently(struct wire *wire);
/* True if the node closes after what it has said. */
bool wire_closed(struct wire *wire);

#endif
