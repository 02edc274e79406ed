/*
 * node_snapshot.c: a state built from a snapshot, where one is newer than what
 * state.db has: the file was lost, or what came before was destroyed.
 */
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "server/diag.h"
#include "server/node_confirmed.h"
#include "server/node_private.h"
#include "server/pipeline/erasure.h"
#include "server/store/database.h"
#include "server/store/snapshot.h"

/* ---- Whether the log attests it ------------------------------------------ */

enum status node_judge_snapshot(const struct confirmed *confirmed,
                                uint64_t size, const uint8_t digest[HASH_SIZE])
{
    uint8_t attested[HASH_SIZE];
    enum status status = confirmed_state(confirmed, attested, size);

    if (status == ST_DIVERGED)
        diag_say(DIAG_FAILURE,
                 "holders contradict each other about the state of %" PRIu64
                 " entries: no snapshot of it is used, find out who is right",
                 size);
    if (status == ST_DIVERGED || sodium_is_zero(attested, HASH_SIZE))
        return status;
    return memcmp(attested, digest, HASH_SIZE) == 0 ? status : ST_DIVERGED;
}

/* ---- Choosing ------------------------------------------------------------ */

/* Whether it is of a beginning of this log. */
static bool is_of_this_log(struct node *node, uint64_t size)
{
    struct state_head head;
    uint8_t leaf[HASH_SIZE];
    struct slice entry;

    if (snapshot_head(&head, node->snapshots, size) != ST_OK ||
        memcmp(head.cluster_id, node->cluster_id, CLUSTER_ID_SIZE) != 0 ||
        journal_read_entry(node->journal, &entry, node->entry_buffer,
                           size - 1) != ST_OK)
        return false;
    entry_leaf_hash(leaf, entry);
    return memcmp(leaf, head.applied_leaf, HASH_SIZE) == 0;
}

/* This node made what too few attest yet, so it may be used; that anybody whose
 * word counts says something else is the end of it. */
static bool is_good(struct node *node, const struct confirmed *confirmed,
                    uint64_t size, uint8_t digest_out[HASH_SIZE])
{
    enum status status;

    if (!is_of_this_log(node, size) ||
        snapshot_digest(digest_out, node->snapshots, size) != ST_OK)
        return false;
    status = node_judge_snapshot(confirmed, size, digest_out);
    if (status == ST_DIVERGED)
        diag_say(DIAG_WARNING,
                 "the snapshot of %" PRIu64
                 " entries is not the one that the log attests: passed over",
                 size);
    else if (status == ST_END)
        diag_say(DIAG_WARNING,
                 "too few holders attest the snapshot of %" PRIu64
                 " entries yet: attestations behind it will show whether it "
                 "is right",
                 size);
    return status != ST_DIVERGED;
}

bool node_find_snapshot(struct node *node, const struct node_known *known,
                        uint64_t *size_out, uint8_t digest_out[HASH_SIZE])
{
    uint64_t applied = state_head(node->state)->applied_size;
    uint64_t end = journal_size(node->journal);
    struct confirmed *confirmed;
    bool found = false;
    uint64_t size;

    if (node->snapshots == NULL)
        return false;
    end = known->committed < end ? known->committed : end;
    size = snapshot_newest(node->snapshots, end + 1);
    if (size <= applied)
        return false;
    confirmed = confirmed_open(node->journal, node->cluster_id);
    (void)confirmed_read(confirmed, end, UINT64_MAX);
    while (!found && size > applied) {
        found = is_good(node, confirmed, size, digest_out);
        *size_out = size;
        size = snapshot_newest(node->snapshots, size);
    }
    confirmed_close(confirmed);
    return found;
}
