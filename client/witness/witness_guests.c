#include "client/witness/witness_guests.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

enum {
    GUESTS_LOOK_MS = 250,
    GUEST_ADDRESS_SIZE = 8,
    /* Read and not yet taken by the server, which waits for whole lines. */
    GUEST_INPUT_SIZE_MAX = 16 * 1024
};

/*
 * The server knows nothing of it: it frees its half of the bufferevent when the
 * connection is over, and this one, which is held here, then calls nobody.
 */
struct guest {
    struct guest *next;
    struct bufferevent *events;
    struct timespec since;
    bool seen;    /* Its address was looked at. */
    bool refused; /* It is being closed. */
    sa_family_t family;
    uint8_t address[GUEST_ADDRESS_SIZE];
};

/* Invariant: the timer runs while there is a guest. */
struct witness_guests {
    struct event_base *base;
    struct event *timer;
    struct guest *first; /* The newest. */
};

static void guests_look_in(struct witness_guests *guests, long milliseconds)
{
    const struct timeval wait = {0, milliseconds * 1000};

    (void)evtimer_add(guests->timer, &wait);
}

/* ---- One guest ---------------------------------------------------------- */

static bool guest_is_gone(struct guest *guest)
{
    bufferevent_data_cb reads, writes;
    bufferevent_event_cb ends;
    void *argument;

    bufferevent_getcb(guest->events, &reads, &writes, &ends, &argument);
    return reads == NULL && writes == NULL && ends == NULL;
}

static void guest_close(struct guest *guest)
{
    (void)bufferevent_decref(guest->events);
    free(guest);
}

/* The server sees the end of the stream, and closes it.  It is told: whoever
 * goes on sending has no end that it would come to, and of whom nothing is read
 * for now it would see none. */
static void guest_refuse(struct guest *guest)
{
    guest->refused = true;
    (void)shutdown(bufferevent_getfd(guest->events), SHUT_RDWR);
    bufferevent_trigger_event(guest->events, BEV_EVENT_READING | BEV_EVENT_EOF,
                              0);
}

static bool guest_is_late(const struct guest *guest)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - guest->since.tv_sec > WITNESS_GUESTS_S ||
           (now.tv_sec - guest->since.tv_sec == WITNESS_GUESTS_S &&
            now.tv_nsec >= guest->since.tv_nsec);
}

/* Of a socket that is gone already it stays that of nobody. */
static void guest_see(struct guest *guest)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;

    guest->seen = true;
    if (getpeername(bufferevent_getfd(guest->events), (struct sockaddr *)&name,
                    &size) != 0)
        return;
    guest->family = name.ss_family;
    if (name.ss_family == AF_INET)
        memcpy(guest->address, &((const struct sockaddr_in *)&name)->sin_addr,
               sizeof(struct in_addr));
    else if (name.ss_family == AF_INET6)
        memcpy(guest->address, &((const struct sockaddr_in6 *)&name)->sin6_addr,
               GUEST_ADDRESS_SIZE);
}

/* ---- All of them -------------------------------------------------------- */

static bool guests_full(const struct witness_guests *guests,
                        const struct guest *guest)
{
    size_t all = 0, alike = 0;

    for (const struct guest *other = guests->first; other != NULL;
         other = other->next) {
        if (other == guest || !other->seen || other->refused)
            continue;
        all++;
        alike +=
            other->family == guest->family &&
            memcmp(other->address, guest->address, GUEST_ADDRESS_SIZE) == 0;
    }
    return all >= WITNESS_GUESTS_MAX || alike >= WITNESS_GUESTS_PER_ADDRESS_MAX;
}

static void guests_forget_gone(struct witness_guests *guests)
{
    struct guest **at = &guests->first;

    while (*at != NULL) {
        struct guest *guest = *at;

        if (guest_is_gone(guest)) {
            *at = guest->next;
            guest_close(guest);
        } else {
            at = &guest->next;
        }
    }
}

static void on_look(evutil_socket_t fd, short what, void *argument)
{
    struct witness_guests *guests = argument;

    (void)fd;
    (void)what;
    guests_forget_gone(guests);
    for (struct guest *guest = guests->first; guest != NULL;
         guest = guest->next) {
        bool is_new = !guest->seen;

        if (is_new)
            guest_see(guest);
        if (!guest->refused &&
            (guest_is_late(guest) || (is_new && guests_full(guests, guest))))
            guest_refuse(guest);
    }
    if (guests->first != NULL)
        guests_look_in(guests, GUESTS_LOOK_MS);
}

/* Its socket is set when this has returned: it is looked at right after.
 * NULL lets the server make one, of which nothing is known here. */
static struct bufferevent *on_guest(struct event_base *base, void *argument)
{
    struct witness_guests *guests = argument;
    struct guest *guest = calloc(1, sizeof *guest);

    if (guest == NULL)
        return NULL;
    /* The server closes the socket itself where it is not told to. */
    guest->events = bufferevent_socket_new(base, -1, 0);
    if (guest->events == NULL) {
        free(guest);
        return NULL;
    }
    bufferevent_setwatermark(guest->events, EV_READ, 0, GUEST_INPUT_SIZE_MAX);
    bufferevent_incref(guest->events);
    (void)clock_gettime(CLOCK_MONOTONIC, &guest->since);
    guest->next = guests->first;
    guests->first = guest;
    guests_look_in(guests, 0);
    return guest->events;
}

enum status witness_guests_open(struct witness_guests **guests_out,
                                struct event_base *base, struct evhttp *server)
{
    struct witness_guests *guests = calloc(1, sizeof *guests);

    if (guests == NULL)
        return ST_INTERNAL;
    guests->base = base;
    guests->timer = evtimer_new(base, on_look, guests);
    if (guests->timer == NULL) {
        witness_guests_close(guests);
        return ST_INTERNAL;
    }
    evhttp_set_bevcb(server, on_guest, guests);
    *guests_out = guests;
    return ST_OK;
}

void witness_guests_close(struct witness_guests *guests)
{
    if (guests == NULL)
        return;
    while (guests->first != NULL) {
        struct guest *guest = guests->first;

        guests->first = guest->next;
        guest_close(guest);
    }
    if (guests->timer != NULL)
        event_free(guests->timer);
    free(guests);
}
