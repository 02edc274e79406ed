/* ctest-label: threads
 * ctest-timeout: 300
 * Signed commands that are refused before they get a place in the log: the
 * code, and that the connection lives. */
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire;
static struct wire_command command;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
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

START_TEST(D75_another_envelope_version_is_300)
{
    static const uint16_t versions[] = {0, 2, 0xffff};

    begin();
    for (size_t i = 0; i < 3; i++) {
        struct slice body = good();
        store_u16(bytes(), versions[i]);
        node_expect_error(&wire, body, ST_ENV_VERSION);
    }
    expect_good();
}
END_TEST

START_TEST(D76_an_unknown_flag_of_the_envelope_is_108_and_refuses)
{
    static const uint16_t flags[] = {4, 8, 0x8000, 0xffff};

    begin();
    for (size_t i = 0; i < 4; i++) {
        struct slice body = good();
        store_u16(bytes() + 2, flags[i]);
        node_expect_error(&wire, body, ST_RESERVED);
    }
    expect_good();
}
END_TEST

START_TEST(D77_item_counts_that_do_not_fit_are_312)
{
    static const uint16_t counts[] = {0, 2, ITEMS_MAX_PERSON,
                                      ITEMS_MAX_PERSON + 1, 257};

    begin();
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct slice body = good();
        store_u16(bytes() + 4, counts[i]);
        node_expect_error(&wire, body, ST_ITEMS);
    }
    expect_good();
}
END_TEST

START_TEST(D78_a_body_length_that_is_not_the_frames_is_313)
{
    begin();
    for (int difference = -1; difference <= 1; difference += 2) {
        struct slice body = good();
        uint32_t size = load_u32(bytes() + 52);
        store_u32(bytes() + 52, (uint32_t)((int)size + difference));
        node_expect_error(&wire, body, ST_LENGTH);
    }
    struct slice body = good();
    store_u32(bytes() + 52, 0xffffffff);
    node_expect_error(&wire, body, ST_LENGTH);
    expect_good();
}
END_TEST

START_TEST(D79_item_lengths_that_do_not_fit_are_313)
{
    enum { AT = COMMAND_HEADER_SIZE + SIGNATURE_SIZE + 4 };
    struct slice body;
    uint32_t size;

    begin();
    body = good();
    size = load_u32(bytes() + AT);
    const uint32_t lengths[] = {0, 47, size + 1, size - 1, 0xffffffff};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        body = good();
        store_u32(bytes() + AT, lengths[i]);
        node_expect_error(&wire, body, ST_LENGTH);
    }
    body = good(); /* The last item is a byte short, and all lengths agree. */
    body.size--;
    store_u32(bytes() + 52, load_u32(bytes() + 52) - 1);
    node_expect_error(&wire, body, ST_LENGTH);
    expect_good();
}
END_TEST

START_TEST(D80_another_realm_or_environment_is_310)
{
    static const uint8_t realms[] = {'X', 'p', 'r', 1, 255};

    begin();
    for (size_t i = 0; i < sizeof realms; i++) {
        struct slice body = good();
        bytes()[6] = realms[i];
        node_expect_error(&wire, body, ST_WRONG_ENV);
    }
    struct slice body = good();
    bytes()[7] ^= 1;
    node_expect_error(&wire, body, ST_WRONG_ENV);
    expect_good();
}
END_TEST

START_TEST(realm_zero_is_310_where_the_operation_is_not_the_systems)
{
    struct slice body;

    begin();
    body = good();
    bytes()[6] = 0;
    node_expect_error(&wire, body, ST_WRONG_ENV);
    expect_good();
}
END_TEST

START_TEST(D81_an_empty_idem_or_time_to_live_is_301_and_a_long_one_307)
{
    struct slice body;

    begin();
    body = good();
    memset(bytes() + 24, 0, IDEM_SIZE);
    node_expect_error(&wire, body, ST_ENV_FIELD);
    body = good();
    store_u32(bytes() + 48, 0);
    node_expect_error(&wire, body, ST_ENV_FIELD);
    body = good();
    store_u32(bytes() + 48, TTL_S_MAX + 1);
    node_expect_error(&wire, body, ST_TTL);
    body = good();
    store_u64(bytes() + 40, (UINT64_C(1) << 62) + 1);
    node_expect_error(&wire, body, ST_ENV_FIELD);
    body = good();
    store_u64(bytes() + 40, UINT64_MAX);
    node_expect_error(&wire, body, ST_ENV_FIELD);
    body = good();
    store_u64(bytes() + 56, UINT64_C(1) << 63);
    node_expect_error(&wire, body, ST_ENV_FIELD);
    expect_good();
}
END_TEST

START_TEST(a_command_over_the_entry_limit_is_105)
{
    static uint8_t fields[ENTRY_SIZE_MAX];

    begin();
    wire_command_begin(&command, fixture.cluster_id);
    wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                       slice_of(fields, ENTRY_SIZE_MAX - ENTRY_FIXED_SIZE -
                                            ENTRY_ITEM_GROWTH - ITEM_SIZE_MIN));
    struct slice body = wire_command_sign(&command, own());
    /* As much as fits is judged by its fields; one byte more is not. */
    node_expect_error(&wire, body, ST_UNKNOWN_FIELD);
    body.size++;
    node_expect_error(&wire, body, ST_TOO_LARGE);
    expect_good();
}
END_TEST

ROW_SUITE_MAIN("bad_envelopes", &fixture, open_node, close_node,
               D75_another_envelope_version_is_300,
               D76_an_unknown_flag_of_the_envelope_is_108_and_refuses,
               D77_item_counts_that_do_not_fit_are_312,
               D78_a_body_length_that_is_not_the_frames_is_313,
               D79_item_lengths_that_do_not_fit_are_313,
               D80_another_realm_or_environment_is_310,
               realm_zero_is_310_where_the_operation_is_not_the_systems,
               D81_an_empty_idem_or_time_to_live_is_301_and_a_long_one_307,
               a_command_over_the_entry_limit_is_105)
