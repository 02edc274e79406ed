#include "replication/journal_epochs.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"
#include "replication/need.h"

enum { EPOCHS_ROOM = 16 }; /* At first; doubled up to the limit. */

static_assert(JOURNAL_EPOCHS_MAX % EPOCHS_ROOM == 0 &&
                  (JOURNAL_EPOCHS_MAX & (JOURNAL_EPOCHS_MAX - 1)) == 0,
              "doubling ends at the limit");

void journal_leaf_note(struct journal *journal, uint64_t index,
                       const uint8_t *leaf)
{
    struct journal_leaf_row *row =
        &journal->leaves[index % journal->leaves_count];

    row->size = index + 1;
    memcpy(row->leaf, leaf, HASH_SIZE);
}

void journal_epochs_begin(struct journal *journal)
{
    journal->epochs = malloc(EPOCHS_ROOM * sizeof *journal->epochs);
    NEED(journal->epochs != NULL);
    journal->epochs_room = EPOCHS_ROOM;
}

/* Makes room for another row if it may grow. */
static bool epoch_grow(struct journal *journal)
{
    const size_t room = 2 * journal->epochs_room;
    struct journal_epoch *more;

    if (journal->epochs_count < journal->epochs_room)
        return true;
    if (journal->epochs_room == JOURNAL_EPOCHS_MAX)
        return false;
    more = realloc(journal->epochs, room * sizeof *more);
    if (more == NULL)
        return false;
    journal->epochs = more;
    journal->epochs_room = room;
    return true;
}

/* The oldest row goes when the table is full, or memory is. */
static struct journal_epoch *epoch_place(struct journal *journal)
{
    if (!epoch_grow(journal)) {
        INVARIANT(journal->epochs_count > 0);
        memmove(journal->epochs, journal->epochs + 1,
                (journal->epochs_count - 1) * sizeof *journal->epochs);
        journal->epochs_count--;
    }
    return &journal->epochs[journal->epochs_count++];
}

void journal_epoch_note(struct journal *journal, uint32_t epoch, uint64_t index,
                        const uint8_t *leaf)
{
    const size_t count = journal->epochs_count;
    struct journal_epoch *row;

    if (count > 0 && journal->epochs[count - 1].epoch == epoch)
        return;
    INVARIANT(count == 0 || (journal->epochs[count - 1].epoch < epoch &&
                             journal->epochs[count - 1].first < index));
    row = epoch_place(journal);
    row->epoch = epoch;
    row->first = index;
    memcpy(row->leaf, leaf, HASH_SIZE);
}

void journal_epoch_mend(struct journal *journal, uint32_t epoch, uint64_t index,
                        const uint8_t *leaf)
{
    const size_t count = journal->epochs_count;
    const bool room = epoch_grow(journal);
    struct journal_epoch *rows = journal->epochs;
    size_t at = 0;

    while (at < count && rows[at].epoch < epoch)
        at++;
    if (at < count && rows[at].epoch == epoch) {
        if (index >= rows[at].first)
            return;
    } else {
        if (!room)
            return; /* The table is not complete in any case. */
        memmove(rows + at + 1, rows + at, (count - at) * sizeof *rows);
        journal->epochs_count++;
    }
    rows[at].epoch = epoch;
    rows[at].first = index;
    memcpy(rows[at].leaf, leaf, HASH_SIZE);
}

void journal_epochs_cut(struct journal *journal, uint64_t size)
{
    while (journal->epochs_count > 0 &&
           journal->epochs[journal->epochs_count - 1].first >= size)
        journal->epochs_count--;
    for (size_t i = 0; i < journal->leaves_count; i++)
        if (journal->leaves[i].size > size)
            journal->leaves[i].size = 0;
}

size_t journal_epoch_count(struct journal *journal)
{
    size_t count;

    journal_lock(journal);
    count = journal->epochs_count;
    journal_unlock(journal);
    return count;
}

enum status journal_epoch_at(struct journal *journal, struct journal_epoch *out,
                             size_t number)
{
    enum status status = ST_END;

    journal_lock(journal);
    if (number < journal->epochs_count) {
        *out = journal->epochs[number];
        status = ST_OK;
    }
    journal_unlock(journal);
    return status;
}

enum status journal_leaf_get(struct journal *journal, uint8_t *leaf_out,
                             uint8_t *buffer, uint64_t index, bool all)
{
    const struct journal_leaf_row *row =
        &journal->leaves[index % journal->leaves_count];
    struct slice entry;
    enum status status;
    bool known;

    journal_lock(journal);
    if (index >= (all ? journal->end.size : journal->durable)) {
        journal_unlock(journal);
        return ST_END;
    }
    known = row->size == index + 1;
    if (known)
        memcpy(leaf_out, row->leaf, HASH_SIZE);
    journal_unlock(journal);
    if (known)
        return ST_OK;
    status = journal_fetch(journal, &entry, buffer, index, all);
    if (status == ST_OK)
        entry_leaf_hash(leaf_out, entry);
    return status;
}

enum status journal_leaf(struct journal *journal, uint8_t *leaf_out,
                         uint8_t *buffer, uint64_t index)
{
    return journal_leaf_get(journal, leaf_out, buffer, index, false);
}

/* What is known without reading: the hole's end, or the log's. */
static bool expected_known(struct journal *journal, uint8_t *leaf_out,
                           uint64_t index)
{
    struct journal_view view;
    bool known = false;

    journal_lock(journal);
    if (index + 1 == journal->durable) {
        memcpy(leaf_out, journal->durable_leaf, HASH_SIZE);
        known = true;
    }
    journal_unlock(journal);
    if (known || journal_pin(journal, &view, index, false) != ST_OK)
        return known;
    if (view.hole.end == index + 1) {
        memcpy(leaf_out, view.hole.leaf, HASH_SIZE);
        known = true;
    }
    journal_unpin(journal);
    return known;
}

enum status journal_expected_leaf(struct journal *journal, uint8_t *leaf_out,
                                  uint8_t *buffer, uint64_t index)
{
    struct slice bytes;
    struct entry entry;
    enum status status;

    if (index >= journal_size(journal))
        return ST_END;
    if (expected_known(journal, leaf_out, index))
        return ST_OK;
    status = journal_read_entry(journal, &bytes, buffer, index + 1);
    if (status != ST_OK)
        return status;
    status = entry_view(&entry, bytes);
    INVARIANT(status == ST_OK);
    memcpy(leaf_out, entry.place.previous, HASH_SIZE);
    return ST_OK;
}
