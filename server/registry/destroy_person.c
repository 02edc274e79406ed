/*
 * destroy_person.c: what acts destroy of persons: who they are, and what their
 * accounts are opened with.
 */
#include <string.h>

#include "protocol/contract.h"
#include "protocol/item.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"

/* ---- Whose a seal key is ------------------------------------------------- */

enum keyring_class destroy_keyring_class(enum destroy_class class)
{
    switch (class) {
    case DESTROY_RECORD:
        return KEYRING_RECORD;
    case DESTROY_EVIDENCE:
        return KEYRING_EVIDENCE;
    case DESTROY_PERSON:
        return KEYRING_PERSON;
    case DESTROY_CREDENTIAL:
        return KEYRING_CREDENTIAL;
    }
    return KEYRING_TOMBSTONE; /* Which no row of a key has. */
}

struct destroy_owners destroy_owners(struct state *state,
                                     enum destroy_class class, uint64_t of)
{
    return (struct destroy_owners){.state = state, .of = of, .class = class};
}

/* The next of a person's signing keys. */
static bool next_key(struct destroy_owners *owners, struct row_key *row)
{
    struct state_scan scan;
    bool found = false;

    *row = (struct row_key){.person = owners->of, .key_id = owners->last};
    state_scan_open(owners->state, &scan, INDEX_KEY_BY_PERSON, row,
                    (struct state_range){.equal = 1, .from = true});
    while (!found && state_scan_next(&scan, row))
        found = !owners->begun ||
                memcmp(&row->key_id, &owners->last, sizeof owners->last) != 0;
    state_scan_close(&scan);
    owners->begun = true;
    owners->last = row->key_id;
    return found;
}

bool destroy_next_owner(struct destroy_owners *owners, uint64_t *owner_out)
{
    bool more = !owners->begun;
    struct row_key row;

    if ((DESTROY_BIT(owners->class) & DESTROY_OF_PERSONS) == 0) {
        owners->begun = true;
        *owner_out = owners->of;
        return more;
    }
    more = owners->of != 0 && next_key(owners, &row);
    if (more)
        *owner_out = keyring_person(row.key_id.b);
    return more;
}

bool destroy_is_named(struct state *state, const struct erased_key *key,
                      const struct keyring_row *row)
{
    enum destroy_class class = (enum destroy_class)key->class;
    struct destroy_owners owners = destroy_owners(state, class, key->subject);
    uint64_t owner;

    if (row->class != destroy_keyring_class(class))
        return false;
    while (destroy_next_owner(&owners, &owner)) {
        if (owner == row->owner)
            return true;
    }
    return false;
}

/* ---- Persons ------------------------------------------------------------- */

bool destroy_person_has_ended(struct state *state, uint64_t person)
{
    struct row_key row = {.person = person};
    struct state_scan scan;
    bool ended = true;

    state_scan_open(state, &scan, INDEX_KEY_BY_PERSON, &row,
                    (struct state_range){.equal = 1});
    while (ended && state_scan_next(&scan, &row))
        ended = row.state != KEY_ACTIVE;
    state_scan_close(&scan);
    return ended;
}

/* His number stays, and what he did under it.  The tag of his personal number
 * goes too: whoever has the cluster's secret could try numbers against it. */
void destroy_person(struct act *act, uint64_t person, uint16_t keys)
{
    struct row_person row = {.number = person};
    struct row_record record;
    bool found = state_get(act->state, TABLE_PERSON, &row);

    INVARIANT(found); /* Nothing ever removes one. */
    if ((keys & DESTROY_BIT(DESTROY_PERSON)) == 0)
        return;
    record.number = row.identity;
    if (record.number != 0 && state_get(act->state, TABLE_RECORD, &record))
        state_delete(act->state, TABLE_RECORD, &record);
    row.fin_tag = (struct bytes16){{0}};
    row.identity = 0;
    row.erased = act->index;
    state_update(act->state, TABLE_PERSON, &row);
}

/* ---- Credentials that were replaced -------------------------------------- */

void destroy_replaced(struct act *act, struct slice item,
                      const struct bytes16 *key_id)
{
    struct row_key key = {.key_id = *key_id};
    struct row_replaced row;
    struct item stored;
    enum status status = item_decode(&stored, item);

    /* What the state keeps was checked before it was kept. */
    INVARIANT(status == ST_OK);
    row.number = stored.seal_key;
    if (row.number == 0 || destroy_is_erased(act->state, row.number) ||
        state_get(act->state, TABLE_REPLACED, &row) ||
        !state_get(act->state, TABLE_KEY, &key) || key.person == 0)
        return;
    row.person = key.person;
    row.due = destroy_hour(act->state, act->log_time);
    state_insert(act->state, TABLE_REPLACED, &row);
}

uint32_t destroy_replaced_due(struct state *state, struct erased_key *keys_out,
                              uint32_t max, int64_t now)
{
    struct row_replaced row;
    struct state_scan scan;
    uint32_t count = 0;

    if (state_count(state, TABLE_REPLACED) == 0)
        return 0;
    state_scan_open(state, &scan, INDEX_REPLACED_BY_DUE, &row,
                    (struct state_range){0});
    while (count < max && state_scan_next(&scan, &row) && row.due <= now)
        keys_out[count++] = (struct erased_key){.key = row.number,
                                                .subject = row.person,
                                                .class = DESTROY_CREDENTIAL};
    state_scan_close(&scan);
    return count;
}

enum status destroy_replaced_check(struct act *act,
                                   const struct op_destroy_erase *in)
{
    struct list_reader reader;
    struct erased_key key;

    if (in->keys.count == 0)
        return ST_BAD_FIELD;
    list_reader_init(&reader, &in->keys);
    while (list_reader_next(&reader, &schema_erased_key, &key)) {
        struct row_replaced row = {.number = key.key};

        if (key.key > INT64_MAX || key.class != DESTROY_CREDENTIAL)
            return ST_BAD_FIELD;
        if (!state_get(act->state, TABLE_REPLACED, &row))
            return ST_NO_SUCH;
        if (row.due > act->log_time)
            return ST_WRONG_STATE;
        if (row.person != key.subject)
            return ST_BAD_FIELD;
    }
    return ST_OK;
}
