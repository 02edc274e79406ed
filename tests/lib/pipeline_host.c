#include "tests/lib/pipeline_host.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <check.h>

#include "protocol/entry.h"

void pipeline_host_nap(void)
{
    enum { NAP_NS = 1000000 };

    (void)nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

void pipeline_host_nap_long(void)
{
    for (int i = 0; i < 50; i++)
        pipeline_host_nap();
}

/* ---- What the pipeline calls -------------------------------------------- */

static void host_on_submit(void *context, struct group *group, bool keyed)
{
    struct pipeline_host *host = context;

    (void)pthread_mutex_lock(&host->lock);
    ck_assert_uint_lt(host->groups_count, HOST_GROUPS_MAX);
    host->groups[host->groups_count++] = group;
    host->keyed = host->keyed || keyed;
    (void)pthread_mutex_unlock(&host->lock);
}

static void host_on_answer(void *context, uint32_t loop, struct reply *replies)
{
    struct pipeline_host *host = context;

    (void)loop;
    (void)pthread_mutex_lock(&host->lock);
    while (replies != NULL) {
        struct reply *next = replies->next;
        uint64_t id = replies->request_id;
        struct receipt receipt = {.index = 0};

        ck_assert_uint_lt(id, HOST_ANSWERS_MAX);
        if ((replies->flags & REPLY_RECEIPT) != 0)
            ck_assert_int_eq(receipt_decode(&receipt, replies->receipt), ST_OK);
        host->times[id]++;
        host->answers[id] = (struct pipeline_host_answer){
            .is_error = replies->is_error,
            .flags = replies->flags,
            .code = replies->code,
            .index = receipt.index,
        };
        reply_close(replies);
        replies = next;
    }
    (void)pthread_mutex_unlock(&host->lock);
}

static void host_on_grown(void *context, uint64_t size)
{
    struct pipeline_host *host = context;

    (void)size;
    (void)pthread_mutex_lock(&host->growth);
    (void)pthread_mutex_unlock(&host->growth);
}

static void host_on_key_ended(void *context, const uint8_t key_id[KEY_ID_SIZE])
{
    (void)context;
    (void)key_id;
}

static void host_on_failed(void *context, enum status status, uint64_t index,
                           const char *what)
{
    (void)context;
    (void)index;
    ck_abort_msg("%s: %s", what, status_name(status));
}

atomic_int pipeline_host_doubts;

static void host_on_clock(bool doubted)
{
    atomic_fetch_add(&pipeline_host_doubts, doubted ? 1 : -1);
}

static int64_t host_wall(void *context)
{
    struct pipeline_host *host = context;

    return host->rig.wall + atomic_load(&host->passed) +
           atomic_load(&host->leapt);
}

static int64_t host_boot(void *context)
{
    struct pipeline_host *host = context;

    return host->rig.boot + atomic_load(&host->passed);
}

/* ---- Opening ------------------------------------------------------------ */

void pipeline_host_open(struct pipeline_host *host)
{
    pipeline_host_open_as(host, NULL);
}

static void host_on_lost(void *context, uint64_t count)
{
    struct pipeline_host *host = context;

    host->lost += count;
}

void pipeline_host_open_as(struct pipeline_host *host,
                           const struct identity *node)
{
    pipeline_host_open_forced(host, node, 0);
}

void pipeline_host_open_forced(struct pipeline_host *host,
                               const struct identity *node, uint64_t size)
{
    memset(host, 0, sizeof *host);
    rig_open_bare(&host->rig);
    if (node != NULL)
        host->rig.node = *node;
    host->takes = true;
    host->committed = journal_size(host->rig.journal);
    host->log =
        (struct pipeline_log){.context = host, .submit = host_on_submit};
    ck_assert_int_eq(pthread_mutex_init(&host->lock, NULL), 0);
    ck_assert_int_eq(pthread_mutex_init(&host->growth, NULL), 0);
    struct rig *rig = &host->rig;
    struct pipeline_parts parts = {
        .journal = rig->journal,
        .keyring = rig->keyring,
        .state = rig->state,
        .search = rig->search,
        .directory = rig->keys,
        .apply = rig->apply,
        .idempotency = rig->idempotency,
        .identity = &rig->node,
        .clock = {host, host_wall, host_boot},
        .events = {host, host_on_answer, host_on_grown, host_on_key_ended},
        .log = &host->log,
        .lost_below = size,
        .lost_context = host,
        .lost_taken = host_on_lost,
        .clock_doubted = host_on_clock,
        .failed = host_on_failed,
    };
    memcpy(parts.cluster_id, rig->cluster_id, CLUSTER_ID_SIZE);
    apply_load_directory(rig->apply);
    host->pipeline = pipeline_open(&parts);
    ck_assert_int_eq(pipeline_start(host->pipeline), ST_OK);
}

void pipeline_host_stop(struct pipeline_host *host)
{
    if (host->pipeline == NULL)
        return;
    /* It would wait for what nobody commits. */
    pipeline_follow(host->pipeline);
    pipeline_drain(host->pipeline);
    pipeline_host_drop(host);
    pipeline_close(host->pipeline);
    host->pipeline = NULL;
}

void pipeline_host_close(struct pipeline_host *host)
{
    pipeline_host_stop(host);
    rig_close(&host->rig);
    (void)pthread_mutex_destroy(&host->growth);
    (void)pthread_mutex_destroy(&host->lock);
}

/* ---- The role ----------------------------------------------------------- */

void pipeline_host_win(struct pipeline_host *host)
{
    struct pipeline_lead lead = {
        .end = journal_end(host->rig.journal),
        .configuration = host->configuration,
    };

    host->epoch = (host->epoch > lead.end.epoch ? host->epoch : lead.end.epoch);
    lead.epoch = ++host->epoch;
    pipeline_lead(host->pipeline, &lead);
}

void pipeline_host_lead(struct pipeline_host *host)
{
    uint64_t size = journal_size(host->rig.journal);

    pipeline_host_win(host);
    pipeline_host_run_to(host, size + 1);
    /* The pipeline says so when commands are taken. */
    for (;;) {
        struct work *work = pipeline_host_ping(host);
        enum status status = pipeline_host_submit(host, 0, work);

        if (status == ST_OK)
            break;
        ck_assert_int_eq(status, ST_NOT_PRIMARY);
        work_close(work);
        pipeline_host_nap();
    }
    while (!pipeline_idle(host->pipeline)) {
        pipeline_host_write(host);
        pipeline_host_commit(host);
        atomic_fetch_add(&host->passed, RIG_SECOND);
        pipeline_host_nap();
    }
    host->times[0] = 0;
}

void pipeline_host_follow(struct pipeline_host *host)
{
    pipeline_follow(host->pipeline);
}

/* ---- Groups ------------------------------------------------------------- */

size_t pipeline_host_held(struct pipeline_host *host)
{
    size_t count;

    (void)pthread_mutex_lock(&host->lock);
    count = host->groups_count;
    (void)pthread_mutex_unlock(&host->lock);
    return count;
}

static bool host_is_own(const struct group *group)
{
    for (const struct work *work = group->works; work != NULL;
         work = work->next) {
        if (!work->node_made)
            return false;
    }
    return true;
}

static bool host_holds_command(struct pipeline_host *host)
{
    bool holds = false;

    (void)pthread_mutex_lock(&host->lock);
    for (size_t i = 0; i < host->groups_count; i++)
        holds = holds || !host_is_own(host->groups[i]);
    (void)pthread_mutex_unlock(&host->lock);
    return holds;
}

void pipeline_host_hold(struct pipeline_host *host, size_t count)
{
    while (pipeline_host_held(host) < count)
        pipeline_host_nap();
}

void pipeline_host_hold_command(struct pipeline_host *host)
{
    while (!host_holds_command(host))
        pipeline_host_nap();
}

static struct group *host_next(struct pipeline_host *host)
{
    struct group *group = NULL;

    (void)pthread_mutex_lock(&host->lock);
    if (host->groups_count > 0) {
        group = host->groups[0];
        host->groups_count--;
        memmove(host->groups, host->groups + 1,
                host->groups_count * sizeof host->groups[0]);
    }
    (void)pthread_mutex_unlock(&host->lock);
    return group;
}

void pipeline_host_write(struct pipeline_host *host)
{
    struct journal *journal = host->rig.journal;
    struct group *group;
    bool wrote = false;

    while ((group = host_next(host)) != NULL) {
        if (group->epoch == host->epoch) {
            ck_assert_int_eq(
                journal_append(journal, group->entries, group->entries_count),
                ST_OK);
            wrote = true;
        }
        if (host->takes)
            pipeline_taken(host->pipeline, group);
    }
    if (wrote)
        ck_assert_int_eq(journal_sync(journal, host->committed), ST_OK);
}

void pipeline_host_drop(struct pipeline_host *host)
{
    struct group *group;

    while ((group = host_next(host)) != NULL) {
        if (host->takes)
            pipeline_taken(host->pipeline, group);
    }
}

void pipeline_host_commit_to(struct pipeline_host *host, uint64_t size)
{
    host->committed = size;
    pipeline_committed(host->pipeline, size);
}

void pipeline_host_commit(struct pipeline_host *host)
{
    pipeline_host_commit_to(host, journal_size(host->rig.journal));
}

void pipeline_host_wait_applied(struct pipeline_host *host, uint64_t size)
{
    while (pipeline_size(host->pipeline) < size)
        pipeline_host_nap();
}

void pipeline_host_run_to(struct pipeline_host *host, uint64_t size)
{
    while (pipeline_size(host->pipeline) < size) {
        pipeline_host_write(host);
        pipeline_host_commit(host);
        pipeline_host_nap();
    }
}

/* ---- Commands ----------------------------------------------------------- */

struct work *pipeline_host_ping(struct pipeline_host *host)
{
    static struct rig_command command;
    struct op_system_ping fields = {.text = slice_of("p", 1)};

    rig_begin(&host->rig, &command);
    rig_item(&host->rig, &command, OPCODE_SYSTEM_PING, 0, 0, &fields);
    command.header.flags = COMMAND_FLAG_RECEIPT;
    return rig_finish(&host->rig, &command, &host->rig.admin);
}

struct work *pipeline_host_again(const struct work *work)
{
    struct work *again = work_open(&work->command, &work->origin);

    ck_assert_ptr_nonnull(again);
    return again;
}

enum status pipeline_host_submit(struct pipeline_host *host,
                                 uint64_t request_id, struct work *work)
{
    work->origin.request_id = request_id;
    return pipeline_submit(host->pipeline, work);
}

unsigned pipeline_host_answered(struct pipeline_host *host, uint64_t request_id)
{
    unsigned times;

    (void)pthread_mutex_lock(&host->lock);
    times = host->times[request_id];
    (void)pthread_mutex_unlock(&host->lock);
    return times;
}

static void host_read_answer(struct pipeline_host *host, uint64_t request_id,
                             struct pipeline_host_answer *out)
{
    (void)pthread_mutex_lock(&host->lock);
    ck_assert_uint_eq(host->times[request_id], 1);
    *out = host->answers[request_id];
    (void)pthread_mutex_unlock(&host->lock);
}

void pipeline_host_answer(struct pipeline_host *host, uint64_t request_id,
                          struct pipeline_host_answer *out)
{
    while (pipeline_host_answered(host, request_id) == 0)
        pipeline_host_nap();
    host_read_answer(host, request_id, out);
}

void pipeline_host_answer_run(struct pipeline_host *host, uint64_t request_id,
                              struct pipeline_host_answer *out)
{
    while (pipeline_host_answered(host, request_id) == 0) {
        pipeline_host_write(host);
        pipeline_host_commit(host);
        pipeline_host_nap();
    }
    host_read_answer(host, request_id, out);
}

uint64_t pipeline_host_run_ping(struct pipeline_host *host, uint64_t request_id)
{
    struct pipeline_host_answer answer;

    ck_assert_int_eq(
        pipeline_host_submit(host, request_id, pipeline_host_ping(host)),
        ST_OK);
    pipeline_host_answer_run(host, request_id, &answer);
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_OK);
    return answer.index;
}

