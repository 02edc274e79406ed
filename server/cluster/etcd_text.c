#include "server/cluster/etcd_text.h"

#include <string.h>

#include <sodium.h>

enum { DECIMAL_SIZE = 20 };

static const char root[] = "/defter/";

/* ---- Keys --------------------------------------------------------------- */

static void put(struct writer *writer, const char *text)
{
    writer_bytes(writer, text, strlen(text));
}

static void put_hex(struct writer *writer, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        writer_u8(writer, (uint8_t)digits[bytes[i] >> 4]);
        writer_u8(writer, (uint8_t)digits[bytes[i] & 15]);
    }
}

/* At least ${width} digits. */
static void put_number(struct writer *writer, uint64_t number, size_t width)
{
    char digits[DECIMAL_SIZE];
    size_t at = DECIMAL_SIZE;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (DECIMAL_SIZE - at < width)
        digits[--at] = '0';
    writer_bytes(writer, digits + at, DECIMAL_SIZE - at);
}

static void key_begin(struct writer *writer, struct etcd_key *key,
                      const uint8_t cluster_id[CLUSTER_ID_SIZE],
                      const char *place)
{
    memset(key, 0, sizeof *key);
    writer_init(writer, key->text, ETCD_KEY_SIZE_MAX);
    put(writer, root);
    put_hex(writer, cluster_id, CLUSTER_ID_SIZE);
    put(writer, "/");
    put(writer, place);
    ENSURE(writer->status == ST_OK);
}

static struct etcd_key key_of_node(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                   const char *place,
                                   const uint8_t node_id[NODE_ID_SIZE])
{
    struct etcd_key key;
    struct writer writer;

    key_begin(&writer, &key, cluster_id, place);
    put_hex(&writer, node_id, NODE_ID_SIZE);
    ENSURE(writer.status == ST_OK);
    return key;
}

static struct etcd_key key_of_text(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                   const char *place)
{
    struct etcd_key key;
    struct writer writer;

    key_begin(&writer, &key, cluster_id, place);
    return key;
}

struct etcd_key etcd_key_of(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                            enum etcd_place place)
{
    static const char *const names[] = {[ETCD_CONFIG] = "config",
                                        [ETCD_WANT] = "want",
                                        [ETCD_SELFTEST] = "selftest"};

    return key_of_text(cluster_id, names[place]);
}

struct etcd_key etcd_key_history(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                 uint64_t number)
{
    struct etcd_key key;
    struct writer writer;

    key_begin(&writer, &key, cluster_id, "hist/");
    put_number(&writer, number, DECIMAL_SIZE);
    ENSURE(writer.status == ST_OK);
    return key;
}

struct etcd_key etcd_key_incarnation(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                     const uint8_t node_id[NODE_ID_SIZE])
{
    return key_of_node(cluster_id, "inc/", node_id);
}

struct etcd_key etcd_key_alive(const uint8_t cluster_id[CLUSTER_ID_SIZE],
                               const uint8_t node_id[NODE_ID_SIZE])
{
    return key_of_node(cluster_id, "alive/", node_id);
}

struct etcd_key etcd_key_all(const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    return key_of_text(cluster_id, "");
}

struct etcd_key etcd_key_all_alive(const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    return key_of_text(cluster_id, "alive/");
}

/* ---- Bodies ------------------------------------------------------------- */

static void put_base64(struct writer *writer, const void *data, size_t size)
{
    char text[sodium_base64_ENCODED_LEN(REGISTER_VALUE_SIZE_MAX,
                                        sodium_base64_VARIANT_ORIGINAL)];

    REQUIRE(size <= REGISTER_VALUE_SIZE_MAX);
    sodium_bin2base64(text, sizeof text, data, size,
                      sodium_base64_VARIANT_ORIGINAL);
    put(writer, "\"");
    put(writer, text);
    put(writer, "\"");
}

static void put_key(struct writer *writer, const struct etcd_key *key)
{
    put(writer, "\"key\":");
    put_base64(writer, key->text, strlen(key->text));
}

/* The key and the end of the range of all that begin with it. */
static void put_prefix(struct writer *writer, const struct etcd_key *prefix)
{
    struct etcd_key end = *prefix;
    size_t size = strlen(prefix->text);

    REQUIRE(size > 0 && prefix->text[size - 1] == '/');
    end.text[size - 1] = '/' + 1;
    put_key(writer, prefix);
    put(writer, ",\"range_end\":");
    put_base64(writer, end.text, size);
}

static void put_quoted(struct writer *writer, const char *name, uint64_t number)
{
    put(writer, "\"");
    put(writer, name);
    put(writer, "\":\"");
    put_number(writer, number, 1);
    put(writer, "\"");
}

