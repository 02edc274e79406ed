#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"

static struct defter_command *unlink_pending(struct defter *client,
                                             uint64_t request_id)
{
    for (struct defter_command **at = &client->pending; *at != NULL;
         at = &(*at)->next) {
        struct defter_command *command = *at;
        if (command->request_id != request_id)
            continue;
        *at = command->next;
        if (client->pending_last == &command->next)
            client->pending_last = at;
        client->pending_count--;
        return command;
    }
    return NULL;
}

/* What a receipt must say of a command; then it is kept. */
static int check_receipt(struct defter *client,
                         const struct defter_command *command,
                         const struct answer *from, struct defter_answer *to)
{
    const struct nodecert *certificate = session_certificate(client->session);
    struct receipt receipt;
    uint8_t hash[HASH_SIZE];

    if (receipt_verify(&receipt, from->receipt, from->signature,
                       client->cluster_id, certificate->receipt_key) != ST_OK)
        return ST_RECEIPT;
    crypto_hash_sha256(hash, from->result.data, from->result.size);
    if (receipt.code != from->code ||
        memcmp(receipt.command_hash, command->hash, HASH_SIZE) != 0 ||
        (!from->result_omitted &&
         memcmp(receipt.result_hash, hash, HASH_SIZE) != 0))
        return ST_RECEIPT;
    to->has_receipt = 1;
    to->index = receipt.index;
    to->epoch = receipt.epoch;
    to->committed_at = receipt.committed_at;
    memcpy(to->receipt, from->receipt, RECEIPT_SIZE);
    memcpy(to->signature, from->signature, SIGNATURE_SIZE);
    if (client->receipts == NULL)
        return ST_OK;
    return (int)receipt_store_add(client->receipts, from->receipt,
                                  from->signature,
                                  session_certificate_bytes(client->session));
}

static void on_answer(struct defter *client, const struct session_event *event)
{
    struct defter_command *command = unlink_pending(client, event->request_id);
    struct defter_answer answer = {.item = 0xffff};
    int status = ST_OK;

    client_worked(client);
    if (command == NULL)
        return;
    answer.code = event->answer.code;
    answer.duplicate = event->answer.duplicate;
    answer.omitted = event->answer.result_omitted;
    answer.items_count = command->items_count;
    answer.result = event->answer.result.data;
    answer.result_size = event->answer.result.size;
    if (event->answer.receipt != NULL)
        status = check_receipt(client, command, &event->answer, &answer);
    else if ((command->flags & COMMAND_FLAG_RECEIPT) != 0 || answer.code != 0)
        status = ST_RECEIPT; /* A decision other than OK always has one. */
    if (status != ST_OK)
        client->receipt_failed =
            client_fail(client, status,
                        status == ST_RECEIPT ? "the receipt does not verify"
                                             : "the receipt cannot be kept");
    command->answered(command->context, command, status, &answer);
}

static struct defter_command *find_pending(struct defter *client,
                                           uint64_t request_id)
{
    struct defter_command *command = client->pending;

    while (command != NULL && command->request_id != request_id)
        command = command->next;
    return command;
}

void defter_on_fault(struct defter *client, void *context,
                     void (*passes)(void *context, int code))
{
    client->fault_context = context;
    client->fault_passes = passes;
}

/* A fault that passes: the same bytes again, here or on another node. */
static bool send_again(struct defter *client, uint64_t request_id,
                       const struct defter_answer *fault)
{
    struct defter_command *command = find_pending(client, request_id);

    if (command == NULL || !client_is_passing(fault->code) ||
        client_steady_ms() >= command->until_ms)
        return false;
    command->fault = *fault;
    command->fault.items_count = command->items_count;
    command->request_id = 0;
    if (fault->code != ST_NOT_PRIMARY)
        client_hold(client, fault->retry_after_ms);
    if (client->fault_passes != NULL)
        client->fault_passes(client->fault_context, fault->code);
    return true;
}

static void on_fault(struct defter *client, const struct session_event *event)
{
    struct defter_command *command;
    struct defter_answer answer = {.code = event->error.code,
                                   .is_error = 1,
                                   .field = event->error.tag,
                                   .item = event->error.item_index,
                                   .retry_after_ms =
                                       event->error.retry_after_ms};

    if (answer.code == ST_NOT_PRIMARY)
        client_leave(client);
    if (event->request_id == client->query_request && client->query_wanted) {
        client->query_wanted = false;
        client->query_request = 0;
        client->query_status = event->error.code;
    }
    if (send_again(client, event->request_id, &answer))
        return;
    command = unlink_pending(client, event->request_id);
    if (command == NULL)
        return;
    answer.items_count = command->items_count;
    command->answered(command->context, command, ST_OK, &answer);
}

/* ROWS or PROOF: what was asked last is answered with ${bytes}. */
static void on_rows(struct defter *client, const struct session_event *event,
                    struct slice bytes)
{
    client_worked(client);
    if (event->request_id != client->query_request || !client->query_wanted)
        return;
    client->query_wanted = false;
    client->query_request = 0;
    free(client->rows);
    client->rows_size = bytes.size;
    client->rows = malloc(client->rows_size + 1);
    client->query_status = client->rows == NULL ? ST_INTERNAL : ST_OK;
    if (client->rows != NULL && client->rows_size > 0)
        memcpy(client->rows, bytes.data, client->rows_size);
    if (client->query_is_proof != (event->kind == SESSION_PROOF))
        client->query_status = ST_STATE;
    client->proof = event->proof;
    client->proof.data = (struct slice){NULL, 0};
}

void client_happened(void *context, const struct session_event *event)
{
    struct defter *client = context;

    switch (event->kind) {
    case SESSION_OPENED:
        client_opened(client, event);
        break;
    case SESSION_ANSWERED:
        on_answer(client, event);
        break;
    case SESSION_FAULTED:
        on_fault(client, event);
        break;
    case SESSION_ROWS:
        on_rows(client, event, event->rows.rows);
        break;
    case SESSION_PROOF:
        on_rows(client, event, event->proof.data);
        break;
    case SESSION_ENTRY:
        if (event->request_id == client->watch_request) {
            client->watch_entry(client->watch_context, event->bytes.data,
                                event->bytes.size);
            session_credit(client->session, client->watch_request, 1,
                           (uint32_t)event->bytes.size);
        }
        break;
    case SESSION_DERIVED:
        client->has_derived = true;
        client->derived = *event->keys;
        break;
    case SESSION_ADVISED:
        client_advised(client, &event->advice);
        break;
    }
}