/* ---- What stands in the log --------------------------------------------- */

uint16_t pipeline_host_opcode(struct pipeline_host *host, uint64_t index)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct slice bytes;
    struct entry entry;
    struct item item;

    ck_assert_int_eq(
        journal_read_entry(host->rig.journal, &bytes, buffer, index), ST_OK);
    ck_assert_int_eq(entry_decode(&entry, bytes), ST_OK);
    entry_item(&item, &entry, 0);
    return item.clear_part.opcode;
}

size_t pipeline_host_count(struct pipeline_host *host, uint16_t opcode)
{
    size_t count = 0;

    for (uint64_t i = 0; i < journal_size(host->rig.journal); i++)
        count += pipeline_host_opcode(host, i) == opcode;
    return count;
}

void pipeline_host_check_replay(struct pipeline_host *host)
{
    struct rig *rig = &host->rig;
    uint8_t running[HASH_SIZE];

    pipeline_host_commit(host);
    pipeline_host_wait_applied(host, journal_size(rig->journal));
    pipeline_host_stop(host);
    memcpy(running, state_head(rig->state)->digest, HASH_SIZE);
    rig->epoch = journal_end(rig->journal).epoch;
    ck_assert_int_eq(rig_restart(rig, false), ST_OK);
    ck_assert_mem_eq(running, state_head(rig->state)->digest, HASH_SIZE);
}

