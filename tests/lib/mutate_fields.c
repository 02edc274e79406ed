#include <string.h>

#include "tests/lib/mutate.h"
#include "tests/lib/schema_sample.h"

enum { VALUE_SIZE_MAX = 8192, TEXTS_SIZE = 8 << 20 };

union value {
    uint64_t align;
    uint8_t bytes[VALUE_SIZE_MAX];
};

static size_t member_size(enum field_kind kind)
{
    static const size_t sizes[] = {
#define K(kind, type, size) [FIELD_##kind] = sizeof(type),
        FIELD_KIND_LIST(K)
#undef K
            [FIELD_list] = sizeof(struct list)};

    return sizes[kind];
}

static int64_t number_within(struct random *random, const struct field *row,
                             int64_t old)
{
    /* Taxpayer numbers whose check digits are right. */
    static const int64_t voens[] = {INT64_C(1400057421), INT64_C(1401555071),
                                    INT64_C(1000276532)};
    uint64_t span = (uint64_t)row->hi - (uint64_t)row->lo;
    int64_t value;

    if (row->kind == FIELD_voen && random_below(random, 4) != 0)
        return voens[random_below(random, 3)];
    switch (random_below(random, 4)) {
    case 0:
        value = (int64_t)((uint64_t)old + 1);
        break;
    case 1:
        value = (int64_t)((uint64_t)old - 1);
        break;
    case 2: /* Small ones name what exists. */
        value = (int64_t)((uint64_t)row->lo + random_below(random, 8));
        break;
    default:
        value =
            (int64_t)((uint64_t)row->lo +
                      (span == UINT64_MAX ? random_next(random)
                                          : random_next(random) % (span + 1)));
        break;
    }
    return value < row->lo ? row->lo : value > row->hi ? row->hi : value;
}

static bool is_number(enum field_kind kind)
{
    return kind != FIELD_bool8 && schema_kind_size(kind) != 0 &&
           (kind < FIELD_bytes8 || kind > FIELD_bytes64);
}

/* A number, read from a member of ${size} bytes. */
static int64_t load_number(const uint8_t *member, size_t size)
{
    int64_t value = 0;

    memcpy(&value, member, size);
    return value;
}

static void change_value(struct random *random, const struct field *row,
                         union value *value, const union value *sample)
{
    uint8_t *member = value->bytes + row->offset;
    size_t size = member_size(row->kind);

    if (row->tag != 0) {
        bool has = random_below(random, 4) != 0;
        memcpy(value->bytes + row->present_offset, &has, sizeof has);
    }
    if (is_number(row->kind) && random_below(random, 4) != 0) {
        int64_t number = number_within(random, row, load_number(member, size));
        memcpy(member, &number, size);
    } else if (row->kind >= FIELD_bytes8 && row->kind <= FIELD_bytes64 &&
               random_below(random, 2) != 0) {
        member[random_below(random, (uint32_t)size)] ^=
            (uint8_t)random_next(random);
    } else {
        memcpy(member, sample->bytes + row->offset, size);
    }
}

static enum sample_extent any_extent(struct random *random)
{
    static const enum sample_extent extents[] = {
        SAMPLE_LEAST, SAMPLE_MODEST, SAMPLE_MODEST, SAMPLE_GREATEST};

    return extents[random_below(random, 4)];
}

size_t mutate_fields(struct random *random, uint8_t *data, size_t size,
                     size_t size_max, const struct schema *schema)
{
    static uint8_t copy[MUTATE_SIZE_MAX], texts[TEXTS_SIZE];
    static union value value, sample;
    struct field_error error;
    struct writer writer;
    bool decodes;

    if (size > sizeof copy || schema->struct_size > sizeof value ||
        schema->fields_count == 0)
        return mutate_bytes(random, data, size, size_max);
    memcpy(copy, data, size);
    decodes = schema_decode(schema, &value, &error, slice_of(copy, size),
                            SCHEMA_SKIP_ODD) == ST_OK;
    if (random_below(random, decodes ? 5 : 2) == 0)
        return mutate_bytes(random, data, size, size_max);
    writer_init(&writer, texts, sizeof texts);
    schema_sample_fill(schema, &sample, &writer, any_extent(random));
    if (decodes && random_below(random, 8) != 0)
        change_value(
            random, &schema->rows()[random_below(random, schema->fields_count)],
            &value, &sample);
    else
        value = sample;
    writer_init(&writer, data, size_max);
    schema_encode(schema, &writer, &value);
    if (writer.status == ST_OK)
        return writer.used;
    memcpy(data, copy, size);
    return mutate_bytes(random, data, size, size_max);
}
