#include "protocol/config.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

static struct sample_config older; /* A and B; Z learns. */
static struct config newer;

static void begin(enum config_why why)
{
    sample_config_pair(&older);
    config_succeed(&newer, &older.config, older.slice, why);
}

/* The same, from a configuration in which B, who is no member, recovers. */
static void begin_recovering(enum config_why why)
{
    begin(CONFIG_REPLACE);
    config_dismiss(&newer, sample_node('B'));
    config_admit(&newer, sample_node('Z'), 5);
    older.config = newer;
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_PROMOTE_VIA);
    newer.epoch += 9;
    newer.phase = CONFIG_RECOVERING;
    memcpy(newer.primary, sample_node('B'), NODE_ID_SIZE);
    ck_assert_int_eq(config_judge(&newer, &older.config, older.slice),
                     CONFIG_GOOD);
    older.config = newer;
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, why);
}

static void expect(enum config_fault fault)
{
    enum config_fault found = config_judge(&newer, &older.config, older.slice);

    ck_assert_msg(found == fault, "%s", config_fault_text(found));
}

static void lead(char letter, uint32_t higher)
{
    memcpy(newer.primary, sample_node(letter), NODE_ID_SIZE);
    newer.epoch += higher;
}

START_TEST(first_configuration_has_its_primary_alone)
{
    struct config config;

    sample_config(&config);
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_GOOD);
    config.number = 2;
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_BOOT_FORM);
    sample_config(&config);
    config.previous[31] = 1;
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_BOOT_FORM);
    sample_config(&config);
    config.why = CONFIG_RESTART;
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_BOOT_FORM);
    sample_config(&config);
    config.phase = CONFIG_RECOVERING;
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_BOOT_FORM);
    sample_config(&config);
    config_admit(&config, sample_node('B'), 1);
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_BOOT_FORM);
    sample_config(&config);
    config_remove_eligible(&config, sample_node('A'));
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_V3_PRIMARY);
    sample_config(&config);
    memcpy(config.primary, sample_node('B'), NODE_ID_SIZE);
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(v1_next_number_that_names_the_one_before_in_one_cluster)
{
    begin(CONFIG_SETTLE);
    expect(CONFIG_GOOD);
    newer.number++;
    expect(CONFIG_V1_NUMBER);
    newer.number -= 2;
    expect(CONFIG_V1_NUMBER);
    begin(CONFIG_SETTLE);
    newer.previous[0] ^= 1;
    expect(CONFIG_V1_PREVIOUS);
    begin(CONFIG_SETTLE);
    older.bytes[140] ^= 1; /* Another nonce: another value that was replaced. */
    expect(CONFIG_V1_PREVIOUS);
    begin(CONFIG_SETTLE);
    newer.cluster_id[0] ^= 1;
    expect(CONFIG_V1_CLUSTER);
    begin(CONFIG_BOOT);
    expect(CONFIG_WHY);
    begin(CONFIG_SETTLE);
    older.config.number = UINT64_MAX;
    newer.number = 0;
    expect(CONFIG_V1_NUMBER);
}
END_TEST

START_TEST(v2_epoch_rises_with_a_term_and_only_with_it)
{
    static const enum config_why stay[] = {CONFIG_SETTLE, CONFIG_NODES};

    for (size_t i = 0; i < 2; i++) {
        begin(stay[i]);
        expect(CONFIG_GOOD);
        newer.epoch++;
        expect(CONFIG_V2_EPOCH);
    }
    begin(CONFIG_RESTART);
    expect(CONFIG_V2_EPOCH);
    newer.epoch++;
    expect(CONFIG_GOOD);
    begin(CONFIG_PROMOTE);
    lead('B', 0);
    expect(CONFIG_V2_EPOCH);
    newer.epoch += CONFIG_GRANT_EPOCHS;
    expect(CONFIG_GOOD);
    begin(CONFIG_SWITCHOVER);
    lead('B', 0);
    expect(CONFIG_V2_EPOCH);
    begin(CONFIG_PROMOTE);
    lead('B', 4);
    older.config.epoch = newer.epoch + 1;
    expect(CONFIG_V2_EPOCH);
    begin(CONFIG_SETTLE);
    older.config.epoch = 5;
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_SETTLE);
    newer.epoch = 4;
    expect(CONFIG_V2_EPOCH);
    begin(CONFIG_SETTLE); /* Another primary in the same epoch. */
    lead('B', 0);
    expect(CONFIG_V2_EPOCH);
}
END_TEST

