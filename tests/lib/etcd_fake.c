#include "tests/lib/etcd_fake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sodium.h>

#include "tests/lib/etcd_fake_parts.h"

enum { NOT_FOUND = 5, INVALID = 3, TEXT_SIZE = 4096 };

/* ---- Reading bodies ----------------------------------------------------- */

/* ${object} has these fields, each once, and no other; NULL ends the list. */
bool fake_has_exactly(const cJSON *object, const char *const *names)
{
    int count = 0;

    if (!cJSON_IsObject(object))
        return false;
    for (; *names != NULL; names++, count++)
        if (cJSON_GetObjectItemCaseSensitive(object, *names) == NULL)
            return false;
    return cJSON_GetArraySize(object) == count;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text == NULL ? "" : text;
}

bool fake_number_of(uint64_t *out, const cJSON *object, const char *name)
{
    const char *text = text_of(object, name);
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

bool fake_bytes_of(struct fake_bytes *out, const cJSON *object,
                   const char *name)
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

bool fake_key_of(struct fake_bytes *out, const cJSON *object, const char *name)
{
    return fake_bytes_of(out, object, name) && out->size > 0 &&
           out->size <= FAKE_KEY_SIZE_MAX &&
           strlen((const char *)out->data) == out->size;
}

/* ---- Writing answers ---------------------------------------------------- */

void fake_say(struct writer *out, const char *format, ...)
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

void fake_say_header(struct writer *out, const struct etcd_fake *fake)
{
    fake_say(out,
             "\"header\":{\"cluster_id\":\"11\",\"member_id\":\"12\","
             "\"revision\":\"%" PRIu64 "\",\"raft_term\":\"2\"}",
             fake->store.revision);
}

uint32_t fake_refuse(struct etcd_fake *fake, struct writer *out)
{
    fake->refusals++;
    fake_say(out, "{\"error\":\"not written by etcd_text\",\"code\":%d}",
             INVALID);
    return 400;
}

static uint32_t no_lease(struct writer *out)
{
    fake_say(
        out,
        "{\"error\":\"etcdserver: requested lease not found\","
        "\"message\":\"etcdserver: requested lease not found\",\"code\":%d}",
        NOT_FOUND);
    return 404;
}

/* ---- Leases ------------------------------------------------------------- */

static uint32_t post_put(struct etcd_fake *fake, struct writer *out,
                         const cJSON *json)
{
    struct fake_bytes key, value;
    uint64_t lease;

    if (!HAS_EXACTLY(json, "key", "value", "lease") ||
        !fake_key_of(&key, json, "key") ||
        !fake_bytes_of(&value, json, "value") ||
        !fake_number_of(&lease, json, "lease"))
        return fake_refuse(fake, out);
    if (fake_store_lease(&fake->store, lease) == NULL)
        return no_lease(out);
    fake->store.revision++;
    fake_store_put(&fake->store, (const char *)key.data, value.data, value.size,
                   lease);
    fake_say(out, "{");
    fake_say_header(out, fake);
    fake_say(out, "}");
    return 200;
}

static uint32_t post_grant(struct etcd_fake *fake, struct writer *out,
                           const cJSON *json)
{
    const struct fake_lease *lease;
    uint64_t ttl_s;

    if (!HAS_EXACTLY(json, "TTL") || !fake_number_of(&ttl_s, json, "TTL") ||
        ttl_s == 0 || ttl_s > UINT32_MAX)
        return fake_refuse(fake, out);
    lease = fake_store_grant(&fake->store, (uint32_t)ttl_s);
    if (lease == NULL)
        return fake_refuse(fake, out);
    fake_say(out, "{");
    fake_say_header(out, fake);
    fake_say(out, ",\"ID\":\"%" PRIu64 "\",\"TTL\":\"%" PRIu32 "\"}", lease->id,
             lease->ttl_s);
    return 200;
}

static uint32_t post_keepalive(struct etcd_fake *fake, struct writer *out,
                               const cJSON *json)
{
    struct fake_lease *lease;
    uint64_t id;

    if (!HAS_EXACTLY(json, "ID") || !fake_number_of(&id, json, "ID"))
        return fake_refuse(fake, out);
    lease = fake_store_lease(&fake->store, id);
    fake_say(out, "{\"result\":{");
    fake_say_header(out, fake);
    fake_say(out, ",\"ID\":\"%" PRIu64 "\"", id);
    if (lease != NULL) {
        lease->left_ms = (uint64_t)lease->ttl_s * 1000;
        fake_say(out, ",\"TTL\":\"%" PRIu32 "\"", lease->ttl_s);
    }
    fake_say(out, "}}\n");
    return 200;
}

static uint32_t post_time_to_live(struct etcd_fake *fake, struct writer *out,
                                  const cJSON *json)
{
    const struct fake_lease *lease;
    uint64_t id;

    if (!HAS_EXACTLY(json, "ID", "keys") || !fake_number_of(&id, json, "ID"))
        return fake_refuse(fake, out);
    lease = fake_store_lease(&fake->store, id);
    fake_say(out, "{");
    fake_say_header(out, fake);
    fake_say(out, ",\"ID\":\"%" PRIu64 "\",\"TTL\":\"%" PRId64 "\"}", id,
             lease == NULL ? -1 : (int64_t)(lease->left_ms / 1000));
    return 200;
}

static uint32_t post_revoke(struct etcd_fake *fake, struct writer *out,
                            const cJSON *json)
{
    uint64_t id;

    if (!HAS_EXACTLY(json, "ID") || !fake_number_of(&id, json, "ID"))
        return fake_refuse(fake, out);
    if (fake_store_lease(&fake->store, id) == NULL)
        return no_lease(out);
    fake_store_revoke(&fake->store, id);
    fake_say(out, "{");
    fake_say_header(out, fake);
    fake_say(out, "}");
    return 200;
}

/* ---- All together ------------------------------------------------------- */

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
    } table[] = {{"/v3/kv/txn", fake_post_txn},
                 {"/v3/kv/range", fake_post_range},
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
        status = fake_refuse(fake, out);
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
