/*
 * node_cluster_cut_off.c: a primary that can commit nothing, because members
 * are silent and nobody can take their place, or the register is away as well.
 *
 * It cannot know whether another node leads meanwhile.  After the time in which
 * one might, it sends its clients to look for it; what they sent here may be
 * committed yet, so they send the same bytes.
 */
#include <inttypes.h>

#include "server/cluster/cluster_clock.h"
#include "server/diag.h"
#include "server/node_cluster.h"

/* One that was never heard in this term shows by what is not committed. */
static bool a_member_is_silent(const struct replica_status *status,
                               uint32_t grace_ms)
{
    for (size_t i = 1; i < status->nodes_count; i++) {
        if (status->nodes[i].member && status->nodes[i].heard_ms >= grace_ms)
            return true;
    }
    return false;
}

/* Since when entries wait. */
static bool nothing_is_committed(struct node_cluster *cluster,
                                 const struct replica_status *status,
                                 int64_t now_ms)
{
    if (status->committed != cluster->committed ||
        status->committed >= status->size) {
        cluster->committed = status->committed;
        cluster->committed_ms = now_ms;
    }
    return now_ms - cluster->committed_ms >= cluster->grace_ms;
}

void node_cluster_watch(struct node *node, const struct replica_status *status)
{
    struct node_cluster *cluster = node->cluster;
    bool waits = nothing_is_committed(cluster, status, cluster_clock_ms());
    bool cut_off = waits || a_member_is_silent(status, cluster->grace_ms);

    if (!cluster->leads || cut_off == cluster->cut_off)
        return;
    cluster->cut_off = cut_off;
    if (cut_off)
        diag_say(DIAG_WARNING,
                 "nothing could be committed for %" PRIu32
                 " ms: commands are answered 600, and those under way 603",
                 cluster->grace_ms);
    else
        diag_say(DIAG_NOTE, "entries are committed again: commands are taken");
    pipeline_cut_off(node->pipeline, cut_off);
    pipeline_set_leading(node->pipeline, !cut_off, NULL, NULL);
}
