#include "client/audit/verify.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client/audit/verify_parts.h"
#include "client/audit/verify_proof.h"
#include "client/audit/verify_tiles.h"
#include "client/audit/verify_units.h"
#include "protocol/files.h"

/* ---- The pass over the entries --------------------------------------------
 */

static void verify_save(const struct verify *verify)
{
    const struct judge *judge = &verify->judge;
    struct verify_mark mark = {.size = judge->tree.size};

    if (judge->options->save == NULL ||
        mark.size <= judge->options->resume.size)
        return;
    tree_root(&judge->tree, mark.root);
    judge->options->save(judge->options->context, &mark);
}

/* How many of the batch's first entries an earlier run has verified. */
static size_t verify_done(const struct verify *verify,
                          const struct batch *batch, size_t count)
{
    const uint64_t done = verify->judge.options->resume.size;
    uint64_t first;

    if (count == 0)
        return 0;
    first = batch->entries[0].entry.place.index;
    if (first >= done)
        return 0;
    return done - first < count ? (size_t)(done - first) : count;
}

static void verify_signatures(struct verify *verify, struct batch *batch,
                              size_t count)
{
    const struct judge *judge = &verify->judge;
    size_t from, bad;

    if (judge->options->no_signatures || judge->options->tree_only)
        return;
    memcpy(batch->cluster_id, judge->authority.cluster_id, CLUSTER_ID_SIZE);
    from = verify_done(verify, batch, count);
    bad = batch_verify(batch, verify->workers, from, count);
    judge->report->signatures += bad - from;
    if (bad < count)
        judge_bad_signature(&verify->judge, batch, bad);
}

static void verify_batches(struct verify *verify,
                           const struct verify_options *options)
{
    const struct report_fault *fault = &verify->judge.report->fault;
    struct batch *now = &verify->batches[0], *next = &verify->batches[1];
    bool is_last = false;

    source_next(&verify->source, &now->walk);
    batch_digest_start(now, verify->workers);
    workers_wait(verify->workers);
    while (!is_last) {
        struct batch *other = now;
        size_t count;

        is_last = now->walk.stop != WALK_MORE;
        if (!is_last) {
            source_next(&verify->source, &next->walk);
            batch_digest_start(next, verify->workers);
        }
        count = judge_batch(&verify->judge, now);
        workers_wait(verify->workers);
        verify_signatures(verify, now, count);
        if (options->progress != NULL)
            options->progress(options->context, source_passed(&verify->source),
                              source_size(&verify->source));
        if (fault->found || verify->judge.status != ST_OK)
            return;
        if (!options->no_signatures && !options->tree_only)
            verify_save(verify);
        if (is_last)
            judge_stop(&verify->judge, &now->walk);
        now = next;
        next = other;
    }
}

enum status verify_begin(struct verify *verify, unsigned threads)
{
    enum status status = workers_open(&verify->workers, threads);

    if (status == ST_OK)
        status = batch_open(&verify->batches[0], &verify->source);
    if (status == ST_OK)
        status = batch_open(&verify->batches[1], &verify->source);
    return status;
}

enum status verify_entries(struct verify *verify, struct report *report,
                           const struct verify_options *options)
{
    enum status status = verify_begin(verify, options->threads);

    if (status != ST_OK)
        return status;
    judge_init(&verify->judge, report, &verify->source, &verify->vouches,
               options);
    verify->judge.tiles = verify->tiles;
    if (!report->fault.found)
        verify_batches(verify, options);
    return verify->judge.status;
}

void verify_close(struct verify *verify)
{
    judge_free(&verify->judge);
    batch_close(&verify->batches[0]);
    batch_close(&verify->batches[1]);
    workers_close(verify->workers);
    for (uint32_t i = 0; i < verify->vouches.count; i++)
        vouch_close(&verify->vouches.all[i]);
    vouch_policy_close(&verify->vouches.policy);
    source_close(&verify->source);
}

/* ---- Checkpoints ----------------------------------------------------------
 */

enum status verify_checkpoint(struct verify *verify, struct report *report,
                              const char *path, const char *name)
{
    struct vouch *vouch = &verify->vouches.all[verify->vouches.count];
    enum status status;

    INVARIANT(verify->vouches.count < REPORT_CHECKPOINTS_MAX);
    status = vouch_load(vouch, path, name);
    if (status == ST_NO_FILE || status == ST_DISK_FAILED ||
        status == ST_EXHAUSTED)
        return status;
    verify->vouches.count++;
    if (status == ST_OK)
        return ST_OK;
    if (report_fault(report, REPORT_TAMPERED, REPORT_NO_INDEX,
                     "the checkpoint is not of its format"))
        (void)snprintf(report->fault.file, sizeof report->fault.file, "%s",
                       name);
    return ST_OK;
}

