#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "protocol/genesis.h"
#include "replication/sometimes.h"
#include "server/pipeline/apply_private.h"
#include "server/registry/count.h"

#define APPLY_US_PER_S    INT64_C(1000000)
#define APPLY_US_PER_HOUR (APPLY_US_PER_S * 3600)

/* ---- Steps 8 and 9: decisions about the whole command ------------------- */

static enum status apply_check_time(const struct apply_input *input)
{
    const struct command_header *header = &input->entry.header;
    int64_t skew = SKEW_S * APPLY_US_PER_S;
    int64_t signed_at = header->signed_at;
    int64_t log_time = input->entry.place.log_time;

    /* No primary enters such a time; a log from outside may hold any. */
    if (signed_at < 0 || signed_at > DATES_TIME_MAX)
        return signed_at < 0 ? ST_EXPIRED : ST_EARLY;
    if (log_time < signed_at - skew)
        return ST_EARLY;
    if (log_time > signed_at + header->ttl_s * APPLY_US_PER_S + skew)
        return ST_EXPIRED;
    return ST_OK;
}

/* The counter is spent whatever follows. */
static enum status apply_check_counter(struct apply *apply,
                                       const struct apply_input *input)
{
    uint64_t counter = input->entry.header.counter;
    struct row_key *key = &apply->act.signer;

    if (counter == 0)
        return ST_OK;
    if (counter <= key->counter)
        return ST_REPLAY;
    key->counter = counter;
    state_update(apply->parts.state, TABLE_KEY, key);
    return ST_OK;
}

static void apply_set_act(struct apply *apply, const struct apply_input *input,
                          const struct row_key *signer)
{
    struct act *act = &apply->act;
    const struct entry_place *place = &input->entry.place;

    memset(act, 0, sizeof *act);
    act->state = apply->parts.state;
    act->services = &apply->services;
    act->index = place->index;
    act->epoch = place->epoch;
    act->log_time = place->log_time;
    if (MUTANT(102))
        act->log_time += apply->parts.identity->public_key[0] & 1;
    act->today = act_day(apply->parts.state, place->log_time);
    act->signer = *signer;
    act->carrier = place->carrier;
}

/* A decision about the whole command stands for each of its items. */
static void apply_refuse_all(struct apply *apply, struct writer *result,
                             uint16_t count, enum status code)
{
    for (uint16_t i = 0; i < count; i++) {
        apply->items[i] = (struct item_outcome){.code = (uint16_t)code};
        memcpy(apply->items[i].result_hash, outcome_nothing(), HASH_SIZE);
    }
    if (count > 1)
        outcome_codes_only(result, apply->items, count);
}

static enum status apply_decide(struct apply *apply, struct writer *result,
                                const struct apply_input *input)
{
    const struct command_header *header = &input->entry.header;
    enum status code = ST_OK;

    /* Genesis stands before every rule. */
    if (input->entry.place.index > 0) {
        code = apply_check_time(input);
        if (code == ST_OK)
            code = apply_check_counter(apply, input);
    }
    if (code == ST_OK) {
        enum status status = apply_items(apply, result, input);

        if (status != ST_OK)
            return status;
    } else {
        apply_refuse_all(apply, result, header->items_count, code);
    }
    return apply_attested_refused(apply, input);
}

/* ---- The row of the command --------------------------------------------- */

static void apply_find_oldest(struct apply *apply)
{
    struct row_command row = {.index = apply->oldest};
    struct state_scan scan;

    state_scan_key(apply->parts.state, &scan, TABLE_COMMAND, &row,
                   (struct state_range){.from = true});
    if (state_scan_next(&scan, &row)) {
        apply->oldest = row.index;
        apply->oldest_time = row.log_time;
    } else {
        apply->oldest = state_head(apply->parts.state)->applied_size;
        apply->oldest_time = INT64_MAX;
    }
    state_scan_close(&scan);
}

/* By log time alone, and bounded: the same rows go on every node. */
static void apply_purge(struct apply *apply, int64_t log_time)
{
    int64_t keep = state_setting(apply->parts.state, SETTING_idem_hours) *
                   APPLY_US_PER_HOUR;

    for (int i = 0; i < APPLY_PURGED_PER_ENTRY_MAX; i++) {
        if (apply->oldest_time == INT64_MAX ||
            apply->oldest_time > log_time - keep ||
            apply->oldest >= attest_first(apply->attest))
            return;
        struct row_command row = {.index = apply->oldest};
        state_delete(apply->parts.state, TABLE_COMMAND, &row);
        apply_purge_outcome(apply, row.index);
        apply->oldest++;
        apply_find_oldest(apply);
    }
}

