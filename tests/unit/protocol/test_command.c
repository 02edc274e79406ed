#include "protocol/command.h"

#include <stdlib.h>

#include "tests/lib/hex.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

enum { FIXED_SIZE = COMMAND_HEADER_SIZE + SIGNATURE_SIZE };

static uint8_t buffer[SAMPLE_BODY_SIZE_MAX];
static struct command_item items[ITEMS_MAX];

/* Decodes, digests and verifies as the server does; the first failure. */
static enum status take(struct command *command, struct slice body)
{
    struct command_policy policy = sample_policy();
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    enum status status = command_decode(command, items, body, &policy);

    if (status != ST_OK)
        return status;
    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    command_digest(command, cluster_id);
    return command_verify(command, user.public_key);
}

static enum status decode_only(struct slice body)
{
    struct command command;
    struct command_policy policy = sample_policy();

    return command_decode(&command, items, body, &policy);
}

START_TEST(command_of_one_item_is_the_published_bytes)
{
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);

    hex_expect(body.data, body.size, sample_single_hex);
}
END_TEST

START_TEST(command_decodes_to_what_was_signed)
{
    struct slice body = sample_command(buffer, sizeof buffer, 3, 0x56);
    struct command command;

    ck_assert_int_eq(take(&command, body), ST_OK);
    ck_assert_uint_eq(command.header.flags, COMMAND_FLAG_RECEIPT);
    ck_assert_uint_eq(command.header.items_count, 3);
    ck_assert_uint_eq(command.header.realm, REALM_REGISTRY);
    ck_assert_uint_eq(command.header.env_tag, 0x48);
    ck_assert_int_eq(command.header.signed_at, SAMPLE_SIGNED_AT);
    ck_assert_uint_eq(command.header.ttl_s, 300);
    ck_assert_uint_eq(command.header.body_size, 174);
    ck_assert_uint_eq(command.header.counter, 0);
    ck_assert_uint_eq(command_peek_opcode(body), 0x0101);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(items[i].clear_part.opcode, 0x0101);
        ck_assert_uint_eq(items[i].clear_part.version, 1);
        ck_assert_uint_eq(items[i].clear_part.duty, 7);
        ck_assert_uint_eq(items[i].clear_part.purpose, 3);
        ck_assert_uint_eq(items[i].clear_part.subject, 1000 + i);
        ck_assert_uint_eq(items[i].fields.size, SAMPLE_FIELDS_SIZE);
        ck_assert_uint_eq(items[i].secret.data[0], 0xa0 + i);
    }
    hex_expect(
        command.hash, HASH_SIZE,
        "0b7f3f9909ea0b40d455fb7ef0aa5555d2dac308dee81c8f87f68f52e822226d");
    hex_expect(
        command.signed_bytes + 96, HASH_SIZE,
        "f3d07124d582bdeadbbf71a2ca7c63e142a3affcae235df7f1e25ebe60ca109c");
}
END_TEST

START_TEST(command_is_refused_at_every_truncation)
{
    struct slice body = sample_command(buffer, sizeof buffer, 3, 0x56);

    for (size_t size = 0; size < body.size; size++) {
        /* A block of its own size, so that a sanitizer sees a step too far. */
        uint8_t *cut = malloc(size + 1);

        ck_assert_ptr_nonnull(cut);
        memcpy(cut, body.data, size);
        ck_assert_int_eq(decode_only((struct slice){cut, size}),
                         size < FIXED_SIZE ? ST_FRAME : ST_LENGTH);
        free(cut);
    }
}
END_TEST

START_TEST(command_with_a_trailing_byte_is_refused)
{
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);

    buffer[body.size] = 0;
    ck_assert_int_eq(decode_only(slice_of(buffer, body.size + 1)), ST_LENGTH);
    store_u32(buffer + 52, 59);
    ck_assert_int_eq(decode_only(slice_of(buffer, body.size + 1)), ST_LENGTH);
}
END_TEST

