/*
 * witness_store.h: what a witness has signed, on its disk: for each log one
 * file with the newest checkpoint, the log's signature and the witness's own.
 *
 * A file is replaced whole: a new one is written and synced, takes the old
 * one's name, and the directory is synced.  Whoever ends this process at any
 * instant finds the old checkpoint or the new one; and as a cosignature leaves
 * only after the last step, what has left is always there.  One process at a
 * time may have the directory.
 */
#ifndef DEFTER_CLIENT_WITNESS_WITNESS_STORE_H
#define DEFTER_CLIENT_WITNESS_WITNESS_STORE_H

#include <stdbool.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

#define WITNESS_FOLDER_STATE "state" /* What was signed, in its directory. */

struct witness_store; /* Opaque. */

/* Names of files: "" and what follows the hash of the log's name. */
#define WITNESS_STORE_SIGNED   ""
#define WITNESS_STORE_CONFLICT ".conflict" /* What was not signed. */

/* Hexadecimal digits of H(origin), and a NUL. */
enum { WITNESS_STORE_NAME_SIZE = 2 * HASH_SIZE + 1 };
void witness_store_name(char out[WITNESS_STORE_NAME_SIZE], struct slice origin);

/*
 * witness_store_open(store_out, directory):
 * Take ${directory}, and make "state" in it where it is missing.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_FILE_MODE if others may write there;
 *          ST_BUSY if another process has it; ST_DISK_FULL; ST_DISK_FAILED.
 * Owns:    gives ${*store_out}; close with witness_store_close(), which takes
 *          NULL.
 */
NODISCARD enum status witness_store_open(struct witness_store **store_out,
                                         const char *directory);
void witness_store_close(struct witness_store *store);

/*
 * witness_store_read(store, out, size_out, origin, suffix):
 * ${out} has WITNESS_STORE_SIZE_MAX bytes.
 *
 * Returns: ST_OK; ST_NO_FILE if there is none; ST_FILE_MODE for something else
 *          than a file; ST_TOO_LARGE; ST_DISK_FAILED.
 */
enum { WITNESS_STORE_SIZE_MAX = CHECKPOINT_TEXT_SIZE_MAX + 2048 };
NODISCARD enum status witness_store_read(struct witness_store *store,
                                         uint8_t *out, size_t *size_out,
                                         struct slice origin,
                                         const char *suffix);

/*
 * witness_store_write(store, origin, suffix, bytes):
 * In the place of what was there, durably.
 *
 * Returns: ST_OK; ST_DISK_FULL or ST_DISK_FAILED: what stands on the disk is
 *          not known, and every later call fails as well.
 */
NODISCARD enum status witness_store_write(struct witness_store *store,
                                          struct slice origin,
                                          const char *suffix,
                                          struct slice bytes);

/* For tests: called before each step of a write. */
enum witness_store_step {
    WITNESS_STORE_CREATE,
    WITNESS_STORE_WRITE,
    WITNESS_STORE_SYNC,
    WITNESS_STORE_RENAME,
    WITNESS_STORE_SYNC_DIRECTORY,
    WITNESS_STORE_DONE,
    WITNESS_STORE_STEPS_COUNT
};
void witness_store_watch(struct witness_store *store, void *context,
                         void (*step)(void *context,
                                      enum witness_store_step step));

#endif
