/*
 * throttle.h: which password login is judged now, and which has to wait
 * (PROTOCOL, section 5.2).
 *
 * Failures are counted for the account, and for the account from one source.
 * Both delay.  But a source from which the account has logged in before is
 * delayed by its own failures alone, and has a share of the verifications that
 * strangers cannot use up: whoever guesses from elsewhere, from however many
 * addresses and invented names, shuts nobody out who was there before him: what
 * is known stands in a table (known.h) that only a success writes.
 */
#ifndef DEFTER_SERVER_NET_THROTTLE_H
#define DEFTER_SERVER_NET_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/status.h"

struct throttle; /* Opaque. */

/* An account by the tag of its name, and where somebody tries it from. */
struct throttle_try {
    uint8_t account[16];
    uint8_t source[16];
};

/*
 * throttle_open(throttle_out, capacity):
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status throttle_open(struct throttle **throttle_out,
                                    uint32_t capacity);
void throttle_close(struct throttle *throttle);

/* Microseconds until a try is judged; 0: now. */
int64_t throttle_delay(struct throttle *throttle,
                       const struct throttle_try *from, int64_t now_us);

/* One of the node's verifications of this second; false if there is none. */
bool throttle_take(struct throttle *throttle, const struct throttle_try *from,
                   int64_t now_us);

/* What became of a try.  throttle_failed returns the account's failures in a
 * row, from wherever. */
uint32_t throttle_failed(struct throttle *throttle,
                         const struct throttle_try *from, int64_t now_us);
void throttle_succeeded(struct throttle *throttle,
                        const struct throttle_try *from, int64_t now_us);

#endif
