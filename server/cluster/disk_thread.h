/*
 * disk_thread.h: the thread that does the replica's jobs (storage.h), and one
 * behind it that prepares the next segment of the log.
 *
 *   open -> start -> push, take ... -> stop (does what was pushed) -> close
 *
 * Jobs are done in the order in which they were pushed; those that wait are
 * given to storage_run() together, so that appends share a sync.
 */
#ifndef DEFTER_SERVER_CLUSTER_DISK_THREAD_H
#define DEFTER_SERVER_CLUSTER_DISK_THREAD_H

#include "replication/storage.h"

struct disk_thread; /* Opaque. */

struct disk_thread_events {
    void *context;
    /* On the disk thread: some jobs are done. */
    void (*done)(void *context);
    /* On either thread: nothing is known about the disk any more.  Ends the
     * process. */
    void (*failed)(void *context, enum status status, const char *what);
};

/* Aborts if there is no memory.  Owns: copies what it is given; its parts are
 * borrowed until disk_thread_close(). */
struct disk_thread *disk_thread_open(const struct storage *storage,
                                     const struct disk_thread_events *events);

/* Returns: ST_OK; ST_EXHAUSTED if the system gives no thread. */
NODISCARD enum status disk_thread_start(struct disk_thread *thread);

/* Never waits: how many jobs there may be, their owner knows. */
void disk_thread_push(struct disk_thread *thread, struct storage_job *job);

/* The jobs done since, in their order: gives how many, at most ${count_max}. */
size_t disk_thread_take(struct disk_thread *thread, struct storage_job **jobs,
                        size_t count_max);

/* Whether the disk has come forward within the last ${limit_ms}, or has nothing
 * to do. */
bool disk_thread_is_alive(struct disk_thread *thread, int64_t limit_ms);

/* Does the jobs that were pushed, and ends the threads. */
void disk_thread_stop(struct disk_thread *thread);

/* Accepts NULL.  Jobs that nobody took are their owner's. */
void disk_thread_close(struct disk_thread *thread);

#endif