static void put_compare(struct writer *writer,
                        const struct etcd_compare *compare)
{
    static const char *const targets[] = {[ETCD_VERSION] = "VERSION",
                                          [ETCD_CREATE] = "CREATE",
                                          [ETCD_MOD] = "MOD",
                                          [ETCD_VALUE] = "VALUE"};
    static const char *const fields[] = {[ETCD_VERSION] = "version",
                                         [ETCD_CREATE] = "create_revision",
                                         [ETCD_MOD] = "mod_revision"};

    put(writer, "{\"target\":\"");
    put(writer, targets[compare->target]);
    put(writer, "\",\"result\":\"EQUAL\",");
    put_key(writer, &compare->key);
    put(writer, ",");
    if (compare->target == ETCD_VALUE) {
        put(writer, "\"value\":");
        put_base64(writer, compare->value.data, compare->value.size);
    } else {
        put_quoted(writer, fields[compare->target], compare->number);
    }
    put(writer, "}");
}

static void put_operation(struct writer *writer,
                          const struct etcd_operation *operation)
{
    switch (operation->kind) {
    case ETCD_PUT:
        put(writer, "{\"request_put\":{");
        put_key(writer, &operation->key);
        put(writer, ",\"value\":");
        put_base64(writer, operation->value.data, operation->value.size);
        break;
    case ETCD_RANGE:
        put(writer, "{\"request_range\":{");
        put_key(writer, &operation->key);
        break;
    case ETCD_RANGE_ALL:
        put(writer, "{\"request_range\":{");
        put_prefix(writer, &operation->key);
        put(writer, ",");
        put_quoted(writer, "limit", REGISTER_NODES_MAX);
        break;
    }
    put(writer, "}}");
}

static void put_operations(struct writer *writer, const char *name,
                           const struct etcd_operation *operations,
                           size_t count)
{
    put(writer, ",\"");
    put(writer, name);
    put(writer, "\":[");
    for (size_t i = 0; i < count; i++) {
        put(writer, i == 0 ? "" : ",");
        put_operation(writer, &operations[i]);
    }
    put(writer, "]");
}

void etcd_text_txn(struct writer *writer, const struct etcd_txn *txn)
{
    REQUIRE(txn->compares_count <= ETCD_COMPARES_MAX);
    REQUIRE(txn->success_count <= ETCD_OPERATIONS_MAX);
    REQUIRE(txn->failure_count <= ETCD_OPERATIONS_MAX);
    put(writer, "{\"compare\":[");
    for (size_t i = 0; i < txn->compares_count; i++) {
        put(writer, i == 0 ? "" : ",");
        put_compare(writer, &txn->compares[i]);
    }
    put(writer, "]");
    put_operations(writer, "success", txn->success, txn->success_count);
    put_operations(writer, "failure", txn->failure, txn->failure_count);
    put(writer, "}");
    ENSURE(writer->status == ST_OK);
}

void etcd_text_range(struct writer *writer, const struct etcd_key *key)
{
    put(writer, "{");
    put_key(writer, key);
    put(writer, "}");
    ENSURE(writer->status == ST_OK);
}

void etcd_text_put(struct writer *writer, const struct etcd_key *key,
                   struct slice value, uint64_t lease)
{
    REQUIRE(lease != 0); /* Without one it would stand for ever. */
    put(writer, "{");
    put_key(writer, key);
    put(writer, ",\"value\":");
    put_base64(writer, value.data, value.size);
    put(writer, ",");
    put_quoted(writer, "lease", lease);
    put(writer, "}");
    ENSURE(writer->status == ST_OK);
}

void etcd_text_grant(struct writer *writer, uint32_t ttl_s)
{
    put(writer, "{");
    put_quoted(writer, "TTL", ttl_s);
    put(writer, "}");
    ENSURE(writer->status == ST_OK);
}

void etcd_text_keepalive(struct writer *writer, uint64_t lease)
{
    put(writer, "{");
    put_quoted(writer, "ID", lease);
    put(writer, "}");
    ENSURE(writer->status == ST_OK);
}

void etcd_text_time_to_live(struct writer *writer, uint64_t lease)
{
    put(writer, "{");
    put_quoted(writer, "ID", lease);
    put(writer, ",\"keys\":true}");
    ENSURE(writer->status == ST_OK);
}

void etcd_text_revoke(struct writer *writer, uint64_t lease)
{
    etcd_text_keepalive(writer, lease);
}

void etcd_text_watch(struct writer *writer, const struct etcd_key *prefix,
                     uint64_t revision)
{
    put(writer, "{\"create_request\":{");
    put_prefix(writer, prefix);
    put(writer, ",");
    put_quoted(writer, "start_revision", revision);
    put(writer, ",\"progress_notify\":true}}");
    ENSURE(writer->status == ST_OK);
}
