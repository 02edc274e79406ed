/*
 * queue.h: a bounded queue of pointers between threads.
 *
 * Any thread may push and take.  A full queue refuses; nobody is blocked who
 * does not ask for it.
 */
#ifndef DEFTER_SERVER_PIPELINE_QUEUE_H
#define DEFTER_SERVER_PIPELINE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/status.h"

/* Invariants: count <= capacity; the oldest lies at first. */
struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void **ring;
    size_t capacity;
    size_t first;
    size_t count;
    bool closed;
    bool woken; /* Who waits next does not. */
};

/* Aborts if there is no memory: it runs at start only. */
void queue_init(struct queue *queue, size_t capacity);
/* Requires: no thread uses the queue any more. */
void queue_wipe(struct queue *queue);

/*
 * queue_push(queue, item):
 * Returns: ST_OK; ST_BUSY if it is full; ST_DRAINING if it is closed.
 */
NODISCARD enum status queue_push(struct queue *queue, void *item);

/* Waits for room; false if the queue was closed before there was any. */
bool queue_push_wait(struct queue *queue, void *item);

/*
 * queue_take(queue, items, count_max, wait_ms):
 * Take up to ${count_max} of the oldest items, waiting for the first one at
 * most ${wait_ms} (negative: as long as it takes).
 *
 * Returns: how many; 0 after the time, or when it is closed and empty.
 */
size_t queue_take(struct queue *queue, void **items, size_t count_max,
                  int wait_ms);

/* Waits until something is queued, it is closed or woken, or ${wait_ms} are
 * over. */
void queue_wait_any(struct queue *queue, int wait_ms);

/* End the wait of queue_wait_any(), or the next one: what it waits for is told
 * elsewhere. */
void queue_wake(struct queue *queue);

/* No more pushes; what is in it can still be taken. */
void queue_close(struct queue *queue);

/* Closed, and everything was taken. */
bool queue_ended(struct queue *queue);

size_t queue_count(struct queue *queue);

#endif
