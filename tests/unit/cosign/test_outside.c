#include "server/cosign/outside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "client/witness/witness_http.h"
#include "server/cosign/submission.h"
#include "server/cosign/witness_post.h"
#include "tests/unit/cosign/cosign_fake.h"

/* A real witness, or a server that answers what the test says; both on the
 * base of who asks. */
enum { TURNS_MAX = 100000 };

static struct event_base *base;
static struct outside *outside;
static struct tlog_policy policy;
static char policy_text[2048];
static char directory[] = "/tmp/defter-outside-XXXXXX";
static struct witness_store *store;
static struct witness *witness;
static struct witness_http *http;
static struct identity signer;
static struct note_key key;
static uint16_t port;

static void say_nothing(void *context, const char *line)
{
    MAYBE(context == NULL);
    ck_assert_ptr_nonnull(line);
}

static void witness_begin(void)
{
    struct witness_options options = {.key = key,
                                      .identity = &signer,
                                      .logs = &fake_log.key,
                                      .logs_count = 1};
    char address[32];

    (void)snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    ck_assert_int_eq(witness_store_open(&store, directory), ST_OK);
    ck_assert_int_eq(witness_open(&witness, store, &options), ST_OK);
    ck_assert_int_eq(
        witness_http_open(&http, base, witness, address, NULL, say_nothing),
        ST_OK);
    port = witness_http_port(http);
}

static void witness_end(void)
{
    witness_http_close(http);
    witness_close(witness);
    witness_store_close(store);
}

/* A policy with a witness at ${url}, and one that has no address. */
static void ask_at(const char *url)
{
    struct tlog_policy_error error;
    struct writer writer;
    char text[NOTE_KEY_SIZE_MAX + 1], other[NOTE_KEY_SIZE_MAX + 1];
    struct note_key second;

    writer_init(&writer, text, NOTE_KEY_SIZE_MAX);
    note_key_write(&writer, &key);
    text[writer.used] = '\0';
    note_key_init(&second, slice_of("node", 4), NOTE_COSIGNATURE,
                  fake_cosigner.public_key);
    writer_init(&writer, other, NOTE_KEY_SIZE_MAX);
    note_key_write(&writer, &second);
    other[writer.used] = '\0';
    (void)snprintf(policy_text, sizeof policy_text,
                   "witness out %s %s\nwitness node %s\nquorum out\n", text,
                   url, other);
    ck_assert_int_eq(
        tlog_policy_read(&policy, &error,
                         slice_of(policy_text, strlen(policy_text))),
        ST_OK);
    outside_close(outside);
    ck_assert_int_eq(
        outside_open(&outside, base, &policy, &fake_log.key, &fake_calls),
        ST_OK);
}

static void ask_port(void)
{
    char url[64];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)port);
    ask_at(url);
    outside_lead(outside, true);
}

static void begin(void)
{
    uint8_t seed[SEED_SIZE] = {7};

    (void)signal(SIGPIPE, SIG_IGN);
    fake_begin();
    identity_init(&signer, seed);
    note_key_init(&key, slice_of("outside.example", 15), NOTE_COSIGNATURE,
                  signer.public_key);
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    base = event_base_new();
    ck_assert_ptr_nonnull(base);
    port = 0;
    outside = NULL;
}

