#include "server/registry/continuity.h"

#include "protocol/contract.h"
#include "server/registry/dispatch.h"
#include "server/registry/epoch.h"
#include "server/registry/failover.h"
#include "server/registry/incident.h"
#include "server/registry/rows.h"

static bool realm_find(struct state *state, struct row_realm *row,
                       enum continuity_realm realm)
{
    *row = (struct row_realm){.realm = (uint8_t)realm};
    return state_get(state, TABLE_REALM, row);
}

uint16_t continuity_realms(struct state *state)
{
    struct row_realm row;
    uint16_t realms = 0;

    for (unsigned realm = 1; realm <= CONTINUITY_REGISTRY; realm++) {
        if (realm_find(state, &row, (enum continuity_realm)realm))
            realms |= CONTINUITY_BIT(realm);
    }
    return realms;
}

/* ---- The gate ----------------------------------------------------------- */

bool continuity_realm_open(struct state *state, uint8_t realm)
{
    struct row_realm row;

    return realm != 'R' || !realm_find(state, &row, CONTINUITY_REGISTRY) ||
           row.since == 0;
}

bool continuity_admits(struct act *act)
{
    uint16_t opcode = act->operation->opcode;

    /* Sessions are of both realms: who has to approve may need one. */
    return act->capacity.realm_open || opcode == OPCODE_AUTH_OPEN ||
           opcode == OPCODE_AUTH_CLOSE || opcode == OPCODE_AUTH_RESUME;
}

/* ---- Coordinating bodies ------------------------------------------------ */

uint32_t continuity_coordinator(struct state *state,
                                enum continuity_realm realm)
{
    return (uint32_t)state_setting(state, realm == CONTINUITY_PORTAL
                                              ? SETTING_coordinator_portal
                                              : SETTING_coordinator_registry);
}

uint16_t continuity_realms_of(struct act *act)
{
    uint16_t realms = 0;

    for (unsigned realm = 1; realm <= CONTINUITY_REGISTRY; realm++) {
        if (act->duty == DUTY_COR && act->organisation != 0 &&
            continuity_coordinator(act->state, (enum continuity_realm)realm) ==
                act->organisation)
            realms |= CONTINUITY_BIT(realm);
    }
    return realms;
}

/* ---- Stoppages ---------------------------------------------------------- */

static uint8_t downtime_kind_of(const struct row_epoch *epoch)
{
    if (epoch->change == EPOCH_PLANNED)
        return DOWNTIME_PLANNED;
    return epoch->change == EPOCH_DRILL ? DOWNTIME_DRILL : DOWNTIME_UNPLANNED;
}

/* A restart of the same primary is over when it is entered; a change of
 * primary, when the realm is activated.  A realm that waits already waits on,
 * from where it began. */
static void realm_interrupted(struct act *act, struct row_realm *realm,
                              const struct row_epoch *epoch)
{
    bool waits = epoch->change != EPOCH_STOPPAGE;
    struct row_downtime row = {.realm = realm->realm,
                               .from = epoch->before,
                               .to = waits ? 0 : epoch->began,
                               .kind = downtime_kind_of(epoch),
                               .epoch = epoch->number};

    if (realm->downtime == 0) {
        row.number = (uint32_t)state_next(act->state, SEQUENCE_DOWNTIME);
        state_insert(act->state, TABLE_DOWNTIME, &row);
        if (waits)
            realm->downtime = row.number;
    }
    if (waits) {
        realm->since = epoch->number;
        state_update(act->state, TABLE_REALM, realm);
    }
}

void continuity_interrupted(struct act *act, const struct row_epoch *epoch)
{
    struct row_realm row;

    for (unsigned realm = 1; realm <= CONTINUITY_REGISTRY; realm++) {
        if (realm_find(act->state, &row, (enum continuity_realm)realm))
            realm_interrupted(act, &row, epoch);
    }
}

static void downtime_explain(struct act *act, uint32_t number,
                             uint32_t incident)
{
    struct row_downtime row = {.number = number};

    if (state_get(act->state, TABLE_DOWNTIME, &row) && row.incident == 0) {
        row.incident = incident;
        state_update(act->state, TABLE_DOWNTIME, &row);
    }
}

