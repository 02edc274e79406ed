/*
 * bench_state: rows a second of state.db, in groups as the apply thread makes
 * them.
 *
 *   bench_state [FILE] [ROWS]
 */
#include "server/store/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { GROUP_ROWS = 1024, ITEM_SIZE = 200 };

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t next(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void group_begin(struct state *state)
{
    state_begin(state);
    state_entry_begin(state);
}

static void group_end(struct state *state)
{
    uint8_t digest[HASH_SIZE];

    state_entry_end(state, digest);
    state_commit(state);
    state_checkpoint(state, false);
}

static void insert_version(struct state *state, uint64_t subject)
{
    struct row_version row = {.subject = subject, .section = 1, .version = 1};

    state_insert(state, TABLE_VERSION, &row);
}

static void append_record(struct state *state, uint64_t number)
{
    uint8_t item[ITEM_SIZE] = {0};
    struct row_record row = {number, {item, sizeof item}};

    memcpy(item, &number, sizeof number);
    state_insert(state, TABLE_RECORD, &row);
}

static void get_version(struct state *state, uint64_t subject)
{
    struct row_version row = {.subject = subject, .section = 1, .version = 1};

    if (!state_get(state, TABLE_VERSION, &row))
        abort();
}

static void get_record(struct state *state, uint64_t number)
{
    struct row_record row = {number, {NULL, 0}};

    if (!state_get(state, TABLE_RECORD, &row))
        abort();
}

/* Keys that follow from the row's number, scattered or rising. */
static void measure(struct state *state, const char *what, uint64_t rows,
                    bool scattered,
                    void (*work)(struct state *state, uint64_t key))
{
    double started = seconds(), took;
    uint64_t seed = 1;

    for (uint64_t i = 0; i < rows; i++) {
        if (i % GROUP_ROWS == 0)
            group_begin(state);
        work(state, scattered ? next(&seed) >> 2 : i + 1);
        if (i % GROUP_ROWS == GROUP_ROWS - 1 || i == rows - 1)
            group_end(state);
    }
    took = seconds() - started;
    printf("%-34s %9.0f rows/s  %6.2f us\n", what, (double)rows / took,
           1e6 * took / (double)rows);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "bench-state.db";
    uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    struct state *state;

    unlink(path);
    if (rows == 0 || state_open(&state, path) != ST_OK) {
        fprintf(stderr, "cannot open %s\n", path);
        return 1;
    }
    measure(state, "insert versions, scattered keys", rows, true,
            insert_version);
    measure(state, "append records of 200 bytes", rows, false, append_record);
    measure(state, "get versions, scattered keys", rows, true, get_version);
    measure(state, "get records", rows, false, get_record);
    state_close(state);
    unlink(path);
    return 0;
}
