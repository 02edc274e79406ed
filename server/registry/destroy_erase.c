/*
 * destroy_erase.c: what nodes enter of a destruction: that the keys are
 * destroyed from here on, and that a holder has none of them left.
 */
#include <string.h>

#include "protocol/contract.h"
#include "server/registry/consent.h"
#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "server/registry/version.h"
#include "server/store/keyring.h"
#include "server/store/search.h"

/* ---- What is due --------------------------------------------------------- */

/* Whether nobody whom the act is about may act any more. */
static bool have_ended(struct state *state, const struct row_destruction *row)
{
    uint64_t person = 0;

    if ((row->keys & DESTROY_OF_PERSONS) == 0)
        return true;
    while ((person = destroy_next_subject(state, row->number, person)) != 0) {
        if (!destroy_person_has_ended(state, person))
            return false;
    }
    return true;
}

uint32_t destroy_due(struct state *state, uint32_t acts_out[DESTROY_BATCH_MAX],
                     int64_t now)
{
    struct row_destruction row = {.state = DESTROY_ORDERED};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(state, &scan, INDEX_DESTRUCTION_BY_STATE, &row,
                    (struct state_range){.equal = 1});
    while (count < DESTROY_BATCH_MAX && state_scan_next(&scan, &row)) {
        if (row.due <= now && have_ended(state, &row))
            acts_out[count++] = row.number;
    }
    state_scan_close(&scan);
    return count;
}

uint64_t destroy_next_subject(struct state *state, uint32_t act, uint64_t after)
{
    struct row_destruction_subject row = {.act = act, .subject = after + 1};
    struct state_scan scan;
    bool found;

    state_scan_key(state, &scan, TABLE_DESTRUCTION_SUBJECT, &row,
                   (struct state_range){.equal = 1, .from = true});
    found = state_scan_next(&scan, &row);
    state_scan_close(&scan);
    return found ? row.subject : 0;
}

/* ---- destroy.erase ------------------------------------------------------- */

/*
 * Whether the key is of the subject that it is named for, as every node's
 * keyring tells alike: its row is there before the entry that uses it first,
 * and a tombstone in its place names the entry that destroyed it, which is this
 * one where the act is applied once more.  Whose it was cannot be told any more
 * where a lineage took the act: then it only becomes known to the state.
 */
static bool erase_is_own(struct act *act, const struct erased_key *key)
{
    struct act_services *services = act->services;
    struct keyring_row row;
    enum status status = services->seal_key(services->context, &row, key->key);

    if (status == ST_ERASED)
        return row.owner == act->index || row.owner == KEYRING_ACT_LOST;
    return status == ST_OK && row.first_index <= act->index &&
           destroy_is_named(act->state, key, &row);
}

/* Keys that are of whom they are named for, each once, and none destroyed
 * before. */
static enum status erase_check_keys(struct act *act,
                                    const struct op_destroy_erase *in)
{
    struct list_reader reader;
    struct erased_key key;
    uint64_t last = 0;

    list_reader_init(&reader, &in->keys);
    while (list_reader_next(&reader, &schema_erased_key, &key)) {
        struct row_erased erased = {.number = key.key};

        if (key.key <= last || key.key > INT64_MAX)
            return ST_BAD_FIELD;
        last = key.key;
        if (state_get(act->state, TABLE_ERASED, &erased))
            return ST_EXISTS;
        if (!erase_is_own(act, &key))
            return ST_BAD_FIELD;
    }
    return ST_OK;
}

/* What one item cannot hold, the next items of the same entry do. */
static bool erase_goes_on(const struct act *act,
                          const struct row_destruction *row)
{
    return row->state == DESTROY_ERASED && row->erased == act->index &&
           row->ground != DESTROY_GROUND_REPLACED;
}

/* Of the act's own subjects or persons. */
static enum status erase_check(struct act *act,
                               const struct row_destruction *row,
                               const struct op_destroy_erase *in)
{
    struct list_reader reader;
    struct erased_key key;

    if (!erase_goes_on(act, row) &&
        (row->state != DESTROY_ORDERED || row->due > act->log_time ||
         !have_ended(act->state, row)))
        return ST_WRONG_STATE;
    list_reader_init(&reader, &in->keys);
    while (list_reader_next(&reader, &schema_erased_key, &key)) {
        struct row_destruction_subject of = {.act = row->number,
                                             .subject = key.subject};

        if (key.subject > INT64_MAX ||
            (row->keys & DESTROY_BIT(key.class)) == 0)
            return ST_BAD_FIELD;
        if (!state_get(act->state, TABLE_DESTRUCTION_SUBJECT, &of))
            return ST_NO_SUCH;
    }
    return erase_check_keys(act, in);
}

