/* ctest-label: threads
 * ctest-timeout: 300
 * The TLV tail of a frame, before and after login. */
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

/* A PING's TLV tail: before login the connection ends, afterwards it lives
 * unless the frame itself is malformed. */
static void expect_tail(enum node_expect_phase where, const void *tail,
                        size_t size, enum status status)
{
    node_expect_begin(&fixture, &wire, where);
    node_expect_ping(&wire, slice_of(tail, size));
    if (status == ST_OK) {
        node_expect_pong(&wire);
        wire_close(&wire);
    } else if (where == EXPECT_CHAN || status == ST_FRAME) {
        node_expect_end(&wire, status);
    } else {
        node_expect_refusal(&wire, status);
    }
}

static void expect_tail_everywhere(const void *tail, size_t size,
                                   enum status status)
{
    expect_tail(EXPECT_CHAN, tail, size, status);
    expect_tail(EXPECT_OPEN, tail, size, status);
}

START_TEST(D53_tags_out_of_order_are_405)
{
    static const uint8_t tail[] = {5, 0, 0, 0, 3, 0, 0, 0};

    expect_tail_everywhere(tail, sizeof tail, ST_FIELD_ORDER);
}
END_TEST

START_TEST(D54_a_tag_twice_is_405)
{
    static const uint8_t tail[] = {5, 0, 0, 0, 5, 0, 0, 0};

    expect_tail_everywhere(tail, sizeof tail, ST_FIELD_ORDER);
}
END_TEST

START_TEST(D55_a_tlv_beyond_the_frame_is_104)
{
    static const uint8_t tail[] = {5, 0, 2, 0, 1};
    static const uint8_t huge[] = {5, 0, 0xff, 0xff, 1};

    expect_tail_everywhere(tail, sizeof tail, ST_FRAME);
    expect_tail_everywhere(huge, sizeof huge, ST_FRAME);
    expect_tail_everywhere(tail, 1, ST_FRAME);
    expect_tail_everywhere(tail, 3, ST_FRAME);
}
END_TEST

START_TEST(D57_an_unknown_odd_tag_in_a_frame_is_passed_over)
{
    static const uint8_t tail[] = {5, 0, 2, 0, 1, 2, 0xff, 0xff, 0, 0};

    expect_tail_everywhere(tail, sizeof tail, ST_OK);
}
END_TEST

START_TEST(an_unknown_even_tag_in_a_frame_is_404)
{
    static const uint8_t tail[] = {6, 0, 0, 0};
    static const uint8_t zero[] = {0, 0, 0, 0};

    expect_tail_everywhere(tail, sizeof tail, ST_UNKNOWN_FIELD);
    expect_tail_everywhere(zero, sizeof zero, ST_UNKNOWN_FIELD);
}
END_TEST

START_TEST(D59_thirty_three_tlvs_are_105_and_thirty_two_are_not)
{
    uint8_t tail[33 * TLV_HEADER_SIZE];

    for (uint16_t i = 0; i < 33; i++) {
        store_u16(tail + i * TLV_HEADER_SIZE, (uint16_t)(2 * i + 1));
        store_u16(tail + i * TLV_HEADER_SIZE + 2, 0);
    }
    expect_tail(EXPECT_OPEN, tail, sizeof tail, ST_TOO_LARGE);
    expect_tail(EXPECT_OPEN, tail, sizeof tail - TLV_HEADER_SIZE, ST_OK);
    expect_tail(EXPECT_CHAN, tail, 9 * TLV_HEADER_SIZE, ST_TOO_LARGE);
    expect_tail(EXPECT_CHAN, tail, 8 * TLV_HEADER_SIZE, ST_OK);
}
END_TEST

ROW_SUITE_MAIN("bad_tlvs", &fixture, open_node, close_node,
               D53_tags_out_of_order_are_405, D54_a_tag_twice_is_405,
               D55_a_tlv_beyond_the_frame_is_104,
               D57_an_unknown_odd_tag_in_a_frame_is_passed_over,
               an_unknown_even_tag_in_a_frame_is_404,
               D59_thirty_three_tlvs_are_105_and_thirty_two_are_not)