START_TEST(v3_primary_is_eligible_and_a_member)
{
    begin(CONFIG_PROMOTE);
    lead('Z', 1);
    expect(CONFIG_V3_PRIMARY); /* An archive, and no member. */
    begin(CONFIG_REPLACE);
    config_dismiss(&newer, sample_node('B'));
    config_admit(&newer, sample_node('Z'), 5);
    older.config = newer;
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_PROMOTE);
    lead('Z', 1);
    expect(CONFIG_V3_PRIMARY); /* An archive that is a member. */
    config_succeed(&newer, &older.config, older.slice, CONFIG_PROMOTE);
    lead('B', 1);
    expect(CONFIG_V3_PRIMARY); /* Eligible, and no member. */
    config_dismiss(&newer, sample_node('A'));
    config_admit(&newer, sample_node('B'), 7);
    expect(CONFIG_V3_PRIMARY); /* It makes itself one. */
    config_succeed(&newer, &older.config, older.slice, CONFIG_PROMOTE_VIA);
    lead('B', 1);
    newer.phase = CONFIG_RECOVERING;
    expect(CONFIG_GOOD);
    config_succeed(&newer, &older.config, older.slice, CONFIG_PROMOTE_VIA);
    lead('C', 1); /* Not a node at all. */
    newer.phase = CONFIG_RECOVERING;
    expect(CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(v3_member_does_not_recover_and_recovering_is_no_other_why)
{
    begin(CONFIG_PROMOTE_VIA);
    lead('B', 1);
    newer.phase = CONFIG_RECOVERING;
    expect(CONFIG_V3_PRIMARY);
    begin(CONFIG_PROMOTE);
    lead('B', 1);
    newer.phase = CONFIG_RECOVERING;
    expect(CONFIG_WHY);
    begin(CONFIG_PROMOTE); /* Of itself: that is a restart. */
    newer.epoch++;
    expect(CONFIG_WHY);
    begin(CONFIG_RESTART); /* Of another: that is a promotion. */
    lead('B', 1);
    expect(CONFIG_WHY);
}
END_TEST

START_TEST(v4_one_member_goes_and_not_below_the_minimum)
{
    begin(CONFIG_REMOVE);
    config_dismiss(&newer, sample_node('B'));
    expect(CONFIG_V4_MINIMUM);
    begin(CONFIG_NODES);
    newer.minimum = 1;
    expect(CONFIG_GOOD);
    older.config = newer;
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_REMOVE);
    expect(CONFIG_V4_MEMBERS); /* Nobody goes. */
    config_dismiss(&newer, sample_node('B'));
    expect(CONFIG_GOOD);
    newer.epoch++;
    expect(CONFIG_V2_EPOCH);
    newer.epoch--;
    newer.minimum = 2;
    expect(CONFIG_V4_MINIMUM);
}
END_TEST

START_TEST(v4_primary_does_not_remove_or_replace_itself)
{
    begin(CONFIG_REPLACE);
    config_dismiss(&newer, sample_node('A'));
    config_admit(&newer, sample_node('Z'), 5);
    expect(CONFIG_V3_PRIMARY);
    begin(CONFIG_REMOVE);
    newer.minimum = older.config.minimum = 1;
    sample_config_encode(&older);
    config_hash(newer.previous, older.slice);
    config_dismiss(&newer, sample_node('A'));
    expect(CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(v4_one_for_one_and_one_at_a_time)
{
    begin(CONFIG_REPLACE);
    config_dismiss(&newer, sample_node('B'));
    config_admit(&newer, sample_node('Z'), 5);
    expect(CONFIG_GOOD);
    begin(CONFIG_REPLACE);
    config_admit(&newer, sample_node('Z'), 5);
    expect(CONFIG_V4_MEMBERS);
    newer.why = CONFIG_ADD;
    expect(CONFIG_GOOD);
    newer.why = CONFIG_SETTLE;
    expect(CONFIG_V4_MEMBERS);
    newer.why = CONFIG_NODES;
    expect(CONFIG_V4_MEMBERS);
    newer.why = CONFIG_RESTART;
    newer.epoch++;
    expect(CONFIG_V4_MEMBERS);
    sample_config(&older.config);
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_ADD);
    config_admit(&newer, sample_node('B'), 1);
    expect(CONFIG_GOOD); /* From below the minimum, upwards. */
    config_admit(&newer, sample_node('Z'), 1);
    expect(CONFIG_V4_MEMBERS);
}
END_TEST

START_TEST(v4_who_was_no_node_does_not_join_and_nobody_is_forgotten)
{
    begin(CONFIG_ADD);
    config_add_member(&newer, sample_node('C'), 1);
    expect(CONFIG_LISTS);
    begin(CONFIG_REPLACE);
    config_admit(&newer, sample_node('Z'), 5);
    config_remove_eligible(&newer, sample_node('B'));
    config_remove_member(&newer, sample_node('B'));
    expect(CONFIG_LISTS);
    begin(CONFIG_SETTLE);
    config_remove_learner(&newer, sample_node('Z'));
    expect(CONFIG_LISTS);
    config_add_learner(&newer, sample_node('Y'));
    expect(CONFIG_LISTS);
    begin(CONFIG_SETTLE);
    config_add_eligible(&newer, sample_node('Z'));
    expect(CONFIG_LISTS);
    begin(CONFIG_SETTLE);
    config_remove_eligible(&newer, sample_node('B'));
    config_add_eligible(&newer, sample_node('Z'));
    expect(CONFIG_LISTS);
    begin(CONFIG_SETTLE);
    config_remove_eligible(&newer, sample_node('B'));
    expect(CONFIG_LISTS);
    begin(CONFIG_SETTLE);
    newer.minimum = 1;
    expect(CONFIG_LISTS);
}
END_TEST

/* Z, a member, is forgotten for an archive that is no node. */
START_TEST(v4_stranger_does_not_take_a_members_place)
{
    begin(CONFIG_REPLACE);
    config_dismiss(&newer, sample_node('B'));
    config_admit(&newer, sample_node('Z'), 5);
    older.config = newer;
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_REPLACE);
    config_remove_member(&newer, sample_node('Z'));
    config_add_member(&newer, sample_node('Y'), 1);
    expect(CONFIG_LISTS);
}
END_TEST

