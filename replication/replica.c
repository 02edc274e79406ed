#include "replication/replica.h"

#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

const struct replica_timers replica_timers_lan = {
    .beacon_ms = 500,
    .remove_ms = 3000,
    .grace_ms = 6000,
    .sync_ms = 10000,
    .retry_ms = 500,
    .drain_ms = 10000,
    .scrub_ms = 1000,
};
const struct replica_timers replica_timers_wan = {
    .beacon_ms = 1000,
    .remove_ms = 6000,
    .grace_ms = 12000,
    .sync_ms = 10000,
    .retry_ms = 1000,
    .drain_ms = 20000,
    .scrub_ms = 1000,
};

const char *replica_role_name(enum replica_role role)
{
    static const char *const names[] = {
        [REPLICA_START] = "starting",      [REPLICA_LOST] = "lost",
        [REPLICA_LEARNER] = "learner",     [REPLICA_MEMBER] = "member",
        [REPLICA_CANDIDATE] = "candidate", [REPLICA_RECOVERING] = "recovering",
        [REPLICA_BARRIER] = "barrier",     [REPLICA_PRIMARY] = "primary",
        [REPLICA_HALTED] = "halted",
    };

    return names[role];
}

/* ---- Opening ------------------------------------------------------------ */

static void replica_open_peers(struct replica *replica)
{
    const struct replica_options *options = &replica->options;

    REQUIRE(options->peers_count < CONFIG_NODES_MAX);
    replica->peers_count = options->peers_count;
    for (size_t i = 0; i < options->peers_count; i++) {
        struct replica_peer *peer = &replica->peers[i];

        memcpy(peer->node_id, options->peers[i].node_id, NODE_ID_SIZE);
        peer->archive = options->peers[i].archive;
    }
}

enum status replica_open(struct replica **replica_out,
                         const struct replica_options *options,
                         const struct replica_parts *parts)
{
    struct replica *replica = calloc(1, sizeof *replica);
    const struct meta_value *meta = parts->meta;

    NEED(replica != NULL);
    replica->options = *options;
    replica_open_peers(replica);
    replica_log_open(&replica->log, parts->journal);
    replica->role = REPLICA_START;
    replica->halt = parts->halted <= HALT_KEPT
                        ? (enum replica_halt)parts->halted
                        : HALT_KEPT;
    replica->promised = meta->promised_epoch;
    replica->used_epoch = meta->used_epoch;
    replica->incarnation = meta->incarnation;
    replica->claimed = meta->claimed;
    replica->registered = !options->automatic;
    replica->primary_peer = SIZE_MAX;
    replica->adopt_peer = SIZE_MAX;
    replica->cut_size = UINT64_MAX;
    replica->cut_again = UINT64_MAX;
    replica_lost_open(replica);
    if (meta->configuration_size > 0 &&
        !replica_load_config(
            replica, slice_of(meta->configuration, meta->configuration_size))) {
        replica_close(replica);
        return ST_FILE_FORMAT;
    }
    /* Whom the newest value vouched for is forgotten: it may be anybody. */
    for (size_t i = 0; meta->doubtful && !options->automatic && !MUTANT(91) &&
                       i < replica->peers_count;
         i++)
        replica->vouched[i] = true;
    *replica_out = replica;
    return ST_OK;
}

void replica_close(struct replica *replica)
{
    if (replica == NULL)
        return;
    replica_repair_wipe(replica);
    replica_jobs_free(replica);
    for (size_t i = 0; i < replica->peers_count; i++)
        replica_keys_forget(&replica->peers[i]);
    replica_log_close(&replica->log);
    free(replica);
}

/* ---- Small questions ---------------------------------------------------- */

bool replica_leads(const struct replica *replica)
{
    return replica->role == REPLICA_BARRIER || replica->role == REPLICA_PRIMARY;
}

bool replica_won(const struct replica *replica)
{
    return replica_leads(replica) || replica->role == REPLICA_CANDIDATE ||
           replica->role == REPLICA_RECOVERING;
}

bool replica_is_self(const struct replica *replica, const uint8_t *node_id)
{
    return memcmp(replica->options.node_id, node_id, NODE_ID_SIZE) == 0;
}

size_t replica_peer_of(const struct replica *replica, const uint8_t *node_id)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (memcmp(replica->peers[i].node_id, node_id, NODE_ID_SIZE) == 0)
            return i;
    }
    return SIZE_MAX;
}

