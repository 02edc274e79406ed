#include "server/cluster/host.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "replication/need.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/host_private.h"

enum { CALLBACKS_PER_POLL = 16 };

/* ---- The mailbox -------------------------------------------------------- */

static void wake(struct host *host)
{
    const uint64_t one = 1;

    /* EAGAIN means the counter is full: the host is awake anyway. */
    if (write(host->wake_fd, &one, sizeof one) < 0)
        MAYBE(errno == EAGAIN);
}

bool host_post(struct host *host, struct host_mail *mail)
{
    bool taken;

    REQUIRE(mail->deliver != NULL);
    mail->next = NULL;
    (void)pthread_mutex_lock(&host->lock);
    taken = !host->stopping;
    if (taken) {
        *host->mail_last = mail;
        host->mail_last = &mail->next;
    }
    (void)pthread_mutex_unlock(&host->lock);
    if (taken)
        wake(host);
    return taken;
}

static struct host_mail *take_mail(struct host *host, bool *stopping_out)
{
    struct host_mail *mail;

    (void)pthread_mutex_lock(&host->lock);
    mail = host->mail_first;
    host->mail_first = NULL;
    host->mail_last = &host->mail_first;
    *stopping_out = host->stopping;
    (void)pthread_mutex_unlock(&host->lock);
    return mail;
}

static void deliver(struct host *host, struct host_mail *mail)
{
    while (mail != NULL) {
        struct host_mail *next = mail->next;

        mail->deliver(host, mail);
        mail = next;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    struct host *host = argument;
    struct host_mail *mail;
    uint64_t count;
    bool stopping;

    (void)what;
    if (read(fd, &count, sizeof count) < 0)
        MAYBE(errno == EAGAIN); /* Woken twice for one post. */
    mail = take_mail(host, &stopping);
    host_take_jobs(host);
    deliver(host, mail);
    host_settle(host);
    if (stopping)
        (void)event_base_loopbreak(host->base);
}

/* On the disk thread. */
static void jobs_done(void *context)
{
    wake(context);
}

static void disk_failed(void *context, enum status status, const char *what)
{
    struct host *host = context;

    host->calls.failed(host->calls.context, status, what);
    abort();
}

/* ---- Timers ------------------------------------------------------------- */

static void arm(struct event *event, int64_t delay_ms)
{
    struct timeval delay = {delay_ms / 1000,
                            (suseconds_t)(delay_ms % 1000) * 1000};

    /* Without its timers a node would be silent and look alive. */
    NEED(event_add(event, &delay) == 0);
}

void host_settle(struct host *host)
{
    struct replica_status status;
    int64_t delay_ms;

    if (host->status_due)
        host_tell_status(host, &status);
    links_settle(host->links);
    delay_ms = replica_deadline(host->replica) - cluster_clock_ms();
    if (delay_ms < 1)
        delay_ms = 1;
    if (delay_ms > HOST_SECOND_MS)
        delay_ms = HOST_SECOND_MS;
    arm(host->tick_event, delay_ms);
}

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
    struct host *host = argument;

    (void)fd;
    (void)what;
    host_tick(host);
    host_settle(host);
}

static int64_t beat_ms(const struct host *host)
{
    int64_t period_ms = host->options.replica.timers.beacon_ms / 2;

    if (host->draining && period_ms > HOST_DRAIN_MS)
        return HOST_DRAIN_MS;
    if (period_ms < 1)
        return 1;
    return period_ms < HOST_BEAT_MS_MAX ? period_ms : HOST_BEAT_MS_MAX;
}

static void on_beat(evutil_socket_t fd, short what, void *argument)
{
    struct host *host = argument;

    (void)fd;
    (void)what;
    host_beat(host);
    host_settle(host);
    arm(host->beat_event, beat_ms(host));
}

static void on_second(evutil_socket_t fd, short what, void *argument)
{
    struct host *host = argument;

    (void)fd;
    (void)what;
    host_look_for_certificate(host);
    host_settle(host);
    arm(host->second_event, HOST_SECOND_MS);
}

/* ---- Opening and closing ------------------------------------------------ */

static enum status open_base(struct host *host)
{
    struct event_config *config = event_config_new();

    if (config == NULL)
        return ST_EXHAUSTED;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    /* A peer that floods must not keep timers and mail waiting. */
    (void)event_config_set_max_dispatch_interval(config, NULL,
                                                 CALLBACKS_PER_POLL, 0);
    host->base = event_base_new_with_config(config);
    event_config_free(config);
    host->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (host->base == NULL || host->wake_fd < 0)
        return ST_EXHAUSTED;
    host->wake_event = event_new(host->base, host->wake_fd,
                                 EV_READ | EV_PERSIST, on_wake, host);
    host->tick_event = event_new(host->base, -1, 0, on_tick, host);
    host->beat_event = event_new(host->base, -1, 0, on_beat, host);
    host->second_event = event_new(host->base, -1, 0, on_second, host);
    if (host->wake_event == NULL || host->tick_event == NULL ||
        host->beat_event == NULL || host->second_event == NULL)
        return ST_EXHAUSTED;
    return ST_OK;
}

