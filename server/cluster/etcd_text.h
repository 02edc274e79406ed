/*
 * etcd_text.h: what is said to etcd and what it answers, as text and nothing
 * else: no socket, no clock.
 *
 * etcd speaks JSON over HTTP.  Its gateway ignores fields that it does not
 * know: a transaction with "compares" for "compare" is an unconditional write
 * that reports success.  So one function writes all transactions, the self-test
 * shows at every start that a compare which cannot hold does not succeed, and
 * the register in memory that tests use refuses every field it does not know.
 *
 * Answers are from outside.  They are judged strictly: JSON that ends where the
 * text ends, integers as decimal strings, base64 padded and canonical, as many
 * parts as were asked for and no key that was not.  What may be missing is what
 * etcd leaves out because it is zero.  Further fields are let pass, since newer
 * versions add some.
 */
#ifndef DEFTER_SERVER_CLUSTER_ETCD_TEXT_H
#define DEFTER_SERVER_CLUSTER_ETCD_TEXT_H

#include "protocol/bytes.h"
#include "replication/register.h"

/* Where the requests go. */
#define ETCD_PATH_TXN          "/v3/kv/txn"
#define ETCD_PATH_RANGE        "/v3/kv/range"
#define ETCD_PATH_PUT          "/v3/kv/put"
#define ETCD_PATH_GRANT        "/v3/lease/grant"
#define ETCD_PATH_KEEPALIVE    "/v3/lease/keepalive"
#define ETCD_PATH_TIME_TO_LIVE "/v3/lease/timetolive"
#define ETCD_PATH_REVOKE       "/v3/lease/revoke"
#define ETCD_PATH_WATCH        "/v3/watch"

/* ---- Keys --------------------------------------------------------------- */

/*
 * All keys of a cluster begin with "/defter/<cluster id>/":
 *
 *   config           the value; the only key that safety rests on
 *   hist/<number>    a copy of each value, written once; 20 digits
 *   inc/<node id>    the node's incarnation in decimal
 *   alive/<node id>  bound to a lease that the node renews
 *   want             an operator's wish; nobody reads it yet
 *   selftest         is never written
 */
struct etcd_key {
    char text[ETCD_KEY_SIZE_MAX + 1];
};

enum etcd_place { ETCD_CONFIG, ETCD_WANT, ETCD_SELFTEST };

/* The key of one of the places that a cluster has once. */
struct etcd_key etcd_key_of(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                            enum etcd_place place);
struct etcd_key etcd_key_history(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                 uint64_t number);
struct etcd_key etcd_key_incarnation(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                     const uint8_t node_id[NODE_ID_SIZE]);
struct etcd_key etcd_key_alive(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                               const uint8_t node_id[NODE_ID_SIZE]);
/* What all keys, and what all alive keys begin with; both end with "/". */
struct etcd_key etcd_key_all(const uint8_t cluster_id[CLUSTER_ID_SIZE]);
struct etcd_key etcd_key_all_alive(const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/* ---- Transactions ------------------------------------------------------- */

enum etcd_target { ETCD_VERSION, ETCD_CREATE, ETCD_MOD, ETCD_VALUE };

/* "The target of key equals value", or number where it is not ETCD_VALUE. */
struct etcd_compare {
    enum etcd_target target;
    struct etcd_key key;
    uint64_t number;
    struct slice value;
};

/* ETCD_RANGE_ALL: every key that begins with key, at most
 * REGISTER_NODES_MAX of them. */
enum etcd_operation_kind { ETCD_PUT, ETCD_RANGE, ETCD_RANGE_ALL };

struct etcd_operation {
    enum etcd_operation_kind kind;
    struct etcd_key key;
    struct slice value; /* ETCD_PUT. */
};

enum {
    ETCD_COMPARES_MAX = REGISTER_GUARDS_MAX + 3,
    ETCD_OPERATIONS_MAX = REGISTER_GUARDS_MAX + 2,
    ETCD_NUMBER_SIZE_MAX = 20
};

/* Invariant: counts are within the arrays; a key is put once at most. */
struct etcd_txn {
    struct etcd_compare compares[ETCD_COMPARES_MAX];
    size_t compares_count;
    struct etcd_operation success[ETCD_OPERATIONS_MAX];
    size_t success_count;
    struct etcd_operation failure[ETCD_OPERATIONS_MAX];
    size_t failure_count;
    /* What compares and puts of incarnations borrow. */
    char numbers[REGISTER_GUARDS_MAX + 2][ETCD_NUMBER_SIZE_MAX + 1];
};

/*
 * etcd_txn_probe(txn, cluster_id, node_id):
 * A compare that cannot hold.  It passes through etcd's log like a write, and
 * so tells truly, where a reading may be old, with which incarnation
 * ${node_id} is registered; with NULL it is the self-test alone.
 */
void etcd_txn_probe(struct etcd_txn *txn,
                    const uint8_t cluster_id[CLUSTER_ID_SIZE],
                    const uint8_t *node_id);

/* The value and the alive keys, at one revision. */
void etcd_txn_read(struct etcd_txn *txn,
                   const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/*
 * etcd_txn_cas(txn, cluster_id, proposal):
 * A proposal of any kind.  A proposal with guards also refuses to write a
 * number whose history is written already.
 *
 * Requires: the proposal's invariants.
 * Owns:     ${txn} borrows ${proposal} until it is written.
 */
void etcd_txn_cas(struct etcd_txn *txn,
                  const uint8_t cluster_id[CLUSTER_ID_SIZE],
                  const struct register_proposal *proposal);

/*
 * etcd_txn_incarnation(txn, cluster_id, node_id, before, incarnation):
 * Register ${incarnation} in the place of ${before}; 0: of none.
 */
void etcd_txn_incarnation(struct etcd_txn *txn,
                          const uint8_t cluster_id[CLUSTER_ID_SIZE],
                          const uint8_t node_id[NODE_ID_SIZE], uint64_t before,
                          uint64_t incarnation);

/* ---- Bodies of requests ------------------------------------------------- */

/*
 * Each writes one body; with ETCD_BODY_SIZE_MAX bytes of room there is room for
 * every one of them.  The only one that writes transactions is the first.
 */
void etcd_text_txn(struct writer *writer, const struct etcd_txn *txn);
void etcd_text_range(struct writer *writer, const struct etcd_key *key);
void etcd_text_put(struct writer *writer, const struct etcd_key *key,
                   struct slice value, uint64_t lease);
void etcd_text_grant(struct writer *writer, uint32_t ttl_s);
void etcd_text_keepalive(struct writer *writer, uint64_t lease);
void etcd_text_time_to_live(struct writer *writer, uint64_t lease);
void etcd_text_revoke(struct writer *writer, uint64_t lease);
/* Every key that begins with ${prefix}, from ${revision} on. */
void etcd_text_watch(struct writer *writer, const struct etcd_key *prefix,
                     uint64_t revision);

#endif
