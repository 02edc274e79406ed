#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/replica_rig.h"

__attribute__((format(printf, 2, 3))) static void line(struct replica_rig *rig,
                                                       const char *format, ...)
{
    size_t room = RIG_TRACE_SIZE - rig->trace_size;
    va_list list;
    int size;

    va_start(list, format);
    size = vsnprintf(rig->trace + rig->trace_size, room, format, list);
    va_end(list);
    INVARIANT(size >= 0 && (size_t)size < room);
    rig->trace_size += (size_t)size;
}

/* ---- Frames ------------------------------------------------------------- */

static unsigned entries_count(struct slice rest)
{
    struct slice entry;
    unsigned count = 0;

    while (peer_next_entry(&entry, &rest))
        count++;
    return count;
}

static void trace_append(struct replica_rig *rig,
                         const struct peer_frame *frame)
{
    const struct peer_append *append = &frame->append;
    unsigned count = entries_count(frame->entries);

    line(rig,
         " epoch %" PRIu32 " stream %" PRIu32 " after %" PRIu64
         " entries %u committed %" PRIu64,
         append->epoch, append->stream, append->previous_size, count,
         append->committed);
}

static void trace_refused(struct replica_rig *rig,
                          const struct peer_refused *refused)
{
    static const char *const reasons[] = {"",     "higher",  "mismatch", "lost",
                                          "disk", "damaged", "older"};

    line(rig,
         " %s epoch %" PRIu32 " promised %" PRIu32 " size %" PRIu64
         " committed %" PRIu64,
         reasons[refused->reason], refused->epoch, refused->promised,
         refused->size, refused->committed);
}

static void trace_fetched(struct replica_rig *rig,
                          const struct peer_frame *frame)
{
    static const char *const results[] = {"", "entries", "never", "unsure"};

    line(rig, " %s first %" PRIu64, results[frame->fetched.result],
         frame->fetched.first);
    if (frame->entries.size > 0)
        line(rig, " count %u", entries_count(frame->entries));
}

static void trace_config(struct replica_rig *rig,
                         const struct peer_config *frame)
{
    struct config config;
    enum status status = config_decode(&config, frame->value);

    INVARIANT(status == ST_OK);
    line(rig, " number %" PRIu64 "%s", config.number,
         frame->certificate.size > 0 ? " certified" : "");
}

static void trace_fields(struct replica_rig *rig,
                         const struct peer_frame *frame)
{
    switch (frame->type) {
    case PEER_HELLO:
        line(rig,
             " incarnation %" PRIu64 " promised %" PRIu32 " size %" PRIu64
             " committed %" PRIu64 "%s%s",
             frame->hello.incarnation, frame->hello.promised, frame->hello.size,
             frame->hello.committed,
             (frame->hello.flags & PEER_LOST) != 0 ? " lost" : "",
             (frame->hello.flags & PEER_DAMAGED) != 0 ? " damaged" : "");
        break;
    case PEER_APPEND:
        trace_append(rig, frame);
        break;
    case PEER_APPENDED:
        line(rig, " epoch %" PRIu32 " stream %" PRIu32 " size %" PRIu64,
             frame->appended.epoch, frame->appended.stream,
             frame->appended.size);
        break;
    case PEER_REFUSED:
        trace_refused(rig, &frame->refused);
        break;
    case PEER_BEACON:
        line(rig, " epoch %" PRIu32 " committed %" PRIu64, frame->beacon.epoch,
             frame->beacon.committed);
        break;
    case PEER_BEACON_OK:
        line(rig, " epoch %" PRIu32 " sequence %" PRIu64,
             frame->beacon_ok.epoch, frame->beacon_ok.sequence);
        break;
    case PEER_NEWEPOCH:
        line(rig, " epoch %" PRIu32, frame->newepoch.epoch);
        break;
    case PEER_SEALED:
        line(rig, " epoch %" PRIu32 " size %" PRIu64 " committed %" PRIu64,
             frame->sealed.epoch, frame->sealed.size, frame->sealed.committed);
        break;
    case PEER_FETCH:
        line(rig, " first %" PRIu64 " count %" PRIu32, frame->fetch.first,
             frame->fetch.count);
        break;
    case PEER_FETCHED:
        trace_fetched(rig, frame);
        break;
    case PEER_CONFIG:
        trace_config(rig, &frame->config);
        break;
    case PEER_SCRUB:
        line(rig, " end %" PRIu64, frame->scrub.end);
        break;
    case PEER_SCRUBBED:
        line(rig, " end %" PRIu64 " result %u", frame->scrubbed.first,
             frame->scrubbed.result);
        break;
    case PEER_KEYS:
    case PEER_CHECKPOINT:
    case PEER_COSIGNED:
    case PEER_CONFIRM:
    case PEER_SNAPSHOT_ASK:
    case PEER_SNAPSHOT:
        break;
    }
}

static void trace_send(struct replica_rig *rig,
                       const struct replica_action *action)
{
    struct peer_frame frame;
    enum status status =
        peer_decode(&frame, action->send.type, action->send.body);

    /* Nothing goes out that the other side would call garbage. */
    INVARIANT(status == ST_OK);
    line(rig, "send %c %s", rig->peers[action->peer],
         peer_info(action->send.type)->name);
    trace_fields(rig, &frame);
    line(rig, "\n");
}

