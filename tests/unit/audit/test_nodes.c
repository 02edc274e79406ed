/* Logs of more than one node: who may begin a term, and what waits for it.
 * ctest-label: threads */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "protocol/enrol.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

enum { TEST_SEGMENT_SIZE = 64 * 1024, TEST_DUTY_ADM = 1 };

static struct signed_log made;
static struct identity first, second;
static struct report report;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    signed_log_init(&made);
    first = made.node;
    signed_log_key(&second, 0x52);
}

static void judge(void)
{
    char directory[] = "/tmp/defter-audit-XXXXXX";
    struct verify_options options = {.directory = directory, .threads = 2};
    const struct dirent *name;
    DIR *names;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    options.has_head = true;
    options.head_size = made.count;
    signed_log_root(&made, options.head_root, made.count);
    ck_assert_int_eq(verify_log(&report, &options), ST_OK);
    names = opendir(directory);
    ck_assert_ptr_nonnull(names);
    while ((name = readdir(names)) != NULL)
        (void)unlinkat(dirfd(names), name->d_name, 0);
    closedir(names);
    ck_assert_int_eq(rmdir(directory), 0);
}

static void expect_good(void)
{
    judge();
    ck_assert_msg(!report.fault.found, "entry %llu: %s",
                  (unsigned long long)report.fault.index, report.fault.what);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
}

static void expect_tampered(uint64_t index, const char *what)
{
    judge();
    ck_assert(report.fault.found);
    ck_assert_msg(strstr(report.fault.what, what) != NULL, "%s",
                  report.fault.what);
    ck_assert_uint_eq(report.fault.index, index);
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
}

/* The owner enrols the second node; the item's outcome is ${code}. */
static void enrol(uint8_t role, bool proven, uint16_t code)
{
    struct enrol_claim claim = {.role = (uint16_t)(ENROL_NODE_ROLES + role),
                                .level = 3};
    struct op_node_enrol fields = {.node_id = {{2}},
                                   .label = slice_of("b", 1),
                                   .role = role,
                                   .channel_key = {{7}},
                                   .basis = {{1}}};
    struct signed_log_entry *entry;

    memcpy(fields.receipt_key.b, second.public_key, PUBLIC_KEY_SIZE);
    if (proven)
        enrol_prove(fields.proof.b, &claim, made.cluster_id, &second);
    entry = signed_log_add(&made, &made.owner, OPCODE_NODE_ENROL, TEST_DUTY_ADM,
                           &fields, code);
    if (code == ST_OK) {
        memcpy(entry->result, second.key_id, KEY_ID_SIZE);
        entry->result_size = KEY_ID_SIZE;
    }
}

static void begin_epoch(const struct identity *node)
{
    struct op_system_epoch fields = {.epoch = ++made.epoch};

    signed_log_add(&made, node, OPCODE_SYSTEM_EPOCH, 0, &fields, ST_OK);
    made.node = *node; /* Who attests from here on. */
}

static void ping(uint16_t code)
{
    struct op_system_ping fields = {.text = slice_of("x", 1)};
    struct signed_log_entry *entry = signed_log_add(
        &made, &made.owner, OPCODE_SYSTEM_PING, TEST_DUTY_ADM, &fields, code);

    if (code == ST_OK) {
        store_u64(entry->result, made.count - 1);
        entry->result_size = 8;
    }
}

static void activate(enum operation_realm realm)
{
    struct op_failover_activate fields = {
        .for_realm = realm == OP_REALM_R ? 2 : 1, .epoch = made.epoch};
    struct signed_log_entry *entry = signed_log_add(
        &made, &made.node, OPCODE_FAILOVER_ACTIVATE, 0, &fields, ST_OK);

    store_u32(entry->result, 1);
    entry->result_size = 4;
}

START_TEST(an_enrolled_node_takes_over_and_attests)
{
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_epoch(&second);
    ping(ST_WRONG_STATE); /* Realm R waits. */
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.epochs, 2);
    ck_assert_uint_eq(report.attestations, 2);
    activate(OP_REALM_R);
    ping(ST_OK);
    signed_log_attest(&made);
    expect_good();
}
END_TEST

START_TEST(a_node_may_take_over_before_its_enrolment_was_attested)
{
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.epochs, 2);
}
END_TEST

START_TEST(a_term_of_a_node_that_nobody_enrolled_is_found)
{
    setup();
    enrol(1, true, ST_NO_BASIS);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(3, "key that was not active");
    setup();
    signed_log_enrol(&made, &second, 2, ST_OK);
    begin_epoch(&second);
    expect_tampered(3, "no node begins one here");
}
END_TEST

START_TEST(a_node_enrolled_without_its_proof_is_found)
{
    setup();
    enrol(1, false, ST_OK);
    signed_log_attest(&made);
    expect_tampered(2, "without a proof");
}
END_TEST

START_TEST(an_archive_that_begins_a_term_is_found)
{
    setup();
    enrol(3, true, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(3, "is an archive");
}
END_TEST

START_TEST(work_in_the_registry_before_its_failover_was_let_is_found)
{
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    activate(OP_REALM_P); /* Of the portal: the registry waits on. */
    ping(ST_OK);
    signed_log_attest(&made);
    expect_tampered(5, "nobody had let");
}
END_TEST

START_TEST(a_node_outside_its_term_does_nothing_for_the_system)
{
    struct op_journal_noise noise = {.from = 1, .to = 2};

    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    signed_log_add(&made, &first, OPCODE_JOURNAL_NOISE, 0, &noise, ST_OK);
    signed_log_attest(&made);
    expect_tampered(4, "duty that does not allow it");
    /* What it attests is no attestation. */
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    made.node = first;
    signed_log_attest(&made);
    judge();
    ck_assert(!report.fault.found);
    ck_assert_uint_eq(report.attestations, 0);
}
END_TEST

START_TEST(a_retired_node_is_out_and_the_primary_is_not_retired)
{
    struct op_node_retire retire = {.node_id = {{2}}, .note = slice_of("n", 1)};

    setup();
    enrol(1, true, ST_OK);
    signed_log_add(&made, &made.owner, OPCODE_NODE_RETIRE, TEST_DUTY_ADM,
                   &retire, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(4, "key that was not active");
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    signed_log_add(&made, &made.owner, OPCODE_NODE_RETIRE, TEST_DUTY_ADM,
                   &retire, ST_OK);
    signed_log_attest(&made);
    expect_tampered(4, "retires the primary");
}
END_TEST

SUITE_MAIN("nodes", an_enrolled_node_takes_over_and_attests,
           a_node_may_take_over_before_its_enrolment_was_attested,
           a_term_of_a_node_that_nobody_enrolled_is_found,
           a_node_enrolled_without_its_proof_is_found,
           an_archive_that_begins_a_term_is_found,
           work_in_the_registry_before_its_failover_was_let_is_found,
           a_node_outside_its_term_does_nothing_for_the_system,
           a_retired_node_is_out_and_the_primary_is_not_retired)
