#include "replication/meta.h"

#include <string.h>

enum { META_DOUBTFUL = 1 };

static const uint8_t meta_magic[SLOTS_MAGIC_SIZE] = "DFTMETA";

static_assert(META_BODY_FIXED_SIZE + 4 + (int)META_CONFIGURATION_SIZE_MAX <=
                  (int)SLOTS_BODY_SIZE_MAX,
              "the largest configuration fits the slot");

void meta_encode(uint8_t *out, size_t *size_out, const struct meta_value *value)
{
    struct writer writer;

    REQUIRE(value->configuration_size <= META_CONFIGURATION_SIZE_MAX);
    writer_init(&writer, out, SLOTS_BODY_SIZE_MAX);
    writer_bytes(&writer, value->node_id, NODE_ID_SIZE);
    writer_bytes(&writer, value->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, value->lineage, LINEAGE_SIZE);
    writer_u64(&writer, value->incarnation);
    writer_u32(&writer, value->promised_epoch);
    writer_u32(&writer, value->used_epoch);
    writer_u64(&writer, value->configuration_number);
    writer_u64(&writer, value->claimed);
    writer_u32(&writer, value->doubtful ? META_DOUBTFUL : 0);
    INVARIANT(writer.used == META_BODY_FIXED_SIZE);
    writer_u32(&writer, (uint32_t)value->configuration_size);
    writer_bytes(&writer, value->configuration, value->configuration_size);
    ENSURE(writer.status == ST_OK);
    *size_out = writer.used;
}

enum status meta_decode(struct meta_value *out, struct slice body)
{
    struct reader reader;
    uint32_t flags, size;

    *out = (struct meta_value){0};
    reader_init(&reader, body);
    reader_copy(&reader, out->node_id, NODE_ID_SIZE);
    reader_copy(&reader, out->cluster_id, CLUSTER_ID_SIZE);
    reader_copy(&reader, out->lineage, LINEAGE_SIZE);
    out->incarnation = reader_u64(&reader);
    out->promised_epoch = reader_u32(&reader);
    out->used_epoch = reader_u32(&reader);
    out->configuration_number = reader_u64(&reader);
    out->claimed = reader_u64(&reader);
    flags = reader_u32(&reader);
    out->doubtful = (flags & META_DOUBTFUL) != 0;
    size = reader_u32(&reader);
    if ((flags & ~(uint32_t)META_DOUBTFUL) != 0 ||
        out->claimed > out->incarnation ||
        out->used_epoch > out->promised_epoch ||
        size > META_CONFIGURATION_SIZE_MAX)
        return ST_FILE_FORMAT;
    reader_copy(&reader, out->configuration, size);
    out->configuration_size = size;
    return reader_end(&reader) == ST_OK ? ST_OK : ST_FILE_FORMAT;
}

enum status meta_create(struct disk *disk, const struct meta_value *value)
{
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t body_size;

    meta_encode(body, &body_size, value);
    return slots_create(disk, META_FILE, meta_magic, slice_of(body, body_size));
}

enum status meta_open(struct meta *meta, struct disk *disk)
{
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t body_size;
    enum status status;

    status =
        slots_open(&meta->slots, body, &body_size, disk, META_FILE, meta_magic);
    if (status == ST_OK)
        status = meta_decode(&meta->value, slice_of(body, body_size));
    if (status == ST_CHECKSUM)
        status = ST_FILE_FORMAT;
    if (status != ST_OK) {
        slots_close(&meta->slots);
        return status;
    }
    if (meta->slots.slot_bad) {
        meta->value.doubtful = true;
        meta->value.incarnation++;
        if (meta->value.promised_epoch < UINT32_MAX)
            meta->value.promised_epoch++;
    }
    return ST_OK;
}

void meta_close(struct meta *meta)
{
    slots_close(&meta->slots);
}

static enum status meta_write(struct meta *meta, const struct meta_value *value)
{
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t body_size;
    enum status status;

    meta_encode(body, &body_size, value);
    status = slots_write(&meta->slots, slice_of(body, body_size));
    if (status == ST_OK) /* The other slot too: rot of one loses no promise. */
        status = slots_write(&meta->slots, slice_of(body, body_size));
    if (status == ST_OK)
        meta->value = *value;
    return status;
}

enum status meta_begin(struct meta *meta)
{
    struct meta_value value = meta->value;

    value.incarnation++;
    return meta_write(meta, &value);
}

enum status meta_rise(struct meta *meta, uint64_t incarnation)
{
    struct meta_value value = meta->value;

    REQUIRE(incarnation > value.incarnation);
    value.incarnation = incarnation;
    return meta_write(meta, &value);
}

enum status meta_claim(struct meta *meta, uint64_t incarnation)
{
    struct meta_value value = meta->value;

    REQUIRE(incarnation <= value.incarnation);
    value.claimed = incarnation;
    return meta_write(meta, &value);
}

enum status meta_use_epoch(struct meta *meta, uint32_t epoch)
{
    struct meta_value value = meta->value;

    REQUIRE(epoch >= value.promised_epoch);
    REQUIRE(epoch > value.used_epoch);
    value.promised_epoch = epoch;
    value.used_epoch = epoch;
    return meta_write(meta, &value);
}

enum status meta_take_epoch(struct meta *meta, uint32_t *epoch_out)
{
    return meta_take_granted(meta, epoch_out, 1, UINT32_MAX);
}

enum status meta_take_granted(struct meta *meta, uint32_t *epoch_out,
                              uint32_t first, uint32_t count)
{
    const uint64_t end = (uint64_t)first + count;
    uint64_t epoch = (uint64_t)meta->value.promised_epoch + 1;
    enum status status;

    REQUIRE(first > 0 && count > 0);
    if (epoch < first)
        epoch = first;
    if (epoch >= end || epoch > UINT32_MAX)
        return ST_LIMIT;
    status = meta_use_epoch(meta, (uint32_t)epoch);
    if (status == ST_OK)
        *epoch_out = (uint32_t)epoch;
    return status;
}

enum status meta_promise(struct meta *meta, uint32_t epoch)
{
    struct meta_value value = meta->value;

    REQUIRE(epoch >= value.promised_epoch);
    if (epoch == value.promised_epoch)
        return ST_OK;
    value.promised_epoch = epoch;
    return meta_write(meta, &value);
}

static void meta_set_configuration(struct meta_value *value, uint64_t number,
                                   struct slice configuration)
{
    REQUIRE(number >= value->configuration_number);
    REQUIRE(configuration.size <= META_CONFIGURATION_SIZE_MAX);
    value->configuration_number = number;
    value->doubtful = false;
    memset(value->configuration, 0, sizeof value->configuration);
    if (configuration.size > 0)
        memcpy(value->configuration, configuration.data, configuration.size);
    value->configuration_size = configuration.size;
}

enum status meta_configure(struct meta *meta, uint64_t number,
                           struct slice configuration)
{
    struct meta_value value = meta->value;

    meta_set_configuration(&value, number, configuration);
    return meta_write(meta, &value);
}

enum status meta_force(struct meta *meta, const uint8_t lineage[LINEAGE_SIZE],
                       uint64_t number, struct slice configuration,
                       uint32_t epoch)
{
    struct meta_value value = meta->value;

    meta_set_configuration(&value, number, configuration);
    memcpy(value.lineage, lineage, LINEAGE_SIZE);
    if (epoch > value.promised_epoch)
        value.promised_epoch = epoch;
    return meta_write(meta, &value);
}
