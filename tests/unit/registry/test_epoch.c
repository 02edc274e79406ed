#include "server/registry/epoch.h"

#include <string.h>

#include <sodium.h>

#include "protocol/genesis.h"
#include "tests/lib/centres.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

static struct centres scene;

/* ---- Configurations ------------------------------------------------------ */

/* The one before, and the one that is won. */
static struct sample_config older;
static struct sample_config won;
static struct slice certificate; /* Of the next entry; empty: none. */
static uint8_t certificate_bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
static struct identity archive;

/* Genesis as the log holds it; certificates are judged by its keys. */
static uint8_t genesis[GENESIS_SIZE_MAX];
static size_t genesis_size;

static enum status read_genesis(void *context, uint64_t index,
                                struct slice *entry_out)
{
    (void)context;
    ck_assert_uint_eq(index, 0);
    *entry_out = slice_of(genesis, genesis_size);
    return ST_OK;
}

static void make_genesis(const struct identity *operator)
{
    struct op_system_genesis in = {.origin = fixture_text("test.example/log"),
                                   .environment = 2,
                                   .realms = 3,
                                   .node_channel_key = fixture_digest(9),
                                   .owner = fixture_text("Owner")};
    struct genesis_random random = {.idem = {1}};
    struct identity authority;

    sample_identity(&authority, 1);
    in.node_receipt_key = in.log_key = fixture_public_key(&archive);
    in.operator_key = fixture_public_key(operator);
    ck_assert_int_eq(genesis_write(genesis, &genesis_size, &in, &authority,
                                   FIXTURE_TIME, &random),
                     ST_OK);
    scene.fixture.services.read_entry = read_genesis;
}

/* The first configuration: node 1 leads, 2 learns, 3 is an archive. */
static void begin(void)
{
    struct fixture_actor third;

    centres_open(&scene);
    centres_enrol_node(&scene, &third, 3, NODE_ARCHIVE);
    archive = third.identity;
    make_genesis(&scene.fixture.operator.identity);
    certificate.size = 0;
    sample_config(&won.config);
    memcpy(won.config.cluster_id, scene.fixture.services.cluster_id,
           CLUSTER_ID_SIZE);
    won.config.epoch = 2;
    memcpy(won.config.primary, centres_node(1).b, NODE_ID_SIZE);
    won.config.members_count = won.config.learners_count = 0;
    won.config.eligible_count = 0;
    config_add_member(&won.config, centres_node(1).b, 1);
    config_add_learner(&won.config, centres_node(2).b);
    config_add_learner(&won.config, centres_node(3).b);
    config_add_eligible(&won.config, centres_node(1).b);
    config_add_eligible(&won.config, centres_node(2).b);
    sample_config_encode(&won);
}

/* What follows the one that was won last. */
static void next(enum config_why why)
{
    older = won;
    older.slice = slice_of(older.bytes, won.slice.size);
    config_succeed(&won.config, &older.config, older.slice, why);
    sample_config_encode(&won);
}

static void next_add(uint8_t node)
{
    next(CONFIG_ADD);
    config_admit(&won.config, centres_node(node).b, 1);
    sample_config_encode(&won);
}

static void next_promotion(void)
{
    next(CONFIG_PROMOTE);
    won.config.epoch = scene.fixture.epoch + 1;
    memcpy(won.config.primary, centres_node(2).b, NODE_ID_SIZE);
    sample_config_encode(&won);
}

static void certify(const struct identity *operator,
                    const struct identity * witness)
{
    struct config_cert cert = {.kind = won.config.why, .config = won.slice};
    struct writer writer;

    writer_init(&writer, certificate_bytes, sizeof certificate_bytes);
    config_cert_begin(&writer, &cert);
    config_cert_sign(&writer, CONFIG_SIGNER_OPERATOR, NULL, operator);
    if (witness != NULL)
        config_cert_sign(&writer, CONFIG_SIGNER_WITNESS, centres_node(3).b,
                         witness);
    certificate = writer_slice(&writer);
}

