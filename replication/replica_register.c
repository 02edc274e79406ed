#include <string.h>

#include <sodium.h>

#include "replication/replica_parts.h"

/* How meta keeps a configuration: as it is, or within its certificate. */
enum { STORED_CONFIG = 1, STORED_CERTIFICATE = 2 };

static void register_close_proposals(struct replica *replica)
{
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++)
        replica->proposals[i].open = false;
    memset(replica->vouched, 0, sizeof replica->vouched);
}

/* ---- Asking
 * ------------------------------------------------------------------- */

void replica_read_register(struct replica *replica)
{
    if (!replica->options.automatic)
        return;
    replica->reading_ms = replica->now_ms;
    replica_act(replica, REPLICA_ASK)->ask.call = REGISTER_READ;
}

static void register_nonce(struct replica *replica,
                           uint8_t out[CONFIG_NONCE_SIZE])
{
    uint8_t input[16];

    store_u64(input, ++replica->nonces);
    store_u64(input + 8, replica->incarnation);
    (void)crypto_generichash(out, CONFIG_NONCE_SIZE, input, sizeof input,
                             replica->options.seed,
                             sizeof replica->options.seed);
}

void replica_successor(struct replica *replica, struct config *out,
                       enum config_why why)
{
    REQUIRE(replica->configured);
    config_succeed(out, &replica->config,
                   slice_of(replica->config_bytes, replica->config_size), why);
    out->base_size = replica->log.end.size;
    memcpy(out->base_leaf, replica->log.end.leaf, HASH_SIZE);
    register_nonce(replica, out->nonce);
}

bool replica_proposing(const struct replica *replica)
{
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++) {
        if (replica->proposals[i].open)
            return true;
    }
    return false;
}

static void register_send(struct replica *replica,
                          struct replica_proposal *proposal)
{
    struct replica_action *action = replica_act(replica, REPLICA_ASK);

    proposal->unknown = false;
    proposal->sent_ms = replica->now_ms;
    action->ask.call = REGISTER_CAS;
    action->ask.proposal = &proposal->ask;
}

static struct replica_proposal *register_free(struct replica *replica)
{
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++) {
        if (!replica->proposals[i].open)
            return &replica->proposals[i];
    }
    return NULL;
}

void replica_propose(struct replica *replica, const struct config *config,
                     const uint8_t *joins, const uint8_t *alive)
{
    struct replica_proposal *proposal = register_free(replica);
    struct register_proposal *ask;

    REQUIRE(replica->options.automatic);
    if (proposal == NULL)
        return;
    ask = &proposal->ask;
    memset(proposal, 0, sizeof *proposal);
    proposal->open = true;
    proposal->config = *config;
    ask->token = ++replica->proposal_token;
    ask->revision = replica->revision;
    ask->number = config->number;
    ask->value_size = config_size(config);
    config_encode(ask->value, config);
    if (joins != NULL) {
        const struct config_member *member = config_member(config, joins);

        ask->guards_count = 1;
        memcpy(ask->guards[0].node_id, joins, NODE_ID_SIZE);
        ask->guards[0].incarnation =
            member != NULL ? member->incarnation : replica->incarnation;
    }
    if (alive != NULL) {
        ask->guard_alive = true;
        memcpy(ask->alive, alive, NODE_ID_SIZE);
    }
    register_send(replica, proposal);
}

/* R17 b: what got no answer is sent again as it was, and nothing else is. */
void replica_retry(struct replica *replica)
{
    /* Who wanted to lead and hears a primary wants it no more. */
    if (!replica_won(replica) && replica->primary_peer != SIZE_MAX &&
        !replica_elapsed(replica, replica->heard_ms,
                         replica->options.timers.beacon_ms * 2))
        register_close_proposals(replica);
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++) {
        struct replica_proposal *proposal = &replica->proposals[i];

        if (proposal->open && proposal->unknown &&
            replica_elapsed(replica, proposal->sent_ms,
                            replica->options.timers.retry_ms))
            register_send(replica, proposal);
    }
}

/* ---- Knowing
 * ------------------------------------------------------------------ */

static void register_keep(struct replica *replica)
{
    struct replica_job *job = replica_job_new(replica, STORAGE_CONFIGURE);
    bool certified = replica->certificate_size > 0;
    size_t size = certified ? replica->certificate_size : replica->config_size;

    job->bytes = replica_bytes(size + 1);
    job->bytes[0] = certified ? STORED_CERTIFICATE : STORED_CONFIG;
    memcpy(job->bytes + 1,
           certified ? replica->certificate : replica->config_bytes, size);
    job->job.config = slice_of(job->bytes, size + 1);
    job->job.config_number = replica->config.number;
    job->job.epoch = replica->config.epoch;
    replica_job_give(replica, job);
    if (replica->config.epoch > replica->promised)
        replica->promised = replica->config.epoch;
}

