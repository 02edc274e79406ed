#include "server/registry/notice.h"

#include "protocol/contract.h"
#include "server/registry/continuity.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

/* ---- Giving ------------------------------------------------------------- */

static void notice_give(struct act *act, const struct row_notice *notice,
                        uint32_t organisation, uint16_t realms)
{
    struct row_notice row = *notice;

    row.number = state_next(act->state, SEQUENCE_NOTICE);
    row.organisation = organisation;
    row.realms = realms;
    row.created = act->log_time;
    row.read_at = 0;
    row.read_by = 0;
    state_insert(act->state, TABLE_NOTICE, &row);
}

/* The realms of the notice for whose sake a coordinating body gets it. */
static uint16_t coordinator_realms(struct act *act, uint32_t organisation,
                                   uint16_t realms)
{
    uint16_t due = 0;

    for (unsigned realm = 1; realm <= CONTINUITY_REGISTRY; realm++) {
        uint32_t named =
            continuity_coordinator(act->state, (enum continuity_realm)realm);

        if ((realms & CONTINUITY_BIT(realm)) != 0 &&
            (named == 0 || named == organisation))
            due |= CONTINUITY_BIT(realm);
    }
    return due;
}

static uint16_t due_realms(struct act *act,
                           const struct row_organisation *organisation,
                           bool coordinators, uint16_t realms)
{
    if (organisation->state != ORGANISATION_ACTIVE)
        return 0;
    if (!coordinators)
        return rows_is_participant(organisation->kind) ? realms : 0;
    return organisation->kind == ORGANISATION_COORDINATOR
               ? coordinator_realms(act, organisation->number, realms)
               : 0;
}

static uint32_t notice_walk(struct act *act, const struct row_notice *notice,
                            bool coordinators)
{
    struct row_organisation row = {.number = 0};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_key(act->state, &scan, TABLE_ORGANISATION, &row,
                   (struct state_range){.from = true});
    while (state_scan_next(&scan, &row)) {
        uint16_t realms = due_realms(act, &row, coordinators, notice->realms);

        if (realms != 0) {
            notice_give(act, notice, row.number, realms);
            count++;
        }
    }
    state_scan_close(&scan);
    return count;
}

uint32_t notice_participants(struct act *act, const struct row_notice *notice)
{
    return notice_walk(act, notice, false);
}

uint32_t notice_coordinators(struct act *act, const struct row_notice *notice)
{
    return notice_walk(act, notice, true);
}

uint32_t notice_owner(struct act *act, const struct row_notice *notice)
{
    enum { OWNER = 1 }; /* The genesis numbers it. */

    notice_give(act, notice, OWNER, notice->realms);
    return 1;
}

/* ---- Reading ------------------------------------------------------------ */

static void notice_show(struct act *act, struct list *list,
                        const struct row_notice *row)
{
    struct row_incident incident = {.number = row->incident};
    struct notice_row shown = {.notice = row->number,
                               .kind = row->kind,
                               .realms = row->realms,
                               .incident = row->incident,
                               .failover = row->failover,
                               .created = row->created,
                               .read_at = row->read_at,
                               .key_id = row->key_id,
                               .count = row->count};

    if (row->incident != 0 &&
        state_get(act->state, TABLE_INCIDENT, &incident)) {
        shown.incident_kind = incident.kind;
        shown.incident_place = incident.place;
        shown.detected = incident.detected;
    }
    list_add(list, act->space, &schema_notice_row, &shown);
}

enum status notice_list(struct act *act, const struct op_notice_list *in,
                        struct result_notice_list *out)
{
    struct row_notice row = {.organisation = act->organisation,
                             .number = in->after + 1};
    struct state_scan scan;

    out->notices = list_begin(act->space);
    if (in->after >= INT64_MAX)
        return ST_OK;
    state_scan_open(act->state, &scan, INDEX_NOTICE_BY_ORGANISATION, &row,
                    (struct state_range){.equal = 1, .from = true});
    while (out->notices.count < in->limit && state_scan_next(&scan, &row)) {
        if (!in->unread || row.read_at == 0)
            notice_show(act, &out->notices, &row);
    }
    state_scan_close(&scan);
    return ST_OK;
}

enum status notice_ack(struct act *act, const struct op_notice_ack *in,
                       struct result_notice_ack *out)
{
    struct row_notice row = {.number = in->notice};

    (void)out;
    /* Another's notice is as if it were not there. */
    if (!state_get(act->state, TABLE_NOTICE, &row) ||
        row.organisation != act->organisation)
        return ST_NO_SUCH;
    if (row.read_at != 0)
        return ST_WRONG_STATE;
    row.read_at = act->log_time;
    row.read_by = act->signer.person;
    state_update(act->state, TABLE_NOTICE, &row);
    return ST_OK;
}
