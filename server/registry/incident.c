#include "server/registry/incident.h"

#include "protocol/contract.h"
#include "server/registry/continuity.h"
#include "server/registry/dispatch.h"
#include "server/registry/epoch.h"
#include "server/registry/notice.h"

static uint32_t incident_tell(struct act *act, const struct row_incident *row,
                              enum notice_kind kind)
{
    struct row_notice notice = {
        .kind = (uint8_t)kind, .realms = row->realms, .incident = row->number};

    return notice_participants(act, &notice) +
           notice_coordinators(act, &notice);
}

static bool incident_is_live(const struct row_incident *row)
{
    return row->state == INCIDENT_OPEN || row->state == INCIDENT_HANDLING ||
           row->state == INCIDENT_REOPENED;
}

static void incident_restore(struct act *act, struct row_incident *row)
{
    row->state = INCIDENT_RESTORED;
    row->restored = act->log_time;
    row->notices += incident_tell(act, row, NOTICE_INCIDENT_RESTORED);
}

void incident_handled(struct act *act, uint32_t incident, uint32_t failover,
                      bool restored)
{
    struct row_incident row = {.number = incident};
    bool found = state_get(act->state, TABLE_INCIDENT, &row);

    INVARIANT(found);
    row.failover = failover;
    if (restored && incident_is_live(&row))
        incident_restore(act, &row);
    state_update(act->state, TABLE_INCIDENT, &row);
}

/* ---- Opening ------------------------------------------------------------ */

/* The node opens for an epoch what that epoch owes, once. */
static enum status open_check(struct act *act, struct row_epoch *epoch_out,
                              const struct op_incident_open *in)
{
    if ((in->realms & ~continuity_realms(act->state)) != 0 ||
        in->detected > act->log_time)
        return ST_BAD_FIELD;
    if (in->epoch == 0)
        return ST_OK;
    if (act->duty != DUTY_SYS)
        return ST_NO_DUTY;
    if (in->realms != continuity_realms(act->state)) /* Nobody is left out. */
        return ST_BAD_FIELD;
    epoch_out->number = in->epoch;
    if (!state_get(act->state, TABLE_EPOCH, epoch_out))
        return ST_NO_SUCH;
    if (epoch_out->incident != 0)
        return ST_EXISTS;
    return epoch_out->owed == 1 ? ST_OK : ST_WRONG_STATE;
}

static void open_for_epoch(struct act *act, struct row_incident *row,
                           struct row_epoch *epoch)
{
    epoch->incident = row->number;
    epoch->owed = 0;
    state_update(act->state, TABLE_EPOCH, epoch);
    continuity_explained(act, epoch->number, row->number);
    if (epoch->change == EPOCH_STOPPAGE) { /* It is over already. */
        row->state = INCIDENT_RESTORED;
        row->restored = epoch->began;
    }
}

enum status incident_open(struct act *act, const struct op_incident_open *in,
                          struct result_incident_open *out)
{
    struct row_incident row = {.kind = in->kind,
                               .place = in->place,
                               .state = INCIDENT_OPEN,
                               .realms = in->realms,
                               .detected = in->detected,
                               .opened = act->log_time,
                               .epoch = in->epoch,
                               .opened_by = act->signer.person};
    struct row_epoch epoch = {0};
    enum status status = open_check(act, &epoch, in);

    if (status != ST_OK)
        return status;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_INCIDENT);
    row.record = act_keep(act);
    if (in->epoch != 0)
        open_for_epoch(act, &row, &epoch);
    row.notices = incident_tell(act, &row, NOTICE_INCIDENT_OPENED);
    state_insert(act->state, TABLE_INCIDENT, &row);
    out->incident = row.number;
    out->notices = row.notices;
    return ST_OK;
}

/* ---- Steps -------------------------------------------------------------- */

static void incident_step(struct act *act, struct row_incident *row)
{
    if (row->steps < UINT16_MAX)
        row->steps++;
    row->last_record = act_keep(act);
    state_update(act->state, TABLE_INCIDENT, row);
}

enum status incident_update(struct act *act,
                            const struct op_incident_update *in,
                            struct result_incident_update *out)
{
    enum { UPDATE_HANDLING = 1, UPDATE_RESTORED, UPDATE_REOPENED };
    struct row_incident row = {.number = in->incident};

    (void)out;
    if (!state_get(act->state, TABLE_INCIDENT, &row))
        return ST_NO_SUCH;
    if (in->state == UPDATE_REOPENED ? row.state != INCIDENT_CLOSED
                                     : !incident_is_live(&row))
        return ST_WRONG_STATE;
    /* Service is not back while a realm waits for its activation. */
    if (in->state == UPDATE_RESTORED &&
        continuity_waits_for(act->state, row.number))
        return ST_WRONG_STATE;
    if (in->state == UPDATE_HANDLING) {
        row.state = INCIDENT_HANDLING;
    } else if (in->state == UPDATE_RESTORED) {
        incident_restore(act, &row);
    } else {
        row.state = INCIDENT_REOPENED;
        row.restored = 0;
        row.closed = 0;
    }
    incident_step(act, &row);
    return ST_OK;
}

enum status incident_close(struct act *act, const struct op_incident_close *in,
                           struct result_incident_close *out)
{
    struct row_incident row = {.number = in->incident};

    (void)out;
    if (!state_get(act->state, TABLE_INCIDENT, &row))
        return ST_NO_SUCH;
    if (row.state != INCIDENT_RESTORED)
        return ST_WRONG_STATE;
    row.state = INCIDENT_CLOSED;
    row.closed = act->log_time;
    incident_step(act, &row);
    return ST_OK;
}
