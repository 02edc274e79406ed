#include "protocol/succession.h"

#include <sodium.h>

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

enum { A, B, Z, NODES };
static const char letters[NODES] = {'A', 'B', 'Z'};

static struct sample_config older;
static struct succession_view view;
static struct succession_wish wish;
static struct succession_plan plan;

/* What node ${at} says under ${older}, changed by the caller and taken. */
static struct statement said[NODES];

static void take(int at)
{
    struct identity identity;
    uint8_t bytes[STATEMENT_SIZE];

    sample_identity(&identity, (uint8_t)(20 + at));
    statement_sign(bytes, &said[at], &identity);
    ck_assert_int_eq(succession_take(&view.nodes[at],
                                     slice_of(bytes, sizeof bytes),
                                     identity.public_key, older.slice,
                                     older.config.cluster_id),
                     ST_OK);
}

/* Everybody answers: A leads, 1000 entries are durable, 998 are committed. */
static void take_all(void)
{
    memset(&view, 0, sizeof view);
    view.nodes_count = NODES;
    memcpy(view.cluster_id, older.config.cluster_id, CLUSTER_ID_SIZE);
    for (int at = 0; at < NODES; at++) {
        sample_statement(&said[at], &older);
        said[at].flags = 0;
        said[at].why = 0;
        said[at].incarnation = (uint64_t)(at + 7);
        memcpy(said[at].node_id, sample_node(letters[at]), NODE_ID_SIZE);
        memset(said[at].other, 0, NODE_ID_SIZE);
        said[at].other_incarnation = said[at].other_matched = 0;
        memcpy(view.nodes[at].node_id, sample_node(letters[at]), NODE_ID_SIZE);
        view.nodes[at].archive = letters[at] == 'Z';
        if (config_has_node(&older.config, view.nodes[at].node_id) &&
            memcmp(older.config.primary, view.nodes[at].node_id,
                   NODE_ID_SIZE) == 0)
            said[at].flags = STATEMENT_PRIMARY;
        take(at);
    }
}

static void wish_for(enum config_why why, char node, char by)
{
    memset(&wish, 0, sizeof wish);
    wish.why = why;
    if (node != 0)
        memcpy(wish.node, sample_node(node), NODE_ID_SIZE);
    if (by != 0)
        memcpy(wish.by, sample_node(by), NODE_ID_SIZE);
    memset(wish.nonce, 0x77, CONFIG_NONCE_SIZE);
}

/* Members A and B with a minimum of two. */
static void begin(enum config_why why, char node, char by)
{
    sample_config_pair(&older);
    take_all();
    wish_for(why, node, by);
}

/* Members A and Z: B fell out. */
static void begin_without_b(enum config_why why, char node, char by)
{
    struct sample_config pair;

    sample_config_pair(&pair);
    config_succeed(&older.config, &pair.config, pair.slice, CONFIG_REPLACE);
    config_dismiss(&older.config, sample_node('B'));
    config_admit(&older.config, sample_node('Z'), 9);
    sample_config_encode(&older);
    take_all();
    wish_for(why, node, by);
}

static void expect(enum succession_fault fault)
{
    enum succession_fault found = succession_make(&plan, &view, &wish);

    ck_assert_msg(found == fault, "%s", succession_fault_text(found));
}

static void expect_rule(enum config_fault fault)
{
    expect(SUCCESSION_CONFIG);
    ck_assert_msg(plan.config_fault == fault, "%s",
                  config_fault_text(plan.config_fault));
}

static void silence(int at)
{
    view.nodes[at].reached = false;
}

/* The primary's statement, asked for this change about ${other}. */
static void primary_states(int at, uint16_t flags, char other)
{
    said[at].flags = (uint16_t)(STATEMENT_PRIMARY | flags);
    said[at].why = wish.why;
    if (other != 0)
        memcpy(said[at].other, sample_node(other), NODE_ID_SIZE);
    said[at].other_incarnation = other == 'B' ? 8 : 9;
    said[at].other_matched = 998;
    take(at);
}

