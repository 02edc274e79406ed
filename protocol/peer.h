/*
 * peer.h: the frames between nodes, without their headers (REPLICATION,
 * section 3).
 *
 * A frame's header is that of frame.h with flags and request_id zero.  Entries
 * follow the fixed fields of APPEND and FETCHED, each as u32 size and its
 * bytes; FETCHED has some only with the result PEER_FETCH_ENTRIES.
 */
#ifndef DEFTER_PROTOCOL_PEER_H
#define DEFTER_PROTOCOL_PEER_H

#include "protocol/catalogue.h"

enum { PEER_VERSION = 1 };

/* Bits of HELLO's flags. */
enum { PEER_LOST = 1, PEER_ARCHIVE = 2, PEER_DAMAGED = 4 };

/* The names in PEER_REFUSALS, PEER_FETCH_RESULTS, PEER_SCRUB_RESULTS. */
enum peer_refusal {
    PEER_REFUSED_HIGHER = 1,
    PEER_REFUSED_MISMATCH,
    PEER_REFUSED_LOST,
    PEER_REFUSED_DISK,
    PEER_REFUSED_DAMAGED,
    PEER_REFUSED_OLDER /* A later start was seen of the node. */
};
enum peer_fetch_result {
    PEER_FETCH_ENTRIES = 1,
    PEER_FETCH_NEVER, /* NACK: sure that it was never committed. */
    PEER_FETCH_UNSURE
};
enum peer_scrub_result {
    PEER_SCRUB_EQUAL = 1,
    PEER_SCRUB_DIFFERS,
    PEER_SCRUB_NOT_SEALED
};

/* Any body; slices borrow the bytes it was decoded from. */
struct peer_frame {
    enum peer_number type;
    union {
#define PEER(number, lower, UPPER, english) struct peer_##lower lower;
        PEER_LIST(PEER)
#undef PEER
    };
    struct slice entries; /* Of APPEND and FETCHED; else empty. */
};

/*
 * peer_decode(out, type, body):
 * Returns: ST_OK; ST_TYPE for a type that is none of these; what
 *          schema_decode() returns; ST_FRAME for entries whose sizes do not
 *          fit, or behind a frame that has none.
 * Owns:    ${out} borrows ${body}.
 */
NODISCARD enum status peer_decode(struct peer_frame *out, uint8_t type,
                                  struct slice body);

/* Appends the body; a full writer remembers ST_TOO_LARGE.
 * Requires: frame->entries are whole, as peer_add_entry() made them. */
void peer_encode(struct writer *writer, const struct peer_frame *frame);

/* Appends one entry to those of a frame being made. */
void peer_add_entry(struct writer *entries, struct slice entry);

/* Takes the next entry from ${*rest}; false at its end.
 * Requires: ${*rest} comes from a decoded frame. */
bool peer_next_entry(struct slice *entry_out, struct slice *rest);

#endif
