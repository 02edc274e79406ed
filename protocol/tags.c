#include "protocol/tags.h"

#include "protocol/assumptions.h"
#include "protocol/contract.h"

#define TAGS_FITS(name, text) \
    static_assert(sizeof(text) <= TAG_SIZE + 1, text " is too long");
TAGS_LIST(TAGS_FITS)
#undef TAGS_FITS

/* Sixteen characters leave no room for C's own zero, which is not needed. */
static const union {
    char text[TAG_SIZE];
    uint8_t bytes[TAG_SIZE];
} tags[TAGS_COUNT] = {
#define TAGS_TEXT(name, literal) [TAG_##name] = {.text = literal},
    TAGS_LIST(TAGS_TEXT)
#undef TAGS_TEXT
};

const uint8_t *tags_bytes(enum tag tag)
{
    REQUIRE(tag < TAGS_COUNT);
    return tags[tag].bytes;
}
