#include "tests/lib/etcd_fake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sodium.h>

#include "tests/lib/etcd_fake_store.h"

enum { PUTS_MAX = 128, NOT_FOUND = 5, INVALID = 3, TEXT_SIZE = 4096 };

struct etcd_fake {
    struct fake_store store;
    uint64_t refusals;
};

/* A key or a value out of a body. */
struct bytes {
    uint8_t data[FAKE_VALUE_SIZE_MAX + 1];
    size_t size;
};

/* ---- Reading bodies ------------------------------------------------------ */

/* ${object} has these fields, each once, and no other; NULL ends the list. */
static bool has_exactly(const cJSON *object, const char *const *names)
{
    int count = 0;

    if (!cJSON_IsObject(object))
        return false;
    for (; *names != NULL; names++, count++)
        if (cJSON_GetObjectItemCaseSensitive(object, *names) == NULL)
            return false;
    return cJSON_GetArraySize(object) == count;
}

#define HAS_EXACTLY(object, ...) \
    has_exactly(object, (const char *const[]){__VA_ARGS__, NULL})

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text == NULL ? "" : text;
}

static bool number_of(uint64_t *out, const cJSON *object, const char *name)
{
    const char *text = text_of(object, name);
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

static bool bytes_of(struct bytes *out, const cJSON *object, const char *name)
{
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, name);
    const char *text = cJSON_GetStringValue(field), *end;

    if (text == NULL ||
        sodium_base642bin(out->data, FAKE_VALUE_SIZE_MAX, text, strlen(text),
                          NULL, &out->size, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        *end != '\0')
        return false;
    out->data[out->size] = '\0';
    return true;
}

static bool key_of(struct bytes *out, const cJSON *object, const char *name)
{
    return bytes_of(out, object, name) && out->size > 0 &&
           out->size <= FAKE_KEY_SIZE_MAX &&
           strlen((const char *)out->data) == out->size;
}

/* ---- Writing answers ----------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct writer *out,
                                                      const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    INVARIANT(size >= 0 && (size_t)size < sizeof text);
    writer_bytes(out, text, (size_t)size);
}

static void say_header(struct writer *out, const struct etcd_fake *fake)
{
    say(out,
        "\"header\":{\"cluster_id\":\"11\",\"member_id\":\"12\","
        "\"revision\":\"%" PRIu64 "\",\"raft_term\":\"2\"}",
        fake->store.revision);
}

static uint32_t refuse(struct etcd_fake *fake, struct writer *out)
{
    fake->refusals++;
    say(out, "{\"error\":\"not written by etcd_text\",\"code\":%d}", INVALID);
    return 400;
}

static uint32_t no_lease(struct writer *out)
{
    say(out,
        "{\"error\":\"etcdserver: requested lease not found\","
        "\"message\":\"etcdserver: requested lease not found\",\"code\":%d}",
        NOT_FOUND);
    return 404;
}

static void say_entry(struct writer *out, const struct fake_entry *entry)
{
    char key[TEXT_SIZE], value[TEXT_SIZE];

    sodium_bin2base64(key, sizeof key, (const uint8_t *)entry->key,
                      strlen(entry->key), sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(value, sizeof value, entry->value, entry->value_size,
                      sodium_base64_VARIANT_ORIGINAL);
    say(out,
        "{\"key\":\"%s\",\"create_revision\":\"%" PRIu64
        "\",\"mod_revision\":\"%" PRIu64 "\",\"version\":\"%" PRIu64
        "\",\"value\":\"%s\"",
        key, entry->created, entry->modified, entry->version, value);
    if (entry->lease != 0)
        say(out, ",\"lease\":\"%" PRIu64 "\"", entry->lease);
    say(out, "}");
}

/* ---- Ranges -------------------------------------------------------------- */

struct range {
    struct bytes from, end;
    bool many;
    uint64_t limit;
};

static bool read_range(struct range *range, const cJSON *json)
{
    range->limit = 1;
    range->many = cJSON_GetObjectItemCaseSensitive(json, "range_end") != NULL;
    if (!range->many)
        return HAS_EXACTLY(json, "key") && key_of(&range->from, json, "key");
    return HAS_EXACTLY(json, "key", "range_end", "limit") &&
           key_of(&range->from, json, "key") &&
           key_of(&range->end, json, "range_end") &&
           number_of(&range->limit, json, "limit") && range->limit > 0;
}

static bool is_in(const struct range *range, const struct fake_entry *entry)
{
    if (range->many)
        return strcmp(entry->key, (const char *)range->end.data) < 0;
    return strcmp(entry->key, (const char *)range->from.data) == 0;
}

static void say_range(struct writer *out, const struct etcd_fake *fake,
                      const struct range *range)
{
    const struct fake_store *store = &fake->store;
    size_t at = fake_store_at(store, (const char *)range->from.data);
    uint64_t count = 0;

    for (; at < store->count && is_in(range, store->entries[at]); at++) {
        if (count < range->limit) {
            say(out, count == 0 ? ",\"kvs\":[" : ",");
            say_entry(out, store->entries[at]);
        }
        count++;
    }
    if (count == 0)
        return;
    say(out, "]%s,\"count\":\"%" PRIu64 "\"",
        count > range->limit ? ",\"more\":true" : "", count);
}

static uint32_t post_range(struct etcd_fake *fake, struct writer *out,
                           const cJSON *json)
{
    struct range range;

    if (!read_range(&range, json))
        return refuse(fake, out);
    say(out, "{");
    say_header(out, fake);
    say_range(out, fake, &range);
    say(out, "}");
    return 200;
}

/* ---- Transactions -------------------------------------------------------- */

static bool compare_number(bool *holds, const cJSON *json, const char *name,
                           uint64_t stands)
{
    uint64_t number;

    *holds = false;
    if (!HAS_EXACTLY(json, "target", "result", "key", name) ||
        !number_of(&number, json, name))
        return false;
    *holds = number == stands;
    return true;
}

static bool compare(const struct etcd_fake *fake, bool *holds,
                    const cJSON *json)
{
    static const struct fake_entry none = {.created = 0};
    const char *target = text_of(json, "target");
    const struct fake_entry *entry;
    struct bytes key, value;

    if (strcmp(text_of(json, "result"), "EQUAL") != 0 ||
        !key_of(&key, json, "key"))
        return false;
    entry = fake_store_find(&fake->store, (const char *)key.data);
    if (strcmp(target, "VALUE") == 0) {
        if (!HAS_EXACTLY(json, "target", "result", "key", "value") ||
            !bytes_of(&value, json, "value"))
            return false;
        *holds = entry != NULL &&
                 slice_equal(slice_of(entry->value, entry->value_size),
                             slice_of(value.data, value.size));
        return true;
    }
    if (entry == NULL)
        entry = &none;
    if (strcmp(target, "VERSION") == 0)
        return compare_number(holds, json, "version", entry->version);
    if (strcmp(target, "CREATE") == 0)
        return compare_number(holds, json, "create_revision", entry->created);
    if (strcmp(target, "MOD") == 0)
        return compare_number(holds, json, "mod_revision", entry->modified);
    return false;
}

static const cJSON *operation_of(const cJSON *json, const char *name)
{
    return HAS_EXACTLY(json, name)
               ? cJSON_GetObjectItemCaseSensitive(json, name)
               : NULL;
}

/* Every operation is of a known form, and no key is put twice. */
static bool are_operations(const cJSON *list, bool *puts)
{
    static char keys[PUTS_MAX][FAKE_KEY_SIZE_MAX + 1];
    size_t count = 0;
    const cJSON *item;
    struct bytes key, value;
    struct range range;

    *puts = false;
    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *put = operation_of(item, "request_put");
        if (put == NULL) {
            if (!read_range(&range, operation_of(item, "request_range")))
                return false;
            continue;
        }
        if (!HAS_EXACTLY(put, "key", "value") || !key_of(&key, put, "key") ||
            !bytes_of(&value, put, "value") || count == PUTS_MAX)
            return false;
        for (size_t i = 0; i < count; i++)
            if (strcmp(keys[i], (const char *)key.data) == 0)
                return false;
        memcpy(keys[count++], key.data, key.size + 1);
        *puts = true;
    }
    return true;
}

