#include "protocol/noise.h"

#include <sodium.h>

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

/*
 * The published known answer for this suite, as it circulates among Noise
 * implementations under the name of the cacophony library.
 */
static const char prologue_hex[] = "4a6f686e2047616c74";
static const char *const statics_hex[2] = {
    "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
};
static const char *const ephemerals_hex[2] = {
    "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
    "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
};
static const char handshake_hash_hex[] =
    "c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e";
static const struct {
    const char *payload;
    const char *ciphertext;
} known[] = {
    {"4c756477696720766f6e204d69736573",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477"
     "696720766f6e204d69736573"},
    {"4d757272617920526f746862617264",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f"
     "276e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488"
     "ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c"
     "9326ad"},
    {"462e20412e20486179656b",
     "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9"
     "df0f169ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49"
     "b25030"},
    {"4361726c204d656e676572",
     "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"},
    {"4a65616e2d426170746973746520536179",
     "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"},
    {"457567656e2042f6686d20766f6e2042617765726b",
     "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae"
     "3f"},
};

static struct noise sides[2];
static uint8_t message[256];
static uint8_t payload[256];

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    for (unsigned side = 0; side < 2; side++) {
        uint8_t prologue[16];
        uint8_t secret[KEY_SIZE];
        uint8_t ephemeral[KEY_SIZE];
        size_t size = hex_decode(prologue, sizeof prologue, prologue_hex);

        hex_decode(secret, sizeof secret, statics_hex[side]);
        hex_decode(ephemeral, sizeof ephemeral, ephemerals_hex[side]);
        noise_init(&sides[side], side == 0 ? NOISE_INITIATOR : NOISE_RESPONDER,
                   slice_of(prologue, size), secret, ephemeral);
    }
}

/* Writes handshake message ${number} with its known payload. */
static struct slice write_known(unsigned number)
{
    struct writer out;
    size_t size = hex_decode(payload, sizeof payload, known[number].payload);

    writer_init(&out, message, sizeof message);
    ck_assert_int_eq(
        noise_write(&sides[number % 2], &out, slice_of(payload, size)), ST_OK);
    return writer_slice(&out);
}

static enum status read_into(struct noise *noise, struct slice bytes)
{
    struct writer out;

    writer_init(&out, payload, sizeof payload);
    return noise_read(noise, &out, bytes);
}

/* Exchanges the first ${count} known messages. */
static void exchange(unsigned count)
{
    begin();
    for (unsigned i = 0; i < count; i++) {
        struct slice bytes = write_known(i);

        hex_expect(bytes.data, bytes.size, known[i].ciphertext);
        ck_assert_int_eq(read_into(&sides[1 - i % 2], bytes), ST_OK);
    }
}

START_TEST(noise_messages_and_hash_are_the_published_ones)
{
    struct noise_cipher senders[2];
    struct noise_cipher receivers[2];
    const struct slice no_ad = {NULL, 0};
    uint8_t hash[HASH_SIZE];

    exchange(NOISE_MESSAGES);
    for (unsigned side = 0; side < 2; side++) {
        noise_split(&sides[side], &senders[side], &receivers[side], hash);
        hex_expect(hash, sizeof hash, handshake_hash_hex);
        ck_assert_int_eq(sides[side].state, NOISE_FAILED);
        ck_assert(sodium_is_zero(sides[side].chaining_key, HASH_SIZE));
        ck_assert(sodium_is_zero(sides[side].static_secret, KEY_SIZE));
    }
    for (unsigned i = NOISE_MESSAGES; i < sizeof known / sizeof known[0]; i++) {
        size_t size = hex_decode(payload, sizeof payload, known[i].payload);

        ck_assert_int_eq(noise_seal(&senders[i % 2], message, no_ad,
                                    slice_of(payload, size)),
                         ST_OK);
        hex_expect(message, size + AEAD_TAG_SIZE, known[i].ciphertext);
        ck_assert_int_eq(noise_open(&receivers[1 - i % 2], payload, no_ad,
                                    slice_of(message, size + AEAD_TAG_SIZE)),
                         ST_OK);
        hex_expect(payload, size, known[i].payload);
    }
}
END_TEST

START_TEST(noise_writes_alternate_from_the_initiator)
{
    begin();
    ck_assert(noise_writes_next(&sides[0]));
    ck_assert(!noise_writes_next(&sides[1]));
    exchange(1);
    ck_assert(!noise_writes_next(&sides[0]));
    ck_assert(noise_writes_next(&sides[1]));
    exchange(3);
    ck_assert(!noise_writes_next(&sides[0]));
    ck_assert(!noise_writes_next(&sides[1]));
}
END_TEST

