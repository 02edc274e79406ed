/* Logs of more than one node: who may begin a term, and what waits for it.
 * ctest-label: threads */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "protocol/enrol.h"
#include "tests/lib/config_sample.h"
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

/* The owner enrols ${node}; the item's outcome is ${code}. */
static void enrol_as(const struct identity *node, uint8_t number, uint8_t role,
                     bool proven, uint16_t code)
{
    struct enrol_claim claim = {.role = (uint16_t)(ENROL_NODE_ROLES + role),
                                .level = 3};
    struct op_node_enrol fields = {.node_id = {{number}},
                                   .label = slice_of("b", 1),
                                   .role = role,
                                   .channel_key = {{7}},
                                   .basis = {{1}}};
    struct signed_log_entry *entry;

    memcpy(fields.receipt_key.b, node->public_key, PUBLIC_KEY_SIZE);
    if (proven)
        enrol_prove(fields.proof.b, &claim, made.cluster_id, node);
    entry = signed_log_add(&made, &made.owner, OPCODE_NODE_ENROL, TEST_DUTY_ADM,
                           &fields, code);
    if (code == ST_OK) {
        memcpy(entry->result, node->key_id, KEY_ID_SIZE);
        entry->result_size = KEY_ID_SIZE;
    }
}

static void enrol(uint8_t role, bool proven, uint16_t code)
{
    enrol_as(&second, 2, role, proven, code);
}

static void begin_epoch(const struct identity *node)
{
    struct op_system_epoch fields = {.epoch = ++made.epoch};

    signed_log_add(&made, node, OPCODE_SYSTEM_EPOCH, 0, &fields, ST_OK);
    made.node = *node; /* Who attests from here on. */
}

/* ${node} begins a term, which is refused, and attests that itself: servers
 * refuse that as well, unless it was primary before. */
static void begin_refused(const struct identity *node, uint16_t attest_code)
{
    struct op_system_epoch fields = {.epoch = ++made.epoch};
    uint64_t attested = made.attested;

    signed_log_add(&made, node, OPCODE_SYSTEM_EPOCH, 0, &fields, ST_BAD_FIELD);
    made.node = *node;
    signed_log_attest(&made);
    made.entries[made.count - 1].code = attest_code;
    if (attest_code != ST_OK)
        made.attested = attested;
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

static void expect_claimed(void)
{
    judge();
    ck_assert_msg(!report.fault.found, "%s", report.fault.what);
    ck_assert_int_eq(report.verdict, REPORT_INCOMPLETE);
    ck_assert_uint_eq(report.reasons, 1U << REPORT_REASON_TERM);
}

START_TEST(a_term_that_was_refused_counts_for_nothing)
{
    struct op_journal_noise noise = {.from = 1, .to = 2};

    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_refused(&second, ST_NO_DUTY);
    expect_claimed();
    ck_assert_uint_eq(report.attestations, 1);
    ck_assert_uint_eq(report.refusals, 0);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.attestations, 2);
    ck_assert_uint_eq(report.refusals, 2);
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_refused(&second, ST_NO_DUTY);
    signed_log_add(&made, &second, OPCODE_JOURNAL_NOISE, 0, &noise, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(6, "duty that does not allow it");
}
END_TEST

START_TEST(a_primary_whose_next_term_was_refused_is_primary_still)
{
    setup();
    ping(ST_OK);
    signed_log_attest(&made);
    begin_refused(&first, ST_OK);
    ping(ST_OK);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.attestations, 3);
    ck_assert_uint_eq(report.refusals, 1);
    ck_assert_uint_eq(report.refused_count, 1);
    ck_assert_uint_eq(report.refused[0].index, 4);
    ck_assert_uint_eq(report.refused[0].code, ST_BAD_FIELD);
    ck_assert_uint_eq(report.refused[0].opcode, OPCODE_SYSTEM_EPOCH);
}
END_TEST