START_TEST(command_is_refused_with_any_bit_flipped)
{
    struct slice body = sample_command(buffer, sizeof buffer, 2, 0x55);
    struct command command;

    for (size_t bit = 0; bit < 8 * body.size; bit++) {
        buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(take(&command, body), ST_OK);
        buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(take(&command, body), ST_OK);
}
END_TEST

/* One header field spoilt, and the status it must give (D75 to D81). */
static const struct header_case {
    size_t offset;
    size_t size;
    uint64_t value;
    enum status status;
} header_cases[] = {
    {0, 2, 0, ST_ENV_VERSION},
    {0, 2, 2, ST_ENV_VERSION},
    {2, 2, 4, ST_RESERVED},
    {2, 2, 0x8001, ST_RESERVED},
    {4, 2, 0, ST_ITEMS},
    {4, 2, 2, ST_ITEMS},
    {4, 2, 257, ST_ITEMS},
    {4, 2, 65535, ST_TOO_LARGE},
    {6, 1, 'X', ST_WRONG_ENV},
    {6, 1, 0, ST_WRONG_ENV},
    {7, 1, 0x49, ST_WRONG_ENV},
    {40, 8, UINT64_MAX, ST_ENV_FIELD},
    {40, 8, ((uint64_t)1 << 62) + 1, ST_ENV_FIELD},
    {40, 8, (uint64_t)1 << 62, ST_OK},
    {48, 4, 0, ST_ENV_FIELD},
    {48, 4, 900, ST_OK},
    {48, 4, 901, ST_TTL},
    {56, 8, INT64_MAX, ST_OK},
    {56, 8, (uint64_t)1 << 63, ST_ENV_FIELD},
    {56, 8, UINT64_MAX, ST_ENV_FIELD},
    {52, 4, 57, ST_LENGTH},
    {52, 4, 59, ST_LENGTH},
    {52, 4, UINT32_MAX, ST_LENGTH},
    {128 + 4, 4, 47, ST_LENGTH},
    {128 + 4, 4, 0, ST_LENGTH},
    {128 + 4, 4, 57, ST_LENGTH},
    {128 + 4, 4, 59, ST_LENGTH},
    {128 + 4, 4, UINT32_MAX, ST_LENGTH},
};

START_TEST(command_header_faults_have_each_their_status)
{
    for (size_t i = 0; i < sizeof header_cases / sizeof header_cases[0]; i++) {
        const struct header_case *c = &header_cases[i];
        struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);

        memcpy(buffer + c->offset, &c->value, c->size);
        ck_assert_msg(decode_only(body) == c->status, "case %zu gives %s", i,
                      status_name(decode_only(body)));
    }
}
END_TEST

START_TEST(command_with_an_idem_of_zeros_is_refused)
{
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0);

    ck_assert_int_eq(decode_only(body), ST_ENV_FIELD);
}
END_TEST

START_TEST(command_faults_are_named_in_the_normative_order)
{
    static const struct {
        size_t offset;
        size_t size;
        uint64_t value;
        enum status status;
    } steps[] = {
        {128 + 4, 4, 1, ST_LENGTH},
        {4, 2, 300, ST_ITEMS},
        {48, 4, 5000, ST_TTL},
        {6, 1, 'X', ST_WRONG_ENV},
        {40, 8, UINT64_MAX, ST_ENV_FIELD},
        {2, 2, 0xff00, ST_RESERVED},
        {0, 2, 9, ST_ENV_VERSION},
        {52, 4, 1, ST_LENGTH},
        {4, 2, UINT16_MAX, ST_TOO_LARGE},
    };
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);

    /* Each fault added comes before all that are there already. */
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        memcpy(buffer + steps[i].offset, &steps[i].value, steps[i].size);
        ck_assert_msg(decode_only(body) == steps[i].status, "step %zu: %s", i,
                      status_name(decode_only(body)));
    }
    ck_assert_int_eq(decode_only(slice_of(buffer, FIXED_SIZE - 1)), ST_FRAME);
}
END_TEST

START_TEST(command_realms_are_served_as_the_policy_says)
{
    static const uint8_t realms[] = {REALM_PORTAL, REALM_REGISTRY,
                                     REALM_SYSTEM};

    for (unsigned served = 0; served < 8; served++) {
        for (unsigned i = 0; i < 3; i++) {
            struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);
            struct command_policy policy = sample_policy();
            struct command command;

            policy.portal = (served & 1) != 0;
            policy.registry = (served & 2) != 0;
            policy.system = (served & 4) != 0;
            buffer[6] = realms[i];
            ck_assert_int_eq(command_decode(&command, items, body, &policy),
                             (served >> i & 1) != 0 ? ST_OK : ST_WRONG_ENV);
        }
    }
}
END_TEST

START_TEST(command_items_are_limited_by_the_session_grant)
{
    struct command command;
    struct command_policy policy = sample_policy();
    struct slice body = sample_command(buffer, sizeof buffer, 17, 0x55);

    policy.items_max = ITEMS_MAX_PERSON;
    ck_assert_int_eq(command_decode(&command, items, body, &policy), ST_ITEMS);
    policy.items_max = 17;
    ck_assert_int_eq(command_decode(&command, items, body, &policy), ST_OK);
}
END_TEST

