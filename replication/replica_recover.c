#include <string.h>

#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/*
 * RECOVERING: this node won without being a member.  One sealed member's log is
 * enough, because every member has every committed entry, and what it has
 * promised keeps it from taking more (R20).
 */

/* Questions without an answer, before another member is asked. */
enum { RECOVER_ASKS_MAX = 8 };

/* ---- Whose log ---------------------------------------------------------- */

void replica_on_sealed(struct replica *replica, size_t at,
                       const struct peer_sealed *sealed)
{
    struct replica_peer *peer = &replica->peers[at];

    if (replica->role != REPLICA_RECOVERING ||
        sealed->epoch != replica->epoch ||
        (replica->adopted && at == replica->adopt_peer))
        return;
    /* Every member has what is committed: one that seals less has lost it, or
     * means harm, and either way its log is not the one to take over. */
    if (sealed->size < replica->log.committed) {
        replica_dispute(replica, at, sealed->size);
        return;
    }
    peer->sealed = true;
    peer->sealed_epoch = sealed->epoch;
    peer->sealed_size = sealed->size;
    memcpy(peer->sealed_leaf, sealed->leaf.b, HASH_SIZE);
    peer->size = sealed->size;
    peer->committed = sealed->committed;
    replica_peer_epochs(peer, &sealed->epochs);
}

/* A member that sealed at least ${size} entries; SIZE_MAX if there is none. */
static size_t recover_sealed(const struct replica *replica, uint64_t size)
{
    for (size_t i = 1; i <= replica->peers_count; i++) {
        size_t at = (replica->adopt_last + i) % replica->peers_count;
        const struct replica_peer *peer = &replica->peers[at];

        if (peer->greeted && peer->sealed &&
            peer->sealed_epoch == replica->epoch && peer->sealed_size >= size &&
            config_has_member(&replica->config, peer->node_id))
            return at;
    }
    return SIZE_MAX;
}

/* One that has what the configuration was decided on goes before others. */
static bool recover_choose(struct replica *replica)
{
    size_t at = recover_sealed(replica, replica->config.base_size);

    if (at == SIZE_MAX)
        at = recover_sealed(replica, 0);
    if (at == SIZE_MAX)
        return false;
    replica->adopt_peer = replica->adopt_last = at;
    replica->adopt_ms = 0;
    replica->adopt_asks = 0;
    return true;
}

/* Another may give what this one sealed and does not. */
static void recover_leave_source(struct replica *replica)
{
    replica->peers[replica->adopt_peer].sealed = false;
    replica->adopt_peer = SIZE_MAX;
    replica->adopted = false;
    replica->adopt_ms = replica->now_ms; /* It is not asked at once again. */
}

/* Not everybody heard of the new term. */
static void recover_ask_again(struct replica *replica)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    /* Alone, and what is damaged was acknowledged by nobody else.  Others may
     * have it all the same. */
    if (replica->config.members_count == 1 && replica_is_member(replica)) {
        if (replica->peers_count == 0)
            replica_halt(replica, HALT_TAIL, replica->log.committed,
                         slice_of(NULL, 0));
        else
            replica_step_down(replica);
        return;
    }

    if (!replica_elapsed(replica, replica->adopt_ms,
                         replica->options.timers.retry_ms))
        return;
    SOMETIMES(seal_asked_again);
    replica->adopt_ms = replica->now_ms;
    frame.newepoch.epoch = replica->epoch;
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (replica->peers[i].greeted)
            replica_send(replica, i, &frame);
    }
}

/* ---- Taking it over ----------------------------------------------------- */

/* What stands here and not there goes; true if nothing had to. */
static bool recover_cut(struct replica *replica,
                        const struct replica_peer *peer)
{
    uint64_t common =
        replica_log_common(&replica->log, peer->sealed_size, peer->epochs,
                           peer->epochs_count, peer->committed);

    if (common >= replica->log.end.size || MUTANT(56))
        return true;
    SOMETIMES(adopting_cuts);
    if (common < replica->log.committed) {
        replica_dispute(replica, replica->adopt_peer, common);
        recover_leave_source(replica);
        return false;
    }
    replica_cut(replica, common);
    return false;
}

