/*
 * verify_parts.h: what the files of the verifier share.
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_PARTS_H
#define DEFTER_CLIENT_AUDIT_VERIFY_PARTS_H

#include "client/audit/judge.h"
#include "client/audit/verify.h"

enum { VERIFY_PATH_SIZE = 4096 };

/* Below a node's directory or a tree of tiles. */
#define VERIFY_CHECKPOINT "checkpoint"
#define VERIFY_TILE_DIR   "tile"

/* The judge goes through one batch while the workers hash the next. */
struct verify {
    struct judge judge;
    struct source source;
    struct vouches vouches;
    struct hash_tiles *tiles; /* Borrowed; NULL: none. */
    struct workers *workers;  /* NULL: the pass has not begun. */
    struct batch batches[2];
};

/* Read all entries of the source, which is open, until one has a fault. */
void verify_entries(struct verify *verify, struct report *report,
                    const struct verify_options *options);

/* Accepts what was only zeroed. */
void verify_close(struct verify *verify);

/*
 * verify_checkpoint(verify, report, path, name):
 * One more checkpoint to hold against the log; what is none is a fault.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED.
 */
NODISCARD enum status verify_checkpoint(struct verify *verify,
                                        struct report *report, const char *path,
                                        const char *name);

/* The policy and the checkpoint of the options.  Returns: ST_OK; ST_USAGE. */
NODISCARD enum status verify_outside(struct verify *verify,
                                     struct report *report,
                                     const struct verify_options *options);

/* "${directory}/${name}"; false if it does not fit. */
bool verify_path(char out[VERIFY_PATH_SIZE], const char *directory,
                 const char *name);

#endif
