/*
 * watches.h: the journal.watch entries that were granted since this start, and
 * whether they still stand.
 *
 * The apply thread adds and ends them; I/O loops look them up.
 */
#ifndef DEFTER_SERVER_PIPELINE_WATCHES_H
#define DEFTER_SERVER_PIPELINE_WATCHES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/limits.h"
#include "server/store/state.h"

enum { WATCHES_MAX = 256 };

struct watches_row {
    uint64_t entry; /* Index of the journal.watch; 0 = free. */
    struct bytes16 key_id;
    uint32_t assignment;
    uint64_t from;
    uint16_t categories;
};

/* The mutex guards the rows; the oldest gives way to the newest. */
struct watches {
    pthread_mutex_t mutex;
    struct watches_row rows[WATCHES_MAX];
    uint32_t next;
    uint32_t count; /* Ever added, up to WATCHES_MAX. */
};

void watches_init(struct watches *watches);
void watches_wipe(struct watches *watches);

void watches_add(struct watches *watches, const struct watches_row *row);

/* True if entry ${entry} is a watch that stands; ${key_id} may be NULL. */
bool watches_find(struct watches *watches, struct watches_row *row_out,
                  uint64_t entry, const uint8_t *key_id);

/* End those whose key, duty or organisation no longer holds on ${today}. */
void watches_check(struct watches *watches, struct state *state, int32_t today);

#endif
