#include "protocol/config.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static const char golden_hex[] =
    "01000105010000000200000000000000487476fe07ebf7727d2715e579e3df0a11111111"
    "111111111111111111111111414141414141414141414141414141410100000000000000"
    "222222222222222222222222222222222222222222222222222222222222222256b7b5d2"
    "b671c3802af01bede735069f9c154aa5a136e644e0b4e0e9f50ef6dc3333333333333333"
    "333333333333333302020102000000004141414141414141414141414141414101000000"
    "000000004242424242424242424242424242424207000000000000005a5a5a5a5a5a5a5a"
    "5a5a5a5a5a5a5a5a41414141414141414141414141414141424242424242424242424242"
    "42424242";

START_TEST(config_encodes_to_the_published_bytes)
{
    struct sample_config sample;
    struct config read;

    sample_config_pair(&sample);
    hex_expect(sample.bytes, sample.slice.size, golden_hex);
    ck_assert_int_eq(config_decode(&read, sample.slice), ST_OK);
    ck_assert_mem_eq(&read, &sample.config, sizeof read);
}
END_TEST

START_TEST(config_cut_short_or_with_a_byte_more_is_refused)
{
    struct sample_config sample;
    struct config read;
    uint8_t longer[CONFIG_ENCODED_SIZE_MAX + 1] = {0};

    sample_config_pair(&sample);
    for (size_t size = 0; size < sample.slice.size; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, sample.bytes, size);
        ck_assert_int_eq(config_decode(&read, slice_of(cut, size)),
                         ST_FILE_FORMAT);
        free(cut);
    }
    memcpy(longer, sample.bytes, sample.slice.size);
    ck_assert_int_eq(
        config_decode(&read, slice_of(longer, sample.slice.size + 1)),
        ST_FILE_FORMAT);
}
END_TEST

START_TEST(config_with_any_bit_flipped_is_refused_or_encodes_to_itself)
{
    struct sample_config sample, again;

    sample_config_pair(&sample);
    for (size_t bit = 0; bit < 8 * sample.slice.size; bit++) {
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (config_decode(&again.config, sample.slice) == ST_OK) {
            sample_config_encode(&again);
            ck_assert(slice_equal(again.slice, sample.slice));
        }
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

/* The largest that there is: every node a member, and eligible. */
START_TEST(config_of_as_many_nodes_as_there_may_be_is_read_and_one_more_is_not)
{
    struct sample_config sample;
    struct config read;

    sample_config(&sample.config);
    config_remove_eligible(&sample.config, sample_node('B'));
    config_remove_learner(&sample.config, sample_node('B'));
    config_remove_learner(&sample.config, sample_node('Z'));
    for (char letter = 'B'; letter < 'A' + CONFIG_NODES_MAX; letter++) {
        config_add_member(&sample.config, sample_node(letter), UINT64_MAX);
        config_add_eligible(&sample.config, sample_node(letter));
    }
    sample_config_encode(&sample);
    ck_assert_uint_eq(sample.slice.size, CONFIG_ENCODED_SIZE_MAX);
    ck_assert_int_eq(config_decode(&read, sample.slice), ST_OK);
    ck_assert_mem_eq(&read, &sample.config, sizeof read);
    for (size_t at = 153; at < 156; at++) {
        uint8_t was = sample.bytes[at];
        for (unsigned value = 0; value < 256; value++) {
            sample.bytes[at] = (uint8_t)value;
            if (value != was)
                ck_assert_int_eq(config_decode(&read, sample.slice),
                                 ST_FILE_FORMAT);
        }
        sample.bytes[at] = was;
    }
}
END_TEST

/* Each of these changes one byte so that an invariant does not hold. */
START_TEST(config_that_breaks_an_invariant_is_refused)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0},     {0, 2},     {2, 0},     {2, 3},     {3, 0},   {3, 13},
        {4, 0},     {8, 0},     {152, 0},   {152, 8},   {156, 1}, {153, 0},
        {160, 'C'}, {208, 'B'}, {224, 'Q'}, {240, 'A'},
    };
    struct sample_config sample;
    struct config read;

    sample_config_pair(&sample);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t was = sample.bytes[changes[i].at];
        size_t size = changes[i].at >= 160 ? NODE_ID_SIZE : 1;
        memset(sample.bytes + changes[i].at, changes[i].value, size);
        ck_assert_msg(config_decode(&read, sample.slice) == ST_FILE_FORMAT,
                      "change %zu", i);
        memset(sample.bytes + changes[i].at, was, size);
    }
    ck_assert_int_eq(config_decode(&read, sample.slice), ST_OK);
}
END_TEST

