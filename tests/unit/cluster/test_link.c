/*
 * Links between nodes: that they come up, carry what they are given, and come
 * up again.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/frame.h"
#include "server/cluster/link_private.h"
#include "tests/lib/link_rig.h"
#include "tests/lib/suite.h"

static struct link_rig rig;
static struct link_rig_node *lesser, *greater;

static void open_pair(void)
{
    link_rig_open(&rig);
    link_rig_pair(&rig);
    lesser = &rig.nodes[0];
    greater = &rig.nodes[1];
}

static struct slice body_of(size_t size, uint8_t seed)
{
    static uint8_t body[FRAME_BODY_SIZE_MAX];

    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)(seed + i * 7);
    return slice_of(body, size);
}

START_TEST(the_node_with_the_greater_number_dials_and_both_learn_of_it)
{
    open_pair();
    ck_assert_uint_eq(lesser->ups[0], 1);
    ck_assert_uint_eq(greater->ups[0], 1);
    ck_assert(links_is_up(lesser->links, 0));
    ck_assert_ptr_nonnull(strstr(lesser->line, "dialed"));
    for (int i = 0; i < 50; i++)
        link_rig_turn(&rig);
    ck_assert_uint_eq(lesser->ups[0] + lesser->downs[0], 1);
    link_rig_close(&rig);
}
END_TEST

START_TEST(each_side_learns_the_key_with_which_the_other_signs_receipts)
{
    uint8_t key[PUBLIC_KEY_SIZE];
    struct link_rig_claim claim;

    open_pair();
    claim = link_rig_claim(2, NODECERT_BACKUP);
    ck_assert(links_receipt_key(lesser->links, 0, key));
    ck_assert_mem_eq(key, claim.cert.receipt_key, sizeof key);
    claim = link_rig_claim(1, NODECERT_SERVER);
    ck_assert(links_receipt_key(greater->links, 0, key));
    ck_assert_mem_eq(key, claim.cert.receipt_key, sizeof key);
    link_rig_close(&rig);
}
END_TEST

START_TEST(frames_of_every_size_arrive_whole_and_come_back)
{
    static const size_t sizes[] = {0,     1,
                                   100,   1000,
                                   65000, 1,
                                   4096,  30000,
                                   3,     FRAME_BODY_SIZE_MAX,
                                   0,     FRAME_BODY_SIZE_MAX - 1};
    size_t count = sizeof sizes / sizeof sizes[0];

    open_pair();
    greater->echoes = true;
    for (size_t i = 0; i < count; i++) {
        links_send(lesser->links, 0, (uint8_t)(PEER_HELLO + i),
                   body_of(sizes[i], (uint8_t)i));
        links_settle(lesser->links);
    }
    link_rig_until(&rig, &lesser->seen_count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(lesser->seen[i].type, PEER_HELLO + i);
        ck_assert_uint_eq(lesser->seen[i].size, sizes[i]);
        ck_assert_uint_eq(lesser->seen[i].sum,
                          link_rig_sum(body_of(sizes[i], (uint8_t)i)));
    }
    link_rig_close(&rig);
}
END_TEST

START_TEST(many_frames_that_are_gathered_keep_their_order)
{
    enum { COUNT = 1500 };

    open_pair();
    for (size_t i = 0; i < COUNT; i++)
        links_send(greater->links, 0, PEER_APPEND,
                   body_of(i * 37 % 7000, (uint8_t)i));
    links_settle(greater->links);
    link_rig_until(&rig, &lesser->seen_count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_uint_eq(lesser->seen[i].sum,
                          link_rig_sum(body_of(i * 37 % 7000, (uint8_t)i)));
    ck_assert_uint_eq(lesser->downs[0], 0);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_link_goes_on_when_its_keys_are_renewed)
{
    enum { BEFORE = 3, COUNT = 8 };

    open_pair();
    greater->echoes = true;
    channel_set_counters(&lesser->links->places[0].link->channel,
                         RECORD_REKEY_INTERVAL - BEFORE);
    channel_set_counters(&greater->links->places[0].link->channel,
                         RECORD_REKEY_INTERVAL - BEFORE);
    for (size_t i = 1; i <= COUNT; i++) {
        links_send(lesser->links, 0, PEER_FETCH, body_of(100 * i, (uint8_t)i));
        links_settle(lesser->links);
        link_rig_until(&rig, &lesser->seen_count, i);
        ck_assert_uint_eq(lesser->seen[i - 1].sum,
                          link_rig_sum(body_of(100 * i, (uint8_t)i)));
    }
    ck_assert_uint_eq(lesser->downs[0] + greater->downs[0], 0);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_link_that_is_dropped_is_told_of_on_both_sides_and_dialed_again)
{
    open_pair();
    for (size_t i = 1; i <= 3; i++) {
        struct link_rig_node *who = i % 2 == 0 ? lesser : greater;

        links_drop(who->links, 0);
        ck_assert(!links_is_up(who->links, 0));
        links_settle(who->links);
        ck_assert_uint_eq(who->downs[0], i);
        link_rig_until(&rig, &lesser->ups[0], i + 1);
        link_rig_until(&rig, &greater->ups[0], i + 1);
        ck_assert_uint_eq(lesser->downs[0], i);
    }
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_link_may_be_dropped_while_its_frame_is_being_received)
{
    open_pair();
    lesser->drops = true;
    lesser->echoes = true;
    links_send(greater->links, 0, PEER_HELLO, body_of(10, 1));
    links_send(greater->links, 0, PEER_HELLO, body_of(10, 2));
    links_settle(greater->links);
    link_rig_until(&rig, &lesser->downs[0], 1);
    /* The frame behind the one that was dropped for is not received. */
    ck_assert_uint_eq(lesser->seen_count, 1);
    link_rig_until(&rig, &greater->downs[0], 1);
    link_rig_until(&rig, &greater->ups[0], 2);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_peer_that_starts_again_is_linked_again)
{
    open_pair();
    links_close(greater->links);
    link_rig_until(&rig, &lesser->downs[0], 1);
    greater->ups[0] = greater->downs[0] = 0;
    link_rig_start(greater);
    link_rig_until(&rig, &lesser->ups[0], 2);
    link_rig_until(&rig, &greater->ups[0], 1);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_peer_that_is_away_is_dialed_until_it_is_there_and_told_of_once)
{
    uint16_t port;
    size_t lines;

    open_pair();
    port = links_port(lesser->links);
    links_close(lesser->links);
    link_rig_until(&rig, &greater->downs[0], 1);
    link_rig_until_count(&rig, greater, LINK_REASON_connect, 1);
    lines = greater->lines;
    link_rig_until_count(&rig, greater, LINK_REASON_connect, 4);
    ck_assert_uint_eq(greater->lines, lines);
    lesser->ups[0] = lesser->downs[0] = 0;
    (void)snprintf(lesser->options.address, sizeof lesser->options.address,
                   "127.0.0.1:%u", port);
    link_rig_start(lesser);
    link_rig_until(&rig, &greater->ups[0], 2);
    link_rig_close(&rig);
}
END_TEST