bool replica_elapsed(const struct replica *replica, int64_t since_ms,
                     uint32_t ms)
{
    return replica->now_ms - since_ms >= (int64_t)ms;
}

/* ---- Roles -------------------------------------------------------------- */

void replica_set_role(struct replica *replica, enum replica_role role)
{
    if (replica->role == role)
        return;
    replica->role = role;
    replica_say(replica, NOTE_ROLE, NULL, (uint64_t)role);
}

void replica_settle_role(struct replica *replica)
{
    if (replica->halt != HALT_NONE || replica_won(replica))
        return;
    if (!replica->registered)
        replica_set_role(replica, REPLICA_START);
    else if (replica->lost)
        replica_set_role(replica, REPLICA_LOST);
    else if (replica->configured &&
             config_has_member(&replica->config, replica->options.node_id))
        replica_set_role(replica, REPLICA_MEMBER);
    else
        replica_set_role(replica, REPLICA_LEARNER);
}

/* ---- Events ------------------------------------------------------------- */

static void replica_register_self(struct replica *replica)
{
    struct replica_action *action;

    /* Not before it is durable. */
    if (replica->registered || replica->jobs_count > 0 ||
        (replica->registering_ms != 0 &&
         !replica_elapsed(replica, replica->registering_ms,
                          replica->options.timers.grace_ms)))
        return;
    replica->registering_ms = replica->now_ms;
    action = replica_act(replica, REPLICA_ASK);
    action->ask.call = replica->claimed == replica->incarnation
                           ? REGISTER_INCARNATION
                           : REGISTER_LOOK;
    action->ask.incarnation = replica->incarnation;
}

/* This disk is older than what the cluster saw of it (case C6): whatever the
 * mark says is missing, more may be. */
static void replica_is_older(struct replica *replica)
{
    SOMETIMES(disk_is_older);
    if (!replica->lost || replica->finding || replica->lost_to != UINT64_MAX)
        replica_set_lost(replica);
}

/* One that this disk never let be registered is of another life of it, though
 * later starts of this one have gone by since. */
static void replica_looked(struct replica *replica, uint64_t number)
{
    struct replica_job *job;

    if (replica->registered || replica->jobs_count > 0 ||
        replica->claimed == replica->incarnation)
        return;
    replica->registering_ms = 0;
    if (number > replica->claimed && !MUTANT(64) &&
        !(number < replica->incarnation && MUTANT(90)))
        replica_is_older(replica);
    if (number >= replica->incarnation && !MUTANT(64)) {
        replica_rise(replica, number);
        return;
    }
    replica->claimed = replica->incarnation;
    job = replica_job_new(replica, STORAGE_CLAIM);
    job->job.size = replica->incarnation;
    replica_job_give(replica, job);
}

static void replica_on_registered(struct replica *replica, bool higher,
                                  uint64_t number)
{
    if (replica->registered)
        return;
    if (higher && !MUTANT(64)) {
        if (replica->jobs_count == 0 && number >= replica->incarnation) {
            replica_is_older(replica);
            replica_rise(replica, number);
        }
        return;
    }
    replica->registered = true;
    replica_settle_role(replica);
    for (size_t i = 0; i < replica->peers_count; i++)
        replica_hello(replica, i);
    replica_read_register(replica);
}

/* Nothing can be proposed before the register's revision is known. */
void replica_look(struct replica *replica)
{
    if (replica->options.automatic && replica->registered &&
        (!replica->configured || replica->revision == 0) &&
        replica_elapsed(replica, replica->reading_ms,
                        replica->options.timers.grace_ms))
        replica_read_register(replica);
}

static void replica_mark(struct replica *replica)
{
    struct replica_job *job;

    if (replica->jobs_count > 0 ||
        replica->log.committed <= replica->log.marked ||
        replica->log.committed > replica->log.durable.size)
        return;
    job = replica_job_new(replica, STORAGE_MARK);
    replica_job_give(replica, job);
}

/* Whoever was not running himself knows nothing of how long others were silent.
 */
static void replica_after_pause(struct replica *replica)
{
    bool paused = replica_elapsed(replica, replica->tick_ms,
                                  replica->options.timers.remove_ms);

    replica->tick_ms = replica->now_ms;
    for (size_t i = 0; paused && i < replica->peers_count; i++) {
        if (replica->peers[i].heard_ms != 0)
            replica->peers[i].heard_ms = replica->now_ms;
        replica_expect(replica, &replica->peers[i]);
    }
}

