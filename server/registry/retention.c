/*
 * retention.c: how long records are kept, as data in the log (P-1.4, A-18).
 *
 * A rule takes effect when a second person with the other duty of the two
 * enters the same values; until then the one in force stays.
 */
#include <string.h>

#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

enum { RETENTION_SECTION = 1, RETENTION_CATEGORY, RETENTION_CATEGORIES = 8 };
enum { RETENTION_PROPOSED = 1, RETENTION_IN_FORCE };

static enum status put_check(const struct op_retention_put *in)
{
    uint16_t what_max = 0;

    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (in->kind == RETENTION_SECTION)
        what_max = SECTIONS_COUNT;
    else if (in->kind == RETENTION_CATEGORY)
        what_max = RETENTION_CATEGORIES;
    return in->what <= what_max ? ST_OK : ST_BAD_FIELD;
}

static bool is_same(const struct row_retention *row,
                    const struct op_retention_put *in)
{
    return row->waits != 0 && row->new_days == in->days &&
           row->new_action == in->action &&
           memcmp(&row->new_basis, &in->basis, sizeof in->basis) == 0;
}

static void propose(struct act *act, struct row_retention *row,
                    const struct op_retention_put *in)
{
    row->waits = 1;
    row->new_days = in->days;
    row->new_action = in->action;
    row->new_basis = in->basis;
    row->proposed_by = act->signer.person;
    row->proposed_duty = (uint8_t)act->duty;
    row->proposed = act->log_time;
}

static void take_effect(struct act *act, struct row_retention *row)
{
    row->days = row->new_days;
    row->action = row->new_action;
    row->basis = row->new_basis;
    row->since = act->log_time;
    row->waits = 0;
}

enum status retention_put(struct act *act, const struct op_retention_put *in,
                          struct result_retention_put *out)
{
    struct row_retention row = {.kind = in->kind, .what = in->what};
    enum status status = put_check(in);
    bool found;

    if (status != ST_OK)
        return status;
    found = state_get(act->state, TABLE_RETENTION, &row);
    out->state = RETENTION_PROPOSED;
    if (found && is_same(&row, in)) {
        if (row.proposed_by == act->signer.person)
            return ST_SELF_APPROVE;
        if (row.proposed_duty == (uint8_t)act->duty)
            return ST_SECOND_PERSON;
        take_effect(act, &row);
        out->state = RETENTION_IN_FORCE;
    } else {
        propose(act, &row, in);
    }
    if (found)
        state_update(act->state, TABLE_RETENTION, &row);
    else
        state_insert(act->state, TABLE_RETENTION, &row);
    return ST_OK;
}

static void show(struct act *act, struct list *list,
                 const struct row_retention *row)
{
    struct retention_row shown = {.kind = row->kind,
                                  .what = row->what,
                                  .days = row->days,
                                  .action = row->action,
                                  .basis = row->basis,
                                  .state = RETENTION_IN_FORCE,
                                  .since = row->since};

    if (row->days != 0 && list->count < PAGE_ROWS_MAX)
        list_add(list, act->space, &schema_retention_row, &shown);
    if (row->waits == 0 || list->count >= PAGE_ROWS_MAX)
        return;
    shown.state = RETENTION_PROPOSED;
    shown.days = row->new_days;
    shown.action = row->new_action;
    shown.basis = row->new_basis;
    shown.since = row->proposed;
    list_add(list, act->space, &schema_retention_row, &shown);
}

enum status retention_list(struct act *act, const struct op_retention_list *in,
                           struct result_retention_list *out)
{
    struct row_retention row = {.kind = 0};
    struct state_scan scan;

    (void)in;
    out->rules = list_begin(act->space);
    state_scan_key(act->state, &scan, TABLE_RETENTION, &row,
                   (struct state_range){0});
    while (state_scan_next(&scan, &row))
        show(act, &out->rules, &row);
    state_scan_close(&scan);
    return ST_OK;
}