static void apply_store(struct apply *apply, const struct apply_input *input,
                        struct apply_outcome *out,
                        const uint8_t digest[HASH_SIZE])
{
    uint8_t outcomes[ITEMS_MAX * OUTCOME_ROW_ITEM_SIZE_MAX];
    const struct command_header *header = &input->entry.header;
    struct row_command row = {
        .index = out->index,
        .log_time = out->log_time,
        .code = out->code,
    };
    struct item first;
    struct writer writer;

    writer_init(&writer, outcomes, sizeof outcomes);
    outcome_encode(&writer, apply->items, header->items_count);
    entry_item(&first, &input->entry, 0);
    const struct operation_info *operation =
        operation_info(first.clear_part.opcode);
    memcpy(row.key_id.b, header->key_id, KEY_ID_SIZE);
    memcpy(row.idem.b, header->idem, IDEM_SIZE);
    memcpy(row.command_hash.b, out->command_hash, HASH_SIZE);
    memcpy(row.leaf.b, out->leaf, HASH_SIZE);
    memcpy(row.result_hash.b, out->result_hash, HASH_SIZE);
    memcpy(row.digest.b, digest, HASH_SIZE);
    row.outcomes = writer_slice(&writer);
    /* Of reads nothing is kept: they hold what people are told. */
    if (operation != NULL && operation->access == ACCESS_WRITE &&
        out->result.size <= OUTCOME_KEPT_SIZE_MAX)
        row.result = out->result;
    state_insert(apply->parts.state, TABLE_COMMAND, &row);
    /* The sequencer knows what it sequenced, not what was replayed. */
    if (input->work == NULL)
        idempotency_add(apply->parts.idempotency, header->key_id, header->idem,
                        out->command_hash, out->index);
    if (apply->oldest_time == INT64_MAX) {
        apply->oldest = row.index;
        apply->oldest_time = row.log_time;
    }
}

/* ---- One entry ---------------------------------------------------------- */

static void apply_advance(struct apply *apply, const struct apply_input *input,
                          const uint8_t digest[HASH_SIZE])
{
    struct state_head head = *state_head(apply->parts.state);
    const struct entry_place *place = &input->entry.place;
    const struct command_header *header = &input->entry.header;
    struct item first;

    entry_item(&first, &input->entry, 0);
    bool own = first.clear_part.opcode == OPCODE_SYSTEM_ATTEST &&
               apply->items[0].code == ST_OK;
    tree_append(&apply->tree, input->leaf);
    attest_add(apply->attest, apply->items, header->items_count, digest, own,
               input->now_ms);
    head.applied_size = place->index + 1;
    memcpy(head.applied_leaf, input->leaf, HASH_SIZE);
    head.epoch = place->epoch;
    head.log_time = place->log_time;
    memcpy(head.digest, digest, HASH_SIZE);
    head.attested_size = attest_first(apply->attest);
    memcpy(head.cluster_id, apply->parts.cluster_id, CLUSTER_ID_SIZE);
    static_assert(sizeof head.frontier == sizeof apply->tree.hashes,
                  "the head keeps the tree as it is");
    memcpy(head.frontier, apply->tree.hashes, sizeof head.frontier);
    state_set_head(apply->parts.state, &head);
}

/* Whatever came of them, and after it: what an item of this entry is told of
 * the counts is how they were before. */
static void apply_count(struct apply *apply, const struct apply_input *input)
{
    struct slice rest = input->entry.items;
    struct count count;
    struct item item;

    count_begin(&count, apply->parts.state, input->leaf);
    for (uint16_t i = 0; entry_next_item(&item, &rest); i++)
        count_item(&count, item.clear_part.subject, i);
    count_end(&count);
}

