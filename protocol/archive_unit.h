/*
 * archive_unit.h: what an archive unit is: a part of the log as a directory of
 * plain files that verifies by itself (ARCHIVE-FORMAT).
 *
 *     FORMAT.md    what this is, for whoever has no program that reads it
 *     checkpoint   a signed head of the log that covers the unit
 *     genesis      entry 0: with it the authority's key leads to the log's
 *     keys         who signed the entries and the checkpoint
 *     policy       whose signatures the checkpoint needs; may be missing
 *     entries/...  entry bundles as in c2sp.org/tlog-tiles, each packed by zstd
 *     tile/...     hash tiles, as far as they lead from the entries to the root
 *     manifest     what the unit holds, and SHA-256 of every other file
 *
 * Bundles and tiles are those of the checkpoint's tree: the first and the last
 * bundle may hold entries that are outside of the unit's range.
 *
 * The manifest is made of lines, in this order:
 *
 *     defter-archive-unit 1
 *     number N                     from 1
 *     cluster HEX                  16 bytes
 *     origin NAME                  the checkpoint's
 *     authority HEX                32 bytes
 *     segment N                    size of the log's segments
 *     first N, last N              indexes
 *     entries N                    last - first + 1
 *     bytes N                      of these entries
 *     size N                       of the checkpoint's tree
 *     leaf-before HEX              of entry first - 1; zeros for 0
 *     leaf-after HEX               of entry last
 *     root HEX                     of the tree of the entries 0 to last
 *     category C N                 entries of it, for C = 1 to 8
 *     file HEX SIZE PATH           in the order of archive_walk_next()
 *     end HEX                      SHA-256 of all lines before
 */
#ifndef DEFTER_PROTOCOL_ARCHIVE_UNIT_H
#define DEFTER_PROTOCOL_ARCHIVE_UNIT_H

#include "protocol/entry.h"
#include "protocol/tiles.h"

#define ARCHIVE_MANIFEST "manifest"

/*
 * Invariants: first <= last < size <= TREE_SIZE_MAX; the categories sum to
 * last - first + 1; at most ARCHIVE_BUNDLES_MAX bundles.
 */
struct archive_unit {
    uint64_t number;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct slice origin;
    uint8_t authority[PUBLIC_KEY_SIZE];
    uint32_t segment_size;
    uint64_t first;
    uint64_t last;
    uint64_t bytes;
    uint64_t size;
    uint8_t leaf_before[HASH_SIZE];
    uint8_t leaf_after[HASH_SIZE];
    uint8_t root[HASH_SIZE];
    uint64_t categories[CATEGORY_MAX + 1];
    bool has_policy;
    struct slice files; /* Of a manifest that was read: its lines "file". */
};

/* ---- Files -------------------------------------------------------------- */

enum archive_kind {
    ARCHIVE_FORMAT,
    ARCHIVE_CHECKPOINT,
    ARCHIVE_GENESIS,
    ARCHIVE_KEYS,
    ARCHIVE_POLICY,
    ARCHIVE_BUNDLE,
    ARCHIVE_TILE
};

struct archive_file {
    enum archive_kind kind;
    struct tile tile; /* Of a bundle or a tile. */
};

/* The files that a unit has, one after the other; the manifest is not told. */
struct archive_walk {
    const struct archive_unit *unit; /* Borrowed. */
    struct archive_file next;
    bool is_done;
};

void archive_walk_init(struct archive_walk *walk,
                       const struct archive_unit *unit);

/* Returns: false if all were told. */
bool archive_walk_next(struct archive_walk *walk,
                       struct archive_file *file_out);

/* At most ARCHIVE_PATH_SIZE_MAX bytes, without a NUL. */
void archive_path_write(struct writer *writer, const struct archive_file *file);

/* Whether a file of the unit, or its manifest, has this path below it. */
bool archive_has(const struct archive_unit *unit, struct slice path);

/* How long a file of that kind may be. */
uint64_t archive_size_max(enum archive_kind kind);

/* The bundle of entry ${index}.  Requires: the unit has it. */
struct tile archive_bundle(const struct archive_unit *unit, uint64_t index);

/* ---- The manifest ------------------------------------------------------- */

/*
 * archive_unit_read(unit_out, bytes):
 * Read a manifest: all of it but the lines "file", which are well formed, name
 * exactly the files that the unit has, and are for archive_line_next().
 *
 * Returns: ST_OK; ST_CHECKSUM if the last line does not fit those before;
 *          ST_FILE_FORMAT; ST_TOO_LARGE.
 * Owns:    ${*unit_out} borrows ${bytes}.
 */
NODISCARD enum status archive_unit_read(struct archive_unit *unit_out,
                                        struct slice bytes);

/* What the manifest says of one file. */
struct archive_line {
    uint8_t hash[HASH_SIZE]; /* SHA-256 of its bytes. */
    uint64_t size;
    struct slice path;
};

/* Take the first line from ${files}, which begins as unit->files.  Returns:
 * false at the end. */
bool archive_line_next(struct archive_line *line_out, struct slice *files);

/*
 * archive_unit_write(writer, unit), archive_line_write(writer, line),
 * archive_end_write(writer):
 * The manifest from its beginning: the head, a line for each file, the end.
 *
 * Requires: the invariants of ${unit}; the writer holds the manifest alone.
 */
void archive_unit_write(struct writer *writer, const struct archive_unit *unit);
void archive_line_write(struct writer *writer, const struct archive_line *line);
void archive_end_write(struct writer *writer);

#endif
