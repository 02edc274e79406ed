/*
 * witness_guests.h: who is connected to a witness, and for how long.
 *
 * A connection carries one request and ends WITNESS_GUESTS_S after it began,
 * however it is spent; there are WITNESS_GUESTS_MAX, and of one address
 * WITNESS_GUESTS_PER_ADDRESS_MAX.  One beyond is closed at once.  An address is
 * that of IPv4, or the first 64 bits of IPv6, which one host has for itself.
 */
#ifndef DEFTER_CLIENT_WITNESS_WITNESS_GUESTS_H
#define DEFTER_CLIENT_WITNESS_WITNESS_GUESTS_H

#include "protocol/bytes.h"
#include "protocol/status.h"

struct event_base;
struct evhttp;
struct witness_guests; /* Opaque. */

enum {
    WITNESS_GUESTS_MAX = 128,
    WITNESS_GUESTS_PER_ADDRESS_MAX = 16,
    WITNESS_GUESTS_S = 10
};

/*
 * witness_guests_open(guests_out, base, server):
 * Watch over the connections that ${server} takes from here on.
 *
 * Returns: ST_OK; ST_INTERNAL if memory is short.
 * Owns:    keeps ${base}; gives ${*guests_out}.
 */
NODISCARD enum status witness_guests_open(struct witness_guests **guests_out,
                                          struct event_base *base,
                                          struct evhttp *server);

/* Accepts NULL.  Order: after the server is freed, before the base is. */
void witness_guests_close(struct witness_guests *guests);

#endif
