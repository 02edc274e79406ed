/*
 * exchange.h: checkpoints and cosignatures between the nodes of a cluster
 * (REPLICATION, section 3).
 *
 * A node takes notes from the primary alone, and while it leads from nobody:
 * others have no part in them, and whoever repeats one is not to get what the
 * primary waits for.
 *
 *   primary                                others
 *     signs --CHECKPOINT--> all
 *                             compare with their own log (evidence), cosign
 *     verifies <--COSIGNED----------------'
 *
 * Nothing here is waited for; what is lost with a link is sent again when it is
 * up again.
 */
#ifndef DEFTER_SERVER_COSIGN_EXCHANGE_H
#define DEFTER_SERVER_COSIGN_EXCHANGE_H

#include "server/cosign/cosigner.h"

enum {
    EXCHANGE_TEXTS = 32, /* The newest checkpoints that were sent. */
    EXCHANGE_TEXT_SIZE_MAX = 512,
    EXCHANGE_SAY_MS = 60000 /* Between two complaints. */
};

struct exchange_text {
    uint64_t size; /* Of the checkpoint; 0: none. */
    size_t text_size;
    uint8_t text[EXCHANGE_TEXT_SIZE_MAX];
};

struct exchange_options {
    const char *origin;
    const uint8_t *log_public_key;
    const uint8_t *node_id;
    const struct identity *cosigner; /* NULL: this node cosigns nothing. */
};

struct exchange {
    const struct cosign_calls *calls;
    struct note_key log_key;
    struct cosigner cosigner;
    bool leads;
    bool has_primary;
    uint8_t primary[NODE_ID_SIZE]; /* Who leads, as the cluster knows it. */
    size_t held_size; /* A note of ${held_node}, which may lead; 0: none. */
    uint8_t held_node[NODE_ID_SIZE];
    struct exchange_text texts[EXCHANGE_TEXTS];
    size_t texts_next;
    int64_t said_ms;
    char origin[NOTE_NAME_SIZE_MAX + 1];
    uint8_t note[EVIDENCE_NOTE_SIZE_MAX];
    uint8_t held[EVIDENCE_NOTE_SIZE_MAX];
};

/* Order: ends with exchange_wipe(). */
void exchange_init(struct exchange *exchange,
                   const struct exchange_options *options,
                   const struct cosign_calls *calls);
void exchange_wipe(struct exchange *exchange);

/* This node leads, or does no more. */
void exchange_lead(struct exchange *exchange, bool leads);

/* Who leads; NULL: it is not known, or this node does. */
void exchange_primary(struct exchange *exchange, const uint8_t *node_id);

/* There is a newer note: sent to all, or cosigned. */
void exchange_published(struct exchange *exchange);

/* A note satisfies the policy now: others learn so. */
void exchange_witnessed(struct exchange *exchange);

/* A link to the node is up. */
void exchange_linked(struct exchange *exchange, const uint8_t *node_id);

/* The node sent a note, or its line over the checkpoint of ${size}.  The last
 * note of another than the primary is held until that node is told to be it. */
void exchange_take_note(struct exchange *exchange, const uint8_t *node_id,
                        struct slice note);
void exchange_take_line(struct exchange *exchange, const uint8_t *node_id,
                        uint64_t size, struct slice line);

#endif
