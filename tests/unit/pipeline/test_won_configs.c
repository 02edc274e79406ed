/* Configurations that are won without a new epoch, and what a node that
 * follows keeps to itself.
 * ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "server/registry/epoch.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/pipeline_host.h"

static struct pipeline_host host;
static struct sample_config won;

/* ---- Configurations -------------------------------------------------------
 */

/* Genesis' node alone, whose id is zeros; two others learn. */
static void sample_first(void)
{
    static const uint8_t genesis_node[NODE_ID_SIZE];

    sample_config(&won.config);
    memcpy(won.config.cluster_id, host.rig.cluster_id, CLUSTER_ID_SIZE);
    memcpy(won.config.primary, genesis_node, NODE_ID_SIZE);
    won.config.members_count = won.config.eligible_count = 0;
    won.config.learners_count = 0;
    config_add_member(&won.config, genesis_node, 1);
    config_add_eligible(&won.config, genesis_node);
    config_add_learner(&won.config, sample_node('A'));
    config_add_eligible(&won.config, sample_node('A'));
    sample_config_encode(&won);
}

static void sample_next(enum config_why why)
{
    struct sample_config older = won;

    older.slice = slice_of(older.bytes, won.slice.size);
    config_succeed(&won.config, &older.config, older.slice, why);
    sample_config_encode(&won);
}

static void sample_restart(void)
{
    sample_next(CONFIG_RESTART);
    won.config.epoch = host.epoch + 1;
    sample_config_encode(&won);
}

static void note(void)
{
    pipeline_note_config(host.pipeline, won.slice, slice_of(NULL, 0));
}

/* It leads in epoch 1 with the first configuration. */
static void open_leading(void)
{
    pipeline_host_open(&host);
    sample_first();
    host.configuration = won.slice;
    pipeline_host_lead(&host);
    note(); /* What EPOCH brought is not entered once more. */
}

static void run(void)
{
    for (int i = 0; i < 30; i++) {
        pipeline_host_write(&host);
        pipeline_host_commit(&host);
        pipeline_host_nap();
    }
}

static void expect_held(uint64_t number, size_t count)
{
    struct row_configuration row;

    pipeline_host_check_replay(&host);
    ck_assert(epoch_configuration(host.rig.state, &row));
    ck_assert_uint_eq(row.number, number);
    ck_assert_uint_eq(state_count(host.rig.state, TABLE_CONFIGURATION), count);
}

START_TEST(each_configuration_that_is_won_is_entered_once_and_in_order)
{
    open_leading();
    sample_next(CONFIG_ADD);
    config_admit(&won.config, sample_node('A'), 1);
    sample_config_encode(&won);
    note();
    note();
    sample_next(CONFIG_SETTLE);
    note();
    run();
    note();
    run();
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_CONFIG), 2);
    expect_held(3, 3);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(of_many_that_wait_the_newest_are_entered)
{
    open_leading();
    pipeline_drain_commands(host.pipeline, true); /* Nothing is entered. */
    for (int i = 0; i < 20; i++) {
        sample_next(CONFIG_SETTLE);
        note();
    }
    run();
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_CONFIG), 0);
    pipeline_drain_commands(host.pipeline, false);
    run();
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_CONFIG), 4);
    expect_held(21, 5);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(what_a_node_learns_while_it_follows_or_led_is_not_entered)
{
    open_leading();
    sample_next(CONFIG_SETTLE);
    note(); /* It may be sequenced, and is dropped. */
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    sample_next(CONFIG_SETTLE);
    note();
    sample_restart();
    host.configuration = won.slice;
    pipeline_host_lead(&host);
    run();
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_CONFIG), 0);
    expect_held(4, 2);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_configuration_that_is_refused_is_not_entered_again_and_again)
{
    open_leading();
    sample_next(CONFIG_SETTLE);
    won.config.previous[0] ^= 1;
    sample_config_encode(&won);
    for (int i = 0; i < 3; i++) {
        note();
        run();
    }
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_SYSTEM_CONFIG), 1);
    expect_held(1, 1);
    pipeline_host_close(&host);
}
END_TEST

/* ---- Refusals and noise ----------------------------------------------------
 */

START_TEST(a_follower_gathers_refusals_and_enters_them_only_when_it_leads)
{
    enum { LINES = 1000 };

    pipeline_host_open(&host);
    for (uint16_t i = 0; i < LINES; i++) {
        struct refused_line line = {
            .opcode = (uint16_t)(i + 1), .code = ST_NO_DUTY, .count = 1};

        pipeline_refused(host.pipeline, &line);
        pipeline_noise(host.pipeline, ST_AUTH, i);
    }
    atomic_fetch_add(&host.passed, 3600 * RIG_SECOND);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&host), 0);
    ck_assert_uint_eq(journal_size(host.rig.journal), 1);
    pipeline_host_lead(&host);
    run();
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_JOURNAL_REFUSED), 1);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_JOURNAL_NOISE), 1);
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    struct refused_line line = {.opcode = 1, .code = ST_NO_DUTY, .count = 1};
    pipeline_refused(host.pipeline, &line);
    atomic_fetch_add(&host.passed, 3600 * RIG_SECOND);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&host), 0);
    pipeline_host_close(&host);
}
END_TEST

SUITE_MAIN("won_configs",
           each_configuration_that_is_won_is_entered_once_and_in_order,
           of_many_that_wait_the_newest_are_entered,
           what_a_node_learns_while_it_follows_or_led_is_not_entered,
           a_configuration_that_is_refused_is_not_entered_again_and_again,
           a_follower_gathers_refusals_and_enters_them_only_when_it_leads)
