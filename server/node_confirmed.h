/*
 * node_confirmed.h: what the holders of keys confirmed of the states that they
 * kept (destroy.confirm), read from the log alone: a node that needs a snapshot
 * cannot decide the entries before it.
 *
 * A confirmation counts if the log says that it was done: a node that is
 * enrolled, as the entries tell, signed it, the signature verifies, and an
 * attestation covers it and does not list it among the refusals.  Nodes are
 * enrolled and retired by the same rule.  An attestation is one of genesis'
 * node, or of one whose enrolment another attested before.  Zeros in the place
 * of the digest state nothing.
 *
 * What a primary that lies can make the log say is not noticed here, but by
 * whoever replays; so more than one holder has to say the same.
 */
#ifndef DEFTER_SERVER_NODE_CONFIRMED_H
#define DEFTER_SERVER_NODE_CONFIRMED_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/status.h"

struct journal;
struct confirmed; /* Opaque; one thread at a time. */

/*
 * confirmed_open(journal, cluster_id):
 * Aborts without memory.
 * Owns: borrows ${journal}; end with confirmed_close(), which accepts NULL.
 */
struct confirmed *confirmed_open(struct journal *journal,
                                 const uint8_t cluster_id[CLUSTER_ID_SIZE]);
void confirmed_close(struct confirmed *confirmed);

/*
 * confirmed_read(confirmed, end, entries_max):
 * Read on, up to ${end}, which is known to be committed.
 * Returns: whether it is all read; false: call again, after ${entries_max}
 *          entries, or because an entry cannot be read now.
 */
bool confirmed_read(struct confirmed *confirmed, uint64_t end,
                    uint64_t entries_max);

/*
 * confirmed_state(confirmed, digest_out, size):
 * Which state of ${size} entries the holders kept: CONFIRMED_HOLDERS_MIN of
 * them have to say so, all of them where fewer are not retired.
 *
 * Returns: ST_OK; ST_END while too few say anything; ST_DIVERGED if two that
 *          count contradict each other: then none is to be believed.  With
 *          ST_OK and ST_END ${digest_out} is what was said, zeros if nothing.
 */
NODISCARD enum status confirmed_state(const struct confirmed *confirmed,
                                      uint8_t digest_out[HASH_SIZE],
                                      uint64_t size);

/* The newest size above ${above} for which confirmed_state() is ST_OK; 0 if
 * there is none. */
uint64_t confirmed_newest(const struct confirmed *confirmed, uint64_t above);

#endif
