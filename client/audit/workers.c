#include "client/audit/workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol/contract.h"

enum { WORKERS_MAX = 256, WORKERS_RUN = 32 };

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t begun;
    pthread_cond_t done;
    pthread_t threads[WORKERS_MAX];
    unsigned threads_count;
    /* The work; guarded by lock. */
    void (*work)(void *context, size_t from, size_t to);
    void *context;
    size_t next;
    size_t count;
    size_t under_way; /* Runs that were taken and are not done. */
    bool over;
};

/* Does one run, if there is one.  The lock is held before and after. */
static bool workers_run(struct workers *workers)
{
    size_t from = workers->next;
    size_t to = workers->count - from < WORKERS_RUN ? workers->count
                                                    : from + WORKERS_RUN;

    if (from == to)
        return false;
    workers->next = to;
    workers->under_way++;
    (void)pthread_mutex_unlock(&workers->lock);
    workers->work(workers->context, from, to);
    (void)pthread_mutex_lock(&workers->lock);
    workers->under_way--;
    if (workers->under_way == 0 && workers->next == workers->count)
        (void)pthread_cond_signal(&workers->done);
    return true;
}

static void *workers_main(void *argument)
{
    struct workers *workers = argument;

    (void)pthread_mutex_lock(&workers->lock);
    while (!workers->over) {
        if (!workers_run(workers))
            (void)pthread_cond_wait(&workers->begun, &workers->lock);
    }
    (void)pthread_mutex_unlock(&workers->lock);
    return NULL;
}

enum status workers_open(struct workers **workers_out, unsigned count)
{
    struct workers *workers = calloc(1, sizeof *workers);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    *workers_out = NULL;
    if (workers == NULL)
        return ST_EXHAUSTED;
    if (count == 0)
        count = cores > 0 && cores < WORKERS_MAX ? (unsigned)cores : 1;
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    INVARIANT(pthread_mutex_init(&workers->lock, NULL) == 0);
    INVARIANT(pthread_cond_init(&workers->begun, NULL) == 0);
    INVARIANT(pthread_cond_init(&workers->done, NULL) == 0);
    while (workers->threads_count + 1 < count &&
           pthread_create(&workers->threads[workers->threads_count], NULL,
                          workers_main, workers) == 0)
        workers->threads_count++;
    *workers_out = workers;
    return ST_OK;
}

void workers_close(struct workers *workers)
{
    if (workers == NULL)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->over = true;
    (void)pthread_cond_broadcast(&workers->begun);
    (void)pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->threads_count; i++)
        (void)pthread_join(workers->threads[i], NULL);
    (void)pthread_cond_destroy(&workers->begun);
    (void)pthread_cond_destroy(&workers->done);
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers);
}

unsigned workers_count(const struct workers *workers)
{
    return workers->threads_count + 1;
}

void workers_start(struct workers *workers, size_t count, void *context,
                   void (*work)(void *context, size_t from, size_t to))
{
    (void)pthread_mutex_lock(&workers->lock);
    REQUIRE(workers->next == workers->count && workers->under_way == 0);
    workers->work = work;
    workers->context = context;
    workers->next = 0;
    workers->count = count;
    (void)pthread_cond_broadcast(&workers->begun);
    (void)pthread_mutex_unlock(&workers->lock);
}

void workers_wait(struct workers *workers)
{
    (void)pthread_mutex_lock(&workers->lock);
    while (workers_run(workers))
        continue;
    while (workers->under_way > 0)
        (void)pthread_cond_wait(&workers->done, &workers->lock);
    (void)pthread_mutex_unlock(&workers->lock);
}
