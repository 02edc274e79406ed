/*
 * epoch.h: terms of primaries, and the configurations that came with them
 * (LOG-FORMAT; P-6.1.4, R-8.2.5).
 *
 * Every start of a primary is an EPOCH entry.  What it was, the log tells: a
 * node other than the one before, and then whether a planned order named it; or
 * the same one, after a pause or without.
 */
#ifndef DEFTER_SERVER_REGISTRY_EPOCH_H
#define DEFTER_SERVER_REGISTRY_EPOCH_H

#include "server/registry/act.h"

enum epoch_change {
    EPOCH_SAME = 1,  /* The same primary, and nobody noticed. */
    EPOCH_STOPPAGE,  /* The same primary, after setting stoppage_s. */
    EPOCH_UNPLANNED, /* Another primary. */
    EPOCH_PLANNED,   /* Another, as a planned order named it. */
    EPOCH_DRILL      /* The same, as an exercise. */
};

/* The newest term: false before the first EPOCH entry. */
bool epoch_last(struct state *state, struct row_epoch *row_out);

/* The newest term above ${after} that another primary than the one before it
 * began: false if there is none. */
bool epoch_last_change(struct state *state, struct row_epoch *row_out,
                       uint32_t after);

/* The newest configuration: false while the log holds none.  Its bytes are lent
 * until the next call for its table. */
bool epoch_configuration(struct state *state,
                         struct row_configuration *row_out);

/* True if ${key_id} signed the newest EPOCH, or there is none yet. */
bool epoch_is_primary(struct state *state, const struct bytes16 *key_id);

#endif
