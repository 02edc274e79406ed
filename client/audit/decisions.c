#include "client/audit/decisions.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/attestation.h"
#include "protocol/tree.h"

enum { DECISIONS_ROOM_MIN = 1024 };

void decisions_init(struct decisions *decisions, struct authority *authority)
{
    memset(decisions, 0, sizeof *decisions);
    decisions->authority = authority;
}

static void decisions_forget(struct decisions *decisions)
{
    for (size_t i = 0; i < decisions->count; i++)
        free(decisions->items[decisions->head + i].fields);
    free(decisions->items);
    decisions->items = NULL;
    decisions->head = decisions->count = decisions->room = 0;
    decisions->fields_size = 0;
}

void decisions_free(struct decisions *decisions)
{
    decisions_forget(decisions);
}

static enum status decisions_make_room(struct decisions *decisions)
{
    const size_t room =
        decisions->room == 0 ? DECISIONS_ROOM_MIN : decisions->room * 2;
    struct decisions_item *items;

    if (decisions->head + decisions->count < decisions->room)
        return ST_OK;
    if (decisions->head > decisions->count) {
        memmove(decisions->items, decisions->items + decisions->head,
                decisions->count * sizeof *decisions->items);
        decisions->head = 0;
        return ST_OK;
    }
    items = reallocarray(decisions->items, room, sizeof *items);
    if (items == NULL)
        return ST_EXHAUSTED;
    decisions->items = items;
    decisions->room = room;
    return ST_OK;
}

void decisions_give_up(struct decisions *decisions)
{
    decisions->is_lost = true;
    decisions_forget(decisions);
}

enum status decisions_wait(struct decisions *decisions,
                           const struct authority_act *act,
                           struct walk_place place)
{
    struct decisions_item *item;
    uint8_t *fields = NULL;

    if (decisions->is_lost)
        return ST_OK;
    if (decisions->count == DECISIONS_ITEMS_MAX ||
        act->fields.size > DECISIONS_FIELDS_SIZE_MAX - decisions->fields_size) {
        decisions_give_up(decisions);
        return ST_OK;
    }
    if (decisions_make_room(decisions) != ST_OK)
        return ST_EXHAUSTED;
    if (act->fields.size > 0) {
        fields = malloc(act->fields.size);
        if (fields == NULL)
            return ST_EXHAUSTED;
        memcpy(fields, act->fields.data, act->fields.size);
    }
    item = &decisions->items[decisions->head + decisions->count++];
    *item =
        (struct decisions_item){.act = *act, .place = place, .fields = fields};
    item->act.fields = slice_of(fields, act->fields.size);
    decisions->fields_size += act->fields.size;
    return ST_OK;
}

/* ---- One attestation ------------------------------------------------------
 */

/* Walks the refusals beside the items. */
struct decisions_reading {
    struct list_reader reader;
    struct attested_refusal next;
    bool has_next;
    bool is_root_known;
    struct tree tree;
    struct decisions_fault *fault;
};

static bool decisions_fault(struct decisions_fault *fault, const char *what,
                            const struct decisions_item *item)
{
    fault->what = what;
    if (item != NULL) {
        fault->index = item->act.index;
        fault->place = item->place;
        fault->has_place = true;
    }
    return false;
}

static void decisions_next_refusal(struct decisions_reading *reading)
{
    reading->has_next = list_reader_next(
        &reading->reader, &schema_attested_refusal, &reading->next);
}

/* Takes the item's code out of the list; 0 if it is not in it. */
static uint16_t decisions_code(struct decisions_reading *reading,
                               const struct authority_act *act)
{
    uint16_t code = ST_OK;

    if (reading->has_next && reading->next.index == act->index &&
        reading->next.item == act->item) {
        code = reading->next.code;
        decisions_next_refusal(reading);
    }
    return code;
}

/* Refused items give nothing back, but for a few that name the field. */
static bool decisions_gives_nothing(const struct authority_act *act,
                                    uint16_t code)
{
    return code != ST_BAD_FIELD ||
           (act->operation->opcode != OPCODE_SECTION_PUT &&
            act->operation->opcode != OPCODE_SECTION_SELF_PUT);
}

static void decisions_add_leaf(struct decisions_reading *reading,
                               const struct authority_act *act, uint16_t code,
                               const struct authority_result *result)
{
    uint8_t hash[HASH_SIZE], leaf[HASH_SIZE];

    if (!result->is_known)
        reading->is_root_known = false;
    if (!reading->is_root_known)
        return;
    crypto_hash_sha256(hash, result->bytes.data, result->bytes.size);
    attestation_leaf(leaf, act->index, act->item, code, hash);
    tree_append(&reading->tree, leaf);
}

