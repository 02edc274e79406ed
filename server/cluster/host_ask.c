#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replication/need.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/host_private.h"

/* Asker and host each hold it; the last to let go frees it, so that an asker
 * may stop waiting. */
struct question {
    struct host_mail mail;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int holders;
    bool answered;
    enum status status;
    struct host_query query;
};

static void let_go(struct question *question)
{
    int left;

    (void)pthread_mutex_lock(&question->lock);
    left = --question->holders;
    (void)pthread_mutex_unlock(&question->lock);
    if (left > 0)
        return;
    (void)pthread_cond_destroy(&question->changed);
    (void)pthread_mutex_destroy(&question->lock);
    free(question);
}

static enum status answer_config(struct host *host, struct host_query *query)
{
    struct config config;
    struct slice bytes;

    if (!replica_config(host->replica, &config, &bytes))
        return ST_NO_SUCH;
    INVARIANT(bytes.size <= sizeof query->bytes);
    memcpy(query->bytes, bytes.data, bytes.size);
    query->bytes_size = bytes.size;
    return ST_OK;
}

static enum status answer_cert(struct host *host, struct host_query *query)
{
    struct slice bytes = replica_certificate(host->replica);

    INVARIANT(bytes.size <= sizeof query->bytes);
    if (bytes.size > 0)
        memcpy(query->bytes, bytes.data, bytes.size);
    query->bytes_size = bytes.size;
    return ST_OK;
}

static enum status answer_hand_over(struct host *host,
                                    const struct host_query *query)
{
    struct replica_event event = {.type = REPLICA_HAND_OVER};

    memcpy(event.node_id, query->node_id, NODE_ID_SIZE);
    host_step(host, &event);
    return ST_OK;
}

static void vouch(struct host *host, const struct host_query *query)
{
    struct replica_event event = {.type = REPLICA_VOUCH};

    memcpy(event.node_id, query->node_id, NODE_ID_SIZE);
    host_step(host, &event);
}

static enum status answer(struct host *host, struct host_query *query)
{
    switch (query->question) {
    case HOST_STATUS:
        replica_status(host->replica, &query->status, cluster_clock_ms());
        return ST_OK;
    case HOST_CONFIG:
        return answer_config(host, query);
    case HOST_CERT:
        return answer_cert(host, query);
    case HOST_STATE:
        if (query->why == CONFIG_ADD || query->why == CONFIG_REPLACE)
            vouch(host, query);
        return replica_state(host->replica, &query->statement, query->why,
                             query->node_id, cluster_clock_ms());
    case HOST_CERTIFY:
        return host_certify(host, query->refusal,
                            slice_of(query->bytes, query->bytes_size), false);
    case HOST_HAND_OVER:
        return answer_hand_over(host, query);
    }
    return ST_UNKNOWN_OP;
}

static void deliver_question(struct host *host, struct host_mail *mail)
{
    struct question *question = (struct question *)mail;
    struct host_query query = question->query; /* Only read by the asker. */
    enum status status = answer(host, &query);

    (void)pthread_mutex_lock(&question->lock);
    question->query = query;
    question->status = status;
    question->answered = true;
    (void)pthread_cond_signal(&question->changed);
    (void)pthread_mutex_unlock(&question->lock);
    let_go(question);
}

static void wait_for_answer(struct question *question, uint32_t wait_ms)
{
    enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000 };
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_nsec -= NS_PER_S;
        until.tv_sec++;
    }
    while (!question->answered &&
           pthread_cond_timedwait(&question->changed, &question->lock,
                                  &until) != ETIMEDOUT)
        continue;
}

enum status host_ask(struct host *host, struct host_query *query,
                     uint32_t wait_ms)
{
    struct question *question = calloc(1, sizeof *question);
    pthread_condattr_t attributes;
    enum status status = ST_TIMEOUT;

    REQUIRE(query->bytes_size <= sizeof query->bytes);
    NEED(question != NULL);
    (void)pthread_mutex_init(&question->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&question->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    question->mail.deliver = deliver_question;
    question->holders = 2;
    question->query = *query;
    if (!host_post(host, &question->mail)) {
        question->holders = 1;
        let_go(question);
        return ST_DRAINING;
    }
    (void)pthread_mutex_lock(&question->lock);
    wait_for_answer(question, wait_ms);
    if (question->answered) {
        *query = question->query;
        status = question->status;
    }
    (void)pthread_mutex_unlock(&question->lock);
    let_go(question);
    return status;
}
