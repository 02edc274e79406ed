/*
 * submission.h: when an outside witness is asked, and from which size on; a
 * machine without input and output (c2sp.org/tlog-witness).
 *
 *   IDLE --something new--> ASKED --200--> IDLE, its size is the one sent
 *                             |----409--> IDLE, its size is the one it says
 *                             `-anything else--> IDLE, and a pause that grows
 *
 * A witness whose size is above that of the newest checkpoint here is asked for
 * nothing until the log has come there: it may have signed for a primary of
 * before that this node must not contradict, or it errs.  What it says is not
 * signed, so that it stops nobody but itself.
 */
#ifndef DEFTER_SERVER_COSIGN_SUBMISSION_H
#define DEFTER_SERVER_COSIGN_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/status.h"

enum {
    SUBMISSION_PERIOD_MS = 1000, /* Between two beginnings, at least. */
    SUBMISSION_PAUSE_MS_MIN = 1000,
    SUBMISSION_PAUSE_MS_MAX = 300000
};

/* Invariants: sent != 0 exactly while it is asked; done <= the newest size. */
struct submission {
    uint64_t known; /* Size that the witness is believed to have signed. */
    uint64_t sent;  /* Size of the checkpoint that it is asked to sign. */
    uint64_t done;  /* Largest size for which its line came. */
    int64_t at_ms;  /* Not before. */
    uint32_t pause_ms;
    bool corrected; /* The last answer was a 409. */
};

/* How an attempt ended. */
enum submission_end {
    SUBMISSION_SIGNED, /* 200, and the line verifies. */
    SUBMISSION_SIZE,   /* 409. */
    SUBMISSION_FAILED
};

void submission_init(struct submission *submission);

/*
 * submission_wait_ms(submission, newest, now_ms):
 * When the witness is to be asked to sign the newest checkpoint, of size
 * ${newest}.
 *
 * Returns: 0: now; milliseconds; -1: not before something else happens.
 */
int64_t submission_wait_ms(const struct submission *submission, uint64_t newest,
                           int64_t now_ms);

/* It is asked to go from submission->known to ${size}.
 * Requires: submission_wait_ms() is 0 for it. */
void submission_asked(struct submission *submission, uint64_t size,
                      int64_t now_ms);

/* ${size} is what a 409 says. */
void submission_ended(struct submission *submission, enum submission_end end,
                      uint64_t size, int64_t now_ms);

/* Whether the witness claims to be ahead of ${newest}. */
bool submission_is_ahead(const struct submission *submission, uint64_t newest);

#endif
