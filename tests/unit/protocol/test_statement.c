#include "protocol/statement.h"

#include "tests/lib/config_sample.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static const char golden_hex[] =
    "01001000010000000700000000000000487476fe07ebf7727d2715e579e3df0a11111111"
    "111111111111111111111111424242424242424242424242424242420200000000000000"
    "0100000006000000fadb0edf4197df004a294e2e60592cf729abdfb1618a3cee34076c93"
    "10b030fee803000000000000555555555555555555555555555555555555555555555555"
    "5555555555555555e60300000000000040222246484706005a5a5a5a5a5a5a5a5a5a5a5a"
    "5a5a5a5a0300000000000000e7030000000000000ab7bd47c4db7977aef5803d706fe61e"
    "c9c1a67d7061d6d1ae9cc31724603d132db1ca5be14f7c3f4b1457fac90fe7740a7c7f53"
    "b2ab6a098d0076e0e579bd00";

static struct sample_config older;
static struct statement statement;
static struct identity node;
static uint8_t bytes[STATEMENT_SIZE];

static void begin(void)
{
    sample_config_pair(&older);
    sample_statement(&statement, &older);
    sample_identity(&node, 5);
    statement_sign(bytes, &statement, &node);
}

static enum status read_again(void)
{
    struct statement read;

    return statement_read(&read, slice_of(bytes, sizeof bytes),
                          node.public_key);
}

START_TEST(statement_is_the_published_bytes)
{
    struct statement read;

    begin();
    hex_expect(bytes, sizeof bytes, golden_hex);
    ck_assert_int_eq(
        statement_read(&read, slice_of(bytes, sizeof bytes), node.public_key),
        ST_OK);
    ck_assert_mem_eq(&read, &statement, sizeof read);
}
END_TEST

START_TEST(statement_with_any_bit_flipped_is_refused)
{
    begin();
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(read_again(), ST_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    node.public_key[3] ^= 1;
    ck_assert_int_eq(read_again(), ST_BAD_SIG);
}
END_TEST

START_TEST(statement_of_another_length_is_refused)
{
    uint8_t longer[STATEMENT_SIZE + 1] = {0};
    struct statement read;

    begin();
    memcpy(longer, bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof longer; size++) {
        if (size != STATEMENT_SIZE)
            ck_assert_int_eq(
                statement_read(&read, slice_of(longer, size), node.public_key),
                ST_FILE_FORMAT);
    }
}
END_TEST

START_TEST(statement_of_an_unknown_form_is_refused_before_its_signature)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 2},  {2, 0x30}, {3, 1}, {76, CONFIG_WHY_MAX + 1},
                   {77, 1}, {79, 1}};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        begin();
        bytes[changes[i].at] = changes[i].value;
        ck_assert_int_eq(read_again(), ST_FILE_FORMAT);
    }
    begin();
    memset(bytes + 112, 0, 8); /* No entry, and yet a leaf. */
    ck_assert_int_eq(read_again(), ST_FILE_FORMAT);
}
END_TEST

START_TEST(request_is_the_operators_fresh_and_unchanged)
{
    struct statement_request request = {.why = CONFIG_ADD,
                                        .time_us = SAMPLE_SIGNED_AT};
    struct statement_request read;
    struct identity operator_key;
    uint8_t asked[STATEMENT_REQUEST_SIZE + 1] = {0};
    struct slice slice = slice_of(asked, STATEMENT_REQUEST_SIZE);
    int64_t most = (int64_t)STATEMENT_REQUEST_AGE_S_MAX * 1000000;

    begin();
    sample_identity(&operator_key, 4);
    memcpy(request.asked, sample_node('A'), NODE_ID_SIZE);
    memcpy(request.about, sample_node('B'), NODE_ID_SIZE);
    statement_request_sign(asked, &request, &operator_key);
    ck_assert_int_eq(statement_request_read(&read, slice,
                                            operator_key.public_key,
                                            SAMPLE_SIGNED_AT + most),
                     ST_OK);
    ck_assert_mem_eq(&read, &request, sizeof read);
    ck_assert_int_eq(statement_request_read(&read, slice,
                                            operator_key.public_key,
                                            SAMPLE_SIGNED_AT + most + 1),
                     ST_EXPIRED);
    ck_assert_int_eq(statement_request_read(&read, slice,
                                            operator_key.public_key,
                                            SAMPLE_SIGNED_AT - most - 1),
                     ST_EXPIRED);
    ck_assert_int_eq(statement_request_read(&read, slice,
                                            operator_key.public_key, INT64_MIN),
                     ST_EXPIRED);
    ck_assert_int_eq(
        statement_request_read(&read, slice, node.public_key, SAMPLE_SIGNED_AT),
        ST_BAD_SIG);
    for (size_t size = 0; size <= sizeof asked; size++) {
        if (size != STATEMENT_REQUEST_SIZE)
            ck_assert_int_eq(statement_request_read(&read,
                                                    slice_of(asked, size),
                                                    operator_key.public_key, 0),
                             ST_FILE_FORMAT);
    }
    for (size_t bit = 0; bit < 8 * slice.size; bit++) {
        asked[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(statement_request_read(&read, slice,
                                                operator_key.public_key,
                                                SAMPLE_SIGNED_AT),
                         ST_OK);
        asked[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

SUITE_MAIN("statement", statement_is_the_published_bytes,
           statement_with_any_bit_flipped_is_refused,
           statement_of_another_length_is_refused,
           statement_of_an_unknown_form_is_refused_before_its_signature,
           request_is_the_operators_fresh_and_unchanged)
