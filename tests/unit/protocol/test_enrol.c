#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/enrol.h"

static struct identity identity;
static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {7};
static const struct enrol_claim claim = {2, 3, 4, 5};
static uint8_t proof[SIGNATURE_SIZE];

static void setup(void)
{
    static const uint8_t seed[SEED_SIZE] = {1};

    ck_assert_int_ge(sodium_init(), 0);
    identity_init(&identity, seed);
    enrol_prove(proof, &claim, cluster_id, &identity);
}

START_TEST(a_proof_holds_for_exactly_what_it_claims)
{
    struct enrol_claim others[] = {
        {1, 3, 4, 5}, {2, 2, 4, 5}, {2, 3, 5, 5}, {2, 3, 4, 0}};

    ck_assert_int_eq(
        enrol_check(&claim, proof, cluster_id, identity.public_key), ST_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_int_eq(
            enrol_check(&others[i], proof, cluster_id, identity.public_key),
            ST_BAD_SIG);
}
END_TEST

START_TEST(a_proof_for_one_cluster_is_none_for_another)
{
    static const uint8_t other[CLUSTER_ID_SIZE] = {8};

    ck_assert_int_eq(enrol_check(&claim, proof, other, identity.public_key),
                     ST_BAD_SIG);
}
END_TEST

START_TEST(D66_a_key_that_is_no_acceptable_point_is_refused_first)
{
    static const uint8_t one[PUBLIC_KEY_SIZE] = {1};

    ck_assert_int_eq(enrol_check(&claim, proof, cluster_id, one), ST_BAD_FIELD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("enrol");
    TCase *tcase = tcase_create("enrol");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_proof_holds_for_exactly_what_it_claims);
    tcase_add_test(tcase, a_proof_for_one_cluster_is_none_for_another);
    tcase_add_test(tcase,
                   D66_a_key_that_is_no_acceptable_point_is_refused_first);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
