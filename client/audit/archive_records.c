#include "client/audit/archive_records.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS_ROOM_MIN = 64 };

void archive_records_free(struct archive_records *records)
{
    free(records->rows);
    memset(records, 0, sizeof *records);
}

bool archive_records_needs(uint16_t opcode)
{
    return opcode == OPCODE_ARCHIVE_PREPARE || opcode == OPCODE_ARCHIVE_SEAL;
}

/* NULL if memory is short. */
static struct archive_record *records_add(struct archive_records *records)
{
    if (records->count == records->room) {
        const size_t room = 2 * records->room + RECORDS_ROOM_MIN;
        struct archive_record *rows =
            reallocarray(records->rows, room, sizeof *rows);

        if (rows == NULL)
            return NULL;
        records->rows = rows;
        records->room = room;
    }
    memset(&records->rows[records->count], 0, sizeof *records->rows);
    return &records->rows[records->count++];
}

static enum status records_prepared(struct archive_records *records,
                                    const struct authority_act *act,
                                    const struct op_archive_prepare *in)
{
    const struct archive_record *before =
        records->count == 0 ? NULL : &records->rows[records->count - 1];
    const uint64_t first = before == NULL ? 0 : before->last + 1;
    struct archive_record *record;
    struct list_reader reader;
    struct number count;

    if (in->unit != records->count + 1 || in->first != first ||
        in->last < first || in->last >= act->index ||
        in->categories.count != CATEGORIES_COUNT)
        return ST_OK;
    record = records_add(records);
    if (record == NULL)
        return ST_EXHAUSTED;
    record->number = in->unit;
    record->index = act->index;
    record->first = in->first;
    record->last = in->last;
    record->bytes = in->bytes;
    memcpy(record->leaf_before, in->leaf_before.b, HASH_SIZE);
    memcpy(record->leaf_after, in->leaf_after.b, HASH_SIZE);
    memcpy(record->root, in->root.b, HASH_SIZE);
    list_reader_init(&reader, &in->categories);
    for (unsigned i = 1; list_reader_next(&reader, &schema_number, &count); i++)
        record->categories[i] = count.value;
    return ST_OK;
}

static void records_sealed(struct archive_records *records,
                           const struct authority_act *act,
                           const struct op_archive_seal *in)
{
    struct archive_record *record;

    if (in->unit == 0 || in->unit > records->count)
        return;
    record = &records->rows[in->unit - 1];
    if (record->sealed != 0)
        return;
    record->sealed = act->index;
    memcpy(record->manifest, in->manifest.b, HASH_SIZE);
}

enum status archive_records_decided(struct archive_records *records,
                                    const struct authority_act *act,
                                    uint16_t code)
{
    struct op_archive_prepare prepare;
    struct op_archive_seal seal;
    struct field_error error;

    if (code != ST_OK)
        return ST_OK;
    if (act->operation->opcode == OPCODE_ARCHIVE_PREPARE &&
        schema_decode(&schema_op_archive_prepare, &prepare, &error, act->fields,
                      SCHEMA_REFUSE_UNKNOWN) == ST_OK)
        return records_prepared(records, act, &prepare);
    if (act->operation->opcode == OPCODE_ARCHIVE_SEAL &&
        schema_decode(&schema_op_archive_seal, &seal, &error, act->fields,
                      SCHEMA_REFUSE_UNKNOWN) == ST_OK)
        records_sealed(records, act, &seal);
    return ST_OK;
}

static bool records_concern(const struct archive_record *record,
                            const struct archive_unit *unit)
{
    return record->number == unit->number ||
           (record->first <= unit->last && unit->first <= record->last);
}

const struct archive_record *archive_records_other(
    const char **what_out, const struct archive_records *records,
    const struct archive_unit *unit, const uint8_t hash[HASH_SIZE])
{
    const struct archive_record *other = NULL;

    *what_out = NULL;
    for (size_t i = 0; i < records->count; i++) {
        const struct archive_record *record = &records->rows[i];
        const char *what = records_concern(record, unit)
                               ? archive_records_fit(record, unit, hash)
                               : NULL;

        if (what == NULL ||
            (other != NULL && (other->sealed != 0 || record->sealed == 0)))
            continue;
        other = record;
        *what_out = what;
    }
    return other;
}

const char *archive_records_fit(const struct archive_record *record,
                                const struct archive_unit *unit,
                                const uint8_t hash[HASH_SIZE])
{
    if (unit->first != record->first || unit->last != record->last)
        return "the archive record of the log gives this unit other entries";
    if (unit->number != record->number)
        return "the archive record of the log gives these entries another "
               "number";
    if (memcmp(unit->leaf_before, record->leaf_before, HASH_SIZE) != 0 ||
        memcmp(unit->leaf_after, record->leaf_after, HASH_SIZE) != 0 ||
        memcmp(unit->root, record->root, HASH_SIZE) != 0)
        return "the archive record of the log has other hashes";
    if (unit->bytes != record->bytes ||
        memcmp(unit->categories, record->categories, sizeof unit->categories) !=
            0)
        return "the archive record of the log counts other entries";
    if (record->sealed != 0 && memcmp(record->manifest, hash, HASH_SIZE) != 0)
        return "the manifest is not the one that an archivist sealed";
    return NULL;
}
