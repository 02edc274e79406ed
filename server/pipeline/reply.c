#include "server/pipeline/reply.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "replication/need.h"
#include "replication/sometimes.h"

/* How long to wait before the same bytes are worth sending again. */
enum { REPLY_RETRY_MS = 50, REPLY_READ_ONLY_RETRY_MS = 1000 };

static struct reply *reply_open(const struct work *work, size_t result_size)
{
    struct reply *reply = calloc(1, sizeof *reply + result_size);

    /* An answer that cannot be given must not be swallowed. */
    NEED(reply != NULL);
    reply->connection = work->origin.connection;
    reply->request_id = work->origin.request_id;
    reply->item = UINT16_MAX;
    reply->result_size = result_size;
    return reply;
}

void reply_close(struct reply *reply)
{
    if (reply == NULL)
        return;
    sodium_memzero(reply->result, reply->result_size);
    free(reply);
}

static void reply_add(struct reply_lists *lists, uint32_t loop,
                      struct reply *reply)
{
    REQUIRE(loop < REPLY_LOOPS_MAX);
    if (lists->first[loop] == NULL)
        lists->first[loop] = reply;
    else
        lists->last[loop]->next = reply;
    lists->last[loop] = reply;
}

static void reply_sign(struct reply *reply, const struct apply_outcome *outcome,
                       const struct node_signer *signer)
{
    struct receipt receipt = {
        .code = outcome->code,
        .flags = outcome->batch ? RECEIPT_FLAG_BATCH : 0,
        .index = outcome->index,
        .epoch = outcome->epoch,
        .committed_at = outcome->log_time,
    };

    memcpy(receipt.command_hash, outcome->command_hash, HASH_SIZE);
    memcpy(receipt.entry_hash, outcome->leaf, HASH_SIZE);
    memcpy(receipt.result_hash, outcome->result_hash, HASH_SIZE);
    receipt_sign(&receipt, reply->receipt, reply->receipt_signature,
                 signer->cluster_id, signer->identity);
    reply->flags |= REPLY_RECEIPT;
}

void reply_answer(struct reply_lists *lists, const struct work *work,
                  const struct apply_outcome *outcome,
                  const struct node_signer *signer)
{
    if (work->node_made || work->told)
        return;
    struct reply *reply = reply_open(work, outcome->result.size);

    reply->code = outcome->code;
    if (work->known)
        reply->flags |= REPLY_DUPLICATE;
    if (outcome->result_omitted)
        reply->flags |= REPLY_RESULT_OMITTED;
    if (outcome->result.size > 0)
        memcpy(reply->result, outcome->result.data, outcome->result.size);
    if (MUTANT(115) && reply->result_size > 0)
        reply->result[reply->result_size - 1] ^= 1;
    if (outcome->wants_receipt)
        reply_sign(reply, outcome, signer);
    reply_add(lists, work->origin.loop, reply);
}

static uint32_t reply_wait_ms(enum status status)
{
    if (status == ST_IN_PROGRESS || status == ST_BUSY)
        return REPLY_RETRY_MS;
    return status == ST_READ_ONLY ? REPLY_READ_ONLY_RETRY_MS : 0;
}

void reply_error(struct reply_lists *lists, const struct work *work)
{
    if (work->node_made || work->told)
        return;
    struct reply *reply = reply_open(work, 0);

    reply->is_error = true;
    reply->code = (uint16_t)work->fault.status;
    reply->tag = work->fault.tag;
    reply->item = work->fault.item;
    reply->retry_after_ms = reply_wait_ms(work->fault.status);
    reply_add(lists, work->origin.loop, reply);
}

static struct reply *reply_to_place(const struct pipeline_place *place,
                                    size_t result_size)
{
    struct reply *reply = calloc(1, sizeof *reply + result_size);

    NEED(reply != NULL);
    reply->connection = place->connection;
    reply->request_id = place->request_id;
    reply->item = UINT16_MAX;
    reply->of_bytes = place->of_bytes;
    reply->which = place->which;
    reply->result_size = result_size;
    return reply;
}

void reply_place(struct reply_lists *lists, const struct pipeline_place *place,
                 uint64_t index)
{
    struct reply *reply = reply_to_place(place, 0);

    reply->is_place = true;
    reply->index = index;
    reply_add(lists, place->loop, reply);
}

void reply_outcome(struct reply_lists *lists,
                   const struct pipeline_place *place,
                   const struct apply_shown *shown)
{
    size_t path_size = shown->path.count * HASH_SIZE;
    struct reply *reply = reply_to_place(place, 2 + path_size);

    reply->is_place = true;
    reply->of_outcome = true;
    reply->index = shown->attestation;
    store_u16(reply->result, shown->path.lefts);
    memcpy(reply->result + 2, shown->path.hashes, path_size);
    reply_add(lists, place->loop, reply);
}

void reply_no_place(struct reply_lists *lists,
                    const struct pipeline_place *place, enum status status)
{
    struct reply *reply = reply_to_place(place, 0);

    reply->is_error = true;
    reply->code = (uint16_t)status;
    reply->retry_after_ms = reply_wait_ms(status);
    reply_add(lists, place->loop, reply);
}

void reply_deliver(struct reply_lists *lists,
                   const struct pipeline_events *events)
{
    for (uint32_t loop = 0; loop < REPLY_LOOPS_MAX; loop++) {
        if (lists->first[loop] == NULL)
            continue;
        events->answer(events->context, loop, lists->first[loop]);
        lists->first[loop] = NULL;
        lists->last[loop] = NULL;
    }
}
