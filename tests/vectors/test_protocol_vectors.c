/*
 * Everything in protocol.json.  The entries of its log are bytes only: index 0
 * of a real log is its genesis, so the numbers of their operations mean
 * nothing.
 */
#include <sodium.h>

#include "protocol/channel.h"
#include "protocol/command.h"
#include "protocol/entry.h"
#include "protocol/login.h"
#include "protocol/password.h"
#include "protocol/receipt.h"
#include "protocol/record.h"
#include "protocol/seal.h"
#include "protocol/tree.h"
#include "tests/lib/sample.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"
#include "tests/lib/vector_file.h"

static cJSON *vectors;
static uint8_t cluster_id[CLUSTER_ID_SIZE];
static struct identity authority;
static struct identity user;
static struct identity node;

static void begin_identity(struct identity *identity, const char *seed_path)
{
    uint8_t seed[SEED_SIZE];

    vector_exact(seed, sizeof seed, vectors, seed_path);
    identity_init(identity, seed);
}

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    vectors = vector_file_read("tests/vectors/protocol.json");
    begin_identity(&authority, "ed25519/authority_seed");
    begin_identity(&user, "ed25519/user_seed");
    begin_identity(&node, "ed25519/receipt_seed");
    identity_cluster_id(cluster_id, authority.public_key);
}

START_TEST(keys_and_cluster_number_are_the_published_ones)
{
    begin();
    vector_expect(vectors, "ed25519/authority_pk", authority.public_key, 32);
    vector_expect(vectors, "ed25519/user_pk", user.public_key, 32);
    vector_expect(vectors, "ed25519/user_key_id", user.key_id, KEY_ID_SIZE);
    vector_expect(vectors, "ed25519/receipt_pk", node.public_key, 32);
    vector_expect(vectors, "ed25519/cluster_id", cluster_id, CLUSTER_ID_SIZE);
    ck_assert(identity_public_key_acceptable(authority.public_key));
    ck_assert(identity_public_key_acceptable(user.public_key));
    ck_assert(identity_public_key_acceptable(node.public_key));
}
END_TEST

static void expect_certificate(struct nodecert_expected *expected)
{
    memcpy(expected->authority_key, authority.public_key, PUBLIC_KEY_SIZE);
    memcpy(expected->cluster_id, cluster_id, CLUSTER_ID_SIZE);
    expected->role = NODECERT_SERVER;
}

START_TEST(node_certificate_is_the_published_one)
{
    uint8_t bytes[NODECERT_SIZE];
    uint8_t again[NODECERT_SIZE];
    struct nodecert_expected expected;
    struct nodecert cert;
    enum nodecert_fault fault;

    begin();
    vector_exact(bytes, sizeof bytes, vectors, "nodecert");
    nodecert_decode(&cert, bytes);
    expect_certificate(&expected);
    expected.now_s = cert.not_before_s;
    ck_assert_int_eq(
        nodecert_verify(&cert, &fault, bytes, &expected, cert.channel_key),
        ST_OK);
    ck_assert_mem_eq(cert.receipt_key, node.public_key, PUBLIC_KEY_SIZE);
    nodecert_sign(again, &cert, &authority);
    ck_assert_mem_eq(again, bytes, NODECERT_SIZE);
}
END_TEST

/* One message behind its length, as it stands in ${writer}. */
static void expect_message(const struct writer *writer, size_t at,
                           const char *path, int number)
{
    size_t size = load_u16(writer->data + at);

    ck_assert_uint_eq(writer->used, at + 2 + size);
    vector_expect(vectors, path, writer->data + at + 2, size);
    ck_assert_int_eq(
        cJSON_GetArrayItem(vector_find(vectors, "handshake/lens"), number)
            ->valueint,
        (int)size);
}

