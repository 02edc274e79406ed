/*
 * receipts.h: receipts that somebody kept, held against a log.
 *
 * The file is a sequence of records: receipt[144], signature[64], certificate
 * of the node that signed it[184].
 */
#ifndef DEFTER_CLIENT_AUDIT_RECEIPTS_H
#define DEFTER_CLIENT_AUDIT_RECEIPTS_H

#include "protocol/entry.h"
#include "protocol/receipt.h"

enum {
    RECEIPTS_RECORD_SIZE = RECEIPT_SIZE + SIGNATURE_SIZE + NODECERT_SIZE,
    RECEIPTS_MAX = 1 << 22
};

struct receipts_one {
    uint64_t index;
    uint64_t epoch;
    int64_t committed_at;
    uint64_t offset; /* In the file. */
    uint8_t command_hash[HASH_SIZE];
    uint8_t entry_hash[HASH_SIZE];
};

struct receipts {
    struct receipts_one *rows; /* By index. */
    size_t count;
    size_t next;      /* The first that no entry was held against. */
    size_t torn_size; /* Bytes of an unfinished record at the end. */
};

/* Where and why a receipt is none. */
struct receipts_fault {
    const char *what;
    uint64_t offset;
};

/*
 * receipts_load(receipts, fault_out, path, authority_key):
 * Read the file; every receipt must be signed by a node that the authority
 * certified for the time that the receipt names.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_TOO_LARGE above RECEIPTS_MAX; ST_DISK_FAILED;
 *          ST_RECEIPT, and ${*fault_out} says which and why; ST_EXHAUSTED if
 *          memory is short.
 * Order:   ends with receipts_free().
 */
NODISCARD enum status receipts_load(struct receipts *receipts,
                                    struct receipts_fault *fault_out,
                                    const char *path,
                                    const uint8_t *authority_key);
void receipts_free(struct receipts *receipts);

/*
 * receipts_hold(receipts, fault_out, entry, leaf, cluster_id):
 * Hold the receipts of this entry against it.
 *
 * Order:   entries in the order of the log.
 * Returns: false if one names another entry at this index.
 */
bool receipts_hold(struct receipts *receipts, struct receipts_fault *fault_out,
                   const struct entry *entry, const uint8_t *leaf,
                   const uint8_t *cluster_id);

#endif
