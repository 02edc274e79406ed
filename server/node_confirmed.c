#include "server/node_confirmed.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/catalogue.h"
#include "protocol/contract.h"
#include "protocol/entry.h"
#include "protocol/identity.h"
#include "replication/journal.h"
#include "replication/need.h"

struct confirmed_node {
    struct bytes16 node_id;
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
    uint64_t enrolled; /* Entry. */
    bool retired;
};

struct confirmed_kept {
    uint64_t size;
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t digest[HASH_SIZE];
};

/* An item that no attestation covers yet. */
struct confirmed_item {
    uint64_t index;
    uint16_t item;
    uint16_t opcode; /* NODE_ENROL, NODE_RETIRE or DESTROY_CONFIRM. */
    struct confirmed_node node;
    struct confirmed_kept kept;
};

/* Invariant: the items' places rise. */
struct confirmed {
    struct journal *journal;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint64_t at; /* Entry that is read next. */
    struct confirmed_node nodes[NODES_ENROLLED_MAX];
    size_t nodes_count;
    struct confirmed_item *items; /* CONFIRMED_ITEMS_MAX. */
    size_t items_count;
    struct confirmed_kept *kept;
    size_t kept_count;
    size_t kept_room;
};

struct confirmed *confirmed_open(struct journal *journal,
                                 const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    struct confirmed *confirmed = calloc(1, sizeof *confirmed);

    NEED(confirmed != NULL);
    confirmed->items = calloc(CONFIRMED_ITEMS_MAX, sizeof *confirmed->items);
    NEED(confirmed->items != NULL);
    confirmed->journal = journal;
    memcpy(confirmed->cluster_id, cluster_id, CLUSTER_ID_SIZE);
    return confirmed;
}

void confirmed_close(struct confirmed *confirmed)
{
    if (confirmed == NULL)
        return;
    free(confirmed->items);
    free(confirmed->kept);
    free(confirmed);
}

/* ---- What was done ------------------------------------------------------- */

static void add_node(struct confirmed *confirmed,
                     const struct confirmed_node *node)
{
    if (confirmed->nodes_count < NODES_ENROLLED_MAX)
        confirmed->nodes[confirmed->nodes_count++] = *node;
}

static void retire_node(struct confirmed *confirmed, const struct bytes16 *id)
{
    for (size_t i = 0; i < confirmed->nodes_count; i++) {
        if (memcmp(&confirmed->nodes[i].node_id, id, sizeof *id) == 0)
            confirmed->nodes[i].retired = true;
    }
}

static void add_kept(struct confirmed *confirmed,
                     const struct confirmed_kept *kept)
{
    if (confirmed->kept_count == confirmed->kept_room) {
        confirmed->kept_room = 2 * confirmed->kept_room + NODES_ENROLLED_MAX;
        confirmed->kept = realloc(confirmed->kept, confirmed->kept_room *
                                                       sizeof *confirmed->kept);
        NEED(confirmed->kept != NULL);
    }
    confirmed->kept[confirmed->kept_count++] = *kept;
}

static void was_done(struct confirmed *confirmed,
                     const struct confirmed_item *item)
{
    switch (item->opcode) {
    case OPCODE_NODE_ENROL:
        add_node(confirmed, &item->node);
        break;
    case OPCODE_NODE_RETIRE:
        retire_node(confirmed, &item->node.node_id);
        break;
    default:
        add_kept(confirmed, &item->kept);
        break;
    }
}

static int compare_places(uint64_t index, uint16_t item,
                          const struct attested_refusal *refusal)
{
    if (index != refusal->index)
        return index < refusal->index ? -1 : 1;
    return (item > refusal->item) - (item < refusal->item);
}

/* Both rise: what is not among the refusals was done. */
static void settle(struct confirmed *confirmed,
                   const struct op_system_attest *stated)
{
    struct attested_refusal refusal = {.index = 0};
    struct list_reader reader;
    size_t left = 0;
    bool more;

    list_reader_init(&reader, &stated->refusals);
    more = list_reader_next(&reader, &schema_attested_refusal, &refusal);
    for (size_t i = 0; i < confirmed->items_count; i++) {
        struct confirmed_item *item = &confirmed->items[i];

        if (item->index < stated->first || item->index > stated->last) {
            confirmed->items[left++] = *item;
            continue;
        }
        while (more && compare_places(item->index, item->item, &refusal) > 0)
            more =
                list_reader_next(&reader, &schema_attested_refusal, &refusal);
        if (!more || compare_places(item->index, item->item, &refusal) != 0)
            was_done(confirmed, item);
    }
    confirmed->items_count = left;
}

