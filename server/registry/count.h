/*
 * count.h: the entries that name a subject are counted for it, so that what is
 * told of them can be shown to be whole.
 *
 * What was refused counts too, and what names nobody who exists: an auditor,
 * who has no keys and no state, must come to the same count by walking the log
 * (protocol/completeness.h).
 *
 *   count_begin(&count, state, leaf);
 *   count_item(&count, subject, number);    for each item, in order
 *   count_end(&count);
 */
#ifndef DEFTER_SERVER_REGISTRY_COUNT_H
#define DEFTER_SERVER_REGISTRY_COUNT_H

#include "server/store/state.h"

/* Invariant: row.subject is 0 while no row is held; neighbours that name the
 * same subject write it once. */
struct count {
    struct state *state;
    const uint8_t *leaf;
    struct row_completeness row;
    bool known;
};

/* Of the entry whose leaf hash is ${leaf}, borrowed until count_end(). */
void count_begin(struct count *count, struct state *state, const uint8_t *leaf);

/* Item ${number} names ${subject}, or nobody. */
void count_item(struct count *count, uint64_t subject, uint16_t number);

void count_end(struct count *count);

#endif
