/*
 * clock.h: what the pipeline knows of time; tests bring their own.
 */
#ifndef DEFTER_SERVER_PIPELINE_CLOCK_H
#define DEFTER_SERVER_PIPELINE_CLOCK_H

#include <stdint.h>

/* Microseconds: since 1970 (may jump), and since boot (never falls). */
struct clock_source {
    void *context;
    int64_t (*wall)(void *context);
    int64_t (*boot)(void *context);
};

/* The system's clocks. */
struct clock_source clock_system(void);

int64_t clock_wall(const struct clock_source *clock);
int64_t clock_boot(const struct clock_source *clock);
int64_t clock_boot_ms(const struct clock_source *clock);

#endif
