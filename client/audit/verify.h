/*
 * verify.h: the offline verifier (LOG-FORMAT, section 9; AUDIT).
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_H
#define DEFTER_CLIENT_AUDIT_VERIFY_H

#include "client/audit/report.h"

/* How far a run came, so that a later one need not verify the signatures of
 * the same entries again. */
struct verify_mark {
    uint64_t size; /* 0: none. */
    uint8_t root[HASH_SIZE];
};

struct verify_options {
    const char *directory;  /* The log's, the node's, a tree's; or a file. */
    const char *receipts;   /* File; NULL: none. */
    const char *checkpoint; /* File; NULL: the directory's own, if any. */
    const char *policy;     /* File; NULL: none. */
    const char *entry;      /* File: what a proof is of; NULL: none. */
    char *const *units;     /* Directories of units, in their order; else the */
    size_t units_count;     /* count is 0, and directory may be one. */
    const char *stray;      /* What lies beside them and is none; NULL. */
    bool is_whole;          /* They should be all from entry 0 on. */
    bool has_authority;
    bool has_head;
    bool has_leaf;
    bool no_signatures;
    bool tree_only;   /* Of a tiles tree: what entries say is left out. */
    bool has_resume;  /* Also if the earlier run came to nothing. */
    unsigned threads; /* 0: one for each core. */
    uint64_t head_size;
    uint8_t authority[PUBLIC_KEY_SIZE];
    uint8_t head_root[HASH_SIZE];
    uint8_t leaf[HASH_SIZE]; /* Some entry has it. */
    struct verify_mark resume;
    void *context;
    /* May be NULL; is called now and then. */
    void (*progress)(void *context, uint64_t passed, uint64_t total);
    /* May be NULL; is called when the signatures up to a size are verified. */
    void (*save)(void *context, const struct verify_mark *mark);
};

/*
 * verify_given(report_out, options):
 * Read what was given once, and say what is wrong with it: a log, a tiles tree
 * (verify_tiles.h), archive units (verify_units.h), or a file with a proof
 * (verify_proof.h).
 *
 * Returns: ST_OK, and the report has the verdict; ST_NO_FILE if there is
 *          nothing of the kind; ST_RECEIPT if the receipts' file cannot be
 *          read; ST_USAGE if report_out->unusable, a file that was named,
 *          cannot be read or is not of its format, or if report_out->silent,
 *          an option, says nothing of report_out->silent_of, which is what was
 *          given; ST_TOO_LARGE; ST_DISK_FAILED; ST_EXHAUSTED if memory is
 *          short.  Whatever is not ST_OK is no verdict.
 * Order:   after sodium_init().
 */
NODISCARD enum status verify_given(struct report *report_out,
                                   const struct verify_options *options);

/* The same for what is a log. */
NODISCARD enum status verify_log(struct report *report_out,
                                 const struct verify_options *options);

#endif
