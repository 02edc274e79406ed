#include "tests/lib/replica_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_STEP_MS = 100 };

/* ---- Its life ----------------------------------------------------------- */

static struct journal_options journal_options(const struct replica_rig *rig)
{
    return (struct journal_options){
        .segment_size = rig->segment_size,
        .incarnation = rig->meta.value.incarnation,
        .epoch = rig->meta.value.promised_epoch,
        .repair = true,
        .aside_size_max = rig->aside_size_max,
    };
}

static void begin_options(struct replica_rig *rig, const char *nodes)
{
    struct replica_options *options = &rig->options;

    memcpy(options->node_id, sample_node(rig->self), NODE_ID_SIZE);
    sample_cluster_id(options->cluster_id);
    memset(options->lineage, 0x11, LINEAGE_SIZE);
    options->archive = rig->self == 'Z';
    options->automatic = true;
    options->first = rig->self == 'A';
    options->minimum = 2;
    options->timers = replica_timers_lan;
    options->timers.scrub_ms = 0;
    for (; *nodes != '\0'; nodes++) {
        struct replica_peer_option *peer;

        if (*nodes == rig->self)
            continue;
        rig->peers[options->peers_count] = *nodes;
        peer = &options->peers[options->peers_count++];
        memcpy(peer->node_id, sample_node(*nodes), NODE_ID_SIZE);
        peer->archive = *nodes == 'Z';
    }
}

void lone_begin(struct replica_rig *rig, char self, const char *nodes)
{
    struct meta_value value = {.incarnation = 0};
    struct journal_options options;
    enum status status;

    memset(rig, 0, sizeof *rig);
    rig->self = self;
    rig->segment_size = RIG_SEGMENT;
    rig->now_ms = 1000000;
    rig->wall_us = SAMPLE_SIGNED_AT;
    begin_options(rig, nodes);
    rig->model = disk_model_new();
    options = journal_options(rig);
    status = journal_create(disk_model_disk(rig->model), &options);
    ck_assert_int_eq(status, ST_OK);
    memcpy(value.node_id, rig->options.node_id, NODE_ID_SIZE);
    memcpy(value.cluster_id, rig->options.cluster_id, CLUSTER_ID_SIZE);
    memcpy(value.lineage, rig->options.lineage, LINEAGE_SIZE);
    status = meta_create(disk_model_disk(rig->model), &value);
    ck_assert_int_eq(status, ST_OK);
}

void lone_stop(struct replica_rig *rig)
{
    replica_close(rig->replica);
    rig->replica = NULL;
    journal_close(rig->journal);
    rig->journal = NULL;
    meta_close(&rig->meta);
    rig->jobs_count = 0;
    rig->leads = false;
    rig->published = 0;
}

void lone_lose_power(struct replica_rig *rig)
{
    lone_stop(rig);
    disk_model_lose_power(rig->model, NULL, 0, false, SIZE_MAX);
}

void lone_end(struct replica_rig *rig)
{
    lone_stop(rig);
    lone_forget(rig);
    disk_model_free(rig->model);
    rig->model = NULL;
}

enum status lone_try_open(struct replica_rig *rig)
{
    struct disk *disk = disk_model_disk(rig->model);
    struct journal_options options;
    struct replica_parts parts;
    enum status status = meta_open(&rig->meta, disk);

    if (status == ST_OK)
        status = meta_begin(&rig->meta);
    if (status != ST_OK)
        return status;
    options = journal_options(rig);
    status = journal_open(&rig->journal, &rig->report, disk, &options);
    if (status != ST_OK)
        return status;
    rig->storage = (struct storage){
        .disk = disk, .journal = rig->journal, .meta = &rig->meta};
    parts = (struct replica_parts){
        .journal = rig->journal,
        .meta = &rig->meta.value,
        .report = &rig->report,
    };
    status = halt_cause(&parts.halted, disk);
    if (status != ST_OK)
        return status;
    return replica_open(&rig->replica, &rig->options, &parts);
}

