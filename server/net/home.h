/*
 * home.h: what the files of this folder share: the net and its loops.
 */
#ifndef DEFTER_SERVER_NET_HOME_H
#define DEFTER_SERVER_NET_HOME_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/net/connection.h"
#include "server/net/memory.h"
#include "server/net/throttle.h"

/* Counters for the status query; written by all loops. */
#define NET_COUNTERS(X) \
    X(accepted)         \
    X(refused)          \
    X(handshakes)       \
    X(logins)           \
    X(login_failures)   \
    X(frames)           \
    X(commands)         \
    X(strikes)

/* How often each limit refused or ended something; in the status "limit." and
 * the name.  OPERATING says what each tells. */
#define NET_LIMITS(X)           \
    X(connections_before_login) \
    X(connections_source)       \
    X(connections_key)          \
    X(handshakes)               \
    X(handshakes_source)        \
    X(handshake_s)              \
    X(login_s)                  \
    X(record_s)                 \
    X(idle_s)                   \
    X(lifetime_s)               \
    X(slow_readers)             \
    X(penalties_source)         \
    X(penalties_key)            \
    X(penalised_source)         \
    X(penalised_key)            \
    X(commands_rate)            \
    X(in_flight)                \
    X(pings)                    \
    X(pads)                     \
    X(pw_starts_source)         \
    X(pw_delays)                \
    X(pw_proves)                \
    X(memory)

struct net_counters {
#define X(name) atomic_uint_fast64_t name;
    NET_COUNTERS(X)
#undef X
};

struct net_limits {
#define X(name) atomic_uint_fast64_t name;
    NET_LIMITS(X)
#undef X
};

/* The limit ${name} of ${net} was met. */
#define HOME_LIMIT(net, name) ((void)atomic_fetch_add(&(net)->limits.name, 1))

struct net;

/* One loop and its connections. */
struct net_loop {
    struct net *net;
    struct loop *loop;
    uint32_t number;
    struct connection **slots; /* options.connections of them. */
    uint32_t *generations;
    uint32_t slots_count;
    uint32_t slots_used; /* Slots ever taken: none above is in use. */
    struct connection *dirty;
    struct connection *dead;
    uint32_t signatures_left; /* Of this pass. */

    /* Frames gathered for one record of one connection. */
    struct connection *plain_owner;
    struct writer plain;
    uint8_t *scratch;      /* Input of a pass. */
    uint8_t *record;       /* Plaintext of a record. */
    uint8_t *watch_buffer; /* WATCH_BUFFER_SIZE. */
    struct command_item items[ITEMS_MAX];
    atomic_bool pump; /* A grown() is in the mailbox already. */
};

struct net {
    struct net_options options; /* NET_LIVE_OPTIONS by home_limit() only. */
    struct net_identity identity;
    struct pipeline *pipeline;
    struct listener *listener;
    struct net_loop homes[NET_LOOPS_MAX];
    uint32_t homes_opened;
    uint32_t next_home; /* Of the listener's loop only. */
    struct usage *sources;
    struct usage *keys;
    struct throttle *throttle;
    struct memory memory;
    atomic_uint connections;
    atomic_uint before_login;
    atomic_uint watching; /* Watches that are live. */
    atomic_bool draining;
    atomic_bool listening;
    struct bucket handshakes;           /* Of the listener's loop only. */
    uint8_t dummy_key[PUBLIC_KEY_SIZE]; /* A real key nobody holds. */
    struct net_counters counters;
    struct net_limits limits;
};

enum {
    RX_SIZE_MAX = RECORD_HEADER_SIZE + RECORD_SIZE_MAX,
    SCRATCH_SIZE = RX_SIZE_MAX
};

/* A limit that net_set_limits() may change meanwhile. */
static inline uint32_t home_limit(const uint32_t *limit)
{
    return __atomic_load_n(limit, __ATOMIC_RELAXED);
}

/* Connections come and go: counts, and the listener's pause at the cap. */
void home_left(struct net_loop *home, struct connection *connection);
/* home_accept.c: the listener's callback, on the loop of number 0. */
bool home_accepted(void *context, int fd, const struct source *source);
struct connection *home_find(struct net_loop *home, uint64_t id);

#endif
