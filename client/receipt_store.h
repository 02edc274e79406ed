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

/* Opens or makes ${path}, mode 0600; a torn last record is cut off.
 * Returns: ST_OK; ST_FILE_FORMAT; ST_DISK_FAILED. */
NODISCARD enum status receipt_store_open(struct receipt_store **store_out,
                                         const char *path);
void receipt_store_close(struct receipt_store *store);

/* Returns: ST_OK; ST_DISK_FAILED. */
NODISCARD enum status receipt_store_add(struct receipt_store *store,
                                        const uint8_t *receipt,
                                        const uint8_t *signature,
                                        const uint8_t *certificate);

#endif
