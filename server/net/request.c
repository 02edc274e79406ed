#include <sodium.h>
#include <string.h>

#include "protocol/answer.h"
#include "protocol/record.h"
#include "server/net/home.h"

enum { US = 1000000, LIMIT_RETRY_MS = 1000, BUSY_RETRY_MS = 1000 };

void request_heard(struct connection *connection)
{
    int64_t idle_us =
        US * (int64_t)(connection->is_machine ? IDLE_S_MACHINE : IDLE_S_PERSON);
    int64_t now_us = loop_now_us();

    connection->idle_deadline_us = now_us + idle_us;
    connection->ping_due_us = now_us + idle_us / 2;
}

static bool is_strike(enum status status)
{
    return status == ST_BAD_SIG || status == ST_NOT_CARRIER ||
           status == ST_IDEM_CONFLICT ||
           (status >= ST_BAD_FIELD && status <= ST_TRAILING);
}

/* The penalty of the key runs, or begins with this strike. */
static bool is_struck_out(struct net *net, const uint8_t *key, int64_t now_us)
{
    if (usage_penalty(net->keys, key, now_us) > 0) {
        HOME_LIMIT(net, penalised_key);
        return true;
    }
    if (!usage_strike(net->keys, key, now_us))
        return false;
    HOME_LIMIT(net, penalties_key);
    return true;
}

bool request_strike(struct connection *connection, enum status status,
                    const uint8_t *signer, uint64_t request_id)
{
    struct net *net = connection->home->net;
    bool plain = connection->session.carrier == 0;
    bool frame_error = status < ST_NO_SESSION;
    const uint8_t *key = signer != NULL ? signer : connection->session.key_id.b;
    int64_t now_us = loop_now_us();
    bool over = false;

    if (!frame_error && !is_strike(status))
        return false;
    atomic_fetch_add(&net->counters.strikes, 1);
    if (frame_error || connection->phase != PHASE_OPEN) {
        over = usage_strike(net->sources, connection->source.name, now_us);
        if (over)
            HOME_LIMIT(net, penalties_source);
    }
    if (connection->phase == PHASE_OPEN &&
        (plain ||
         status != ST_BAD_SIG)) /* Carried noise is not the carrier's. */
        over = is_struck_out(net, key, now_us) || over;
    if (!over || connection->phase != PHASE_OPEN)
        return false;
    /* The 17th, and any while its penalty runs: LIMIT, and a plain connection
     * closes. */
    connection_error(connection, ST_LIMIT,
                     plain || frame_error ? SCOPE_CONNECTION : SCOPE_REQUEST,
                     request_id, NULL);
    return true;
}

static struct connection_request *take_request(struct connection *connection,
                                               uint64_t request_id)
{
    for (uint16_t i = 0; i < connection->inflight_max; i++) {
        if (connection->requests[i].request_id != 0)
            continue;
        connection->requests[i].request_id = request_id;
        connection->requests_count++;
        return &connection->requests[i];
    }
    return NULL;
}

static bool drop_request(struct connection *connection, uint64_t request_id,
                         struct bytes16 *signer_out)
{
    for (uint16_t i = 0; i < connection->inflight_max; i++) {
        if (connection->requests[i].request_id != request_id)
            continue;
        *signer_out = connection->requests[i].signer;
        connection->requests[i].request_id = 0;
        connection->requests_count--;
        return true;
    }
    return false;
}

static bool is_rate_free(struct connection *connection,
                         const struct directory_key *signer)
{
    const struct net_options *options = &connection->home->net->options;
    uint32_t rate = home_limit(login_is_machine(signer->role)
                                   ? &options->commands_per_second_body
                                   : &options->commands_per_second_person);

    if (rate == 0 ||
        usage_take(connection->home->net->keys, signer->key_id.b,
                   USAGE_COMMANDS, rate, rate * 4, 1, loop_now_us()))
        return true;
    HOME_LIMIT(connection->home->net, commands_rate);
    return false;
}

