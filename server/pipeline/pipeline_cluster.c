#include <string.h>

#include "replication/need.h"
#include "server/pipeline/pipeline_private.h"

void pipeline_cluster_init(struct pipeline_cluster *cluster)
{
    NEED(pthread_mutex_init(&cluster->lock, NULL) == 0);
}

void pipeline_cluster_wipe(struct pipeline_cluster *cluster)
{
    (void)pthread_mutex_destroy(&cluster->lock);
}

static bool is_same(const struct pipeline_primary *a,
                    const struct pipeline_primary *b)
{
    return memcmp(a->node_id.b, b->node_id.b, NODE_ID_SIZE) == 0 &&
           strcmp(a->address, b->address) == 0;
}

void pipeline_set_leading(struct pipeline *pipeline, bool leading,
                          const uint8_t *primary_id,
                          const char *primary_address)
{
    struct pipeline_cluster *cluster = &pipeline->cluster;
    struct pipeline_primary primary = {.address = ""};
    void (*moved)(void *context);
    void *context;
    bool changed;

    REQUIRE(primary_address == NULL ||
            strlen(primary_address) <= ADDRESS_SIZE_MAX);
    if (!leading && primary_id != NULL)
        memcpy(primary.node_id.b, primary_id, NODE_ID_SIZE);
    if (!leading && primary_address != NULL)
        memcpy(primary.address, primary_address, strlen(primary_address) + 1);
    (void)pthread_mutex_lock(&cluster->lock);
    changed = atomic_load(&cluster->following) == leading ||
              !is_same(&cluster->primary, &primary);
    cluster->primary = primary;
    atomic_store(&cluster->following, !leading);
    moved = cluster->moved;
    context = cluster->moved_context;
    (void)pthread_mutex_unlock(&cluster->lock);
    if (changed && moved != NULL)
        moved(context);
}

bool pipeline_leads(struct pipeline *pipeline)
{
    return !atomic_load(&pipeline->cluster.following);
}

bool pipeline_primary_elsewhere(struct pipeline *pipeline,
                                struct pipeline_primary *primary_out)
{
    struct pipeline_cluster *cluster = &pipeline->cluster;
    bool following;

    (void)pthread_mutex_lock(&cluster->lock);
    following = atomic_load(&cluster->following);
    *primary_out = cluster->primary;
    (void)pthread_mutex_unlock(&cluster->lock);
    return following;
}

void pipeline_set_moved(struct pipeline *pipeline, void *context,
                        void (*moved)(void *context))
{
    struct pipeline_cluster *cluster = &pipeline->cluster;

    (void)pthread_mutex_lock(&cluster->lock);
    cluster->moved_context = context;
    cluster->moved = moved;
    (void)pthread_mutex_unlock(&cluster->lock);
}

void pipeline_set_cluster(struct pipeline *pipeline, void *context,
                          void (*fill)(void *context,
                                       struct cluster_status *out))
{
    pipeline->cluster.fill_context = context;
    pipeline->cluster.fill = fill;
}

void pipeline_cluster_status(struct pipeline *pipeline,
                             struct cluster_status *out)
{
    uint64_t size = atomic_load(&pipeline->size);

    *out = (struct cluster_status){
        .role = CLUSTER_SINGLE,
        .epoch = pipeline->parts.epoch,
        .log_size = size,
        .committed_size = size,
    };
    (void)pthread_mutex_lock(&pipeline->cluster.lock);
    out->failover_epoch = pipeline->cluster.failover_epoch;
    out->failover_at = pipeline->cluster.failover_at;
    (void)pthread_mutex_unlock(&pipeline->cluster.lock);
    if (pipeline->cluster.fill != NULL)
        pipeline->cluster.fill(pipeline->cluster.fill_context, out);
}