START_TEST(statement_is_taken_with_the_configuration_that_it_names)
{
    struct identity identity;
    uint8_t bytes[STATEMENT_SIZE] = {0}, other[CLUSTER_ID_SIZE] = {0};
    struct slice slice = slice_of(bytes, sizeof bytes);
    struct succession_node *node = &view.nodes[B];
    const uint8_t *cluster_id = older.config.cluster_id;

    begin(CONFIG_PROMOTE, 'B', 0);
    sample_identity(&identity, 21);
    statement_sign(bytes, &said[B], &identity);
    ck_assert_int_eq(succession_take(node, slice, identity.public_key,
                                     older.slice, cluster_id),
                     ST_OK);
    ck_assert_int_eq(succession_take(node, slice, identity.public_key,
                                     slice_of(NULL, 0), cluster_id),
                     ST_CHECKSUM);
    ck_assert(!node->reached);
    ck_assert_int_eq(succession_take(node, slice, identity.public_key,
                                     slice_of(older.bytes, 100), cluster_id),
                     ST_FILE_FORMAT);
    ck_assert_int_eq(
        succession_take(node, slice, identity.public_key, older.slice, other),
        ST_WRONG_ENV);
    older.bytes[140] ^= 1;
    ck_assert_int_eq(succession_take(node, slice, identity.public_key,
                                     older.slice, cluster_id),
                     ST_CHECKSUM);
    older.bytes[140] ^= 1;
    ck_assert_int_eq(succession_take(&view.nodes[A], slice, identity.public_key,
                                     older.slice, cluster_id),
                     ST_CHECKSUM);
    identity.public_key[1] ^= 1;
    ck_assert_int_eq(succession_take(node, slice, identity.public_key,
                                     older.slice, cluster_id),
                     ST_BAD_SIG);
}
END_TEST

START_TEST(nothing_is_signed_on_no_evidence_or_two_histories)
{
    struct sample_config first = older;

    begin(CONFIG_PROMOTE, 'B', 0);
    for (int at = 0; at < NODES; at++)
        silence(at);
    expect(SUCCESSION_NOBODY);
    begin(CONFIG_PROMOTE, 'B', 0);
    first = older;
    older.config.nonce[3] ^= 1; /* B was given another of that number. */
    sample_config_encode(&older);
    config_hash(said[B].config_hash, older.slice);
    take(B);
    expect(SUCCESSION_EQUIVOCATION);
    older = first;
    older.config.lineage[0] ^= 1;
    sample_config_encode(&older);
    take_all();
    older = first;
    said[Z].lineage[0] ^= 1;
    config_hash(said[Z].config_hash, older.slice);
    take(Z);
    expect(SUCCESSION_FOREIGN);
}
END_TEST

/* Scenario 4: A dies while both have everything. */
START_TEST(silent_primarys_member_is_promoted_and_the_set_stays)
{
    begin(CONFIG_PROMOTE, 'B', 0);
    silence(A);
    expect(SUCCESSION_GOOD);
    ck_assert(config_has_member(&plan.newer, sample_node('A')));
    ck_assert_mem_eq(plan.newer.primary, sample_node('B'), NODE_ID_SIZE);
    ck_assert_uint_eq(plan.newer.epoch,
                      older.config.epoch + CONFIG_GRANT_EPOCHS);
    ck_assert_uint_eq(plan.newer.number, older.config.number + 1);
    ck_assert_uint_eq(plan.newer.base_size, 1000);
    ck_assert_uint_eq(config_member(&plan.newer, sample_node('B'))->incarnation,
                      8);
    ck_assert(plan.witness_needed);
    ck_assert_int_eq(config_judge(&plan.newer, &older.config, older.slice),
                     CONFIG_GOOD);
    ck_assert_uint_eq(plan.newer_size, config_size(&plan.newer));
    ck_assert(!sodium_is_zero(plan.evidence, HASH_SIZE));
}
END_TEST

START_TEST(promotion_with_a_minimum_of_one_leaves_the_new_primary_alone)
{
    begin(CONFIG_PROMOTE, 'B', 0);
    older.config.minimum = 1;
    sample_config_encode(&older);
    take_all();
    silence(A);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.members_count, 1);
}
END_TEST

