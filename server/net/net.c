#include "server/net/net.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "replication/need.h"
#include "server/net/home.h"

enum {
    US = 1000000,
    SOURCES_CAPACITY = 1 << 16,
    KEYS_CAPACITY = 1 << 15,
    ACCOUNTS_CAPACITY = 1 << 15
};

/* Mail to a loop. */
struct mail_replies {
    struct mail mail;
    struct reply *replies;
};
struct mail_key {
    struct mail mail;
    struct bytes16 key_id;
};

void net_defaults(struct net_options *options)
{
    *options = (struct net_options){
        .address = "127.0.0.1:7840",
        .loops = 2,
        .connections = CONNECTIONS_MAX,
        .connections_before_login = CONNECTIONS_BEFORE_LOGIN_MAX,
        .connections_per_source = CONNECTIONS_PER_SOURCE_BEFORE_LOGIN_MAX,
        .connections_per_person = CONNECTIONS_PER_PERSON_KEY_MAX,
        .connections_per_organisation = CONNECTIONS_PER_ORGANISATION_KEY_MAX,
        .handshakes_per_source_burst = HANDSHAKES_PER_SOURCE_BURST,
        .commands_per_second_person = COMMANDS_PER_SECOND_PERSON,
        .commands_per_second_body = COMMANDS_PER_SECOND_BODY,
        .memory_mib = MEMORY_SESSIONS_MIB_DEFAULT,
        .session_lifetime_person_s = LIFETIME_S_PERSON,
        .session_lifetime_machine_s = LIFETIME_S_MACHINE,
        .portal = true,
        .registry = true,
    };
}

struct connection *home_find(struct net_loop *home, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    struct connection *connection =
        slot < home->slots_count ? home->slots[slot] : NULL;

    return connection != NULL && connection->id == id ? connection : NULL;
}

void home_left(struct net_loop *home, struct connection *connection)
{
    struct net *net = home->net;
    bool before_login = connection->requests == NULL;

    if (before_login) {
        atomic_fetch_sub(&net->before_login, 1);
        usage_leave(net->sources, connection->source.name);
    }
    for (int i = 0; i < WATCHES_PER_CONNECTION_MAX; i++) {
        if (connection->watches[i].live)
            atomic_fetch_sub(&net->watching, 1);
    }
    if (connection->key_counted)
        usage_leave(net->keys, connection->session.key_id.b);
    atomic_fetch_sub(&net->connections, 1);
}

static void tick(struct loop *loop, void *context)
{
    struct net_loop *home = context;
    struct net *net = home->net;
    int64_t now_us = loop_now_us();
    bool draining = atomic_load(&net->draining);

    MAYBE(loop == home->loop);
    for (uint32_t i = 0; i < home->slots_used; i++) {
        struct connection *connection = home->slots[i];
        if (connection == NULL)
            continue;
        connection->draining = draining;
        connection_tick(connection, now_us);
    }
    if (memory_is_tight(&net->memory, MEMORY_SESSIONS) ||
        memory_is_tight(&net->memory, MEMORY_ANSWERS))
        connection_close_heaviest(home);
    connection_end_pass(home);
    while (home->slots_used > 0 && home->slots[home->slots_used - 1] == NULL)
        home->slots_used--;
    if (home->number != 0 || net->listener == NULL)
        return;
    if (draining) {
        listener_pause(net->listener);
    } else if (!atomic_load(&net->listening) &&
               atomic_load(&net->connections) < net->options.connections) {
        atomic_store(&net->listening, true);
        listener_resume(net->listener);
    }
}

static void deliver_replies(struct loop *loop, void *context, struct mail *mail)
{
    struct mail_replies *letter = (struct mail_replies *)mail;
    struct net_loop *home = context;
    struct reply *reply = letter->replies;

    MAYBE(loop == home->loop);
    while (reply != NULL) {
        struct reply *next = reply->next;
        struct connection *connection = home_find(home, reply->connection);
        if (connection != NULL)
            request_reply(connection, reply);
        else
            reply_close(reply);
        reply = next;
    }
    connection_end_pass(home);
    free(letter);
}

static void on_answer(void *context, uint32_t loop, struct reply *replies)
{
    struct net *net = context;
    struct mail_replies *letter = calloc(1, sizeof *letter);

    REQUIRE(loop < net->homes_opened);
    /* An answer must not vanish while its sender waits. */
    NEED(letter != NULL);
    letter->mail.deliver = deliver_replies;
    letter->replies = replies;
    loop_post(net->homes[loop].loop, &letter->mail);
}

