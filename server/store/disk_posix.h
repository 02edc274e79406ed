/*
 * disk_posix.h: replication's disk on a POSIX file system.
 *
 * One object stands for one data directory.  All names are taken below that
 * directory; symbolic links are not followed.  Files are made with mode 0600,
 * directories with 0700, whatever the umask is.
 */
#ifndef DEFTER_SERVER_STORE_DISK_POSIX_H
#define DEFTER_SERVER_STORE_DISK_POSIX_H

#include "replication/disk.h"

struct disk_posix;

/*
 * disk_posix_open(out, directory):
 * Take the data directory ${directory}, which must exist, for this process
 * alone.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_FILE_MODE if others than its owner may read or
 *          write it, or it belongs to somebody else; ST_WRONG_STATE if another
 *          process holds it; ST_DISK_FAILED.
 * Owns:    gives ${*out}, to be closed with disk_posix_close().
 */
NODISCARD enum status disk_posix_open(struct disk_posix **out,
                                      const char *directory);

/* Accepts NULL.  All files must be closed before. */
void disk_posix_close(struct disk_posix *posix);

/* Bytes that may still be written below the directory; UINT64_MAX if nobody
 * knows. */
uint64_t disk_posix_room(const struct disk_posix *posix);

/* The interface; lives as long as ${posix}. */
struct disk *disk_posix_disk(struct disk_posix *posix);

#endif
