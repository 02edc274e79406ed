#include <string.h>

#include <sodium.h>

#include "replication/replica_parts.h"
#include "replication/sometimes.h"

static void register_close_proposals(struct replica *replica)
{
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++)
        replica->proposals[i].open = false;
    memset(replica->vouched, 0, sizeof replica->vouched);
}

/* ---- Asking ------------------------------------------------------------- */

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
    if (proposal == NULL) {
        SOMETIMES(too_many_proposals);
        return;
    }
    ask = &proposal->ask;
    memset(proposal, 0, sizeof *proposal);
    proposal->open = true;
    proposal->config = *config;
    ask->token = ++replica->proposal_token;
    ask->revision = replica->revision;
    ask->number = config->number;
    ask->value_size = config_size(config);
    config_encode(ask->value, config);
    if (joins != NULL && !MUTANT(10)) {
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
                            replica->options.timers.retry_ms)) {
            SOMETIMES(proposal_sent_again);
            register_send(replica, proposal);
        }
    }
}

/* ---- Knowing ------------------------------------------------------------ */

/* kind ‖ u8 count ‖ ids of the nodes vouched for ‖ bytes. */
void replica_keep_config(struct replica *replica)
{
    struct replica_job *job = replica_job_new(replica, STORAGE_CONFIGURE);
    bool certified = replica->certificate_size > 0;
    size_t size = certified ? replica->certificate_size : replica->config_size;
    size_t used = 2;

    job->bytes = replica_bytes(used + sizeof replica->options.peers + size);
    job->bytes[0] = certified ? STORED_CERTIFICATE : STORED_CONFIG;
    job->bytes[1] = 0;
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (!replica->vouched[i])
            continue;
        memcpy(job->bytes + used, replica->peers[i].node_id, NODE_ID_SIZE);
        used += NODE_ID_SIZE;
        job->bytes[1]++;
    }
    memcpy(job->bytes + used,
           certified ? replica->certificate : replica->config_bytes, size);
    job->job.config = slice_of(job->bytes, used + size);
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

