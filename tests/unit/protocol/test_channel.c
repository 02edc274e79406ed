#include "protocol/channel.h"

#include <stdlib.h>

#include "tests/lib/sample_channel.h"
#include "tests/lib/suite.h"

static struct sample_channels both;
static const uint8_t zeros[KEY_SIZE];

static void begin(void)
{
    memset(&both, 0, sizeof both);
    sample_channels_begin(&both);
}

/* Up to message 2, which then stands in both.server_out. */
static void begin_msg2(void)
{
    begin();
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_AGAIN);
}

/* Up to message 3, which then stands in both.client_out. */
static void begin_msg3(void)
{
    begin_msg2();
    ck_assert_int_eq(
        sample_pass(&both.client, &both.client_out, &both.server_out), ST_OK);
}

/* What the server says to ${size} bytes; it must not have written anything. */
static enum status serve(struct slice bytes)
{
    static struct sample_channels fresh;
    struct channel server;
    uint8_t out_bytes[CHANNEL_OUTPUT_SIZE_MAX];
    struct writer out;
    size_t used;
    enum status status;

    sample_channels_begin(&fresh);
    server = fresh.server;
    writer_init(&out, out_bytes, sizeof out_bytes);
    status = channel_step(&server, &used, &out, bytes);
    if (status != ST_VERSION && status != ST_AGAIN && status != ST_OK) {
        ck_assert_uint_eq(out.used, 0);
        ck_assert_int_eq(server.state, CHANNEL_FAILED);
        ck_assert_mem_eq(server.static_secret, zeros, KEY_SIZE);
    }
    return status;
}

START_TEST(channel_messages_are_the_published_bytes)
{
    begin();
    hex_expect(both.to_server, PREFACE_SIZE, "4446543101000000");
    ck_assert_uint_eq(load_u16(both.to_server + 8), HANDSHAKE_MSG1_SIZE);
    hex_expect(both.to_server + 10, HANDSHAKE_MSG1_SIZE, sample_msg1_hex);
    ck_assert_uint_eq(both.client_out.used, CHANNEL_CLIENT_FIRST_SIZE);
    begin_msg2();
    ck_assert_uint_eq(both.server_out.used, 2 + HANDSHAKE_MSG2_SIZE);
    ck_assert_uint_eq(load_u16(both.to_client), HANDSHAKE_MSG2_SIZE);
    hex_expect(both.to_client + 2, HANDSHAKE_MSG2_SIZE, sample_msg2_hex);
    begin_msg3();
    ck_assert_uint_eq(load_u16(both.to_server), HANDSHAKE_MSG3_SIZE_MIN);
    hex_expect(both.to_server + 2, HANDSHAKE_MSG3_SIZE_MIN, sample_msg3_hex);
}
END_TEST

START_TEST(channel_gives_both_sides_the_published_keys_and_wipes_the_rest)
{
    memset(&both, 0, sizeof both);
    sample_channels_open(&both);
    hex_expect(both.client.binding, HASH_SIZE, sample_h_hex);
    hex_expect(both.server.binding, HASH_SIZE, sample_h_hex);
    hex_expect(both.client.sender.key, KEY_SIZE, sample_k_c2s_hex);
    hex_expect(both.server.receiver.key, KEY_SIZE, sample_k_c2s_hex);
    hex_expect(both.client.receiver.key, KEY_SIZE, sample_k_s2c_hex);
    hex_expect(both.server.sender.key, KEY_SIZE, sample_k_s2c_hex);
    ck_assert_int_eq(both.server.noise.state, NOISE_FAILED);
    ck_assert_mem_eq(both.server.noise.chaining_key, zeros, KEY_SIZE);
    ck_assert_mem_eq(both.server.noise.ephemeral_secret, zeros, KEY_SIZE);
    ck_assert_mem_eq(both.server.static_secret, zeros, KEY_SIZE);
    ck_assert_mem_eq(both.server.ephemeral_secret, zeros, KEY_SIZE);
    ck_assert_mem_eq(both.client.noise.static_secret, zeros, KEY_SIZE);
    ck_assert_uint_eq(both.client.certificate.serial, 7);
}
END_TEST

START_TEST(channel_opens_when_every_byte_comes_alone)
{
    struct writer *const outs[2] = {&both.client_out, &both.server_out};
    struct channel *const sides[2] = {&both.server, &both.client};

    begin();
    for (unsigned turn = 0; turn < 3; turn++) {
        struct writer *from = outs[turn % 2];
        struct channel *to = sides[turn % 2];
        uint8_t pending[512];
        size_t held = 0;

        for (size_t i = 0; i < from->used; i++) {
            size_t used;
            enum status status;

            pending[held++] = from->data[i];
            status = channel_step(to, &used, outs[1 - turn % 2],
                                  slice_of(pending, held));
            ck_assert_int_eq(
                status, turn > 0 && i + 1 == from->used ? ST_OK : ST_AGAIN);
            memmove(pending, pending + used, held - used);
            held -= used;
        }
        ck_assert_uint_eq(held, 0);
        from->used = 0;
    }
    ck_assert_int_eq(both.client.state, CHANNEL_OPEN);
    ck_assert_int_eq(both.server.state, CHANNEL_OPEN);
}
END_TEST

