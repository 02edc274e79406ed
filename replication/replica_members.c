#include <string.h>

#include "replication/replica_parts.h"

/* How long one that was dropped waits before it is let in again: doubled by
 * each drop within ten minutes. */
enum { MEMBERS_BACKOFF_MAX = 6, MEMBERS_FORGET_MS = 600000 };

/* ---- Who answers
 * ------------------------------------------------------------------- */

static bool members_answers(const struct replica *replica,
                            const struct replica_peer *peer)
{
    uint32_t limit = replica->options.timers.remove_ms;

    if (!peer->linked || !peer->greeted)
        return !replica_elapsed(replica, peer->heard_ms, limit);
    if (replica_elapsed(replica, peer->heard_ms, limit))
        return false;
    return peer->matched >= replica->log.end.size ||
           !replica_elapsed(replica, peer->progress_ms, limit);
}

/* Whether it could become a member now (R15; before the barrier R22). */
bool replica_caught_up(const struct replica *replica, size_t at)
{
    const struct replica_peer *peer = &replica->peers[at];
    const struct replica_log *log = &replica->log;

    if (!peer->linked || !peer->greeted || !peer->streaming ||
        (peer->flags & PEER_DAMAGED) != 0 ||
        replica_elapsed(replica, peer->heard_ms,
                        replica->options.timers.remove_ms))
        return false;
    if (replica->role != REPLICA_PRIMARY)
        return peer->matched == log->end.size &&
               log->durable.size == log->end.size;
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
    if (doubled > MEMBERS_BACKOFF_MAX)
        doubled = MEMBERS_BACKOFF_MAX;
    return !replica_elapsed(replica, peer->dropped_ms, wait << (doubled - 1));
}

/* The best node to join: one that may be primary before an archive. */
static size_t members_candidate(const struct replica *replica, bool archive_too)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (config_has_member(&replica->config, peer->node_id) ||
            !config_has_learner(&replica->config, peer->node_id) ||
            !replica_caught_up(replica, i) || (peer->archive && !archive_too) ||
            (!peer->archive && members_backs_off(replica, peer)))
            continue;
        if (!peer->archive)
            return i;
        found = i;
    }
    return found;
}

/* ---- Changes
 * ------------------------------------------------------------------------- */

static void members_in(struct config *config, const struct replica_peer *peer)
{
    if (config_has_member(config, peer->node_id)) {
        config_remove_member(config, peer->node_id);
        config_add_member(config, peer->node_id, peer->incarnation);
    } else {
        config_admit(config, peer->node_id, peer->incarnation);
    }
}

/* ${out}, ${in}: numbers of peers, SIZE_MAX for none. */
static void members_change(struct replica *replica, enum config_why why,
                           size_t out, size_t in)
{
    struct config config;

    if (!replica->options.automatic) {
        size_t of = out != SIZE_MAX ? out : in;

        replica_want(replica, why, replica->peers[of].node_id);
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
        if (config->members_count > config->minimum) {
            members_change(replica, CONFIG_REMOVE, i, SIZE_MAX);
            return true;
        }
        in = members_candidate(replica, true);
        if (in != SIZE_MAX) {
            members_change(replica, CONFIG_REPLACE, i, in);
            return true;
        }
        members_stall(replica, true);
        return true;
    }
    return false;
}

static bool members_join(struct replica *replica)
{
    bool few = replica->config.members_count < replica->config.minimum;
    size_t in = SIZE_MAX;

    /* Before the barrier only who is needed (R22). */
    if (few || replica->role == REPLICA_PRIMARY)
        in = members_candidate(replica, few);
    if (in == SIZE_MAX)
        return few;
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
        if (replica->peers[i].archive &&
            config_has_member(config, replica->peers[i].node_id)) {
            members_change(replica, CONFIG_REMOVE, i, SIZE_MAX);
            replica->peers[i].dropped_count = 0;
            return;
        }
    }
}

void replica_members_tend(struct replica *replica)
{
    if (!replica_leads(replica) || replica_proposing(replica) ||
        replica->config.phase != CONFIG_NORMAL ||
        replica->now_ms < replica->members_ms)
        return;
    if (members_admit_anew(replica) || members_drop(replica))
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

/* ---- Handing over
 * ---------------------------------------------------------------------- */

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
    replica_successor(replica, &config, CONFIG_SWITCHOVER);
    config.epoch = replica->epoch + 1;
    memcpy(config.primary, replica->hand_over_to, NODE_ID_SIZE);
    replica_propose(replica, &config, replica->hand_over_to, NULL);
}
