/*
 * unit_writer.h: the files of one archive unit (ARCHIVE-FORMAT), written one
 * after the other; the manifest comes last, when all others are durable, so
 * that what lacks it is no unit.
 */
#ifndef DEFTER_CLIENT_EXPORT_UNIT_WRITER_H
#define DEFTER_CLIENT_EXPORT_UNIT_WRITER_H

#include "client/export/tree_writer.h"
#include "protocol/archive_unit.h"

struct unit_packer; /* Opaque: what compresses, and its memory. */

struct unit_writer {
    struct tree_writer out;
    struct unit_packer *packer; /* Borrowed. */
    uint64_t packed_size;       /* Of the bundles that were written, and what */
    uint64_t plain_size;        /* they were before. */
};

/* Returns: ST_OK; ST_EXHAUSTED if memory is short.
 * Order:   ends with unit_packer_close(), which accepts NULL. */
NODISCARD enum status unit_packer_open(struct unit_packer **packer_out);
void unit_packer_close(struct unit_packer *packer);

/*
 * unit_writer_open(writer, path, packer):
 * The directory is made.
 *
 * Returns: ST_OK; ST_EXISTS if it is there and is not empty; ST_NO_FILE if its
 *          parent is not there; ST_DISK_FULL; ST_DISK_FAILED; ST_EXHAUSTED if
 *          memory is short.
 * Order:   ends with unit_writer_close().
 */
NODISCARD enum status unit_writer_open(struct unit_writer *writer,
                                       const char *path,
                                       struct unit_packer *packer);
/* To go on with one that was opened before. */
NODISCARD enum status unit_writer_again(struct unit_writer *writer,
                                        const char *path,
                                        struct unit_packer *packer);
void unit_writer_close(struct unit_writer *writer);

/*
 * unit_writer_put(writer, file, bytes):
 * A bundle is given as it is, and compressed here.
 *
 * Returns: ST_OK; ST_TOO_LARGE; ST_DISK_FULL; ST_DISK_FAILED; ST_EXHAUSTED if
 *          memory is short.
 */
NODISCARD enum status unit_writer_put(struct unit_writer *writer,
                                      const struct archive_file *file,
                                      struct slice bytes);

/*
 * unit_writer_end(writer, hash_out, unit):
 * All files are written: read them again, and write the manifest, whose
 * SHA-256 is ${hash_out}.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED, also if a file is not there;
 *          ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status unit_writer_end(struct unit_writer *writer,
                                      uint8_t hash_out[HASH_SIZE],
                                      const struct archive_unit *unit);

#endif
