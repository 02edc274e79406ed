/*
 * make_vectors defter|noise: prints the vectors this project adds to
 * protocol.json, as they stand in tests/vectors/defter.json and noise.json.
 * The keys are those of protocol.json: seeds that repeat one byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sodium.h>

#include "protocol/answer.h"
#include "protocol/command.h"
#include "protocol/entry.h"
#include "protocol/error.h"
#include "protocol/frame.h"
#include "protocol/login.h"
#include "protocol/password.h"
#include "protocol/receipt.h"
#include "protocol/record.h"
#include "protocol/seal.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/sample_channel.h"
#include "tests/lib/sample_entry.h"

enum { SAMPLE_REQUEST = 7, MAKE_BODY_MAX = 4096 };

static struct sample_channels both;
static struct identity user;
static struct identity node;
static uint8_t cluster_id[CLUSTER_ID_SIZE];

static void put(cJSON *object, const char *name, const void *data, size_t size)
{
    char *text = malloc(2 * size + 1);

    ck_assert_ptr_nonnull(text);
    sodium_bin2hex(text, 2 * size + 1, data, size);
    if (name == NULL)
        cJSON_AddItemToArray(object, cJSON_CreateString(text));
    else
        cJSON_AddStringToObject(object, name, text);
    free(text);
}

static void put_writer(cJSON *object, const char *name, struct writer *writer)
{
    ck_assert_int_eq(writer->status, ST_OK);
    put(object, name, writer->data, writer->used);
    writer->used = 0;
}

/* The handshake of protocol.json, with TLVs in message 3. */
static void make_handshake(cJSON *root)
{
    cJSON *object = cJSON_AddObjectToObject(root, "handshake");
    uint8_t tlvs[HANDSHAKE_PAYLOAD_SIZE_MAX];
    struct writer writer;

    both.hello = (struct hello){.has_agent = true,
                                .agent = slice_of("defter 0.1", 10),
                                .has_features = true};
    sample_channels_begin(&both);
    put(object, "client_first", both.to_server, both.client_out.used);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_AGAIN);
    put(object, "server", both.to_client, both.server_out.used);
    ck_assert_int_eq(
        sample_pass(&both.client, &both.client_out, &both.server_out), ST_OK);
    writer_init(&writer, tlvs, sizeof tlvs);
    hello_encode(&both.hello, &writer);
    put_writer(object, "msg3_payload", &writer);
    put(object, "client_second", both.to_server, both.client_out.used);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out), ST_OK);
    put(object, "h", both.server.binding, HASH_SIZE);
    put(object, "k_c2s", both.server.receiver.key, KEY_SIZE);
    put(object, "k_s2c", both.server.sender.key, KEY_SIZE);
}

/* Records 65 535 to 65 537 of one PING, client to server. */
static void make_records(cJSON *root)
{
    cJSON *object = cJSON_AddObjectToObject(root, "records");
    struct noise_cipher cipher = both.client.sender;
    uint8_t frame[32];
    uint8_t record[32 + RECORD_OVERHEAD];
    struct writer writer;
    struct message_ping ping = {.time = SAMPLE_SIGNED_AT};

    writer_init(&writer, frame, sizeof frame);
    frame_write(&writer, MESSAGE_PING, 1, &ping);
    put(object, "k", cipher.key, KEY_SIZE);
    put(object, "frame", frame, writer.used);
    cipher.n = RECORD_REKEY_INTERVAL - 1;
    for (unsigned n = 65535; n <= 65537; n++) {
        char name[16];

        ck_assert_int_eq(record_seal(&cipher, record, writer_slice(&writer)),
                         ST_OK);
        snprintf(name, sizeof name, "%u", n);
        put(object, name, record, writer.used + RECORD_OVERHEAD);
    }
    put(object, "k_from_65536", cipher.key, KEY_SIZE);
}

