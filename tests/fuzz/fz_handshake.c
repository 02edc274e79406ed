/*
 * fz_handshake.c: what a stranger sends to either side of a handshake whose own
 * secrets are fixed, in pieces.  A failed channel has no key left, and what a
 * side answers is never more than its message.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/channel.h"
#include "protocol/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t zeros[KEY_SIZE];
static const uint8_t secret[KEY_SIZE] = {0x10, 0x11, 0x12};
static const uint8_t ephemeral[KEY_SIZE] = {0x20, 0x21, 0x22};

/* Gives ${input} in pieces of ${piece} bytes, as a socket might. */
static void handshake_feed(struct channel *channel, struct slice input,
                           size_t piece)
{
    uint8_t bytes[CHANNEL_OUTPUT_SIZE_MAX];
    size_t begin = 0;
    size_t end = 0;

    while (end < input.size) {
        struct writer out;
        size_t used;
        enum status status;

        end = input.size - end > piece ? end + piece : input.size;
        writer_init(&out, bytes, sizeof bytes);
        status = channel_step(channel, &used, &out,
                              slice_of(input.data + begin, end - begin));
        INVARIANT(used <= end - begin);
        INVARIANT(out.status == ST_OK);
        begin += used;
        if (status != ST_AGAIN)
            break;
    }
    if (channel->state == CHANNEL_FAILED)
        INVARIANT(memcmp(channel->static_secret, zeros, KEY_SIZE) == 0);
    channel_wipe(channel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t certificate[NODECERT_SIZE];
    static const struct nodecert_expected expected = {.role = NODECERT_SERVER};
    static const struct hello hello;
    uint8_t first[CHANNEL_CLIENT_FIRST_SIZE];
    struct channel channel;
    struct writer out;
    size_t piece;

    if (size < 2)
        return 0;
    piece = (size_t)data[1] + 1;
    if (data[0] % 2 == 0) {
        channel_serve(&channel, secret, ephemeral, certificate);
    } else {
        writer_init(&out, first, sizeof first);
        channel_connect(&channel, &out, secret, ephemeral, &expected, &hello);
    }
    handshake_feed(&channel, slice_of(data + 2, size - 2), piece);
    return 0;
}
