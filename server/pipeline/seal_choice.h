/*
 * seal_choice.h: under which key an item is sealed (LOG-FORMAT, section 3).
 *
 * A subject's keys are made by subject.open, or by its first record fed through
 * EHIS.  An item about a subject that has no keys is sealed under its signer's
 * key instead, at the same cost, so that no answer tells who is registered.
 */
#ifndef DEFTER_SERVER_PIPELINE_SEAL_CHOICE_H
#define DEFTER_SERVER_PIPELINE_SEAL_CHOICE_H

#include "protocol/entry.h"
#include "server/pipeline/work.h"
#include "server/store/keyring.h"

struct seal_choice {
    struct keyring *keyring;
    uint64_t next; /* Number of the next key: epoch << 32 | counter. */
    uint8_t keys[ITEMS_MAX][KEY_SIZE];
};

void seal_choice_init(struct seal_choice *choice, struct keyring *keyring,
                      uint32_t epoch);

/*
 * seal_choice_has_room(choice, work):
 * Whether the signer may have the keys of credentials that the command would
 * make: a refused one keeps its key until an act about him, so that whoever is
 * refused again and again must not have ever more of them.
 *
 * Requires: the work passed the pure decode.
 */
bool seal_choice_has_room(const struct seal_choice *choice,
                          const struct work *work);

/*
 * seal_choice_make(choice, seals_out, work, index):
 * Choose for every item, making new keys first used by entry ${index}.
 *
 * Requires: the work passed the pure decode.
 * Owns:     keys in ${seals_out} are lent until seal_choice_forget().
 */
void seal_choice_make(struct seal_choice *choice,
                      struct entry_seal seals_out[ITEMS_MAX],
                      const struct work *work, uint64_t index);

/* Wipe the keys of ${count} items. */
void seal_choice_forget(struct seal_choice *choice, size_t count);

#endif
