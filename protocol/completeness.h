/*
 * completeness.h: how many items of the log name a subject, and a hash over
 * which they are, so that nobody can leave one out (LOG-FORMAT, section 12).
 *
 *   rolling' = SHA-256(T("DFT1/complete") ‖ u64 subject ‖ u64 count' ‖ rolling
 *              ‖ leaf hash of the entry ‖ u16 item)
 *
 * from count 0 and 32 zero bytes on, over every item of every entry whose clear
 * part names the subject, whatever came of it, in the order of the log.  Who
 * walks the log without any key finds the same.
 */
#ifndef DEFTER_PROTOCOL_COMPLETENESS_H
#define DEFTER_PROTOCOL_COMPLETENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/entry.h"
#include "protocol/limits.h"

struct completeness {
    uint64_t count;
    uint8_t rolling[HASH_SIZE];
};

/* Whether ${subject} names somebody; only such items are counted. */
bool completeness_names(uint64_t subject);

/*
 * completeness_add(sum, subject, leaf, item):
 * Count item number ${item} of the entry whose leaf hash is ${leaf}.
 *
 * Requires: completeness_names(${subject}).
 */
void completeness_add(struct completeness *sum, uint64_t subject,
                      const uint8_t leaf[HASH_SIZE], uint16_t item);

/*
 * completeness_entry(sum, subject, entry, leaf):
 * Count all items of ${entry} that name ${subject}.
 */
void completeness_entry(struct completeness *sum, uint64_t subject,
                        const struct entry *entry,
                        const uint8_t leaf[HASH_SIZE]);

#endif
