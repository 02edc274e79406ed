/*
 * etcd_reply.h: what etcd answers, read strictly (etcd_text.h says how).
 */
#ifndef DEFTER_SERVER_CLUSTER_ETCD_REPLY_H
#define DEFTER_SERVER_CLUSTER_ETCD_REPLY_H

#include "server/cluster/etcd_text.h"

/* A key as it stands.  Invariant: value_size <= REGISTER_VALUE_SIZE_MAX. */
struct etcd_pair {
    struct etcd_key key;
    uint64_t revision; /* Of its last change. */
    uint64_t lease;
    uint8_t value[REGISTER_VALUE_SIZE_MAX];
    size_t value_size;
};

enum { ETCD_PAIRS_MAX = REGISTER_NODES_MAX + ETCD_OPERATIONS_MAX };

/* The answer to a transaction or a range, without what was not asked. */
struct etcd_reply {
    uint64_t store;    /* Which etcd this is, of all there are; never 0. */
    uint64_t revision; /* Of the store, after it. */
    bool succeeded;
    struct etcd_pair pairs[ETCD_PAIRS_MAX];
    size_t pairs_count;
};

/*
 * etcd_reply_txn(reply, text, txn):
 * Read the answer to ${txn}.
 *
 * Returns: ST_OK; ST_BAD_FIELD if it is no such answer, or an error.
 */
NODISCARD enum status etcd_reply_txn(struct etcd_reply *reply,
                                     struct slice text,
                                     const struct etcd_txn *txn);

/* The same for a range of one key; pairs_count is 0 or 1. */
NODISCARD enum status etcd_reply_range(struct etcd_reply *reply,
                                       struct slice text,
                                       const struct etcd_key *key);

/* The pair of that key; NULL: the key does not exist. */
const struct etcd_pair *etcd_reply_find(const struct etcd_reply *reply,
                                        const struct etcd_key *key);

/*
 * etcd_reply_cas(answer, reply, cluster_id, proposal):
 * What ${reply}, to the transaction of ${proposal}, says of it.  UNKNOWN only
 * where the value stands at a lower revision than proposed against, or is gone:
 * then this is not the register that it was.
 */
void etcd_reply_cas(struct register_answer *answer,
                    const struct etcd_reply *reply,
                    const uint8_t cluster_id[CLUSTER_ID_SIZE],
                    const struct register_proposal *proposal);

/* The value that ${reply} has, empty if it has none. */
void etcd_reply_view(struct register_view *view, const struct etcd_reply *reply,
                     const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/* Whose alive keys ${reply} has. */
void etcd_reply_alive(struct register_alive *alive,
                      const struct etcd_reply *reply,
                      const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/*
 * etcd_reply_incarnation(incarnation_out, reply, cluster_id, node_id):
 * Give the incarnation that ${reply} shows of ${node_id}, 0 for none.
 *
 * Returns: ST_OK; ST_BAD_FIELD if what stands there is no incarnation.
 */
NODISCARD enum status etcd_reply_incarnation(
    uint64_t *incarnation_out, const struct etcd_reply *reply,
    const uint8_t cluster_id[CLUSTER_ID_SIZE],
    const uint8_t node_id[NODE_ID_SIZE]);

/*
 * etcd_reply_put(text):
 * Returns: ST_OK; ST_NO_SUCH: the lease is gone; ST_BAD_FIELD.
 */
NODISCARD enum status etcd_reply_put(struct slice text);

struct etcd_lease {
    uint64_t id;
    uint32_t ttl_s;
};

/* Returns: ST_OK, and neither is 0; ST_BAD_FIELD. */
NODISCARD enum status etcd_reply_grant(struct etcd_lease *lease,
                                       struct slice text);

/*
 * etcd_reply_keepalive(text, lease), etcd_reply_time_to_live(text, lease):
 * Returns: ST_OK: it lives for another ttl_s; ST_NO_SUCH: it is gone;
 *          ST_BAD_FIELD.
 */
NODISCARD enum status etcd_reply_keepalive(struct etcd_lease *lease,
                                           struct slice text);
NODISCARD enum status etcd_reply_time_to_live(struct etcd_lease *lease,
                                              struct slice text);

/* Returns: ST_OK; ST_NO_SUCH: it was gone already; ST_BAD_FIELD. */
NODISCARD enum status etcd_reply_revoke(struct slice text);

/* A line of a watch. */
struct etcd_watch {
    uint64_t revision; /* Of the store; 0 where the line does not say. */
    bool created;
    bool canceled;       /* Nothing follows. */
    bool config_changed; /* The value was written or removed. */
    bool alive_changed;  /* An alive key came or went. */
};

/*
 * etcd_reply_watch(watch, text, cluster_id):
 * Read one line, without its end.
 *
 * Returns: ST_OK; ST_BAD_FIELD.
 */
NODISCARD enum status etcd_reply_watch(
    struct etcd_watch *watch, struct slice text,
    const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/*
 * etcd_reply_error(out, text):
 * What the error ${text} says, for people: printable ASCII, cut where it is too
 * long; "not an answer of etcd" if it is none.
 */
void etcd_reply_error(char out[ERROR_TEXT_SIZE_MAX + 1], struct slice text);

#endif
