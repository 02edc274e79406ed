/*
 * halt.h: that this node halted, and why, kept over its starts (LOG-FORMAT,
 * section 5).
 *
 * The file "halted" is written before anything else that a halt does, and holds
 * what proved it.  A node that finds one halts again; what it holds stays as it
 * was until a person takes the file away.
 *
 *      0 "DFTHALT" ‖ 0      16 u64 index         32 evidence
 *      8 u32 cause          24 i64 time_us       then the first 8 bytes of
 *     12 u32 evidence_size                       BLAKE2b-256 of all before
 */
#ifndef DEFTER_REPLICATION_HALT_H
#define DEFTER_REPLICATION_HALT_H

#include "protocol/bytes.h"
#include "replication/disk.h"

#define HALT_FILE "halted"

/* I17: why a node halts. */
enum replica_halt {
    HALT_NONE,
    HALT_COMMITTED_CONFLICT, /* Two histories of committed entries. */
    HALT_LINEAGE,            /* A peer of this cluster has another history. */
    HALT_EQUIVOCATION,       /* Two certificates of one number. */
    HALT_REPLAY,             /* An entry does not apply: said by the node. */
    HALT_KEYS,               /* A seal key's number stands for other bytes. */
    HALT_TAIL,               /* Alone with an inherited tail that is rotten. */
    HALT_KEPT                /* An earlier start did, nobody knows why. */
};

/* As part of a sentence: "this node halted, because ...". */
const char *halt_text(uint32_t cause);

enum {
    HALT_FIXED_SIZE = 32,
    HALT_SUM_SIZE = 8,
    HALT_SIZE_MAX = HALT_FIXED_SIZE + HALT_EVIDENCE_SIZE_MAX + HALT_SUM_SIZE
};

/* Invariant: evidence.size <= HALT_EVIDENCE_SIZE_MAX. */
struct halt_note {
    uint32_t cause;        /* enum replica_halt; not 0. */
    uint64_t index;        /* Of the entry, or number of the configuration. */
    int64_t time_us;       /* Wall clock. */
    struct slice evidence; /* An entry, a certificate, or nothing. */
};

/* Writes at most HALT_SIZE_MAX bytes; decodes them: ST_OK, ST_FILE_FORMAT,
 * ST_CHECKSUM; ${out} borrows ${input}. */
size_t halt_encode(uint8_t *out, const struct halt_note *note);
NODISCARD enum status halt_decode(struct halt_note *out, struct slice input);

/*
 * halt_keep(disk, note):
 * Write the file, unless there is one: the first cause is what counts.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status halt_keep(struct disk *disk,
                                const struct halt_note *note);

/*
 * halt_load(out, buffer, disk):
 * Read the file through ${buffer} of HALT_SIZE_MAX + 1 bytes, which ${out}
 * borrows.
 *
 * Returns: ST_OK: this node is halted; ST_FILE_FORMAT, ST_CHECKSUM: it is, and
 *          nobody knows why any more; ST_NO_FILE: it is not; ST_DISK_FAILED.
 */
NODISCARD enum status halt_load(struct halt_note *out, uint8_t *buffer,
                                struct disk *disk);

/*
 * halt_cause(cause_out, disk):
 * Whether this node is halted: the cause; 0: it is not; UINT32_MAX: it is, and
 * nobody knows why.
 *
 * Returns: ST_OK; ST_DISK_FAILED.
 */
NODISCARD enum status halt_cause(uint32_t *cause_out, struct disk *disk);

/*
 * halt_clear(disk, name_out):
 * Move the file to divergent/, under a name that nothing there has, which
 * ${name_out} (DISK_NAME_SIZE_MAX bytes) gets.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FULL; ST_DISK_FAILED.
 * Order:   while no node runs on ${disk}.
 */
NODISCARD enum status halt_clear(struct disk *disk, char *name_out);

#endif
