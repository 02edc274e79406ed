/*
 * fz_channel.c: what lies behind the cipher of a handshake: its payloads, as a
 * peer that keeps to Noise may fill them, and the records behind.  A payload
 * that is taken is written again as it was; a record opens to what was sealed,
 * across renewals of the key.
 *
 * The first byte chooses: bit 0, the server's certificate, judged by a client,
 * otherwise a client's payload, judged by a server; bit 1, a link between
 * nodes; bit 2, the authority signs the certificate; bit 3, records begin just
 * below a renewal.  A u16 size and the payload follow, then the parts of
 * mutate_parts(), each a record.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "protocol/channel.h"
#include "protocol/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CHOICE_CERTIFICATE = 1,
    CHOICE_LINK = 2,
    CHOICE_SIGNED = 4,
    CHOICE_RENEWAL = 8,
    NOW_S = 1767312000
};

static const uint8_t client_secret[KEY_SIZE] = {0x20, 1};
static const uint8_t client_ephemeral[KEY_SIZE] = {0x21, 1};
static const uint8_t server_secret[KEY_SIZE] = {0x10, 1};
static const uint8_t server_ephemeral[KEY_SIZE] = {0x11, 1};
static const uint8_t preface[PREFACE_SIZE] = {'D', 'F', 'T', '1', 1};

static const struct identity *authority(void)
{
    static const uint8_t seed[SEED_SIZE] = {1};
    static struct identity identity;
    static bool made;

    if (!made)
        identity_init(&identity, seed);
    made = true;
    return &identity;
}

/* ---- Records ------------------------------------------------------------- */

static void pass_one(struct noise_cipher *sender, struct noise_cipher *receiver,
                     struct slice plain)
{
    static uint8_t record[RECORD_SIZE_MAX + RECORD_HEADER_SIZE];
    static uint8_t out[RECORD_PLAINTEXT_SIZE_MAX];
    const struct noise_cipher before = *receiver;
    size_t size, wanted;

    INVARIANT(record_seal(sender, record, plain) == ST_OK);
    INVARIANT(record_measure(&wanted, slice_of(record, plain.size),
                             RECORD_SIZE_MAX) == ST_AGAIN);
    size = plain.size + RECORD_OVERHEAD;
    record[size - 1] ^= 1;
    INVARIANT(record_open(receiver, out, &wanted, slice_of(record, size)) ==
              ST_DECRYPT);
    INVARIANT(memcmp(&before, receiver, sizeof before) == 0);
    record[size - 1] ^= 1;
    INVARIANT(record_open(receiver, out, &wanted, slice_of(record, size)) ==
              ST_OK);
    INVARIANT(slice_equal(slice_of(out, wanted), plain));
}

static void pass_records(struct channel *from, struct channel *to,
                         struct slice rest, bool renewal)
{
    if (renewal) {
        channel_set_counters(from, RECORD_REKEY_INTERVAL - 2);
        channel_set_counters(to, RECORD_REKEY_INTERVAL - 2);
    }
    while (rest.size > 2) {
        size_t size = load_u16(rest.data) % RECORD_PLAINTEXT_SIZE_MAX + 1;

        if (size > rest.size - 2)
            size = rest.size - 2;
        pass_one(&from->sender, &to->receiver, slice_of(rest.data + 2, size));
        rest = slice_of(rest.data + 2 + size, rest.size - 2 - size);
    }
}

/* ---- A client's payload -------------------------------------------------- */

static void check_hello(struct slice payload, bool link)
{
    uint8_t again[HANDSHAKE_PAYLOAD_SIZE_MAX];
    struct hello hello;
    struct writer writer;

    if ((link ? hello_decode_link(&hello, payload)
              : hello_decode(&hello, payload)) != ST_OK)
        return;
    INVARIANT(link || !hello.has_certificate);
    writer_init(&writer, again, sizeof again);
    hello_encode(&hello, &writer);
    INVARIANT(writer.status == ST_OK && writer.used <= payload.size);
    /* Unknown odd ones are skipped, wherever they stand. */
    if (writer.used == payload.size)
        INVARIANT(slice_equal(writer_slice(&writer), payload));
}

/* One message of the handshake from ${noise}, with its length. */
static void write_message(struct writer *out, struct noise *noise,
                          struct slice payload)
{
    size_t begin = out->used;

    writer_u16(out, 0);
    INVARIANT(noise_write(noise, out, payload) == ST_OK);
    store_u16(out->data + begin, (uint16_t)(out->used - begin - 2));
}

