#include "protocol/config.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/tags.h"

static_assert(sizeof(struct config_member) == NODE_ID_SIZE + 8,
              "a member has no padding");

/* ---- Lists -------------------------------------------------------------- */

/* A list of ${count} rows of ${stride} bytes that begin with a node's id: where
 * ${node_id} is, or would be. */
static size_t list_place(const void *list, size_t count, size_t stride,
                         const uint8_t *node_id, bool *found_out)
{
    const uint8_t *at = list;
    size_t place = 0;

    *found_out = false;
    while (place < count) {
        int order = memcmp(at + place * stride, node_id, NODE_ID_SIZE);
        *found_out = order == 0;
        if (order >= 0)
            return place;
        place++;
    }
    return place;
}

static bool list_has(const void *list, size_t count, size_t stride,
                     const uint8_t *node_id)
{
    bool found;

    (void)list_place(list, count, stride, node_id, &found);
    return found;
}

static void list_add(void *list, uint8_t *count, size_t stride, const void *row)
{
    uint8_t *at = list;
    bool found;
    size_t place = list_place(list, *count, stride, row, &found);

    REQUIRE(!found);
    REQUIRE(*count < CONFIG_NODES_MAX);
    memmove(at + (place + 1) * stride, at + place * stride,
            (*count - place) * stride);
    memcpy(at + place * stride, row, stride);
    ++*count;
}

static void list_remove(void *list, uint8_t *count, size_t stride,
                        const uint8_t *node_id)
{
    uint8_t *at = list;
    bool found;
    size_t place = list_place(list, *count, stride, node_id, &found);

    REQUIRE(found);
    --*count;
    memmove(at + place * stride, at + (place + 1) * stride,
            (*count - place) * stride);
    memset(at + *count * stride, 0, stride);
}

static bool list_rises(const void *list, size_t count, size_t stride)
{
    const uint8_t *at = list;

    for (size_t i = 1; i < count; i++) {
        if (memcmp(at + (i - 1) * stride, at + i * stride, NODE_ID_SIZE) >= 0)
            return false;
    }
    return true;
}

enum { MEMBER_STRIDE = sizeof(struct config_member) };

bool config_has_member(const struct config *config, const uint8_t *node_id)
{
    return list_has(config->members, config->members_count, MEMBER_STRIDE,
                    node_id);
}

bool config_has_learner(const struct config *config, const uint8_t *node_id)
{
    return list_has(config->learners, config->learners_count, NODE_ID_SIZE,
                    node_id);
}

bool config_is_eligible(const struct config *config, const uint8_t *node_id)
{
    return list_has(config->eligible, config->eligible_count, NODE_ID_SIZE,
                    node_id);
}

bool config_has_node(const struct config *config, const uint8_t *node_id)
{
    return config_has_member(config, node_id) ||
           config_has_learner(config, node_id);
}

bool config_has_archive(const struct config *config)
{
    /* Every eligible node is a node, so the others are what is left. */
    return config->members_count + config->learners_count >
           config->eligible_count;
}

const struct config_member *config_member(const struct config *config,
                                          const uint8_t *node_id)
{
    bool found;
    size_t place = list_place(config->members, config->members_count,
                              MEMBER_STRIDE, node_id, &found);

    return found ? &config->members[place] : NULL;
}

void config_add_member(struct config *config, const uint8_t *node_id,
                       uint64_t incarnation)
{
    struct config_member row = {.incarnation = incarnation};

    memcpy(row.node_id, node_id, NODE_ID_SIZE);
    list_add(config->members, &config->members_count, MEMBER_STRIDE, &row);
}

void config_remove_member(struct config *config, const uint8_t *node_id)
{
    list_remove(config->members, &config->members_count, MEMBER_STRIDE,
                node_id);
}

void config_add_learner(struct config *config, const uint8_t *node_id)
{
    list_add(config->learners, &config->learners_count, NODE_ID_SIZE, node_id);
}

void config_remove_learner(struct config *config, const uint8_t *node_id)
{
    list_remove(config->learners, &config->learners_count, NODE_ID_SIZE,
                node_id);
}

