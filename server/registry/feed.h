/*
 * feed.h: batches of records that bodies bring through EHIS.
 *
 *   OPEN --commit--> COMMITTED, PARTIAL (some records were refused)
 *        |           REFUSED (count or rolling hash differ; or all or nothing)
 *        `--abort--> ABORTED; so does the time that a batch may stay open
 *
 * A batch is put in the order of its numbers.  Every record counts in the
 * rolling hash h = SHA-256(h || commitment), good or bad, so that both sides
 * agree on what was brought before anything of it becomes a version.
 */
#ifndef DEFTER_SERVER_REGISTRY_FEED_H
#define DEFTER_SERVER_REGISTRY_FEED_H

#include "server/registry/act.h"

enum feed_state {
    FEED_OPEN = 1,
    FEED_LOADED = 2,
    FEED_COMMITTED = 3,
    FEED_PARTIAL = 4,
    FEED_REFUSED = 5,
    FEED_ABORTED = 6
};

/* feed_record.code of a record whose EHIS message was seen before. */
#define FEED_CODE_DUPLICATE ((uint16_t)ST_EXISTS)

/*
 * feed_load(act, feed_out, number):
 * Returns: true; false if the act's organisation has no such batch.
 */
bool feed_load(struct act *act, struct row_feed *feed_out, uint64_t number);

/* The same for the batch that bears this EHIS name. */
bool feed_find(struct act *act, struct row_feed *feed_out,
               struct slice ehis_batch);

/*
 * feed_store(act, feed):
 * Write the row of a batch that feed_load() gave.
 */
void feed_store(struct act *act, const struct row_feed *feed);

/*
 * feed_flush(act):
 * Write the row of the batch held in the act, if one is.
 *
 * Order: at the end of a command, whatever its last item was.
 */
void feed_flush(struct act *act);

/* The state a batch has at the act's time: open ones end with their hours. */
enum feed_state feed_state_now(struct act *act, const struct row_feed *feed);

/* The refused records of a batch from number ${from} on, in act->space, as many
 * as a result lists. */
struct list feed_refusals(struct act *act, uint64_t feed, uint32_t from);

#endif
