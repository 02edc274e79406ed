#include "replication/journal_scrub.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"
#include "replication/need.h"

/* Entry scrub->next is damaged, or the one before it is another one. */
static enum status scrub_bad(struct journal_scrub *scrub, uint64_t index)
{
    scrub->bad = index;
    scrub->leaf_known = false;
    return ST_CHECKSUM;
}

/* What was hashed before a cut or a repair says nothing any more. */
static void scrub_settle(struct journal *journal, struct journal_scrub *scrub)
{
    journal_lock(journal);
    if (scrub->changes != journal->changes)
        scrub->leaf_known = scrub->next == 0;
    scrub->changes = journal->changes;
    journal_unlock(journal);
}

/* The last entry has none behind it that names its hash; the mark does. */
static enum status scrub_end(struct journal *journal,
                             struct journal_scrub *scrub)
{
    uint8_t leaf[HASH_SIZE];
    bool last;

    scrub_settle(journal, scrub);
    journal_lock(journal);
    last = journal->durable == scrub->next;
    memcpy(leaf, journal->durable_leaf, HASH_SIZE);
    journal_unlock(journal);
    if (last && scrub->leaf_known && memcmp(leaf, scrub->leaf, HASH_SIZE) != 0)
        return scrub_bad(scrub, scrub->next - 1);
    *scrub = (struct journal_scrub){.bytes = scrub->bytes};
    return ST_END;
}

/* The page before the first entry of a segment; nobody reads it until a start,
 * or until damage has to be judged by it. */
static enum status scrub_header(struct journal *journal, uint64_t index)
{
    uint8_t page[SEGMENT_HEADER_SIZE];
    struct segment_header header;
    struct journal_view view;
    size_t read = 0;
    enum status status = journal_pin(journal, &view, index, false);

    if (status != ST_OK)
        return ST_OK; /* The entry is no more: reading it says so. */
    if (view.first == index)
        status = disk_read(view.file, &read, page, sizeof page, 0);
    journal_unpin(journal);
    if (status != ST_OK || view.first != index)
        return status;
    return segment_header_decode(&header, slice_of(page, read)) == ST_OK &&
                   header.first_index == index
               ? ST_OK
               : ST_CHECKSUM;
}

enum status journal_scrub_next(struct journal *journal,
                               struct journal_scrub *scrub, uint8_t *buffer)
{
    if (scrub->next == 0)
        *scrub = (struct journal_scrub){.changes = UINT64_MAX};
    for (size_t i = 0; i < JOURNAL_SCRUB_ENTRIES; i++) {
        struct slice bytes;
        struct entry entry;
        enum status status;
        bool follows;

        status = scrub_header(journal, scrub->next);
        if (status == ST_OK)
            status = journal_read_entry(journal, &bytes, buffer, scrub->next);
        scrub_settle(journal, scrub);
        if (status == ST_END)
            return scrub_end(journal, scrub);
        if (status == ST_CHECKSUM)
            return scrub_bad(scrub, scrub->next++);
        if (status != ST_OK)
            return status;
        status = entry_view(&entry, bytes);
        INVARIANT(status == ST_OK);
        follows = !scrub->leaf_known ||
                  memcmp(entry.place.previous, scrub->leaf, HASH_SIZE) == 0;
        scrub->next++;
        scrub->bytes += segment_frame_size(bytes.size);
        entry_leaf_hash(scrub->leaf, bytes);
        scrub->leaf_known = true;
        if (!follows) {
            scrub->bad = scrub->next > 1 ? scrub->next - 2 : 0;
            return ST_CHECKSUM;
        }
    }
    return ST_OK;
}

/* The first index of the next segment; 0 if this is the last. */
static uint64_t digest_behind(struct journal *journal, size_t number)
{
    uint64_t behind = 0;

    journal_lock(journal);
    if (number + 1 < journal->segments_count)
        behind = journal_segment_at(journal, number + 1)->first;
    /* The next one may have been begun by entries that are not durable. */
    if (behind > journal->durable)
        behind = 0;
    journal_unlock(journal);
    return behind;
}

static enum status digest_file(const struct journal *journal,
                               struct disk_file *file, uint8_t *digest_out)
{
    const uint32_t size = journal->options.segment_size;
    const size_t window_size = journal_scan_window_size(size);
    uint8_t *window = malloc(window_size);
    crypto_hash_sha256_state state;
    enum status status = ST_OK;
    uint64_t at = 0;

    NEED(window != NULL);
    crypto_hash_sha256_init(&state);
    while (status == ST_OK && at < size) {
        const size_t want =
            size - at < window_size ? (size_t)(size - at) : window_size;

        status = disk_read_all(file, window, want, at);
        crypto_hash_sha256_update(&state, window, want);
        at += want;
    }
    crypto_hash_sha256_final(&state, digest_out);
    free(window);
    return status == ST_FILE_FORMAT ? ST_CHECKSUM : status;
}

enum status journal_segment_digest(struct journal *journal, uint8_t *digest_out,
                                   uint64_t *size_out, uint64_t index)
{
    struct journal_view view;
    enum status status = journal_pin(journal, &view, index, false);

    if (status != ST_OK)
        return status;
    *size_out = digest_behind(journal, view.number);
    if (*size_out == 0)
        status = ST_END;
    else if (view.hole.end > 0)
        status = ST_CHECKSUM;
    else
        status = digest_file(journal, view.file, digest_out);
    journal_unpin(journal);
    return status;
}
