/*
 * journal_scan.h: reading a segment frame by frame through a window.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_SCAN_H
#define DEFTER_REPLICATION_JOURNAL_SCAN_H

#include "protocol/entry.h"
#include "replication/disk.h"

/* Invariant: the window holds the file's bytes from window_at on. */
struct journal_scan {
    struct disk_file *file;
    uint64_t end;    /* Of what may be read. */
    uint64_t offset; /* Of the next frame. */
    uint8_t *window;
    size_t window_size;
    size_t window_used;
    uint64_t window_at;
};

/* A window of this size serves segments of ${segment_size} bytes. */
size_t journal_scan_window_size(uint32_t segment_size);

/* Owns: ${window} is kept until the scan is no longer used. */
void journal_scan_begin(struct journal_scan *scan, struct disk_file *file,
                        uint64_t offset, uint64_t end, uint8_t *window,
                        size_t window_size);

/*
 * journal_scan_next(scan, entry_out):
 * Read the frame at scan->offset and step behind it.
 *
 * Returns: ST_OK; ST_END if no frame begins here; ST_FILE_FORMAT or ST_CHECKSUM
 *          for bytes that are no frame; ST_DISK_FAILED.  Only ST_OK moves
 *          scan->offset.
 * Owns:    lends ${*entry_out} until the next call.
 */
NODISCARD enum status journal_scan_next(struct journal_scan *scan,
                                        struct slice *entry_out);

/*
 * journal_scan_rest(scan, end_out):
 * Look for bytes other than zero from scan->offset on; ${*end_out} is the
 * offset behind the last of them, or scan->offset if there is none.
 *
 * Returns: ST_OK; ST_DISK_FAILED.
 */
NODISCARD enum status journal_scan_rest(struct journal_scan *scan,
                                        uint64_t *end_out);

/*
 * journal_scan_resume(scan, entry_out, index):
 * Find the next good frame whose entry is ${index} or a later one, at any
 * offset.
 *
 * Returns: ST_OK, and scan->offset lies behind it; ST_END; ST_DISK_FAILED.
 * Owns:    as journal_scan_next(); the entry is well formed.
 */
NODISCARD enum status journal_scan_resume(struct journal_scan *scan,
                                          struct entry *entry_out,
                                          uint64_t index);

#endif
