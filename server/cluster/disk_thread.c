#include "server/cluster/disk_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "server/cluster/cluster_clock.h"

enum { DISK_BATCH_MAX = 64, DISK_RING_MIN = 256 };

/*
 * Invariant: finished <= count <= capacity.  The oldest job lies at first, and
 * finished of them are done and not taken yet.
 */
struct disk_thread {
    struct storage storage;
    struct disk_thread_events events;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t spare;
    pthread_t worker;
    pthread_t background;
    bool started;
    /* Guarded by lock: */
    struct storage_job **ring;
    size_t capacity, first, count, finished;
    int64_t moved_ms; /* When work came to an idle disk, or it last did some. */
    bool spare_wanted;
    bool stopping;
};

struct disk_thread *disk_thread_open(const struct storage *storage,
                                     const struct disk_thread_events *events)
{
    struct disk_thread *thread = calloc(1, sizeof *thread);

    NEED(thread != NULL);
    thread->storage = *storage;
    thread->events = *events;
    thread->capacity = DISK_RING_MIN;
    thread->ring = calloc(thread->capacity, sizeof(struct storage_job *));
    NEED(thread->ring != NULL);
    (void)pthread_mutex_init(&thread->lock, NULL);
    (void)pthread_cond_init(&thread->changed, NULL);
    (void)pthread_cond_init(&thread->spare, NULL);
    return thread;
}

/* ---- The ring ----------------------------------------------------------- */

static struct storage_job **at(struct disk_thread *thread, size_t number)
{
    return &thread->ring[(thread->first + number) % thread->capacity];
}

static void grow(struct disk_thread *thread)
{
    size_t capacity = thread->capacity * 2;
    struct storage_job **ring = calloc(capacity, sizeof(struct storage_job *));

    NEED(ring != NULL);
    for (size_t i = 0; i < thread->count; i++)
        ring[i] = *at(thread, i);
    free(thread->ring);
    thread->ring = ring;
    thread->capacity = capacity;
    thread->first = 0;
}

void disk_thread_push(struct disk_thread *thread, struct storage_job *job)
{
    (void)pthread_mutex_lock(&thread->lock);
    REQUIRE(!thread->stopping);
    if (thread->count == thread->capacity)
        grow(thread);
    if (thread->count == thread->finished)
        thread->moved_ms = cluster_clock_ms();
    *at(thread, thread->count) = job;
    thread->count++;
    (void)pthread_cond_signal(&thread->changed);
    (void)pthread_mutex_unlock(&thread->lock);
}

size_t disk_thread_take(struct disk_thread *thread, struct storage_job **jobs,
                        size_t count_max)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&thread->lock);
    while (count < count_max && thread->finished > 0) {
        jobs[count++] = *at(thread, 0);
        thread->first = (thread->first + 1) % thread->capacity;
        thread->count--;
        thread->finished--;
    }
    (void)pthread_mutex_unlock(&thread->lock);
    return count;
}

bool disk_thread_is_alive(struct disk_thread *thread, int64_t limit_ms)
{
    bool alive;

    (void)pthread_mutex_lock(&thread->lock);
    alive = thread->count == thread->finished ||
            cluster_clock_ms() - thread->moved_ms < limit_ms;
    (void)pthread_mutex_unlock(&thread->lock);
    return alive;
}

/* ---- The threads -------------------------------------------------------- */

/* Waits for jobs; 0 once there are none and none will come. */
static size_t take_work(struct disk_thread *thread, struct storage_job **jobs)
{
    size_t count;

    (void)pthread_mutex_lock(&thread->lock);
    while (thread->count == thread->finished && !thread->stopping)
        (void)pthread_cond_wait(&thread->changed, &thread->lock);
    count = thread->count - thread->finished;
    if (count > DISK_BATCH_MAX)
        count = DISK_BATCH_MAX;
    for (size_t i = 0; i < count; i++)
        jobs[i] = *at(thread, thread->finished + i);
    (void)pthread_mutex_unlock(&thread->lock);
    return count;
}

static void finish_work(struct disk_thread *thread, size_t count)
{
    (void)pthread_mutex_lock(&thread->lock);
    thread->finished += count;
    thread->moved_ms = cluster_clock_ms();
    thread->spare_wanted = true;
    (void)pthread_cond_signal(&thread->spare);
    (void)pthread_mutex_unlock(&thread->lock);
    thread->events.done(thread->events.context);
}

static void *worker_main(void *argument)
{
    struct storage_job *jobs[DISK_BATCH_MAX];
    struct disk_thread *thread = argument;
    size_t count;

    while ((count = take_work(thread, jobs)) > 0) {
        storage_run(&thread->storage, jobs, count);
        for (size_t i = 0; i < count; i++) {
            if (jobs[i]->status == ST_DISK_FAILED)
                thread->events.failed(thread->events.context, ST_DISK_FAILED,
                                      "a job of the replica");
        }
        finish_work(thread, count);
    }
    return NULL;
}

static bool wait_for_chore(struct disk_thread *thread)
{
    bool wanted;

    (void)pthread_mutex_lock(&thread->lock);
    while (!thread->spare_wanted && !thread->stopping)
        (void)pthread_cond_wait(&thread->spare, &thread->lock);
    wanted = !thread->stopping;
    thread->spare_wanted = false;
    (void)pthread_mutex_unlock(&thread->lock);
    return wanted;
}

static void *background_main(void *argument)
{
    struct disk_thread *thread = argument;

    /* A full disk is the appends' matter: the log goes on until its segment is
     * full. */
    while (wait_for_chore(thread)) {
        if (journal_prepare_next(thread->storage.journal) == ST_DISK_FAILED)
            thread->events.failed(thread->events.context, ST_DISK_FAILED,
                                  "preparing a segment");
    }
    return NULL;
}

static void end_threads(struct disk_thread *thread)
{
    (void)pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    (void)pthread_cond_broadcast(&thread->changed);
    (void)pthread_cond_broadcast(&thread->spare);
    (void)pthread_mutex_unlock(&thread->lock);
    (void)pthread_join(thread->worker, NULL);
}

enum status disk_thread_start(struct disk_thread *thread)
{
    sigset_t all, before;
    int failed;

    REQUIRE(!thread->started);
    /* Signals are the main thread's. */
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGSYS); /* The sandbox names what it refuses. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    thread->spare_wanted = true;
    failed = pthread_create(&thread->worker, NULL, worker_main, thread);
    if (failed == 0) {
        failed =
            pthread_create(&thread->background, NULL, background_main, thread);
        if (failed != 0)
            end_threads(thread);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = failed == 0;
    return failed == 0 ? ST_OK : ST_EXHAUSTED;
}

void disk_thread_stop(struct disk_thread *thread)
{
    if (!thread->started)
        return;
    end_threads(thread);
    (void)pthread_join(thread->background, NULL);
    thread->started = false;
}

void disk_thread_close(struct disk_thread *thread)
{
    if (thread == NULL)
        return;
    REQUIRE(!thread->started);
    (void)pthread_cond_destroy(&thread->spare);
    (void)pthread_cond_destroy(&thread->changed);
    (void)pthread_mutex_destroy(&thread->lock);
    free(thread->ring);
    free(thread);
}
