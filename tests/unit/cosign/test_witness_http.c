/* What a stranger sends a witness, and how much of it stays. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
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

/* ${first}, and then one digit for as long as somebody takes it. */
static void flood(const char *first)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons(witness_http_port(http))};
    static char digits[64 * 1024];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(digits, '0', sizeof digits);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) != 0)
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

    (void)signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    ck_assert_int_eq(
        witness_http_open(&http, base, NULL, "127.0.0.1:0", NULL, say_nothing),
        ST_OK);
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
    witness_http_close(http);
    event_base_free(base);
}
END_TEST

SUITE_MAIN("witness_http",
           a_line_without_end_is_not_kept_and_ends_with_its_time)