/* A command of ${count} items, and the path of its last. */
static void make_body(cJSON *list, unsigned count)
{
    static uint8_t buffer[MAKE_BODY_MAX];
    struct command_item items[16];
    uint8_t leaves[16][HASH_SIZE];
    uint8_t path[ITEM_PATH_MAX][HASH_SIZE];
    struct command_policy policy = sample_policy();
    struct command command;
    struct slice body =
        sample_command(buffer, sizeof buffer, count, (uint8_t)(0x60 + count));
    cJSON *object = cJSON_CreateObject();
    cJSON *array;
    size_t hashes;

    cJSON_AddItemToArray(list, object);
    ck_assert_int_eq(command_decode(&command, items, body, &policy), ST_OK);
    command_digest(&command, cluster_id);
    cJSON_AddNumberToObject(object, "items", count);
    put(object, "frame_body", body.data, body.size);
    array = cJSON_AddArrayToObject(object, "leaves");
    for (unsigned i = 0; i < count; i++) {
        item_leaf_hash(leaves[i], items[i].clear, items[i].commitment);
        put(array, NULL, leaves[i], HASH_SIZE);
    }
    put(object, "body_root", command.signed_bytes + 96, HASH_SIZE);
    put(object, "signed_bytes", command.signed_bytes, COMMAND_SIGNED_SIZE);
    put(object, "command_hash", command.hash, HASH_SIZE);
    cJSON_AddNumberToObject(object, "path_of", count / 2);
    command_path_make(path, &hashes, leaves, count, count / 2);
    array = cJSON_AddArrayToObject(object, "path");
    for (size_t i = 0; i < hashes; i++)
        put(array, NULL, path[i], HASH_SIZE);
}

static void make_bodies(cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "bodies");

    make_body(list, 2);
    for (unsigned count = 4; count <= 9; count++)
        make_body(list, count);
}

/* One certificate to refuse, named by the fault it has. */
static void make_certificate(cJSON *list, const struct nodecert *cert,
                             uint8_t seed, enum nodecert_fault fault)
{
    struct nodecert_expected expected;
    struct nodecert read;
    enum nodecert_fault found;
    struct identity authority;
    uint8_t bytes[NODECERT_SIZE];
    cJSON *object = cJSON_CreateObject();

    sample_identity(&authority, seed);
    sample_expected(&expected);
    nodecert_sign(bytes, cert, &authority);
    if (fault == NODECERT_BAD_VERSION)
        bytes[0] = 2;
    ck_assert_int_eq(nodecert_verify(&read, &found, bytes, &expected,
                                     both.server.certificate_bytes + 56),
                     ST_CERTIFICATE);
    ck_assert_int_eq(found, fault);
    cJSON_AddItemToArray(list, object);
    cJSON_AddStringToObject(object, "name", nodecert_fault_text(fault));
    put(object, "bytes", bytes, NODECERT_SIZE);
}

static void make_certificates(cJSON *root)
{
    cJSON *object = cJSON_AddObjectToObject(root, "certificates_to_refuse");
    cJSON *list;
    struct nodecert good;
    struct nodecert bad;
    struct nodecert_expected expected;

    sample_expected(&expected);
    nodecert_decode(&good, both.server.certificate_bytes);
    cJSON_AddNumberToObject(object, "now_s", SAMPLE_NOW_S);
    put(object, "static_key_of_the_server", good.channel_key, KEY_SIZE);
    list = cJSON_AddArrayToObject(object, "list");
    make_certificate(list, &good, 1, NODECERT_BAD_VERSION);
    make_certificate(list, &good, 9, NODECERT_BAD_SIGNATURE);
    bad = good;
    bad.cluster_id[0] ^= 1;
    make_certificate(list, &bad, 1, NODECERT_OTHER_CLUSTER);
    bad = good;
    bad.not_before_s = SAMPLE_NOW_S + NODECERT_CLOCK_SLACK_S + 1;
    make_certificate(list, &bad, 1, NODECERT_NOT_YET_VALID);
    bad = good;
    bad.not_after_s = SAMPLE_NOW_S - NODECERT_CLOCK_SLACK_S - 1;
    make_certificate(list, &bad, 1, NODECERT_EXPIRED);
    bad = good;
    bad.role = NODECERT_BACKUP;
    make_certificate(list, &bad, 1, NODECERT_OTHER_ROLE);
    bad = good;
    bad.channel_key[0] ^= 1;
    make_certificate(list, &bad, 1, NODECERT_OTHER_CHANNEL_KEY);
    bad = good;
    bad.not_after_s = bad.not_before_s + 400LL * 86400 + 1;
    make_certificate(list, &bad, 1, NODECERT_LIFETIME);
    bad = good;
    memset(bad.receipt_key, 0, PUBLIC_KEY_SIZE);
    bad.receipt_key[0] = 1;
    make_certificate(list, &bad, 1, NODECERT_BAD_RECEIPT_KEY);
}

