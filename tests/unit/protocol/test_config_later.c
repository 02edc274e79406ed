/*
 * What can be judged of a configuration where those before it are not known.
 */
#include <string.h>

#include "protocol/config.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/random.h"
#include "tests/lib/suite.h"

static struct sample_config older; /* A and B; Z learns. */
static struct config newer;

/* Seven numbers later. */
static void begin(enum config_why why)
{
    sample_config_pair(&older);
    config_succeed(&newer, &older.config, older.slice, why);
    newer.number += 7;
    memset(newer.previous, 0x5a, HASH_SIZE);
}

static void expect(enum config_fault fault)
{
    enum config_fault found = config_judge_later(&newer, &older.config);

    ck_assert_msg(found == fault, "%s", config_fault_text(found));
}

static void lead(char letter, uint32_t higher)
{
    memcpy(newer.primary, sample_node(letter), NODE_ID_SIZE);
    newer.epoch += higher;
}

START_TEST(of_one_alone_only_its_primary_is_judged)
{
    sample_config_pair(&older);
    ck_assert_int_eq(config_judge_later(&older.config, NULL), CONFIG_GOOD);
    memcpy(older.config.primary, sample_node('Z'), NODE_ID_SIZE);
    ck_assert_int_eq(config_judge_later(&older.config, NULL),
                     CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(v1_and_v7_hold_over_a_gap)
{
    begin(CONFIG_SETTLE);
    expect(CONFIG_GOOD);
    newer.number = older.config.number;
    expect(CONFIG_V1_NUMBER);
    begin(CONFIG_SETTLE);
    newer.cluster_id[0] ^= 1;
    expect(CONFIG_V1_CLUSTER);
    begin(CONFIG_SETTLE);
    newer.lineage[0] ^= 1;
    expect(CONFIG_V7_LINEAGE);
    begin(CONFIG_FORCED);
    lead('A', 1);
    expect(CONFIG_V7_LINEAGE);
    begin(CONFIG_BOOT);
    expect(CONFIG_WHY);
}
END_TEST

START_TEST(v2_holds_over_a_gap)
{
    begin(CONFIG_SETTLE);
    newer.epoch--;
    expect(CONFIG_V2_EPOCH);
    newer.epoch += 9;
    expect(CONFIG_GOOD); /* Somebody started again on the way. */
    begin(CONFIG_SETTLE);
    lead('B', 0); /* Another leads in the same epoch. */
    expect(CONFIG_V2_EPOCH);
    newer.epoch++;
    expect(CONFIG_GOOD);
    begin(CONFIG_RESTART);
    expect(CONFIG_V2_EPOCH);
    newer.epoch++;
    expect(CONFIG_GOOD);
}
END_TEST

START_TEST(v3_holds_over_a_gap)
{
    begin(CONFIG_SETTLE);
    lead('Z', 3);
    expect(CONFIG_V3_PRIMARY);
    begin(CONFIG_PROMOTE_VIA);
    lead('B', 3); /* A member does not recover. */
    newer.phase = CONFIG_RECOVERING;
    expect(CONFIG_V3_PRIMARY);
    config_dismiss(&newer, sample_node('B'));
    expect(CONFIG_V4_MINIMUM);
    config_admit(&newer, sample_node('Z'), 1);
    expect(CONFIG_GOOD);
    newer.phase = CONFIG_NORMAL;
    expect(CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(v4_holds_over_a_gap)
{
    begin(CONFIG_REMOVE);
    config_dismiss(&newer, sample_node('B'));
    expect(CONFIG_V4_MINIMUM);
    newer.minimum = 1;
    expect(CONFIG_GOOD);
    begin(CONFIG_SETTLE);
    newer.minimum = 3; /* As two that recovered are left. */
    expect(CONFIG_GOOD);
    begin(CONFIG_SETTLE);
    config_dismiss(&older.config, sample_node('B'));
    config_dismiss(&newer, sample_node('B'));
    expect(CONFIG_GOOD); /* One was too few before. */
    older.config.minimum = 1;
    expect(CONFIG_V4_MINIMUM);
}
END_TEST

START_TEST(v6_and_what_is_said_hold_over_a_gap)
{
    begin(CONFIG_ADOPTED);
    expect(CONFIG_GOOD);
    config_admit(&newer, sample_node('Z'), 1);
    expect(CONFIG_V6_ADOPTED);
    begin(CONFIG_PROMOTE);
    lead('B', 2);
    expect(CONFIG_GOOD);
    config_dismiss(&newer, sample_node('B'));
    config_admit(&newer, sample_node('Z'), 1);
    newer.phase = CONFIG_RECOVERING;
    expect(CONFIG_WHY);
    newer.why = CONFIG_ADD;
    expect(CONFIG_WHY);
    newer.why = CONFIG_SETTLE;
    expect(CONFIG_GOOD);
    newer.epoch = older.config.epoch;
    expect(CONFIG_V2_EPOCH);
}
END_TEST

/* ---- Chains -------------------------------------------------------------- */

enum { CHAIN = 60, CHAINS = 60, TRIES = 4000 };

static struct sample_config chain[CHAIN];

/* Changes something, lawful or not. */
static void change_one(struct config *config, struct random *random)
{
    static const char nodes[] = "ABCZ";
    const uint8_t *node = sample_node(nodes[random_below(random, 4)]);

    switch (random_below(random, 8)) {
    case 0:
        config->epoch += random_below(random, 3);
        break;
    case 1:
        memcpy(config->primary, node, NODE_ID_SIZE);
        config->epoch++;
        break;
    case 2:
        config->phase =
            config->phase == CONFIG_NORMAL ? CONFIG_RECOVERING : CONFIG_NORMAL;
        break;
    case 3:
        config->minimum = (uint8_t)(1 + random_below(random, 3));
        break;
    case 4:
    case 5:
        if (config_has_learner(config, node))
            config_admit(config, node, random_below(random, 9) + 1);
        break;
    default:
        if (config_has_member(config, node) && config->members_count > 1)
            config_dismiss(config, node);
        break;
    }
}

static bool grow(size_t at, struct random *random)
{
    const struct sample_config *last = &chain[at - 1];
    enum config_why why =
        (enum config_why)(1 + random_below(random, CONFIG_WHY_MAX));

    if (why == CONFIG_FORCED)
        return false;
    config_succeed(&chain[at].config, &last->config, last->slice, why);
    for (uint32_t i = random_below(random, 4); i > 0; i--)
        change_one(&chain[at].config, random);
    if (config_judge(&chain[at].config, &last->config, last->slice) !=
        CONFIG_GOOD)
        return false;
    sample_config_encode(&chain[at]);
    return true;
}

START_TEST(no_chain_of_good_configurations_leads_to_one_that_is_refused)
{
    struct random random;
    size_t longest = 0;

    for (uint64_t seed = 0; seed < CHAINS; seed++) {
        size_t count = 1;

        random = (struct random){seed};
        sample_config(&chain[0].config);
        config_add_learner(&chain[0].config, sample_node('C'));
        config_add_eligible(&chain[0].config, sample_node('C'));
        chain[0].config.minimum = (uint8_t)(1 + seed % 3);
        sample_config_encode(&chain[0]);
        for (int i = 0; i < TRIES && count < CHAIN; i++)
            count += grow(count, &random);
        if (count > longest)
            longest = count;
        for (size_t i = 0; i < count; i++) {
            for (size_t j = i + 1; j < count; j++)
                ck_assert_msg(
                    config_judge_later(&chain[j].config, &chain[i].config) ==
                        CONFIG_GOOD,
                    "seed %u: %u to %u", (unsigned)seed, (unsigned)i,
                    (unsigned)j);
        }
    }
    ck_assert_uint_eq(longest, CHAIN);
}
END_TEST

SUITE_MAIN("config_later", of_one_alone_only_its_primary_is_judged,
           v1_and_v7_hold_over_a_gap, v2_holds_over_a_gap, v3_holds_over_a_gap,
           v4_holds_over_a_gap, v6_and_what_is_said_hold_over_a_gap,
           no_chain_of_good_configurations_leads_to_one_that_is_refused)
