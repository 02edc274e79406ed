/*
 * Which of the register's values a node takes for a configuration (I2).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;

/* A alone with a minimum of 1; B is caught up, and its ADD is proposed. */
static void begin_adding(void)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask add 2 epoch 1 at 1 guard B=1\n"));
    lone_forget(&rig);
}

START_TEST(I2_a_configuration_that_may_not_follow_is_refused)
{
    struct config config;

    begin_adding();
    config = rig.config;
    config.number = 2; /* Names no configuration before it. */
    memcpy(config.primary, sample_node('B'), NODE_ID_SIZE);
    lone_view(&rig, &config);
    ck_assert(lone_did(&rig, "say certificate "));
    ck_assert_uint_eq(lone_status(&rig).config_number, 1);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
}
END_TEST

START_TEST(I2_over_a_gap_a_primary_that_may_not_lead_is_refused)
{
    struct config config;

    begin_adding();
    config = rig.config;
    config.number = 9;
    config.epoch = 7;
    memcpy(config.primary, sample_node('Z'), NODE_ID_SIZE);
    rig.revision = 9;
    lone_view(&rig, &config);
    ck_assert(lone_did(&rig, "say certificate "));
    ck_assert_uint_eq(lone_status(&rig).config_number, 1);
    lone_end(&rig);
}
END_TEST

START_TEST(I2_over_a_gap_what_no_lawful_changes_lead_to_is_refused)
{
    struct config config;

    begin_adding();
    config = rig.config;
    config.why = CONFIG_SETTLE;
    config.number = 9;
    memcpy(config.primary, sample_node('B'), NODE_ID_SIZE);
    config_admit(&config, sample_node('B'), 1);
    rig.revision = 9;
    lone_view(&rig, &config); /* Another primary, and no new epoch. */
    ck_assert(lone_did(&rig, "say certificate "));
    ck_assert_uint_eq(lone_status(&rig).config_number, 1);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    config.epoch++;
    lone_view(&rig, &config);
    ck_assert_uint_eq(lone_status(&rig).config_number, 9);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(a_value_that_is_no_configuration_is_told_and_nothing_else)
{
    struct register_view view = {.revision = 9, .value_size = 40};
    struct replica_event event = {.type = REPLICA_VIEW, .view = &view};

    begin_adding();
    lone_event(&rig, &event);
    lone_expect(&rig, "say register 9\n");
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
}
END_TEST

START_TEST(a_configuration_of_another_lineage_is_told_and_nothing_else)
{
    struct config config;

    begin_adding();
    config = rig.config;
    config.number = 7;
    config.lineage[0] ^= 1;
    lone_view(&rig, &config);
    lone_expect(&rig, "say register 2\n");
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_config", I2_a_configuration_that_may_not_follow_is_refused,
           I2_over_a_gap_a_primary_that_may_not_lead_is_refused,
           I2_over_a_gap_what_no_lawful_changes_lead_to_is_refused,
           a_value_that_is_no_configuration_is_told_and_nothing_else,
           a_configuration_of_another_lineage_is_told_and_nothing_else)
