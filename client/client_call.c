#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "protocol/catalogue.h"

/* The answer of a blocking call, copied out of the callback. */
struct call {
    bool going;
    int status;
    struct defter_answer answer;
    uint8_t *result;
};

static void answered(void *context, struct defter_command *command, int status,
                     const struct defter_answer *answer)
{
    struct call *call = context;

    MAYBE(command != NULL);
    call->going = false;
    call->status = status;
    if (answer == NULL)
        return;
    call->answer = *answer;
    call->result = malloc(answer->result_size + 1);
    if (call->result == NULL) {
        call->status = ST_INTERNAL;
        return;
    }
    if (answer->result_size > 0)
        memcpy(call->result, answer->result, answer->result_size);
    call->answer.result = call->result;
}

/* Sleep on the socket, for ${ms} at most or until a step is due. */
static void wait_for(const struct defter *client, int64_t ms)
{
    struct pollfd about = {.fd = client->fd, .events = POLLIN};
    int due_ms = defter_wait_ms(client);

    if ((defter_wants(client) & DEFTER_WANTS_WRITE) != 0)
        about.events = POLLIN | POLLOUT;
    if (due_ms >= 0 && due_ms < ms)
        ms = due_ms;
    if (ms < 0)
        ms = 0;
    (void)poll(&about, client->fd >= 0 ? 1 : 0, (int)(ms > 1000 ? 1000 : ms));
}

/* Step until ${*going} ends or the deadline; goes from node to node. */
static int run_while(struct defter *client, const bool *going,
                     int64_t deadline_ms)
{
    while (*going) {
        int64_t left_ms = deadline_ms - client_steady_ms();
        int status;
        if (left_ms <= 0)
            return client_out_of_time(client);
        status = defter_step(client);
        if (*going && defter_is_final(status))
            return status;
        if (*going)
            wait_for(client, left_ms);
    }
    return ST_OK;
}

int defter_connect(struct defter *client)
{
    int64_t deadline_ms = client_steady_ms() + client->timeout_ms;

    while (!client->opened) {
        int64_t left_ms = deadline_ms - client_steady_ms();
        int status = defter_step(client);
        /* Where nodes wait for a primary, so do we. */
        if (status != ST_OK && status != ST_NOT_PRIMARY)
            return status;
        if (left_ms <= 0)
            return client_out_of_time(client);
        if (!client->opened)
            wait_for(client, left_ms);
    }
    return ST_OK;
}

/* Take a command back that was not answered. */
static void take_back(struct defter *client, struct defter_command *command)
{
    for (struct defter_command **at = &client->pending; *at != NULL;
         at = &(*at)->next) {
        if (*at != command)
            continue;
        *at = command->next;
        if (client->pending_last == &command->next)
            client->pending_last = at;
        client->pending_count--;
        return;
    }
}

/* Time is over.  What passes has not passed: that is the answer, unless these
 * bytes were on their way once and may have been done. */
static int give_up(struct defter_command *command, struct call *call,
                   int status)
{
    if (status != ST_TIMEOUT || command->fault.code == 0 || command->lost ||
        command->request_id != 0)
        return status;
    answered(call, command, ST_OK, &command->fault);
    return call->status;
}

/* One try: until an answer, across connections and nodes. */
static int try_once(struct defter *client, struct defter_command *command,
                    struct call *call, int64_t deadline_ms)
{
    int status;

    free(call->result);
    *call = (struct call){.going = true};
    status = defter_submit(client, command, call, answered);
    if (status == ST_OK)
        status = run_while(client, &call->going, deadline_ms);
    if (!call->going)
        return call->status;
    take_back(client, command);
    return give_up(command, call, status);
}

/* auth.open by the same signer, so that the command finds a session. */
static int open_session(struct defter *client,
                        const struct defter_command *command,
                        int64_t deadline_ms)
{
    struct op_auth_open fields = {
        .agent = slice_of(client->agent, strlen(client->agent))};
    struct defter_item item = {.opcode = OPCODE_AUTH_OPEN};
    struct defter_command *opening;
    struct call call = {0};
    uint8_t bytes[128];
    struct writer writer;
    int status = defter_command_new(
        &opening, command->realm == 0 ? 'R' : command->realm, 0);

    if (status != ST_OK)
        return status;
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_auth_open, &writer, &fields);
    opening->has_signer = command->has_signer;
    opening->signer = command->signer;
    status = defter_command_item(opening, &item, bytes, writer.used);
    if (status == ST_OK)
        status = try_once(client, opening, &call, deadline_ms);
    if (status == ST_OK)
        status = call.answer.code;
    free(call.result);
    defter_command_free(opening);
    return status;
}

/* Sign anew by the server's clock: only after a definite refusal. */
static void forget_signature(struct defter_command *command)
{
    free(command->body);
    command->body = NULL;
}

/* What an answer asks of us before it is final; false: it is final. */
static bool go_on(struct defter *client, struct defter_command *command,
                  const struct call *call, int *resigned, int64_t deadline_ms)
{
    const struct defter_answer *answer = &call->answer;

    if (answer->duplicate || ++*resigned > CLIENT_RESIGN_MAX)
        return false;
    /* Signed anew it is another command: only where a receipt says that the
     * first came to nothing may there be a second. */
    if (!answer->has_receipt)
        return false;
    if (answer->code == ST_NO_SESSION) {
        forget_signature(command);
        return open_session(client, command, deadline_ms) == ST_OK;
    }
    if ((answer->code == ST_EXPIRED || answer->code == ST_EARLY) &&
        client_clock_is_credible(answer->committed_at)) {
        forget_signature(command);
        if (client->session != NULL)
            session_clock_says(client->session, answer->committed_at,
                               client_wall_us());
        return true;
    }
    return false;
}

int defter_call(struct defter *client, struct defter_command *command,
                struct defter_answer *answer_out)
{
    int64_t deadline_ms = client_steady_ms() + client->timeout_ms;
    struct call call = {0};
    int resigned = 0;
    int status;

    do
        status = try_once(client, command, &call, deadline_ms);
    while (status == ST_OK &&
           go_on(client, command, &call, &resigned, deadline_ms));
    if (status == ST_OK) {
        free(client->result);
        client->result = call.result;
        *answer_out = call.answer;
    } else {
        free(call.result);
    }
    return status;
}

/* The question that stands in ${client}; gives the node's answer. */
static int ask_node(struct defter *client, int64_t deadline_ms)
{
    int status;

    client->query_request = 0;
    client->query_wanted = true;
    status = run_while(client, &client->query_wanted, deadline_ms);
    client->query_wanted = false;
    if (status != ST_OK || client->query_status == ST_OK)
        return status;
    return client_fail(client, client->query_status,
                       "the node refuses the query");
}

int client_ask(struct defter *client, const struct message_proof_get *ask,
               int64_t deadline_ms)
{
    int status = defter_connect(client);

    if (status != ST_OK)
        return status;
    client->query_is_proof = true;
    client->proof_get = *ask;
    return ask_node(client, deadline_ms);
}

int defter_query(struct defter *client, uint16_t query, const void *fields,
                 size_t size, const uint8_t **rows_out, size_t *rows_size_out)
{
    int64_t deadline_ms = client_steady_ms() + client->timeout_ms;
    int status = defter_connect(client);

    if (status != ST_OK)
        return status;
    client->query_is_proof = false;
    client->query = query;
    client->query_fields = slice_of(fields, size);
    status = ask_node(client, deadline_ms);
    *rows_out = client->rows;
    *rows_size_out = client->rows_size;
    return status;
}
