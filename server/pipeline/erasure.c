#include "server/pipeline/erasure.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "replication/need.h"
#include "server/pipeline/apply_private.h"
#include "server/registry/destroy.h"
#include "server/store/snapshot.h"

/* ---- The snapshot -------------------------------------------------------- */

bool erasure_waits(const struct apply *apply)
{
    return apply->destroyed;
}

/* The newest entry that destroyed; with ${tagged}, what the tags of personal
 * numbers belong to. */
static uint64_t last_erased(struct apply *apply, bool tagged)
{
    struct row_erased row = {.number = 0};
    struct state_scan scan;
    uint64_t last = 0;

    state_scan_key(apply->parts.state, &scan, TABLE_ERASED, &row,
                   (struct state_range){0});
    while (state_scan_next(&scan, &row)) {
        if ((!tagged || row.class == DESTROY_EVIDENCE ||
             row.class == DESTROY_PERSON) &&
            row.index > last)
            last = row.index;
    }
    state_scan_close(&scan);
    return last;
}

/* Tags of personal numbers, which guesses can be tried against, stand in the
 * snapshots from before evidence, or who a person is, was destroyed. */
static enum status drop_older(struct apply *apply)
{
    uint64_t size = apply_size(apply);

    if (apply->parts.snapshots == NULL || last_erased(apply, true) + 1 != size)
        return ST_OK;
    return snapshot_drop_older(apply->parts.snapshots, size);
}

enum status erasure_keep(struct apply *apply)
{
    enum status status = snapshot_write(
        apply->kept_digest, apply->parts.snapshots, apply->parts.state);

    if (status == ST_OK)
        status = drop_older(apply);
    if (status != ST_OK)
        return status;
    apply->kept_size = apply_size(apply);
    apply->destroyed = false;
    /* What was opened last may be what was destroyed. */
    sodium_memzero(apply->opened, ENTRY_SIZE_MAX);
    sodium_memzero(apply->stored, ENTRY_SIZE_MAX);
    sodium_memzero(&apply->fields, sizeof apply->fields);
    sodium_memzero(apply->item_result, RESULT_SIZE_MAX);
    sodium_memzero(apply->space_bytes, RESULT_SIZE_MAX);
    return ST_OK;
}

enum status erasure_resume(struct apply *apply)
{
    uint64_t size = apply_size(apply);

    if (apply->parts.snapshots == NULL ||
        state_count(apply->parts.state, TABLE_ERASED) == 0 ||
        last_erased(apply, false) + 1 != size)
        return ST_OK;
    if (snapshot_newest(apply->parts.snapshots, size + 1) == size)
        return drop_older(apply);
    return erasure_keep(apply);
}

void erasure_loaded(struct apply *apply, uint64_t size,
                    const uint8_t digest[HASH_SIZE])
{
    REQUIRE(size == apply_size(apply));
    apply->kept_size = size;
    memcpy(apply->kept_digest, digest, HASH_SIZE);
}

enum status erasure_check(struct apply *apply, const struct act *act,
                          const struct op_destroy_confirm *in)
{
    if (act->duty != DUTY_SYS || in->erased_at + 1 != apply->kept_size ||
        sodium_is_zero(in->snapshot.b, HASH_SIZE))
        return ST_OK;
    return memcmp(in->snapshot.b, apply->kept_digest, HASH_SIZE) == 0
               ? ST_OK
               : ST_DIVERGED;
}

/* ---- What is to be buried ------------------------------------------------ */

static uint64_t *grow(uint64_t *array, size_t room)
{
    uint64_t *larger = realloc(array, room * sizeof *array);

    NEED(larger != NULL);
    return larger;
}

/* Behind those of the same act and of older ones. */
static void list_add_key(struct erasure_list *list,
                         const struct row_erased *row)
{
    size_t at = list->count;

    if (list->count == list->room) {
        list->room = 2 * list->room + ITEMS_MAX;
        list->numbers = grow(list->numbers, list->room);
        list->acts = grow(list->acts, list->room);
    }
    for (; at > 0 && list->acts[at - 1] > row->index; at--) {
        list->numbers[at] = list->numbers[at - 1];
        list->acts[at] = list->acts[at - 1];
    }
    list->numbers[at] = row->number;
    list->acts[at] = row->index;
    list->count++;
}

