/*
 * replica_forced.c: every member is gone, and the operator begins a new lineage
 * with what one node still has (V7).
 *
 * A configuration of another lineage is taken from a certificate alone, in one
 * of two ways.  The node that it names leads: it knows the configuration before
 * it, and its log ends exactly where was signed.  Any other node may follow, if
 * its log goes no further than that.  Either way the whole node begins anew
 * once it is durable: nothing that this start knew of peers, or applied, counts
 * in the new lineage.
 */
#include <string.h>

#include "replication/replica_parts.h"

const char *replica_forced_text(enum replica_forced forced)
{
    static const char *const texts[FORCED_COUNT] = {
        [FORCED_GOOD] = "this node is of the new lineage now",
        [FORCED_NO_CERTIFICATE] =
            "it is of another lineage, and no forced certificate of one that "
            "begins",
        [FORCED_UNKNOWN] = "it is forced, and does not follow the newest "
                           "configuration that this node knows",
        [FORCED_DAMAGED] = "it is forced on this node, which has damaged "
                           "entries",
        [FORCED_BASE] = "it is forced on this node, whose log does not end "
                        "where the certificate says",
        [FORCED_OLDER] = "this node knows a later configuration",
        [FORCED_LEADS] = "this node leads in its lineage: nothing is lost",
        [FORCED_BEYOND] =
            "this node's log goes on, or differs, beyond where the new lineage "
            "begins: keep it as evidence, and begin with an empty disk",
    };

    REQUIRE(forced < FORCED_COUNT);
    return texts[forced];
}

/* ---- Whether it may be taken -------------------------------------------- */

static bool forced_ends_at_base(const struct replica *replica,
                                const struct config *config)
{
    const struct journal_end *end = &replica->log.durable;

    return replica->log.end.size == end->size &&
           end->size == config->base_size &&
           memcmp(end->leaf, config->base_leaf, HASH_SIZE) == 0;
}

static enum replica_forced forced_may_lead(const struct replica *replica,
                                           const struct config *config)
{
    const struct config_member *self =
        config_member(config, replica->options.node_id);

    if (!replica->configured || config->number != replica->config.number + 1)
        return FORCED_UNKNOWN;
    if (replica_has_holes(replica) || replica->cut_again != UINT64_MAX)
        return FORCED_DAMAGED;
    /* A disk that was put back since the operator saw it is another one. */
    if (self == NULL || self->incarnation > replica->incarnation ||
        !forced_ends_at_base(replica, config))
        return FORCED_BASE;
    return FORCED_GOOD;
}

/* A shorter log may yet turn out to be another's beginning: its entries differ
 * then from those that it is sent. */
static enum replica_forced forced_may_follow(const struct replica *replica,
                                             const struct config *config)
{
    if (replica->log.end.size > config->base_size ||
        (replica->log.end.size == config->base_size &&
         memcmp(replica->log.end.leaf, config->base_leaf, HASH_SIZE) != 0))
        return FORCED_BEYOND;
    return FORCED_GOOD;
}

static enum replica_forced forced_judge(const struct replica *replica,
                                        const struct config *config,
                                        struct slice certificate)
{
    uint8_t lineage[LINEAGE_SIZE];

    config_forced_lineage(lineage, config);
    if (replica->options.automatic || certificate.size == 0 ||
        config->why != CONFIG_FORCED ||
        config_judge_later(config, NULL) != CONFIG_GOOD ||
        memcmp(config->lineage, lineage, LINEAGE_SIZE) != 0)
        return FORCED_NO_CERTIFICATE;
    if (replica->configured && config->number <= replica->config.number)
        return FORCED_OLDER;
    if (replica_leads(replica))
        return FORCED_LEADS;
    return replica_is_self(replica, config->primary)
               ? forced_may_lead(replica, config)
               : forced_may_follow(replica, config);
}

/* ---- Taking it ---------------------------------------------------------- */

/* From here on nothing is sent or taken: neither lineage would be right. */
static void forced_keep(struct replica *replica, const struct config *config,
                        struct slice certificate)
{
    struct replica_job *job = replica_job_new(replica, STORAGE_FORCE);

