/*
 * journal.h: the log on this node's disk (LOG-FORMAT, sections 4 and 5).
 *
 * Entries lie in segments of a fixed size, which are filled with zeros and made
 * durable before their first use, so that an append changes bytes and never the
 * file system's own structures.  A group of entries costs one write, one sync
 * and one mark.
 *
 *     log/00000000000000000000.seg   named after the first index in it
 *     log/spare                      the next segment, ready
 *     mark, cut                      see mark.h and journal_cut.c
 *     divergent/                     bytes that were cut off, kept as evidence
 *
 * Threads: one thread opens, appends, syncs, cuts, repairs and closes.
 * journal_prepare_next() may run in another.  journal_size(),
 * journal_committed(), journal_room(), journal_read_entry() and cursors may be
 * used by any thread while the journal is open; they see acknowledged entries
 * only.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_H
#define DEFTER_REPLICATION_JOURNAL_H

#include "protocol/bytes.h"
#include "replication/disk.h"

struct journal;
struct journal_cursor;

/* What is found when a journal is opened; V is where the verified log ends, K
 * the size in the newest mark. */
enum journal_case {
    JOURNAL_CLEAN,     /* C1: V >= K, zeros follow. */
    JOURNAL_TORN,      /* C2: V >= K, other bytes follow: cut and kept aside. */
    JOURNAL_LOST,      /* C3: V < K, or the mark names another hash. */
    JOURNAL_HOLE,      /* C4: V < K, and good entries follow the damage. */
    JOURNAL_MARK_SLOT, /* C5: one slot of the mark is bad, and bytes follow V.
                        */
    JOURNAL_MARK_GONE, /* C6: no mark, or one from this node's future. */
    JOURNAL_META_GONE  /* C7: meta.h's file cannot be read. */
};

struct journal_options {
    uint32_t segment_size; /* SEGMENT_SIZE; tests take less. */
    uint64_t incarnation;  /* This start's; durable in meta already. */
    uint32_t epoch;        /* The highest that this node has promised. */
    uint64_t verify_from;  /* Entries below are checked against their checksums
                            * only; 0 verifies every hash. */
    bool repair; /* This node has peers: damage is noted, not refused. */
    /* 0: JOURNAL_ASIDE_FILES_MAX, JOURNAL_ASIDE_SIZE_MAX; tests take less. */
    size_t aside_files_max;
    uint64_t aside_size_max;
};

/*
 * What journal_open() found.  Fields that do not apply are zero.
 */
struct journal_report {
    enum journal_case found;
    enum status status;
    char file[DISK_NAME_SIZE_MAX]; /* Where the damage is. */
    uint64_t offset;
    uint64_t index;     /* Of the first entry that is damaged or missing. */
    uint64_t size;      /* V. */
    uint64_t mark_size; /* K. */
    uint64_t next_good; /* JOURNAL_HOLE: first good entry behind the damage. */
    bool slot_bad;
    bool hashes_known;
    uint8_t expected[HASH_SIZE];
    uint8_t found_hash[HASH_SIZE];
    char
        aside[DISK_NAME_SIZE_MAX]; /* JOURNAL_TORN: where the bytes are kept. */
    bool unkept; /* Of a cut while the log is in use: there is no room. */
    uint64_t inherited; /* Good entries above the mark that were taken over. */
    size_t holes;       /* See journal_repair.h. */
};

/* One entry with its leaf hash, which the caller has computed already. */
struct journal_entry {
    struct slice bytes;
    uint8_t leaf[HASH_SIZE];
};

/* The newest entry; zeros in an empty log. */
struct journal_end {
    uint64_t size;
    uint8_t leaf[HASH_SIZE];
    uint32_t epoch;
    int64_t log_time;
};

/* What a buffer for one entry and its frame needs. */
enum {
    JOURNAL_READ_SIZE =
        SEGMENT_FRAME_HEADER_SIZE + ENTRY_SIZE_MAX + SEGMENT_FRAME_TRAILER_SIZE
};

/* "C1" ... "C7". */
const char *journal_case_name(enum journal_case found);

/*
 * journal_describe(out, size, report):
 * One line of text for people: case, file, offset, index, hashes.
 */
