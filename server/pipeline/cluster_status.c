#include "server/pipeline/cluster_status.h"

#include <string.h>

#include "protocol/contract.h"

const char *cluster_role_text(enum cluster_role role)
{
    static const char *const texts[] = {
#define X(WORD, text) [CLUSTER_##WORD] = text,
        CLUSTER_ROLES(X)
#undef X
    };

    REQUIRE((size_t)role < sizeof texts / sizeof texts[0]);
    return texts[role];
}

/* A text that outlives ${text}. */
static struct slice keep_text(struct writer *space, const char *text)
{
    struct slice kept = {space->data + space->used, strlen(text)};

    writer_bytes(space, text, kept.size);
    return kept;
}

static bool is_known(const struct bytes16 *node_id)
{
    static const struct bytes16 none;

    return memcmp(node_id->b, none.b, NODE_ID_SIZE) != 0;
}

static void add_members(const struct cluster_status *status,
                        struct rows_status *out, struct writer *space)
{
    REQUIRE(status->members_count <= CLUSTER_NODES_MAX);
    out->has_members = status->members_count > 0;
    if (!out->has_members)
        return;
    out->members = list_begin(space);
    for (uint32_t i = 0; i < status->members_count; i++) {
        const struct cluster_member *member = &status->members[i];
        const char *role = cluster_role_text(member->role);
        struct cluster_row row = {
            .node_id = member->node_id,
            .role = slice_of(role, strlen(role)),
            .in_sync = member->in_sync,
            .size = member->size,
            .heard_ms = member->heard_ms,
            .address = slice_of(member->address, strlen(member->address)),
        };
        list_add(&out->members, space, &schema_cluster_row, &row);
    }
}

void cluster_status_rows(const struct cluster_status *status,
                         struct rows_status *out, struct writer *space)
{
    out->has_node_id = is_known(&status->node_id);
    out->node_id = status->node_id;
    out->has_lineage = is_known(&status->lineage);
    out->lineage = status->lineage;
    out->has_role = out->has_epoch = out->has_configuration = true;
    out->role = keep_text(space, cluster_role_text(status->role));
    out->epoch = status->epoch;
    out->configuration = status->configuration;
    out->has_log_size = out->has_committed_size = true;
    out->log_size = status->log_size;
    out->committed_size = status->committed_size;
    out->has_primary = is_known(&status->primary);
    out->primary = status->primary;
    out->has_primary_address = status->primary_address[0] != '\0';
    if (out->has_primary_address)
        out->primary_address = keep_text(space, status->primary_address);
    out->has_failover_epoch = out->has_failover_at =
        status->failover_epoch != 0;
    out->failover_epoch = status->failover_epoch;
    out->failover_at = status->failover_at;
    add_members(status, out, space);
}
