#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/need.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* Frames of a primary: whom this node follows, and since when it is heard.  One
 * that is not named keeps nobody from leading: whoever tries looks at the
 * register first. */
static void follow_note_primary(struct replica *replica, size_t peer,
                                uint32_t epoch)
{
    if (!replica_is_named(replica, peer, epoch))
        return;
    replica->heard_ms = replica->now_ms;
    replica->primary_peer = peer;
    if (epoch > replica->primary_epoch)
        replica->primary_epoch = epoch;
}

/* ---- APPEND ------------------------------------------------------------- */

/* The entries of one APPEND that are new here. */
struct follow {
    struct journal_entry entries[REPLICA_APPEND_ENTRIES_MAX];
    size_t count;
    uint64_t index; /* Of the next entry of the frame. */
    uint8_t previous[HASH_SIZE];
    uint32_t epoch; /* Of the entry before. */
    int64_t log_time;
};

/* R8: what does not follow is never stored. */
static enum status follow_judge(const struct follow *follow,
                                const struct entry *entry, uint32_t epoch)
{
    const struct entry_place *place = &entry->place;

    if (place->index != follow->index ||
        (memcmp(place->previous, follow->previous, HASH_SIZE) != 0 &&
         !MUTANT(8)) ||
        place->epoch > epoch || place->epoch < follow->epoch ||
        place->log_time < follow->log_time)
        return ST_CHAIN_BROKEN;
    return ST_OK;
}

/*
 * Judge the frame's entries one by one: those that stand here already are
 * passed over, the first that differs ends what is to be kept (R9, R10).
 */
static enum status follow_read(struct replica *replica, struct follow *follow,
                               const struct peer_frame *frame)
{
    struct slice rest = frame->entries;
    struct slice bytes;
    struct entry entry;
    uint8_t own[HASH_SIZE];
    enum status status = ST_OK;

    while (status == ST_OK && peer_next_entry(&bytes, &rest)) {
        struct journal_entry *out = &follow->entries[follow->count];
        bool known =
            follow->count == 0 && follow->index < replica->log.end.size;

        if (follow->count == REPLICA_APPEND_ENTRIES_MAX)
            return ST_LIMIT;
        if (entry_decode(&entry, bytes) != ST_OK)
            return ST_ENTRY_FORMED;
        status = follow_judge(follow, &entry, frame->append.epoch);
        if (status != ST_OK)
            return status;
        entry_leaf_hash(out->leaf, bytes);
        out->bytes = bytes;
        if (known)
            status = replica_log_leaf(&replica->log, own, follow->index);
        if (status == ST_OK &&
            !(known && memcmp(own, out->leaf, HASH_SIZE) == 0))
            follow->count++;
        memcpy(follow->previous, out->leaf, HASH_SIZE);
        follow->epoch = entry.place.epoch;
        follow->log_time = entry.place.log_time;
        follow->index++;
    }
    return status;
}

static size_t follow_job_size(const struct replica_job *job)
{
    size_t size = job->batch->size;

    for (size_t i = 0; i < job->job.keys_count; i++)
        size += job->keys[i].size;
    return size;
}

/* Whether the disk may be given so much more of this peer. */
static bool follow_fits(const struct replica_peer *peer, struct slice entries)
{
    size_t room = REPLICA_QUEUE_SIZE_MAX - peer->queued_size;

    INVARIANT(peer->queued_size <= REPLICA_QUEUE_SIZE_MAX);
    for (size_t i = 0; i < peer->keys_count; i++) {
        if (peer->keys[i].size > room)
            return false;
        room -= peer->keys[i].size;
    }
    return entries.size <= room;
}

static void follow_give(struct replica *replica, size_t at,
                        const struct follow *follow, uint32_t epoch,
                        uint64_t stated)
{
    struct replica_peer *peer = &replica->peers[at];
    struct replica_job *job = replica_job_new(replica, STORAGE_APPEND);

    job->peer = at;
    job->epoch = epoch;
    job->batch = replica_log_add(&replica->log, follow->entries, follow->count,
                                 peer->keys_count > 0);
    job->job.entries = job->batch->entries;
    job->job.entries_count = job->batch->count;
    job->job.verify_keys = true;
    job->job.stated = stated;
    memcpy(job->keys, peer->keys, peer->keys_count * sizeof job->keys[0]);
    job->job.keys = job->keys;
    job->job.keys_count = peer->keys_count;
    peer->keys_count = 0;
    job->size = follow_job_size(job);
    peer->queued_size += job->size;
    replica_job_give(replica, job);
}

