#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

enum { PURPOSE_KIND_SUBJECTS = 1 };

enum status act_check_purpose(struct act *act, uint16_t sections)
{
    struct row_purpose row = {.number = act->purpose};
    uint32_t kind = PURPOSE_KIND_SUBJECTS;

    if (act->duty != DUTY_USR)
        kind = 1u << act->organisation_kind;
    if (act->purpose == 0 || !state_get(act->state, TABLE_PURPOSE, &row))
        return ST_NO_PURPOSE;
    return (sections & ~row.sections) == 0 && (row.kinds & kind) != 0
               ? ST_OK
               : ST_NO_PURPOSE;
}

enum status purpose_put(struct act *act, const struct op_purpose_put *in,
                        struct result_purpose_put *out)
{
    struct row_purpose row = {.number = in->purpose};
    bool exists = state_get(act->state, TABLE_PURPOSE, &row);

    (void)out;
    row.title = in->title;
    row.legal_basis = in->legal_basis;
    row.sections = in->sections;
    row.kinds = in->kinds;
    if (exists)
        state_update(act->state, TABLE_PURPOSE, &row);
    else
        state_insert(act->state, TABLE_PURPOSE, &row);
    return ST_OK;
}

enum status purpose_list(struct act *act, const struct op_purpose_list *in,
                         struct result_purpose_list *out)
{
    struct row_purpose row = {0};
    struct purpose_row shown;
    struct state_scan scan;

    out->purposes = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    row.number = in->after + 1;
    state_scan_key(act->state, &scan, TABLE_PURPOSE, &row,
                   (struct state_range){.from = true});
    while (out->purposes.count < PAGE_ROWS_MAX &&
           state_scan_next(&scan, &row)) {
        shown = (struct purpose_row){.purpose = row.number,
                                     .title = row.title,
                                     .legal_basis = row.legal_basis,
                                     .sections = row.sections};
        list_add(&out->purposes, act->space, &schema_purpose_row, &shown);
    }
    state_scan_close(&scan);
    return ST_OK;
}