void journal_describe(char *out, size_t size,
                      const struct journal_report *report);

/* The report of a node whose meta file cannot be read, for people. */
void journal_report_meta(struct journal_report *report);

/*
 * journal_create(disk, options):
 * Make an empty journal and its mark.
 *
 * Returns: ST_OK; ST_EXISTS if there is a log; ST_DISK_FULL; ST_DISK_FAILED.
 * Order:   before meta_create(), which says that all of it is done.
 */
NODISCARD enum status journal_create(struct disk *disk,
                                     const struct journal_options *options);

/*
 * journal_open(journal_out, report, disk, options):
 * Verify the log against its mark and make it ready for appending.  A torn tail
 * is cut off and kept in divergent/.  Good entries above the mark are written
 * again, synced and marked, because what is read back after a crash may stand
 * in memory alone.
 *
 * With options->repair, C3 to C6 are no refusals: the log is opened as far as
 * it can be verified, and ${*report} says the gravest that was found:
 *   C3  what follows V is kept aside and cut; the node is lost until it holds
 *       the mark's entries again (journal_lost());
 *   C4  entries behind the damage are kept, if their hashes lead to the mark or
 *       to the next segment's header; what cannot be read is a hole
 *       (journal_hole_at()).  Else, and above JOURNAL_HOLES_MAX, it is C3 from
 *       the first hole on;
 *   C5  the tail is kept aside and cut, and the node is lost (MARK_LOST_TAIL);
 *   C6  a mark is made, and the node is lost (MARK_LOST_ALL).
 * Damaged header pages are written anew.
 *
 * Returns: ST_OK, and ${*report} says JOURNAL_CLEAN or JOURNAL_TORN;
 *          ST_LOST, ST_CHAIN_BROKEN or ST_FILE_FORMAT, and ${*report} names the
 *          place: nothing was changed, this node must not go on;
 *          ST_NO_FILE if there is no log; ST_DISK_FULL; ST_DISK_FAILED.
 * Owns:    gives ${*journal_out}; keeps ${disk}.
 * Order:   after meta_begin().
 */
NODISCARD enum status journal_open(struct journal **journal_out,
                                   struct journal_report *report,
                                   struct disk *disk,
                                   const struct journal_options *options);

/* Accepts NULL.  Entries not synced are lost. */
void journal_close(struct journal *journal);

/*
 * journal_prepare_next(journal):
 * Make the spare segment unless there is one.  It writes a whole segment of
 * zeros, so it belongs in the background.
 *
 * Returns: ST_OK; ST_DISK_FULL, and the journal goes on until its segment is
 *          full; ST_DISK_FAILED, and the journal refuses every later call.
 */
NODISCARD enum status journal_prepare_next(struct journal *journal);

/* True while there is no spare segment, and nobody is making one. */
bool journal_wants_spare(const struct journal *journal);

/*
 * journal_room(journal):
 * Bytes of frames that can still be appended for certain, whatever happens to
 * the disk's free space.  A primary assigns no index beyond it: it subtracts
 * what it has sequenced and not appended yet.
 */
uint64_t journal_room(const struct journal *journal);

/*
 * journal_append(journal, entries, count):
 * Write ${count} entries after the newest one.  They are not durable until
 * journal_sync() returns.
 *
 * Requires: count > 0; the entries' frames are no more than a segment holds.
 * Returns:  ST_OK; and with the journal unchanged: ST_CHAIN_BROKEN if an entry
 *           does not follow the one before it in index, hash, epoch and time;
 *           ST_DISK_FULL if a new segment is needed and there is no room;
 *           ST_AGAIN if another thread is still making the spare segment;
 *           ST_CHECKSUM if the newest entries are a hole and its length is not
 *           known: repair it first;
 *           ST_DISK_FAILED, and the journal refuses every later call.
 * Owns:     borrows ${entries} and their bytes for the call.
 */
NODISCARD enum status journal_append(struct journal *journal,
                                     const struct journal_entry *entries,
                                     size_t count);

