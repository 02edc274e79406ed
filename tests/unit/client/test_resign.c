/*
 * A node answers that a command was signed at a wrong time, or that there is no
 * session.  Signed anew it is a second command: no second signature leaves the
 * client but where a receipt says that the first came to nothing, nor one by a
 * clock that is a day off.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "client/client_state.h"
#include "client/session_state.h"
#include "protocol/answer.h"
#include "protocol/record.h"
#include "protocol/receipt.h"
#include "tests/lib/suite.h"

enum { SENT_MAX = 8, TIMEOUT_MS = 20000, PLAIN_SIZE_MAX = 4096 };
static const int64_t HOUR_US = INT64_C(3600000000);

/* What the node says to the first command; it does the second one. */
enum form {
    FORM_ERROR,
    FORM_ANSWER_ALONE,
    FORM_ANOTHERS_RECEIPT, /* Signed with another key. */
    FORM_ANOTHER_COMMANDS, /* Of other bytes than were sent. */
    FORM_OF_WHAT_WAS_DONE, /* The receipt's code is not the answer's. */
    FORM_DUPLICATE,        /* The receipt is of an earlier try. */
    FORM_RECEIPT
};

/* ---- The node ------------------------------------------------------------ */

static struct node {
    pthread_t thread;
    int fd;
    struct noise_cipher sender, receiver; /* Keys of zeros. */
    struct frame_gate gate;
    struct identity identity;
    enum form form;
    uint16_t code;
    int64_t ahead_us; /* Of its clock. */
    size_t sent_count;
    struct command_header sent[SENT_MAX]; /* The commands that came. */
} node;

static uint8_t cluster_id[CLUSTER_ID_SIZE];

static void say(const struct writer *frame)
{
    uint8_t record[PLAIN_SIZE_MAX + RECORD_OVERHEAD];
    size_t size = frame->used + RECORD_OVERHEAD;

    ck_assert_int_eq(record_seal(&node.sender, record, writer_slice(frame)),
                     ST_OK);
    ck_assert_int_eq(write(node.fd, record, size), (ssize_t)size);
}

static void hash_of_command(uint8_t out[HASH_SIZE], struct slice body)
{
    struct command_policy policy = {.env_tag = cluster_id[0],
                                    .portal = true,
                                    .registry = true,
                                    .system = true,
                                    .ttl_s_max = TTL_S_MAX,
                                    .items_max = ITEMS_MAX};
    struct command_item items[ITEMS_MAX];
    struct command command;

    ck_assert_int_eq(command_decode(&command, items, body, &policy), ST_OK);
    command_digest(&command, cluster_id);
    memcpy(out, command.hash, HASH_SIZE);
}

