/*
 * rewrap.h: another wrapping key in the place of a node's keyring.key: the key
 * files, with keyring.db between them.
 *
 *   keyring.key.part ── whole ──> .next ── rows are under it ──> keyring.key
 *   keyring.key ── replaced ──> .former ── zeros ──> .
 *
 * Invariants:
 * - What is called part wraps nothing, whatever stands in it.
 * - A whole key is called next, and keyring.db was told of it before.  Either
 *   keyring.key opens the rows, or the next one does, and then the bytes of
 *   keyring.key and of a former key are of no use to anybody.
 * - Bytes lie under one of these names, durably, until zeros do.
 */
#ifndef DEFTER_SERVER_STORE_REWRAP_H
#define DEFTER_SERVER_STORE_REWRAP_H

#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"
#include "replication/disk.h"

/* Where it is done.  Nobody has the keyring open. */
struct rewrap {
    struct disk *disk;   /* The key files lie there, */
    const char *keyring; /* and keyring.db here. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
};

/* What was under way. */
enum rewrap_found { REWRAP_NOTHING, REWRAP_FINISHED, REWRAP_UNDONE };

struct rewrap_report {
    enum rewrap_found found;
    uint64_t rows_count; /* rewrap_run(): keys that were wrapped anew. */
    const char *fault;   /* After a failure: what failed, for people, */
    const char *file;    /* and with which file. */
};

/*
 * rewrap_settle(report_out, rewrap):
 * Finish what an earlier call left, if keyring.db is under the next key
 * already; else take it back.  Afterwards keyring.key is the only key file
 * here, as far as this file made them.
 *
 * Returns: ST_OK; ST_SEAL if there is a key that was not made here, or none
 *          that opens the keyring; ST_FILE_FORMAT, ST_CHECKSUM for what is no
 *          key or no keyring; ST_NO_FILE if one of both is not there: all with
 *          nothing changed.  ST_DISK_FULL, ST_DISK_FAILED: to be called again.
 */
NODISCARD enum status rewrap_settle(struct rewrap_report *report_out,
                                    const struct rewrap *rewrap);

/*
 * rewrap_run(report_out, rewrap, key):
 * Make a new key, wrap every row of keyring.db under it and put it in the place
 * of keyring.key, which holds ${key} and is overwritten.
 *
 * Returns: ST_OK, and all of it is durable; ST_SEAL if ${key} or a row does not
 *          open; ST_NO_FILE without a keyring; ST_FILE_FORMAT; ST_DISK_FULL;
 *          ST_DISK_FAILED.  After a failure rewrap_settle() knows what to do.
 * Order:   rewrap_settle() returned ST_OK.
 */
NODISCARD enum status rewrap_run(struct rewrap_report *report_out,
                                 const struct rewrap *rewrap,
                                 const uint8_t key[KEY_SIZE]);

#endif
