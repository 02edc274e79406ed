/*
 * apply_keys.c: whether the keyring has every key that the state needs.
 *
 * A keyring.db that was lost, or put back from before, opens like any other:
 * only the state tells that something is missing, and nothing in a running node
 * can go on without it.
 */
#include <stdlib.h>

#include <sodium.h>

#include "server/pipeline/apply_private.h"
#include "server/registry/destroy.h"

/* A subject's rows have one key: so many are looked at together, and each key
 * once. */
enum { KEYS_PORTION = 65536 };

struct keys_needed {
    uint64_t numbers[KEYS_PORTION];
    size_t count;
};

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

/* The next portion of records from number ${*from} on; false at the end. */
static bool keys_next(struct keys_needed *needed, struct state *state,
                      uint64_t *from)
{
    struct row_record row = {.number = *from};
    struct state_scan scan;
    struct item item;
    bool found = true;

    needed->count = 0;
    state_scan_key(state, &scan, TABLE_RECORD, &row,
                   (struct state_range){.from = true});
    while (needed->count < KEYS_PORTION &&
           (found = state_scan_next(&scan, &row))) {
        enum status status = item_decode(&item, row.item);

        INVARIANT(status == ST_OK);
        needed->numbers[needed->count++] = item.seal_key;
        *from = row.number + 1;
    }
    state_scan_close(&scan);
    qsort(needed->numbers, needed->count, sizeof needed->numbers[0],
          compare_numbers);
    return found;
}

/* Where the state says that a key was destroyed, it may be gone already. */
static void keys_judge(struct apply_lacks *lacks,
                       const struct keys_needed *needed, struct state *state,
                       struct keyring *keyring)
{
    uint8_t key[KEY_SIZE];

    for (size_t i = 0; i < needed->count; i++) {
        uint64_t number = needed->numbers[i];
        enum status status;

        if (number == 0 || (i > 0 && number == needed->numbers[i - 1]))
            continue;
        status = keyring_key(keyring, key, number);
        if (status == ST_OK || status == ST_ERASED ||
            destroy_is_erased(state, number))
            continue;
        if (lacks->keys++ == 0 || number < lacks->first) {
            lacks->first = number;
            lacks->status = status;
        }
    }
    sodium_memzero(key, sizeof key);
}

bool apply_lacks_keys(struct apply_lacks *lacks_out, struct state *state,
                      struct keyring *keyring)
{
    struct keys_needed *needed = malloc(sizeof *needed);
    uint64_t from = 0;
    bool more = true;

    INVARIANT(needed != NULL);
    *lacks_out = (struct apply_lacks){.status = ST_OK};
    while (more) {
        more = keys_next(needed, state, &from);
        keys_judge(lacks_out, needed, state, keyring);
    }
    free(needed);
    return lacks_out->keys > 0;
}
