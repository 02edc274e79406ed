#include "client/session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/kdf.h"
#include "client/session_state.h"
#include "protocol/password.h"
#include "protocol/record.h"

enum status session_open(struct session **session_out,
                         const struct session_login *login,
                         const struct session_events *events)
{
    struct session *session = calloc(1, sizeof *session);
    struct nodecert_expected expected = {.role = NODECERT_SERVER,
                                         .now_s = login->now_us / 1000000};
    struct hello hello = {.has_agent = true, .has_features = true};
    uint8_t secrets[2][KEY_SIZE];
    uint8_t first[CHANNEL_CLIENT_FIRST_SIZE];
    struct writer out;

    REQUIRE((login->identity == NULL) != (login->username == NULL));
    if (session == NULL)
        return ST_INTERNAL;
    session->joiner_data = malloc(RESULT_SIZE_MAX);
    if (session->joiner_data == NULL || !session_keep_login(session, login)) {
        session_close(session);
        return ST_INTERNAL;
    }
    session->events = *events;
    identity_cluster_id(session->cluster_id, login->authority_key);
    memcpy(expected.authority_key, login->authority_key, PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, session->cluster_id, CLUSTER_ID_SIZE);
    hello.agent = slice_of(session->agent, strlen(session->agent));
    randombytes_buf(secrets, sizeof secrets);
    writer_init(&out, first, sizeof first);
    channel_connect(&session->channel, &out, secrets[0], secrets[1], &expected,
                    &hello);
    sodium_memzero(secrets, sizeof secrets);
    frame_gate_init(&session->gate, FRAME_SERVER);
    if (!session_append(session, writer_slice(&out))) {
        session_close(session);
        return ST_INTERNAL;
    }
    *session_out = session;
    return ST_OK;
}

void session_close(struct session *session)
{
    if (session == NULL)
        return;
    channel_wipe(&session->channel);
    identity_wipe(&session->identity);
    sodium_memzero(session->password, sizeof session->password);
    if (session->joiner_data != NULL)
        sodium_memzero(session->joiner_data, RESULT_SIZE_MAX);
    free(session->joiner_data);
    free(session->input);
    free(session->output);
    free(session);
}

bool session_append(struct session *session, struct slice bytes)
{
    size_t waiting = session->output_to - session->output_from;
    size_t capacity = session->output_capacity;

    if (session->output_from > 0) {
        memmove(session->output, session->output + session->output_from,
                waiting);
        session->output_from = 0;
        session->output_to = waiting;
    }
    if (bytes.size > capacity - waiting) {
        uint8_t *output;
        while (capacity - waiting < bytes.size)
            capacity = capacity == 0 ? 4096 : capacity * 2;
        output = realloc(session->output, capacity);
        if (output == NULL)
            return false;
        session->output = output;
        session->output_capacity = capacity;
    }
    memcpy(session->output + session->output_to, bytes.data, bytes.size);
    session->output_to += bytes.size;
    return true;
}

enum status session_fail(struct session *session, enum status status,
                         const char *reason)
{
    REQUIRE(status != ST_OK);
    if (session->phase != SESSION_OVER) {
        session->phase = SESSION_OVER;
        session->over = status;
        session->reason = reason;
    }
    return session->over;
}

enum status session_refused(struct session *session,
                            const struct message_error *error,
                            const char *otherwise)
{
    const struct status_info *info = status_info(error->code);
    bool known = error->code != ST_OK && status_is_wire(error->code);

    return session_fail(session, known ? (enum status)error->code : ST_CLOSED,
                        known && info != NULL ? info->english : otherwise);
}

bool session_send(struct session *session, const struct writer *frame)
{
    struct slice plain = writer_slice(frame);
    uint8_t *record;
    bool sent;

    if (frame->status != ST_OK || session->channel.state != CHANNEL_OPEN)
        return false;
    record = malloc(plain.size + RECORD_OVERHEAD);
    if (record == NULL)
        return false;
    sent =
        record_seal(&session->channel.sender, record, plain) == ST_OK &&
        session_append(session, slice_of(record, plain.size + RECORD_OVERHEAD));
    free(record);
    return sent;
}

struct slice session_output(const struct session *session)
{
    return (struct slice){session->output + session->output_from,
                          session->output_to - session->output_from};
}

void session_sent(struct session *session, size_t size)
{
    REQUIRE(size <= session->output_to - session->output_from);
    session->output_from += size;
}

enum session_phase session_phase(const struct session *session)
{
    return session->phase;
}

const char *session_reason(const struct session *session)
{
    return session->phase == SESSION_OVER ? session->reason : "";
}