static void do_operation(struct etcd_fake *fake, struct writer *out,
                         const cJSON *item)
{
    const cJSON *put = operation_of(item, "request_put");
    struct range range;
    struct bytes key, value;

    if (put != NULL) {
        INVARIANT(key_of(&key, put, "key") && bytes_of(&value, put, "value"));
        fake_store_put(&fake->store, (const char *)key.data, value.data,
                       value.size, 0);
        say(out,
            "{\"response_put\":{\"header\":{\"revision\":\"%" PRIu64 "\"}}}",
            fake->store.revision);
        return;
    }
    INVARIANT(read_range(&range, operation_of(item, "request_range")));
    say(out, "{\"response_range\":{\"header\":{\"revision\":\"%" PRIu64 "\"}",
        fake->store.revision);
    say_range(out, fake, &range);
    say(out, "}}");
}

static void do_branch(struct etcd_fake *fake, struct writer *out,
                      const cJSON *branch, bool holds, bool puts)
{
    const cJSON *item;
    const char *between = "";

    if (puts)
        fake->store.revision++;
    say(out, "{");
    say_header(out, fake);
    say(out, holds ? ",\"succeeded\":true" : "");
    if (cJSON_GetArraySize(branch) > 0)
        say(out, ",\"responses\":[");
    cJSON_ArrayForEach(item, branch)
    {
        say(out, "%s", between);
        do_operation(fake, out, item);
        between = ",";
    }
    say(out, cJSON_GetArraySize(branch) > 0 ? "]}" : "}");
}

