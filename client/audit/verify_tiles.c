#include "client/audit/verify_tiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/audit/verify_parts.h"

static void verify_tiles_file(struct report *report, const struct tile *tile)
{
    char name[TILE_FILES_NAME_SIZE];

    tile_files_name(name, tile);
    (void)snprintf(report->fault.file, sizeof report->fault.file, "%s", name);
}

static const char *verify_tiles_what(enum hash_tiles_odd odd)
{
    switch (odd) {
    case HASH_TILES_NONE:
    case HASH_TILES_HASH:
        return "a hash of the tile is not that of the entries";
    case HASH_TILES_SHORT:
        return "the tile is too short";
    case HASH_TILES_LONG:
        return "the tile is too long";
    case HASH_TILES_MISSING:
        return "the tile is missing";
    case HASH_TILES_UNREADABLE:
        return "the tile is no plain file, or cannot be read";
    }
    return "?";
}

/* The entries have the checkpoint's root: the tile is at fault. */
static void verify_tiles_odd(const struct hash_tiles *tiles,
                             struct report *report)
{
    bool is_unread = tiles->odd == HASH_TILES_UNREADABLE;

    if (!report_fault(report, is_unread ? REPORT_INCOMPLETE : REPORT_TAMPERED,
                      REPORT_NO_INDEX, verify_tiles_what(tiles->odd)))
        return;
    verify_tiles_file(report, &tiles->tile);
    report->fault.offset = (uint64_t)tiles->hash * HASH_SIZE;
    report->fault.hash = tiles->hash;
    if (is_unread)
        report_reason(report, REPORT_REASON_UNREADABLE);
    if (tiles->odd == HASH_TILES_HASH)
        report_hashes(report, tiles->expected, tiles->actual, HASH_SIZE);
}

/* Where in its bundle the entry begins; the tree's root is not its leaves', and
 * the tile that has its leaf hash says that it is another. */
static void verify_tiles_entry(const struct verify *verify,
                               struct report *report)
{
    const struct hash_tiles *tiles = verify->tiles;
    const uint64_t index = tiles->leaf;
    struct bundles *bundles = verify->source.bundles;
    char name[BUNDLES_NAME_SIZE];

    report->fault.found = false;
    (void)report_fault(report, REPORT_TAMPERED, index,
                       "it is not the entry whose leaf hash the tree has");
    report->fault.offset = bundles_place(bundles, name, index);
    (void)snprintf(report->fault.file, sizeof report->fault.file, "%s", name);
    report_hashes(report, tiles->actual, tiles->expected, HASH_SIZE);
}

/* A fault of the entries, or a root that is not the checkpoint's, may come from
 * an entry before it: the first whose leaf hash the tile has not. */
static void verify_tiles_locate(const struct verify *verify,
                                struct report *report)
{
    const struct hash_tiles *tiles = verify->tiles;

    if (tiles->odd == HASH_TILES_NONE)
        return;
    if (!report->fault.found) {
        verify_tiles_odd(tiles, report);
        return;
    }
    if (tiles->odd == HASH_TILES_HASH && tiles->tile.level == 0 &&
        report->fault.index != REPORT_NO_INDEX &&
        (tiles->leaf < report->fault.index || verify->judge.is_root_wrong))
        verify_tiles_entry(verify, report);
}

static enum status verify_tiles_pass(struct verify *verify,
                                     struct report *report, int directory,
                                     const struct verify_options *options)
{
    const uint64_t size =
        verify->vouches.all[verify->vouches.count - 1].checkpoint.size;
    struct hash_tiles tiles;
    enum status status;

    status = bundles_open(&verify->source.bundles, directory, size);
    if (status != ST_OK)
        return status;
    hash_tiles_init(&tiles, directory, size);
    verify->tiles = &tiles;
    status = verify_entries(verify, report, options);
    hash_tiles_end(&tiles);
    if (status == ST_OK) {
        verify_tiles_locate(verify, report);
        judge_end(&verify->judge);
    }
    verify->tiles = NULL;
    return status;
}

/* The tree is that of its own checkpoint, which comes last; one that was named
 * is held against it, or takes its place. */
static enum status verify_tiles_checkpoint(struct verify *verify,
                                           struct report *report,
                                           const struct verify_options *options)
{
    char path[VERIFY_PATH_SIZE];
    enum status status;

    status = verify_outside(verify, report, options);
    if (status != ST_OK)
        return status;
    if (!verify_path(path, options->directory, VERIFY_CHECKPOINT))
        return ST_NO_FILE;
    status = verify_checkpoint(verify, report, path, VERIFY_CHECKPOINT);
    if (status != ST_NO_FILE)
        return status;
    if (verify->vouches.count > 0)
        return ST_OK;
    if (report_fault(report, REPORT_TAMPERED, REPORT_NO_INDEX,
                     "the tree's checkpoint is missing"))
        (void)snprintf(report->fault.file, sizeof report->fault.file, "%s",
                       VERIFY_CHECKPOINT);
    return ST_OK;
}

enum status verify_tiles(struct report *report_out,
                         const struct verify_options *options)
{
    struct verify verify = {.tiles = NULL};
    enum status status;
    int directory;

    memset(report_out, 0, sizeof *report_out);
    report_out->kind = REPORT_TILES;
    status = verify_silent(report_out, options, VERIFY_OF_ENTRY, "a tree");
    if (status == ST_OK && options->tree_only)
        status = verify_silent(report_out, options, VERIFY_OF_RECEIPTS,
                               "the tree alone");
    if (status != ST_OK)
        return status;
    directory = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOENT || errno == ENOTDIR ? ST_NO_FILE
                                                   : ST_DISK_FAILED;
    status = verify_tiles_checkpoint(&verify, report_out, options);
    if (status == ST_OK && !report_out->fault.found)
        status = verify_tiles_pass(&verify, report_out, directory, options);
    verify_close(&verify);
    close(directory);
    return status;
}
