/*
 * files.h: the files of a node's directory that are read whole: keys,
 * certificate, genesis (docs/OPERATING.md, files).
 */
#ifndef DEFTER_SERVER_FILES_H
#define DEFTER_SERVER_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/files.h"
#include "protocol/keyfile.h"

enum { FILES_PATH_SIZE_MAX = 1024 };

/* "${directory}/${name}"; false if it does not fit. */
bool files_path(char out[FILES_PATH_SIZE_MAX], const char *directory,
                const char *name);

/*
 * files_read(out, size_out, path, size_max, is_secret):
 * Read a regular file of at most ${size_max} bytes; links are not followed.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_FILE_MODE if it is no regular file, or a
 *          secret that others than this user may read; ST_TOO_LARGE;
 *          ST_DISK_FAILED.
 */
NODISCARD enum status files_read(void *out, size_t *size_out, const char *path,
                                 size_t size_max, bool is_secret);

/* A key file of ${kind}.  Returns: as files_read() and keyfile_decode().
 * Order: ends with keyfile_wipe(). */
NODISCARD enum status files_read_key(struct keyfile *out, const char *path,
                                     enum keyfile_kind kind);

/* As files_read_key(), of a file that the service manager laid there for this
 * process: it may be root's, and readable by a group then, because that is how
 * an access list of one user looks. */
NODISCARD enum status files_read_credential(struct keyfile *out,
                                            const char *path,
                                            enum keyfile_kind kind);

/* ${status}; ST_FILE_MODE in the place of ST_DISK_FAILED if what ${name} stands
 * for is a link, neither a file nor a directory, or may not be read and written
 * by this user: what people are told. */
enum status files_why(enum status status, const char *directory,
                      const char *name);

/* A new file of ${mode}, durable; none is left where it fails.  Returns: ST_OK;
 * ST_EXISTS; ST_DISK_FULL; ST_DISK_FAILED. */
NODISCARD enum status files_write_new(const char *path, const void *bytes,
                                      size_t size, unsigned mode);

#endif
