#include <string.h>

#include "protocol/entry.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* ---- Wanting to lead ---------------------------------------------------- */

static bool lead_may(const struct replica *replica)
{
    return replica->halt == HALT_NONE && replica->registered &&
           replica->cut_again == UINT64_MAX && replica->enrolled &&
           (!replica->lost || MUTANT(28)) &&
           (!replica_has_holes(replica) ||
            (replica->hopeless && replica->config.members_count > 1)) &&
           !replica->options.archive && replica->configured &&
           !replica_forced_elsewhere(replica) &&
           config_is_eligible(&replica->config, replica->options.node_id) &&
           !replica_proposing(replica) && replica->jobs_count == 0 &&
           replica->now_ms >= replica->attempt_ms;
}

/* R19: above everything that anybody is known to have promised; 0 if nothing
 * is above it. */
static uint32_t lead_next_epoch(const struct replica *replica)
{
    uint32_t epoch = replica->config.epoch;

    if (MUTANT(38))
        return epoch + 1;
    if (replica->promised > epoch)
        epoch = replica->promised;
    if (replica->seen_epoch > epoch)
        epoch = replica->seen_epoch;
    return epoch < REPLICA_EPOCH_MAX ? epoch + 1 : 0;
}

/* Between tries, longer for who comes later in the order of nodes. */
static void lead_wait(struct replica *replica)
{
    uint32_t wait = replica->options.timers.retry_ms * 2;

    for (size_t i = 0; i < replica->peers_count; i++) {
        if (memcmp(replica->peers[i].node_id, replica->options.node_id,
                   NODE_ID_SIZE) < 0)
            wait += replica->options.timers.retry_ms;
    }
    replica->attempt_ms = replica->now_ms + (int64_t)wait;
}

bool replica_is_member(const struct replica *replica)
{
    return config_has_member(&replica->config, replica->options.node_id);
}

/* A member is one with the incarnation that it has now. */
static void lead_set_incarnation(const struct replica *replica,
                                 struct config *config)
{
    if (!config_has_member(config, replica->options.node_id))
        return;
    config_remove_member(config, replica->options.node_id);
    config_add_member(config, replica->options.node_id, replica->incarnation);
}

static void lead_restart(struct replica *replica)
{
    struct config config;

    SOMETIMES(restart_proposed);
    replica_successor(replica, &config, CONFIG_RESTART);
    config.epoch = lead_next_epoch(replica);
    lead_wait(replica);
    if (config.epoch == 0)
        return;
    lead_set_incarnation(replica, &config);
    replica_propose(
        replica, &config,
        replica_is_member(replica) ? replica->options.node_id : NULL, NULL);
}

/* A member that can be asked for its log, if this node is none. */
static bool lead_source(const struct replica *replica)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (peer->greeted &&
            config_has_member(&replica->config, peer->node_id) &&
            (peer->flags & (PEER_LOST | PEER_DAMAGED)) == 0)
            return true;
    }
    return false;
}

static void lead_promote(struct replica *replica)
{
    struct config config;
    bool member = MUTANT(3) || replica_is_member(replica);
    uint8_t former[NODE_ID_SIZE];

    memcpy(former, replica->config.primary, sizeof former);
    if (member)
        SOMETIMES(promote_member);
    else
        SOMETIMES(promote_via_another);
    replica_successor(replica, &config,
                      member ? CONFIG_PROMOTE : CONFIG_PROMOTE_VIA);
    config.epoch = lead_next_epoch(replica);
    lead_wait(replica);
    if (config.epoch == 0)
        return;
    memcpy(config.primary, replica->options.node_id, NODE_ID_SIZE);
    config.phase = member ? CONFIG_NORMAL : CONFIG_RECOVERING;
    if (member && config.minimum == 1)
        config_dismiss_others(&config, replica->options.node_id);
    if (member)
        lead_set_incarnation(replica, &config);
    replica_propose(replica, &config, member ? replica->options.node_id : NULL,
                    former);
}

static bool lead_former_is_alive(const struct replica *replica)
{
    size_t peer = replica_peer_of(replica, replica->config.primary);

    /* Who is in nobody's list cannot be asked after. */
    if (peer == SIZE_MAX)
        return true;
    return !replica->alive_known[peer] || replica->alive[peer];
}

