/*
 * state.h: state.db, the projection of the log (ARCHITECTURE, what rests
 * where).
 *
 * One writer, the apply thread.  Rows are structs made of tables.def; SQL text
 * is made of the same table when the database is opened and never of input.
 * Every change of a row in a STATE table enters the running digest:
 *
 *   change  = u8 1 insert, 2 update, 3 delete ‖ u16 table ‖ canonical row
 *   digest' = SHA-256(digest ‖ SHA-256(changes of the entry, in order))
 *
 * Any local failure (disk, memory, SQLite) aborts the process: it must never
 * become an outcome.  Functions here therefore return no status but "there is
 * such a row".
 */
#ifndef DEFTER_SERVER_STORE_STATE_H
#define DEFTER_SERVER_STORE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/schema.h"

#define STATE_TYPE_u8            uint8_t
#define STATE_TYPE_u16           uint16_t
#define STATE_TYPE_u32           uint32_t
#define STATE_TYPE_u64           uint64_t
#define STATE_TYPE_i32           int32_t
#define STATE_TYPE_i64           int64_t
#define STATE_TYPE_bytes8        struct bytes8
#define STATE_TYPE_bytes16       struct bytes16
#define STATE_TYPE_bytes32       struct bytes32
#define STATE_TYPE_text          struct slice
#define STATE_TYPE_blob          struct slice
#define STATE_TYPE_item          struct slice
#define STATE_MEMBER(kind, name) STATE_TYPE_##kind name;

#include "server/store/tables.def"

/* struct row_person, struct row_key, ... */
#define T(number, lower, UPPER, scope)              \
    struct row_##lower {                            \
        UPPER##_COLUMNS(STATE_MEMBER, STATE_MEMBER) \
    };
TABLE_LIST(T)
#undef T

enum table {
#define T(number, lower, UPPER, scope) TABLE_##UPPER,
    TABLE_LIST(T)
#undef T
        TABLES_COUNT
};

enum table_index {
#define I(lower, UPPER, table, TABLE, unique, ...) INDEX_##UPPER,
    INDEX_LIST(I)
#undef I
        INDEXES_COUNT
};

/* What is kept of the log's end, in the same transaction as the rows. */
struct state_head {
    uint64_t applied_size; /* Entries applied. */
    uint8_t applied_leaf[HASH_SIZE];
    uint32_t epoch;
    int64_t log_time;
    uint8_t digest[HASH_SIZE];
    uint64_t attested_size; /* Entries whose outcomes are attested. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    /* RFC 6962 frontier of the applied entries, as tree.h lays it out. */
    uint8_t frontier[TREE_HEIGHT_MAX * HASH_SIZE];
};

struct state; /* Opaque. */

/*
 * state_open(state_out, path):
 * Open or create ${path} as PROTOCOL's storage rules say (WAL, synchronous
 * NORMAL, defensive settings), create missing tables, prepare statements.
 * ":memory:" opens a database in memory, for tests.
 *
 * Returns: ST_OK; ST_DISK_FAILED; ST_FILE_FORMAT for a file that is no state of
 *          this version (it may be deleted and rebuilt).
 * Owns:    gives ${*state_out}; close with state_close.
 */
NODISCARD enum status state_open(struct state **state_out, const char *path);
void state_close(struct state *state);

/* A group of entries is one transaction; begin and commit alternate. */
void state_begin(struct state *state);
void state_commit(struct state *state);

/* The head as of the last change in this transaction. */
const struct state_head *state_head(const struct state *state);
/* Written with the next commit. */
void state_set_head(struct state *state, const struct state_head *head);

/* Row changes between these two make one step of the digest. */
void state_entry_begin(struct state *state);
void state_entry_end(struct state *state, uint8_t digest_out[HASH_SIZE]);

/* Inside an entry: undo every row change since the mark (rows and digest).
 * Marks do not nest. */
void state_mark(struct state *state);
void state_undo(struct state *state);
void state_keep(struct state *state);

/*
 * state_get(state, table, row):
 * Fill ${row}, whose key members the caller has set.
 * Returns: true; false if there is no such row, and ${row} keeps its key.
 * Owns:    slices in ${row} are lent until the next call for the same table.
 */
bool state_get(struct state *state, enum table table, void *row);

/* Requires: no row has this key / a row has this key; inside an entry, but for
 * LOCAL tables, which may be changed anywhere in a transaction. */
void state_insert(struct state *state, enum table table, const void *row);
void state_update(struct state *state, enum table table, const void *row);
void state_delete(struct state *state, enum table table, const void *row);

/*
 * A walk over a table by an index, or by the key (state_scan_key).  The first
 * ${equal} columns equal those in ${row}; if ${from}, the next column is at
 * least (descending: at most) the one in ${row}.  Ascending unless
 * ${descending}. At most one walk per index is open at a time; rows must not be
 * changed in it.
 */
struct state_scan {
    struct state *state;
    void *statement;
    uint16_t table;
};
struct state_range {
    uint8_t equal;
    bool from;
    bool descending;
};
void state_scan_open(struct state *state, struct state_scan *scan,
                     enum table_index index, const void *row,
                     struct state_range range);
void state_scan_key(struct state *state, struct state_scan *scan,
                    enum table table, const void *row,
                    struct state_range range);
bool state_scan_next(struct state_scan *scan, void *row);
void state_scan_close(struct state_scan *scan);

/* Rows in a table. */
uint64_t state_count(struct state *state, enum table table);

/* The next number of a sequence, from 1; counts it as used. */
enum sequence {
    SEQUENCE_PERSON = 1,
    SEQUENCE_ORGANISATION,
    SEQUENCE_ASSIGNMENT,
    SEQUENCE_CONSENT,
    SEQUENCE_MANDATE,
    SEQUENCE_FEED,
    SEQUENCE_CARRIER,
    SEQUENCE_CABINET,
    SEQUENCE_INCIDENT,
    SEQUENCE_DOWNTIME,
    SEQUENCE_FAILOVER,
    SEQUENCE_STANDING,
    SEQUENCE_NOTICE,
    SEQUENCE_EXTRACT,
    SEQUENCE_DESTRUCTION,
    SEQUENCE_ACCESS_SEAL
};
uint64_t state_next(struct state *state, enum sequence sequence);

/* Value of a setting, its initial value where none was entered. */
int64_t state_setting(struct state *state, uint16_t setting);

/*
 * state_full_digest(state, digest_out):
 * SHA-256 over all rows of all STATE tables in canonical order, for snapshots
 * and for comparing a rebuilt state with a live one.
 */
void state_full_digest(struct state *state, uint8_t digest_out[HASH_SIZE]);

/*
 * state_restore_row(state, table, row), state_restore_head(state, head):
 * What a snapshot holds, as it is: without a digest, which is in the head.
 *
 * Requires: inside a transaction, outside of an entry.
 * Returns:  false if a row has this key, or what is unique in it, already.
 */
bool state_restore_row(struct state *state, enum table table, const void *row);
void state_restore_head(struct state *state, const struct state_head *head);

/*
 * state_sync(state):
 * Make everything that was committed durable.
 *
 * Requires: no transaction is open.
 * Returns:  false if somebody who reads the file is in the way: try again.
 */
bool state_sync(struct state *state);

/* Checkpoint of the WAL: passive when it has grown, truncating when quiet. */
void state_checkpoint(struct state *state, bool truncate);

#endif
