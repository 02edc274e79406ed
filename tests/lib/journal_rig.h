/*
 * journal_rig.h: a journal on a model disk, with all it should hold.
 */
#ifndef DEFTER_TESTS_LIB_JOURNAL_RIG_H
#define DEFTER_TESTS_LIB_JOURNAL_RIG_H

#include "replication/journal.h"
#include "tests/lib/disk_model.h"

enum {
    JOURNAL_RIG_SEGMENT = SEGMENT_HEADER_SIZE + 2048,
    JOURNAL_RIG_ENTRY = 300, /* Six of them fill a segment. */
    JOURNAL_RIG_ENTRIES_MAX = 64
};

struct journal_rig {
    struct disk_model *model;
    struct journal *journal;
    struct journal_report report;
    struct journal_options options;
    struct journal_end end; /* Of what was handed to the journal. */
    uint8_t variant;        /* Makes entries of one index differ. */
    size_t sizes[JOURNAL_RIG_ENTRIES_MAX];
    uint8_t *bytes[JOURNAL_RIG_ENTRIES_MAX];
};

/* An empty journal, open. */
void journal_rig_begin(struct journal_rig *rig, uint32_t segment_size);
void journal_rig_end(struct journal_rig *rig);

/* Appends one entry of ${size} bytes and remembers it, even if that fails. */
enum status journal_rig_append(struct journal_rig *rig, size_t size);

/* Appends ${count} entries of JOURNAL_RIG_ENTRY bytes; syncs. */
void journal_rig_fill(struct journal_rig *rig, size_t count);

/* Closes the journal and opens it again in the next incarnation. */
enum status journal_rig_reopen(struct journal_rig *rig);

/* Loses power, keeping what is pending or not; opens the journal again. */
enum status journal_rig_crash(struct journal_rig *rig, bool keep);

/* Whether the journal holds the first ${count} entries bit for bit. */
bool journal_rig_holds(struct journal_rig *rig, uint64_t count);

/* Where entry ${index} lies; for rotting it. */
uint64_t journal_rig_offset(struct journal_rig *rig, uint64_t index,
                            char *file_out);

#endif