/* R26: how long silence has to last.  Whose sign of life went while this node
 * looked, and whose link is down, has ended rather than been cut off. */
static uint32_t lead_patience(const struct replica *replica)
{
    const struct replica_timers *timers = &replica->options.timers;
    size_t peer = replica_peer_of(replica, replica->config.primary);

    if (!replica->configured || !replica_is_member(replica))
        return timers->grace_ms * 2;
    if (peer == SIZE_MAX || !replica->gone[peer] || replica->peers[peer].linked)
        return timers->grace_ms;
    SOMETIMES(former_has_left);
    return timers->remove_ms;
}

static bool lead_is_behind(const struct replica *replica)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        /* Anybody can say so; members are believed. */
        if (peer->greeted && peer->config_number > replica->config.number &&
            config_has_member(&replica->config, peer->node_id))
            return true;
    }
    return false;
}

void replica_try_to_lead(struct replica *replica)
{
    bool member = replica->configured && replica_is_member(replica);

    if (replica_won(replica) || !lead_may(replica))
        return;
    /* Only who is named already takes a member's log for its own. */
    if (replica->hopeless && !replica_is_self(replica, replica->config.primary))
        return;
    if (replica_is_self(replica, replica->config.primary)) {
        replica_take_lead(replica);
        return;
    }
    if (!replica->options.automatic)
        return;
    /* R26: silence here, and no sign of life in the register.  Who is no member
     * lets members go first. */
    if (!replica_elapsed(replica, replica->heard_ms, lead_patience(replica)) ||
        (!member && !lead_source(replica)))
        return;
    /* A register that is behind what others know was put back. */
    if (lead_is_behind(replica))
        return;
    if (!replica->view_fresh) {
        if (replica_elapsed(replica, replica->reading_ms,
                            replica->options.timers.retry_ms))
            replica_read_register(replica);
        return;
    }
    if (lead_former_is_alive(replica)) {
        SOMETIMES(former_is_alive);
        return;
    }
    replica->view_fresh = false;
    lead_promote(replica);
}

/* ---- The configuration names this node ---------------------------------- */

static bool lead_is_news(const struct replica *replica)
{
    if (replica->first_number == 0)
        return false;
    return replica->config.number > replica->first_number ||
           (replica->config.why == CONFIG_BOOT && replica->booted);
}

/*
 * The epoch in which this start may lead, or 0.  Where there is a register, it
 * is one that was written since this start looked at it first: an older one may
 * have been led by an earlier start, even if this disk does not know it (R18).
 */
static uint32_t lead_granted_epoch(const struct replica *replica)
{
    uint32_t first = replica->config.epoch;
    uint32_t epoch = first;

    if (MUTANT(6))
        return first;
    if (replica->used_epoch >= epoch)
        epoch = replica->used_epoch + 1;
    if (replica->promised > epoch)
        epoch = replica->promised;
    /* Somebody wrote in it already, whoever that was. */
    if (replica->log.end.epoch >= epoch)
        epoch = replica->log.end.epoch + 1;
    /* With certificates nobody but the peers remembers what a disk that was put
     * back forgot. */
    if (replica->seen_epoch > epoch ||
        (replica->seen_epoch == epoch && !replica->options.automatic))
        epoch = replica->seen_epoch + 1;
    if (epoch > REPLICA_EPOCH_MAX)
        return 0;
    if (replica->options.automatic)
        return epoch == first && lead_is_news(replica) ? epoch : 0;
    return epoch - first < CONFIG_GRANT_EPOCHS ? epoch : 0;
}

static void lead_begin(struct replica *replica, uint32_t epoch)
{
    bool member = replica_is_member(replica);
    struct replica_job *job = replica_job_new(replica, STORAGE_USE);

    replica->epoch = epoch;
    replica->used_epoch = epoch;
    if (epoch > replica->promised)
        replica->promised = epoch;
    job->job.epoch = epoch;
    replica_job_give(replica, job);
    replica->lead_ms = replica->now_ms;
    replica->adopt_peer = SIZE_MAX;
    replica->adopted = false;
    replica->adopting = member && replica_has_holes(replica);
    replica->primary_peer = SIZE_MAX;
    for (size_t i = 0; i < replica->peers_count; i++) {
        struct peer_frame frame = {.type = PEER_NEWEPOCH};

        replica->peers[i].matched = 0;
        replica->peers[i].sealed = false;
        replica->peers[i].joining = false;
        frame.newepoch.epoch = epoch;
        if (replica->peers[i].greeted)
            replica_send(replica, i, &frame);
    }
    replica_set_role(replica,
                     (member && replica->config.phase == CONFIG_NORMAL &&
                      !replica->adopting && replica_holds_base(replica)) ||
                             MUTANT(21)
                         ? REPLICA_CANDIDATE
                         : REPLICA_RECOVERING);
}

