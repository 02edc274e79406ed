/*
 * Links between nodes: who is not let in, and what is not taken from who is.
 */
#include <string.h>
#include <sys/socket.h>

#include "protocol/catalogue.h"
#include "protocol/frame.h"
#include "protocol/record.h"
#include "server/cluster/cluster_clock.h"
#include "tests/lib/link_rig.h"
#include "tests/lib/suite.h"

static struct link_rig rig;
static struct link_rig_node *node;
static struct link_rig_wire wire;
static uint8_t certificate[NODECERT_SIZE];

/* Node 1, whose peers are backup 2 and archive 3. */
static void open_node(void)
{
    link_rig_open(&rig);
    node = link_rig_node(&rig, 1);
    link_rig_peer(node, 2, false, 1);
    link_rig_peer(node, 3, true, 1);
    link_rig_start(node);
}

static void connect_wire(void)
{
    link_rig_wire_connect(&wire, &rig, links_port(node->links), 1);
}

static void let_in(void)
{
    struct link_rig_claim claim = link_rig_claim(2, NODECERT_BACKUP);

    link_rig_sign(certificate, &claim);
    connect_wire();
    ck_assert(link_rig_wire_handshake(&wire, 2, certificate));
    link_rig_until(&rig, &node->ups[0], 1);
}

/* Somebody with the channel key of ${number} shows ${claim}. */
static void is_refused(uint8_t number, const struct link_rig_claim *claim,
                       enum link_reason reason, const char *word)
{
    uint64_t before = links_count(node->links, reason);

    link_rig_sign(certificate, claim);
    connect_wire();
    ck_assert(link_rig_wire_handshake(&wire, number, certificate));
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(wire.took, 0);
    ck_assert_uint_eq(links_count(node->links, reason), before + 1);
    if (word != NULL)
        ck_assert_msg(strstr(node->line, word) != NULL, "%s: %s", word,
                      node->line);
    ck_assert_uint_eq(node->ups[0] + node->ups[1], 0);
    link_rig_wire_close(&wire);
}

