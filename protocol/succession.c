#include "protocol/succession.h"

#include <string.h>

#include <sodium.h>

/* What is at hand while a wish is judged. */
struct succession_work {
    struct succession_plan *plan;
    const struct succession_view *view;
    const struct succession_wish *wish;
    const struct succession_node *primary; /* NULL: does not answer. */
    const struct succession_node *node;    /* wish->node, likewise. */
    const struct succession_node *by;      /* wish->by, likewise. */
};

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, NODE_ID_SIZE) == 0;
}

enum status succession_take(struct succession_node *node, struct slice bytes,
                            const uint8_t *receipt_key, struct slice config,
                            const uint8_t *cluster_id)
{
    struct statement *statement = &node->statement;
    uint8_t hash[HASH_SIZE] = {0};
    struct config read;
    enum status status;

    node->reached = false;
    status = statement_read(statement, bytes, receipt_key);
    if (status != ST_OK)
        return status;
    if (memcmp(statement->cluster_id, cluster_id, CLUSTER_ID_SIZE) != 0)
        return ST_WRONG_ENV;
    if (config.size > sizeof node->config)
        return ST_FILE_FORMAT;
    memset(&read, 0, sizeof read);
    if (config.size > 0) {
        status = config_decode(&read, config);
        if (status != ST_OK)
            return status;
        config_hash(hash, config);
    }
    if (!same_id(statement->node_id, node->node_id) ||
        statement->config_number != read.number ||
        memcmp(statement->config_hash, hash, HASH_SIZE) != 0)
        return ST_CHECKSUM;
    memcpy(node->bytes, bytes.data, STATEMENT_SIZE);
    if (config.size > 0)
        memcpy(node->config, config.data, config.size);
    node->config_size = config.size;
    node->reached = true;
    return ST_OK;
}

static const struct succession_node *reached_node(
    const struct succession_view *view, const uint8_t *node_id)
{
    for (size_t i = 0; i < view->nodes_count; i++) {
        if (view->nodes[i].reached && same_id(view->nodes[i].node_id, node_id))
            return &view->nodes[i];
    }
    return NULL;
}

static const struct succession_node *listed_node(
    const struct succession_view *view, const uint8_t *node_id)
{
    for (size_t i = 0; i < view->nodes_count; i++) {
        if (same_id(view->nodes[i].node_id, node_id))
            return &view->nodes[i];
    }
    return NULL;
}

static enum succession_fault fault_of(struct succession_plan *plan,
                                      enum succession_fault fault,
                                      const uint8_t *node_id)
{
    memcpy(plan->concerned, node_id, NODE_ID_SIZE);
    return fault;
}

enum succession_fault succession_newest(struct succession_plan *plan,
                                        const struct succession_view *view)
{
    const struct succession_node *best = NULL;
    crypto_hash_sha256_state evidence;
    enum status status;

    memset(plan, 0, sizeof *plan);
    crypto_hash_sha256_init(&evidence);
    for (size_t i = 0; i < view->nodes_count; i++) {
        const struct succession_node *at = &view->nodes[i];
        if (!at->reached)
            continue;
        crypto_hash_sha256_update(&evidence, at->bytes, STATEMENT_SIZE);
        if (at->config_size > 0 &&
            (best == NULL ||
             at->statement.config_number > best->statement.config_number))
            best = at;
    }
    crypto_hash_sha256_final(&evidence, plan->evidence);
    if (best == NULL)
        return SUCCESSION_NOBODY;
    for (size_t i = 0; i < view->nodes_count; i++) {
        const struct succession_node *at = &view->nodes[i];
        if (!at->reached || at->config_size == 0)
            continue;
        if (memcmp(at->statement.lineage, best->statement.lineage,
                   LINEAGE_SIZE) != 0)
            return fault_of(plan, SUCCESSION_FOREIGN, at->node_id);
        if (at->statement.config_number == best->statement.config_number &&
            memcmp(at->statement.config_hash, best->statement.config_hash,
                   HASH_SIZE) != 0)
            return fault_of(plan, SUCCESSION_EQUIVOCATION, at->node_id);
    }
    memcpy(plan->older_bytes, best->config, best->config_size);
    plan->older_size = best->config_size;
    status = config_decode(&plan->older,
                           slice_of(plan->older_bytes, plan->older_size));
    INVARIANT(status == ST_OK); /* succession_take() has read it. */
    plan->witness_needed = config_has_archive(&plan->older);
    return memcmp(plan->older.lineage, best->statement.lineage, LINEAGE_SIZE) ==
                   0
               ? SUCCESSION_GOOD
               : fault_of(plan, SUCCESSION_FOREIGN, best->node_id);
}

