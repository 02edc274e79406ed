#include <stdlib.h>
#include <string.h>

#include "replication/sometimes.h"
#include "server/pipeline/pipeline_private.h"
#include "server/registry/act.h"

/* ---- Works -------------------------------------------------------------- */

static void applier_count(struct pipeline *pipeline, const struct work *work)
{
    struct pipeline_counts *counts = &pipeline->counts;

    atomic_fetch_add(work->node_made ? &counts->own : &counts->commands, 1);
    atomic_fetch_add(&counts->items, work->command.header.items_count);
}

static void applier_error(struct applier *applier, struct work *work,
                          enum status status)
{
    work->fault = (struct work_fault){.status = status, .item = UINT16_MAX};
    reply_error(&applier->replies, work);
}

static void applier_known(struct applier *applier, struct work *work)
{
    struct pipeline *pipeline = applier->pipeline;
    struct apply_outcome outcome;
    enum status status = apply_known(pipeline->parts.apply, &outcome, work);

    atomic_fetch_add(&pipeline->counts.duplicates, 1);
    if (status == ST_OK)
        reply_answer(&applier->replies, work, &outcome, &pipeline->signer);
    else
        applier_error(applier, work, status);
}

static void applier_work(struct applier *applier, struct work *work,
                         int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;
    struct apply_outcome outcome;
    enum status status =
        apply_entry(pipeline->parts.apply, &outcome, work, now_ms);

    if (status != ST_OK)
        pipeline_fail(pipeline, status, work->index, "applying an entry");
    applier_tell_leaf(applier);
    applier_count(pipeline, work);
    if (work->node_made)
        applier_own_applied(applier, work);
    reply_answer(&applier->replies, work, &outcome, &pipeline->signer);
}

/* Its entry may be committed all the same, by another node, and then it is
 * replayed: until then nobody knows of it. */
static void applier_give_up(struct applier *applier, struct work *work)
{
    const struct command_header *header = &work->command.header;

    idempotency_remove(applier->pipeline->parts.idempotency, header->key_id,
                       header->idem, work->index);
    applier_error(applier, work, ST_UNKNOWN_OUTCOME);
}

/* The first work of ${group} is done with. */
static void applier_done(struct applier *applier, struct group *group)
{
    struct work *work = group->works;

    group->works = work->next;
    work->next = applier->done;
    applier->done = work;
}

/* ---- Groups ------------------------------------------------------------- */

/* Begins a transaction unless one is open. */
static void applier_begin(struct applier *applier, int64_t now_ms)
{
    if (applier->in_transaction)
        return;
    apply_begin(applier->pipeline->parts.apply);
    applier->in_transaction = true;
    applier->begun_ms = now_ms;
}

/* Answers go, once others can see what they tell of. */
static void applier_deliver(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    const struct pipeline_events *events = &pipeline->parts.events;
    struct apply *apply = pipeline->parts.apply;
    struct attest *attest = apply_attest(apply);
    uint64_t size = apply_size(apply);

    apply_tell(apply);
    if (pipeline->watches.count > 0)
        watches_check(
            &pipeline->watches, pipeline->parts.state,
            act_day(pipeline->parts.state, clock_wall(&pipeline->parts.clock)));
    atomic_store(&pipeline->attested, attest_first(attest));
    atomic_store(&pipeline->unattested, attest_waiting(attest));
    pipeline_tell_state(pipeline);
    atomic_store(&pipeline->has_secret, apply_has_secret(apply));
    applier_publish(applier);
    if (size != atomic_exchange(&pipeline->size, size))
        events->grown(events->context, size);
    reply_deliver(&applier->replies, events);
    while (applier->done != NULL) {
        struct work *work = applier->done;

        applier->done = work->next;
        pipeline_end_work(pipeline, work);
    }
}

/* The oldest group is done with. */
static void applier_end_group(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct group *group = applier->groups[0];

    applier->groups_count--;
    memmove(applier->groups, applier->groups + 1,
            applier->groups_count * sizeof applier->groups[0]);
    atomic_fetch_add(&pipeline->counts.groups, 1);
    if (pipeline->parts.log != NULL) {
        atomic_fetch_sub(&pipeline->log_size, group->frames_size);
        if (group->term != applier->view.term)
            group = pipeline_replace(pipeline, group);
    }
    bool pushed = queue_push_wait(&pipeline->free_groups, group);
    INVARIANT(pushed);
    (void)pthread_mutex_lock(&pipeline->gate);
    pipeline->under_way--;
    (void)pthread_cond_signal(&pipeline->gate_changed);
    (void)pthread_mutex_unlock(&pipeline->gate);
}

/* Entries of ${group} below this are committed as they were submitted. */
static uint64_t applier_limit(const struct applier *applier,
                              const struct group *group)
{
    const struct pipeline_view *view = &applier->view;

    if (MUTANT(101) && !group->works->node_made)
        return UINT64_MAX;
    if (group->term == view->term || MUTANT(107))
        return view->committed;
    return group->term == view->ended_term ? view->ended_size : 0;
}

/* Whether anything came of the oldest group. */
static bool applier_group(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct group *group = applier->groups[0];
    uint64_t limit = applier_limit(applier, group);
    bool over = group->term != applier->view.term;
    int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);
    struct work *work;

    if (!over && !group->works->known && group->works->index >= limit)
        return false;
    applier_begin(applier, now_ms);
    while ((work = group->works) != NULL) {
        if (work->known)
            applier_known(applier, work);
        else if (work->index < limit)
            applier_work(applier, work, now_ms);
        else if (over)
            applier_give_up(applier, work);
        else
            break;
        applier_done(applier, group);
        if (erasure_waits(pipeline->parts.apply)) {
            applier_keep(applier);
            applier_begin(applier, now_ms);
        }
    }
    applier_deliver(applier);
    if (group->works == NULL)
        applier_end_group(applier);
    return true;
}

