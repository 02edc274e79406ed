/*
 * hello.h: the payload of handshake message 3 (PROTOCOL, section 2): a list of
 * TLVs that the client shows before it logs in.
 */
#ifndef DEFTER_PROTOCOL_HELLO_H
#define DEFTER_PROTOCOL_HELLO_H

#include <stdbool.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

struct hello {
    bool has_agent;
    struct slice agent; /* Name and version of the program, for people. */
    bool has_features;
    uint64_t features; /* Bits; odd ones may be ignored. */
    bool has_certificate;
    struct slice certificate; /* NODECERT_SIZE; on links between nodes alone. */
};

/*
 * hello_decode(hello, payload):
 * Returns: ST_OK; ST_TOO_LARGE for more than HANDSHAKE_TLVS_MAX; ST_BAD_FIELD
 *          for a value of the wrong size or bad text; ST_UNKNOWN_FIELD for an
 *          even tag not known here; ST_FIELD_ORDER; ST_FRAME for a TLV beyond
 *          the payload or one to three bytes left.
 * Owns:    ${hello->agent} borrows ${payload}.
 */
NODISCARD enum status hello_decode(struct hello *hello, struct slice payload);

/* The same on a link between nodes, where the certificate of who dials is
 * taken; whether it is there and good, the caller judges. */
NODISCARD enum status hello_decode_link(struct hello *hello,
                                        struct slice payload);

/*
 * hello_encode(hello, out):
 * Requires: the agent is text of at most AGENT_SIZE_MAX bytes; a certificate
 * has NODECERT_SIZE.
 */
void hello_encode(const struct hello *hello, struct writer *out);

#endif
