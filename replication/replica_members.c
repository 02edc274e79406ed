#include <string.h>

#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* How long one that was dropped waits before it is let in again: doubled by
 * each drop within ten minutes. */
enum { MEMBERS_BACKOFF_MAX = 6, MEMBERS_FORGET_MS = 600000 };

/* ---- Who answers -------------------------------------------------------- */

/* One whose log is lost or damaged, and not mended in time. */
static bool members_is_broken(const struct replica *replica,
                              const struct replica_peer *peer)
{
    const struct config_member *member =
        config_member(&replica->config, peer->node_id);

    if (peer->flags_ms == 0)
        return false;
    if ((peer->flags & PEER_LOST) != 0 && member != NULL &&
        member->incarnation == peer->incarnation)
        return false;
    return replica_elapsed(replica, peer->flags_ms,
                           replica->options.timers.remove_ms);
}

static bool members_is_silent(const struct replica *replica,
                              const struct replica_peer *peer)
{
    /* Nobody heard of it before this term: it has as long as anybody. */
    return replica_elapsed(
        replica, peer->heard_ms == 0 ? replica->lead_ms : peer->heard_ms,
        replica->options.timers.remove_ms);
}

static bool members_answers(const struct replica *replica,
                            const struct replica_peer *peer)
{
    uint32_t limit = replica->options.timers.remove_ms;

    if (MUTANT(66))
        return true;
    if (members_is_silent(replica, peer) || members_is_broken(replica, peer))
        return false;
    if (!peer->linked || !peer->greeted)
        return true;
    return peer->matched >= replica->log.end.size ||
           !replica_elapsed(replica, peer->progress_ms, limit);
}

/* Whether it could become a member now (R15; before the barrier R22). */
bool replica_caught_up(const struct replica *replica, size_t at)
{
    const struct replica_peer *peer = &replica->peers[at];
    const struct replica_log *log = &replica->log;

    if (MUTANT(24))
        return peer->greeted;
    if (!peer->linked || !peer->greeted || !peer->streaming ||
        (peer->flags & PEER_DAMAGED) != 0 ||
        replica_elapsed(replica, peer->heard_ms,
                        replica->options.timers.remove_ms))
        return false;
    if (replica->role != REPLICA_PRIMARY && !MUTANT(69) &&
        (peer->matched <= replica->barrier ||
         log->durable.size <= replica->barrier))
        return false;
    return peer->matched >= log->committed &&
           log->end.size - peer->matched <= REPLICA_JOIN_LAG_MAX;
}

static bool members_backs_off(const struct replica *replica,
                              const struct replica_peer *peer)
{
    uint32_t wait = replica->options.timers.remove_ms;
    uint32_t doubled = peer->dropped_count;

    if (peer->dropped_count == 0 ||
        replica_elapsed(replica, peer->dropped_ms, MEMBERS_FORGET_MS))
        return false;
    if (doubled > 1)
        SOMETIMES(join_backs_off);
    if (doubled > MEMBERS_BACKOFF_MAX)
        doubled = MEMBERS_BACKOFF_MAX;
    return !replica_elapsed(replica, peer->dropped_ms, wait << (doubled - 1));
}

/* The best node to join: one that may be primary before an archive.  An archive
 * that lost entries is let in until it says that it is whole again. */
static size_t members_candidate(const struct replica *replica, bool archive_too)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (config_has_member(&replica->config, peer->node_id) ||
            !config_has_learner(&replica->config, peer->node_id) ||
            !replica_caught_up(replica, i) ||
            (peer->archive && !archive_too && (peer->flags & PEER_LOST) == 0) ||
            (!archive_too && members_backs_off(replica, peer)))
            continue;
        if (!peer->archive)
            return i;
        found = i;
    }
    return found;
}

/* ---- Changes ------------------------------------------------------------ */

static void members_in(struct config *config, const struct replica_peer *peer)
{
    if (config_has_member(config, peer->node_id)) {
        config_remove_member(config, peer->node_id);
        config_add_member(config, peer->node_id, peer->incarnation);
    } else {
        config_admit(config, peer->node_id, peer->incarnation);
    }
}

static void members_stall(struct replica *replica, bool stalled)
{
    if (replica->stalled == stalled)
        return;
    replica->stalled = stalled;
    replica_say(replica, stalled ? NOTE_STALLED : NOTE_RESUMED, NULL,
                replica->config.members_count);
    if (stalled)
        replica_ship_all(replica);
}

