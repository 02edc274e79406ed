/*
 * state_private.h: what the parts of state.c share.
 */
#ifndef DEFTER_SERVER_STORE_STATE_PRIVATE_H
#define DEFTER_SERVER_STORE_STATE_PRIVATE_H

#include <sodium.h>
#include <sqlite3.h>

#include "protocol/catalogue.h"
#include "server/store/layout.h"
#include "server/store/statements.h"

enum {
    STATE_VERSION = 2,
    STATE_SHAPES_COUNT = (LAYOUT_INDEX_COLUMNS_MAX + 1) * 4,
    STATE_COUNT_UNKNOWN = -1
};

/* What is done to a row, as it stands in the digest. */
enum state_change { CHANGE_INSERT = 1, CHANGE_UPDATE, CHANGE_DELETE };

/* Statements of one table.  lent: copies of the texts and blobs of the row that
 * state_get gave last. */
struct state_table {
    sqlite3_stmt *get;
    sqlite3_stmt *insert;
    sqlite3_stmt *update;
    sqlite3_stmt *delete;
    int64_t count; /* STATE_COUNT_UNKNOWN until someone asks. */
    uint8_t *lent;
    size_t lent_size;
};

#define SETTING_COUNTS(number, name, initial, lo, hi, text) +1
enum { SETTINGS_COUNT = 0 SETTING_LIST(SETTING_COUNTS) };

/*
 * Invariants: in_entry only in_transaction; marked only in_entry;
 * marked_changes is what changes was at the mark.
 */
struct state {
    sqlite3 *db;
    struct state_head head;
    bool in_transaction;
    bool in_entry;
    bool marked;
    crypto_hash_sha256_state changes; /* Of the entry so far. */
    crypto_hash_sha256_state marked_changes;
    struct state_table tables[TABLES_COUNT];
    /* By key of each table, then by each index; prepared when first asked. */
    sqlite3_stmt *walks[TABLES_COUNT + INDEXES_COUNT][STATE_SHAPES_COUNT];
    struct layout_index indexes[INDEXES_COUNT];
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *mark;
    sqlite3_stmt *undo;
    sqlite3_stmt *keep;
    sqlite3_stmt *put_head;
    bool settings_known[SETTINGS_COUNT];
    int64_t settings[SETTINGS_COUNT];
    int wal_pages; /* In the WAL at the last commit. */
};

/* Add a change of a row to the entry's changes; a deletion adds its key. */
void state_digest_change(crypto_hash_sha256_state *changes,
                         enum state_change change, const struct layout_table *t,
                         const void *row);

/* Bytes of the head in its row. */
enum {
    STATE_HEAD_SIZE = 8 + HASH_SIZE + 4 + 8 + HASH_SIZE + 8 + CLUSTER_ID_SIZE +
                      TREE_HEIGHT_MAX * HASH_SIZE
};
void state_head_encode(uint8_t out[STATE_HEAD_SIZE],
                       const struct state_head *head);
NODISCARD enum status state_head_decode(struct state_head *head,
                                        struct slice bytes);

#endif
