/*
 * bench.h: what `defter bench` measures.
 */
#ifndef DEFTER_CLIENT_PROGRAM_BENCH_H
#define DEFTER_CLIENT_PROGRAM_BENCH_H

#include "client/program/program.h"

struct execution;

struct bench_load {
    const struct execution *execution;
    uint32_t sessions;
    uint32_t seconds;  /* At most, */
    uint64_t commands; /* and no more than these; 0: no limit. */
    uint16_t flags;    /* DEFTER_RECEIPT or 0. */
};
struct bench_figures {
    double per_second;
    uint32_t p50_us;
    uint32_t p99_us;
};

/* One operation, signed anew each time, one on its way per session.  Gives an
 * exit code; what is wrong has been said. */
int bench_operation(struct program *program, const struct bench_load *load,
                    struct bench_figures *out);

/* What this machine can do: operations or bytes a second of one core. */
struct bench_machine {
    double verify;
    double sign;
    double sha256_bytes;
    double fdatasync; /* 4 KiB written over in place; 0: no directory named. */
};
void bench_machine(struct bench_machine *out, const char *directory);

int64_t bench_now_us(void);

#endif