START_TEST(command_with_more_items_than_it_says_never_writes_past_the_array)
{
    struct command_policy policy = sample_policy();
    struct slice body = sample_command(buffer, sizeof buffer, 200, 0x55);
    struct command_item *room = malloc(2 * sizeof *room);
    struct command command;

    ck_assert_ptr_nonnull(room);
    store_u16(buffer + 4, 2);
    policy.items_max = 2;
    ck_assert_int_eq(command_decode(&command, room, body, &policy), ST_ITEMS);
    free(room);
}
END_TEST

START_TEST(command_that_would_outgrow_an_entry_is_too_large)
{
    size_t most = ENTRY_SIZE_MAX - ENTRY_FIXED_SIZE - ENTRY_ITEM_GROWTH;
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);

    (void)body;
    store_u32(buffer + 52, (uint32_t)most);
    store_u32(buffer + 128 + 4, (uint32_t)most);
    ck_assert_int_eq(decode_only(slice_of(buffer, FIXED_SIZE + most)), ST_OK);
    store_u32(buffer + 52, (uint32_t)most + 1);
    store_u32(buffer + 128 + 4, (uint32_t)most + 1);
    ck_assert_int_eq(decode_only(slice_of(buffer, FIXED_SIZE + most + 1)),
                     ST_TOO_LARGE);
}
END_TEST

/* Whatever its header says of them. */
START_TEST(command_is_too_large_by_the_bytes_that_follow_its_signature)
{
    size_t most = ENTRY_SIZE_MAX - ENTRY_FIXED_SIZE - ENTRY_ITEM_GROWTH;
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);

    ck_assert_int_eq(decode_only(slice_of(buffer, FIXED_SIZE + most + 1)),
                     ST_TOO_LARGE);
    ck_assert_int_eq(decode_only(slice_of(buffer, FIXED_SIZE + most)),
                     ST_LENGTH);
    store_u32(buffer + 52, (uint32_t)most + 1);
    ck_assert_int_eq(decode_only(body), ST_LENGTH);
}
END_TEST

START_TEST(command_of_the_most_items_is_taken)
{
    struct slice body = sample_command(buffer, sizeof buffer, ITEMS_MAX, 0x55);
    struct command command;

    ck_assert_int_eq(take(&command, body), ST_OK);
    ck_assert_uint_eq(command.header.items_count, ITEMS_MAX);
}
END_TEST

START_TEST(command_items_cannot_be_reordered_or_replaced)
{
    struct slice body = sample_command(buffer, sizeof buffer, 2, 0x55);
    struct command command;
    uint8_t item[58];

    memcpy(item, buffer + FIXED_SIZE, sizeof item);
    memmove(buffer + FIXED_SIZE, buffer + FIXED_SIZE + 58, 58);
    ck_assert_int_eq(take(&command, body), ST_BAD_SIG);
    memcpy(buffer + FIXED_SIZE + 58, item, sizeof item);
    ck_assert_int_eq(take(&command, body), ST_BAD_SIG);
}
END_TEST

START_TEST(command_of_one_key_does_not_verify_under_another)
{
    struct slice body = sample_command(buffer, sizeof buffer, 1, 0x55);
    struct command command;
    struct identity other;
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];

    ck_assert_int_eq(take(&command, body), ST_OK);
    sample_identity(&other, 3);
    sample_identity(&user, 2);
    ck_assert_int_eq(command_verify(&command, other.public_key), ST_BAD_SIG);
    /* The right key, named by another key's number. */
    memcpy(command.header.key_id, other.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(command_verify(&command, user.public_key), ST_BAD_SIG);
    ck_assert_int_eq(command_verify(&command, other.public_key), ST_BAD_SIG);
    memset(cluster_id, 0x48, sizeof cluster_id);
    memcpy(command.header.key_id, user.key_id, KEY_ID_SIZE);
    command_digest(&command, cluster_id);
    ck_assert_int_eq(command_verify(&command, user.public_key), ST_BAD_SIG);
}
END_TEST