static void make_points(cJSON *root)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    cJSON *list = cJSON_AddArrayToObject(root, "x25519_small_order");

    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint8_t point[KEY_SIZE];
        uint8_t secret[KEY_SIZE];
        uint8_t product[KEY_SIZE];

        hex_decode(point, sizeof point, points[i]);
        memset(secret, 0x10, sizeof secret);
        ck_assert_int_ne(crypto_scalarmult(product, secret, point), 0);
        put(list, NULL, point, KEY_SIZE);
    }
}

/* The frames of both logins; passwords as in protocol.json. */
static void make_login(cJSON *root)
{
    cJSON *object = cJSON_AddObjectToObject(root, "login");
    uint8_t bytes[512];
    uint8_t seed[SEED_SIZE];
    uint8_t wrapped[WRAPPED_KEY_SIZE];
    uint8_t wrap_key[KEY_SIZE];
    uint8_t nonce[PASSWORD_NONCE_SIZE];
    struct slice username = slice_of("aliyev.ilham", 12);
    struct login_claim claim = {LOGIN_BY_KEY, 2, 0, {0}};
    struct message_auth_key auth_key = {.role = 2};
    struct message_pw_start start = {.username = username, .role = 2};
    struct message_pw_params params = {.kdf_id = 1,
                                       .lanes = 1,
                                       .passes = KDF_PASSES_DEFAULT,
                                       .memory_kib = KDF_MEMORY_KIB_DEFAULT};
    struct message_pw_prove prove = {.role = 2};
    struct message_auth_ok ok = {.server_time = SAMPLE_SIGNED_AT,
                                 .log_size = 2,
                                 .role = 2,
                                 .level = 1,
                                 .max_frame = FRAME_SIZE_MAX,
                                 .max_inflight = INFLIGHT_MAX_PERSON,
                                 .max_items = ITEMS_MAX_PERSON,
                                 .idle_s = IDLE_S_PERSON,
                                 .lifetime_s = LIFETIME_S_PERSON,
                                 .ttl_max_s = TTL_S_MAX,
                                 .skew_s = SKEW_S,
                                 .has_wrapped_key = true,
                                 .has_key_id = true};
    struct identity login;
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    memcpy(claim.name, user.key_id, KEY_ID_SIZE);
    memcpy(auth_key.key_id.b, user.key_id, KEY_ID_SIZE);
    login_sign(auth_key.signature.b, &claim, cluster_id, both.client.binding,
               &user);
    frame_write(&writer, MESSAGE_AUTH_KEY, 1, &auth_key);
    put_writer(object, "auth_key", &writer);
    frame_write(&writer, MESSAGE_PW_START, 1, &start);
    put_writer(object, "pw_start", &writer);
    hex_decode(params.salt.b, SALT_SIZE, "c30616065e2c94409dd94c7b569834e3");
    frame_write(&writer, MESSAGE_PW_PARAMS, 1, &params);
    put_writer(object, "pw_params", &writer);
    hex_decode(
        seed, sizeof seed,
        "c1d5e329a8f8298f5ef213d2c8a79307743e8d3584e9d61c2286dd853f3e4917");
    identity_init(&login, seed);
    claim.way = LOGIN_BY_PASSWORD;
    password_name(claim.name, username);
    put(object, "pw_name", claim.name, LOGIN_NAME_SIZE);
    login_sign(prove.signature.b, &claim, cluster_id, both.client.binding,
               &login);
    frame_write(&writer, MESSAGE_PW_PROVE, 2, &prove);
    put_writer(object, "pw_prove", &writer);
    hex_decode(
        wrap_key, sizeof wrap_key,
        "b750613e4fd55174b1cfe4a7fe0b05ad12974e7e93ea9203748badceb8e3be5e");
    memset(nonce, 0x33, sizeof nonce);
    memset(seed, 2, sizeof seed);
    password_wrap(wrapped, wrap_key, nonce, seed, cluster_id, user.key_id);
    put(object, "wrapped_key", wrapped, sizeof wrapped);
    ok.wrapped_key = slice_of(wrapped, sizeof wrapped);
    memset(ok.session_id.b, 0x44, sizeof ok.session_id.b);
    memcpy(ok.node_id.b, both.server.certificate_bytes + 40, NODE_ID_SIZE);
    memcpy(ok.key_id.b, user.key_id, KEY_ID_SIZE);
    frame_write(&writer, MESSAGE_AUTH_OK, 2, &ok);
    put_writer(object, "auth_ok", &writer);
}

