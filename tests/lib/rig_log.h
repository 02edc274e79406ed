/*
 * rig_log.h: a log that a peer is said to have, from which frames are made.
 */
#ifndef DEFTER_TESTS_LIB_RIG_LOG_H
#define DEFTER_TESTS_LIB_RIG_LOG_H

#include "protocol/peer.h"
#include "replication/journal.h"

enum { RIG_LOG_MAX = 600, RIG_ENTRY = 300 };

struct rig_log {
    struct journal_end ends[RIG_LOG_MAX + 1]; /* After that many entries. */
    struct journal_entry entries[RIG_LOG_MAX];
    uint8_t bytes[RIG_LOG_MAX][RIG_ENTRY];
    size_t size;
};

/* ${count} entries more, in ${epoch}; ${variant} makes them differ. */
void rig_log_add(struct rig_log *log, size_t count, uint32_t epoch,
                 uint8_t variant);
/* The same as ${from}, up to ${size} entries. */
void rig_log_copy(struct rig_log *log, const struct rig_log *from, size_t size);
/* Entries [first, end) as those of a frame. */
void rig_log_entries(const struct rig_log *log, struct writer *out,
                     uint64_t first, uint64_t end);
/* The epochs of its first ${size} entries. */
struct list rig_log_epochs(const struct rig_log *log, struct writer *space,
                           uint64_t size);
/* Whether ${journal} holds its first ${size} entries, and no more. */
bool rig_log_equals(const struct rig_log *log, struct journal *journal,
                    uint64_t size);

#endif
