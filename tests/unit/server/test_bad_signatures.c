/* ctest-label: threads
 * ctest-timeout: 300
 * Commands whose signature does not bind them: 303, 304 and their strikes. */
#include <sodium.h>

#include "protocol/tags.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire;
static struct wire_command command;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

static const struct identity *own(void)
{
    return node_fixture_own(&fixture);
}

static struct slice good(void)
{
    return wire_command_ping(&command, fixture.cluster_id, own(), "good");
}

/* The body may be changed where it lies. */
static uint8_t *bytes(void)
{
    return command.buffer;
}

static void begin(void)
{
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
}

/* A good command is still taken on this connection. */
static void expect_good(void)
{
    static struct wire_answer answer;

    wire_send_command(&wire, good());
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_OK);
}

START_TEST(D82_a_flipped_bit_under_the_signature_is_303)
{
    /* idem, signed_at, ttl (300 to 301), counter, RECEIPT; R and S of the
     * signature; opcode, duty, purpose, subject, expect_version, salt and
     * fields of the item. */
    static const size_t places[] = {24,       40,       48,       56,
                                    2,        64,       64 + 31,  64 + 32,
                                    64 + 62,  128,      128 + 8,  128 + 12,
                                    128 + 16, 128 + 24, 128 + 32, 128 + 51};

    begin();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct slice body = good();
        ck_assert_uint_lt(places[i], body.size);
        bytes()[places[i]] ^= 1;
        node_expect_error(&wire, body, ST_BAD_SIG);
    }
    ck_assert_uint_le(sizeof places / sizeof places[0], STRIKES_MAX);
    expect_good();
}
END_TEST

START_TEST(D82_a_command_for_another_cluster_is_303)
{
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct op_system_ping ping = {.text = slice_of("other", 5)};

    begin();
    memcpy(cluster_id, fixture.cluster_id, CLUSTER_ID_SIZE);
    cluster_id[15] ^= 1; /* The first byte is in the header. */
    wire_command_begin(&command, cluster_id);
    wire_command_item(&command, OPCODE_SYSTEM_PING, &ping);
    node_expect_error(&wire, wire_command_sign(&command, own()), ST_BAD_SIG);
    expect_good();
}
END_TEST

START_TEST(D83_a_signature_with_S_above_the_order_is_303)
{
    static const uint8_t order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
        0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    struct slice body;
    unsigned carry = 0;

    begin();
    body = good();
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)bytes()[96 + i] + order[i];
        bytes()[96 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    node_expect_error(&wire, body, ST_BAD_SIG);
    expect_good();
}
END_TEST

START_TEST(D84_degenerate_signatures_are_303)
{
    static const uint8_t one[32] = {1};
    uint8_t noncanonical[32];
    struct slice body;

    begin();
    memset(noncanonical, 0xff, sizeof noncanonical);
    noncanonical[0] = 0xee; /* p + 1 */
    noncanonical[31] = 0x7f;
    body = good();
    memset(bytes() + 64, 0, SIGNATURE_SIZE);
    node_expect_error(&wire, body, ST_BAD_SIG);
    body = good();
    memcpy(bytes() + 64, one, sizeof one);
    node_expect_error(&wire, body, ST_BAD_SIG);
    body = good();
    memcpy(bytes() + 64, noncanonical, sizeof noncanonical);
    node_expect_error(&wire, body, ST_BAD_SIG);
    expect_good();
}
END_TEST

/* A signature over what the command signs, under the tag of something else. */
START_TEST(D85_a_signature_made_under_another_tag_is_303)
{
    static const enum tag others[] = {TAG_RECEIPT, TAG_AUTH};
    struct command parsed;
    static struct command_item items[ITEMS_MAX];
    struct command_policy policy = {
        .registry = true, .ttl_s_max = TTL_S_MAX, .items_max = ITEMS_MAX};

    policy.env_tag = fixture.cluster_id[0];
    begin();
    for (size_t i = 0; i < 2; i++) {
        struct slice body = good();
        ck_assert_int_eq(command_decode(&parsed, items, body, &policy), ST_OK);
        command_digest(&parsed, fixture.cluster_id);
        identity_sign(own(), bytes() + COMMAND_HEADER_SIZE, others[i], NULL,
                      parsed.signed_bytes + TAG_SIZE,
                      COMMAND_SIGNED_SIZE - TAG_SIZE);
        node_expect_error(&wire, body, ST_BAD_SIG);
    }
    expect_good();
}
END_TEST

