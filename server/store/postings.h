/*
 * postings.h: an ordered set of subjects, from one to all of them.
 */
#ifndef DEFTER_SERVER_STORE_POSTINGS_H
#define DEFTER_SERVER_STORE_POSTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POSTINGS_RUN_MAX = 512 };

/* Ascending subjects.  Invariant: 0 < count <= capacity <= POSTINGS_RUN_MAX. */
struct postings_run {
    uint64_t *subjects;
    uint16_t count;
    uint16_t capacity;
};

/*
 * All zeros is the empty set.
 * Invariant: every subject of a run is below every one of the next.
 */
struct postings {
    struct postings_run *runs;
    uint32_t runs_count;
    uint32_t runs_capacity;
    uint32_t count;
};

/* Aborts when memory runs out.  False if it was in the set already. */
bool postings_add(struct postings *postings, uint64_t subject);

/* False if it was not in the set. */
bool postings_remove(struct postings *postings, uint64_t subject);

/* The least subject that is at least ${from}; false if there is none. */
bool postings_seek(const struct postings *postings, uint64_t *subject_out,
                   uint64_t from);

void postings_wipe(struct postings *postings);

#endif
