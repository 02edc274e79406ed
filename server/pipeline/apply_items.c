#include <string.h>

#include <sodium.h>

#include "protocol/seal.h"
#include "server/pipeline/apply_private.h"
#include "server/registry/access.h"
#include "server/registry/destroy.h"
#include "server/registry/feed.h"

/* Whether something is destroyed follows from the state alone: nodes lose the
 * bytes of a key at different times.  A key that is gone before the state says
 * so cannot be gone on: an act above this entry destroyed it. */
static enum status items_key(struct apply *apply, uint8_t key_out[KEY_SIZE],
                             const struct item *item)
{
    enum status status =
        keyring_key(apply->parts.keyring, key_out, item->seal_key);

    return status == ST_ERASED ? ST_CONTENT_GONE : status;
}

/* The secret part in plain: as it was sent, or opened. */
static enum status items_open(struct apply *apply, struct slice *fields_out,
                              const struct apply_input *input,
                              const struct item *item, uint16_t number)
{
    uint8_t key[KEY_SIZE] = {0};
    struct slice secret;
    enum status status = ST_OK;

    if (destroy_is_erased(apply->parts.state, item->seal_key))
        return ST_ERASED;
    if (input->work != NULL) {
        *fields_out = input->work->command.items[number].fields;
        return ST_OK;
    }
    if (item->seal_key != 0)
        status = items_key(apply, key, item);
    if (status == ST_OK)
        status = seal_open(&secret, item, key, apply->opened, ENTRY_SIZE_MAX);
    if (status == ST_OK)
        *fields_out = seal_fields(secret);
    sodium_memzero(key, sizeof key);
    return status;
}

/* The salt that begins every result of a sealed operation. */
static enum status items_salt(struct apply *apply, struct writer *result,
                              const struct item *item, uint64_t index,
                              uint16_t number)
{
    uint8_t key[KEY_SIZE];
    uint8_t salt[SALT_SIZE];
    enum status status;

    status = items_key(apply, key, item);
    if (status != ST_OK)
        return status;
    seal_result_salt(salt, key, index, number);
    writer_bytes(result, salt, sizeof salt);
    sodium_memzero(key, sizeof key);
    return ST_OK;
}

static void items_act(struct apply *apply, const struct apply_input *input,
                      const struct item *item, uint16_t number)
{
    struct act *act = &apply->act;
    const struct item_clear *clear = &item->clear_part;

    act->item = number;
    act->more_items = number + 1 < input->entry.header.items_count;
    act->operation = operation_info(clear->opcode);
    act->realm = input->entry.header.realm;
    act->subject = clear->subject;
    act->purpose = clear->purpose;
    act->expect_version = clear->expect_version;
    act->record = 0;
    act->stored_item = item->bytes;
    memcpy(act->commitment, item->commitment, HASH_SIZE);
    writer_init(&apply->space, apply->space_bytes, RESULT_SIZE_MAX);
    act->space = &apply->space;
}

/*
 * Decide one item; its result is left in ${result}, empty unless it was done or
 * says more about its refusal.
 */
static enum status items_decide(struct apply *apply, struct writer *result,
                                const struct apply_input *input,
                                const struct item *item, uint16_t number)
{
    struct item_outcome *outcome = &apply->items[number];
    uint64_t index = input->entry.place.index;
    struct field_error error;
    struct slice fields;
    struct writer body;
    enum status code;

    writer_init(result, apply->item_result, RESULT_SIZE_MAX);
    items_act(apply, input, item, number);
    code = items_open(apply, &fields, input, item, number);
    if (code != ST_OK && code != ST_ERASED)
        return code;
    if (code == ST_OK && apply->act.operation == NULL)
        code = ST_UNKNOWN_OP;
    if (code == ST_OK)
        code = schema_decode(apply->act.operation->fields, &apply->fields,
                             &error, fields, SCHEMA_REFUSE_UNKNOWN);
    if (code == ST_OK && item->seal_key != 0) {
        code = items_salt(apply, result, item, index, number);
        if (code != ST_OK)
            return code;
    }
    if (code == ST_OK) {
        size_t salted = result->used;

        writer_init(&body, result->data + salted, RESULT_SIZE_MAX - salted);
        code = dispatch_item(&apply->act, item->clear_part.duty, &apply->fields,
                             &body);
        if (code != ST_OK && salted > 0 && body.used > 0)
            memmove(result->data, body.data, body.used);
        result->used = (code == ST_OK ? salted : 0) + body.used;
    }
    outcome->code = (uint16_t)code;
    return ST_OK;
}

static void items_hash(struct item_outcome *outcome, struct slice result)
{
    outcome->has_result = result.size > 0;
    if (outcome->has_result)
        crypto_hash_sha256(outcome->result_hash, result.data, result.size);
    else
        memcpy(outcome->result_hash, outcome_nothing(), HASH_SIZE);
}

/* One element of a batch's result: u16 code, u16 size, bytes. */
static void items_append(struct writer *result, struct item_outcome *outcome,
                         struct slice item_result, size_t left_count)
{
    enum { ELEMENT_SIZE = 4 };
    size_t room = result->size - result->used - left_count * ELEMENT_SIZE;

    /* What a batch cannot carry is not given; a single item can. */
    if (item_result.size > UINT16_MAX ||
        item_result.size + ELEMENT_SIZE > room) {
        outcome->code = ST_TOO_LARGE;
        item_result.size = 0;
    }
    items_hash(outcome, item_result);
    writer_u16(result, outcome->code);
    writer_blob(result, item_result);
}

