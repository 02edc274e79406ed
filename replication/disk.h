/*
 * disk.h: the disk as the replicated log sees it.
 *
 * replication/ does all its input and output through this interface.  Behind it
 * stand the real file system (server/store/disk_posix) and a model in memory
 * that can lose power at any instant (tests/lib/disk_model).
 *
 * Names are relative to the node's data directory, with '/' between directory
 * and file, and at most DISK_NAME_SIZE_MAX bytes with the final zero.
 *
 * What survives a loss of power: bytes of a file that were written before a
 * disk_sync() of that file returned ST_OK; names that were created, renamed or
 * removed before a disk_sync_directory() of their directory returned ST_OK.
 * Everything else survives in part, in any order, or not at all.
 */
#ifndef DEFTER_REPLICATION_DISK_H
#define DEFTER_REPLICATION_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"

struct disk_calls;

/* An implementation puts these first in structs of its own. */
struct disk {
    const struct disk_calls *calls;
};

struct disk_file {
    struct disk *disk;
};

typedef void disk_visit(void *context, const char *name);

struct disk_calls {
    enum status (*open)(struct disk *disk, struct disk_file **file_out,
                        const char *name);
    enum status (*create)(struct disk *disk, struct disk_file **file_out,
                          const char *name);
    void (*close)(struct disk_file *file);
    enum status (*size)(struct disk_file *file, uint64_t *size_out);
    enum status (*read)(struct disk_file *file, size_t *read_out, void *data,
                        size_t size, uint64_t offset);
    enum status (*write)(struct disk_file *file, const void *data, size_t size,
                         uint64_t offset);
    enum status (*truncate)(struct disk_file *file, uint64_t size);
    enum status (*sync)(struct disk_file *file);
    enum status (*rename)(struct disk *disk, const char *older,
                          const char *newer);
    enum status (*remove)(struct disk *disk, const char *name);
    enum status (*make_directory)(struct disk *disk, const char *name);
    enum status (*list)(struct disk *disk, const char *directory, void *context,
                        disk_visit *visit);
    enum status (*sync_directory)(struct disk *disk, const char *directory);
};

/*
 * disk_open(disk, file_out, name), disk_create(disk, file_out, name):
 * Open the file ${name}, which must exist, or create it, which must not, for
 * reading and writing.
 *
 * Returns: ST_OK; ST_NO_FILE (open); ST_EXISTS (create); ST_DISK_FULL;
 *          ST_DISK_FAILED.
 * Owns:    gives ${*file_out}, to be closed with disk_close().
 * Order:   a created name is durable only after disk_sync_directory().
 */
NODISCARD enum status disk_open(struct disk *disk, struct disk_file **file_out,
                                const char *name);
NODISCARD enum status disk_create(struct disk *disk,
                                  struct disk_file **file_out,
                                  const char *name);

/* Closes ${file}; accepts NULL.  Bytes not synced may be lost. */
void disk_close(struct disk_file *file);

NODISCARD enum status disk_size(struct disk_file *file, uint64_t *size_out);

/*
 * disk_read(file, read_out, data, size, offset):
 * Read up to ${size} bytes at ${offset}.  ${*read_out} is less than ${size}
 * only where the file ends.  Any thread may call it at any time.
 *
 * Returns: ST_OK; ST_DISK_FAILED.
 */
NODISCARD enum status disk_read(struct disk_file *file, size_t *read_out,
                                void *data, size_t size, uint64_t offset);

/* As disk_read(), but a file that ends too early is ST_FILE_FORMAT. */
NODISCARD enum status disk_read_all(struct disk_file *file, void *data,
                                    size_t size, uint64_t offset);

/*
 * disk_write(file, data, size, offset):
 * Write all of ${size} bytes at ${offset}.
 *
 * Returns: ST_OK; ST_DISK_FULL or ST_DISK_FAILED, and any part of the bytes may
 *          have been written.
 * Order:   durable only after disk_sync().
 */
NODISCARD enum status disk_write(struct disk_file *file, const void *data,
                                 size_t size, uint64_t offset);

/* Writes zeros from ${offset} up to ${end}; returns as disk_write(). */
NODISCARD enum status disk_write_zeros(struct disk_file *file, uint64_t offset,
                                       uint64_t end);

NODISCARD enum status disk_truncate(struct disk_file *file, uint64_t size);

/*
 * disk_sync(file):
 * Make every byte written to ${file} durable.
 *
 * Returns: ST_OK; ST_DISK_FAILED, after which nothing is known about the bytes
 *          written since the last good sync: the caller stops, it never tries
 *          again, because a second sync may succeed without having written.
 */
NODISCARD enum status disk_sync(struct disk_file *file);

/* Renames a file, replacing ${newer} if it exists; atomic. */
NODISCARD enum status disk_rename(struct disk *disk, const char *older,
                                  const char *newer);

/* Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED. */
NODISCARD enum status disk_remove(struct disk *disk, const char *name);

/* Makes a directory; one that is there already is ST_OK. */
NODISCARD enum status disk_make_directory(struct disk *disk, const char *name);

/*
 * disk_list(disk, directory, context, visit):
 * Call ${visit} with the name, without its directory, of each file in
 * ${directory}, in no particular order.  ${visit} must not change the
 * directory.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED.
 */
NODISCARD enum status disk_list(struct disk *disk, const char *directory,
                                void *context, disk_visit *visit);

/* Makes the names in ${directory} durable; "" is the data directory itself. */
NODISCARD enum status disk_sync_directory(struct disk *disk,
                                          const char *directory);

/*
 * disk_replace(disk, name, directory, data, size):
 * Put a file of these bytes at ${name} in ${directory}, durably and at once:
 * whatever happens, the name stands for the former file or for the whole new
 * one.
 *
 * Returns: ST_OK; ST_DISK_FULL or ST_DISK_FAILED, and the former file is
 *          untouched or wholly replaced.
 */
NODISCARD enum status disk_replace(struct disk *disk, const char *name,
                                   const char *directory, const void *data,
                                   size_t size);

/*
 * disk_discard(disk, name, directory):
 * Overwrite the bytes of ${name} in ${directory} with zeros, durably, and then
 * remove it: without its name nobody finds them again.  One that is not there
 * is ST_OK.
 *
 * Returns: ST_OK, and the name is gone durably; ST_DISK_FULL; ST_DISK_FAILED,
 *          and it is to be called again.
 */
NODISCARD enum status disk_discard(struct disk *disk, const char *name,
                                   const char *directory);

#endif