START_TEST(command_builder_refuses_no_items_too_many_and_too_much)
{
    static uint8_t fields[ENTRY_SIZE_MAX + 1];
    struct command_build build;
    struct command_header header;
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t salt[SALT_SIZE] = {1};
    struct item_clear clear = {0x0101, 1, 0, 0, 0, 0, 0};
    struct slice body;
    size_t most =
        ENTRY_SIZE_MAX - ENTRY_FIXED_SIZE - ENTRY_ITEM_GROWTH - ITEM_SIZE_MIN;

    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    sample_header(&header, 1);
    command_build_begin(&build, buffer, sizeof buffer, &header);
    ck_assert_int_eq(command_build_sign(&build, &body, cluster_id, &user),
                     ST_ITEMS);
    for (unsigned i = 0; i <= ITEMS_MAX; i++)
        sample_item(&build, i);
    ck_assert_int_eq(command_build_sign(&build, &body, cluster_id, &user),
                     ST_ITEMS);
    for (size_t extra = 0; extra < 2; extra++) {
        command_build_begin(&build, buffer, sizeof buffer, &header);
        command_build_item(&build, &clear, salt,
                           slice_of(fields, most + extra));
        ck_assert_int_eq(command_build_sign(&build, &body, cluster_id, &user),
                         extra == 0 ? ST_OK : ST_TOO_LARGE);
    }
    command_build_begin(&build, buffer, sizeof buffer, &header);
    command_build_item(&build, &clear, salt, slice_of(fields, sizeof fields));
    ck_assert_int_eq(command_build_sign(&build, &body, cluster_id, &user),
                     ST_TOO_LARGE);
    command_build_begin(&build, buffer, FIXED_SIZE + 57, &header);
    sample_item(&build, 0);
    ck_assert_int_eq(command_build_sign(&build, &body, cluster_id, &user),
                     ST_TOO_LARGE);
}
END_TEST

START_TEST(command_items_are_shown_alone_by_their_path)
{
    static const unsigned counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 255, 256};

    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        static uint8_t leaves[ITEMS_MAX][HASH_SIZE];
        unsigned count = counts[c];
        struct slice body = sample_command(buffer, sizeof buffer, count, 0x55);
        struct command command;

        ck_assert_int_eq(take(&command, body), ST_OK);
        for (unsigned i = 0; i < count; i++)
            item_leaf_hash(leaves[i], items[i].clear, items[i].commitment);
        for (unsigned i = 0; i < count; i++) {
            uint8_t path[ITEM_PATH_MAX][HASH_SIZE];
            size_t hashes;

            command_path_make(path, &hashes, leaves, count, i);
            ck_assert_uint_le(hashes, ITEM_PATH_MAX);
            ck_assert_int_eq(command_path_check(leaves[i], i,
                                                command.signed_bytes, path,
                                                hashes),
                             ST_OK);
            ck_assert_int_eq(command_path_check(leaves[i], i + 1,
                                                command.signed_bytes, path,
                                                hashes),
                             ST_PROOF);
            leaves[i][0] ^= 1;
            ck_assert_int_eq(command_path_check(leaves[i], i,
                                                command.signed_bytes, path,
                                                hashes),
                             ST_PROOF);
            leaves[i][0] ^= 1;
        }
    }
}
END_TEST

START_TEST(command_path_of_more_than_eight_hashes_is_refused)
{
    uint8_t path[ITEM_PATH_MAX + 1][HASH_SIZE] = {{0}};
    uint8_t signed_bytes[COMMAND_SIGNED_SIZE] = {0};

    ck_assert_int_eq(
        command_path_check(path[0], 0, signed_bytes, path, ITEM_PATH_MAX + 1),
        ST_PROOF);
}
END_TEST

SUITE_MAIN("command", command_of_one_item_is_the_published_bytes,
           command_decodes_to_what_was_signed,
           command_is_refused_at_every_truncation,
           command_with_a_trailing_byte_is_refused,
           command_is_refused_with_any_bit_flipped,
           command_header_faults_have_each_their_status,
           command_with_an_idem_of_zeros_is_refused,
           command_faults_are_named_in_the_normative_order,
           command_realms_are_served_as_the_policy_says,
           command_items_are_limited_by_the_session_grant,
           command_with_more_items_than_it_says_never_writes_past_the_array,
           command_that_would_outgrow_an_entry_is_too_large,
           command_is_too_large_by_the_bytes_that_follow_its_signature,
           command_of_the_most_items_is_taken,
           command_items_cannot_be_reordered_or_replaced,
           command_of_one_key_does_not_verify_under_another,
           command_builder_refuses_no_items_too_many_and_too_much,
           command_items_are_shown_alone_by_their_path,
           command_path_of_more_than_eight_hashes_is_refused)