START_TEST(channel_leaves_records_behind_message_3_to_the_caller)
{
    size_t used;
    size_t before;

    begin_msg3();
    before = both.client_out.used;
    writer_bytes(&both.client_out, "record", 6);
    ck_assert_int_eq(channel_step(&both.server, &used, &both.server_out,
                                  writer_slice(&both.client_out)),
                     ST_OK);
    ck_assert_uint_eq(used, before);
}
END_TEST

START_TEST(D07_to_D12_prefaces_are_refused_in_silence_or_by_the_reject)
{
    uint8_t preface[PREFACE_SIZE] = {'D', 'F', 'T', '1', 1, 0, 0, 0};

    ck_assert_int_eq(serve(slice_of("GET / HTTP/1.1\r\n", 16)), ST_HANDSHAKE);
    ck_assert_int_eq(serve(slice_of("\x16\x03\x01\x02\x00\x01\x00\x01", 8)),
                     ST_HANDSHAKE);
    for (unsigned major = 0; major < 256; major++) {
        preface[4] = (uint8_t)major;
        ck_assert_int_eq(serve(slice_of(preface, sizeof preface)),
                         major == CHANNEL_MAJOR ? ST_AGAIN : ST_VERSION);
    }
    /* Magic, then reserved, then major. */
    preface[6] = 1;
    ck_assert_int_eq(serve(slice_of(preface, sizeof preface)), ST_HANDSHAKE);
    preface[4] = 1;
    ck_assert_int_eq(serve(slice_of(preface, sizeof preface)), ST_HANDSHAKE);
    preface[6] = 0;
    preface[7] = 0x80;
    ck_assert_int_eq(serve(slice_of(preface, sizeof preface)), ST_HANDSHAKE);
    preface[7] = 0;
    preface[5] = 0xff;
    ck_assert_int_eq(serve(slice_of(preface, sizeof preface)), ST_AGAIN);
    for (size_t size = 0; size < PREFACE_SIZE; size++)
        ck_assert_int_eq(serve(slice_of(preface, size)), ST_AGAIN);
}
END_TEST

START_TEST(channel_reject_names_the_majors_and_the_client_reads_them)
{
    size_t used;

    begin();
    both.to_server[4] = 2;
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_VERSION);
    ck_assert_uint_eq(both.server_out.used, PREFACE_SIZE);
    hex_expect(both.to_client, PREFACE_SIZE, "4446542101010000");
    for (size_t size = 0; size < PREFACE_SIZE; size++)
        ck_assert_int_eq(channel_step(&both.client, &used, &both.client_out,
                                      slice_of(both.to_client, size)),
                         ST_AGAIN);
    ck_assert_int_eq(channel_step(&both.client, &used, &both.client_out,
                                  writer_slice(&both.server_out)),
                     ST_REJECTED);
    ck_assert_uint_eq(both.client.rejected_major_min, 1);
    ck_assert_uint_eq(both.client.rejected_major_max, 1);
    ck_assert_int_eq(both.client.state, CHANNEL_FAILED);
}
END_TEST

START_TEST(D13_message_1_of_another_length_is_refused_at_its_length)
{
    static const uint16_t lengths[] = {0, 1, 31, 33, 280, 65535};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        begin();
        store_u16(both.to_server + PREFACE_SIZE, lengths[i]);
        ck_assert_int_eq(serve(slice_of(both.to_server, PREFACE_SIZE + 2)),
                         ST_HANDSHAKE);
    }
}
END_TEST

START_TEST(D14_D15_message_1_with_a_small_order_point_is_refused)
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

    for (size_t i = 0; i < 2 * sizeof points / sizeof points[0]; i++) {
        uint8_t first[CHANNEL_CLIENT_FIRST_SIZE];

        begin();
        memcpy(first, both.to_server, sizeof first);
        hex_decode(first + 10, KEY_SIZE, points[i / 2]);
        first[10 + 31] |= i % 2 == 0 ? 0 : 0x80;
        ck_assert_int_eq(serve(slice_of(first, sizeof first)), ST_HANDSHAKE);
    }
}
END_TEST

