/*
 * New epochs for the primary that there is: somebody promised one above its
 * grant, it stepped down, and may lead in none that is left.
 */
#include "protocol/succession.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

enum { A, B, NODES };
static const char letters[NODES] = {'A', 'B'};

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

/* A is the primary and does not lead; B knows of 998 entries committed. */
static void begin(void)
{
    sample_config_pair(&older);
    memset(&view, 0, sizeof view);
    memset(&wish, 0, sizeof wish);
    view.nodes_count = NODES;
    memcpy(view.cluster_id, older.config.cluster_id, CLUSTER_ID_SIZE);
    for (int at = 0; at < NODES; at++) {
        sample_statement(&said[at], &older);
        said[at].flags = 0;
        said[at].why = 0;
        memcpy(said[at].node_id, sample_node(letters[at]), NODE_ID_SIZE);
        memcpy(view.nodes[at].node_id, sample_node(letters[at]), NODE_ID_SIZE);
        take(at);
    }
    wish.why = CONFIG_RESTART;
    memcpy(wish.node, sample_node('A'), NODE_ID_SIZE);
}

static void expect(enum succession_fault fault)
{
    enum succession_fault found = succession_make(&plan, &view, &wish);

    ck_assert_msg(found == fault, "%s", succession_fault_text(found));
}

START_TEST(primary_that_does_not_lead_gets_epochs_above_all_that_is_promised)
{
    begin();
    said[B].promised = older.config.epoch + 2 * CONFIG_GRANT_EPOCHS;
    take(B);
    said[A].incarnation = 9;
    take(A);
    expect(SUCCESSION_GOOD);
    ck_assert_uint_gt(plan.newer.epoch, said[B].promised);
    ck_assert_mem_eq(plan.newer.primary, sample_node('A'), NODE_ID_SIZE);
    ck_assert_uint_eq(plan.newer.members_count, older.config.members_count);
    ck_assert_uint_eq(config_member(&plan.newer, sample_node('A'))->incarnation,
                      9);
    ck_assert_uint_eq(plan.newer.base_size, said[A].size);
}
END_TEST

START_TEST(primary_that_leads_or_lost_entries_or_is_silent_gets_none)
{
    begin();
    said[A].flags = STATEMENT_PRIMARY;
    take(A);
    expect(SUCCESSION_PRIMARY_LIVES);
    said[A].flags = STATEMENT_LOST;
    take(A);
    expect(SUCCESSION_LOST);
    said[A].flags = 0;
    said[A].size = said[B].committed - 1;
    take(A);
    expect(SUCCESSION_BEHIND);
    view.nodes[A].reached = false;
    expect(SUCCESSION_PRIMARY_SILENT);
    memcpy(wish.node, sample_node('B'), NODE_ID_SIZE);
    expect(SUCCESSION_UNKNOWN_NODE);
}
END_TEST

/* New epochs are no way around what ADOPTED says that it holds. */
START_TEST(primary_with_less_than_its_configuration_rests_on_gets_none)
{
    begin();
    older.config.base_size = said[A].size + 1;
    sample_config_encode(&older);
    for (int at = 0; at < NODES; at++) {
        config_hash(said[at].config_hash, older.slice);
        take(at);
    }
    expect(SUCCESSION_BEHIND);
    said[A].size = older.config.base_size;
    take(A);
    expect(SUCCESSION_GOOD);
}
END_TEST

SUITE_MAIN("succession_restart",
           primary_that_does_not_lead_gets_epochs_above_all_that_is_promised,
           primary_that_leads_or_lost_entries_or_is_silent_gets_none,
           primary_with_less_than_its_configuration_rests_on_gets_none)
