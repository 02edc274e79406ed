/*
 * receipt_store.h: receipts a client keeps: what the server acknowledged can be
 * proved to it later.
 *
 * The file is a sequence of records of 392 bytes: receipt[144], signature[64],
 * node certificate[184]; each verified before it was written.
 */
#ifndef DEFTER_CLIENT_RECEIPT_STORE_H
#define DEFTER_CLIENT_RECEIPT_STORE_H

#include "protocol/limits.h"
#include "protocol/receipt.h"

enum {
    RECEIPT_STORE_RECORD_SIZE = RECEIPT_SIZE + SIGNATURE_SIZE + NODECERT_SIZE
};

struct receipt_store;

/*
 * receipt_store_open(store_out, path):
 * Opens or makes ${path}, mode 0600.  A torn last record is cut off; a file
 * that holds something else is never changed.
 *
 * Returns: ST_OK; ST_FILE_FORMAT if something else than receipts is in it;
 *          ST_FILE_MODE if it is a link, no plain file, or may not be written;
 *          ST_DISK_FULL; ST_DISK_FAILED; ST_EXHAUSTED.
 */
NODISCARD enum status receipt_store_open(struct receipt_store **store_out,
                                         const char *path);
void receipt_store_close(struct receipt_store *store);

/* Returns: ST_OK; ST_DISK_FULL or ST_DISK_FAILED, and nothing of this one is in
 * the way of the next. */
NODISCARD enum status receipt_store_add(struct receipt_store *store,
                                        const uint8_t *receipt,
                                        const uint8_t *signature,
                                        const uint8_t *certificate);

#endif
