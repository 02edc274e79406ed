/*
 * Everything in defter.json, read as a stranger's implementation would.
 */
#include <sodium.h>

#include "protocol/command.h"
#include "protocol/config_cert.h"
#include "protocol/frame.h"
#include "protocol/login.h"
#include "protocol/password.h"
#include "protocol/record.h"
#include "protocol/statement.h"
#include "tests/lib/sample_channel.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"
#include "tests/lib/vector_file.h"

static cJSON *vectors;

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    vectors = vector_file_read("tests/vectors/defter.json");
}

START_TEST(published_handshake_with_tlvs_opens_the_server_side)
{
    static struct channel server;
    uint8_t secret[KEY_SIZE];
    uint8_t ephemeral[KEY_SIZE];
    uint8_t certificate[NODECERT_SIZE];
    uint8_t input[512];
    uint8_t output[512];
    struct writer out;
    size_t used;

    begin();
    memset(secret, 0x10, sizeof secret);
    memset(ephemeral, 0x11, sizeof ephemeral);
    hex_decode(certificate, sizeof certificate, sample_nodecert_hex);
    channel_serve(&server, secret, ephemeral, certificate);
    writer_init(&out, output, sizeof output);
    ck_assert_int_eq(channel_step(&server, &used, &out,
                                  vector_bytes(input, sizeof input, vectors,
                                               "handshake/client_first")),
                     ST_AGAIN);
    vector_expect(vectors, "handshake/server", output, out.used);
    ck_assert_int_eq(channel_step(&server, &used, &out,
                                  vector_bytes(input, sizeof input, vectors,
                                               "handshake/client_second")),
                     ST_OK);
    ck_assert(slice_equal(server.hello.agent, slice_of("defter 0.1", 10)));
    vector_expect(vectors, "handshake/h", server.binding, HASH_SIZE);
    vector_expect(vectors, "handshake/k_c2s", server.receiver.key, KEY_SIZE);
    vector_expect(vectors, "handshake/k_s2c", server.sender.key, KEY_SIZE);
}
END_TEST

START_TEST(published_records_around_65536_open_in_their_order)
{
    struct noise_cipher receiver = {{0}, 65535};
    uint8_t record[64];
    uint8_t plain[64];

    begin();
    vector_exact(receiver.key, KEY_SIZE, vectors, "records/k");
    for (unsigned n = 65535; n <= 65537; n++) {
        char path[24];
        size_t size;

        snprintf(path, sizeof path, "records/%u", n);
        ck_assert_int_eq(
            record_open(&receiver, plain, &size,
                        vector_bytes(record, sizeof record, vectors, path)),
            ST_OK);
        vector_expect(vectors, "records/frame", plain, size);
    }
    vector_expect(vectors, "records/k_from_65536", receiver.key, KEY_SIZE);
}
END_TEST

START_TEST(published_bodies_verify_and_their_paths_lead_to_the_root)
{
    const cJSON *vector;
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];

    begin();
    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    cJSON_ArrayForEach(vector, vector_find(vectors, "bodies"))
    {
        static uint8_t body[VECTOR_SIZE_MAX];
        struct command_item items[16];
        struct command_policy policy = sample_policy();
        struct command command;
        uint8_t path[ITEM_PATH_MAX][HASH_SIZE];
        uint8_t leaf[HASH_SIZE];
        const cJSON *hash;
        size_t item = (size_t)vector_find(vector, "path_of")->valueint;
        size_t hashes = 0;

        policy.items_max = 16;
        ck_assert_int_eq(command_decode(&command, items,
                                        vector_bytes(body, sizeof body, vector,
                                                     "frame_body"),
                                        &policy),
                         ST_OK);
        command_digest(&command, cluster_id);
        ck_assert_int_eq(command_verify(&command, user.public_key), ST_OK);
        vector_expect(vector, "command_hash", command.hash, HASH_SIZE);
        cJSON_ArrayForEach(hash, vector_find(vector, "path"))
        {
            ck_assert_uint_lt(hashes, ITEM_PATH_MAX);
            vector_exact(path[hashes++], HASH_SIZE, hash, "");
        }
        item_leaf_hash(leaf, items[item].clear, items[item].commitment);
        ck_assert_int_eq(
            command_path_check(leaf, item, command.signed_bytes, path, hashes),
            ST_OK);
    }
}
END_TEST

