/*
 * vouch.h: a checkpoint held against a log: who signed it, and whether that is
 * enough to rely on it (c2sp.org/tlog-checkpoint, c2sp.org/tlog-policy).
 *
 * Without a policy the log's own key must have signed it; with one, a log of
 * the policy and its quorum.
 */
#ifndef DEFTER_CLIENT_AUDIT_VOUCH_H
#define DEFTER_CLIENT_AUDIT_VOUCH_H

#include "client/audit/report.h"
#include "protocol/checkpoint.h"
#include "protocol/tlog_policy.h"

/* A policy file, read. */
struct vouch_policy {
    uint8_t *bytes; /* That the policy borrows; NULL: there is none. */
    size_t size;
    struct tlog_policy policy;
    struct tlog_policy_error error; /* Why it is none. */
};

/* Invariant: what is borrowed points into ${bytes}. */
struct vouch {
    uint8_t *bytes;    /* NULL: nothing was loaded. */
    struct slice file; /* All of it. */
    struct note note;
    struct checkpoint checkpoint;
    bool is_own;     /* The node's own file, beside the log. */
    bool is_matched; /* The log's root at that size is its root. */
    struct report_checkpoint told; /* What the report says of it. */
};

/* Those that are held against one log. */
struct vouches {
    struct vouch_policy policy;
    struct vouch all[REPORT_CHECKPOINTS_MAX];
    uint32_t count;
};

/*
 * vouch_policy_load(policy, path):
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED; ST_TOO_LARGE; ST_FILE_FORMAT;
 *          ST_EXHAUSTED if memory is short.
 * Order:   ends with vouch_policy_close().
 */
NODISCARD enum status vouch_policy_load(struct vouch_policy *policy,
                                        const char *path);
void vouch_policy_close(struct vouch_policy *policy);

/*
 * vouch_load(vouch, path, name):
 * Read a file that is a checkpoint; the report shall call it ${name}.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED; ST_TOO_LARGE; ST_FILE_FORMAT;
 *          ST_EXHAUSTED if memory is short.
 * Order:   ends with vouch_close().
 */
NODISCARD enum status vouch_load(struct vouch *vouch, const char *path,
                                 const char *name);

/* As vouch_load(), of bytes that were read already; they are copied. */
NODISCARD enum status vouch_take(struct vouch *vouch, struct slice note,
                                 const char *name);
void vouch_close(struct vouch *vouch);

/*
 * vouch_judge(vouch, policy, origin, log_key):
 * Verify the signatures.  ${origin} and ${log_key} are those of genesis, or
 * empty and NULL where none is known; a lineage that was forced has the origin
 * with "/" and eight hex digits behind it, which vouch_lineage() gives.
 *
 * Returns: NULL; else what is wrong, a sentence.
 */
const char *vouch_judge(struct vouch *vouch, const struct vouch_policy *policy,
                        struct slice origin, const uint8_t *log_key);

/* The digits of the lineage in the checkpoint's origin; empty: none. */
struct slice vouch_lineage(const struct vouch *vouch, struct slice origin);

/* Whether nobody but the log is asked for. */
bool vouch_is_alone(const struct vouch_policy *policy);

/* Whether the log signed it, and as many others as the policy asks for. */
bool vouch_stands(const struct vouch *vouch);

/*
 * vouch_read_file(bytes_out, size_out, path, size_max):
 * A regular file of at most ${size_max} bytes.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_TOO_LARGE; ST_DISK_FAILED; ST_EXHAUSTED if
 *          memory is short.
 * Owns:    gives ${*bytes_out}, for free().
 */
NODISCARD enum status vouch_read_file(uint8_t **bytes_out, size_t *size_out,
                                      const char *path, size_t size_max);

#endif
