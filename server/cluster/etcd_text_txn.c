#include <string.h>

#include "server/cluster/etcd_text.h"

/* No key is ever written so often. */
enum { VERSION_NEVER = 999999 };

static struct etcd_compare *compare(struct etcd_txn *txn,
                                    enum etcd_target target,
                                    struct etcd_key key)
{
    struct etcd_compare *added = &txn->compares[txn->compares_count++];

    INVARIANT(txn->compares_count <= ETCD_COMPARES_MAX);
    added->target = target;
    added->key = key;
    added->number = 0;
    added->value = slice_of(NULL, 0);
    return added;
}

static struct etcd_operation *operation(struct etcd_operation *operations,
                                        size_t *count,
                                        enum etcd_operation_kind kind,
                                        struct etcd_key key)
{
    struct etcd_operation *added = &operations[(*count)++];

    INVARIANT(*count <= ETCD_OPERATIONS_MAX);
    added->kind = kind;
    added->key = key;
    added->value = slice_of(NULL, 0);
    return added;
}

static void put(struct etcd_txn *txn, struct etcd_key key, struct slice value)
{
    operation(txn->success, &txn->success_count, ETCD_PUT, key)->value = value;
}

static void on_failure(struct etcd_txn *txn, struct etcd_key key)
{
    operation(txn->failure, &txn->failure_count, ETCD_RANGE, key);
}

/* ${number} in decimal, in the ${place} that ${txn} has for it. */
static struct slice decimal(struct etcd_txn *txn, size_t place, uint64_t number)
{
    char *text = txn->numbers[place];
    size_t at = ETCD_NUMBER_SIZE_MAX;

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return slice_of(text + at, ETCD_NUMBER_SIZE_MAX - at);
}

static void begin(struct etcd_txn *txn)
{
    memset(txn, 0, sizeof *txn);
}

void etcd_txn_probe(struct etcd_txn *txn,
                    const uint8_t cluster_id[CLUSTER_ID_SIZE],
                    const uint8_t *node_id)
{
    struct etcd_key key = etcd_key_of(cluster_id, ETCD_SELFTEST);

    begin(txn);
    compare(txn, ETCD_VERSION, key)->number = VERSION_NEVER;
    put(txn, key, slice_of("x", 1));
    if (node_id != NULL)
        on_failure(txn, etcd_key_incarnation(cluster_id, node_id));
}

void etcd_txn_read(struct etcd_txn *txn,
                   const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    begin(txn);
    operation(txn->success, &txn->success_count, ETCD_RANGE,
              etcd_key_of(cluster_id, ETCD_CONFIG));
    operation(txn->success, &txn->success_count, ETCD_RANGE_ALL,
              etcd_key_all_alive(cluster_id));
}

void etcd_txn_cas(struct etcd_txn *txn,
                  const uint8_t cluster_id[CLUSTER_ID_SIZE],
                  const struct register_proposal *proposal)
{
    struct etcd_key config = etcd_key_of(cluster_id, ETCD_CONFIG);
    struct etcd_key history = etcd_key_history(cluster_id, proposal->number);
    struct slice value = slice_of(proposal->value, proposal->value_size);

    REQUIRE(proposal->number > 0);
    REQUIRE(value.size > 0 && value.size <= REGISTER_VALUE_SIZE_MAX);
    REQUIRE(proposal->guards_count <= REGISTER_GUARDS_MAX);
    begin(txn);
    if (proposal->revision == 0)
        compare(txn, ETCD_CREATE, config);
    else
        compare(txn, ETCD_MOD, config)->number = proposal->revision;
    on_failure(txn, config);
    if (proposal->guard_alive) {
        struct etcd_key alive = etcd_key_alive(cluster_id, proposal->alive);
        compare(txn, ETCD_CREATE, alive);
        on_failure(txn, alive);
    }
    for (size_t i = 0; i < proposal->guards_count; i++) {
        const struct register_guard *guard = &proposal->guards[i];
        struct etcd_key key = etcd_key_incarnation(cluster_id, guard->node_id);
        compare(txn, ETCD_VALUE, key)->value =
            decimal(txn, i, guard->incarnation);
        on_failure(txn, key);
    }
    /* Not for one that supersedes: nothing may refuse it but the revision. */
    if (proposal->guard_alive || proposal->guards_count > 0)
        compare(txn, ETCD_CREATE, history);
    put(txn, config, value);
    put(txn, history, value);
}

void etcd_txn_incarnation(struct etcd_txn *txn,
                          const uint8_t cluster_id[CLUSTER_ID_SIZE],
                          const uint8_t node_id[NODE_ID_SIZE], uint64_t before,
                          uint64_t incarnation)
{
    struct etcd_key key = etcd_key_incarnation(cluster_id, node_id);

    REQUIRE(incarnation > before);
    begin(txn);
    if (before == 0)
        compare(txn, ETCD_CREATE, key);
    else
        compare(txn, ETCD_VALUE, key)->value = decimal(txn, 0, before);
    put(txn, key, decimal(txn, 1, incarnation));
    on_failure(txn, key);
}
