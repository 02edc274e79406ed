/*
 * sim_act.c: what a replica asks for is done: jobs, frames, questions.
 */
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_full.h"

/* ---- The disk ----------------------------------------------------------- */

static void node_disk_begin(struct sim *sim, struct sim_node *node)
{
    int64_t takes = random_between(&sim->disk, 200, 3000);

    if (node->disk_busy || node->jobs_count == 0)
        return;
    node->disk_busy = true;
    node->running = node->jobs_count;
    if (node->disk_slow_us > 0)
        takes += random_below(&sim->disk, (uint32_t)node->disk_slow_us);
    sim_at(sim, sim->now + takes, EVENT_DISK, node->number, 0, NULL);
}

/* One after the other where what each does is looked at. */
static void node_run_jobs(struct sim *sim, struct sim_node *node, size_t count)
{
    uint64_t before = journal_end(node->journal).size;

    storage_run(&node->storage, node->jobs, count);
    for (size_t i = 0; i < count; i++) {
        sim_check_aside(sim, node, node->jobs[i], before);
        before = node->jobs[i]->end.size;
    }
}

void sim_node_disk(struct sim *sim, struct sim_node *node)
{
    struct storage_job *done[SIM_QUEUE_MAX];
    size_t count = node->running;
    uint32_t generation = node->generation;

    node_run_jobs(sim, node, count);
    memcpy(done, node->jobs, count * sizeof done[0]);
    node->jobs_count -= count;
    memmove(node->jobs, node->jobs + count,
            node->jobs_count * sizeof node->jobs[0]);
    node->disk_busy = false;
    for (size_t i = 0; i < count; i++) {
        struct replica_event event = {.type = REPLICA_JOB_DONE};

        if (done[i]->status == ST_DISK_FAILED) {
            sim_trace(sim, "%u: the disk failed", node->number);
            node->jobs_count = 0; /* The process ends here. */
            sim_node_crash(sim, node);
            return;
        }
        if (done[i]->status != ST_OK)
            sim_trace(sim, "%u: %s %llu+%zu ends with %d", node->number,
                      storage_job_name(done[i]->type),
                      (unsigned long long)done[i]->size, done[i]->entries_count,
                      (int)done[i]->status);
        event.job = done[i];
        sim_node_event(sim, node, &event);
        if (node->generation != generation || sim->failure != SIM_GOOD)
            return;
    }
    node_disk_begin(sim, node);
}

/* ---- Actions ------------------------------------------------------------ */

static void node_say(struct sim *sim, struct sim_node *node,
                     const struct replica_action *action)
{
    static const char *const names[] = {
        "role",        "leads",   "stalled", "resumed",  "dropped", "added",
        "cut",         "lost",    "found",   "repaired", "rot",     "register",
        "certificate", "peer",    "halt",    "clock",    "want",    "dispute",
        "unkept",      "lineage", "forced"};

    switch (action->say.note) {
    case NOTE_WANT:
        node->want = (enum config_why)action->say.number;
        node->want_at = sim->now;
        memcpy(node->want_node, action->say.node_id, NODE_ID_SIZE);
        break;
    case NOTE_CUT:
        sim->counts[COUNT_CUTS]++;
        break;
    case NOTE_LOST:
        sim->counts[COUNT_LOST]++;
        break;
    case NOTE_FOUND:
        sim->counts[COUNT_FOUND]++;
        break;
    case NOTE_REPAIRED:
        sim->counts[COUNT_REPAIRS]++;
        break;
    case NOTE_DROPPED:
        sim->counts[COUNT_DROPPED]++;
        break;
    case NOTE_ADDED:
        sim->counts[COUNT_ADDED]++;
        break;
    case NOTE_ROLE:
    case NOTE_LEADS:
    case NOTE_STALLED:
    case NOTE_RESUMED:
    case NOTE_ROT:
    case NOTE_REGISTER:
    case NOTE_CERTIFICATE:
    case NOTE_PEER:
    case NOTE_HALT:
    case NOTE_CLOCK:
    case NOTE_DISPUTE:
    case NOTE_UNKEPT:
    case NOTE_LINEAGE:
    case NOTE_FORCED:
        break;
    }
    if (action->say.note != NOTE_ROLE) {
        sim_trace(sim, "%u %s %u (node %u)", node->number,
                  names[action->say.note], (unsigned)action->say.number,
                  (unsigned)action->say.node_id[1]);
        return;
    }
    sim_trace(sim, "%u is %s", node->number,
              replica_role_name((enum replica_role)action->say.number));
    sim_moment(sim, node, (enum replica_role)action->say.number);
}

