/*
 * sim_operator.c: the operator of a cluster without a register.  He signs one
 * lawful successor of each configuration, on what nodes state, and sometimes
 * tries what must be refused.
 *
 * Signatures are left out: nodes do not look at them, and here everybody knows
 * what was signed.
 */
#include <string.h>

#include "protocol/statement.h"
#include "replication/sometimes.h"
#include "tests/sim/sim_operator.h"

enum { OPERATOR_EVERY_US = 150000, OPERATOR_PATIENCE_US = 1200000 };

static struct sim_node *operator_node(struct sim *sim, const uint8_t *id)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (memcmp(sim->nodes[i].id, id, NODE_ID_SIZE) == 0)
            return &sim->nodes[i];
    }
    return NULL;
}

/* What ${node} states; it must know the newest configuration. */
static bool operator_asks(struct sim *sim, struct sim_node *node,
                          struct statement *out, enum config_why why,
                          const uint8_t *about, uint64_t number)
{
    return node != NULL && sim_operator_reaches(sim, node) &&
           replica_state(node->replica, out, why, about, sim->now / 1000 + 1) ==
               ST_OK &&
           out->config_number == number;
}

/* ---- Lawful ones -------------------------------------------------------- */

/* The first one is the founder's own. */
static void operator_boots(struct sim *sim)
{
    struct sim_node *first = &sim->nodes[0];
    struct config config;
    struct slice bytes;

    if (sim_operator_reaches(sim, first) &&
        replica_config(first->replica, &config, &bytes) && config.number == 1)
        sim_register_put(sim, bytes);
}

static void operator_succeeds(struct sim *sim, struct config *out,
                              const struct config *older, enum config_why why,
                              const struct statement *statement)
{
    const struct register_view *last = sim_operator_last(sim);

    config_succeed(out, older, slice_of(last->value, last->value_size), why);
    out->base_size = statement->size;
    memcpy(out->base_leaf, statement->leaf, HASH_SIZE);
    store_u64(out->nonce, random_next(&sim->reg));
}

/* An epoch above all that anybody whom he reaches has promised. */
static bool operator_grants(struct sim *sim, struct config *out,
                            const struct config *older)
{
    uint32_t seen = 0;

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct replica_status status;

        if (!sim_operator_reaches(sim, &sim->nodes[i]))
            continue;
        replica_status(sim->nodes[i].replica, &status, sim->now / 1000 + 1);
        if (status.promised > seen)
            seen = status.promised;
    }
    return config_granted(&out->epoch, older, seen) == ST_OK;
}

static void operator_renews(struct config *config, const uint8_t *id,
                            uint64_t incarnation)
{
    if (!config_has_member(config, id))
        return;
    config_remove_member(config, id);
    config_add_member(config, id, incarnation);
}

/* Whether the primary vouches for ${about}; if not yet, it is told to. */
static bool operator_vouched(struct sim *sim, struct sim_node *primary,
                             struct statement *out, enum config_why why,
                             const uint8_t *about, uint64_t number)
{
    struct replica_event event = {.type = REPLICA_VOUCH};

    if (!operator_asks(sim, primary, out, why, about, number))
        return false;
    if ((out->flags & STATEMENT_ACK) != 0)
        return true;
    SOMETIMES(operator_asks_to_vouch);
    memcpy(event.node_id, about, NODE_ID_SIZE);
    sim_node_event(sim, primary, &event);
    return false;
}

/* Who has nearly everything, one that may lead before an archive. */
static const uint8_t *operator_finds(struct sim *sim, struct sim_node *primary,
                                     const struct config *config)
{
    static struct replica_status status;
    const uint8_t *found = NULL;

    replica_status(primary->replica, &status, sim->now / 1000 + 1);
    for (size_t i = 1; i < status.nodes_count; i++) {
        const struct replica_member_status *node = &status.nodes[i];

        if (!config_has_learner(config, node->node_id) || !node->linked ||
            node->matched < status.committed)
            continue;
        if (!node->archive)
            return node->node_id;
        found = node->node_id;
    }
    return found;
}

