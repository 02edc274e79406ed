/*
 * tree_writer.h: the files of a tiles tree, written so that whoever reads it
 * meanwhile sees whole ones.
 *
 * Every file is written under another name and renamed.  Nothing is synced one
 * by one: tree_writer_sync() comes before the checkpoint, which is the last and
 * names all of them.
 */
#ifndef DEFTER_CLIENT_EXPORT_TREE_WRITER_H
#define DEFTER_CLIENT_EXPORT_TREE_WRITER_H

#include "protocol/tiles.h"

#define TREE_WRITER_CHECKPOINT "checkpoint"

struct tree_writer {
    int directory;
    uint64_t files_count; /* Written, the checkpoint among them. */
    uint64_t bytes_count;
    uint64_t removed_count;
};

/*
 * tree_writer_open(writer, path):
 * The directory is made if it is not there.
 *
 * Returns: ST_OK; ST_NO_FILE if its parent is not there; ST_DISK_FULL;
 *          ST_DISK_FAILED.
 * Order:   ends with tree_writer_close().
 */
NODISCARD enum status tree_writer_open(struct tree_writer *writer,
                                       const char *path);
void tree_writer_close(struct tree_writer *writer);

/* Whether the tile's file is there with this size. */
bool tree_writer_has(const struct tree_writer *writer, const struct tile *tile,
                     size_t size);

/*
 * tree_writer_put(writer, path, bytes, is_durable):
 * The file ${path} below the directory, with the folders above it; of at most
 * ARCHIVE_PATH_SIZE_MAX bytes.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status tree_writer_put(struct tree_writer *writer,
                                      const char *path, struct slice bytes,
                                      bool is_durable);

/* Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED. */
NODISCARD enum status tree_writer_tile(struct tree_writer *writer,
                                       const struct tile *tile,
                                       struct slice bytes);

/* Make everything durable that was written so far. */
NODISCARD enum status tree_writer_sync(struct tree_writer *writer);

/* Put the checkpoint there, durably. */
NODISCARD enum status tree_writer_checkpoint(struct tree_writer *writer,
                                             struct slice bytes);

/*
 * tree_writer_prune(writer, tile):
 * Remove all partial tiles of the place of ${tile}, whose full one is there.
 *
 * Returns: ST_OK, also if there are none; ST_DISK_FAILED; ST_EXHAUSTED if
 *          memory is short.
 */
NODISCARD enum status tree_writer_prune(struct tree_writer *writer,
                                        const struct tile *tile);

#endif