static void handshake(struct channel *client, struct channel *server)
{
    uint8_t to_server[512];
    uint8_t to_client[512];
    uint8_t secret[KEY_SIZE];
    uint8_t ephemeral[KEY_SIZE];
    uint8_t certificate[NODECERT_SIZE];
    struct nodecert_expected expected;
    struct nodecert cert;
    struct hello hello = {0};
    struct writer client_out;
    struct writer server_out;
    size_t used;

    vector_exact(certificate, sizeof certificate, vectors, "nodecert");
    nodecert_decode(&cert, certificate);
    expect_certificate(&expected);
    expected.now_s = cert.not_before_s;
    writer_init(&client_out, to_server, sizeof to_server);
    writer_init(&server_out, to_client, sizeof to_client);
    vector_exact(secret, KEY_SIZE, vectors, "handshake/resp_static");
    vector_exact(ephemeral, KEY_SIZE, vectors, "handshake/resp_ephemeral");
    channel_serve(server, secret, ephemeral, certificate);
    vector_exact(secret, KEY_SIZE, vectors, "handshake/init_static");
    vector_exact(ephemeral, KEY_SIZE, vectors, "handshake/init_ephemeral");
    channel_connect(client, &client_out, secret, ephemeral, &expected, &hello);
    vector_expect(vectors, "handshake/preface", to_server, PREFACE_SIZE);
    expect_message(&client_out, PREFACE_SIZE, "handshake/msg1", 0);
    ck_assert_int_eq(
        channel_step(server, &used, &server_out, writer_slice(&client_out)),
        ST_AGAIN);
    expect_message(&server_out, 0, "handshake/msg2", 1);
    client_out.used = 0;
    ck_assert_int_eq(
        channel_step(client, &used, &client_out, writer_slice(&server_out)),
        ST_OK);
    expect_message(&client_out, 0, "handshake/msg3", 2);
    server_out.used = 0;
    ck_assert_int_eq(
        channel_step(server, &used, &server_out, writer_slice(&client_out)),
        ST_OK);
}

START_TEST(handshake_rekey_and_record_are_the_published_ones)
{
    struct channel client;
    struct channel server;
    struct noise_cipher cipher;
    uint8_t frame[64];
    uint8_t record[96];
    uint8_t plain[64];
    struct slice ping;
    size_t size;

    begin();
    handshake(&client, &server);
    vector_expect(vectors, "handshake/h", server.binding, HASH_SIZE);
    vector_expect(vectors, "handshake/h", client.binding, HASH_SIZE);
    vector_expect(vectors, "handshake/k_c2s", server.receiver.key, KEY_SIZE);
    vector_expect(vectors, "handshake/k_s2c", server.sender.key, KEY_SIZE);
    cipher = client.sender;
    vector_expect(vectors, "rekey/k", cipher.key, KEY_SIZE);
    noise_rekey(&cipher);
    vector_expect(vectors, "rekey/rekey(k)", cipher.key, KEY_SIZE);
    noise_rekey(&cipher);
    vector_expect(vectors, "rekey/rekey(rekey(k))", cipher.key, KEY_SIZE);
    ping = vector_bytes(frame, sizeof frame, vectors, "record0_ping/frame");
    ck_assert_int_eq(record_seal(&client.sender, record, ping), ST_OK);
    vector_expect(vectors, "record0_ping/record", record,
                  ping.size + RECORD_OVERHEAD);
    ck_assert_int_eq(record_open(&server.receiver, plain, &size,
                                 slice_of(record, ping.size + RECORD_OVERHEAD)),
                     ST_OK);
    ck_assert(slice_equal(slice_of(plain, size), ping));
}
END_TEST

START_TEST(items_and_their_roots_are_the_published_ones)
{
    uint8_t leaves[3][HASH_SIZE];
    uint8_t hash[HASH_SIZE];

    begin();
    for (unsigned i = 0; i < 3; i++) {
        char path[32];
        uint8_t wire[128];
        struct slice item;

        snprintf(path, sizeof path, "items/wire/%u", i);
        item = vector_bytes(wire, sizeof wire, vectors, path);
        item_commitment(hash, slice_of(wire + ITEM_CLEAR_SIZE,
                                       item.size - ITEM_CLEAR_SIZE));
        snprintf(path, sizeof path, "items/commitments/%u", i);
        vector_expect(vectors, path, hash, HASH_SIZE);
        item_leaf_hash(leaves[i], wire, hash);
    }
    tree_root_of(hash, leaves, 1);
    vector_expect(vectors, "items/root1", hash, HASH_SIZE);
    tree_root_of(hash, leaves, 3);
    vector_expect(vectors, "items/root3", hash, HASH_SIZE);
}
END_TEST

