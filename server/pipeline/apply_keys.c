/*
 * apply_keys.c: whether the keyring has every key that the state needs.
 *
 * A keyring.db that was lost, or put back from before, opens like any other:
 * only the state tells that something is missing, and nothing in a running node
 * can go on without it.
 */
#include <stdlib.h>

#include <sodium.h>

#include "replication/need.h"
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

/* The next portion of records from number ${*from} on.  Returns: ST_OK; ST_END
 * if there are no more behind it; ST_FILE_FORMAT. */
static enum status keys_next(struct keys_needed *needed, struct state *state,
                             uint64_t *from)
{
    struct row_record row = {.number = *from};
    struct state_scan scan;
    enum status status = ST_OK;
    struct item item;

    needed->count = 0;
    state_scan_key(state, &scan, TABLE_RECORD, &row,
                   (struct state_range){.from = true});
    while (status == ST_OK && needed->count < KEYS_PORTION) {
        if (!state_scan_next(&scan, &row)) {
            status = ST_END;
        } else if (item_decode(&item, row.item) != ST_OK) {
            status = ST_FILE_FORMAT;
        } else {
            needed->numbers[needed->count++] = item.seal_key;
            *from = row.number + 1;
        }
    }
    state_scan_close(&scan);
    qsort(needed->numbers, needed->count, sizeof needed->numbers[0],
          compare_numbers);
    return status;
}

/* Where the state says that a key was destroyed, it may be gone already; where
 * the keyring alone says so, the state is from before the act. */
static enum status keys_judge_one(struct state *state, struct keyring *keyring,
                                  uint64_t number)
{
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    enum status status = keyring_key(keyring, key, number);

    sodium_memzero(key, sizeof key);
    if (status == ST_OK || destroy_is_erased(state, number))
        return ST_OK;
    if (status == ST_ERASED)
        status = keyring_row(keyring, &row, number) == ST_ERASED &&
                         row.owner == KEYRING_ACT_LOST
                     ? ST_OK
                     : ST_FILE_FORMAT;
    return status;
}

static enum status keys_judge(struct apply_lacks *lacks,
                              const struct keys_needed *needed,
                              struct state *state, struct keyring *keyring)
{
    for (size_t i = 0; i < needed->count; i++) {
        uint64_t number = needed->numbers[i];
        enum status status;

        if (number == 0 || (i > 0 && number == needed->numbers[i - 1]))
            continue;
        status = keys_judge_one(state, keyring, number);
        if (status == ST_FILE_FORMAT)
            return status;
        if (status != ST_OK && (lacks->keys++ == 0 || number < lacks->first)) {
            lacks->first = number;
            lacks->status = status;
        }
    }
    return ST_OK;
}

enum status apply_check_keys(struct apply_lacks *lacks_out, struct state *state,
                             struct keyring *keyring)
{
    struct keys_needed *needed = malloc(sizeof *needed);
    enum status status = ST_OK, judged = ST_OK;
    uint64_t from = 0;

    NEED(needed != NULL);
    *lacks_out = (struct apply_lacks){.status = ST_OK};
    while (status == ST_OK && judged == ST_OK) {
        status = keys_next(needed, state, &from);
        judged = keys_judge(lacks_out, needed, state, keyring);
    }
    free(needed);
    if (status == ST_FILE_FORMAT || judged == ST_FILE_FORMAT)
        return ST_FILE_FORMAT;
    return lacks_out->status;
}