static void erase_keys(struct act *act, struct row_destruction *row,
                       const struct op_destroy_erase *in)
{
    struct list_reader reader;
    struct erased_key key;

    list_reader_init(&reader, &in->keys);
    while (list_reader_next(&reader, &schema_erased_key, &key)) {
        struct row_erased erased = {.number = key.key,
                                    .act = row->number,
                                    .index = act->index,
                                    .subject = key.subject,
                                    .class = key.class};
        struct row_replaced replaced = {.number = key.key};

        state_insert(act->state, TABLE_ERASED, &erased);
        row->keys_count++;
        if (state_get(act->state, TABLE_REPLACED, &replaced))
            state_delete(act->state, TABLE_REPLACED, &replaced);
    }
}

/* Who can open what is sealed, as the log knows them. */
static void erase_holders(struct act *act, struct row_destruction *row)
{
    struct row_holder holders[NODES_ENROLLED_MAX];
    struct row_node node = {.role = 0};
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_NODE, &node,
                   (struct state_range){0});
    while (state_scan_next(&scan, &node)) {
        if (node.state != NODE_ACTIVE)
            continue;
        INVARIANT(row->holders < NODES_ENROLLED_MAX);
        holders[row->holders++] =
            (struct row_holder){.act = row->number, .node = node.node_id};
    }
    state_scan_close(&scan);
    for (uint16_t i = 0; i < row->holders; i++)
        state_insert(act->state, TABLE_HOLDER, &holders[i]);
}

/* The representatives go with the evidence: until then they see who read. */
static void erase_subject(struct act *act, uint64_t voen, uint16_t keys)
{
    struct subject subject;
    bool found = subject_load(act, &subject, voen);

    INVARIANT(found); /* Nothing ever removes one. */
    if ((keys & DESTROY_BIT(DESTROY_RECORD)) != 0) {
        consent_subject_left(act, voen);
        subject.row.state = SUBJECT_ERASED;
        subject_store(act, &subject);
        if (act->services->search != NULL)
            search_remove(act->services->search, voen);
    }
    if ((keys & DESTROY_BIT(DESTROY_EVIDENCE)) != 0) {
        destroy_keep_former(act, voen);
        version_forget_representatives(act, voen);
    }
}

static void erase_named(struct act *act, const struct row_destruction *row)
{
    uint64_t of = 0;

    while ((of = destroy_next_subject(act->state, row->number, of)) != 0) {
        if ((row->keys & DESTROY_OF_PERSONS) != 0)
            destroy_person(act, of, row->keys);
        else
            erase_subject(act, of, row->keys);
    }
}

/* From here on it is destroyed. */
static void erase_begin(struct act *act, struct row_destruction *row)
{
    erase_named(act, row);
    erase_holders(act, row);
    row->state = DESTROY_ERASED;
    row->erased = act->index;
    row->erased_time = act->log_time;
}

/* Credentials that their holders replaced: an act that nobody proposed. */
static enum status erase_replaced(struct act *act,
                                  const struct op_destroy_erase *in)
{
    struct row_destruction row = {.ground = DESTROY_GROUND_REPLACED,
                                  .keys = DESTROY_BIT(DESTROY_CREDENTIAL),
                                  .due = act->log_time};
    enum status status = destroy_replaced_check(act, in);

    if (status == ST_OK)
        status = erase_check_keys(act, in);
    if (status != ST_OK)
        return status;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_DESTRUCTION);
    erase_begin(act, &row);
    erase_keys(act, &row, in);
    state_insert(act->state, TABLE_DESTRUCTION, &row);
    return ST_OK;
}

enum status destroy_erase(struct act *act, const struct op_destroy_erase *in,
                          struct result_destroy_erase *out)
{
    struct row_destruction row = {.number = in->act};
    enum status status;

    (void)out;
    if (in->act == 0)
        return erase_replaced(act, in);
    if (!state_get(act->state, TABLE_DESTRUCTION, &row))
        return ST_NO_SUCH;
    status = erase_check(act, &row, in);
    if (status != ST_OK)
        return status;
    erase_keys(act, &row, in);
    if (!erase_goes_on(act, &row))
        erase_begin(act, &row);
    state_update(act->state, TABLE_DESTRUCTION, &row);
    return ST_OK;
}

/* ---- destroy.confirm ----------------------------------------------------- */

static bool confirm_node(struct act *act, struct row_node *row_out)
{
    struct state_scan scan;
    bool found;

    *row_out = (struct row_node){.key_id = act->signer.key_id};
    state_scan_open(act->state, &scan, INDEX_NODE_BY_KEY, row_out,
                    (struct state_range){.equal = 1});
    found = state_scan_next(&scan, row_out);
    state_scan_close(&scan);
    return found;
}