START_TEST(v6_recovering_does_not_end_with_a_node_that_was_no_member)
{
    begin_recovering(CONFIG_ADOPTED);
    config_add_learner(&older.config, sample_node('C'));
    sample_config_encode(&older);
    config_succeed(&newer, &older.config, older.slice, CONFIG_ADOPTED);
    newer.phase = CONFIG_NORMAL;
    config_admit(&newer, sample_node('B'), 8);
    config_admit(&newer, sample_node('C'), 1);
    config_dismiss(&newer, sample_node('A'));
    config_dismiss(&newer, sample_node('Z'));
    expect(CONFIG_V6_ADOPTED);
}
END_TEST

START_TEST(v4_promotion_leaves_the_members_or_one_with_a_minimum_of_one)
{
    begin(CONFIG_PROMOTE);
    lead('B', 1);
    expect(CONFIG_GOOD);
    newer.members[1].incarnation++; /* B's own. */
    expect(CONFIG_GOOD);
    newer.members[1].incarnation -= 2;
    expect(CONFIG_V4_MEMBERS);
    newer.members[1].incarnation++;
    newer.members[0].incarnation++; /* A's. */
    expect(CONFIG_V4_MEMBERS);
    newer.members[0].incarnation--;
    config_dismiss(&newer, sample_node('A'));
    expect(CONFIG_V4_MINIMUM);
    newer.minimum = older.config.minimum = 1;
    sample_config_encode(&older);
    config_hash(newer.previous, older.slice);
    expect(CONFIG_GOOD);
    newer.why = CONFIG_SWITCHOVER; /* Which leaves everybody in. */
    expect(CONFIG_V4_MEMBERS);
    newer.why = CONFIG_PROMOTE;
    config_admit(&newer, sample_node('Z'), 1);
    expect(CONFIG_V4_MEMBERS);
}
END_TEST

START_TEST(v4_promotion_keeps_the_members_whatever_a_new_minimum_says)
{
    begin(CONFIG_PROMOTE);
    lead('B', 1);
    config_dismiss(&newer, sample_node('A'));
    newer.minimum = 1; /* Only said by the successor itself. */
    expect(CONFIG_V4_MEMBERS);
}
END_TEST

START_TEST(v4_own_incarnation_rises_with_the_epoch_alone)
{
    begin(CONFIG_RESTART);
    newer.epoch++;
    newer.members[0].incarnation++;
    expect(CONFIG_GOOD);
    newer.members[1].incarnation++;
    expect(CONFIG_V4_MEMBERS);
    begin(CONFIG_SETTLE);
    newer.members[0].incarnation++;
    expect(CONFIG_V4_MEMBERS);
}
END_TEST

START_TEST(v6_recovering_ends_with_the_primary_and_one_of_those_before)
{
    begin_recovering(CONFIG_ADOPTED);
    newer.phase = CONFIG_NORMAL;
    expect(CONFIG_V3_PRIMARY); /* It is still no member. */
    config_admit(&newer, sample_node('B'), 8);
    expect(CONFIG_V6_ADOPTED); /* Of A's log nothing is known. */
    config_dismiss(&newer, sample_node('A'));
    expect(CONFIG_GOOD);
    newer.members[1].incarnation--; /* Z fell back. */
    expect(CONFIG_V6_ADOPTED);
    newer.members[1].incarnation += 2; /* It answered after a restart. */
    expect(CONFIG_GOOD);
    config_dismiss(&newer, sample_node('Z'));
    expect(CONFIG_V6_ADOPTED); /* Alone. */
    newer.why = CONFIG_SETTLE;
    expect(CONFIG_WHY);
}
END_TEST