/* ---- What a statement is worth ------------------------------------------ */

static bool is_whole(const struct succession_node *node)
{
    return (node->statement.flags & (STATEMENT_LOST | STATEMENT_DAMAGED)) == 0;
}

/* It knows what the newest configuration is, so speaks of the same thing. */
static bool is_current(const struct succession_work *work,
                       const struct succession_node *node)
{
    return node->statement.config_number == work->plan->older.number;
}

static bool leads(const struct succession_work *work)
{
    return work->primary != NULL && is_current(work, work->primary) &&
           (work->primary->statement.flags & STATEMENT_PRIMARY) != 0;
}

/* The highest size that any node says is committed. */
static uint64_t known_commit(const struct succession_view *view)
{
    uint64_t known = 0;

    for (size_t i = 0; i < view->nodes_count; i++) {
        if (view->nodes[i].reached &&
            view->nodes[i].statement.committed > known)
            known = view->nodes[i].statement.committed;
    }
    return known;
}

static uint64_t most_held(const struct succession_view *view)
{
    uint64_t held = 0;

    for (size_t i = 0; i < view->nodes_count; i++) {
        if (view->nodes[i].reached && view->nodes[i].statement.size > held)
            held = view->nodes[i].statement.size;
    }
    return held;
}

static uint32_t epoch_seen(const struct succession_view *view)
{
    uint32_t seen = 0;

    for (size_t i = 0; i < view->nodes_count; i++) {
        const struct statement *at = &view->nodes[i].statement;
        if (!view->nodes[i].reached)
            continue;
        if (at->promised > seen)
            seen = at->promised;
        if (at->epoch > seen)
            seen = at->epoch;
    }
    return seen;
}

/* A member that answers and is whole has everything that was acknowledged. */
static const struct succession_node *whole_member(
    const struct succession_work *work, bool eligible)
{
    const struct config *older = &work->plan->older;

    for (size_t i = 0; i < work->view->nodes_count; i++) {
        const struct succession_node *at = &work->view->nodes[i];
        if (at->reached && is_whole(at) &&
            config_has_member(older, at->node_id) &&
            (!eligible || config_is_eligible(older, at->node_id)))
            return at;
    }
    return NULL;
}

/* Whether ${node}, which is reached, may be relied on to have what a member
 * must. */
static enum succession_fault judge_whole(const struct succession_work *work,
                                         const struct succession_node *node,
                                         const uint8_t *node_id)
{
    if (node == NULL)
        return fault_of(work->plan, SUCCESSION_SILENT, node_id);
    if (!is_whole(node))
        return fault_of(work->plan, SUCCESSION_LOST, node_id);
    if (node->statement.size < known_commit(work->view))
        return fault_of(work->plan, SUCCESSION_BEHIND, node_id);
    return SUCCESSION_GOOD;
}

/* V5: what the primary says of ${joining}, and that it is still that start. */
static enum succession_fault judge_joining(const struct succession_work *work,
                                           const uint8_t *joining)
{
    const struct statement *said = &work->primary->statement;
    const struct succession_node *self = reached_node(work->view, joining);

    if ((said->flags & STATEMENT_ACK) == 0 || !same_id(said->other, joining) ||
        said->other_matched < said->committed)
        return fault_of(work->plan, SUCCESSION_NOT_ACKED, joining);
    if (self == NULL)
        return fault_of(work->plan, SUCCESSION_SILENT, joining);
    if (!is_whole(self))
        return fault_of(work->plan, SUCCESSION_LOST, joining);
    if (self->statement.incarnation != said->other_incarnation)
        return fault_of(work->plan, SUCCESSION_NOT_ACKED, joining);
    return SUCCESSION_GOOD;
}

static void take_base(struct succession_plan *plan,
                      const struct succession_node *node)
{
    plan->newer.base_size = node->statement.size;
    memcpy(plan->newer.base_leaf, node->statement.leaf, HASH_SIZE);
}

/* ---- One function a wish ------------------------------------------------ */

/* The primary goes on, and asked for this by a statement of that kind. */
static enum succession_fault make_by_primary(struct succession_work *work)
{
    const struct succession_wish *wish = work->wish;
    struct succession_plan *plan = work->plan;
    enum succession_fault fault = SUCCESSION_GOOD;
    struct config *newer = &plan->newer;

