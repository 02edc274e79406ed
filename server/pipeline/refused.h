/*
 * refused.h: refusals that made no entry, gathered until the node enters them
 * (journal.refused and journal.noise).
 *
 * Memory is bounded whatever strangers do: when the lines are full before they
 * are entered, further ones are counted by session and code alone.
 */
#ifndef DEFTER_SERVER_PIPELINE_REFUSED_H
#define DEFTER_SERVER_PIPELINE_REFUSED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/catalogue.h"

enum { REFUSED_NOISE_CAUSES_MAX = 64 };

/* Any thread may note; the mutex guards every field below it. */
struct refused {
    pthread_mutex_t mutex;
    struct refused_line lines[REFUSED_LINES_MAX];
    uint32_t lines_count;
    uint64_t lost; /* Counted nowhere else: no room even for the sum. */
    int64_t lines_since_ms;
    struct noise_line noise[REFUSED_NOISE_CAUSES_MAX];
    uint32_t noise_count;
    int64_t noise_since_ms;
    int64_t noise_since; /* Wall time, microseconds. */
};

void refused_init(struct refused *refused);
void refused_wipe(struct refused *refused);

void refused_add(struct refused *refused, const struct refused_line *line,
                 int64_t now_ms);
void refused_add_noise(struct refused *refused, enum status cause,
                       uint32_t count, int64_t now_ms, int64_t wall);

/* Whether anything waits to be taken. */
bool refused_waits(struct refused *refused);

/*
 * refused_take(refused, lines_out, now_ms, all):
 * Take the lines if they are full or REFUSED_DELAY_MS old, or if ${all}.
 * Returns: how many; 0 if it is not time yet.
 */
uint32_t refused_take(struct refused *refused,
                      struct refused_line lines_out[REFUSED_LINES_MAX],
                      int64_t now_ms, bool all);

/* The same for the noise, each NOISE_DELAY_MS; ${from_out} is its beginning. */
uint32_t refused_take_noise(
    struct refused *refused,
    struct noise_line noise_out[REFUSED_NOISE_CAUSES_MAX], int64_t *from_out,
    int64_t now_ms, bool all);

#endif
