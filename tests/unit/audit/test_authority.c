/* Who was allowed what: keys, duties, carriers, and what attestations say.
 * ctest-label: threads */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

enum { TEST_SEGMENT_SIZE = 64 * 1024, TEST_DUTY_ADM = 1 };

static struct signed_log made;
static struct identity staff;
static struct report report;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    signed_log_init(&made);
    signed_log_key(&staff, 0x51);
}

static void judge(void)
{
    char directory[] = "/tmp/defter-audit-XXXXXX";
    struct verify_options options = {.directory = directory, .threads = 3};
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

static struct signed_log_entry *ping(const struct identity *signer,
                                     uint32_t duty, uint16_t code)
{
    struct op_system_ping fields = {.text = slice_of("x", 1)};
    struct signed_log_entry *entry =
        signed_log_add(&made, signer, OPCODE_SYSTEM_PING, duty, &fields, code);

    if (code == ST_OK) {
        store_u64(entry->result, made.count - 1);
        entry->result_size = 8;
    }
    return entry;
}

static void revoke_key(const struct identity *signer,
                       const struct identity *key, uint16_t code)
{
    struct op_key_revoke fields = {.reason = 1};

    memcpy(fields.key_id.b, key->key_id, KEY_ID_SIZE);
    signed_log_add(&made, signer, OPCODE_KEY_REVOKE, 0, &fields, code);
}

/* ---- Keys -----------------------------------------------------------------
 */

START_TEST(an_enrolled_key_signs)
{
    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    ping(&staff, 0, ST_OK);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.keys, 3);
    ck_assert_uint_eq(report.roots, 1);
}
END_TEST

START_TEST(a_key_that_nobody_named_is_found)
{
    setup();
    ping(&staff, 0, ST_OK);
    expect_tampered(2, "no entry before it names");
    setup();
    ping(&staff, 0, ST_OK);
    signed_log_enrol(&made, &staff, 2, ST_OK);
    expect_tampered(2, "no entry before it names");
}
END_TEST

START_TEST(a_key_whose_enrolment_was_refused_does_nothing)
{
    setup();
    signed_log_enrol(&made, &staff, 2, ST_NO_DUTY);
    ping(&staff, 0, ST_KEY_INACTIVE);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.refusals, 2);
    setup();
    signed_log_enrol(&made, &staff, 2, ST_NO_DUTY);
    ping(&staff, 0, ST_OK);
    signed_log_attest(&made);
    expect_tampered(3, "not active");
}
END_TEST

START_TEST(a_revoked_key_does_nothing_more)
{
    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    revoke_key(&staff, &staff, ST_OK);
    /* In flight when it was revoked: entered, and refused. */
    ping(&staff, 0, ST_KEY_INACTIVE);
    signed_log_attest(&made);
    expect_good();
    ping(&staff, 0, ST_OK);
    signed_log_attest(&made);
    expect_tampered(6, "not active");
}
END_TEST

START_TEST(a_revocation_that_was_refused_changes_nothing)
{
    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    revoke_key(&staff, &made.owner, ST_NOT_SELF);
    signed_log_ping(&made);
    signed_log_attest(&made);
    expect_good();
}
END_TEST

START_TEST(an_enrolment_without_its_proof_is_found)
{
    struct op_actor_enrol fields = {
        .role = ROLE_STAFF, .level = 2, .organisation = 1};

    setup();
    memcpy(fields.public_key.b, staff.public_key, PUBLIC_KEY_SIZE);
    signed_log_add(&made, &made.owner, OPCODE_ACTOR_ENROL, TEST_DUTY_ADM,
                   &fields, ST_OK);
    signed_log_attest(&made);
    expect_tampered(2, "without a proof");
}
END_TEST

START_TEST(a_signature_by_another_key_is_found)
{
    setup();
    signed_log_ping(&made);
    signed_log_ping(&made);
    made.entries[2].bytes[ENTRY_FIXED_SIZE - 1] ^= 0x10;
    signed_log_relink(&made, 3);
    expect_tampered(2, "signature is wrong");
}
END_TEST

START_TEST(a_key_of_too_low_a_level_does_little)
{
    struct op_system_epoch epoch = {.epoch = 1};

    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    signed_log_add(&made, &staff, OPCODE_SYSTEM_EPOCH, 0, &epoch, ST_OK);
    signed_log_attest(&made);
    expect_tampered(3, "assurance level");
}
END_TEST

/* ---- Duties and carriers --------------------------------------------------
 */

static struct signed_log_entry *assign(uint64_t person, enum duty duty)
{
    struct op_duty_assign fields = {.person = person,
                                    .organisation = 1,
                                    .duty = (uint8_t)duty,
                                    .basis = {{1}}};
    struct signed_log_entry *entry = signed_log_add(
        &made, &made.owner, OPCODE_DUTY_ASSIGN, TEST_DUTY_ADM, &fields, ST_OK);

    store_u32(entry->result, 2);
    entry->result_size = 4;
    return entry;
}

static void acknowledge(const struct identity *signer, uint32_t assignment)
{
    struct op_duty_ack fields = {.assignment = assignment};

    signed_log_add(&made, signer, OPCODE_DUTY_ACK, 0, &fields, ST_OK);
}