/* Until now nobody waited for them: their time to answer begins. */
static void register_begin_members(struct replica *replica,
                                   const struct config *next)
{
    for (size_t i = 0; i < replica->peers_count; i++) {
        struct replica_peer *peer = &replica->peers[i];

        if (config_has_member(next, peer->node_id) &&
            !(replica->configured &&
              config_has_member(&replica->config, peer->node_id)))
            replica_expect(replica, peer);
    }
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

/* Whether a newer configuration than the one known may stand. */
static enum config_fault register_judge(const struct replica *replica,
                                        const struct config *config)
{
    if (!replica->configured)
        return config_judge_later(config, NULL);
    if (config->number == replica->config.number + 1)
        return config_judge(
            config, &replica->config,
            slice_of(replica->config_bytes, replica->config_size));
    return config_judge_later(config, &replica->config);
}

void replica_configure(struct replica *replica, struct slice bytes,
                       struct slice certificate, uint64_t revision)
{
    struct config config;
    enum config_fault fault;

    if (config_decode(&config, bytes) != ST_OK ||
        memcmp(config.cluster_id, replica->options.cluster_id,
               CLUSTER_ID_SIZE) != 0 ||
        (certificate.size == 0 &&
         memcmp(config.lineage, replica->options.lineage, LINEAGE_SIZE) != 0)) {
        replica_say(replica, NOTE_REGISTER, NULL, revision);
        return;
    }
    if (memcmp(config.lineage, replica->options.lineage, LINEAGE_SIZE) != 0) {
        replica_force(replica, &config, certificate);
        return;
    }
    if (replica->configured && config.number <= replica->config.number &&
        !MUTANT(61)) {
        bool same = slice_equal(
            bytes, slice_of(replica->config_bytes, replica->config_size));

        if (same && revision > replica->revision)
            replica->revision = revision;
        else if (!same && revision > replica->revision)
            replica_say(replica, NOTE_REGISTER, NULL, revision);
        return;
    }
    /* I2: one that may not follow is no work of ours. */
    fault = register_judge(replica, &config);
    if (fault != CONFIG_GOOD) {
        SOMETIMES(successor_refused);
        replica_say(replica, NOTE_CERTIFICATE, NULL, (uint64_t)fault);
        /* The operator signed two successors of one configuration. */
        if (fault == CONFIG_V1_PREVIOUS && certificate.size > 0)
            replica_halt(replica, HALT_EQUIVOCATION, config.number,
                         certificate);
        return;
    }
    /* Over a gap nobody leads: what lies between may have been another's. */
    if (replica->configured && config.number > replica->config.number + 1) {
        SOMETIMES(configurations_skipped);
        if (replica_won(replica) && certificate.size > 0)
            replica_step_down(replica);
    }
    replica->revision = revision;
    register_begin_members(replica, &config);
    register_set(replica, &config, bytes, certificate);
    replica->config_ms = replica->now_ms;
    replica->heard_ms = replica->now_ms;
    replica->view_fresh = false;
    register_close_proposals(replica);
    replica_keep_config(replica);
    replica_admitted(replica);
    if (replica_won(replica) && !register_leads_on(replica)) {
        SOMETIMES(another_leads_by_register);
        replica_step_down(replica);
    }
    replica_settle_role(replica);
    for (size_t i = 0; i < replica->peers_count; i++) {
        if (replica->peers[i].greeted)
            replica_tell_config(replica, i);
    }
    /* The pause was between proposals, and this one stands. */
    replica->attempt_ms = replica->now_ms;
    replica_lead_as_named(replica);
    replica_commit(replica);
    replica_ship_all(replica);
}

/* Who was vouched for by an earlier start still has to agree (R15). */
static bool register_load_vouched(struct replica *replica,
                                  struct reader *reader)
{
    uint8_t count = reader_u8(reader);

    if (count > CONFIG_NODES_MAX)
        return false;
    for (uint8_t i = 0; i < count; i++) {
        struct slice id = reader_bytes(reader, NODE_ID_SIZE);
        size_t peer = reader->status == ST_OK
                          ? replica_peer_of(replica, id.data)
                          : SIZE_MAX;

        if (peer != SIZE_MAX)
            replica->vouched[peer] = true;
    }
    return reader->status == ST_OK;
}

/* What stands behind the peers, by itself or in its certificate: ${*bytes}
 * becomes the configuration's, and ${*certificate_out} what they were. */
static bool register_read_config(struct config *out, struct slice *bytes,
                                 struct slice *certificate_out, uint8_t kind)
{
    struct config_cert cert;

    *certificate_out = slice_of(NULL, 0);
    if (kind == STORED_CERTIFICATE) {
        if (bytes->size > CONFIG_CERT_SIZE_MAX ||
            config_cert_decode(&cert, *bytes) != ST_OK)
            return false;
        *certificate_out = *bytes;
        *bytes = cert.config;
    } else if (kind != STORED_CONFIG) {
        return false;
    }
    return bytes->size <= CONFIG_SIZE_MAX &&
           config_decode(out, *bytes) == ST_OK;
}

bool replica_stored_config(struct config *out, struct slice stored)
{
    struct slice bytes, certificate;
    struct reader reader;
    uint8_t kind;

    reader_init(&reader, stored);
    kind = reader_u8(&reader);
    (void)reader_bytes(&reader, (size_t)reader_u8(&reader) * NODE_ID_SIZE);
    bytes = reader_bytes(&reader, reader_left(&reader));
    return reader.status == ST_OK &&
           register_read_config(out, &bytes, &certificate, kind);
}

bool replica_load_config(struct replica *replica, struct slice stored)
{
    struct slice bytes, certificate;
    struct config config;
    struct reader reader;
    uint8_t kind;

    reader_init(&reader, stored);
    kind = reader_u8(&reader);
    if (!register_load_vouched(replica, &reader))
        return false;
    bytes = reader_bytes(&reader, reader_left(&reader));
    /* Both stand in one value, and change in one write. */
    if (!register_read_config(&config, &bytes, &certificate, kind) ||
        memcmp(config.lineage, replica->options.lineage, LINEAGE_SIZE) != 0)
        return false;
    register_set(replica, &config, bytes, certificate);
    if (config.epoch > replica->promised)
        replica->promised = config.epoch;
    return true;
}

/* ---- The register's words ----------------------------------------------- */

/* The very first configuration: the node that genesis names writes it. */
static bool register_may_boot(const struct replica *replica)
{
    return replica->options.first && !replica->configured &&
           !replica_proposing(replica) && !replica->lost;
}

static void register_first(struct replica *replica, struct config *out)
{
    *out = (struct config){.phase = CONFIG_NORMAL,
                           .why = CONFIG_BOOT,
                           .epoch = replica->promised + 1,
                           .number = 1,
                           .minimum = replica->options.minimum};
    memcpy(out->cluster_id, replica->options.cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->lineage, replica->options.lineage, LINEAGE_SIZE);
    memcpy(out->primary, replica->options.node_id, NODE_ID_SIZE);
    out->base_size = replica->log.end.size;
    memcpy(out->base_leaf, replica->log.end.leaf, HASH_SIZE);
    register_nonce(replica, out->nonce);
    config_add_member(out, replica->options.node_id, replica->incarnation);
    config_add_eligible(out, replica->options.node_id);
    for (size_t i = 0; i < replica->peers_count; i++) {
        config_add_learner(out, replica->peers[i].node_id);
        if (!replica->peers[i].archive)
            config_add_eligible(out, replica->peers[i].node_id);
    }
    replica->booted = true; /* The first value will be of this start. */
}

static void register_boot(struct replica *replica)
{
    struct config config;

    if (!register_may_boot(replica))
        return;
    register_first(replica, &config);
    replica_propose(replica, &config, replica->options.node_id, NULL);
}

/* A disk that was made anew must not found a second time: whoever answers tells
 * of what there is, and silence is waited for. */
static bool register_is_alone_or_first(const struct replica *replica)
{
    size_t greeted = 0;

    for (size_t i = 0; i < replica->peers_count; i++) {
        if (!replica->peers[i].greeted)
            continue;
        if (replica->peers[i].config_number > 0)
            return false;
        greeted++;
    }
    return greeted == replica->peers_count ||
           replica_elapsed(replica, replica->started_ms,
                           replica->options.timers.grace_ms);
}

/* Where certificates decide there is nobody to ask: what genesis' node says
 * first is what the operator's first certificate follows. */
void replica_found(struct replica *replica)
{
    uint8_t bytes[CONFIG_SIZE_MAX];
    struct config config;

    if (replica->options.automatic || !register_may_boot(replica) ||
        !register_is_alone_or_first(replica))
        return;
    register_first(replica, &config);
    config_encode(bytes, &config);
    replica_configure(replica, slice_of(bytes, config_size(&config)),
                      slice_of(NULL, 0), 0);
}

/* What stood there before this start did anything. */
static void register_note_first(struct replica *replica,
                                const struct register_view *view)
{
    struct config config;

    /* What is known already was written by somebody: less is a stale read. */
    if (replica->first_number == 0 &&
        config_decode(&config, slice_of(view->value, view->value_size)) ==
            ST_OK &&
        (!replica->configured || config.number >= replica->config.number))
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
    if (view->revision < replica->revision) {
        SOMETIMES(register_read_is_stale);
        return;
    }
    register_note_first(replica, view);
    if (view->revision == replica->revision) {
        replica->view_fresh = true;
        return;
    }
    replica_configure(replica, slice_of(view->value, view->value_size),
                      slice_of(NULL, 0), view->revision);
    /* One that was not taken is a stale read, or nothing to go by. */
    replica->view_fresh = view->revision == replica->revision;
}

/* R17 d: a guard failed, and an older copy of the proposal may yet be carried
 * out.  A primary supersedes it on the same revision; M holds both until one of
 * them is known to stand. */
static void register_supersede(struct replica *replica,
                               struct replica_proposal *proposal)
{
    struct config config;

    if (!replica_leads(replica) || MUTANT(19)) {
        SOMETIMES(guard_failed_of_candidate);
        register_close_proposals(replica);
        replica->attempt_ms =
            replica->now_ms + (int64_t)replica->options.timers.retry_ms * 2;
        return;
    }
    /* What was refused now would be refused again at once. */
    replica->members_ms =
        replica->now_ms + (int64_t)replica->options.timers.remove_ms;
    /* One without guards is refused by nothing but the revision: it is asked
     * again until that is known. */
    if (proposal->ask.guards_count == 0 && !proposal->ask.guard_alive) {
        proposal->unknown = true;
        replica_read_register(replica);
        return;
    }
    SOMETIMES(proposal_superseded);
    replica_successor(replica, &config, CONFIG_SETTLE);
    replica_propose(replica, &config, NULL, NULL);
}

/* What an answer shows to stand there. */
static void register_see(struct replica *replica,
                         const struct register_view *view)
{
    if (view != NULL && view->value_size > 0)
        replica_viewed(replica, view);
    else
        replica_read_register(replica);
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
    if (proposal == NULL) {
        SOMETIMES(answer_after_settled);
        return;
    }
    if (event->answered.outcome != REGISTER_UNKNOWN)
        replica->viewed_ms = replica->now_ms;
    switch (event->answered.outcome) {
    case REGISTER_LOST:
        SOMETIMES(proposal_lost);
        register_see(replica, view);
        /* Its revision is gone, even if what stands there is no news. */
        if (view != NULL && view->revision > proposal->ask.revision)
            proposal->open = false;
        break;
    case REGISTER_WON:
        register_see(replica, view);
        break;
    case REGISTER_REJECTED:
        if (view != NULL && view->value_size > 0 &&
            view->revision > replica->revision)
            replica_viewed(replica, view);
        else
            register_supersede(replica, proposal);
        break;
    case REGISTER_UNKNOWN:
        SOMETIMES(proposal_unanswered);
        proposal->unknown = true;
        if (MUTANT(9))
            replica_configure(
                replica,
                slice_of(proposal->ask.value, proposal->ask.value_size),
                slice_of(NULL, 0), replica->revision + 1);
        break;
    }
}

/* ---- Certificates ------------------------------------------------------- */

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
        replica_halt(replica, HALT_EQUIVOCATION, config.number, bytes);
        return;
    }
    replica_configure(replica, cert.config, bytes, 0);
}
