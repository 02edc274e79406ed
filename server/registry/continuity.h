/*
 * continuity.h: realms that wait after a change of primary, the register of
 * stoppages, and what the new primary owes the log (P-6.1.4, R-8.2.5).
 *
 *   EPOCH, another primary      the stoppage of each realm opens; each realm
 *                               waits for its activation
 *   incident.open   by the node, unplanned only; notices in the same entry
 *   failover.activate  by the node, a realm each; its stoppage closes, and the
 *                               incident is restored when none waits any more
 *
 * While realm R waits, items of realm R are decided ST_WRONG_STATE, but for
 * those that open and close sessions.  Realm P is served all along: there the
 * operator himself ensures that the backup centre starts.
 */
#ifndef DEFTER_SERVER_REGISTRY_CONTINUITY_H
#define DEFTER_SERVER_REGISTRY_CONTINUITY_H

#include "server/registry/act.h"

/* As REALM_NAMES numbers them. */
enum continuity_realm {
    CONTINUITY_PORTAL = 1,
    CONTINUITY_REGISTRY,
    CONTINUITY_REALMS_ALL = 3 /* Both bits of a mask. */
};
#define CONTINUITY_BIT(realm) ((uint16_t)(1u << ((realm)-1)))

enum downtime_kind { DOWNTIME_UNPLANNED = 1, DOWNTIME_PLANNED, DOWNTIME_DRILL };

/*
 * continuity_realm_open(state, realm):
 * Whether commands of ${realm} ('P', 'R', 0) are to be sequenced.  Where not,
 * the I/O side answers ST_READ_ONLY and makes no entry.
 */
bool continuity_realm_open(struct state *state, uint8_t realm);

/* Whether the item may be decided: its realm is open, or it needs none. */
bool continuity_admits(struct act *act);

/* A command that the primary has to enter, and its fields. */
struct continuity_owed {
    uint16_t opcode; /* OPCODE_INCIDENT_OPEN or OPCODE_FAILOVER_ACTIVATE. */
    union {
        struct op_incident_open incident_open;
        struct op_failover_activate failover_activate;
    } fields;
};

enum { CONTINUITY_OWED_MAX = 8 };

/*
 * continuity_owed(state, owed_out, owed_max, now):
 * What the primary owes the log at ${now}, in the order in which it must be
 * entered: one entry each.  An activation of realm R is owed once an approval
 * or a standing order covers it.
 *
 * Order:   by the primary, after its EPOCH is applied and then from time to
 *          time; not again before what it gave was applied or refused.
 * Returns: how many there are in ${owed_out}.
 */
uint32_t continuity_owed(struct state *state, struct continuity_owed *owed_out,
                         uint32_t owed_max, int64_t now);

/* ---- For the handlers of this area -------------------------------------- */

/* Bits of the realms that the cluster serves. */
uint16_t continuity_realms(struct state *state);

/* The organisation that is the realm's coordinating body; 0 if none is named.
 */
uint32_t continuity_coordinator(struct state *state,
                                enum continuity_realm realm);
/* Bits of the realms whose coordinating body the signer stands for. */
uint16_t continuity_realms_of(struct act *act);

/* ${epoch} began after a stop or with another primary: rows of the realms and
 * stoppages. */
void continuity_interrupted(struct act *act, const struct row_epoch *epoch);

/* The incident of ${epoch} was opened: its stoppages name it. */
void continuity_explained(struct act *act, uint32_t epoch, uint32_t incident);

/* Whether some realm waits because of ${incident}. */
bool continuity_waits_for(struct state *state, uint32_t incident);

/*
 * continuity_resumed(act, realm, failover):
 * The realm waits no more: its stoppage closes and its incidents are restored
 * as far as no other realm waits for them.
 *
 * Requires: ${realm} is the row as it stands, and waits.
 * Returns:  the incident that the change of primary had; 0 if it was planned.
 */
uint32_t continuity_resumed(struct act *act, struct row_realm *realm,
                            uint32_t failover);

#endif