enum status verify_silent(struct report *report,
                          const struct verify_options *options,
                          unsigned evidence, const char *what)
{
    const struct {
        enum verify_evidence evidence;
        bool is_given;
        const char *name;
    } all[] = {
        {VERIFY_OF_HEAD, options->has_head, "--head"},
        {VERIFY_OF_LEAF, options->has_leaf, "--leaf"},
        {VERIFY_OF_RECEIPTS, options->receipts != NULL, "--receipts"},
        {VERIFY_OF_CHECKPOINT, options->checkpoint != NULL, "--checkpoint"},
        {VERIFY_OF_ENTRY, options->entry != NULL, "--entry"},
        {VERIFY_OF_RESUME, options->has_resume, "--resume"}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!all[i].is_given || (evidence & all[i].evidence) == 0)
            continue;
        report->silent = all[i].name;
        report->silent_of = what;
        return ST_USAGE;
    }
    return ST_OK;
}

enum status verify_outside(struct verify *verify, struct report *report,
                           const struct verify_options *options)
{
    enum status status = ST_OK;

    if (options->policy != NULL)
        status = vouch_policy_load(&verify->vouches.policy, options->policy);
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK) {
        report->unusable = options->policy;
        report->policy_error = verify->vouches.policy.error;
        return ST_USAGE;
    }
    if (options->checkpoint != NULL)
        status = verify_checkpoint(verify, report, options->checkpoint,
                                   options->checkpoint);
    if (status != ST_OK && status != ST_EXHAUSTED) {
        report->unusable = options->checkpoint;
        return ST_USAGE;
    }
    return status;
}

/* A node's directory has the newest one beside the log. */
static enum status verify_own_checkpoint(struct verify *verify,
                                         struct report *report,
                                         const char *directory)
{
    char path[VERIFY_PATH_SIZE];
    struct stat about;
    enum status status;

    if (!verify_path(path, directory, FILE_LOG_DIR) ||
        stat(path, &about) != 0 || !S_ISDIR(about.st_mode) ||
        !verify_path(path, directory, VERIFY_CHECKPOINT))
        return ST_OK;
    status = verify_checkpoint(verify, report, path, VERIFY_CHECKPOINT);
    if (status == ST_OK)
        verify->vouches.all[verify->vouches.count - 1].is_own = true;
    if (status == ST_NO_FILE)
        return ST_OK;
    if (status != ST_DISK_FAILED)
        return status;
    report->unusable = VERIFY_CHECKPOINT;
    return ST_USAGE;
}

bool verify_path(char out[VERIFY_PATH_SIZE], const char *directory,
                 const char *name)
{
    int size = snprintf(out, VERIFY_PATH_SIZE, "%s/%s", directory, name);

    return size > 0 && size < VERIFY_PATH_SIZE;
}

/* ---- What was given -------------------------------------------------------
 */

enum status verify_log(struct report *report_out,
                       const struct verify_options *options)
{
    struct verify verify = {.tiles = NULL};
    enum status status;

    memset(report_out, 0, sizeof *report_out);
    status = verify_silent(report_out, options, VERIFY_OF_ENTRY, "a log");
    if (status == ST_OK && options->tree_only)
        status = verify_silent(report_out, options, VERIFY_OF_RECEIPTS,
                               "the tree alone");
    if (status == ST_OK)
        status = verify_outside(&verify, report_out, options);
    if (status == ST_OK)
        status = verify_own_checkpoint(&verify, report_out, options->directory);
    if (status == ST_OK)
        status = walk_open(&verify.source.walk, options->directory);
    if (status == ST_OK && !report_out->fault.found) {
        status = verify_entries(&verify, report_out, options);
        if (status == ST_OK)
            judge_end(&verify.judge);
    }
    verify_close(&verify);
    return status;
}

enum status verify_given(struct report *report_out,
                         const struct verify_options *options)
{
    char path[VERIFY_PATH_SIZE];
    struct stat about;

    if (options->units_count > 0 || unit_is_one(options->directory))
        return verify_units(report_out, options);
    if (stat(options->directory, &about) == 0 && S_ISREG(about.st_mode))
        return verify_proof(report_out, options);
    if (verify_path(path, options->directory, VERIFY_TILE_DIR) &&
        stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return verify_tiles(report_out, options);
    return verify_log(report_out, options);
}
