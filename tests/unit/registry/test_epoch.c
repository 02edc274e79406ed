#include "server/registry/epoch.h"

#include <string.h>

#include <sodium.h>

#include "tests/lib/centres.h"
#include "tests/lib/suite.h"

static struct centres scene;

static enum status begin_epoch(uint32_t epoch, uint64_t number,
                               const char *bytes)
{
    struct op_system_epoch in = {
        .epoch = epoch, .number = number, .configuration = fixture_text(bytes)};

    scene.fixture.epoch = epoch;
    return fixture_run(&scene.fixture, scene.primary, OPCODE_SYSTEM_EPOCH, &in,
                       0, 0, 0, NULL);
}

static enum status win(uint64_t number, const char *bytes,
                       const char *certificate)
{
    struct op_system_config in = {.number = number,
                                  .epoch = scene.fixture.epoch,
                                  .configuration = fixture_text(bytes)};

    if (certificate != NULL) {
        in.has_certificate = true;
        in.certificate = fixture_text(certificate);
    }
    return fixture_run(&scene.fixture, scene.primary, OPCODE_SYSTEM_CONFIG, &in,
                       0, 0, 0, NULL);
}

START_TEST(a_configuration_comes_with_an_epoch_or_between_two)
{
    struct row_configuration row;
    uint8_t digest[HASH_SIZE];

    centres_open(&scene);
    ck_assert(!epoch_configuration(scene.fixture.state, &row));
    ck_assert_int_eq(begin_epoch(2, 7, "seven"), ST_OK);
    ck_assert_int_eq(win(8, "eight", "signed"), ST_OK);
    ck_assert(epoch_configuration(scene.fixture.state, &row));
    ck_assert_uint_eq(row.number, 8);
    ck_assert_uint_eq(row.epoch, 2);
    ck_assert(slice_equal(row.configuration, fixture_text("eight")));
    ck_assert(slice_equal(row.certificate, fixture_text("signed")));
    crypto_hash_sha256(digest, (const uint8_t *)"eight", 5);
    ck_assert_mem_eq(row.digest.b, digest, sizeof digest);
    ck_assert_uint_eq(row.index, scene.fixture.index - 1);
    ck_assert_uint_eq(state_count(scene.fixture.state, TABLE_CONFIGURATION), 2);
    centres_close(&scene);
}
END_TEST

START_TEST(a_configuration_that_does_not_fit_is_refused)
{
    struct op_system_config other = {
        .number = 9, .epoch = 3, .configuration = fixture_text("nine")};

    centres_open(&scene);
    ck_assert_int_eq(begin_epoch(2, 0, "bytes without a number"), ST_BAD_FIELD);
    ck_assert_int_eq(begin_epoch(2, 7, ""), ST_BAD_FIELD);
    ck_assert_int_eq(begin_epoch(2, 7, "seven"), ST_OK);
    ck_assert_int_eq(win(7, "seven", NULL), ST_EXISTS);
    ck_assert_int_eq(win(6, "six", NULL), ST_BAD_FIELD);
    ck_assert_int_eq(fixture_run(&scene.fixture, scene.primary,
                                 OPCODE_SYSTEM_CONFIG, &other, 0, 0, 0, NULL),
                     ST_BAD_FIELD); /* Of another epoch. */
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.operator,
                                 OPCODE_SYSTEM_CONFIG, &other, 0, 0,
                                 scene.operator.duty, NULL),
                     ST_NO_DUTY);
    /* Once there was one, every epoch has one. */
    ck_assert_int_eq(begin_epoch(3, 0, ""), ST_BAD_FIELD);
    /* Two of one number are two histories. */
    ck_assert_int_eq(begin_epoch(3, 7, "another seven"), ST_BAD_FIELD);
    ck_assert_int_eq(begin_epoch(3, 7, "seven"), ST_OK);
    centres_close(&scene);
}
END_TEST

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
           a_term_tells_when_it_began_and_when_the_last_one_fell_silent)