/* The receipt of protocol.json over another result, inside an ANSWER. */
static void make_answers(cJSON *root)
{
    cJSON *object = cJSON_AddObjectToObject(root, "answers");
    uint8_t bytes[512];
    uint8_t entry_bytes[1024];
    uint8_t receipt_bytes[RECEIPT_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t key[KEY_SIZE];
    uint8_t salt[SALT_SIZE];
    struct entry entry;
    struct receipt receipt = {0};
    struct answer answer = {0};
    struct error_report report = error_about(ST_BAD_FIELD);
    struct writer writer;
    size_t size =
        hex_decode(entry_bytes, sizeof entry_bytes, sample_entry0_hex);

    ck_assert_int_eq(entry_decode(&entry, slice_of(entry_bytes, size)), ST_OK);
    hex_decode(key, sizeof key, sample_seal_key1_hex);
    seal_result_salt(salt, key, 0, 0);
    put(object, "result_salt_of_entry_0_item_0", salt, sizeof salt);
    receipt.epoch = entry.place.epoch;
    receipt.committed_at = entry.place.log_time;
    ck_assert_int_eq(
        entry_verify(&entry, receipt.command_hash, cluster_id, user.public_key),
        ST_OK);
    entry_leaf_hash(receipt.entry_hash, entry.bytes);
    crypto_hash_sha256(receipt.result_hash, salt, sizeof salt);
    receipt_sign(&receipt, receipt_bytes, signature, cluster_id, &node);
    answer.receipt = receipt_bytes;
    answer.signature = signature;
    answer.result = slice_of(salt, sizeof salt);
    writer_init(&writer, bytes, sizeof bytes);
    answer_write_part(&writer, SAMPLE_REQUEST, &answer, 0);
    put_writer(object, "answer", &writer);
    report.tag = 2;
    report.item_index = 0;
    error_write(&writer, SAMPLE_REQUEST, &report);
    put_writer(object, "error", &writer);
}

static void make_noise_message(cJSON *list, const void *payload, size_t size,
                               const void *ciphertext, size_t sealed_size)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToArray(list, object);
    put(object, "payload", payload, size);
    put(object, "ciphertext", ciphertext, sealed_size);
}

static void make_noise_keys(cJSON *object)
{
    static const struct {
        const char *name;
        uint8_t fill;
    } keys[] = {{"init_static", 0x20},
                {"init_ephemeral", 0x21},
                {"resp_static", 0x10},
                {"resp_ephemeral", 0x11}};

    put(object, "init_prologue", both.to_server, PREFACE_SIZE);
    put(object, "resp_prologue", both.to_server, PREFACE_SIZE);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t key[KEY_SIZE];

        memset(key, keys[i].fill, sizeof key);
        put(object, keys[i].name, key, sizeof key);
    }
}

/* The same handshake in the common vector format. */
static void make_noise(cJSON *root)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(root, "vectors");
    uint8_t sealed[64];
    uint8_t tlvs[HANDSHAKE_PAYLOAD_SIZE_MAX];
    struct writer writer;
    const struct slice no_ad = {NULL, 0};

    cJSON_AddItemToArray(list, object);
    cJSON_AddStringToObject(object, "protocol_name",
                            "Noise_XX_25519_ChaChaPoly_SHA256");
    both.hello = (struct hello){.has_agent = true,
                                .agent = slice_of("defter 0.1", 10),
                                .has_features = true};
    sample_channels_begin(&both);
    make_noise_keys(object);
    list = cJSON_CreateArray();
    make_noise_message(list, "", 0, both.to_server + 10, 32);
    sample_pass(&both.server, &both.server_out, &both.client_out);
    make_noise_message(list, both.server.certificate_bytes, NODECERT_SIZE,
                       both.to_client + 2, HANDSHAKE_MSG2_SIZE);
    sample_pass(&both.client, &both.client_out, &both.server_out);
    writer_init(&writer, tlvs, sizeof tlvs);
    hello_encode(&both.hello, &writer);
    make_noise_message(list, tlvs, writer.used, both.to_server + 2,
                       both.client_out.used - 2);
    sample_pass(&both.server, &both.server_out, &both.client_out);
    ck_assert_int_eq(noise_seal(&both.server.sender, sealed, no_ad,
                                slice_of("to the client", 13)),
                     ST_OK);
    make_noise_message(list, "to the client", 13, sealed, 13 + AEAD_TAG_SIZE);
    ck_assert_int_eq(noise_seal(&both.client.sender, sealed, no_ad,
                                slice_of("to the server", 13)),
                     ST_OK);
    make_noise_message(list, "to the server", 13, sealed, 13 + AEAD_TAG_SIZE);
    put(object, "handshake_hash", both.server.binding, HASH_SIZE);
    cJSON_AddItemToObject(object, "messages", list);
}

