/*
 * ctest-label: threads
 *
 * The disk thread, with a storage of the test's own.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/cluster/cluster_clock.h"
#include "server/cluster/disk_thread.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/suite.h"

enum { JOBS = 3000 };

/* ---- The storage --------------------------------------------------------- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* Held: it hangs. */
static atomic_size_t runs, batch_max;
static enum status next_status;

__attribute__((weak)) void storage_run(struct storage *storage,
                                       struct storage_job **jobs, size_t count)
{
    MAYBE(storage->journal == NULL);
    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < count; i++) {
        jobs[i]->status = next_status;
        jobs[i]->end.size = jobs[i]->number;
    }
    pthread_mutex_unlock(&gate);
    atomic_fetch_add(&runs, 1);
    if (count > atomic_load(&batch_max))
        atomic_store(&batch_max, count);
}

static atomic_size_t calls;

static void on_done(void *context)
{
    MAYBE(context == NULL);
    atomic_fetch_add(&calls, 1);
}

static void on_failed(void *context, enum status status, const char *what)
{
    MAYBE(context == NULL);
    MAYBE(what == NULL);
    _exit(status == ST_DISK_FAILED ? 42 : 1);
}

static struct journal_rig rig;
static struct disk_thread *thread;
static struct storage_job jobs[JOBS];

static void open_thread(void)
{
    const struct disk_thread_events events = {NULL, on_done, on_failed};
    struct storage storage = {.journal = NULL};

    /* A test may share its process with those before it. */
    atomic_store(&runs, 0);
    atomic_store(&batch_max, 0);
    atomic_store(&calls, 0);
    next_status = ST_OK;
    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    storage.journal = rig.journal;
    thread = disk_thread_open(&storage, &events);
    ck_assert_int_eq(disk_thread_start(thread), ST_OK);
    for (size_t i = 0; i < JOBS; i++)
        jobs[i].number = i + 1;
}

static void close_thread(void)
{
    disk_thread_stop(thread);
    disk_thread_close(thread);
    journal_rig_end(&rig);
}

/* Takes ${count} jobs and finds them done in order. */
static void take(size_t first, size_t count)
{
    struct storage_job *taken[7];
    size_t done = 0;

    while (done < count) {
        size_t got = disk_thread_take(thread, taken, 7);

        for (size_t i = 0; i < got; i++) {
            ck_assert_ptr_eq(taken[i], &jobs[first + done + i]);
            ck_assert_uint_eq(taken[i]->end.size, taken[i]->number);
        }
        done += got;
        if (got == 0)
            (void)usleep(100);
    }
    ck_assert_uint_eq(done, count);
}

START_TEST(jobs_are_done_and_given_back_in_their_order)
{
    open_thread();
    for (size_t i = 0; i < JOBS; i++)
        disk_thread_push(thread, &jobs[i]);
    take(0, JOBS);
    close_thread(); /* The last call comes after its jobs. */
    ck_assert_uint_gt(atomic_load(&calls), 0);
}
END_TEST

START_TEST(jobs_that_wait_are_done_together)
{
    open_thread();
    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < 100; i++)
        disk_thread_push(thread, &jobs[i]);
    pthread_mutex_unlock(&gate);
    take(0, 100);
    ck_assert_uint_gt(atomic_load(&batch_max), 1);
    ck_assert_uint_lt(atomic_load(&runs), 100);
    close_thread();
}
END_TEST

START_TEST(a_disk_that_hangs_is_not_alive_and_one_without_work_is)
{
    open_thread();
    ck_assert(disk_thread_is_alive(thread, 0));
    pthread_mutex_lock(&gate);
    disk_thread_push(thread, &jobs[0]);
    ck_assert(disk_thread_is_alive(thread, INT64_MAX));
    while (disk_thread_is_alive(thread, 20))
        (void)usleep(1000);
    pthread_mutex_unlock(&gate);
    take(0, 1);
    ck_assert(disk_thread_is_alive(thread, 0));
    close_thread();
}
END_TEST

START_TEST(stopping_does_what_was_pushed)
{
    open_thread();
    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < 200; i++)
        disk_thread_push(thread, &jobs[i]);
    pthread_mutex_unlock(&gate);
    disk_thread_stop(thread);
    take(0, 200);
    close_thread();
}
END_TEST

START_TEST(a_job_that_is_not_taken_is_given_back_with_its_status)
{
    struct storage_job *taken;

    open_thread();
    next_status = ST_DISK_FULL;
    disk_thread_push(thread, &jobs[0]);
    while (disk_thread_take(thread, &taken, 1) == 0)
        (void)usleep(100);
    ck_assert_int_eq(taken->status, ST_DISK_FULL);
    close_thread();
}
END_TEST

START_TEST(D118_a_disk_that_failed_ends_the_process)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        open_thread();
        next_status = ST_DISK_FAILED;
        disk_thread_push(thread, &jobs[0]);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
}
END_TEST

START_TEST(the_next_segment_is_prepared_in_the_background)
{
    open_thread();
    while (journal_wants_spare(rig.journal))
        (void)usleep(1000);
    close_thread();
}
END_TEST

SUITE_MAIN("disk_thread", jobs_are_done_and_given_back_in_their_order,
           jobs_that_wait_are_done_together,
           a_disk_that_hangs_is_not_alive_and_one_without_work_is,
           stopping_does_what_was_pushed,
           a_job_that_is_not_taken_is_given_back_with_its_status,
           D118_a_disk_that_failed_ends_the_process,
           the_next_segment_is_prepared_in_the_background)
