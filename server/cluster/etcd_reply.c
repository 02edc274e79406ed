#include "server/cluster/etcd_reply.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "server/cluster/etcd_json.h"

/* gRPC's number of "not found". */
enum { CODE_NOT_FOUND = 5 };

/* ---- What all answers have ---------------------------------------------- */

/* The revision in the header, which every answer has. */
static bool read_header(uint64_t *revision, const cJSON *object)
{
    const cJSON *header;

    return etcd_json_object(&header, object, "header") && header != NULL &&
           etcd_json_number(revision, header, "revision");
}

/* The same, and which etcd answers. */
static bool read_store(struct etcd_reply *reply, const cJSON *object)
{
    return read_header(&reply->revision, object) &&
           etcd_json_id(&reply->store, etcd_json_get(object, "header"),
                        "cluster_id") &&
           reply->store != 0;
}

static enum status verdict(bool good)
{
    return good ? ST_OK : ST_BAD_FIELD;
}

/* An answer, or an error with that number. */
static enum status read_or_error(const cJSON *object)
{
    uint32_t code;

    if (object == NULL)
        return ST_BAD_FIELD;
    if (etcd_json_get(object, "error") == NULL &&
        etcd_json_get(object, "code") == NULL)
        return ST_OK;
    return etcd_json_small(&code, object, "code") && code == CODE_NOT_FOUND
               ? ST_NO_SUCH
               : ST_BAD_FIELD;
}

/* ---- Ranges and transactions -------------------------------------------- */

static bool read_pair(struct etcd_pair *pair, const cJSON *object)
{
    size_t size;

    memset(&pair->key, 0, sizeof pair->key);
    return cJSON_IsObject(object) &&
           etcd_json_bytes(pair->key.text, &size, ETCD_KEY_SIZE_MAX, object,
                           "key") &&
           size > 0 && strlen(pair->key.text) == size &&
           etcd_json_number(&pair->revision, object, "mod_revision") &&
           pair->revision > 0 &&
           etcd_json_number(&pair->lease, object, "lease") &&
           etcd_json_bytes(pair->value, &pair->value_size,
                           REGISTER_VALUE_SIZE_MAX, object, "value");
}

static bool was_asked(const struct etcd_pair *pair,
                      const struct etcd_operation *operation)
{
    const char *asked = operation->key.text;

    if (operation->kind == ETCD_RANGE_ALL)
        return strncmp(pair->key.text, asked, strlen(asked)) == 0;
    return strcmp(pair->key.text, asked) == 0;
}

static bool is_new(const struct etcd_reply *reply, size_t from,
                   const struct etcd_pair *pair)
{
    for (size_t i = from; i < reply->pairs_count; i++)
        if (strcmp(reply->pairs[i].key.text, pair->key.text) == 0)
            return false;
    return true;
}

/* The keys that a range found, each once, among those it was to look for. */
static bool read_range(struct etcd_reply *reply, const cJSON *range,
                       const struct etcd_operation *operation)
{
    size_t left =
        operation->kind == ETCD_RANGE_ALL ? (size_t)REGISTER_NODES_MAX : 1;
    const cJSON *pairs;
    const cJSON *object;
    size_t from = reply->pairs_count;
    bool more;

    if (!cJSON_IsObject(range) || !etcd_json_list(&pairs, range, "kvs") ||
        !etcd_json_bool(&more, range, "more") || more)
        return false;
    cJSON_ArrayForEach(object, pairs)
    {
        struct etcd_pair *pair = &reply->pairs[reply->pairs_count];

        if (left-- == 0 || reply->pairs_count == ETCD_PAIRS_MAX ||
            !read_pair(pair, object) || !was_asked(pair, operation) ||
            pair->revision > reply->revision || !is_new(reply, from, pair))
            return false;
        reply->pairs_count++;
    }
    return true;
}

static bool read_response(struct etcd_reply *reply, const cJSON *response,
                          const struct etcd_operation *operation)
{
    if (!cJSON_IsObject(response))
        return false;
    if (operation->kind == ETCD_PUT)
        return cJSON_IsObject(etcd_json_get(response, "response_put"));
    return read_range(reply, etcd_json_get(response, "response_range"),
                      operation);
}

static bool read_txn(struct etcd_reply *reply, const cJSON *object,
                     const struct etcd_txn *txn)
{
    const struct etcd_operation *operations;
    const cJSON *responses;
    const cJSON *response;
    size_t count, used = 0;

    if (read_or_error(object) != ST_OK || !read_store(reply, object) ||
        !etcd_json_bool(&reply->succeeded, object, "succeeded") ||
        !etcd_json_list(&responses, object, "responses"))
        return false;
    operations = reply->succeeded ? txn->success : txn->failure;
    count = reply->succeeded ? txn->success_count : txn->failure_count;
    cJSON_ArrayForEach(response, responses)
    {
        if (used == count || !read_response(reply, response, &operations[used]))
            return false;
        used++;
    }
    return used == count;
}

enum status etcd_reply_txn(struct etcd_reply *reply, struct slice text,
                           const struct etcd_txn *txn)
{
    cJSON *json = etcd_json_parse(text);
    bool good;

    reply->pairs_count = 0;
    good = read_txn(reply, json, txn);
    cJSON_Delete(json);
    return verdict(good);
}

enum status etcd_reply_range(struct etcd_reply *reply, struct slice text,
                             const struct etcd_key *key)
{
    struct etcd_operation operation = {.kind = ETCD_RANGE, .key = *key};
    cJSON *json = etcd_json_parse(text);
    bool good;

    reply->pairs_count = 0;
    reply->succeeded = true;
    good = read_or_error(json) == ST_OK && read_store(reply, json) &&
           read_range(reply, json, &operation);
    cJSON_Delete(json);
    return verdict(good);
}

