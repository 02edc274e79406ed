#include "protocol/seal.h"

#include <sodium.h>

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

enum { FIELDS_SIZE = 21, SECRET_SIZE = SALT_SIZE + FIELDS_SIZE };

/* One stored item, sealed under ${key} unless ${number} is 0. */
struct stored {
    uint8_t bytes[ENTRY_ITEM_FIXED_SIZE + SECRET_SIZE + AEAD_TAG_SIZE];
    size_t size;
    uint8_t secret[SECRET_SIZE];
    uint8_t key[KEY_SIZE];
};

static void store(struct stored *stored, uint64_t number)
{
    struct item_clear clear = {
        0x0203,           4, ITEM_CLEAR_SIZE + SECRET_SIZE, 5, 6, 1234567891,
        UINT64_C(1) << 40};
    size_t data_size = SECRET_SIZE + (number == 0 ? 0u : AEAD_TAG_SIZE);

    ck_assert_int_ge(sodium_init(), 0);
    memset(stored->key, 0x42, sizeof stored->key);
    for (size_t i = 0; i < SECRET_SIZE; i++)
        stored->secret[i] = (uint8_t)(i * 7);
    item_clear_encode(stored->bytes, &clear);
    item_commitment(stored->bytes + 32, slice_of(stored->secret, SECRET_SIZE));
    store_u64(stored->bytes + 64, number);
    store_u32(stored->bytes + 72, (uint32_t)data_size);
    store_u32(stored->bytes + 76, 0);
    if (number == 0)
        memcpy(stored->bytes + 80, stored->secret, SECRET_SIZE);
    else
        seal_close(stored->bytes + 80, stored->key, stored->bytes,
                   stored->bytes + 32, slice_of(stored->secret, SECRET_SIZE));
    stored->size = 80 + data_size;
    ck_assert_uint_eq(item_stored_size(&clear, number != 0), stored->size);
}

START_TEST(seal_opens_to_what_was_sealed)
{
    struct stored stored;
    struct item item;
    uint8_t buffer[SECRET_SIZE];
    struct slice secret;

    store(&stored, 77);
    ck_assert_int_eq(item_decode(&item, slice_of(stored.bytes, stored.size)),
                     ST_OK);
    ck_assert_uint_eq(item.seal_key, 77);
    ck_assert_uint_eq(item.clear_part.opcode, 0x0203);
    ck_assert_uint_eq(item.clear_part.subject, 1234567891);
    ck_assert_uint_eq(item.clear_part.expect_version, UINT64_C(1) << 40);
    ck_assert_int_eq(
        seal_open(&secret, &item, stored.key, buffer, sizeof buffer), ST_OK);
    ck_assert_uint_eq(secret.size, SECRET_SIZE);
    ck_assert_mem_eq(secret.data, stored.secret, SECRET_SIZE);
    ck_assert_uint_eq(seal_fields(secret).size, FIELDS_SIZE);
    ck_assert_ptr_eq(seal_fields(secret).data, buffer + SALT_SIZE);
}
END_TEST

START_TEST(seal_of_an_open_item_needs_no_key)
{
    struct stored stored;
    struct item item;
    struct slice secret;

    store(&stored, 0);
    ck_assert_int_eq(item_decode(&item, slice_of(stored.bytes, stored.size)),
                     ST_OK);
    ck_assert_int_eq(item_check_open(&item), ST_OK);
    ck_assert_int_eq(seal_open(&secret, &item, NULL, NULL, 0), ST_OK);
    ck_assert_mem_eq(secret.data, stored.secret, SECRET_SIZE);
    ck_assert_uint_eq(item_fields(&item).size, FIELDS_SIZE);
    stored.bytes[stored.size - 1] ^= 1;
    ck_assert_int_eq(item_check_open(&item), ST_ENTRY_FORMED);
    ck_assert_int_eq(seal_open(&secret, &item, NULL, NULL, 0), ST_SEAL);
}
END_TEST

