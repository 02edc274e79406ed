/*
 * journal_oracle.h: what a disk holds after a crash, read without any code of
 * the journal.
 */
#ifndef DEFTER_TESTS_LIB_JOURNAL_ORACLE_H
#define DEFTER_TESTS_LIB_JOURNAL_ORACLE_H

#include "tests/lib/journal_history.h"

/* What the bytes on a disk say, read without any code of the journal. */
struct journal_oracle {
    uint64_t size;   /* Good entries that follow each other. */
    uint64_t marked; /* Size in the newest mark; UINT64_MAX for none. */
    bool torn;       /* Bytes follow that are not zero. */
    bool other;      /* An entry that is not the one that was appended. */
    bool hole;       /* Entry 0 is damaged. */
};

void journal_oracle_read(struct journal_oracle *oracle,
                         const struct journal_history *history,
                         const struct disk_model *model);

/* Whether all that a cut takes away is on the disk somewhere. */
bool journal_oracle_kept(const struct journal_history *history,
                         struct disk_model *model);

#endif