/* What a primary asked for. */
static void operator_answers(struct sim *sim, struct sim_node *primary,
                             const struct config *older,
                             const struct statement *statement)
{
    enum config_why why = primary->want;
    struct statement about = *statement;
    struct config config;
    const uint8_t *in;

    operator_succeeds(sim, &config, older, why, statement);
    switch (why) {
    case CONFIG_REMOVE:
        if (!config_has_member(older, primary->want_node) ||
            older->members_count <= older->minimum)
            return;
        config_dismiss(&config, primary->want_node);
        break;
    case CONFIG_REPLACE:
        in = operator_finds(sim, primary, older);
        if (!config_has_member(older, primary->want_node) || in == NULL ||
            !operator_vouched(sim, primary, &about, why, in, older->number))
            return;
        config_dismiss(&config, primary->want_node);
        config_admit(&config, about.other, about.other_incarnation);
        break;
    case CONFIG_ADD:
        if (!operator_vouched(sim, primary, &about, why, primary->want_node,
                              older->number))
            return;
        if (config_has_member(older, about.other) &&
            config_member(older, about.other)->incarnation >=
                about.other_incarnation)
            return;
        if (config_has_member(older, about.other))
            operator_renews(&config, about.other, about.other_incarnation);
        else
            config_admit(&config, about.other, about.other_incarnation);
        break;
    case CONFIG_SETTLE:
        break;
    case CONFIG_SWITCHOVER:
        if (!operator_asks(sim, primary, &about, why, primary->want_node,
                           older->number) ||
            (about.flags & STATEMENT_SEALED) == 0 ||
            !operator_grants(sim, &config, older))
            return;
        memcpy(config.primary, primary->want_node, NODE_ID_SIZE);
        break;
    default:
        return;
    }
    SOMETIMES(operator_answers);
    sim_operator_signs(sim, &config);
}

/* The primary that there is needs a new epoch, or has adopted a log. */
static bool operator_helps(struct sim *sim, struct sim_node *primary,
                           const struct config *older,
                           const struct statement *statement)
{
    struct config config;
    struct sim_node *other = operator_node(sim, primary->want_node);
    struct statement about;

    if (primary->want != CONFIG_RESTART && primary->want != CONFIG_ADOPTED)
        return false;
    operator_succeeds(sim, &config, older, primary->want, statement);
    if (primary->want == CONFIG_RESTART) {
        if (!operator_grants(sim, &config, older))
            return true;
        operator_renews(&config, primary->id, statement->incarnation);
    } else {
        if (older->phase != CONFIG_RECOVERING || other == NULL || !other->up ||
            !config_has_member(older, other->id) ||
            !operator_asks(sim, primary, &about, CONFIG_ADOPTED, other->id,
                           older->number) ||
            (about.flags & STATEMENT_ACK) == 0 ||
            about.other_matched < about.committed ||
            about.other_incarnation != other->meta.value.incarnation)
            return true;
        config_dismiss_others(&config, other->id);
        operator_renews(&config, other->id, about.other_incarnation);
        config_admit(&config, primary->id, statement->incarnation);
        config.phase = CONFIG_NORMAL;
        SOMETIMES(operator_adopts);
    }
    sim_operator_signs(sim, &config);
    return true;
}