START_TEST(a_client_that_shows_no_certificate_is_closed)
{
    open_node();
    connect_wire();
    ck_assert(link_rig_wire_handshake(&wire, 2, NULL));
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_certificate), 1);
    ck_assert_ptr_nonnull(strstr(node->line, "none was shown"));
    ck_assert_uint_eq(node->ups[0], 0);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_certificate_of_another_role_than_the_peers_is_refused)
{
    struct link_rig_claim claim;

    open_node();
    claim = link_rig_claim(2, NODECERT_ARCHIVE);
    is_refused(2, &claim, LINK_REASON_certificate, "role");
    claim = link_rig_claim(2, NODECERT_SERVER);
    is_refused(2, &claim, LINK_REASON_certificate, NULL);
    claim = link_rig_claim(3, NODECERT_BACKUP);
    is_refused(3, &claim, LINK_REASON_certificate, NULL);
    claim = link_rig_claim(2, 7);
    is_refused(2, &claim, LINK_REASON_certificate, NULL);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_certificate_of_another_cluster_or_authority_is_refused)
{
    struct link_rig_claim claim;

    open_node();
    claim = link_rig_claim(2, NODECERT_BACKUP);
    claim.cert.cluster_id[3] ^= 1;
    is_refused(2, &claim, LINK_REASON_certificate, "cluster");
    claim = link_rig_claim(2, NODECERT_BACKUP);
    claim.authority = 99;
    is_refused(2, &claim, LINK_REASON_certificate, NULL);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_certificate_that_is_not_valid_now_is_refused)
{
    int64_t now_s = cluster_clock_wall_us() / 1000000;
    struct link_rig_claim claim;

    open_node();
    claim = link_rig_claim(2, NODECERT_BACKUP);
    claim.cert.not_after_s = now_s - NODECERT_CLOCK_SLACK_S - 60;
    is_refused(2, &claim, LINK_REASON_certificate, NULL);
    claim = link_rig_claim(2, NODECERT_BACKUP);
    claim.cert.not_before_s = now_s + NODECERT_CLOCK_SLACK_S + 60;
    is_refused(2, &claim, LINK_REASON_certificate, NULL);
    claim = link_rig_claim(2, NODECERT_BACKUP);
    claim.cert.not_before_s = now_s - 401 * 86400;
    claim.cert.not_after_s = now_s + 86400;
    is_refused(2, &claim, LINK_REASON_certificate, NULL);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_certificate_that_ran_out_a_moment_ago_is_still_good)
{
    struct link_rig_claim claim;

    open_node();
    claim = link_rig_claim(2, NODECERT_BACKUP);
    claim.cert.not_after_s = cluster_clock_wall_us() / 1000000 - 60;
    link_rig_sign(certificate, &claim);
    connect_wire();
    ck_assert(link_rig_wire_handshake(&wire, 2, certificate));
    link_rig_until(&rig, &node->ups[0], 1);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(D24_a_node_that_is_no_peer_is_refused_whatever_it_shows)
{
    struct link_rig_claim claim;

    open_node();
    claim = link_rig_claim(4, NODECERT_BACKUP);
    is_refused(4, &claim, LINK_REASON_unknown, "no peer");
    claim = link_rig_claim(4, NODECERT_ARCHIVE);
    is_refused(4, &claim, LINK_REASON_unknown, NULL);
    claim = link_rig_claim(4, NODECERT_SERVER);
    is_refused(4, &claim, LINK_REASON_certificate, NULL);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_stolen_certificate_is_worth_nothing_without_its_channel_key)
{
    struct link_rig_claim claim;

    open_node();
    claim = link_rig_claim(2, NODECERT_BACKUP);
    is_refused(3, &claim, LINK_REASON_certificate, NULL);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_node_that_should_be_dialed_may_not_dial)
{
    struct link_rig_claim claim;

    link_rig_open(&rig);
    node = link_rig_node(&rig, 5);
    link_rig_peer(node, 2, false, 1);
    link_rig_start(node);
    claim = link_rig_claim(2, NODECERT_BACKUP);
    is_refused(2, &claim, LINK_REASON_way, NULL);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_recorded_handshake_that_is_played_again_opens_nothing)
{
    struct link_rig_wire again;
    struct link_rig *same = &rig;

    open_node();
    let_in();
    link_rig_wire_connect(&again, same, links_port(node->links), 1);
    link_rig_wire_raw(&again, wire.sent, CHANNEL_CLIENT_FIRST_SIZE);
    while (again.took < 2 + HANDSHAKE_MSG2_SIZE) {
        uint8_t bytes[512];
        ssize_t got = recv(again.fd, bytes, sizeof bytes, MSG_DONTWAIT);

        again.took += got > 0 ? (size_t)got : 0;
        link_rig_turn(&rig);
    }
    link_rig_wire_raw(&again, wire.sent + CHANNEL_CLIENT_FIRST_SIZE,
                      wire.sent_size - CHANNEL_CLIENT_FIRST_SIZE);
    link_rig_wire_until_closed(&again);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_handshake), 1);
    ck_assert_uint_eq(node->ups[0], 1);
    ck_assert_uint_eq(node->downs[0], 0);
    link_rig_wire_close(&again);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(bytes_behind_message_1_are_refused)
{
    open_node();
    let_in();
    struct link_rig_wire all;
    link_rig_wire_connect(&all, &rig, links_port(node->links), 1);
    link_rig_wire_raw(&all, wire.sent, wire.sent_size);
    link_rig_wire_until_closed(&all);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_handshake), 1);
    link_rig_wire_close(&all);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(another_protocol_or_version_is_told_apart_and_closed)
{
    open_node();
    connect_wire();
    link_rig_wire_raw(&wire, "GET / HTTP/1.1\r\n\r\n", 18);
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_handshake), 1);
    link_rig_wire_close(&wire);
    connect_wire();
    link_rig_wire_raw(&wire, "DFT1\x02\0\0\0", PREFACE_SIZE);
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(wire.took, PREFACE_SIZE);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_version), 1);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_length_is_judged_before_what_it_announces_has_come)
{
    open_node();
    connect_wire();
    link_rig_wire_raw(&wire, "DFT1\x01\0\0", PREFACE_SIZE);
    link_rig_wire_raw(&wire, "\xff", 1);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_handshake), 0);
    link_rig_wire_raw(&wire, "\xff", 1);
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_handshake), 1);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

