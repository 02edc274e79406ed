/* What a stranger sends a witness, and how much of it stays. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "client/witness/witness_guests.h"
#include "client/witness/witness_http.h"
#include "tests/lib/heap.h"
#include "tests/lib/suite.h"

enum { KEPT_SIZE_MAX = 1024 * 1024 };

static struct event_base *base;
static struct witness_http *http;

static void say_nothing(void *context, const char *line)
{
    ck_assert_ptr_null(context);
    ck_assert_ptr_nonnull(line);
}

static void open_witness(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    ck_assert_int_eq(
        witness_http_open(&http, base, NULL, "127.0.0.1:0", NULL, say_nothing),
        ST_OK);
}

static void close_witness(void)
{
    witness_http_close(http);
    event_base_free(base);
}

/* A connection that nobody has accepted yet; negative: none. */
static int connected(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons(witness_http_port(http))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) != 0)
        return -1;
    return fd;
}

/* ${first}, and then one digit for as long as somebody takes it. */
static void flood(const char *first)
{
    static char digits[64 * 1024];
    int fd = connected();

    memset(digits, '0', sizeof digits);
    if (fd < 0)
        _exit(1);
    (void)send(fd, first, strlen(first), MSG_NOSIGNAL);
    while (send(fd, digits, sizeof digits, MSG_NOSIGNAL) > 0)
        continue;
    _exit(0);
}

static void serve_for(int seconds)
{
    const struct timeval wait = {seconds, 0};

    (void)event_base_loopexit(base, &wait);
    (void)event_base_dispatch(base);
}

/* Lines of a head and of a chunk, which HTTP does not bound. */
START_TEST(a_line_without_end_is_not_kept_and_ends_with_its_time)
{
    static const char chunked[] = "POST /add-checkpoint HTTP/1.1\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n";
    static const char *const firsts[] = {
        "GET /", "POST /add-checkpoint HTTP/1.1\r\nX-", chunked};
    enum { CLIENTS = sizeof firsts / sizeof firsts[0] };
    pid_t clients[CLIENTS];
    size_t before;

    open_witness();
    before = heap_used();
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = fork();
        if (clients[i] == 0)
            flood(firsts[i]);
    }
    serve_for(WITNESS_GUESTS_S / 2);
    ck_assert_uint_lt(heap_used(), before + KEPT_SIZE_MAX);
    serve_for(WITNESS_GUESTS_S);
    for (size_t i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(waitpid(clients[i], NULL, WNOHANG), clients[i]);
    close_witness();
}
END_TEST

/* Anybody may use all of them up. */
START_TEST(who_comes_while_descriptors_are_short_is_served_later)
{
    static const char asked[] = "GET / HTTP/1.1\r\n\r\n";
    struct rlimit limit, low;
    char answer[17] = "";
    int fd;

    open_witness();
    fd = connected();
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(send(fd, asked, sizeof asked - 1, 0), sizeof asked - 1);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)fd + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    serve_for(1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT) < 0)
        (void)event_base_loop(base, EVLOOP_ONCE);
    ck_assert_str_eq(answer, "HTTP/1.1 404 Not");
    (void)close(fd);
    close_witness();
}
END_TEST

SUITE_MAIN("witness_http",
           a_line_without_end_is_not_kept_and_ends_with_its_time,
           who_comes_while_descriptors_are_short_is_served_later)