/* LOG-FORMAT, section 11: A alone, then A and B, and who signs the second. */
static void make_configurations(cJSON *root)
{
    cJSON *object = cJSON_AddObjectToObject(root, "configurations");
    struct sample_config first, second, forced;
    struct statement_request request = {.why = CONFIG_ADD,
                                        .time_us = SAMPLE_SIGNED_AT};
    uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX], hash[HASH_SIZE];
    uint8_t bytes[STATEMENT_SIZE], asked[STATEMENT_REQUEST_SIZE];
    struct statement statement;
    struct identity identity;
    struct slice slice;

    sample_config(&first.config);
    sample_config_encode(&first);
    sample_config_pair(&second);
    put(object, "first", first.bytes, first.slice.size);
    config_hash(hash, first.slice);
    put(object, "first_hash", hash, HASH_SIZE);
    put(object, "second", second.bytes, second.slice.size);
    config_succeed(&forced.config, &second.config, second.slice, CONFIG_FORCED);
    forced.config.epoch += CONFIG_GRANT_EPOCHS;
    config_dismiss_others(&forced.config, sample_node('A'));
    forced.config.lost_count = 5;
    config_forced_lineage(forced.config.lineage, &forced.config);
    sample_config_encode(&forced);
    put(object, "forced", forced.bytes, forced.slice.size);
    slice = sample_config_cert(certificate, CONFIG_ADD, second.slice, 7);
    put(object, "certificate", slice.data, slice.size);
    sample_identity(&identity, 4);
    put(object, "operator_key", identity.public_key, PUBLIC_KEY_SIZE);
    memcpy(request.cluster_id, first.config.cluster_id, CLUSTER_ID_SIZE);
    memcpy(request.asked, sample_node('A'), NODE_ID_SIZE);
    memcpy(request.about, sample_node('B'), NODE_ID_SIZE);
    statement_request_sign(asked, &request, &identity);
    put(object, "request", asked, sizeof asked);
    sample_identity(&identity, 6);
    put(object, "witness_key", identity.public_key, PUBLIC_KEY_SIZE);
    sample_statement(&statement, &second);
    sample_identity(&identity, 5);
    statement_sign(bytes, &statement, &identity);
    put(object, "statement", bytes, sizeof bytes);
    put(object, "node_key", identity.public_key, PUBLIC_KEY_SIZE);
}

static void make_defter(cJSON *root)
{
    cJSON_AddStringToObject(
        root, "note",
        "Made by make_vectors; the keys are those of protocol.json.");
    make_handshake(root);
    make_records(root);
    make_bodies(root);
    make_certificates(root);
    make_points(root);
    make_login(root);
    make_answers(root);
    make_configurations(root);
}

/* What the command line asked for; the test below makes it. */
static bool wants_noise;

/* In a test, so that the assertions of the samples have somewhere to go. */
START_TEST(vectors_are_made)
{
    cJSON *root = cJSON_CreateObject();
    char *text;

    sample_identity(&user, 2);
    sample_identity(&node, 3);
    sample_cluster_id(cluster_id);
    if (wants_noise)
        make_noise(root);
    else
        make_defter(root);
    text = cJSON_Print(root);
    ck_assert_ptr_nonnull(text);
    puts(text);
    free(text);
    cJSON_Delete(root);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("make_vectors");
    TCase *tcase = tcase_create("make_vectors");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, vectors_are_made);
    if (argc != 2 ||
        (strcmp(argv[1], "defter") != 0 && strcmp(argv[1], "noise") != 0)) {
        fprintf(stderr, "usage: make_vectors defter|noise\n");
        srunner_free(runner);
        return 3;
    }
    wants_noise = strcmp(argv[1], "noise") == 0;
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
