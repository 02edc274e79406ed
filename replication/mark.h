/*
 * mark.h: the durable note of what this node may have acknowledged
 * (LOG-FORMAT, section 5).
 *
 * A mark is made durable before the acknowledgement leaves.  So a log that ends
 * before its mark has lost entries that somebody relies on, and bytes behind
 * the mark were never acknowledged by this node.
 */
#ifndef DEFTER_REPLICATION_MARK_H
#define DEFTER_REPLICATION_MARK_H

#include "replication/slots.h"

#define MARK_FILE "mark"

/* Why a node may not vouch for what it holds. */
enum mark_lost_kind {
    MARK_WHOLE,     /* It may. */
    MARK_LOST,      /* C3: entries below lost.size are missing. */
    MARK_LOST_TAIL, /* C5: entries from lost.size on may be missing. */
    MARK_LOST_ALL   /* C6: nobody knows what is missing. */
};

/*
 * What is missing.  It stands in the mark, so that it is forgotten only by the
 * write that says the log is whole again.
 */
struct mark_lost {
    enum mark_lost_kind kind;
    uint64_t size;           /* UINT64_MAX for MARK_LOST_ALL. */
    uint64_t committed;      /* Known when it was lost. */
    uint8_t leaf[HASH_SIZE]; /* MARK_LOST: of entry size - 1. */
};

/* Invariant: committed <= size. */
struct mark_value {
    uint64_t incarnation;    /* Of the process that wrote it. */
    uint32_t epoch;          /* Of the newest entry; 0 for none. */
    uint64_t size;           /* Entries that are durable here. */
    uint64_t committed;      /* Entries known to be committed; a size too. */
    uint8_t leaf[HASH_SIZE]; /* Leaf hash of entry size - 1; zeros for none. */
    struct mark_lost lost;
};

struct mark {
    struct slots slots;
    struct mark_value value; /* As last read or written. */
};

enum { MARK_BODY_SIZE = 112 };

/* Writes MARK_BODY_SIZE bytes. */
void mark_encode(uint8_t *out, const struct mark_value *value);

/*
 * mark_decode(out, body):
 * Returns: ST_OK; ST_FILE_FORMAT if the fields contradict each other, or
 *          ${body} has another size.
 */
NODISCARD enum status mark_decode(struct mark_value *out, struct slice body);

/* As slots_create(). */
NODISCARD enum status mark_create(struct disk *disk,
                                  const struct mark_value *value);

/*
 * mark_open(mark, disk):
 * Read the newest mark.  mark->slots.slot_bad tells whether one slot was bad.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_LOST if neither slot holds a mark;
 *          ST_DISK_FAILED.
 * Owns:    gives the file in ${mark}, to be closed with mark_close().
 */
NODISCARD enum status mark_open(struct mark *mark, struct disk *disk);

/* Accepts a mark that is closed already. */
void mark_close(struct mark *mark);

/*
 * mark_lost_join(lost, more):
 * Add to what is missing; what was known to be missing stays so.  Two entries
 * that are missing may be of two histories: then nobody knows any more.
 */
void mark_lost_join(struct mark_lost *lost, const struct mark_lost *more);

/*
 * mark_write(mark, value):
 * Make ${value} the mark, durably.
 *
 * Returns: ST_OK; ST_DISK_FAILED, after which ${mark} is only to be closed.
 * Order:   after the sync of the entries it speaks of, before their
 *          acknowledgement.
 */
NODISCARD enum status mark_write(struct mark *mark,
                                 const struct mark_value *value);

#endif
