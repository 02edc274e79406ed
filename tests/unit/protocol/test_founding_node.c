#include "protocol/founding_node.h"

#include <string.h>

#include <sodium.h>

#include "protocol/files.h"
#include "protocol/nodecert.h"
#include "protocol/sign_state.h"
#include "tests/lib/suite.h"

static struct founding founding;
static struct founding_plan first;
static struct founding_node made;
static struct founding_node_plan plan;
static struct identity authority;

static struct slice text(const char *words)
{
    return slice_of(words, strlen(words));
}

static struct slice found_file(const struct founding_file *files, size_t count,
                               const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].name, name) == 0)
            return files[i].bytes;
    }
    return slice_of(NULL, 0);
}

static struct slice file(const char *name)
{
    return found_file(made.files, made.files_count, name);
}

static struct slice first_file(const char *name)
{
    return found_file(founding.files, founding.files_count, name);
}

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    memset(&first, 0, sizeof first);
    first.origin = text("test.log");
    first.owner = text("Owner");
    first.address = text("127.0.0.1:7");
    first.peer_address = text("127.0.0.1:8");
    first.minimum = 2;
    first.environment = 2;
    first.realms = 3;
    first.now_s = 1786957200;
    for (int i = 0; i < FOUNDING_KEYS_COUNT; i++)
        first.secrets[i][0] = (uint8_t)(i + 1);
    first.genesis.idem[0] = 1;
    memset(first.node_id, 0xaa, NODE_ID_SIZE);
    ck_assert_int_eq(founding_make(&founding, &first), ST_OK);
    identity_init(&authority, first.secrets[FOUNDING_AUTHORITY]);
    memset(&plan, 0, sizeof plan);
    memset(plan.self.node_id, 0xbb, NODE_ID_SIZE);
    plan.self.address = text("127.0.0.1:9");
    plan.self.peer_address = text("127.0.0.1:10");
    memset(plan.peers[0].node_id, 0xaa, NODE_ID_SIZE);
    plan.peers[0].peer_address = first.peer_address;
    plan.peers_count = 1;
    plan.minimum = 2;
    plan.now_s = first.now_s;
    plan.authority = &authority;
    plan.genesis = first_file(FILE_GENESIS);
    plan.log_key = first_file(FILE_LOG_KEY);
    plan.channel[0] = 21;
    plan.receipt[0] = 22;
    plan.keyring[0] = 23;
    plan.cosigner[0] = 24;
}

static bool says(struct slice bytes, const char *words)
{
    char copy[2048];

    ck_assert_uint_lt(bytes.size, sizeof copy);
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return strstr(copy, words) != NULL;
}

static struct nodecert verified(struct slice bytes, uint16_t role)
{
    struct nodecert_expected expected = {.role = role, .now_s = plan.now_s};
    struct nodecert certificate;
    enum nodecert_fault fault;

    ck_assert_uint_eq(bytes.size, NODECERT_SIZE);
    memcpy(expected.authority_key, authority.public_key, PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, founding.cluster_id, CLUSTER_ID_SIZE);
    ck_assert_int_eq(
        nodecert_verify(&certificate, &fault, bytes.data, &expected, NULL),
        ST_OK);
    return certificate;
}

START_TEST(first_node_of_several_has_a_link_certificate_and_a_section)
{
    struct nodecert server, link;
    struct sign_state state;

    begin();
    server = verified(first_file(FILE_NODE_CERT), NODECERT_SERVER);
    link = verified(first_file(FILE_LINK_CERT), NODECERT_BACKUP);
    ck_assert_mem_eq(server.node_id, link.node_id, NODE_ID_SIZE);
    ck_assert_mem_eq(server.channel_key, link.channel_key, PUBLIC_KEY_SIZE);
    ck_assert_mem_eq(server.receipt_key, link.receipt_key, PUBLIC_KEY_SIZE);
    ck_assert(says(first_file(FILE_NODE_CONF),
                   "\n[cluster]\nlisten = 127.0.0.1:8\nmode = manual\n"
                   "minimum = 2\n"));
    ck_assert(says(first_file(FILE_NODES_CONF),
                   "node = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa backup "
                   "127.0.0.1:7 127.0.0.1:8\n"));
    ck_assert_int_eq(sign_state_decode(&state, first_file(FILE_OPERATOR_STATE),
                                       SIGN_OPERATOR, founding.cluster_id),
                     ST_OK);
    ck_assert_uint_eq(state.number, 0);
}
END_TEST

