#include <string.h>

#include "protocol/entry.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* ---- Streams ------------------------------------------------------------ */

void replica_stream_end(struct replica *replica, size_t at)
{
    struct replica_peer *peer = &replica->peers[at];

    peer->streaming = false;
    peer->sent_first = 0;
    peer->sent_count = 0;
    peer->sent_size = 0;
}

void replica_stream_begin(struct replica *replica, size_t at)
{
    struct replica_peer *peer = &replica->peers[at];

    REQUIRE(replica_leads(replica));
    replica_stream_end(replica, at);
    if (!peer->linked || !peer->greeted)
        return;
    peer->streaming = true;
    peer->stream = ++replica->streams;
    peer->next = replica_log_common(&replica->log, peer->size, peer->epochs,
                                    peer->epochs_count, peer->committed);
    /* Where the tables agree and the entries do not, further down. */
    if (peer->mismatched && peer->next >= peer->began) {
        peer->next = peer->began / 2;
        peer->again_ms = replica->now_ms + replica->options.timers.retry_ms;
    }
    peer->mismatched = false;
    peer->began = peer->next;
    peer->told = 0;
    replica_ship(replica, at);
}

/* An archive that need not agree keeps what is committed alone (R22: before the
 * barrier it may be needed, and gets everything). */
static uint64_t ship_limit(const struct replica *replica,
                           const struct replica_peer *peer)
{
    if (peer->archive && replica->role == REPLICA_PRIMARY &&
        !replica->stalled && !replica_must_agree(replica, peer->node_id))
        return replica->log.committed;
    return replica->log.end.size;
}

/* What it is told: before the barrier a primary does not know the commit of its
 * own epoch. */
static uint64_t ship_committed(const struct replica *replica)
{
    return replica->role == REPLICA_PRIMARY ? replica->log.committed : 0;
}

/* ---- APPEND ------------------------------------------------------------- */

/* Entries for one frame; the index behind them. */
static enum status ship_gather(struct replica *replica, struct writer *entries,
                               uint64_t *index, uint64_t limit, bool *keyed)
{
    size_t count = 0;

    while (*index < limit && count < REPLICA_APPEND_ENTRIES_MAX) {
        struct slice entry;
        enum status status = replica_log_entry(&replica->log, &entry, *index);

        if (status != ST_OK) {
            SOMETIMES(ship_meets_damage);
            replica_damaged(replica, *index);
            return count > 0 ? ST_OK : status;
        }
        if (entry.size + sizeof(uint32_t) > entries->size - entries->used ||
            (count > 0 && MAYBE_SIM(100)))
            break;
        peer_add_entry(entries, entry);
        *keyed = *keyed || replica_log_keyed(&replica->log, *index);
        (*index)++;
        count++;
    }
    return ST_OK;
}

static void ship_note_sent(struct replica_peer *peer, uint64_t end, size_t size)
{
    size_t at = (peer->sent_first + peer->sent_count) % REPLICA_WINDOW_FRAMES;

    peer->sent[at] = (struct replica_sent){.end = end, .size = size};
    peer->sent_count++;
    peer->sent_size += size;
}

void replica_send_keys(struct replica *replica, size_t at, uint64_t first,
                       uint64_t end)
{
    struct replica_action *action = replica_act(replica, REPLICA_SEND_KEYS);

    action->peer = at;
    action->keys.first = first;
    action->keys.count = end - first;
}

/* One frame; false if there is nothing to send, or it could not be read. */
static bool ship_one(struct replica *replica, size_t at)
{
    struct replica_peer *peer = &replica->peers[at];
    struct peer_frame frame = {.type = PEER_APPEND};
    uint64_t limit = ship_limit(replica, peer);
    uint64_t index = peer->next;
    struct writer entries;
    bool keyed = false;

    if (index >= limit && peer->told != 0)
        return false;
    frame.append.epoch = replica->epoch;
    frame.append.stream = peer->stream;
    frame.append.committed = ship_committed(replica);
    frame.append.previous_size = index;
    if (index > 0 &&
        replica_log_leaf(&replica->log, frame.append.previous_leaf.b,
                         index - 1) != ST_OK) {
        replica_damaged(replica, index - 1);
        return false;
    }
    writer_init(&entries, replica->ship_buffer, sizeof replica->ship_buffer);
    if (ship_gather(replica, &entries, &index, limit, &keyed) != ST_OK)
        return false;
    frame.entries = writer_slice(&entries);
    if (keyed && index > peer->next)
        replica_send_keys(replica, at, peer->next, index);
    replica_send(replica, at, &frame);
    /* The first frame of a stream is sent even if it is empty: it tells where
     * both logs meet. */
    peer->told = frame.append.committed + 1;
    ship_note_sent(peer, index, entries.used);
    peer->next = index;
    return true;
}

