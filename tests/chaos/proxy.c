/*
 * proxy: a bad line between two nodes.
 *
 *   proxy --listen HOST:PORT --to HOST:PORT [--seed N] [--cut BYTES]
 *         [--delay MS] [--stall PER_MILLE] [--stall-ms MS] [--reset PER_MILLE]
 *         [--plan CONNECTION]
 *
 * Each direction of each connection is a row of pieces: 1 to --cut bytes that
 * go out by themselves, each after 0 to --delay ms; --stall of a thousand wait
 * --stall-ms longer; --reset of a thousand end the connection in their midst,
 * with RST to both sides.  The row depends on the seed, the connection's number
 * and the direction alone, not on time: --plan prints it and ends.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/lib/random.h"

enum {
    BUFFERED_MAX = 256 * 1024,
    CUT_DEFAULT = 16 * 1024,
    STALL_MS_DEFAULT = 1000,
    PLAN_PIECES = 40,
    US_PER_MS = 1000
};

struct address {
    struct sockaddr_storage name;
    int size;
};

struct proxy {
    struct event_base *base;
    struct address listens, to;
    uint64_t seed;
    uint32_t cut, delay_ms, stall, stall_ms, reset;
    uint64_t connections_count;
};

struct piece {
    uint32_t left; /* Bytes. */
    uint32_t delay_ms;
    bool resets;
};

struct connection;

/* One direction. */
struct lane {
    struct connection *connection;
    struct bufferevent *from, *to;
    struct event *timer;
    struct random random;
    struct piece piece;
    bool has_piece, ended;
};

struct connection {
    struct proxy *proxy;
    struct lane lanes[2]; /* To the target, and back. */
};

static struct piece draw(const struct proxy *proxy, struct random *random)
{
    struct piece piece = {.left = 1 + random_below(random, proxy->cut)};

    piece.delay_ms = random_below(random, proxy->delay_ms + 1);
    if (random_chance(random, proxy->stall))
        piece.delay_ms += proxy->stall_ms;
    piece.resets = random_chance(random, proxy->reset);
    if (piece.resets) /* The rest of it never comes. */
        piece.left = piece.left / 2 + 1;
    return piece;
}

static struct random lane_random(const struct proxy *proxy, uint64_t number,
                                 unsigned lane)
{
    return random_stream(proxy->seed, 2 * number + lane);
}

static void end(struct connection *connection, bool reset)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    for (unsigned i = 0; i < 2; i++) {
        struct lane *lane = &connection->lanes[i];
        if (reset)
            (void)setsockopt(bufferevent_getfd(lane->from), SOL_SOCKET,
                             SO_LINGER, &linger, sizeof linger);
        event_free(lane->timer);
    }
    bufferevent_free(connection->lanes[0].from);
    bufferevent_free(connection->lanes[0].to);
    free(connection);
}

static void wait_ms(struct lane *lane, uint32_t ms)
{
    struct timeval time = {ms / 1000, (long)(ms % 1000) * US_PER_MS};

    (void)event_add(lane->timer, &time);
}

/* What was read has gone out: the other side may learn that this one ended. */
static bool pass_end(struct lane *lane)
{
    const struct connection *connection = lane->connection;

    if (!lane->ended ||
        evbuffer_get_length(bufferevent_get_output(lane->to)) > 0)
        return false;
    (void)shutdown(bufferevent_getfd(lane->to), SHUT_WR);
    return connection->lanes[0].ended && connection->lanes[1].ended &&
           evbuffer_get_length(bufferevent_get_input(lane->to)) == 0;
}

