/* fuzz-runs: 1000
 *
 * fz_http.c: HTTP from strangers: a request to a witness, or an answer to the
 * node that asks one.  The witness answers in HTTP or closes; the node takes
 * over no line that its witness did not sign; both serve the next one.
 *
 * The first byte chooses: even, a request; odd, an answer.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "client/witness/witness_http.h"
#include "server/cosign/outside.h"
#include "server/cosign/submission.h"
#include "tests/unit/cosign/cosign_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TURNS_MAX = 200, SENT_MAX = 256 * 1024 };

static struct event_base *base;
static char directory[] = "/tmp/defter-fuzz-XXXXXX";
static struct witness *witness;
static struct witness_http *http;
static struct outside *outside;
static int listener = -1;

static void say_nothing(void *context, const char *line)
{
    INVARIANT(context == NULL);
    for (size_t i = 0; line[i] != '\0'; i++)
        INVARIANT((uint8_t)line[i] >= ' ');
}

static void end(void)
{
    char command[sizeof directory + 16];

    (void)snprintf(command, sizeof command, "rm -rf %s", directory);
    MAYBE(system(command) == 0);
}

static struct note_key witness_key(const struct identity *signer)
{
    struct note_key key;

    note_key_init(&key, slice_of("outside.example", 15), NOTE_COSIGNATURE,
                  signer->public_key);
    return key;
}

static void open_witness(const struct identity *signer)
{
    static struct witness_store *store;
    struct witness_options options = {.key = witness_key(signer),
                                      .identity = signer,
                                      .logs = &fake_log.key,
                                      .logs_count = 1};

    INVARIANT(mkdtemp(directory) != NULL);
    (void)atexit(end);
    INVARIANT(witness_store_open(&store, directory) == ST_OK);
    INVARIANT(witness_open(&witness, store, &options) == ST_OK);
    INVARIANT(witness_http_open(&http, base, witness, "127.0.0.1:0", NULL,
                                say_nothing) == ST_OK);
}

/* Who asks the witness that this target plays. */
static void open_outside(const struct identity *signer)
{
    static struct tlog_policy policy;
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    struct note_key key = witness_key(signer);
    struct tlog_policy_error error;
    char word[NOTE_KEY_SIZE_MAX + 1];
    static char text[1024];
    struct writer writer;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    INVARIANT(bind(listener, (struct sockaddr *)&name, sizeof name) == 0);
    INVARIANT(listen(listener, 1) == 0);
    INVARIANT(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
    writer_init(&writer, word, NOTE_KEY_SIZE_MAX);
    note_key_write(&writer, &key);
    word[writer.used] = '\0';
    (void)snprintf(text, sizeof text,
                   "witness out %s http://127.0.0.1:%u/\nquorum out\n", word,
                   (unsigned)ntohs(name.sin_port));
    INVARIANT(tlog_policy_read(&policy, &error, slice_of(text, strlen(text))) ==
              ST_OK);
    INVARIANT(outside_open(&outside, base, &policy, &fake_log.key,
                           &fake_calls) == ST_OK);
}

static void begin(void)
{
    static const uint8_t seed[SEED_SIZE] = {7};
    static struct identity signer;

    if (base != NULL)
        return;
    (void)signal(SIGPIPE, SIG_IGN);
    fake_begin();
    identity_init(&signer, seed);
    base = event_base_new();
    INVARIANT(base != NULL);
    open_witness(&signer);
    open_outside(&signer);
}

static void turn(void)
{
    (void)event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

/* At once, and without a port that lingers. */
static void close_hard(int fd)
{
    const struct linger now = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
}

static void check_request(const uint8_t *data, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    char answer[512];
    size_t got = 0;
    ssize_t part = -1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(witness_http_port(http));
    INVARIANT(connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    (void)send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    for (int left = TURNS_MAX; left > 0 && part != 0; left--) {
        turn();
        part = recv(fd, answer + got, sizeof answer - got, MSG_DONTWAIT);
        if (part > 0 && got < 8)
            got += (size_t)part;
    }
    INVARIANT(got < 5 || memcmp(answer, "HTTP/", 5) == 0);
    close_hard(fd);
    turn();
    turn();
}

static int accept_one(void)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};

    for (int left = TURNS_MAX; left > 0; left--) {
        turn();
        if (poll(&ready, 1, 0) == 1)
            return accept(listener, NULL, NULL);
    }
    return -1;
}

static void check_answer(const uint8_t *data, size_t size)
{
    char asked[4096];
    int fd;

    fake_note_size = fake_added = 0;
    fake_said[0] = '\0';
    fake_now_ms += SUBMISSION_PAUSE_MS_MAX + SUBMISSION_PERIOD_MS;
    fake_publish(5);
    outside_lead(outside, true);
    outside_published(outside);
    fd = accept_one();
    if (fd >= 0) {
        for (int left = TURNS_MAX; left > 0; left--) {
            turn();
            if (recv(fd, asked, sizeof asked, MSG_DONTWAIT) > 0)
                break;
        }
        (void)send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        for (int left = 8; left > 0; left--)
            turn();
        close_hard(fd);
    }
    for (int left = 8; left > 0; left--)
        turn();
    outside_lead(outside, false);
    INVARIANT(fake_added <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SENT_MAX)
        return 0;
    begin();
    if (data[0] % 2 == 0)
        check_request(data + 1, size - 1);
    else
        check_answer(data + 1, size - 1);
    return 0;
}