START_TEST(promotion_goes_above_every_epoch_that_somebody_promised)
{
    begin(CONFIG_PROMOTE, 'B', 0);
    said[Z].promised = 100000;
    take(Z);
    silence(A);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.epoch, 100001);
    said[Z].promised = UINT32_MAX;
    take(Z);
    expect(SUCCESSION_EPOCHS);
}
END_TEST

START_TEST(living_primary_is_not_deposed_by_a_promotion)
{
    begin(CONFIG_PROMOTE, 'B', 0);
    expect(SUCCESSION_PRIMARY_LIVES);
    ck_assert_mem_eq(plan.concerned, sample_node('A'), NODE_ID_SIZE);
    primary_states(A, STATEMENT_SEALED, 'B');
    expect(SUCCESSION_GOOD);
}
END_TEST

START_TEST(lost_damaged_silent_or_short_member_is_not_promoted)
{
    begin(CONFIG_PROMOTE, 'B', 0);
    silence(A);
    said[B].flags = STATEMENT_LOST;
    take(B);
    expect(SUCCESSION_LOST);
    said[B].flags = STATEMENT_DAMAGED;
    take(B);
    expect(SUCCESSION_LOST);
    said[B].flags = 0;
    said[B].size = 997; /* And Z knows that 998 are committed. */
    take(B);
    expect(SUCCESSION_BEHIND);
    silence(B);
    expect(SUCCESSION_SILENT);
}
END_TEST

/* Scenario 39: A went on alone; B would be a second history. */
START_TEST(node_that_was_removed_is_not_promoted)
{
    begin(CONFIG_PROMOTE, 'B', 0);
    config_dismiss(&older.config, sample_node('B'));
    older.config.minimum = 1;
    sample_config_encode(&older);
    take_all();
    silence(A);
    expect_rule(CONFIG_V3_PRIMARY);
    wish_for(CONFIG_PROMOTE_VIA, 'B', 'A'); /* Scenario 3: nor through A. */
    expect(SUCCESSION_SILENT);
    ck_assert_mem_eq(plan.concerned, sample_node('A'), NODE_ID_SIZE);
}
END_TEST

START_TEST(archive_is_never_promoted)
{
    begin_without_b(CONFIG_PROMOTE, 'Z', 0);
    silence(A);
    expect_rule(CONFIG_V3_PRIMARY);
}
END_TEST

/* Scenario 5: A dies, and B takes over what the archive holds. */
START_TEST(learner_is_promoted_through_a_member_that_is_whole)
{
    begin_without_b(CONFIG_PROMOTE_VIA, 'B', 'Z');
    silence(A);
    expect(SUCCESSION_GOOD);
    ck_assert_int_eq(plan.newer.phase, CONFIG_RECOVERING);
    ck_assert(!config_has_member(&plan.newer, sample_node('B')));
    ck_assert(config_has_member(&plan.newer, sample_node('A')));
    said[Z].flags = STATEMENT_LOST;
    take(Z);
    expect(SUCCESSION_LOST);
    said[Z].flags = 0;
    take(Z);
    said[B].flags = STATEMENT_LOST;
    take(B);
    expect(SUCCESSION_LOST);
}
END_TEST

