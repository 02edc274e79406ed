#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/session_state.h"
#include "protocol/record.h"

static void tell(struct session *session, const struct session_event *event)
{
    session->events.happened(session->events.context, event);
}

static void settle(struct session *session)
{
    if (session->inflight > 0)
        session->inflight--;
}

static enum status take_answer(struct session *session,
                               const struct frame *frame)
{
    struct session_event event = {.kind = SESSION_ANSWERED,
                                  .request_id = frame->request_id};
    enum status status;

    if (session->joining == 0) {
        answer_joiner_init(&session->joiner, session->joiner_data,
                           RESULT_SIZE_MAX);
        session->joining = frame->request_id;
    }
    if (session->joining != frame->request_id)
        return session_fail(session, ST_FRAME, "answers' parts are mixed");
    status = answer_join(&session->joiner, &event.answer, frame);
    if (status == ST_AGAIN)
        return ST_OK;
    if (status != ST_OK)
        return session_fail(session, status, "an answer is malformed");
    session->joining = 0;
    settle(session);
    tell(session, &event);
    sodium_memzero(session->joiner_data, event.answer.result.size);
    return ST_OK;
}

static enum status take_error(struct session *session,
                              const struct frame *frame,
                              const struct message_error *error)
{
    struct session_event event = {.kind = SESSION_FAULTED,
                                  .request_id = frame->request_id,
                                  .error = *error};

    if (error->scope == SCOPE_CONNECTION || frame->request_id == 0)
        return session_refused(session, error, "the server ended the session");
    if (error->code == ST_OK)
        return session_fail(session, ST_STATE, "an error that is none");
    settle(session);
    tell(session, &event);
    return ST_OK;
}

static enum status take_pong_or_ping(struct session *session,
                                     const struct frame *frame,
                                     const union frame_body *body)
{
    struct message_pong pong = {.echo = body->ping.time,
                                .time = body->ping.time};
    uint8_t bytes[64];
    struct writer writer;

    if (frame->type == MESSAGE_PONG)
        return ST_OK;
    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, MESSAGE_PONG, frame->request_id, &pong);
    return session_send(session, &writer)
               ? ST_OK
               : session_fail(session, ST_INTERNAL, "out of memory");
}

static enum status take_open_frame(struct session *session,
                                   const struct frame *frame,
                                   const union frame_body *body)
{
    struct session_event event = {.request_id = frame->request_id};

    if (frame->request_id > session->request_id)
        return session_fail(session, ST_REQUEST_ID,
                            "an answer to what was not asked");
    switch (frame->type) {
    case MESSAGE_ANSWER:
        return take_answer(session, frame);
    case MESSAGE_ERROR:
        return take_error(session, frame, &body->error);
    case MESSAGE_ROWS:
        event.kind = SESSION_ROWS;
        event.rows = body->rows;
        settle(session);
        break;
    case MESSAGE_PROOF:
        event.kind = SESSION_PROOF;
        event.proof = body->proof;
        settle(session);
        break;
    case MESSAGE_EVENT:
        event.kind = SESSION_ENTRY;
        event.bytes = frame->body;
        break;
    case MESSAGE_ADVICE:
        event.kind = SESSION_ADVISED;
        event.advice = body->advice;
        break;
    default:
        return session_fail(session, ST_STATE, "unexpected frame");
    }
    tell(session, &event);
    return ST_OK;
}

static enum status take_frame(struct session *session,
                              const struct frame *frame)
{
    union frame_body body;
    struct field_error error;
    enum status status = ST_OK;

    memset(&body, 0, sizeof body);
    if (frame->type != MESSAGE_EVENT && frame->type != MESSAGE_ANSWER)
        status = frame_decode(&session->gate, &body, &error, frame);
    if (status != ST_OK)
        return session_fail(session, status, "a frame is malformed");
    switch (frame->type) {
    case MESSAGE_PAD:
        return ST_OK;
    case MESSAGE_PING:
    case MESSAGE_PONG:
        return take_pong_or_ping(session, frame, &body);
    case MESSAGE_BYE:
        return session_fail(session, ST_CLOSED, "the server said goodbye");
    }
    return session->phase == SESSION_LOGIN
               ? session_login_frame(session, frame, &body)
               : take_open_frame(session, frame, &body);
}