const char *session_log_key(const struct session *session)
{
    return session->log_key;
}

const struct message_auth_ok *session_granted(const struct session *session)
{
    return &session->granted;
}

const struct nodecert *session_certificate(const struct session *session)
{
    return &session->channel.certificate;
}

const uint8_t *session_certificate_bytes(const struct session *session)
{
    return session->channel.certificate_bytes;
}

const struct identity *session_identity(const struct session *session)
{
    return &session->identity;
}

uint32_t session_inflight(const struct session *session)
{
    return session->inflight;
}

int64_t session_clock_offset_us(const struct session *session)
{
    return session->clock_offset_us;
}

void session_clock_says(struct session *session, int64_t server_us,
                        int64_t now_us)
{
    session->clock_offset_us = server_us - now_us;
}

/* The next request number, 0 if none may be begun now. */
static uint64_t next_request(struct session *session)
{
    if (session->phase != SESSION_OPEN ||
        session->inflight >= session->granted.max_inflight)
        return 0;
    return ++session->request_id;
}

uint64_t session_command(struct session *session, struct slice body)
{
    uint64_t request_id;
    uint8_t *bytes;
    struct writer frame;
    size_t begin;

    if (body.size > FRAME_BODY_SIZE_MAX)
        return 0;
    request_id = next_request(session);
    bytes = malloc(body.size + FRAME_HEADER_SIZE);
    if (request_id == 0 || bytes == NULL) {
        free(bytes);
        return 0;
    }
    writer_init(&frame, bytes, body.size + FRAME_HEADER_SIZE);
    begin = frame_begin(&frame, MESSAGE_COMMAND, 0, request_id);
    writer_bytes(&frame, body.data, body.size);
    frame_end(&frame, begin);
    if (session_send(session, &frame))
        session->inflight++;
    else
        request_id = 0;
    free(bytes);
    return request_id;
}

/* A frame of a catalogue body with a number of its own. */
static uint64_t send_request(struct session *session, uint8_t type,
                             const void *body, bool awaited)
{
    uint8_t bytes[2048];
    struct writer frame;
    uint64_t request_id = session->phase == SESSION_OPEN && !awaited
                              ? ++session->request_id
                              : next_request(session);

    if (request_id == 0)
        return 0;
    writer_init(&frame, bytes, sizeof bytes);
    frame_write(&frame, type, request_id, body);
    if (!session_send(session, &frame))
        return 0;
    session->inflight += awaited;
    return request_id;
}

uint64_t session_query(struct session *session, uint16_t query,
                       struct slice fields)
{
    struct message_query body = {
        .query = query, .version = 1, .fields = fields};

    return send_request(session, MESSAGE_QUERY, &body, true);
}

uint64_t session_proof(struct session *session,
                       const struct message_proof_get *ask)
{
    return send_request(session, MESSAGE_PROOF_GET, ask, true);
}

uint64_t session_watch(struct session *session, uint64_t index)
{
    struct message_watch body = {.index = index};

    return send_request(session, MESSAGE_WATCH, &body, false);
}

void session_credit(struct session *session, uint64_t watch, uint32_t frames,
                    uint32_t bytes)
{
    struct message_credit body = {
        .watch = watch, .frames = frames, .bytes = bytes};

    (void)send_request(session, MESSAGE_CREDIT, &body, false);
}

void session_ping(struct session *session, int64_t time_us)
{
    struct message_ping body = {.time = time_us};

    if (session->phase == SESSION_OPEN)
        frame_gate_pinged(&session->gate);
    (void)send_request(session, MESSAGE_PING, &body, false);
}

void session_bye(struct session *session)
{
    struct message_bye body = {.code = 0};

    (void)send_request(session, MESSAGE_BYE, &body, false);
}

bool session_keep_login(struct session *session,
                        const struct session_login *login)
{
    const char *agent = login->agent != NULL ? login->agent : "libdefter";

    session->role = login->role;
    session->login_now_us = login->now_us;
    if (strlen(agent) > SESSION_AGENT_SIZE_MAX)
        return false;
    memcpy(session->agent, agent, strlen(agent) + 1);
    if (login->identity != NULL) {
        session->identity = *login->identity;
        return true;
    }
    if (strlen(login->username) > USERNAME_SIZE_MAX ||
        strlen(login->password) > PASSWORD_SIZE_MAX)
        return false;
    session->by_password = true;
    session->derive = login->derive;
    memcpy(session->username, login->username, strlen(login->username) + 1);
    memcpy(session->password, login->password, strlen(login->password) + 1);
    return true;
}
