#include "replication/slots.h"

#include <string.h>

#include <sodium.h>

enum { SLOTS_VERSION = 1, SLOTS_COUNT = 2 };

static void slots_hash(uint8_t out[HASH_SIZE], const uint8_t *data, size_t size)
{
    const int result = crypto_generichash(out, HASH_SIZE, data, size, NULL, 0);
    ENSURE(result == 0);
}

void slots_encode(uint8_t *out, const uint8_t *magic, uint64_t sequence,
                  struct slice body)
{
    struct writer writer;
    uint8_t hash[HASH_SIZE];

    REQUIRE(body.size <= SLOTS_BODY_SIZE_MAX);
    writer_init(&writer, out, SLOT_SIZE);
    writer_bytes(&writer, magic, SLOTS_MAGIC_SIZE);
    writer_u32(&writer, SLOTS_VERSION);
    writer_u32(&writer, (uint32_t)body.size);
    writer_u64(&writer, sequence);
    writer_bytes(&writer, body.data, body.size);
    slots_hash(hash, out, writer.used);
    writer_bytes(&writer, hash, sizeof hash);
    writer_zeros(&writer, SLOT_SIZE - writer.used);
    ENSURE(writer.status == ST_OK);
}

enum status slots_decode(uint64_t *sequence_out, struct slice *body_out,
                         const uint8_t *magic, struct slice input)
{
    struct reader reader;
    uint8_t hash[HASH_SIZE];
    uint32_t version;
    uint32_t body_size;
    size_t checked;

    *body_out = (struct slice){NULL, 0};
    if (input.size != SLOT_SIZE ||
        memcmp(input.data, magic, SLOTS_MAGIC_SIZE) != 0)
        return ST_FILE_FORMAT;
    reader_init(&reader, input);
    (void)reader_bytes(&reader, SLOTS_MAGIC_SIZE);
    version = reader_u32(&reader);
    body_size = reader_u32(&reader);
    *sequence_out = reader_u64(&reader);
    if (version != SLOTS_VERSION || body_size > SLOTS_BODY_SIZE_MAX)
        return ST_FILE_FORMAT;
    *body_out = reader_bytes(&reader, body_size);
    checked = reader.used;
    slots_hash(hash, input.data, checked);
    if (memcmp(hash, input.data + checked, HASH_SIZE) != 0)
        return ST_CHECKSUM;
    for (size_t at = checked + HASH_SIZE; at < SLOT_SIZE; at++)
        if (input.data[at] != 0)
            return ST_FILE_FORMAT;
    return ST_OK;
}

enum status slots_create(struct disk *disk, const char *name,
                         const uint8_t *magic, struct slice body)
{
    uint8_t both[SLOTS_COUNT * SLOT_SIZE];

    slots_encode(both, magic, 2, body);
    slots_encode(both + SLOT_SIZE, magic, 1, body);
    return disk_replace(disk, name, "", both, sizeof both);
}

/* A slot that does not decode, or stands in the other's place, counts as 0. */
static uint64_t slots_read(struct slice *body_out, const uint8_t *magic,
                           const uint8_t *both, size_t slot)
{
    uint64_t sequence = 0;

    if (slots_decode(&sequence, body_out, magic,
                     slice_of(both + slot * SLOT_SIZE, SLOT_SIZE)) != ST_OK ||
        sequence % SLOTS_COUNT != slot)
        return 0;
    return sequence;
}

enum status slots_open(struct slots *slots, uint8_t *body,
                       size_t *body_size_out, struct disk *disk,
                       const char *name, const uint8_t *magic)
{
    uint8_t both[SLOTS_COUNT * SLOT_SIZE] = {0};
    struct slice bodies[SLOTS_COUNT];
    uint64_t sequences[SLOTS_COUNT];
    enum status status;
    size_t size;
    size_t newest;

    *slots = (struct slots){.magic = magic};
    status = disk_open(disk, &slots->file, name);
    if (status == ST_OK)
        status = disk_read(slots->file, &size, both, sizeof both, 0);
    if (status != ST_OK)
        goto fail;
    for (size_t slot = 0; slot < SLOTS_COUNT; slot++)
        sequences[slot] = slots_read(&bodies[slot], magic, both, slot);
    newest = sequences[0] > sequences[1] ? 0 : 1;
    status = ST_CHECKSUM;
    if (sequences[newest] == 0)
        goto fail;
    slots->sequence = sequences[newest];
    slots->slot_bad = sequences[1 - newest] != slots->sequence - 1;
    memcpy(body, bodies[newest].data, bodies[newest].size);
    *body_size_out = bodies[newest].size;
    return ST_OK;
fail:
    slots_close(slots);
    ENSURE(status != ST_OK);
    return status;
}

void slots_close(struct slots *slots)
{
    disk_close(slots->file);
    slots->file = NULL;
}

enum status slots_write(struct slots *slots, struct slice body)
{
    uint8_t slot[SLOT_SIZE];
    enum status status;

    REQUIRE(slots->file != NULL);
    slots_encode(slot, slots->magic, slots->sequence + 1, body);
    status = disk_write(slots->file, slot, sizeof slot,
                        (slots->sequence + 1) % SLOTS_COUNT * SLOT_SIZE);
    if (status == ST_OK)
        status = disk_sync(slots->file);
    if (status != ST_OK)
        return ST_DISK_FAILED;
    slots->sequence++;
    return ST_OK;
}
