/*
 * file.h: files of keys and the like, read and written whole.
 */
#ifndef DEFTER_CLIENT_PROGRAM_FILE_H
#define DEFTER_CLIENT_PROGRAM_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/keyfile.h"
#include "protocol/status.h"

enum { FILE_PATH_SIZE_MAX = 1024 };

/* "${directory}/${name}" in ${out}; false if it does not fit. */
bool file_path(char out[FILE_PATH_SIZE_MAX], const char *directory,
               const char *name);

/* What is said of ${directory} where no log is found; it may be the cluster's,
 * that has the node's in it. */
const char *file_no_log(const char *directory);

/* A plain file, or a link to one, for reading from its beginning; NULL, and
 * errno says why, for anything else: nobody may write into a pipe. */
FILE *file_open(const char *path);

/* ini_parse() of such a file; negative, and errno says why, also where it could
 * not be read to its end. */
int file_parse(const char *path,
               int (*take)(void *context, const char *section, const char *name,
                           const char *value),
               void *context);

/*
 * file_read(out, size_out, path, size_max, is_secret):
 * Read a regular file of at most ${size_max} bytes.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_FILE_MODE if it is a symbolic link or no plain
 *          file, may not be read, or is a secret that others may read or that
 *          is another user's; ST_TOO_LARGE; ST_DISK_FAILED.
 */
NODISCARD enum status file_read(void *out, size_t *size_out, const char *path,
                                size_t size_max, bool is_secret);

/*
 * file_write_new(path, bytes, size, mode):
 * Put a file of these bytes at ${path}, where none may be, durably: whatever
 * happens, the path stands for the whole file or for none.
 *
 * Returns: ST_OK; ST_EXISTS; ST_USAGE for a path that is too long;
 *          ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status file_write_new(const char *path, const void *bytes,
                                     size_t size, unsigned mode);

/*
 * file_replace(path, bytes, size, mode):
 * Put a file of these bytes at ${path}, durably: whatever happens, the path
 * stands for the former file or for the whole new one.
 *
 * Returns: ST_OK; ST_USAGE for a path that is too long; ST_DISK_FULL;
 *          ST_DISK_FAILED.
 */
NODISCARD enum status file_replace(const char *path, const void *bytes,
                                   size_t size, unsigned mode);

/* A directory of mode 0700.  Returns: ST_OK also if it is there already. */
NODISCARD enum status file_make_directory(const char *path);

/* A key file of ${kind}.  Order: ends with keyfile_wipe().
 * Returns: as file_read() and keyfile_decode(). */
NODISCARD enum status file_read_key(struct keyfile *out, const char *path,
                                    enum keyfile_kind kind);
NODISCARD enum status file_write_key(const struct keyfile *keyfile,
                                     const char *path);

#endif
