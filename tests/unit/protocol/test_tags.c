#include "protocol/tags.h"

#include <stdbool.h>
#include <string.h>

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

START_TEST(tags_are_padded_with_zeros_to_sixteen_bytes)
{
    hex_expect(tags_bytes(TAG_COMMAND), TAG_SIZE,
               "444654312f636f6d6d616e6400000000");
    hex_expect(tags_bytes(TAG_STATEMENT), TAG_SIZE,
               "444654312f73746174656d656e740000");
    for (unsigned tag = 0; tag < TAGS_COUNT; tag++) {
        const uint8_t *bytes = tags_bytes((enum tag)tag);
        bool ended = false;

        ck_assert_mem_eq(bytes, "DFT1/", 5);
        for (size_t i = 5; i < TAG_SIZE; i++) {
            ended = ended || bytes[i] == 0;
            ck_assert(ended ? bytes[i] == 0
                            : bytes[i] >= 'a' && bytes[i] <= 'z');
        }
    }
}
END_TEST

START_TEST(tags_are_distinct_and_none_begins_another)
{
    for (unsigned a = 0; a < TAGS_COUNT; a++) {
        for (unsigned b = 0; b < TAGS_COUNT; b++) {
            const uint8_t *one = tags_bytes((enum tag)a);
            const uint8_t *other = tags_bytes((enum tag)b);
            size_t size = 0;

            if (a == b)
                continue;
            ck_assert_mem_ne(one, other, TAG_SIZE);
            while (size < TAG_SIZE && one[size] != 0)
                size++;
            ck_assert_mem_ne(one, other, size);
        }
    }
}
END_TEST

SUITE_MAIN("tags", tags_are_padded_with_zeros_to_sixteen_bytes,
           tags_are_distinct_and_none_begins_another)