bool request_rate_free(struct connection *connection)
{
    return is_rate_free(connection, &connection->session);
}

bool request_take(struct connection *connection, uint64_t request_id)
{
    struct connection_request *request = take_request(connection, request_id);

    if (request != NULL)
        request->signer = connection->session.key_id;
    return request != NULL;
}

void request_drop(struct connection *connection, uint64_t request_id)
{
    struct bytes16 unused;

    (void)drop_request(connection, request_id, &unused);
}

/* What the journal is told of a refusal.  Beyond the session's rate only that
 * and why, so that such lines are counted together. */
static struct refused_line line_of(struct connection *connection,
                                   const struct frame *frame,
                                   enum status status,
                                   const struct command *command)
{
    struct refused_line line = {
        .session = connection->session.key_id,
        .code = (uint16_t)status,
        .count = 1,
    };

    if (status == ST_LIMIT || !is_rate_free(connection, &connection->session))
        return line;
    line.opcode = command_peek_opcode(frame->body);
    if (frame->body.size >= COMMAND_HEADER_SIZE) {
        struct command_header header;
        command_header_decode(&header, frame->body.data);
        memcpy(line.signer.b, header.key_id, KEY_ID_SIZE);
    }
    if (command != NULL && command->header.items_count > 0)
        line.subject = command->items[0].clear_part.subject;
    crypto_hash_sha256(line.command_hash.b, frame->body.data, frame->body.size);
    return line;
}

/* Refused after login and before it could be an entry: answered, and noted. */
static void refuse_command(struct connection *connection,
                           const struct frame *frame, enum status status,
                           const struct command *command)
{
    struct connection_fault fault = {0, 0xffff,
                                     status == ST_LIMIT ? LIMIT_RETRY_MS : 0};
    struct refused_line line = line_of(connection, frame, status, command);

    pipeline_refused(connection->home->net->pipeline, &line);
    if (request_strike(connection, status, NULL, frame->request_id))
        return;
    /* Without a header and a signature it is a bad frame. */
    connection_error(connection, status,
                     status == ST_FRAME ? SCOPE_CONNECTION : SCOPE_REQUEST,
                     frame->request_id, &fault);
}

/* Steps 4 to 6: the signer's key, the signature, the carrier's right. */
static enum status judge_signer(struct connection *connection,
                                const struct command *command,
                                struct directory_key *signer_out)
{
    struct net_loop *home = connection->home;
    struct directory *directory = pipeline_directory(home->net->pipeline);
    enum status status;

    if (!directory_find(directory, signer_out, command->header.key_id))
        return ST_STALE_KEY;
    if (home->signatures_left > 0)
        home->signatures_left--;
    status = command_verify(command, signer_out->public_key.b);
    if (status != ST_OK)
        return status;
    if (memcmp(command->header.key_id, connection->session.key_id.b,
               KEY_ID_SIZE) != 0 &&
        connection->session.carrier == 0)
        return ST_NOT_CARRIER;
    return ST_OK;
}

static bool is_own(const struct connection *connection,
                   const struct directory_key *signer)
{
    return memcmp(signer->key_id.b, connection->session.key_id.b,
                  KEY_ID_SIZE) == 0;
}

