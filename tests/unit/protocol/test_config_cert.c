#include "protocol/config_cert.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

enum { OPERATOR = 1, AUTHORITY = 2, WITNESS = 4, NOT_AFTER_S = 1767312000 };

static const char golden_tail_hex[] =
    "01000000000000000000000000000000000000000000000017b26e85fb65926971f63a13"
    "c79d40c079a04e4dc98d46a3c122ad1956befea61383c3806ba6db164edb8d5848e843ce"
    "7dfb9ff5017e594158757671eba95c0903000000000000005a5a5a5a5a5a5a5a5a5a5a5a"
    "5a5a5a5a59db320c2dde1352308f328cfb28322d52702001df7c520e4ff87566a301a24c"
    "90ec26832c9b2571b89aa898770bb47d4114ef1601b97dd64143f0d75065e601";

static struct sample_config config;
static struct config_cert_keys keys;
static uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
static struct slice slice;

static void begin(unsigned signers)
{
    sample_config_pair(&config);
    sample_config_keys(&keys);
    slice = sample_config_cert(bytes, CONFIG_ADD, config.slice, signers);
}

static enum config_cert_fault verified(void)
{
    struct config_cert cert;

    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_OK);
    return config_cert_verify(&cert, &keys, NOT_AFTER_S);
}

START_TEST(certificate_is_the_published_bytes)
{
    struct config_cert cert;

    begin(OPERATOR | WITNESS);
    hex_expect(bytes + CONFIG_CERT_FIXED_SIZE + config.slice.size,
               slice.size - CONFIG_CERT_FIXED_SIZE - config.slice.size,
               golden_tail_hex);
    hex_expect(bytes, 16, "0100050000010000800a576900000000");
    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_OK);
    ck_assert_int_eq(cert.kind, CONFIG_ADD);
    ck_assert_int_eq(cert.not_after_s, NOT_AFTER_S);
    ck_assert(slice_equal(cert.config, config.slice));
    ck_assert_uint_eq(cert.signatures_count, 2);
    ck_assert_int_eq(verified(), CONFIG_CERT_GOOD);
}
END_TEST

START_TEST(certificate_cut_short_loses_a_signature_or_is_refused)
{
    struct config_cert cert;
    size_t bare = CONFIG_CERT_FIXED_SIZE;

    begin(OPERATOR | AUTHORITY | WITNESS);
    bare += config.slice.size;
    for (size_t size = 0; size < slice.size; size++) {
        uint8_t *cut = malloc(size + 1);
        enum status status;
        memcpy(cut, bytes, size);
        status = config_cert_decode(&cert, slice_of(cut, size));
        ck_assert_int_eq(status == ST_OK,
                         size >= bare &&
                             (size - bare) % CONFIG_SIGNATURE_SIZE == 0);
        free(cut);
    }
}
END_TEST

START_TEST(certificate_with_any_bit_flipped_is_not_good)
{
    struct config_cert cert;

    begin(OPERATOR | WITNESS);
    for (size_t bit = 0; bit < 8 * slice.size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(config_cert_decode(&cert, slice) != ST_OK ||
                  config_cert_verify(&cert, &keys, NOT_AFTER_S) !=
                      CONFIG_CERT_GOOD);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(verified(), CONFIG_CERT_GOOD);
}
END_TEST

START_TEST(certificate_with_more_or_unordered_signatures_is_refused)
{
    uint8_t longer[CONFIG_CERT_ENCODED_SIZE_MAX + CONFIG_SIGNATURE_SIZE];
    struct config_cert cert;
    uint8_t *first, *second, swap[CONFIG_SIGNATURE_SIZE];

    begin(OPERATOR | AUTHORITY | WITNESS);
    first = bytes + CONFIG_CERT_FIXED_SIZE + config.slice.size;
    second = first + CONFIG_SIGNATURE_SIZE;
    memcpy(longer, bytes, slice.size);
    memcpy(longer + slice.size, second + CONFIG_SIGNATURE_SIZE,
           CONFIG_SIGNATURE_SIZE);
    ck_assert_int_eq(
        config_cert_decode(
            &cert, slice_of(longer, slice.size + CONFIG_SIGNATURE_SIZE)),
        ST_FILE_FORMAT);
    memcpy(swap, first, sizeof swap);
    memcpy(first, second, sizeof swap);
    memcpy(second, swap, sizeof swap);
    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_FILE_FORMAT);
    memcpy(second, first, sizeof swap);
    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_FILE_FORMAT);
}
END_TEST

START_TEST(certificate_needs_the_operator_and_a_witness_or_the_authority)
{
    static const struct {
        unsigned signers;
        bool witness_needed;
        enum config_cert_fault fault;
    } rows[] = {
        {0, false, CONFIG_CERT_MISSING},
        {OPERATOR, false, CONFIG_CERT_GOOD},
        {OPERATOR, true, CONFIG_CERT_MISSING},
        {OPERATOR | WITNESS, true, CONFIG_CERT_GOOD},
        {OPERATOR | AUTHORITY, true, CONFIG_CERT_GOOD},
        {OPERATOR | AUTHORITY | WITNESS, true, CONFIG_CERT_GOOD},
        {AUTHORITY | WITNESS, true, CONFIG_CERT_MISSING},
        {WITNESS, true, CONFIG_CERT_MISSING},
        {AUTHORITY, false, CONFIG_CERT_MISSING},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].signers);
        keys.witness_needed = rows[i].witness_needed;
        ck_assert_msg(verified() == rows[i].fault, "row %zu", i);
    }
}
END_TEST

