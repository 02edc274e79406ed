/*
 * escrow_file.h: the one file of an escrow: written from a node's keyring, and
 * read into another one's (protocol/escrow.h).
 *
 * It has a directory of its own and is replaced whole, and what it held before
 * is overwritten: keys that were destroyed are not in it any more.
 *
 *   escrow.part ── whole ──> escrow ── replaced ──> escrow.former ── wiped ──>
 * .
 *
 * Invariant: bytes lie under one of these names, durably, until zeros do.  One
 * whole escrow is there under its name, or under the former one alone.
 */
#ifndef DEFTER_SERVER_STORE_ESCROW_FILE_H
#define DEFTER_SERVER_STORE_ESCROW_FILE_H

#include "protocol/escrow.h"
#include "replication/disk.h"
#include "server/store/keyring.h"

#define ESCROW_FILE        "escrow"
#define ESCROW_FILE_PART   "escrow.part"
#define ESCROW_FILE_FORMER "escrow.former"

/* What is put into escrow, and for whom. */
struct escrow_file_source {
    struct keyring *keyring;
    struct disk *snapshots; /* NULL: none. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t recovery_key[PUBLIC_KEY_SIZE];
    uint64_t size; /* Of the log: keys first used below it. */
    int64_t made_at;
};

struct escrow_file_result {
    struct escrow_header header;
    uint64_t rows_count;
    uint64_t snapshot_size;
};

/*
 * escrow_file_write(result_out, disk, source):
 * Put the keys and tombstones, and the newest snapshot of at most source->size
 * entries, into the file.  What an earlier call left is overwritten first.  Any
 * thread.
 *
 * Returns: ST_OK, it is durable, and nothing is left of any file before it;
 *          ST_SEAL if the recovery key is none; ST_DISK_FULL; ST_DISK_FAILED.
 *          After a failure there is a whole file if there was one, and what is
 *          not overwritten yet is left to the next call.
 */
NODISCARD enum status escrow_file_write(
    struct escrow_file_result *result_out, struct disk *disk,
    const struct escrow_file_source *source);

/*
 * escrow_file_check(result_out, disk, recovery):
 * Open all of it, under its former name if that alone is there, and keep
 * nothing.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_TORN_TAIL if it ends too early; as
 *          escrow_open() and escrow_part(); ST_BAD_FIELD for a row that no
 *          keyring has; ST_DISK_FAILED.
 */
NODISCARD enum status escrow_file_check(struct escrow_file_result *result_out,
                                        struct disk *disk,
                                        const struct keyfile *recovery);

/*
 * escrow_file_take(result_out, disk, recovery, keyring, snapshots):
 * Put what it holds into ${keyring}, durably, and the snapshot where snapshots
 * lie; the owner thread of the keyring.
 *
 * Returns: as escrow_file_check(); ST_DIVERGED, ST_SEAL as keyring_accept();
 *          ST_DISK_FULL.  After a failure the keyring is to be thrown away.
 * Order:   escrow_file_check() found it good.
 */
NODISCARD enum status escrow_file_take(struct escrow_file_result *result_out,
                                       struct disk *disk,
                                       const struct keyfile *recovery,
                                       struct keyring *keyring,
                                       struct disk *snapshots);

#endif