static enum status open_parts(struct host *host)
{
    struct replica_parts parts = {
        .journal = host->parts.journal,
        .meta = &host->parts.meta->value,
        .report = host->parts.report,
    };
    const struct storage storage = {
        .disk = host->parts.disk,
        .journal = host->parts.journal,
        .meta = host->parts.meta,
        .keys = host->parts.keys,
    };
    const struct disk_thread_events events = {host, jobs_done, disk_failed};
    const struct links_user user = host_links_user(host);
    const struct cluster_register_events seen = host_register_events(host);
    enum status status = halt_cause(&parts.halted, host->parts.disk);

    host->disk_thread = disk_thread_open(&storage, &events);
    if (status == ST_OK)
        status = replica_open(&host->replica, &host->options.replica, &parts);
    if (status == ST_OK)
        status = links_open(&host->links, host->base, &host->options.links,
                            &host->options.identity, &user);
    if (status == ST_OK)
        status = host->reg.open(host->reg.context, &host->reg_self, host->base,
                                &seen);
    return status;
}

static void check_peers(const struct host_options *options)
{
    REQUIRE(options->replica.peers_count == options->links.peers_count);
    for (size_t i = 0; i < options->links.peers_count; i++)
        REQUIRE(memcmp(options->replica.peers[i].node_id,
                       options->links.peers[i].node_id, NODE_ID_SIZE) == 0);
}

enum status host_open(struct host **host_out,
                      const struct host_options *options,
                      const struct host_parts *parts,
                      const struct cluster_register *reg,
                      const struct host_calls *calls)
{
    struct host *host = calloc(1, sizeof *host);
    enum status status;

    check_peers(options);
    NEED(host != NULL);
    host->options = *options;
    host->parts = *parts;
    host->reg = *reg;
    host->calls = *calls;
    host->wake_fd = -1;
    host->mail_last = &host->mail_first;
    (void)pthread_mutex_init(&host->lock, NULL);
    replica_actions_init(&host->actions);
    host->rows = malloc(PEER_KEYS_SIZE_MAX);
    host->frame = malloc(FRAME_BODY_SIZE_MAX);
    NEED(host->rows != NULL && host->frame != NULL);
    status = open_base(host);
    if (status == ST_OK)
        status = open_parts(host);
    if (status != ST_OK) {
        host_close(host);
        return status;
    }
    *host_out = host;
    return ST_OK;
}

static void *run(void *argument)
{
    struct host *host = argument;

    (void)event_base_loop(host->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

enum status host_start(struct host *host)
{
    sigset_t all, before;
    enum status status;
    int failed;

    REQUIRE(!host->started);
    if (event_add(host->wake_event, NULL) != 0)
        return ST_EXHAUSTED;
    arm(host->tick_event, 0);
    arm(host->beat_event, 0);
    if (!host->options.replica.automatic)
        arm(host->second_event, 0);
    status = disk_thread_start(host->disk_thread);
    if (status != ST_OK)
        return status;
    /* Signals are the main thread's. */
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGSYS); /* The sandbox names what it refuses. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&host->thread, NULL, run, host);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        disk_thread_stop(host->disk_thread);
        return ST_EXHAUSTED;
    }
    host->started = true;
    return ST_OK;
}

/* Nothing of this node reaches another any more, and nothing is under way on
 * its disk: now its sign of life goes as well, so that nobody waits for it. */
static void leave_register(struct host *host)
{
    const struct timeval longest = {HOST_LEAVE_S, 0};

    links_close(host->links);
    host->links = NULL;
    (void)event_del(host->wake_event);
    (void)event_del(host->tick_event);
    (void)event_del(host->beat_event);
    (void)event_del(host->second_event);
    host->reg.leave(host->reg_self);
    (void)event_base_loopexit(host->base, &longest);
    while (!host->reg.left(host->reg_self)) {
        (void)event_base_loop(host->base, EVLOOP_ONCE);
        if (event_base_got_exit(host->base))
            return;
    }
}

void host_stop(struct host *host)
{
    if (host == NULL || !host->started)
        return;
    (void)pthread_mutex_lock(&host->lock);
    host->stopping = true;
    (void)pthread_mutex_unlock(&host->lock);
    wake(host);
    (void)pthread_join(host->thread, NULL);
    host->started = false;
    /* What was posted before has its answer; nobody posts any more. */
    INVARIANT(host->mail_first == NULL);
    disk_thread_stop(host->disk_thread);
    leave_register(host);
}

static void close_base(struct host *host)
{
    struct event *const events[] = {host->wake_event, host->tick_event,
                                    host->beat_event, host->second_event};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (events[i] != NULL)
            event_free(events[i]);
    }
    if (host->base != NULL)
        event_base_free(host->base);
    if (host->wake_fd >= 0)
        (void)close(host->wake_fd);
}

void host_close(struct host *host)
{
    if (host == NULL)
        return;
    REQUIRE(!host->started);
    if (host->reg_self != NULL)
        host->reg.close(host->reg_self);
    links_close(host->links);
    disk_thread_close(host->disk_thread);
    if (host->replica != NULL)
        replica_close(host->replica);
    replica_actions_wipe(&host->actions);
    close_base(host);
    (void)pthread_mutex_destroy(&host->lock);
    free(host->rows);
    free(host->frame);
    sodium_memzero(&host->options, sizeof host->options);
    free(host);
}

uint16_t host_port(const struct host *host)
{
    return links_port(host->links);
}
