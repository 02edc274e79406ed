/*
 * erasure.h: what a node does for an act that destroyed keys (docs/ERASURE.md).
 *
 *   destroy.erase is applied ──> its transaction is committed
 *     ──> the state is kept as a snapshot, before anything else is applied
 *     ──> state.db is synced ──> the keys are buried ──> destroy.confirm
 *
 * Before each step the node may die: the state names the keys (TABLE_ERASED),
 * the keyring tells which of them are still there, and the next start goes on.
 * What is ERASED follows from the state alone, so that it does not matter when
 * a node loses the bytes.
 */
#ifndef DEFTER_SERVER_PIPELINE_ERASURE_H
#define DEFTER_SERVER_PIPELINE_ERASURE_H

#include "server/pipeline/apply.h"

/* ---- The thread that applies --------------------------------------------- */

/* Whether the last entry destroyed keys: nothing more may be applied before
 * apply_commit() and erasure_keep(). */
bool erasure_waits(const struct apply *apply);

/*
 * erasure_keep(apply):
 * Keep the state as it is now; what was kept before goes if the entry destroyed
 * evidence, or who a person is.
 *
 * Order:   after apply_commit() of the entry that destroyed.
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status erasure_keep(struct apply *apply);

/*
 * erasure_resume(apply):
 * At start: keep the state if the last process died between committing it and
 * keeping it.  Returns as erasure_keep().
 */
NODISCARD enum status erasure_resume(struct apply *apply);

/* The state was built from the snapshot of ${size} entries. */
void erasure_loaded(struct apply *apply, uint64_t size,
                    const uint8_t digest[HASH_SIZE]);

/* Keys that acts destroyed and this node still has; the acts' entries rise. */
struct erasure_list {
    uint64_t *numbers;
    uint64_t *acts; /* Index of the entry that destroyed numbers[i]. */
    size_t count;
    size_t room;
};

/*
 * erasure_find(list_out, apply):
 * Returns: ST_OK; ST_DIVERGED if an act names a key that is somebody else's
 *          here, or if a tombstone that another node sent names no act of
 *          those applied: nothing may be destroyed.
 * Owns:    erasure_wipe() ends ${list_out}.
 */
NODISCARD enum status erasure_find(struct erasure_list *list_out,
                                   struct apply *apply);
void erasure_wipe(struct erasure_list *list);

/*
 * erasure_sync(apply):
 * Returns: whether the state is durable; false: try again.
 */
bool erasure_sync(struct apply *apply);

/*
 * erasure_confirmation(out, apply, node_key):
 * What the node with that receipt key has to confirm next: the first act of
 * whose keys none is left here, nor another one of its subjects that the act
 * should have named.
 * Returns: false if there is nothing.
 */
bool erasure_confirmation(struct op_destroy_confirm *out, struct apply *apply,
                          const uint8_t node_key[KEY_ID_SIZE]);

/*
 * erasure_keys(keys_out, apply, act):
 * What the keyring has for the subjects or persons of ${act}, by number, at
 * most DESTROY_KEYS_MAX: an act of which more is left is not confirmed before
 * another one took the rest.
 * Returns: how many there are in ${keys_out}.
 */
size_t erasure_keys(struct erased_key *keys_out, struct apply *apply,
                    uint32_t act);

/* The same for credentials that were replaced and whose hour has come at
 * ${now}; at most ${max}, which is no more than DESTROY_KEYS_MAX. */
size_t erasure_replaced(struct erased_key *keys_out, struct apply *apply,
                        size_t max, int64_t now);

/*
 * erasure_make(out, space, act, keys, count):
 * The fields of one item that destroys these keys by ${act}; 0 for what was
 * replaced.
 * Requires: count <= LIST_COUNT_MAX.
 */
void erasure_make(struct op_destroy_erase *out, struct writer *space,
                  uint32_t act, const struct erased_key *keys, size_t count);

/* ---- The owner of the keyring -------------------------------------------- */

/* Destroy what is in the list.  Order: the state is synced. */
void erasure_bury(struct keyring *keyring, const struct erasure_list *list);

#endif
