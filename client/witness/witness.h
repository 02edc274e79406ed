/*
 * witness.h: a stand-alone cosigner that an outside body runs (c2sp.org/
 * tlog-witness; protocol/witness_request.h).
 *
 * Its directory holds
 *
 *     witness.key   KEYFILE_COSIGNER, of no cluster
 *     witness.vkey  the public key as others are given it, with the name
 *     logs          witness_logs.h
 *     state/        witness_store.h
 *
 * It answers one request after the other: what is judged cannot change before
 * the new state is durable.
 */
#ifndef DEFTER_CLIENT_WITNESS_WITNESS_H
#define DEFTER_CLIENT_WITNESS_WITNESS_H

#include "client/witness/witness_store.h"
#include "protocol/identity.h"
#include "protocol/witness_request.h"

#define WITNESS_FILE_KEY  "witness.key"
#define WITNESS_FILE_VKEY "witness.vkey"
#define WITNESS_FILE_LOGS "logs"

struct witness; /* Opaque. */

/* Who signs, and for whom. */
struct witness_options {
    struct note_key key; /* NOTE_COSIGNATURE, and it is the identity's. */
    const struct identity *identity;
    const struct note_key *logs;
    size_t logs_count;
};

/*
 * witness_open(witness_out, store, options):
 * Read what was signed before.
 *
 * Returns: ST_OK; ST_BAD_SIG, ST_FILE_FORMAT or ST_ORIGIN for a file that this
 *          witness did not write (with another key it begins in a directory of
 *          its own); as witness_store_read().
 * Owns:    keeps ${store} and what ${options} points to; gives
 *          ${*witness_out}, to be closed with witness_close(), which takes
 *          NULL.
 */
NODISCARD enum status witness_open(struct witness **witness_out,
                                   struct witness_store *store,
                                   const struct witness_options *options);
void witness_close(struct witness *witness);

/* An answer over HTTP. */
enum { WITNESS_FAILED = 500 };
struct witness_reply {
    unsigned http_status; /* enum witness_answer, or WITNESS_FAILED. */
    const char *content_type;
    const char *why; /* For whoever runs the witness; or NULL. */
    size_t size;
    uint8_t body[WITNESS_STORE_SIZE_MAX];
};

/*
 * witness_add_checkpoint(witness, reply_out, body, time_s):
 * Judge a request, and sign if it is good: the new checkpoint is durable first.
 * Where the log signed another root of the size that was signed last, its note
 * is kept as evidence (WITNESS_STORE_CONFLICT, the first one).  Without memory
 * the answer is WITNESS_FAILED.
 */
void witness_add_checkpoint(struct witness *witness,
                            struct witness_reply *reply_out, struct slice body,
                            uint64_t time_s);

/*
 * witness_checkpoint(witness, reply_out, name):
 * The newest checkpoint with this witness's signature, of the log whose name
 * has the hash ${name} (witness_store_name()); WITNESS_UNKNOWN if there is
 * none.
 */
void witness_checkpoint(const struct witness *witness,
                        struct witness_reply *reply_out, struct slice name);

#endif
