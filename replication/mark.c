#include "replication/mark.h"

#include <string.h>

#include <sodium.h>

static const uint8_t mark_magic[SLOTS_MAGIC_SIZE] = "DFTMARK";

static_assert((int)MARK_BODY_SIZE <= (int)SLOTS_BODY_SIZE_MAX,
              "a mark fits its slot");

void mark_encode(uint8_t *out, const struct mark_value *value)
{
    struct writer writer;

    REQUIRE(value->committed <= value->size);
    writer_init(&writer, out, MARK_BODY_SIZE);
    writer_u64(&writer, value->incarnation);
    writer_u32(&writer, value->epoch);
    writer_u32(&writer, value->lost.kind);
    writer_u64(&writer, value->size);
    writer_u64(&writer, value->committed);
    writer_bytes(&writer, value->leaf, HASH_SIZE);
    writer_u64(&writer, value->lost.size);
    writer_u64(&writer, value->lost.committed);
    writer_bytes(&writer, value->lost.leaf, HASH_SIZE);
    ENSURE(writer.status == ST_OK);
    ENSURE(writer.used == MARK_BODY_SIZE);
}

static bool mark_lost_valid(const struct mark_lost *lost)
{
    const bool leafless = sodium_is_zero(lost->leaf, HASH_SIZE);

    switch (lost->kind) {
    case MARK_WHOLE:
        return lost->size == 0 && lost->committed == 0 && leafless;
    case MARK_LOST:
        return lost->size > 0 && lost->committed <= lost->size;
    case MARK_LOST_TAIL:
        return lost->size < UINT64_MAX && leafless;
    case MARK_LOST_ALL:
        return lost->size == UINT64_MAX && leafless;
    }
    return false;
}

static bool mark_lost_same(const struct mark_lost *one,
                           const struct mark_lost *other)
{
    return one->kind == MARK_LOST && other->kind == MARK_LOST &&
           one->size == other->size &&
           memcmp(one->leaf, other->leaf, HASH_SIZE) == 0;
}

void mark_lost_join(struct mark_lost *lost, const struct mark_lost *more)
{
    const uint64_t committed =
        lost->committed > more->committed ? lost->committed : more->committed;

    if (more->kind == MARK_WHOLE)
        return;
    if (lost->kind == MARK_WHOLE || mark_lost_same(lost, more)) {
        *lost = *more;
    } else if (lost->kind == MARK_LOST_TAIL && more->kind == MARK_LOST_TAIL) {
        if (more->size < lost->size)
            *lost = *more;
    } else { /* Two histories, or one of the reasons is vague. */
        *lost = (struct mark_lost){.kind = MARK_LOST_ALL, .size = UINT64_MAX};
    }
    lost->committed = committed;
    ENSURE(mark_lost_valid(lost));
}

enum status mark_decode(struct mark_value *out, struct slice body)
{
    struct reader reader;
    uint32_t kind;

    reader_init(&reader, body);
    out->incarnation = reader_u64(&reader);
    out->epoch = reader_u32(&reader);
    kind = reader_u32(&reader);
    out->size = reader_u64(&reader);
    out->committed = reader_u64(&reader);
    reader_copy(&reader, out->leaf, HASH_SIZE);
    out->lost.kind =
        kind <= MARK_LOST_ALL ? (enum mark_lost_kind)kind : MARK_WHOLE;
    out->lost.size = reader_u64(&reader);
    out->lost.committed = reader_u64(&reader);
    reader_copy(&reader, out->lost.leaf, HASH_SIZE);
    if (reader_end(&reader) != ST_OK || kind > MARK_LOST_ALL ||
        !mark_lost_valid(&out->lost) || out->committed > out->size ||
        (out->size == 0 && !sodium_is_zero(out->leaf, HASH_SIZE)))
        return ST_FILE_FORMAT;
    return ST_OK;
}

enum status mark_create(struct disk *disk, const struct mark_value *value)
{
    uint8_t body[MARK_BODY_SIZE];

    mark_encode(body, value);
    return slots_create(disk, MARK_FILE, mark_magic,
                        slice_of(body, sizeof body));
}

enum status mark_open(struct mark *mark, struct disk *disk)
{
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t body_size;
    enum status status;

    status =
        slots_open(&mark->slots, body, &body_size, disk, MARK_FILE, mark_magic);
    if (status == ST_OK)
        status = mark_decode(&mark->value, slice_of(body, body_size));
    if (status == ST_CHECKSUM || status == ST_FILE_FORMAT)
        status = ST_LOST;
    if (status != ST_OK)
        slots_close(&mark->slots);
    return status;
}

void mark_close(struct mark *mark)
{
    slots_close(&mark->slots);
}

enum status mark_write(struct mark *mark, const struct mark_value *value)
{
    uint8_t body[MARK_BODY_SIZE];
    enum status status;

    mark_encode(body, value);
    status = slots_write(&mark->slots, slice_of(body, sizeof body));
    if (status == ST_OK)
        mark->value = *value;
    return status;
}
