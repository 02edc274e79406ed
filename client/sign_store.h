/*
 * sign_store.h: the operator's file that keeps him from signing two
 * configurations of one number (protocol/sign_state.h).
 *
 * It lies beside the operator's key, and is replaced whole: a new file is
 * written and synced, takes the old one's name, and the directory is synced.
 * Whoever ends this process at any instant finds the old state or the new one;
 * and as nothing is signed before the last step, a signature that left is
 * always in the state.
 */
#ifndef DEFTER_CLIENT_SIGN_STORE_H
#define DEFTER_CLIENT_SIGN_STORE_H

#include "protocol/sign_state.h"

struct sign_store; /* Opaque. */

/*
 * sign_store_create(path, state):
 * Write a state where there is none.
 *
 * Returns: ST_OK; ST_EXISTS; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status sign_store_create(const char *path,
                                        const struct sign_state *state);

/*
 * sign_store_open(store_out, path, cluster_id):
 * Read the state, and keep every other process from it until the end.
 *
 * Returns: ST_OK; ST_NO_FILE: it is lost, and nothing may be signed until it is
 *          set up anew from the note on paper; ST_FILE_FORMAT, ST_CHECKSUM,
 *          ST_WRONG_ENV as sign_state_decode(); ST_FILE_MODE; ST_BUSY if
 *          another process holds it; ST_DISK_FAILED.
 * Owns:    gives ${*store_out}; close with sign_store_close(), which takes
 *          NULL.
 */
NODISCARD enum status sign_store_open(struct sign_store **store_out,
                                      const char *path,
                                      const uint8_t *cluster_id);
void sign_store_close(struct sign_store *store);

const struct sign_state *sign_store_state(const struct sign_store *store);

/*
 * sign_store_take(store, certificate):
 * sign_state_take(), durably.
 *
 * Returns: ST_OK: now it may be signed; as sign_state_take(); ST_DISK_FULL;
 *          ST_DISK_FAILED, and nothing may be signed by this process any more.
 */
NODISCARD enum status sign_store_take(struct sign_store *store,
                                      struct slice certificate);

/* For tests: called before each step of a write. */
enum sign_store_step {
    SIGN_STORE_CREATE,
    SIGN_STORE_WRITE,
    SIGN_STORE_SYNC,
    SIGN_STORE_RENAME,
    SIGN_STORE_SYNC_DIRECTORY,
    SIGN_STORE_DONE,
    SIGN_STORE_STEPS_COUNT
};
void sign_store_watch(struct sign_store *store, void *context,
                      void (*step)(void *context, enum sign_store_step step));

#endif
