/*
 * peer_wire.h: frames between nodes with their headers, inside a record
 * (REPLICATION, section 3).
 *
 * The header is that of frame.h; flags and request_id are zero.  Their bodies
 * are peer.h's.
 */
#ifndef DEFTER_PROTOCOL_PEER_WIRE_H
#define DEFTER_PROTOCOL_PEER_WIRE_H

#include "protocol/peer.h"

/*
 * peer_wire_next(type_out, body_out, rest):
 * Take the frame at the front of ${*rest}, a record's plaintext or what is left
 * of it.
 *
 * Returns: ST_OK; ST_END if nothing is left; ST_FRAME for a length that does
 * not fit; ST_TYPE; ST_RESERVED for flags or a number that are not zero;
 *          ST_OP_VERSION.
 * Owns:    the body borrows ${*rest}.
 */
NODISCARD enum status peer_wire_next(uint8_t *type_out, struct slice *body_out,
                                     struct slice *rest);

/* Appends a whole frame.
 * Requires: ${type} is a peer's; body.size <= FRAME_BODY_SIZE_MAX. */
void peer_wire_write(struct writer *writer, uint8_t type, struct slice body);

#endif
