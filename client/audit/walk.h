/*
 * walk.h: the segments of a log directory, read once from the first to the
 * last, frame by frame, in batches (LOG-FORMAT, section 4).
 *
 * The files may be anything: sizes are those of the files, nothing is mapped,
 * and memory is bounded by the batch.  Nothing is hashed here.
 */
#ifndef DEFTER_CLIENT_AUDIT_WALK_H
#define DEFTER_CLIENT_AUDIT_WALK_H

#include "protocol/segment.h"

enum { WALK_BATCH_SIZE = 4 * 1024 * 1024, WALK_NAME_SIZE = 32 };

struct walk; /* Opaque. */

/* A place in the files. */
struct walk_place {
    uint32_t segment; /* Number of the file, from 0. */
    uint64_t offset;
};

/* Where a frame begins, and its bytes with length and checksum. */
struct walk_frame {
    struct slice bytes;
    struct walk_place place;
};

/* Why a batch ends. */
enum walk_stop {
    WALK_MORE,      /* It is full. */
    WALK_DONE,      /* The last segment is read; only zeros follow. */
    WALK_HEADER,    /* A segment's header is bad. */
    WALK_FRAME,     /* No frame can begin so. */
    WALK_NOT_ZERO,  /* Behind the last frame is something. */
    WALK_TRUNCATED, /* The file is shorter than its header says. */
    WALK_TOO_LONG,  /* The file is longer. */
    WALK_MISSING, /* A bundle is not there; a segment that is not is unknown. */
    WALK_UNREADABLE,
    WALK_EXHAUSTED /* Memory is short: nothing is known of what follows. */
};

/*
 * Frames that follow each other in one segment.
 * Invariant: a batch that begins a segment has its header.
 */
struct walk_batch {
    uint8_t *bytes;
    size_t size; /* Room for bytes. */
    struct walk_frame *frames;
    size_t frames_max; /* As many of the least entry as fit. */
    size_t frames_count;
    bool is_bare; /* Frames are entries: without length and checksum. */
    bool begins;
    struct segment_header header;
    uint64_t named;       /* The index in the file's name. */
    uint64_t left_before; /* Unused bytes of the segment before. */
    enum walk_stop stop;
    struct walk_place stop_place;
};

/*
 * walk_open(walk_out, directory):
 * List the segments of a log directory, or of the node's directory around it.
 *
 * Returns: ST_OK; ST_NO_FILE if there is no such directory or no segment;
 *          ST_TOO_LARGE above SEGMENTS_MAX; ST_DISK_FAILED; ST_EXHAUSTED if
 *          memory is short.
 * Order:   ends with walk_close().
 */
NODISCARD enum status walk_open(struct walk **walk_out, const char *directory);
/* Accepts NULL. */
void walk_close(struct walk *walk);

uint32_t walk_segments_count(const struct walk *walk);
/* Bytes of all files, for the progress. */
uint64_t walk_size(const struct walk *walk);
/* Bytes that were passed. */
uint64_t walk_passed(const struct walk *walk);

/* The file's name without its folder. */
void walk_name(const struct walk *walk, char out[WALK_NAME_SIZE],
               uint32_t segment);

/*
 * walk_batch_open(batch, walk):
 * Room for WALK_BATCH_SIZE bytes, or all of a log of small files.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 * Order:   ends with walk_batch_close(), also if it fails.
 */
NODISCARD enum status walk_batch_open(struct walk_batch *batch,
                                      const struct walk *walk);
/* Accepts what was only zeroed. */
void walk_batch_close(struct walk_batch *batch);

/* The memory of a batch whose size and frames_max are set, for sources of other
 * kinds.  Returns: see walk_batch_open(). */
NODISCARD enum status walk_batch_room(struct walk_batch *batch);

/*
 * walk_next(walk, batch):
 * Read on.  After a stop other than WALK_MORE there is nothing to read.
 *
 * Owns: the frames borrow the batch's bytes until its next use.
 */
void walk_next(struct walk *walk, struct walk_batch *batch);

/*
 * walk_goes_on(walk, goes_on_out, place, index):
 * Whether the log goes on behind the damage at ${place}: another segment
 * follows, or a good frame whose entry has the index ${index} or a later one.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status walk_goes_on(struct walk *walk, bool *goes_on_out,
                                   struct walk_place place, uint64_t index);

#endif