/* ${out}, ${in}: numbers of peers, SIZE_MAX for none. */
static void members_change(struct replica *replica, enum config_why why,
                           size_t out, size_t in)
{
    struct config config;

    if (!replica->options.automatic) {
        size_t of = out != SIZE_MAX ? out : in;

        replica_want(replica, why, replica->peers[of].node_id);
        if (out != SIZE_MAX && !members_answers(replica, &replica->peers[out]))
            members_stall(replica, true);
        return;
    }
    replica_successor(replica, &config, why);
    if (out != SIZE_MAX) {
        struct replica_peer *peer = &replica->peers[out];

        config_dismiss(&config, peer->node_id);
        if (replica_elapsed(replica, peer->dropped_ms, MEMBERS_FORGET_MS))
            peer->dropped_count = 0;
        peer->dropped_ms = replica->now_ms;
        peer->dropped_count++;
        replica_say(replica, NOTE_DROPPED, peer->node_id, config.number);
    }
    if (in != SIZE_MAX) {
        members_in(&config, &replica->peers[in]);
        replica_say(replica, NOTE_ADDED, replica->peers[in].node_id,
                    config.number);
    }
    replica_propose(replica, &config,
                    in == SIZE_MAX ? NULL : replica->peers[in].node_id, NULL);
    /* Whoever joins has to have everything from now on. */
    if (in != SIZE_MAX)
        replica_ship(replica, in);
}

/* What the operator is waited for, said once in a while. */
void replica_want(struct replica *replica, enum config_why why,
                  const uint8_t *node_id)
{
    if (replica->wanted == why &&
        !replica_elapsed(replica, replica->wanted_ms,
                         replica->options.timers.grace_ms))
        return;
    replica->wanted = why;
    replica->wanted_ms = replica->now_ms;
    replica_say(replica, NOTE_WANT, node_id, (uint64_t)why);
}

/* A node that this one's operator named, and that no configuration knows. */
static bool members_introduce(struct replica *replica)
{
    struct config config;

    if (!replica->options.automatic)
        return false;
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (!peer->greeted ||
            config_has_node(&replica->config, peer->node_id) ||
            replica->config.members_count + replica->config.learners_count ==
                CONFIG_NODES_MAX)
            continue;
        replica_successor(replica, &config, CONFIG_NODES);
        config_add_learner(&config, peer->node_id);
        if (!peer->archive)
            config_add_eligible(&config, peer->node_id);
        replica_propose(replica, &config, NULL, NULL);
        return true;
    }
    return false;
}

/* A member that came back without what it had, and has it again. */
static bool members_admit_anew(struct replica *replica)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];
        const struct config_member *member =
            config_member(&replica->config, peer->node_id);

        if (member == NULL || (peer->flags & PEER_LOST) == 0 ||
            member->incarnation >= peer->incarnation ||
            !replica_caught_up(replica, i))
            continue;
        SOMETIMES(lost_member_admitted_anew);
        members_change(replica, CONFIG_ADD, SIZE_MAX, i);
        return true;
    }
    return false;
}

/* R13, R14: one that is silent is dropped, or replaced where too few would be
 * left; else nothing is acknowledged until somebody answers. */
static bool members_drop(struct replica *replica)
{
    const struct config *config = &replica->config;

    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];
        size_t in;

        if (!config_has_member(config, peer->node_id) ||
            members_answers(replica, peer))
            continue;
        if (config->members_count > config->minimum || MUTANT(40)) {
            SOMETIMES(member_removed);
            members_change(replica, CONFIG_REMOVE, i, SIZE_MAX);
            return true;
        }
        in = members_candidate(replica, true);
        if (in != SIZE_MAX) {
            SOMETIMES(member_replaced);
            if (replica->peers[in].archive)
                SOMETIMES(archive_replaces_member);
            members_change(replica, CONFIG_REPLACE, i, in);
            return true;
        }
        SOMETIMES(nobody_to_replace);
        members_stall(replica, true);
        return true;
    }
    return false;
}

/* A learner that is nearly there and may lead. */
static size_t members_near(const struct replica *replica)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (!peer->archive && peer->streaming && peer->greeted &&
            (peer->flags & PEER_DAMAGED) == 0 && peer->matched > 0 &&
            config_has_learner(&replica->config, peer->node_id) &&
            !members_backs_off(replica, peer) &&
            replica->log.end.size - peer->matched <= REPLICA_JOIN_LAG_MAX)
            return i;
    }
    return SIZE_MAX;
}

/*
 * Under a steady load a learner is always one round trip behind the commit.  So
 * it agrees first, as a member would, and is proposed once it has everything;
 * if that takes too long, it waits.
 */
static void members_let_agree(struct replica *replica)
{
    uint32_t limit = replica->options.timers.remove_ms;
    size_t near = members_near(replica);

    for (size_t i = 0; i < replica->peers_count; i++) {
        struct replica_peer *peer = &replica->peers[i];

        if (!peer->joining)
            continue;
        if (i == near && !replica_elapsed(replica, peer->joining_ms, limit))
            return;
        peer->joining = false;
        peer->dropped_ms = replica->now_ms;
        peer->dropped_count++;
        replica_commit(replica);
        return;
    }
    if (near == SIZE_MAX || replica->role != REPLICA_PRIMARY)
        return;
    replica->peers[near].joining = true;
    replica->peers[near].joining_ms = replica->now_ms;
}

static bool members_join(struct replica *replica)
{
    bool few = replica->config.members_count < replica->config.minimum;
    size_t in = SIZE_MAX;

    /* Before the barrier only who is needed (R22). */
    if (few || replica->role == REPLICA_PRIMARY)
        in = members_candidate(replica, few);
    if (in == SIZE_MAX) {
        members_let_agree(replica);
        return few;
    }
    replica->peers[in].joining = false;
    if (replica->role == REPLICA_BARRIER)
        SOMETIMES(joined_before_barrier);
    members_change(replica, CONFIG_ADD, SIZE_MAX, in);
    return true;
}

