/*
 * Where the operator's certificates decide (rule R13 in manual mode, grants of
 * epochs, equivocation).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a;
/* What was certified last, and its bytes. */
static struct sample_config newest;

static void begin(char self)
{
    lone_begin(&rig, self, "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig.options.automatic = false;
    lone_start(&rig);
    lone_forget(&rig);
}

static void certified(struct slice bytes)
{
    struct replica_event event = {.type = REPLICA_CERTIFIED};

    event.certificate = bytes;
    lone_event(&rig, &event);
}

static struct slice certificate(const struct sample_config *config)
{
    static uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];

    return sample_config_cert(bytes, config->config.why, config->slice, 7);
}

static void certify(void)
{
    sample_config_encode(&newest);
    certified(certificate(&newest));
}

/* The first one: A alone. */
static void certify_first(uint8_t minimum)
{
    sample_config(&newest.config);
    newest.config.minimum = minimum;
    newest.config.base_size = 0;
    memset(newest.config.base_leaf, 0, HASH_SIZE);
    certify();
}

static void next(enum config_why why)
{
    struct config config;

    config_succeed(&config, &newest.config, newest.slice, why);
    newest.config = config;
}

static void go(void)
{
    for (int i = 0; i < 40; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    lone_work(&rig);
}

static void begin_alone(uint8_t minimum)
{
    begin('A');
    certify_first(minimum);
    go();
    ck_assert(rig.leads);
    lone_submit(&rig, 1);
    lone_work(&rig);
    lone_forget(&rig);
}

/* A and B in sync, with that minimum. */
static void begin_pair(uint8_t minimum)
{
    begin_alone(minimum);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    next(CONFIG_ADD);
    config_admit(&newest.config, sample_node('B'), 1);
    certify();
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_forget(&rig);
}

static void vouch_for_b(void)
{
    struct replica_event event = {.type = REPLICA_VOUCH};

    memcpy(event.node_id, sample_node('B'), NODE_ID_SIZE);
    lone_event(&rig, &event);
}

/* ---- Grants -------------------------------------------------------------- */

START_TEST(a_certificate_lets_its_primary_lead_and_goes_into_the_log)
{
    begin('A');
    certify_first(1);
    lone_expect(&rig, "job configure 1\nsay member\n");
    go();
    ck_assert(lone_did(&rig, "job use 1\n"));
    ck_assert(lone_did(&rig, "lead epoch 1 at 0 certified\n"));
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(a_restart_takes_the_next_epoch_of_the_grant_without_a_person)
{
    begin_alone(1);
    for (uint32_t epoch = 2; epoch < 6; epoch++) {
        lone_lose_power(&rig);
        lone_start(&rig);
        go();
        ck_assert(rig.leads);
        ck_assert_uint_eq(rig.epoch, epoch);
        ck_assert_uint_eq(rig.meta.value.used_epoch, epoch);
        lone_submit(&rig, 1);
        lone_work(&rig);
        ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    }
    ck_assert(lone_did(&rig, "lead epoch 5 at 4 certified\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(an_epoch_that_began_and_never_wrote_is_not_used_again)
{
    begin('A');
    certify_first(1);
    go();
    ck_assert_uint_eq(rig.epoch, 1);
    lone_lose_power(&rig); /* Before its EPOCH. */
    lone_start(&rig);
    go();
    ck_assert_uint_eq(rig.epoch, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(the_last_epoch_of_a_grant_is_used_and_none_behind_it)
{
    begin_alone(1);
    ck_assert_int_eq(meta_use_epoch(&rig.meta, CONFIG_GRANT_EPOCHS - 1), ST_OK);
    lone_lose_power(&rig);
    lone_start(&rig);
    go();
    ck_assert_uint_eq(rig.epoch, CONFIG_GRANT_EPOCHS);
    ck_assert(rig.leads);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_forget(&rig);
    go();
    ck_assert(!rig.leads);
    ck_assert(lone_did(&rig, "say want A 2\n")); /* A restart. */
    next(CONFIG_RESTART);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    certify();
    go();
    ck_assert(rig.leads);
    ck_assert_uint_eq(rig.epoch, CONFIG_GRANT_EPOCHS + 1);
    lone_end(&rig);
}
END_TEST

START_TEST(a_grant_is_entered_above_what_peers_have_promised)
{
    struct peer_frame hello;

    begin('A');
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.promised = 7;
    lone_receive(&rig, 'B', &hello);
    certify_first(1);
    go();
    ck_assert_uint_eq(rig.epoch, 8);
    lone_end(&rig);
}
END_TEST

START_TEST(a_lost_node_does_not_use_its_grant)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    begin_alone(1);
    lone_submit(&rig, 3);
    lone_work(&rig);
    ck_assert_int_eq(journal_place(rig.journal, file, &offset, 3), ST_OK);
    lone_lose_power(&rig);
    disk_model_rot(rig.model, file, offset + 100, 1);
    lone_start(&rig);
    go();
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert(!rig.leads);
    lone_end(&rig);
}
END_TEST

/* ---- What is taken ------------------------------------------------------- */

static void config_from(char peer, const struct sample_config *config)
{
    struct peer_frame frame = {.type = PEER_CONFIG};

    frame.config.value = config->slice;
    frame.config.certificate = certificate(config);
    lone_receive(&rig, peer, &frame);
}

START_TEST(a_peers_certificate_is_verified_before_it_counts)
{
    char text[40];

    begin_alone(1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_forget(&rig);
    next(CONFIG_ADD);
    config_admit(&newest.config, sample_node('B'), 1);
    sample_config_encode(&newest);
    config_from('B', &newest);
    snprintf(text, sizeof text, "verify %zu bytes\n",
             certificate(&newest).size);
    lone_expect(&rig, text);
    ck_assert_uint_eq(lone_status(&rig).config_number, 1);
    certified(certificate(&newest));
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(a_peers_configuration_without_a_certificate_is_nothing)
{
    struct peer_frame frame = {.type = PEER_CONFIG};

    begin_alone(1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_forget(&rig);
    next(CONFIG_ADD);
    config_admit(&newest.config, sample_node('B'), 1);
    sample_config_encode(&newest);
    frame.config.revision = 99;
    frame.config.value = newest.slice;
    lone_receive(&rig, 'B', &frame);
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

START_TEST(two_certificates_of_one_number_halt)
{
    struct sample_config other;

    begin_pair(2);
    certified(certificate(&newest)); /* The same once more. */
    lone_expect(&rig, "");
    other = newest;
    other.config.nonce[0] ^= 1;
    sample_config_encode(&other);
    certified(certificate(&other));
    ck_assert(lone_did(&rig, "halt 3\n"));
    ck_assert(lone_did(&rig, "job halt 2 evidence "));
    ck_assert_uint_eq(lone_count(&rig, "job halt 2 evidence 0\n"), 0);
    ck_assert_int_eq(lone_status(&rig).halt, HALT_EQUIVOCATION);
    lone_end(&rig);
}
END_TEST

START_TEST(a_certificate_that_may_not_follow_is_told_and_not_acted_upon)
{
    struct sample_config kept;

    begin_pair(2);
    kept = newest;
    next(CONFIG_REMOVE); /* Below the minimum. */
    config_dismiss(&newest.config, sample_node('B'));
    certify();
    ck_assert(lone_did(&rig, "say certificate "));
    newest = kept;
    next(CONFIG_SETTLE);
    newest.config.lineage[0] ^= 1;
    certify();
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    ck_assert(rig.leads);
    ck_assert_uint_eq(lone_count(&rig, "job"), 0);
    lone_end(&rig);
}
END_TEST

/* Whoever signed it signed two of the number before. */
START_TEST(a_certificate_that_names_another_before_it_halts)
{
    begin_pair(2);
    next(CONFIG_SETTLE);
    newest.config.previous[0] ^= 1;
    certify();
    ck_assert_int_eq(lone_status(&rig).halt, HALT_EQUIVOCATION);
    lone_end(&rig);
}
END_TEST

START_TEST(an_older_certificate_is_nothing)
{
    struct sample_config first;

    begin('A');
    certify_first(1);
    first = newest;
    lone_end(&rig);
    begin_pair(1);
    certified(certificate(&first));
    lone_expect(&rig, "");
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(bytes_that_are_no_certificate_are_nothing)
{
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct slice good;

    begin_pair(1);
    next(CONFIG_SETTLE);
    sample_config_encode(&newest);
    good = certificate(&newest);
    memcpy(bytes, good.data, good.size);
    certified(slice_of(bytes, 0));
    for (size_t size = 1; size < CONFIG_CERT_FIXED_SIZE + 100; size += 7)
        certified(slice_of(bytes, size));
    bytes[0] ^= 1;
    certified(slice_of(bytes, good.size));
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    ck_assert(rig.leads);
    lone_end(&rig);
}
END_TEST

START_TEST(what_a_register_would_say_is_nothing_here)
{
    begin_pair(1);
    next(CONFIG_SETTLE);
    rig.config = newest.config;
    rig.revision = 9;
    lone_see(&rig);
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    lone_end(&rig);
}
END_TEST

/* ---- Who must agree ------------------------------------------------------ */

static void pass(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 100) {
        lone_tick(&rig, 100);
        lone_work(&rig);
    }
}

START_TEST(R13_a_silent_member_counts_until_a_certificate_let_it_go)
{
    begin_pair(1);
    lone_submit(&rig, 2);
    pass(20000);
    ck_assert_uint_ge(lone_count(&rig, "say want B 3\n"), 2);
    ck_assert_uint_le(lone_count(&rig, "say want B 3\n"), 5);
    ck_assert_uint_eq(rig.published, 1);
    next(CONFIG_REMOVE);
    config_dismiss(&newest.config, sample_node('B'));
    certify();
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R15_whoever_is_named_in_a_statement_must_agree_from_then_on)
{
    struct statement statement;

    begin_alone(1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_submit(&rig, 1);
    lone_work(&rig);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 2);
    vouch_for_b();
    ck_assert_int_eq(replica_state(rig.replica, &statement, CONFIG_ADD,
                                   sample_node('B'), rig.now_ms),
                     ST_OK);
    ck_assert_int_eq(statement.flags & STATEMENT_ACK, 0); /* Not durable. */
    lone_work(&rig);
    ck_assert_int_eq(replica_state(rig.replica, &statement, CONFIG_ADD,
                                   sample_node('B'), rig.now_ms),
                     ST_OK);
    ck_assert_int_ne(statement.flags & STATEMENT_ACK, 0);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 2);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

/* The slot that is bad may have named anybody; a new configuration ends it. */
START_TEST(R15_whom_a_damaged_meta_named_is_not_known_so_all_must_agree)
{
    begin_alone(1);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 2);
    lone_lose_power(&rig);
    disk_model_rot(rig.model, META_FILE, 30, 4);
    lone_start(&rig);
    lone_lose_power(&rig); /* It is known at later starts too. */
    lone_start(&rig);
    go();
    ck_assert(rig.leads);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_BARRIER);
    next(CONFIG_SETTLE);
    certify();
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
}
END_TEST

START_TEST(who_may_join_is_asked_for_and_let_in_by_a_certificate)
{
    begin_alone(1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    pass(200);
    ck_assert_uint_eq(lone_count(&rig, "say want B 5\n"), 1);
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    next(CONFIG_ADD);
    config_admit(&newest.config, sample_node('B'), 1);
    certify();
    lone_work(&rig);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(a_hand_over_waits_for_a_certificate_and_states_that_all_is_sealed)
{
    struct replica_event event = {.type = REPLICA_HAND_OVER};
    struct statement statement;

    begin_pair(2);
    memcpy(event.node_id, sample_node('B'), NODE_ID_SIZE);
    lone_event(&rig, &event);
    ck_assert_int_eq(replica_state(rig.replica, &statement, CONFIG_SWITCHOVER,
                                   sample_node('B'), rig.now_ms),
                     ST_OK);
    ck_assert_int_eq(statement.flags & STATEMENT_SEALED, 0);
    event.type = REPLICA_DRAINED;
    lone_event(&rig, &event);
    ck_assert_uint_eq(lone_count(&rig, "say want B 9\n"), 1);
    ck_assert_int_eq(replica_state(rig.replica, &statement, CONFIG_SWITCHOVER,
                                   sample_node('B'), rig.now_ms),
                     ST_OK);
    ck_assert_int_ne(statement.flags & STATEMENT_SEALED, 0);
    ck_assert_uint_eq(statement.size, 1);
    ck_assert_uint_eq(statement.committed, 1);
    next(CONFIG_SWITCHOVER);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    memcpy(newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    certify();
    ck_assert(lone_did(&rig, "follow\n"));
    lone_end(&rig);
}
END_TEST

/* ---- Promotion ----------------------------------------------------------- */

START_TEST(a_backup_leads_when_a_certificate_says_so_and_never_before)
{
    begin('B');
    certify_first(2);
    next(CONFIG_ADD);
    config_admit(&newest.config, sample_node('B'), 1);
    certify();
    lone_work(&rig);
    rig_log_add(&log_a, 4, 1, 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, 4, 2);
    lone_work(&rig);
    lone_unlink(&rig, 'A');
    pass(60000);
    ck_assert(!rig.leads);
    lone_forget(&rig);
    next(CONFIG_PROMOTE);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    memcpy(newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    certify();
    go();
    ck_assert(lone_did(&rig, "lead epoch 4097 at 4 certified\n"));
    lone_end(&rig);
}
END_TEST

/* B, that is none of the members A and Z, is to lead over Z's log: its own has
 * all four entries already. */
static void begin_recovering_b(void)
{
    begin('B');
    certify_first(2);
    next(CONFIG_ADD);
    config_admit(&newest.config, sample_node('Z'), 1);
    certify();
    lone_work(&rig);
    rig_log_add(&log_a, 4, 1, 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, 4, 2);
    lone_work(&rig);
    lone_unlink(&rig, 'A');
    lone_greet(&rig, 'Z', &log_a, 4);
    next(CONFIG_PROMOTE_VIA);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    newest.config.phase = CONFIG_RECOVERING;
    memcpy(newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    certify();
    go();
    ck_assert_int_eq(lone_role(&rig), REPLICA_RECOVERING);
}

static void z_seals(uint32_t epoch)
{
    static uint8_t bytes[PEER_EPOCHS_MAX * 44];
    struct peer_frame frame = {.type = PEER_SEALED};
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    frame.sealed.epoch = epoch;
    frame.sealed.size = 4;
    memcpy(frame.sealed.leaf.b, log_a.ends[4].leaf, HASH_SIZE);
    frame.sealed.epochs = rig_log_epochs(&log_a, &space, 4);
    lone_receive(&rig, 'Z', &frame);
}

/* What B states of having adopted the log of Z. */
static struct statement adoption(void)
{
    struct statement statement;

    ck_assert_int_eq(replica_state(rig.replica, &statement, CONFIG_ADOPTED,
                                   sample_node('Z'), rig.now_ms),
                     ST_OK);
    ck_assert_mem_eq(statement.other, sample_node('Z'), NODE_ID_SIZE);
    return statement;
}

START_TEST(a_node_that_adopted_a_members_log_waits_for_the_certificate_of_that)
{
    begin_recovering_b();
    z_seals(4097);
    pass(20000);
    ck_assert_uint_ge(lone_count(&rig, "say want Z 8\n"), 1);
    ck_assert(!rig.leads);
    next(CONFIG_ADOPTED);
    newest.config.phase = CONFIG_NORMAL;
    config_dismiss_others(&newest.config, sample_node('Z'));
    config_admit(&newest.config, sample_node('B'), 1);
    certify();
    go();
    ck_assert(lone_did(&rig, "lead epoch 4097 at 4 certified\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_that_a_log_was_adopted_is_stated_once_it_was_and_not_before)
{
    begin_recovering_b();
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    z_seals(4097);
    go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    ck_assert_uint_eq(adoption().other_matched, 4);
    ck_assert_uint_eq(adoption().other_incarnation, 1);
    ck_assert_uint_eq(adoption().size, 4);
    lone_unlink(&rig, 'Z');
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    lone_end(&rig);
}
END_TEST

/* Simulator, seed 23234: A led between the two, and committed more. */
START_TEST(R20_what_was_adopted_under_an_earlier_configuration_is_not_stated)
{
    begin_recovering_b();
    z_seals(4097);
    go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    next(CONFIG_PROMOTE);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    newest.config.phase = CONFIG_NORMAL;
    memcpy(newest.config.primary, sample_node('A'), NODE_ID_SIZE);
    certify();
    go();
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    next(CONFIG_PROMOTE_VIA);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    newest.config.phase = CONFIG_RECOVERING;
    memcpy(newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    certify();
    go();
    ck_assert_int_eq(lone_role(&rig), REPLICA_RECOVERING);
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    z_seals(3 * CONFIG_GRANT_EPOCHS + 1);
    go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    lone_end(&rig);
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
           a_certificate_that_names_another_before_it_halts,
           a_certificate_that_may_not_follow_is_told_and_not_acted_upon,
           an_older_certificate_is_nothing,
           bytes_that_are_no_certificate_are_nothing,
           what_a_register_would_say_is_nothing_here,
           R13_a_silent_member_counts_until_a_certificate_let_it_go,
           R15_whoever_is_named_in_a_statement_must_agree_from_then_on,
           R15_whom_a_damaged_meta_named_is_not_known_so_all_must_agree,
           who_may_join_is_asked_for_and_let_in_by_a_certificate,
           a_hand_over_waits_for_a_certificate_and_states_that_all_is_sealed,
           a_backup_leads_when_a_certificate_says_so_and_never_before,
           a_node_that_adopted_a_members_log_waits_for_the_certificate_of_that,
           R20_that_a_log_was_adopted_is_stated_once_it_was_and_not_before,
           R20_what_was_adopted_under_an_earlier_configuration_is_not_stated)