/* Move as much as is due.  The connection may be gone afterwards. */
static void pump(struct lane *lane)
{
    struct evbuffer *input = bufferevent_get_input(lane->from);
    struct evbuffer *output = bufferevent_get_output(lane->to);
    size_t size = evbuffer_get_length(input);

    if (event_pending(lane->timer, EV_TIMEOUT, NULL) ||
        evbuffer_get_length(output) > BUFFERED_MAX)
        return;
    if (lane->has_piece && lane->piece.left == 0) {
        end(lane->connection, true);
        return;
    }
    if (size == 0) {
        if (pass_end(lane))
            end(lane->connection, false);
        return;
    }
    if (!lane->has_piece) {
        lane->piece = draw(lane->connection->proxy, &lane->random);
        lane->has_piece = true;
        wait_ms(lane, lane->piece.delay_ms);
        return;
    }
    if (size > lane->piece.left)
        size = lane->piece.left;
    lane->piece.left -= (uint32_t)size;
    (void)evbuffer_remove_buffer(input, output, size);
    lane->has_piece = lane->piece.left > 0 || lane->piece.resets;
    /* The next piece is another turn of the loop, and another packet. */
    wait_ms(lane, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pump(context);
}

static struct lane *lane_from(struct connection *connection,
                              const struct bufferevent *buffer)
{
    return &connection->lanes[connection->lanes[0].from == buffer ? 0 : 1];
}

static void on_read(struct bufferevent *buffer, void *context)
{
    pump(lane_from(context, buffer));
}

static void on_written(struct bufferevent *buffer, void *context)
{
    struct connection *connection = context;

    pump(&connection->lanes[connection->lanes[0].to == buffer ? 0 : 1]);
}

static void on_event(struct bufferevent *buffer, short what, void *context)
{
    struct connection *connection = context;
    struct lane *lane = lane_from(connection, buffer);

    if ((what & BEV_EVENT_EOF) != 0) {
        lane->ended = true;
        pump(lane);
    } else if ((what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) != 0) {
        end(connection, true);
    }
}

static bool join(struct connection *connection, struct bufferevent *near,
                 struct bufferevent *far)
{
    struct proxy *proxy = connection->proxy;
    uint64_t number = proxy->connections_count++;

    for (unsigned i = 0; i < 2; i++) {
        struct lane *lane = &connection->lanes[i];
        lane->connection = connection;
        lane->from = i == 0 ? near : far;
        lane->to = i == 0 ? far : near;
        lane->random = lane_random(proxy, number, i);
        lane->timer = event_new(proxy->base, -1, 0, on_timer, lane);
        if (lane->timer == NULL)
            return false;
        bufferevent_setcb(lane->from, on_read, on_written, on_event,
                          connection);
        bufferevent_setwatermark(lane->from, EV_READ, 0, BUFFERED_MAX);
    }
    return bufferevent_socket_connect(far, (struct sockaddr *)&proxy->to.name,
                                      proxy->to.size) == 0 &&
           bufferevent_enable(near, EV_READ | EV_WRITE) == 0 &&
           bufferevent_enable(far, EV_READ | EV_WRITE) == 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *name, int size, void *context)
{
    struct proxy *proxy = context;
    struct connection *connection = calloc(1, sizeof *connection);
    struct bufferevent *near, *far;
    const int on = 1;

    (void)listener;
    (void)name;
    (void)size;
    near = bufferevent_socket_new(proxy->base, fd, BEV_OPT_CLOSE_ON_FREE);
    far = bufferevent_socket_new(proxy->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (connection == NULL || near == NULL || far == NULL)
        exit(EXIT_FAILURE);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->proxy = proxy;
    if (!join(connection, near, far))
        exit(EXIT_FAILURE);
    (void)setsockopt(bufferevent_getfd(far), IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof on);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct proxy *proxy = context;

    (void)number;
    (void)what;
    (void)event_base_loopbreak(proxy->base);
}

/* ---- The command line ---- */

static bool take_address(struct address *out, const char *text)
{
    out->size = sizeof out->name;
    return evutil_parse_sockaddr_port(text, (struct sockaddr *)&out->name,
                                      &out->size) == 0;
}

static bool take_number(uint32_t *out, const char *text, uint32_t least,
                        uint32_t most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    *out = (uint32_t)number;
    return *text >= '0' && *text <= '9' && *end == '\0' && number >= least &&
           number <= most;
}

static bool take_option(struct proxy *proxy, uint32_t *plan, int option)
{
    enum { MS_MAX = 600000, PER_MILLE = 1000 };

    switch (option) {
    case 'l':
        return take_address(&proxy->listens, optarg);
    case 't':
        return take_address(&proxy->to, optarg);
    case 's':
        proxy->seed = strtoull(optarg, NULL, 10);
        return true;
    case 'c':
        return take_number(&proxy->cut, optarg, 1, INT32_MAX);
    case 'd':
        return take_number(&proxy->delay_ms, optarg, 0, MS_MAX);
    case 'S':
        return take_number(&proxy->stall, optarg, 0, PER_MILLE);
    case 'm':
        return take_number(&proxy->stall_ms, optarg, 0, MS_MAX);
    case 'r':
        return take_number(&proxy->reset, optarg, 0, PER_MILLE);
    case 'p':
        return take_number(plan, optarg, 0, INT32_MAX);
    default:
        return false;
    }
}

static bool take(struct proxy *proxy, uint32_t *plan, int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"to", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 's'},
        {"cut", required_argument, NULL, 'c'},
        {"delay", required_argument, NULL, 'd'},
        {"stall", required_argument, NULL, 'S'},
        {"stall-ms", required_argument, NULL, 'm'},
        {"reset", required_argument, NULL, 'r'},
        {"plan", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take_option(proxy, plan, option))
            return false;
    }
    return optind == argc && (*plan != UINT32_MAX ||
                              (proxy->listens.size > 0 && proxy->to.size > 0));
}

