/*
 * sequencer.h: gives each command its place in the log (PROTOCOL, section 6,
 * step 7; LOG-FORMAT, sections 1 to 3).
 *
 * The core thread's.  It looks up what is known, gives index, epoch, log time
 * and previous hash, chooses the seal keys, and writes the entry into the
 * group's buffer.
 */
#ifndef DEFTER_SERVER_PIPELINE_SEQUENCER_H
#define DEFTER_SERVER_PIPELINE_SEQUENCER_H

#include "server/pipeline/clock.h"
#include "server/pipeline/group.h"
#include "server/pipeline/idempotency.h"
#include "server/store/keyring.h"

/* Where the log ends, and in which epoch it goes on. */
struct sequencer_start {
    struct journal_end end;
    uint32_t epoch; /* Above end.epoch. */
};

/* Borrowed until sequencer_close(). */
struct sequencer_parts {
    struct keyring *keyring;
    struct idempotency *idempotency;
    struct clock_source clock;
};

struct sequencer;

/* With ${start} NULL it waits for sequencer_begin(). Aborts if there is no
 * memory. */
struct sequencer *sequencer_open(const struct sequencer_parts *parts,
                                 const struct sequencer_start *start);

/*
 * sequencer_begin(sequencer, start):
 * Go on at another end in another epoch.
 *
 * Requires: the caller owns the keyring, which has no keys above the end.
 */
void sequencer_begin(struct sequencer *sequencer,
                     const struct sequencer_start *start);

/*
 * sequencer_peers(sequencer, offset_us_min, offset_us_max):
 * Between which differences the clocks of the other nodes lie, as seen from
 * this one's: where all are ahead by more than a minute, or all behind, it is
 * this clock that is not to be believed.  INT64_MIN and INT64_MAX: none
 * answers; the other way about, it is not to be believed before one does.
 */
void sequencer_peers(struct sequencer *sequencer, int64_t offset_us_min,
                     int64_t offset_us_max);

void sequencer_close(struct sequencer *sequencer);

enum sequencer_verdict {
    SEQUENCER_TAKEN,   /* In the group: with an entry, or known. */
    SEQUENCER_REFUSED, /* Not in it: work->fault says why. */
    SEQUENCER_FULL     /* The group has no room: try again in the next. */
};

/*
 * sequencer_put(sequencer, group, work):
 * Judge one work and put it in the group.  Refusals: ST_IN_PROGRESS,
 * ST_IDEM_CONFLICT, the fault of the pure decode, ST_READ_ONLY when the disk
 * has no room or the clock is not to be believed.
 */
enum sequencer_verdict sequencer_put(struct sequencer *sequencer,
                                     struct group *group, struct work *work);

/* The end of the log as sequenced so far. */
const struct journal_end *sequencer_end(const struct sequencer *sequencer);

/* Whether the clock was disbelieved at the last command; and looked at anew, so
 * that a stall ends when it agrees again. */
bool sequencer_stalled(const struct sequencer *sequencer);
bool sequencer_look(struct sequencer *sequencer);

#endif