static void expect_command(const char *name)
{
    static uint8_t frame[VECTOR_SIZE_MAX];
    static struct command_item items[ITEMS_MAX];
    const cJSON *vector = vector_find(vectors, name);
    struct slice whole =
        vector_bytes(frame, sizeof frame, vector, "wire_frame");
    struct command_policy policy = sample_policy();
    struct command command;

    policy.env_tag = cluster_id[0];
    ck_assert_uint_eq(load_u32(frame), whole.size);
    ck_assert_int_eq(command_decode(&command, items,
                                    slice_of(frame + FRAME_HEADER_SIZE,
                                             whole.size - FRAME_HEADER_SIZE),
                                    &policy),
                     ST_OK);
    command_digest(&command, cluster_id);
    vector_expect(vector, "header", command.header_bytes, COMMAND_HEADER_SIZE);
    vector_expect(vector, "body_root", command.signed_bytes + 96, HASH_SIZE);
    vector_expect(vector, "signed_bytes", command.signed_bytes,
                  COMMAND_SIGNED_SIZE);
    vector_expect(vector, "signature", command.signature, SIGNATURE_SIZE);
    vector_expect(vector, "command_hash", command.hash, HASH_SIZE);
    ck_assert_int_eq(command_verify(&command, user.public_key), ST_OK);
}

START_TEST(commands_are_the_published_bytes)
{
    begin();
    expect_command("command_single");
    expect_command("command_batch3");
}
END_TEST

START_TEST(login_signature_is_the_published_one)
{
    struct login_claim claim = {LOGIN_BY_KEY, 2, 0, {0}};
    uint8_t binding[HASH_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t message[88];

    begin();
    memcpy(claim.name, user.key_id, KEY_ID_SIZE);
    vector_exact(binding, sizeof binding, vectors, "handshake/h");
    login_sign(signature, &claim, cluster_id, binding, &user);
    vector_expect(vectors, "auth_key/signature", signature, SIGNATURE_SIZE);
    vector_exact(message, sizeof message, vectors, "auth_key/signed_bytes");
    ck_assert_int_eq(crypto_sign_verify_detached(
                         signature, message, sizeof message, user.public_key),
                     0);
}
END_TEST

/* Opens every item of an entry with the vectors' keys. */
static void expect_items_open(const struct entry *entry)
{
    struct slice rest = entry->items;
    struct item item;

    while (entry_next_item(&item, &rest)) {
        uint8_t key[KEY_SIZE] = {0};
        uint8_t buffer[256];
        struct slice secret;
        char path[64];

        if (item.seal_key != 0) {
            snprintf(path, sizeof path, "log/seal_keys/%llu",
                     (unsigned long long)item.seal_key);
            vector_exact(key, sizeof key, vectors, path);
        }
        ck_assert_int_eq(seal_open(&secret, &item, key, buffer, sizeof buffer),
                         ST_OK);
        key[0] ^= 1;
        if (item.seal_key != 0)
            ck_assert_int_eq(
                seal_open(&secret, &item, key, buffer, sizeof buffer), ST_SEAL);
    }
}

START_TEST(log_entries_are_the_published_bytes)
{
    static uint8_t bytes[VECTOR_SIZE_MAX];
    uint8_t leaf[HASH_SIZE] = {0};
    struct tree tree;
    int count;

    begin();
    tree_init(&tree);
    count = cJSON_GetArraySize(vector_find(vectors, "log/entries"));
    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; i++) {
        char path[32];
        struct entry entry;
        uint8_t hash[HASH_SIZE];

        snprintf(path, sizeof path, "log/entries/%d", i);
        ck_assert_int_eq(entry_decode(&entry, vector_bytes(bytes, sizeof bytes,
                                                           vectors, path)),
                         ST_OK);
        ck_assert_uint_eq(entry.place.index, (uint64_t)i);
        ck_assert_mem_eq(entry.place.previous, leaf, HASH_SIZE);
        ck_assert_int_eq(
            entry_verify(&entry, hash, cluster_id, user.public_key), ST_OK);
        expect_items_open(&entry);
        entry_leaf_hash(leaf, entry.bytes);
        snprintf(path, sizeof path, "log/leaf_hashes/%d", i);
        vector_expect(vectors, path, leaf, HASH_SIZE);
        tree_append(&tree, leaf);
    }
    tree_root(&tree, leaf);
    vector_expect(vectors, "log/root", leaf, HASH_SIZE);
}
END_TEST