/*
 * journal_sync(journal, committed):
 * Make everything appended durable, then the mark, which also keeps the size
 * ${committed}.  Once it returns, the entries may be acknowledged.
 *
 * Where nothing was appended since, only the mark is written, and nothing at
 * all if ${committed} is the same: so this is how a node notes that the commit
 * moved on.
 *
 * Requires: committed <= size of the log, and never falls.
 * Returns:  ST_OK; ST_DISK_FAILED, and the journal refuses every later call:
 *           the process stops, it does not try again.
 */
NODISCARD enum status journal_sync(struct journal *journal, uint64_t committed);

/* Entries that are durable and marked. */
uint64_t journal_size(const struct journal *journal);

/* Entries that the mark says are committed. */
uint64_t journal_committed(const struct journal *journal);

/*
 * journal_cut_to(journal, report, size):
 * Cut the log to ${size} entries, because those behind are of another history.
 * Their bytes are kept in divergent/ and synced before anything goes, under
 * names that no other cut has; report->aside names one of them, and all begin
 * alike ("divergent/SIZE-NUMBER-").  Where divergent/ has no room for them
 * (JOURNAL_ASIDE_FILES_MAX, JOURNAL_ASIDE_SIZE_MAX; counted by whole segments)
 * they go, and report->unkept says so.  A crash at any point is resumed by the
 * next journal_open().  Entries that were appended and not synced are cut or
 * kept alike.
 *
 * Requires: size <= the newest entry's index + 1.
 * Returns:  ST_OK, and journal_size() and the mark are at most ${size};
 *           and with the journal unchanged: ST_CHAIN_BROKEN if ${size} is less
 *           than what is known to be committed, and the journal is not lost:
 *           two histories, nobody may go on; ST_CHECKSUM if entry size - 1
 * cannot be read, because of a hole or new damage: repair it, or cut where the
 * hole begins; ST_DISK_FULL or ST_DISK_FAILED, and the journal refuses every
 * later call: the next start resumes. Order:    readers see the smaller size
 * first; a cursor that has given an entry that was cut off says so.
 */
NODISCARD enum status journal_cut_to(struct journal *journal,
                                     struct journal_report *report,
                                     uint64_t size);

/* The newest entry, appended but perhaps not synced; for the appending thread.
 */
struct journal_end journal_end(const struct journal *journal);

/*
 * journal_read_entry(journal, entry_out, buffer, index):
 * Read one entry into ${buffer} of JOURNAL_READ_SIZE bytes.
 *
 * Returns: ST_OK; ST_END if index >= journal_size(); ST_CHECKSUM if the bytes
 *          have changed since they were written; ST_DISK_FAILED.
 * Owns:    ${*entry_out} borrows from ${buffer}.
 */
NODISCARD enum status journal_read_entry(struct journal *journal,
                                         struct slice *entry_out,
                                         uint8_t *buffer, uint64_t index);

/*
 * journal_place(journal, file_out, offset_out, index):
 * Where the frame of an entry lies; ${file_out} has DISK_NAME_SIZE_MAX bytes.
 * Returns: as journal_read_entry().
 */
NODISCARD enum status journal_place(struct journal *journal, char *file_out,
                                    uint64_t *offset_out, uint64_t index);

/*
 * journal_cursor_open(cursor_out, journal, index):
 * Begin to read entry after entry from ${index}, which may lie at the end.
 *
 * Returns: ST_OK; ST_END if index > journal_size(); ST_CHECKSUM;
 *          ST_DISK_FAILED.
 * Owns:    gives ${*cursor_out}, to be closed before the
 * journal.
 */
NODISCARD enum status journal_cursor_open(struct journal_cursor **cursor_out,
                                          struct journal *journal,
                                          uint64_t index);

/*
 * journal_cursor_next(cursor, entry_out):
 * Returns: ST_OK; ST_END if no more is durable now (try again later);
 *          ST_CHECKSUM, and once the entry is repaired it goes on from there;
 *          ST_CHAIN_BROKEN if entries that it gave were cut off meanwhile, or
 *          might have been: open another cursor; ST_DISK_FAILED.
 * Owns:    lends ${*entry_out} until the next call on the cursor.
 */
NODISCARD enum status journal_cursor_next(struct journal_cursor *cursor,
                                          struct slice *entry_out);

/* Accepts NULL. */
void journal_cursor_close(struct journal_cursor *cursor);

#endif