    if (!leads(work) || work->primary->statement.why != wish->why)
        return fault_of(plan, SUCCESSION_PRIMARY_SILENT, plan->older.primary);
    take_base(plan, work->primary);
    if (wish->why == CONFIG_REMOVE || wish->why == CONFIG_REPLACE) {
        if (!config_has_member(newer, wish->node))
            return fault_of(plan, SUCCESSION_UNKNOWN_NODE, wish->node);
        config_dismiss(newer, wish->node);
    }
    if (wish->why == CONFIG_ADD || wish->why == CONFIG_REPLACE) {
        const uint8_t *joining =
            wish->why == CONFIG_ADD ? wish->node : wish->by;
        if (!config_has_learner(newer, joining) ||
            same_id(joining, wish->why == CONFIG_ADD ? wish->by : wish->node))
            return fault_of(plan, SUCCESSION_UNKNOWN_NODE, joining);
        fault = judge_joining(work, joining);
        if (fault == SUCCESSION_GOOD)
            config_admit(newer, joining,
                         work->primary->statement.other_incarnation);
    }
    return fault;
}

static void lead_with(struct succession_work *work)
{
    struct config *newer = &work->plan->newer;
    bool found = false;

    memcpy(newer->primary, work->wish->node, NODE_ID_SIZE);
    for (size_t i = 0; i < newer->members_count && !found; i++) {
        found = same_id(newer->members[i].node_id, work->wish->node);
        if (found && work->node != NULL)
            newer->members[i].incarnation = work->node->statement.incarnation;
    }
}

/* The old primary is silent, or has said where it stopped. */
static enum succession_fault judge_old_primary(struct succession_work *work)
{
    if (leads(work) && (work->primary->statement.flags & STATEMENT_SEALED) == 0)
        return fault_of(work->plan, SUCCESSION_PRIMARY_LIVES,
                        work->plan->older.primary);
    return SUCCESSION_GOOD;
}

/* The primary stays, and has no epoch left that it may lead in: somebody named
 * one that is above its grant. */
static enum succession_fault make_restart(struct succession_work *work)
{
    struct succession_plan *plan = work->plan;
    enum succession_fault fault;

    if (!same_id(work->wish->node, plan->older.primary))
        return fault_of(plan, SUCCESSION_UNKNOWN_NODE, work->wish->node);
    if (work->primary == NULL || !is_current(work, work->primary))
        return fault_of(plan, SUCCESSION_PRIMARY_SILENT, plan->older.primary);
    if (leads(work))
        return fault_of(plan, SUCCESSION_PRIMARY_LIVES, plan->older.primary);
    fault = judge_whole(work, work->primary, plan->older.primary);
    /* Who recovers may not have yet what its configuration rests on; who is to
     * lead has it, or waits until it has fetched it. */
    if (fault == SUCCESSION_GOOD && plan->older.phase == CONFIG_NORMAL &&
        work->primary->statement.size < plan->older.base_size)
        fault = fault_of(plan, SUCCESSION_BEHIND, plan->older.primary);
    if (fault != SUCCESSION_GOOD)
        return fault;
    lead_with(work);
    take_base(plan, work->primary);
    return SUCCESSION_GOOD;
}

static enum succession_fault make_promote(struct succession_work *work)
{
    struct succession_plan *plan = work->plan;
    enum succession_fault fault = judge_old_primary(work);

    if (fault == SUCCESSION_GOOD &&
        config_has_member(&plan->older, work->wish->node))
        fault = judge_whole(work, work->node, work->wish->node);
    if (fault != SUCCESSION_GOOD)
        return fault;
    lead_with(work);
    plan->newer.phase = CONFIG_NORMAL;
    if (plan->older.minimum == 1 &&
        config_has_member(&plan->newer, work->wish->node))
        config_dismiss_others(&plan->newer, work->wish->node);
    if (work->node != NULL)
        take_base(plan, work->node);
    return SUCCESSION_GOOD;
}

static enum succession_fault make_promote_via(struct succession_work *work)
{
    struct succession_plan *plan = work->plan;
    const struct succession_node *better = whole_member(work, true);
    enum succession_fault fault = judge_old_primary(work);

