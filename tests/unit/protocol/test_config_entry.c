#include "protocol/config_entry.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

enum { OPERATOR = 1, AUTHORITY = 2, WITNESS = 4 };

/* The log holds ${held}; an entry brings ${next}. */
static struct sample_config held;
static struct sample_config next;
static uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
static uint8_t held_certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
static uint8_t cluster_id[CLUSTER_ID_SIZE];
static struct config_entry entry;
static struct config_held before;
static struct config_cert_keys keys;

/* The entry is what its configuration says. */
static void encode(void)
{
    sample_config_encode(&next);
    entry.bytes = next.slice;
    entry.number = next.config.number;
    entry.epoch = next.config.epoch;
    entry.node_id = next.config.primary;
}

static void begin(enum config_why why)
{
    memset(&entry, 0, sizeof entry);
    memset(&before, 0, sizeof before);
    sample_cluster_id(cluster_id);
    sample_config_keys(&keys);
    sample_config_pair(&held);
    before.bytes = held.slice;
    config_succeed(&next.config, &held.config, held.slice, why);
    encode();
}

static void begin_promotion(void)
{
    begin(CONFIG_PROMOTE);
    entry.begins = true;
    next.config.epoch++;
    memcpy(next.config.primary, sample_node('B'), NODE_ID_SIZE);
    encode();
}

static void certify(unsigned signers)
{
    entry.certificate =
        sample_config_cert(certificate, next.config.why, next.slice, signers);
}

static const char *judged(void)
{
    return config_entry_judge(&entry, &before, cluster_id, &keys);
}

static void expect_good(void)
{
    const char *complaint = judged();

    ck_assert_msg(complaint == NULL, "%s", complaint);
}

static void expect(const char *what)
{
    const char *complaint = judged();

    ck_assert_msg(complaint != NULL, "good, and not %s", what);
    ck_assert_msg(strstr(complaint, what) != NULL, "%s", complaint);
}

START_TEST(the_next_configuration_is_judged_by_the_rules_of_successors)
{
    begin_promotion();
    expect_good();
    begin(CONFIG_REMOVE);
    config_dismiss(&next.config, sample_node('B'));
    next.config.minimum = held.config.minimum = 1;
    sample_config_encode(&held);
    config_hash(next.config.previous, held.slice);
    encode();
    expect_good();
    next.config.previous[0] ^= 1;
    encode();
    expect("V1");
    begin_promotion();
    next.config.epoch = held.config.epoch;
    encode();
    expect("V2");
    begin_promotion();
    memcpy(next.config.primary, sample_node('Z'), NODE_ID_SIZE);
    encode();
    expect("V3");
    begin(CONFIG_REMOVE);
    config_dismiss(&next.config, sample_node('B'));
    encode();
    expect("V4");
    begin_promotion();
    next.config.lineage[0] ^= 1;
    encode();
    expect("V7");
}
END_TEST

START_TEST(what_the_entry_says_is_what_its_configuration_says)
{
    uint8_t foreign[CLUSTER_ID_SIZE] = {1};

    begin_promotion();
    entry.number++;
    expect("another number");
    begin_promotion();
    entry.epoch++;
    expect("another epoch");
    begin_promotion();
    entry.node_id = sample_node('A');
    expect("another node is primary");
    begin_promotion();
    memcpy(cluster_id, foreign, sizeof foreign);
    expect("another cluster");
    begin_promotion();
    entry.bytes.size--;
    expect("that is none");
    entry.number = 0;
    expect("that is none");
    entry.bytes.size = 0;
    expect("brings no configuration");
    before.bytes.size = 0;
    expect_good();
    certify(OPERATOR);
    expect("and no configuration");
}
END_TEST

START_TEST(across_a_gap_only_what_always_holds_is_judged)
{
    begin_promotion();
    next.config.number += 3;
    memset(next.config.previous, 9, HASH_SIZE);
    encode();
    expect_good();
    next.config.epoch = held.config.epoch;
    encode();
    expect("V2");
    next.config.epoch = held.config.epoch + 5;
    next.config.lineage[0] ^= 1;
    encode();
    expect("V7");
    begin_promotion();
    next.config.number = held.config.number;
    encode();
    expect("does not rise");
    begin_promotion();
    before.bytes.size = 0;
    expect_good(); /* The first two were never entered. */
    next.config.number = 1;
    encode();
    expect("not a first configuration");
}
END_TEST