START_TEST(a_term_that_nobody_attested_is_claimed_and_never_good)
{
    setup();
    signed_log_attest(&made);
    enrol(1, true, ST_OK); /* By whom it may be, nobody says. */
    begin_epoch(&second);
    ping(ST_OK);
    expect_claimed();
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_epoch(&second);
    expect_claimed();
    setup();
    signed_log_attest(&made);
    begin_epoch(&first); /* Primary before and after. */
    expect_good();
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

/* ---- Configurations ------------------------------------------------------ */

enum { OF_OPERATOR = 1, OF_WITNESS = 2, OF_STRANGER = 4, OF_AUTHORITY = 8 };

static struct sample_config won;
static struct identity archive;

static const uint8_t *node_id(uint8_t number)
{
    static uint8_t ids[4][NODE_ID_SIZE];

    ids[number][0] = number;
    return ids[number];
}

/* Genesis' node leads; the second learns, the third is an archive. */
static void setup_cluster(void)
{
    static const uint8_t genesis_node[NODE_ID_SIZE];

    setup();
    signed_log_key(&archive, 0x53);
    enrol(1, true, ST_OK);
    enrol_as(&archive, 3, 3, true, ST_OK);
    sample_config(&won.config);
    memcpy(won.config.cluster_id, made.cluster_id, CLUSTER_ID_SIZE);
    memcpy(won.config.primary, genesis_node, NODE_ID_SIZE);
    won.config.epoch = made.epoch + 1;
    won.config.members_count = won.config.learners_count = 0;
    won.config.eligible_count = 0;
    config_add_member(&won.config, genesis_node, 1);
    config_add_learner(&won.config, node_id(2));
    config_add_learner(&won.config, node_id(3));
    config_add_eligible(&won.config, genesis_node);
    config_add_eligible(&won.config, node_id(2));
    sample_config_encode(&won);
}

static void next(enum config_why why)
{
    struct sample_config older = won;

    older.slice = slice_of(older.bytes, won.slice.size);
    config_succeed(&won.config, &older.config, older.slice, why);
    sample_config_encode(&won);
}

static void next_add(uint8_t node)
{
    next(CONFIG_ADD);
    config_admit(&won.config, node_id(node), 1);
    sample_config_encode(&won);
}

static void next_promotion(void)
{
    next(CONFIG_PROMOTE);
    won.config.epoch = made.epoch + 1;
    memcpy(won.config.primary, node_id(2), NODE_ID_SIZE);
    sample_config_encode(&won);
}

static struct slice certificate(unsigned signers)
{
    static uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct config_cert cert = {.kind = won.config.why, .config = won.slice};
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    if (signers == 0)
        return writer_slice(&writer);
    config_cert_begin(&writer, &cert);
    if ((signers & OF_OPERATOR) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_OPERATOR, NULL, &made.owner);
    if ((signers & OF_STRANGER) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_OPERATOR, NULL, &second);
    if ((signers & OF_AUTHORITY) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_AUTHORITY, NULL,
                         &made.authority);
    if ((signers & OF_WITNESS) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_WITNESS, node_id(3), &archive);
    return writer_slice(&writer);
}

/* ${node} begins the next term with what was won, or wins it in its own. */
static void begin_with(const struct identity *node, unsigned signers)
{
    struct op_system_epoch fields = {.epoch = ++made.epoch,
                                     .number = won.config.number,
                                     .configuration = won.slice,
                                     .has_certificate = signers != 0,
                                     .certificate = certificate(signers)};

    signed_log_add(&made, node, OPCODE_SYSTEM_EPOCH, 0, &fields, ST_OK);
    made.node = *node;
}

/* Everyone else was lost: the second goes on from here. */
static void next_forced(void)
{
    next(CONFIG_FORCED);
    won.config.epoch = made.epoch + 1;
    memcpy(won.config.primary, node_id(2), NODE_ID_SIZE);
    won.config.members_count = won.config.learners_count = 0;
    won.config.eligible_count = 0;
    config_add_member(&won.config, node_id(2), 1);
    config_add_eligible(&won.config, node_id(2));
    won.config.minimum = 1;
    won.config.base_size = made.count;
    memcpy(won.config.base_leaf, made.leaf, HASH_SIZE);
    config_forced_lineage(won.config.lineage, &won.config);
    sample_config_encode(&won);
}

static void win(unsigned signers)
{
    struct op_system_config fields = {.number = won.config.number,
                                      .epoch = made.epoch,
                                      .configuration = won.slice,
                                      .has_certificate = signers != 0,
                                      .certificate = certificate(signers)};

    signed_log_add(&made, &made.node, OPCODE_SYSTEM_CONFIG, 0, &fields, ST_OK);
}

static void expect_forged(const char *what)
{
    uint64_t index = made.count - 1;

    signed_log_attest(&made);
    expect_tampered(index, what);
}

START_TEST(a_chain_of_configurations_is_followed)
{
    setup_cluster();
    begin_with(&first, 0);
    next_add(2);
    win(0);
    signed_log_attest(&made);
    next_promotion();
    begin_with(&second, 0);
    signed_log_attest(&made);
    expect_good();
    setup_cluster();
    begin_with(&first, OF_OPERATOR);
    next_add(2);
    win(OF_OPERATOR | OF_WITNESS);
    begin_with(&first, OF_OPERATOR | OF_WITNESS); /* Within the grant. */
    next_promotion();
    begin_with(&second, OF_OPERATOR | OF_WITNESS);
    signed_log_attest(&made);
    expect_good();
}
END_TEST

START_TEST(what_a_register_decided_and_what_is_skipped_is_told)
{
    enum {
        REGISTER = 1U << REPORT_UNCHECKED_REGISTER,
        SKIPPED = 1U << REPORT_UNCHECKED_SKIPPED
    };

    setup_cluster();
    begin_with(&first, OF_OPERATOR);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.unchecked & (REGISTER | SKIPPED), 0);
    next_add(2);
    next_add(3);
    win(0);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.unchecked & (REGISTER | SKIPPED),
                      REGISTER | SKIPPED);
    ck_assert_uint_eq(report.skipped_count, 1);
    ck_assert_uint_eq(report.skipped[0].first, won.config.number - 1);
    ck_assert_uint_eq(report.skipped[0].last, won.config.number - 1);
}
END_TEST

