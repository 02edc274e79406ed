/*
 * Every member is gone, and the operator begins a new lineage with what one
 * node has (V7): who takes that, and that a crash leaves one lineage whole.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

enum { HELD = 4, KNOWN = 3, LEFT = 3 };

static struct replica_rig rig;
static struct rig_log log_a;
/* What was certified last, and its bytes. */
static struct sample_config newest;

static void certified(unsigned signers)
{
    static uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct replica_event event = {.type = REPLICA_CERTIFIED};

    sample_config_encode(&newest);
    event.certificate =
        sample_config_cert(bytes, newest.config.why, newest.slice, signers);
    lone_event(&rig, &event);
}

static void next(enum config_why why)
{
    struct config config;

    config_succeed(&config, &newest.config, newest.slice, why);
    newest.config = config;
}

/* ${self} with the first ${size} entries of log_a, of which KNOWN are committed
 * as far as it knows; A is a member, and B if ${pair}.  A is gone. */
static void begin_as(char self, uint64_t size, bool pair)
{
    lone_begin(&rig, self, "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig.options.automatic = false;
    lone_start(&rig);
    sample_config(&newest.config);
    certified(7);
    if (pair) {
        next(CONFIG_ADD);
        config_admit(&newest.config, sample_node('B'), 1);
        certified(7);
    }
    lone_work(&rig);
    rig_log_add(&log_a, 8, 1, 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, size, size < KNOWN ? size : KNOWN);
    lone_work(&rig);
    lone_unlink(&rig, 'A');
    lone_forget(&rig);
}

static void begin(char self)
{
    begin_as(self, HELD, true);
}

/* What the operator signs: ${node} goes on alone with ${size} entries. */
static void force(char node, uint64_t size)
{
    next(CONFIG_FORCED);
    newest.config.epoch += CONFIG_GRANT_EPOCHS;
    newest.config.minimum = 1;
    memcpy(newest.config.primary, sample_node(node), NODE_ID_SIZE);
    if (!config_has_member(&newest.config, sample_node(node)))
        config_admit(&newest.config, sample_node(node), 1);
    config_dismiss_others(&newest.config, sample_node(node));
    newest.config.base_size = size;
    memcpy(newest.config.base_leaf, log_a.ends[size].leaf, HASH_SIZE);
    newest.config.lost_count = 2;
    config_forced_lineage(newest.config.lineage, &newest.config);
}

static void go(void)
{
    for (int i = 0; i < 40 && !rig.disk_failed; i++) {
        lone_work(&rig);
        if (!rig.disk_failed)
            lone_tick(&rig, 100);
    }
    lone_work(&rig);
}

/* The next start, in whatever lineage meta says. */
static void start_again(void)
{
    struct meta meta;

    rig.disk_failed = false;
    ck_assert_int_eq(meta_open(&meta, disk_model_disk(rig.model)), ST_OK);
    memcpy(rig.options.lineage, meta.value.lineage, LINEAGE_SIZE);
    meta_close(&meta);
    lone_start(&rig);
}

static bool in_new_lineage(void)
{
    return memcmp(rig.options.lineage, newest.config.lineage, LINEAGE_SIZE) ==
           0;
}

/* The disk forgets the last of LEFT + 1 entries. */
static void lose_last(void)
{
    const uint64_t index = LEFT;
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(rig.journal, file, &offset, index), ST_OK);
    lone_lose_power(&rig);
    disk_model_rot(rig.model, file, offset + 100, 1);
    lone_start(&rig);
    go();
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), index);
    lone_forget(&rig);
}

static void expect_refused(enum replica_forced why)
{
    char text[40];

    snprintf(text, sizeof text, "say forced %d\n", (int)why);
    lone_expect(&rig, text);
    lone_work(&rig);
    ck_assert(!in_new_lineage());
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
}

/* ---- Who is to lead ----------------------------------------------------- */

START_TEST(the_node_that_is_named_begins_the_lineage_once_it_is_durable)
{
    begin('B');
    lone_greet(&rig, 'Z', &log_a, 2);
    lone_forget(&rig);
    force('B', HELD);
    certified(7);
    /* Links end, and nothing is sent or taken. */
    lone_expect(&rig, "drop Z\njob force 3\n");
    lone_link(&rig, 'A');
    lone_tick(&rig, 100);
    certified(7);
    lone_expect(&rig, "");
    lone_work(&rig);
    lone_expect(&rig, "say forced 0\nrestart\n");
    ck_assert_mem_eq(rig.meta.value.lineage, newest.config.lineage,
                     LINEAGE_SIZE);
    ck_assert_uint_eq(rig.meta.value.promised_epoch, newest.config.epoch);
    lone_lose_power(&rig);
    start_again();
    ck_assert(in_new_lineage());
    go();
    ck_assert(lone_did(&rig, "lead epoch 4097 at 4 certified\n"));
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    ck_assert_uint_eq(rig.published, HELD + 1);
    lone_end(&rig);
}
END_TEST