/* Whether what other nodes said to be destroyed is, as far as this node has
 * applied.  An act that the log lost lies behind every entry. */
static bool buried_is_erased(struct apply *apply)
{
    uint64_t number = 0, act;

    while (keyring_next_buried(apply->parts.keyring, &number, &act)) {
        if (act < apply_size(apply) &&
            !destroy_is_erased(apply->parts.state, number))
            return false;
    }
    return true;
}

enum status erasure_find(struct erasure_list *list_out, struct apply *apply)
{
    struct row_erased row = {.number = 0};
    struct state_scan scan;
    enum status status = ST_OK;

    *list_out = (struct erasure_list){.count = 0};
    if (!buried_is_erased(apply))
        return ST_DIVERGED;
    state_scan_key(apply->parts.state, &scan, TABLE_ERASED, &row,
                   (struct state_range){0});
    while (status == ST_OK && state_scan_next(&scan, &row)) {
        struct keyring_row key;
        enum status found = keyring_row(apply->parts.keyring, &key, row.number);
        struct erased_key named = {
            .key = row.number, .subject = row.subject, .class = row.class};

        if (found == ST_OK &&
            !destroy_is_named(apply->parts.state, &named, &key))
            status = ST_DIVERGED;
        else if (found != ST_ERASED)
            list_add_key(list_out, &row);
    }
    state_scan_close(&scan);
    return status;
}

void erasure_wipe(struct erasure_list *list)
{
    free(list->numbers);
    free(list->acts);
    *list = (struct erasure_list){.count = 0};
}

bool erasure_sync(struct apply *apply)
{
    return state_sync(apply->parts.state);
}

void erasure_bury(struct keyring *keyring, const struct erasure_list *list)
{
    size_t from = 0;

    while (from < list->count) {
        size_t to = from;

        while (to < list->count && list->acts[to] == list->acts[from])
            to++;
        keyring_bury(keyring, list->numbers + from, to - from,
                     list->acts[from]);
        from = to;
    }
}

/* ---- Confirming ---------------------------------------------------------- */

/* Keys of this owner in this class that were there at entry ${until} and that
 * no act names. */
static bool has_left(struct apply *apply, enum keyring_class class,
                     uint64_t owner, uint64_t until)
{
    uint64_t number = 0;
    struct keyring_row row;

    while (keyring_owned(apply->parts.keyring, &number, 1, class, owner,
                         number) > 0) {
        if (keyring_row(apply->parts.keyring, &row, number) == ST_OK &&
            row.first_index <= until)
            return true;
    }
    return false;
}

/* Whether the act took all keys of ${of} in this class.  About a person nothing
 * is sealed after the proposal but what was on its way: another act takes it.
 */
static bool is_clean_of(struct apply *apply, enum destroy_class class,
                        const struct row_destruction_subject *of,
                        uint64_t erased_at)
{
    bool person = (DESTROY_BIT(class) & DESTROY_OF_PERSONS) != 0;
    struct destroy_owners owners =
        destroy_owners(apply->parts.state, class, of->subject);
    uint64_t owner;

    while (destroy_next_owner(&owners, &owner)) {
        if (has_left(apply, destroy_keyring_class(class), owner,
                     person ? of->proposed : erased_at))
            return false;
    }
    return true;
}

static bool is_clean(struct apply *apply, uint32_t act, uint64_t erased_at)
{
    struct row_destruction row = {.number = act};
    struct row_destruction_subject of = {.act = act};
    bool found = state_get(apply->parts.state, TABLE_DESTRUCTION, &row);

    INVARIANT(found);
    while ((of.subject = destroy_next_subject(apply->parts.state, act,
                                              of.subject)) != 0) {
        found = state_get(apply->parts.state, TABLE_DESTRUCTION_SUBJECT, &of);
        INVARIANT(found);
        for (uint8_t class = DESTROY_RECORD; class <= DESTROY_CREDENTIAL;
             class ++) {
            if ((row.keys & DESTROY_BIT(class)) != 0 &&
                !is_clean_of(apply, (enum destroy_class) class, &of, erased_at))
                return false;
        }
    }
    return true;
}

