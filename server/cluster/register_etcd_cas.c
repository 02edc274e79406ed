#include "server/cluster/register_etcd_parts.h"

/* ---- Proposals ---------------------------------------------------------- */

static void proposed(void *context, const struct etcd_result *result)
{
    struct register_slot *slot = context;
    struct register_etcd *etcd = slot->etcd;
    const struct register_proposal *proposal = &slot->proposal;
    struct register_answer answer = {.token = proposal->token,
                                     .outcome = REGISTER_UNKNOWN};
    struct etcd_txn txn;

    etcd_txn_cas(&txn, etcd->options.cluster_id, proposal);
    if (register_understood(etcd, result, &txn)) {
        etcd_reply_cas(&answer, &etcd->reply, etcd->options.cluster_id,
                       proposal);
        if (etcd->reply.revision < slot->sent)
            answer.outcome = REGISTER_UNKNOWN;
        if (answer.outcome == REGISTER_UNKNOWN) {
            /* etcd's log itself says so: no member is merely behind. */
            struct register_view older = answer.view;
            answer.view = (struct register_view){.revision = 0};
            register_gone_back(etcd, &older);
        } else {
            register_newer(etcd, &answer.view);
        }
    }
    slot->used = false;
    etcd->events.answered(etcd->events.context, &answer);
}

enum status register_etcd_cas(struct register_etcd *etcd,
                              const struct register_proposal *proposal)
{
    struct register_slot *slot = NULL;
    struct etcd_txn txn;
    enum status status;

    REQUIRE(etcd != NULL && proposal != NULL);
    if (etcd->phase != REGISTER_READY)
        return ST_WRONG_STATE;
    for (size_t i = 0; i < REGISTER_CALLS_MAX && slot == NULL; i++)
        if (!etcd->slots[i].used)
            slot = &etcd->slots[i];
    if (slot == NULL)
        return ST_LIMIT;
    slot->etcd = etcd;
    slot->proposal = *proposal;
    slot->sent = etcd->store_revision;
    etcd_txn_cas(&txn, etcd->options.cluster_id, &slot->proposal);
    status = register_send(etcd, &txn, slot, proposed);
    slot->used = status == ST_OK;
    return status;
}

/* ---- The incarnation ---------------------------------------------------- */

static void tell_claim(struct register_etcd *etcd,
                       enum register_incarnation_outcome outcome,
                       uint64_t registered)
{
    struct register_incarnation incarnation = {.outcome = outcome,
                                               .incarnation =
                                                   etcd->claim.wanted,
                                               .registered = registered};

    etcd->claim.under_way = false;
    if (!etcd->claim.looking)
        etcd->claim.done = outcome == REGISTER_INCARNATION_DONE;
    etcd->events.registered(etcd->events.context, &incarnation);
    register_lease_step(etcd);
}

/*
 * What is registered at least as high as what is wanted decides.  An equal one
 * is this start's own only if a lower one was seen before it was written: a
 * disk that was put back counts its starts a second time.
 */
static bool is_decided(struct register_etcd *etcd, uint64_t registered)
{
    const struct register_claim *claim = &etcd->claim;

    if (registered < claim->wanted)
        return false;
    if (registered == claim->wanted && claim->written)
        tell_claim(etcd, REGISTER_INCARNATION_DONE, registered);
    else
        tell_claim(etcd, REGISTER_INCARNATION_HIGHER, registered);
    return true;
}

static bool read_registered(const struct register_etcd *etcd,
                            uint64_t *registered)
{
    return etcd_reply_incarnation(registered, &etcd->reply,
                                  etcd->options.cluster_id,
                                  etcd->options.node_id) == ST_OK;
}

static void claim_written(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    struct register_claim *claim = &etcd->claim;
    struct etcd_txn txn;
    uint64_t registered;

    etcd_txn_incarnation(&txn, etcd->options.cluster_id, etcd->options.node_id,
                         claim->before, claim->wanted);
    if (!register_understood(etcd, result, &txn)) {
        tell_claim(etcd, REGISTER_INCARNATION_UNKNOWN, 0);
        return;
    }
    if (etcd->reply.succeeded) {
        tell_claim(etcd, REGISTER_INCARNATION_DONE, claim->wanted);
        return;
    }
    if (read_registered(etcd, &registered) && is_decided(etcd, registered))
        return;
    tell_claim(etcd, REGISTER_INCARNATION_UNKNOWN, 0);
}

static void write_claim(struct register_etcd *etcd, uint64_t before)
{
    struct register_claim *claim = &etcd->claim;
    struct etcd_txn txn;

    claim->before = before;
    etcd_txn_incarnation(&txn, etcd->options.cluster_id, etcd->options.node_id,
                         before, claim->wanted);
    if (register_send(etcd, &txn, etcd, claim_written) == ST_OK)
        claim->written = true;
    else
        tell_claim(etcd, REGISTER_INCARNATION_UNKNOWN, 0);
}

static void claim_probed(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    struct etcd_txn txn;
    uint64_t registered = 0;

    etcd_txn_probe(&txn, etcd->options.cluster_id, etcd->options.node_id);
    if (!register_understood(etcd, result, &txn)) {
        tell_claim(etcd, REGISTER_INCARNATION_UNKNOWN, 0);
        return;
    }
    if (etcd->reply.succeeded) {
        register_bar_untested(etcd);
        tell_claim(etcd, REGISTER_INCARNATION_UNKNOWN, 0);
        return;
    }
    if (!read_registered(etcd, &registered)) {
        tell_claim(etcd, REGISTER_INCARNATION_UNKNOWN, 0);
        return;
    }
    if (etcd->claim.looking)
        tell_claim(etcd, REGISTER_INCARNATION_LOOKED, registered);
    else if (!is_decided(etcd, registered))
        write_claim(etcd, registered);
}

static enum status probe(struct register_etcd *etcd, bool looking)
{
    struct etcd_txn txn;
    enum status status;

    etcd_txn_probe(&txn, etcd->options.cluster_id, etcd->options.node_id);
    status = register_send(etcd, &txn, etcd, claim_probed);
    etcd->claim.under_way = status == ST_OK;
    etcd->claim.looking = looking;
    return status;
}

enum status register_etcd_look(struct register_etcd *etcd)
{
    if (etcd->phase != REGISTER_READY)
        return ST_WRONG_STATE;
    if (etcd->claim.under_way)
        return ST_LIMIT;
    return probe(etcd, true);
}

enum status register_etcd_incarnation(struct register_etcd *etcd,
                                      uint64_t incarnation)
{
    struct register_claim *claim = &etcd->claim;

    REQUIRE(incarnation > 0);
    if (etcd->phase != REGISTER_READY)
        return ST_WRONG_STATE;
    if (claim->under_way)
        return ST_LIMIT;
    if (claim->wanted != incarnation)
        *claim = (struct register_claim){.wanted = incarnation};
    return probe(etcd, false);
}
