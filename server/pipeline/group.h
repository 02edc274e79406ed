/*
 * group.h: the commands that share one fdatasync and one transaction.
 */
#ifndef DEFTER_SERVER_PIPELINE_GROUP_H
#define DEFTER_SERVER_PIPELINE_GROUP_H

#include "replication/journal.h"
#include "server/pipeline/work.h"

/*
 * Invariants: the works are in the order of arrival; those with an entry point
 * into buffer, and entries[] lists the same entries in the order of the log.
 */
struct group {
    struct work *works;
    struct work *works_last;
    struct journal_entry entries[GROUP_ENTRIES_MAX];
    size_t entries_count;
    size_t works_count;
    size_t frames_size; /* What the entries take in the log. */
    size_t room;        /* What they may take. */
    uint8_t *buffer;    /* GROUP_BYTES_MAX. */
    size_t used;
    /* In a cluster. */
    uint32_t epoch;     /* Of its entries. */
    uint64_t term;      /* The pipeline's own. */
    bool taken;         /* The host has read it. */
    bool given_up;      /* Waits for that, and goes then. */
    struct group *next; /* Of those that wait. */
};

/* Aborts if there is no memory. */
struct group *group_open(void);
void group_close(struct group *group);

/* Empty it for ${room} bytes of frames; its works must have been taken. */
void group_reset(struct group *group, uint64_t room);

/* True if another entry of ${size} bytes may be put in. */
bool group_fits(const struct group *group, size_t size);

/* Bytes for one more entry. Requires: group_fits(). */
uint8_t *group_reserve(struct group *group, size_t size);

/* The entry in the bytes just reserved, with its leaf hash and its work. */
void group_add_entry(struct group *group, struct work *work);

/* A work without an entry of its own: its answer is in state.db. */
void group_add_known(struct group *group, struct work *work);

#endif
