/*
 * system.h: what the node needs of the system's own entries at its start.
 */
#ifndef DEFTER_SERVER_REGISTRY_SYSTEM_H
#define DEFTER_SERVER_REGISTRY_SYSTEM_H

#include "server/registry/act.h"

/*
 * system_load_secret(services, state):
 * Set services->secret from the applied system.secret; zeros where none is
 * applied yet.
 *
 * Requires: services->open_item is set.
 * Returns:  ST_OK; what open_item returned.
 */
NODISCARD enum status system_load_secret(struct act_services *services,
                                         struct state *state);

#endif