/* Nothing of the batch was done but the refusal of item ${failed}. */
static void items_not_done(struct apply *apply, struct writer *result,
                           uint16_t count, uint16_t failed)
{
    result->used = 0;
    writer_u16(result, count);
    for (uint16_t i = 0; i < count; i++) {
        if (i != failed)
            apply->items[i].code = ST_NOT_DONE;
        items_append(result, &apply->items[i], slice_of(NULL, 0),
                     (size_t)(count - 1 - i));
    }
}

/* What others read of the log to know: what is attested must be what this node
 * came to itself. */
static enum status items_attested(struct apply *apply, const struct act *act)
{
    const struct op_system_attest *stated = &apply->fields.system_attest;
    enum status status;

    if (act->operation->opcode == OPCODE_DESTROY_CONFIRM)
        return erasure_check(apply, act, &apply->fields.destroy_confirm);
    if (act->operation->opcode != OPCODE_SYSTEM_ATTEST)
        return ST_OK;
    status = attest_check(apply->attest, stated);
    if (status != ST_OK)
        return status;
    apply_keep_outcomes(apply, stated, act->index);
    attest_cut(apply->attest, stated->last);
    return ST_OK;
}

/* Who has neither state nor log takes it for an attestation by its form, its
 * signer and its time, and not by what came of it.  A sound node states the
 * truth in one that is refused, too; so none stops for it. */
enum status apply_attested_refused(struct apply *apply,
                                   const struct apply_input *input)
{
    uint16_t code = apply->items[0].code;
    struct op_system_attest stated;
    struct field_error error;
    struct item item;

    if (input->entry.header.items_count != 1 || !apply->act.signer.is_node ||
        code == ST_OK || code == ST_EARLY || code == ST_EXPIRED)
        return ST_OK;
    entry_item(&item, &input->entry, 0);
    if (item.clear_part.opcode != OPCODE_SYSTEM_ATTEST || item.seal_key != 0 ||
        schema_decode(&schema_op_system_attest, &stated, &error,
                      item_fields(&item), SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return ST_OK;
    return attest_check(apply->attest, &stated);
}

static enum status items_single(struct apply *apply, struct writer *result_out,
                                const struct apply_input *input)
{
    struct writer result;
    struct item item;
    enum status status;

    entry_item(&item, &input->entry, 0);
    status = items_decide(apply, &result, input, &item, 0);
    if (status != ST_OK)
        return status;
    items_hash(&apply->items[0], writer_slice(&result));
    writer_bytes(result_out, result.data, result.used);
    if (apply->items[0].code != ST_OK)
        return ST_OK;
    apply_note(apply, &apply->act, &apply->fields);
    return items_attested(apply, &apply->act);
}

/* What a search finds follows the rows, also where a batch takes them back. */
static void items_mark(struct apply *apply)
{
    state_mark(apply->parts.state);
    if (apply->parts.search != NULL)
        search_mark(apply->parts.search);
}

static void items_undo(struct apply *apply)
{
    state_undo(apply->parts.state);
    if (apply->parts.search != NULL)
        search_undo(apply->parts.search);
}

static void items_keep(struct apply *apply)
{
    state_keep(apply->parts.state);
    if (apply->parts.search != NULL)
        search_keep(apply->parts.search);
}

/* So do those of the ${count} items that were done before: what came of the
 * batch tells of them, too. */
static enum status items_undone(struct apply *apply,
                                const struct apply_input *input, uint16_t count)
{
    struct slice rest = input->entry.items;
    struct field_error error;
    struct slice fields;
    struct item item;
    enum status status = ST_OK;

    for (uint16_t i = 0; i < count && entry_next_item(&item, &rest); i++) {
        items_act(apply, input, &item, i);
        status = items_open(apply, &fields, input, &item, i);
        if (status == ST_OK)
            status = schema_decode(apply->act.operation->fields, &apply->fields,
                                   &error, fields, SCHEMA_REFUSE_UNKNOWN);
        if (status != ST_OK) /* It was done: its fields were read then. */
            return status;
        dispatch_undone(&apply->act, item.clear_part.duty, &apply->fields);
    }
    return ST_OK;
}

enum status apply_items(struct apply *apply, struct writer *result_out,
                        const struct apply_input *input)
{
    const struct command_header *header = &input->entry.header;
    bool atomic = (header->flags & COMMAND_FLAG_ATOMIC) != 0;
    struct slice rest = input->entry.items;
    struct writer result;
    struct item item;
    enum status status = ST_OK;

    if (header->items_count == 1)
        return items_single(apply, result_out, input);
    if (atomic)
        items_mark(apply);
    writer_u16(result_out, header->items_count);
    for (uint16_t i = 0; entry_next_item(&item, &rest); i++) {
        struct item_outcome *outcome = &apply->items[i];

        status = items_decide(apply, &result, input, &item, i);
        if (status != ST_OK)
            return status;
        items_append(result_out, outcome, writer_slice(&result),
                     (size_t)(header->items_count - 1 - i));
        if (atomic && outcome->code != ST_OK) {
            items_undo(apply);
            /* The try stays in the subject's access list. */
            if (apply->act.operation != NULL)
                access_note(&apply->act, (enum status)outcome->code);
            items_not_done(apply, result_out, header->items_count, i);
            return items_undone(apply, input, i);
        }
        if (outcome->code == ST_OK) {
            apply_note(apply, &apply->act, &apply->fields);
            status = items_attested(apply, &apply->act);
            if (status != ST_OK)
                return status;
        }
    }
    /* The last item may have been one that no handler saw. */
    feed_flush(&apply->act);
    if (atomic)
        items_keep(apply);
    return ST_OK;
}
