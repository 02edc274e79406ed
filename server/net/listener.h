/*
 * listener.h: accepts connections for the loops (PROTOCOL, section 10).
 *
 * The listener lives on one loop and hands accepted sockets out in turn.  At
 * the connection cap it stops listening before accept could fail; when the
 * process is out of descriptors it gives up one spare to shut the waiting peer
 * out, pauses for ACCEPT_PAUSE_MS and goes on, so that a flood costs no
 * processor.
 */
#ifndef DEFTER_SERVER_NET_LISTENER_H
#define DEFTER_SERVER_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"

struct loop;
struct listener; /* Opaque. */

/* Where a peer comes from: what limits and penalties are kept by. */
struct source {
    uint8_t name[16]; /* IPv4 mapped, or the /64 of an IPv6 address. */
};

/*
 * listener_open(listener_out, loop, address, accepted, context):
 * Listen on ${address}, "host:port" with a numeric IPv4 or bracketed IPv6 host;
 * port 0 lets the system choose.  ${accepted} runs on the loop's thread with
 * each non-blocking socket, which it takes, and returns false if it wants no
 * more for now (the cap); listener_resume asks for more.
 *
 * Returns: ST_OK; ST_USAGE for an address that does not read; ST_CONNECT if the
 *          system refuses it.
 */
NODISCARD enum status listener_open(
    struct listener **listener_out, struct loop *loop, const char *address,
    void *context,
    bool (*accepted)(void *context, int fd, const struct source *source));

/* Whether ${address} is one that listener_open() reads. */
bool listener_reads(const char *address);

/* On the loop's thread: listen again, listen no more. */
void listener_resume(struct listener *listener);
void listener_pause(struct listener *listener);
void listener_close(struct listener *listener);

/* The port listened on. */
uint16_t listener_port(const struct listener *listener);

#endif
