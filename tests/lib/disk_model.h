/*
 * disk_model.h: a disk in memory that can lose power at any instant.
 *
 * Writes stay pending until their file is synced, names until their directory
 * is.  A crash keeps any chosen part of what is pending: each 512-byte sector,
 * each file's size and each operation on a name is one bit of choice.
 */
#ifndef DEFTER_TESTS_LIB_DISK_MODEL_H
#define DEFTER_TESTS_LIB_DISK_MODEL_H

#include "replication/disk.h"

enum { DISK_MODEL_SECTOR = 512 };

struct disk_model;

/* Aborts when memory runs out: a test has no use for a status there. */
struct disk_model *disk_model_new(void);
void disk_model_free(struct disk_model *model);
struct disk *disk_model_disk(struct disk_model *model);

/* From now on it may be called by several threads, as the real one may. */
void disk_model_share(struct disk_model *model);

/* A copy in the same state, pending writes included; no file of it is open. */
struct disk_model *disk_model_copy(const struct disk_model *model);

/* Bits of choice that are pending now. */
size_t disk_model_pending(const struct disk_model *model);

/*
 * A copy as it stands after a loss of power that keeps the pending bits that
 * ${keep} names (bit n in byte n / 8; bits behind ${keep_size} bytes are kept
 * if ${keep_rest}).  Of one of the kept sectors, chosen by ${torn}, only the
 * first half is kept; none if ${torn} is SIZE_MAX.
 */
struct disk_model *disk_model_crash(const struct disk_model *model,
                                    const uint8_t *keep, size_t keep_size,
                                    bool keep_rest, size_t torn);

/* The same without a copy; no file is open any more. */
void disk_model_lose_power(struct disk_model *model, const uint8_t *keep,
                           size_t keep_size, bool keep_rest, size_t torn);

/* A number that is equal for disks with equal names and bytes. */
uint64_t disk_model_digest(const struct disk_model *model);

/* The same, and what is pending counts too. */
uint64_t disk_model_state(const struct disk_model *model);

/* After ${calls} more calls that change anything, all calls fail (power off).
 */
void disk_model_power_off_after(struct disk_model *model, size_t calls);

/* Calls succeed again and nothing was lost: they failed for a while only. */
void disk_model_power_on(struct disk_model *model);

/* Calls that change anything, so far. */
size_t disk_model_changes(const struct disk_model *model);

/* True once the power is off. */
bool disk_model_is_off(const struct disk_model *model);

/* The ${calls}th write, truncate or create from now returns ${status}, once. */
void disk_model_fail_after(struct disk_model *model, size_t calls,
                           enum status status);

/*
 * The ${syncs}th sync of a file from now fails, once: it forgets what it was to
 * write, and the next sync succeeds, as Linux does.
 */
void disk_model_fail_sync_after(struct disk_model *model, size_t syncs);

/* At most ${bytes} bytes in all files together. */
void disk_model_limit(struct disk_model *model, uint64_t bytes);

/*
 * A disk that lies: disk_sync() of the file ${name}, or disk_sync_directory()
 * of the directory ${name}, returns ST_OK and does nothing; a name ending in
 * '*' stands for all that begin so.  NULL makes it honest again.
 */
void disk_model_lie(struct disk_model *model, const char *name);

/*
 * Reads of the sector at ${offset} fail until it is written as a whole, or
 * until disk_model_readable(), which leaves zeros there.
 */
void disk_model_unreadable(struct disk_model *model, const char *name,
                           uint64_t offset);
void disk_model_readable(struct disk_model *model);

/* The ${writes}th write from now goes ${by} bytes further in its file, if that
 * lies within it; 0: none does. */
void disk_model_misdirect_after(struct disk_model *model, size_t writes,
                                int64_t by);

/* Counts of successful calls, by kind. */
size_t disk_model_syncs(const struct disk_model *model);
size_t disk_model_writes(const struct disk_model *model);

/* The bytes of ${name} as they would be read; false if there is no such file.
 */
bool disk_model_peek(const struct disk_model *model, const char *name,
                     const uint8_t **data_out, size_t *size_out);

/* Bytes that lie on the medium where no name leads any more, zeros apart. */
size_t disk_model_left(const struct disk_model *model);

/* Flips one bit at rest, durably; aborts if there is no such place. */
void disk_model_rot(struct disk_model *model, const char *name, uint64_t offset,
                    unsigned bit);

/* Overwrites bytes at rest, durably; aborts if there is no such file. */
void disk_model_poke(struct disk_model *model, const char *name,
                     uint64_t offset, const void *data, size_t size);

/* Takes a file away, durably; aborts if there is none. */
void disk_model_drop(struct disk_model *model, const char *name);

#endif
