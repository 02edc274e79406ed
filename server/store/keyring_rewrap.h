/*
 * keyring_rewrap.h: keyring.db under another wrapping key.  No node uses it
 * meanwhile.
 *
 *   announce ──> the new key becomes durable as a file ──> rewrap
 *
 * So whoever finds a key can tell, after any crash, what it is to the keyring.
 *
 * Invariants: all rows are under one key, the current one.  An announced key
 * wraps nothing yet; there is at most one.
 */
#ifndef DEFTER_SERVER_STORE_KEYRING_REWRAP_H
#define DEFTER_SERVER_STORE_KEYRING_REWRAP_H

#include "server/store/keyring.h"

/* What a wrapping key is to a keyring. */
enum keyring_rewrap_fit {
    KEYRING_REWRAP_FOREIGN, /* It opens nothing, and was not announced. */
    KEYRING_REWRAP_ANNOUNCED,
    KEYRING_REWRAP_CURRENT
};

/*
 * keyring_rewrap_judge(fit_out, path, wrapping_key, cluster_id):
 * What ${wrapping_key} is to the keyring at ${path}.
 *
 * Requires: nobody has it open.
 * Returns:  ST_OK; ST_NO_FILE, and none is made; ST_FILE_FORMAT for a file that
 *           is no keyring of this version and cluster; ST_DISK_FAILED.
 */
NODISCARD enum status keyring_rewrap_judge(
    enum keyring_rewrap_fit *fit_out, const char *path,
    const uint8_t wrapping_key[KEY_SIZE],
    const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/* The functions below are the owner thread's, and nothing is staged. */

/* Say that rows may be under ${next} soon, in the place of what was announced
 * before.  Durable when it returns. */
void keyring_rewrap_announce(struct keyring *keyring,
                             const uint8_t next[KEY_SIZE]);

/*
 * keyring_rewrap(keyring, rows_out, next):
 * Wrap every key anew, under ${next}, which the keyring goes on with.  All or
 * nothing, durable when it returns; no byte that the former key opens is left
 * in the file or its WAL, and no key is announced any more.
 *
 * Returns: ST_OK, and ${*rows_out} keys were wrapped; ST_SEAL if one of them
 *          does not open, and nothing was changed.
 */
NODISCARD enum status keyring_rewrap(struct keyring *keyring,
                                     uint64_t *rows_out,
                                     const uint8_t next[KEY_SIZE]);

/* Whatever was announced is not, and the WAL is empty: for who comes after a
 * crash.  Durable when it returns. */
void keyring_rewrap_settle(struct keyring *keyring);

#endif
