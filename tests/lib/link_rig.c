#include "tests/lib/link_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

#include "protocol/record.h"
#include "server/cluster/cluster_clock.h"

enum { RIG_VALID_S = 30 * 24 * 3600 };

void link_rig_channel_key(uint8_t secret[KEY_SIZE],
                          uint8_t public_key[KEY_SIZE], uint8_t number)
{
    memset(secret, 0x40 + number, KEY_SIZE);
    ck_assert_int_eq(crypto_scalarmult_base(public_key, secret), 0);
}

static void authority(struct identity *out, uint8_t fill)
{
    uint8_t seed[SEED_SIZE];

    memset(seed, fill, sizeof seed);
    identity_init(out, seed);
}

struct link_rig_claim link_rig_claim(uint8_t number, uint16_t role)
{
    struct link_rig_claim claim = {.authority = RIG_AUTHORITY};
    struct identity key;
    uint8_t secret[KEY_SIZE];

    claim.cert.role = role;
    claim.cert.serial = number;
    claim.cert.not_before_s = cluster_clock_wall_us() / 1000000 - RIG_VALID_S;
    claim.cert.not_after_s = claim.cert.not_before_s + 2 * RIG_VALID_S;
    authority(&key, RIG_AUTHORITY);
    identity_cluster_id(claim.cert.cluster_id, key.public_key);
    memset(claim.cert.node_id, number, NODE_ID_SIZE);
    link_rig_channel_key(secret, claim.cert.channel_key, number);
    authority(&key, (uint8_t)(0x80 + number));
    memcpy(claim.cert.receipt_key, key.public_key, PUBLIC_KEY_SIZE);
    return claim;
}

void link_rig_sign(uint8_t out[NODECERT_SIZE],
                   const struct link_rig_claim *claim)
{
    struct identity key;

    authority(&key, claim->authority);
    nodecert_sign(out, &claim->cert, &key);
}

/* ---- Nodes -------------------------------------------------------------- */

void link_rig_open(struct link_rig *rig)
{
    ck_assert_int_ge(sodium_init(), 0);
    memset(rig, 0, sizeof *rig);
    rig->base = event_base_new();
    ck_assert_ptr_nonnull(rig->base);
}

void link_rig_close(struct link_rig *rig)
{
    for (size_t i = 0; i < RIG_NODES_MAX; i++)
        links_close(rig->nodes[i].links);
    event_base_free(rig->base);
}

struct link_rig_node *link_rig_node(struct link_rig *rig, uint8_t number)
{
    struct link_rig_node *node = rig->nodes;
    struct links_identity *identity;
    struct link_rig_claim claim;
    struct identity key;
    uint8_t unused[KEY_SIZE];

    while (node->rig != NULL)
        node++;
    ck_assert(node < rig->nodes + RIG_NODES_MAX);
    node->rig = rig;
    node->number = number;
    identity = &node->identity;
    memset(identity->node_id, number, NODE_ID_SIZE);
    authority(&key, RIG_AUTHORITY);
    memcpy(identity->authority_key, key.public_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(identity->cluster_id, key.public_key);
    link_rig_channel_key(identity->channel_secret, unused, number);
    claim = link_rig_claim(number, NODECERT_SERVER);
    link_rig_sign(identity->certificate, &claim);
    claim = link_rig_claim(number, NODECERT_BACKUP);
    link_rig_sign(identity->link_certificate, &claim);
    (void)snprintf(node->options.address, sizeof node->options.address,
                   "127.0.0.1:0");
    return node;
}

void link_rig_peer(struct link_rig_node *node, uint8_t number, bool archive,
                   uint16_t port)
{
    struct links_peer *peer = &node->options.peers[node->options.peers_count++];

    memset(peer->node_id, number, NODE_ID_SIZE);
    peer->archive = archive;
    (void)snprintf(peer->address, sizeof peer->address, "127.0.0.1:%u", port);
}

static void on_up(void *context, size_t peer)
{
    struct link_rig_node *node = context;

    ck_assert_uint_eq(node->ups[peer], node->downs[peer]);
    node->ups[peer]++;
}

static void on_down(void *context, size_t peer)
{
    struct link_rig_node *node = context;

    node->downs[peer]++;
    ck_assert_uint_eq(node->ups[peer], node->downs[peer]);
}

uint32_t link_rig_sum(struct slice bytes)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < bytes.size; i++)
        sum = sum * 31 + bytes.data[i];
    return sum;
}

