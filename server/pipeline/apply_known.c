#include <string.h>

#include <sodium.h>

#include "server/pipeline/apply_private.h"

/* The row's index is over the pair that makes a command known. */
static bool known_find(struct apply *apply, struct row_command *row,
                       const struct command_header *header)
{
    struct state_scan scan;
    bool found;

    memset(row, 0, sizeof *row);
    memcpy(row->key_id.b, header->key_id, KEY_ID_SIZE);
    memcpy(row->idem.b, header->idem, IDEM_SIZE);
    state_scan_open(apply->parts.state, &scan, INDEX_COMMAND_BY_IDEM, row,
                    (struct state_range){.equal = 2});
    found = state_scan_next(&scan, row);
    if (found) {
        /* The walk lends its slices only as long as it is open. */
        INVARIANT(row->result.size <= RESULT_SIZE_MAX);
        if (row->result.size > 0)
            memcpy(apply->result, row->result.data, row->result.size);
        row->result.data = apply->result;
        size_t count = outcome_decode(apply->items, row->outcomes);
        INVARIANT(count > 0);
    }
    state_scan_close(&scan);
    return found;
}

/* False if the entry cannot be read now. */
static bool known_epoch(struct apply *apply, uint32_t *epoch_out,
                        uint64_t index)
{
    struct slice bytes;
    struct entry entry;
    enum status status =
        apply->parts.read_entry(apply->parts.log, index, &bytes);

    if (status != ST_OK)
        return false;
    status = entry_view(&entry, bytes);
    INVARIANT(status == ST_OK);
    *epoch_out = entry.place.epoch;
    return true;
}

enum status apply_known(struct apply *apply, struct apply_outcome *out,
                        const struct work *work)
{
    const struct command *command = &work->command;
    uint16_t count = command->header.items_count;
    struct row_command row;
    struct writer writer;

    if (!known_find(apply, &row, &command->header))
        return ST_IN_PROGRESS;
    if (memcmp(row.command_hash.b, command->hash, HASH_SIZE) != 0)
        return ST_IDEM_CONFLICT;
    memset(out, 0, sizeof *out);
    if (!known_epoch(apply, &out->epoch, row.index))
        return ST_IN_PROGRESS;
    out->code = row.code;
    out->batch = count > 1;
    out->wants_receipt = true;
    out->index = row.index;
    out->log_time = row.log_time;
    memcpy(out->leaf, row.leaf.b, HASH_SIZE);
    memcpy(out->command_hash, row.command_hash.b, HASH_SIZE);
    memcpy(out->result_hash, row.result_hash.b, HASH_SIZE);
    out->result = row.result;
    if (row.result.size == 0 &&
        memcmp(row.result_hash.b, outcome_nothing(), HASH_SIZE) != 0) {
        writer_init(&writer, apply->result, RESULT_SIZE_MAX);
        outcome_codes_only(&writer, apply->items, count);
        out->result = writer_slice(&writer);
        out->result_omitted = true;
    }
    return ST_OK;
}

bool apply_find(struct apply *apply, uint64_t *index_out, uint16_t *code_out,
                const uint8_t key_id[KEY_ID_SIZE],
                const uint8_t idem[IDEM_SIZE])
{
    struct command_header header = {0};
    struct row_command row;

    memcpy(header.key_id, key_id, KEY_ID_SIZE);
    memcpy(header.idem, idem, IDEM_SIZE);
    if (!known_find(apply, &row, &header))
        return false;
    *index_out = row.index;
    *code_out = row.code;
    return true;
}