static void node_job(struct sim *sim, struct sim_node *node,
                     struct storage_job *job)
{
    if (node->jobs_count == SIM_QUEUE_MAX) {
        sim_fail(sim, SIM_WRONG, "I18: %u gives too many jobs", node->number);
        return;
    }
    node->jobs[node->jobs_count++] = job;
    node_disk_begin(sim, node);
}

/* A read fails, and nothing can be made of that: the process ends soon. */
void sim_node_fails(struct sim *sim, struct sim_node *node)
{
    sim_trace(sim, "%u cannot read", node->number);
    node->leading = false;
    sim_at(sim, sim->now + 1000, EVENT_FAILED, node->number, 0, NULL);
}

static void node_act(struct sim *sim, struct sim_node *node,
                     const struct replica_action *action)
{
    switch (action->type) {
    case REPLICA_SEND:
        sim_send(sim, node->number, sim_other(sim, node->number, action->peer),
                 action->send.type, action->send.body);
        break;
    case REPLICA_SEND_KEYS:
        sim_keys_send(sim, node, action);
        break;
    case REPLICA_DROP_LINK:
        sim_trace(sim, "%u drops the link to %u", node->number,
                  sim_other(sim, node->number, action->peer));
        sim_at(sim, sim->now, EVENT_BREAK, SIM_NODES_MAX,
               node->number * SIM_NODES_MAX +
                   sim_other(sim, node->number, action->peer),
               NULL);
        break;
    case REPLICA_JOB:
        node_job(sim, node, action->job);
        break;
    case REPLICA_ASK:
        sim_ask(sim, node, action);
        break;
    case REPLICA_COMMIT:
        sim_commit(sim, node, action->size);
        break;
    case REPLICA_LEAD:
        sim_lead(sim, node, action);
        break;
    case REPLICA_FOLLOW:
        /* The pipeline hears of it a little later. */
        node->follows = node->full == NULL && MAYBE_SIM(500);
        if (node->follows)
            sim_at(sim, sim->now + 2000, EVENT_FOLLOW, node->number, 0, NULL);
        else
            sim_follow(sim, node);
        break;
    case REPLICA_DRAIN:
        node->draining = action->on;
        node->drain_told = false;
        if (node->full != NULL)
            sim_full_drain(sim, node, action->on);
        break;
    case REPLICA_VERIFY:
        sim_verify(sim, node, action->certificate);
        break;
    case REPLICA_HALT:
        sim->counts[COUNT_HALTS]++;
        if ((sim->options.kinds & KIND_SAFETY_ONLY) == 0)
            sim_fail(sim, SIM_WRONG, "I17: %u halts: %d", node->number,
                     (int)action->halt);
        break;
    case REPLICA_RESTART: /* Nobody forces anything here. */
        sim_fail(sim, SIM_WRONG, "I17: %u begins anew", node->number);
        break;
    case REPLICA_SAY:
        node_say(sim, node, action);
        break;
    }
}

static bool node_is_drained(struct sim_node *node)
{
    return node->full != NULL ? sim_full_is_idle(node)
                              : node->pending_count == 0;
}

void sim_node_event(struct sim *sim, struct sim_node *node,
                    struct replica_event *event)
{
    struct replica_actions actions = {0};
    uint32_t generation = node->generation;

    if (!node->up || node->replica == NULL || sim->failure != SIM_GOOD)
        return;
    event->now_ms = sim->now / 1000 + 1;
    event->wall_us = sim->now + node->clock_us;
    if (node->full != NULL)
        event->wall_us = sim_full_wall(sim, node);
    replica_actions_init(&actions);
    replica_step(node->replica, &actions, event);
    if (actions.count > 0 || event->type != REPLICA_TICK)
        replica_check(node->replica);
    for (size_t i = 0; i < actions.count && node->generation == generation &&
                       sim->failure == SIM_GOOD;
         i++)
        node_act(sim, node, &actions.list[i]);
    replica_actions_wipe(&actions);
    if (node->generation == generation && node->enters)
        sim_enter(sim, node);
    if (node->generation == generation && node->full != NULL)
        sim_full_stepped(sim, node);
    if (node->generation == generation && node->draining && !node->drain_told &&
        node_is_drained(node)) {
        struct replica_event drained = {.type = REPLICA_DRAINED};

        node->drain_told = true;
        sim_node_event(sim, node, &drained);
    }
}