START_TEST(published_bad_certificates_are_refused_for_their_reason)
{
    const cJSON *vector;
    uint8_t static_key[KEY_SIZE];
    struct nodecert_expected expected;

    begin();
    sample_expected(&expected);
    expected.now_s = (int64_t)cJSON_GetNumberValue(
        vector_find(vectors, "certificates_to_refuse/now_s"));
    vector_exact(static_key, sizeof static_key, vectors,
                 "certificates_to_refuse/static_key_of_the_server");
    cJSON_ArrayForEach(vector,
                       vector_find(vectors, "certificates_to_refuse/list"))
    {
        uint8_t bytes[NODECERT_SIZE];
        struct nodecert cert;
        enum nodecert_fault fault;

        vector_exact(bytes, sizeof bytes, vector, "bytes");
        ck_assert_int_eq(
            nodecert_verify(&cert, &fault, bytes, &expected, static_key),
            ST_CERTIFICATE);
        ck_assert_str_eq(nodecert_fault_text(fault),
                         vector_text(vector, "name"));
    }
}
END_TEST

START_TEST(published_small_order_points_give_no_shared_secret)
{
    const cJSON *vector;
    int count = 0;

    begin();
    cJSON_ArrayForEach(vector, vector_find(vectors, "x25519_small_order"))
    {
        uint8_t point[KEY_SIZE];
        uint8_t secret[KEY_SIZE] = {3};
        uint8_t product[KEY_SIZE];

        vector_exact(point, sizeof point, vector, "");
        ck_assert_int_ne(crypto_scalarmult(product, secret, point), 0);
        count++;
    }
    ck_assert_int_eq(count, 7);
}
END_TEST

/* Decodes one whole frame of ${sender}; the gate is past the login. */
static union frame_body frame_of(uint8_t *bytes, const char *path,
                                 enum frame_sender sender)
{
    struct slice rest = vector_bytes(bytes, 512, vectors, path);
    struct frame_gate gate;
    struct field_error error;
    struct frame frame;
    union frame_body body;

    frame_gate_init(&gate, sender);
    gate.prove_allowed = true;
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OK);
    ck_assert_uint_eq(rest.size, 0);
    ck_assert_int_eq(frame_decode(&gate, &body, &error, &frame), ST_OK);
    return body;
}