START_TEST(receipt_is_the_published_one)
{
    uint8_t bytes[RECEIPT_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    struct receipt receipt;
    uint8_t empty[HASH_SIZE];

    begin();
    vector_exact(bytes, sizeof bytes, vectors, "receipt/fields");
    vector_exact(signature, sizeof signature, vectors, "receipt/signature");
    ck_assert_int_eq(
        receipt_verify(&receipt, bytes, signature, cluster_id, node.public_key),
        ST_OK);
    vector_expect(vectors, "log/leaf_hashes/0", receipt.entry_hash, HASH_SIZE);
    vector_expect(vectors, "command_single/command_hash", receipt.command_hash,
                  HASH_SIZE);
    crypto_hash_sha256(empty, NULL, 0);
    ck_assert_mem_eq(receipt.result_hash, empty, HASH_SIZE);
    receipt_sign(&receipt, bytes, signature, cluster_id, &node);
    vector_expect(vectors, "receipt/fields", bytes, sizeof bytes);
    vector_expect(vectors, "receipt/signature", signature, sizeof signature);
}
END_TEST

START_TEST(password_derives_the_published_keys)
{
    uint8_t salt_key[KEY_SIZE];
    uint8_t salt[SALT_SIZE];
    uint8_t password[64];
    uint8_t derived[PASSWORD_DERIVED_SIZE];
    struct slice text;
    const char *username;
    struct identity login;

    begin();
    vector_exact(salt_key, sizeof salt_key, vectors, "password/salt_key");
    username = vector_text(vectors, "password/username");
    password_salt(salt, salt_key, slice_of(username, strlen(username)));
    vector_expect(vectors, "password/salt", salt, sizeof salt);
    text = vector_bytes(password, sizeof password, vectors,
                        "password/password_utf8_nfc");
    ck_assert_int_eq(
        crypto_pwhash_argon2id(derived, sizeof derived, (const char *)text.data,
                               text.size, salt, KDF_PASSES_DEFAULT,
                               (size_t)KDF_MEMORY_KIB_DEFAULT * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13),
        0);
    vector_expect(vectors, "password/out", derived, sizeof derived);
    vector_expect(vectors, "password/auth_seed", derived, SEED_SIZE);
    vector_expect(vectors, "password/wrap_key", derived + SEED_SIZE, KEY_SIZE);
    identity_init(&login, derived);
    vector_expect(vectors, "password/auth_pk", login.public_key, 32);
}
END_TEST

START_TEST(negative_vectors_are_refused)
{
    const cJSON *all;
    const cJSON *vector;

    begin();
    all = vector_find(vectors, "negative");
    ck_assert_int_gt(cJSON_GetArraySize(all), 0);
    cJSON_ArrayForEach(vector, all)
    {
        uint8_t public_key[PUBLIC_KEY_SIZE];
        uint8_t message[COMMAND_SIGNED_SIZE];
        uint8_t signature[SIGNATURE_SIZE];
        bool accept = cJSON_IsTrue(vector_find(vector, "accept"));

        vector_exact(public_key, sizeof public_key, vector, "pk");
        vector_exact(message, sizeof message, vector, "message");
        vector_exact(signature, sizeof signature, vector, "signature");
        ck_assert_msg(command_check_signature(message, signature, public_key) ==
                          (accept ? ST_OK : ST_BAD_SIG),
                      "%s", vector_text(vector, "name"));
    }
}
END_TEST

SUITE_MAIN("protocol vectors", keys_and_cluster_number_are_the_published_ones,
           node_certificate_is_the_published_one,
           handshake_rekey_and_record_are_the_published_ones,
           items_and_their_roots_are_the_published_ones,
           commands_are_the_published_bytes,
           login_signature_is_the_published_one,
           log_entries_are_the_published_bytes, receipt_is_the_published_one,
           password_derives_the_published_keys, negative_vectors_are_refused)