START_TEST(a_duty_works_from_its_acknowledgement_to_its_revocation)
{
    struct op_duty_revoke revocation = {.assignment = 2};

    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    assign(2, DUTY_SEC);
    acknowledge(&staff, 2);
    ping(&staff, 2, ST_OK);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.roots, 1);
    signed_log_add(&made, &made.owner, OPCODE_DUTY_REVOKE, TEST_DUTY_ADM,
                   &revocation, ST_OK);
    ping(&staff, 2, ST_OK);
    signed_log_attest(&made);
    expect_tampered(8, "duty that was not active");
}
END_TEST

START_TEST(a_duty_that_is_not_the_signers_is_found)
{
    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    ping(&staff, TEST_DUTY_ADM, ST_OK);
    signed_log_attest(&made);
    expect_tampered(3, "duty of somebody else");
    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    ping(&staff, 9, ST_OK);
    signed_log_attest(&made);
    expect_tampered(3, "nobody assigned");
    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    assign(2, DUTY_SEC);
    ping(&staff, 2, ST_OK);
    signed_log_attest(&made);
    expect_tampered(4, "duty that was not active");
}
END_TEST

START_TEST(an_operation_outside_the_duty_is_found)
{
    struct op_duty_revoke revocation = {.assignment = TEST_DUTY_ADM};

    setup();
    signed_log_enrol(&made, &staff, 2, ST_OK);
    assign(2, DUTY_SEC);
    acknowledge(&staff, 2);
    signed_log_add(&made, &staff, OPCODE_DUTY_REVOKE, 2, &revocation, ST_OK);
    signed_log_attest(&made);
    expect_tampered(5, "duty that does not allow it");
}
END_TEST

START_TEST(a_carrier_that_is_not_enrolled_is_found)
{
    setup();
    made.carrier = 3;
    signed_log_ping(&made);
    signed_log_attest(&made);
    expect_tampered(2, "carrier that is not enrolled");
}
END_TEST

/* ---- Attestations ---------------------------------------------------------
 */

START_TEST(only_a_node_attests)
{
    struct op_system_attest forged = {.last = 1};

    setup();
    signed_log_add(&made, &made.owner, OPCODE_SYSTEM_ATTEST, 0, &forged,
                   ST_NO_DUTY);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.attestations, 1);
}
END_TEST

START_TEST(ranges_of_attestations_follow_each_other)
{
    setup();
    signed_log_attest(&made);
    made.attested = 1;
    signed_log_attest(&made);
    expect_tampered(3, "does not follow");
    setup();
    made.attested = 1;
    signed_log_attest(&made);
    expect_tampered(2, "does not follow");
}
END_TEST

START_TEST(a_root_over_other_outcomes_is_found)
{
    setup();
    signed_log_ping(&made);
    made.entries[2].result[0] ^= 1;
    signed_log_attest(&made);
    expect_tampered(3, "another root");
}
END_TEST

START_TEST(a_command_out_of_its_time_is_not_done)
{
    struct op_system_ping fields = {.text = slice_of("x", 1)};
    int64_t late = INT64_C(600000000);

    setup();
    signed_log_ping(&made);
    /* Entered much later than it was signed. */
    made.log_time += late;
    store_u64(made.entries[2].bytes + 16, (uint64_t)made.log_time);
    signed_log_relink(&made, 2);
    signed_log_add(&made, &made.owner, OPCODE_SYSTEM_PING, 0, &fields, ST_BUSY);
    signed_log_attest(&made);
    expect_tampered(2, "outside the time");
}
END_TEST

START_TEST(what_is_not_attested_is_named)
{
    setup();
    signed_log_attest(&made);
    signed_log_ping(&made);
    expect_good();
    ck_assert_uint_eq(report.attested, 2);
    ck_assert_uint_eq(report.unchecked >> REPORT_UNCHECKED_TAIL & 1, 1);
}
END_TEST

/* ---- The operations table -------------------------------------------------
 */

START_TEST(an_item_of_another_category_is_found)
{
    setup();
    signed_log_ping(&made);
    made.entries[2].bytes[2] = 1;
    signed_log_relink(&made, 2);
    expect_tampered(2, "category");
}
END_TEST

SUITE_MAIN("authority", an_enrolled_key_signs, a_key_that_nobody_named_is_found,
           a_key_whose_enrolment_was_refused_does_nothing,
           a_revoked_key_does_nothing_more,
           a_revocation_that_was_refused_changes_nothing,
           an_enrolment_without_its_proof_is_found,
           a_signature_by_another_key_is_found,
           a_key_of_too_low_a_level_does_little,
           a_duty_works_from_its_acknowledgement_to_its_revocation,
           a_duty_that_is_not_the_signers_is_found,
           an_operation_outside_the_duty_is_found,
           a_carrier_that_is_not_enrolled_is_found, only_a_node_attests,
           ranges_of_attestations_follow_each_other,
           a_root_over_other_outcomes_is_found,
           a_command_out_of_its_time_is_not_done, what_is_not_attested_is_named,
           an_item_of_another_category_is_found)
