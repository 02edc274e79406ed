/*
 * tile_files.h: the files of a tiles tree (c2sp.org/tlog-tiles), read one by
 * one.
 *
 * The files may be anything: only plain files are read, no link of a tile's
 * name is followed, and nothing is waited for.
 */
#ifndef DEFTER_CLIENT_AUDIT_TILE_FILES_H
#define DEFTER_CLIENT_AUDIT_TILE_FILES_H

#include "protocol/tiles.h"

enum { TILE_FILES_NAME_SIZE = TILE_PATH_SIZE_MAX + 1 };

enum tile_files_found {
    TILE_FILES_OPEN,
    TILE_FILES_MISSING,
    TILE_FILES_UNREADABLE /* No plain file, or no right to read it. */
};

/*
 * tile_files_open(file_out, found_out, directory, tile):
 * Open the file of the tile; of a wider one where a partial tile is gone,
 * since partial ones may be removed when the full one is there.
 *
 * Owns: gives ${*file_out}, a descriptor, if it is open.  ${*found_out} is the
 *       tile whose file it is, or the one that is missing.
 */
enum tile_files_found tile_files_open(int *file_out, struct tile *found_out,
                                      int directory, const struct tile *tile);

void tile_files_name(char out[TILE_FILES_NAME_SIZE], const struct tile *tile);

/*
 * tile_files_read(file, out, size_out, size, offset):
 * Fewer bytes than asked for at the end of the file.
 *
 * Returns: false if it cannot be read.
 */
bool tile_files_read(int file, uint8_t *out, size_t *size_out, size_t size,
                     uint64_t offset);

#endif