static enum status begin_epoch(const struct fixture_actor *node, uint32_t epoch)
{
    struct op_system_epoch in = {.epoch = epoch,
                                 .number = won.config.number,
                                 .configuration = won.slice,
                                 .has_certificate = certificate.size > 0,
                                 .certificate = certificate};
    uint32_t before = scene.fixture.epoch;
    enum status status;

    scene.fixture.epoch = epoch;
    status = fixture_run(&scene.fixture, node, OPCODE_SYSTEM_EPOCH, &in, 0, 0,
                         0, NULL);
    if (status != ST_OK)
        scene.fixture.epoch = before;
    return status;
}

static enum status win(const struct fixture_actor *node)
{
    struct op_system_config in = {.number = won.config.number,
                                  .epoch = scene.fixture.epoch,
                                  .configuration = won.slice,
                                  .has_certificate = certificate.size > 0,
                                  .certificate = certificate};

    return fixture_run(&scene.fixture, node, OPCODE_SYSTEM_CONFIG, &in, 0, 0, 0,
                       NULL);
}

START_TEST(a_configuration_comes_with_an_epoch_or_between_two)
{
    struct row_configuration row;
    uint8_t digest[HASH_SIZE];

    begin();
    ck_assert(!epoch_configuration(scene.fixture.state, &row));
    ck_assert_int_eq(begin_epoch(scene.primary, 2), ST_OK);
    next_add(2);
    ck_assert_int_eq(win(scene.primary), ST_OK);
    ck_assert(epoch_configuration(scene.fixture.state, &row));
    ck_assert_uint_eq(row.number, 2);
    ck_assert_uint_eq(row.epoch, 2);
    ck_assert(slice_equal(row.configuration, won.slice));
    ck_assert_uint_eq(row.certificate.size, 0);
    crypto_hash_sha256(digest, won.slice.data, won.slice.size);
    ck_assert_mem_eq(row.digest.b, digest, sizeof digest);
    ck_assert_uint_eq(row.index, scene.fixture.index - 1);
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_CONFIGURATION), 2);
    centres_close(&scene);
}
END_TEST

START_TEST(a_configuration_that_does_not_fit_is_refused)
{
    struct op_system_epoch none = {.epoch = 3};
    struct op_system_config other;

    begin();
    ck_assert_int_eq(begin_epoch(scene.primary, 3), ST_BAD_FIELD);
    ck_assert_int_eq(begin_epoch(scene.primary, 2), ST_OK);
    ck_assert_int_eq(win(scene.primary), ST_EXISTS);
    next_add(2);
    other = (struct op_system_config){
        .number = 2, .epoch = 3, .configuration = won.slice};
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_SYSTEM_CONFIG, &other, 0, 0, 0, NULL),
                     ST_BAD_FIELD); /* Of another epoch. */
    ck_assert_int_eq(win(&scene.backup), ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.operator,
                                 OPCODE_SYSTEM_CONFIG, &other, 0, 0,
                                 scene.operator.duty, NULL),
                     ST_NO_DUTY);
    won.config.nonce[0] ^= 1;
    won.config.previous[0] ^= 1; /* V1. */
    sample_config_encode(&won);
    ck_assert_int_eq(win(scene.primary), ST_BAD_FIELD);
    /* Once there was one, every epoch has one. */
    scene.fixture.epoch = 3;
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_SYSTEM_EPOCH, &none, 0, 0, 0, NULL),
                     ST_BAD_FIELD);
    /* Two of one number are two histories. */
    won = older;
    won.config.nonce[0] ^= 1;
    sample_config_encode(&won);
    ck_assert_int_eq(begin_epoch(scene.primary, 3), ST_BAD_FIELD);
    won.config.nonce[0] ^= 1;
    sample_config_encode(&won);
    ck_assert_int_eq(begin_epoch(&scene.backup, 3), ST_BAD_FIELD);
    ck_assert_int_eq(begin_epoch(scene.primary, 3), ST_OK);
    centres_close(&scene);
}
END_TEST

