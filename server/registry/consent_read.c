#include "protocol/contract.h"
#include "server/registry/consent.h"
#include "server/registry/dispatch.h"
#include "server/registry/section.h"

enum { CONSENT_SIDE_SUBJECT = 1 };

enum status consent_read(struct act *act, const struct op_consent_read *in,
                         struct result_consent_read *out)
{
    struct row_consent row;
    enum status status =
        consent_check(act, &row, in->consent, in->sections, in->file_number);

    if (status != ST_OK)
        return status;
    status =
        section_collect(act, &out->versions, act->subject, in->sections, 0);
    if (status != ST_OK)
        return status;
    consent_use(act, &row);
    out->uses_left = (uint16_t)(row.uses_max - row.uses);
    return ST_OK;
}

static enum status list_check(struct act *act, const struct op_consent_list *in)
{
    if (in->side == CONSENT_SIDE_SUBJECT)
        return act_is_self(act, act->subject, RIGHT_READ) ||
                       act_is_self(act, act->subject, RIGHT_CONSENT)
                   ? ST_OK
                   : ST_NOT_SELF;
    if (act->duty != DUTY_USR)
        return in->asker_subject == 0 ? ST_OK : ST_BAD_FIELD;
    if (!act_is_self(act, in->asker_subject, RIGHT_READ))
        return ST_NOT_SELF;
    act->by_subject = in->asker_subject;
    return ST_OK;
}

static void list_open(struct act *act, struct state_scan *scan,
                      const struct op_consent_list *in)
{
    struct row_consent row = {.number = in->after + 1};

    if (in->side == CONSENT_SIDE_SUBJECT) {
        row.subject = act->subject;
        state_scan_open(act->state, scan, INDEX_CONSENT_BY_SUBJECT, &row,
                        (struct state_range){.equal = 1, .from = true});
    } else {
        row.asker = act->organisation;
        row.asker_subject = in->asker_subject;
        state_scan_open(act->state, scan, INDEX_CONSENT_BY_ASKER, &row,
                        (struct state_range){.equal = 2, .from = true});
    }
}

/* The asker's own words, unless they were destroyed with the subject's keys. */
static void list_open_texts(struct act *act, struct op_consent_ask *out,
                            uint64_t record_number)
{
    struct row_record record = {.number = record_number};
    struct field_error error;
    struct slice fields;
    enum status status;

    *out = (struct op_consent_ask){0};
    INVARIANT(state_get(act->state, TABLE_RECORD, &record));
    status =
        act->services->open_item(act->services->context, record.item, &fields);
    if (status == ST_ERASED)
        return;
    INVARIANT(status == ST_OK);
    status = schema_decode(&schema_op_consent_ask, out, &error, fields,
                           SCHEMA_REFUSE_UNKNOWN);
    INVARIANT(status == ST_OK);
}

static void list_add_case(struct act *act, struct list *list,
                          const struct row_consent *row)
{
    struct op_consent_ask ask;
    struct consent_row shown = {.consent = row->number,
                                .subject = row->subject,
                                .asker = row->asker,
                                .asker_subject = row->asker_subject,
                                .purpose = row->purpose,
                                .state = row->state,
                                .version = row->version,
                                .asked = row->asked,
                                .granted = row->granted,
                                .uses_max = row->uses_max,
                                .uses = row->uses,
                                .asked_at = row->asked_at,
                                .decided_at = row->decided_at,
                                .until = row->until};

    list_open_texts(act, &ask, row->ask_record);
    shown.file_number = ask.file_number;
    shown.text = ask.text;
    list_add(list, act->space, &schema_consent_row, &shown);
}

enum status consent_list(struct act *act, const struct op_consent_list *in,
                         struct result_consent_list *out)
{
    struct state_scan scan;
    struct row_consent row;
    enum status status = list_check(act, in);

    if (status != ST_OK)
        return status;
    out->consents = list_begin(act->space);
    if (in->after == UINT32_MAX)
        return ST_OK;
    list_open(act, &scan, in);
    while (out->consents.count < in->limit && state_scan_next(&scan, &row)) {
        if ((in->state != 0 && row.state != in->state) ||
            (act->subject != 0 && row.subject != act->subject))
            continue;
        list_add_case(act, &out->consents, &row);
    }
    state_scan_close(&scan);
    return ST_OK;
}