void replica_ship(struct replica *replica, size_t at)
{
    struct replica_peer *peer = &replica->peers[at];

    if (!replica_leads(replica) || replica->now_ms < peer->again_ms)
        return;
    while (peer->streaming && peer->sent_count < REPLICA_WINDOW_FRAMES &&
           peer->sent_size < REPLICA_WINDOW_SIZE) {
        if (!ship_one(replica, at))
            return;
    }
}

void replica_ship_all(struct replica *replica)
{
    for (size_t i = 0; i < replica->peers_count; i++)
        replica_ship(replica, i);
}

/* ---- Beacons ------------------------------------------------------------ */

void replica_beacons(struct replica *replica, bool now)
{
    struct peer_frame frame = {.type = PEER_BEACON};

    if (!replica_leads(replica) ||
        (!now && !replica_elapsed(replica, replica->beacon_ms,
                                  replica->options.timers.beacon_ms)))
        return;
    replica->beacon_ms = replica->now_ms;
    frame.beacon.sequence = ++replica->beacon_sequence;
    frame.beacon.epoch = replica->epoch;
    frame.beacon.committed = ship_committed(replica);
    frame.beacon.time = replica->wall_us;
    if (frame.beacon.committed > 0 &&
        replica_log_leaf(&replica->log, frame.beacon.leaf.b,
                         frame.beacon.committed - 1) != ST_OK) {
        replica_damaged(replica, frame.beacon.committed - 1);
        frame.beacon.committed = 0;
    }
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (replica->peers[i].greeted)
            replica_send(replica, i, &frame);
    }
}

/* ---- Answers ------------------------------------------------------------ */

static void ship_acknowledged(struct replica_peer *peer, uint64_t size)
{
    while (peer->sent_count > 0 && peer->sent[peer->sent_first].end <= size) {
        peer->sent_size -= peer->sent[peer->sent_first].size;
        peer->sent_first = (peer->sent_first + 1) % REPLICA_WINDOW_FRAMES;
        peer->sent_count--;
    }
}

void replica_on_appended(struct replica *replica, size_t at,
                         const struct peer_appended *appended)
{
    struct replica_peer *peer = &replica->peers[at];
    uint8_t own[HASH_SIZE];

    /* R16: of this epoch and this stream alone. */
    if (!replica_leads(replica) ||
        (appended->epoch != replica->epoch && !MUTANT(12)) ||
        !peer->streaming ||
        (appended->stream != peer->stream && !MUTANT(54) && !MUTANT(12))) {
        SOMETIMES(acknowledged_too_late);
        return;
    }
    if (appended->size > 0 && appended->size <= peer->next &&
        replica_log_leaf(&replica->log, own, appended->size - 1) != ST_OK) {
        replica_damaged(replica, appended->size - 1);
        return;
    }
    if (appended->size > peer->next ||
        (appended->size > 0 && memcmp(own, appended->leaf.b, HASH_SIZE) != 0)) {
        replica_break(replica, at, ST_CHAIN_BROKEN);
        return;
    }
    if (appended->size > peer->matched) {
        peer->matched = appended->size;
        /* Not for each entry: one that lags more and more makes none. */
        if (peer->matched >= peer->progress_size)
            replica_expect(replica, peer);
    }
    if (appended->size > peer->size)
        peer->size = appended->size;
    ship_acknowledged(peer, appended->size);
    replica_commit(replica);
    replica_ship(replica, at);
}

