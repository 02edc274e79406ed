/*
 * completeness.h: the items of a log that name a subject, counted anew by
 * walking it, and held against what a node stated (LOG-FORMAT, section 12).
 *
 * Whether the log itself is good is found by verify.h; here every entry is only
 * read.
 */
#ifndef DEFTER_CLIENT_AUDIT_COMPLETENESS_H
#define DEFTER_CLIENT_AUDIT_COMPLETENESS_H

#include "protocol/completeness_file.h"

/* What the log says of ${subject} in its first ${size} entries. */
struct completeness_walked {
    struct completeness sum;
    uint64_t size; /* Entries counted. */
    /* Of the entry with index ${size}, if the log has it. */
    bool has_next;
    uint8_t next_leaf[HASH_SIZE];
    bool next_states; /* It is subject.completeness about this subject. */
};

/*
 * completeness_walk(out, directory, subject, size):
 * Walk a log, or the node's directory around it; ${size} is UINT64_MAX for all
 * of it.
 *
 * Returns: ST_OK, and out->size says how far the log goes; ST_NO_FILE; ST_LOST
 *          for entries that do not follow each other; ST_ENTRY_FORMED and
 *          ST_CHECKSUM; ST_TOO_LARGE; ST_DISK_FAILED; ST_EXHAUSTED.
 */
NODISCARD enum status completeness_walk(struct completeness_walked *out,
                                        const char *directory, uint64_t subject,
                                        uint64_t size);

enum completeness_verdict {
    COMPLETENESS_TRUE,
    COMPLETENESS_FALSE, /* The log says otherwise. */
    COMPLETENESS_SHORT  /* The log ends before the statement's entry. */
};

/* What a statement that was judged is worth by the log. */
enum completeness_verdict completeness_compare(
    const struct completeness_walked *walked,
    const struct completeness_file *file, const struct receipt *receipt);

#endif