static uint32_t post_txn(struct etcd_fake *fake, struct writer *out,
                         const cJSON *json)
{
    const cJSON *compares = cJSON_GetObjectItemCaseSensitive(json, "compare");
    const cJSON *success = cJSON_GetObjectItemCaseSensitive(json, "success");
    const cJSON *failure = cJSON_GetObjectItemCaseSensitive(json, "failure");
    const cJSON *item;
    bool holds = true, one, success_puts, failure_puts;

    if (!HAS_EXACTLY(json, "compare", "success", "failure") ||
        !cJSON_IsArray(compares) || !are_operations(success, &success_puts) ||
        !are_operations(failure, &failure_puts))
        return refuse(fake, out);
    cJSON_ArrayForEach(item, compares)
    {
        if (!compare(fake, &one, item))
            return refuse(fake, out);
        holds = holds && one;
    }
    do_branch(fake, out, holds ? success : failure, holds,
              holds ? success_puts : failure_puts);
    return 200;
}

/* ---- Leases -------------------------------------------------------------- */

static uint32_t post_put(struct etcd_fake *fake, struct writer *out,
                         const cJSON *json)
{
    struct bytes key, value;
    uint64_t lease;

    if (!HAS_EXACTLY(json, "key", "value", "lease") ||
        !key_of(&key, json, "key") || !bytes_of(&value, json, "value") ||
        !number_of(&lease, json, "lease"))
        return refuse(fake, out);
    if (fake_store_lease(&fake->store, lease) == NULL)
        return no_lease(out);
    fake->store.revision++;
    fake_store_put(&fake->store, (const char *)key.data, value.data, value.size,
                   lease);
    say(out, "{");
    say_header(out, fake);
    say(out, "}");
    return 200;
}

static uint32_t post_grant(struct etcd_fake *fake, struct writer *out,
                           const cJSON *json)
{
    const struct fake_lease *lease;
    uint64_t ttl_s;

    if (!HAS_EXACTLY(json, "TTL") || !number_of(&ttl_s, json, "TTL") ||
        ttl_s == 0 || ttl_s > UINT32_MAX)
        return refuse(fake, out);
    lease = fake_store_grant(&fake->store, (uint32_t)ttl_s);
    if (lease == NULL)
        return refuse(fake, out);
    say(out, "{");
    say_header(out, fake);
    say(out, ",\"ID\":\"%" PRIu64 "\",\"TTL\":\"%" PRIu32 "\"}", lease->id,
        lease->ttl_s);
    return 200;
}

static uint32_t post_keepalive(struct etcd_fake *fake, struct writer *out,
                               const cJSON *json)
{
    struct fake_lease *lease;
    uint64_t id;

    if (!HAS_EXACTLY(json, "ID") || !number_of(&id, json, "ID"))
        return refuse(fake, out);
    lease = fake_store_lease(&fake->store, id);
    say(out, "{\"result\":{");
    say_header(out, fake);
    say(out, ",\"ID\":\"%" PRIu64 "\"", id);
    if (lease != NULL) {
        lease->left_ms = (uint64_t)lease->ttl_s * 1000;
        say(out, ",\"TTL\":\"%" PRIu32 "\"", lease->ttl_s);
    }
    say(out, "}}\n");
    return 200;
}