/* Of whom no configuration known here says that he leads, nothing is believed:
 * the next beacon says it again. */
static void follow_learn_commit(struct replica *replica, size_t peer,
                                uint32_t epoch, uint64_t committed)
{
    if (replica_is_named(replica, peer, epoch))
        replica_learn_commit(replica, committed);
    else
        replica_look_for_name(replica);
}

/* R9: ${entry}, that was shown, is another one than ${first} here. */
static void follow_conflict(struct replica *replica, size_t peer,
                            const struct peer_append *append, uint64_t first,
                            struct slice entry)
{
    if (replica_is_named(replica, peer, append->epoch)) {
        replica_halt(replica, HALT_COMMITTED_CONFLICT, first, entry);
        return;
    }
    replica_dispute(replica, peer, first);
    replica_break(replica, peer, ST_DIVERGED);
}

/* Whether entries from ${first} on, which is ${entry}, can be put behind this
 * log now. */
static bool follow_make_room(struct replica *replica, size_t peer,
                             const struct peer_append *append, uint64_t first,
                             struct slice entry)
{
    if (first < replica->log.committed) {
        follow_conflict(replica, peer, append, first, entry);
        return false;
    }
    /* What is here may be acknowledged: who lets it be cut is known first. */
    if (first < replica->log.end.size &&
        !replica_is_named(replica, peer, append->epoch)) {
        SOMETIMES(cut_waits_for_a_name);
        replica_look_for_name(replica);
        replica_refuse(replica, peer, PEER_REFUSED_DAMAGED, append->epoch,
                       append->stream);
        return false;
    }
    if (first < replica->log.end.size) {
        SOMETIMES(conflict_cut);
        replica_cut(replica, first);
    }
    if (replica->log.end.size != first) {
        /* Damaged before the cut: once that is repaired. */
        SOMETIMES(damage_before_cut);
        replica_refuse(replica, peer, PEER_REFUSED_DAMAGED, append->epoch,
                       append->stream);
        return false;
    }
    return true;
}

static void follow_take(struct replica *replica, size_t peer,
                        const struct peer_append *append,
                        const struct follow *follow)
{
    uint64_t matched = MUTANT(25) ? replica->log.end.size : follow->index;

    if (MUTANT(36) && follow->count == 0 && matched < replica->log.end.size &&
        matched >= replica->log.committed)
        replica_cut(replica, matched);
    if (follow->count == 0 && matched > append->previous_size)
        SOMETIMES(append_is_known);
    if (follow->count > 0) {
        uint64_t first = matched - follow->count;

        if (!follow_make_room(replica, peer, append, first,
                              follow->entries[0].bytes))
            return;
        follow_give(replica, peer, follow, append->epoch, append->committed);
    }
    replica_keys_forget(&replica->peers[peer]);
    replica_owe(replica, &(struct replica_owed){.type = OWED_APPENDED,
                                                .job = replica->job_number,
                                                .peer = peer,
                                                .epoch = append->epoch,
                                                .stream = append->stream,
                                                .size = matched});
    follow_learn_commit(replica, peer, append->epoch,
                        append->committed < matched || MUTANT(59)
                            ? append->committed
                            : matched);
}

/* Whether the entry before is the same here; what stands there, if it is. */
static enum status follow_begin(struct replica *replica, struct follow *follow,
                                const struct peer_append *append)
{
    uint64_t size = append->previous_size;
    struct slice bytes;
    struct entry entry;
    enum status status;

    follow->count = 0;
    follow->index = size;
    follow->epoch = 0;
    follow->log_time = INT64_MIN;
    memset(follow->previous, 0, HASH_SIZE);
    if (size > replica->log.end.size)
        return ST_CHAIN_BROKEN;
    if (size == 0)
        return ST_OK;
    status = replica_log_leaf(&replica->log, follow->previous, size - 1);
    if (status != ST_OK)
        return status;
    if (memcmp(follow->previous, append->previous_leaf.b, HASH_SIZE) != 0 &&
        !MUTANT(8))
        return ST_CHAIN_BROKEN;
    if (size == replica->log.end.size) {
        follow->epoch = replica->log.end.epoch;
        follow->log_time = replica->log.end.log_time;
        return ST_OK;
    }
    status = replica_log_entry(&replica->log, &bytes, size - 1);
    if (status == ST_OK)
        status = entry_view(&entry, bytes);
    if (status == ST_OK) {
        follow->epoch = entry.place.epoch;
        follow->log_time = entry.place.log_time;
    }
    return status;
}