static void serve(struct slice payload, struct slice records, uint8_t choice)
{
    static const uint8_t certificate[NODECERT_SIZE] = {1};
    uint8_t bytes[CHANNEL_OUTPUT_SIZE_MAX], answer[CHANNEL_OUTPUT_SIZE_MAX];
    const bool link = (choice & CHOICE_LINK) != 0;
    struct writer out, from_server, taken;
    struct channel server, client = {.state = CHANNEL_OPEN};
    struct noise noise;
    enum status status;
    size_t used;

    (link ? channel_serve_link : channel_serve)(&server, server_secret,
                                                server_ephemeral, certificate);
    noise_init(&noise, NOISE_INITIATOR, slice_of(preface, sizeof preface),
               client_secret, client_ephemeral);
    writer_init(&out, bytes, sizeof bytes);
    writer_bytes(&out, preface, sizeof preface);
    write_message(&out, &noise, slice_of(NULL, 0));
    writer_init(&from_server, answer, sizeof answer);
    INVARIANT(channel_step(&server, &used, &from_server, writer_slice(&out)) ==
              ST_AGAIN);
    writer_init(&taken, bytes, sizeof bytes);
    INVARIANT(noise_read(&noise, &taken,
                         slice_of(answer + 2, from_server.used - 2)) == ST_OK);
    writer_init(&out, bytes, sizeof bytes);
    write_message(&out, &noise, payload);
    writer_init(&from_server, answer, sizeof answer);
    status = channel_step(&server, &used, &from_server, writer_slice(&out));
    INVARIANT(status != ST_AGAIN && status != ST_HANDSHAKE);
    INVARIANT(server.state == CHANNEL_OPEN && from_server.used == 0);
    noise_split(&noise, &client.sender, &client.receiver, client.binding);
    INVARIANT(memcmp(client.binding, server.binding, HASH_SIZE) == 0);
    check_hello(payload, link);
    pass_records(&client, &server, records, (choice & CHOICE_RENEWAL) != 0);
    channel_wipe(&server);
}

/* ---- A server's certificate ---------------------------------------------- */

static void make_certificate(uint8_t out[NODECERT_SIZE], struct slice payload,
                             bool is_signed)
{
    struct nodecert cert;
    uint8_t again[NODECERT_SIZE];

    memset(out, 0, NODECERT_SIZE);
    memcpy(out, payload.data,
           payload.size < NODECERT_SIZE ? payload.size : NODECERT_SIZE);
    if (!is_signed)
        return;
    nodecert_decode(&cert, out);
    crypto_scalarmult_base(cert.channel_key, server_secret);
    identity_cluster_id(cert.cluster_id, authority()->public_key);
    nodecert_sign(again, &cert, authority());
    memcpy(out, again, NODECERT_SIZE);
}

static void connect_to(struct slice payload, struct slice records,
                       uint8_t choice)
{
    uint8_t first[CHANNEL_CLIENT_FIRST_SIZE], certificate[NODECERT_SIZE];
    uint8_t bytes[CHANNEL_OUTPUT_SIZE_MAX];
    struct nodecert_expected expected = {
        .role = (choice & CHOICE_LINK) != 0 ? NODECERT_BACKUP : NODECERT_SERVER,
        .now_s = NOW_S};
    const bool is_signed = (choice & CHOICE_SIGNED) != 0;
    struct hello hello = {.has_features = true};
    struct channel server, client;
    struct writer out, back;
    enum status status;
    size_t used;

    make_certificate(certificate, payload, is_signed);
    memcpy(expected.authority_key, authority()->public_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(expected.cluster_id, expected.authority_key);
    channel_serve(&server, server_secret, server_ephemeral, certificate);
    writer_init(&out, first, sizeof first);
    channel_connect(&client, &out, client_secret, client_ephemeral, &expected,
                    &hello);
    writer_init(&back, bytes, sizeof bytes);
    INVARIANT(channel_step(&server, &used, &back, writer_slice(&out)) ==
              ST_AGAIN);
    uint8_t third[CHANNEL_OUTPUT_SIZE_MAX];
    writer_init(&out, third, sizeof third);
    status = channel_step(&client, &used, &out, writer_slice(&back));
    INVARIANT(status == ST_OK || status == ST_CERTIFICATE);
    INVARIANT((status == ST_OK) == (client.fault == NODECERT_GOOD));
    INVARIANT(IMPLIES(status == ST_OK, is_signed));
    INVARIANT(nodecert_fault_text(client.fault) != NULL);
    if (status == ST_OK) {
        writer_init(&back, bytes, sizeof bytes);
        INVARIANT(channel_step(&server, &used, &back, writer_slice(&out)) ==
                  ST_OK);
        pass_records(&server, &client, records, (choice & CHOICE_RENEWAL) != 0);
    }
    channel_wipe(&client);
    channel_wipe(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice payload, records;
    size_t payload_size;

    if (size < 3 || sodium_init() < 0)
        return 0;
    payload_size = load_u16(data + 1) % (HANDSHAKE_PAYLOAD_SIZE_MAX + 1);
    if (payload_size > size - 3)
        payload_size = size - 3;
    payload = slice_of(data + 3, payload_size);
    records = slice_of(data + 3 + payload_size, size - 3 - payload_size);
    if ((data[0] & CHOICE_CERTIFICATE) != 0)
        connect_to(payload, records, data[0]);
    else
        serve(payload, records, data[0]);
    return 0;
}
