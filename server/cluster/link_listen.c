#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/cluster/cluster_clock.h"
#include "server/cluster/link_private.h"

enum { LISTEN_BACKLOG_LINKS = 64, ACCEPTS_PER_PASS = 16, PAUSE_MS = 500 };

/* A peer that vanished is noticed within ten seconds, whatever is under way. */
void link_set_options(int fd)
{
    const int on = 1, idle_s = 4, interval_s = 2, probes = 3;
    const unsigned timeout_ms = 10000;

    /* Each is an improvement only: a refusal changes nothing that is promised.
     */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
                     sizeof interval_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof timeout_ms);
}

static bool is_peers_address(const struct links *links,
                             const struct link_address *from)
{
    for (size_t i = 0; i < links->places_count; i++) {
        if (link_address_same_host(&links->places[i].address, from))
            return true;
    }
    return false;
}

/* A flood of strangers must not keep the peers out: they have places, and a
 * share of this thread's time, that strangers cannot take. */
static bool is_welcome(struct links *links, bool stranger)
{
    if (links->waiting >= LINK_WAITING_MAX)
        return false;
    if (!stranger)
        return true;
    if (links->strangers >= LINK_STRANGERS_MAX || links->strangers_left == 0)
        return false;
    links->strangers_left--;
    return true;
}

static void take_socket(struct links *links, int fd,
                        const struct link_address *from)
{
    uint8_t ephemeral[KEY_SIZE];
    bool stranger = !is_peers_address(links, from);
    struct link *link;

    if (!is_welcome(links, stranger)) {
        link_note(links, LINK_REASON_busy, from, "");
        (void)close(fd);
        return;
    }
    link_set_options(fd);
    link = link_begin(links, fd, from);
    if (link == NULL)
        return;
    link->stranger = stranger;
    links->waiting++;
    links->strangers += stranger ? 1 : 0;
    randombytes_buf(ephemeral, sizeof ephemeral);
    channel_serve_link(&link->channel, links->identity.channel_secret,
                       ephemeral, links->identity.certificate);
    sodium_memzero(ephemeral, sizeof ephemeral);
    if (event_add(link->read_event, NULL) != 0)
        link_end(link, LINK_REASON_memory, "");
}

static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO ||
           error == EPERM || error == ENETDOWN || error == EHOSTUNREACH ||
           error == ENETUNREACH || error == EOPNOTSUPP;
}

static void on_accept(evutil_socket_t fd, short what, void *argument)
{
    struct links *links = argument;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_PASS; i++) {
        struct link_address from = {.size = sizeof from.name};
        int peer = accept4(fd, (struct sockaddr *)&from.name, &from.size,
                           SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (peer < 0 && is_passing(errno))
            continue; /* That peer's error must not starve the others. */
        if (peer < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            /* Out of descriptors: rest, then try again. */
            link_note(links, LINK_REASON_memory, &from, "");
            (void)event_del(links->accept_event);
            links->resume_ms = cluster_clock_ms() + PAUSE_MS;
        }
        if (peer < 0)
            break;
        take_socket(links, peer, &from);
    }
    links_settle(links);
}

void link_listen_tick(struct links *links, int64_t now_ms)
{
    if (now_ms - links->strangers_ms >= 1000) {
        links->strangers_ms = now_ms;
        links->strangers_left = LINK_STRANGERS_PER_SECOND_MAX;
    }
    if (links->resume_ms != 0 && links->resume_ms <= now_ms) {
        links->resume_ms = 0;
        if (event_add(links->accept_event, NULL) != 0)
            links->resume_ms = now_ms + PAUSE_MS;
    }
}

enum status link_listen(struct links *links, const char *text)
{
    struct link_address address;
    const int on = 1;
    int fd;

    if (!link_address_read(&address, text))
        return ST_USAGE;
    fd = socket(address.name.ss_family,
                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ST_CONNECT;
    links->listen_fd = fd;
    links->strangers_left = LINK_STRANGERS_PER_SECOND_MAX;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address.name, address.size) != 0 ||
        listen(fd, LISTEN_BACKLOG_LINKS) != 0 ||
        getsockname(fd, (struct sockaddr *)&address.name, &address.size) != 0)
        return ST_CONNECT;
    links->port = link_address_port(&address);
    links->accept_event =
        event_new(links->base, fd, EV_READ | EV_PERSIST, on_accept, links);
    if (links->accept_event == NULL ||
        event_add(links->accept_event, NULL) != 0)
        return ST_EXHAUSTED;
    return ST_OK;
}
