#include "replication/witness.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

enum { NOW_S = 1767300000 };

static struct disk_model *model;
static struct sample_config older;
static struct sample_config newer;
static struct identity archive;
static struct witness witness;
static struct witness_view view;
static uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
static struct slice slice;
static uint8_t signature[SIGNATURE_SIZE];

/* REPLACE of B by Z, told apart by ${nonce}, signed by the operator. */
static void offer(uint8_t nonce)
{
    config_succeed(&newer.config, &older.config, older.slice, CONFIG_REPLACE);
    config_dismiss(&newer.config, sample_node('B'));
    config_admit(&newer.config, sample_node('Z'), 5);
    newer.config.nonce[0] = nonce;
    sample_config_encode(&newer);
    slice = sample_config_cert(certificate, CONFIG_REPLACE, newer.slice, 1);
}

static void open_again(struct disk *disk)
{
    ck_assert_int_eq(witness_open(&witness, disk, older.config.cluster_id),
                     ST_OK);
}

static void begin(void)
{
    model = disk_model_new();
    sample_config_pair(&older);
    sample_identity(&archive, 6);
    view = (struct witness_view){
        .config = older.slice, .now_s = NOW_S, .identity = &archive};
    sample_config_keys(&view.keys);
    ck_assert_int_eq(
        witness_create(disk_model_disk(model), older.config.cluster_id), ST_OK);
    open_again(disk_model_disk(model));
    offer(1);
}

static enum status sign(void)
{
    return witness_sign(&witness, signature, slice, &view);
}

START_TEST(first_certificate_of_a_number_is_countersigned_and_no_other)
{
    struct config_cert cert;
    struct writer writer;

    begin();
    ck_assert_int_eq(sign(), ST_OK);
    writer_init(&writer, certificate, sizeof certificate);
    writer.used = slice.size;
    config_cert_add_witness(&writer, sample_node('Z'), signature);
    ck_assert_int_eq(config_cert_decode(&cert, writer_slice(&writer)), ST_OK);
    ck_assert_int_eq(config_cert_verify(&cert, &view.keys, NOW_S),
                     CONFIG_CERT_GOOD);
    offer(1);
    ck_assert_int_eq(sign(), ST_OK);
    offer(2);
    ck_assert_int_eq(sign(), ST_EXISTS);
    open_again(disk_model_disk(model)); /* After a restart, too. */
    ck_assert_int_eq(sign(), ST_EXISTS);
    offer(1);
    ck_assert_int_eq(sign(), ST_OK);
    disk_model_free(model);
}
END_TEST

START_TEST(what_the_operator_did_not_sign_is_not_countersigned)
{
    begin();
    slice = sample_config_cert(certificate, CONFIG_REPLACE, newer.slice, 0);
    ck_assert_int_eq(sign(), ST_BAD_SIG);
    slice = sample_config_cert(certificate, CONFIG_REPLACE, newer.slice, 2);
    ck_assert_int_eq(sign(), ST_BAD_SIG);
    slice = sample_config_cert(certificate, CONFIG_REPLACE, newer.slice, 1);
    view.now_s += 100 * 86400;
    ck_assert_int_eq(sign(), ST_BAD_SIG);
    view.now_s = NOW_S;
    certificate[slice.size - 1] ^= 1;
    ck_assert_int_eq(sign(), ST_BAD_SIG);
    ck_assert_int_eq(
        witness_sign(&witness, signature, slice_of(certificate, 40), &view),
        ST_FILE_FORMAT);
    ck_assert_uint_eq(witness.state.number, 0);
    disk_model_free(model);
}
END_TEST

START_TEST(what_may_not_follow_is_not_countersigned)
{
    begin();
    newer.config.number++;
    sample_config_encode(&newer);
    slice = sample_config_cert(certificate, CONFIG_REPLACE, newer.slice, 1);
    ck_assert_int_eq(sign(), ST_WRONG_STATE);
    offer(1);
    view.config = newer.slice; /* It is known here already. */
    ck_assert_int_eq(sign(), ST_WRONG_STATE);
    ck_assert_uint_eq(witness.state.number, 0);
    disk_model_free(model);
}
END_TEST

START_TEST(nothing_is_countersigned_before_it_is_durable)
{
    begin();
    disk_model_fail_after(model, 1, ST_DISK_FULL);
    ck_assert_int_eq(sign(), ST_DISK_FULL);
    ck_assert_uint_eq(witness.state.number, 0);
    disk_model_free(model);
}
END_TEST

/* Power off at each call: whoever got a signature finds it remembered. */
START_TEST(signature_that_left_is_remembered_after_any_loss_of_power)
{
    for (size_t calls = 0;; calls++) {
        struct disk_model *after;
        enum status status;
        bool off;

        begin();
        disk_model_power_off_after(model, calls);
        status = sign();
        off = disk_model_is_off(model);
        after = disk_model_crash(model, NULL, 0, false, SIZE_MAX);
        disk_model_free(model);
        model = after;
        open_again(disk_model_disk(model));
        ck_assert(IMPLIES(status == ST_OK, witness.state.number == 3));
        disk_model_free(model);
        if (!off)
            break;
    }
}
END_TEST

START_TEST(archive_without_its_memory_countersigns_nothing)
{
    struct disk_model *empty = disk_model_new();

    begin();
    ck_assert_int_eq(
        witness_open(&witness, disk_model_disk(empty), older.config.cluster_id),
        ST_NO_FILE);
    disk_model_free(empty);
    disk_model_free(model);
}
END_TEST

SUITE_MAIN("witness",
           first_certificate_of_a_number_is_countersigned_and_no_other,
           what_the_operator_did_not_sign_is_not_countersigned,
           what_may_not_follow_is_not_countersigned,
           nothing_is_countersigned_before_it_is_durable,
           signature_that_left_is_remembered_after_any_loss_of_power,
           archive_without_its_memory_countersigns_nothing)