START_TEST(a_configuration_after_others_that_were_never_entered_fits)
{
    begin();
    ck_assert_int_eq(begin_epoch(scene.primary, 2), ST_OK);
    next_add(2);
    next_promotion();
    won.config.epoch = 2;
    sample_config_encode(&won);
    ck_assert_int_eq(begin_epoch(&scene.backup, 2), ST_EXISTS);
    won.config.epoch = 9;
    sample_config_encode(&won);
    ck_assert_int_eq(begin_epoch(&scene.backup, 9), ST_OK);
    centres_close(&scene);
}
END_TEST

START_TEST(a_certificate_is_judged_by_the_keys_of_the_log)
{
    struct op_node_retire retire = {.node_id = centres_node(3),
                                    .note = fixture_text("old")};
    const struct identity *operator= & scene.fixture.operator.identity;
    struct row_configuration row;
    struct identity stranger;

    begin();
    fixture_identity(&scene.fixture, &stranger);
    certify(operator, NULL); /* The first has no archive before it. */
    ck_assert_int_eq(begin_epoch(scene.primary, 2), ST_OK);
    next_add(2);
    certify(&stranger, &archive);
    ck_assert_int_eq(win(scene.primary), ST_BAD_FIELD);
    certify(operator, & stranger);
    ck_assert_int_eq(win(scene.primary), ST_BAD_FIELD);
    certify(operator, NULL);
    ck_assert_int_eq(win(scene.primary), ST_BAD_FIELD);
    certify(operator, & archive);
    ck_assert_int_eq(win(scene.primary), ST_OK);
    ck_assert(epoch_configuration(scene.fixture.state, &row));
    ck_assert(slice_equal(row.certificate, certificate));
    /* A restart within the grant, though the witness is retired since. */
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.fixture.operator,
                                 OPCODE_NODE_RETIRE, &retire, 0, 0,
                                 scene.fixture.operator.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(begin_epoch(scene.primary, 7), ST_OK);
    ck_assert_int_eq(begin_epoch(scene.primary, 2 + CONFIG_GRANT_EPOCHS),
                     ST_BAD_FIELD);
    next_promotion();
    certify(operator, & archive);
    ck_assert_int_eq(begin_epoch(&scene.backup, 9), ST_BAD_FIELD);
    centres_close(&scene);
}
END_TEST

/* ---- Terms ----------------------------------------------------------------
 */

START_TEST(a_term_tells_when_it_began_and_when_the_last_one_fell_silent)
{
    struct row_epoch row;
    int64_t before;

    centres_open(&scene);
    ck_assert(epoch_last(scene.fixture.state, &row));
    ck_assert_uint_eq(row.number, 1);
    ck_assert_uint_eq(row.change, EPOCH_SAME);
    before = state_head(scene.fixture.state)->log_time;
    centres_takes_over(&scene, &scene.backup, 40);
    ck_assert(epoch_last(scene.fixture.state, &row));
    ck_assert_uint_eq(row.number, 2);
    ck_assert_uint_eq(row.change, EPOCH_UNPLANNED);
    ck_assert_int_eq(row.before, before);
    ck_assert_int_eq(row.began - row.before, INT64_C(40000000));
    ck_assert_uint_eq(row.node.b[0], 2);
    ck_assert(epoch_is_primary(scene.fixture.state, &row.key_id));
    centres_close(&scene);
}
END_TEST

SUITE_MAIN("epoch", a_configuration_comes_with_an_epoch_or_between_two,
           a_configuration_that_does_not_fit_is_refused,
           a_configuration_after_others_that_were_never_entered_fits,
           a_certificate_is_judged_by_the_keys_of_the_log,
           a_term_tells_when_it_began_and_when_the_last_one_fell_silent)
