/*
 * pipeline_state.c: what other threads must know of the applied state: which
 * realms are open, and when the primary changed last.
 */
#include "server/pipeline/pipeline_private.h"
#include "server/registry/continuity.h"
#include "server/registry/epoch.h"
#include "server/registry/failover.h"

/* The bit of a realm as commands name it; 0 for the system's. */
static uint32_t realm_bit(uint8_t realm)
{
    if (realm == REALM_REGISTRY)
        return CONTINUITY_BIT(CONTINUITY_REGISTRY);
    return realm == REALM_PORTAL ? CONTINUITY_BIT(CONTINUITY_PORTAL) : 0;
}

static uint32_t realms_closed(struct state *state)
{
    static const uint8_t realms[] = {REALM_PORTAL, REALM_REGISTRY};
    uint32_t closed = 0;

    for (size_t i = 0; i < sizeof realms; i++) {
        if (!continuity_realm_open(state, realms[i]))
            closed |= realm_bit(realms[i]);
    }
    return closed;
}

static void look_for_failover(struct pipeline *pipeline, uint32_t epoch)
{
    struct pipeline_cluster *cluster = &pipeline->cluster;
    struct row_epoch row;

    if (epoch_last_change(pipeline->parts.state, &row, cluster->looked_epoch)) {
        (void)pthread_mutex_lock(&cluster->lock);
        cluster->failover_epoch = row.number;
        cluster->failover_at = row.began;
        (void)pthread_mutex_unlock(&cluster->lock);
    }
    cluster->looked_epoch = epoch;
}

/* What the status query says of realm R. */
const char *pipeline_registry_text(struct pipeline *pipeline)
{
    if ((atomic_load(&pipeline->closed_realms) & realm_bit(REALM_REGISTRY)) ==
        0)
        return "served";
    switch ((enum failover_lack)atomic_load(&pipeline->registry_lack)) {
    case FAILOVER_LACKS_NOTHING:
        break;
    case FAILOVER_LACKS_REQUEST:
        return "waits for failover.request";
    case FAILOVER_LACKS_APPROVAL:
        return "waits for failover.approve";
    }
    return "opens";
}

void pipeline_tell_state(struct pipeline *pipeline)
{
    struct state *state = pipeline->parts.state;
    uint32_t epoch = state_head(state)->epoch;
    uint32_t closed = realms_closed(state);

    if ((closed & realm_bit(REALM_REGISTRY)) != 0)
        atomic_store(&pipeline->registry_lack,
                     failover_lack(state, CONTINUITY_REGISTRY,
                                   clock_wall(&pipeline->parts.clock)));
    atomic_store(&pipeline->closed_realms, closed);
    atomic_store(&pipeline->epoch, epoch);
    if (epoch != pipeline->cluster.looked_epoch)
        look_for_failover(pipeline, epoch);
}

/* Sessions are of both realms: who has to approve may need one. */
static bool needs_realm(const struct command_item *item)
{
    uint16_t opcode = item->clear_part.opcode;

    return opcode != OPCODE_AUTH_OPEN && opcode != OPCODE_AUTH_CLOSE &&
           opcode != OPCODE_AUTH_RESUME;
}

bool pipeline_admits(struct pipeline *pipeline, const struct work *work)
{
    const struct command *command = &work->command;
    uint32_t closed = atomic_load(&pipeline->closed_realms);

    if ((closed & realm_bit(command->header.realm)) == 0)
        return true;
    for (uint16_t i = 0; i < command->header.items_count; i++) {
        if (needs_realm(&command->items[i]))
            return false;
    }
    return true;
}
