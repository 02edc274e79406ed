/*
 * outside.h: the witnesses outside of the cluster that the policy names with an
 * address: the primary asks them for cosignatures, one request to each at a
 * time, and nothing waits for them.
 */
#ifndef DEFTER_SERVER_COSIGN_OUTSIDE_H
#define DEFTER_SERVER_COSIGN_OUTSIDE_H

#include "protocol/tlog_policy.h"
#include "server/cosign/cosign_calls.h"

struct event_base;
struct outside; /* Opaque. */

/*
 * outside_open(outside_out, base, policy, log_key, calls):
 * Take those of the policy's witnesses that have an address; nodes of the
 * cluster have none there.
 *
 * Returns: ST_OK, also if there are none; as http_multi_open().
 * Owns:    keeps all of it; gives ${*outside_out}, to be closed with
 *          outside_close(), which takes NULL.
 */
NODISCARD enum status outside_open(struct outside **outside_out,
                                   struct event_base *base,
                                   const struct tlog_policy *policy,
                                   const struct note_key *log_key,
                                   const struct cosign_calls *calls);
void outside_close(struct outside *outside);

/* This node leads, and asks them; or it does no more. */
void outside_lead(struct outside *outside, bool leads);

/* There may be a newer note. */
void outside_published(struct outside *outside);

#endif