START_TEST(recovering_ends_when_the_new_primary_states_that_it_holds_all)
{
    begin_without_b(CONFIG_PROMOTE_VIA, 'B', 'Z');
    silence(A);
    expect(SUCCESSION_GOOD);
    older.config = plan.newer;
    sample_config_encode(&older);
    take_all();
    silence(A);
    wish_for(CONFIG_ADOPTED, 0, 'Z');
    expect(SUCCESSION_PRIMARY_SILENT); /* It did not say so. */
    primary_states(B, STATEMENT_ACK, 'Z');
    expect(SUCCESSION_GOOD);
    ck_assert_int_eq(plan.newer.phase, CONFIG_NORMAL);
    ck_assert_uint_eq(plan.newer.members_count, 2);
    ck_assert(config_has_member(&plan.newer, sample_node('B')));
    ck_assert(config_has_learner(&plan.newer, sample_node('A')));
    ck_assert_uint_eq(plan.newer.epoch, older.config.epoch);
    said[Z].size = 997; /* It has less than it sealed: its disk was put back. */
    take(Z);
    expect(SUCCESSION_BEHIND);
    said[Z].size = 1000;
    take(Z);
    primary_states(B, 0, 'Z');
    expect(SUCCESSION_NOT_ACKED);
    said[B].flags = STATEMENT_LOST | STATEMENT_ACK;
    take(B);
    expect(SUCCESSION_LOST);
    primary_states(B, STATEMENT_ACK, 'Z');
    said[B].size = 997;
    take(B);
    expect(SUCCESSION_BEHIND);
    wish_for(CONFIG_ADOPTED, 0, 'B');
    expect(SUCCESSION_UNKNOWN_NODE);
    begin_without_b(CONFIG_ADOPTED, 0, 'Z');
    primary_states(A, STATEMENT_ACK, 'Z');
    expect(SUCCESSION_PRIMARY_SILENT); /* Nobody recovers. */
}
END_TEST

