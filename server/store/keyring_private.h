/*
 * keyring_private.h: what the parts of keyring.c share.
 */
#ifndef DEFTER_SERVER_STORE_KEYRING_PRIVATE_H
#define DEFTER_SERVER_STORE_KEYRING_PRIVATE_H

#include <assert.h>
#include <pthread.h>

#include <sodium.h>
#include <sqlite3.h>

#include "protocol/bytes.h"
#include "server/store/keyring.h"
#include "server/store/keyring_arena.h"
#include "server/store/keyring_map.h"

enum {
    KEYRING_AD_SIZE = 8 + 1 + 8 + CLUSTER_ID_SIZE,
    KEYRING_WRAPPED_SIZE =
        crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + KEY_SIZE + AEAD_TAG_SIZE
};
static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == SEAL_NONCE_SIZE &&
                  crypto_aead_xchacha20poly1305_ietf_ABYTES == AEAD_TAG_SIZE,
              "the layout of a wrapped key");

/* buried: a tombstone; its act stands in row.owner. */
struct keyring_staged {
    struct keyring_row row;
    bool buried;
    uint8_t wrapped[KEYRING_WRAPPED_SIZE];
};

/*
 * The lock guards the arena, the staged keys and the reader, which any thread
 * may use; the rest belongs to the owner thread.  The reader has a connection
 * of its own, so that nobody who opens a key waits for a commit's fsync.
 * Invariant: staged numbers rise.
 */
struct keyring {
    pthread_mutex_t lock;
    struct keyring_arena *arena;
    struct keyring_staged *staged;
    size_t staged_count;
    size_t staged_capacity;
    sqlite3 *reader;
    sqlite3_stmt *get;
    sqlite3_stmt *get_tombstone;
    sqlite3_stmt *next_buried;
    sqlite3_stmt *count_lost;
    sqlite3_stmt *owned_by;
    sqlite3_stmt *walk;

    pthread_t owner;
    bool owned;
    sqlite3 *writer;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *insert;
    sqlite3_stmt *erase;
    sqlite3_stmt *bury;
    sqlite3_stmt *lose;
    sqlite3_stmt *truncate;
    sqlite3_stmt *find_stray;
    sqlite3_stmt *drop_strays;
    struct keyring_map map;
    uint64_t last;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    int wal_pages;
};

/* Seal ${key} for its row under ${wrapping_key}, and open it: ST_OK or ST_SEAL.
 */
void keyring_wrap_under(uint8_t out[KEYRING_WRAPPED_SIZE],
                        const uint8_t wrapping_key[KEY_SIZE],
                        const uint8_t cluster_id[CLUSTER_ID_SIZE],
                        const struct keyring_row *row,
                        const uint8_t key[KEY_SIZE]);
NODISCARD enum status keyring_unwrap_under(
    uint8_t key_out[KEY_SIZE], const uint8_t wrapping_key[KEY_SIZE],
    const uint8_t cluster_id[CLUSTER_ID_SIZE], const struct keyring_row *row,
    struct slice wrapped);

/* The same under the keyring's own wrapping key. */
void keyring_wrap(const struct keyring *keyring,
                  uint8_t out[KEYRING_WRAPPED_SIZE],
                  const struct keyring_row *row, const uint8_t key[KEY_SIZE]);
NODISCARD enum status keyring_unwrap(const struct keyring *keyring,
                                     uint8_t key_out[KEY_SIZE],
                                     const struct keyring_row *row,
                                     struct slice wrapped);

/* What opens under no other wrapping key: zeros, wrapped for a row of zeros. */
void keyring_check_make(uint8_t out[KEYRING_WRAPPED_SIZE],
                        const uint8_t wrapping_key[KEY_SIZE],
                        const uint8_t cluster_id[CLUSTER_ID_SIZE]);
/* Returns: ST_OK; ST_SEAL. */
NODISCARD enum status keyring_check_open(
    const uint8_t wrapping_key[KEY_SIZE],
    const uint8_t cluster_id[CLUSTER_ID_SIZE], struct slice check);

/* Is this our version, our cluster, and do its rows open under this key?
 * Returns: ST_OK; ST_SEAL; ST_FILE_FORMAT; ST_DISK_FAILED. */
NODISCARD enum status keyring_head_check(
    sqlite3 *db, const uint8_t wrapping_key[KEY_SIZE],
    const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/* Bring what the WAL holds into the file; the mode is one of SQLite's.
 * Requires: the lock is held, so that no reader is in the way. */
void keyring_checkpoint(struct keyring *keyring, int mode);

/* Makes ${path}, for its owner only, unless it is there: SQLite gives its other
 * files the same mode.  Returns: ST_OK; ST_DISK_FAILED. */
NODISCARD enum status keyring_file_create(const char *path);

/* Aborts where another thread than the owner calls. */
void keyring_check_owner(const struct keyring *keyring);

/* The staged key of that number, or NULL. Requires: the lock is held. */
const struct keyring_staged *keyring_find_staged(const struct keyring *keyring,
                                                 uint64_t number);

/* A place among the staged for ${number}, whose row the caller fills.
 * Requires: the lock is held. */
struct keyring_staged *keyring_new_staged(struct keyring *keyring,
                                          uint64_t number);

/* Stage a key whose number is new here. */
void keyring_put(struct keyring *keyring, const struct keyring_row *row,
                 const uint8_t *key);

/* Read anew which owner has which key. */
void keyring_load_map(struct keyring *keyring);

/* Parameters and columns; they abort where SQLite fails. */
void keyring_bind_number(sqlite3_stmt *statement, int parameter,
                         uint64_t value);
void keyring_bind_bytes(sqlite3_stmt *statement, int parameter,
                        const uint8_t *bytes, size_t size);
struct slice keyring_bytes(sqlite3_stmt *statement, int column);

/* A statement without rows; one step of another, which the caller resets. */
void keyring_run(sqlite3_stmt *statement);
NODISCARD bool keyring_step(sqlite3_stmt *statement);

#endif
