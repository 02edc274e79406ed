#include "server/cosign/submission.h"

#include <string.h>

#include "protocol/contract.h"

void submission_init(struct submission *submission)
{
    memset(submission, 0, sizeof *submission);
    submission->at_ms = INT64_MIN / 2;
}

bool submission_is_ahead(const struct submission *submission, uint64_t newest)
{
    return submission->known > newest;
}

int64_t submission_wait_ms(const struct submission *submission, uint64_t newest,
                           int64_t now_ms)
{
    if (submission->sent != 0 || newest <= submission->done ||
        submission_is_ahead(submission, newest))
        return -1;
    return submission->at_ms > now_ms ? submission->at_ms - now_ms : 0;
}

void submission_asked(struct submission *submission, uint64_t size,
                      int64_t now_ms)
{
    REQUIRE(submission->sent == 0);
    REQUIRE(size > 0 && size >= submission->known);
    submission->sent = size;
    submission->at_ms = now_ms + SUBMISSION_PERIOD_MS;
}

static void submission_pause(struct submission *submission, int64_t now_ms)
{
    uint32_t pause_ms = submission->pause_ms * 2;

    if (pause_ms < SUBMISSION_PAUSE_MS_MIN)
        pause_ms = SUBMISSION_PAUSE_MS_MIN;
    if (pause_ms > SUBMISSION_PAUSE_MS_MAX)
        pause_ms = SUBMISSION_PAUSE_MS_MAX;
    submission->pause_ms = pause_ms;
    submission->at_ms = now_ms + pause_ms;
}

void submission_ended(struct submission *submission, enum submission_end end,
                      uint64_t size, int64_t now_ms)
{
    bool again = end == SUBMISSION_SIZE && submission->corrected;

    REQUIRE(submission->sent != 0);
    switch (end) {
    case SUBMISSION_SIGNED:
        submission->known = submission->sent;
        submission->done = submission->sent;
        submission->pause_ms = 0;
        break;
    case SUBMISSION_SIZE:
        submission->known = size;
        submission->at_ms = now_ms; /* Right at once, the first time. */
        break;
    case SUBMISSION_FAILED:
        break;
    }
    /* One that gives another size each time is no better than a silent one. */
    if (end == SUBMISSION_FAILED || again)
        submission_pause(submission, now_ms);
    submission->corrected = end == SUBMISSION_SIZE;
    submission->sent = 0;
}