START_TEST(published_login_frames_decode_and_their_signatures_verify)
{
    uint8_t bytes[512];
    uint8_t binding[HASH_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t seed[SEED_SIZE];
    uint8_t wrap_key[KEY_SIZE];
    struct login_claim claim = {LOGIN_BY_KEY, 2, 0, {0}};
    struct identity user;
    struct identity login;
    union frame_body body;

    begin();
    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    vector_exact(binding, sizeof binding, vectors, "handshake/h");
    body = frame_of(bytes, "login/auth_key", FRAME_CLIENT);
    memcpy(claim.name, body.auth_key.key_id.b, KEY_ID_SIZE);
    ck_assert_int_eq(login_verify(&claim, body.auth_key.signature.b, cluster_id,
                                  binding, user.public_key),
                     ST_OK);
    body = frame_of(bytes, "login/pw_start", FRAME_CLIENT);
    claim.way = LOGIN_BY_PASSWORD;
    password_name(claim.name, body.pw_start.username);
    body = frame_of(bytes, "login/pw_prove", FRAME_CLIENT);
    hex_decode(
        seed, sizeof seed,
        "c1d5e329a8f8298f5ef213d2c8a79307743e8d3584e9d61c2286dd853f3e4917");
    identity_init(&login, seed);
    ck_assert_int_eq(login_verify(&claim, body.pw_prove.signature.b, cluster_id,
                                  binding, login.public_key),
                     ST_OK);
    body = frame_of(bytes, "login/auth_ok", FRAME_SERVER);
    ck_assert_uint_eq(body.auth_ok.wrapped_key.size, WRAPPED_KEY_SIZE);
    hex_decode(
        wrap_key, sizeof wrap_key,
        "b750613e4fd55174b1cfe4a7fe0b05ad12974e7e93ea9203748badceb8e3be5e");
    ck_assert_int_eq(password_unwrap(seed, body.auth_ok.wrapped_key.data,
                                     wrap_key, cluster_id,
                                     body.auth_ok.key_id.b),
                     ST_OK);
    identity_init(&login, seed);
    ck_assert_mem_eq(login.public_key, user.public_key, PUBLIC_KEY_SIZE);
}
END_TEST

START_TEST(published_configurations_follow_each_other_and_are_signed)
{
    uint8_t one[CONFIG_SIZE_MAX], two[CONFIG_SIZE_MAX], bytes[1400];
    uint8_t key[PUBLIC_KEY_SIZE], hash[HASH_SIZE];
    struct config first, second, forced;
    struct config_cert cert;
    struct config_cert_keys keys = {.witnesses_count = 1,
                                    .witness_needed = true};
    struct statement statement;
    struct statement_request request;
    struct slice older, newer;
    struct identity authority;

    begin();
    older = vector_bytes(one, sizeof one, vectors, "configurations/first");
    newer = vector_bytes(two, sizeof two, vectors, "configurations/second");
    ck_assert_int_eq(config_decode(&first, older), ST_OK);
    ck_assert_int_eq(config_decode(&second, newer), ST_OK);
    config_hash(hash, older);
    vector_expect(vectors, "configurations/first_hash", hash, HASH_SIZE);
    ck_assert_int_eq(config_judge(&first, NULL, slice_of(NULL, 0)),
                     CONFIG_GOOD);
    ck_assert_int_eq(config_judge(&second, &first, older), CONFIG_GOOD);
    ck_assert_int_eq(
        config_decode(&forced, vector_bytes(bytes, sizeof bytes, vectors,
                                            "configurations/forced")),
        ST_OK);
    ck_assert_int_eq(config_judge(&forced, &second, newer), CONFIG_GOOD);
    sample_identity(&authority, 1);
    memcpy(keys.authority_key, authority.public_key, PUBLIC_KEY_SIZE);
    vector_exact(keys.operator_key, PUBLIC_KEY_SIZE, vectors,
                 "configurations/operator_key");
    vector_exact(keys.witnesses[0].receipt_key, PUBLIC_KEY_SIZE, vectors,
                 "configurations/witness_key");
    memset(keys.witnesses[0].node_id, 'Z', NODE_ID_SIZE);
    ck_assert_int_eq(
        config_cert_decode(&cert, vector_bytes(bytes, sizeof bytes, vectors,
                                               "configurations/"
                                               "certificate")),
        ST_OK);
    ck_assert(slice_equal(cert.config, newer));
    ck_assert_int_eq(config_cert_verify(&cert, &keys, CONFIG_CERT_ANY_TIME),
                     CONFIG_CERT_GOOD);
    vector_exact(key, sizeof key, vectors, "configurations/node_key");
    ck_assert_int_eq(statement_read(&statement,
                                    vector_bytes(bytes, sizeof bytes, vectors,
                                                 "configurations/statement"),
                                    key),
                     ST_OK);
    ck_assert_int_eq(
        statement_request_read(&request,
                               vector_bytes(bytes, sizeof bytes, vectors,
                                            "configurations/request"),
                               keys.operator_key, SAMPLE_SIGNED_AT),
        ST_OK);
}
END_TEST

SUITE_MAIN("defter vectors",
           published_handshake_with_tlvs_opens_the_server_side,
           published_records_around_65536_open_in_their_order,
           published_bodies_verify_and_their_paths_lead_to_the_root,
           published_bad_certificates_are_refused_for_their_reason,
           published_small_order_points_give_no_shared_secret,
           published_login_frames_decode_and_their_signatures_verify,
           published_configurations_follow_each_other_and_are_signed)