START_TEST(config_lists_stay_in_order_whatever_comes_and_goes)
{
    struct sample_config sample;
    const struct config *config = &sample.config;

    sample_config(&sample.config);
    ck_assert(config_has_archive(config));
    config_admit(&sample.config, sample_node('Z'), 3);
    config_admit(&sample.config, sample_node('B'), 4);
    ck_assert_uint_eq(config_member(config, sample_node('B'))->incarnation, 4);
    ck_assert_ptr_null(config_member(config, sample_node('C')));
    ck_assert_uint_eq(config->learners_count, 0);
    config_dismiss_others(&sample.config, sample_node('B'));
    ck_assert_uint_eq(config->members_count, 1);
    ck_assert(config_has_learner(config, sample_node('A')));
    ck_assert(config_has_learner(config, sample_node('Z')));
    ck_assert(config_has_node(config, sample_node('B')));
    ck_assert(!config_has_node(config, sample_node('C')));
    config_remove_learner(&sample.config, sample_node('Z'));
    ck_assert(!config_has_archive(config));
    sample_config_encode(&sample);
}
END_TEST

START_TEST(granted_epoch_is_above_everything_granted_or_seen)
{
    struct sample_config older;
    uint32_t epoch;

    sample_config_pair(&older);
    ck_assert_int_eq(config_granted(&epoch, &older.config, 0), ST_OK);
    ck_assert_uint_eq(epoch, older.config.epoch + CONFIG_GRANT_EPOCHS);
    ck_assert_int_eq(config_granted(&epoch, &older.config, 100000), ST_OK);
    ck_assert_uint_eq(epoch, 100001);
    ck_assert_int_eq(config_granted(&epoch, &older.config, UINT32_MAX),
                     ST_LIMIT);
    older.config.epoch = REPLICA_EPOCH_MAX - CONFIG_GRANT_EPOCHS + 1;
    ck_assert_int_eq(config_granted(&epoch, &older.config, 0), ST_LIMIT);
    older.config.epoch--;
    ck_assert_int_eq(config_granted(&epoch, &older.config, 0), ST_OK);
    ck_assert_uint_eq(epoch, REPLICA_EPOCH_MAX);
}
END_TEST

START_TEST(every_fault_and_every_why_has_words)
{
    for (int i = 0; i < CONFIG_FAULTS_COUNT; i++) {
        ck_assert_ptr_nonnull(config_fault_text((enum config_fault)i));
        ck_assert_ptr_nonnull(config_fault_text_az((enum config_fault)i));
    }
    for (int i = 0; i <= CONFIG_WHY_MAX; i++)
        ck_assert_ptr_nonnull(config_why_name((enum config_why)i));
}
END_TEST

SUITE_MAIN("config", config_encodes_to_the_published_bytes,
           config_cut_short_or_with_a_byte_more_is_refused,
           config_with_any_bit_flipped_is_refused_or_encodes_to_itself,
           config_of_as_many_nodes_as_there_may_be_is_read_and_one_more_is_not,
           config_that_breaks_an_invariant_is_refused,
           config_lists_stay_in_order_whatever_comes_and_goes,
           granted_epoch_is_above_everything_granted_or_seen,
           every_fault_and_every_why_has_words)
