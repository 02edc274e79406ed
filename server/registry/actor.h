/*
 * actor.h: how a new key proves itself (R-8.2.3, P-4.1.1).
 */
#ifndef DEFTER_SERVER_REGISTRY_ACTOR_H
#define DEFTER_SERVER_REGISTRY_ACTOR_H

#include "server/registry/act.h"

/*
 * actor_check_key(act, key, proof):
 * Whether a key may be enrolled: a point of the main subgroup, whose holder
 * signed T("DFT1/enrol") || cluster_id || public_key[32] || u16 role ||
 * u8 level || u8 0 || u32 organisation || u64 person, and no key here yet.
 * ${person} is what stood in the request, 0 for a new person.
 *
 * Requires: public_key, role, level and organisation of ${key} are set.
 * Returns:  ST_OK, and key->key_id is set; ST_BAD_FIELD; ST_BAD_SIG;
 *           ST_EXISTS.
 */
NODISCARD enum status actor_check_key(struct act *act, struct row_key *key,
                                      const struct bytes64 *proof,
                                      uint64_t person);

#endif