/* ---- Between nodes ------------------------------------------------------ */

static enum status host_take(struct pipeline_host *to, struct storage_job *job)
{
    struct journal *journal = to->rig.journal;
    enum status status = pipeline_accept(to->pipeline, job);

    if (status != ST_OK)
        return status;
    ck_assert_int_eq(journal_append(journal, job->entries, job->entries_count),
                     ST_OK);
    ck_assert_int_eq(journal_sync(journal, to->committed), ST_OK);
    return ST_OK;
}

/* One entry a job; keys of two frames. */
static enum status host_ship_entry(struct pipeline_host *to,
                                   struct pipeline_host *from, uint64_t index,
                                   uint8_t *buffer)
{
    uint8_t rows[2][4 * KEYRING_ROW_SIZE];
    struct keyring_cursor cursor = {.first_index = index};
    struct slice keys[2];
    struct journal_entry entry;
    struct storage_job job = {
        .type = STORAGE_APPEND,
        .entries = &entry,
        .entries_count = 1,
        .keys = keys,
        .verify_keys = true,
    };

    ck_assert_int_eq(
        journal_read_entry(from->rig.journal, &entry.bytes, buffer, index),
        ST_OK);
    entry_leaf_hash(entry.leaf, entry.bytes);
    for (size_t i = 0; i < 2; i++) {
        size_t size = pipeline_keys(from->pipeline, rows[i], sizeof rows[i],
                                    &cursor, index + 1);

        if (size == 0)
            break;
        keys[job.keys_count++] = slice_of(rows[i], size);
    }
    return host_take(to, &job);
}

enum status pipeline_host_ship(struct pipeline_host *to,
                               struct pipeline_host *from)
{
    uint8_t *buffer = malloc(JOURNAL_READ_SIZE);
    enum status status = ST_OK;

    ck_assert_ptr_nonnull(buffer);
    while (status == ST_OK &&
           journal_size(to->rig.journal) < journal_size(from->rig.journal))
        status =
            host_ship_entry(to, from, journal_size(to->rig.journal), buffer);
    free(buffer);
    return status;
}
