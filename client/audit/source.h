/*
 * source.h: where entries come from: the segments of a log, the bundles of a
 * tiles tree, or those of archive units.
 */
#ifndef DEFTER_CLIENT_AUDIT_SOURCE_H
#define DEFTER_CLIENT_AUDIT_SOURCE_H

#include "client/audit/bundles.h"
#include "client/audit/joined.h"
#include "client/audit/walk.h"

enum { SOURCE_NAME_SIZE = REPORT_FILE_SIZE };
static_assert((int)SOURCE_NAME_SIZE >= (int)WALK_NAME_SIZE &&
                  (int)SOURCE_NAME_SIZE >= (int)BUNDLES_NAME_SIZE,
              "segments and bundles have the shorter names");

/* Invariant: one of them is not NULL. */
struct source {
    struct walk *walk;
    struct bundles *bundles;
    struct joined *joined;
};

/* Accepts one that was never opened. */
void source_close(struct source *source);

/* Bytes of all files, and those that were passed, for the progress. */
uint64_t source_size(const struct source *source);
uint64_t source_passed(const struct source *source);

/* The file's name, as it is known below the directory. */
void source_name(const struct source *source, char out[SOURCE_NAME_SIZE],
                 uint32_t file);

/* Whether no file follows. */
bool source_is_last(const struct source *source, uint32_t file);

/* See walk_batch_open(), walk_next() and walk_goes_on(). */
NODISCARD enum status source_batch_open(struct walk_batch *batch,
                                        const struct source *source);
void source_next(struct source *source, struct walk_batch *batch);
NODISCARD enum status source_goes_on(const struct source *source,
                                     bool *goes_on_out, struct walk_place place,
                                     uint64_t index);

#endif
