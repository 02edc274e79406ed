/*
 * witness_http.h: a witness over HTTP/1.1, on a libevent base.
 *
 *     POST /add-checkpoint           witness_add_checkpoint()
 *     GET  /HASH/checkpoint          witness_checkpoint()
 *
 * Whoever connects is a stranger: heads and bodies are bounded, connections and
 * their time are (witness_guests.h), each carries one request, and one request
 * is answered after the other.  HEAD has no body.  Where it must stand against
 * floods from many addresses, a proxy stands before it, and is one address.
 */
#ifndef DEFTER_CLIENT_WITNESS_WITNESS_HTTP_H
#define DEFTER_CLIENT_WITNESS_WITNESS_HTTP_H

#include "client/witness/witness.h"

struct event_base;
struct witness_http; /* Opaque. */

enum {
    WITNESS_HTTP_HEAD_SIZE_MAX = 8192,
    WITNESS_HTTP_PAUSE_MS = 500 /* Where descriptors are short. */
};

/* ${line} is for whoever runs the witness; borrowed for the call. */
typedef void witness_http_say(void *context, const char *line);

/*
 * witness_http_open(http_out, base, witness, address, context, say):
 * Listen on ${address}, "HOST:PORT" with a numeric host; port 0: any.
 *
 * Returns: ST_OK; ST_USAGE for another address; ST_CONNECT if the system
 *          refuses it; ST_INTERNAL if memory is short.
 * Owns:    keeps ${base} and ${witness}; gives ${*http_out}.
 */
NODISCARD enum status witness_http_open(struct witness_http **http_out,
                                        struct event_base *base,
                                        struct witness *witness,
                                        const char *address, void *context,
                                        witness_http_say *say);

/* Accepts NULL.  Order: before the base is freed. */
void witness_http_close(struct witness_http *http);

uint16_t witness_http_port(const struct witness_http *http);

#endif
