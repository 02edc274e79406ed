/*
 * keyring_rows.h: keys on their way to other nodes (REPLICATION, KEYS frames).
 *
 *   row = u64 number ‖ u64 owner ‖ u64 first_index ‖ u8 class ‖ key[32]
 *
 * A key that an act destroyed travels as its tombstone: class 0, the act's
 * index for the owner, and zeros for the key.
 *
 * The key is plain: rows leave only through an encrypted link to a node of the
 * cluster, which wraps it under a key of its own.
 */
#ifndef DEFTER_SERVER_STORE_KEYRING_ROWS_H
#define DEFTER_SERVER_STORE_KEYRING_ROWS_H

#include "protocol/bytes.h"
#include "server/store/keyring.h"

enum { KEYRING_ROW_SIZE = 8 + 8 + 8 + 1 + KEY_SIZE };

/* The next row to give out; begins as {first index, 0}. */
struct keyring_cursor {
    uint64_t first_index;
    uint64_t number;
};

/*
 * keyring_rows_next(keyring, out, size, cursor, end):
 * Write as many committed rows as ${out} holds, whole, in the order of first
 * index and number, of keys first used below ${end}.  Any thread.
 *
 * Requires: size >= KEYRING_ROW_SIZE.
 * Returns:  the bytes written, 0 when there are no more rows; the caller wipes
 *           them.  A row that does not open aborts: the file is damaged.
 */
size_t keyring_rows_next(struct keyring *keyring, uint8_t *out, size_t size,
                         struct keyring_cursor *cursor, uint64_t end);

/*
 * keyring_rows_take(row_out, key_out, rows):
 * Read the first of ${rows}, which came from another node, and step behind it.
 *
 * Returns: ST_OK; ST_END if there are no more; ST_BAD_FIELD for a part of a
 *          row, or a class or a number that no row has.
 */
NODISCARD enum status keyring_rows_take(struct keyring_row *row_out,
                                        uint8_t key_out[KEY_SIZE],
                                        struct slice *rows);

/*
 * keyring_accept(keyring, row, key):
 * Stage a key that another node made; the owner thread.  Numbers need not rise:
 * a keyring that lacks old keys is repaired so.
 *
 * Returns: ST_OK, also if the same key stands here already or was destroyed by
 *          an act; ST_DIVERGED if its number stands here with other bytes or
 *          for somebody else; ST_SEAL if the row here does not open.
 */
NODISCARD enum status keyring_accept(struct keyring *keyring,
                                     const struct keyring_row *row,
                                     const uint8_t key[KEY_SIZE]);

#endif