START_TEST(forced_certificate_needs_two_keys)
{
    begin(OPERATOR);
    config.config.why = CONFIG_FORCED;
    sample_config_encode(&config);
    slice = sample_config_cert(bytes, CONFIG_FORCED, config.slice,
                               OPERATOR | WITNESS);
    ck_assert_int_eq(verified(), CONFIG_CERT_MISSING);
    slice = sample_config_cert(bytes, CONFIG_FORCED, config.slice,
                               OPERATOR | AUTHORITY);
    ck_assert_int_eq(verified(), CONFIG_CERT_GOOD);
}
END_TEST

START_TEST(strangers_signatures_do_not_count)
{
    begin(OPERATOR | WITNESS);
    keys.operator_key[0] ^= 1;
    ck_assert_int_eq(verified(), CONFIG_CERT_SIGNATURE);
    begin(OPERATOR | WITNESS);
    keys.witnesses_count = 0;
    ck_assert_int_eq(verified(), CONFIG_CERT_SIGNATURE);
    begin(OPERATOR | WITNESS);
    keys.witnesses[0].node_id[0] ^= 1;
    ck_assert_int_eq(verified(), CONFIG_CERT_SIGNATURE);
    begin(OPERATOR | WITNESS);
    memcpy(keys.witnesses[0].receipt_key, keys.operator_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(verified(), CONFIG_CERT_SIGNATURE);
}
END_TEST

/* One key in two places: the tags keep what it signed apart. */
START_TEST(operators_signature_is_no_witness)
{
    struct config_cert cert;
    struct writer writer;

    begin(OPERATOR);
    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_OK);
    writer_init(&writer, bytes, sizeof bytes);
    writer.used = slice.size;
    config_cert_add_witness(&writer, sample_node('Z'),
                            cert.signatures[0].signature);
    slice = writer_slice(&writer);
    memcpy(keys.witnesses[0].receipt_key, keys.operator_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(verified(), CONFIG_CERT_SIGNATURE);
}
END_TEST

START_TEST(witness_adds_to_what_the_operator_signed)
{
    struct config_cert cert;
    struct identity archive;
    struct writer writer;
    uint8_t signature[SIGNATURE_SIZE];

    begin(OPERATOR);
    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_OK);
    sample_identity(&archive, 6);
    config_cert_witness(signature, &cert, &archive);
    writer_init(&writer, bytes, sizeof bytes);
    writer.used = slice.size;
    config_cert_add_witness(&writer, sample_node('Z'), signature);
    slice = writer_slice(&writer);
    ck_assert_int_eq(verified(), CONFIG_CERT_GOOD);
}
END_TEST

START_TEST(certificate_expires_and_old_ones_are_judged_without_a_time)
{
    struct config_cert cert;

    begin(OPERATOR | WITNESS);
    ck_assert_int_eq(config_cert_decode(&cert, slice), ST_OK);
    ck_assert_int_eq(config_cert_verify(&cert, &keys, NOT_AFTER_S + 1),
                     CONFIG_CERT_EXPIRED);
    ck_assert_int_eq(config_cert_verify(&cert, &keys, CONFIG_CERT_ANY_TIME),
                     CONFIG_CERT_GOOD);
}
END_TEST

START_TEST(kind_is_the_configurations)
{
    begin(OPERATOR | WITNESS);
    slice = sample_config_cert(bytes, CONFIG_REMOVE, config.slice,
                               OPERATOR | WITNESS);
    ck_assert_int_eq(verified(), CONFIG_CERT_KIND);
    config.bytes[156] = 1; /* No configuration at all. */
    slice =
        sample_config_cert(bytes, CONFIG_ADD, config.slice, OPERATOR | WITNESS);
    ck_assert_int_eq(verified(), CONFIG_CERT_KIND);
}
END_TEST

START_TEST(every_fault_has_words)
{
    for (int i = 0; i <= CONFIG_CERT_FAULTS_COUNT; i++) {
        enum config_cert_fault fault = (enum config_cert_fault)i;
        ck_assert_ptr_nonnull(config_cert_fault_text(fault));
        ck_assert_ptr_nonnull(config_cert_fault_text_az(fault));
    }
}
END_TEST

SUITE_MAIN("config_cert", certificate_is_the_published_bytes,
           certificate_cut_short_loses_a_signature_or_is_refused,
           certificate_with_any_bit_flipped_is_not_good,
           certificate_with_more_or_unordered_signatures_is_refused,
           certificate_needs_the_operator_and_a_witness_or_the_authority,
           forced_certificate_needs_two_keys, strangers_signatures_do_not_count,
           operators_signature_is_no_witness,
           witness_adds_to_what_the_operator_signed,
           certificate_expires_and_old_ones_are_judged_without_a_time,
           kind_is_the_configurations, every_fault_has_words)
