/*
 * archive.h: the archive record (P-3.5, P-7.1.4, R-8.2.8): which entries are in
 * which unit, who vouches for its files, where its copies are, and when these
 * are looked at again.
 *
 *   archive.prepare  by the node, when entries pass a size or an age
 *        |
 *   PREPARED --seal--> SEALED --ship--> SHIPPED --verify--> VERIFIED
 *                                          `------ archive.due, by the node,
 *                                                  when keep_until is over -->
 *   DUE --transfer--> TRANSFERRED;  DUE --destruction--> DESTROYED
 *
 * A copy's check falls due as well; of both the owner is told once.
 */
#ifndef DEFTER_SERVER_REGISTRY_ARCHIVE_H
#define DEFTER_SERVER_REGISTRY_ARCHIVE_H

#include "server/registry/act.h"

/* As ARCHIVE_STATES names them. */
enum archive_state {
    ARCHIVE_PREPARED = 1,
    ARCHIVE_SEALED,
    ARCHIVE_SHIPPED,
    ARCHIVE_VERIFIED,
    ARCHIVE_IS_DUE,
    ARCHIVE_TRANSFERRED,
    ARCHIVE_DESTROYED
};

/* As ARCHIVE_MEDIA names them. */
enum archive_medium { ARCHIVE_MEDIUM_NODE = 1 };

/*
 * archive_due_list(state, due_out, due_max, now):
 * What is due at ${now}, and was not told yet: the fields of archive.due.
 *
 * Returns: how many there are in ${due_out}.
 */
uint32_t archive_due_list(struct state *state, struct op_archive_due *due_out,
                          uint32_t due_max, int64_t now);

/* The newest unit; number 0 and the fields of an empty one if there is none. */
void archive_newest(struct state *state, struct row_archive_unit *row_out);

/*
 * archive_next(state, next_out):
 * Where the next unit begins, by the newest one.
 */
struct archive_next {
    uint32_t unit;
    uint64_t first;
    uint8_t leaf_before[HASH_SIZE];
};
void archive_next(struct state *state, struct archive_next *next_out);

#endif