/* Whether a holder that is not retired has yet to confirm; ${next} is the first
 * of them behind what it was. */
static bool next_awaited(struct state *state, struct row_holder *next,
                         struct row_node *node_out)
{
    uint32_t act = next->act;
    struct bytes16 after = next->node;
    struct state_scan scan;
    bool found = false;

    state_scan_key(state, &scan, TABLE_HOLDER, next,
                   (struct state_range){.equal = 1, .from = true});
    while (!found && state_scan_next(&scan, next)) {
        node_out->node_id = next->node;
        found = next->index == 0 &&
                memcmp(&next->node, &after, sizeof after) != 0 &&
                state_get(state, TABLE_NODE, node_out) &&
                node_out->state == NODE_ACTIVE;
    }
    state_scan_close(&scan);
    next->act = act;
    return found;
}

static bool is_awaited(struct state *state, uint32_t act)
{
    struct row_holder holder = {.act = act};
    struct row_node node;

    return next_awaited(state, &holder, &node);
}

uint32_t destroy_awaited(struct state *state, struct destroy_awaited *out,
                         uint32_t max)
{
    struct row_destruction row = {.state = DESTROY_ERASED};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(state, &scan, INDEX_DESTRUCTION_BY_STATE, &row,
                    (struct state_range){.equal = 1});
    while (count < max && state_scan_next(&scan, &row)) {
        struct row_holder holder = {.act = row.number};
        struct row_node node;

        while (count < max && next_awaited(state, &holder, &node))
            out[count++] = (struct destroy_awaited){.act = row.number,
                                                    .erased_at = row.erased,
                                                    .key_id = node.key_id};
    }
    state_scan_close(&scan);
    return count;
}

void destroy_node_retired(struct act *act)
{
    bool found;

    do {
        struct row_destruction row = {.state = DESTROY_ERASED};
        struct state_scan scan;

        found = false;
        state_scan_open(act->state, &scan, INDEX_DESTRUCTION_BY_STATE, &row,
                        (struct state_range){.equal = 1});
        while (!found && state_scan_next(&scan, &row))
            found = !is_awaited(act->state, row.number);
        state_scan_close(&scan);
        if (found) {
            row.state = DESTROY_CONFIRMED;
            state_update(act->state, TABLE_DESTRUCTION, &row);
        }
    } while (found);
}

enum status destroy_confirm(struct act *act,
                            const struct op_destroy_confirm *in,
                            struct result_destroy_confirm *out)
{
    struct row_destruction row = {.number = in->act};
    struct row_holder holder = {.act = in->act};
    struct row_node node;

    (void)out;
    if (!state_get(act->state, TABLE_DESTRUCTION, &row))
        return ST_NO_SUCH;
    if (row.state != DESTROY_ERASED && row.state != DESTROY_CONFIRMED)
        return ST_WRONG_STATE;
    if (in->erased_at != row.erased || in->keys != row.keys_count)
        return ST_BAD_FIELD;
    if (!confirm_node(act, &node))
        return ST_NO_SUCH;
    holder.node = node.node_id;
    if (!state_get(act->state, TABLE_HOLDER, &holder))
        return ST_NO_SUCH;
    if (holder.index != 0)
        return ST_EXISTS;
    holder.index = act->index;
    holder.when = act->log_time;
    holder.keys = in->keys;
    holder.snapshot = in->snapshot;
    state_update(act->state, TABLE_HOLDER, &holder);
    row.confirmed++;
    if (!is_awaited(act->state, row.number))
        row.state = DESTROY_CONFIRMED;
    state_update(act->state, TABLE_DESTRUCTION, &row);
    return ST_OK;
}

bool destroy_unconfirmed(struct state *state,
                         struct op_destroy_confirm *fields_out,
                         const struct bytes16 *node, uint32_t after)
{
    struct row_destruction row = {.state = DESTROY_ERASED, .number = after};
    struct state_scan scan;
    bool found = false;

    state_scan_open(state, &scan, INDEX_DESTRUCTION_BY_STATE, &row,
                    (struct state_range){.equal = 1, .from = true});
    while (!found && state_scan_next(&scan, &row)) {
        struct row_holder holder = {.act = row.number, .node = *node};

        found = row.number > after && state_get(state, TABLE_HOLDER, &holder) &&
                holder.index == 0;
    }
    state_scan_close(&scan);
    if (found)
        *fields_out = (struct op_destroy_confirm){
            .act = row.number, .erased_at = row.erased, .keys = row.keys_count};
    return found;
}