void config_add_eligible(struct config *config, const uint8_t *node_id)
{
    list_add(config->eligible, &config->eligible_count, NODE_ID_SIZE, node_id);
}

void config_remove_eligible(struct config *config, const uint8_t *node_id)
{
    list_remove(config->eligible, &config->eligible_count, NODE_ID_SIZE,
                node_id);
}

void config_admit(struct config *config, const uint8_t *node_id,
                  uint64_t incarnation)
{
    config_remove_learner(config, node_id);
    config_add_member(config, node_id, incarnation);
}

void config_dismiss(struct config *config, const uint8_t *node_id)
{
    uint8_t copy[NODE_ID_SIZE];

    memcpy(copy, node_id, NODE_ID_SIZE); /* It may stand in the list itself. */
    config_remove_member(config, copy);
    config_add_learner(config, copy);
}

void config_dismiss_others(struct config *config, const uint8_t *node_id)
{
    for (size_t i = config->members_count; i-- > 0;) {
        if (memcmp(config->members[i].node_id, node_id, NODE_ID_SIZE) != 0)
            config_dismiss(config, config->members[i].node_id);
    }
}

/* ---- Bytes -------------------------------------------------------------- */

static bool config_lists_hold(const struct config *config)
{
    if (config->members_count == 0 ||
        config->members_count + config->learners_count > CONFIG_NODES_MAX ||
        config->eligible_count > CONFIG_NODES_MAX)
        return false;
    if (!list_rises(config->members, config->members_count, MEMBER_STRIDE) ||
        !list_rises(config->learners, config->learners_count, NODE_ID_SIZE) ||
        !list_rises(config->eligible, config->eligible_count, NODE_ID_SIZE))
        return false;
    for (size_t i = 0; i < config->learners_count; i++) {
        if (config_has_member(config, config->learners[i]))
            return false;
    }
    for (size_t i = 0; i < config->eligible_count; i++) {
        if (!config_has_node(config, config->eligible[i]))
            return false;
    }
    return true;
}

static bool config_holds(const struct config *config)
{
    return (config->phase == CONFIG_NORMAL ||
            config->phase == CONFIG_RECOVERING) &&
           config->why >= CONFIG_BOOT && config->why <= CONFIG_WHY_MAX &&
           config->number != 0 && config->number <= INT64_MAX &&
           config->epoch != 0 && config->epoch <= REPLICA_EPOCH_MAX &&
           config->minimum != 0 && config->minimum <= CONFIG_NODES_MAX &&
           (config->lost_count == 0 || config->why == CONFIG_FORCED) &&
           config_lists_hold(config);
}

size_t config_size(const struct config *config)
{
    return CONFIG_FIXED_SIZE +
           (size_t)config->members_count * CONFIG_MEMBER_SIZE +
           ((size_t)config->learners_count + config->eligible_count) *
               NODE_ID_SIZE;
}

void config_encode(uint8_t *out, const struct config *config)
{
    struct writer writer;

    REQUIRE(config_holds(config));
    writer_init(&writer, out, config_size(config));
    writer_u16(&writer, CONFIG_VERSION);
    writer_u8(&writer, (uint8_t)config->phase);
    writer_u8(&writer, (uint8_t)config->why);
    writer_u32(&writer, config->epoch);
    writer_u64(&writer, config->number);
    writer_bytes(&writer, config->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, config->lineage, LINEAGE_SIZE);
    writer_bytes(&writer, config->primary, NODE_ID_SIZE);
    writer_u64(&writer, config->base_size);
    writer_bytes(&writer, config->base_leaf, HASH_SIZE);
    writer_bytes(&writer, config->previous, HASH_SIZE);
    writer_bytes(&writer, config->nonce, CONFIG_NONCE_SIZE);
    writer_u8(&writer, config->minimum);
    writer_u8(&writer, config->members_count);
    writer_u8(&writer, config->learners_count);
    writer_u8(&writer, config->eligible_count);
    writer_u32(&writer, config->lost_count);
    INVARIANT(writer.used == CONFIG_FIXED_SIZE);
    for (size_t i = 0; i < config->members_count; i++) {
        writer_bytes(&writer, config->members[i].node_id, NODE_ID_SIZE);
        writer_u64(&writer, config->members[i].incarnation);
    }
    writer_bytes(&writer, config->learners,
                 (size_t)config->learners_count * NODE_ID_SIZE);
    writer_bytes(&writer, config->eligible,
                 (size_t)config->eligible_count * NODE_ID_SIZE);
    ENSURE(writer.status == ST_OK);
    ENSURE(writer.used == config_size(config));
}