START_TEST(D16_D17_bytes_after_message_1_are_refused)
{
    begin();
    writer_u8(&both.client_out, 0);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_HANDSHAKE);
    ck_assert_uint_eq(both.server_out.used, 0);
    begin();
    writer_zeros(&both.client_out, 2 + HANDSHAKE_MSG3_SIZE_MIN + 40);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_HANDSHAKE);
}
END_TEST

START_TEST(D18_to_D20_message_3_is_refused_by_length_and_for_every_bit)
{
    static const uint16_t lengths[] = {0, 63, 321, 65535};
    size_t bits;

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        begin_msg3();
        store_u16(both.to_server, lengths[i]);
        both.client_out.used = 2;
        ck_assert_int_eq(
            sample_pass(&both.server, &both.server_out, &both.client_out),
            ST_HANDSHAKE);
    }
    both.hello = (struct hello){.has_agent = true,
                                .agent = slice_of("test", 4),
                                .has_features = true,
                                .features = 5};
    sample_channels_begin(&both);
    sample_pass(&both.server, &both.server_out, &both.client_out);
    sample_pass(&both.client, &both.client_out, &both.server_out);
    bits = 8 * both.client_out.used;
    for (size_t bit = 16; bit < bits; bit++) {
        struct channel server = both.server;
        size_t used;

        both.to_server[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(channel_step(&server, &used, &both.server_out,
                                      writer_slice(&both.client_out)),
                         ST_HANDSHAKE);
        both.to_server[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out), ST_OK);
    ck_assert_uint_eq(both.server.hello.agent.size, 4);
    ck_assert_uint_eq(both.server.hello.features, 5);
}
END_TEST

START_TEST(D21_message_3_of_another_session_is_refused)
{
    uint8_t recorded[2 + HANDSHAKE_MSG3_SIZE_MIN];
    uint8_t secret[KEY_SIZE];
    uint8_t certificate[NODECERT_SIZE];

    begin_msg3();
    memcpy(recorded, both.to_server, sizeof recorded);
    begin();
    memset(secret, 0x10, sizeof secret);
    hex_decode(certificate, sizeof certificate, sample_nodecert_hex);
    channel_serve(&both.server, secret, recorded, certificate);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_AGAIN);
    writer_bytes(&both.client_out, recorded, sizeof recorded);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_HANDSHAKE);
}
END_TEST

START_TEST(D22_a_preface_altered_on_the_way_ends_the_handshake)
{
    begin();
    both.to_server[5] = 1;
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_AGAIN);
    ck_assert_int_eq(
        sample_pass(&both.client, &both.client_out, &both.server_out),
        ST_HANDSHAKE);
    ck_assert_int_eq(both.client.state, CHANNEL_FAILED);
}
END_TEST