static void deliver_grown(struct loop *loop, void *context, struct mail *mail)
{
    struct net_loop *home = context;

    MAYBE(loop == home->loop);
    free(mail);
    atomic_store(&home->pump, false);
    for (uint32_t i = 0; i < home->slots_used; i++) {
        struct connection *connection = home->slots[i];
        if (connection != NULL && connection->phase == PHASE_OPEN)
            watching_pump(connection);
    }
    connection_end_pass(home);
}

static void on_grown(void *context, uint64_t size)
{
    struct net *net = context;

    MAYBE(size > 0);
    for (uint32_t i = 0; i < net->homes_opened; i++) {
        struct mail *mail;
        if (atomic_load(&net->watching) == 0 ||
            atomic_exchange(&net->homes[i].pump, true))
            continue;
        mail = calloc(1, sizeof *mail);
        if (mail == NULL) {
            atomic_store(&net->homes[i].pump, false);
            continue; /* The next growth tells them. */
        }
        mail->deliver = deliver_grown;
        loop_post(net->homes[i].loop, mail);
    }
}

static void deliver_key_ended(struct loop *loop, void *context,
                              struct mail *mail)
{
    struct mail_key *letter = (struct mail_key *)mail;
    struct net_loop *home = context;

    MAYBE(loop == home->loop);
    for (uint32_t i = 0; i < home->slots_used; i++) {
        struct connection *connection = home->slots[i];
        if (connection != NULL && connection->phase == PHASE_OPEN &&
            memcmp(connection->session.key_id.b, letter->key_id.b,
                   KEY_ID_SIZE) == 0)
            connection_leave(connection, ST_SESSION_OVER);
    }
    connection_end_pass(home);
    free(letter);
}

static void on_key_ended(void *context, const uint8_t *key_id)
{
    struct net *net = context;

    for (uint32_t i = 0; i < net->homes_opened; i++) {
        struct mail_key *letter = calloc(1, sizeof *letter);

        /* A revoked key's sessions must end. */
        NEED(letter != NULL);
        letter->mail.deliver = deliver_key_ended;
        memcpy(letter->key_id.b, key_id, KEY_ID_SIZE);
        loop_post(net->homes[i].loop, &letter->mail);
    }
}

struct pipeline_events net_events(struct net *net)
{
    return (struct pipeline_events){net, on_answer, on_grown, on_key_ended};
}

static enum status open_home(struct net *net, uint32_t number)
{
    struct net_loop *home = &net->homes[number];
    uint8_t *plain = malloc(FRAME_SIZE_MAX);

    home->net = net;
    home->number = number;
    home->slots_count = net->options.connections;
    home->slots = calloc(home->slots_count, sizeof(struct connection *));
    home->generations = calloc(home->slots_count, sizeof(uint32_t));
    home->scratch = malloc(SCRATCH_SIZE);
    home->record = malloc(RECORD_SIZE_MAX);
    home->watch_buffer = malloc(WATCH_BUFFER_SIZE);
    if (plain == NULL || home->slots == NULL || home->generations == NULL ||
        home->scratch == NULL || home->record == NULL ||
        home->watch_buffer == NULL) {
        free(plain);
        return ST_EXHAUSTED;
    }
    writer_init(&home->plain, plain, FRAME_SIZE_MAX);
    return loop_open(&home->loop, number, home, tick);
}

static void close_home(struct net_loop *home)
{
    for (uint32_t i = 0; i < home->slots_used; i++) {
        if (home->slots[i] != NULL)
            connection_kill(home->slots[i]);
    }
    connection_end_pass(home);
    loop_close(home->loop);
    free(home->plain.data);
    free(home->slots);
    free(home->generations);
    free(home->scratch);
    free(home->record);
    free(home->watch_buffer);
}

/* Out of descriptors, the log could not go on: connections never take the last
 * ones. */
static uint32_t affordable(uint32_t connections)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct rlimit limit;
    rlim_t left;

    if (next < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    (void)close(next);
    left = limit.rlim_cur > (rlim_t)next ? limit.rlim_cur - (rlim_t)next : 0;
    left = left > 2 * DESCRIPTORS_RESERVED ? left - DESCRIPTORS_RESERVED
                                           : left / 2;
    if (left >= connections)
        return connections;
    return left > 0 ? (uint32_t)left : 1;
}

