#include <string.h>

#include "replication/replica_parts.h"

/*
 * What a peer says against what is committed here.  Where an entry stands
 * nobody signs: whoever holds a link's key can put any signed command anywhere
 * and name any hash.  So the word of a peer proves nothing, but of one alone:
 * the node that the register, or the operator's signature, names to order the
 * log, and it has to show the entry (R9).
 */

bool replica_is_named(const struct replica *replica, size_t peer,
                      uint32_t epoch)
{
    const struct config *config = &replica->config;
    uint32_t epochs =
        replica->options.automatic ? 1 : (uint32_t)CONFIG_GRANT_EPOCHS;

    return peer != SIZE_MAX && replica->configured &&
           memcmp(config->primary, replica->peers[peer].node_id,
                  NODE_ID_SIZE) == 0 &&
           epoch >= config->epoch && epoch - config->epoch < epochs;
}

void replica_look_for_name(struct replica *replica)
{
    if (replica_elapsed(replica, replica->reading_ms,
                        replica->options.timers.retry_ms))
        replica_read_register(replica);
}

void replica_dispute(struct replica *replica, size_t at, uint64_t index)
{
    struct replica_peer *peer = &replica->peers[at];

    replica->disputes++;
    /* It may say so again and again. */
    if (peer->disputed_ms != 0 &&
        !replica_elapsed(replica, peer->disputed_ms,
                         replica->options.timers.grace_ms))
        return;
    peer->disputed_ms = replica->now_ms;
    replica_say(replica, NOTE_DISPUTE, peer->node_id, index);
}
