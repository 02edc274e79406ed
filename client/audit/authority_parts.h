/*
 * authority_parts.h: what authority.c and authority_change.c share.
 */
#ifndef DEFTER_CLIENT_AUDIT_AUTHORITY_PARTS_H
#define DEFTER_CLIENT_AUDIT_AUTHORITY_PARTS_H

#include "client/audit/authority.h"

/* As ORGANISATION_KINDS, the carriers' kinds and the states of organisations
 * are numbered. */
enum { AUTHORITY_OWNER = 1, AUTHORITY_CARRIER_EHIS = 1, AUTHORITY_CLOSED = 2 };

/* The number of the new object. */
uint32_t authority_add_organisation(struct authority *authority, uint8_t kind);
uint32_t authority_add_duty(struct authority *authority,
                            const struct authority_duty *duty);

bool authority_organisation_active(const struct authority *authority,
                                   uint32_t number);

/* authority_node.c; each returns as authority_done(). */
void authority_add_node(struct authority *authority,
                        const struct bytes16 *node_id, uint32_t key,
                        const struct bytes32 *cosigner_key);
const char *authority_node_enrol(struct authority *authority,
                                 struct result_node_enrol *out,
                                 const struct op_node_enrol *in);
const char *authority_node_retire(struct authority *authority,
                                  const struct op_node_retire *in);
void authority_activate(struct authority *authority,
                        const struct op_failover_activate *in);
/* Whether the act was done in a realm that was not open. */
bool authority_realm_waits(const struct authority *authority,
                           const struct authority_act *act);

/* authority_config.c; each returns as authority_done(). */
const char *authority_epoch(struct authority *authority,
                            const struct op_system_epoch *in,
                            const struct authority_act *act);
const char *authority_config(struct authority *authority,
                             const struct op_system_config *in,
                             const struct authority_act *act);

/* Take over what a permitted act changes.  Returns: see authority_done(). */
const char *authority_change(struct authority *authority,
                             struct authority_result *result_out,
                             const struct authority_act *act);

#endif
