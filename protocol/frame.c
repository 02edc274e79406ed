#include "protocol/frame.h"

#include <sodium.h>

#include "protocol/answer.h"
#include "protocol/error.h"

void frame_gate_init(struct frame_gate *gate, enum frame_sender sender)
{
    *gate = (struct frame_gate){.sender = sender};
}

void frame_gate_open(struct frame_gate *gate)
{
    gate->open = true;
    gate->login_waits = false;
    gate->prove_allowed = false;
}

void frame_gate_params(struct frame_gate *gate)
{
    REQUIRE(!gate->open);
    gate->login_waits = false;
    gate->prove_allowed = true;
}

void frame_gate_refused(struct frame_gate *gate)
{
    gate->login_waits = false;
}

void frame_gate_pinged(struct frame_gate *gate)
{
    REQUIRE(gate->pings_open < UINT32_MAX);
    gate->pings_open++;
}

/* The limit before login binds the client alone. */
static bool limits_are_full(const struct frame_gate *gate)
{
    return gate->open || gate->sender == FRAME_SERVER;
}

static size_t size_max(const struct frame_gate *gate)
{
    return limits_are_full(gate) ? FRAME_SIZE_MAX : FRAME_SIZE_MAX_BEFORE_LOGIN;
}

static bool route_fits(const struct frame_gate *gate,
                       const struct message_info *info)
{
    switch (info->route) {
    case ROUTE_C:
        return gate->sender == FRAME_CLIENT;
    case ROUTE_S:
        return gate->sender == FRAME_SERVER;
    case ROUTE_BOTH:
        return true;
    }
    return false;
}

static bool flags_fit(const struct frame *frame)
{
    return frame->flags == 0 ||
           (frame->type == MESSAGE_ANSWER && frame->flags == FRAME_FLAG_MORE);
}

/* Between a login frame and its answer a client may send these alone. */
static bool passes_while_waiting(uint8_t type)
{
    return type == MESSAGE_PING || type == MESSAGE_PAD || type == MESSAGE_BYE;
}

static enum status check_state(const struct frame_gate *gate,
                               const struct message_info *info)
{
    if (info->when == WHEN_OPEN && !gate->open)
        return info->number == MESSAGE_COMMAND ? ST_NO_SESSION : ST_STATE;
    if (info->when == WHEN_CHAN && gate->open)
        return ST_STATE;
    if (gate->login_waits && !passes_while_waiting(info->number))
        return ST_STATE;
    if (info->number == MESSAGE_PW_PROVE && !gate->prove_allowed)
        return ST_STATE;
    if (info->number == MESSAGE_PONG && gate->pings_open == 0)
        return ST_STATE;
    return ST_OK;
}

/* PING, BYE, ADVICE and PAD answer nothing when a server sends them. */
static bool unsolicited(uint8_t type)
{
    return type == MESSAGE_PING || type == MESSAGE_BYE ||
           type == MESSAGE_ADVICE || type == MESSAGE_PAD;
}

static bool request_id_fits(const struct frame_gate *gate,
                            const struct frame *frame)
{
    if (gate->sender == FRAME_SERVER) {
        if (frame->type == MESSAGE_ERROR)
            return true; /* 0 where the connection is meant. */
        return (frame->request_id == 0) == unsolicited(frame->type);
    }
    if (frame->type == MESSAGE_PAD || frame->type == MESSAGE_PONG)
        return frame->request_id == 0;
    return frame->request_id > gate->request_id;
}

static enum status check_header(const struct frame_gate *gate,
                                const struct frame *frame)
{
    const struct message_info *info = message_info(frame->type);
    enum status status;

    if (info == NULL)
        return ST_TYPE;
    if (!route_fits(gate, info))
        return ST_STATE;
    if (!flags_fit(frame))
        return ST_RESERVED;
    status = check_state(gate, info);
    if (status != ST_OK)
        return status;
    if (!request_id_fits(gate, frame))
        return ST_REQUEST_ID;
    return ST_OK;
}

/* The frame has used its number and its turn, whatever its body says. */
static void count_frame(struct frame_gate *gate, const struct frame *frame)
{
    if (gate->sender == FRAME_CLIENT && frame->request_id != 0)
        gate->request_id = frame->request_id;
    if (frame->type == MESSAGE_PONG)
        gate->pings_open--;
    if (frame->type == MESSAGE_AUTH_KEY || frame->type == MESSAGE_PW_START ||
        frame->type == MESSAGE_PW_PROVE) {
        gate->login_waits = true;
        gate->prove_allowed = false;
    }
}

enum status frame_next(struct frame_gate *gate, struct frame *frame_out,
                       struct slice *rest)
{
    struct reader reader;
    uint32_t size;
    enum status status;

