/*
 * cosign.h: signatures of others on this log's checkpoints, and this node's own
 * on those of the primary: a thread that does what exchange.h and outside.h
 * say, so that whoever tells it something never waits.
 *
 *   cosign_open -> cosign_start -> cosign_stop -> cosign_close
 *
 * What is told and not yet looked at is bounded: of each node the newest note
 * and the newest line, and that there is something newer here.
 */
#ifndef DEFTER_SERVER_COSIGN_COSIGN_H
#define DEFTER_SERVER_COSIGN_COSIGN_H

#include "server/cosign/exchange.h"

struct cosign; /* Opaque. */
struct tlog_policy;

struct cosign_options {
    struct exchange_options exchange;
    const struct tlog_policy *policy; /* NULL: nobody outside is asked. */
};

/*
 * cosign_open(cosign_out, options, calls):
 * Returns: ST_OK; ST_EXHAUSTED if memory, descriptors or a library are refused.
 * Owns:    copies the table and the names and keys; keeps the policy; gives
 *          ${*cosign_out}.
 */
NODISCARD enum status cosign_open(struct cosign **cosign_out,
                                  const struct cosign_options *options,
                                  const struct cosign_calls *calls);
NODISCARD enum status cosign_start(struct cosign *cosign);
/* What is told from here on is forgotten. */
void cosign_stop(struct cosign *cosign);
/* Accepts NULL. */
void cosign_close(struct cosign *cosign);

/* ---- Any thread; none of them waits ------------------------------------- */

/* As exchange_lead() and the others. */
void cosign_lead(struct cosign *cosign, bool leads);
void cosign_primary(struct cosign *cosign, const uint8_t *node_id);
void cosign_published(struct cosign *cosign);
void cosign_witnessed(struct cosign *cosign);
void cosign_linked(struct cosign *cosign, const uint8_t *node_id);
/* One that is larger than PEER_NOTE_SIZE_MAX or PEER_COSIGNED_SIZE_MAX is
 * dropped: no frame holds it. */
void cosign_take_note(struct cosign *cosign, const uint8_t *node_id,
                      struct slice note);
void cosign_take_line(struct cosign *cosign, const uint8_t *node_id,
                      uint64_t size, struct slice line);

#endif