START_TEST(a_learner_may_be_named)
{
    begin_as('B', HELD, false);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LEARNER);
    force('B', HELD);
    certified(7);
    lone_work(&rig);
    lone_stop(&rig);
    start_again();
    go();
    ck_assert(lone_did(&rig, "lead epoch 4097 at 4 certified\n"));
    lone_end(&rig);
}
END_TEST

/* Who must be applied first, to show that it is a node that may lead. */
START_TEST(what_the_lineage_begins_with_is_committed_before_it_leads)
{
    struct replica_event event = {.type = REPLICA_ENROLLED};

    begin('B');
    force('B', HELD);
    certified(7);
    lone_work(&rig);
    lone_stop(&rig);
    memcpy(rig.options.lineage, newest.config.lineage, LINEAGE_SIZE);
    lone_open(&rig); /* Not enrolled, as far as it has applied. */
    go();
    ck_assert_uint_eq(rig.published, HELD);
    ck_assert(!rig.leads);
    event.enrolled = true;
    lone_event(&rig, &event);
    go();
    ck_assert(rig.leads);
    lone_end(&rig);
}
END_TEST

START_TEST(a_lost_node_is_lost_no_more_once_it_is_forced)
{
    begin('B');
    lose_last();
    force('B', LEFT);
    certified(7);
    lone_work(&rig);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST);
    lone_stop(&rig);
    start_again();
    go();
    ck_assert(lone_did(&rig, "job found proven\n"));
    ck_assert(lone_did(&rig, "lead epoch 4097 at 3 certified\n"));
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    lone_end(&rig);
}
END_TEST

/* The certificate ends what was lost before it, and nothing that comes after.
 */
START_TEST(what_is_lost_in_the_new_lineage_is_not_excused_by_its_certificate)
{
    begin('B');
    lose_last();
    force('B', LEFT);
    certified(7);
    lone_work(&rig);
    lone_stop(&rig);
    start_again();
    go();
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, LEFT + 1);
    lose_last(); /* The very place where the lineage begins. */
    ck_assert(in_new_lineage());
    go();
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert(!rig.leads);
    ck_assert_uint_eq(lone_count(&rig, "job found"), 0);
    lone_end(&rig);
}
END_TEST

/* ---- What is refused ---------------------------------------------------- */

START_TEST(it_is_never_taken_beside_a_register)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    sample_config(&newest.config);
    sample_config_encode(&newest);
    lone_view(&rig, &newest.config);
    lone_work(&rig);
    lone_forget(&rig);
    force('B', 0);
    memset(newest.config.base_leaf, 0, HASH_SIZE);
    config_forced_lineage(newest.config.lineage, &newest.config);
    certified(7);
    lone_expect(&rig, "");
    lone_view(&rig, &newest.config);
    ck_assert_uint_eq(lone_count(&rig, "job"), 0);
    ck_assert(lone_did(&rig, "say register "));
    lone_end(&rig);
}
END_TEST

START_TEST(only_the_log_that_was_signed_for_goes_on)
{
    struct sample_config kept;

    begin('B');
    kept = newest;
    for (uint64_t size = 0; size < 7; size++) {
        newest = kept;
        if (size == HELD)
            continue;
        force('B', size);
        certified(7);
        expect_refused(FORCED_BASE);
    }
    newest = kept;
    force('B', HELD);
    newest.config.base_leaf[0] ^= 1;
    config_forced_lineage(newest.config.lineage, &newest.config);
    certified(7);
    expect_refused(FORCED_BASE);
    /* A start that this disk does not know of: it was put back. */
    newest = kept;
    force('B', HELD);
    newest.config.members[0].incarnation = 9;
    config_forced_lineage(newest.config.lineage, &newest.config);
    certified(7);
    expect_refused(FORCED_BASE);
    lone_end(&rig);
}
END_TEST

