#include "protocol/completeness.h"

#include <string.h>

#include <sodium.h>

#include "protocol/tags.h"

bool completeness_names(uint64_t subject)
{
    return subject > 0 && subject <= INT64_MAX;
}

void completeness_add(struct completeness *sum, uint64_t subject,
                      const uint8_t leaf[HASH_SIZE], uint16_t item)
{
    uint8_t input[TAG_SIZE + 8 + 8 + HASH_SIZE + HASH_SIZE + 2];
    struct writer writer;

    REQUIRE(completeness_names(subject));
    INVARIANT(sum->count < INT64_MAX);
    sum->count++;
    writer_init(&writer, input, sizeof input);
    writer_bytes(&writer, tags_bytes(TAG_COMPLETE), TAG_SIZE);
    writer_u64(&writer, subject);
    writer_u64(&writer, sum->count);
    writer_bytes(&writer, sum->rolling, HASH_SIZE);
    writer_bytes(&writer, leaf, HASH_SIZE);
    writer_u16(&writer, item);
    ENSURE(writer.status == ST_OK && writer.used == sizeof input);
    crypto_hash_sha256(sum->rolling, input, sizeof input);
}

void completeness_entry(struct completeness *sum, uint64_t subject,
                        const struct entry *entry,
                        const uint8_t leaf[HASH_SIZE])
{
    struct slice rest = entry->items;
    struct item item;

    REQUIRE(completeness_names(subject));
    for (uint16_t i = 0; entry_next_item(&item, &rest); i++) {
        if (item.clear_part.subject == subject)
            completeness_add(sum, subject, leaf, i);
    }
}