static void ship_on_higher(struct replica *replica, uint32_t promised)
{
    if (!replica_epoch_fits(replica, promised))
        return;
    if (promised > replica->seen_epoch)
        replica->seen_epoch = promised;
    if (!replica_won(replica) || promised <= replica->epoch || MUTANT(37))
        return;
    SOMETIMES(refused_for_another);
    /* R24: somebody promised to another. */
    replica_step_down(replica);
    replica_read_register(replica);
}

/* Somebody saw a later start of this node than this one (case C6).  A register
 * would say so itself; without one a peer of the configuration is believed, so
 * far as one node can have started again. */
static void ship_on_older(struct replica *replica, const uint8_t *node_id,
                          uint64_t seen)
{
    if (replica->options.automatic || seen < replica->incarnation ||
        seen - replica->incarnation > REPLICA_STARTS_JUMP_MAX ||
        replica->jobs_count > 0 ||
        (replica->older_ms != 0 &&
         !replica_elapsed(replica, replica->older_ms,
                          replica->options.timers.grace_ms)) ||
        (replica->configured && !config_has_member(&replica->config, node_id)))
        return;
    replica->older_ms = replica->now_ms;
    if (replica_won(replica))
        replica_step_down(replica);
    if (!replica->lost || replica->finding)
        replica_set_lost(replica);
    replica_rise(replica, seen);
}

void replica_on_refused(struct replica *replica, size_t at,
                        const struct peer_refused *refused)
{
    struct replica_peer *peer = &replica->peers[at];

    if (refused->reason == PEER_REFUSED_HIGHER) {
        ship_on_higher(replica, refused->promised);
        return;
    }
    if (refused->reason == PEER_REFUSED_OLDER) {
        ship_on_older(replica, peer->node_id, refused->size);
        return;
    }
    if (refused->reason == PEER_REFUSED_DISK)
        SOMETIMES(peer_disk_is_full);
    if (refused->reason == PEER_REFUSED_DAMAGED)
        SOMETIMES(peer_is_damaged);
    if (refused->reason == PEER_REFUSED_MISMATCH)
        SOMETIMES(peer_has_another_tail);
    if (refused->reason == PEER_REFUSED_LOST)
        peer->flags |= PEER_LOST;
    if (!replica_leads(replica) || !peer->streaming)
        return;
    if (refused->reason == PEER_REFUSED_MISMATCH &&
        refused->stream != peer->stream)
        return;
    peer->mismatched = refused->reason == PEER_REFUSED_MISMATCH;
    peer->size = refused->size;
    peer->committed = refused->committed;
    replica_peer_epochs(peer, &refused->epochs);
    /* Else it cannot take them now: later, from where it stands then. */
    peer->again_ms = 0;
    if (refused->reason != PEER_REFUSED_MISMATCH)
        peer->again_ms = replica->now_ms + replica->options.timers.retry_ms;
    replica_stream_begin(replica, at);
}

void replica_expect(const struct replica *replica, struct replica_peer *peer)
{
    peer->progress_ms = replica->now_ms;
    peer->progress_size = replica->log.end.size;
}

/* ---- Own entries -------------------------------------------------------- */

void replica_peer_falls_behind(struct replica *replica,
                               struct replica_peer *peer)
{
    /* Until now nothing was owed: its time begins. */
    if (peer->matched >= replica->log.end.size)
        replica_expect(replica, peer);
}

void replica_submitted(struct replica *replica,
                       const struct replica_event *event)
{
    struct replica_job *job;

    /* Sequenced before the pipeline heard that it leads no more. */
    if (!replica_leads(replica)) {
        SOMETIMES(submitted_too_late);
        return;
    }
    for (size_t i = 0; i < replica->peers_count; i++)
        replica_peer_falls_behind(replica, &replica->peers[i]);
    job = replica_job_new(replica, STORAGE_APPEND);
    job->batch =
        replica_log_add(&replica->log, event->submitted.entries,
                        event->submitted.count, event->submitted.keyed);
    INVARIANT(replica->log.end.epoch == replica->epoch);
    job->job.entries = job->batch->entries;
    job->job.entries_count = job->batch->count;
    replica_job_give(replica, job);
    replica_ship_all(replica);
}
