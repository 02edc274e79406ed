#include "server/store/keyring_rows.h"

#include <string.h>

#include "server/store/keyring_private.h"
#include "server/store/statements.h"

static void write_row(uint8_t out[KEYRING_ROW_SIZE],
                      const struct keyring_row *row,
                      const uint8_t key[KEY_SIZE])
{
    store_u64(out, row->number);
    store_u64(out + 8, row->owner);
    store_u64(out + 16, row->first_index);
    out[24] = (uint8_t)row->class;
    memcpy(out + 25, key, KEY_SIZE);
}

/* Requires: the lock is held; the walk stands on a row. */
static void read_walk(struct keyring *keyring, uint8_t out[KEYRING_ROW_SIZE],
                      struct keyring_cursor *cursor)
{
    struct keyring_row row = {
        .number = (uint64_t)sqlite3_column_int64(keyring->walk, 0),
        .class = (enum keyring_class)sqlite3_column_int(keyring->walk, 1),
        .owner = (uint64_t)sqlite3_column_int64(keyring->walk, 2),
        .first_index = (uint64_t)sqlite3_column_int64(keyring->walk, 3),
    };
    uint8_t key[KEY_SIZE] = {0};

    if (row.class != KEYRING_TOMBSTONE &&
        keyring_unwrap(keyring, key, &row, keyring_bytes(keyring->walk, 4)) !=
            ST_OK)
        statements_failed(keyring->reader, "a key does not open");
    write_row(out, &row, key);
    sodium_memzero(key, sizeof key);
    cursor->first_index = row.first_index;
    cursor->number = row.number + 1;
}

size_t keyring_rows_next(struct keyring *keyring, uint8_t *out, size_t size,
                         struct keyring_cursor *cursor, uint64_t end)
{
    size_t used = 0;

    REQUIRE(size >= KEYRING_ROW_SIZE);
    if (cursor->first_index >= end || cursor->first_index > INT64_MAX ||
        cursor->number > INT64_MAX)
        return 0;
    pthread_mutex_lock(&keyring->lock);
    keyring_bind_number(keyring->walk, 1, cursor->first_index);
    keyring_bind_number(keyring->walk, 2, cursor->number);
    keyring_bind_number(keyring->walk, 3, end > INT64_MAX ? INT64_MAX : end);
    while (size - used >= KEYRING_ROW_SIZE && keyring_step(keyring->walk)) {
        read_walk(keyring, out + used, cursor);
        used += KEYRING_ROW_SIZE;
    }
    sqlite3_reset(keyring->walk);
    pthread_mutex_unlock(&keyring->lock);
    return used;
}

enum status keyring_rows_take(struct keyring_row *row_out,
                              uint8_t key_out[KEY_SIZE], struct slice *rows)
{
    const uint8_t *at = rows->data;

    if (rows->size == 0)
        return ST_END;
    if (rows->size < KEYRING_ROW_SIZE || at[24] > KEYRING_CLUSTER)
        return ST_BAD_FIELD;
    *row_out = (struct keyring_row){
        .number = load_u64(at),
        .owner = load_u64(at + 8),
        .first_index = load_u64(at + 16),
        .class = (enum keyring_class)at[24],
    };
    if (row_out->number == 0 || row_out->number > INT64_MAX ||
        row_out->owner > INT64_MAX || row_out->first_index > INT64_MAX ||
        (row_out->class == KEYRING_TOMBSTONE &&
         sodium_is_zero(at + 25, KEY_SIZE) == 0))
        return ST_BAD_FIELD;
    memcpy(key_out, at + 25, KEY_SIZE);
    *rows = slice_of(at + KEYRING_ROW_SIZE, rows->size - KEYRING_ROW_SIZE);
    return ST_OK;
}

/* ---- Keys that another node made ----------------------------------------- */

/* ST_KEY_MISSING: the number is new here. */
static enum status compare(struct keyring *keyring,
                           const struct keyring_row *row, const uint8_t *key)
{
    const struct keyring_staged *staged;
    struct keyring_row known = *row;
    uint8_t own[KEY_SIZE];
    enum status status = keyring_key(keyring, own, row->number);

    if (status == ST_ERASED)
        return ST_OK;
    /* A key that is here goes when this node comes to the act. */
    if (row->class == KEYRING_TOMBSTONE && status == ST_OK) {
        sodium_memzero(own, sizeof own);
        return ST_OK;
    }
    if (status != ST_OK)
        return status;
    pthread_mutex_lock(&keyring->lock);
    staged = keyring_find_staged(keyring, row->number);
    if (staged != NULL) {
        known = staged->row;
    } else {
        keyring_bind_number(keyring->get, 1, row->number);
        if (keyring_step(keyring->get)) {
            known.class =
                (enum keyring_class)sqlite3_column_int(keyring->get, 0);
            known.owner = (uint64_t)sqlite3_column_int64(keyring->get, 1);
        }
        sqlite3_reset(keyring->get);
    }
    pthread_mutex_unlock(&keyring->lock);
    if (sodium_memcmp(own, key, KEY_SIZE) != 0 || known.class != row->class ||
        known.owner != row->owner)
        status = ST_DIVERGED;
    sodium_memzero(own, sizeof own);
    return status;
}

static void put_tombstone(struct keyring *keyring,
                          const struct keyring_row *row)
{
    struct keyring_staged *staged;

    pthread_mutex_lock(&keyring->lock);
    staged = keyring_new_staged(keyring, row->number);
    memset(staged, 0, sizeof *staged);
    staged->row = *row;
    staged->buried = true;
    pthread_mutex_unlock(&keyring->lock);
    if (row->number > keyring->last)
        keyring->last = row->number;
}

enum status keyring_accept(struct keyring *keyring,
                           const struct keyring_row *row,
                           const uint8_t key[KEY_SIZE])
{
    enum status status;

    keyring_check_owner(keyring);
    REQUIRE(row->number > 0 && row->number <= INT64_MAX);
    REQUIRE(row->owner <= INT64_MAX && row->first_index <= INT64_MAX);
    status = compare(keyring, row, key);
    if (status != ST_KEY_MISSING)
        return status;
    if (row->class == KEYRING_TOMBSTONE)
        put_tombstone(keyring, row);
    else
        keyring_put(keyring, row, key);
    return ST_OK;
}
