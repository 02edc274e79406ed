#include "server/net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { CALLBACKS_PER_POLL = 16 };

struct loop {
    uint32_t number;
    void *context;
    void (*tick)(struct loop *loop, void *context);
    struct event_base *base;
    struct event *wake_event;
    struct event *tick_event;
    int wake_fd;
    bool started;
    pthread_t thread;
    pthread_mutex_t lock;
    /* Guarded by lock: mail in the order of posting. */
    struct mail *mail_first;
    struct mail **mail_last;
    bool stopping;
};

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t loop_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t loop_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

static struct mail *take_mail(struct loop *loop, bool *stopping_out)
{
    struct mail *mail;

    pthread_mutex_lock(&loop->lock);
    mail = loop->mail_first;
    loop->mail_first = NULL;
    loop->mail_last = &loop->mail_first;
    *stopping_out = loop->stopping;
    pthread_mutex_unlock(&loop->lock);
    return mail;
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct mail *mail;
    uint64_t count;
    bool stopping;

    (void)what;
    if (read(fd, &count, sizeof count) < 0)
        MAYBE(errno == EAGAIN); /* Woken twice for one post. */
    mail = take_mail(loop, &stopping);
    while (mail != NULL) {
        struct mail *next = mail->next;
        mail->deliver(loop, loop->context, mail);
        mail = next;
    }
    if (stopping)
        event_base_loopbreak(loop->base);
}

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;

    (void)fd;
    (void)what;
    loop->tick(loop, loop->context);
}

enum status loop_open(struct loop **loop_out, uint32_t number, void *context,
                      void (*tick)(struct loop *loop, void *context))
{
    struct loop *loop = calloc(1, sizeof *loop);
    struct event_config *config = event_config_new();

    REQUIRE(loop_out != NULL && tick != NULL);
    if (loop == NULL || config == NULL) {
        free(loop);
        if (config != NULL)
            event_config_free(config);
        return ST_EXHAUSTED;
    }
    loop->wake_fd = -1;
    pthread_mutex_init(&loop->lock, NULL);
    loop->number = number;
    loop->context = context;
    loop->tick = tick;
    loop->mail_last = &loop->mail_first;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    /* Connections that wake themselves must not keep the others waiting. */
    event_config_set_max_dispatch_interval(config, NULL, CALLBACKS_PER_POLL, 0);
    loop->base = event_base_new_with_config(config);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->base == NULL || loop->wake_fd < 0)
        goto fail;
    loop->wake_event = event_new(loop->base, loop->wake_fd,
                                 EV_READ | EV_PERSIST, on_wake, loop);
    loop->tick_event = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
    if (loop->wake_event == NULL || loop->tick_event == NULL)
        goto fail;
    event_config_free(config);
    *loop_out = loop;
    return ST_OK;
fail:
    event_config_free(config);
    loop_close(loop);
    return ST_EXHAUSTED;
}

static void *run(void *argument)
{
    struct loop *loop = argument;

    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

enum status loop_start(struct loop *loop)
{
    struct timeval period = {0, LOOP_TICK_MS * 1000};
    sigset_t all, before;
    int failed;

    REQUIRE(!loop->started);
    if (event_add(loop->wake_event, NULL) != 0 ||
        event_add(loop->tick_event, &period) != 0)
        return ST_EXHAUSTED;
    /* Signals are the main thread's. */
    sigfillset(&all);
    (void)sigdelset(&all, SIGSYS); /* The sandbox names what it refuses. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return ST_EXHAUSTED;
    loop->started = true;
    return ST_OK;
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;

    /* EAGAIN means the counter is full: the loop is awake anyway. */
    if (write(loop->wake_fd, &one, sizeof one) < 0)
        MAYBE(errno == EAGAIN);
}

void loop_stop(struct loop *loop)
{
    if (loop == NULL || !loop->started)
        return;
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
    pthread_join(loop->thread, NULL);
    loop->started = false;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    REQUIRE(!loop->started);
    if (loop->wake_event != NULL)
        event_free(loop->wake_event);
    if (loop->tick_event != NULL)
        event_free(loop->tick_event);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_post(struct loop *loop, struct mail *mail)
{
    bool first;

    REQUIRE(mail->deliver != NULL);
    mail->next = NULL;
    pthread_mutex_lock(&loop->lock);
    first = loop->mail_first == NULL;
    *loop->mail_last = mail;
    loop->mail_last = &mail->next;
    pthread_mutex_unlock(&loop->lock);
    if (first) /* Otherwise the loop has not fetched the earlier ones yet. */
        wake(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

uint32_t loop_number(const struct loop *loop)
{
    return loop->number;
}
