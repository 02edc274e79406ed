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

    /* A cut that was begun before. */
    struct journal_cut cut;
    bool cutting;
    uint64_t cut_intended; /* Its size, as it was read. */

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

    /* Of a node with peers (journal_options.repair). */
    bool mark_missing;         /* No slot holds a mark. */
    bool fresh;                /* Not even the first segment can be used. */
    struct mark_lost lost;     /* What was found to be missing. */
    struct journal_end before; /* The end before the newest entry ... */
    uint64_t before_offset;    /* ... and where that entry begins. */
    size_t holes;

    uint64_t hash_from; /* Entries below are not hashed. */
    bool leaf_known;    /* The end's leaf hash was computed. */
};

/* Writes the finding to the report; returns ${status}. */
NODISCARD enum status journal_verify_refuse(struct journal_verify *verify,
                                            enum journal_case found,
                                            enum status status);

/* Notes a finding unless a graver one is noted. */
void journal_verify_find(struct journal_verify *verify,
                         enum journal_case found);

/* Notes where the first bytes lie that are not part of the log. */
void journal_verify_damage(struct journal_verify *verify, size_t number,
                           uint64_t offset);

/*
 * journal_verify_skip(verify, number):
 * The last segment in use is damaged at its end, below the mark: go on behind
 * the damage, and note the hole, if what is there can be verified.
 *
 * Returns: ST_OK, and the journal's end is where to go on; ST_END if what
 *          follows cannot be used; ST_DISK_FAILED.
 */
NODISCARD enum status journal_verify_skip(struct journal_verify *verify,
                                          size_t number);

/*
 * journal_verify_linked(verify, number):
 * Whether the segment that was read leads to the one behind it, if there is
 * one.
 *
 * Returns: ST_OK; ST_END if it does not; ST_DISK_FAILED.
 */
NODISCARD enum status journal_verify_linked(struct journal_verify *verify,
                                            size_t number);

/* Takes the newest entry back: it is not the one that was acknowledged. */
void journal_verify_undo(struct journal_verify *verify, size_t number);

/* What stands at the end is less than the mark says: the node is lost. */
void journal_verify_lost(struct journal_verify *verify);

/* Makes what was found to be missing durable, before anything is cut. */
NODISCARD enum status journal_settle_lost(struct journal_verify *verify);

/* Writes damaged header pages anew. */
NODISCARD enum status journal_settle_headers(struct journal *journal);

/* Keeps every segment file aside and begins an empty log. */
NODISCARD enum status journal_settle_fresh(struct journal_verify *verify);

/* The verdict over what was read; returns as journal_verify_run(). */
NODISCARD enum status journal_verify_judge(struct journal_verify *verify);

/*
 * journal_verify_run(verify):
 * Read every segment, note where entries lie, and judge.
 *
 * Returns: ST_OK for C1 and C2 (verify->damaged), and with options.repair for
 *          C3 to C6 (verify->lost); else as journal_open().
 */
NODISCARD enum status journal_verify_run(struct journal_verify *verify);

#endif
