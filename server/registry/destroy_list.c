/*
 * destroy_list.c: destruction acts and their certificates.
 */
#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"

static void show(struct destroy_row *out, const struct row_destruction *row)
{
    *out = (struct destroy_row){.act = row->number,
                                .state = row->state,
                                .ground = row->ground,
                                .keys = row->keys,
                                .basis = row->basis,
                                .proposed_by = row->proposed_by,
                                .proposed = row->proposed,
                                .decided_by = row->decided_by,
                                .decided = row->decided,
                                .ordered_by = row->ordered_by,
                                .ordered = row->ordered,
                                .due = row->due,
                                .erased_at = row->erased,
                                .erased = row->erased_time,
                                .keys_count = row->keys_count,
                                .holders = row->holders,
                                .confirmed = row->confirmed};
}

enum status destroy_list(struct act *act, const struct op_destroy_list *in,
                         struct result_destroy_list *out)
{
    struct row_destruction row;
    struct destroy_row shown;
    struct state_scan scan;

    out->acts = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    row.number = in->after + 1;
    state_scan_key(act->state, &scan, TABLE_DESTRUCTION, &row,
                   (struct state_range){.from = true});
    while (out->acts.count < in->limit && state_scan_next(&scan, &row)) {
        show(&shown, &row);
        list_add(&out->acts, act->space, &schema_destroy_row, &shown);
    }
    state_scan_close(&scan);
    return ST_OK;
}

/* ---- The certificate ----------------------------------------------------- */

static void show_subjects(struct act *act, struct list *list, uint32_t number)
{
    uint64_t subject = 0;

    *list = list_begin(act->space);
    while ((subject = destroy_next_subject(act->state, number, subject)) != 0) {
        struct destroy_subject shown = {.subject = subject};

        list_add(list, act->space, &schema_destroy_subject, &shown);
    }
}

static void show_keys(struct act *act, struct list *list, uint32_t number)
{
    struct row_erased row = {.act = number};
    struct state_scan scan;

    *list = list_begin(act->space);
    state_scan_open(act->state, &scan, INDEX_ERASED_BY_ACT, &row,
                    (struct state_range){.equal = 1});
    while (list->count < LIST_COUNT_MAX && state_scan_next(&scan, &row)) {
        struct erased_key shown = {
            .key = row.number, .subject = row.subject, .class = row.class};

        list_add(list, act->space, &schema_erased_key, &shown);
    }
    state_scan_close(&scan);
}

static void show_holders(struct act *act, struct list *list, uint32_t number)
{
    struct row_holder row = {.act = number};
    struct state_scan scan;

    *list = list_begin(act->space);
    state_scan_key(act->state, &scan, TABLE_HOLDER, &row,
                   (struct state_range){.equal = 1});
    while (list->count < PAGE_ROWS_MAX && state_scan_next(&scan, &row)) {
        struct destroy_holder shown = {.node = row.node,
                                       .index = row.index,
                                       .when = row.when,
                                       .keys = row.keys,
                                       .snapshot = row.snapshot};

        list_add(list, act->space, &schema_destroy_holder, &shown);
    }
    state_scan_close(&scan);
}

enum status destroy_show(struct act *act, const struct op_destroy_show *in,
                         struct result_destroy_show *out)
{
    struct row_destruction row = {.number = in->act};

    if (!state_get(act->state, TABLE_DESTRUCTION, &row))
        return ST_NO_SUCH;
    *out = (struct result_destroy_show){.act = row.number,
                                        .state = row.state,
                                        .ground = row.ground,
                                        .keys = row.keys,
                                        .basis = row.basis,
                                        .proposed_by = row.proposed_by,
                                        .proposed = row.proposed,
                                        .decided_by = row.decided_by,
                                        .decided = row.decided,
                                        .ordered_by = row.ordered_by,
                                        .ordered = row.ordered,
                                        .due = row.due,
                                        .erased_at = row.erased,
                                        .erased = row.erased_time,
                                        .keys_count = row.keys_count,
                                        .holders = row.holders,
                                        .confirmed = row.confirmed};
    show_subjects(act, &out->subjects, row.number);
    show_keys(act, &out->erased_keys, row.number);
    show_holders(act, &out->nodes, row.number);
    return ST_OK;
}