/* An archive steps back when it is not needed any more. */
static void members_relieve(struct replica *replica)
{
    const struct config *config = &replica->config;
    size_t others = 0;

    for (size_t i = 0; i < config->members_count; i++) {
        size_t peer = replica_peer_of(replica, config->members[i].node_id);

        others += peer == SIZE_MAX || !replica->peers[peer].archive;
    }
    if (others < config->minimum)
        return;
    for (size_t i = 0; i < replica->peers_count; i++) {
        struct replica_peer *peer = &replica->peers[i];
        bool lost = (peer->flags & PEER_LOST) != 0;

        /* One that is being let in to be whole again has not said so yet. */
        if (!peer->archive || !config_has_member(config, peer->node_id) ||
            (lost && !replica_elapsed(replica, replica->config_ms,
                                      replica->options.timers.remove_ms)))
            continue;
        SOMETIMES(archive_relieved);
        members_change(replica, CONFIG_REMOVE, i, SIZE_MAX);
        if (!lost)
            peer->dropped_count = 0;
        return;
    }
}

/* Who was named to the operator holds up everything once it is silent; any
 * configuration that comes next ends that. */
static bool members_misses_vouched(struct replica *replica)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (!replica->vouched[i] || !members_is_silent(replica, peer) ||
            config_has_member(&replica->config, peer->node_id))
            continue;
        replica_want(replica, CONFIG_SETTLE, peer->node_id);
        members_stall(replica, true);
        return true;
    }
    return false;
}

void replica_members_tend(struct replica *replica)
{
    if (!replica_leads(replica) || replica_proposing(replica) ||
        replica->config.phase != CONFIG_NORMAL ||
        replica->now_ms < replica->members_ms)
        return;
    if (members_introduce(replica) || members_admit_anew(replica) ||
        members_drop(replica) || members_misses_vouched(replica))
        return;
    if (members_join(replica)) {
        members_stall(replica,
                      replica->config.members_count < replica->config.minimum);
        return;
    }
    members_stall(replica, false);
    if (replica->role == REPLICA_PRIMARY && !replica->draining)
        members_relieve(replica);
}

/* R15: whoever may be added by what is signed next has to agree already. */
void replica_vouch(struct replica *replica, const uint8_t *node_id)
{
    size_t peer = replica_peer_of(replica, node_id);

    if (replica->options.automatic || peer == SIZE_MAX ||
        !replica_leads(replica) || replica->vouched[peer] ||
        !replica_caught_up(replica, peer))
        return;
    replica->vouched[peer] = true;
    replica_keep_config(replica);
    replica->vouched_job = replica->job_number;
}

/* ---- Handing over ------------------------------------------------------- */

void replica_hand_over(struct replica *replica, const uint8_t *node_id)
{
    size_t peer = replica_peer_of(replica, node_id);

    if (replica->role != REPLICA_PRIMARY || replica->draining ||
        replica->epoch == UINT32_MAX || peer == SIZE_MAX ||
        replica->peers[peer].archive ||
        !config_has_member(&replica->config, node_id) ||
        !config_is_eligible(&replica->config, node_id) ||
        !replica_caught_up(replica, peer))
        return;
    SOMETIMES(hand_over_begins);
    replica->draining = true;
    replica->drained = false;
    replica->draining_ms = replica->now_ms;
    memcpy(replica->hand_over_to, node_id, NODE_ID_SIZE);
    replica_act(replica, REPLICA_DRAIN)->on = true;
}

static void hand_over_end(struct replica *replica)
{
    replica->draining = false;
    replica->drained = false;
    replica_act(replica, REPLICA_DRAIN)->on = false;
}

void replica_hand_over_tend(struct replica *replica)
{
    struct config config;

    if (!replica->draining)
        return;
    if (replica_elapsed(replica, replica->draining_ms,
                        replica->options.timers.drain_ms) ||
        !config_has_member(&replica->config, replica->hand_over_to)) {
        SOMETIMES(hand_over_given_up);
        hand_over_end(replica);
        return;
    }
    if (!replica->drained || replica->role != REPLICA_PRIMARY ||
        replica->log.committed != replica->log.end.size ||
        replica_proposing(replica))
        return;
    if (!replica->options.automatic) {
        replica_want(replica, CONFIG_SWITCHOVER, replica->hand_over_to);
        return;
    }
    SOMETIMES(hand_over_proposed);
    replica_successor(replica, &config, CONFIG_SWITCHOVER);
    config.epoch = replica->epoch + 1;
    memcpy(config.primary, replica->hand_over_to, NODE_ID_SIZE);
    /* It may have started anew since it was admitted. */
    config_remove_member(&config, replica->hand_over_to);
    config_add_member(
        &config, replica->hand_over_to,
        replica->peers[replica_peer_of(replica, replica->hand_over_to)]
            .incarnation);
    replica_propose(replica, &config, replica->hand_over_to, NULL);
}