START_TEST(it_must_follow_the_configuration_that_is_known)
{
    struct sample_config kept;

    begin('B');
    kept = newest;
    next(CONFIG_SETTLE);
    sample_config_encode(&newest);
    force('B', HELD);
    certified(7);
    expect_refused(FORCED_UNKNOWN);
    newest = kept;
    force('B', HELD);
    newest.config.lineage[0] ^= 1; /* A name that somebody chose. */
    certified(7);
    expect_refused(FORCED_NO_CERTIFICATE);
    newest = kept;
    force('B', HELD);
    newest.config.epoch = kept.config.epoch; /* V2 */
    config_forced_lineage(newest.config.lineage, &newest.config);
    certified(7);
    ck_assert(lone_did(&rig, "say certificate "));
    newest = kept;
    next(CONFIG_SETTLE);
    newest.config.lineage[0] ^= 1; /* Of another lineage, and not forced. */
    lone_forget(&rig);
    certified(7);
    expect_refused(FORCED_NO_CERTIFICATE);
    /* The operator signed two of the number before. */
    newest = kept;
    force('B', HELD);
    newest.config.previous[0] ^= 1;
    config_forced_lineage(newest.config.lineage, &newest.config);
    certified(7);
    ck_assert_int_eq(lone_status(&rig).halt, HALT_EQUIVOCATION);
    lone_end(&rig);
}
END_TEST

