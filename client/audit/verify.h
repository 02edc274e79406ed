/*
 * verify.h: the offline verifier (LOG-FORMAT, section 9; AUDIT).
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_H
#define DEFTER_CLIENT_AUDIT_VERIFY_H

#include "client/audit/report.h"

struct verify_options {
    const char *directory; /* The log's, or the node's. */
    const char *receipts;  /* File; NULL: none. */
    bool has_authority;
    bool has_head;
    bool has_leaf;
    bool no_signatures;
    unsigned threads; /* 0: one for each core. */
    uint64_t head_size;
    uint8_t authority[PUBLIC_KEY_SIZE];
    uint8_t head_root[HASH_SIZE];
    uint8_t leaf[HASH_SIZE]; /* Some entry has it. */
    void *context;
    /* May be NULL; is called now and then. */
    void (*progress)(void *context, uint64_t passed, uint64_t total);
};

/*
 * verify_log(report_out, options):
 * Read the log once, and say what is wrong with it.
 *
 * Returns: ST_OK, and the report has the verdict; ST_NO_FILE if there is no
 *          log; ST_RECEIPT if the receipts' file cannot be read; ST_TOO_LARGE;
 *          ST_DISK_FAILED.
 * Order:   after sodium_init().
 */
NODISCARD enum status verify_log(struct report *report_out,
                                 const struct verify_options *options);

#endif
