/*
 * node_snapshot.c: a state built from a snapshot, where one is newer than what
 * state.db has: the file was lost, or what came before was destroyed.
 */
#include <inttypes.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "server/diag.h"
#include "server/node_private.h"
#include "server/pipeline/erasure.h"
#include "server/store/database.h"
#include "server/store/snapshot.h"

/* ---- Whether the log attests it ------------------------------------------ */

enum attested { ATTESTED_NOT, ATTESTED_SAME, ATTESTED_OTHER };

/* What one item says of the snapshot of ${size}. */
static enum attested item_attests(const struct item *item, uint64_t size,
                                  const uint8_t digest[HASH_SIZE])
{
    struct op_destroy_confirm fields;
    struct field_error error;

    if (item->clear_part.opcode != OPCODE_DESTROY_CONFIRM ||
        item->seal_key != 0 ||
        schema_decode(&schema_op_destroy_confirm, &fields, &error,
                      item_fields(item), SCHEMA_REFUSE_UNKNOWN) != ST_OK ||
        fields.erased_at + 1 != size)
        return ATTESTED_NOT;
    return memcmp(fields.snapshot.b, digest, HASH_SIZE) == 0 ? ATTESTED_SAME
                                                             : ATTESTED_OTHER;
}

static enum attested entry_attests(struct slice bytes, uint64_t size,
                                   const uint8_t digest[HASH_SIZE])
{
    enum attested found = ATTESTED_NOT;
    struct slice rest;
    struct entry entry;
    struct item item;

    if (entry_view(&entry, bytes) != ST_OK)
        return ATTESTED_NOT;
    rest = entry.items;
    while (found != ATTESTED_SAME && entry_next_item(&item, &rest)) {
        enum attested one = item_attests(&item, size, digest);

        found = one == ATTESTED_NOT ? found : one;
    }
    return found;
}

/* The log from ${size} on, as far as it is known to be committed.  Who signed a
 * confirmation is verified when its entry is replayed. */
static enum attested log_attests(struct node *node, uint64_t size, uint64_t end,
                                 const uint8_t digest[HASH_SIZE])
{
    enum attested found = ATTESTED_NOT;
    struct journal_cursor *cursor;
    struct slice bytes;

    if (size >= end ||
        journal_cursor_open(&cursor, node->journal, size) != ST_OK)
        return ATTESTED_NOT;
    for (uint64_t at = size; found != ATTESTED_SAME && at < end; at++) {
        enum attested one;

        if (journal_cursor_next(cursor, &bytes) != ST_OK)
            break;
        one = entry_attests(bytes, size, digest);
        found = one == ATTESTED_NOT ? found : one;
    }
    journal_cursor_close(cursor);
    return found;
}

enum status node_judge_snapshot(struct node *node, uint64_t size, uint64_t end,
                                const uint8_t digest[HASH_SIZE])
{
    switch (log_attests(node, size, end, digest)) {
    case ATTESTED_SAME:
        return ST_OK;
    case ATTESTED_OTHER:
        return ST_DIVERGED;
    case ATTESTED_NOT:
        break;
    }
    return ST_END;
}

/* ---- Choosing ------------------------------------------------------------ */

/* Whether it is of a beginning of this log. */
static bool is_of_this_log(struct node *node, uint64_t size)
{
    struct state_head head;
    uint8_t leaf[HASH_SIZE];
    struct slice entry;

    if (snapshot_head(&head, node->snapshots, size) != ST_OK ||
        memcmp(head.cluster_id, node->cluster_id, CLUSTER_ID_SIZE) != 0 ||
        journal_read_entry(node->journal, &entry, node->entry_buffer,
                           size - 1) != ST_OK)
        return false;
    entry_leaf_hash(leaf, entry);
    return memcmp(leaf, head.applied_leaf, HASH_SIZE) == 0;
}

/* This node made what no entry attests yet, so it may be used; that the log
 * attests something else is the end of it. */
static bool is_good(struct node *node, uint64_t size, uint64_t end,
                    uint8_t digest_out[HASH_SIZE])
{
    enum status status;

    if (!is_of_this_log(node, size) ||
        snapshot_digest(digest_out, node->snapshots, size) != ST_OK)
        return false;
    status = node_judge_snapshot(node, size, end, digest_out);
    if (status == ST_DIVERGED)
        diag_say(DIAG_WARNING,
                 "the snapshot of %" PRIu64
                 " entries is not the one that the log attests: passed over",
                 size);
    else if (status == ST_END)
        diag_say(DIAG_WARNING,
                 "no entry attests the snapshot of %" PRIu64
                 " entries yet: attestations behind it will show whether it "
                 "is right",
                 size);
    return status != ST_DIVERGED;
}

bool node_find_snapshot(struct node *node, const struct node_known *known,
                        uint64_t *size_out, uint8_t digest_out[HASH_SIZE])
{
    uint64_t end = journal_size(node->journal);
    uint64_t size;

    if (node->snapshots == NULL)
        return false;
    end = known->committed < end ? known->committed : end;
    size = end + 1;
    while ((size = snapshot_newest(node->snapshots, size)) >
           state_head(node->state)->applied_size) {
        if (is_good(node, size, end, digest_out)) {
            *size_out = size;
            return true;
        }
    }
    return false;
}