/* ---- What was asked for -------------------------------------------------- */

/* A node that is enrolled, as attestations say, and not retired. */
static const struct confirmed_node *find_enrolled(
    const struct confirmed *confirmed, const uint8_t *key_id)
{
    for (size_t i = 0; i < confirmed->nodes_count; i++) {
        const struct confirmed_node *node = &confirmed->nodes[i];

        if (memcmp(node->key_id, key_id, KEY_ID_SIZE) == 0)
            return node->retired ? NULL : node;
    }
    return NULL;
}

/* The same, or one whose enrolment has yet to be attested: what it says counts
 * once somebody else attests both. */
static const struct confirmed_node *find_holder(
    const struct confirmed *confirmed, const uint8_t *key_id)
{
    const struct confirmed_node *node = find_enrolled(confirmed, key_id);

    if (node != NULL)
        return node;
    for (size_t i = 0; i < confirmed->items_count; i++) {
        const struct confirmed_item *item = &confirmed->items[i];

        if (item->opcode == OPCODE_NODE_ENROL &&
            memcmp(item->node.key_id, key_id, KEY_ID_SIZE) == 0)
            return &item->node;
    }
    return NULL;
}

static bool is_signed(const struct confirmed *confirmed,
                      const struct entry *entry,
                      const struct confirmed_node *node)
{
    uint8_t hash[HASH_SIZE];

    return node != NULL && entry_verify(entry, hash, confirmed->cluster_id,
                                        node->public_key) == ST_OK;
}

static bool decode(const struct schema *schema, void *out,
                   const struct item *item)
{
    struct field_error error;

    return item->seal_key == 0 &&
           schema_decode(schema, out, &error, item_fields(item),
                         SCHEMA_REFUSE_UNKNOWN) == ST_OK;
}

static struct confirmed_node node_of(const struct bytes16 *node_id,
                                     const struct bytes32 *receipt_key,
                                     uint64_t index)
{
    struct confirmed_node node = {.node_id = *node_id, .enrolled = index};

    memcpy(node.public_key, receipt_key->b, PUBLIC_KEY_SIZE);
    identity_key_id(node.key_id, receipt_key->b);
    return node;
}

/* Whether the item may have changed what is known here. */
static bool see_item(struct confirmed *confirmed, struct confirmed_item *out,
                     const struct entry *entry, const struct item *item)
{
    struct op_node_enrol enrol;
    struct op_node_retire retire;
    struct op_destroy_confirm confirm;

    switch (out->opcode) {
    case OPCODE_NODE_ENROL:
        if (!decode(&schema_op_node_enrol, &enrol, item))
            return false;
        out->node = node_of(&enrol.node_id, &enrol.receipt_key, out->index);
        return true;
    case OPCODE_NODE_RETIRE:
        if (!decode(&schema_op_node_retire, &retire, item))
            return false;
        out->node.node_id = retire.node_id;
        return true;
    case OPCODE_DESTROY_CONFIRM:
        if (!decode(&schema_op_destroy_confirm, &confirm, item) ||
            confirm.erased_at >= out->index ||
            sodium_is_zero(confirm.snapshot.b, HASH_SIZE) ||
            !is_signed(confirmed, entry,
                       find_holder(confirmed, entry->header.key_id)))
            return false;
        out->kept.size = confirm.erased_at + 1;
        memcpy(out->kept.key_id, entry->header.key_id, KEY_ID_SIZE);
        memcpy(out->kept.digest, confirm.snapshot.b, HASH_SIZE);
        return true;
    default:
        return false;
    }
}

static void see_genesis(struct confirmed *confirmed, const struct item *item)
{
    struct op_system_genesis genesis;
    struct confirmed_node node;

    if (!decode(&schema_op_system_genesis, &genesis, item))
        return;
    node = node_of(&genesis.node_id, &genesis.node_receipt_key, 0);
    add_node(confirmed, &node);
}