void replica_take_lead(struct replica *replica)
{
    uint32_t epoch;

    if (replica_won(replica) || !lead_may(replica))
        return;
    epoch = lead_granted_epoch(replica);
    if (epoch != 0) {
        lead_begin(replica, epoch);
        return;
    }
    if (replica->options.automatic) {
        /* R18: this start needs an epoch of its own, at the revision that
         * stands. */
        if (replica->revision == 0)
            replica_look(replica);
        else
            lead_restart(replica);
    } else {
        replica_say(replica, NOTE_WANT, replica->options.node_id,
                    CONFIG_RESTART);
        lead_wait(replica);
    }
}

void replica_lead_as_named(struct replica *replica)
{
    if (replica->configured &&
        replica_is_self(replica, replica->config.primary))
        replica_take_lead(replica);
}

/* ---- The inherited tail ------------------------------------------------- */

/* R23: what is above the commit is read back before anything is put on top. */
static bool lead_verify_tail(struct replica *replica)
{
    struct replica_log *log = &replica->log;
    uint8_t leaf[HASH_SIZE], expected[HASH_SIZE];
    struct slice bytes;

    if (log->committed < log->end.size)
        SOMETIMES(tail_inherited);
    for (uint64_t i = log->committed; i < log->end.size && !MUTANT(32); i++) {
        /* From the disk, not from memory. */
        enum status status =
            journal_read_entry(log->journal, &bytes, log->buffer, i);

        if (status == ST_OK) {
            entry_leaf_hash(leaf, bytes);
            status = replica_log_leaf(log, expected, i);
        }
        if (status != ST_OK || memcmp(leaf, expected, HASH_SIZE) != 0) {
            SOMETIMES(tail_is_damaged);
            replica_damaged(replica, i);
            return false;
        }
    }
    return true;
}

static void lead_enter(struct replica *replica)
{
    struct replica_action *action;

    replica->barrier = replica->log.end.size;
    replica->stalled = false;
    replica_set_role(replica, REPLICA_BARRIER);
    replica_say(replica, NOTE_LEADS, replica->options.node_id, replica->epoch);
    action = replica_act(replica, REPLICA_LEAD);
    action->lead.epoch = replica->epoch;
    action->lead.end = replica->log.end;
    action->lead.config = slice_of(replica->config_bytes, replica->config_size);
    action->lead.certificate =
        slice_of(replica->certificate, replica->certificate_size);
    for (size_t i = 0; i < replica->peers_count; i++) {
        replica_expect(replica, &replica->peers[i]);
        replica_stream_begin(replica, i);
    }
    replica_beacons(replica, true);
}

void replica_candidate(struct replica *replica)
{
    REQUIRE(replica->role == REPLICA_CANDIDATE);
    if (replica->jobs_count > 0 || replica_has_holes(replica) ||
        !lead_verify_tail(replica))
        return;
    lead_enter(replica);
}

/* ---- Giving up ---------------------------------------------------------- */

void replica_step_down(struct replica *replica)
{
    bool led = replica_leads(replica);

    REQUIRE(replica_won(replica));
    for (size_t i = 0; i < replica->peers_count; i++)
        replica_stream_end(replica, i);
    replica->role = REPLICA_LEARNER; /* As said below. */
    replica->stalled = false;
    replica->draining = false;
    replica->heard_ms = replica->now_ms;
    replica->view_fresh = false;
    replica_settle_role(replica);
    if (!led)
        SOMETIMES(term_ends_before_it_began);
    if (led && !MUTANT(51))
        replica_act(replica, REPLICA_FOLLOW);
    /* What it acknowledged before it cut its tail, it has no more. */
    if (replica->adopting && replica->lost)
        replica_rise(replica, replica->incarnation);
    replica->adopting = false;
    lead_wait(replica);
}
