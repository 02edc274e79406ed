/*
 * log_maker.h: well-formed entries that follow each other, for tests of
 * whatever stores and reads the log.  They are not signed.
 */
#ifndef DEFTER_TESTS_LIB_LOG_MAKER_H
#define DEFTER_TESTS_LIB_LOG_MAKER_H

#include "replication/journal.h"

enum {
    LOG_MAKER_SIZE_MIN = ENTRY_FIXED_SIZE + ENTRY_ITEM_FIXED_SIZE + SALT_SIZE
};

/*
 * Write an entry of exactly ${size} bytes that follows ${end}, with one open
 * item whose data depend on the index and on ${variant}; move ${end} onto it.
 * ${out} must hold ${size} bytes and is borrowed by the result.
 */
struct journal_entry log_maker_entry(uint8_t *out, struct journal_end *end,
                                     size_t size, uint32_t epoch,
                                     uint8_t variant);

#endif
