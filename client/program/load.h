/*
 * load.h: a file of records fed in batches.
 *
 * The file has one JSON object a line:
 *
 *   {"subject":"1400057421","section":"S01","as_of":"2026-01-31",
 *    "provider_record":"77","record":{"kind":"legal",...}}
 *
 * Records go in batches named after the file's hash, so that the same command
 * given again goes on where the last one stopped.
 */
#ifndef DEFTER_CLIENT_PROGRAM_LOAD_H
#define DEFTER_CLIENT_PROGRAM_LOAD_H

#include <stdio.h>

#include "client/program/program.h"
#include "protocol/catalogue.h"

enum {
    LOAD_LINE_SIZE_MAX = 256 * 1024,
    LOAD_SCRATCH_SIZE = 256 * 1024,
    LOAD_WINDOW = 192
};

struct load {
    struct program *program;
    struct defter *client;
    const char *path;
    FILE *file;
    size_t file_size, file_read;
    char name[48]; /* Of its batches, less the number. */
    uint8_t signer[SEED_SIZE];
    bool has_signer;
    uint32_t duty;
    bool atomic;
    uint32_t items_per_command;
    uint16_t sections;

    /* The batch being fed. */
    uint64_t batch;
    uint32_t next; /* Records put so far. */
    uint8_t rolling[HASH_SIZE];
    bool is_put;         /* All of it was sent; it waits for its commit. */
    uint64_t committing; /* The batch before. */
    uint8_t *memory;
    uint8_t *scratch;

    /* Commands on their way. */
    uint32_t window;
    uint32_t in_flight;
    int failed; /* Status of the first command that was not taken. */

    /* Figures. */
    uint64_t lines, put, refused, committed, duplicates, batches;
    uint64_t skipped; /* Records of batches that an earlier run ended. */
    int64_t started_ms, shown_ms;
};

/* Progress on a terminal, at most ten times a second. */
void load_show(struct load *load, bool last);

/*
 * load_batch.c: one batch.  Each gives an exit code; what is wrong has been
 * said.  A batch is committed while the records of the next one are sent:
 *
 * load_begin  begin (or go on with) number ${number}, and commit the one
 *             before; ${*ended_out}: it was done by an earlier run
 * load_put    send its records, passing over the first ${skip}
 * load_skip   or pass over the lines of one that has ended
 * load_commit the last one
 * load_drain  wait for every answer
 */
int load_begin(struct load *load, uint64_t number, bool *ended_out);
int load_put(struct load *load, bool *more_out, uint32_t skip);
int load_skip(struct load *load, bool *more_out);
int load_commit(struct load *load);
int load_drain(struct load *load);

/* load_record.c: read one line; 0: end of file, -1: wrong (said), 1: a record
 * whose encoded feed.put fields are in load->memory. */
int load_next_record(struct load *load, size_t *size_out,
                     uint64_t *subject_out);

#endif