START_TEST(D86_an_Ed25519ph_signature_is_303)
{
    struct command parsed;
    static struct command_item items[ITEMS_MAX];
    struct command_policy policy = {
        .registry = true, .ttl_s_max = TTL_S_MAX, .items_max = ITEMS_MAX};
    crypto_sign_state state;
    struct slice body;

    policy.env_tag = fixture.cluster_id[0];
    begin();
    body = good();
    ck_assert_int_eq(command_decode(&parsed, items, body, &policy), ST_OK);
    command_digest(&parsed, fixture.cluster_id);
    crypto_sign_init(&state);
    crypto_sign_update(&state, parsed.signed_bytes, COMMAND_SIGNED_SIZE);
    crypto_sign_final_create(&state, bytes() + COMMAND_HEADER_SIZE, NULL,
                             own()->secret);
    node_expect_error(&wire, body, ST_BAD_SIG);
    expect_good();
}
END_TEST

START_TEST(D87_a_signature_of_one_key_under_the_number_of_another_is_303)
{
    struct slice body;

    begin();
    body = good();
    memcpy(bytes() + 8, fixture.operator.key_id, KEY_ID_SIZE);
    node_expect_error(&wire, body, ST_BAD_SIG);
    expect_good();
}
END_TEST

START_TEST(an_unknown_signer_is_302)
{
    struct slice body;

    begin();
    body = good();
    bytes()[8] ^= 1;
    node_expect_error(&wire, body, ST_STALE_KEY);
    expect_good();
}
END_TEST

START_TEST(D88_a_signer_other_than_the_session_is_304)
{
    begin();
    node_expect_error(&wire,
                      wire_command_ping(&command, fixture.cluster_id,
                                        &fixture.user, "carried"),
                      ST_NOT_CARRIER);
    expect_good();
}
END_TEST

/* Two pings; the second has a longer text. */
static struct slice two_items(void)
{
    struct op_system_ping ping = {.text = slice_of("one!", 4)};

    wire_command_begin(&command, fixture.cluster_id);
    wire_command_item(&command, OPCODE_SYSTEM_PING, &ping);
    ping.text = slice_of("two!", 4);
    wire_command_item(&command, OPCODE_SYSTEM_PING, &ping);
    return wire_command_sign(&command, own());
}

START_TEST(D89_reordered_items_are_303)
{
    enum { FIRST = COMMAND_HEADER_SIZE + SIGNATURE_SIZE, MAX = 128 };
    uint8_t first[MAX];
    struct slice body;
    size_t size;

    begin();
    body = two_items();
    size = (body.size - FIRST) / 2;
    ck_assert_uint_le(size, MAX);
    memcpy(first, bytes() + FIRST, size);
    memmove(bytes() + FIRST, bytes() + FIRST + size, size);
    memcpy(bytes() + FIRST + size, first, size);
    node_expect_error(&wire, body, ST_BAD_SIG);
    expect_good();
}
END_TEST

START_TEST(D90_an_item_replaced_by_one_of_its_length_is_303)
{
    enum { FIRST = COMMAND_HEADER_SIZE + SIGNATURE_SIZE };
    struct slice body;
    size_t size;

    begin();
    body = two_items();
    size = (body.size - FIRST) / 2;
    memcpy(bytes() + FIRST + size, bytes() + FIRST, size);
    node_expect_error(&wire, body, ST_BAD_SIG);
    expect_good();
}
END_TEST

START_TEST(D91_the_17th_bad_signature_in_a_minute_is_605_and_closes)
{
    struct slice body;

    begin();
    for (int i = 0; i < STRIKES_MAX; i++) {
        body = good();
        bytes()[64] ^= 1;
        node_expect_error(&wire, body, ST_BAD_SIG);
    }
    body = good();
    bytes()[64] ^= 1;
    wire_send_command(&wire, body);
    node_expect_end(&wire, ST_LIMIT);
    /* The key is shut out for a while; the others are not. */
    ck_assert(!wire_login(&wire, fixture.port, fixture.authority.public_key,
                          own(), ROLE_STAFF));
    wire_close(&wire);
    node_fixture_serves(&fixture);
}
END_TEST

ROW_SUITE_MAIN("bad_signatures", &fixture, open_node, close_node,
               D82_a_flipped_bit_under_the_signature_is_303,
               D82_a_command_for_another_cluster_is_303,
               D83_a_signature_with_S_above_the_order_is_303,
               D84_degenerate_signatures_are_303,
               D85_a_signature_made_under_another_tag_is_303,
               D86_an_Ed25519ph_signature_is_303,
               D87_a_signature_of_one_key_under_the_number_of_another_is_303,
               an_unknown_signer_is_302,
               D88_a_signer_other_than_the_session_is_304,
               D89_reordered_items_are_303,
               D90_an_item_replaced_by_one_of_its_length_is_303,
               D91_the_17th_bad_signature_in_a_minute_is_605_and_closes)