static enum status apply_input(struct apply *apply, struct apply_outcome *out,
                               const struct apply_input *input,
                               const struct row_key *signer)
{
    const struct command_header *header = &input->entry.header;
    struct state *state = apply->parts.state;
    uint8_t digest[HASH_SIZE];
    struct writer result;
    enum status status;

    memset(out, 0, sizeof *out);
    status = apply_readable(apply, input);
    if (status != ST_OK)
        return status;
    writer_init(&result, apply->result, RESULT_SIZE_MAX);
    apply_set_act(apply, input, signer);
    if (MUTANT(108) && input->work != NULL)
        apply->act.log_time++;
    state_entry_begin(state);
    status = apply_decide(apply, &result, input);
    if (status != ST_OK)
        return status;
    INVARIANT(result.status == ST_OK);
    apply_count(apply, input);

    out->code = outcome_code(apply->items, header->items_count);
    out->batch = header->items_count > 1;
    out->wants_receipt =
        (header->flags & COMMAND_FLAG_RECEIPT) != 0 || out->code != ST_OK;
    out->index = input->entry.place.index;
    out->epoch = input->entry.place.epoch;
    out->log_time = input->entry.place.log_time;
    memcpy(out->leaf, input->leaf, HASH_SIZE);
    memcpy(out->command_hash, input->command_hash, HASH_SIZE);
    out->result = writer_slice(&result);
    if (out->batch)
        crypto_hash_sha256(out->result_hash, result.data, result.used);
    else
        memcpy(out->result_hash, apply->items[0].result_hash, HASH_SIZE);
    apply_purge(apply, out->log_time);
    state_entry_end(state, digest);
    apply_store(apply, input, out, digest);
    apply_advance(apply, input, digest);
    return ST_OK;
}

enum status apply_entry(struct apply *apply, struct apply_outcome *out,
                        const struct work *work, int64_t now_ms)
{
    struct apply_input input = {.work = work, .now_ms = now_ms};
    struct row_key signer = {0};
    enum status status = entry_view(&input.entry, work->entry);

    INVARIANT(status == ST_OK);
    INVARIANT(input.entry.place.index == apply_size(apply));
    memcpy(input.leaf, work->leaf, HASH_SIZE);
    memcpy(input.command_hash, work->command.hash, HASH_SIZE);
    memcpy(signer.key_id.b, work->command.header.key_id, KEY_ID_SIZE);
    bool known = state_get(apply->parts.state, TABLE_KEY, &signer);
    INVARIANT(known || work->index == 0);
    return apply_input(apply, out, &input, &signer);
}

/* ---- Replay ------------------------------------------------------------- */

/* Genesis names the key that must have signed it, and that names the cluster.
 */
static enum status apply_verify_genesis(struct apply *apply,
                                        struct apply_input *input)
{
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct op_system_genesis genesis;
    struct entry entry;
    enum status status;

    status = genesis_read(&genesis, &entry, input->entry.bytes);
    if (status != ST_OK)
        return status;
    identity_cluster_id(cluster_id, genesis.authority_key.b);
    if (memcmp(cluster_id, apply->parts.cluster_id, CLUSTER_ID_SIZE) != 0)
        return ST_WRONG_ENV;
    return entry_verify(&input->entry, input->command_hash, cluster_id,
                        genesis.authority_key.b);
}

static enum status apply_verify(struct apply *apply, struct apply_input *input,
                                struct row_key *signer)
{
    const struct state_head *head = state_head(apply->parts.state);
    const struct entry_place *place = &input->entry.place;

    if (place->index != head->applied_size ||
        memcmp(place->previous, head->applied_leaf, HASH_SIZE) != 0 ||
        place->epoch < head->epoch ||
        (place->index > 0 && place->log_time < head->log_time))
        return ST_CHAIN_BROKEN;
    memcpy(signer->key_id.b, input->entry.header.key_id, KEY_ID_SIZE);
    if (place->index == 0)
        return apply_verify_genesis(apply, input);
    if (!state_get(apply->parts.state, TABLE_KEY, signer))
        return ST_STALE_KEY;
    return entry_verify(&input->entry, input->command_hash,
                        apply->parts.cluster_id, signer->public_key.b);
}

enum status apply_replay(struct apply *apply, struct slice entry)
{
    struct apply_input input = {.work = NULL};
    struct row_key signer = {0};
    struct apply_outcome outcome;
    enum status status;

    status = entry_decode(&input.entry, entry);
    if (status == ST_OK)
        status = apply_verify(apply, &input, &signer);
    if (status != ST_OK)
        return status;
    entry_leaf_hash(input.leaf, entry);
    return apply_input(apply, &outcome, &input, &signer);
}

/* ---- Groups ------------------------------------------------------------- */

void apply_begin(struct apply *apply)
{
    state_begin(apply->parts.state);
}

uint64_t apply_size(const struct apply *apply)
{
    return state_head(apply->parts.state)->applied_size;
}

struct attest *apply_attest(struct apply *apply)
{
    return apply->attest;
}

bool apply_has_secret(const struct apply *apply)
{
    return sodium_is_zero(apply->services.secret,
                          sizeof apply->services.secret) == 0;
}

struct act_services *apply_services(struct apply *apply)
{
    return &apply->services;
}
