#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_full.h"
#include "tests/sim/sim_marks.h"

/* ---- Events ------------------------------------------------------------- */

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

static void heap_push(struct sim *sim, const struct sim_event *event)
{
    size_t at = sim->heap_count;

    if (sim->heap_count == sim->heap_capacity) {
        sim->heap_capacity = sim->heap_capacity * 2 + 256;
        sim->heap = realloc(sim->heap, sim->heap_capacity * sizeof *sim->heap);
        INVARIANT(sim->heap != NULL);
    }
    sim->heap_count++;
    while (at > 0 && event_before(event, &sim->heap[(at - 1) / 2])) {
        sim->heap[at] = sim->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->heap[at] = *event;
}

static struct sim_event heap_pop(struct sim *sim)
{
    struct sim_event top = sim->heap[0];
    struct sim_event last = sim->heap[--sim->heap_count];
    size_t at = 0;

    for (;;) {
        size_t child = at * 2 + 1;

        if (child >= sim->heap_count)
            break;
        if (child + 1 < sim->heap_count &&
            event_before(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (!event_before(&sim->heap[child], &last))
            break;
        sim->heap[at] = sim->heap[child];
        at = child;
    }
    sim->heap[at] = last;
    return top;
}

void sim_at(struct sim *sim, int64_t at, enum sim_event_type type,
            uint32_t node, uint64_t number, void *data)
{
    struct sim_event event = {
        .at = at < sim->now ? sim->now : at,
        .sequence = sim->sequence++,
        .type = type,
        .node = node,
        .generation =
            node < sim->options.nodes_count ? sim->nodes[node].generation : 0,
        .number = number,
        .data = data,
    };

    heap_push(sim, &event);
}

/* ---- What is said ------------------------------------------------------- */

void sim_fail(struct sim *sim, int code, const char *format, ...)
{
    va_list list;

    if (sim->failure != SIM_GOOD)
        return;
    sim->failure = code;
    va_start(list, format);
    (void)vsnprintf(sim->text, sizeof sim->text, format, list);
    va_end(list);
    sim_trace(sim, "FAILED %s", sim->text);
    if (code == SIM_LIVENESS)
        sim_dump(sim);
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    va_list list;

    if (!sim->options.trace)
        return;
    printf("[%9.3f] ", (double)sim->now / 1000000);
    va_start(list, format);
    (void)vprintf(format, list);
    va_end(list);
    putchar('\n');
}

void sim_mix(struct sim *sim, uint64_t value)
{
    sim->hash = (sim->hash ^ value) * UINT64_C(0x100000001b3);
    sim->hash ^= sim->hash >> 29;
}

/* ---- The world ---------------------------------------------------------- */

void sim_open(struct sim *sim, const struct sim_options *options)
{
    memset(sim, 0, sizeof *sim);
    sim->options = *options;
    sim->net = random_stream(options->seed, 1);
    sim->disk = random_stream(options->seed, 2);
    sim->load = random_stream(options->seed, 3);
    sim->schedule = random_stream(options->seed, 4);
    sim->fault = random_stream(options->seed, 5);
    sim->reg = random_stream(options->seed, 6);
    sim->maybe = random_stream(options->seed, 7);
    sim->moment = random_stream(options->seed, 8);
    sim_marks_begin((options->faults & FAULT_MAYBE) != 0 ? &sim->maybe : NULL);
    sim->timers = (struct replica_timers){
        .beacon_ms = 50,
        .remove_ms = 300,
        .grace_ms = 600,
        .sync_ms = 1000,
        .retry_ms = 60,
        .drain_ms = 1000,
        .scrub_ms = options->scrub_ms,
    };
    sim->ops = calloc(SIM_OPS_MAX, sizeof *sim->ops);
    sim->made = calloc(SIM_MADE_MAX, sizeof *sim->made);
    INVARIANT(sim->ops != NULL && sim->made != NULL);
    for (uint32_t i = 0; i < options->nodes_count; i++)
        sim_node_name(sim, i);
    if (options->full)
        sim_full_open(sim);
    for (uint32_t i = 0; i < options->nodes_count; i++)
        sim_node_make(sim, i);
    for (uint32_t i = 0; i < options->nodes_count; i++)
        sim_at(sim, random_between(&sim->schedule, 0, 200000), EVENT_START, i,
               0, NULL);
    for (uint32_t i = 0; i < options->clients_count; i++) {
        sim->clients[i].op = UINT32_MAX;
        sim_at(sim, random_between(&sim->load, 0, 300000), EVENT_CLIENT,
               SIM_NODES_MAX, i, NULL);
    }
    if (!options->full)
        sim_at(sim, 500000, EVENT_FAULT, SIM_NODES_MAX, 0, NULL);
    if ((options->kinds & KIND_MANUAL) != 0)
        sim_at(sim, 300000, EVENT_OPERATOR, SIM_NODES_MAX, 0, NULL);
    /* A full seed has something to be set up before. */
    if (options->full)
        return;
    sim->faulty = true;
    sim_at(sim, options->safety_us, EVENT_HEAL, SIM_NODES_MAX, 0, NULL);
}

void sim_close(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++)
        sim_node_close(&sim->nodes[i]);
    sim_full_close(sim);
    for (size_t i = 0; i < sim->heap_count; i++)
        free(sim->heap[i].data);
    free(sim->heap);
    free(sim->ops);
    free(sim->made);
    free(sim->committed);
}

static void world_tick(struct sim *sim, struct sim_node *node)
{
    struct replica_event event = {.type = REPLICA_TICK};

    uint32_t generation = node->generation;

    sim_node_event(sim, node, &event);
    if (node->full != NULL && node->generation == generation)
        sim_full_tick(sim, node);
    sim_at(sim, sim->now + random_between(&sim->schedule, 8000, 14000),
           EVENT_TICK, node->number, 0, NULL);
}

static void world_dispatch(struct sim *sim, const struct sim_event *event)
{
    struct sim_node *node = event->node < sim->options.nodes_count
                                ? &sim->nodes[event->node]
                                : NULL;

    switch (event->type) {
    case EVENT_TICK:
        world_tick(sim, node);
        break;
    case EVENT_DISK:
        sim_node_disk(sim, node);
        break;
    case EVENT_FRAME:
        sim_frame(sim, event);
        break;
    case EVENT_LINK:
        sim_link_connect(sim, (uint32_t)event->number / SIM_NODES_MAX,
                         (uint32_t)event->number % SIM_NODES_MAX);
        break;
    case EVENT_BREAK:
        sim_link_break(sim, (uint32_t)event->number / SIM_NODES_MAX,
                       (uint32_t)event->number % SIM_NODES_MAX);
        break;
    case EVENT_REGISTER:
        sim_register_event(sim, event);
        break;
    case EVENT_ANSWER:
        sim_answer_event(sim, event);
        break;
    case EVENT_WATCH:
        sim_watch_event(sim, event);
        break;
    case EVENT_LEASE:
        sim_lease(sim, node);
        break;
    case EVENT_START:
        if (!node->up && !node->down_for_good)
            sim_node_start(sim, node);
        break;
    case EVENT_RESUME:
        break;
    case EVENT_FAULT:
        sim_fault(sim);
        break;
    case EVENT_CLIENT:
        sim_client(sim, event->number);
        break;
    case EVENT_REPLY:
        break;
    case EVENT_HEAL:
        sim_heal(sim);
        break;
    case EVENT_FOLLOW:
        if (node->follows)
            sim_follow(sim, node);
        break;
    case EVENT_FAILED:
        sim_node_crash(sim, node);
        break;
    case EVENT_OPERATOR:
        sim_operator(sim);
        break;
    case EVENT_CERTIFIED:
        sim_certified(sim, event);
        break;
    case EVENT_TURN:
        sim_full_turn(sim, event);
        break;
    case EVENT_SUBMIT:
        sim_full_submitted(sim, event);
        break;
    }
}

/* Events of a process that does not run any more, or is paused. */
static bool world_holds(struct sim *sim, struct sim_event *event)
{
    struct sim_node *node;

    if (event->node >= sim->options.nodes_count)
        return false;
    node = &sim->nodes[event->node];
    if (event->type == EVENT_REGISTER || event->type == EVENT_START)
        return false;
    if (event->generation != node->generation || !node->up)
        return true;
    if (node->paused_until > sim->now) {
        /* In their order, whenever the pause ends. */
        sim_at(sim,
               node->paused_until == SIM_FOREVER ? sim->now + SIM_HOP_US
                                                 : node->paused_until,
               event->type, event->node, event->number, event->data);
        event->data = NULL;
        return true;
    }
    return false;
}

/* Without the atlas that is no failure. */
static void world_unhealed(struct sim *sim)
{
    if ((sim->options.kinds & KIND_SAFETY_ONLY) != 0) {
        sim->over = true;
        return;
    }
    sim_fail(sim, SIM_LIVENESS, "the core does not come to rest");
}

int sim_run(struct sim *sim)
{
    while (sim->heap_count > 0 && sim->failure == SIM_GOOD && !sim->over) {
        struct sim_event event = heap_pop(sim);

        sim->now = event.at;
        sim->counts[COUNT_EVENTS]++;
        if (!world_holds(sim, &event)) {
            sim_mix(sim, (uint64_t)event.at * 31 + event.type * 7 + event.node);
            world_dispatch(sim, &event);
        }
        free(event.data);
        if (sim->healing && sim->failure == SIM_GOOD && sim_healed(sim))
            sim->over = true;
        if (sim->healing && !sim->over &&
            sim->now > sim->healing_at + sim->options.healing_us)
            world_unhealed(sim);
    }
    if (sim->failure == SIM_GOOD)
        sim_judge_end(sim);
    return sim->failure;
}
