#include "server/evidence/signer.h"

#include <sodium.h>
#include <string.h>

#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

static const uint8_t root_a[HASH_SIZE] = {1};
static const uint8_t root_b[HASH_SIZE] = {2};

static struct evidence_head head_of(uint64_t size, const uint8_t *root)
{
    struct evidence_head head = {.size = size};

    memcpy(head.root, root, HASH_SIZE);
    return head;
}

/* A log of ${size} entries whose roots are all root_a. */
static enum status log_of(void *context, uint8_t out[HASH_SIZE], uint64_t size)
{
    const uint64_t *log = context;

    if (size > *log)
        return ST_NO_SUCH;
    memcpy(out, root_a, HASH_SIZE);
    return ST_OK;
}

static enum status damaged(void *context, uint8_t out[HASH_SIZE], uint64_t size)
{
    MAYBE(context == NULL || out == NULL || size > 0);
    return ST_FILE_FORMAT;
}

START_TEST(signer_signs_nothing_below_what_stands_there)
{
    struct evidence_value value = {.signed_here = head_of(5, root_a)};

    ck_assert_int_eq(signer_judge(&value, 4, root_a), SIGNER_BEHIND);
    ck_assert_int_eq(signer_judge(&value, 5, root_a), SIGNER_NOTHING_NEW);
    ck_assert_int_eq(signer_judge(&value, 6, root_a), SIGNER_SIGN);
    value.witnessed = head_of(8, root_a);
    ck_assert_int_eq(signer_judge(&value, 7, root_a), SIGNER_BEHIND);
    ck_assert_int_eq(signer_judge(&value, 8, root_a), SIGNER_SIGN);
    value.cosigned = head_of(9, root_a);
    ck_assert_int_eq(signer_judge(&value, 8, root_a), SIGNER_BEHIND);
    ck_assert_int_eq(signer_judge(&value, 9, root_a), SIGNER_SIGN);
}
END_TEST

START_TEST(signer_never_signs_two_roots_of_one_size)
{
    const struct evidence_value values[] = {
        {.signed_here = head_of(5, root_a)},
        {.witnessed = head_of(5, root_a)},
        {.cosigned = head_of(5, root_a)},
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        ck_assert_int_eq(signer_judge(&values[i], 5, root_b),
                         SIGNER_CONTRADICTS);
}
END_TEST

START_TEST(signer_signs_nothing_after_a_contradiction)
{
    const struct evidence_value value = {.contradicted = true};
    uint64_t log = 9;

    ck_assert_int_eq(signer_judge(&value, 6, root_a), SIGNER_CONTRADICTS);
    ck_assert_int_eq(signer_cosign(&value, 6, root_a), SIGNER_CONTRADICTS);
    ck_assert_int_eq(signer_agrees(&value, &log, log_of), SIGNER_CONTRADICTS);
}
END_TEST

START_TEST(signer_agrees_only_with_the_log_that_was_signed)
{
    struct evidence_value value = {.signed_here = head_of(5, root_a),
                                   .witnessed = head_of(3, root_a)};
    uint64_t log = 5;

    ck_assert_int_eq(signer_agrees(&value, &log, log_of), SIGNER_SIGN);
    log = 4;
    ck_assert_int_eq(signer_agrees(&value, &log, log_of), SIGNER_BEHIND);
    log = 5;
    value.witnessed = head_of(3, root_b);
    ck_assert_int_eq(signer_agrees(&value, &log, log_of), SIGNER_CONTRADICTS);
    value.witnessed = head_of(0, (const uint8_t[HASH_SIZE]){0});
    ck_assert_int_eq(signer_agrees(&value, &log, log_of), SIGNER_SIGN);
    ck_assert_int_eq(signer_agrees(&value, &log, damaged), SIGNER_UNKNOWN);
}
END_TEST

START_TEST(signer_cosigns_one_size_again_and_no_smaller_one)
{
    const struct evidence_value value = {.cosigned = head_of(5, root_a)};

    ck_assert_int_eq(signer_cosign(&value, 5, root_a), SIGNER_SIGN);
    ck_assert_int_eq(signer_cosign(&value, 5, root_b), SIGNER_CONTRADICTS);
    ck_assert_int_eq(signer_cosign(&value, 4, root_a), SIGNER_BEHIND);
    ck_assert_int_eq(signer_cosign(&value, 6, root_b), SIGNER_SIGN);
    ck_assert_int_eq(signer_cosign(&value, 0, root_b), SIGNER_NOTHING_NEW);
}
END_TEST

START_TEST(signer_signs_only_what_is_durable)
{
    static const uint8_t seed[SEED_SIZE] = {3};
    struct disk_model *model = disk_model_new();
    struct evidence_state state;
    struct identity identity;
    struct note_key key;
    uint8_t bytes[1024];
    struct writer writer;

    ck_assert_int_ge(sodium_init(), 0);
    identity_init(&identity, seed);
    note_key_init(&key, slice_of("log.example", 11), NOTE_ED25519,
                  identity.public_key);
    ck_assert_uint_eq(
        evidence_state_open(&state, disk_model_disk(model), "log.example"),
        ST_OK);
    writer_init(&writer, bytes, sizeof bytes);
    ck_assert_uint_eq(
        signer_sign(&writer, &state, 3, root_a, 77, &key, &identity), ST_OK);
    ck_assert_uint_gt(writer.used, 0);
    ck_assert_uint_eq(disk_model_pending(model), 0);
    writer_init(&writer, bytes, sizeof bytes);
    disk_model_fail_sync_after(model, 1);
    ck_assert_uint_eq(
        signer_sign(&writer, &state, 4, root_a, 78, &key, &identity),
        ST_DISK_FAILED);
    ck_assert_uint_eq(writer.used, 0);
    evidence_state_close(&state);
    disk_model_free(model);
}
END_TEST

SUITE_MAIN("signer", signer_signs_nothing_below_what_stands_there,
           signer_never_signs_two_roots_of_one_size,
           signer_signs_nothing_after_a_contradiction,
           signer_agrees_only_with_the_log_that_was_signed,
           signer_cosigns_one_size_again_and_no_smaller_one,
           signer_signs_only_what_is_durable)