    *frame_out = (struct frame){0};
    if (rest->size == 0)
        return ST_END;
    if (rest->size < FRAME_HEADER_SIZE)
        return ST_FRAME;
    reader_init(&reader, *rest);
    size = reader_u32(&reader);
    frame_out->type = reader_u8(&reader);
    frame_out->flags = reader_u8(&reader);
    frame_out->version = reader_u16(&reader);
    frame_out->request_id = reader_u64(&reader);
    if (size < FRAME_HEADER_SIZE || size > size_max(gate) || size > rest->size)
        return ST_FRAME;
    status = check_header(gate, frame_out);
    if (status != ST_OK)
        return status;
    frame_out->body = reader_bytes(&reader, size - FRAME_HEADER_SIZE);
    *rest = slice_of(rest->data + size, rest->size - size);
    count_frame(gate, frame_out);
    return frame_out->version == FRAME_VERSION ? ST_OK : ST_OP_VERSION;
}

/* Fields that a receiver of today must find empty. */
static bool reserved_is_zero(const union frame_body *body, uint8_t type)
{
    switch (type) {
    case MESSAGE_AUTH_KEY:
        return body->auth_key.flags == 0 && body->auth_key.reserved == 0 &&
               sodium_is_zero(body->auth_key.session_id.b,
                              sizeof body->auth_key.session_id.b);
    case MESSAGE_PW_PARAMS:
        return body->pw_params.reserved == 0;
    case MESSAGE_PW_PROVE:
        return body->pw_prove.flags == 0 && body->pw_prove.reserved == 0;
    case MESSAGE_AUTH_OK:
        return body->auth_ok.reserved == 0;
    case MESSAGE_BYE:
        return body->bye.reserved == 0;
    case MESSAGE_ANSWER:
        return body->answer.reserved == 0 &&
               (body->answer.flags & ~ANSWER_FLAGS_ALL) == 0;
    case MESSAGE_ERROR:
        return body->error.scope <= SCOPE_CONNECTION &&
               (body->error.flags & ~ERROR_FLAGS_ALL) == 0;
    default:
        return true;
    }
}

static enum status check_pad(struct slice body)
{
    if (body.size > PAD_SIZE_MAX)
        return ST_TOO_LARGE;
    return sodium_is_zero(body.data, body.size) ? ST_OK : ST_RESERVED;
}

/* What answer.h reads behind the fixed fields is no TLV. */
static struct slice fixed_part(const struct frame *frame)
{
    struct slice body = frame->body;

    if (frame->type == MESSAGE_ANSWER && body.size > ANSWER_FIXED_SIZE)
        body.size = ANSWER_FIXED_SIZE;
    return body;
}

enum status frame_decode(const struct frame_gate *gate, union frame_body *out,
                         struct field_error *error_out,
                         const struct frame *frame)
{
    const struct message_info *info = message_info(frame->type);
    enum status status;

    REQUIRE(info != NULL);
    *error_out = (struct field_error){ST_OK, 0};
    if (frame->type == MESSAGE_COMMAND || frame->type == MESSAGE_EVENT)
        return ST_OK;
    if (frame->type == MESSAGE_PAD) {
        error_out->status = check_pad(frame->body);
        return error_out->status;
    }
    status = schema_decode(
        info->schema, out, error_out, fixed_part(frame),
        limits_are_full(gate) ? SCHEMA_SKIP_ODD : SCHEMA_SKIP_ODD_BEFORE_LOGIN);
    INVARIANT(status != ST_TRAILING);
    if (status == ST_OK && !reserved_is_zero(out, frame->type))
        status = ST_RESERVED;
    error_out->status = status;
    return status;
}

enum status_scope frame_scope(const struct frame_gate *gate, enum status status,
                              const struct frame *frame)
{
    const struct status_info *info = status_info((uint32_t)status);

    REQUIRE(info != NULL);
    if (!gate->open)
        return status == ST_AUTH || status == ST_THROTTLED ? SCOPE_REQUEST
                                                           : SCOPE_CONNECTION;
    return frame->request_id == 0 ? SCOPE_CONNECTION : info->scope;
}

size_t frame_begin(struct writer *writer, uint8_t type, uint8_t flags,
                   uint64_t request_id)
{
    size_t begin = writer->used;

    REQUIRE(message_info(type) != NULL);
    writer_u32(writer, 0); /* frame_end() knows. */
    writer_u8(writer, type);
    writer_u8(writer, flags);
    writer_u16(writer, FRAME_VERSION);
    writer_u64(writer, request_id);
    return begin;
}

void frame_end(struct writer *writer, size_t begin)
{
    if (writer->status != ST_OK)
        return;
    REQUIRE(begin <= writer->used);
    REQUIRE(writer->used - begin <= FRAME_SIZE_MAX);
    store_u32(writer->data + begin, (uint32_t)(writer->used - begin));
}

void frame_write(struct writer *writer, uint8_t type, uint64_t request_id,
                 const void *in)
{
    const struct message_info *info = message_info(type);
    size_t begin = frame_begin(writer, type, 0, request_id);

    REQUIRE(info->schema->fields_count > 0);
    schema_encode(info->schema, writer, in);
    frame_end(writer, begin);
}

void frame_write_pad(struct writer *writer, size_t size)
{
    size_t begin = frame_begin(writer, MESSAGE_PAD, 0, 0);

    REQUIRE(size <= PAD_SIZE_MAX);
    writer_zeros(writer, size);
    frame_end(writer, begin);
}