static void answer_command(const struct frame *frame, enum form form,
                           uint16_t code)
{
    struct message_error error = {.code = code, .scope = SCOPE_REQUEST};
    struct answer answer = {.code = code, .duplicate = form == FORM_DUPLICATE};
    struct receipt receipt = {.code =
                                  form == FORM_OF_WHAT_WAS_DONE ? ST_OK : code,
                              .index = 9,
                              .epoch = 1,
                              .committed_at = client_wall_us() + node.ahead_us};
    uint8_t bytes[PLAIN_SIZE_MAX], signed_bytes[RECEIPT_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    struct identity signer = node.identity;
    struct writer writer;

    hash_of_command(receipt.command_hash, frame->body);
    receipt.command_hash[0] ^= form == FORM_ANOTHER_COMMANDS;
    crypto_hash_sha256(receipt.result_hash, NULL, 0);
    if (form == FORM_ANOTHERS_RECEIPT)
        identity_init(&signer, (const uint8_t[SEED_SIZE]){77});
    receipt_sign(&receipt, signed_bytes, signature, cluster_id, &signer);
    if (form != FORM_ANSWER_ALONE) {
        answer.receipt = signed_bytes;
        answer.signature = signature;
    }
    writer_init(&writer, bytes, sizeof bytes);
    if (form == FORM_ERROR)
        frame_write(&writer, MESSAGE_ERROR, frame->request_id, &error);
    else
        answer_write_part(&writer, frame->request_id, &answer, 0);
    say(&writer);
}

static void take_frame(const struct frame *frame)
{
    bool first = node.sent_count == 0;

    if (frame->type == MESSAGE_AUTH_KEY)
        frame_gate_open(&node.gate);
    if (frame->type != MESSAGE_COMMAND)
        return;
    ck_assert_uint_lt(node.sent_count, SENT_MAX);
    command_header_decode(&node.sent[node.sent_count++], frame->body.data);
    answer_command(frame, first ? node.form : FORM_RECEIPT,
                   first ? node.code : ST_OK);
}

static void *run(void *context)
{
    static uint8_t input[65536], plain[65536];
    size_t have = 0, size, plain_size;
    ssize_t got;

    MAYBE(context == NULL);
    while ((got = read(node.fd, input + have, sizeof input - have)) > 0) {
        have += (size_t)got;
        while (record_measure(&size, slice_of(input, have), RECORD_SIZE_MAX) ==
               ST_OK) {
            struct slice rest;
            struct frame frame;

            ck_assert_int_eq(record_open(&node.receiver, plain, &plain_size,
                                         slice_of(input, size)),
                             ST_OK);
            rest = slice_of(plain, plain_size);
            while (frame_next(&node.gate, &frame, &rest) == ST_OK)
                take_frame(&frame);
            have -= size;
            memmove(input, input + size, have);
        }
    }
    return NULL;
}

/* ---- The client ---------------------------------------------------------- */

static struct defter *client;

/* Logged in at a node whose clock is ${ahead_us} ahead. */
static void begin(int64_t ahead_us)
{
    static const uint8_t seed[SEED_SIZE] = {9};
    struct message_auth_ok ok = {.server_time = client_wall_us() + ahead_us,
                                 .role = ROLE_STAFF,
                                 .max_frame = FRAME_SIZE_MAX,
                                 .max_inflight = 16,
                                 .max_items = ITEMS_MAX};
    /* Nobody listens there: what is lost here, is. */
    struct defter_options options = {.address = "127.0.0.1:1",
                                     .key_seed = seed,
                                     .role = ROLE_STAFF,
                                     .timeout_ms = TIMEOUT_MS};
    struct session_login login = {.role = ROLE_STAFF, .agent = "test"};
    struct session_events events;
    uint8_t bytes[1024];
    struct writer writer;
    int fds[2];

    memset(&node, 0, sizeof node);
    node.ahead_us = ahead_us;
    ck_assert_int_ge(sodium_init(), 0);
    identity_init(&node.identity, (const uint8_t[SEED_SIZE]){5});
    frame_gate_init(&node.gate, FRAME_CLIENT);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    node.fd = fds[1];
    ck_assert_int_eq(defter_open(&client, &options), ST_OK);
    memcpy(cluster_id, client->cluster_id, sizeof cluster_id);
    client->fd = fds[0];
    events = (struct session_events){client, client_happened};
    login.authority_key = client->authority_key;
    login.identity = &client->identity;
    login.now_us = client_wall_us();
    ck_assert_int_eq(session_open(&client->session, &login, &events), ST_OK);
    session_sent(client->session, session_output(client->session).size);
    channel_wipe(&client->session->channel);
    client->session->channel.state = CHANNEL_OPEN;
    memcpy(client->session->channel.certificate.receipt_key,
           node.identity.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(session_begin_login(client->session), ST_OK);
    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, MESSAGE_AUTH_OK, client->session->request_id, &ok);
    say(&writer);
}

/* A ping, whose first answer is ${code} in that form; what the call gives. */
static int call(struct defter_answer *answer_out, enum form form, uint16_t code)
{
    struct op_system_ping ping = {.text = slice_of("x", 1)};
    struct defter_item item = {.opcode = OPCODE_SYSTEM_PING};
    struct defter_command *command;
    uint8_t bytes[64];
    struct writer writer;
    int flags, status;

    node.form = form;
    node.code = code;
    ck_assert_int_eq(pthread_create(&node.thread, NULL, run, NULL), 0);
    flags = fcntl(client->fd, F_GETFL);
    ck_assert_int_eq(fcntl(client->fd, F_SETFL, flags | O_NONBLOCK), 0);
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_system_ping, &writer, &ping);
    ck_assert_int_eq(defter_command_new(&command, 'R', 0), ST_OK);
    ck_assert_int_eq(defter_command_item(command, &item, bytes, writer.used),
                     ST_OK);
    *answer_out = (struct defter_answer){.code = 0};
    status = defter_call(client, command, answer_out);
    defter_command_free(command);
    defter_close(client);
    ck_assert_int_eq(pthread_join(node.thread, NULL), 0);
    close(node.fd);
    return status;
}

/* ---- Signed once --------------------------------------------------------- */