START_TEST(a_term_may_go_on_with_the_configuration_before_it)
{
    begin_promotion();
    before.bytes = entry.bytes;
    entry.epoch += CONFIG_GRANT_EPOCHS - 1;
    expect_good();
    entry.epoch++;
    expect("another epoch");
    entry.epoch = next.config.epoch - 1;
    expect("another epoch");
    entry.epoch = next.config.epoch;
    entry.begins = false;
    expect("that the log holds");
}
END_TEST

START_TEST(a_certificate_is_verified_and_grants_epochs)
{
    begin_promotion();
    certify(OPERATOR | WITNESS);
    expect_good();
    entry.epoch += CONFIG_GRANT_EPOCHS - 1;
    expect_good();
    entry.epoch++;
    expect("another epoch");
    entry.epoch = next.config.epoch;
    certify(OPERATOR | AUTHORITY);
    expect_good();
    certify(OPERATOR);
    expect("lacks a signature");
    certify(WITNESS);
    expect("lacks a signature");
    certify(OPERATOR | WITNESS);
    certificate[entry.certificate.size - 1] ^= 1;
    expect("does not verify");
    certify(OPERATOR | WITNESS);
    keys.witnesses_count = 0;
    expect("does not verify");
    entry.certificate.size = 7;
    expect("certificate that is none");
    sample_config_keys(&keys);
    entry.certificate = sample_config_cert(certificate, CONFIG_PROMOTE,
                                           held.slice, OPERATOR | WITNESS);
    expect("of another configuration");
    entry.certificate = sample_config_cert(certificate, CONFIG_ADD, next.slice,
                                           OPERATOR | WITNESS);
    expect("kind");
}
END_TEST

START_TEST(a_certificate_that_was_judged_stays_good)
{
    begin_promotion();
    certify(OPERATOR | WITNESS);
    memcpy(held_certificate, certificate, entry.certificate.size);
    before.bytes = entry.bytes;
    before.certificate = slice_of(held_certificate, entry.certificate.size);
    keys.witnesses_count = 0; /* Retired since. */
    expect_good();
    certificate[entry.certificate.size - 1] ^= 1;
    expect("does not verify");
    certify(OPERATOR);
    expect_good();
}
END_TEST

START_TEST(a_forced_configuration_needs_its_lineage_and_its_certificate)
{
    begin(CONFIG_FORCED);
    entry.begins = true;
    entry.index = next.config.base_size;
    next.config.epoch++;
    memcpy(next.config.primary, sample_node('B'), NODE_ID_SIZE);
    config_dismiss_others(&next.config, sample_node('B'));
    next.config.number += 5;
    encode();
    expect("V7");
    config_forced_lineage(next.config.lineage, &next.config);
    encode();
    expect("without a certificate");
    certify(OPERATOR);
    expect("lacks a signature");
    certify(OPERATOR | AUTHORITY);
    expect_good();
}
END_TEST

START_TEST(a_forced_configuration_is_entered_right_behind_what_was_kept)
{
    begin(CONFIG_FORCED);
    next.config.epoch++;
    next.config.base_size = 40;
    next.config.lost_count = 2;
    config_dismiss_others(&next.config, sample_node('A'));
    config_forced_lineage(next.config.lineage, &next.config);
    encode();
    certify(OPERATOR | AUTHORITY);
    entry.begins = true;
    for (entry.index = 39; entry.index < 42; entry.index++) {
        if (entry.index == 40)
            expect_good();
        else
            expect("elsewhere than where it begins");
    }
    entry.index = 40;
    entry.begins = false; /* Inside a term. */
    expect("elsewhere than where it begins");
    /* A later term of its grant goes on with it. */
    held = next;
    before.bytes = held.slice = slice_of(held.bytes, next.slice.size);
    before.certificate = entry.certificate;
    entry.begins = true;
    entry.epoch++;
    entry.index = 43;
    expect_good();
}
END_TEST

SUITE_MAIN("config_entry",
           the_next_configuration_is_judged_by_the_rules_of_successors,
           what_the_entry_says_is_what_its_configuration_says,
           across_a_gap_only_what_always_holds_is_judged,
           a_term_may_go_on_with_the_configuration_before_it,
           a_certificate_is_verified_and_grants_epochs,
           a_certificate_that_was_judged_stays_good,
           a_forced_configuration_needs_its_lineage_and_its_certificate,
           a_forced_configuration_is_entered_right_behind_what_was_kept)