static uint32_t post_time_to_live(struct etcd_fake *fake, struct writer *out,
                                  const cJSON *json)
{
    const struct fake_lease *lease;
    uint64_t id;

    if (!HAS_EXACTLY(json, "ID", "keys") || !number_of(&id, json, "ID"))
        return refuse(fake, out);
    lease = fake_store_lease(&fake->store, id);
    say(out, "{");
    say_header(out, fake);
    say(out, ",\"ID\":\"%" PRIu64 "\",\"TTL\":\"%" PRId64 "\"}", id,
        lease == NULL ? -1 : (int64_t)(lease->left_ms / 1000));
    return 200;
}

static uint32_t post_revoke(struct etcd_fake *fake, struct writer *out,
                            const cJSON *json)
{
    uint64_t id;

    if (!HAS_EXACTLY(json, "ID") || !number_of(&id, json, "ID"))
        return refuse(fake, out);
    if (fake_store_lease(&fake->store, id) == NULL)
        return no_lease(out);
    fake_store_revoke(&fake->store, id);
    say(out, "{");
    say_header(out, fake);
    say(out, "}");
    return 200;
}

/* ---- All together -------------------------------------------------------- */

struct etcd_fake *etcd_fake_new(void)
{
    struct etcd_fake *fake = calloc(1, sizeof *fake);

    INVARIANT(fake != NULL);
    fake_store_init(&fake->store);
    return fake;
}

void etcd_fake_free(struct etcd_fake *fake)
{
    if (fake == NULL)
        return;
    fake_store_wipe(&fake->store);
    free(fake);
}

struct etcd_fake *etcd_fake_copy(const struct etcd_fake *fake)
{
    struct etcd_fake *copy = calloc(1, sizeof *copy);

    INVARIANT(copy != NULL);
    copy->refusals = fake->refusals;
    fake_store_copy(&copy->store, &fake->store);
    return copy;
}

uint32_t etcd_fake_post(struct etcd_fake *fake, struct writer *out,
                        const char *path, struct slice body)
{
    static const struct {
        const char *path;
        uint32_t (*post)(struct etcd_fake *fake, struct writer *out,
                         const cJSON *json);
    } table[] = {{"/v3/kv/txn", post_txn},
                 {"/v3/kv/range", post_range},
                 {"/v3/kv/put", post_put},
                 {"/v3/lease/grant", post_grant},
                 {"/v3/lease/keepalive", post_keepalive},
                 {"/v3/lease/timetolive", post_time_to_live},
                 {"/v3/lease/revoke", post_revoke}};
    const char *end = NULL;
    cJSON *json =
        cJSON_ParseWithLengthOpts((const char *)body.data, body.size, &end, 0);
    uint32_t status = 0;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (json != NULL && end == (const char *)body.data + body.size &&
            strcmp(path, table[i].path) == 0)
            status = table[i].post(fake, out, json);
    if (status == 0)
        status = refuse(fake, out);
    cJSON_Delete(json);
    return status;
}

void etcd_fake_advance(struct etcd_fake *fake, uint32_t ms)
{
    for (size_t i = 0; i < FAKE_LEASES_MAX; i++) {
        struct fake_lease *lease = &fake->store.leases[i];
        if (lease->id == 0)
            continue;
        lease->left_ms -= lease->left_ms < ms ? lease->left_ms : ms;
        if (lease->left_ms == 0)
            fake_store_revoke(&fake->store, lease->id);
    }
}

void etcd_fake_change_leader(struct etcd_fake *fake)
{
    for (size_t i = 0; i < FAKE_LEASES_MAX; i++) {
        struct fake_lease *lease = &fake->store.leases[i];
        lease->left_ms = (uint64_t)lease->ttl_s * 1000;
    }
}

uint64_t etcd_fake_revision(const struct etcd_fake *fake)
{
    return fake->store.revision;
}

uint64_t etcd_fake_refusals(const struct etcd_fake *fake)
{
    return fake->refusals;
}
