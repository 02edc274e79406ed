/*
 * journal_lost.c: the note that entries are missing, which stands in the mark.
 */
#include <string.h>

#include "replication/journal_parts.h"

struct mark_lost journal_lost(struct journal *journal)
{
    struct mark_lost lost;

    journal_lock(journal);
    lost = journal->lost;
    journal_unlock(journal);
    return lost;
}

/* Writes the mark as it is, but for what is missing and the commit. */
static enum status lost_write(struct journal *journal,
                              const struct mark_lost *lost, uint64_t committed)
{
    struct mark_value value = journal->mark.value;

    value.incarnation = journal->options.incarnation;
    value.committed = committed;
    value.lost = *lost;
    if (mark_write(&journal->mark, &value) != ST_OK)
        return journal_fail(journal);
    journal_publish(journal);
    return ST_OK;
}

enum status journal_set_lost(struct journal *journal,
                             const struct mark_lost *lost)
{
    struct mark_lost joined = journal->mark.value.lost;
    enum status status;

    REQUIRE(lost->kind != MARK_WHOLE);
    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    mark_lost_join(&joined, lost);
    status = lost_write(journal, &joined, journal->mark.value.committed);
    if (status == ST_OK) /* The other slot too: rot does not forget it. */
        status = lost_write(journal, &joined, journal->mark.value.committed);
    return status;
}

enum status journal_clear_lost(struct journal *journal)
{
    const struct mark_value *mark = &journal->mark.value;
    const struct mark_lost whole = {.kind = MARK_WHOLE};
    uint64_t committed = mark->lost.committed;
    uint8_t leaf[HASH_SIZE];
    enum status status;

    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    if (mark->lost.kind == MARK_WHOLE)
        return ST_OK;
    if (mark->lost.kind == MARK_LOST) {
        if (mark->size < mark->lost.size)
            return ST_LOST;
        status = journal_flush(journal);
        if (status == ST_OK)
            status = journal_leaf_get(journal, leaf, journal->buffer,
                                      mark->lost.size - 1, false);
        if (status != ST_OK)
            return status;
        if (memcmp(leaf, mark->lost.leaf, HASH_SIZE) != 0)
            return ST_CHAIN_BROKEN;
    }
    if (committed > mark->size)
        committed = mark->size;
    if (committed < mark->committed)
        committed = mark->committed;
    return lost_write(journal, &whole, committed);
}