START_TEST(sending_to_a_peer_that_is_not_linked_does_nothing)
{
    open_pair();
    links_drop(greater->links, 0);
    links_send(greater->links, 0, PEER_HELLO, body_of(10, 1));
    links_drop(greater->links, 0);
    links_settle(greater->links);
    link_rig_until(&rig, &greater->ups[0], 2);
    ck_assert_uint_eq(lesser->seen_count, 0);
    link_rig_close(&rig);
}
END_TEST

START_TEST(three_nodes_have_one_link_for_each_pair)
{
    struct link_rig_node *a, *b, *c;

    link_rig_open(&rig);
    a = link_rig_node(&rig, 1);
    b = link_rig_node(&rig, 2);
    c = link_rig_node(&rig, 3);
    link_rig_peer(a, 2, false, 1);
    link_rig_peer(a, 3, true, 1);
    link_rig_start(a);
    link_rig_peer(b, 1, false, links_port(a->links));
    link_rig_peer(b, 3, true, 1);
    link_rig_start(b);
    link_rig_peer(c, 1, false, links_port(a->links));
    link_rig_peer(c, 2, false, links_port(b->links));
    struct link_rig_claim claim = link_rig_claim(3, NODECERT_ARCHIVE);
    link_rig_sign(c->identity.link_certificate, &claim);
    link_rig_start(c);
    for (size_t i = 0; i < 2; i++) {
        link_rig_until(&rig, &a->ups[i], 1);
        link_rig_until(&rig, &b->ups[i], 1);
        link_rig_until(&rig, &c->ups[i], 1);
    }
    links_send(c->links, 1, PEER_FETCH, body_of(9, 9));
    links_settle(c->links);
    link_rig_until(&rig, &b->seen_count, 1);
    ck_assert_uint_eq(b->seen[0].peer, 1);
    ck_assert_uint_eq(a->seen_count, 0);
    link_rig_close(&rig);
}
END_TEST

