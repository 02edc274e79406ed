/*
 * register_etcd.h: the register, kept by etcd.
 *
 * It runs on a libevent base that the caller gives, on that base's thread, and
 * tells by callbacks what the register says.  It decides nothing: it reports
 * answers and views, and what they mean is the core's.
 *
 *     PROBING ──self-test passed──> READY
 *        └──────self-test failed──> BARRED
 *
 *     from \ to   READY   BARRED
 *     PROBING     yes     yes
 *     READY       -       yes (a later probe fails, or another etcd answers)
 *     BARRED      no      -
 *
 * A BARRED register is never used again by this process: what stands behind
 * those endpoints does not compare before it swaps, or is not one etcd but
 * several, which would be as many registers.
 *
 * etcd may be away for any time.  Then proposals end as UNKNOWN, nothing is
 * seen, and everything goes on by itself when it is back.
 */
#ifndef DEFTER_SERVER_CLUSTER_REGISTER_ETCD_H
#define DEFTER_SERVER_CLUSTER_REGISTER_ETCD_H

#include "protocol/contract.h"
#include "protocol/status.h"
#include "replication/register.h"

struct event_base;
struct register_etcd; /* Opaque. */

enum {
    REGISTER_CONNECT_MS_DEFAULT = 1000,
    REGISTER_REQUEST_MS_DEFAULT = 3000,
    REGISTER_POLL_MS_DEFAULT = 5000,
    REGISTER_TTL_S_DEFAULT = 5
};

struct register_etcd_options {
    /* As etcd_http.h wants them. */
    const char *endpoints[ETCD_ENDPOINTS_MAX];
    size_t endpoints_count;
    const char *authority_file;
    const char *certificate_file;
    const char *key_file;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t node_id[NODE_ID_SIZE];
    /* The highest revision that this node ever knew; 0 if none. */
    uint64_t revision;
    uint32_t connect_ms;
    uint32_t request_ms;
    uint32_t poll_ms;
    uint32_t ttl_s; /* Of the alive key; ETCD_TTL_S_MIN to ETCD_TTL_S_MAX. */
};

/*
 * What the caller is told; all are called on the loop's thread, from the loop,
 * and never from within a call to a function of this file.  What they are given
 * is borrowed.
 */
struct register_etcd_events {
    void *context;
    /* The self-test passed; proposals are taken from now on. */
    void (*ready)(void *context);
    /* The register must not be used; ${why} is for people. */
    void (*barred)(void *context, const char *why);
    /* The answer to register_etcd_cas(). */
    void (*answered)(void *context, const struct register_answer *answer);
    /* The answer to register_etcd_look() and register_etcd_incarnation(). */
    void (*registered)(void *context,
                       const struct register_incarnation *incarnation);
    /*
     * What the register holds and who has an alive key, as they were together:
     * whenever either has changed, and after register_etcd_read().  What an
     * answer has told is not told again.  It may be old, but never older than
     * what was told before.
     */
    void (*seen)(void *context, const struct register_view *view,
                 const struct register_alive *alive);
    /*
     * The value stands at a lower revision than was seen before, or is gone, or
     * all of etcd is at a lower one: it was restored from an older copy.  Told
     * once, and again only after it had come back.  ${revision} is the newest
     * that was seen of the value, ${view} what stands there now.
     */
    void (*went_back)(void *context, uint64_t revision,
                      const struct register_view *view);
    /* Readings are answered again, or no more; ${why} is for people, in
     * printable ASCII.  Told when it changes. */
    void (*reached)(void *context, bool answers, const char *why);
};

/*
 * register_etcd_open(etcd_out, base, options, events):
 * Take up the endpoints, and begin with the self-test.
 *
 * Requires: base is this thread's; SIGPIPE is ignored; every event is given.
 * Returns:  ST_OK; ST_USAGE for options that cannot be meant; ST_EXHAUSTED.
 * Owns:     copies ${options} and ${events}; keeps ${base}; gives ${*etcd_out}.
 */
NODISCARD enum status register_etcd_open(
    struct register_etcd **etcd_out, struct event_base *base,
    const struct register_etcd_options *options,
    const struct register_etcd_events *events);

/*
 * Ends without calling back; accepts NULL.  The lease is left to run out: see
 * register_etcd_leave().  Not from a callback.
 */
void register_etcd_close(struct register_etcd *etcd);

/* Look now; ${seen} is called once etcd answers, changed or not; never when
 * barred. */
void register_etcd_read(struct register_etcd *etcd);

/*
 * register_etcd_cas(etcd, proposal):
 * Propose.  ${answered} is called once, in bounded time.  After UNKNOWN the
 * same proposal may be given again, the same in every byte but the token.
 *
 * Requires: the proposal's invariants.
 * Returns:  ST_OK; ST_WRONG_STATE before ready and when barred; ST_LIMIT with
 *           REGISTER_CALLS_MAX under way; ST_EXHAUSTED.  But for ST_OK nothing
 *           was sent and nothing will be answered.
 * Owns:     copies ${proposal}.
 */
NODISCARD enum status register_etcd_cas(
    struct register_etcd *etcd, const struct register_proposal *proposal);

/*
 * register_etcd_look(etcd):
 * Which incarnation of this node is registered, 0 for none.  ${registered} is
 * called once, in bounded time, with LOOKED or UNKNOWN.
 *
 * Returns: as register_etcd_cas(); ST_LIMIT while this or
 *          register_etcd_incarnation() is under way.
 */
NODISCARD enum status register_etcd_look(struct register_etcd *etcd);

/*
 * register_etcd_incarnation(etcd, incarnation):
 * Register this node's incarnation, one at a time.  ${registered} is called
 * once, in bounded time.
 *
 * Requires: incarnation > 0.
 * Returns:  as register_etcd_cas().
 */
NODISCARD enum status register_etcd_incarnation(struct register_etcd *etcd,
                                                uint64_t incarnation);

/*
 * register_etcd_healthy(etcd, healthy):
 * Whether this node deserves to be thought alive; false at first.  While it
 * is true and the incarnation is registered, the alive key is kept; after it
 * became false the key goes by itself when its lease runs out.
 */
void register_etcd_healthy(struct register_etcd *etcd, bool healthy);

/*
 * register_etcd_leave(etcd):
 * As register_etcd_healthy(etcd, false), and gives up the lease at once: for a
 * node that ends in good order.  The base must run until register_etcd_left();
 * where etcd does not answer, that is in bounded time.
 */
void register_etcd_leave(struct register_etcd *etcd);
bool register_etcd_left(const struct register_etcd *etcd);

#endif
