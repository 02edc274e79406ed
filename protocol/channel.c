#include "protocol/channel.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

enum { CHANNEL_LENGTH_SIZE = 2 };

static const char channel_magic[] = "DFT1";
static const char channel_reject_magic[] = "DFT!";

static_assert(CHANNEL_LENGTH_SIZE + HANDSHAKE_MSG2_SIZE <=
                  CHANNEL_OUTPUT_SIZE_MAX,
              "room for message 2");
static_assert(HANDSHAKE_MSG3_SIZE_MIN == KEY_SIZE + 2 * AEAD_TAG_SIZE,
              "message 3 with an empty payload");

static void channel_preface(uint8_t out[PREFACE_SIZE], const char *magic,
                            uint8_t fifth, uint8_t sixth)
{
    memcpy(out, magic, 4);
    out[4] = fifth;
    out[5] = sixth;
    store_u16(out + 6, 0);
}

static enum status channel_fail(struct channel *channel, enum status status)
{
    enum nodecert_fault fault = channel->fault;
    uint8_t major_min = channel->rejected_major_min;
    uint8_t major_max = channel->rejected_major_max;

    channel_wipe(channel);
    channel->fault = fault;
    channel->rejected_major_min = major_min;
    channel->rejected_major_max = major_max;
    return status;
}

/* The next handshake message, when all of it is there. */
static enum status channel_take(struct slice *message_out, size_t *used,
                                struct slice input, size_t size_min,
                                size_t size_max)
{
    size_t left = input.size - *used;
    const uint8_t *at;
    size_t size;

    if (left < CHANNEL_LENGTH_SIZE)
        return ST_AGAIN;
    at = input.data + *used;
    size = load_u16(at);
    if (size < size_min || size > size_max)
        return ST_HANDSHAKE;
    if (left - CHANNEL_LENGTH_SIZE < size)
        return ST_AGAIN;
    *message_out = slice_of(at + CHANNEL_LENGTH_SIZE, size);
    *used += CHANNEL_LENGTH_SIZE + size;
    return ST_OK;
}

/* Writes the next handshake message behind its length. */
static enum status channel_put(struct channel *channel, struct writer *out,
                               struct slice payload)
{
    uint8_t *length = writer_reserve(out, CHANNEL_LENGTH_SIZE);
    size_t before = out->used;
    enum status status;

    REQUIRE(length != NULL);
    status = noise_write(&channel->noise, out, payload);
    if (status == ST_OK)
        store_u16(length, (uint16_t)(out->used - before));
    else
        out->used = before - CHANNEL_LENGTH_SIZE;
    return status;
}

static void channel_open(struct channel *channel)
{
    noise_split(&channel->noise, &channel->sender, &channel->receiver,
                channel->binding);
    sodium_memzero(channel->static_secret, KEY_SIZE);
    sodium_memzero(channel->ephemeral_secret, KEY_SIZE);
    channel->state = CHANNEL_OPEN;
}

void channel_serve(struct channel *channel, const uint8_t *static_secret,
                   const uint8_t *ephemeral_secret, const uint8_t *certificate)
{
    memset(channel, 0, sizeof *channel);
    channel->state = CHANNEL_PREFACE;
    memcpy(channel->static_secret, static_secret, KEY_SIZE);
    memcpy(channel->ephemeral_secret, ephemeral_secret, KEY_SIZE);
    memcpy(channel->certificate_bytes, certificate, NODECERT_SIZE);
}

void channel_serve_link(struct channel *channel, const uint8_t *static_secret,
                        const uint8_t *ephemeral_secret,
                        const uint8_t *certificate)
{
    channel_serve(channel, static_secret, ephemeral_secret, certificate);
    channel->link = true;
}

void channel_connect(struct channel *channel, struct writer *out,
                     const uint8_t *static_secret,
                     const uint8_t *ephemeral_secret,
                     const struct nodecert_expected *expected,
                     const struct hello *hello)
{
    const struct slice no_payload = {NULL, 0};
    uint8_t preface[PREFACE_SIZE];
    enum status status;

    REQUIRE(out->size - out->used >= CHANNEL_CLIENT_FIRST_SIZE);
    memset(channel, 0, sizeof *channel);
    channel->expected = *expected;
    channel->hello = *hello;
    channel_preface(preface, channel_magic, CHANNEL_MAJOR, CHANNEL_MINOR_MAX);
    writer_bytes(out, preface, PREFACE_SIZE);
    noise_init(&channel->noise, NOISE_INITIATOR,
               slice_of(preface, PREFACE_SIZE), static_secret,
               ephemeral_secret);
    /* Message 1 holds our own key alone, so nothing in it can fail. */
    status = channel_put(channel, out, no_payload);
    ENSURE(status == ST_OK);
    channel->state = CHANNEL_MSG2;
}

/* Server: the eight bytes that come first. */
static enum status channel_step_preface(struct channel *channel, size_t *used,
                                        struct writer *out, struct slice input)
{
    const uint8_t *preface;

    if (input.size - *used < PREFACE_SIZE)
        return ST_AGAIN;
    preface = input.data + *used;
    if (memcmp(preface, channel_magic, 4) != 0 || load_u16(preface + 6) != 0)
        return ST_HANDSHAKE;
    if (preface[4] != CHANNEL_MAJOR) {
        uint8_t reject[PREFACE_SIZE];

        channel_preface(reject, channel_reject_magic, CHANNEL_MAJOR,
                        CHANNEL_MAJOR);
        writer_bytes(out, reject, sizeof reject);
        return ST_VERSION;
    }
    channel->minor_max = preface[5];
    noise_init(&channel->noise, NOISE_RESPONDER,
               slice_of(preface, PREFACE_SIZE), channel->static_secret,
               channel->ephemeral_secret);
    *used += PREFACE_SIZE;
    channel->state = CHANNEL_MSG1;
    return ST_OK;
}