static void submit(struct connection *connection, const struct frame *frame,
                   const struct command *command,
                   const struct directory_key *signer)
{
    struct net *net = connection->home->net;
    bool carried = !is_own(connection, signer);
    struct work_origin origin = {
        .loop = connection->home->number,
        .connection = connection->id,
        .request_id = frame->request_id,
        .session_key = connection->session.key_id,
        .carrier = carried ? connection->session.carrier : 0,
        .carrier_kind = carried ? connection->session.carrier_kind : 0,
        .organisation = signer->organisation,
    };
    struct connection_request *request =
        take_request(connection, frame->request_id);
    struct work *work;
    struct bytes16 unused;
    enum status status = ST_BUSY;

    INVARIANT(request != NULL);
    request->signer = signer->key_id;
    work = work_open(command, &origin);
    if (work != NULL)
        status = pipeline_submit(net->pipeline, work);
    if (status == ST_OK)
        return;
    work_close(work);
    (void)drop_request(connection, frame->request_id, &unused);
    if (status == ST_NOT_PRIMARY &&
        advice_refuse(connection, frame->request_id))
        return;
    connection_error(connection, status, SCOPE_REQUEST, frame->request_id,
                     &(struct connection_fault){0, 0xffff, 100});
}

static void take_command(struct connection *connection,
                         const struct frame *frame)
{
    struct net_loop *home = connection->home;
    struct net *net = home->net;
    const struct operation_info *operation =
        operation_info(command_peek_opcode(frame->body));
    struct command_policy policy = {
        .env_tag = net->identity.cluster_id[0],
        .portal = net->options.portal,
        .registry = net->options.registry,
        .system = operation != NULL && operation->realm == OP_REALM_SYSTEM,
        .ttl_s_max = TTL_S_MAX,
        .items_max = connection->items_max,
    };
    struct command command = {0};
    struct directory_key signer;
    enum status status;

    atomic_fetch_add_explicit(&net->counters.commands, 1, memory_order_relaxed);
    if (advice_refuse(connection, frame->request_id))
        return;
    if (connection->session.is_node)
        policy.system = true;
    status = command_decode(&command, home->items, frame->body, &policy);
    if (status != ST_OK) {
        refuse_command(connection, frame, status, NULL);
        return;
    }
    command_digest(&command, net->identity.cluster_id);
    status = judge_signer(connection, &command, &signer);
    if (status == ST_OK &&
        usage_penalty(net->keys, signer.key_id.b, loop_now_us()) > 0)
        status = ST_LIMIT;
    if (status == ST_OK && !is_rate_free(connection, &signer))
        status = ST_LIMIT;
    if (status != ST_OK) {
        refuse_command(connection, frame, status, &command);
        return;
    }
    /* Only logins of the key itself: a carried one would close its carrier. */
    if (command.header.counter != 0 && is_own(connection, &signer) &&
        !usage_counts(net->keys, signer.key_id.b, connection->login_number)) {
        connection_error(connection, ST_FENCED, SCOPE_CONNECTION,
                         frame->request_id, NULL);
        return;
    }
    submit(connection, frame, &command, &signer);
}

static void take_query(struct connection *connection, const struct frame *frame,
                       const struct message_query *query)
{
    uint8_t bytes[BLOB_SIZE_MAX];
    struct writer rows;
    struct message_rows body = {.query = query->query, .version = 1};
    enum status status = ST_LIMIT;

    writer_init(&rows, bytes, sizeof bytes);
    if (is_rate_free(connection, &connection->session))
        status = pipeline_query(connection->home->net->pipeline, &rows,
                                query->query, query->version, query->fields);
    if (status != ST_OK) {
        connection_error(connection, status, SCOPE_REQUEST, frame->request_id,
                         NULL);
        return;
    }
    body.rows = writer_slice(&rows);
    frame_write(connection_frame(connection, body.rows.size + 64), MESSAGE_ROWS,
                frame->request_id, &body);
}

