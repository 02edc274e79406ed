#include <stdlib.h>
#include <string.h>

#include "replication/replica_parts.h"
#include "server/node_private.h"
#include "server/registry/rows.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

/* ---- A node that has a lineage, and a state ------------------------------ */

static struct node *node;

/* Its genesis began the log; of another lineage, if ${forced}. */
static void begin(bool forced)
{
    uint8_t leaf[HASH_SIZE];

    node = calloc(1, sizeof *node);
    ck_assert_ptr_nonnull(node);
    node->genesis_size = 3;
    memcpy(node->genesis_bytes, "gen", node->genesis_size);
    entry_leaf_hash(leaf, slice_of(node->genesis_bytes, node->genesis_size));
    memcpy(node->lineage, leaf, LINEAGE_SIZE);
    node->lineage[0] ^= forced;
    ck_assert_int_eq(state_open(&node->state, ":memory:"), ST_OK);
}

static void end(void)
{
    state_close(node->state);
    free(node);
}

/* A configuration that was won for ${why}, and begins at that size. */
static void configuration(struct sample_config *out, enum config_why why,
                          uint64_t base_size)
{
    sample_config(&out->config);
    out->config.why = why;
    out->config.base_size = base_size;
    sample_config_encode(out);
}

/* It is the newest that the node knows of. */
static void knows(enum config_why why, uint64_t base_size)
{
    struct meta_value *meta = &node->meta.value;
    uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct sample_config sample;
    struct slice stored;

    configuration(&sample, why, base_size);
    stored = sample.slice;
    if (why == CONFIG_FORCED)
        stored = sample_config_cert(certificate, why, sample.slice, 3);
    /* As LOG-FORMAT has it: one peer was vouched for. */
    memset(meta->configuration, 0, 2 + NODE_ID_SIZE);
    meta->configuration[0] =
        why == CONFIG_FORCED ? STORED_CERTIFICATE : STORED_CONFIG;
    meta->configuration[1] = 1;
    memcpy(meta->configuration + 2 + NODE_ID_SIZE, stored.data, stored.size);
    meta->configuration_size = 2 + NODE_ID_SIZE + stored.size;
}

/* Entry ${index} told the state of it. */
static void applied(uint64_t index, enum config_why why, uint64_t base_size)
{
    struct row_configuration row = {.index = index, .number = index};
    struct sample_config sample;
    uint8_t digest[HASH_SIZE];

    configuration(&sample, why, base_size);
    row.configuration = sample.slice;
    row.certificate = slice_of("", 0);
    state_begin(node->state);
    state_entry_begin(node->state);
    state_insert(node->state, TABLE_CONFIGURATION, &row);
    state_entry_end(node->state, digest);
    state_commit(node->state);
}

/* ---- Where the lineage began --------------------------------------------- */

START_TEST(in_the_first_lineage_no_act_was_lost_with_another)
{
    begin(false);
    ck_assert_uint_eq(node_lost_below(node), 0);
    /* Nor by what a certificate says that this node did not take. */
    knows(CONFIG_FORCED, 500);
    ck_assert_uint_eq(node_lost_below(node), 0);
    end();
}
END_TEST

START_TEST(acts_may_be_lost_below_the_fork_that_the_newest_configuration_made)
{
    begin(true);
    knows(CONFIG_FORCED, 500);
    ck_assert_uint_eq(node_lost_below(node), 500);
    /* A fork before it is of no account any more. */
    applied(7, CONFIG_FORCED, 40);
    ck_assert_uint_eq(node_lost_below(node), 500);
    end();
}
END_TEST

START_TEST(behind_a_later_configuration_the_log_tells_where_the_fork_was)
{
    begin(true);
    applied(500, CONFIG_FORCED, 500);
    knows(CONFIG_ADD, 800);
    ck_assert_uint_eq(node_lost_below(node), 500);
    applied(800, CONFIG_ADD, 800);
    applied(900, CONFIG_RESTART, 900);
    ck_assert_uint_eq(node_lost_below(node), 500);
    end();
}
END_TEST

START_TEST(of_two_forks_in_the_log_the_newer_one_counts)
{
    begin(true);
    applied(40, CONFIG_FORCED, 40);
    applied(60, CONFIG_ADD, 60);
    applied(500, CONFIG_FORCED, 500);
    applied(501, CONFIG_ADD, 501);
    knows(CONFIG_ADD, 501);
    ck_assert_uint_eq(node_lost_below(node), 500);
    end();
}
END_TEST

START_TEST(while_the_log_has_not_come_to_the_fork_it_may_be_anywhere)
{
    begin(true);
    ck_assert_uint_eq(node_lost_below(node), INT64_MAX);
    knows(CONFIG_ADD, 800);
    ck_assert_uint_eq(node_lost_below(node), INT64_MAX);
    applied(20, CONFIG_PROMOTE, 20);
    ck_assert_uint_eq(node_lost_below(node), INT64_MAX);
    end();
}
END_TEST

SUITE_MAIN("lost_below", in_the_first_lineage_no_act_was_lost_with_another,
           acts_may_be_lost_below_the_fork_that_the_newest_configuration_made,
           behind_a_later_configuration_the_log_tells_where_the_fork_was,
           of_two_forks_in_the_log_the_newer_one_counts,
           while_the_log_has_not_come_to_the_fork_it_may_be_anywhere)
