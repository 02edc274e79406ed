/*
 * incident.h: accidents, errors and interruptions, from the opening to the
 * report (P-6.1.4, R-8.2.5).  No row is ever deleted.
 *
 *   OPEN --> HANDLING --> RESTORED --close--> CLOSED
 *     `----------------------^                  |
 *              REOPENED <-----------------------'
 *
 * Opening and restoring give notice, in the same entry, to the participants of
 * the realms and to their coordinating bodies.
 */
#ifndef DEFTER_SERVER_REGISTRY_INCIDENT_H
#define DEFTER_SERVER_REGISTRY_INCIDENT_H

#include "server/registry/act.h"

enum incident_kind {
    INCIDENT_ACCIDENT = 1,
    INCIDENT_ERROR,
    INCIDENT_INTERRUPTION,
    INCIDENT_INTRUSION,
    INCIDENT_EXCHANGE
};
enum incident_place {
    INCIDENT_MAIN = 1,
    INCIDENT_BACKUP,
    INCIDENT_CHANNEL,
    INCIDENT_EHIS
};
enum incident_state {
    INCIDENT_OPEN = 1,
    INCIDENT_HANDLING,
    INCIDENT_RESTORED,
    INCIDENT_CLOSED,
    INCIDENT_REOPENED
};

/* ${failover} was activated for the incident; if ${restored}, service is back
 * in every realm.  A closed incident stays closed. */
void incident_handled(struct act *act, uint32_t incident, uint32_t failover,
                      bool restored);

#endif