const struct etcd_pair *etcd_reply_find(const struct etcd_reply *reply,
                                        const struct etcd_key *key)
{
    for (size_t i = 0; i < reply->pairs_count; i++)
        if (strcmp(reply->pairs[i].key.text, key->text) == 0)
            return &reply->pairs[i];
    return NULL;
}

/* ---- Leases ------------------------------------------------------------- */

enum status etcd_reply_put(struct slice text)
{
    cJSON *json = etcd_json_parse(text);
    enum status status = read_or_error(json);
    uint64_t revision;

    if (status == ST_OK)
        status = verdict(read_header(&revision, json));
    cJSON_Delete(json);
    return status;
}

enum status etcd_reply_revoke(struct slice text)
{
    return etcd_reply_put(text);
}

/* TTL 0 and less, or none, is a lease that is gone. */
static enum status read_lease(struct etcd_lease *lease, const cJSON *object)
{
    uint64_t revision;
    int64_t ttl;

    if (!read_header(&revision, object) ||
        !etcd_json_number(&lease->id, object, "ID") ||
        !etcd_json_signed(&ttl, object, "TTL") || ttl > INT32_MAX)
        return ST_BAD_FIELD;
    lease->ttl_s = ttl > 0 ? (uint32_t)ttl : 0;
    return ttl > 0 ? ST_OK : ST_NO_SUCH;
}

enum status etcd_reply_grant(struct etcd_lease *lease, struct slice text)
{
    cJSON *json = etcd_json_parse(text);
    enum status status = read_or_error(json);

    if (status == ST_OK)
        status = read_lease(lease, json);
    cJSON_Delete(json);
    return status == ST_OK && lease->id != 0 ? ST_OK : ST_BAD_FIELD;
}

enum status etcd_reply_keepalive(struct etcd_lease *lease, struct slice text)
{
    cJSON *json = etcd_json_parse(text);
    enum status status = read_or_error(json);
    const cJSON *result;

    if (status == ST_OK) {
        status = etcd_json_object(&result, json, "result") && result != NULL
                     ? read_lease(lease, result)
                     : ST_BAD_FIELD;
    }
    cJSON_Delete(json);
    return status;
}

enum status etcd_reply_time_to_live(struct etcd_lease *lease, struct slice text)
{
    cJSON *json = etcd_json_parse(text);
    enum status status = read_or_error(json);

    if (status == ST_OK)
        status = read_lease(lease, json);
    cJSON_Delete(json);
    return status;
}

/* ---- The watch ---------------------------------------------------------- */

static bool read_event(struct etcd_watch *watch, const cJSON *event,
                       const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    struct etcd_key config = etcd_key_of(cluster_id, ETCD_CONFIG);
    struct etcd_key alive = etcd_key_all_alive(cluster_id);
    struct etcd_key all = etcd_key_all(cluster_id);
    const cJSON *type = etcd_json_get(event, "type");
    const cJSON *pair;
    char key[ETCD_KEY_SIZE_MAX + 1] = "";
    size_t size;

    if (!cJSON_IsObject(event) || !etcd_json_object(&pair, event, "kv") ||
        pair == NULL ||
        (type != NULL &&
         (!cJSON_IsString(type) || (strcmp(type->valuestring, "PUT") != 0 &&
                                    strcmp(type->valuestring, "DELETE") != 0))))
        return false;
    if (!etcd_json_bytes(key, &size, ETCD_KEY_SIZE_MAX, pair, "key") ||
        strncmp(key, all.text, strlen(all.text)) != 0)
        return false;
    if (strcmp(key, config.text) == 0)
        watch->config_changed = true;
    if (strncmp(key, alive.text, strlen(alive.text)) == 0)
        watch->alive_changed = true;
    return true;
}

static bool read_watch(struct etcd_watch *watch, const cJSON *json,
                       const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    const cJSON *result;
    const cJSON *events;
    const cJSON *event;

    if (read_or_error(json) != ST_OK ||
        !etcd_json_object(&result, json, "result") || result == NULL ||
        !read_header(&watch->revision, result) ||
        !etcd_json_bool(&watch->created, result, "created") ||
        !etcd_json_bool(&watch->canceled, result, "canceled") ||
        !etcd_json_list(&events, result, "events"))
        return false;
    cJSON_ArrayForEach(event, events)
    {
        if (!read_event(watch, event, cluster_id))
            return false;
    }
    return true;
}

enum status etcd_reply_watch(struct etcd_watch *watch, struct slice text,
                             const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    cJSON *json = etcd_json_parse(text);
    bool good;

    memset(watch, 0, sizeof *watch);
    good = read_watch(watch, json, cluster_id);
    cJSON_Delete(json);
    return verdict(good);
}

/* ---- Errors ------------------------------------------------------------- */

void etcd_reply_error(char out[ERROR_TEXT_SIZE_MAX + 1], struct slice text)
{
    cJSON *json = etcd_json_parse(text);
    const cJSON *error = etcd_json_get(json, "error");
    const cJSON *message = etcd_json_get(json, "message");
    const char *says = "not an answer of etcd";
    size_t used = 0;

    if (message == NULL && cJSON_IsObject(error))
        message = etcd_json_get(error, "message");
    if (message == NULL)
        message = error;
    if (cJSON_IsString(message))
        says = message->valuestring;
    for (; says[used] != '\0' && used < ERROR_TEXT_SIZE_MAX; used++)
        out[used] = says[used] >= ' ' && says[used] <= '~' ? says[used] : '?';
    out[used] = '\0';
    cJSON_Delete(json);
}