START_TEST(channel_client_refuses_message_2_with_any_bit_flipped)
{
    size_t bits;

    begin_msg2();
    bits = 8 * both.server_out.used;
    for (size_t bit = 0; bit < bits; bit++) {
        struct channel client = both.client;
        size_t used;

        both.to_client[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(channel_step(&client, &used, &both.client_out,
                                      writer_slice(&both.server_out)),
                         ST_HANDSHAKE);
        ck_assert_uint_eq(both.client_out.used, 0);
        both.to_client[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(D25_the_client_stops_before_message_3_and_says_why)
{
    begin_msg2();
    both.client.expected.now_s += 10LL * 365 * 86400;
    ck_assert_int_eq(
        sample_pass(&both.client, &both.client_out, &both.server_out),
        ST_CERTIFICATE);
    ck_assert_int_eq(both.client.fault, NODECERT_EXPIRED);
    ck_assert_uint_eq(both.client_out.used, 0);
    ck_assert_int_eq(both.client.state, CHANNEL_FAILED);
    begin_msg2();
    both.client.expected.authority_key[0] ^= 1;
    ck_assert_int_eq(
        sample_pass(&both.client, &both.client_out, &both.server_out),
        ST_CERTIFICATE);
    ck_assert_int_eq(both.client.fault, NODECERT_BAD_SIGNATURE);
}
END_TEST

/* A server that holds a good certificate and another channel key. */
START_TEST(channel_client_refuses_a_borrowed_certificate)
{
    uint8_t certificate[NODECERT_SIZE];
    uint8_t secret[KEY_SIZE];

    begin();
    hex_decode(certificate, sizeof certificate, sample_nodecert_hex);
    memset(secret, 0x12, sizeof secret);
    channel_serve(&both.server, secret, secret, certificate);
    ck_assert_int_eq(
        sample_pass(&both.server, &both.server_out, &both.client_out),
        ST_AGAIN);
    ck_assert_int_eq(
        sample_pass(&both.client, &both.client_out, &both.server_out),
        ST_CERTIFICATE);
    ck_assert_int_eq(both.client.fault, NODECERT_OTHER_CHANNEL_KEY);
}
END_TEST

/* Sends ${payload} as message 3's and returns what the server says. */
static enum status hello_sent(const char *payload_hex)
{
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE_MAX];
    size_t size = hex_decode(payload, sizeof payload, payload_hex);
    uint8_t message[HANDSHAKE_MSG3_SIZE_MAX];
    uint8_t certificate[NODECERT_SIZE];
    struct writer out;
    struct noise noise;

    begin_msg2();
    noise = both.client.noise;
    writer_init(&out, certificate, sizeof certificate);
    ck_assert_int_eq(
        noise_read(&noise, &out,
                   slice_of(both.to_client + 2, HANDSHAKE_MSG2_SIZE)),
        ST_OK);
    writer_init(&out, message, sizeof message);
    ck_assert_int_eq(noise_write(&noise, &out, slice_of(payload, size)), ST_OK);
    writer_u16(&both.client_out, (uint16_t)out.used);
    writer_bytes(&both.client_out, message, out.used);
    return sample_pass(&both.server, &both.server_out, &both.client_out);
}

START_TEST(D23_message_3_payloads_are_judged_and_the_channel_is_open)
{
    static const struct {
        const char *payload;
        enum status status;
    } cases[] = {
        {"", ST_OK},
        {"0100000003000800ffffffffffffffff", ST_OK},
        {"010003006162630500010007", ST_OK},
        {"0200000000", ST_UNKNOWN_FIELD},
        {"04000100aa", ST_UNKNOWN_FIELD},
        {"00000000", ST_UNKNOWN_FIELD},
        {"0300080001020304050607080100010061", ST_FIELD_ORDER},
        {"05000000"
         "05000000",
         ST_FIELD_ORDER},
        {"0300070001020304050607", ST_BAD_FIELD},
        {"03000900010203040506070809", ST_BAD_FIELD},
        {"0100010007", ST_BAD_FIELD},
        {"01000200c080", ST_BAD_FIELD},
        {"0100020061", ST_FRAME},
        {"01000100610300", ST_FRAME},
        {"05000000070000000900000"
         "00b0000000d0000000f00000011000000130"
         "00000",
         ST_OK},
        {"05000000070000000900000"
         "00b0000000d0000000f00000011000000130"
         "0000015000000",
         ST_TOO_LARGE},
    };
    uint8_t secret[KEY_SIZE];
    uint8_t client_public[KEY_SIZE];

    memset(secret, 0x20, sizeof secret);
    crypto_scalarmult_base(client_public, secret);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum status status = hello_sent(cases[i].payload);

        ck_assert_msg(status == cases[i].status, "case %zu gives %s", i,
                      status_name(status));
        /* Open all the same: the refusal travels as an ERROR frame. */
        ck_assert_int_eq(both.server.state, CHANNEL_OPEN);
        ck_assert_mem_eq(both.server.peer_static, client_public, KEY_SIZE);
    }
}
END_TEST

START_TEST(channel_agent_is_limited_to_its_size)
{
    char payload[2 * (4 + AGENT_SIZE_MAX + 1) + 1];

    for (size_t extra = 0; extra < 2; extra++) {
        size_t size = AGENT_SIZE_MAX + extra;

        snprintf(payload, sizeof payload, "0100%02zx00", size);
        for (size_t i = 0; i < size; i++)
            memcpy(payload + 8 + 2 * i, "61", 3);
        ck_assert_int_eq(hello_sent(payload),
                         extra == 0 ? ST_OK : ST_BAD_FIELD);
    }
}
END_TEST

SUITE_MAIN("channel", channel_messages_are_the_published_bytes,
           channel_gives_both_sides_the_published_keys_and_wipes_the_rest,
           channel_opens_when_every_byte_comes_alone,
           channel_leaves_records_behind_message_3_to_the_caller,
           D07_to_D12_prefaces_are_refused_in_silence_or_by_the_reject,
           channel_reject_names_the_majors_and_the_client_reads_them,
           D13_message_1_of_another_length_is_refused_at_its_length,
           D14_D15_message_1_with_a_small_order_point_is_refused,
           D16_D17_bytes_after_message_1_are_refused,
           D18_to_D20_message_3_is_refused_by_length_and_for_every_bit,
           D21_message_3_of_another_session_is_refused,
           D22_a_preface_altered_on_the_way_ends_the_handshake,
           channel_client_refuses_message_2_with_any_bit_flipped,
           D25_the_client_stops_before_message_3_and_says_why,
           channel_client_refuses_a_borrowed_certificate,
           D23_message_3_payloads_are_judged_and_the_channel_is_open,
           channel_agent_is_limited_to_its_size)
