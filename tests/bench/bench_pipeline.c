/*
 * bench_pipeline.c: verified commands through sequencing, log and apply,
 * without the network and without the clients' and loops' signatures.
 *
 *   COMMANDS=20000 INFLIGHT=64 RECEIPTS=0 SUBJECTS=0 bench_pipeline
 *
 * SUBJECTS: the commands name so many of them in turn; 0: none.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

static struct rig rig;
static atomic_uint answered;
static atomic_uint errors;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_answer(void *context, uint32_t loop, struct reply *replies)
{
    unsigned count = 0;

    (void)context;
    (void)loop;
    while (replies != NULL) {
        struct reply *next = replies->next;

        if (replies->is_error || replies->code != ST_OK)
            atomic_fetch_add(&errors, 1);
        reply_close(replies);
        replies = next;
        count++;
    }
    atomic_fetch_add(&answered, count);
}

static void on_grown(void *context, uint64_t size)
{
    (void)context;
    (void)size;
}

static void on_key_ended(void *context, const uint8_t key_id[KEY_ID_SIZE])
{
    (void)context;
    (void)key_id;
}

static void on_failed(void *context, enum status status, uint64_t index,
                      const char *what)
{
    (void)context;
    fprintf(stderr, "%s: %s at %llu\n", what, status_name(status),
            (unsigned long long)index);
    abort();
}

static unsigned number(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static struct work *ping(uint16_t flags, uint64_t subject)
{
    static struct rig_command command;
    struct op_system_ping fields = {.text = slice_of("bench", 5)};

    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, subject, 0, &fields);
    command.header.flags = flags;
    return rig_finish(&rig, &command, &rig.admin);
}

static struct pipeline *begin(void)
{
    rig_open_on_files(&rig);
    struct pipeline_parts parts = {
        .journal = rig.journal,
        .keyring = rig.keyring,
        .state = rig.state,
        .search = rig.search,
        .directory = rig.keys,
        .apply = rig.apply,
        .idempotency = rig.idempotency,
        .identity = &rig.node,
        .clock = clock_system(),
        .events = {NULL, on_answer, on_grown, on_key_ended},
        .end = journal_end(rig.journal),
        .epoch = ++rig.epoch,
        .failed = on_failed,
    };
    memcpy(parts.cluster_id, rig.cluster_id, CLUSTER_ID_SIZE);
    apply_load_directory(rig.apply);
    struct pipeline *pipeline = pipeline_open(&parts);
    MAYBE(pipeline_start(pipeline) == ST_OK);
    return pipeline;
}

START_TEST(commands_through_the_pipeline)
{
    unsigned count = number("COMMANDS", 20000);
    unsigned inflight = number("INFLIGHT", 64);
    unsigned subjects = number("SUBJECTS", 0);
    uint16_t flags = number("RECEIPTS", 0) != 0 ? COMMAND_FLAG_RECEIPT : 0;
    struct work **works = calloc(count, sizeof *works);
    struct pipeline *pipeline = begin();
    double started, signing;

    ck_assert_ptr_nonnull(works);
    rig.wall = clock_wall(
        &(struct clock_source){NULL, clock_system().wall, clock_system().boot});
    started = seconds();
    for (unsigned i = 0; i < count; i++)
        works[i] = ping(flags, subjects == 0 ? 0 : 1 + i % subjects);
    signing = seconds() - started;
    started = seconds();
    for (unsigned i = 0; i < count; i++) {
        while (i - atomic_load(&answered) >= inflight)
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        while (pipeline_submit(pipeline, works[i]) != ST_OK)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    while (atomic_load(&answered) < count)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    double took = seconds() - started;
    printf("%u commands, %u in flight: %.0f/s (sign and verify: %.0f/s), "
           "%u errors\n",
           count, inflight, count / took, count / signing,
           atomic_load(&errors));
    pipeline_drain(pipeline);
    pipeline_close(pipeline);
    rig_close(&rig);
    free(works);
    ck_assert_uint_eq(errors, 0);
}
END_TEST

SUITE_MAIN("bench_pipeline", commands_through_the_pipeline)