static void register_set(struct replica *replica, const struct config *config,
                         struct slice bytes, struct slice certificate)
{
    replica->config = *config;
    replica->configured = true;
    memmove(replica->config_bytes, bytes.data, bytes.size);
    replica->config_size = bytes.size;
    if (certificate.size > 0)
        memmove(replica->certificate, certificate.data, certificate.size);
    replica->certificate_size = certificate.size;
}

/* Whether this node may go on leading under the newest configuration. */
static bool register_leads_on(const struct replica *replica)
{
    const struct config *config = &replica->config;
    uint32_t epochs =
        replica->options.automatic ? 1 : (uint32_t)CONFIG_GRANT_EPOCHS;

    return replica_is_self(replica, config->primary) &&
           replica->epoch >= config->epoch &&
           replica->epoch - config->epoch < epochs;
}

void replica_configure(struct replica *replica, struct slice bytes,
                       struct slice certificate, uint64_t revision)
{
    struct config config;

    if (config_decode(&config, bytes) != ST_OK ||
        memcmp(config.cluster_id, replica->options.cluster_id,
               CLUSTER_ID_SIZE) != 0 ||
        memcmp(config.lineage, replica->options.lineage, LINEAGE_SIZE) != 0) {
        replica_say(replica, NOTE_REGISTER, NULL, revision);
        return;
    }
    if (replica->configured && config.number <= replica->config.number) {
        bool same = slice_equal(
            bytes, slice_of(replica->config_bytes, replica->config_size));

        if (same && revision > replica->revision)
            replica->revision = revision;
        else if (!same && revision > replica->revision)
            replica_say(replica, NOTE_REGISTER, NULL, revision);
        return;
    }
    /* I2: a next one that may not follow is no work of ours. */
    if (replica->configured && config.number == replica->config.number + 1) {
        enum config_fault fault =
            config_judge(&config, &replica->config,
                         slice_of(replica->config_bytes, replica->config_size));

        if (fault != CONFIG_GOOD) {
            replica_say(replica, NOTE_CERTIFICATE, NULL, (uint64_t)fault);
            return;
        }
    }
    replica->revision = revision;
    register_set(replica, &config, bytes, certificate);
    replica->config_ms = replica->now_ms;
    replica->heard_ms = replica->now_ms;
    replica->view_fresh = false;
    register_close_proposals(replica);
    register_keep(replica);
    replica_admitted(replica);
    if (replica_won(replica) && !register_leads_on(replica))
        replica_step_down(replica);
    replica_settle_role(replica);
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (replica->peers[i].greeted)
            replica_tell_config(replica, i);
    }
    if (replica_is_self(replica, config.primary) && !replica_won(replica))
        replica_take_lead(replica);
    replica_commit(replica);
    replica_ship_all(replica);
}

bool replica_load_config(struct replica *replica, struct slice stored)
{
    struct config_cert cert = {.config = {NULL, 0}};
    struct slice certificate = {NULL, 0};
    struct slice bytes = slice_of(stored.data + 1, stored.size - 1);
    struct config config;

    if (stored.size < 2)
        return false;
    if (stored.data[0] == STORED_CERTIFICATE) {
        if (bytes.size > CONFIG_CERT_SIZE_MAX ||
            config_cert_decode(&cert, bytes) != ST_OK)
            return false;
        certificate = bytes;
        bytes = cert.config;
    } else if (stored.data[0] != STORED_CONFIG) {
        return false;
    }
    if (bytes.size > CONFIG_SIZE_MAX || config_decode(&config, bytes) != ST_OK)
        return false;
    register_set(replica, &config, bytes, certificate);
    if (config.epoch > replica->promised)
        replica->promised = config.epoch;
    return true;
}

/* ---- The register's words
 * ------------------------------------------------------ */