/* Scenario 6: the archive cannot be reached: B alone is never promoted. */
START_TEST(learner_is_not_promoted_while_no_member_answers)
{
    begin_without_b(CONFIG_PROMOTE_VIA, 'B', 'Z');
    silence(A);
    silence(Z);
    expect(SUCCESSION_SILENT);
    ck_assert_mem_eq(plan.concerned, sample_node('Z'), NODE_ID_SIZE);
    wish_for(CONFIG_PROMOTE_VIA, 'B', 'B');
    expect(SUCCESSION_UNKNOWN_NODE);
    wish_for(CONFIG_PROMOTE, 'B', 0);
    expect_rule(CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(recovering_is_refused_where_an_eligible_member_answers)
{
    begin_without_b(CONFIG_PROMOTE_VIA, 'B', 'Z');
    said[A].flags = 0; /* A is back, and does not lead. */
    take(A);
    expect(SUCCESSION_NO_NEED);
    ck_assert_mem_eq(plan.concerned, sample_node('A'), NODE_ID_SIZE);
}
END_TEST

START_TEST(member_is_removed_or_replaced_when_the_primary_asks_for_it)
{
    begin(CONFIG_REMOVE, 'B', 0);
    expect(SUCCESSION_PRIMARY_SILENT); /* It did not ask for that. */
    primary_states(A, 0, 'B');
    expect_rule(CONFIG_V4_MINIMUM);
    begin(CONFIG_REPLACE, 'B', 'Z');
    primary_states(A, 0, 'Z');
    expect(SUCCESSION_NOT_ACKED);
    primary_states(A, STATEMENT_ACK, 'Z');
    expect(SUCCESSION_GOOD);
    ck_assert(config_has_member(&plan.newer, sample_node('Z')));
    ck_assert(config_has_learner(&plan.newer, sample_node('B')));
    ck_assert_uint_eq(plan.newer.epoch, older.config.epoch);
    silence(A);
    expect(SUCCESSION_PRIMARY_SILENT);
    begin(CONFIG_REPLACE, 'Z', 'B');
    primary_states(A, STATEMENT_ACK, 'B');
    expect(SUCCESSION_UNKNOWN_NODE);
    begin(CONFIG_REPLACE, 'A', 'Z');
    primary_states(A, STATEMENT_ACK, 'Z');
    expect_rule(CONFIG_V3_PRIMARY);
}
END_TEST

START_TEST(member_is_removed_where_the_minimum_allows_it)
{
    begin(CONFIG_REMOVE, 'B', 0);
    older.config.minimum = 1;
    sample_config_encode(&older);
    take_all();
    silence(B);
    primary_states(A, 0, 'B');
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.members_count, 1);
}
END_TEST

/* V5 broken in each way it can be. */
START_TEST(node_joins_with_a_live_acknowledgement_alone)
{
    begin(CONFIG_ADD, 'Z', 0);
    primary_states(A, STATEMENT_ACK, 'Z');
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(config_member(&plan.newer, sample_node('Z'))->incarnation,
                      9);
    said[A].other_matched = 997;
    take(A);
    expect(SUCCESSION_NOT_ACKED);
    primary_states(A, STATEMENT_ACK, 'B');
    expect(SUCCESSION_NOT_ACKED);
    said[A].other_incarnation = 9; /* Of B, and yet not of Z. */
    take(A);
    expect(SUCCESSION_NOT_ACKED);
    primary_states(A, STATEMENT_ACK, 'Z');
    said[Z].incarnation = 10; /* It was started anew since. */
    take(Z);
    expect(SUCCESSION_NOT_ACKED);
    said[Z].incarnation = 9;
    said[Z].flags = STATEMENT_LOST;
    take(Z);
    expect(SUCCESSION_LOST);
    silence(Z);
    expect(SUCCESSION_SILENT);
    wish_for(CONFIG_ADD, 'B', 0);
    expect(SUCCESSION_UNKNOWN_NODE); /* It is a member already. */
    wish_for(CONFIG_ADD, 'C', 0);
    expect(SUCCESSION_UNKNOWN_NODE);
}
END_TEST

START_TEST(primary_hands_over_when_it_has_stopped_and_all_is_committed)
{
    begin(CONFIG_SWITCHOVER, 'B', 0);
    primary_states(A, STATEMENT_ACK, 'B');
    expect(SUCCESSION_NOT_SEALED);
    primary_states(A, STATEMENT_ACK | STATEMENT_SEALED, 'B');
    expect(SUCCESSION_NOT_SEALED); /* 1000 entries, 998 committed. */
    said[A].committed = said[A].other_matched = 1000;
    take(A);
    expect(SUCCESSION_GOOD);
    said[A].flags &= (uint16_t)~STATEMENT_SEALED;
    take(A);
    expect(SUCCESSION_NOT_SEALED);
    said[A].flags |= STATEMENT_SEALED;
    take(A);
    expect(SUCCESSION_GOOD);
    ck_assert_mem_eq(plan.newer.primary, sample_node('B'), NODE_ID_SIZE);
    ck_assert_uint_eq(plan.newer.members_count, 2);
    said[B].incarnation++;
    take(B);
    expect(SUCCESSION_NOT_ACKED);
    silence(A);
    expect(SUCCESSION_PRIMARY_SILENT);
}
END_TEST

START_TEST(nodes_are_enrolled_and_retired_with_the_primary)
{
    begin(CONFIG_NODES, 'C', 0);
    expect(SUCCESSION_UNKNOWN_NODE); /* Not in the operator's list. */
    memcpy(view.nodes[view.nodes_count++].node_id, sample_node('C'),
           NODE_ID_SIZE);
    expect(SUCCESSION_GOOD);
    ck_assert(config_has_learner(&plan.newer, sample_node('C')));
    ck_assert(config_is_eligible(&plan.newer, sample_node('C')));
    view.nodes[NODES].archive = true;
    expect(SUCCESSION_GOOD);
    ck_assert(!config_is_eligible(&plan.newer, sample_node('C')));
    wish_for(CONFIG_NODES, 'B', 0);
    expect(SUCCESSION_UNKNOWN_NODE);
    wish.retire = true; /* A member is removed before it is retired. */
    expect(SUCCESSION_UNKNOWN_NODE);
    wish_for(CONFIG_NODES, 'Z', 0);
    wish.retire = true;
    expect(SUCCESSION_GOOD);
    ck_assert(!config_has_archive(&plan.newer));
    wish_for(CONFIG_NODES, 0, 0);
    wish.minimum = 1;
    expect(SUCCESSION_GOOD);
    wish.minimum = 3;
    expect_rule(CONFIG_V4_MINIMUM);
    silence(A);
    expect(SUCCESSION_PRIMARY_SILENT);
}
END_TEST

/* A leads, and does not know what B knows already. */
START_TEST(primary_that_lags_behind_the_newest_configuration_states_nothing)
{
    struct sample_config newest;

    begin(CONFIG_NODES, 'Z', 0);
    wish.retire = true;
    expect(SUCCESSION_GOOD);
    config_succeed(&newest.config, &older.config, older.slice, CONFIG_SETTLE);
    sample_config_encode(&newest);
    older = newest;
    older.slice = slice_of(older.bytes, newest.slice.size);
    said[B].config_number = older.config.number;
    config_hash(said[B].config_hash, older.slice);
    take(B);
    expect(SUCCESSION_PRIMARY_SILENT);
}
END_TEST

/* Whom it was to admit does not come: nothing changes but the number. */
START_TEST(settling_changes_nothing_and_is_the_leading_primarys_to_ask)
{
    begin(CONFIG_SETTLE, 0, 0);
    expect(SUCCESSION_PRIMARY_SILENT); /* It stated something else. */
    said[A].why = CONFIG_SETTLE;
    take(A);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.number, older.config.number + 1);
    ck_assert_uint_eq(plan.newer.epoch, older.config.epoch);
    ck_assert_uint_eq(plan.newer.members_count, older.config.members_count);
    ck_assert_mem_eq(plan.newer.primary, older.config.primary, NODE_ID_SIZE);
    ck_assert_uint_eq(plan.newer.base_size, 1000);
    silence(B); /* A member that is silent is not let go by it. */
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.members_count, older.config.members_count);
    said[A].flags = 0;
    take(A);
    expect(SUCCESSION_PRIMARY_SILENT);
    silence(A);
    expect(SUCCESSION_PRIMARY_SILENT);
}
END_TEST

