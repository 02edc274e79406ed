#include <string.h>

#include "server/pipeline/directory_map.h"
#include "tests/lib/random.h"
#include "tests/lib/suite.h"

enum { KEY = 8, KEYS = 3000, ROUNDS = 60000 };

struct value {
    uint8_t key[KEY];
    uint32_t number;
};

static struct directory_map map;
static uint32_t expected[KEYS]; /* 0: not there. */

static struct value value_of(uint32_t which, uint32_t number)
{
    struct value value = {.number = number};

    memcpy(value.key, &which, sizeof which);
    return value;
}

static void is_as_expected(void)
{
    size_t used = 0;

    for (uint32_t i = 0; i < KEYS; i++) {
        struct value key = value_of(i, 0);
        const struct value *found = directory_map_find(&map, key.key);

        ck_assert_int_eq(found != NULL, expected[i] != 0);
        used += expected[i] != 0;
        if (found != NULL)
            ck_assert_uint_eq(found->number, expected[i]);
    }
    ck_assert_uint_eq(map.used, used);
}

/* Whatever order they come and go in, and whoever shares their place. */
START_TEST(what_is_removed_is_gone_and_nothing_else)
{
    struct random random = {7};

    ck_assert_int_ge(sodium_init(), 0);
    directory_map_init(&map, KEY, sizeof(struct value));
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        uint32_t which = (uint32_t)random_below(&random, KEYS);
        struct value value = value_of(which, i);

        if (random_below(&random, 2) == 0) {
            directory_map_put(&map, value.key, &value);
            expected[which] = i;
        } else {
            directory_map_remove(&map, value.key);
            expected[which] = 0;
        }
        if (i % (ROUNDS / 20) == 0)
            is_as_expected();
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        struct value value = value_of(i, 0);

        directory_map_remove(&map, value.key);
        expected[i] = 0;
    }
    is_as_expected();
    directory_map_wipe(&map);
}
END_TEST

SUITE_MAIN("directory map", what_is_removed_is_gone_and_nothing_else)
