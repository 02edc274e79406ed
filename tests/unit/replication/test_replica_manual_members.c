/*
 * Where the operator's certificates decide: who must agree (rules R13, R15 in
 * manual mode), who may lead, and who took over a log.
 */
#include <string.h>

#include "tests/lib/manual_rig.h"
#include "tests/lib/suite.h"

/* ---- Who must agree ------------------------------------------------------ */

START_TEST(R13_a_silent_member_counts_until_a_certificate_let_it_go)
{
    manual_begin_pair(1);
    lone_submit(&manual_rig, 2);
    manual_pass(20000);
    ck_assert_uint_ge(lone_count(&manual_rig, "say want B 3\n"), 2);
    ck_assert_uint_le(lone_count(&manual_rig, "say want B 3\n"), 5);
    ck_assert_uint_eq(manual_rig.published, 1);
    manual_next(CONFIG_REMOVE);
    config_dismiss(&manual_newest.config, sample_node('B'));
    manual_certify();
    lone_work(&manual_rig);
    ck_assert_uint_eq(manual_rig.published, 3);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(R15_whoever_is_named_in_a_statement_must_agree_from_then_on)
{
    struct statement statement;

    manual_begin_alone(1);
    lone_greet(&manual_rig, 'B', NULL, 0);
    lone_ack_all(&manual_rig, 'B');
    lone_submit(&manual_rig, 1);
    lone_work(&manual_rig);
    lone_ack_all(&manual_rig, 'B');
    ck_assert_uint_eq(manual_rig.published, 2);
    manual_vouch_for_b();
    ck_assert_int_eq(replica_state(manual_rig.replica, &statement, CONFIG_ADD,
                                   sample_node('B'), manual_rig.now_ms),
                     ST_OK);
    ck_assert_int_eq(statement.flags & STATEMENT_ACK, 0); /* Not durable. */
    lone_work(&manual_rig);
    ck_assert_int_eq(replica_state(manual_rig.replica, &statement, CONFIG_ADD,
                                   sample_node('B'), manual_rig.now_ms),
                     ST_OK);
    ck_assert_int_ne(statement.flags & STATEMENT_ACK, 0);
    lone_submit(&manual_rig, 1);
    lone_work(&manual_rig);
    ck_assert_uint_eq(manual_rig.published, 2);
    lone_ack_all(&manual_rig, 'B');
    ck_assert_uint_eq(manual_rig.published, 3);
    lone_end(&manual_rig);
}
END_TEST

/* The slot that is bad may have named anybody; a new configuration ends it. */
START_TEST(R15_whom_a_damaged_meta_named_is_not_known_so_all_must_agree)
{
    manual_begin_alone(1);
    lone_submit(&manual_rig, 1);
    lone_work(&manual_rig);
    ck_assert_uint_eq(manual_rig.published, 2);
    lone_lose_power(&manual_rig);
    disk_model_rot(manual_rig.model, META_FILE, 30, 4);
    lone_start(&manual_rig);
    lone_lose_power(&manual_rig); /* It is known at later starts too. */
    lone_start(&manual_rig);
    manual_go();
    ck_assert(manual_rig.leads);
    lone_submit(&manual_rig, 1);
    lone_work(&manual_rig);
    ck_assert_int_eq(lone_role(&manual_rig), REPLICA_BARRIER);
    manual_next(CONFIG_SETTLE);
    manual_certify();
    lone_work(&manual_rig);
    ck_assert_int_eq(lone_role(&manual_rig), REPLICA_PRIMARY);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(who_may_join_is_asked_for_and_let_in_by_a_certificate)
{
    manual_begin_alone(1);
    lone_greet(&manual_rig, 'B', NULL, 0);
    lone_ack_all(&manual_rig, 'B');
    manual_pass(200);
    ck_assert_uint_eq(lone_count(&manual_rig, "say want B 5\n"), 1);
    ck_assert_uint_eq(lone_count(&manual_rig, "ask"), 0);
    manual_next(CONFIG_ADD);
    config_admit(&manual_newest.config, sample_node('B'), 1);
    manual_certify();
    lone_work(&manual_rig);
    lone_submit(&manual_rig, 1);
    lone_work(&manual_rig);
    ck_assert_uint_eq(manual_rig.published, 1);
    lone_ack_all(&manual_rig, 'B');
    ck_assert_uint_eq(manual_rig.published, 2);
    lone_end(&manual_rig);
}
END_TEST

START_TEST(a_hand_over_waits_for_a_certificate_and_states_that_all_is_sealed)
{
    struct replica_event event = {.type = REPLICA_HAND_OVER};
    struct statement statement;

    manual_begin_pair(2);
    memcpy(event.node_id, sample_node('B'), NODE_ID_SIZE);
    lone_event(&manual_rig, &event);
    ck_assert_int_eq(replica_state(manual_rig.replica, &statement,
                                   CONFIG_SWITCHOVER, sample_node('B'),
                                   manual_rig.now_ms),
                     ST_OK);
    ck_assert_int_eq(statement.flags & STATEMENT_SEALED, 0);
    event.type = REPLICA_DRAINED;
    lone_event(&manual_rig, &event);
    ck_assert_uint_eq(lone_count(&manual_rig, "say want B 9\n"), 1);
    ck_assert_int_eq(replica_state(manual_rig.replica, &statement,
                                   CONFIG_SWITCHOVER, sample_node('B'),
                                   manual_rig.now_ms),
                     ST_OK);
    ck_assert_int_ne(statement.flags & STATEMENT_SEALED, 0);
    ck_assert_uint_eq(statement.size, 1);
    ck_assert_uint_eq(statement.committed, 1);
    manual_next(CONFIG_SWITCHOVER);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    memcpy(manual_newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    manual_certify();
    ck_assert(lone_did(&manual_rig, "follow\n"));
    lone_end(&manual_rig);
}
END_TEST

/* ---- Promotion ----------------------------------------------------------- */

START_TEST(a_backup_leads_when_a_certificate_says_so_and_never_before)
{
    manual_begin('B');
    manual_first(2);
    manual_next(CONFIG_ADD);
    config_admit(&manual_newest.config, sample_node('B'), 1);
    manual_certify();
    lone_work(&manual_rig);
    rig_log_add(&manual_log, 4, 1, 0);
    lone_greet(&manual_rig, 'A', NULL, 0);
    lone_append(&manual_rig, 'A', &manual_log, 0, 4, 2);
    lone_work(&manual_rig);
    lone_unlink(&manual_rig, 'A');
    manual_pass(60000);
    ck_assert(!manual_rig.leads);
    lone_forget(&manual_rig);
    manual_next(CONFIG_PROMOTE);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    memcpy(manual_newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    manual_certify();
    manual_go();
    ck_assert(lone_did(&manual_rig, "lead epoch 4097 at 4 certified\n"));
    lone_end(&manual_rig);
}
END_TEST

/* B, that is none of the members A and Z, is to lead over Z's log: its own has
 * all four entries already. */
static void begin_recovering_b(void)
{
    manual_begin('B');
    manual_first(2);
    manual_next(CONFIG_ADD);
    config_admit(&manual_newest.config, sample_node('Z'), 1);
    manual_certify();
    lone_work(&manual_rig);
    rig_log_add(&manual_log, 4, 1, 0);
    lone_greet(&manual_rig, 'A', NULL, 0);
    lone_append(&manual_rig, 'A', &manual_log, 0, 4, 2);
    lone_work(&manual_rig);
    lone_unlink(&manual_rig, 'A');
    lone_greet(&manual_rig, 'Z', &manual_log, 4);
    manual_next(CONFIG_PROMOTE_VIA);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    manual_newest.config.phase = CONFIG_RECOVERING;
    memcpy(manual_newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    manual_certify();
    manual_go();
    ck_assert_int_eq(lone_role(&manual_rig), REPLICA_RECOVERING);
}

/* ${peer} seals the first ${size} entries. */
static void seals(char peer, uint32_t epoch, uint64_t size)
{
    static uint8_t bytes[PEER_EPOCHS_MAX * 44];
    struct peer_frame frame = {.type = PEER_SEALED};
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    frame.sealed.epoch = epoch;
    frame.sealed.size = size;
    memcpy(frame.sealed.leaf.b, manual_log.ends[size].leaf, HASH_SIZE);
    frame.sealed.epochs = rig_log_epochs(&manual_log, &space, size);
    lone_receive(&manual_rig, peer, &frame);
}

static void z_seals(uint32_t epoch)
{
    seals('Z', epoch, 4);
}

/* What B states of having adopted the log of Z. */
static struct statement adoption(void)
{
    struct statement statement;

    ck_assert_int_eq(replica_state(manual_rig.replica, &statement,
                                   CONFIG_ADOPTED, sample_node('Z'),
                                   manual_rig.now_ms),
                     ST_OK);
    ck_assert_mem_eq(statement.other, sample_node('Z'), NODE_ID_SIZE);
    return statement;
}

START_TEST(a_node_that_adopted_a_members_log_waits_for_the_certificate_of_that)
{
    begin_recovering_b();
    z_seals(4097);
    manual_pass(20000);
    ck_assert_uint_ge(lone_count(&manual_rig, "say want Z 8\n"), 1);
    ck_assert(!manual_rig.leads);
    manual_next(CONFIG_ADOPTED);
    manual_newest.config.phase = CONFIG_NORMAL;
    config_dismiss_others(&manual_newest.config, sample_node('Z'));
    config_admit(&manual_newest.config, sample_node('B'), 1);
    manual_certify();
    manual_go();
    ck_assert(lone_did(&manual_rig, "lead epoch 4097 at 4 certified\n"));
    lone_end(&manual_rig);
}
END_TEST

START_TEST(R20_that_a_log_was_adopted_is_stated_once_it_was_and_not_before)
{
    begin_recovering_b();
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    z_seals(4097);
    manual_go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    ck_assert_uint_eq(adoption().other_matched, 4);
    ck_assert_uint_eq(adoption().other_incarnation, 1);
    ck_assert_uint_eq(adoption().size, 4);
    lone_unlink(&manual_rig, 'Z');
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    lone_end(&manual_rig);
}
END_TEST

/* Simulator, seed 23234: A led between the two, and committed more. */
START_TEST(R20_what_was_adopted_under_an_earlier_configuration_is_not_stated)
{
    begin_recovering_b();
    z_seals(4097);
    manual_go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    manual_next(CONFIG_PROMOTE);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    manual_newest.config.phase = CONFIG_NORMAL;
    memcpy(manual_newest.config.primary, sample_node('A'), NODE_ID_SIZE);
    manual_certify();
    manual_go();
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    manual_next(CONFIG_PROMOTE_VIA);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    manual_newest.config.phase = CONFIG_RECOVERING;
    memcpy(manual_newest.config.primary, sample_node('B'), NODE_ID_SIZE);
    manual_certify();
    manual_go();
    ck_assert_int_eq(lone_role(&manual_rig), REPLICA_RECOVERING);
    ck_assert((adoption().flags & STATEMENT_ACK) == 0);
    z_seals(3 * CONFIG_GRANT_EPOCHS + 1);
    manual_go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    lone_end(&manual_rig);
}
END_TEST

/* A member that is hostile, or lost what it had and does not know. */
static void a_seals_short(uint32_t epoch)
{
    seals('A', epoch, 2);
}

/* What was asked of Z last. */
static void z_gives(uint64_t first, uint64_t end)
{
    static uint8_t bytes[PEER_ENTRIES_SIZE_MAX];
    struct peer_frame asked, frame = {.type = PEER_FETCHED};
    struct writer entries;

    ck_assert(lone_sent(&manual_rig, &asked, 'Z', PEER_FETCH));
    ck_assert_uint_eq(asked.fetch.first, first);
    writer_init(&entries, bytes, sizeof bytes);
    rig_log_entries(&manual_log, &entries, first, end);
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = first;
    frame.fetched.result = PEER_FETCH_ENTRIES;
    frame.entries = writer_slice(&entries);
    lone_receive(&manual_rig, 'Z', &frame);
}

START_TEST(R20_who_sealed_what_the_certificate_rests_on_goes_before_others)
{
    begin_recovering_b();
    manual_next(CONFIG_RESTART);
    manual_newest.config.epoch += CONFIG_GRANT_EPOCHS;
    manual_newest.config.base_size = 4;
    memcpy(manual_newest.config.base_leaf, manual_log.ends[4].leaf, HASH_SIZE);
    manual_certify();
    manual_go();
    lone_greet(&manual_rig, 'A', &manual_log, 4);
    a_seals_short(2 * CONFIG_GRANT_EPOCHS + 1);
    z_seals(2 * CONFIG_GRANT_EPOCHS + 1);
    manual_go();
    ck_assert_uint_eq(adoption().size, 2);
    z_gives(2, 4);
    manual_go();
    ck_assert_uint_eq(adoption().size, 4);
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    lone_end(&manual_rig);
}
END_TEST

/* The certificate of what was adopted comes to a later start, that took over
 * another member's log meanwhile. */
START_TEST(R20_who_has_less_than_the_certificate_says_does_not_lead)
{
    begin_recovering_b();
    z_seals(4097);
    manual_go();
    ck_assert((adoption().flags & STATEMENT_ACK) != 0);
    lone_lose_power(&manual_rig);
    lone_start(&manual_rig);
    lone_greet(&manual_rig, 'A', &manual_log, 4);
    manual_go();
    a_seals_short(4098);
    manual_go();
    ck_assert_uint_eq(adoption().size, 2);
    manual_next(CONFIG_ADOPTED);
    manual_newest.config.phase = CONFIG_NORMAL;
    config_dismiss_others(&manual_newest.config, sample_node('Z'));
    config_admit(&manual_newest.config, sample_node('B'), 1);
    manual_newest.config.base_size = 4;
    memcpy(manual_newest.config.base_leaf, manual_log.ends[4].leaf, HASH_SIZE);
    manual_certify();
    manual_pass(30000);
    ck_assert(!manual_rig.leads);
    ck_assert_int_eq(lone_role(&manual_rig), REPLICA_RECOVERING);
    /* Once it has that again, it does. */
    lone_forget(&manual_rig);
    lone_greet(&manual_rig, 'Z', &manual_log, 4);
    z_seals(4098);
    z_gives(2, 4);
    manual_go();
    ck_assert(manual_rig.leads);
    lone_end(&manual_rig);
}
END_TEST

SUITE_MAIN("replica_manual_members",
           R13_a_silent_member_counts_until_a_certificate_let_it_go,
           R15_whoever_is_named_in_a_statement_must_agree_from_then_on,
           R15_whom_a_damaged_meta_named_is_not_known_so_all_must_agree,
           who_may_join_is_asked_for_and_let_in_by_a_certificate,
           a_hand_over_waits_for_a_certificate_and_states_that_all_is_sealed,
           a_backup_leads_when_a_certificate_says_so_and_never_before,
           a_node_that_adopted_a_members_log_waits_for_the_certificate_of_that,
           R20_that_a_log_was_adopted_is_stated_once_it_was_and_not_before,
           R20_what_was_adopted_under_an_earlier_configuration_is_not_stated,
           R20_who_sealed_what_the_certificate_rests_on_goes_before_others,
           R20_who_has_less_than_the_certificate_says_does_not_lead)
