#include "tests/lib/mutate.h"

#include <string.h>

/* libFuzzer's, where it is linked. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max)
    __attribute__((weak));

enum { RUN_SIZE_MAX = 16 };

/* Values that bounds lie at. */
static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x20, 0x30};

static size_t insert_bytes(struct random *random, uint8_t *data, size_t size,
                           size_t size_max)
{
    size_t at = random_below(random, (uint32_t)size + 1);
    size_t count = random_below(random, RUN_SIZE_MAX) + 1;

    if (count > size_max - size)
        count = size_max - size;
    memmove(data + at + count, data + at, size - at);
    for (size_t i = 0; i < count; i++)
        data[at + i] = (uint8_t)random_next(random);
    return size + count;
}

static size_t remove_bytes(struct random *random, uint8_t *data, size_t size)
{
    size_t at = random_below(random, (uint32_t)size);
    size_t count = random_below(random, RUN_SIZE_MAX) + 1;

    if (count > size - at)
        count = size - at;
    memmove(data + at, data + at + count, size - at - count);
    return size - count;
}

size_t mutate_bytes(struct random *random, uint8_t *data, size_t size,
                    size_t size_max)
{
    size_t at, from;

    REQUIRE(size_max > 0 && size <= size_max);
    if (LLVMFuzzerMutate != NULL)
        return LLVMFuzzerMutate(data, size, size_max);
    if (size == 0)
        return insert_bytes(random, data, size, size_max);
    at = random_below(random, (uint32_t)size);
    from = random_below(random, (uint32_t)size);
    switch (random_below(random, 6)) {
    case 0:
        data[at] ^= (uint8_t)(1u << random_below(random, 8));
        break;
    case 1:
        data[at] = edges[random_below(random, sizeof edges)];
        break;
    case 2:
        data[at] = (uint8_t)random_next(random);
        break;
    case 3:
        data[at] = data[from];
        break;
    case 4:
        return insert_bytes(random, data, size, size_max);
    case 5:
        return remove_bytes(random, data, size);
    }
    return size;
}

/* ---- Parts --------------------------------------------------------------- */

enum { PARTS_MAX = 64, HEAD_SIZE = 1, LENGTH_SIZE = 2 };

struct parts {
    size_t count;
    struct slice at[PARTS_MAX];
};

static void parts_split(struct parts *parts, struct slice rest)
{
    parts->count = 0;
    while (rest.size > LENGTH_SIZE && parts->count < PARTS_MAX) {
        size_t size = (size_t)load_u16(rest.data) + 1;

        if (size > rest.size - LENGTH_SIZE)
            size = rest.size - LENGTH_SIZE;
        parts->at[parts->count++] = slice_of(rest.data + LENGTH_SIZE, size);
        rest = slice_of(rest.data + LENGTH_SIZE + size,
                        rest.size - LENGTH_SIZE - size);
    }
}

static void parts_change(struct random *random, struct parts *parts, size_t at,
                         mutate_part *change, void *context)
{
    static uint8_t part[UINT16_MAX + 1];
    size_t size = parts->at[at].size;

    memcpy(part, parts->at[at].data, size);
    size = change(random, part, size, sizeof part, context);
    parts->at[at] = slice_of(part, size);
}

static size_t parts_join(const struct parts *parts, uint8_t *out, size_t size)
{
    struct writer writer;

    writer_init(&writer, out, size);
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->at[i].size == 0)
            continue;
        writer_u16(&writer, (uint16_t)(parts->at[i].size - 1));
        writer_bytes(&writer, parts->at[i].data, parts->at[i].size);
    }
    return writer.status == ST_OK ? writer.used : 0;
}

size_t mutate_parts(struct random *random, uint8_t *data, size_t size,
                    size_t size_max, mutate_part *change, void *context)
{
    static uint8_t copy[MUTATE_SIZE_MAX];
    struct parts parts;
    size_t at, joined;

    if (size < HEAD_SIZE || size > sizeof copy || random_chance(random, 60))
        return mutate_bytes(random, data, size, size_max);
    memcpy(copy, data, size);
    parts_split(&parts, slice_of(copy + HEAD_SIZE, size - HEAD_SIZE));
    if (parts.count == 0)
        parts.at[parts.count++] = slice_of(copy, 0);
    at = random_below(random, (uint32_t)parts.count);
    switch (random_below(random, 10)) {
    case 0: /* Doubled, or taken out. */
        if (parts.count < PARTS_MAX)
            parts.at[parts.count++] = parts.at[at];
        break;
    case 1:
        parts.at[at] = parts.at[--parts.count];
        break;
    case 2: /* In two, as a sender may like it. */
        if (parts.count < PARTS_MAX && parts.at[at].size > 1) {
            size_t half = parts.at[at].size / 2;

            memmove(parts.at + at + 1, parts.at + at,
                    (parts.count - at) * sizeof parts.at[0]);
            parts.count++;
            parts.at[at].size = half;
            parts.at[at + 1].data += half;
            parts.at[at + 1].size -= half;
        }
        break;
    default:
        parts_change(random, &parts, at, change, context);
        break;
    }
    joined = parts_join(&parts, data + HEAD_SIZE, size_max - HEAD_SIZE);
    if (joined > 0)
        return HEAD_SIZE + joined;
    memcpy(data, copy, size);
    return mutate_bytes(random, data, size, size_max);
}
