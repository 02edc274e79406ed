#include "protocol/sign_state.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

static struct sample_config config;
static struct sign_state state;
static uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
static struct slice slice;
static uint8_t bytes[SIGN_STATE_SIZE_MAX + 1];
static size_t size;

static void begin(void)
{
    sample_config_pair(&config);
    slice = sample_config_cert(certificate, CONFIG_ADD, config.slice, 0);
    sign_state_init(&state, SIGN_OPERATOR, config.config.cluster_id);
}

/* A certificate of number ${number}; ${nonce} makes it one of its own. */
static void another(uint64_t number, uint8_t nonce)
{
    config.config.number = number;
    config.config.nonce[0] = nonce;
    sample_config_encode(&config);
    slice = sample_config_cert(certificate, CONFIG_ADD, config.slice, 0);
}

static enum status decoded(size_t length)
{
    struct sign_state read;

    return sign_state_decode(&read, slice_of(bytes, length), SIGN_OPERATOR,
                             config.config.cluster_id);
}

START_TEST(state_comes_back_as_it_was)
{
    struct sign_state read;

    begin();
    sign_state_encode(bytes, &size, &state);
    ck_assert_int_eq(sign_state_decode(&read, slice_of(bytes, size),
                                       SIGN_OPERATOR, config.config.cluster_id),
                     ST_OK);
    ck_assert_mem_eq(&read, &state, sizeof read);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_OK);
    sign_state_encode(bytes, &size, &state);
    ck_assert_int_eq(sign_state_decode(&read, slice_of(bytes, size),
                                       SIGN_OPERATOR, config.config.cluster_id),
                     ST_OK);
    ck_assert_mem_eq(&read, &state, sizeof read);
    ck_assert(
        slice_equal(slice_of(read.certificate, read.certificate_size), slice));
}
END_TEST

START_TEST(state_cut_short_longer_or_changed_in_any_bit_is_refused)
{
    begin();
    ck_assert_int_eq(sign_state_take(&state, slice), ST_OK);
    sign_state_encode(bytes, &size, &state);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_eq(decoded(cut), ST_FILE_FORMAT);
    ck_assert_int_eq(decoded(size + 1), ST_FILE_FORMAT);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(decoded(size), ST_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(decoded(size), ST_OK);
}
END_TEST

START_TEST(state_of_another_keeper_or_cluster_is_refused)
{
    struct sign_state read;
    uint8_t other[CLUSTER_ID_SIZE] = {1};

    begin();
    sign_state_encode(bytes, &size, &state);
    ck_assert_int_eq(sign_state_decode(&read, slice_of(bytes, size),
                                       SIGN_WITNESS, config.config.cluster_id),
                     ST_FILE_FORMAT);
    ck_assert_int_eq(
        sign_state_decode(&read, slice_of(bytes, size), SIGN_OPERATOR, other),
        ST_WRONG_ENV);
}
END_TEST

START_TEST(one_number_is_taken_for_one_configuration_alone)
{
    begin();
    another(5, 1);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_OK);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_OK);
    another(5, 2);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_EXISTS);
    another(4, 1);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_EXISTS);
    ck_assert_uint_eq(state.number, 5);
    another(6, 2);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_OK);
    ck_assert_uint_eq(state.number, 6);
    another(5, 1);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_EXISTS);
}
END_TEST

START_TEST(state_from_paper_refuses_its_number_and_goes_on_above_it)
{
    begin();
    state.number = 5;
    state.hash[0] = 0xab;
    sign_state_encode(bytes, &size, &state);
    ck_assert_int_eq(decoded(size), ST_OK);
    another(5, 1);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_EXISTS);
    another(6, 1);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_OK);
}
END_TEST

START_TEST(what_is_no_certificate_or_another_clusters_is_not_taken)
{
    begin();
    ck_assert_int_eq(sign_state_take(&state, slice_of(certificate, 47)),
                     ST_FILE_FORMAT);
    slice = sample_config_cert(certificate, CONFIG_REMOVE, config.slice, 0);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_FILE_FORMAT);
    config.config.cluster_id[0] ^= 1;
    another(2, 1);
    ck_assert_int_eq(sign_state_take(&state, slice), ST_WRONG_ENV);
    ck_assert_uint_eq(state.number, 0);
}
END_TEST

START_TEST(paper_shows_the_number_and_eight_digits)
{
    char paper[SIGN_PAPER_SIZE];

    begin();
    sign_state_paper(paper, &state);
    ck_assert_str_eq(paper, "0 00000000");
    state.number = UINT64_MAX;
    memset(state.hash, 0xfe, HASH_SIZE);
    sign_state_paper(paper, &state);
    ck_assert_str_eq(paper, "18446744073709551615 fefefefe");
}
END_TEST

SUITE_MAIN("sign_state", state_comes_back_as_it_was,
           state_cut_short_longer_or_changed_in_any_bit_is_refused,
           state_of_another_keeper_or_cluster_is_refused,
           one_number_is_taken_for_one_configuration_alone,
           state_from_paper_refuses_its_number_and_goes_on_above_it,
           what_is_no_certificate_or_another_clusters_is_not_taken,
           paper_shows_the_number_and_eight_digits)