    if (fault != SUCCESSION_GOOD)
        return fault;
    if (better != NULL)
        return fault_of(plan, SUCCESSION_NO_NEED, better->node_id);
    if (!config_has_member(&plan->older, work->wish->by))
        return fault_of(plan, SUCCESSION_UNKNOWN_NODE, work->wish->by);
    fault = judge_whole(work, work->by, work->wish->by);
    if (fault != SUCCESSION_GOOD)
        return fault;
    if (work->node == NULL)
        return fault_of(plan, SUCCESSION_SILENT, work->wish->node);
    if (!is_whole(work->node))
        return fault_of(plan, SUCCESSION_LOST, work->wish->node);
    lead_with(work);
    plan->newer.phase = CONFIG_RECOVERING;
    take_base(plan, work->by);
    return SUCCESSION_GOOD;
}

/* The recovering primary states that it holds all that the member has. */
static enum succession_fault make_adopted(struct succession_work *work)
{
    const struct succession_wish *wish = work->wish;
    struct succession_plan *plan = work->plan;
    struct config *newer = &plan->newer;
    enum succession_fault fault;

    if (work->primary == NULL || !is_current(work, work->primary) ||
        work->primary->statement.why != CONFIG_ADOPTED ||
        plan->older.phase != CONFIG_RECOVERING)
        return fault_of(plan, SUCCESSION_PRIMARY_SILENT, plan->older.primary);
    if (!config_has_member(newer, wish->by))
        return fault_of(plan, SUCCESSION_UNKNOWN_NODE, wish->by);
    fault = judge_whole(work, work->primary, plan->older.primary);
    if (fault == SUCCESSION_GOOD)
        fault = judge_joining(work, wish->by);
    if (fault == SUCCESSION_GOOD &&
        reached_node(work->view, wish->by)->statement.size <
            work->primary->statement.other_matched)
        fault = fault_of(plan, SUCCESSION_BEHIND, wish->by);
    if (fault != SUCCESSION_GOOD)
        return fault;
    config_dismiss_others(newer, wish->by);
    newer->members[0].incarnation = work->primary->statement.other_incarnation;
    config_admit(newer, newer->primary, work->primary->statement.incarnation);
    newer->phase = CONFIG_NORMAL;
    take_base(plan, work->primary);
    return SUCCESSION_GOOD;
}

static enum succession_fault make_switchover(struct succession_work *work)
{
    struct succession_plan *plan = work->plan;
    const struct statement *said;
    enum succession_fault fault;

    if (!leads(work) || work->primary->statement.why != CONFIG_SWITCHOVER)
        return fault_of(plan, SUCCESSION_PRIMARY_SILENT, plan->older.primary);
    said = &work->primary->statement;
    if ((said->flags & STATEMENT_SEALED) == 0)
        return fault_of(plan, SUCCESSION_NOT_SEALED, plan->older.primary);
    fault = judge_joining(work, work->wish->node);
    if (fault == SUCCESSION_GOOD && said->committed < said->size)
        fault = fault_of(plan, SUCCESSION_NOT_SEALED, plan->older.primary);
    if (fault != SUCCESSION_GOOD)
        return fault;
    lead_with(work);
    take_base(plan, work->primary);
    return SUCCESSION_GOOD;
}

static enum succession_fault make_nodes(struct succession_work *work)
{
    const struct succession_wish *wish = work->wish;
    const struct succession_node *listed = listed_node(work->view, wish->node);
    struct succession_plan *plan = work->plan;
    struct config *newer = &plan->newer;
    bool named = !sodium_is_zero(wish->node, NODE_ID_SIZE);

    if (!leads(work))
        return fault_of(plan, SUCCESSION_PRIMARY_SILENT, plan->older.primary);
    take_base(plan, work->primary);
    if (wish->minimum != 0)
        newer->minimum = wish->minimum;
    if (!named)
        return SUCCESSION_GOOD;
    if (wish->retire) {
        if (!config_has_learner(newer, wish->node))
            return fault_of(plan, SUCCESSION_UNKNOWN_NODE, wish->node);
        if (config_is_eligible(newer, wish->node))
            config_remove_eligible(newer, wish->node);
        config_remove_learner(newer, wish->node);
        return SUCCESSION_GOOD;
    }
    if (listed == NULL || config_has_node(newer, wish->node) ||
        newer->members_count + newer->learners_count == CONFIG_NODES_MAX)
        return fault_of(plan, SUCCESSION_UNKNOWN_NODE, wish->node);
    config_add_learner(newer, wish->node);
    if (!listed->archive)
        config_add_eligible(newer, wish->node);
    return SUCCESSION_GOOD;
}