/* An entry of our own cannot be compared before it is repaired. */
static void follow_damaged(struct replica *replica, size_t peer,
                           const struct peer_append *append,
                           const struct follow *follow)
{
    uint64_t size = append->previous_size;

    SOMETIMES(append_meets_damage);
    replica_damaged(replica, follow->index > size ? follow->index
                             : size > 0           ? size - 1
                                                  : 0);
    replica_keys_forget(&replica->peers[peer]);
    replica_refuse(replica, peer, PEER_REFUSED_DAMAGED, append->epoch,
                   append->stream);
}

void replica_on_append(struct replica *replica, size_t peer,
                       const struct peer_frame *frame)
{
    const struct peer_append *append = &frame->append;
    struct follow *follow;
    enum status status;

    if (!replica_fence(replica, peer, append->epoch, append->stream)) {
        replica_keys_forget(&replica->peers[peer]);
        return;
    }
    if (!follow_fits(&replica->peers[peer], frame->entries)) {
        replica_break(replica, peer, ST_LIMIT);
        return;
    }
    follow_note_primary(replica, peer, append->epoch);
    if (replica->cut_again != UINT64_MAX) {
        replica_keys_forget(&replica->peers[peer]);
        replica_refuse(replica, peer, PEER_REFUSED_DAMAGED, append->epoch,
                       append->stream);
        return;
    }
    follow = malloc(sizeof *follow);
    NEED(follow != NULL);
    status = follow_begin(replica, follow, append);
    if (status == ST_CHAIN_BROKEN) {
        SOMETIMES(append_mismatches);
        replica_keys_forget(&replica->peers[peer]);
        replica_refuse(replica, peer, PEER_REFUSED_MISMATCH, append->epoch,
                       append->stream);
        free(follow);
        return;
    }
    if (status == ST_OK)
        status = follow_read(replica, follow, frame);
    if (status == ST_OK)
        follow_take(replica, peer, append, follow);
    else if (status == ST_CHECKSUM || status == ST_DISK_FAILED)
        follow_damaged(replica, peer, append, follow);
    else
        replica_break(replica, peer, status);
    free(follow);
}

/* Entries that were asked for, behind this log's end (replica_recover.c). */
void replica_follow_fetched(struct replica *replica, size_t peer,
                            uint32_t epoch, struct slice entries)
{
    struct peer_frame frame = {.type = PEER_APPEND, .entries = entries};
    struct follow *follow = malloc(sizeof *follow);
    enum status status;

    NEED(follow != NULL);
    frame.append.epoch = epoch;
    frame.append.previous_size = replica->log.end.size;
    memcpy(frame.append.previous_leaf.b, replica->log.end.leaf, HASH_SIZE);
    status = follow_begin(replica, follow, &frame.append);
    if (status == ST_OK)
        status = follow_read(replica, follow, &frame);
    if (status == ST_OK && !follow_fits(&replica->peers[peer], entries))
        status = ST_LIMIT;
    if (status == ST_OK && follow->count > 0)
        follow_give(replica, peer, follow, replica->epoch,
                    replica->peers[peer].committed);
    else if (status != ST_OK)
        replica_break(replica, peer, status);
    free(follow);
}

/* ---- BEACON ------------------------------------------------------------- */

void replica_on_beacon(struct replica *replica, size_t peer,
                       const struct peer_beacon *beacon)
{
    struct peer_frame frame = {.type = PEER_BEACON_OK};
    uint8_t own[HASH_SIZE];

    if (!replica_fence(replica, peer, beacon->epoch, 0))
        return;
    follow_note_primary(replica, peer, beacon->epoch);
    frame.beacon_ok.sequence = beacon->sequence;
    frame.beacon_ok.epoch = beacon->epoch;
    frame.beacon_ok.time = replica->wall_us;
    replica_send(replica, peer, &frame);
    if (beacon->committed == 0 || beacon->committed > replica->log.end.size ||
        replica_log_leaf(&replica->log, own, beacon->committed - 1) != ST_OK)
        return;
    if (memcmp(own, beacon->leaf.b, HASH_SIZE) != 0 && !MUTANT(60)) {
        SOMETIMES(beacon_of_another_tail);
        /* Behind the commit it is a tail that will be cut off. */
        if (beacon->committed <= replica->log.committed)
            replica_dispute(replica, peer, beacon->committed - 1);
        return;
    }
    follow_learn_commit(replica, peer, beacon->epoch, beacon->committed);
}