START_TEST(a_configuration_that_may_not_follow_is_found)
{
    setup_cluster();
    begin_with(&first, 0);
    next_add(2);
    won.config.previous[0] ^= 1;
    sample_config_encode(&won);
    win(0);
    expect_forged("V1");
    setup_cluster();
    begin_with(&first, 0);
    next(CONFIG_PROMOTE); /* Of one who is no member. */
    won.config.epoch++;
    memcpy(won.config.primary, node_id(2), NODE_ID_SIZE);
    sample_config_encode(&won);
    begin_with(&second, 0);
    expect_forged("V3");
    setup_cluster();
    begin_with(&first, 0);
    next_add(2);
    won.config.lineage[0] ^= 1;
    sample_config_encode(&won);
    win(0);
    expect_forged("V7");
    setup_cluster();
    begin_with(&first, 0);
    next_add(2);
    next_add(3); /* Across a gap, and back. */
    win(0);
    won.config.number--;
    sample_config_encode(&won);
    win(0);
    expect_forged("does not rise");
}
END_TEST

START_TEST(a_term_that_its_configuration_does_not_give_is_found)
{
    struct op_system_epoch none;

    setup_cluster();
    begin_with(&second, 0);
    expect_forged("another node is primary");
    setup_cluster();
    won.config.epoch += 7;
    sample_config_encode(&won);
    begin_with(&first, 0);
    expect_forged("another epoch");
    setup_cluster();
    begin_with(&first, 0);
    none = (struct op_system_epoch){.epoch = ++made.epoch};
    signed_log_add(&made, &first, OPCODE_SYSTEM_EPOCH, 0, &none, ST_OK);
    expect_forged("brings no configuration");
    setup_cluster();
    begin_with(&first, 0);
    made.epoch--;
    begin_with(&first, 0); /* The same epoch once more. */
    expect_forged("begun before");
}
END_TEST

