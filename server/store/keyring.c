#include "server/store/keyring_private.h"

#include <stdlib.h>
#include <string.h>

#include "server/store/database.h"
#include "server/store/statements.h"

void keyring_checkpoint(struct keyring *keyring, int mode)
{
    int code =
        sqlite3_wal_checkpoint_v2(keyring->writer, NULL, mode, NULL, NULL);

    if (code != SQLITE_OK)
        statements_failed(keyring->writer, "checkpoint of the keyring");
    keyring->wal_pages = 0;
}

uint64_t keyring_person(const uint8_t key_id[KEY_ID_SIZE])
{
    return load_u64(key_id) & INT64_MAX;
}

/* ---- The owner thread ---------------------------------------------------- */

void keyring_check_owner(const struct keyring *keyring)
{
    REQUIRE(!keyring->owned || pthread_equal(keyring->owner, pthread_self()));
}

void keyring_take(struct keyring *keyring)
{
    REQUIRE(!keyring->owned);
    keyring->owner = pthread_self();
    keyring->owned = true;
}

void keyring_leave(struct keyring *keyring)
{
    REQUIRE(keyring->owned && keyring->staged_count == 0);
    keyring_check_owner(keyring);
    keyring->owned = false;
}

uint64_t keyring_last(const struct keyring *keyring)
{
    keyring_check_owner(keyring);
    return keyring->last;
}

uint64_t keyring_end(struct keyring *keyring)
{
    sqlite3_stmt *statement = statements_prepare(
        keyring->writer, "SELECT max(\"first_index\") + 1 FROM \"key\"");
    uint64_t end = 0;

    keyring_check_owner(keyring);
    /* Without rows the greatest is NULL, which reads as 0. */
    if (keyring_step(statement))
        end = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return end;
}

uint64_t keyring_find(const struct keyring *keyring, enum keyring_class class,
                      uint64_t owner)
{
    keyring_check_owner(keyring);
    return keyring_map_find(&keyring->map, (uint8_t) class, owner);
}

/* A place among the staged, whose numbers rise. */
struct keyring_staged *keyring_new_staged(struct keyring *keyring,
                                          uint64_t number)
{
    struct keyring_staged *larger;
    size_t at = keyring->staged_count;

    if (keyring->staged_count == keyring->staged_capacity) {
        keyring->staged_capacity = 2 * keyring->staged_capacity + ITEMS_MAX;
        larger =
            realloc(keyring->staged, keyring->staged_capacity * sizeof *larger);
        if (larger == NULL)
            statements_failed(NULL, "staged keys");
        keyring->staged = larger;
    }
    while (at > 0 && keyring->staged[at - 1].row.number > number) {
        keyring->staged[at] = keyring->staged[at - 1];
        at--;
    }
    keyring->staged_count++;
    return &keyring->staged[at];
}

void keyring_put(struct keyring *keyring, const struct keyring_row *row,
                 const uint8_t *key)
{
    struct keyring_staged *staged;

    pthread_mutex_lock(&keyring->lock);
    staged = keyring_new_staged(keyring, row->number);
    staged->row = *row;
    staged->buried = false;
    keyring_wrap(keyring, staged->wrapped, row, key);
    keyring_arena_put(keyring->arena, row->number, key);
    pthread_mutex_unlock(&keyring->lock);
    keyring_map_add(&keyring->map, (uint8_t)row->class, row->owner,
                    row->number);
    if (row->number > keyring->last)
        keyring->last = row->number;
}

void keyring_stage(struct keyring *keyring, const struct keyring_row *row,
                   const uint8_t *key)
{
    uint8_t bytes[KEY_SIZE];

    keyring_check_owner(keyring);
    REQUIRE(row->number > keyring->last && row->number <= INT64_MAX);
    REQUIRE(row->owner <= INT64_MAX && row->first_index <= INT64_MAX);
    REQUIRE(row->class == KEYRING_CREDENTIAL ||
            keyring_find(keyring, row->class, row->owner) == 0);
    if (key == NULL)
        randombytes_buf(bytes, sizeof bytes);
    else
        memcpy(bytes, key, sizeof bytes);
    keyring_put(keyring, row, bytes);
    sodium_memzero(bytes, sizeof bytes);
}

