#include "server/cosign/cosign.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/cosign/outside.h"

/* What a node sent and was not looked at. */
struct cosign_slot {
    bool taken;
    uint8_t node_id[NODE_ID_SIZE];
    bool linked;
    size_t note_size; /* 0: none. */
    size_t line_size;
    uint64_t size; /* Of the line's checkpoint. */
    uint8_t line[PEER_COSIGNED_SIZE_MAX];
    uint8_t note[PEER_NOTE_SIZE_MAX];
};

struct cosign_mail {
    bool lead_changed;
    bool leads;
    bool primary_changed;
    bool has_primary;
    uint8_t primary[NODE_ID_SIZE];
    bool published;
    bool witnessed;
    bool stopping;
    struct cosign_slot slots[CONFIG_NODES_MAX];
};

struct cosign {
    struct cosign_calls calls;
    struct exchange exchange;
    struct outside *outside; /* NULL without a policy. */
    struct event_base *base;
    struct event *wake_event;
    int wake_fd;
    pthread_t thread;
    bool started;
    struct cosign_mail taken; /* The thread's. */

    pthread_mutex_t lock;
    struct cosign_mail mail; /* Guarded by lock. */
};

/* ---- The mailbox -------------------------------------------------------- */

static void wake(struct cosign *cosign)
{
    const uint64_t one = 1;

    /* EAGAIN means the counter is full: the thread is awake anyway. */
    if (write(cosign->wake_fd, &one, sizeof one) < 0)
        MAYBE(errno == EAGAIN);
}

/* With the lock held.  A node has one slot, and there is one for each. */
static struct cosign_slot *slot_of(struct cosign *cosign,
                                   const uint8_t *node_id)
{
    struct cosign_slot *slot = cosign->mail.slots;

    for (size_t i = 0; i < CONFIG_NODES_MAX; i++, slot++) {
        if (!slot->taken) {
            slot->taken = true;
            memcpy(slot->node_id, node_id, NODE_ID_SIZE);
        }
        if (memcmp(slot->node_id, node_id, NODE_ID_SIZE) == 0)
            return slot;
    }
    return NULL;
}