bool request_plain(struct connection *connection, const struct frame *frame,
                   const union frame_body *body)
{
    struct message_pong pong;
    int64_t now_us = loop_now_us();

    switch (frame->type) {
    case MESSAGE_PING:
        if (!bucket_take(&connection->pings, now_us, PING_PER_SECOND_MAX,
                         PING_BURST, 1)) {
            HOME_LIMIT(connection->home->net, pings);
            connection_error(connection, ST_LIMIT, SCOPE_CONNECTION,
                             frame->request_id, NULL);
            return true;
        }
        pong = (struct message_pong){.echo = body->ping.time,
                                     .time = loop_wall_us()};
        connection_send(connection, MESSAGE_PONG, frame->request_id, &pong);
        return true;
    case MESSAGE_PONG:
        return true;
    case MESSAGE_PAD:
        if (!bucket_take(&connection->pads, now_us, PAD_BYTES_PER_SECOND_MAX,
                         2 * PAD_BYTES_PER_SECOND_MAX,
                         (uint32_t)frame->body.size + FRAME_HEADER_SIZE)) {
            HOME_LIMIT(connection->home->net, pads);
            connection_error(connection, ST_LIMIT, SCOPE_CONNECTION, 0, NULL);
        }
        return true;
    case MESSAGE_BYE:
        connection_leave(connection, ST_OK);
        return true;
    default:
        return false;
    }
}

/* Who holds little is served longest, and nobody beyond his share. */
static bool is_class_short(const struct connection *connection,
                           enum memory_class class)
{
    const struct memory *memory = &connection->home->net->memory;
    size_t held = connection_share_held(connection, class);

    return memory_is_scarce(memory, class) ||
           held > memory_share(memory, class) ||
           (held > MEMORY_TIGHT_FREE_SIZE && memory_is_tight(memory, class));
}

/* Others' answers have the room that is left.  Queries are small, and the
 * status is asked for just then. */
static bool is_memory_short(struct connection *connection)
{
    struct net *net = connection->home->net;

    if (!is_class_short(connection, MEMORY_SESSIONS) &&
        !is_class_short(connection, MEMORY_ANSWERS))
        return false;
    HOME_LIMIT(net, memory);
    return true;
}

void request_frame(struct connection *connection, const struct frame *frame,
                   const union frame_body *body)
{
    bool answered =
        frame->type != MESSAGE_CANCEL && frame->type != MESSAGE_CREDIT;

    request_heard(connection);
    if (request_plain(connection, frame, body))
        return;
    if (answered && connection->requests_count >= connection->inflight_max) {
        HOME_LIMIT(connection->home->net, in_flight);
        connection_error(connection, ST_INFLIGHT, SCOPE_CONNECTION,
                         frame->request_id, NULL);
    } else if (answered && frame->type != MESSAGE_QUERY &&
               is_memory_short(connection)) {
        connection_error(connection, ST_BUSY, SCOPE_REQUEST, frame->request_id,
                         &(struct connection_fault){0, 0xffff, BUSY_RETRY_MS});
    } else if (frame->type == MESSAGE_COMMAND) {
        take_command(connection, frame);
    } else if (frame->type == MESSAGE_QUERY) {
        take_query(connection, frame, &body->query);
    } else if (frame->type == MESSAGE_PROOF_GET) {
        proof_get(connection, frame, &body->proof_get);
    } else if (frame->type == MESSAGE_WATCH) {
        watching_open(connection, frame, &body->watch);
    } else if (!bucket_take(&connection->pads, loop_now_us(),
                            PAD_BYTES_PER_SECOND_MAX,
                            2 * PAD_BYTES_PER_SECOND_MAX,
                            (uint32_t)frame->body.size + FRAME_HEADER_SIZE)) {
        /* What is left gets no answer, so it is counted as PADs are. */
        connection_error(connection, ST_LIMIT, SCOPE_CONNECTION,
                         frame->request_id, NULL);
    } else if (frame->type == MESSAGE_CREDIT) {
        watching_credit(connection, &body->credit);
    } else {
        /* CANCEL: best effort, and a command taken is not given up. */
        INVARIANT(frame->type == MESSAGE_CANCEL);
    }
}

