/*
 * storage.h: everything that a node writes for replication, as jobs done in
 * order by one thread: the disk thread of a node, the simulator's disk.
 *
 * The replica (replica.h) decides and reads; storage writes.  A job is durable
 * when it is done.
 */
#ifndef DEFTER_REPLICATION_STORAGE_H
#define DEFTER_REPLICATION_STORAGE_H

#include "replication/halt.h"
#include "replication/journal.h"
#include "replication/meta.h"

enum storage_job_type {
    STORAGE_APPEND,    /* Keys, entries, then the mark. */
    STORAGE_MARK,      /* How far the log is known to be committed. */
    STORAGE_PROMISE,   /* Nothing below the epoch any more. */
    STORAGE_USE,       /* This node leads in the epoch, and never again. */
    STORAGE_RISE,      /* Incarnation ${size}: a later start is known of. */
    STORAGE_CLAIM,     /* Incarnation ${size} may be registered from now on. */
    STORAGE_CONFIGURE, /* The configuration, and the promise of its epoch. */
    STORAGE_FORCE,     /* The same, and the lineage that it begins, at once. */
    STORAGE_CUT,       /* Everything behind ${size} aside, then off. */
    STORAGE_REPAIR,    /* Entries over damaged ones, in place. */
    STORAGE_EXAMINE,   /* What is damaged around entry ${size}. */
    STORAGE_LOST,      /* Nobody knows what is missing here (case C6). */
    STORAGE_HALT,      /* This node halts, at every start too. */
    STORAGE_FOUND      /* Nothing is missing any more; ${proven}: whatever was,
                        * a later primary's commit covers it. */
};

/* "append" and the like. */
const char *storage_job_name(enum storage_job_type type);

/* The replica's, from its action until STORAGE's completion is given back. */
struct storage_job {
    struct storage_job *next; /* The replica's own. */
    enum storage_job_type type;
    uint64_t number; /* Counts up from 1. */

    const struct journal_entry *entries; /* APPEND, REPAIR. */
    size_t entries_count;
    const struct slice *keys; /* APPEND: as KEYS frames brought them. */
    size_t keys_count;
    bool verify_keys; /* APPEND: entries of another node are looked at first. */
    uint64_t committed; /* APPEND, MARK. */
    /* APPEND: below what the other node says that it is; 0: it says nothing. */
    uint64_t stated;
    uint64_t size;  /* CUT; REPAIR, EXAMINE: an index; RISE. */
    bool proven;    /* FOUND */
    uint32_t epoch; /* PROMISE, USE, CONFIGURE, FORCE. */
    uint64_t config_number;
    struct slice config;           /* CONFIGURE, FORCE. */
    uint8_t lineage[LINEAGE_SIZE]; /* FORCE */
    struct halt_note halt;         /* HALT. */

    /* Set when it is done. */
    enum status status;
    struct journal_end end;         /* The log's end, durable. */
    char aside[DISK_NAME_SIZE_MAX]; /* CUT: where the bytes are kept. */
    bool unkept;                    /* CUT: there was no room for them. */
};

/* Seal keys are no matter of replication/: whoever keeps them comes between. */
struct storage_keys {
    void *context;
    /*
     * The keys that ${entries} need, before the entries are appended: check
     * that each new key opens what it seals, and make them durable. Returns:
     * ST_OK; ST_KEY_MISSING or ST_SEAL if the entries must not be taken;
     * ST_DIVERGED if a number stands here with other bytes.
     */
    enum status (*accept)(void *context, const struct storage_job *job);
    /* Keys first used at or above ${size} go. */
    void (*truncate)(void *context, uint64_t size);
};

struct storage {
    struct disk *disk;
    struct journal *journal;
    struct meta *meta;
    struct storage_keys keys; /* accept may be NULL: there are none. */
};

/*
 * storage_run(storage, jobs, count):
 * Do ${count} jobs in order; appends that follow each other share one sync.
 * Each job's status is set:
 *   ST_OK
 *   ST_DISK_FULL         APPEND: nothing of it, nor of those behind it in this
 *                        call, was taken
 *   ST_CHAIN_BROKEN, ST_KEY_MISSING, ST_SEAL, ST_DIVERGED   APPEND: likewise
 *   ST_CHECKSUM          APPEND: likewise, until the end of the log is repaired
 *   ST_CHAIN_BROKEN      CUT: it would cut what is committed
 *   ST_CHECKSUM          CUT: the entry before it is damaged
 *   others than ST_OK    REPAIR, EXAMINE, FOUND: as journal_repair.h says
 *   ST_DISK_FAILED       the process must end: nothing is known any more; so of
 *                        every job behind it
 */
void storage_run(struct storage *storage, struct storage_job **jobs,
                 size_t count);

#endif