/* Server: message 1 in, message 2 out. */
static enum status channel_step_msg1(struct channel *channel, size_t *used,
                                     struct writer *out, struct slice input)
{
    struct slice message;
    struct writer payload;
    uint8_t nothing[1];
    enum status status = channel_take(&message, used, input,
                                      HANDSHAKE_MSG1_SIZE, HANDSHAKE_MSG1_SIZE);

    if (status != ST_OK)
        return status;
    /* Nobody can know message 3 before message 2 was sent. */
    if (*used != input.size)
        return ST_HANDSHAKE;
    /* Message 1 has no payload: not a byte may come out of it. */
    writer_init(&payload, nothing, 0);
    status = noise_read(&channel->noise, &payload, message);
    if (status == ST_OK)
        status = channel_put(
            channel, out, slice_of(channel->certificate_bytes, NODECERT_SIZE));
    if (status != ST_OK)
        return ST_HANDSHAKE;
    channel->state = CHANNEL_MSG3;
    return ST_OK;
}

/* Server: message 3 in, and the channel is open. */
static enum status channel_step_msg3(struct channel *channel, size_t *used,
                                     struct slice input)
{
    struct slice message;
    struct writer payload;
    enum status status =
        channel_take(&message, used, input, HANDSHAKE_MSG3_SIZE_MIN,
                     HANDSHAKE_MSG3_SIZE_MAX);

    if (status != ST_OK)
        return status;
    writer_init(&payload, channel->payload, sizeof channel->payload);
    if (noise_read(&channel->noise, &payload, message) != ST_OK)
        return ST_HANDSHAKE;
    memcpy(channel->peer_static, channel->noise.remote_static, KEY_SIZE);
    channel_open(channel);
    return channel->link
               ? hello_decode_link(&channel->hello, writer_slice(&payload))
               : hello_decode(&channel->hello, writer_slice(&payload));
}

/* Client: an answer that is no message 2 may be the reject of section 2. */
static enum status channel_step_rejected(struct channel *channel,
                                         struct slice input)
{
    size_t known = input.size < 4 ? input.size : 4;

    if (memcmp(input.data, channel_reject_magic, known) != 0)
        return ST_HANDSHAKE;
    if (input.size < PREFACE_SIZE)
        return ST_AGAIN;
    channel->rejected_major_min = input.data[4];
    channel->rejected_major_max = input.data[5];
    return ST_REJECTED;
}

/* Client: message 2 in, the certificate judged, message 3 out. */
static enum status channel_step_msg2(struct channel *channel, size_t *used,
                                     struct writer *out, struct slice input)
{
    uint8_t hello_bytes[HANDSHAKE_PAYLOAD_SIZE_MAX];
    struct slice message;
    struct writer payload;
    enum status status;

    if (input.size >= CHANNEL_LENGTH_SIZE &&
        load_u16(input.data) != HANDSHAKE_MSG2_SIZE)
        return channel_step_rejected(channel, input);
    status = channel_take(&message, used, input, HANDSHAKE_MSG2_SIZE,
                          HANDSHAKE_MSG2_SIZE);
    if (status != ST_OK)
        return status;
    writer_init(&payload, channel->certificate_bytes, NODECERT_SIZE);
    if (noise_read(&channel->noise, &payload, message) != ST_OK)
        return ST_HANDSHAKE;
    status = nodecert_verify(&channel->certificate, &channel->fault,
                             channel->certificate_bytes, &channel->expected,
                             channel->noise.remote_static);
    if (status != ST_OK)
        return status;
    memcpy(channel->peer_static, channel->noise.remote_static, KEY_SIZE);
    writer_init(&payload, hello_bytes, sizeof hello_bytes);
    hello_encode(&channel->hello, &payload);
    ENSURE(payload.status == ST_OK);
    if (channel_put(channel, out, writer_slice(&payload)) != ST_OK)
        return ST_HANDSHAKE;
    channel_open(channel);
    return ST_OK;
}

enum status channel_step(struct channel *channel, size_t *used_out,
                         struct writer *out, struct slice input)
{
    enum status status = ST_OK;

    REQUIRE(channel->state != CHANNEL_OPEN && channel->state != CHANNEL_FAILED);
    *used_out = 0;
    while (status == ST_OK && channel->state != CHANNEL_OPEN) {
        switch (channel->state) {
        case CHANNEL_PREFACE:
            status = channel_step_preface(channel, used_out, out, input);
            break;
        case CHANNEL_MSG1:
            status = channel_step_msg1(channel, used_out, out, input);
            break;
        case CHANNEL_MSG2:
            status = channel_step_msg2(channel, used_out, out, input);
            break;
        case CHANNEL_MSG3:
            status = channel_step_msg3(channel, used_out, input);
            break;
        case CHANNEL_OPEN:
        case CHANNEL_FAILED:
            INVARIANT(false);
        }
    }
    if (status != ST_OK && status != ST_AGAIN && channel->state != CHANNEL_OPEN)
        return channel_fail(channel, status);
    return status;
}

void channel_wipe(struct channel *channel)
{
    sodium_memzero(channel, sizeof *channel);
    channel->state = CHANNEL_FAILED;
}

void channel_set_counters(struct channel *channel, uint64_t n)
{
    REQUIRE(channel->state == CHANNEL_OPEN);
    REQUIRE(channel->sender.n == 0 && channel->receiver.n == 0);
    channel->sender.n = n;
    channel->receiver.n = n;
}
