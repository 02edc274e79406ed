#include <string.h>

#include <sodium.h>

#include "protocol/config.h"

enum judged_primary { PRIMARY_SAME, PRIMARY_OTHER, PRIMARY_ANY };
enum judged_phase {
    PHASE_STAYS,
    PHASE_IN_NORMAL,
    PHASE_ADOPTED,
    PHASE_BECOMES
};
enum judged_members {
    MEMBERS_SAME,
    MEMBERS_LESS,
    MEMBERS_SWAP,
    MEMBERS_MORE,
    MEMBERS_SAME_OR_SELF,
    MEMBERS_ADOPTED,
    MEMBERS_SELF
};

/* The table of config.h. */
static const struct judged_form {
    bool is_successor;
    bool epoch_rises;
    enum judged_primary primary;
    enum judged_phase phase;
    enum config_phase becomes; /* PHASE_BECOMES */
    enum judged_members members;
    bool lists_free;
} forms[CONFIG_WHY_MAX + 1] = {
    [CONFIG_RESTART] = {true, true, PRIMARY_SAME, PHASE_STAYS, 0, MEMBERS_SAME,
                        false},
    [CONFIG_REMOVE] = {true, false, PRIMARY_SAME, PHASE_IN_NORMAL, 0,
                       MEMBERS_LESS, false},
    [CONFIG_REPLACE] = {true, false, PRIMARY_SAME, PHASE_IN_NORMAL, 0,
                        MEMBERS_SWAP, false},
    [CONFIG_ADD] = {true, false, PRIMARY_SAME, PHASE_IN_NORMAL, 0, MEMBERS_MORE,
                    false},
    [CONFIG_PROMOTE] = {true, true, PRIMARY_OTHER, PHASE_BECOMES, CONFIG_NORMAL,
                        MEMBERS_SAME_OR_SELF, false},
    [CONFIG_PROMOTE_VIA] = {true, true, PRIMARY_OTHER, PHASE_BECOMES,
                            CONFIG_RECOVERING, MEMBERS_SAME, false},
    [CONFIG_ADOPTED] = {true, false, PRIMARY_SAME, PHASE_ADOPTED, 0,
                        MEMBERS_ADOPTED, false},
    [CONFIG_SWITCHOVER] = {true, true, PRIMARY_OTHER, PHASE_IN_NORMAL, 0,
                           MEMBERS_SAME, false},
    [CONFIG_SETTLE] = {true, false, PRIMARY_SAME, PHASE_STAYS, 0, MEMBERS_SAME,
                       false},
    [CONFIG_FORCED] = {true, true, PRIMARY_ANY, PHASE_BECOMES, CONFIG_NORMAL,
                       MEMBERS_SELF, true},
    [CONFIG_NODES] = {true, false, PRIMARY_SAME, PHASE_STAYS, 0, MEMBERS_SAME,
                      true},
};

static bool same_node(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, NODE_ID_SIZE) == 0;
}

static enum config_fault judge_chain(const struct config *newer,
                                     const struct config *older,
                                     struct slice older_bytes)
{
    uint8_t hash[HASH_SIZE], lineage[LINEAGE_SIZE];

    if (older->number == UINT64_MAX || newer->number != older->number + 1)
        return CONFIG_V1_NUMBER;
    config_hash(hash, older_bytes);
    if (memcmp(newer->previous, hash, HASH_SIZE) != 0)
        return CONFIG_V1_PREVIOUS;
    if (memcmp(newer->cluster_id, older->cluster_id, CLUSTER_ID_SIZE) != 0)
        return CONFIG_V1_CLUSTER;
    if (newer->why == CONFIG_FORCED)
        config_forced_lineage(lineage, newer);
    else
        memcpy(lineage, older->lineage, LINEAGE_SIZE);
    if (memcmp(newer->lineage, lineage, LINEAGE_SIZE) != 0)
        return CONFIG_V7_LINEAGE;
    return CONFIG_GOOD;
}

static enum config_fault judge_epoch(const struct config *newer,
                                     const struct config *older,
                                     const struct judged_form *form)
{
    bool same = same_node(newer->primary, older->primary);

    if (newer->epoch < older->epoch || (!same && newer->epoch == older->epoch))
        return CONFIG_V2_EPOCH;
    if (form->epoch_rises != (newer->epoch > older->epoch))
        return CONFIG_V2_EPOCH;
    if (form->primary != PRIMARY_ANY && same != (form->primary == PRIMARY_SAME))
        return CONFIG_WHY;
    return CONFIG_GOOD;
}

