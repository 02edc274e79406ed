/*
 * fz_etcd.c: what anybody may answer in etcd's place.  What is taken is within
 * its bounds, and a proposal is won only by what can mean that.
 *
 * The first byte chooses the answer that it is read as.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/cluster/etcd_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AS_CAS, AS_READ, AS_PROBE, AS_RANGE, AS_LEASE, AS_WATCH, AS_KINDS };

static const uint8_t cluster[CLUSTER_ID_SIZE] = {0x7f, 0x3a};
static const uint8_t node[NODE_ID_SIZE] = {0xbb};
static struct etcd_reply reply;

static void check_reply(void)
{
    INVARIANT(reply.pairs_count <= ETCD_PAIRS_MAX);
    for (size_t i = 0; i < reply.pairs_count; i++) {
        const struct etcd_pair *pair = &reply.pairs[i];
        INVARIANT(strlen(pair->key.text) <= ETCD_KEY_SIZE_MAX);
        INVARIANT(pair->value_size <= REGISTER_VALUE_SIZE_MAX);
        INVARIANT(pair->revision > 0 && pair->revision <= reply.revision);
    }
}

static void check_cas(struct slice text)
{
    struct register_proposal proposal = {.revision = 42,
                                         .number = 18,
                                         .value = "C",
                                         .value_size = 1,
                                         .guards_count = 1,
                                         .guard_alive = true};
    struct register_answer answer;
    struct etcd_txn txn;

    memcpy(proposal.guards[0].node_id, node, NODE_ID_SIZE);
    proposal.guards[0].incarnation = 31;
    etcd_txn_cas(&txn, cluster, &proposal);
    if (etcd_reply_txn(&reply, text, &txn) != ST_OK)
        return;
    check_reply();
    etcd_reply_cas(&answer, &reply, cluster, &proposal);
    INVARIANT(answer.view.value_size <= REGISTER_VALUE_SIZE_MAX);
    INVARIANT(IMPLIES(answer.outcome == REGISTER_WON,
                      reply.succeeded || (answer.view.revision > 42 &&
                                          answer.view.value_size == 1 &&
                                          answer.view.value[0] == 'C')));
    INVARIANT(
        IMPLIES(answer.outcome == REGISTER_LOST, answer.view.revision > 42));
    INVARIANT(IMPLIES(answer.outcome == REGISTER_REJECTED,
                      answer.view.revision == 42));
}

static void check_read(struct slice text)
{
    struct register_alive alive;
    struct register_view view;
    struct etcd_txn txn;

    etcd_txn_read(&txn, cluster);
    if (etcd_reply_txn(&reply, text, &txn) != ST_OK)
        return;
    check_reply();
    etcd_reply_view(&view, &reply, cluster);
    etcd_reply_alive(&alive, &reply, cluster);
    INVARIANT(view.value_size <= REGISTER_VALUE_SIZE_MAX);
    INVARIANT(alive.count <= REGISTER_NODES_MAX);
}

static void check_probe(struct slice text)
{
    struct etcd_txn txn;
    uint64_t incarnation;

    etcd_txn_probe(&txn, cluster, node);
    if (etcd_reply_txn(&reply, text, &txn) != ST_OK)
        return;
    check_reply();
    MAYBE(etcd_reply_incarnation(&incarnation, &reply, cluster, node) == ST_OK);
}

static void check_range(struct slice text)
{
    struct etcd_key key = etcd_key_of(cluster, ETCD_CONFIG);

    if (etcd_reply_range(&reply, text, &key) != ST_OK)
        return;
    check_reply();
    INVARIANT(reply.pairs_count <= 1);
}

static void check_lease(struct slice text)
{
    struct etcd_lease lease;

    if (etcd_reply_grant(&lease, text) == ST_OK)
        INVARIANT(lease.id != 0 && lease.ttl_s != 0);
    if (etcd_reply_keepalive(&lease, text) == ST_OK)
        INVARIANT(lease.ttl_s != 0);
    if (etcd_reply_time_to_live(&lease, text) == ST_OK)
        INVARIANT(lease.ttl_s != 0);
    MAYBE(etcd_reply_put(text) == ST_OK);
    MAYBE(etcd_reply_revoke(text) == ST_OK);
}

static void check_watch(struct slice text)
{
    char error[ERROR_TEXT_SIZE_MAX + 1];
    struct etcd_watch watch;

    MAYBE(etcd_reply_watch(&watch, text, cluster) == ST_OK);
    etcd_reply_error(error, text);
    for (size_t i = 0; error[i] != '\0'; i++)
        INVARIANT(error[i] >= ' ' && error[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[AS_KINDS])(struct slice text) = {
        [AS_CAS] = check_cas,     [AS_READ] = check_read,
        [AS_PROBE] = check_probe, [AS_RANGE] = check_range,
        [AS_LEASE] = check_lease, [AS_WATCH] = check_watch};

    if (size < 1 || size > ETCD_REPLY_SIZE_MAX)
        return 0;
    checks[data[0] % AS_KINDS](slice_of(data + 1, size - 1));
    return 0;
}
