#include "server/registry/archive.h"

#include "protocol/contract.h"
#include "server/registry/dispatch.h"

static void archive_show(struct act *act, struct list *list,
                         const struct row_archive_unit *row)
{
    const struct archive_row shown = {.unit = row->number,
                                      .state = row->state,
                                      .first = row->first,
                                      .last = row->last,
                                      .bytes = row->bytes,
                                      .leaf_before = row->leaf_before,
                                      .leaf_after = row->leaf_after,
                                      .root = row->root,
                                      .manifest = row->manifest,
                                      .prepared = row->prepared,
                                      .sealed = row->sealed,
                                      .sealed_by = row->sealed_by,
                                      .keep_until = row->keep_until,
                                      .copies = row->copies,
                                      .restore_tests = row->restore_tests,
                                      .restored = row->restored};

    list_add(list, act->space, &schema_archive_row, &shown);
}

enum status archive_list(struct act *act, const struct op_archive_list *in,
                         struct result_archive_list *out)
{
    struct row_archive_unit row = {.number = in->after + 1};
    struct state_scan scan;

    out->units = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    state_scan_key(act->state, &scan, TABLE_ARCHIVE_UNIT, &row,
                   (struct state_range){.from = true});
    while (out->units.count < in->limit && state_scan_next(&scan, &row))
        archive_show(act, &out->units, &row);
    state_scan_close(&scan);
    return ST_OK;
}

/* Label and place are words, which stay in the item. */
static void copy_show(struct act *act, struct list *list,
                      const struct row_archive_copy *row)
{
    struct archive_copy_row shown = {.copy = row->copy,
                                     .medium = row->medium,
                                     .node = row->node,
                                     .shipped = row->shipped,
                                     .checked = row->checked,
                                     .check_due = row->check_due,
                                     .bad = row->bad};
    struct row_record record = {.number = row->record};
    struct op_archive_ship in;
    struct field_error error;
    struct slice fields;
    bool found = state_get(act->state, TABLE_RECORD, &record);
    enum status status;

    INVARIANT(found);
    status =
        act->services->open_item(act->services->context, record.item, &fields);
    if (status == ST_OK) {
        status = schema_decode(&schema_op_archive_ship, &in, &error, fields,
                               SCHEMA_REFUSE_UNKNOWN);
        INVARIANT(status == ST_OK);
        shown.label = in.label;
        shown.place = in.place;
    }
    list_add(list, act->space, &schema_archive_copy_row, &shown);
}

enum status archive_copies(struct act *act, const struct op_archive_copies *in,
                           struct result_archive_copies *out)
{
    struct row_archive_unit unit = {.number = in->unit};
    struct row_archive_copy row = {.unit = in->unit,
                                   .copy = (uint16_t)(in->after + 1)};
    struct state_scan scan;

    out->copies = list_begin(act->space);
    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &unit))
        return ST_NO_SUCH;
    if (in->after == UINT16_MAX)
        return ST_OK;
    state_scan_key(act->state, &scan, TABLE_ARCHIVE_COPY, &row,
                   (struct state_range){.equal = 1, .from = true});
    while (out->copies.count < in->limit && state_scan_next(&scan, &row))
        copy_show(act, &out->copies, &row);
    state_scan_close(&scan);
    return ST_OK;
}
