/*
 * frame.h: frames: the header, the gate that judges it, and the bodies
 * (PROTOCOL, section 4).
 *
 * The plaintext of a record is one or more whole frames.  A gate belongs to one
 * direction of one connection and takes the frames one by one, so that those
 * before a bad one count.  It checks, in this order: length 104, type 106,
 * direction 107, flags 108, state 107 (COMMAND before login 200), request
 * number 109, version 401; then the body is decoded.
 *
 *             AUTH_KEY, PW_START              AUTH_OK
 *   CHAN ------------------------> waiting ------------> OPEN
 *    ^                               | |
 *    |  ERROR 201, 202               | | PW_PARAMS: CHAN, and one PW_PROVE
 *    +-------------------------------+ +--> is allowed; it waits in turn
 */
#ifndef DEFTER_PROTOCOL_FRAME_H
#define DEFTER_PROTOCOL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/catalogue.h"
#include "protocol/limits.h"

enum { FRAME_VERSION = 1, FRAME_FLAG_MORE = 1 };

struct frame {
    uint8_t type; /* enum message_number, once the gate has let it pass. */
    uint8_t flags;
    uint16_t version;
    uint64_t request_id;
    struct slice body;
};

enum frame_sender { FRAME_CLIENT, FRAME_SERVER };

/*
 * Invariants: a login waits only before login; a PW_PROVE is allowed only while
 * no login waits.
 */
struct frame_gate {
    enum frame_sender sender; /* Whose frames pass here. */
    bool open;                /* The login is done. */
    bool login_waits;         /* A login frame has no answer yet. */
    bool prove_allowed;       /* PW_PARAMS went out. */
    uint32_t pings_open; /* PINGs to the sender that it has not answered. */
    uint64_t request_id; /* The greatest that a client has used. */
};

void frame_gate_init(struct frame_gate *gate, enum frame_sender sender);

/*
 * What the receiver of a client's frames tells its gate:
 *   open     AUTH_OK is queued
 *   params   PW_PARAMS is queued
 *   refused  an ERROR to a login frame is queued
 *   pinged   a PING to the sender is queued (the client's receiver as well)
 */
void frame_gate_open(struct frame_gate *gate);
void frame_gate_params(struct frame_gate *gate);
void frame_gate_refused(struct frame_gate *gate);
void frame_gate_pinged(struct frame_gate *gate);

/*
 * frame_next(gate, frame_out, rest):
 * Take the frame at the front of ${*rest}, a record's plaintext or what is left
 * of it.
 *
 * Returns: ST_OK; ST_END if nothing is left; otherwise the code to answer.
 *          ${*frame_out} then holds what could be read of the header, a
 *          request_id of 0 if it could not; after ST_OP_VERSION alone the frame
 *          behind it may be taken, and ${*frame_out} is whole.
 * Owns:    the body borrows ${*rest}.
 */
NODISCARD enum status frame_next(struct frame_gate *gate,
                                 struct frame *frame_out, struct slice *rest);

/* The decoded body of any frame but COMMAND, EVENT and PAD. */
union frame_body {
#define MESSAGE(number, lower, UPPER, route, when) struct message_##lower lower;
    MESSAGE_LIST(MESSAGE)
#undef MESSAGE
};

/*
 * frame_decode(gate, out, error_out, frame):
 * Decode and judge the body of a frame that passed the gate.  COMMAND and EVENT
 * are left to command.h and entry.h; of ANSWER, answer.h reads the rest; PAD is
 * judged here and has no body.
 *
 * Returns: ST_OK; what schema_decode() returns, ST_FRAME in place of
 *          ST_TRAILING; ST_RESERVED for a reserved field that is not zero;
 *          ST_TOO_LARGE for a PAD over its limit.
 * Owns:    slices in ${*out} borrow the frame.
 */
NODISCARD enum status frame_decode(const struct frame_gate *gate,
                                   union frame_body *out,
                                   struct field_error *error_out,
                                   const struct frame *frame);

/*
 * frame_scope(gate, status, frame):
 * What an ERROR with ${status} about ${frame} ends.  Before login everything
 * but a refused login ends the connection; so does whatever has no request
 * number to answer to.
 */
enum status_scope frame_scope(const struct frame_gate *gate, enum status status,
                              const struct frame *frame);

/*
 * frame_begin and frame_end enclose the body of a frame that is written to
 * ${writer}; begin returns what end needs.
 *
 * frame_end() Requires: the frame is at most FRAME_SIZE_MAX, or the writer has
 *                       failed already.
 */
size_t frame_begin(struct writer *writer, uint8_t type, uint8_t flags,
                   uint64_t request_id);
void frame_end(struct writer *writer, size_t begin);

/*
 * frame_write(writer, type, request_id, in):
 * A whole frame whose body is the struct of ${type}'s schema at ${in}.
 *
 * Requires: ${type} is in the catalogue and its body is not laid out elsewhere.
 */
void frame_write(struct writer *writer, uint8_t type, uint64_t request_id,
                 const void *in);

/* Requires: size <= PAD_SIZE_MAX. */
void frame_write_pad(struct writer *writer, size_t size);

#endif