static void print_plan(const struct proxy *proxy, uint32_t number)
{
    for (unsigned lane = 0; lane < 2; lane++) {
        struct random random = lane_random(proxy, number, lane);
        for (int i = 0; i < PLAN_PIECES; i++) {
            struct piece piece = draw(proxy, &random);
            printf("%s %u bytes after %u ms%s\n", lane == 0 ? "to" : "back",
                   piece.left, piece.delay_ms, piece.resets ? ", reset" : "");
        }
    }
}

static int serve(struct proxy *proxy)
{
    struct evconnlistener *listener;
    struct event *stop;

    (void)signal(SIGPIPE, SIG_IGN);
    proxy->base = event_base_new();
    if (proxy->base == NULL)
        return EXIT_FAILURE;
    listener = evconnlistener_new_bind(
        proxy->base, on_accept, proxy,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
        (struct sockaddr *)&proxy->listens.name, proxy->listens.size);
    stop = evsignal_new(proxy->base, SIGTERM, on_signal, proxy);
    if (listener == NULL || stop == NULL || event_add(stop, NULL) != 0) {
        fprintf(stderr, "proxy: cannot listen: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    puts("proxy: ready");
    (void)fflush(stdout);
    (void)event_base_dispatch(proxy->base);
    evconnlistener_free(listener);
    event_free(stop);
    event_base_free(proxy->base);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct proxy proxy = {
        .seed = 1, .cut = CUT_DEFAULT, .stall_ms = STALL_MS_DEFAULT};
    uint32_t plan = UINT32_MAX;

    if (!take(&proxy, &plan, argc, argv)) {
        fputs("usage: proxy --listen HOST:PORT --to HOST:PORT [--seed N]\n"
              "             [--cut BYTES] [--delay MS] [--stall PER_MILLE]\n"
              "             [--stall-ms MS] [--reset PER_MILLE]\n"
              "             [--plan CONNECTION]\n",
              stderr);
        return 3;
    }
    if (plan == UINT32_MAX)
        return serve(&proxy);
    print_plan(&proxy, plan);
    return EXIT_SUCCESS;
}