static void send_answer(struct connection *connection,
                        const struct reply *reply)
{
    struct answer answer = {
        .code = reply->code,
        .duplicate = (reply->flags & REPLY_DUPLICATE) != 0,
        .result_omitted = (reply->flags & REPLY_RESULT_OMITTED) != 0,
        .result = slice_of(reply->result, reply->result_size),
    };
    size_t parts = answer_parts_count(reply->result_size);

    if (reply->flags & REPLY_RECEIPT) {
        answer.receipt = reply->receipt;
        answer.signature = reply->receipt_signature;
    }
    for (size_t i = 0; i < parts && connection->phase == PHASE_OPEN; i++) {
        size_t from = i * RESULT_PART_SIZE_MAX;
        size_t size = reply->result_size - from;
        if (size > RESULT_PART_SIZE_MAX)
            size = RESULT_PART_SIZE_MAX;
        answer_write_part(
            connection_frame(connection, size + FRAME_HEADER_SIZE +
                                             ANSWER_FIXED_SIZE + RECEIPT_SIZE +
                                             SIGNATURE_SIZE),
            reply->request_id, &answer, i);
    }
}

static void send_error(struct connection *connection, const struct reply *reply,
                       const struct bytes16 *signer)
{
    struct connection_fault fault = {reply->tag, reply->item,
                                     reply->retry_after_ms};
    enum status status = (enum status)reply->code;

    if (status == ST_NOT_PRIMARY &&
        advice_refuse(connection, reply->request_id))
        return;
    if (!request_strike(connection, status, signer->b, reply->request_id))
        connection_error(connection, status, SCOPE_REQUEST, reply->request_id,
                         &fault);
}

/* Takes ${reply}; the connection may be closing afterwards. */
static void deliver(struct connection *connection, struct reply *reply)
{
    struct bytes16 signer;

    if (connection->phase == PHASE_OPEN &&
        drop_request(connection, reply->request_id, &signer)) {
        if (reply->is_error)
            send_error(connection, reply, &signer);
        else if (reply->is_place)
            proof_place(connection, reply);
        else
            send_answer(connection, reply);
        connection_answered(connection);
    }
    reply_close(reply);
}

/*
 * The largest answer fits behind TX_SIZE_LOW of others; more than one waits its
 * turn, so that a peer that reads loses nothing by asking much.
 */
static_assert(TX_SIZE_LOW + RESULT_SIZE_MAX +
                      ANSWER_FRAMES_MAX *
                          (FRAME_HEADER_SIZE + ANSWER_FIXED_SIZE +
                           RECORD_OVERHEAD) +
                      RECEIPT_SIZE + SIGNATURE_SIZE <=
                  TX_SIZE_MAX + RECORD_SIZE_MAX,
              "an answer fits what a connection may hold");

static size_t owed_size_of(const struct reply *reply)
{
    return sizeof *reply + reply->result_size;
}

static struct reply *take_owed(struct connection *connection)
{
    struct reply *reply = connection->owed;

    connection->owed = reply->next;
    connection_owe_less(connection, owed_size_of(reply));
    return reply;
}

void request_reply(struct connection *connection, struct reply *reply)
{
    if (connection->owed == NULL &&
        connection_waiting(connection) <= TX_SIZE_LOW) {
        deliver(connection, reply);
        return;
    }
    if (!connection_owe(connection, owed_size_of(reply))) {
        reply_close(reply);
        connection_kill(connection);
        return;
    }
    reply->next = NULL;
    if (connection->owed == NULL)
        connection->owed_last = &connection->owed;
    *connection->owed_last = reply;
    connection->owed_last = &reply->next;
    connection_wake(connection);
}

bool request_pump(struct connection *connection)
{
    bool sent = false;

    while (connection->phase == PHASE_OPEN && connection->owed != NULL &&
           connection_waiting(connection) <= TX_SIZE_LOW) {
        struct reply *reply = take_owed(connection);
        deliver(connection, reply);
        sent = true;
    }
    return sent;
}

void request_forget(struct connection *connection)
{
    while (connection->owed != NULL) {
        reply_close(take_owed(connection));
    }
}