START_TEST(another_node_that_answers_at_a_peers_address_is_not_taken_for_it)
{
    struct link_rig_node *node, *other;

    link_rig_open(&rig);
    other = link_rig_node(&rig, 1);
    link_rig_peer(other, 3, false, 1);
    link_rig_start(other);
    node = link_rig_node(&rig, 3);
    link_rig_peer(node, 2, false, links_port(other->links));
    link_rig_start(node);
    link_rig_until_count(&rig, node, LINK_REASON_other_node, 2);
    ck_assert_uint_eq(node->ups[0], 0);
    /* Not a word of message 3 went out: the other never saw who dialed. */
    ck_assert_uint_eq(other->ups[0], 0);
    ck_assert_uint_eq(links_count(other->links, LINK_REASON_unknown), 0);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_peer_that_reads_nothing_is_dropped_before_too_much_waits)
{
    struct link_rig_wire wire;
    uint8_t certificate[NODECERT_SIZE];
    struct link_rig_claim claim = {.authority = 0};
    size_t sent = 0;

    link_rig_open(&rig);
    lesser = link_rig_node(&rig, 1);
    link_rig_peer(lesser, 2, false, 1);
    link_rig_start(lesser);
    claim = link_rig_claim(2, NODECERT_BACKUP);
    link_rig_sign(certificate, &claim);
    link_rig_wire_connect(&wire, &rig, links_port(lesser->links), 1);
    ck_assert(link_rig_wire_handshake(&wire, 2, certificate));
    link_rig_until(&rig, &lesser->ups[0], 1);
    while (links_is_up(lesser->links, 0)) {
        links_send(lesser->links, 0, PEER_APPEND, body_of(60000, 1));
        links_settle(lesser->links);
        sent += 60000;
        ck_assert_uint_lt(sent, 16 * LINK_OUTPUT_SIZE_MAX);
    }
    ck_assert_uint_gt(sent, REPLICA_WINDOW_SIZE);
    ck_assert_uint_eq(links_count(lesser->links, LINK_REASON_full), 1);
    links_settle(lesser->links);
    ck_assert_uint_eq(lesser->downs[0], 1);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(an_address_to_listen_on_that_is_none_or_taken_is_refused)
{
    struct links_user user = {0};
    struct links *links;
    struct link_rig_node *node;

    open_pair();
    node = link_rig_node(&rig, 9);
    (void)snprintf(node->options.address, sizeof node->options.address,
                   "nowhere:1");
    ck_assert_int_eq(
        links_open(&links, rig.base, &node->options, &node->identity, &user),
        ST_USAGE);
    (void)snprintf(node->options.address, sizeof node->options.address,
                   "127.0.0.1:%u", links_port(lesser->links));
    ck_assert_int_eq(
        links_open(&links, rig.base, &node->options, &node->identity, &user),
        ST_CONNECT);
    link_rig_close(&rig);
}
END_TEST

SUITE_MAIN("link", the_node_with_the_greater_number_dials_and_both_learn_of_it,
           each_side_learns_the_key_with_which_the_other_signs_receipts,
           frames_of_every_size_arrive_whole_and_come_back,
           many_frames_that_are_gathered_keep_their_order,
           a_link_goes_on_when_its_keys_are_renewed,
           a_link_that_is_dropped_is_told_of_on_both_sides_and_dialed_again,
           a_link_may_be_dropped_while_its_frame_is_being_received,
           a_peer_that_starts_again_is_linked_again,
           a_peer_that_is_away_is_dialed_until_it_is_there_and_told_of_once,
           sending_to_a_peer_that_is_not_linked_does_nothing,
           three_nodes_have_one_link_for_each_pair,
           another_node_that_answers_at_a_peers_address_is_not_taken_for_it,
           a_peer_that_reads_nothing_is_dropped_before_too_much_waits,
           an_address_to_listen_on_that_is_none_or_taken_is_refused)