void cosign_lead(struct cosign *cosign, bool leads)
{
    (void)pthread_mutex_lock(&cosign->lock);
    cosign->mail.lead_changed = true;
    cosign->mail.leads = leads;
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

void cosign_primary(struct cosign *cosign, const uint8_t *node_id)
{
    struct cosign_mail *mail = &cosign->mail;

    (void)pthread_mutex_lock(&cosign->lock);
    mail->primary_changed = true;
    mail->has_primary = node_id != NULL;
    if (node_id != NULL)
        memcpy(mail->primary, node_id, NODE_ID_SIZE);
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

void cosign_published(struct cosign *cosign)
{
    (void)pthread_mutex_lock(&cosign->lock);
    cosign->mail.published = true;
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

void cosign_witnessed(struct cosign *cosign)
{
    (void)pthread_mutex_lock(&cosign->lock);
    cosign->mail.witnessed = true;
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

void cosign_linked(struct cosign *cosign, const uint8_t *node_id)
{
    struct cosign_slot *slot;

    (void)pthread_mutex_lock(&cosign->lock);
    slot = slot_of(cosign, node_id);
    if (slot != NULL)
        slot->linked = true;
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

void cosign_take_note(struct cosign *cosign, const uint8_t *node_id,
                      struct slice note)
{
    struct cosign_slot *slot;

    if (note.size > PEER_NOTE_SIZE_MAX)
        return;
    (void)pthread_mutex_lock(&cosign->lock);
    slot = slot_of(cosign, node_id);
    if (slot != NULL) {
        memcpy(slot->note, note.data, note.size);
        slot->note_size = note.size;
    }
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

void cosign_take_line(struct cosign *cosign, const uint8_t *node_id,
                      uint64_t size, struct slice line)
{
    struct cosign_slot *slot;

    if (line.size > PEER_COSIGNED_SIZE_MAX)
        return;
    (void)pthread_mutex_lock(&cosign->lock);
    slot = slot_of(cosign, node_id);
    if (slot != NULL) {
        memcpy(slot->line, line.data, line.size);
        slot->line_size = line.size;
        slot->size = size;
    }
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
}

/* ---- The thread --------------------------------------------------------- */

static void take_slot(struct cosign *cosign, const struct cosign_slot *slot)
{
    struct exchange *exchange = &cosign->exchange;

    if (slot->linked)
        exchange_linked(exchange, slot->node_id);
    if (slot->note_size > 0)
        exchange_take_note(exchange, slot->node_id,
                           slice_of(slot->note, slot->note_size));
    if (slot->line_size > 0)
        exchange_take_line(exchange, slot->node_id, slot->size,
                           slice_of(slot->line, slot->line_size));
}

static void take_mail(struct cosign *cosign)
{
    const struct cosign_mail *mail = &cosign->taken;

    if (mail->lead_changed) {
        exchange_lead(&cosign->exchange, mail->leads);
        if (cosign->outside != NULL)
            outside_lead(cosign->outside, mail->leads);
    }
    if (mail->primary_changed)
        exchange_primary(&cosign->exchange,
                         mail->has_primary ? mail->primary : NULL);
    if (mail->published) {
        exchange_published(&cosign->exchange);
        if (cosign->outside != NULL)
            outside_published(cosign->outside);
    }
    if (mail->witnessed)
        exchange_witnessed(&cosign->exchange);
    for (size_t i = 0; i < CONFIG_NODES_MAX && mail->slots[i].taken; i++)
        take_slot(cosign, &mail->slots[i]);
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    struct cosign *cosign = argument;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof count) < 0)
        MAYBE(errno == EAGAIN); /* Woken twice for one word. */
    (void)pthread_mutex_lock(&cosign->lock);
    cosign->taken = cosign->mail;
    memset(&cosign->mail, 0, sizeof cosign->mail);
    cosign->mail.stopping = cosign->taken.stopping;
    (void)pthread_mutex_unlock(&cosign->lock);
    if (cosign->taken.stopping)
        (void)event_base_loopbreak(cosign->base);
    else
        take_mail(cosign);
}

static void *run(void *argument)
{
    struct cosign *cosign = argument;

    (void)event_base_loop(cosign->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* ---- Life --------------------------------------------------------------- */

static enum status open_base(struct cosign *cosign)
{
    struct event_config *config = event_config_new();

    if (config == NULL)
        return ST_EXHAUSTED;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    cosign->base = event_base_new_with_config(config);
    event_config_free(config);
    cosign->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cosign->base == NULL || cosign->wake_fd < 0)
        return ST_EXHAUSTED;
    cosign->wake_event = event_new(cosign->base, cosign->wake_fd,
                                   EV_READ | EV_PERSIST, on_wake, cosign);
    if (cosign->wake_event == NULL || event_add(cosign->wake_event, NULL) != 0)
        return ST_EXHAUSTED;
    return ST_OK;
}

enum status cosign_open(struct cosign **cosign_out,
                        const struct cosign_options *options,
                        const struct cosign_calls *calls)
{
    struct cosign *cosign = calloc(1, sizeof *cosign);
    enum status status;

    if (cosign == NULL)
        return ST_EXHAUSTED;
    if (pthread_mutex_init(&cosign->lock, NULL) != 0) {
        free(cosign);
        return ST_EXHAUSTED;
    }
    cosign->calls = *calls;
    cosign->wake_fd = -1;
    exchange_init(&cosign->exchange, &options->exchange, &cosign->calls);
    status = open_base(cosign);
    if (status == ST_OK && options->policy != NULL)
        status = outside_open(&cosign->outside, cosign->base, options->policy,
                              &cosign->exchange.log_key, &cosign->calls);
    if (status != ST_OK) {
        cosign_close(cosign);
        return status;
    }
    *cosign_out = cosign;
    return ST_OK;
}

enum status cosign_start(struct cosign *cosign)
{
    sigset_t all, before;
    int failed;

    REQUIRE(!cosign->started);
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGSYS); /* The sandbox names what it refuses. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&cosign->thread, NULL, run, cosign);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    cosign->started = failed == 0;
    return failed == 0 ? ST_OK : ST_EXHAUSTED;
}

void cosign_stop(struct cosign *cosign)
{
    if (!cosign->started)
        return;
    (void)pthread_mutex_lock(&cosign->lock);
    cosign->mail.stopping = true;
    (void)pthread_mutex_unlock(&cosign->lock);
    wake(cosign);
    (void)pthread_join(cosign->thread, NULL);
    cosign->started = false;
}

void cosign_close(struct cosign *cosign)
{
    if (cosign == NULL)
        return;
    REQUIRE(!cosign->started);
    outside_close(cosign->outside);
    if (cosign->wake_event != NULL)
        event_free(cosign->wake_event);
    if (cosign->base != NULL)
        event_base_free(cosign->base);
    if (cosign->wake_fd >= 0)
        (void)close(cosign->wake_fd);
    exchange_wipe(&cosign->exchange);
    (void)pthread_mutex_destroy(&cosign->lock);
    free(cosign);
}