static void on_received(void *context, size_t peer, uint8_t type,
                        struct slice body)
{
    struct link_rig_node *node = context;

    ck_assert_uint_eq(node->ups[peer], node->downs[peer] + 1);
    if (node->seen_count < RIG_SEEN_MAX)
        node->seen[node->seen_count] =
            (struct link_rig_seen){peer, type, body.size, link_rig_sum(body)};
    node->seen_count++;
    if (node->echoes)
        links_send(node->links, peer, type, body);
    if (node->drops)
        links_drop(node->links, peer);
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    struct link_rig_node *node = context;

    MAYBE(level == CLUSTER_NOTE);
    (void)snprintf(node->line, sizeof node->line, "%s", line);
    node->lines++;
}

void link_rig_start(struct link_rig_node *node)
{
    const struct links_user user = {node, on_up, on_down, on_received, on_say};

    ck_assert_int_eq(links_open(&node->links, node->rig->base, &node->options,
                                &node->identity, &user),
                     ST_OK);
}

void link_rig_pair(struct link_rig *rig)
{
    struct link_rig_node *lesser = link_rig_node(rig, 1),
                         *greater = link_rig_node(rig, 2);

    /* Who accepts needs no port of the other. */
    link_rig_peer(lesser, 2, false, 1);
    link_rig_start(lesser);
    link_rig_peer(greater, 1, false, links_port(lesser->links));
    link_rig_start(greater);
    link_rig_until(rig, &lesser->ups[0], 1);
    link_rig_until(rig, &greater->ups[0], 1);
}

