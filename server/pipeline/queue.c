#include "server/pipeline/queue.h"
#include "replication/need.h"

#include <stdlib.h>
#include <time.h>

enum { QUEUE_MS_PER_S = 1000, QUEUE_NS_PER_MS = 1000000 };

void queue_init(struct queue *queue, size_t capacity)
{
    pthread_condattr_t attributes;

    REQUIRE(capacity > 0);
    queue->ring = calloc(capacity, sizeof *queue->ring);
    queue->capacity = capacity;
    queue->first = 0;
    queue->count = 0;
    queue->closed = false;
    queue->woken = false;
    NEED(queue->ring != NULL);
    NEED(pthread_mutex_init(&queue->mutex, NULL) == 0);
    NEED(pthread_condattr_init(&attributes) == 0);
    NEED(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    NEED(pthread_cond_init(&queue->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
}

void queue_wipe(struct queue *queue)
{
    (void)pthread_cond_destroy(&queue->changed);
    (void)pthread_mutex_destroy(&queue->mutex);
    free(queue->ring);
    queue->ring = NULL;
}

static void queue_put(struct queue *queue, void *item)
{
    size_t last = (queue->first + queue->count) % queue->capacity;

    queue->ring[last] = item;
    queue->count++;
    (void)pthread_cond_broadcast(&queue->changed);
}

enum status queue_push(struct queue *queue, void *item)
{
    enum status status = ST_OK;

    (void)pthread_mutex_lock(&queue->mutex);
    if (queue->closed)
        status = ST_DRAINING;
    else if (queue->count == queue->capacity)
        status = ST_BUSY;
    else
        queue_put(queue, item);
    (void)pthread_mutex_unlock(&queue->mutex);
    return status;
}

bool queue_push_wait(struct queue *queue, void *item)
{
    bool pushed = false;

    (void)pthread_mutex_lock(&queue->mutex);
    while (!queue->closed && queue->count == queue->capacity)
        (void)pthread_cond_wait(&queue->changed, &queue->mutex);
    if (!queue->closed) {
        queue_put(queue, item);
        pushed = true;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    return pushed;
}

static struct timespec queue_deadline(int wait_ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += wait_ms / QUEUE_MS_PER_S;
    at.tv_nsec += (long)(wait_ms % QUEUE_MS_PER_S) * QUEUE_NS_PER_MS;
    if (at.tv_nsec >= (long)QUEUE_MS_PER_S * QUEUE_NS_PER_MS) {
        at.tv_sec++;
        at.tv_nsec -= (long)QUEUE_MS_PER_S * QUEUE_NS_PER_MS;
    }
    return at;
}

/* With the mutex held: waits for an item, the end or the time. */
static void queue_take_wait(struct queue *queue, int wait_ms)
{
    struct timespec deadline;

    if (wait_ms < 0) {
        while (queue->count == 0 && !queue->closed)
            (void)pthread_cond_wait(&queue->changed, &queue->mutex);
        return;
    }
    deadline = queue_deadline(wait_ms);
    while (queue->count == 0 && !queue->closed) {
        if (pthread_cond_timedwait(&queue->changed, &queue->mutex, &deadline) !=
            0)
            return;
    }
}

size_t queue_take(struct queue *queue, void **items, size_t count_max,
                  int wait_ms)
{
    size_t taken = 0;

    (void)pthread_mutex_lock(&queue->mutex);
    if (queue->count == 0 && wait_ms != 0)
        queue_take_wait(queue, wait_ms);
    while (taken < count_max && queue->count > 0) {
        items[taken++] = queue->ring[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
    }
    if (taken > 0)
        (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->mutex);
    return taken;
}

void queue_wait_any(struct queue *queue, int wait_ms)
{
    struct timespec deadline = queue_deadline(wait_ms);

    (void)pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->closed && !queue->woken) {
        if (pthread_cond_timedwait(&queue->changed, &queue->mutex, &deadline) !=
            0)
            break;
    }
    queue->woken = false;
    (void)pthread_mutex_unlock(&queue->mutex);
}

void queue_wake(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    queue->woken = true;
    (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->mutex);
}

void queue_close(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->mutex);
}

bool queue_ended(struct queue *queue)
{
    bool ended;

    (void)pthread_mutex_lock(&queue->mutex);
    ended = queue->closed && queue->count == 0;
    (void)pthread_mutex_unlock(&queue->mutex);
    return ended;
}

size_t queue_count(struct queue *queue)
{
    size_t count;

    (void)pthread_mutex_lock(&queue->mutex);
    count = queue->count;
    (void)pthread_mutex_unlock(&queue->mutex);
    return count;
}
