#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/host_private.h"

/* ---- Links -------------------------------------------------------------- */

static void link_up(void *context, size_t peer)
{
    struct replica_event event = {.type = REPLICA_LINK_UP, .peer = peer};

    host_step(context, &event);
    host_aside_linked(context, peer);
}

static void link_down(void *context, size_t peer)
{
    struct replica_event event = {.type = REPLICA_LINK_DOWN, .peer = peer};

    host_step(context, &event);
}

static void link_received(void *context, size_t peer, uint8_t type,
                          struct slice body)
{
    struct replica_event event = {.type = REPLICA_RECEIVED, .peer = peer};

    if (host_aside_received(context, peer, type, body))
        return;
    event.received.type = type;
    event.received.body = body;
    host_step(context, &event);
}

static void say(void *context, enum cluster_level level, const char *line)
{
    const struct host *host = context;

    host->calls.say(host->calls.context, level, line);
}

struct links_user host_links_user(struct host *host)
{
    return (struct links_user){host, link_up, link_down, link_received, say};
}

/* ---- The register ------------------------------------------------------- */

/* What it tells may come from within a call, so from within a step: it goes by
 * mail. */
struct register_mail {
    struct host_mail mail;
    struct replica_event event; /* Its view lies in ${view}. */
    struct register_view view;
};

static void deliver_register(struct host *host, struct host_mail *mail)
{
    struct register_mail *told = (struct register_mail *)mail;

    host_step(host, &told->event);
    free(told);
}

static struct register_mail *register_mail(enum replica_event_type type,
                                           const struct register_view *view)
{
    struct register_mail *told = calloc(1, sizeof *told);

    NEED(told != NULL);
    told->mail.deliver = deliver_register;
    told->event.type = type;
    if (view != NULL)
        told->view = *view;
    return told;
}

static void register_post(struct host *host, struct register_mail *told)
{
    if (!host_post(host, &told->mail))
        free(told);
}

static void register_seen(void *context, const struct register_view *view)
{
    struct register_mail *told = register_mail(REPLICA_VIEW, view);

    told->event.view = &told->view;
    register_post(context, told);
}

static void register_answered(void *context, uint64_t token,
                              enum register_outcome outcome,
                              const struct register_view *view)
{
    struct register_mail *told = register_mail(REPLICA_ANSWERED, view);

    told->event.answered.token = token;
    told->event.answered.outcome = outcome;
    told->event.answered.view = &told->view;
    register_post(context, told);
}

static void register_registered(void *context, bool higher, uint64_t number)
{
    struct register_mail *told = register_mail(REPLICA_REGISTERED, NULL);

    told->event.registered.higher = higher;
    told->event.registered.number = number;
    register_post(context, told);
}

static void register_looked(void *context, uint64_t number)
{
    struct register_mail *told = register_mail(REPLICA_LOOKED, NULL);

    told->event.number = number;
    register_post(context, told);
}

static void register_alive(void *context, const uint8_t *node_id, bool alive)
{
    struct register_mail *told = register_mail(REPLICA_ALIVE, NULL);

    memcpy(told->event.alive.node_id, node_id, NODE_ID_SIZE);
    told->event.alive.alive = alive;
    register_post(context, told);
}

struct cluster_register_events host_register_events(struct host *host)
{
    return (struct cluster_register_events){
        .context = host,
        .view = register_seen,
        .answered = register_answered,
        .registered = register_registered,
        .looked = register_looked,
        .alive = register_alive,
        .say = say,
    };
}

/* ---- The disk and the clock --------------------------------------------- */

void host_take_jobs(struct host *host)
{
    struct storage_job *jobs[HOST_JOBS_AT_ONCE];
    size_t count;

    do {
        count = disk_thread_take(host->disk_thread, jobs, HOST_JOBS_AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            struct replica_event event = {.type = REPLICA_JOB_DONE};

            event.job = jobs[i];
            host_step(host, &event);
        }
    } while (count == HOST_JOBS_AT_ONCE);
}

void host_tick(struct host *host)
{
    struct replica_event event = {.type = REPLICA_TICK};

    host_step(host, &event);
}

void host_tell_clocks(struct host *host, const struct replica_status *status)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    bool alone = true;

    /* The first one is this node itself. */
    for (size_t i = 1; i < status->nodes_count; i++) {
        const struct replica_member_status *node = &status->nodes[i];

        if (node->member)
            alone = false;
        if (!node->linked || node->heard_ms < 0)
            continue;
        least = node->clock_us < least ? node->clock_us : least;
        most = node->clock_us > most ? node->clock_us : most;
    }
    if (alone || least <= most)
        host->clock_checked = true;
    if (least > most && host->clock_checked) {
        least = INT64_MIN;
        most = INT64_MAX;
    }
    host->calls.peer_clock(host->calls.context, least, most);
}

/* A hung disk is a dead node, however well it talks: it lets its sign of life
 * go. */
static void tell_health(struct host *host, const struct replica_status *status)
{
    bool healthy = disk_thread_is_alive(host->disk_thread,
                                        host->options.replica.timers.sync_ms);

    if (host->healthy && !healthy)
        host_tell(host, CLUSTER_WARNING,
                  "the disk has not come forward for %u ms: this node counts "
                  "as dead",
                  host->options.replica.timers.sync_ms);
    host->healthy = healthy;
    host->reg.healthy(host->reg_self, healthy && status->healthy);
}

static void tell_enrolled(struct host *host)
{
    struct replica_event event = {.type = REPLICA_ENROLLED};

    event.enrolled = host->calls.enrolled(host->calls.context);
    if (event.enrolled == host->enrolled)
        return;
    host->enrolled = event.enrolled;
    host_step(host, &event);
}

void host_tell_status(struct host *host, struct replica_status *status_out)
{
    host->status_due = false;
    replica_status(host->replica, status_out, cluster_clock_ms());
    host->calls.status(host->calls.context, status_out);
}

void host_beat(struct host *host)
{
    struct replica_status status;

    host_tell_status(host, &status);
    tell_health(host, &status);
    host_tell_clocks(host, &status);
    tell_enrolled(host);
    if (host->draining && host->calls.idle(host->calls.context)) {
        struct replica_event event = {.type = REPLICA_DRAINED};

        host->draining = false;
        host_step(host, &event);
    }
}

/* ---- The pipeline ------------------------------------------------------- */

static void deliver_submission(struct host *host, struct host_mail *mail)
{
    struct host_submission *submission = (struct host_submission *)mail;
    bool taken = submission->epoch == host->lead_epoch;

    /* What an earlier term left in the mailbox belongs to no later one. */
    if (taken) {
        struct replica_event event = {.type = REPLICA_SUBMITTED};

        event.submitted.entries = submission->entries;
        event.submitted.count = submission->count;
        event.submitted.keyed = submission->keyed;
        host_step(host, &event);
    }
    submission->done(submission, taken);
}

void host_submit(struct host *host, struct host_submission *submission)
{
    REQUIRE(submission->epoch > 0 && submission->count > 0);
    submission->mail.deliver = deliver_submission;
    if (!host_post(host, &submission->mail))
        submission->done(submission, false);
}