void link_rig_turn(struct link_rig *rig)
{
    (void)event_base_loop(rig->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

/* A test that waits in vain is ended by its suite. */
void link_rig_until(struct link_rig *rig, const size_t *value, size_t least)
{
    while (*(const volatile size_t *)value < least)
        (void)event_base_loop(rig->base, EVLOOP_ONCE);
}

void link_rig_until_count(struct link_rig *rig,
                          const struct link_rig_node *node,
                          enum link_reason reason, uint64_t least)
{
    while (links_count(node->links, reason) < least)
        (void)event_base_loop(rig->base, EVLOOP_ONCE);
}

/* ---- A peer that may say anything --------------------------------------- */

void link_rig_wire_connect(struct link_rig_wire *wire, struct link_rig *rig,
                           uint16_t port, uint8_t host)
{
    struct sockaddr_in name = {.sin_family = AF_INET};

    memset(wire, 0, sizeof *wire);
    wire->rig = rig;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(wire->fd, 0);
    name.sin_addr.s_addr = htonl(0x7f000000U + host);
    ck_assert_int_eq(bind(wire->fd, (void *)&name, sizeof name), 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    /* The backlog takes it; the base does the rest. */
    ck_assert_int_eq(connect(wire->fd, (void *)&name, sizeof name), 0);
    link_rig_turn(rig);
}

void link_rig_wire_raw(struct link_rig_wire *wire, const void *bytes,
                       size_t size)
{
    const uint8_t *from = bytes;

    while (size > 0 && !wire->closed) {
        ssize_t sent = send(wire->fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent > 0) {
            from += sent;
            size -= (size_t)sent;
        } else if (errno != EAGAIN) {
            wire->closed = true;
        }
        link_rig_turn(wire->rig);
    }
}

static void send_handshake(struct link_rig_wire *wire, struct slice bytes)
{
    ck_assert_uint_le(wire->sent_size + bytes.size, sizeof wire->sent);
    memcpy(wire->sent + wire->sent_size, bytes.data, bytes.size);
    wire->sent_size += bytes.size;
    link_rig_wire_raw(wire, bytes.data, bytes.size);
}

/* What comes of message 2; 0 once it is closed. */
static size_t read_answer(struct link_rig_wire *wire, uint8_t *out, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = recv(wire->fd, out + have, size - have, MSG_DONTWAIT);

        if (got > 0)
            have += (size_t)got;
        else if (got == 0 || errno != EAGAIN)
            return 0;
        link_rig_turn(wire->rig);
    }
    return have;
}

bool link_rig_wire_handshake(struct link_rig_wire *wire, uint8_t number,
                             const uint8_t *certificate)
{
    struct nodecert_expected expected = {
        .role = NODECERT_SERVER, .now_s = cluster_clock_wall_us() / 1000000};
    struct hello hello = {.has_certificate = certificate != NULL};
    uint8_t secret[KEY_SIZE], public_key[KEY_SIZE], ephemeral[KEY_SIZE];
    uint8_t answer[2 + HANDSHAKE_MSG2_SIZE], bytes[CHANNEL_OUTPUT_SIZE_MAX];
    struct identity key;
    struct writer writer;
    size_t used;

    authority(&key, RIG_AUTHORITY);
    memcpy(expected.authority_key, key.public_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(expected.cluster_id, key.public_key);
    if (certificate != NULL)
        hello.certificate = slice_of(certificate, NODECERT_SIZE);
    link_rig_channel_key(secret, public_key, number);
    randombytes_buf(ephemeral, sizeof ephemeral);
    writer_init(&writer, bytes, sizeof bytes);
    channel_connect(&wire->channel, &writer, secret, ephemeral, &expected,
                    &hello);
    send_handshake(wire, writer_slice(&writer));
    if (read_answer(wire, answer, sizeof answer) == 0)
        return false;
    writer_init(&writer, bytes, sizeof bytes);
    ck_assert_int_eq(channel_step(&wire->channel, &used, &writer,
                                  slice_of(answer, sizeof answer)),
                     ST_OK);
    send_handshake(wire, writer_slice(&writer));
    return true;
}

void link_rig_wire_record(struct link_rig_wire *wire, struct slice plain)
{
    static uint8_t record[RECORD_HEADER_SIZE + RECORD_SIZE_MAX];

    ck_assert_int_eq(record_seal(&wire->channel.sender, record, plain), ST_OK);
    link_rig_wire_raw(wire, record, plain.size + RECORD_OVERHEAD);
}

void link_rig_wire_frame(struct link_rig_wire *wire, uint8_t type,
                         uint8_t flags, uint16_t version, uint64_t request_id,
                         struct slice body)
{
    static uint8_t plain[RECORD_PLAINTEXT_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, plain, sizeof plain);
    writer_u32(&writer, (uint32_t)(FRAME_HEADER_SIZE + body.size));
    writer_u8(&writer, type);
    writer_u8(&writer, flags);
    writer_u16(&writer, version);
    writer_u64(&writer, request_id);
    writer_bytes(&writer, body.data, body.size);
    ck_assert_int_eq(writer.status, ST_OK);
    link_rig_wire_record(wire, writer_slice(&writer));
}

void link_rig_wire_until_closed(struct link_rig_wire *wire)
{
    static uint8_t words[65536];

    for (;;) {
        ssize_t got = recv(wire->fd, words, sizeof words, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            break;
        if (got > 0)
            wire->took += (size_t)got;
        if (got < 0)
            (void)event_base_loop(wire->rig->base, EVLOOP_ONCE);
        else
            link_rig_turn(wire->rig);
    }
    wire->closed = true;
}

void link_rig_wire_close(struct link_rig_wire *wire)
{
    channel_wipe(&wire->channel);
    (void)close(wire->fd);
}