    if (replica_won(replica))
        replica_step_down(replica);
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (!replica->peers[i].linked)
            continue;
        replica_act(replica, REPLICA_DROP_LINK)->peer = i;
        replica_link_down(replica, i);
    }
    replica->forced = true;
    /* Nobody of the old lineage has to agree any more. */
    job->bytes = replica_bytes(2 + certificate.size);
    job->bytes[0] = STORED_CERTIFICATE;
    job->bytes[1] = 0;
    memcpy(job->bytes + 2, certificate.data, certificate.size);
    job->job.config = slice_of(job->bytes, 2 + certificate.size);
    job->job.config_number = config->number;
    job->job.epoch = config->epoch;
    memcpy(job->job.lineage, config->lineage, LINEAGE_SIZE);
    replica_job_give(replica, job);
}

void replica_force(struct replica *replica, const struct config *config,
                   struct slice certificate)
{
    enum replica_forced forced = forced_judge(replica, config, certificate);
    enum config_fault fault = CONFIG_GOOD;

    /* Whatever is known of the one before it must lead there (V1 to V7). */
    if (forced != FORCED_NO_CERTIFICATE && replica->configured &&
        config->number == replica->config.number + 1)
        fault =
            config_judge(config, &replica->config,
                         slice_of(replica->config_bytes, replica->config_size));
    if (fault != CONFIG_GOOD) {
        replica_say(replica, NOTE_CERTIFICATE, NULL, (uint64_t)fault);
        /* The operator signed two of the number before. */
        if (fault == CONFIG_V1_PREVIOUS)
            replica_halt(replica, HALT_EQUIVOCATION, config->number,
                         certificate);
        return;
    }
    if (forced != FORCED_GOOD) {
        replica_say(replica, NOTE_FORCED, NULL, (uint64_t)forced);
        return;
    }
    forced_keep(replica, config, certificate);
}

void replica_forced_done(struct replica *replica, enum status status)
{
    INVARIANT(replica->forced);
    if (status != ST_OK)
        return; /* The process ends. */
    replica_say(replica, NOTE_FORCED, NULL, FORCED_GOOD);
    replica_act(replica, REPLICA_RESTART);
}

/* ---- Beginning in it ---------------------------------------------------- */

/* This node is named, and nothing was written in the lineage yet: an epoch of
 * its grant is used before its first entry. */
static bool forced_is_new(const struct replica *replica)
{
    const struct config *config = &replica->config;

    return replica->configured && config->why == CONFIG_FORCED &&
           replica_is_self(replica, config->primary) &&
           replica->used_epoch < config->epoch;
}

bool replica_forced_begins(const struct replica *replica)
{
    return forced_is_new(replica) && !replica_has_holes(replica) &&
           forced_ends_at_base(replica, &replica->config);
}

bool replica_forced_elsewhere(const struct replica *replica)
{
    return forced_is_new(replica) && !replica_forced_begins(replica);
}

void replica_forced_tend(struct replica *replica)
{
    if (replica->lost || !replica_forced_begins(replica) ||
        replica->log.committed >= replica->config.base_size)
        return;
    /* The operator said so, and nobody else has this lineage: what lies before
     * may be applied, which shows that this node may begin an epoch. */
    replica_learn_commit(replica, replica->config.base_size);
}

/* ---- Others ------------------------------------------------------------- */

/* As people read it: the first digits. */
static uint64_t foreign_digits(const uint8_t lineage[LINEAGE_SIZE])
{
    uint64_t digits = 0;

    for (size_t i = 0; i < sizeof digits; i++)
        digits = digits << 8 | lineage[i];
    return digits;
}

void replica_foreign(struct replica *replica, size_t at,
                     const uint8_t lineage[LINEAGE_SIZE])
{
    struct replica_peer *peer = &replica->peers[at];

    if (!peer->foreign_told)
        replica_say(replica, NOTE_LINEAGE, peer->node_id,
                    foreign_digits(lineage));
    peer->foreign_told = true;
    replica_act(replica, REPLICA_DROP_LINK)->peer = at;
    replica_link_down(replica, at);
}
