/*
 * journal_verify.h: reading the whole log and judging it (LOG-FORMAT, section
 * 5, cases C1 to C6).  Nothing is written here.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_VERIFY_H
#define DEFTER_REPLICATION_JOURNAL_VERIFY_H

#include "replication/journal_parts.h"

/*
 * Invariants: firsts[0 .. firsts_count) is sorted; the journal's segments are
 * the files firsts[0 .. segments_count).
 */
struct journal_verify {
    struct journal *journal;
    struct journal_report *report;

    /* What lies in the directory. */
    uint64_t *firsts;
    size_t firsts_count;
    size_t firsts_max;
    bool spare_listed;
    bool memory_out;

    /* A cut that was begun before. */
    struct journal_cut cut;
    bool cutting;

    /* Where the mark's size, or the cut's if it is less, is reached. */
    uint64_t mark_limit;
    size_t mark_segment;
    uint64_t mark_offset;
    bool mark_reached;

    /* Where the first bytes lie that are not part of the log. */
    bool damaged;
    bool chain_broken; /* A good frame that does not follow. */
    size_t damage_number;
    uint64_t damage_offset;

    uint64_t hash_from; /* Entries below are not hashed. */
    bool leaf_known;    /* The end's leaf hash was computed. */
};

/* Writes the finding to the report; returns ${status}. */
NODISCARD enum status journal_verify_refuse(struct journal_verify *verify,
                                            enum journal_case found,
                                            enum status status);

/*
 * journal_verify_run(verify):
 * Read every segment, note where entries lie, and judge.
 *
 * Returns: ST_OK for C1 and C2 (verify->damaged); else as journal_open().
 */
NODISCARD enum status journal_verify_run(struct journal_verify *verify);

#endif