START_TEST(force_is_refused_while_a_member_answers_and_names_what_is_lost)
{
    begin_without_b(CONFIG_FORCED, 'B', 0);
    silence(A);
    expect(SUCCESSION_NO_NEED);
    ck_assert_mem_eq(plan.concerned, sample_node('Z'), NODE_ID_SIZE);
    said[Z].flags = STATEMENT_LOST;
    take(Z);
    said[B].size = 900;
    said[B].committed = 890;
    take(B);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.kept, 900);
    ck_assert_uint_eq(plan.known, 998);
    ck_assert_uint_eq(plan.newer.members_count, 1);
    ck_assert_mem_ne(plan.newer.lineage, older.config.lineage, LINEAGE_SIZE);
    silence(B);
    expect(SUCCESSION_SILENT);
    wish_for(CONFIG_FORCED, 'C', 0);
    expect(SUCCESSION_UNKNOWN_NODE);
}
END_TEST

START_TEST(what_is_not_the_operators_is_not_made)
{
    begin(CONFIG_BOOT, 'A', 0);
    expect(SUCCESSION_KIND);
    for (int i = 0; i < SUCCESSION_FAULTS_COUNT; i++) {
        ck_assert_ptr_nonnull(succession_fault_text((enum succession_fault)i));
        ck_assert_ptr_nonnull(
            succession_fault_text_az((enum succession_fault)i));
    }
}
END_TEST

SUITE_MAIN("succession",
           statement_is_taken_with_the_configuration_that_it_names,
           nothing_is_signed_on_no_evidence_or_two_histories,
           silent_primarys_member_is_promoted_and_the_set_stays,
           promotion_with_a_minimum_of_one_leaves_the_new_primary_alone,
           promotion_goes_above_every_epoch_that_somebody_promised,
           living_primary_is_not_deposed_by_a_promotion,
           lost_damaged_silent_or_short_member_is_not_promoted,
           node_that_was_removed_is_not_promoted, archive_is_never_promoted,
           learner_is_promoted_through_a_member_that_is_whole,
           recovering_ends_when_the_new_primary_states_that_it_holds_all,
           learner_is_not_promoted_while_no_member_answers,
           recovering_is_refused_where_an_eligible_member_answers,
           member_is_removed_or_replaced_when_the_primary_asks_for_it,
           member_is_removed_where_the_minimum_allows_it,
           node_joins_with_a_live_acknowledgement_alone,
           primary_hands_over_when_it_has_stopped_and_all_is_committed,
           nodes_are_enrolled_and_retired_with_the_primary,
           primary_that_lags_behind_the_newest_configuration_states_nothing,
           settling_changes_nothing_and_is_the_leading_primarys_to_ask,
           force_is_refused_while_a_member_answers_and_names_what_is_lost,
           what_is_not_the_operators_is_not_made)
