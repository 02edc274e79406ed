/*
 * verify_progress.h: how far a verification came: shown on standard error, and
 * kept in a file with which a later run goes on (AUDIT, "Going on").
 */
#ifndef DEFTER_CLIENT_PROGRAM_VERIFY_PROGRESS_H
#define DEFTER_CLIENT_PROGRAM_VERIFY_PROGRESS_H

#include "client/audit/verify.h"

struct verify_progress {
    bool is_shown;
    unsigned percent;   /* That was shown last. */
    const char *path;   /* NULL: nothing is kept. */
    int64_t kept_at_s;  /* On a clock that does not jump. */
    enum status status; /* Of keeping it. */
    struct verify_mark newest;
    bool is_newer; /* Than what is kept. */
};

/*
 * verify_progress_load(mark_out, path):
 * Returns: ST_OK, with a size of 0 if there is no such file; ST_FILE_FORMAT;
 *          ST_DISK_FAILED.
 */
NODISCARD enum status verify_progress_load(struct verify_mark *mark_out,
                                           const char *path);

/* For verify_options; ${context} is the struct above. */
void verify_progress_show(void *context, uint64_t passed, uint64_t total);
void verify_progress_save(void *context, const struct verify_mark *mark);

/* Keep what is newest, and leave standard error tidy. */
NODISCARD enum status verify_progress_end(struct verify_progress *progress);

#endif