static void config_read_lists(struct config *out, struct reader *reader)
{
    if (out->members_count > CONFIG_NODES_MAX ||
        out->learners_count > CONFIG_NODES_MAX ||
        out->eligible_count > CONFIG_NODES_MAX) {
        reader_fail(reader, ST_FILE_FORMAT);
        return;
    }
    for (size_t i = 0; i < out->members_count; i++) {
        reader_copy(reader, out->members[i].node_id, NODE_ID_SIZE);
        out->members[i].incarnation = reader_u64(reader);
    }
    reader_copy(reader, out->learners,
                (size_t)out->learners_count * NODE_ID_SIZE);
    reader_copy(reader, out->eligible,
                (size_t)out->eligible_count * NODE_ID_SIZE);
}

enum status config_decode(struct config *out, struct slice bytes)
{
    struct reader reader;
    uint16_t version;

    memset(out, 0, sizeof *out);
    reader_init(&reader, bytes);
    version = reader_u16(&reader);
    out->phase = (enum config_phase)reader_u8(&reader);
    out->why = (enum config_why)reader_u8(&reader);
    out->epoch = reader_u32(&reader);
    out->number = reader_u64(&reader);
    reader_copy(&reader, out->cluster_id, CLUSTER_ID_SIZE);
    reader_copy(&reader, out->lineage, LINEAGE_SIZE);
    reader_copy(&reader, out->primary, NODE_ID_SIZE);
    out->base_size = reader_u64(&reader);
    reader_copy(&reader, out->base_leaf, HASH_SIZE);
    reader_copy(&reader, out->previous, HASH_SIZE);
    reader_copy(&reader, out->nonce, CONFIG_NONCE_SIZE);
    out->minimum = reader_u8(&reader);
    out->members_count = reader_u8(&reader);
    out->learners_count = reader_u8(&reader);
    out->eligible_count = reader_u8(&reader);
    out->lost_count = reader_u32(&reader);
    if (version != CONFIG_VERSION)
        reader_fail(&reader, ST_FILE_FORMAT);
    config_read_lists(out, &reader);
    if (reader_end(&reader) != ST_OK || !config_holds(out))
        return ST_FILE_FORMAT;
    return ST_OK;
}

void config_hash(uint8_t out[HASH_SIZE], struct slice bytes)
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, tags_bytes(TAG_CONFIG), TAG_SIZE);
    crypto_hash_sha256_update(&state, bytes.data, bytes.size);
    crypto_hash_sha256_final(&state, out);
}

void config_succeed(struct config *out, const struct config *older,
                    struct slice older_bytes, enum config_why why)
{
    REQUIRE(older->number <= INT64_MAX);
    *out = *older;
    out->number++;
    out->why = why;
    out->lost_count = 0;
    config_hash(out->previous, older_bytes);
}

enum status config_granted(uint32_t *epoch_out, const struct config *older,
                           uint32_t seen)
{
    uint64_t epoch = (uint64_t)older->epoch + CONFIG_GRANT_EPOCHS;

    if (epoch <= seen)
        epoch = (uint64_t)seen + 1;
    if (epoch > REPLICA_EPOCH_MAX)
        return ST_LIMIT;
    *epoch_out = (uint32_t)epoch;
    return ST_OK;
}

void config_forced_lineage(uint8_t out[LINEAGE_SIZE],
                           const struct config *config)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX], hash[HASH_SIZE];
    struct config bare = *config;

    memset(bare.lineage, 0, LINEAGE_SIZE);
    config_encode(bytes, &bare);
    config_hash(hash, slice_of(bytes, config_size(&bare)));
    memcpy(out, hash, LINEAGE_SIZE);
}
