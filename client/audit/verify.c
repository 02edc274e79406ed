#include "client/audit/verify.h"

#include <string.h>

#include "client/audit/judge.h"

/* The judge goes through one batch while the workers hash the next. */
struct verify {
    struct judge judge;
    struct walk *walk;
    struct workers *workers;
    struct batch batches[2];
};

static void verify_signatures(struct verify *verify, struct batch *batch,
                              size_t count)
{
    const struct judge *judge = &verify->judge;
    size_t bad;

    if (judge->options->no_signatures)
        return;
    memcpy(batch->cluster_id, judge->authority.cluster_id, CLUSTER_ID_SIZE);
    bad = batch_verify(batch, verify->workers, count);
    judge->report->signatures += bad;
    if (bad < count)
        judge_bad_signature(&verify->judge, batch, bad);
}

static void verify_batches(struct verify *verify,
                           const struct verify_options *options)
{
    const struct report_fault *fault = &verify->judge.report->fault;
    struct batch *now = &verify->batches[0], *next = &verify->batches[1];
    bool is_last = false;

    walk_next(verify->walk, &now->walk);
    batch_digest_start(now, verify->workers);
    workers_wait(verify->workers);
    while (!is_last) {
        struct batch *other = now;
        size_t count;

        is_last = now->walk.stop != WALK_MORE;
        if (!is_last) {
            walk_next(verify->walk, &next->walk);
            batch_digest_start(next, verify->workers);
        }
        count = judge_batch(&verify->judge, now);
        workers_wait(verify->workers);
        verify_signatures(verify, now, count);
        if (options->progress != NULL)
            options->progress(options->context, walk_passed(verify->walk),
                              walk_size(verify->walk));
        if (fault->found || verify->judge.status != ST_OK)
            return;
        if (is_last)
            judge_stop(&verify->judge, &now->walk);
        now = next;
        next = other;
    }
}

enum status verify_log(struct report *report_out,
                       const struct verify_options *options)
{
    struct verify verify = {.walk = NULL};
    enum status status;

    memset(report_out, 0, sizeof *report_out);
    status = walk_open(&verify.walk, options->directory);
    if (status != ST_OK)
        return status;
    verify.workers = workers_open(options->threads);
    batch_init(&verify.batches[0], verify.walk);
    batch_init(&verify.batches[1], verify.walk);
    judge_init(&verify.judge, report_out, verify.walk, options);
    verify_batches(&verify, options);
    judge_end(&verify.judge);
    status = verify.judge.status;
    judge_free(&verify.judge);
    batch_free(&verify.batches[0]);
    batch_free(&verify.batches[1]);
    workers_close(verify.workers);
    walk_close(verify.walk);
    return status;
}
