#include <string.h>

#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/*
 * What any node does for the others: gives entries, says that it never had one,
 * and compares sealed segments.
 */

/* Sure that an entry that is not here was never committed: every member has
 * every committed entry, and this one lost nothing. */
static bool serve_is_sure(const struct replica *replica)
{
    return replica->configured && (!replica->lost || MUTANT(52)) &&
           !replica_has_holes(replica) &&
           config_has_member(&replica->config, replica->options.node_id);
}

static uint64_t serve_entries(struct replica *replica, struct writer *entries,
                              const struct peer_fetch *fetch)
{
    uint64_t index = fetch->first;

    for (uint32_t i = 0; i < fetch->count && i < REPLICA_APPEND_ENTRIES_MAX &&
                         index < replica->log.end.size;
         i++, index++) {
        struct slice entry;

        if (replica_log_entry(&replica->log, &entry, index) != ST_OK) {
            replica_damaged(replica, index);
            return index;
        }
        if (entry.size + sizeof(uint32_t) > entries->size - entries->used)
            return index;
        peer_add_entry(entries, entry);
    }
    return index;
}

void replica_on_fetch(struct replica *replica, size_t peer,
                      const struct peer_fetch *fetch)
{
    struct peer_frame frame = {.type = PEER_FETCHED};
    struct writer entries;

    writer_init(&entries, replica->ship_buffer, sizeof replica->ship_buffer);
    uint64_t end = serve_entries(replica, &entries, fetch);
    frame.fetched.token = fetch->token;
    frame.fetched.first = fetch->first;
    frame.entries = writer_slice(&entries);
    if (entries.used > 0)
        frame.fetched.result = PEER_FETCH_ENTRIES;
    else if (fetch->first >= replica->log.end.size && serve_is_sure(replica))
        frame.fetched.result = PEER_FETCH_NEVER;
    else
        frame.fetched.result = PEER_FETCH_UNSURE;
    if (frame.fetched.result == PEER_FETCH_NEVER)
        SOMETIMES(never_had_it);
    if (frame.fetched.result == PEER_FETCH_UNSURE)
        SOMETIMES(unsure_whether_it_had_it);
    if (entries.used > 0)
        replica_send_keys(replica, peer, fetch->first, end);
    replica_send(replica, peer, &frame);
}

/* ---- Comparing ---------------------------------------------------------- */

/*
 * At the end of a cycle every entry was read and follows the one before; so the
 * hash of the last tells whether two logs are the same.
 */
void replica_compare(struct replica *replica, uint64_t size)
{
    struct peer_frame frame = {.type = PEER_SCRUB};

    if (size > replica->log.committed)
        size = replica->log.committed;
    /* Who is not registered has not said HELLO: others drop the link (R25). */
    if (!replica->registered || size == 0 ||
        replica_log_leaf(&replica->log, frame.scrub.digest.b, size - 1) !=
            ST_OK)
        return;
    frame.scrub.first = 0;
    frame.scrub.end = size;
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (replica->peers[i].greeted)
            replica_send(replica, i, &frame);
    }
}

void replica_on_scrub(struct replica *replica, size_t peer,
                      const struct peer_scrub *scrub)
{
    struct peer_frame frame = {.type = PEER_SCRUBBED};
    uint8_t own[HASH_SIZE];

    frame.scrubbed.first = scrub->end;
    if (scrub->end == 0 || scrub->end > replica->log.committed ||
        replica_log_leaf(&replica->log, own, scrub->end - 1) != ST_OK) {
        frame.scrubbed.result = PEER_SCRUB_NOT_SEALED;
    } else if (memcmp(own, scrub->digest.b, HASH_SIZE) == 0) {
        SOMETIMES(scrubbed_equal);
        frame.scrubbed.result = PEER_SCRUB_EQUAL;
    } else {
        frame.scrubbed.result = PEER_SCRUB_DIFFERS;
    }
    replica_send(replica, peer, &frame);
    /* Both say that it is committed; a hash alone proves nothing. */
    if (frame.scrubbed.result == PEER_SCRUB_DIFFERS)
        replica_dispute(replica, peer, scrub->end - 1);
}

void replica_on_scrubbed(struct replica *replica, size_t peer,
                         const struct peer_scrubbed *scrubbed)
{
    if (scrubbed->result == PEER_SCRUB_DIFFERS && scrubbed->first > 0)
        replica_dispute(replica, peer, scrubbed->first - 1);
}