static enum succession_fault make_forced(struct succession_work *work)
{
    const struct succession_wish *wish = work->wish;
    const struct succession_node *better = whole_member(work, false);
    struct succession_plan *plan = work->plan;
    struct config *newer = &plan->newer;

    if (better != NULL)
        return fault_of(plan, SUCCESSION_NO_NEED, better->node_id);
    if (!config_has_node(newer, wish->node))
        return fault_of(plan, SUCCESSION_UNKNOWN_NODE, wish->node);
    if (work->node == NULL)
        return fault_of(plan, SUCCESSION_SILENT, wish->node);
    if ((work->node->statement.flags & STATEMENT_DAMAGED) != 0)
        return fault_of(plan, SUCCESSION_LOST, wish->node);
    /* It takes nothing but what follows what it knows. */
    if (!is_current(work, work->node))
        return fault_of(plan, SUCCESSION_BEHIND, wish->node);
    plan->kept = work->node->statement.size;
    plan->held = most_held(work->view);
    plan->known = known_commit(work->view);
    if (plan->older.base_size > plan->known)
        plan->known = plan->older.base_size;
    if (!config_has_member(newer, wish->node))
        config_admit(newer, wish->node, work->node->statement.incarnation);
    config_dismiss_others(newer, wish->node);
    lead_with(work);
    newer->phase = CONFIG_NORMAL;
    if (wish->minimum != 0)
        newer->minimum = wish->minimum;
    take_base(plan, work->node);
    if (plan->known > plan->kept)
        newer->lost_count = plan->known - plan->kept < UINT32_MAX
                                ? (uint32_t)(plan->known - plan->kept)
                                : UINT32_MAX;
    config_forced_lineage(newer->lineage, newer);
    return SUCCESSION_GOOD;
}

static enum succession_fault make_one(struct succession_work *work)
{
    switch (work->wish->why) {
    case CONFIG_REMOVE:
    case CONFIG_REPLACE:
    case CONFIG_ADD:
    case CONFIG_SETTLE:
        return make_by_primary(work);
    case CONFIG_PROMOTE:
        return make_promote(work);
    case CONFIG_PROMOTE_VIA:
        return make_promote_via(work);
    case CONFIG_ADOPTED:
        return make_adopted(work);
    case CONFIG_SWITCHOVER:
        return make_switchover(work);
    case CONFIG_NODES:
        return make_nodes(work);
    case CONFIG_FORCED:
        return make_forced(work);
    case CONFIG_RESTART:
        return make_restart(work);
    case CONFIG_BOOT:
        break;
    }
    return SUCCESSION_KIND;
}

static bool gives_a_term(enum config_why why)
{
    return why == CONFIG_PROMOTE || why == CONFIG_PROMOTE_VIA ||
           why == CONFIG_SWITCHOVER || why == CONFIG_FORCED ||
           why == CONFIG_RESTART;
}

enum succession_fault succession_make(struct succession_plan *plan,
                                      const struct succession_view *view,
                                      const struct succession_wish *wish)
{
    struct succession_work work = {plan, view, wish, NULL, NULL, NULL};
    enum succession_fault fault = succession_newest(plan, view);
    struct slice older = slice_of(plan->older_bytes, plan->older_size);

    if (fault != SUCCESSION_GOOD)
        return fault;
    if (plan->older.number == UINT64_MAX)
        return SUCCESSION_KIND;
    work.primary = reached_node(view, plan->older.primary);
    work.node = reached_node(view, wish->node);
    work.by = reached_node(view, wish->by);
    config_succeed(&plan->newer, &plan->older, older, wish->why);
    memcpy(plan->newer.nonce, wish->nonce, CONFIG_NONCE_SIZE);
    if (gives_a_term(wish->why) &&
        config_granted(&plan->newer.epoch, &plan->older, epoch_seen(view)) !=
            ST_OK)
        return SUCCESSION_EPOCHS;
    fault = make_one(&work);
    if (fault != SUCCESSION_GOOD)
        return fault;
    plan->config_fault = config_judge(&plan->newer, &plan->older, older);
    if (plan->config_fault != CONFIG_GOOD)
        return fault_of(plan, SUCCESSION_CONFIG, wish->node);
    config_encode(plan->newer_bytes, &plan->newer);
    plan->newer_size = config_size(&plan->newer);
    return SUCCESSION_GOOD;
}