START_TEST(a_certificate_that_nobody_signed_is_found)
{
    static const unsigned forged[] = {OF_STRANGER | OF_WITNESS, OF_WITNESS,
                                      OF_OPERATOR};
    static const char *const words[] = {"does not verify", "lacks a signature",
                                        "lacks a signature"};

    for (size_t i = 0; i < 3; i++) {
        setup_cluster();
        begin_with(&first, OF_OPERATOR);
        next_add(2);
        win(forged[i]);
        expect_forged(words[i]);
    }
}
END_TEST

/* Whatever the node says of its outcome, and whether it says anything. */
START_TEST(a_term_that_no_node_enters_is_found_though_it_was_refused)
{
    static const unsigned signers[] = {0, OF_OPERATOR,
                                       OF_STRANGER | OF_AUTHORITY};
    static const char *const words[] = {"without a certificate", "lacks a",
                                        "does not verify"};
    uint64_t index;

    for (size_t i = 0; i < 3; i++) {
        setup_cluster();
        begin_with(&first, 0);
        signed_log_attest(&made);
        next_forced();
        index = made.count;
        begin_with(&second, signers[i]);
        made.entries[index].code = ST_BAD_FIELD;
        expect_tampered(index, words[i]);
        signed_log_attest(&made);
        expect_tampered(index, words[i]);
    }
    setup_cluster();
    begin_with(&first, 0);
    next_forced();
    ping(ST_OK);
    begin_with(&second, OF_OPERATOR | OF_AUTHORITY);
    expect_tampered(made.count - 1, "elsewhere");
    setup();
    enrol(3, true, ST_OK);
    signed_log_attest(&made);
    begin_refused(&second, ST_NO_DUTY);
    expect_tampered(4, "is an archive");
}
END_TEST

START_TEST(a_forced_term_is_claimed_until_it_is_attested)
{
    setup_cluster();
    begin_with(&first, 0);
    signed_log_attest(&made);
    next_forced();
    begin_with(&second, OF_OPERATOR | OF_AUTHORITY);
    expect_claimed();
    ck_assert_uint_eq(report.forced_count, 1);
    ck_assert_int_eq(report.forced[0].state, REPORT_CLAIMED);
    begin_with(&second, OF_OPERATOR | OF_AUTHORITY); /* Started once more. */
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.forced_count, 1);
    ck_assert_int_eq(report.forced[0].state, REPORT_VERIFIED);
}
END_TEST

SUITE_MAIN("nodes", an_enrolled_node_takes_over_and_attests,
           a_node_may_take_over_before_its_enrolment_was_attested,
           a_term_of_a_node_that_nobody_enrolled_is_found,
           a_node_enrolled_without_its_proof_is_found,
           an_archive_that_begins_a_term_is_found,
           work_in_the_registry_before_its_failover_was_let_is_found,
           a_node_outside_its_term_does_nothing_for_the_system,
           a_retired_node_is_out_and_the_primary_is_not_retired,
           a_chain_of_configurations_is_followed,
           what_a_register_decided_and_what_is_skipped_is_told,
           a_configuration_that_may_not_follow_is_found,
           a_term_that_its_configuration_does_not_give_is_found,
           a_certificate_that_nobody_signed_is_found,
           a_term_that_was_refused_counts_for_nothing,
           a_primary_whose_next_term_was_refused_is_primary_still,
           a_term_that_nobody_attested_is_claimed_and_never_good,
           a_term_that_no_node_enters_is_found_though_it_was_refused,
           a_forced_term_is_claimed_until_it_is_attested)
