/* Configurations along a log: which terms they give, and who decided them.
 * ctest-label: threads */
#include "tests/lib/config_sample.h"
#include "tests/unit/audit/node_log.h"

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
    enrol_as(&archive, 3, 3, true, ST_OK, NULL);
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

START_TEST(a_receipt_for_an_entry_that_was_declared_lost_says_so)
{
    struct signed_log before;

    setup_cluster();
    begin_with(&first, 0);
    signed_log_attest(&made);
    before = made;
    ping(ST_OK);
    ping(ST_OK);
    signed_log_receipt(&made, receipt, made.count - 2, &first, false);
    made = before;
    next_forced();
    won.config.lost_count = 1;
    config_forced_lineage(won.config.lineage, &won.config);
    sample_config_encode(&won);
    begin_with(&second, OF_OPERATOR | OF_AUTHORITY);
    signed_log_attest(&made);
    has_receipt = true;
    expect_tampered(before.count, "among those declared lost");
    made = before;
    ping(ST_OK);
    ping(ST_OK);
    signed_log_receipt(&made, receipt, made.count - 1, &first, false);
    made = before;
    begin_with(&second, OF_OPERATOR | OF_AUTHORITY);
    signed_log_attest(&made);
    expect_tampered(before.count + 1, "another entry at this index");
}
END_TEST

START_TEST(a_checkpoint_of_the_lineage_before_covers_nothing)
{
    struct signed_log before;
    char suffix[16] = "/";

    setup_cluster();
    begin_with(&first, 0);
    signed_log_attest(&made);
    before = made;
    ping(ST_OK);
    ping(ST_OK);
    sign_note("");
    made = before;
    next_forced();
    begin_with(&second, OF_OPERATOR | OF_AUTHORITY);
    signed_log_attest(&made);
    note_is_own = true;
    expect_good(); /* By its head. */
    ck_assert_uint_eq(report.unchecked >> REPORT_UNCHECKED_LINEAGE & 1, 1);
    note_is_own = false;
    expect_tampered(made.count - 1, "lineage before");
    ping(ST_OK); /* The log is longer than that checkpoint now. */
    expect_tampered(before.count + 1, "lineage before");
    /* That of the lineage here, and of none. */
    (void)sodium_bin2hex(suffix + 1, sizeof suffix - 1, won.config.lineage, 4);
    sign_note(suffix);
    expect_good();
    ck_assert_uint_eq(report.unchecked >> REPORT_UNCHECKED_LINEAGE & 1, 0);
    suffix[1] ^= 1;
    sign_note(suffix);
    judge();
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
}
END_TEST

SUITE_MAIN("terms", a_chain_of_configurations_is_followed,
           what_a_register_decided_and_what_is_skipped_is_told,
           a_configuration_that_may_not_follow_is_found,
           a_term_that_its_configuration_does_not_give_is_found,
           a_certificate_that_nobody_signed_is_found,
           a_term_that_no_node_enters_is_found_though_it_was_refused,
           a_forced_term_is_claimed_until_it_is_attested,
           a_receipt_for_an_entry_that_was_declared_lost_says_so,
           a_checkpoint_of_the_lineage_before_covers_nothing)
