/*
 * access_seal_list.c: what hides accesses, for those who answer for it.
 */
#include "protocol/contract.h"
#include "server/registry/access_seal.h"
#include "server/registry/dispatch.h"

void access_seal_words(struct act *act, struct op_access_seal_propose *out,
                       const struct row_access_seal *seal)
{
    struct row_record record = {.number = seal->record};
    struct field_error error;
    struct slice fields;
    enum status status;
    bool found = state_get(act->state, TABLE_RECORD, &record);

    INVARIANT(found);
    *out = (struct op_access_seal_propose){0};
    status =
        act->services->open_item(act->services->context, record.item, &fields);
    if (status == ST_ERASED)
        return;
    INVARIANT(status == ST_OK);
    status = schema_decode(&schema_op_access_seal_propose, out, &error, fields,
                           SCHEMA_REFUSE_UNKNOWN);
    INVARIANT(status == ST_OK);
}

static enum seal_state state_shown(const struct act *act,
                                   const struct row_access_seal *row)
{
    bool undecided = row->state == SEAL_PROPOSED || row->state == SEAL_LIVE;

    return undecided && act->log_time >= row->until
               ? SEAL_ENDED
               : (enum seal_state)row->state;
}

static void show(struct act *act, struct list *list,
                 const struct row_access_seal *row)
{
    struct op_access_seal_propose words;
    struct seal_row shown = {.seal = row->number,
                             .state = (uint8_t)state_shown(act, row),
                             .subject = row->subject,
                             .organisation = row->organisation,
                             .purpose = row->purpose,
                             .basis = row->basis,
                             .proposed_by = row->proposed_by,
                             .proposed = row->proposed,
                             .decided_by = row->decided_by,
                             .decided = row->decided,
                             .until = row->until,
                             .lifted_by = row->lifted_by,
                             .lifted = row->lifted,
                             .accesses = row->accesses};

    access_seal_words(act, &words, row);
    shown.file_number = words.file_number;
    shown.legal_basis = words.legal_basis;
    list_add(list, act->space, &schema_seal_row, &shown);
}

enum status access_seal_list(struct act *act,
                             const struct op_access_seal_list *in,
                             struct result_access_seal_list *out)
{
    struct row_access_seal row = {.subject = in->subject};
    struct state_scan scan;

    if (in->subject > INT64_MAX)
        return ST_BAD_FIELD;
    out->seals = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    row.number = in->after + 1;
    if (in->subject != 0)
        state_scan_open(act->state, &scan, INDEX_ACCESS_SEAL_BY_SUBJECT, &row,
                        (struct state_range){.equal = 1, .from = true});
    else
        state_scan_key(act->state, &scan, TABLE_ACCESS_SEAL, &row,
                       (struct state_range){.from = true});
    while (out->seals.count < in->limit && state_scan_next(&scan, &row))
        show(act, &out->seals, &row);
    state_scan_close(&scan);
    return ST_OK;
}
