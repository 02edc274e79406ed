/*
 * rows.h: names of the numbers that stand in rows of tables.def.
 */
#ifndef DEFTER_SERVER_REGISTRY_ROWS_H
#define DEFTER_SERVER_REGISTRY_ROWS_H

#include <stdbool.h>

#include "protocol/catalogue.h"
#include "protocol/limits.h"

/*   ACTIVE --rotate--> ROTATED --revoke--> REVOKED
 *      `---------------revoke---------------^        */
enum key_state { KEY_ACTIVE = 1, KEY_ROTATED, KEY_REVOKED };

/*   ASSIGNED --ack--> ACTIVE --revoke--> REVOKED
 *      `---------------revoke--------------^         */
enum duty_state {
    DUTY_ASSIGNED = 1,
    DUTY_ACTIVE,
    DUTY_REVOKED,
    DUTY_EXPIRED /* Shown only: the term is over. */
};

enum credential_state {
    CREDENTIAL_USABLE = 1,
    CREDENTIAL_LOCKED,
    CREDENTIAL_REPLACED
};

/* Roles as in a node's certificate; a backup is a server that is not primary.
 */
enum node_role { NODE_SERVER = 1, NODE_ARCHIVE = 3 };
enum node_state { NODE_ACTIVE = 1, NODE_RETIRED };

enum mandate_state { MANDATE_LIVE = 1, MANDATE_REVOKED };

enum organisation_state { ORGANISATION_ACTIVE = 1, ORGANISATION_CLOSED };

/* As ORGANISATION_KINDS names them. */
enum organisation_kind {
    ORGANISATION_OWNER = 1,
    ORGANISATION_BODY_WITH_SYSTEM,
    ORGANISATION_BODY_WITHOUT_SYSTEM,
    ORGANISATION_INSTITUTION,
    ORGANISATION_COORDINATOR,
    ORGANISATION_CLOUD,
    ORGANISATION_PAYMENT,
    ORGANISATION_PROVIDER,
    ORGANISATION_AUDITOR
};

enum carrier_kind { CARRIER_KIND_EHIS = 1, CARRIER_KIND_WEB };

/* who takes part in the registry's information processes. */
static inline bool rows_is_participant(uint8_t organisation_kind)
{
    return organisation_kind == ORGANISATION_BODY_WITH_SYSTEM ||
           organisation_kind == ORGANISATION_BODY_WITHOUT_SYSTEM ||
           organisation_kind == ORGANISATION_INSTITUTION;
}

/* Roles whose keys programs use (PROTOCOL, section 5.4). */
static inline bool rows_is_machine(uint8_t role)
{
    return role == ROLE_PARTICIPANT || role == ROLE_PAYMENT ||
           role == ROLE_CLOUD || role == ROLE_PROVIDER || role == ROLE_PORTAL ||
           role == ROLE_EHIS;
}

/* "Zeros: none" of basis documents and other digests. */
static inline bool rows_is_given(const struct bytes32 *digest)
{
    uint8_t all = 0;

    for (int i = 0; i < HASH_SIZE; i++)
        all |= digest->b[i];
    return all != 0;
}

#endif