void continuity_explained(struct act *act, uint32_t epoch, uint32_t incident)
{
    struct row_downtime row = {.epoch = epoch};
    uint32_t numbers[CONTINUITY_REGISTRY];
    struct state_scan scan;
    uint32_t count = 0;

    /* A realm each, at most; rows must not change in the walk. */
    state_scan_open(act->state, &scan, INDEX_DOWNTIME_BY_EPOCH, &row,
                    (struct state_range){.equal = 1});
    while (count < CONTINUITY_REGISTRY && state_scan_next(&scan, &row))
        numbers[count++] = row.number;
    state_scan_close(&scan);
    for (uint32_t i = 0; i < count; i++)
        downtime_explain(act, numbers[i], incident);
}

static uint32_t epoch_incident(struct state *state, uint32_t number)
{
    struct row_epoch row = {.number = number};

    return number != 0 && state_get(state, TABLE_EPOCH, &row) ? row.incident
                                                              : 0;
}

static uint32_t downtime_incident(struct state *state, uint32_t number)
{
    struct row_downtime row = {.number = number};

    return number != 0 && state_get(state, TABLE_DOWNTIME, &row) ? row.incident
                                                                 : 0;
}

bool continuity_waits_for(struct state *state, uint32_t incident)
{
    struct row_realm row;
    bool waits = false;

    for (unsigned realm = 1; !waits && realm <= CONTINUITY_REGISTRY; realm++)
        waits = realm_find(state, &row, (enum continuity_realm)realm) &&
                (epoch_incident(state, row.since) == incident ||
                 downtime_incident(state, row.downtime) == incident);
    return waits;
}

/* Restored, unless another realm still waits for it. */
static void incident_resume(struct act *act, uint32_t incident,
                            uint32_t failover)
{
    if (incident != 0)
        incident_handled(act, incident, failover,
                         !continuity_waits_for(act->state, incident));
}

uint32_t continuity_resumed(struct act *act, struct row_realm *realm,
                            uint32_t failover)
{
    struct row_epoch epoch = {.number = realm->since};
    struct row_downtime downtime = {.number = realm->downtime};
    bool found;

    REQUIRE(realm->since != 0);
    found = state_get(act->state, TABLE_EPOCH, &epoch) &&
            state_get(act->state, TABLE_DOWNTIME, &downtime);
    INVARIANT(found);
    /* P was served from the EPOCH on; R is from here. */
    downtime.to =
        realm->realm == CONTINUITY_PORTAL ? epoch.began : act->log_time;
    state_update(act->state, TABLE_DOWNTIME, &downtime);
    realm->since = 0;
    realm->downtime = 0;
    realm->failover = failover;
    state_update(act->state, TABLE_REALM, realm);
    incident_resume(act, epoch.incident, failover);
    if (downtime.incident != epoch.incident)
        incident_resume(act, downtime.incident, failover);
    return epoch.incident;
}

/* ---- What the primary owes ---------------------------------------------- */

static uint32_t owed_incidents(struct state *state,
                               struct continuity_owed *owed_out,
                               uint32_t owed_max)
{
    struct row_epoch row = {.owed = 1};
    uint16_t realms = continuity_realms(state);
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(state, &scan, INDEX_EPOCH_BY_OWED, &row,
                    (struct state_range){.equal = 1});
    while (count < owed_max && state_scan_next(&scan, &row)) {
        owed_out[count++] = (struct continuity_owed){
            .opcode = OPCODE_INCIDENT_OPEN,
            .fields.incident_open = {.kind = INCIDENT_INTERRUPTION,
                                     .place = INCIDENT_MAIN,
                                     .realms = realms,
                                     .detected = row.began,
                                     .epoch = row.number}};
    }
    state_scan_close(&scan);
    return count;
}

static bool owed_activation(struct state *state,
                            struct continuity_owed *owed_out,
                            enum continuity_realm realm, int64_t now)
{
    struct op_failover_activate *fields = &owed_out->fields.failover_activate;
    struct failover_cover cover;
    struct row_realm row;

    if (!realm_find(state, &row, realm) || row.since == 0 ||
        !failover_find_cover(state, &cover, &row, now))
        return false;
    *owed_out = (struct continuity_owed){.opcode = OPCODE_FAILOVER_ACTIVATE};
    fields->for_realm = (uint8_t)realm;
    fields->epoch = row.since;
    fields->failover = cover.failover;
    fields->standing = cover.standing;
    return true;
}

uint32_t continuity_owed(struct state *state, struct continuity_owed *owed_out,
                         uint32_t owed_max, int64_t now)
{
    uint32_t count = owed_incidents(state, owed_out, owed_max);

    for (unsigned realm = 1; realm <= CONTINUITY_REGISTRY && count < owed_max;
         realm++) {
        if (owed_activation(state, &owed_out[count],
                            (enum continuity_realm)realm, now))
            count++;
    }
    return count;
}