size_t keyring_staged(const struct keyring *keyring)
{
    return keyring->staged_count;
}

static void commit_tombstone(struct keyring *keyring, uint64_t number,
                             uint64_t act, uint64_t first_index)
{
    keyring_bind_number(keyring->bury, 1, number);
    keyring_bind_number(keyring->bury, 2, act);
    keyring_bind_number(keyring->bury, 3, first_index);
    keyring_run(keyring->bury);
}

static void commit_key(struct keyring *keyring,
                       const struct keyring_staged *staged)
{
    keyring_bind_number(keyring->insert, 1, staged->row.number);
    keyring_bind_number(keyring->insert, 2, staged->row.class);
    keyring_bind_number(keyring->insert, 3, staged->row.owner);
    keyring_bind_number(keyring->insert, 4, staged->row.first_index);
    keyring_bind_bytes(keyring->insert, 5, staged->wrapped,
                       KEYRING_WRAPPED_SIZE);
    keyring_run(keyring->insert);
}

void keyring_commit(struct keyring *keyring)
{
    keyring_check_owner(keyring);
    if (keyring->staged_count == 0)
        return;
    keyring_run(keyring->begin);
    for (size_t i = 0; i < keyring->staged_count; i++) {
        const struct keyring_staged *staged = &keyring->staged[i];

        if (staged->buried)
            commit_tombstone(keyring, staged->row.number, staged->row.owner,
                             staged->row.first_index);
        else
            commit_key(keyring, staged);
    }
    keyring_run(keyring->commit);
    pthread_mutex_lock(&keyring->lock);
    keyring->staged_count = 0;
    if (keyring->wal_pages >= DATABASE_WAL_PAGES_MAX)
        keyring_checkpoint(keyring, SQLITE_CHECKPOINT_PASSIVE);
    pthread_mutex_unlock(&keyring->lock);
}

void keyring_discard(struct keyring *keyring)
{
    keyring_check_owner(keyring);
    pthread_mutex_lock(&keyring->lock);
    for (size_t i = 0; i < keyring->staged_count; i++) {
        const struct keyring_row *row = &keyring->staged[i].row;

        if (keyring->staged[i].buried)
            continue;
        keyring_map_remove(&keyring->map, (uint8_t)row->class, row->owner,
                           row->number);
        keyring_arena_drop(keyring->arena, row->number);
    }
    keyring->staged_count = 0;
    pthread_mutex_unlock(&keyring->lock);
}

/* Delete rows, and forget what stood in them. */
static void delete_rows(struct keyring *keyring, sqlite3_stmt *statement)
{
    keyring_run(keyring->begin);
    keyring_run(statement);
    keyring_run(keyring->commit);
    pthread_mutex_lock(&keyring->lock);
    keyring_arena_drop_all(keyring->arena);
    keyring_checkpoint(keyring, SQLITE_CHECKPOINT_TRUNCATE);
    pthread_mutex_unlock(&keyring->lock);
    keyring_map_wipe(&keyring->map);
    keyring_map_init(&keyring->map);
    keyring_load_map(keyring);
}

void keyring_truncate(struct keyring *keyring, uint64_t index)
{
    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    keyring_bind_number(keyring->truncate, 1, index);
    delete_rows(keyring, keyring->truncate);
}

static void bind_range(sqlite3_stmt *statement, uint64_t first, uint64_t last,
                       uint32_t epoch)
{
    keyring_bind_number(statement, 1, first);
    keyring_bind_number(statement, 2, last);
    keyring_bind_number(statement, 3, epoch);
}

void keyring_drop_strays(struct keyring *keyring, uint64_t first, uint64_t last,
                         uint32_t epoch)
{
    bool found;

    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    bind_range(keyring->find_stray, first, last, epoch);
    found = keyring_step(keyring->find_stray);
    sqlite3_reset(keyring->find_stray);
    if (!found)
        return;
    bind_range(keyring->drop_strays, first, last, epoch);
    delete_rows(keyring, keyring->drop_strays);
}