static const uint16_t CODES[] = {ST_EXPIRED, ST_EARLY, ST_NO_SESSION};

START_TEST(an_unsigned_word_about_the_time_gets_no_second_signature)
{
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        struct defter_answer answer;

        begin(HOUR_US);
        ck_assert_int_eq(call(&answer, FORM_ERROR, CODES[i]), ST_OK);
        ck_assert_int_eq(answer.code, CODES[i]);
        ck_assert_int_eq(answer.has_receipt, 0);
        ck_assert_uint_eq(node.sent_count, 1);
    }
}
END_TEST

START_TEST(an_answer_whose_receipt_does_not_hold_gets_no_second_signature)
{
    for (enum form form = FORM_ANSWER_ALONE; form <= FORM_OF_WHAT_WAS_DONE;
         form++) {
        for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
            struct defter_answer answer;

            begin(HOUR_US);
            ck_assert_int_eq(call(&answer, form, CODES[i]), ST_RECEIPT);
            ck_assert_uint_eq(node.sent_count, 1);
        }
    }
}
END_TEST

START_TEST(what_was_said_of_an_earlier_try_gets_no_second_signature)
{
    struct defter_answer answer;

    begin(HOUR_US);
    ck_assert_int_eq(call(&answer, FORM_DUPLICATE, ST_EXPIRED), ST_OK);
    ck_assert_int_eq(answer.code, ST_EXPIRED);
    ck_assert_uint_eq(node.sent_count, 1);
}
END_TEST

START_TEST(a_receipt_of_a_clock_a_day_off_gets_no_second_signature)
{
    for (int64_t way = -1; way <= 1; way += 2) {
        struct defter_answer answer;

        begin(way * 25 * HOUR_US);
        ck_assert_int_eq(call(&answer, FORM_RECEIPT, ST_EXPIRED), ST_OK);
        ck_assert_int_eq(answer.code, ST_EXPIRED);
        ck_assert_int_eq(answer.has_receipt, 1);
        ck_assert_uint_eq(node.sent_count, 1);
    }
}
END_TEST

/* ---- Signed anew --------------------------------------------------------- */

/* What was signed at ${signed_at} was signed by a clock ${ahead_us} ahead. */
static void signed_by(int64_t signed_at, int64_t ahead_us)
{
    int64_t off_us = signed_at - client_wall_us() - ahead_us;

    ck_assert_int_lt(off_us, HOUR_US / 4);
    ck_assert_int_gt(off_us, -HOUR_US / 4);
}

START_TEST(a_receipt_of_the_refusal_gets_another_command_by_the_nodes_clock)
{
    for (int64_t way = -1; way <= 1; way += 2) {
        struct defter_answer answer;

        begin(0);
        node.ahead_us = way * HOUR_US;
        ck_assert_int_eq(
            call(&answer, FORM_RECEIPT, way < 0 ? ST_EXPIRED : ST_EARLY),
            ST_OK);
        ck_assert_int_eq(answer.code, ST_OK);
        ck_assert_uint_eq(node.sent_count, 2);
        ck_assert_mem_ne(node.sent[0].idem, node.sent[1].idem,
                         sizeof node.sent[0].idem);
        signed_by(node.sent[0].signed_at, 0);
        signed_by(node.sent[1].signed_at, way * HOUR_US);
    }
}
END_TEST

/* ---- The clock of the login ---------------------------------------------- */

START_TEST(a_command_is_signed_by_the_clock_of_the_login_within_a_day)
{
    for (int64_t hours = -25; hours <= 25; hours += 5) {
        struct defter_answer answer;

        begin(hours * HOUR_US);
        ck_assert_int_eq(call(&answer, FORM_RECEIPT, ST_OK), ST_OK);
        ck_assert_uint_eq(node.sent_count, 1);
        signed_by(node.sent[0].signed_at,
                  hours == -25 || hours == 25 ? 0 : hours * HOUR_US);
    }
}
END_TEST

SUITE_MAIN("resign", an_unsigned_word_about_the_time_gets_no_second_signature,
           an_answer_whose_receipt_does_not_hold_gets_no_second_signature,
           what_was_said_of_an_earlier_try_gets_no_second_signature,
           a_receipt_of_a_clock_a_day_off_gets_no_second_signature,
           a_receipt_of_the_refusal_gets_another_command_by_the_nodes_clock,
           a_command_is_signed_by_the_clock_of_the_login_within_a_day)