static void recover_fetch(struct replica *replica)
{
    struct peer_frame frame = {.type = PEER_FETCH};
    const struct replica_peer *peer = &replica->peers[replica->adopt_peer];

    if (replica->adopt_ms != 0 &&
        !replica_elapsed(replica, replica->adopt_ms,
                         replica->options.timers.retry_ms))
        return;
    if (replica->adopt_asks == RECOVER_ASKS_MAX) {
        recover_leave_source(replica);
        return;
    }
    SOMETIMES(adopting_fetches);
    replica->adopt_asks++;
    replica->adopt_ms = replica->now_ms;
    replica->adopt_token = ++replica->token;
    frame.fetch.token = replica->adopt_token;
    frame.fetch.first = replica->log.end.size;
    frame.fetch.count = (uint32_t)(peer->sealed_size - frame.fetch.first >
                                           REPLICA_APPEND_ENTRIES_MAX
                                       ? REPLICA_APPEND_ENTRIES_MAX
                                       : peer->sealed_size - frame.fetch.first);
    replica_send(replica, replica->adopt_peer, &frame);
}

void replica_adopt_fetched(struct replica *replica, size_t at,
                           const struct peer_frame *frame)
{
    if (replica->role != REPLICA_RECOVERING || replica->adopted ||
        at != replica->adopt_peer ||
        frame->fetched.token != replica->adopt_token ||
        frame->fetched.first != replica->log.end.size)
        return;
    if (frame->entries.size > 0) {
        replica->adopt_ms = 0;
        replica->adopt_asks = 0;
    }
    if (frame->fetched.result != PEER_FETCH_ENTRIES) {
        /* It cannot give what it sealed: another may. */
        SOMETIMES(adopting_is_denied);
        replica->peers[at].sealed = false;
        replica->adopt_peer = SIZE_MAX;
        return;
    }
    replica_follow_fetched(replica, at, replica->epoch, frame->entries);
}

/* ---- Becoming a member -------------------------------------------------- */

static void recover_propose(struct replica *replica)
{
    const struct replica_peer *peer = &replica->peers[replica->adopt_peer];
    struct config config;

    if (replica_proposing(replica) || replica->now_ms < replica->attempt_ms)
        return;
    SOMETIMES(adopted);
    replica_successor(replica, &config, CONFIG_ADOPTED);
    config_dismiss_others(&config, peer->node_id);
    config_remove_member(&config, peer->node_id);
    config_add_member(&config, peer->node_id, peer->incarnation);
    config_admit(&config, replica->options.node_id, replica->incarnation);
    config.phase = CONFIG_NORMAL;
    if (replica->options.automatic)
        replica_propose(replica, &config, peer->node_id, NULL);
    else if (replica_elapsed(replica, replica->adopt_ms,
                             replica->options.timers.grace_ms)) {
        replica->adopt_ms = replica->now_ms;
        replica_say(replica, NOTE_WANT, peer->node_id, CONFIG_ADOPTED);
    }
}

/* The last entry of what was taken over is the one that was sealed. */
static bool recover_matches(const struct replica *replica,
                            const struct replica_peer *peer)
{
    return replica->log.end.size == peer->sealed_size &&
           memcmp(replica->log.end.leaf, peer->sealed_leaf, HASH_SIZE) == 0;
}

bool replica_holds_base(const struct replica *replica)
{
    const struct config *config = &replica->config;
    uint8_t leaf[HASH_SIZE];

    if (config->why != CONFIG_ADOPTED || config->base_size == 0 || MUTANT(93))
        return true;
    return replica->log.end.size >= config->base_size &&
           replica_log_leaf(&replica->log, leaf, config->base_size - 1) ==
               ST_OK &&
           memcmp(leaf, config->base_leaf, HASH_SIZE) == 0;
}

