/*
 * attest.h: outcomes that the log does not attest yet (LOG-FORMAT, section 6).
 *
 * The decision of an entry follows from the log, but only for who can replay
 * it.  So the node enters, for runs of entries, the root over all outcomes,
 * every decision other than OK, and the state digest; whoever replays compares.
 *
 * The apply thread's.
 */
#ifndef DEFTER_SERVER_PIPELINE_ATTEST_H
#define DEFTER_SERVER_PIPELINE_ATTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/attestation.h"

/* What one item came to. result_hash is that of no bytes where nothing was
 * given. */
struct item_outcome {
    uint16_t code;
    bool has_result;
    uint8_t result_hash[HASH_SIZE];
};

struct attest;

/* Entries from ${first} on are not attested.  Aborts without memory. */
struct attest *attest_open(uint64_t first);
void attest_close(struct attest *attest);

/*
 * attest_add(attest, outcomes, count, digest, own, now_ms):
 * The next entry came to these outcomes, and the state to ${digest}.  ${own}:
 * it is an attestation itself, which alone causes none.
 */
void attest_add(struct attest *attest, const struct item_outcome *outcomes,
                size_t count, const uint8_t digest[HASH_SIZE], bool own,
                int64_t now_ms);

/* First entry that is not attested. */
uint64_t attest_first(const struct attest *attest);

/*
 * attest_due(attest, now_ms, all):
 * Whether to enter an attestation now; ${all}: whatever the time, as long as
 * entries other than attestations wait.
 */
bool attest_due(const struct attest *attest, int64_t now_ms, bool all);

/*
 * attest_make(attest, out, space, now_ms):
 * State as many entries as one attestation holds; the refusals' bytes go to
 * ${space}.  No other is due until this one was cut off or given up.
 *
 * Requires: attest_due().
 */
void attest_make(struct attest *attest, struct op_system_attest *out,
                 struct writer *space, int64_t now_ms);

/* The one under way will not come to be an entry. */
void attest_give_up(struct attest *attest);

/* Entries other than attestations that wait. */
size_t attest_waiting(const struct attest *attest);

/*
 * attest_check(attest, stated):
 * Returns: ST_OK; ST_DIVERGED if this node came to something else, or if it
 *          states more than one attestation holds.
 */
NODISCARD enum status attest_check(struct attest *attest,
                                   const struct op_system_attest *stated);

/*
 * attest_paths(attest, paths_out, indexes, count, last):
 * What leads from the first item of each of ${count} entries to the root over
 * the entries up to ${last}.
 *
 * Requires: attest_check() was ST_OK for ${last}, which is not cut yet; no
 * index is below attest_first() or above ${last}.
 */
void attest_paths(const struct attest *attest,
                  struct attestation_path *paths_out, const uint64_t *indexes,
                  size_t count, uint64_t last);

/* Entries up to ${last} are attested. Requires: attest_check() was ST_OK. */
void attest_cut(struct attest *attest, uint64_t last);

#endif
