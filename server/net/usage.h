/*
 * usage.h: what sources, keys and accounts have done lately, and what follows.
 *
 * One table of fixed capacity for each: sources by address (IPv4, or the /64 of
 * an IPv6 address), keys by key_id, accounts by the tag of their name.  Names
 * are looked up by SipHash under a random key, since strangers choose them.
 * All I/O loops share the tables; each call locks for itself.
 *
 * A table that is full gives the place of another name to a new one, beginning
 * with names of which nothing would be forgotten.  A name with an open
 * connection, memory, a strike of the last minute, a penalty that the next one
 * would double, or a delay that runs never loses its place, and one whose delay
 * is over only to a name for whom nobody else has failed less: a flood of names
 * buys no pardon.
 */
#ifndef DEFTER_SERVER_NET_USAGE_H
#define DEFTER_SERVER_NET_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"

enum { USAGE_NAME_SIZE = 16 };

/* A token bucket; all zero: full at its first use. */
struct bucket {
    int64_t filled_us; /* When it was last counted, 0 = never. */
    int64_t tokens;    /* Millionths of a token. */
};

/* Take ${amount} tokens of a bucket of ${rate} a second and ${burst} at most.
 */
bool bucket_take(struct bucket *bucket, int64_t now_us, uint32_t rate,
                 uint32_t burst, uint32_t amount);

struct usage; /* Opaque: a table. */

/*
 * usage_open(usage_out, capacity):
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status usage_open(struct usage **usage_out, uint32_t capacity);
void usage_close(struct usage *usage);

/*
 * usage_enter(usage, name, limit, now_us):
 * Count one connection more, unless ${limit} are open already.
 * Returns: true if counted; false at the limit or when the table is full.
 */
bool usage_enter(struct usage *usage, const uint8_t *name, uint32_t limit,
                 int64_t now_us);
void usage_leave(struct usage *usage, const uint8_t *name);

/*
 * usage_hold(usage, name, kind, size, limit):
 * Count ${size} bytes more that the name holds, unless they are more than
 * ${limit} then.  usage_let_go() gives them back.
 * Returns: true if counted; false at the limit or when the table is full.
 */
enum usage_memory { USAGE_SESSIONS, USAGE_ANSWERS, USAGE_MEMORY_COUNT };
bool usage_hold(struct usage *usage, const uint8_t *name,
                enum usage_memory kind, size_t size, size_t limit);
void usage_let_go(struct usage *usage, const uint8_t *name,
                  enum usage_memory kind, size_t size);
size_t usage_held(struct usage *usage, const uint8_t *name,
                  enum usage_memory kind);

enum usage_rate {
    USAGE_HANDSHAKES,
    USAGE_COMMANDS,
    USAGE_PW_STARTS,
    USAGE_RATES_COUNT
};
/* Take ${amount} tokens of one of the name's buckets. */
bool usage_take(struct usage *usage, const uint8_t *name, enum usage_rate kind,
                uint32_t rate, uint32_t burst, uint32_t amount, int64_t now_us);

/*
 * usage_strike(usage, name, now_us):
 * Count a strike.  The 17th within 60 s begins a penalty of 60 s that doubles
 * up to 15 minutes.
 * Returns: true if a penalty began.
 */
bool usage_strike(struct usage *usage, const uint8_t *name, int64_t now_us);

/* Microseconds of penalty or login delay left; 0 if none. */
int64_t usage_penalty(struct usage *usage, const uint8_t *name, int64_t now_us);

/*
 * usage_counts(usage, name, login):
 * A counted command of the key comes from login number ${login} (logins are
 * numbered in their order).  The newest login that counts fences older ones.
 * Returns: false if a newer login has counted already.
 */
bool usage_counts(struct usage *usage, const uint8_t *name, uint64_t login);

/* The delay after so many failed logins in a row: five are free, then each
 * doubles a delay of one second up to LOGIN_DELAY_S_MAX.  Microseconds. */
int64_t usage_failures_delay(uint32_t failures);

/*
 * Password login of an account; a success forgets its failures.
 * usage_login_failed returns the failures in a row, 0 for a name that found no
 * place: all of those share one count and its delay, which is
 * LOGIN_DELAY_CROWD_S_MAX at most and ends LOGIN_CROWD_FORGOTTEN_S after the
 * last of them.
 */
uint32_t usage_login_failed(struct usage *usage, const uint8_t *name,
                            int64_t now_us);
void usage_login_succeeded(struct usage *usage, const uint8_t *name);
int64_t usage_login_delay(struct usage *usage, const uint8_t *name,
                          int64_t now_us);

/* How often a new name found no place. */
uint64_t usage_full_count(struct usage *usage);

#endif
