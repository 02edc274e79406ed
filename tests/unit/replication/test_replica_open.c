/*
 * What it says and does where it cannot go on, and what others may cost it.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;

START_TEST(I18_jobs_that_a_peer_causes_are_bounded)
{
    struct peer_frame frame = {.type = PEER_BEACON};
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    sample_config_pair(&pair);
    rig.config = pair.config;
    rig.config.base_size = 1;
    for (size_t i = 0; i < rig.config.members_count; i++)
        rig.config.members[i].incarnation = 1;
    rig.revision = 5;
    lone_start(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_greet(&rig, 'A', NULL, 0);
    for (uint32_t i = 0; i < 2 * REPLICA_JOBS_MAX; i++) {
        frame.beacon.epoch = 2 + i;
        lone_receive(&rig, 'A', &frame);
    }
    ck_assert_uint_le(rig.jobs_count, REPLICA_JOBS_MAX);
    ck_assert(lone_did(&rig, "drop A\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(a_tick_is_due_however_much_happens_before_it)
{
    struct peer_frame frame = {.type = PEER_BEACON};
    int64_t due_ms;

    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    lone_greet(&rig, 'A', NULL, 0);
    lone_tick(&rig, 10);
    due_ms = replica_deadline(rig.replica);
    ck_assert_int_gt(due_ms, rig.now_ms);
    frame.beacon.epoch = 1;
    for (int i = 0; i < 10; i++) {
        rig.now_ms++;
        lone_receive(&rig, 'A', &frame);
        ck_assert_int_eq(replica_deadline(rig.replica), due_ms);
    }
    lone_end(&rig);
}
END_TEST

START_TEST(who_won_begins_its_term_without_waiting_for_another_try)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_tick(&rig, 100);
    lone_win(&rig);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    ck_assert(rig.leads);
    lone_end(&rig);
}
END_TEST

static void certify(const struct sample_config *config)
{
    static uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct replica_event event = {.type = REPLICA_CERTIFIED};

    event.certificate =
        sample_config_cert(bytes, config->config.why, config->slice, 7);
    lone_event(&rig, &event);
}

/* A alone by a certificate, with a minimum of 1, and its EPOCH. */
static void begin_certified(struct sample_config *first)
{
    lone_begin(&rig, 'A', "ABZ");
    rig.options.automatic = false;
    lone_start(&rig);
    sample_config(&first->config);
    first->config.minimum = 1;
    sample_config_encode(first);
    certify(first);
    for (int i = 0; i < 20 && !rig.leads; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    lone_submit(&rig, 1);
    lone_work(&rig);
}

START_TEST(a_primary_that_waits_for_the_operator_says_that_it_stalls)
{
    struct sample_config first, second;

    begin_certified(&first);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    config_succeed(&second.config, &first.config, first.slice, CONFIG_ADD);
    config_admit(&second.config, sample_node('B'), 1);
    sample_config_encode(&second);
    certify(&second);
    lone_unlink(&rig, 'B');
    lone_submit(&rig, 1);
    lone_work(&rig);
    lone_pass(&rig, 10000);
    ck_assert_uint_eq(rig.published, 1);
    ck_assert(lone_did(&rig, "say want B 3\n"));
    ck_assert(lone_status(&rig).stalled);
    lone_end(&rig);
}
END_TEST

START_TEST(
    a_primary_that_does_not_know_the_fate_of_a_change_says_that_it_stalls)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    lone_win(&rig);
    lone_work(&rig);
    lone_unlink(&rig, 'B');
    lone_submit(&rig, 1);
    lone_work(&rig);
    for (int i = 0; i < 100; i++) {
        lone_tick(&rig, 100);
        if (lone_did(&rig, "ask remove"))
            lone_answer(&rig, REGISTER_UNKNOWN);
    }
    ck_assert_uint_eq(rig.published, 1);
    ck_assert(lone_status(&rig).stalled);
    lone_end(&rig);
}
END_TEST

START_TEST(a_certificate_that_skips_those_between_ends_a_term)
{
    struct sample_config first, other;

    begin_certified(&first);
    other = first; /* A chain that this node never saw. */
    other.config.number = 9;
    other.config.epoch = 1 + CONFIG_GRANT_EPOCHS;
    other.config.why = CONFIG_PROMOTE;
    memset(other.config.previous, 0x77, HASH_SIZE);
    config_admit(&other.config, sample_node('B'), 1);
    memcpy(other.config.primary, sample_node('B'), NODE_ID_SIZE);
    sample_config_encode(&other);
    certify(&other);
    ck_assert_uint_eq(lone_status(&rig).config_number, 9);
    ck_assert(!rig.leads);
    lone_end(&rig);
}
END_TEST

START_TEST(a_meta_file_with_a_configuration_that_is_none_does_not_start)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    ck_assert_int_eq(
        meta_configure(&rig.meta, 99, slice_of("\x01no configuration", 17)),
        ST_OK);
    lone_stop(&rig);
    ck_assert_int_eq(lone_try_open(&rig), ST_FILE_FORMAT);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN(
    "replica_open", I18_jobs_that_a_peer_causes_are_bounded,
    a_tick_is_due_however_much_happens_before_it,
    who_won_begins_its_term_without_waiting_for_another_try,
    a_primary_that_waits_for_the_operator_says_that_it_stalls,
    a_primary_that_does_not_know_the_fate_of_a_change_says_that_it_stalls,
    a_certificate_that_skips_those_between_ends_a_term,
    a_meta_file_with_a_configuration_that_is_none_does_not_start)