static void end(void)
{
    char command[sizeof directory + 16];

    outside_close(outside);
    event_base_free(base);
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static void turn(void)
{
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    (void)usleep(100);
}

/* Until a line for ${size} was added. */
static void await_added(uint64_t size)
{
    for (int i = 0; i < TURNS_MAX && fake_added_size != size; i++)
        turn();
    ck_assert_uint_eq(fake_added_size, size);
}

static void await_said(const char *words)
{
    for (int i = 0; i < TURNS_MAX && strstr(fake_said, words) == NULL; i++)
        turn();
    ck_assert_msg(strstr(fake_said, words) != NULL, "%s: %s", words, fake_said);
}

/* As time goes on, and something is signed. */
static void publish_later(uint64_t size)
{
    fake_now_ms += SUBMISSION_PAUSE_MS_MAX;
    fake_publish(size);
    outside_published(outside);
}

static bool added_is_good(uint64_t size)
{
    uint8_t whole[4096];
    char line[600];
    struct note note;
    uint64_t time_s;

    memcpy(line, fake_added_line, fake_added_line_size);
    line[fake_added_line_size] = '\0';
    return note_read(&note, fake_write(whole, sizeof whole, size, line)) ==
               ST_OK &&
           note.count == 2 &&
           checkpoint_cosigned(&time_s, &note, &key) == ST_OK;
}

START_TEST(a_witness_signs_what_goes_on)
{
    begin();
    witness_begin();
    ask_port();
    ck_assert_uint_eq(fake_added, 0);
    publish_later(5);
    await_added(5);
    ck_assert(added_is_good(5));
    publish_later(9);
    await_added(9);
    ck_assert(added_is_good(9));
    ck_assert_uint_eq(fake_added, 2);
    ck_assert_str_eq(fake_said, "");
    witness_end();
    end();
}
END_TEST

START_TEST(who_did_not_know_the_witness_goes_on_from_its_size)
{
    begin();
    witness_begin();
    ask_port();
    publish_later(5);
    await_added(5);
    ask_port(); /* As another primary would. */
    publish_later(9);
    await_added(9);
    ask_port(); /* It has that already, and its line is wanted. */
    fake_added_size = 0;
    publish_later(9);
    await_added(9);
    ck_assert_str_eq(fake_said, "");
    witness_end();
    end();
}
END_TEST

START_TEST(who_follows_asks_nobody)
{
    begin();
    witness_begin();
    ask_port();
    outside_lead(outside, false);
    publish_later(5);
    for (int i = 0; i < 100; i++)
        turn();
    ck_assert_uint_eq(fake_added, 0);
    outside_lead(outside, true);
    await_added(5);
    witness_end();
    end();
}
END_TEST

START_TEST(a_witness_that_is_ahead_is_asked_when_the_log_is_there)
{
    begin();
    witness_begin();
    ask_port();
    publish_later(9);
    await_added(9);
    ask_port();
    publish_later(5);
    await_said("it has signed 9 entries, and this log has only 5");
    publish_later(6);
    for (int i = 0; i < 100; i++)
        turn();
    ck_assert_uint_eq(fake_added, 1);
    publish_later(12);
    await_added(12);
    witness_end();
    end();
}
END_TEST

START_TEST(a_witness_that_is_gone_is_told_once_and_asked_again)
{
    begin();
    witness_begin();
    ask_port();
    publish_later(5);
    await_added(5);
    witness_end();
    publish_later(6);
    await_said("witness out: ");
    fake_said[0] = '\0';
    publish_later(7);
    for (int i = 0; i < 1000; i++)
        turn();
    ck_assert_str_eq(fake_said, "");
    witness_begin();
    publish_later(8);
    await_added(8);
    await_said("it signs again");
    witness_end();
    end();
}
END_TEST

/* ---- Servers that do what they like ------------------------------------- */

static struct {
    int status;
    const char *type;
    const char *body;
    size_t size; /* 0: as long as it is. */
} answer;
static unsigned asked;
static char asked_path[128];

static void on_request(struct evhttp_request *request, void *context)
{
    struct evbuffer *out = evbuffer_new();
    size_t size = answer.size == 0 ? strlen(answer.body) : answer.size;

    MAYBE(context == NULL);
    asked++;
    (void)snprintf(asked_path, sizeof asked_path, "%s",
                   evhttp_request_get_uri(request));
    for (size_t used = 0; used < size; used += strlen(answer.body))
        (void)evbuffer_add(out, answer.body, strlen(answer.body));
    if (answer.type != NULL)
        (void)evhttp_add_header(evhttp_request_get_output_headers(request),
                                "Content-Type", answer.type);
    (void)evhttp_add_header(evhttp_request_get_output_headers(request),
                            "Location", "http://127.0.0.1:1/");
    evhttp_send_reply(request, answer.status, NULL, out);
    evbuffer_free(out);
}

START_TEST(what_is_no_signature_of_the_witness_is_refused_and_told)
{
    static const struct {
        int status;
        const char *type;
        const char *body;
        size_t size;
        const char *said;
    } rows[] = {
        {200, NULL, "\n", 0, "its signature is refused"},
        {200, NULL, "nonsense", 0, "its signature is refused"},
        {200, NULL, "\xe2\x80\x94 other tbygLQAAAABlU/EAIxBYW7UIcieb\n", 0,
         "its signature is refused"},
        {200, NULL,
         "\xe2\x80\x94 outside.example tbygLQAAAABlU/EAIxBYW7UIcieb\n", 0,
         "its signature is refused"},
        {200, NULL, "more than is read\n", 1000000, "witness out: "},
        {409, NULL, "3\n", 0, "it answers 409"},
        {409, "text/x.tlog.size", "03\n", 0, "it answers 409"},
        {409, "text/x.tlog.size", "99999999999999999999\n", 0,
         "it answers 409"},
        {302, NULL, "\n", 0, "it answers 302"},
        {404, NULL, "\n", 0, "it answers 404"},
        {422, NULL, "\n", 0, "it answers 422"},
        {500, NULL, "\n", 0, "it answers 500"},
    };
    struct evhttp *server;
    struct evhttp_bound_socket *bound;
    struct sockaddr_in name;
    socklen_t size = sizeof name;

    begin();
    server = evhttp_new(base);
    bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
    ck_assert_ptr_nonnull(bound);
    ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(bound),
                                 (struct sockaddr *)&name, &size),
                     0);
    port = ntohs(name.sin_port);
    evhttp_set_gencb(server, on_request, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer.status = rows[i].status;
        answer.type = rows[i].type;
        answer.body = rows[i].body;
        answer.size = rows[i].size;
        asked = 0;
        fake_said[0] = '\0';
        fake_note_size = 0;
        ask_port();
        publish_later(5);
        await_said(rows[i].said);
        ck_assert_uint_eq(asked, 1);
        ck_assert_str_eq(asked_path, "/add-checkpoint");
        outside_published(outside); /* Not before its pause is over. */
        for (int j = 0; j < 20; j++)
            turn();
        ck_assert_uint_eq(asked, 1);
    }
    ck_assert_uint_eq(fake_added, 0);
    outside_close(outside);
    outside = NULL;
    evhttp_free(server);
    end();
}
END_TEST

