/*
 * pipeline_disk.c: the log of a node without a host: one thread appends and
 * syncs, another prepares segments.
 */
#include <stdlib.h>

#include "server/pipeline/pipeline_private.h"

void pipeline_fail(struct pipeline *pipeline, enum status status,
                   uint64_t index, const char *what)
{
    pipeline->parts.failed(pipeline->parts.failed_context, status, index, what);
    abort();
}

/* After a failed write or sync nothing is known about the bytes: whatever comes
 * next is decided at the next start. */
static void disk_fail(struct pipeline *pipeline, enum status status,
                      const char *what)
{
    pipeline_fail(pipeline, status, journal_size(pipeline->parts.journal),
                  what);
}

static void disk_append(struct pipeline *pipeline, struct group *group)
{
    struct journal *journal = pipeline->parts.journal;
    enum status status;

    while ((status = journal_append(journal, group->entries,
                                    group->entries_count)) == ST_AGAIN)
        /* The background makes the next segment; make it here instead. */
        if (journal_prepare_next(journal) == ST_DISK_FAILED)
            disk_fail(pipeline, ST_DISK_FAILED, "preparing a segment");
    if (status != ST_OK)
        disk_fail(pipeline, status, "appending to the log");
    atomic_fetch_sub(&pipeline->log_size, group->frames_size);
    status = journal_sync(journal, journal_end(journal).size);
    if (status != ST_OK)
        disk_fail(pipeline, status, "making the log durable");
}

void *pipeline_disk_main(void *argument)
{
    struct pipeline *pipeline = argument;
    void *taken;

    while (queue_take(&pipeline->to_disk, &taken, 1, -1) == 1) {
        struct group *group = taken;

        if (group->entries_count > 0) {
            disk_append(pipeline, group);
            /* One reminder is enough. */
            MAYBE(queue_push(&pipeline->chores, pipeline) == ST_OK);
        }
        bool pushed = queue_push_wait(&pipeline->to_apply, group);
        INVARIANT(pushed);
    }
    queue_close(&pipeline->to_apply);
    return NULL;
}

void *pipeline_background_main(void *argument)
{
    struct pipeline *pipeline = argument;
    void *taken;

    while (queue_take(&pipeline->chores, &taken, 1, -1) == 1) {
        if (journal_prepare_next(pipeline->parts.journal) == ST_DISK_FAILED)
            disk_fail(pipeline, ST_DISK_FAILED, "preparing a segment");
    }
    return NULL;
}
