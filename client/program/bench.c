#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/program/bench.h"
#include "client/program/cluster.h"
#include "client/program/execute.h"

enum {
    SESSIONS_MAX = 1024,
    SAMPLES_MAX = 4 * 1000 * 1000,
    STUCK_US = 60 * 1000 * 1000
};

/* One session that always has one command on its way. */
struct seat {
    struct run *run;
    struct defter *client;
    struct defter_command *command;
    int64_t sent_us;
};

/* One row: the same operation from a number of sessions for some seconds. */
struct run {
    struct program *program;
    const struct execution *execution;
    uint16_t flags;
    uint32_t seats_count;
    struct seat seats[SESSIONS_MAX];
    uint32_t *samples; /* Microseconds. */
    uint64_t left;     /* To be sent. */
    uint64_t done, refused;
    int first_refusal;
    int failed;
    int64_t done_us; /* When something was done last. */
    bool over;
};

static void send_next(struct seat *seat);

static void answered(void *context, struct defter_command *command, int status,
                     const struct defter_answer *answer)
{
    struct seat *seat = context;
    struct run *run = seat->run;
    int64_t took_us = bench_now_us() - seat->sent_us;

    defter_command_free(command);
    seat->command = NULL;
    if (status != 0) {
        run->failed = status;
        return;
    }
    if (answer->code != 0) {
        run->refused++;
        run->first_refusal = answer->code;
    }
    if (run->done < SAMPLES_MAX)
        run->samples[run->done] = (uint32_t)took_us;
    run->done++;
    run->done_us = bench_now_us();
    if (!run->over)
        send_next(seat);
}

static void send_next(struct seat *seat)
{
    const struct execution *execution = seat->run->execution;

    if (seat->run->left == 0)
        return;
    seat->run->left--;
    if (defter_command_new(&seat->command, execute_realm(execution),
                           seat->run->flags) != 0 ||
        defter_command_item(seat->command, &execution->item, execution->memory,
                            execution->fields_size) != 0) {
        seat->run->failed = ST_INTERNAL;
        return;
    }
    seat->sent_us = bench_now_us();
    if (defter_submit(seat->client, seat->command, seat, answered) != 0)
        seat->run->failed = ST_INTERNAL;
}

static int open_seats(struct run *run)
{
    for (uint32_t i = 0; i < run->seats_count; i++) {
        struct seat *seat = &run->seats[i];
        int code = cluster_client(&seat->client, run->program, 0);
        int status;
        if (code != EXIT_GOOD)
            return code;
        seat->run = run;
        status = defter_connect(seat->client);
        if (status != 0)
            return program_fail(EXIT_INCOMPLETE, "session %u: %s: %s", i + 1,
                                defter_status_name(status),
                                defter_reason(seat->client));
    }
    return EXIT_GOOD;
}

static size_t waiting(const struct run *run)
{
    size_t count = 0;

    for (uint32_t i = 0; i < run->seats_count; i++)
        count += defter_pending(run->seats[i].client);
    return count;
}

/* Move every session that has something to move.  One that breaks goes on with
 * another node; its time counts. */
static void turn(struct run *run, struct pollfd *fds)
{
    int wait_ms = 100;

    for (uint32_t i = 0; i < run->seats_count; i++) {
        struct defter *client = run->seats[i].client;
        int due_ms = defter_wait_ms(client);
        wait_ms = due_ms >= 0 && due_ms < wait_ms ? due_ms : wait_ms;
        fds[i].fd = defter_fd(client);
        fds[i].events = POLLIN;
        if ((defter_wants(client) & DEFTER_WANTS_WRITE) != 0)
            fds[i].events = POLLIN | POLLOUT;
        fds[i].revents = 0;
    }
    (void)poll(fds, run->seats_count, wait_ms);
    for (uint32_t i = 0; i < run->seats_count; i++) {
        int status;
        if (fds[i].revents == 0 && defter_wait_ms(run->seats[i].client) != 0)
            continue;
        status = defter_step(run->seats[i].client);
        if (defter_is_final(status) && run->failed == 0)
            run->failed = status;
    }
    if (bench_now_us() - run->done_us > STUCK_US && run->failed == 0)
        run->failed = ST_TIMEOUT;
}

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void close_seats(struct run *run)
{
    for (uint32_t i = 0; i < run->seats_count; i++) {
        defter_close(run->seats[i].client);
        run->seats[i].client = NULL;
    }
}

int bench_operation(struct program *program, const struct bench_load *load,
                    struct bench_figures *out)
{
    static struct run run;
    static struct pollfd fds[SESSIONS_MAX];
    int64_t started_us, end_us;
    int code;

    run =
        (struct run){.program = program,
                     .execution = load->execution,
                     .flags = load->flags,
                     .left = load->commands == 0 ? UINT64_MAX : load->commands,
                     .seats_count = load->sessions};
    if (load->sessions < 1 || load->sessions > SESSIONS_MAX)
        return program_fail(EXIT_USAGE, "1 to %d sessions", SESSIONS_MAX);
    run.samples = malloc(SAMPLES_MAX * sizeof *run.samples);
    if (run.samples == NULL)
        return program_fail(EXIT_REFUSED, "out of memory");
    code = open_seats(&run);
    run.done_us = started_us = bench_now_us();
    end_us = started_us + (int64_t)load->seconds * 1000000;
    for (uint32_t i = 0; code == EXIT_GOOD && i < run.seats_count; i++)
        send_next(&run.seats[i]);
    while (code == EXIT_GOOD && run.failed == 0 &&
           (!run.over || waiting(&run) > 0)) {
        turn(&run, fds);
        run.over = run.left == 0 || bench_now_us() >= end_us;
    }
    if (run.failed != 0)
        code =
            program_fail(EXIT_INCOMPLETE, "%s", defter_status_name(run.failed));
    else if (run.refused > 0)
        code = program_fail(EXIT_REFUSED, "%llu of %llu were refused: %s%s",
                            (unsigned long long)run.refused,
                            (unsigned long long)run.done,
                            defter_status_name(run.first_refusal),
                            run.first_refusal == ST_LIMIT
                                ? " (commands_per_second_person in the node's "
                                  "configuration)"
                                : "");
    if (code == EXIT_GOOD && run.done > 0) {
        size_t count = run.done < SAMPLES_MAX ? run.done : SAMPLES_MAX;
        qsort(run.samples, count, sizeof *run.samples, by_value);
        out->per_second =
            (double)run.done * 1e6 / (double)(bench_now_us() - started_us);
        out->p50_us = run.samples[count / 2];
        out->p99_us = run.samples[count * 99 / 100];
    }
    close_seats(&run);
    free(run.samples);
    return code;
}
