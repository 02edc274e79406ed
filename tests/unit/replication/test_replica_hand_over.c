/*
 * The lead handed over as planned.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a;

/* ${self} with ${size} entries of log_a; A and ${members} are in sync. */
static void begin(char self, const char *members, uint8_t minimum, size_t size)
{
    lone_begin(&rig, self, "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig_log_add(&log_a, size, 1, 0);
    lone_backup(&rig, members, minimum, &log_a);
}

/* ---- Handing over -------------------------------------------------------- */

static void hand_over(char to)
{
    struct replica_event event = {.type = REPLICA_HAND_OVER};

    memcpy(event.node_id, sample_node(to), NODE_ID_SIZE);
    lone_event(&rig, &event);
}

static void drained(void)
{
    struct replica_event event = {.type = REPLICA_DRAINED};

    lone_event(&rig, &event);
}

START_TEST(a_hand_over_waits_until_everything_is_committed)
{
    struct config config;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    lone_submit(&rig, 2);
    lone_work(&rig);
    hand_over('B');
    ck_assert(lone_did(&rig, "drain on\n"));
    drained();
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask switchover 3 epoch 2 at 2 guard B=1\n"));
    config = lone_proposed(&rig);
    ck_assert_mem_eq(config.primary, sample_node('B'), NODE_ID_SIZE);
    ck_assert_uint_eq(config.members_count, 2);
    lone_win(&rig);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "follow\n"));
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(a_hand_over_that_takes_too_long_is_given_up)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    hand_over('B');
    lone_pass(&rig, 11000); /* Nobody says that nothing is under way. */
    ck_assert_uint_eq(lone_count(&rig, "drain off\n"), 1);
    ck_assert(!lone_status(&rig).draining);
    ck_assert_uint_eq(lone_count(&rig, "ask switchover"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(nothing_is_handed_to_who_may_not_lead)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack_all(&rig, 'Z');
    lone_forget(&rig);
    hand_over('Z'); /* An archive. */
    hand_over('A'); /* Itself. */
    hand_over('Q'); /* Nobody. */
    lone_expect(&rig, "");
    lone_unlink(&rig, 'B');
    hand_over('B'); /* Not there. */
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

START_TEST(a_backup_that_is_asked_to_hand_over_does_nothing)
{
    begin('B', "B", 2, 3);
    hand_over('A');
    drained();
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

START_TEST(who_is_handed_the_lead_leads_without_asking)
{
    struct config config;
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

    begin('B', "B", 2, 3);
    config_encode(bytes, &rig.config);
    config_succeed(&config, &rig.config,
                   slice_of(bytes, config_size(&rig.config)),
                   CONFIG_SWITCHOVER);
    config.epoch = 2;
    memcpy(config.primary, sample_node('B'), NODE_ID_SIZE);
    lone_view(&rig, &config);
    for (int i = 0; i < 10 && !rig.leads; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    ck_assert(lone_did(&rig, "lead epoch 2 at 3\n"));
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_hand_over", a_hand_over_waits_until_everything_is_committed,
           a_hand_over_that_takes_too_long_is_given_up,
           nothing_is_handed_to_who_may_not_lead,
           a_backup_that_is_asked_to_hand_over_does_nothing,
           who_is_handed_the_lead_leads_without_asking)
