/*
 * tiles_export.h: a log as a tree of static files that others' tools read
 * (c2sp.org/tlog-tiles): checkpoint, hash tiles, entry bundles.
 *
 * The tree is that of the checkpoint, and not of one entry more.  A second run
 * writes what is new, and puts the new checkpoint in place when all of it is
 * there: until then the tree is the former one.
 */
#ifndef DEFTER_CLIENT_EXPORT_TILES_EXPORT_H
#define DEFTER_CLIENT_EXPORT_TILES_EXPORT_H

#include "client/export/tree_writer.h"

struct tiles_export_options {
    const char *directory;  /* The node's, or its log's. */
    const char *checkpoint; /* File; NULL: the node's own. */
    const char *target;     /* The tree; it is made if it is not there. */
    unsigned threads;       /* 0: one for each core. */
    void *context;
    /* May be NULL; is called now and then. */
    void (*progress)(void *context, uint64_t passed, uint64_t total);
};

struct tiles_export_result {
    uint64_t size;  /* Of the tree. */
    uint64_t older; /* Of the tree that was there; 0: none. */
    uint64_t files_count;
    uint64_t bytes_count;
    uint64_t removed_count; /* Partial tiles. */
    const char *what;       /* Why it was refused; NULL. */
    uint64_t index;         /* Of which entry; UINT64_MAX: of none. */
};

/*
 * tiles_export(result_out, options):
 * Write the tree.
 *
 * Returns: ST_OK; ST_NO_FILE if there is no log; ST_ORIGIN if there is no
 *          checkpoint, or none of this log; ST_PROOF if the log has not the
 *          checkpoint's root; ST_EXISTS if another log's tree, or a newer one,
 *          is at the target; ST_LOST if the log ends before the checkpoint;
 *          ST_CHECKSUM for damage in the log; ST_TOO_LARGE; ST_DISK_FULL;
 *          ST_DISK_FAILED; ST_EXHAUSTED if memory is short.
 *          ${result_out->what} says more.
 * Order:   after sodium_init().
 */
NODISCARD enum status tiles_export(struct tiles_export_result *result_out,
                                   const struct tiles_export_options *options);

#endif