START_TEST(v6_recovering_allows_nothing_but_its_end_or_another_term)
{
    begin_recovering(CONFIG_RESTART);
    newer.epoch++;
    expect(CONFIG_GOOD);
    begin_recovering(CONFIG_SETTLE);
    expect(CONFIG_GOOD);
    begin_recovering(CONFIG_REMOVE);
    config_dismiss(&newer, sample_node('A'));
    expect(CONFIG_WHY);
    begin_recovering(CONFIG_ADD);
    config_admit(&newer, sample_node('B'), 8);
    expect(CONFIG_WHY);
    newer.phase = CONFIG_NORMAL; /* It would join without a log. */
    expect(CONFIG_WHY);
    begin_recovering(CONFIG_SWITCHOVER);
    lead('A', 1);
    expect(CONFIG_WHY);
    newer.phase = CONFIG_NORMAL;
    expect(CONFIG_WHY);
    begin_recovering(CONFIG_PROMOTE); /* The old primary came back. */
    newer.phase = CONFIG_NORMAL;
    lead('A', 1);
    expect(CONFIG_GOOD);
    begin(CONFIG_ADOPTED);
    expect(CONFIG_WHY);
}
END_TEST

START_TEST(v7_lineage_changes_by_force_alone_and_to_a_name_nobody_chooses)
{
    begin(CONFIG_SETTLE);
    newer.lineage[0] ^= 1;
    expect(CONFIG_V7_LINEAGE);
    begin(CONFIG_FORCED);
    lead('B', 1);
    config_dismiss_others(&newer, sample_node('B'));
    expect(CONFIG_V7_LINEAGE);
    config_forced_lineage(newer.lineage, &newer);
    expect(CONFIG_GOOD);
    newer.nonce[0] ^= 1;
    expect(CONFIG_V7_LINEAGE);
    config_forced_lineage(newer.lineage, &newer);
    expect(CONFIG_GOOD);
    newer.minimum = 1;
    config_remove_learner(&newer, sample_node('Z'));
    config_forced_lineage(newer.lineage, &newer);
    expect(CONFIG_GOOD);
    config_admit(&newer, sample_node('A'), 1);
    config_forced_lineage(newer.lineage, &newer);
    expect(CONFIG_V4_MEMBERS);
    begin(CONFIG_FORCED);
    config_dismiss(&newer, sample_node('B'));
    config_forced_lineage(newer.lineage, &newer);
    expect(CONFIG_V2_EPOCH);
}
END_TEST

START_TEST(nodes_come_and_go_as_learners)
{
    begin(CONFIG_NODES);
    config_add_learner(&newer, sample_node('C'));
    config_add_eligible(&newer, sample_node('C'));
    expect(CONFIG_GOOD);
    config_remove_learner(&newer, sample_node('Z'));
    expect(CONFIG_GOOD);
    newer.minimum = 3;
    expect(CONFIG_V4_MINIMUM);
    begin(CONFIG_NODES);
    config_remove_eligible(&newer, sample_node('A'));
    expect(CONFIG_V3_PRIMARY);
    begin(CONFIG_NODES);
    config_admit(&newer, sample_node('Z'), 1);
    expect(CONFIG_V4_MEMBERS);
}
END_TEST

SUITE_MAIN("config_judge", first_configuration_has_its_primary_alone,
           v1_next_number_that_names_the_one_before_in_one_cluster,
           v2_epoch_rises_with_a_term_and_only_with_it,
           v3_primary_is_eligible_and_a_member,
           v3_member_does_not_recover_and_recovering_is_no_other_why,
           v4_one_member_goes_and_not_below_the_minimum,
           v4_primary_does_not_remove_or_replace_itself,
           v4_one_for_one_and_one_at_a_time,
           v4_who_was_no_node_does_not_join_and_nobody_is_forgotten,
           v4_stranger_does_not_take_a_members_place,
           v6_recovering_does_not_end_with_a_node_that_was_no_member,
           v4_promotion_leaves_the_members_or_one_with_a_minimum_of_one,
           v4_promotion_keeps_the_members_whatever_a_new_minimum_says,
           v4_own_incarnation_rises_with_the_epoch_alone,
           v6_recovering_ends_with_the_primary_and_one_of_those_before,
           v6_recovering_allows_nothing_but_its_end_or_another_term,
           v7_lineage_changes_by_force_alone_and_to_a_name_nobody_chooses,
           nodes_come_and_go_as_learners)
