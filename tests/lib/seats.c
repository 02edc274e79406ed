#include "tests/lib/seats.h"

#include <pthread.h>
#include <string.h>

static struct {
    pthread_mutex_t lock;
    struct register_view view;
    uint64_t incarnations[SEATS_MAX]; /* By the byte that a node_id is filled
                                         with. */
    bool alive[SEATS_MAX];
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum status seat_open(void *context, void **self_out,
                             struct event_base *base,
                             const struct cluster_register_events *events)
{
    struct seat *seat = context;

    MAYBE(base == NULL);
    seat->events = *events;
    *self_out = seat;
    return ST_OK;
}

static void seat_close(void *self)
{
    const struct seat *seat = self;

    pthread_mutex_lock(&store.lock);
    store.alive[seat->number] = false;
    pthread_mutex_unlock(&store.lock);
}

static void tell_alive(struct seat *seat)
{
    bool alive[SEATS_MAX];

    pthread_mutex_lock(&store.lock);
    memcpy(alive, store.alive, sizeof alive);
    pthread_mutex_unlock(&store.lock);
    for (int i = 1; i < SEATS_MAX; i++) {
        uint8_t node_id[NODE_ID_SIZE];

        memset(node_id, i, sizeof node_id);
        seat->events.alive(seat->events.context, node_id, alive[i]);
    }
}

static void seat_read(void *self)
{
    struct seat *seat = self;
    struct register_view view;

    pthread_mutex_lock(&store.lock);
    view = store.view;
    pthread_mutex_unlock(&store.lock);
    seat->events.view(seat->events.context, &view);
    tell_alive(seat);
}

static enum register_outcome decide(const struct register_proposal *proposal)
{
    if (proposal->revision != store.view.revision)
        return REGISTER_LOST;
    for (size_t i = 0; i < proposal->guards_count; i++) {
        const struct register_guard *guard = &proposal->guards[i];

        if (store.incarnations[guard->node_id[0]] != guard->incarnation)
            return REGISTER_REJECTED;
    }
    if (proposal->guard_alive && store.alive[proposal->alive[0]])
        return REGISTER_REJECTED;
    store.view.revision++;
    memcpy(store.view.value, proposal->value, proposal->value_size);
    store.view.value_size = proposal->value_size;
    return REGISTER_WON;
}

static void seat_cas(void *self, const struct register_proposal *proposal)
{
    struct seat *seat = self;
    struct register_view view;
    enum register_outcome outcome;

    pthread_mutex_lock(&store.lock);
    outcome = decide(proposal);
    view = store.view;
    pthread_mutex_unlock(&store.lock);
    seat->events.answered(seat->events.context, proposal->token, outcome,
                          &view);
}

static void seat_look(void *self)
{
    struct seat *seat = self;

    seat->events.looked(seat->events.context, 0);
}

static void seat_incarnation(void *self, uint64_t incarnation)
{
    struct seat *seat = self;

    pthread_mutex_lock(&store.lock);
    store.incarnations[seat->number] = incarnation;
    pthread_mutex_unlock(&store.lock);
    seat->events.registered(seat->events.context, false, 1);
}

/* Comes with each beat: the time to tell what has changed. */
static void seat_healthy(void *self, bool healthy)
{
    struct seat *seat = self;

    pthread_mutex_lock(&store.lock);
    store.alive[seat->number] = healthy;
    pthread_mutex_unlock(&store.lock);
    tell_alive(seat);
}

static void seat_leave(void *self)
{
    seat_healthy(self, false);
}

static bool seat_left(void *self)
{
    const struct seat *seat = self;

    return seat != NULL;
}

struct cluster_register seats_register(struct seat *seat)
{
    return (struct cluster_register){.context = seat,
                                     .open = seat_open,
                                     .close = seat_close,
                                     .read = seat_read,
                                     .cas = seat_cas,
                                     .look = seat_look,
                                     .incarnation = seat_incarnation,
                                     .healthy = seat_healthy,
                                     .leave = seat_leave,
                                     .left = seat_left};
}
