#include "tests/sim/sim_run.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    RUN_JOBS_MAX = 16,
    RUN_TWICE = 64,      /* Each so many seeds one is run again. */
    RUN_CPU_SECONDS = 30 /* A seed that takes more hangs. */
};

/* ---- One seed ----------------------------------------------------------- */

void sim_one(struct sim_result *out, uint64_t seed, const struct sim_wish *wish)
{
    struct sim *sim = malloc(sizeof *sim);
    struct sim_options options;

    INVARIANT(sim != NULL);
    memset(out, 0, sizeof *out);
    sim_options_draw(&options, seed, wish);
    sim_open(sim, &options);
    out->code = sim_run(sim);
    out->seed = seed;
    out->hash = sim->hash;
    memcpy(out->counts, sim->counts, sizeof out->counts);
    memcpy(out->text, sim->text, sizeof out->text);
    sim_marks_get(&out->marks);
    sim_close(sim);
    free(sim);
}

/* A run that is not the same twice finds nothing that can be looked at. */
static void one_checked(struct sim_result *out, uint64_t seed,
                        const struct sim_wish *wish)
{
    struct sim_result again;

    sim_one(out, seed, wish);
    if (seed % RUN_TWICE != 0 || out->code != SIM_GOOD)
        return;
    sim_one(&again, seed, wish);
    if (again.hash == out->hash)
        return;
    out->code = SIM_WRONG;
    (void)snprintf(out->text, sizeof out->text, "two runs of it differ");
}

/* ---- Workers ------------------------------------------------------------ */

struct run_worker {
    pid_t pid; /* 0: at rest. */
    int fd;
    uint64_t next; /* The seed whose result comes next. */
    uint64_t end;
};

struct run {
    const struct sim_plan *plan;
    struct sim_sum *sum;
    uint64_t next; /* Not given to a worker yet. */
    uint64_t end;
    time_t until;
    struct run_worker workers[RUN_JOBS_MAX];
    bool stopping;
};

static void worker_main(const struct sim_plan *plan, uint64_t seed,
                        uint64_t end, int fd)
{
    struct itimerval limit = {.it_value = {.tv_sec = RUN_CPU_SECONDS}};

    if (plan->quiet)
        (void)!freopen("/dev/null", "w", stderr);
    for (; seed < end; seed++) {
        struct sim_result result;

        (void)setitimer(ITIMER_PROF, &limit, NULL);
        one_checked(&result, seed, &plan->wish);
        if (write(fd, &result, sizeof result) != (ssize_t)sizeof result)
            _exit(1);
    }
    _exit(0);
}

static void worker_start(struct run *run, struct run_worker *worker,
                         uint64_t from, uint64_t end)
{
    int ends[2];
    int failed = pipe(ends);

    INVARIANT(failed == 0);
    (void)fflush(stdout);
    worker->pid = fork();
    INVARIANT(worker->pid >= 0);
    if (worker->pid == 0) {
        close(ends[0]);
        worker_main(run->plan, from, end, ends[1]);
    }
    close(ends[1]);
    worker->fd = ends[0];
    worker->next = from;
    worker->end = end;
}

static void run_note(struct run *run, const struct sim_result *result)
{
    struct sim_sum *sum = run->sum;
    size_t at = sum->failed_count;

    sum->seeds++;
    sim_marks_add(&sum->marks, &result->marks);
    for (size_t i = 0; i < SIM_COUNTS; i++)
        sum->counts[i] += result->counts[i];
    if (run->plan->reaches != 0 &&
        sim_marks_has(&result->marks, run->plan->reaches)) {
        printf("seed %llu gets there\n", (unsigned long long)result->seed);
        run->stopping = true;
    }
    if (result->code == SIM_GOOD)
        return;
    if (!run->plan->quiet)
        printf("seed %llu: %d %s\n", (unsigned long long)result->seed,
               (int)result->code, result->text);
    sum->failures++;
    if (result->code > sum->worst)
        sum->worst = result->code;
    if (sum->failures >= run->plan->failures_max)
        run->stopping = true;
    if (at == SIM_FAILED_MAX)
        return;
    while (at > 0 && sum->failed[at - 1].seed > result->seed) {
        sum->failed[at] = sum->failed[at - 1];
        at--;
    }
    sum->failed[at] = *result;
    sum->failed_count++;
}

/* It ended; a seed that it did not answer is the one that killed it. */
static void worker_end(struct run *run, struct run_worker *worker)
{
    struct sim_result crash = {.seed = worker->next, .code = SIM_CRASH};
    uint64_t end = worker->end;
    int status = 0;

    close(worker->fd);
    (void)waitpid(worker->pid, &status, 0);
    worker->pid = 0;
    if (worker->next == end || run->stopping)
        return;
    (void)snprintf(crash.text, sizeof crash.text, "%s",
                   !WIFSIGNALED(status)          ? "the process ended"
                   : WTERMSIG(status) == SIGPROF ? "it never ends"
                                                 : "the process crashed");
    run_note(run, &crash);
    if (crash.seed + 1 < end && !run->stopping)
        worker_start(run, worker, crash.seed + 1, end);
}

static void worker_read(struct run *run, struct run_worker *worker)
{
    struct sim_result result;
    ssize_t got = read(worker->fd, &result, sizeof result);

    _Static_assert(sizeof result <= 4096, "a pipe takes it whole");
    if (got != (ssize_t)sizeof result) {
        worker_end(run, worker);
        return;
    }
    worker->next = result.seed + 1;
    run_note(run, &result);
}

/* ---- The run ------------------------------------------------------------ */

static void run_fill(struct run *run)
{
    if (run->until != 0 && time(NULL) >= run->until)
        run->next = run->end;
    for (size_t i = 0; i < run->plan->jobs; i++) {
        uint64_t end = run->next + run->plan->batch;

        if (run->workers[i].pid != 0 || run->next >= run->end || run->stopping)
            continue;
        if (end > run->end)
            end = run->end;
        worker_start(run, &run->workers[i], run->next, end);
        run->next = end;
    }
}

static bool run_wait(struct run *run)
{
    struct pollfd fds[RUN_JOBS_MAX];
    size_t of[RUN_JOBS_MAX];
    nfds_t count = 0;

    for (size_t i = 0; i < run->plan->jobs; i++) {
        struct run_worker *worker = &run->workers[i];

        if (worker->pid == 0)
            continue;
        if (run->stopping)
            (void)kill(worker->pid, SIGKILL);
        of[count] = i;
        fds[count++] = (struct pollfd){.fd = worker->fd, .events = POLLIN};
    }
    if (count == 0)
        return false;
    (void)poll(fds, count, -1);
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].revents != 0)
            worker_read(run, &run->workers[of[i]]);
    }
    return true;
}

void sim_run_plan(struct sim_sum *out, const struct sim_plan *plan)
{
    struct run run = {.plan = plan,
                      .sum = out,
                      .next = plan->from,
                      .end = plan->from + plan->count};

    REQUIRE(plan->jobs > 0 && plan->jobs <= RUN_JOBS_MAX);
    memset(out, 0, sizeof *out);
    if (plan->seconds > 0)
        run.until = time(NULL) + (time_t)plan->seconds;
    do {
        run_fill(&run);
    } while (run_wait(&run));
}