/* ---- The others --------------------------------------------------------- */

static void trace_job(struct replica_rig *rig, const struct storage_job *job)
{
    line(rig, "job %s", storage_job_name(job->type));
    switch (job->type) {
    case STORAGE_APPEND:
        line(rig, " %zu", job->entries_count);
        break;
    case STORAGE_MARK:
        line(rig, " %" PRIu64, job->committed);
        break;
    case STORAGE_PROMISE:
    case STORAGE_USE:
        line(rig, " %" PRIu32, job->epoch);
        break;
    case STORAGE_RISE:
    case STORAGE_CLAIM:
    case STORAGE_CUT:
    case STORAGE_EXAMINE:
        line(rig, " %" PRIu64, job->size);
        break;
    case STORAGE_CONFIGURE:
    case STORAGE_FORCE:
        line(rig, " %" PRIu64, job->config_number);
        break;
    case STORAGE_REPAIR:
        line(rig, " %" PRIu64 "+%zu", job->size, job->entries_count);
        break;
    case STORAGE_HALT:
        line(rig, " %" PRIu64 " evidence %zu", job->halt.index,
             job->halt.evidence.size);
        break;
    case STORAGE_LOST:
        break;
    case STORAGE_FOUND:
        line(rig, "%s", job->proven ? " proven" : "");
        break;
    }
    line(rig, "\n");
}

static void trace_ask(struct replica_rig *rig,
                      const struct replica_action *action)
{
    const struct register_proposal *ask = action->ask.proposal;
    struct config config;
    enum status status;

    if (action->ask.call == REGISTER_READ) {
        line(rig, "ask read\n");
    } else if (action->ask.call == REGISTER_LOOK) {
        line(rig, "ask look\n");
    } else if (action->ask.call == REGISTER_INCARNATION) {
        line(rig, "ask incarnation %" PRIu64 "\n", action->ask.incarnation);
    } else {
        status = config_decode(&config, slice_of(ask->value, ask->value_size));
        INVARIANT(status == ST_OK);
        line(rig, "ask %s %" PRIu64 " epoch %" PRIu32 " at %" PRIu64,
             config_why_name(config.why), config.number, config.epoch,
             ask->revision);
        for (size_t i = 0; i < ask->guards_count; i++)
            line(rig, " guard %c=%" PRIu64, ask->guards[i].node_id[0],
                 ask->guards[i].incarnation);
        if (ask->guard_alive)
            line(rig, " unless %c lives", ask->alive[0]);
        line(rig, "\n");
    }
}

static void trace_say(struct replica_rig *rig,
                      const struct replica_action *action)
{
    static const char *const names[] = {
        "role",        "leads",   "stalled", "resumed",  "dropped", "added",
        "cut",         "lost",    "found",   "repaired", "rot",     "register",
        "certificate", "peer",    "halt",    "clock",    "want",    "dispute",
        "unkept",      "lineage", "forced"};
    const uint8_t node = action->say.node_id[0];

    if (action->say.note == NOTE_ROLE)
        line(rig, "say %s\n",
             replica_role_name((enum replica_role)action->say.number));
    else if (node != 0)
        line(rig, "say %s %c %" PRIu64 "\n", names[action->say.note], node,
             action->say.number);
    else
        line(rig, "say %s %" PRIu64 "\n", names[action->say.note],
             action->say.number);
}

void lone_trace_action(struct replica_rig *rig,
                       const struct replica_action *action)
{
    switch (action->type) {
    case REPLICA_SEND:
        trace_send(rig, action);
        break;
    case REPLICA_SEND_KEYS:
        line(rig, "keys %c %" PRIu64 "+%" PRIu64 "\n", rig->peers[action->peer],
             action->keys.first, action->keys.count);
        break;
    case REPLICA_DROP_LINK:
        line(rig, "drop %c\n", rig->peers[action->peer]);
        break;
    case REPLICA_JOB:
        trace_job(rig, action->job);
        break;
    case REPLICA_ASK:
        trace_ask(rig, action);
        break;
    case REPLICA_COMMIT:
        line(rig, "commit %" PRIu64 "\n", action->size);
        break;
    case REPLICA_LEAD:
        line(rig, "lead epoch %" PRIu32 " at %" PRIu64 "%s\n",
             action->lead.epoch, action->lead.end.size,
             action->lead.certificate.size > 0 ? " certified" : "");
        break;
    case REPLICA_FOLLOW:
        line(rig, "follow\n");
        break;
    case REPLICA_DRAIN:
        line(rig, "drain %s\n", action->on ? "on" : "off");
        break;
    case REPLICA_VERIFY:
        line(rig, "verify %zu bytes\n", action->certificate.size);
        break;
    case REPLICA_HALT:
        line(rig, "halt %d\n", (int)action->halt);
        break;
    case REPLICA_RESTART:
        line(rig, "restart\n");
        break;
    case REPLICA_SAY:
        trace_say(rig, action);
        break;
    }
}

void lone_trace_done(struct replica_rig *rig, const struct storage_job *job)
{
    if (job->status != ST_OK)
        line(rig, "job %s fails: %s\n", storage_job_name(job->type),
             status_name(job->status));
}