static enum status take_record(struct session *session, struct slice plain)
{
    struct slice rest = plain;
    enum status status = ST_OK;

    while (status == ST_OK) {
        struct frame frame;
        status = frame_next(&session->gate, &frame, &rest);
        if (status == ST_END)
            return ST_OK;
        if (status != ST_OK)
            return session_fail(session, status, "a frame is malformed");
        status = take_frame(session, &frame);
    }
    return status;
}

/* Records of ${input}; ${*used} is moved on. */
static enum status take_records(struct session *session, size_t *used,
                                struct slice input)
{
    enum status status = ST_OK;

    while (status == ST_OK) {
        struct slice rest = {input.data + *used, input.size - *used};
        size_t size, plain_size;
        uint8_t *plain;

        status = record_measure(&size, rest, RECORD_SIZE_MAX);
        if (status == ST_AGAIN)
            return ST_OK;
        if (status != ST_OK)
            return session_fail(session, status, "a record is malformed");
        plain = malloc(size);
        if (plain == NULL)
            return session_fail(session, ST_INTERNAL, "out of memory");
        status = record_open(&session->channel.receiver, plain, &plain_size,
                             slice_of(rest.data, size));
        if (status != ST_OK) {
            free(plain);
            return session_fail(session, status, "a record does not decrypt");
        }
        *used += size;
        status = take_record(session, slice_of(plain, plain_size));
        sodium_memzero(plain, plain_size);
        free(plain);
    }
    return status;
}

static const char *handshake_reason(const struct session *session,
                                    enum status status)
{
    if (status == ST_CERTIFICATE)
        return nodecert_fault_text(session->channel.fault);
    if (status == ST_REJECTED)
        return "the server speaks another version of the protocol";
    return "the handshake failed";
}

static enum status take_handshake(struct session *session, size_t *used,
                                  struct slice input)
{
    uint8_t bytes[CHANNEL_OUTPUT_SIZE_MAX];
    struct writer out;
    enum status status;

    writer_init(&out, bytes, sizeof bytes);
    status = channel_step(&session->channel, used, &out, input);
    if (status != ST_OK && status != ST_AGAIN)
        return session_fail(session, status, handshake_reason(session, status));
    if (!session_append(session, writer_slice(&out)))
        return session_fail(session, ST_INTERNAL, "out of memory");
    return status == ST_OK ? session_begin_login(session) : ST_OK;
}

/* What a partial message needs to wait: never more than one record. */
static enum status keep(struct session *session, struct slice rest)
{
    uint8_t *input = NULL;

    if (rest.size > 0) {
        input = malloc(rest.size);
        if (input == NULL)
            return session_fail(session, ST_INTERNAL, "out of memory");
        memcpy(input, rest.data, rest.size);
    }
    free(session->input);
    session->input = input;
    session->input_size = rest.size;
    return ST_OK;
}

enum status session_input(struct session *session, struct slice input)
{
    uint8_t *all = NULL;
    size_t used = 0;
    enum status status = ST_OK;

    if (session->phase == SESSION_OVER)
        return session->over;
    if (session->input_size > 0) {
        all = malloc(session->input_size + input.size);
        if (all == NULL)
            return session_fail(session, ST_INTERNAL, "out of memory");
        memcpy(all, session->input, session->input_size);
        if (input.size > 0)
            memcpy(all + session->input_size, input.data, input.size);
        input = slice_of(all, session->input_size + input.size);
    }
    if (session->phase == SESSION_CHANNEL)
        status = take_handshake(session, &used, input);
    if (status == ST_OK && session->phase != SESSION_CHANNEL)
        status = take_records(session, &used, input);
    if (status == ST_OK)
        status = keep(session, slice_of(input.data + used, input.size - used));
    free(all);
    return status;
}