/* The very first configuration: the node that genesis names writes it. */
static void register_boot(struct replica *replica)
{
    struct config config = {.phase = CONFIG_NORMAL,
                            .why = CONFIG_BOOT,
                            .epoch = replica->promised + 1,
                            .number = 1,
                            .minimum = replica->options.minimum};

    if (!replica->options.first || replica->configured ||
        replica_proposing(replica) || replica->lost ||
        replica->promised == UINT32_MAX)
        return;
    memcpy(config.cluster_id, replica->options.cluster_id, CLUSTER_ID_SIZE);
    memcpy(config.lineage, replica->options.lineage, LINEAGE_SIZE);
    memcpy(config.primary, replica->options.node_id, NODE_ID_SIZE);
    config.base_size = replica->log.end.size;
    memcpy(config.base_leaf, replica->log.end.leaf, HASH_SIZE);
    register_nonce(replica, config.nonce);
    replica->booted = true; /* The first value will be of this start. */
    config_add_member(&config, replica->options.node_id, replica->incarnation);
    config_add_eligible(&config, replica->options.node_id);
    for (size_t i = 0; i < replica->peers_count; i++) {
        config_add_learner(&config, replica->peers[i].node_id);
        if (!replica->peers[i].archive)
            config_add_eligible(&config, replica->peers[i].node_id);
    }
    replica_propose(replica, &config, replica->options.node_id, NULL);
}

/* What stood there before this start did anything. */
static void register_note_first(struct replica *replica,
                                const struct register_view *view)
{
    struct config config;

    if (replica->first_number == 0 &&
        config_decode(&config, slice_of(view->value, view->value_size)) ==
            ST_OK)
        replica->first_number = config.number;
}

void replica_viewed(struct replica *replica, const struct register_view *view)
{
    if (!replica->options.automatic || !replica->registered)
        return;
    replica->viewed_ms = replica->now_ms;
    if (view->value_size == 0) {
        if (replica->configured)
            replica_say(replica, NOTE_REGISTER, NULL, view->revision);
        else
            register_boot(replica);
        return;
    }
    /* A value older than what is known says nothing (it may be a stale read, or
     * a register that was put back: then no proposal is won either). */
    if (view->revision < replica->revision)
        return;
    register_note_first(replica, view);
    if (view->revision == replica->revision) {
        replica->view_fresh = true;
        return;
    }
    replica_configure(replica, slice_of(view->value, view->value_size),
                      slice_of(NULL, 0), view->revision);
    replica->view_fresh = true;
}

/* R17 d: a guard failed, and an older copy of the proposal may yet be carried
 * out.  A primary supersedes it on the same revision; M holds both until one of
 * them is known to stand. */
static void register_supersede(struct replica *replica)
{
    struct config config;

    if (!replica_leads(replica)) {
        register_close_proposals(replica);
        replica->attempt_ms =
            replica->now_ms + (int64_t)replica->options.timers.retry_ms * 2;
        return;
    }
    /* What was refused now would be refused again at once. */
    replica->members_ms =
        replica->now_ms + (int64_t)replica->options.timers.remove_ms;
    replica_successor(replica, &config, CONFIG_SETTLE);
    replica_propose(replica, &config, NULL, NULL);
}

void replica_answered(struct replica *replica,
                      const struct replica_event *event)
{
    const struct register_view *view = event->answered.view;
    struct replica_proposal *proposal = NULL;

    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++) {
        if (replica->proposals[i].open &&
            replica->proposals[i].ask.token == event->answered.token)
            proposal = &replica->proposals[i];
    }
    /* Settled meanwhile by a newer value. */
    if (proposal == NULL)
        return;
    if (event->answered.outcome != REGISTER_UNKNOWN)
        replica->viewed_ms = replica->now_ms;
    switch (event->answered.outcome) {
    case REGISTER_WON:
    case REGISTER_LOST:
        if (view != NULL && view->value_size > 0)
            replica_viewed(replica, view);
        else
            replica_read_register(replica);
        break;
    case REGISTER_REJECTED:
        if (view != NULL && view->value_size > 0 &&
            view->revision > replica->revision)
            replica_viewed(replica, view);
        else
            register_supersede(replica);
        break;
    case REGISTER_UNKNOWN:
        proposal->unknown = true;
        break;
    }
}

/* ---- Certificates
 * -------------------------------------------------------------- */

void replica_certified(struct replica *replica, struct slice bytes)
{
    struct config_cert cert;
    struct config config;

    if (replica->options.automatic || bytes.size > CONFIG_CERT_SIZE_MAX ||
        config_cert_decode(&cert, bytes) != ST_OK ||
        config_decode(&config, cert.config) != ST_OK)
        return;
    if (replica->configured && config.number == replica->config.number &&
        !slice_equal(cert.config,
                     slice_of(replica->config_bytes, replica->config_size))) {
        replica_halt(replica, HALT_EQUIVOCATION);
        return;
    }
    replica_configure(replica, cert.config, bytes, 0);
}