/* What nobody used has no place among the entries, and is told to nobody. */
static void bury_one(struct keyring *keyring, uint64_t number, uint64_t act)
{
    uint64_t first_index = INT64_MAX;

    keyring_bind_number(keyring->erase, 1, number);
    while (keyring_step(keyring->erase)) {
        keyring_map_remove(
            &keyring->map, (uint8_t)sqlite3_column_int64(keyring->erase, 0),
            (uint64_t)sqlite3_column_int64(keyring->erase, 1), number);
        first_index = (uint64_t)sqlite3_column_int64(keyring->erase, 2);
    }
    sqlite3_reset(keyring->erase);
    commit_tombstone(keyring, number, act, first_index);
    keyring->last = number > keyring->last ? number : keyring->last;
}

void keyring_bury(struct keyring *keyring, const uint64_t *numbers,
                  size_t count, uint64_t act)
{
    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    keyring_run(keyring->begin);
    for (size_t i = 0; i < count; i++)
        bury_one(keyring, numbers[i], act);
    keyring_run(keyring->commit);
    pthread_mutex_lock(&keyring->lock);
    for (size_t i = 0; i < count; i++)
        keyring_arena_drop(keyring->arena, numbers[i]);
    /* The WAL still holds the page as it was; SECURE_DELETE cleans the file. */
    keyring_checkpoint(keyring, SQLITE_CHECKPOINT_TRUNCATE);
    pthread_mutex_unlock(&keyring->lock);
}

void keyring_lose_acts(struct keyring *keyring, uint64_t size)
{
    keyring_check_owner(keyring);
    REQUIRE(keyring->staged_count == 0);
    keyring_run(keyring->begin);
    keyring_bind_number(keyring->lose, 1, KEYRING_ACT_LOST);
    keyring_bind_number(keyring->lose, 2, size);
    keyring_run(keyring->lose);
    keyring_run(keyring->commit);
}

/* ---- Any thread ---------------------------------------------------------- */

uint64_t keyring_acts_lost(struct keyring *keyring)
{
    uint64_t count = 0;

    pthread_mutex_lock(&keyring->lock);
    keyring_bind_number(keyring->count_lost, 1, KEYRING_ACT_LOST);
    if (keyring_step(keyring->count_lost))
        count = (uint64_t)sqlite3_column_int64(keyring->count_lost, 0);
    sqlite3_reset(keyring->count_lost);
    pthread_mutex_unlock(&keyring->lock);
    return count;
}

const struct keyring_staged *keyring_find_staged(const struct keyring *keyring,
                                                 uint64_t number)
{
    size_t low = 0, high = keyring->staged_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keyring->staged[middle].row.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < keyring->staged_count &&
                   keyring->staged[low].row.number == number
               ? &keyring->staged[low]
               : NULL;
}

static enum status read_key(struct keyring *keyring, uint8_t key_out[KEY_SIZE],
                            uint64_t number)
{
    enum status status = ST_KEY_MISSING;

    keyring_bind_number(keyring->get, 1, number);
    if (keyring_step(keyring->get)) {
        struct keyring_row row = {
            .number = number,
            .class = (enum keyring_class)sqlite3_column_int(keyring->get, 0),
            .owner = (uint64_t)sqlite3_column_int64(keyring->get, 1)};
        status = keyring_unwrap(keyring, key_out, &row,
                                keyring_bytes(keyring->get, 3));
    }
    sqlite3_reset(keyring->get);
    if (status != ST_KEY_MISSING)
        return status;
    keyring_bind_number(keyring->get_tombstone, 1, number);
    if (keyring_step(keyring->get_tombstone))
        status = ST_ERASED;
    sqlite3_reset(keyring->get_tombstone);
    return status;
}

bool keyring_next_buried(struct keyring *keyring, uint64_t *number,
                         uint64_t *act_out)
{
    bool found;

    pthread_mutex_lock(&keyring->lock);
    keyring_bind_number(keyring->next_buried, 1, *number);
    found = keyring_step(keyring->next_buried);
    if (found) {
        *number = (uint64_t)sqlite3_column_int64(keyring->next_buried, 0);
        *act_out = (uint64_t)sqlite3_column_int64(keyring->next_buried, 1);
    }
    sqlite3_reset(keyring->next_buried);
    pthread_mutex_unlock(&keyring->lock);
    return found;
}

