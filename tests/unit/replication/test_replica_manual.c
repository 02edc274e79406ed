/*
 * Where the operator's certificates decide: what is taken, grants of epochs,
 * equivocation.
 */
#include <string.h>

#include "tests/lib/manual_rig.h"
#include "tests/lib/suite.h"

/* ---- Grants -------------------------------------------------------------- */

START_TEST(a_certificate_lets_its_primary_lead_and_goes_into_the_log)
{
    manual_begin('A');
    manual_first(1);
    lone_expect(&manual_rig, "job configure 1\nsay member\n");
    manual_go();
    ck_assert(lone_did(&manual_rig, "job use 1\n"));
    ck_assert(lone_did(&manual_rig, "lead epoch 1 at 0 certified\n"));
    ck_assert_uint_eq(lone_count(&manual_rig, "ask"), 0);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(a_restart_takes_the_next_epoch_of_the_grant_without_a_person)
{
    manual_begin_alone(1);
    for (uint32_t epoch = 2; epoch < 6; epoch++) {
        lone_lose_power(&manual_rig);
        lone_start(&manual_rig);
        manual_go();
        ck_assert(manual_rig.leads);
        ck_assert_uint_eq(manual_rig.epoch, epoch);
        ck_assert_uint_eq(manual_rig.meta.value.used_epoch, epoch);
        lone_submit(&manual_rig, 1);
        lone_work(&manual_rig);
        ck_assert_int_eq(lone_role(&manual_rig), REPLICA_PRIMARY);
    }
    ck_assert(lone_did(&manual_rig, "lead epoch 5 at 4 certified\n"));
    lone_end(&manual_rig);
}
END_TEST

START_TEST(an_epoch_that_began_and_never_wrote_is_not_used_again)
{
    manual_begin('A');
    manual_first(1);
    manual_go();
    ck_assert_uint_eq(manual_rig.epoch, 1);
    lone_lose_power(&manual_rig); /* Before its EPOCH. */
    lone_start(&manual_rig);
    manual_go();
    ck_assert_uint_eq(manual_rig.epoch, 2);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(the_last_epoch_of_a_grant_is_used_and_none_behind_it)
{
    manual_begin_alone(1);
    ck_assert_int_eq(meta_use_epoch(&manual_rig.meta, CONFIG_GRANT_EPOCHS - 1),
                     ST_OK);
    lone_lose_power(&manual_rig);
    lone_start(&manual_rig);
    manual_go();
    ck_assert_uint_eq(manual_rig.epoch, CONFIG_GRANT_EPOCHS);
    ck_assert(manual_rig.leads);
    lone_lose_power(&manual_rig);
    lone_start(&manual_rig);
    lone_forget(&manual_rig);
    manual_go();
    ck_assert(!manual_rig.leads);
    ck_assert(lone_did(&manual_rig, "say want A 2\n")); /* A restart. */
    manual_next(CONFIG_RESTART);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    manual_certify();
    manual_go();
    ck_assert(manual_rig.leads);
    ck_assert_uint_eq(manual_rig.epoch, CONFIG_GRANT_EPOCHS + 1);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(a_grant_is_entered_above_what_peers_have_promised)
{
    struct peer_frame hello;

    manual_begin('A');
    lone_link(&manual_rig, 'B');
    lone_hello(&manual_rig, &hello, NULL, 0);
    hello.hello.promised = 7;
    lone_receive(&manual_rig, 'B', &hello);
    manual_first(1);
    manual_go();
    ck_assert_uint_eq(manual_rig.epoch, 8);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(a_lost_node_does_not_use_its_grant)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    manual_begin_alone(1);
    lone_submit(&manual_rig, 3);
    lone_work(&manual_rig);
    ck_assert_int_eq(journal_place(manual_rig.journal, file, &offset, 3),
                     ST_OK);
    lone_lose_power(&manual_rig);
    disk_model_rot(manual_rig.model, file, offset + 100, 1);
    lone_start(&manual_rig);
    manual_go();
    ck_assert_int_eq(lone_role(&manual_rig), REPLICA_LOST);
    ck_assert(!manual_rig.leads);
    lone_end(&manual_rig);
}
END_TEST

/* ---- What is taken ------------------------------------------------------- */

static void config_from(char peer, const struct sample_config *config)
{
    struct peer_frame frame = {.type = PEER_CONFIG};

    frame.config.value = config->slice;
    frame.config.certificate = manual_certificate(config);
    lone_receive(&manual_rig, peer, &frame);
}

START_TEST(a_peers_certificate_is_verified_before_it_counts)
{
    char text[40];

    manual_begin_alone(1);
    lone_greet(&manual_rig, 'B', NULL, 0);
    lone_forget(&manual_rig);
    manual_next(CONFIG_ADD);
    config_admit(&manual_newest.config, sample_node('B'), 1);
    sample_config_encode(&manual_newest);
    config_from('B', &manual_newest);
    snprintf(text, sizeof text, "verify %zu bytes\n",
             manual_certificate(&manual_newest).size);
    lone_expect(&manual_rig, text);
    ck_assert_uint_eq(lone_status(&manual_rig).config_number, 1);
    manual_certified(manual_certificate(&manual_newest));
    ck_assert_uint_eq(lone_status(&manual_rig).config_number, 2);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(a_peers_configuration_without_a_certificate_is_nothing)
{
    struct peer_frame frame = {.type = PEER_CONFIG};

    manual_begin_alone(1);
    lone_greet(&manual_rig, 'B', NULL, 0);
    lone_forget(&manual_rig);
    manual_next(CONFIG_ADD);
    config_admit(&manual_newest.config, sample_node('B'), 1);
    sample_config_encode(&manual_newest);
    frame.config.revision = 99;
    frame.config.value = manual_newest.slice;
    lone_receive(&manual_rig, 'B', &frame);
    lone_expect(&manual_rig, "");
    lone_end(&manual_rig);
}
END_TEST

START_TEST(two_certificates_of_one_number_halt)
{
    struct sample_config other;

    manual_begin_pair(2);
    manual_certified(
        manual_certificate(&manual_newest)); /* The same once more. */
    lone_expect(&manual_rig, "");
    other = manual_newest;
    other.config.nonce[0] ^= 1;
    sample_config_encode(&other);
    manual_certified(manual_certificate(&other));
    ck_assert(lone_did(&manual_rig, "halt 3\n"));
    ck_assert(lone_did(&manual_rig, "job halt 2 evidence "));
    ck_assert_uint_eq(lone_count(&manual_rig, "job halt 2 evidence 0\n"), 0);
    ck_assert_int_eq(lone_status(&manual_rig).halt, HALT_EQUIVOCATION);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(a_certificate_that_may_not_follow_is_told_and_not_acted_upon)
{
    struct sample_config kept;

    manual_begin_pair(2);
    kept = manual_newest;
    manual_next(CONFIG_REMOVE); /* Below the minimum. */
    config_dismiss(&manual_newest.config, sample_node('B'));
    manual_certify();
    ck_assert(lone_did(&manual_rig, "say certificate "));
    manual_newest = kept;
    manual_next(CONFIG_SETTLE);
    manual_newest.config.lineage[0] ^= 1;
    manual_certify();
    ck_assert_uint_eq(lone_status(&manual_rig).config_number, 2);
    ck_assert(manual_rig.leads);
    ck_assert_uint_eq(lone_count(&manual_rig, "job"), 0);
    lone_end(&manual_rig);
}
END_TEST

/* Whoever signed it signed two of the number before. */
START_TEST(a_certificate_that_names_another_before_it_halts)
{
    manual_begin_pair(2);
    manual_next(CONFIG_SETTLE);
    manual_newest.config.previous[0] ^= 1;
    manual_certify();
    ck_assert_int_eq(lone_status(&manual_rig).halt, HALT_EQUIVOCATION);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(an_older_certificate_is_nothing)
{
    struct sample_config first;

    manual_begin('A');
    manual_first(1);
    first = manual_newest;
    lone_end(&manual_rig);
    manual_begin_pair(1);
    manual_certified(manual_certificate(&first));
    lone_expect(&manual_rig, "");
    ck_assert_uint_eq(lone_status(&manual_rig).config_number, 2);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(bytes_that_are_no_certificate_are_nothing)
{
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct slice good;

    manual_begin_pair(1);
    manual_next(CONFIG_SETTLE);
    sample_config_encode(&manual_newest);
    good = manual_certificate(&manual_newest);
    memcpy(bytes, good.data, good.size);
    manual_certified(slice_of(bytes, 0));
    for (size_t size = 1; size < CONFIG_CERT_FIXED_SIZE + 100; size += 7)
        manual_certified(slice_of(bytes, size));
    bytes[0] ^= 1;
    manual_certified(slice_of(bytes, good.size));
    ck_assert_uint_eq(lone_status(&manual_rig).config_number, 2);
    ck_assert(manual_rig.leads);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(what_a_register_would_say_is_nothing_here)
{
    manual_begin_pair(1);
    manual_next(CONFIG_SETTLE);
    manual_rig.config = manual_newest.config;
    manual_rig.revision = 9;
    lone_see(&manual_rig);
    ck_assert_uint_eq(lone_status(&manual_rig).config_number, 2);
    lone_end(&manual_rig);
}
END_TEST

SUITE_MAIN("replica_manual",
           a_certificate_lets_its_primary_lead_and_goes_into_the_log,
           a_restart_takes_the_next_epoch_of_the_grant_without_a_person,
           an_epoch_that_began_and_never_wrote_is_not_used_again,
           the_last_epoch_of_a_grant_is_used_and_none_behind_it,
           a_grant_is_entered_above_what_peers_have_promised,
           a_lost_node_does_not_use_its_grant,
           a_peers_certificate_is_verified_before_it_counts,
           a_peers_configuration_without_a_certificate_is_nothing,
           two_certificates_of_one_number_halt,
           a_certificate_that_may_not_follow_is_told_and_not_acted_upon,
           a_certificate_that_names_another_before_it_halts,
           an_older_certificate_is_nothing,
           bytes_that_are_no_certificate_are_nothing,
           what_a_register_would_say_is_nothing_here)