/* What does not fit is not known: then too little is, and never too much. */
static void see_entry(struct confirmed *confirmed, struct slice bytes)
{
    struct op_system_attest attest;
    struct slice rest;
    struct entry entry;
    struct item item;

    if (entry_view(&entry, bytes) != ST_OK)
        return;
    rest = entry.items;
    for (uint16_t i = 0; entry_next_item(&item, &rest); i++) {
        struct confirmed_item seen = {.index = confirmed->at,
                                      .item = i,
                                      .opcode = item.clear_part.opcode};

        if (seen.opcode == OPCODE_SYSTEM_GENESIS && seen.index == 0)
            see_genesis(confirmed, &item);
        else if (seen.opcode == OPCODE_SYSTEM_ATTEST) {
            /* Nobody attests his own enrolment: a refused one is an entry too,
             * and may name any key. */
            if (is_signed(confirmed, &entry,
                          find_enrolled(confirmed, entry.header.key_id)) &&
                decode(&schema_op_system_attest, &attest, &item) &&
                attest.last < seen.index)
                settle(confirmed, &attest);
        } else if (confirmed->items_count < CONFIRMED_ITEMS_MAX &&
                   see_item(confirmed, &seen, &entry, &item)) {
            confirmed->items[confirmed->items_count++] = seen;
        }
    }
}

bool confirmed_read(struct confirmed *confirmed, uint64_t end,
                    uint64_t entries_max)
{
    struct journal_cursor *cursor;
    struct slice bytes;

    if (confirmed->at >= end)
        return true;
    if (journal_cursor_open(&cursor, confirmed->journal, confirmed->at) !=
        ST_OK)
        return false;
    for (uint64_t i = 0; i < entries_max && confirmed->at < end; i++) {
        if (journal_cursor_next(cursor, &bytes) != ST_OK)
            break;
        see_entry(confirmed, bytes);
        confirmed->at++;
    }
    journal_cursor_close(cursor);
    return confirmed->at >= end;
}

/* ---- What follows -------------------------------------------------------- */

/* Of those that held the keys, as many as are asked. */
static size_t holders_needed(const struct confirmed *confirmed, uint64_t size)
{
    size_t holders = 0;

    for (size_t i = 0; i < confirmed->nodes_count; i++)
        holders +=
            !confirmed->nodes[i].retired && confirmed->nodes[i].enrolled < size;
    if (holders > CONFIRMED_HOLDERS_MIN)
        holders = CONFIRMED_HOLDERS_MIN;
    return holders > 0 ? holders : 1;
}

/* Whether an earlier one is of the same holder and size: an entry may have
 * executed several acts. */
static bool is_repeated(const struct confirmed *confirmed, size_t at)
{
    const struct confirmed_kept *one = &confirmed->kept[at];

    for (size_t i = 0; i < at; i++) {
        if (confirmed->kept[i].size == one->size &&
            memcmp(confirmed->kept[i].key_id, one->key_id, KEY_ID_SIZE) == 0)
            return true;
    }
    return false;
}

enum status confirmed_state(const struct confirmed *confirmed,
                            uint8_t digest_out[HASH_SIZE], uint64_t size)
{
    size_t holders = 0;

    memset(digest_out, 0, HASH_SIZE);
    for (size_t i = 0; i < confirmed->kept_count; i++) {
        const struct confirmed_kept *kept = &confirmed->kept[i];

        if (kept->size != size)
            continue;
        if (holders > 0 && memcmp(digest_out, kept->digest, HASH_SIZE) != 0)
            return ST_DIVERGED;
        memcpy(digest_out, kept->digest, HASH_SIZE);
        holders += !is_repeated(confirmed, i);
    }
    return holders >= holders_needed(confirmed, size) ? ST_OK : ST_END;
}

uint64_t confirmed_newest(const struct confirmed *confirmed, uint64_t above)
{
    uint64_t newest = 0;

    for (size_t i = 0; i < confirmed->kept_count; i++) {
        uint64_t size = confirmed->kept[i].size;
        uint8_t digest[HASH_SIZE];

        if (size > above && size > newest &&
            confirmed_state(confirmed, digest, size) == ST_OK)
            newest = size;
    }
    return newest;
}