/* Nobody leads: a member does, or one that takes a member's log. */
static void operator_promotes(struct sim *sim, const struct config *older)
{
    struct statement statement;
    struct config config;

    for (int via = 0; via < 2; via++) {
        for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
            struct sim_node *node = &sim->nodes[i];
            bool member = config_has_member(older, node->id);
            enum config_why why = member ? CONFIG_PROMOTE : CONFIG_PROMOTE_VIA;

            if (member != (via == 0) || node->archive ||
                memcmp(node->id, older->primary, NODE_ID_SIZE) == 0 ||
                !operator_asks(sim, node, &statement, why, NULL,
                               older->number) ||
                (statement.flags & (STATEMENT_LOST | STATEMENT_DAMAGED)) != 0)
                continue;
            operator_succeeds(sim, &config, older, why, &statement);
            if (!operator_grants(sim, &config, older))
                return;
            memcpy(config.primary, node->id, NODE_ID_SIZE);
            config.phase = member ? CONFIG_NORMAL : CONFIG_RECOVERING;
            if (member && config.minimum == 1)
                config_dismiss_others(&config, node->id);
            operator_renews(&config, node->id, statement.incarnation);
            SOMETIMES(operator_promotes);
            sim_operator_signs(sim, &config);
            return;
        }
    }
}

/* ---- Others ------------------------------------------------------------- */

/* Signed in error, or by a thief of the key: no node may take it. */
static void operator_errs(struct sim *sim, const struct config *older)
{
    const struct register_view *last = sim_operator_last(sim);
    struct sim_node *node =
        &sim->nodes[random_below(&sim->fault, sim->options.nodes_count)];
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct config config = *older;
    struct statement statement;

    /* Who knows of an older one only cannot judge this one. */
    if (!operator_asks(sim, node, &statement, (enum config_why)0, NULL,
                       older->number))
        return;
    config_succeed(&config, older, slice_of(last->value, last->value_size),
                   CONFIG_PROMOTE);
    switch (random_below(&sim->fault, 3)) {
    case 0: /* A node that is no member. */
        if (config_has_member(older, node->id))
            return;
        memcpy(config.primary, node->id, NODE_ID_SIZE);
        config.epoch += 2 * CONFIG_GRANT_EPOCHS;
        break;
    case 1: /* An epoch that was had already. */
        config.why = CONFIG_RESTART;
        break;
    default: /* An old one again. */
        if (config_decode(&config,
                          slice_of(sim->reg_state.history[0].value,
                                   sim->reg_state.history[0].value_size)) !=
            ST_OK)
            return;
        break;
    }
    SOMETIMES(operator_errs);
    config_encode(bytes, &config);
    sim_paper_send(sim, node, slice_of(bytes, config_size(&config)),
                   older->number + 1);
}

void sim_operator(struct sim *sim)
{
    struct statement statement;
    struct replica_status status = {.lost_to = 0};
    size_t before = sim->reg_state.history_count;
    struct sim_node *primary;
    struct config older;

    sim_at(sim, sim->now + OPERATOR_EVERY_US + random_below(&sim->reg, 100000),
           EVENT_OPERATOR, SIM_NODES_MAX, 0, NULL);
    if (!sim_register_config(sim, &older)) {
        operator_boots(sim);
        return;
    }
    primary = operator_node(sim, older.primary);
    if (primary->up && primary->replica != NULL)
        replica_status(primary->replica, &status, sim->now / 1000 + 1);
    if (status.lost_to == 0 &&
        operator_asks(sim, primary, &statement, (enum config_why)0, NULL,
                      older.number)) {
        sim->operator_heard = sim->now;
        if (primary->want != (enum config_why)0 &&
            sim->now - primary->want_at < 2000000 &&
            !operator_helps(sim, primary, &older, &statement) &&
            (statement.flags & STATEMENT_PRIMARY) != 0)
            operator_answers(sim, primary, &older, &statement);
        if (sim->reg_state.history_count > before)
            primary->want = (enum config_why)0;
    } else if (sim->now - sim->operator_heard > OPERATOR_PATIENCE_US) {
        operator_promotes(sim, &older);
    }
    if ((sim->options.faults & FAULT_OPERATOR) != 0 && !sim->healing &&
        random_chance(&sim->fault, 100))
        operator_errs(sim, &older);
    sim_operator_sends(sim);
}