/* Who waits for what cannot be committed is told so once.  The works stay: if
 * another node has their entries, or the members come back, they are applied.
 */
static void applier_tell_cut_off(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;

    for (size_t i = 0; i < applier->groups_count; i++) {
        const struct group *group = applier->groups[i];

        for (struct work *work = group->works; work != NULL;
             work = work->next) {
            if (work->told)
                continue;
            applier_error(applier, work, ST_UNKNOWN_OUTCOME);
            work->told = true;
        }
    }
    reply_deliver(&applier->replies, &pipeline->parts.events);
}

/* ---- Entries of other nodes --------------------------------------------- */

/* As far as entries are committed and not in a group of this node. */
static uint64_t applier_replay_size(const struct applier *applier)
{
    uint64_t size = applier->view.committed;

    if (applier->pipeline->parts.log == NULL)
        return 0;
    for (size_t i = 0; i < applier->groups_count; i++) {
        const struct group *group = applier->groups[i];

        for (const struct work *work = group->works; work != NULL;
             work = work->next) {
            if (!work->known)
                return work->index < size ? work->index : size;
        }
    }
    return size;
}

static enum status applier_replay_entries(struct applier *applier,
                                          struct journal_cursor *cursor,
                                          uint64_t size)
{
    struct apply *apply = applier->pipeline->parts.apply;
    enum status status = ST_OK;
    struct slice entry;

    while (status == ST_OK && apply_size(apply) < size &&
           !erasure_waits(apply)) {
        status = journal_cursor_next(cursor, &entry);
        if (status == ST_CHAIN_BROKEN)
            status = ST_END; /* Cut off in between. */
        if (status == ST_OK)
            status = apply_replay(apply, entry);
        if (status == ST_OK)
            applier_tell_leaf(applier);
    }
    return status;
}

/* An entry that is damaged here is fetched from other nodes, and nothing of
 * this node's own waits for it; so is one that a node cut off which lost what
 * it knew to be committed. */
static bool applier_waits(const struct applier *applier, enum status status)
{
    return (status == ST_CHECKSUM || status == ST_CONTENT_GONE ||
            (status == ST_END && applier->pipeline->parts.log != NULL)) &&
           applier->groups_count == 0 && !MUTANT(112);
}

/* Some entries at a time; false if there are none. */
static bool applier_replay(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    uint64_t from = apply_size(pipeline->parts.apply);
    uint64_t size = applier_replay_size(applier);
    struct journal_cursor *cursor;
    enum status status;

    if (size <= from)
        return false;
    if (size - from > GROUP_ENTRIES_MAX)
        size = from + GROUP_ENTRIES_MAX;
    /* Anew each time: what lies above may be cut off in between. */
    status = journal_cursor_open(&cursor, pipeline->parts.journal, from);
    if (applier_waits(applier, status))
        return false;
    if (status != ST_OK)
        pipeline_fail(pipeline, status, from, "reading the log");
    applier_begin(applier, clock_boot_ms(&pipeline->parts.clock));
    status = applier_replay_entries(applier, cursor, size);
    journal_cursor_close(cursor);
    if (status != ST_OK && !applier_waits(applier, status))
        pipeline_fail(pipeline, status, apply_size(pipeline->parts.apply),
                      "applying an entry");
    if (status == ST_CONTENT_GONE)
        atomic_store(&pipeline->lacks, apply_size(pipeline->parts.apply) + 1);
    if (erasure_waits(pipeline->parts.apply))
        applier_keep(applier);
    applier_deliver(applier);
    return status == ST_OK;
}

/* ---- The thread --------------------------------------------------------- */

/* Groups share their transaction: each writes many of the same pages, and the
 * log already keeps what they did. */
static void applier_commit(struct applier *applier, int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;

    if (!applier->in_transaction ||
        now_ms - applier->begun_ms < PIPELINE_COMMIT_MS)
        return;
    apply_commit(pipeline->parts.apply);
    applier->in_transaction = false;
    state_checkpoint(pipeline->parts.state, false);
}

/* What the host said, and then the groups: a group is there before any of it
 * can be committed. */
static void applier_look(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    uint64_t term = applier->view.term;

    applier->view = pipeline_look(pipeline);
    applier->groups_count +=
        queue_take(&pipeline->to_apply, applier->groups + applier->groups_count,
                   PIPELINE_GROUPS - applier->groups_count, 0);
    if (applier->view.term == term)
        return;
    applier_own_begin(applier);
}

bool applier_turn(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    bool moved;

    applier_look(applier);
    moved = applier_replay(applier) ||
            (applier->groups_count > 0 && applier_group(applier));
    if (!moved && atomic_load(&pipeline->cut_off))
        applier_tell_cut_off(applier);
    int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);
    applier_places(applier);
    applier_commit(applier, now_ms);
    applier_bury(applier);
    applier_own(applier, now_ms);
    return moved;
}

void *pipeline_apply_main(void *argument)
{
    struct applier applier = {
        .pipeline = argument, .erase_ms = INT64_MIN, .confirm_ms = INT64_MIN};
    struct pipeline *pipeline = argument;

    while (!queue_ended(&pipeline->to_apply) || applier.groups_count > 0) {
        if (!applier_turn(&applier))
            queue_wait_any(&pipeline->to_apply, PIPELINE_TICK_MS);
    }
    if (applier.in_transaction)
        apply_commit(pipeline->parts.apply);
    state_checkpoint(pipeline->parts.state, true);
    return NULL;
}
