/*
 * work.h: one verified command on its way through the pipeline.
 *
 * An I/O loop makes it once steps 1 to 6 of the processing order are done, and
 * gives it to pipeline_submit(); from then on it belongs to the pipeline.
 */
#ifndef DEFTER_SERVER_PIPELINE_WORK_H
#define DEFTER_SERVER_PIPELINE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/catalogue.h"
#include "protocol/command.h"

/* Who sent and who signed; the caller fills it from the directory. */
struct work_origin {
    uint32_t loop;       /* Number of the I/O loop that owns the connection. */
    uint64_t connection; /* Never used again by another connection. */
    uint64_t request_id;
    struct bytes16 session_key; /* key_id that logged in. */
    uint16_t carrier;           /* Carrier number of the session, when the
                                 * signer is another key than the session's. */
    uint8_t carrier_kind;       /* carrier.enrol's kind; 0 without carrier. */
    uint32_t organisation;      /* Of the signer, 0 = none. */
};

/* Where and why the pure decode (step 11) failed. */
struct work_fault {
    enum status status; /* ST_OK: it did not. */
    uint16_t tag;
    uint16_t item; /* 65535 = none. */
};

struct work {
    struct work *next; /* For lists and queues; the owner's. */
    struct work_origin origin;
    struct command command; /* Borrows from this allocation alone. */
    const struct operation_info *operation; /* Of the first item. */
    struct work_fault fault;
    bool node_made; /* By this node itself: nobody waits for the answer. */
    bool told;      /* That nobody knows what comes of it: no other answer. */
    bool known;     /* Its entry was applied before: a DUPLICATE. */
    uint64_t term;  /* Of the node's own: they end with it. */

    /* Set by the sequencer. */
    uint64_t index;
    int64_t log_time;
    uint8_t leaf[HASH_SIZE];
    struct slice entry; /* In the group's buffer. */
};

/*
 * work_open(command, origin):
 * Copy a decoded, digested and verified command, its body and its items, into
 * one allocation of their size.
 *
 * Returns: NULL if there is no memory: answer ST_BUSY.
 * Owns:    the caller; work_close() or pipeline_submit().
 */
struct work *work_open(const struct command *command,
                       const struct work_origin *origin);

/* Accepts NULL. Plain text is wiped. */
void work_close(struct work *work);

#endif
