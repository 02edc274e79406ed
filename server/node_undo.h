/*
 * node_undo.h: a restore that fails leaves the node's directory as it was, so
 * that it can be done once more with another escrow.
 */
#ifndef DEFTER_SERVER_NODE_UNDO_H
#define DEFTER_SERVER_NODE_UNDO_H

#include <stddef.h>

#include "protocol/contract.h"
#include "protocol/status.h"

/* The names in a directory before anything was made there. */
struct node_undo {
    const char *directory;
    char **names;
    size_t count;
};

/*
 * node_undo_note(undo_out, directory):
 * Note what lies in ${directory}.
 *
 * Returns: ST_OK; ST_DISK_FAILED.
 * Owns:    keeps ${directory}.
 * Order:   node_undo_wipe() in any case.
 */
NODISCARD enum status node_undo_note(struct node_undo *undo_out,
                                     const char *directory);

/*
 * node_undo_back(undo):
 * Remove what was not there when it was noted, files and directories.
 *
 * Returns: ST_OK; ST_DISK_FAILED, and something may be left.
 * Order:   the caller holds the directory (disk_posix_open()).
 */
NODISCARD enum status node_undo_back(const struct node_undo *undo);

/* Accepts what was only zeroed. */
void node_undo_wipe(struct node_undo *undo);

#endif
