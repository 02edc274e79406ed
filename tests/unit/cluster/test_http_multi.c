/* What a server answers beside the body: libcurl holds all of it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "server/cluster/etcd_http.h"
#include "tests/lib/suite.h"

enum { WAIT_S = 20 };

static struct event_base *base;
static int listener;
static bool ended, answered;

static void on_line(void *context, struct slice line)
{
    ck_assert_ptr_null(context);
    ck_abort_msg("a line of %zu bytes came", line.size);
}

static void on_done(void *context, const struct etcd_result *result)
{
    ck_assert_ptr_null(context);
    ended = true;
    answered = result->end == ETCD_ANSWERED;
    (void)event_base_loopbreak(base);
}

static bool say(int fd, const char *text)
{
    size_t size = strlen(text);

    return send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* ${again} is said until nobody listens any more. */
static void serve(const char *first, const char *again)
{
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0 && say(fd, first)) {
        while (say(fd, again))
            continue;
    }
    _exit(0);
}

static void listen_here(char endpoint[64])
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    (void)snprintf(endpoint, 64, "http://127.0.0.1:%u", ntohs(name.sin_port));
}

/* A stream, which has no time to end in, ends all the same. */
static void ends(const char *first, const char *again)
{
    const struct timeval wait = {WAIT_S, 0};
    struct etcd_http_options options = {.endpoints_count = 1,
                                        .connect_ms = 5000};
    struct etcd_request *request;
    struct etcd_http *http;
    char endpoint[64];
    pid_t server;

    listen_here(endpoint);
    server = fork();
    if (server == 0)
        serve(first, again);
    base = event_base_new();
    options.endpoints[0] = endpoint;
    ended = answered = false;
    ck_assert_int_eq(etcd_http_open(&http, base, &options), ST_OK);
    ck_assert_int_eq(etcd_http_stream(http, &request, "/v3/watch",
                                      slice_of("{}", 2), NULL, on_line,
                                      on_done),
                     ST_OK);
    (void)event_base_loopexit(base, &wait);
    (void)event_base_dispatch(base);
    ck_assert(ended);
    ck_assert(!answered);
    etcd_http_close(http);
    event_base_free(base);
    (void)close(listener);
    (void)kill(server, SIGKILL);
    ck_assert_int_eq(waitpid(server, NULL, 0), server);
}

START_TEST(heads_and_trailers_without_end_end_the_request)
{
    (void)signal(SIGPIPE, SIG_IGN);
    ends("HTTP/1.1 200 OK\r\n", "X-One-More: of the head\r\n");
    ends("", "HTTP/1.1 103 Early Hints\r\nLink: none\r\n\r\n");
    ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
         "X-One-More: of the trailers\r\n");
}
END_TEST

SUITE_MAIN("http_multi", heads_and_trailers_without_end_end_the_request)