static bool own_node(struct apply *apply, struct bytes16 *node_out,
                     const uint8_t node_key[KEY_ID_SIZE])
{
    struct row_node row = {.role = 0};
    struct state_scan scan;
    bool found;

    memcpy(row.key_id.b, node_key, KEY_ID_SIZE);
    state_scan_open(apply->parts.state, &scan, INDEX_NODE_BY_KEY, &row,
                    (struct state_range){.equal = 1});
    found = state_scan_next(&scan, &row);
    state_scan_close(&scan);
    *node_out = row.node_id;
    return found;
}

/* One that waits for another act to take the rest holds up no later one. */
static bool next_clean(struct op_destroy_confirm *out, struct apply *apply,
                       const struct bytes16 *node)
{
    uint32_t act = 0;

    while (destroy_unconfirmed(apply->parts.state, out, node, act)) {
        if (is_clean(apply, out->act, out->erased_at))
            return true;
        act = out->act;
    }
    return false;
}

bool erasure_confirmation(struct op_destroy_confirm *out, struct apply *apply,
                          const uint8_t node_key[KEY_ID_SIZE])
{
    struct bytes16 node;
    uint64_t size;

    if (state_count(apply->parts.state, TABLE_DESTRUCTION) == 0 ||
        !own_node(apply, &node, node_key) || !next_clean(out, apply, &node))
        return false;
    size = out->erased_at + 1;
    if (apply->kept_size == size)
        memcpy(out->snapshot.b, apply->kept_digest, HASH_SIZE);
    else if (apply->parts.snapshots == NULL ||
             snapshot_digest(out->snapshot.b, apply->parts.snapshots, size) !=
                 ST_OK)
        memset(out->snapshot.b, 0, HASH_SIZE);
    return true;
}

/* ---- Executing ----------------------------------------------------------- */

/* In the order of the keys' numbers: that is how the entry names them. */
static void sort_keys(struct erased_key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct erased_key key = keys[i];
        size_t at = i;

        for (; at > 0 && keys[at - 1].key > key.key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

static size_t collect(struct apply *apply, struct erased_key *keys,
                      size_t count, enum destroy_class class, uint64_t of)
{
    struct destroy_owners owners =
        destroy_owners(apply->parts.state, class, of);
    uint64_t owner;

    while (destroy_next_owner(&owners, &owner)) {
        uint64_t number = 0;

        while (count < DESTROY_KEYS_MAX &&
               keyring_owned(apply->parts.keyring, &number, 1,
                             destroy_keyring_class(class), owner, number) > 0) {
            if (destroy_is_erased(apply->parts.state, number))
                continue;
            keys[count++] = (struct erased_key){
                .key = number, .subject = of, .class = (uint8_t) class};
        }
    }
    return count;
}

size_t erasure_keys(struct erased_key *keys_out, struct apply *apply,
                    uint32_t act)
{
    struct row_destruction row = {.number = act};
    uint64_t of = 0;
    size_t count = 0;
    bool found = state_get(apply->parts.state, TABLE_DESTRUCTION, &row);

    REQUIRE(found);
    while ((of = destroy_next_subject(apply->parts.state, act, of)) != 0) {
        for (uint8_t class = DESTROY_RECORD; class <= DESTROY_CREDENTIAL;
             class ++) {
            if ((row.keys & DESTROY_BIT(class)) != 0)
                count = collect(apply, keys_out, count,
                                (enum destroy_class) class, of);
        }
    }
    sort_keys(keys_out, count);
    return count;
}

size_t erasure_replaced(struct erased_key *keys_out, struct apply *apply,
                        size_t max, int64_t now)
{
    uint32_t count;

    REQUIRE(max <= DESTROY_KEYS_MAX);
    count =
        destroy_replaced_due(apply->parts.state, keys_out, (uint32_t)max, now);
    sort_keys(keys_out, count);
    return count;
}

void erasure_make(struct op_destroy_erase *out, struct writer *space,
                  uint32_t act, const struct erased_key *keys, size_t count)
{
    REQUIRE(count <= LIST_COUNT_MAX);
    *out = (struct op_destroy_erase){.act = act};
    out->keys = list_begin(space);
    for (size_t i = 0; i < count; i++)
        list_add(&out->keys, space, &schema_erased_key, &keys[i]);
}
