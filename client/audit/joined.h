/*
 * joined.h: the entries of consecutive archive units, read once from the first
 * to the last, in batches, as if they were one log.
 *
 * The units were checked before: what cannot be read here was changed since.
 */
#ifndef DEFTER_CLIENT_AUDIT_JOINED_H
#define DEFTER_CLIENT_AUDIT_JOINED_H

#include "client/audit/unit.h"
#include "client/audit/walk.h"

struct joined; /* Opaque. */

/*
 * joined_open(joined_out, units, count):
 * Borrows the units, which begin at entry 0 and follow each other, until
 * joined_close(), which accepts NULL.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status joined_open(struct joined **joined_out,
                                  struct unit *units, size_t count);
void joined_close(struct joined *joined);

/* Entries, and those that were passed, for the progress. */
uint64_t joined_size(const struct joined *joined);
uint64_t joined_passed(const struct joined *joined);

/* The bundle's file; ${bundle} counts those of all units. */
void joined_name(const struct joined *joined, char *out, size_t size,
                 uint32_t bundle);

/* See walk_batch_open() and walk_next(); places are numbers of bundles and
 * offsets of length words. */
NODISCARD enum status joined_batch_open(struct walk_batch *batch,
                                        const struct joined *joined);
void joined_next(struct joined *joined, struct walk_batch *batch);

#endif
