/*
 * known.h: where accounts have logged in, by password, and what was tried there
 * since.
 *
 * Only a login that succeeded writes here: strangers, however many names and
 * addresses they have, push nobody out.  An account holds at most
 * LOGIN_SOURCES_KNOWN_MAX sources, the newest ones, so that whoever has a
 * password takes places of his own account alone; of accounts a full table
 * forgets the one whose last login is longest ago.
 *
 * Not for several threads at once.
 */
#ifndef DEFTER_SERVER_NET_KNOWN_H
#define DEFTER_SERVER_NET_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"

enum { KNOWN_NAME_SIZE = 16 }; /* Of accounts and of sources. */

struct known; /* Opaque. */

/*
 * known_open(known_out, capacity):
 * Requires: ${capacity} accounts are a power of two, 32 or more.
 * Returns:  ST_OK; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status known_open(struct known **known_out, uint32_t capacity);
void known_close(struct known *known);

/* The account logged in from the source: it is known for LOGIN_SOURCE_KNOWN_S,
 * and its failures there are forgotten. */
void known_succeeded(struct known *known, const uint8_t *account,
                     const uint8_t *source, int64_t now_us);

/* A login failed there; false, and not counted, if the source is not known. */
bool known_failed(struct known *known, const uint8_t *account,
                  const uint8_t *source, int64_t now_us);

/* Whether the source is known; if so, ${delay_us_out}, which may be NULL, is
 * what is left of the delay of its own failures. */
bool known_has(const struct known *known, int64_t *delay_us_out,
               const uint8_t *account, const uint8_t *source, int64_t now_us);

#endif