static void replica_tick(struct replica *replica)
{
    if (!replica->ticked) {
        replica->ticked = true;
        replica->started_ms = replica->now_ms;
        replica->heard_ms = replica->now_ms;
        replica->config_ms = replica->now_ms;
        replica->tick_ms = replica->now_ms;
        replica_settle_role(replica);
        replica_publish(replica);
        if (replica->configured)
            replica_admitted(replica);
    }
    replica_after_pause(replica);
    replica_register_self(replica);
    replica_look(replica);
    replica_found(replica);
    replica_retry(replica);
    replica_lost_tend(replica);
    replica_forced_tend(replica);
    replica_repair_tend(replica);
    replica_refill_tend(replica);
    if (replica->registered) {
        replica_tell_flags(replica);
        replica_beacons(replica, false);
        replica_ship_all(replica);
        replica_members_tend(replica);
        replica_hand_over_tend(replica);
        replica_try_to_lead(replica);
    }
    if (replica->role == REPLICA_RECOVERING)
        replica_recovering(replica);
    if (replica->role == REPLICA_CANDIDATE)
        replica_candidate(replica);
    replica_mark(replica);
}

static void replica_on_alive(struct replica *replica,
                             const struct replica_event *event)
{
    size_t at = replica_is_self(replica, event->alive.node_id)
                    ? replica->peers_count
                    : replica_peer_of(replica, event->alive.node_id);

    if (at == SIZE_MAX)
        return;
    replica->gone[at] =
        !event->alive.alive && (replica->gone[at] || replica->alive[at]);
    replica->alive[at] = event->alive.alive;
    replica->alive_known[at] = true;
    replica->viewed_ms = replica->now_ms;
}

static void replica_dispatch(struct replica *replica,
                             const struct replica_event *event)
{
    switch (event->type) {
    case REPLICA_TICK:
        replica_tick(replica);
        break;
    case REPLICA_LINK_UP:
        replica_link_up(replica, event->peer);
        break;
    case REPLICA_LINK_DOWN:
        replica_link_down(replica, event->peer);
        break;
    case REPLICA_RECEIVED:
        replica_received(replica, event->peer, event->received.type,
                         event->received.body);
        break;
    case REPLICA_SUBMITTED:
        replica_submitted(replica, event);
        break;
    case REPLICA_JOB_DONE:
        replica_job_done(replica, event->job);
        break;
    case REPLICA_VIEW:
        replica_viewed(replica, event->view);
        break;
    case REPLICA_ANSWERED:
        replica_answered(replica, event);
        break;
    case REPLICA_LOOKED:
        replica_looked(replica, event->number);
        break;
    case REPLICA_REGISTERED:
        replica_on_registered(replica, event->registered.higher,
                              event->registered.number);
        break;
    case REPLICA_ALIVE:
        replica_on_alive(replica, event);
        break;
    case REPLICA_CERTIFIED:
        replica_certified(replica, event->certificate);
        break;
    case REPLICA_HAND_OVER:
        replica_hand_over(replica, event->node_id);
        break;
    case REPLICA_VOUCH:
        replica_vouch(replica, event->node_id);
        break;
    case REPLICA_ENROLLED:
        replica->enrolled = event->enrolled;
        break;
    case REPLICA_DRAINED:
        replica->drained = replica->draining;
        replica_hand_over_tend(replica);
        break;
    }
}

void replica_step(struct replica *replica, struct replica_actions *actions,
                  const struct replica_event *event)
{
    REQUIRE(event->now_ms >= replica->now_ms);
    replica->now_ms = event->now_ms;
    replica->wall_us = event->wall_us;
    replica->actions = actions;
    /* Who halted keeps everything as it is; jobs still come to their end. */
    if (replica->halt != HALT_NONE)
        replica_halt_again(replica);
    if ((replica->halt == HALT_NONE && !replica->forced) ||
        event->type == REPLICA_JOB_DONE)
        replica_dispatch(replica, event);
    /* What a step made possible. */
    if (replica->halt == HALT_NONE && !replica->forced &&
        event->type != REPLICA_TICK) {
        if (replica->role == REPLICA_CANDIDATE)
            replica_candidate(replica);
        else if (replica->role == REPLICA_RECOVERING)
            replica_recovering(replica);
        else if (event->type == REPLICA_JOB_DONE)
            replica_lead_as_named(replica);
    }
    replica->actions = NULL;
}

int64_t replica_deadline(const struct replica *replica)
{
    /* From the last tick: under a steady load something always happens first.
     */
    return replica->tick_ms + replica->options.timers.beacon_ms / 4;
}
