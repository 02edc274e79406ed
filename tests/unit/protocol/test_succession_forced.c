/*
 * What may be forced on a node once every member is gone, and what is signed
 * then of what is lost.
 */
#include "protocol/succession.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

enum { B, Z, NODES };
static const char letters[NODES] = {'B', 'Z'};

static struct sample_config older;
static struct succession_view view;
static struct succession_wish wish;
static struct succession_plan plan;
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

/* Members were A and B.  A is gone; B holds 900 entries, is lost, and knew of
 * 960 that they were committed; the archive learned 950. */
static void begin(void)
{
    sample_config_pair(&older);
    memset(&view, 0, sizeof view);
    memset(&wish, 0, sizeof wish);
    view.nodes_count = NODES;
    memcpy(view.cluster_id, older.config.cluster_id, CLUSTER_ID_SIZE);
    for (int at = 0; at < NODES; at++) {
        sample_statement(&said[at], &older);
        said[at].flags = at == B ? STATEMENT_LOST : 0;
        said[at].why = 0;
        said[at].size = at == B ? 900 : 950;
        said[at].committed = at == B ? 960 : 950;
        memcpy(said[at].node_id, sample_node(letters[at]), NODE_ID_SIZE);
        memcpy(view.nodes[at].node_id, sample_node(letters[at]), NODE_ID_SIZE);
        view.nodes[at].archive = at == Z;
        take(at);
    }
    wish.why = CONFIG_FORCED;
    memcpy(wish.node, sample_node('B'), NODE_ID_SIZE);
}

static void expect(enum succession_fault fault)
{
    enum succession_fault found = succession_make(&plan, &view, &wish);

    ck_assert_msg(found == fault, "%s", succession_fault_text(found));
}

START_TEST(what_is_signed_says_what_is_kept_and_what_is_lost)
{
    begin();
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.kept, 900);
    ck_assert_uint_eq(plan.known, 960);
    ck_assert_uint_eq(plan.held, 950); /* Z has more than B. */
    ck_assert_uint_eq(plan.newer.base_size, 900);
    ck_assert_mem_eq(plan.newer.base_leaf, said[B].leaf, HASH_SIZE);
    ck_assert_uint_eq(plan.newer.lost_count, 60);
    ck_assert_uint_eq(plan.newer.minimum, older.config.minimum);
    ck_assert_mem_ne(plan.newer.lineage, older.config.lineage, LINEAGE_SIZE);
    /* What configurations know counts too. */
    older.config.base_size = 970;
    sample_config_encode(&older);
    for (int at = 0; at < NODES; at++) {
        config_hash(said[at].config_hash, older.slice);
        take(at);
    }
    wish.minimum = 1;
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.lost_count, 70);
    ck_assert_uint_eq(plan.newer.minimum, 1);
}
END_TEST

START_TEST(nothing_is_said_to_be_lost_of_which_nobody_knows)
{
    begin();
    said[B].size = 960;
    take(B);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.lost_count, 0);
    /* Nor more than the field holds. */
    said[B].committed = UINT64_MAX;
    take(B);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_eq(plan.newer.lost_count, UINT32_MAX);
}
END_TEST

/* It would refuse what does not follow what it knows. */
START_TEST(a_node_that_lacks_the_newest_configuration_is_not_named)
{
    struct sample_config newest;

    begin();
    config_succeed(&newest.config, &older.config, older.slice, CONFIG_SETTLE);
    sample_config_encode(&newest);
    older = newest;
    older.slice = slice_of(older.bytes, newest.slice.size);
    said[Z].config_number = older.config.number;
    config_hash(said[Z].config_hash, older.slice);
    take(Z);
    expect(SUCCESSION_BEHIND);
    ck_assert_mem_eq(plan.concerned, sample_node('B'), NODE_ID_SIZE);
}
END_TEST

START_TEST(an_archive_or_a_damaged_log_is_not_named)
{
    begin();
    memcpy(wish.node, sample_node('Z'), NODE_ID_SIZE);
    expect(SUCCESSION_CONFIG);
    ck_assert_int_eq(plan.config_fault, CONFIG_V3_PRIMARY);
    begin();
    said[B].flags = STATEMENT_LOST | STATEMENT_DAMAGED;
    take(B);
    expect(SUCCESSION_LOST);
}
END_TEST

SUITE_MAIN("succession_forced",
           what_is_signed_says_what_is_kept_and_what_is_lost,
           nothing_is_said_to_be_lost_of_which_nobody_knows,
           a_node_that_lacks_the_newest_configuration_is_not_named,
           an_archive_or_a_damaged_log_is_not_named)