START_TEST(noise_message_cut_or_lengthened_fails_and_wipes)
{
    for (unsigned number = 0; number < NOISE_MESSAGES; number++) {
        struct noise reader;
        struct slice bytes;

        exchange(number);
        reader = sides[1 - number % 2];
        bytes = write_known(number);
        for (size_t size = 0; size <= bytes.size + 1; size++) {
            struct noise fresh = reader;
            enum status status = read_into(&fresh, slice_of(message, size));

            if (size == bytes.size)
                continue;
            /* Message 1 has no tag yet: a payload may have any length. */
            if (number == 0 && size >= KEY_SIZE) {
                ck_assert_int_eq(status, ST_OK);
                continue;
            }
            ck_assert_int_eq(status, ST_HANDSHAKE);
            ck_assert_int_eq(fresh.state, NOISE_FAILED);
            ck_assert(sodium_is_zero(fresh.ephemeral_secret, KEY_SIZE));
            ck_assert_int_eq(read_into(&fresh, bytes), ST_HANDSHAKE);
        }
    }
}
END_TEST

START_TEST(noise_message_with_any_bit_flipped_fails)
{
    for (unsigned number = 1; number < NOISE_MESSAGES; number++) {
        struct noise reader;
        struct slice bytes;

        exchange(number);
        reader = sides[1 - number % 2];
        bytes = write_known(number);
        for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
            struct noise fresh = reader;

            message[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_int_eq(read_into(&fresh, bytes), ST_HANDSHAKE);
            message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}
END_TEST

static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

START_TEST(noise_fails_on_either_side_for_keys_whose_product_is_zero)
{
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        struct writer out;
        struct slice bytes;

        /* Initiator's e: seen by the responder when it mixes ee. */
        begin();
        hex_decode(message, KEY_SIZE, small_order[i]);
        ck_assert_int_eq(read_into(&sides[1], slice_of(message, KEY_SIZE)),
                         ST_OK);
        writer_init(&out, message, sizeof message);
        ck_assert_int_eq(noise_write(&sides[1], &out, (struct slice){NULL, 0}),
                         ST_HANDSHAKE);
        ck_assert_int_eq(sides[1].state, NOISE_FAILED);
        /* Responder's e: seen by the initiator. */
        exchange(1);
        bytes = write_known(1);
        hex_decode(message, KEY_SIZE, small_order[i]);
        ck_assert_int_eq(read_into(&sides[0], bytes), ST_HANDSHAKE);
        ck_assert_int_eq(sides[0].state, NOISE_FAILED);
        /* Initiator's s, encrypted: seen by the responder when it mixes se. */
        exchange(2);
        hex_decode(sides[0].static_public, KEY_SIZE, small_order[i]);
        bytes = write_known(2);
        ck_assert_int_eq(read_into(&sides[1], bytes), ST_HANDSHAKE);
        ck_assert_int_eq(sides[1].state, NOISE_FAILED);
    }
}
END_TEST

START_TEST(noise_needs_room_for_what_it_writes_and_reads)
{
    struct writer out;
    struct slice bytes;

    exchange(1);
    writer_init(&out, message, 60);
    ck_assert_int_eq(noise_write(&sides[1], &out, slice_of("payload", 7)),
                     ST_TOO_LARGE);
    ck_assert_int_eq(sides[1].state, NOISE_FAILED);
    exchange(1);
    bytes = write_known(1);
    writer_init(&out, payload, 3);
    ck_assert_int_eq(noise_read(&sides[0], &out, bytes), ST_TOO_LARGE);
    ck_assert_int_eq(sides[0].state, NOISE_FAILED);
}
END_TEST

START_TEST(noise_cipher_opens_with_its_own_counter_and_data_only)
{
    struct noise_cipher sender = {{1}, 5};
    struct noise_cipher receiver = sender;
    uint8_t sealed[4 + AEAD_TAG_SIZE];
    uint8_t plain[4];

    ck_assert_int_eq(
        noise_seal(&sender, sealed, slice_of("ad", 2), slice_of("text", 4)),
        ST_OK);
    ck_assert_int_eq(noise_open(&receiver, plain, slice_of("da", 2),
                                slice_of(sealed, sizeof sealed)),
                     ST_DECRYPT);
    ck_assert_int_eq(noise_open(&receiver, plain, slice_of("ad", 2),
                                slice_of(sealed, AEAD_TAG_SIZE - 1)),
                     ST_DECRYPT);
    ck_assert_uint_eq(receiver.n, 5);
    ck_assert_int_eq(noise_open(&receiver, plain, slice_of("ad", 2),
                                slice_of(sealed, sizeof sealed)),
                     ST_OK);
    ck_assert_uint_eq(receiver.n, 6);
    ck_assert_mem_eq(plain, "text", 4);
}
END_TEST

SUITE_MAIN("noise", noise_messages_and_hash_are_the_published_ones,
           noise_writes_alternate_from_the_initiator,
           noise_message_cut_or_lengthened_fails_and_wipes,
           noise_message_with_any_bit_flipped_fails,
           noise_fails_on_either_side_for_keys_whose_product_is_zero,
           noise_needs_room_for_what_it_writes_and_reads,
           noise_cipher_opens_with_its_own_counter_and_data_only)