START_TEST(seal_does_not_open_with_any_bit_flipped_or_another_key)
{
    struct stored stored;
    struct item item;
    uint8_t buffer[SECRET_SIZE];
    struct slice secret;

    store(&stored, 77);
    for (size_t bit = 0; bit < 8 * stored.size; bit++) {
        enum status status;

        if (bit / 8 >= 64 && bit / 8 < 72)
            continue; /* The number of the key, not the key. */
        stored.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        status = item_decode(&item, slice_of(stored.bytes, stored.size));
        if (status == ST_OK)
            status =
                seal_open(&secret, &item, stored.key, buffer, sizeof buffer);
        ck_assert(status == ST_ENTRY_FORMED || status == ST_SEAL);
        stored.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(item_decode(&item, slice_of(stored.bytes, stored.size)),
                     ST_OK);
    stored.key[31] ^= 1;
    ck_assert_int_eq(
        seal_open(&secret, &item, stored.key, buffer, sizeof buffer), ST_SEAL);
}
END_TEST

/* Whoever holds the key may not pass off other contents as what was signed. */
START_TEST(seal_of_other_contents_under_the_right_key_is_refused_and_wiped)
{
    struct stored stored;
    struct item item;
    uint8_t buffer[SECRET_SIZE];
    uint8_t zeros[SECRET_SIZE] = {0};
    struct slice secret;

    store(&stored, 77);
    stored.secret[SALT_SIZE] ^= 1;
    seal_close(stored.bytes + 80, stored.key, stored.bytes, stored.bytes + 32,
               slice_of(stored.secret, SECRET_SIZE));
    ck_assert_int_eq(item_decode(&item, slice_of(stored.bytes, stored.size)),
                     ST_OK);
    memset(buffer, 0xff, sizeof buffer);
    ck_assert_int_eq(
        seal_open(&secret, &item, stored.key, buffer, sizeof buffer), ST_SEAL);
    ck_assert_mem_eq(buffer, zeros, sizeof buffer);
}
END_TEST

START_TEST(item_is_refused_truncated_or_with_a_trailing_byte)
{
    struct stored stored;
    struct item item;

    store(&stored, 77);
    for (size_t size = 0; size < stored.size; size++)
        ck_assert_int_eq(item_decode(&item, slice_of(stored.bytes, size)),
                         ST_ENTRY_FORMED);
    store(&stored, 0);
    stored.bytes[stored.size] = 0;
    ck_assert_int_eq(
        item_decode(&item, slice_of(stored.bytes, stored.size + 1)),
        ST_ENTRY_FORMED);
}
END_TEST

START_TEST(seal_result_salts_differ_by_key_index_and_item)
{
    uint8_t key[KEY_SIZE] = {1};
    uint8_t salt[SALT_SIZE];
    uint8_t other[SALT_SIZE];

    seal_result_salt(salt, key, 7, 2);
    /* HMAC-SHA-256 over "DFT1/result" padded, 7 as u64 and 2 as u16. */
    hex_expect(salt, sizeof salt, "44acbbe18be8660cf2a150fdfd83fcaa");
    seal_result_salt(other, key, 8, 2);
    ck_assert_mem_ne(salt, other, SALT_SIZE);
    seal_result_salt(other, key, 7, 3);
    ck_assert_mem_ne(salt, other, SALT_SIZE);
    key[0] = 2;
    seal_result_salt(other, key, 7, 2);
    ck_assert_mem_ne(salt, other, SALT_SIZE);
}
END_TEST

SUITE_MAIN("seal", seal_opens_to_what_was_sealed,
           seal_of_an_open_item_needs_no_key,
           seal_does_not_open_with_any_bit_flipped_or_another_key,
           seal_of_other_contents_under_the_right_key_is_refused_and_wiped,
           item_is_refused_truncated_or_with_a_trailing_byte,
           seal_result_salts_differ_by_key_index_and_item)
