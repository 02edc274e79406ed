/*
 * workers.h: one piece of work at a time, over all cores.
 */
#ifndef DEFTER_CLIENT_AUDIT_WORKERS_H
#define DEFTER_CLIENT_AUDIT_WORKERS_H

#include <stddef.h>

#include "protocol/contract.h"
#include "protocol/status.h"

struct workers; /* Opaque. */

/*
 * workers_open(workers_out, count):
 * ${count} threads work, the caller's among them; 0 is one for each core.
 * Fewer where the system gives fewer.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 * Order:   ends with workers_close().
 */
NODISCARD enum status workers_open(struct workers **workers_out,
                                   unsigned count);
/* Accepts NULL. */
void workers_close(struct workers *workers);

unsigned workers_count(const struct workers *workers);

/*
 * workers_start(workers, count, context, work):
 * Begin to do ${work} for the numbers 0 to count - 1, in runs of a few.  Runs
 * are done at the same time and in any order.
 *
 * Order: workers_wait() comes before the next start.
 */
void workers_start(struct workers *workers, size_t count, void *context,
                   void (*work)(void *context, size_t from, size_t to));

/* Helps, and returns when all is done. */
void workers_wait(struct workers *workers);

#endif
