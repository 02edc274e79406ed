#include <string.h>

#include "server/net/home.h"

enum { PROOF_RETRY_MS = 1000, PROOF_FIXED_SIZE = 64 };

static void refuse_proof(struct connection *connection, enum status status,
                         uint64_t request_id)
{
    struct connection_fault fault = {0, 0xffff,
                                     status == ST_BUSY ? PROOF_RETRY_MS : 0};

    connection_error(connection, status, SCOPE_REQUEST, request_id, &fault);
}

static void send_proof(struct connection *connection, uint64_t request_id,
                       const struct message_proof *body)
{
    size_t size = FRAME_HEADER_SIZE + PROOF_FIXED_SIZE + body->data.size;

    frame_write(connection_frame(connection, size), MESSAGE_PROOF, request_id,
                body);
}

static enum evidence_which which_of(uint8_t which)
{
    return which == PROOF_NEWEST ? EVIDENCE_NEWEST : EVIDENCE_BEST;
}

/* Inclusion, or consistency. */
static void answer_proof(struct connection *connection, uint64_t request_id,
                         uint8_t kind, uint64_t index,
                         enum evidence_which which)
{
    struct pipeline *pipeline = connection->home->net->pipeline;
    struct message_proof body = {.kind = kind, .index = index};
    uint8_t data[PROOF_SIZE_MAX + EVIDENCE_NOTE_SIZE_MAX];
    struct evidence_proof proof;
    struct writer writer;
    enum status status;

    if (kind == PROOF_CONSISTENCY)
        status = pipeline_consistency(pipeline, &proof, &body.standing, index,
                                      which);
    else
        status =
            pipeline_inclusion(pipeline, &proof, &body.standing, index, which);
    if (status != ST_OK) {
        refuse_proof(connection, status, request_id);
        return;
    }
    body.tree_size = proof.tree_size;
    body.hashes_count = (uint8_t)proof.hashes_count;
    writer_init(&writer, data, sizeof data);
    writer_bytes(&writer, proof.hashes, proof.hashes_count * HASH_SIZE);
    writer_bytes(&writer, proof.note, proof.note_size);
    body.data = writer_slice(&writer);
    send_proof(connection, request_id, &body);
}

static void answer_bytes(struct connection *connection, uint64_t request_id,
                         uint64_t index)
{
    struct pipeline *pipeline = connection->home->net->pipeline;
    struct message_proof body = {.kind = PROOF_BYTES, .index = index};
    uint8_t buffer[JOURNAL_READ_SIZE];
    enum status status = pipeline_entry_of(pipeline, &body.data, buffer, index,
                                           connection->session.key_id.b,
                                           connection->session.carrier);

    if (status != ST_OK) {
        refuse_proof(connection, status, request_id);
        return;
    }
    body.standing = pipeline_standing(pipeline, index);
    send_proof(connection, request_id, &body);
}

/* Behind the hashes their sides, and the attestation. */
static void answer_outcome(struct connection *connection,
                           const struct reply *reply)
{
    struct pipeline *pipeline = connection->home->net->pipeline;
    struct message_proof body = {.kind = PROOF_OUTCOME, .index = reply->index};
    uint8_t data[ATTEST_HASHES_MAX * HASH_SIZE + 2 + ENTRY_SIZE_MAX];
    uint8_t buffer[JOURNAL_READ_SIZE];
    struct writer writer;
    struct slice entry;
    enum status status =
        pipeline_attestation(pipeline, &entry, buffer, reply->index);

    if (status != ST_OK) {
        refuse_proof(connection, status, reply->request_id);
        return;
    }
    body.standing = pipeline_standing(pipeline, reply->index);
    body.hashes_count = (uint8_t)((reply->result_size - 2) / HASH_SIZE);
    writer_init(&writer, data, sizeof data);
    writer_bytes(&writer, reply->result + 2, reply->result_size - 2);
    writer_bytes(&writer, reply->result, 2);
    writer_bytes(&writer, entry.data, entry.size);
    INVARIANT(writer.status == ST_OK);
    body.data = writer_slice(&writer);
    send_proof(connection, reply->request_id, &body);
}

/* Either reply comes back with proof_place(). */
static void ask_place(struct connection *connection, uint64_t request_id,
                      const struct message_proof_get *ask)
{
    struct pipeline_place place = {
        .loop = connection->home->number,
        .connection = connection->id,
        .request_id = request_id,
        .key_id = ask->key_id,
        .idem = ask->idem,
        .which = ask->which,
    };
    enum status status = ST_BUSY;

    if (request_take(connection, request_id))
        status = pipeline_place(connection->home->net->pipeline, &place);
    if (status != ST_OK) {
        request_drop(connection, request_id);
        refuse_proof(connection, status, request_id);
    }
}

/* ${wants} bytes, or what shows the outcome. */
static void ask_own(struct connection *connection, uint64_t request_id,
                    uint64_t index, enum proof_kind wants)
{
    struct pipeline_place place = {
        .loop = connection->home->number,
        .connection = connection->id,
        .request_id = request_id,
        .of_outcome = wants == PROOF_OUTCOME,
    };
    enum status status = ST_BUSY;

    if (request_take(connection, request_id))
        status = pipeline_place_bytes(connection->home->net->pipeline, &place,
                                      index, connection->session.key_id.b,
                                      connection->session.carrier);
    if (status != ST_OK) {
        request_drop(connection, request_id);
        refuse_proof(connection, status, request_id);
    }
}

void proof_get(struct connection *connection, const struct frame *frame,
               const struct message_proof_get *ask)
{
    uint64_t request_id = frame->request_id;

    if (!request_rate_free(connection))
        refuse_proof(connection, ST_LIMIT, request_id);
    else if (ask->kind == PROOF_COMMAND)
        ask_place(connection, request_id, ask);
    else if (ask->kind == PROOF_BYTES || ask->kind == PROOF_OUTCOME)
        ask_own(connection, request_id, ask->index, ask->kind);
    else
        answer_proof(connection, request_id, ask->kind, ask->index,
                     which_of(ask->which));
}

void proof_place(struct connection *connection, const struct reply *reply)
{
    if (reply->of_outcome)
        answer_outcome(connection, reply);
    else if (reply->of_bytes)
        answer_bytes(connection, reply->request_id, reply->index);
    else
        answer_proof(connection, reply->request_id, PROOF_COMMAND, reply->index,
                     which_of(reply->which));
}
