/*
 * sample_channel.h: the handshake of the published vectors, and both its sides.
 */
#ifndef DEFTER_TESTS_LIB_SAMPLE_CHANNEL_H
#define DEFTER_TESTS_LIB_SAMPLE_CHANNEL_H

#include "protocol/channel.h"
#include "tests/lib/hex.h"
#include "tests/lib/sample.h"

static const char sample_nodecert_hex[] =
    "010001000700000000b955690000000080ec366b00000000487476fe07ebf7727d2715"
    "e579e3df0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa781faab908430150daccdd6f9d6c"
    "5086e34f73a93ebbaa271765e5036edfc519ed4928c628d1c2c6eae903389059956129"
    "59273a5c63f93636c14614ac8737d1cd74a37372b8fa4e149d348426c72594f1271de6"
    "67eda45fdf0a6dfef6959b3c1d18c9e486b04380696a2dc466ff9c4df9206bfed240a1"
    "1e51f0c5db892cd40a";
static const char sample_msg1_hex[] =
    "7d34a4815fa6b982535e60af3bd9b49556816080f1641ff81d2b7c8ae8268a44";
static const char sample_msg2_hex[] =
    "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13a69106"
    "91b444a2758e0eec12deb9e9a45102c22a3dd3210f6efc7fd2e4a30e42425f201c29ef"
    "dc79ecfd4814ea89d9966f488f1a902927b4f54644ac7abaa9adc382f79441f8418559"
    "23ec155e12a3b1c06a21d1475e035aa5e23cadcade28d27920486126d69426011b60f4"
    "6b17773f4a8ddd09344363056a4b887d5c814bcb76a042bf8a30eff882cab326a7d6c3"
    "265df01251454af0be11cc526ba003d0f8fe424ee55051c0ae0a3eacf2d64f3f57ff47"
    "761600d2ca625917f0c2d56467982ba63598434767f837d42efa9f3bb0c1233a703298"
    "65e5386eea83d16991de86835868bbeae39ebba2200e7bd0c62f6255aac1cfed90a189";
static const char sample_msg3_hex[] =
    "9e0eeac17a5da20a5589e02be631259b2e925748720cf14b9c93de6275cedda36d38b0"
    "29d1ca6396fdc72fa5d1f26a10959ef46fcc4ae48eea107b6faa90a677";
static const char sample_h_hex[] =
    "c9319d4b78a7518955f1baa4798701306ab1e2342b69be2dd29e034f9cb97243";
static const char sample_k_c2s_hex[] =
    "4658518322b2119bf2d0ebf7ff5a885b61fa6bae0ad12bde80280b7c1574589a";
static const char sample_k_s2c_hex[] =
    "43935a29402ea544ec95999be97f4c71f8adf56f390c087bde977c5ae041bcef";

/* A moment inside the certificate's validity. */
enum { SAMPLE_NOW_S = 1767225600 + 86400 };

struct sample_channels {
    struct channel client;
    struct channel server;
    uint8_t to_server[1024];
    uint8_t to_client[1024];
    struct writer client_out;
    struct writer server_out;
    struct nodecert_expected expected;
    struct hello hello;
};

static inline void sample_expected(struct nodecert_expected *expected)
{
    struct identity authority;

    sample_identity(&authority, 1);
    memcpy(expected->authority_key, authority.public_key, PUBLIC_KEY_SIZE);
    sample_cluster_id(expected->cluster_id);
    expected->role = NODECERT_SERVER;
    expected->now_s = SAMPLE_NOW_S;
}

/* Both sides begun; the client's first bytes are in ${client_out}. */
static inline void sample_channels_begin(struct sample_channels *both)
{
    uint8_t certificate[NODECERT_SIZE];
    uint8_t secret[KEY_SIZE];
    uint8_t ephemeral[KEY_SIZE];

    sample_expected(&both->expected);
    hex_decode(certificate, sizeof certificate, sample_nodecert_hex);
    writer_init(&both->client_out, both->to_server, sizeof both->to_server);
    writer_init(&both->server_out, both->to_client, sizeof both->to_client);
    memset(secret, 0x10, sizeof secret);
    memset(ephemeral, 0x11, sizeof ephemeral);
    channel_serve(&both->server, secret, ephemeral, certificate);
    memset(secret, 0x20, sizeof secret);
    memset(ephemeral, 0x21, sizeof ephemeral);
    channel_connect(&both->client, &both->client_out, secret, ephemeral,
                    &both->expected, &both->hello);
}

/* Gives what one side wrote to the other; ${from} is emptied. */
static inline enum status sample_pass(struct channel *to, struct writer *out,
                                      struct writer *from)
{
    size_t used;
    enum status status = channel_step(to, &used, out, writer_slice(from));

    memmove(from->data, from->data + used, from->used - used);
    from->used -= used;
    return status;
}

/* The whole handshake, with the client's TLVs from ${both->hello}. */
static inline void sample_channels_open(struct sample_channels *both)
{
    sample_channels_begin(both);
    ck_assert_int_eq(
        sample_pass(&both->server, &both->server_out, &both->client_out),
        ST_AGAIN);
    ck_assert_int_eq(
        sample_pass(&both->client, &both->client_out, &both->server_out),
        ST_OK);
    ck_assert_int_eq(
        sample_pass(&both->server, &both->server_out, &both->client_out),
        ST_OK);
    ck_assert_uint_eq(both->client_out.used, 0);
}

#endif
