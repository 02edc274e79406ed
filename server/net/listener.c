#include "server/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/loop.h"

/* accept() calls in one pass, so that a flood does not hold the loop. */
enum { ACCEPTS_PER_PASS = 64 };

struct listener {
    struct event *readable;
    struct event *pause_over;
    void *context;
    bool (*accepted)(void *context, int fd, const struct source *source);
    int fd;
    int spare_fd; /* Kept open to have one to give up. */
    uint16_t port;
};

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void source_of(struct source *source,
                      const struct sockaddr_storage *from)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
    const struct sockaddr_in *four = (const void *)from;
    const struct sockaddr_in6 *six = (const void *)from;

    memset(source, 0, sizeof *source);
    if (from->ss_family == AF_INET) {
        memcpy(source->name, mapped, sizeof mapped);
        memcpy(source->name + sizeof mapped, &four->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        bool is_mapped = memcmp(&six->sin6_addr, mapped, sizeof mapped) == 0;
        memcpy(source->name, &six->sin6_addr, is_mapped ? 16 : 8);
    }
}

/* A half-open or vanished peer is noticed within 30 s. */
static void set_options(int fd)
{
    const int on = 1, idle_s = 60, interval_s = 10, probes = 6;
    const unsigned timeout_ms = 30000;

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

/* Out of descriptors: shut one waiting peer out, then rest. */
static void rest(struct listener *listener)
{
    struct timeval pause = {0, ACCEPT_PAUSE_MS * 1000};
    int fd;

    if (listener->spare_fd >= 0) {
        close(listener->spare_fd);
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        listener->spare_fd = open_spare();
    }
    event_del(listener->readable);
    event_add(listener->pause_over, &pause);
}

static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO ||
           error == EPERM || error == ENETDOWN || error == EHOSTUNREACH ||
           error == ENETUNREACH || error == EOPNOTSUPP;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct listener *listener = argument;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_PASS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        struct source source;
        int peer = accept4(fd, (struct sockaddr *)&from, &size,
                           SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0 && is_passing(errno))
            continue; /* That peer's error must not starve the others. */
        if (peer < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (peer < 0) {
            rest(listener);
            return;
        }
        set_options(peer);
        source_of(&source, &from);
        if (!listener->accepted(listener->context, peer, &source)) {
            listener_pause(listener);
            return;
        }
    }
}

static void on_pause_over(evutil_socket_t fd, short what, void *argument)
{
    struct listener *listener = argument;

    (void)fd;
    (void)what;
    if (listener->spare_fd < 0) /* Another thread was faster. */
        listener->spare_fd = open_spare();
    listener_resume(listener);
}

static bool parse_port(in_port_t *port_out, const char *text)
{
    unsigned long port;
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    port = strtoul(text, &end, 10);
    *port_out = htons((uint16_t)port);
    return errno == 0 && *end == '\0' && port <= UINT16_MAX;
}

/* "host:port"; the library's own reader takes no port 0. */
static bool parse_address(struct sockaddr_storage *name, socklen_t *size_out,
                          const char *address)
{
    struct sockaddr_in *four = (void *)name;
    struct sockaddr_in6 *six = (void *)name;
    const char *colon = strrchr(address, ':');
    char host[ADDRESS_SIZE_MAX + 1];
    size_t size;

    if (colon == NULL || (size_t)(colon - address) >= sizeof host)
        return false;
    size = (size_t)(colon - address);
    memcpy(host, address, size);
    host[size] = '\0';
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        six->sin6_family = AF_INET6;
        *size_out = sizeof *six;
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1 &&
               parse_port(&six->sin6_port, colon + 1);
    }
    four->sin_family = AF_INET;
    *size_out = sizeof *four;
    return inet_pton(AF_INET, host, &four->sin_addr) == 1 &&
           parse_port(&four->sin_port, colon + 1);
}

bool listener_reads(const char *address)
{
    struct sockaddr_storage name = {0};
    socklen_t size;

    return parse_address(&name, &size, address);
}

static enum status bind_to(struct listener *listener, const char *address)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name, bound_size = sizeof name;
    const int on = 1;

    if (!parse_address(&name, &size, address))
        return ST_USAGE;
    listener->fd =
        socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return ST_CONNECT;
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) !=
            0 ||
        bind(listener->fd, (struct sockaddr *)&name, size) != 0 ||
        listen(listener->fd, LISTEN_BACKLOG) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)&name, &bound_size) != 0)
        return ST_CONNECT;
    listener->port = ntohs(name.ss_family == AF_INET6
                               ? ((struct sockaddr_in6 *)&name)->sin6_port
                               : ((struct sockaddr_in *)&name)->sin_port);
    return ST_OK;
}

enum status listener_open(struct listener **listener_out, struct loop *loop,
                          const char *address, void *context,
                          bool (*accepted)(void *context, int fd,
                                           const struct source *source))
{
    struct listener *listener = calloc(1, sizeof *listener);
    enum status status = ST_EXHAUSTED;

    REQUIRE(listener_out != NULL && accepted != NULL);
    if (listener == NULL)
        return ST_EXHAUSTED;
    listener->fd = -1;
    listener->accepted = accepted;
    listener->context = context;
    listener->spare_fd = open_spare();
    status = bind_to(listener, address);
    if (status != ST_OK)
        goto fail;
    status = ST_EXHAUSTED;
    listener->readable = event_new(loop_base(loop), listener->fd,
                                   EV_READ | EV_PERSIST, on_readable, listener);
    listener->pause_over =
        event_new(loop_base(loop), -1, 0, on_pause_over, listener);
    if (listener->readable == NULL || listener->pause_over == NULL ||
        event_add(listener->readable, NULL) != 0)
        goto fail;
    *listener_out = listener;
    return ST_OK;
fail:
    listener_close(listener);
    return status;
}

void listener_resume(struct listener *listener)
{
    event_add(listener->readable, NULL);
}

void listener_pause(struct listener *listener)
{
    event_del(listener->readable);
    event_del(listener->pause_over);
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->readable != NULL)
        event_free(listener->readable);
    if (listener->pause_over != NULL)
        event_free(listener->pause_over);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
    free(listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}
