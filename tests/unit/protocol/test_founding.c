#include "tests/lib/suite.h"

#include <string.h>

#include <sodium.h>

#include "protocol/files.h"
#include "protocol/founding.h"
#include "protocol/nodecert.h"

static struct founding founding;
static struct founding_plan plan;

static void make(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    memset(&plan, 0, sizeof plan);
    plan.origin = slice_of("test.log", 8);
    plan.owner = slice_of("Owner", 5);
    plan.address = slice_of("127.0.0.1:7", 11);
    plan.environment = 2;
    plan.realms = 3;
    plan.now_s = 1786957200;
    for (int i = 0; i < FOUNDING_KEYS_COUNT; i++)
        plan.secrets[i][0] = (uint8_t)(i + 1);
    plan.node_id[3] = 9;
    plan.genesis.idem[0] = 1;
    ck_assert_int_eq(founding_make(&founding, &plan), ST_OK);
}

static struct slice file(const char *directory, const char *name)
{
    for (int i = 0; i < FOUNDING_FILES_COUNT; i++) {
        const struct founding_file *at = &founding.files[i];
        if (strcmp(at->directory, directory) == 0 &&
            strcmp(at->name, name) == 0)
            return at->bytes;
    }
    ck_abort_msg("%s", name);
}

START_TEST(the_keys_are_of_their_kinds_and_secret)
{
    struct keyfile key;

    make();
    ck_assert_int_eq(
        keyfile_decode(&key, file(FILE_AUTHORITY_DIR, FILE_AUTHORITY_KEY),
                       KEYFILE_AUTHORITY),
        ST_OK);
    ck_assert_mem_eq(key.cluster_id, founding.cluster_id, CLUSTER_ID_SIZE);
    ck_assert_int_eq(keyfile_decode(&key, file(FILE_NODE_DIR, FILE_KEYRING_KEY),
                                    KEYFILE_KEYRING),
                     ST_OK);
    ck_assert_int_eq(
        keyfile_decode(&key, file(".", FILE_OPERATOR_KEY), KEYFILE_SIGNER),
        ST_OK);
    for (int i = 0; i < FOUNDING_KEYS_COUNT; i++)
        ck_assert(founding.files[i].is_secret);
    for (int i = FOUNDING_KEYS_COUNT; i < FOUNDING_FILES_COUNT; i++)
        ck_assert(!founding.files[i].is_secret);
    founding_wipe(&founding);
}
END_TEST

START_TEST(genesis_and_certificate_name_the_keys)
{
    struct op_system_genesis genesis;
    struct nodecert_expected expected = {.role = NODECERT_SERVER};
    struct nodecert certificate;
    struct keyfile key;
    enum nodecert_fault fault;
    struct entry entry;

    make();
    ck_assert_int_eq(
        genesis_read(&genesis, &entry, file(FILE_NODE_DIR, FILE_GENESIS)),
        ST_OK);
    memcpy(expected.authority_key, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, founding.cluster_id, CLUSTER_ID_SIZE);
    expected.now_s = plan.now_s;
    ck_assert_int_eq(nodecert_verify(&certificate, &fault,
                                     file(FILE_NODE_DIR, FILE_NODE_CERT).data,
                                     &expected, genesis.node_channel_key.b),
                     ST_OK);
    ck_assert_mem_eq(certificate.receipt_key, genesis.node_receipt_key.b,
                     PUBLIC_KEY_SIZE);
    ck_assert_int_eq(keyfile_decode(&key,
                                    file(FILE_NODE_DIR, FILE_COSIGNER_KEY),
                                    KEYFILE_COSIGNER),
                     ST_OK);
    ck_assert_mem_eq(genesis.cosigner_key.b, key.public_key, PUBLIC_KEY_SIZE);
    ck_assert_mem_eq(genesis.node_id.b, plan.node_id, NODE_ID_SIZE);
    founding_wipe(&founding);
}
END_TEST

START_TEST(a_name_that_genesis_refuses_makes_nothing)
{
    make();
    plan.origin.size = 0;
    ck_assert_int_eq(founding_make(&founding, &plan), ST_BAD_FIELD);
    ck_assert_int_ne(sodium_is_zero(founding.bytes, sizeof founding.bytes), 0);
    plan.origin = slice_of("test log", 8); /* No note can name it. */
    ck_assert_int_eq(founding_make(&founding, &plan), ST_BAD_FIELD);
    plan.origin = slice_of("test+log", 8);
    ck_assert_int_eq(founding_make(&founding, &plan), ST_BAD_FIELD);
    plan.origin = slice_of("test.log", 8);
    plan.address.size = 0;
    ck_assert_int_eq(founding_make(&founding, &plan), ST_BAD_FIELD);
}
END_TEST

START_TEST(the_cluster_is_known_before_it_is_made)
{
    uint8_t cluster_id[CLUSTER_ID_SIZE];

    make();
    founding_cluster_id(cluster_id, &plan);
    ck_assert_mem_eq(cluster_id, founding.cluster_id, CLUSTER_ID_SIZE);
    founding_wipe(&founding);
}
END_TEST

SUITE_MAIN("founding", the_keys_are_of_their_kinds_and_secret,
           genesis_and_certificate_name_the_keys,
           a_name_that_genesis_refuses_makes_nothing,
           the_cluster_is_known_before_it_is_made)