void lone_open(struct replica_rig *rig)
{
    ck_assert_int_eq(lone_try_open(rig), ST_OK);
}

void lone_start(struct replica_rig *rig)
{
    struct replica_event enrolled = {.type = REPLICA_ENROLLED,
                                     .enrolled = true};

    lone_open(rig);
    lone_event(rig, &enrolled);
    lone_tick(rig, 1);
    if (!rig->options.automatic)
        return;
    lone_looked(rig, rig->meta.value.claimed);
    lone_registered(rig);
    lone_see(rig);
    lone_work(rig);
}

/* ---- Doing what it wants ------------------------------------------------ */

static void take_send(struct replica_rig *rig,
                      const struct replica_action *action)
{
    struct lone_send *send = &rig->sends[rig->sends_count++];

    INVARIANT(rig->sends_count <= RIG_SENDS_MAX);
    send->to = rig->peers[action->peer];
    send->type = action->send.type;
    send->size = action->send.body.size;
    send->bytes = malloc(send->size + 1);
    ck_assert_ptr_nonnull(send->bytes);
    memcpy(send->bytes, action->send.body.data, send->size);
}

static void take(struct replica_rig *rig, const struct replica_action *action)
{
    switch (action->type) {
    case REPLICA_SEND:
        take_send(rig, action);
        break;
    case REPLICA_JOB:
        INVARIANT(rig->jobs_count < RIG_JOBS_MAX);
        rig->jobs[rig->jobs_count++] = action->job;
        break;
    case REPLICA_ASK:
        if (action->ask.call != REGISTER_CAS)
            break;
        rig->asked = *action->ask.proposal;
        rig->asked_count++;
        break;
    case REPLICA_COMMIT:
        /* It never falls, and what is told is there to be read. */
        INVARIANT(action->size >= rig->published);
        INVARIANT(action->size <= journal_size(rig->journal));
        rig->published = action->size;
        break;
    case REPLICA_LEAD:
        rig->leads = true;
        rig->epoch = action->lead.epoch;
        rig->end = action->lead.end;
        break;
    case REPLICA_FOLLOW:
    case REPLICA_HALT:
        rig->leads = false;
        break;
    case REPLICA_SEND_KEYS:
    case REPLICA_DROP_LINK:
    case REPLICA_DRAIN:
    case REPLICA_VERIFY:
    case REPLICA_RESTART:
    case REPLICA_SAY:
        break;
    }
}

void lone_event(struct replica_rig *rig, struct replica_event *event)
{
    event->now_ms = rig->now_ms;
    event->wall_us = rig->wall_us;
    struct replica_actions actions;

    replica_actions_init(&actions);
    replica_step(rig->replica, &actions, event);
    replica_check(rig->replica);
    for (size_t i = 0; i < actions.count; i++) {
        size_t from = rig->trace_size;

        lone_trace_action(rig, &actions.list[i]);
        if (getenv("DEFTER_TRACE") != NULL)
            fputs(rig->trace + from, stderr);
        take(rig, &actions.list[i]);
    }
    replica_actions_wipe(&actions);
}

void lone_tick(struct replica_rig *rig, int64_t ms)
{
    struct replica_event event = {.type = REPLICA_TICK};

    rig->now_ms += ms;
    rig->wall_us += ms * 1000;
    lone_event(rig, &event);
}

void lone_pass(struct replica_rig *rig, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += RIG_STEP_MS)
        lone_tick(rig, RIG_STEP_MS);
}

size_t lone_peer(const struct replica_rig *rig, char peer)
{
    for (size_t i = 0; i < rig->options.peers_count; i++) {
        if (rig->peers[i] == peer)
            return i;
    }
    INVARIANT(false);
    return 0;
}

void lone_link(struct replica_rig *rig, char peer)
{
    struct replica_event event = {.type = REPLICA_LINK_UP,
                                  .peer = lone_peer(rig, peer)};

    lone_event(rig, &event);
}