/* V3 of one configuration by itself. */
static bool primary_stands(const struct config *config)
{
    bool member = config_has_member(config, config->primary);

    return config_is_eligible(config, config->primary) &&
           member == (config->phase == CONFIG_NORMAL);
}

static enum config_fault judge_primary(const struct config *newer,
                                       const struct config *older,
                                       const struct judged_form *form)
{
    if (!primary_stands(newer))
        return CONFIG_V3_PRIMARY;
    /* Who recovers is eligible, so a node, and as no member a learner. */
    if (form->primary == PRIMARY_OTHER && newer->phase == CONFIG_NORMAL &&
        !config_has_member(older, newer->primary))
        return CONFIG_V3_PRIMARY;
    return CONFIG_GOOD;
}

static bool phase_fits(const struct config *newer, const struct config *older,
                       const struct judged_form *form)
{
    switch (form->phase) {
    case PHASE_STAYS:
        return newer->phase == older->phase;
    case PHASE_IN_NORMAL:
        return newer->phase == CONFIG_NORMAL && older->phase == CONFIG_NORMAL;
    case PHASE_ADOPTED:
        return newer->phase == CONFIG_NORMAL &&
               older->phase == CONFIG_RECOVERING;
    case PHASE_BECOMES:
        return newer->phase == form->becomes;
    }
    return false;
}

/* How the members differ. */
struct judged_change {
    size_t joined;
    size_t left;
    bool own_rose;      /* The primary's incarnation, */
    size_t others_rose; /* other members', */
    bool fell;          /* or anybody's fell. */
};

static void compare_members(struct judged_change *out,
                            const struct config *newer,
                            const struct config *older)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < newer->members_count; i++) {
        const struct config_member *now = &newer->members[i];
        const struct config_member *was = config_member(older, now->node_id);
        if (was == NULL)
            out->joined++;
        else if (now->incarnation < was->incarnation)
            out->fell = true;
        else if (now->incarnation == was->incarnation)
            continue;
        else if (same_node(now->node_id, newer->primary))
            out->own_rose = true;
        else
            out->others_rose++;
    }
    for (size_t i = 0; i < older->members_count; i++)
        out->left += !config_has_member(newer, older->members[i].node_id);
}

static enum config_fault judge_members(const struct config *newer,
                                       const struct config *older,
                                       const struct judged_form *form)
{
    struct judged_change change;
    bool self =
        newer->members_count == 1 && config_has_member(newer, newer->primary);
    bool right = false;

    compare_members(&change, newer, older);
    switch (form->members) {
    case MEMBERS_SAME:
        right = change.joined == 0 && change.left == 0;
        break;
    case MEMBERS_LESS:
        right = change.joined == 0 && change.left == 1;
        break;
    case MEMBERS_SWAP:
        right = change.joined == 1 && change.left == 1;
        break;
    case MEMBERS_MORE:
        /* Or one that lost entries is admitted again, with a newer start. */
        if (change.joined == 0 && change.left == 0 && change.others_rose == 1 &&
            !change.own_rose && !change.fell)
            return CONFIG_GOOD;
        right = change.joined == 1 && change.left == 0;
        break;
    case MEMBERS_SAME_OR_SELF:
        right = change.joined == 0 &&
                (change.left == 0 || (self && older->minimum == 1));
        break;
    case MEMBERS_ADOPTED:
        return !change.fell && newer->members_count == 2 && change.joined == 1
                   ? CONFIG_GOOD
                   : CONFIG_V6_ADOPTED;
    case MEMBERS_SELF:
        return self ? CONFIG_GOOD : CONFIG_V4_MEMBERS;
    }
    if (!right || change.fell || change.others_rose > 0 ||
        (change.own_rose && !form->epoch_rises))
        return CONFIG_V4_MEMBERS;
    return CONFIG_GOOD;
}

/* Nodes, who is eligible, and the minimum. */
static bool lists_same(const struct config *newer, const struct config *older)
{
    if (newer->minimum != older->minimum ||
        newer->eligible_count != older->eligible_count ||
        memcmp(newer->eligible, older->eligible,
               (size_t)newer->eligible_count * NODE_ID_SIZE) != 0 ||
        newer->members_count + newer->learners_count !=
            older->members_count + older->learners_count)
        return false;
    for (size_t i = 0; i < newer->members_count; i++) {
        if (!config_has_node(older, newer->members[i].node_id))
            return false;
    }
    for (size_t i = 0; i < newer->learners_count; i++) {
        if (!config_has_node(older, newer->learners[i]))
            return false;
    }
    return true;
}

