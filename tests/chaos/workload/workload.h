/*
 * workload.h: what the files of the workload share.
 */
#ifndef DEFTER_TESTS_CHAOS_WORKLOAD_WORKLOAD_H
#define DEFTER_TESTS_CHAOS_WORKLOAD_WORKLOAD_H

#include <stdio.h>

#include "client/client_state.h"

enum { WORKLOAD_CLIENTS_MAX = 256, WORKLOAD_ADDRESSES_SIZE = 512 };

struct workload_options {
    const char *cluster, *key, *history, *receipts;
    char addresses[WORKLOAD_ADDRESSES_SIZE]; /* Joined by commas. */
    uint64_t clients, commands, seconds, pace_ms, patience_ms, reads;
    uint64_t duty; /* 0: the key is a clerk's; else an auditor's, who reads. */
};

/* Reads the command line, cluster.conf and the key.  False after it has said
 * what is wrong. */
bool workload_take(struct workload_options *options,
                   struct defter_options *client, uint8_t seed[SEED_SIZE],
                   int argc, char **argv);

/* One command of one client, from before it was sent. */
struct workload_op {
    struct defter_command *command;
    const char *name;
    uint64_t invoked_ns;
    int64_t invoked_ms;
    bool doubt; /* It may have reached a node that did not answer. */
    int last_code;
};

/* Nanoseconds of CLOCK_BOOTTIME. */
uint64_t workload_now_ns(void);

/* The lines of history.h.  Nothing is written of a command that was never
 * signed: it cannot have been sent. */
void workload_write_acked(FILE *file, uint32_t client,
                          const struct workload_op *op,
                          const struct defter_answer *answer);
void workload_write_open(FILE *file, uint32_t client,
                         const struct workload_op *op);

#endif
