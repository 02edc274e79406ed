/*
 * incident_list.c: the register of errors and the register of stoppages
 * (R-8.2.5, P-7.1.2): everything since the genesis.
 */
#include <string.h>

#include "protocol/contract.h"
#include "server/registry/continuity.h"
#include "server/registry/dispatch.h"

/* A coordinating body sees what concerns its own realm. */
static uint16_t list_realms(struct act *act)
{
    return act->letter == 's' ? continuity_realms_of(act)
                              : (uint16_t)CONTINUITY_REALMS_ALL;
}

/* ---- Incidents ---------------------------------------------------------- */

/* The words of any of the three operations, copied to ${bytes}. */
static struct slice incident_words(struct act *act, uint64_t record_number,
                                   uint16_t opcode, uint8_t bytes[256])
{
    struct row_record record = {.number = record_number};
    struct field_error error;
    struct slice fields, words = slice_of(NULL, 0);
    union dispatch_fields in;
    enum status status;
    bool found;

    if (record_number == 0)
        return words;
    found = state_get(act->state, TABLE_RECORD, &record);
    INVARIANT(found);
    status =
        act->services->open_item(act->services->context, record.item, &fields);
    if (status == ST_ERASED)
        return words;
    INVARIANT(status == ST_OK);
    status = schema_decode(operation_info(opcode)->fields, &in, &error, fields,
                           SCHEMA_REFUSE_UNKNOWN);
    INVARIANT(status == ST_OK);
    if (opcode == OPCODE_INCIDENT_OPEN)
        words = in.incident_open.text;
    else if (opcode == OPCODE_INCIDENT_UPDATE)
        words = in.incident_update.text;
    else
        words = in.incident_close.text;
    if (words.size > 0)
        memcpy(bytes, words.data, words.size);
    return slice_of(bytes, words.size);
}

static void incident_show(struct act *act, struct list *list,
                          const struct row_incident *row)
{
    uint8_t text[256], last[256];
    struct incident_row shown = {.incident = row->number,
                                 .kind = row->kind,
                                 .place = row->place,
                                 .state = row->state,
                                 .realms = row->realms,
                                 .detected = row->detected,
                                 .opened = row->opened,
                                 .restored = row->restored,
                                 .closed = row->closed,
                                 .epoch = row->epoch,
                                 .failover = row->failover,
                                 .notices = row->notices,
                                 .steps = row->steps};

    shown.text = incident_words(act, row->record, OPCODE_INCIDENT_OPEN, text);
    shown.last = incident_words(act, row->last_record,
                                row->closed != 0 ? OPCODE_INCIDENT_CLOSE
                                                 : OPCODE_INCIDENT_UPDATE,
                                last);
    list_add(list, act->space, &schema_incident_row, &shown);
}

enum status incident_list(struct act *act, const struct op_incident_list *in,
                          struct result_incident_list *out)
{
    struct row_incident row = {.number = in->after + 1};
    uint16_t realms = list_realms(act);
    struct state_scan scan;

    out->incidents = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    state_scan_key(act->state, &scan, TABLE_INCIDENT, &row,
                   (struct state_range){.from = true});
    while (out->incidents.count < in->limit && state_scan_next(&scan, &row)) {
        if ((row.realms & realms) != 0)
            incident_show(act, &out->incidents, &row);
    }
    state_scan_close(&scan);
    return ST_OK;
}

/* ---- Stoppages ---------------------------------------------------------- */

enum status downtime_list(struct act *act, const struct op_downtime_list *in,
                          struct result_downtime_list *out)
{
    struct row_downtime row = {.number = in->after + 1};
    uint16_t realms = list_realms(act);
    struct downtime_row shown;
    struct state_scan scan;

    out->stoppages = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    state_scan_key(act->state, &scan, TABLE_DOWNTIME, &row,
                   (struct state_range){.from = true});
    while (out->stoppages.count < in->limit && state_scan_next(&scan, &row)) {
        if ((CONTINUITY_BIT(row.realm) & realms) == 0)
            continue;
        shown = (struct downtime_row){.downtime = row.number,
                                      .realm = row.realm,
                                      .from = row.from,
                                      .to = row.to,
                                      .kind = row.kind,
                                      .epoch = row.epoch,
                                      .incident = row.incident};
        list_add(&out->stoppages, act->space, &schema_downtime_row, &shown);
    }
    state_scan_close(&scan);
    return ST_OK;
}
