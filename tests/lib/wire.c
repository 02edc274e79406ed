#include "tests/lib/wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocol/login.h"
#include "protocol/record.h"

enum { WAIT_S = 10 };

/* One of 127/8: each test process has a source of its own, so that what it does
 * is not held against the others. */
static void bind_to_source(int fd)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    const int on = 1;

    name.sin_addr.s_addr = htonl(0x7f010000U | ((uint32_t)getpid() & 0xffffU));
    ck_assert_int_eq(
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
}

void wire_connect(struct wire *wire, uint16_t port)
{
    memset(wire, 0, sizeof *wire);
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(wire->fd, 0);
    wire_reconnect(wire, port);
}

void wire_reconnect(struct wire *wire, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct timeval wait = {WAIT_S, 0};

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(
        setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    bind_to_source(wire->fd);
    ck_assert_int_eq(
        connect(wire->fd, (const struct sockaddr *)&name, sizeof name), 0);
    frame_gate_init(&wire->gate, FRAME_SERVER);
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    channel_wipe(&wire->channel);
}

static bool send_all(struct wire *wire, const uint8_t *at, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(wire->fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

void wire_send_raw(struct wire *wire, const void *bytes, size_t size)
{
    /* That the node has closed already is what a test may expect. */
    (void)send_all(wire, bytes, size);
}

void wire_send_fin(struct wire *wire)
{
    (void)shutdown(wire->fd, SHUT_WR); /* It may have been closed by now. */
}

size_t wire_read_more(struct wire *wire)
{
    ssize_t got = recv(wire->fd, wire->input + wire->input_size,
                       sizeof wire->input - wire->input_size, 0);

    ck_assert_msg(got >= 0 || errno == ECONNRESET, "the node says nothing");
    if (got < 0)
        return 0;
    wire->input_size += (size_t)got;
    return (size_t)got;
}

static void drop_input(struct wire *wire, size_t used)
{
    memmove(wire->input, wire->input + used, wire->input_size - used);
    wire->input_size -= used;
}

static bool try_handshake(struct wire *wire, const uint8_t *authority_key)
{
    struct nodecert_expected expected = {.role = NODECERT_SERVER,
                                         .now_s = (int64_t)time(NULL)};
    struct hello hello = {0};
    uint8_t secrets[2][KEY_SIZE];
    uint8_t bytes[CHANNEL_OUTPUT_SIZE_MAX];
    struct writer out;
    enum status status = ST_AGAIN;

    memcpy(expected.authority_key, authority_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(expected.cluster_id, authority_key);
    randombytes_buf(secrets, sizeof secrets);
    writer_init(&out, bytes, sizeof bytes);
    channel_connect(&wire->channel, &out, secrets[0], secrets[1], &expected,
                    &hello);
    wire_send_raw(wire, bytes, out.used);
    while (status == ST_AGAIN) {
        size_t used = 0;
        if (wire_read_more(wire) == 0)
            return false;
        writer_init(&out, bytes, sizeof bytes);
        status = channel_step(&wire->channel, &used, &out,
                              slice_of(wire->input, wire->input_size));
        drop_input(wire, used);
        wire_send_raw(wire, bytes, out.used);
    }
    ck_assert_int_eq(status, ST_OK);
    memcpy(wire->authority_key, authority_key, PUBLIC_KEY_SIZE);
    return true;
}

void wire_handshake(struct wire *wire, const uint8_t *authority_key)
{
    ck_assert_msg(try_handshake(wire, authority_key), "the node closes");
}

void wire_send_record(struct wire *wire, struct slice plain)
{
    static uint8_t record[RECORD_SIZE_MAX + RECORD_HEADER_SIZE];

    ck_assert_int_eq(record_seal(&wire->channel.sender, record, plain), ST_OK);
    wire_send_raw(wire, record, plain.size + RECORD_OVERHEAD);
}

void wire_send_frame(struct wire *wire, uint8_t type, uint8_t flags,
                     uint16_t version, uint64_t request_id, struct slice body)
{
    static uint8_t bytes[RECORD_PLAINTEXT_SIZE_MAX];
    struct writer writer;

    if (type == MESSAGE_PING)
        frame_gate_pinged(&wire->gate); /* Its PONG may come. */
    writer_init(&writer, bytes, sizeof bytes);
    writer_u32(&writer, (uint32_t)(FRAME_HEADER_SIZE + body.size));
    writer_u8(&writer, type);
    writer_u8(&writer, flags);
    writer_u16(&writer, version);
    writer_u64(&writer, request_id);
    writer_bytes(&writer, body.data, body.size);
    wire_send_record(wire, writer_slice(&writer));
}

void wire_send(struct wire *wire, uint8_t type, const void *body)
{
    static uint8_t bytes[RECORD_PLAINTEXT_SIZE_MAX];
    struct writer writer;

    if (type == MESSAGE_PING)
        frame_gate_pinged(&wire->gate);
    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, type, ++wire->request_id, body);
    wire_send_record(wire, writer_slice(&writer));
}

bool wire_try_send(struct wire *wire, uint8_t type, const void *body)
{
    uint8_t plain[256], record[256 + RECORD_OVERHEAD];
    struct writer writer;

    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, type, ++wire->request_id, body);
    ck_assert_int_eq(
        record_seal(&wire->channel.sender, record, writer_slice(&writer)),
        ST_OK);
    return send_all(wire, record, writer.used + RECORD_OVERHEAD);
}

bool wire_receive(struct wire *wire, struct frame *frame_out)
{
    enum status judged;

    while ((judged = frame_next(&wire->gate, frame_out, &wire->rest)) !=
           ST_OK) {
        size_t size, plain_size;
        ck_assert_int_eq(judged, ST_END);
        enum status status = record_measure(
            &size, slice_of(wire->input, wire->input_size), RECORD_SIZE_MAX);
        if (status == ST_AGAIN) {
            if (wire_read_more(wire) == 0)
                return false;
            continue;
        }
        ck_assert_int_eq(status, ST_OK);
        ck_assert_int_eq(record_open(&wire->channel.receiver, wire->plain,
                                     &plain_size, slice_of(wire->input, size)),
                         ST_OK);
        drop_input(wire, size);
        wire->rest = slice_of(wire->plain, plain_size);
    }
    return true;
}

static bool login(struct wire *wire, const uint8_t *authority_key,
                  const struct identity *identity, uint16_t role)
{
    struct message_auth_key body = {.role = role};
    struct login_claim claim = {.way = LOGIN_BY_KEY, .role = role};
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct frame frame;

    identity_cluster_id(cluster_id, authority_key);
    memcpy(claim.name, identity->key_id, KEY_ID_SIZE);
    memcpy(body.key_id.b, identity->key_id, KEY_ID_SIZE);
    login_sign(body.signature.b, &claim, cluster_id, wire->channel.binding,
               identity);
    wire_send(wire, MESSAGE_AUTH_KEY, &body);
    if (!wire_receive(wire, &frame) || frame.type != MESSAGE_AUTH_OK)
        return false;
    frame_gate_open(&wire->gate);
    return true;
}

bool wire_login(struct wire *wire, uint16_t port, const uint8_t *authority_key,
                const struct identity *identity, uint16_t role)
{
    wire_connect(wire, port);
    wire_handshake(wire, authority_key);
    return login(wire, authority_key, identity, role);
}

bool wire_try_login(struct wire *wire, uint16_t port,
                    const uint8_t *authority_key,
                    const struct identity *identity, uint16_t role)
{
    wire_connect(wire, port);
    return try_handshake(wire, authority_key) &&
           login(wire, authority_key, identity, role);
}

uint16_t wire_error(struct wire *wire, uint8_t *scope_out)
{
    struct message_error error;
    struct field_error fault;
    struct frame frame;

    *scope_out = 0xff;
    if (!wire_receive(wire, &frame))
        return 0;
    ck_assert_msg(frame.type == MESSAGE_ERROR, "type %u came", frame.type);
    ck_assert_int_eq(schema_decode(&schema_message_error, &error, &fault,
                                   frame.body, SCHEMA_SKIP_ODD),
                     ST_OK);
    *scope_out = error.scope;
    return error.code;
}

bool wire_closed(struct wire *wire)
{
    struct frame frame;

    while (wire_receive(wire, &frame)) {
        if (frame.type != MESSAGE_BYE && frame.type != MESSAGE_ERROR)
            return false;
    }
    return true;
}

bool wire_closed_silently(struct wire *wire)
{
    return wire->input_size == 0 && wire_read_more(wire) == 0;
}