/* Fewer than the minimum may only be what was so before, or had to begin so. */
static bool minimum_kept(const struct config *newer, const struct config *older,
                         const struct judged_form *form)
{
    if (newer->members_count >= newer->minimum ||
        form->members == MEMBERS_ADOPTED || form->members == MEMBERS_SELF)
        return true;
    return newer->members_count >= older->members_count &&
           newer->minimum <= older->minimum;
}

static enum config_fault judge_first(const struct config *config)
{
    if (config->why != CONFIG_BOOT || config->number != 1 ||
        config->phase != CONFIG_NORMAL || config->members_count != 1 ||
        !sodium_is_zero(config->previous, HASH_SIZE))
        return CONFIG_BOOT_FORM;
    return primary_stands(config) ? CONFIG_GOOD : CONFIG_V3_PRIMARY;
}

enum config_fault config_judge(const struct config *newer,
                               const struct config *older,
                               struct slice older_bytes)
{
    const struct judged_form *form = &forms[newer->why];
    enum config_fault fault;

    REQUIRE(newer->why <= CONFIG_WHY_MAX);
    if (older == NULL)
        return judge_first(newer);
    fault = judge_chain(newer, older, older_bytes);
    if (fault == CONFIG_GOOD && !form->is_successor)
        fault = CONFIG_WHY;
    if (fault == CONFIG_GOOD)
        fault = judge_epoch(newer, older, form);
    if (fault == CONFIG_GOOD && !phase_fits(newer, older, form))
        fault = CONFIG_WHY;
    if (fault == CONFIG_GOOD)
        fault = judge_primary(newer, older, form);
    if (fault == CONFIG_GOOD && !minimum_kept(newer, older, form))
        fault = CONFIG_V4_MINIMUM;
    if (fault == CONFIG_GOOD)
        fault = judge_members(newer, older, form);
    if (fault == CONFIG_GOOD && !form->lists_free && !lists_same(newer, older))
        fault = CONFIG_LISTS;
    return fault;
}

/* ---- Over a gap --------------------------------------------------------- */

/* What the last change says of its own result. */
static enum config_fault later_form(const struct config *newer)
{
    const struct judged_form *form = &forms[newer->why];

    if (!form->is_successor)
        return CONFIG_WHY;
    switch (form->phase) {
    case PHASE_STAYS:
        break;
    case PHASE_IN_NORMAL:
    case PHASE_ADOPTED:
        if (newer->phase != CONFIG_NORMAL)
            return CONFIG_WHY;
        break;
    case PHASE_BECOMES:
        if (newer->phase != form->becomes)
            return CONFIG_WHY;
        break;
    }
    if (form->members == MEMBERS_ADOPTED && newer->members_count != 2)
        return CONFIG_V6_ADOPTED;
    return CONFIG_GOOD;
}

static enum config_fault later_epoch(const struct config *newer,
                                     const struct config *older)
{
    bool rises =
        !same_node(newer->primary, older->primary) ||
        forms[newer->why].epoch_rises ||
        (newer->phase == CONFIG_RECOVERING && older->phase == CONFIG_NORMAL);

    if (newer->epoch < older->epoch || (rises && newer->epoch == older->epoch))
        return CONFIG_V2_EPOCH;
    return CONFIG_GOOD;
}

/* Below the minimum are two that ADOPTED left, or as many as were so before. */
static bool later_minimum(const struct config *newer,
                          const struct config *older)
{
    return newer->members_count >= newer->minimum ||
           newer->members_count >= 2 ||
           (older->members_count < older->minimum &&
            newer->members_count >= older->members_count &&
            newer->minimum <= older->minimum);
}

enum config_fault config_judge_later(const struct config *newer,
                                     const struct config *older)
{
    enum config_fault fault = CONFIG_GOOD;

    REQUIRE(newer->why <= CONFIG_WHY_MAX);
    if (!primary_stands(newer))
        return CONFIG_V3_PRIMARY;
    if (older == NULL)
        return CONFIG_GOOD;
    if (newer->number <= older->number)
        return CONFIG_V1_NUMBER;
    if (memcmp(newer->cluster_id, older->cluster_id, CLUSTER_ID_SIZE) != 0)
        return CONFIG_V1_CLUSTER;
    if (newer->why == CONFIG_FORCED ||
        memcmp(newer->lineage, older->lineage, LINEAGE_SIZE) != 0)
        return CONFIG_V7_LINEAGE;
    fault = later_form(newer);
    if (fault == CONFIG_GOOD)
        fault = later_epoch(newer, older);
    if (fault == CONFIG_GOOD && !later_minimum(newer, older))
        fault = CONFIG_V4_MINIMUM;
    return fault;
}