START_TEST(single_node_stays_without)
{
    begin();
    first.peer_address.size = 0;
    ck_assert_int_eq(founding_make(&founding, &first), ST_OK);
    ck_assert_uint_eq(founding.files_count, FOUNDING_FILES_COUNT);
    ck_assert_uint_eq(first_file(FILE_LINK_CERT).size, 0);
    ck_assert(!says(first_file(FILE_NODE_CONF), "[cluster]"));
}
END_TEST

START_TEST(further_backup_has_keys_certificates_genesis_and_its_peers)
{
    struct nodecert server, link;
    struct keyfile key;

    begin();
    ck_assert_int_eq(founding_node_make(&made, &plan), ST_OK);
    ck_assert_uint_eq(made.files_count, 9);
    server = verified(file(FILE_NODE_CERT), NODECERT_SERVER);
    link = verified(file(FILE_LINK_CERT), NODECERT_BACKUP);
    ck_assert_mem_eq(server.node_id, plan.self.node_id, NODE_ID_SIZE);
    ck_assert_mem_eq(link.node_id, plan.self.node_id, NODE_ID_SIZE);
    ck_assert_mem_eq(link.channel_key, made.channel_key, PUBLIC_KEY_SIZE);
    ck_assert_mem_eq(link.receipt_key, made.receipt_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(
        keyfile_decode(&key, file(FILE_CHANNEL_KEY), KEYFILE_CHANNEL), ST_OK);
    ck_assert_mem_eq(key.public_key, made.channel_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(
        keyfile_decode(&key, file(FILE_RECEIPT_KEY), KEYFILE_RECEIPT), ST_OK);
    ck_assert_mem_eq(key.public_key, made.receipt_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(
        keyfile_decode(&key, file(FILE_KEYRING_KEY), KEYFILE_KEYRING), ST_OK);
    ck_assert_int_eq(
        keyfile_decode(&key, file(FILE_COSIGNER_KEY), KEYFILE_COSIGNER), ST_OK);
    ck_assert_mem_eq(key.public_key, made.cosigner_key, PUBLIC_KEY_SIZE);
    ck_assert(slice_equal(file(FILE_GENESIS), plan.genesis));
    ck_assert(slice_equal(file(FILE_LOG_KEY), plan.log_key));
    ck_assert(says(file(FILE_NODE_CONF),
                   "[net]\nlisten = 127.0.0.1:9\nloops = 2\n\n[cluster]\n"
                   "listen = 127.0.0.1:10\nmode = manual\nminimum = 2\n"
                   "peer = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa backup "
                   "127.0.0.1:8\n"));
    for (size_t i = 0; i < made.files_count; i++) {
        const char *name = made.files[i].name;
        ck_assert_int_eq(made.files[i].is_secret, strstr(name, ".key") != NULL);
    }
    founding_node_wipe(&made);
    ck_assert(sodium_is_zero(made.bytes, sizeof made.bytes));
}
END_TEST

START_TEST(archive_signs_no_checkpoints_and_links_as_archive)
{
    begin();
    plan.self.archive = true;
    plan.log_key.size = 0;
    ck_assert_int_eq(founding_node_make(&made, &plan), ST_OK);
    (void)verified(file(FILE_LINK_CERT), NODECERT_ARCHIVE);
    (void)verified(file(FILE_NODE_CERT), NODECERT_SERVER);
    ck_assert_uint_eq(file(FILE_LOG_KEY).size, 0);
}
END_TEST

START_TEST(node_of_another_authority_or_without_an_address_is_not_made)
{
    uint8_t seed[SEED_SIZE] = {99};

    begin();
    plan.self.peer_address.size = 0;
    ck_assert_int_eq(founding_node_make(&made, &plan), ST_BAD_FIELD);
    begin();
    plan.self.address.size = ADDRESS_SIZE_MAX + 1;
    ck_assert_int_eq(founding_node_make(&made, &plan), ST_BAD_FIELD);
    begin();
    identity_init(&authority, seed);
    ck_assert_int_eq(founding_node_make(&made, &plan), ST_WRONG_ENV);
    begin();
    plan.genesis.size--;
    ck_assert_int_ne(founding_node_make(&made, &plan), ST_OK);
    ck_assert_uint_eq(made.files_count, 0);
}
END_TEST

SUITE_MAIN("founding_node",
           first_node_of_several_has_a_link_certificate_and_a_section,
           single_node_stays_without,
           further_backup_has_keys_certificates_genesis_and_its_peers,
           archive_signs_no_checkpoints_and_links_as_archive,
           node_of_another_authority_or_without_an_address_is_not_made)