START_TEST(a_node_without_any_configuration_is_not_named)
{
    lone_begin(&rig, 'B', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig.options.automatic = false;
    lone_start(&rig);
    sample_config(&newest.config);
    sample_config_encode(&newest);
    force('B', 0);
    lone_forget(&rig);
    certified(7);
    lone_expect(&rig, "say forced 2\n");
    lone_end(&rig);
}
END_TEST

/* A log that was put there since: its first entry would be in the wrong place.
 */
START_TEST(nobody_leads_the_lineage_from_another_log)
{
    static uint8_t stored[2 + CONFIG_CERT_ENCODED_SIZE_MAX] = {2, 0};
    struct slice certificate;

    for (uint64_t base = HELD - 1; base <= HELD; base++) {
        begin('B');
        force('B', base);
        sample_config_encode(&newest);
        certificate =
            sample_config_cert(stored + 2, CONFIG_FORCED, newest.slice, 7);
        ck_assert_int_eq(meta_force(&rig.meta, newest.config.lineage,
                                    newest.config.number,
                                    slice_of(stored, 2 + certificate.size),
                                    newest.config.epoch),
                         ST_OK);
        lone_stop(&rig);
        start_again();
        ck_assert(in_new_lineage());
        go();
        ck_assert_int_eq(rig.leads, base == HELD);
        ck_assert_uint_eq(rig.meta.value.used_epoch > 0, base == HELD);
        lone_end(&rig);
    }
}
END_TEST

/* ---- Who may follow ----------------------------------------------------- */

/* Z has ${size} entries, B goes on with HELD. */
static void follow(uint64_t size)
{
    begin_as('Z', size, true);
    force('B', HELD);
    certified(7);
}

START_TEST(whoever_holds_a_beginning_of_the_new_log_may_follow)
{
    for (uint64_t size = 1; size <= HELD; size++) {
        follow(size);
        lone_expect(&rig, "job force 3\n");
        lone_work(&rig);
        lone_stop(&rig);
        start_again();
        ck_assert(in_new_lineage());
        go();
        ck_assert_int_eq(lone_role(&rig), REPLICA_LEARNER);
        lone_end(&rig);
    }
}
END_TEST

START_TEST(whoever_holds_more_or_something_else_keeps_its_history)
{
    follow(HELD + 1);
    expect_refused(FORCED_BEYOND);
    lone_end(&rig);
    begin_as('Z', HELD, true);
    force('B', HELD);
    newest.config.base_leaf[0] ^= 1;
    config_forced_lineage(newest.config.lineage, &newest.config);
    certified(7);
    expect_refused(FORCED_BEYOND);
    lone_end(&rig);
}
END_TEST

START_TEST(a_primary_does_not_leave_its_lineage)
{
    lone_begin(&rig, 'A', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig_log_add(&log_a, 8, 1, 0);
    rig.options.automatic = false;
    lone_start(&rig);
    sample_config(&newest.config);
    newest.config.minimum = 1;
    certified(7);
    go();
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert(rig.leads);
    force('B', HELD);
    lone_forget(&rig);
    certified(7);
    lone_expect(&rig, "say forced 6\n");
    ck_assert(rig.leads);
    lone_end(&rig);
}
END_TEST

/* An empty disk was never in any configuration: any later one will do. */
START_TEST(an_empty_disk_follows_whatever_is_forced)
{
    lone_begin(&rig, 'Z', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig_log_add(&log_a, 8, 1, 0);
    rig.options.automatic = false;
    lone_start(&rig);
    sample_config(&newest.config);
    newest.config.number = 40;
    newest.config.why = CONFIG_SETTLE;
    sample_config_encode(&newest);
    force('B', HELD);
    lone_forget(&rig);
    certified(7);
    lone_expect(&rig, "job force 41\n");
    lone_work(&rig);
    lone_stop(&rig);
    start_again();
    ck_assert(in_new_lineage());
    ck_assert_uint_eq(lone_status(&rig).config_number, 41);
    lone_end(&rig);
}
END_TEST

START_TEST(nodes_of_two_lineages_do_not_speak_and_say_so_once)
{
    struct peer_frame hello;

    begin('B');
    for (int i = 0; i < 3; i++) {
        lone_link(&rig, 'A');
        lone_hello(&rig, &hello, &log_a, 2);
        hello.hello.lineage.b[0] = 0x77;
        lone_forget(&rig);
        lone_receive(&rig, 'A', &hello);
        ck_assert_uint_eq(lone_count(&rig, "say lineage A "), i == 0);
        ck_assert(lone_did(&rig, "drop A\n"));
        ck_assert_uint_eq(lone_count(&rig, "send"), 0);
    }
    lone_end(&rig);
}
END_TEST

/* ---- Power -------------------------------------------------------------- */

/* From the certificate to the first commit of the new lineage, with the power
 * going off after ${calls} calls of the disk; whether it went. */
static bool crash_after(size_t calls, bool keep)
{
    bool went;

    begin('B');
    lose_last();
    force('B', LEFT);
    sample_config_encode(&newest);
    disk_model_power_off_after(rig.model, calls);
    certified(7);
    lone_work(&rig);
    if (!rig.disk_failed) {
        lone_stop(&rig);
        rig.disk_failed = lone_try_open(&rig) != ST_OK;
    }
    went = disk_model_is_off(rig.model);
    lone_stop(&rig);
    disk_model_lose_power(rig.model, NULL, 0, keep, SIZE_MAX);
    start_again();
    /* The one or the other, and whole. */
    if (in_new_lineage()) {
        ck_assert_uint_eq(rig.meta.value.configuration_number, 3);
        ck_assert_uint_ge(rig.meta.value.promised_epoch, newest.config.epoch);
    } else {
        go();
        ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
        ck_assert(!rig.leads);
        ck_assert_uint_eq(rig.meta.value.configuration_number, 2);
        certified(7);
        lone_work(&rig);
        lone_stop(&rig);
        start_again();
    }
    ck_assert(in_new_lineage());
    go();
    ck_assert(rig.leads);
    ck_assert_uint_eq(rig.end.size, LEFT);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
    return went;
}

START_TEST(a_crash_at_any_call_leaves_the_old_lineage_or_the_new_one_whole)
{
    size_t calls = 0;

    while (crash_after(calls, false)) {
        (void)crash_after(calls, true);
        calls++;
    }
    ck_assert_uint_gt(calls, 4);
}
END_TEST

/* In the new lineage, before anything was written in it. */
START_TEST(a_crash_before_the_first_entry_of_the_lineage_loses_nothing_of_it)
{
    for (size_t calls = 0; calls < 40; calls++) {
        begin('B');
        lose_last();
        force('B', LEFT);
        certified(7);
        lone_work(&rig);
        lone_stop(&rig);
        start_again();
        disk_model_power_off_after(rig.model, calls);
        go();
        lone_stop(&rig);
        disk_model_lose_power(rig.model, NULL, 0, calls % 2 == 0, SIZE_MAX);
        start_again();
        ck_assert(in_new_lineage());
        go();
        ck_assert(rig.leads);
        ck_assert_uint_eq(rig.end.size, LEFT);
        ck_assert_uint_gt(rig.epoch, CONFIG_GRANT_EPOCHS);
        lone_end(&rig);
    }
}
END_TEST

SUITE_MAIN("replica_forced",
           the_node_that_is_named_begins_the_lineage_once_it_is_durable,
           a_learner_may_be_named,
           what_the_lineage_begins_with_is_committed_before_it_leads,
           a_lost_node_is_lost_no_more_once_it_is_forced,
           what_is_lost_in_the_new_lineage_is_not_excused_by_its_certificate,
           it_is_never_taken_beside_a_register,
           only_the_log_that_was_signed_for_goes_on,
           it_must_follow_the_configuration_that_is_known,
           a_node_without_any_configuration_is_not_named,
           nobody_leads_the_lineage_from_another_log,
           whoever_holds_a_beginning_of_the_new_log_may_follow,
           whoever_holds_more_or_something_else_keeps_its_history,
           a_primary_does_not_leave_its_lineage,
           an_empty_disk_follows_whatever_is_forced,
           nodes_of_two_lineages_do_not_speak_and_say_so_once,
           a_crash_at_any_call_leaves_the_old_lineage_or_the_new_one_whole,
           a_crash_before_the_first_entry_of_the_lineage_loses_nothing_of_it)
