/*
 * password.h: accounts for password login (P-3.6).
 *
 * An account is one row, found by the tag of its name; what its holder needs to
 * log in stands in a sealed item.  A name is never given to another
 * person.
 */
#ifndef DEFTER_SERVER_REGISTRY_PASSWORD_H
#define DEFTER_SERVER_REGISTRY_PASSWORD_H

#include "server/registry/act.h"
#include "server/registry/rows.h"

/* The key ended: its account opens nothing any more. */
void password_drop(struct act *act, const struct bytes16 *key_id);

/*
 * password_set_state(act, key_id, from, to):
 * Returns: ST_OK; ST_NO_SUCH if the key has no account; ST_WRONG_STATE if it is
 *          not ${from}.
 */
NODISCARD enum status password_set_state(struct act *act,
                                         const struct bytes16 *key_id,
                                         enum credential_state from,
                                         enum credential_state to);

#endif
