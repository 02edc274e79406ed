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
    struct workers *workers;
    struct batch batches[2];
};

/* Workers and batches for the source, which is open.
 * Returns: ST_OK; ST_EXHAUSTED if memory is short. */
NODISCARD enum status verify_begin(struct verify *verify, unsigned threads);

/*
 * verify_entries(verify, report, options):
 * Read all entries of the source, which is open, until one has a fault.
 *
 * Returns: ST_OK; ST_RECEIPT and ST_EXHAUSTED: see verify_given().
 */
NODISCARD enum status verify_entries(struct verify *verify,
                                     struct report *report,
                                     const struct verify_options *options);

/* Accepts what was only zeroed. */
void verify_close(struct verify *verify);

/*
 * verify_checkpoint(verify, report, path, name):
 * One more checkpoint to hold against the log; what is none is a fault.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status verify_checkpoint(struct verify *verify,
                                        struct report *report, const char *path,
                                        const char *name);

/* The policy and the checkpoint of the options.
 * Returns: ST_OK; ST_USAGE; ST_EXHAUSTED if memory is short. */
NODISCARD enum status verify_outside(struct verify *verify,
                                     struct report *report,
                                     const struct verify_options *options);

/* What an option names that is held against what is verified: bits. */
enum verify_evidence {
    VERIFY_OF_HEAD = 1,
    VERIFY_OF_LEAF = 2,
    VERIFY_OF_RECEIPTS = 4,
    VERIFY_OF_CHECKPOINT = 8,
    VERIFY_OF_ENTRY = 16,
    VERIFY_OF_RESUME = 32
};

/*
 * verify_silent(report, options, evidence, what):
 * Refuse options of ${evidence} that say nothing of ${what}: what is held
 * against nothing must not look as if it had been.
 *
 * Returns: ST_OK; ST_USAGE: see verify_given().
 */
NODISCARD enum status verify_silent(struct report *report,
                                    const struct verify_options *options,
                                    unsigned evidence, const char *what);

/* "${directory}/${name}"; false if it does not fit. */
bool verify_path(char out[VERIFY_PATH_SIZE], const char *directory,
                 const char *name);

#endif