START_TEST(addresses_that_are_none_are_told_and_left)
{
    static const char *const urls[] = {"ftp://127.0.0.1/", "http://",
                                       "https://a.example/?q",
                                       "http://a.example/#f", "127.0.0.1:80"};
    char longest[WITNESS_POST_URL_SIZE_MAX + 1];

    begin();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        ck_assert_msg(!witness_post_url(slice_of(urls[i], strlen(urls[i]))),
                      "%s", urls[i]);
        fake_said[0] = '\0';
        ask_at(urls[i]);
        ck_assert_ptr_nonnull(strstr(fake_said, "witness out: "));
    }
    (void)memset(longest, 'a', sizeof longest);
    memcpy(longest, "http://", 7);
    ck_assert(witness_post_url(slice_of(longest, sizeof longest - 1)));
    ck_assert(!witness_post_url(slice_of(longest, sizeof longest)));
    end();
}
END_TEST

SUITE_MAIN("outside", a_witness_signs_what_goes_on,
           who_did_not_know_the_witness_goes_on_from_its_size,
           who_follows_asks_nobody,
           a_witness_that_is_ahead_is_asked_when_the_log_is_there,
           a_witness_that_is_gone_is_told_once_and_asked_again,
           what_is_no_signature_of_the_witness_is_refused_and_told,
           addresses_that_are_none_are_told_and_left)