/* As many as may wait for a login have room. */
static size_t before_login_size(const struct net_options *options)
{
    return (size_t)options->connections_before_login *
           MEMORY_PER_CONNECTION_BEFORE_LOGIN;
}

enum status net_open(struct net **net_out, const struct net_options *options,
                     const struct net_identity *identity)
{
    struct net *net = calloc(1, sizeof *net);
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    enum status status = ST_EXHAUSTED;

    REQUIRE(options->loops >= 1 && options->loops <= NET_LOOPS_MAX);
    if (net == NULL)
        return ST_EXHAUSTED;
    net->options = *options;
    net->options.connections = affordable(options->connections);
    (void)sodium_mlock(&net->identity, sizeof net->identity);
    net->identity = *identity;
    memory_init(&net->memory, before_login_size(options),
                (size_t)options->memory_mib << 20);
    crypto_sign_keypair(net->dummy_key, secret);
    sodium_memzero(secret, sizeof secret);
    if (usage_open(&net->sources, SOURCES_CAPACITY) != ST_OK ||
        usage_open(&net->keys, KEYS_CAPACITY) != ST_OK ||
        throttle_open(&net->throttle, ACCOUNTS_CAPACITY) != ST_OK)
        goto fail;
    for (uint32_t i = 0; i < options->loops; i++) {
        net->homes_opened = i + 1;
        status = open_home(net, i);
        if (status != ST_OK)
            goto fail;
    }
    status = listener_open(&net->listener, net->homes[0].loop, options->address,
                           net, home_accepted);
    if (status != ST_OK)
        goto fail;
    atomic_store(&net->listening, true);
    net->options.address = NULL; /* The caller's text; not needed again. */
    *net_out = net;
    return ST_OK;
fail:
    net_close(net);
    ENSURE(status != ST_OK);
    return status;
}

static void report(void *context, const struct pipeline_figures *to)
{
    struct net *net = context;

    to->add(to->context, "connections", atomic_load(&net->connections));
    to->add(to->context, "connections_before_login",
            atomic_load(&net->before_login));
#define X(name) to->add(to->context, #name, atomic_load(&net->counters.name));
    NET_COUNTERS(X)
#undef X
#define X(name) \
    to->add(to->context, "limit." #name, atomic_load(&net->limits.name));
    NET_LIMITS(X)
#undef X
    to->add(to->context, "limit.sources_table", usage_full_count(net->sources));
    to->add(to->context, "limit.keys_table", usage_full_count(net->keys));
#define X(UPPER, lower)                    \
    to->add(to->context, "memory." #lower, \
            atomic_load(&net->memory.of[MEMORY_##UPPER].used));
    MEMORY_CLASSES(X)
#undef X
}

enum status net_start(struct net *net, struct pipeline *pipeline)
{
    net->pipeline = pipeline;
    pipeline_set_figures(pipeline, net, report);
    pipeline_set_moved(pipeline, net, advice_moved);
    for (uint32_t i = 0; i < net->homes_opened; i++) {
        if (loop_start(net->homes[i].loop) != ST_OK)
            return ST_EXHAUSTED;
    }
    return ST_OK;
}

void net_set_limits(struct net *net, const struct net_options *options)
{
#define N(name) \
    __atomic_store_n(&net->options.name, options->name, __ATOMIC_RELAXED);
    NET_LIVE_OPTIONS(N)
#undef N
    memory_set_cap(&net->memory, MEMORY_BEFORE_LOGIN,
                   before_login_size(options));
}

uint32_t net_connections_max(const struct net *net)
{
    return net->options.connections;
}

uint16_t net_port(const struct net *net)
{
    return listener_port(net->listener);
}

void net_drain(struct net *net, uint32_t wait_ms)
{
    int64_t until_us = loop_now_us() + (int64_t)wait_ms * 1000;
    const struct timespec pause = {0, 10 * 1000 * 1000};

    atomic_store(&net->draining, true);
    while (atomic_load(&net->connections) > 0 && loop_now_us() < until_us)
        nanosleep(&pause, NULL);
}

void net_close(struct net *net)
{
    if (net == NULL)
        return;
    for (uint32_t i = 0; i < net->homes_opened; i++)
        loop_stop(net->homes[i].loop);
    listener_close(net->listener);
    for (uint32_t i = 0; i < net->homes_opened; i++)
        close_home(&net->homes[i]);
    usage_close(net->sources);
    usage_close(net->keys);
    throttle_close(net->throttle);
    (void)sodium_munlock(&net->identity, sizeof net->identity); /* Wipes. */
    free(net);
}