/* After being let in, ${bytes} end the link for ${reason}. */
static void ends_for(enum link_reason reason)
{
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(links_count(node->links, reason), 1);
    ck_assert_uint_eq(node->downs[0], 1);
    ck_assert_uint_eq(node->seen_count, 0);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}

START_TEST(a_record_that_is_too_short_ends_the_link)
{
    open_node();
    let_in();
    link_rig_wire_raw(&wire, "\x10\x00", 2);
    ends_for(LINK_REASON_record);
}
END_TEST

START_TEST(a_record_that_does_not_decrypt_ends_the_link)
{
    uint8_t bytes[2 + 40] = {40};

    open_node();
    let_in();
    link_rig_wire_raw(&wire, bytes, sizeof bytes);
    ends_for(LINK_REASON_record);
}
END_TEST

START_TEST(frames_that_no_node_sends_end_the_link)
{
    static const struct {
        uint8_t type;
        uint8_t flags;
        uint16_t version;
        uint64_t request_id;
    } bad[] = {
        {MESSAGE_COMMAND, 0, 1, 1},
        {MESSAGE_PING, 0, 1, 0},
        {PEER_HELLO, 1, 1, 0},
        {PEER_HELLO, 0, 2, 0},
        {PEER_HELLO, 0, 0, 0},
        {PEER_HELLO, 0, 1, 1},
        {0x33, 0, 1, 0},
        {0x3f, 0, 1, 0},
        {0xff, 0, 1, 0},
        {0, 0, 1, 0},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_node();
        let_in();
        link_rig_wire_frame(&wire, bad[i].type, bad[i].flags, bad[i].version,
                            bad[i].request_id, slice_of("x", 1));
        ends_for(LINK_REASON_frame);
    }
}
END_TEST

START_TEST(a_frame_longer_than_its_record_ends_the_link)
{
    uint8_t plain[FRAME_HEADER_SIZE] = {
        FRAME_HEADER_SIZE + 1, 0, 0, 0, PEER_HELLO, 0, 1, 0};

    open_node();
    let_in();
    link_rig_wire_record(&wire, slice_of(plain, sizeof plain));
    ends_for(LINK_REASON_frame);
    open_node();
    let_in();
    memset(plain, 0xff, 4);
    link_rig_wire_record(&wire, slice_of(plain, sizeof plain));
    ends_for(LINK_REASON_frame);
    open_node();
    let_in();
    link_rig_wire_record(&wire, slice_of(plain, 3));
    ends_for(LINK_REASON_frame);
}
END_TEST

START_TEST(frames_before_a_bad_one_in_a_record_count)
{
    uint8_t plain[2 * FRAME_HEADER_SIZE] = {FRAME_HEADER_SIZE, 0, 0, 0,
                                            PEER_HELLO,        0, 1, 0};

    open_node();
    let_in();
    memcpy(plain + FRAME_HEADER_SIZE, plain, FRAME_HEADER_SIZE);
    plain[FRAME_HEADER_SIZE + 5] = 1; /* Flags. */
    link_rig_wire_record(&wire, slice_of(plain, sizeof plain));
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(node->seen_count, 1);
    ck_assert_uint_eq(node->downs[0], 1);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_newer_link_of_a_peer_takes_the_older_ones_place)
{
    struct link_rig_wire newer;

    open_node();
    let_in();
    link_rig_wire_connect(&newer, &rig, links_port(node->links), 1);
    ck_assert(link_rig_wire_handshake(&newer, 2, certificate));
    link_rig_until(&rig, &node->ups[0], 2);
    ck_assert_uint_eq(node->downs[0], 1);
    link_rig_wire_until_closed(&wire);
    link_rig_wire_frame(&newer, PEER_BEACON, 0, 1, 0, slice_of("x", 1));
    link_rig_until(&rig, &node->seen_count, 1);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_replaced), 1);
    link_rig_wire_close(&newer);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_flood_of_strangers_does_not_keep_a_peer_out)
{
    enum { FLOOD = LINK_WAITING_MAX + 8 };
    static struct link_rig_wire strangers[FLOOD];

    open_node();
    for (size_t i = 0; i < FLOOD; i++)
        link_rig_wire_connect(&strangers[i], &rig, links_port(node->links), 9);
    link_rig_until_count(&rig, node, LINK_REASON_busy,
                         FLOOD - LINK_STRANGERS_MAX);
    let_in();
    ck_assert_uint_eq(node->ups[0], 1);
    for (size_t i = 0; i < FLOOD; i++)
        link_rig_wire_close(&strangers[i]);
    link_rig_close(&rig);
}
END_TEST