static bool decisions_judge(struct decisions *decisions,
                            struct decisions_reading *reading,
                            const struct decisions_item *item)
{
    uint16_t code = decisions_code(reading, &item->act);
    struct authority_result result = {.is_known = true};
    bool is_genesis = item->act.index == 0;
    const char *complaint;

    if (code != ST_OK) {
        decisions->refusals_count++;
        result.is_known = decisions_gives_nothing(&item->act, code);
        if (!status_is_wire(code))
            return decisions_fault(
                reading->fault, "attested with an outcome that is none", item);
        if (is_genesis)
            return decisions_fault(reading->fault,
                                   "attested as refused, and is the genesis",
                                   item);
        if (item->act.operation->opcode == OPCODE_SYSTEM_ATTEST &&
            item->act.is_timely && item->act.is_primary &&
            authority_is_primary(decisions->authority, item->act.signer))
            return decisions_fault(reading->fault,
                                   "attested as refused, and is an attestation",
                                   item);
    } else if (!is_genesis) {
        reading->fault->status = authority_reserve(decisions->authority);
        if (reading->fault->status != ST_OK)
            return false;
        complaint = authority_done(decisions->authority, &result, &item->act);
        if (complaint != NULL)
            return decisions_fault(reading->fault, complaint, item);
    }
    if (!is_genesis && decisions->decided != NULL)
        decisions->decided(decisions->context, &item->act, code);
    decisions_add_leaf(reading, &item->act, code, &result);
    return true;
}

static bool decisions_check_range(const struct decisions *decisions,
                                  struct decisions_fault *fault, uint64_t index,
                                  const struct op_system_attest *stated)
{
    if (stated->first != decisions->size)
        return decisions_fault(
            fault, "attests a range that does not follow the one before", NULL);
    if (stated->last < stated->first || stated->last >= index)
        return decisions_fault(fault, "attests entries that did not exist",
                               NULL);
    return true;
}

bool decisions_stands(const struct decisions *decisions,
                      const struct op_system_attest *stated, uint32_t signer)
{
    const struct authority *authority = decisions->authority;
    struct decisions_reading reading = {.tree = {.size = 0}};
    uint32_t primary = authority->primary;

    list_reader_init(&reading.reader, &stated->refusals);
    decisions_next_refusal(&reading);
    for (size_t i = 0; i < decisions->count; i++) {
        const struct decisions_item *item =
            &decisions->items[decisions->head + i];

        /* Of what lies behind the range nothing is stated yet. */
        if (decisions_code(&reading, &item->act) == ST_OK &&
            item->act.operation->opcode == OPCODE_SYSTEM_EPOCH &&
            item->act.is_primary)
            primary = item->act.signer;
    }
    return primary == KEYS_NONE || primary == signer;
}

bool decisions_attested(struct decisions *decisions,
                        struct decisions_fault *fault_out, uint64_t index,
                        const struct op_system_attest *stated)
{
    struct decisions_reading reading = {.is_root_known = true,
                                        .fault = fault_out};
    uint8_t root[HASH_SIZE];

    *fault_out = (struct decisions_fault){.status = ST_OK, .index = index};
    if (!decisions_check_range(decisions, fault_out, index, stated))
        return false;
    decisions->attestations_count++;
    decisions->size = stated->last + 1;
    if (decisions->is_lost)
        return true;
    tree_init(&reading.tree);
    list_reader_init(&reading.reader, &stated->refusals);
    decisions_next_refusal(&reading);
    while (decisions->count > 0 &&
           decisions->items[decisions->head].act.index <= stated->last) {
        struct decisions_item *item = &decisions->items[decisions->head];

        if (!decisions_judge(decisions, &reading, item))
            return false;
        decisions->fields_size -= item->act.fields.size;
        free(item->fields);
        decisions->head++;
        decisions->count--;
    }
    if (reading.has_next)
        return decisions_fault(fault_out,
                               "names a refused item that does not exist, or "
                               "not in order",
                               NULL);
    if (!reading.is_root_known)
        return true;
    decisions->roots_count++;
    tree_root(&reading.tree, root);
    if (memcmp(root, stated->root.b, HASH_SIZE) != 0)
        return decisions_fault(
            fault_out, "attests outcomes whose tree has another root", NULL);
    return true;
}