enum status keyring_key(struct keyring *keyring, uint8_t key_out[KEY_SIZE],
                        uint64_t number)
{
    enum status status = ST_OK;
    const struct keyring_staged *staged;

    if (number == 0 || number > INT64_MAX)
        return ST_KEY_MISSING;
    pthread_mutex_lock(&keyring->lock);
    if (!keyring_arena_get(keyring->arena, key_out, number)) {
        staged = keyring_find_staged(keyring, number);
        if (staged != NULL && staged->buried)
            status = ST_ERASED;
        else if (staged != NULL)
            status =
                keyring_unwrap(keyring, key_out, &staged->row,
                               slice_of(staged->wrapped, KEYRING_WRAPPED_SIZE));
        else
            status = read_key(keyring, key_out, number);
        if (status == ST_OK)
            keyring_arena_put(keyring->arena, number, key_out);
    }
    pthread_mutex_unlock(&keyring->lock);
    return status;
}

size_t keyring_owned(struct keyring *keyring, uint64_t *numbers_out,
                     size_t numbers_max, enum keyring_class class,
                     uint64_t owner, uint64_t after)
{
    size_t count = 0;

    pthread_mutex_lock(&keyring->lock);
    keyring_bind_number(keyring->owned_by, 1, class);
    keyring_bind_number(keyring->owned_by, 2, owner);
    keyring_bind_number(keyring->owned_by, 3, after);
    while (count < numbers_max && keyring_step(keyring->owned_by))
        numbers_out[count++] =
            (uint64_t)sqlite3_column_int64(keyring->owned_by, 0);
    sqlite3_reset(keyring->owned_by);
    pthread_mutex_unlock(&keyring->lock);
    return count;
}

bool keyring_has_room(struct keyring *keyring, enum keyring_class class,
                      uint64_t owner, size_t more, size_t max)
{
    size_t count = more;

    keyring_check_owner(keyring);
    for (size_t i = 0; i < keyring->staged_count; i++) {
        const struct keyring_row *row = &keyring->staged[i].row;

        if (row->class == class && row->owner == owner)
            count++;
    }
    pthread_mutex_lock(&keyring->lock);
    keyring_bind_number(keyring->owned_by, 1, class);
    keyring_bind_number(keyring->owned_by, 2, owner);
    keyring_bind_number(keyring->owned_by, 3, 0);
    while (count <= max && keyring_step(keyring->owned_by))
        count++;
    sqlite3_reset(keyring->owned_by);
    pthread_mutex_unlock(&keyring->lock);
    return count <= max;
}

/* Requires: the lock is held. */
static enum status read_tombstone(struct keyring *keyring,
                                  struct keyring_row *row_out, uint64_t number)
{
    enum status status = ST_KEY_MISSING;

    keyring_bind_number(keyring->get_tombstone, 1, number);
    if (keyring_step(keyring->get_tombstone)) {
        *row_out = (struct keyring_row){
            .number = number,
            .class = KEYRING_TOMBSTONE,
            .owner = (uint64_t)sqlite3_column_int64(keyring->get_tombstone, 0)};
        status = ST_ERASED;
    }
    sqlite3_reset(keyring->get_tombstone);
    return status;
}

enum status keyring_row(struct keyring *keyring, struct keyring_row *row_out,
                        uint64_t number)
{
    enum status status = ST_KEY_MISSING;

    REQUIRE(number > 0 && number <= INT64_MAX);
    pthread_mutex_lock(&keyring->lock);
    keyring_bind_number(keyring->get, 1, number);
    if (keyring_step(keyring->get)) {
        *row_out = (struct keyring_row){
            .number = number,
            .class = (enum keyring_class)sqlite3_column_int(keyring->get, 0),
            .owner = (uint64_t)sqlite3_column_int64(keyring->get, 1),
            .first_index = (uint64_t)sqlite3_column_int64(keyring->get, 2)};
        status = ST_OK;
    }
    sqlite3_reset(keyring->get);
    if (status != ST_OK)
        status = read_tombstone(keyring, row_out, number);
    pthread_mutex_unlock(&keyring->lock);
    return status;
}