START_TEST(lines_about_the_same_offence_are_few)
{
    size_t lines;

    open_node();
    connect_wire();
    link_rig_wire_raw(&wire, "nonsense", 8);
    link_rig_wire_until_closed(&wire);
    link_rig_wire_close(&wire);
    lines = node->lines;
    for (size_t i = 0; i < 10; i++) {
        connect_wire();
        link_rig_wire_raw(&wire, "nonsense", 8);
        link_rig_wire_until_closed(&wire);
        link_rig_wire_close(&wire);
    }
    ck_assert_uint_eq(node->lines, lines);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_handshake), 11);
    link_rig_close(&rig);
}
END_TEST

START_TEST(who_says_nothing_is_closed_after_a_while)
{
    open_node();
    connect_wire();
    link_rig_wire_until_closed(&wire);
    ck_assert_uint_eq(links_count(node->links, LINK_REASON_late), 1);
    link_rig_wire_close(&wire);
    link_rig_close(&rig);
}
END_TEST

START_TEST(a_node_whose_own_certificate_is_bad_is_refused_by_who_dials)
{
    struct link_rig_node *dialer;
    struct link_rig_claim claim;

    link_rig_open(&rig);
    node = link_rig_node(&rig, 1);
    claim = link_rig_claim(1, NODECERT_SERVER);
    claim.authority = 77;
    link_rig_sign(node->identity.certificate, &claim);
    link_rig_peer(node, 2, false, 1);
    link_rig_start(node);
    dialer = link_rig_node(&rig, 2);
    link_rig_peer(dialer, 1, false, links_port(node->links));
    link_rig_start(dialer);
    link_rig_until_count(&rig, dialer, LINK_REASON_certificate, 2);
    ck_assert_uint_eq(dialer->ups[0] + node->ups[0], 0);
    link_rig_close(&rig);
}
END_TEST

SUITE_MAIN("link_hostile", a_client_that_shows_no_certificate_is_closed,
           a_certificate_of_another_role_than_the_peers_is_refused,
           a_certificate_of_another_cluster_or_authority_is_refused,
           a_certificate_that_is_not_valid_now_is_refused,
           a_certificate_that_ran_out_a_moment_ago_is_still_good,
           D24_a_node_that_is_no_peer_is_refused_whatever_it_shows,
           a_stolen_certificate_is_worth_nothing_without_its_channel_key,
           a_node_that_should_be_dialed_may_not_dial,
           a_recorded_handshake_that_is_played_again_opens_nothing,
           bytes_behind_message_1_are_refused,
           another_protocol_or_version_is_told_apart_and_closed,
           a_length_is_judged_before_what_it_announces_has_come,
           a_record_that_is_too_short_ends_the_link,
           a_record_that_does_not_decrypt_ends_the_link,
           frames_that_no_node_sends_end_the_link,
           a_frame_longer_than_its_record_ends_the_link,
           frames_before_a_bad_one_in_a_record_count,
           a_newer_link_of_a_peer_takes_the_older_ones_place,
           a_flood_of_strangers_does_not_keep_a_peer_out,
           lines_about_the_same_offence_are_few,
           who_says_nothing_is_closed_after_a_while,
           a_node_whose_own_certificate_is_bad_is_refused_by_who_dials)
