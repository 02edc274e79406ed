#include <inttypes.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sodium.h>

#include "tests/lib/etcd_fake_parts.h"

enum { PUTS_MAX = 128, TEXT_SIZE = 4096 };

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text == NULL ? "" : text;
}

/* ---- Ranges ------------------------------------------------------------- */

static void say_entry(struct writer *out, const struct fake_entry *entry)
{
    char key[TEXT_SIZE], value[TEXT_SIZE];

    sodium_bin2base64(key, sizeof key, (const uint8_t *)entry->key,
                      strlen(entry->key), sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(value, sizeof value, entry->value, entry->value_size,
                      sodium_base64_VARIANT_ORIGINAL);
    fake_say(out,
             "{\"key\":\"%s\",\"create_revision\":\"%" PRIu64
             "\",\"mod_revision\":\"%" PRIu64 "\",\"version\":\"%" PRIu64
             "\",\"value\":\"%s\"",
             key, entry->created, entry->modified, entry->version, value);
    if (entry->lease != 0)
        fake_say(out, ",\"lease\":\"%" PRIu64 "\"", entry->lease);
    fake_say(out, "}");
}

struct range {
    struct fake_bytes from, end;
    bool many;
    uint64_t limit;
};

static bool read_range(struct range *range, const cJSON *json)
{
    range->limit = 1;
    range->many = cJSON_GetObjectItemCaseSensitive(json, "range_end") != NULL;
    if (!range->many)
        return HAS_EXACTLY(json, "key") &&
               fake_key_of(&range->from, json, "key");
    return HAS_EXACTLY(json, "key", "range_end", "limit") &&
           fake_key_of(&range->from, json, "key") &&
           fake_key_of(&range->end, json, "range_end") &&
           fake_number_of(&range->limit, json, "limit") && range->limit > 0;
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
            fake_say(out, count == 0 ? ",\"kvs\":[" : ",");
            say_entry(out, store->entries[at]);
        }
        count++;
    }
    if (count == 0)
        return;
    fake_say(out, "]%s,\"count\":\"%" PRIu64 "\"",
             count > range->limit ? ",\"more\":true" : "", count);
}

uint32_t fake_post_range(struct etcd_fake *fake, struct writer *out,
                         const cJSON *json)
{
    struct range range;

    if (!read_range(&range, json))
        return fake_refuse(fake, out);
    fake_say(out, "{");
    fake_say_header(out, fake);
    say_range(out, fake, &range);
    fake_say(out, "}");
    return 200;
}

/* ---- Transactions ------------------------------------------------------- */

static bool compare_number(bool *holds, const cJSON *json, const char *name,
                           uint64_t stands)
{
    uint64_t number;

    *holds = false;
    if (!HAS_EXACTLY(json, "target", "result", "key", name) ||
        !fake_number_of(&number, json, name))
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
    struct fake_bytes key, value;

    if (strcmp(text_of(json, "result"), "EQUAL") != 0 ||
        !fake_key_of(&key, json, "key"))
        return false;
    entry = fake_store_find(&fake->store, (const char *)key.data);
    if (strcmp(target, "VALUE") == 0) {
        if (!HAS_EXACTLY(json, "target", "result", "key", "value") ||
            !fake_bytes_of(&value, json, "value"))
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
    struct fake_bytes key, value;
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
        if (!HAS_EXACTLY(put, "key", "value") ||
            !fake_key_of(&key, put, "key") ||
            !fake_bytes_of(&value, put, "value") || count == PUTS_MAX)
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
    struct fake_bytes key, value;

    if (put != NULL) {
        INVARIANT(fake_key_of(&key, put, "key") &&
                  fake_bytes_of(&value, put, "value"));
        fake_store_put(&fake->store, (const char *)key.data, value.data,
                       value.size, 0);
        fake_say(out,
                 "{\"response_put\":{\"header\":{\"revision\":\"%" PRIu64
                 "\"}}}",
                 fake->store.revision);
        return;
    }
    INVARIANT(read_range(&range, operation_of(item, "request_range")));
    fake_say(out,
             "{\"response_range\":{\"header\":{\"revision\":\"%" PRIu64 "\"}",
             fake->store.revision);
    say_range(out, fake, &range);
    fake_say(out, "}}");
}

static void do_branch(struct etcd_fake *fake, struct writer *out,
                      const cJSON *branch, bool holds, bool puts)
{
    const cJSON *item;
    const char *between = "";

    if (puts)
        fake->store.revision++;
    fake_say(out, "{");
    fake_say_header(out, fake);
    fake_say(out, holds ? ",\"succeeded\":true" : "");
    if (cJSON_GetArraySize(branch) > 0)
        fake_say(out, ",\"responses\":[");
    cJSON_ArrayForEach(item, branch)
    {
        fake_say(out, "%s", between);
        do_operation(fake, out, item);
        between = ",";
    }
    fake_say(out, cJSON_GetArraySize(branch) > 0 ? "]}" : "}");
}

uint32_t fake_post_txn(struct etcd_fake *fake, struct writer *out,
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
        return fake_refuse(fake, out);
    cJSON_ArrayForEach(item, compares)
    {
        if (!compare(fake, &one, item))
            return fake_refuse(fake, out);
        holds = holds && one;
    }
    do_branch(fake, out, holds ? success : failure, holds,
              holds ? success_puts : failure_puts);
    return 200;
}