bool replica_has_adopted(const struct replica *replica, size_t at)
{
    const struct replica_peer *peer = &replica->peers[at];

    if (MUTANT(92))
        return replica->configured &&
               replica->config.phase == CONFIG_RECOVERING;
    return replica->role == REPLICA_RECOVERING && replica->adopted &&
           replica->adopt_peer == at && peer->linked && peer->sealed &&
           replica->config.phase == CONFIG_RECOVERING && !replica->lost &&
           !replica_has_holes(replica) &&
           replica->log.durable.size == replica->log.end.size &&
           recover_matches(replica, peer);
}

/* The log is that member's: what was missing here is not missing any more. */
static void recover_done(struct replica *replica)
{
    const struct replica_peer *source = &replica->peers[replica->adopt_peer];

    /* What it knew to be committed is; the rest is verified before it leads. */
    replica_learn_commit(replica, source->committed < replica->log.end.size
                                      ? source->committed
                                      : replica->log.end.size);
    replica->adopted = true;
    /* Nobody is to count on what cannot be read. */
    if (replica_has_holes(replica))
        return;
    if (replica->config.phase != CONFIG_NORMAL || !replica_is_member(replica)) {
        recover_propose(replica);
        return;
    }
    if (replica->lost) {
        replica_find(replica);
        return;
    }
    if (!replica_holds_base(replica)) {
        recover_leave_source(replica);
        return;
    }
    replica->adopting = false;
    replica_set_role(replica, REPLICA_CANDIDATE);
    replica_candidate(replica);
}

/* Behind a hole nothing is kept that a member sealed as well; a crash on the
 * way must not make a whole node of one that acknowledged more.  Who was no
 * member has its hole filled, or is lost (replica_repair.c). */
static bool recover_clear_holes(struct replica *replica)
{
    uint64_t first;

    if (!replica->adopting || !replica_must_cut(replica, &first))
        return true;
    SOMETIMES(adopting_clears_hole);
    replica->adopted = false;
    if (!replica->lost || replica->finding)
        replica_set_lost(replica);
    replica_cut(replica, first);
    return false;
}

static bool recover_has_source(struct replica *replica)
{
    const struct replica_peer *peer;

    if (replica->adopt_peer == SIZE_MAX && !recover_choose(replica)) {
        recover_ask_again(replica);
        return false;
    }
    peer = &replica->peers[replica->adopt_peer];
    if (peer->linked && peer->sealed &&
        (peer->sealed_size >= replica->config.base_size ||
         recover_sealed(replica, replica->config.base_size) == SIZE_MAX))
        return true;
    replica->adopt_peer = SIZE_MAX;
    replica->adopted = false;
    return false;
}

void replica_recovering(struct replica *replica)
{
    const struct replica_peer *peer;

    REQUIRE(replica->role == REPLICA_RECOVERING);
    if (replica->jobs_count > 0)
        return;
    /* The hole was filled after all, before anything was cut. */
    if (replica->adopting && !replica->lost && !replica_has_holes(replica)) {
        SOMETIMES(repaired_before_adopting);
        replica->adopting = false;
    }
    if (replica->config.phase == CONFIG_NORMAL && replica_is_member(replica) &&
        !replica->adopting && replica_holds_base(replica)) {
        replica_set_role(replica, REPLICA_CANDIDATE);
        replica_candidate(replica);
        return;
    }
    if (!recover_has_source(replica) || !recover_clear_holes(replica))
        return;
    peer = &replica->peers[replica->adopt_peer];
    if (!recover_cut(replica, peer))
        return;
    if (replica->log.end.size < peer->sealed_size)
        recover_fetch(replica);
    else if (recover_matches(replica, peer))
        recover_done(replica);
    else
        replica_break(replica, replica->adopt_peer, ST_CHAIN_BROKEN);
}