void lone_unlink(struct replica_rig *rig, char peer)
{
    struct replica_event event = {.type = REPLICA_LINK_DOWN,
                                  .peer = lone_peer(rig, peer)};

    lone_event(rig, &event);
}

void lone_receive_bytes(struct replica_rig *rig, char peer, uint8_t type,
                        struct slice body)
{
    struct replica_event event = {.type = REPLICA_RECEIVED,
                                  .peer = lone_peer(rig, peer)};

    event.received.type = type;
    event.received.body = body;
    lone_event(rig, &event);
}

void lone_receive(struct replica_rig *rig, char peer,
                  const struct peer_frame *frame)
{
    static uint8_t bytes[FRAME_BODY_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    peer_encode(&writer, frame);
    ck_assert_int_eq(writer.status, ST_OK);
    lone_receive_bytes(rig, peer, (uint8_t)frame->type, writer_slice(&writer));
}

void lone_jobs(struct replica_rig *rig, size_t count)
{
    struct storage_job *done[RIG_JOBS_MAX];

    if (count > rig->jobs_count)
        count = rig->jobs_count;
    storage_run(&rig->storage, rig->jobs, count);
    memcpy(done, rig->jobs, count * sizeof done[0]);
    rig->jobs_count -= count;
    memmove(rig->jobs, rig->jobs + count,
            rig->jobs_count * sizeof rig->jobs[0]);
    for (size_t i = 0; i < count; i++) {
        struct replica_event event = {.type = REPLICA_JOB_DONE};

        if (done[i]->status == ST_DISK_FAILED) {
            rig->disk_failed = true;
            return;
        }
        lone_trace_done(rig, done[i]);
        event.job = done[i];
        lone_event(rig, &event);
    }
}

void lone_forget_recent(struct replica_rig *rig)
{
    struct replica_log *log = &rig->replica->log;

    while (log->recent.count > 0) {
        struct replica_batch *batch = replica_recent_at(&log->recent, 0);

        ck_assert_uint_eq(batch->holds, 0);
        replica_recent_drop_oldest(&log->recent);
        log->recent_size -= batch->size;
        free(batch);
    }
    log->recent_first = log->end.size;
}

void lone_work(struct replica_rig *rig)
{
    while (rig->jobs_count > 0 && !rig->disk_failed)
        lone_jobs(rig, rig->jobs_count);
}

/* ---- What it did -------------------------------------------------------- */

void lone_forget(struct replica_rig *rig)
{
    for (size_t i = 0; i < rig->sends_count; i++)
        free(rig->sends[i].bytes);
    rig->sends_count = 0;
    rig->trace_size = 0;
    rig->trace[0] = '\0';
}

void lone_expect(struct replica_rig *rig, const char *text)
{
    ck_assert_str_eq(rig->trace, text);
    lone_forget(rig);
}

size_t lone_count(const struct replica_rig *rig, const char *text)
{
    const char *at = rig->trace;
    size_t size = strlen(text), count = 0;

    while (*at != '\0') {
        count += strncmp(at, text, size) == 0;
        at = strchr(at, '\n') + 1;
    }
    return count;
}

bool lone_did(const struct replica_rig *rig, const char *text)
{
    return lone_count(rig, text) > 0;
}

bool lone_sent(const struct replica_rig *rig, struct peer_frame *out, char peer,
               enum peer_number type)
{
    for (size_t i = rig->sends_count; i > 0; i--) {
        const struct lone_send *send = &rig->sends[i - 1];

        if (send->to == peer && send->type == type)
            return peer_decode(out, send->type,
                               slice_of(send->bytes, send->size)) == ST_OK;
    }
    return false;
}

struct replica_status lone_status(const struct replica_rig *rig)
{
    struct replica_status status;

    replica_status(rig->replica, &status, rig->now_ms);
    return status;
}

enum replica_role lone_role(const struct replica_rig *rig)
{
    return lone_status(rig).role;
}
