/*
 * key.h: what ends with a key.
 */
#ifndef DEFTER_SERVER_REGISTRY_KEY_H
#define DEFTER_SERVER_REGISTRY_KEY_H

#include "server/registry/act.h"
#include "server/registry/rows.h"

/*
 * key_end(act, key, state):
 * The key is no longer active: its session is over, and its accounts open
 * nothing any more.
 *
 * Requires: ${key} is the row as it stands, and not revoked.
 */
void key_end(struct act *act, struct row_key *key, enum key_state state);

#endif
