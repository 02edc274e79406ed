/*
 * journal_history.h: short histories of a journal on the model disk, for tests
 * that try all of them.
 */
#ifndef DEFTER_TESTS_LIB_JOURNAL_HISTORY_H
#define DEFTER_TESTS_LIB_JOURNAL_HISTORY_H

#include "tests/lib/journal_rig.h"

enum {
    JOURNAL_HISTORY_DEPTH = 4,
    JOURNAL_SIZE_SMALL = JOURNAL_RIG_ENTRY,
    JOURNAL_SIZE_BLOCK = 700,  /* Crosses a block border wherever it lies. */
    JOURNAL_SIZE_BORDER = 1900 /* Fits an empty segment only. */
};

enum journal_operation {
    JOURNAL_APPEND_SMALL,
    JOURNAL_APPEND_BLOCK,
    JOURNAL_APPEND_BORDER,
    JOURNAL_SYNC, /* The log, then the mark: the power goes off between, too. */
    JOURNAL_NEW_SEGMENT,
    JOURNAL_RESTART, /* The process ends; the cache keeps what was written. */
    JOURNAL_REPAIR,  /* The power goes, every other pending bit survives. */
    JOURNAL_CUT,     /* What was not synced, or all that is not committed. */
    JOURNAL_OPERATIONS,
    /* For a node that has peers: */
    JOURNAL_ROT = JOURNAL_OPERATIONS, /* Of entry 0, if others follow it. */
    JOURNAL_FIX,                      /* Entry 0 is put back. */
    JOURNAL_OPERATIONS_ALL
};

/* Invariant: acknowledged <= what any later start must find. */
struct journal_history {
    struct journal_rig rig;
    uint64_t acknowledged;
    uint64_t attempted; /* Entries handed to the journal, kept or not. */
    uint64_t cut_from;  /* A cut is running: entries below were there, */
    bool rotten;        /* Entry 0 was damaged and not put back yet. */
    enum journal_operation operations[JOURNAL_HISTORY_DEPTH];
    size_t count;
};

struct journal_findings {
    bool begun;      /* The log has four entries, two of them committed. */
    bool repair;     /* The node has peers. */
    const char *lie; /* What the disk lies about; NULL for nothing. */
    uint64_t states;
    uint64_t broken;
    uint64_t enough; /* Stop after so many. */
    bool quiet;
};

/* An empty journal on a disk that lies as ${findings} says. */
void journal_history_begin(struct journal_history *history,
                           const struct journal_findings *findings);

/* Notes what was found when the journal was opened. */
void journal_history_opened(struct journal_history *history);

/* Entry 0 as it was appended goes back into its hole. */
enum status journal_history_fix(struct journal_history *history);

/* Runs one operation with the power going off after ${calls} changes. */
enum status journal_history_run(struct journal_history *history,
                                enum journal_operation operation, size_t calls);

/* Counts a finding and prints how to come to it again. */
void journal_history_complain(struct journal_findings *findings,
                              const struct journal_history *history,
                              size_t calls, uint64_t subset, const char *what);

#endif
