#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/net/home.h"

/* An accepted socket on its way to its loop. */
struct mail_socket {
    struct mail mail;
    int fd;
    struct source source;
};
/* More than half full before login: drop at random, more surely the fuller. */
static bool is_dropped_early(const struct net *net, uint32_t before_login)
{
    uint32_t full = home_limit(&net->options.connections_before_login);
    uint32_t begin = full / 2;

    if (before_login < begin)
        return false;
    return before_login >= full ||
           randombytes_uniform(full - begin) < before_login - begin;
}

/* The count of the limit by which ${source} is not welcome; NULL: it is, and
 * its connection is counted. */
static atomic_uint_fast64_t *unwelcome(struct net *net,
                                       const struct source *source)
{
    int64_t now_us = loop_now_us();

    if (is_dropped_early(net, atomic_load(&net->before_login)))
        return &net->limits.connections_before_login;
    if (memory_is_tight(&net->memory, MEMORY_BEFORE_LOGIN) ||
        memory_is_tight(&net->memory, MEMORY_SESSIONS))
        return &net->limits.memory;
    if (usage_penalty(net->sources, source->name, now_us) > 0)
        return &net->limits.penalised_source;
    /* Its own rate before everybody's, which one source must not use up. */
    if (!usage_take(net->sources, source->name, USAGE_HANDSHAKES,
                    HANDSHAKES_PER_SOURCE_PER_SECOND,
                    home_limit(&net->options.handshakes_per_source_burst), 1,
                    now_us))
        return &net->limits.handshakes_source;
    if (!bucket_take(&net->handshakes, now_us, HANDSHAKES_PER_SECOND_MAX,
                     HANDSHAKES_PER_SECOND_MAX, 1))
        return &net->limits.handshakes;
    if (!usage_enter(net->sources, source->name,
                     home_limit(&net->options.connections_per_source), now_us))
        return &net->limits.connections_source;
    return NULL;
}

static void deliver_socket(struct loop *loop, void *context, struct mail *mail)
{
    struct mail_socket *socket = (struct mail_socket *)mail;
    struct net_loop *home = context;

    MAYBE(loop == home->loop);
    if (!connection_open(home, socket->fd, &socket->source)) {
        atomic_fetch_sub(&home->net->before_login, 1);
        atomic_fetch_sub(&home->net->connections, 1);
        usage_leave(home->net->sources, socket->source.name);
    }
    free(socket);
}

/* On the listener's loop. */
bool home_accepted(void *context, int fd, const struct source *source)
{
    struct net *net = context;
    struct mail_socket *socket;
    atomic_uint_fast64_t *limit = NULL;
    bool draining = atomic_load(&net->draining);

    if (!draining)
        limit = unwelcome(net, source);
    if (draining || limit != NULL) {
        atomic_fetch_add(&net->counters.refused, 1);
        if (limit != NULL)
            atomic_fetch_add(limit, 1);
        pipeline_noise(net->pipeline, ST_FULL, 1);
        close(fd);
        return true;
    }
    atomic_fetch_add(&net->counters.accepted, 1);
    atomic_fetch_add(&net->before_login, 1);
    atomic_fetch_add(&net->connections, 1);
    socket = calloc(1, sizeof *socket);
    if (socket == NULL) {
        atomic_fetch_sub(&net->before_login, 1);
        atomic_fetch_sub(&net->connections, 1);
        usage_leave(net->sources, source->name);
        close(fd);
        return true;
    }
    socket->mail.deliver = deliver_socket;
    socket->fd = fd;
    socket->source = *source;
    loop_post(net->homes[net->next_home].loop, &socket->mail);
    net->next_home = (net->next_home + 1) % net->homes_opened;
    if (atomic_load(&net->connections) < net->options.connections)
        return true;
    atomic_store(&net->listening, false);
    return false;
}
