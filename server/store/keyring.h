/*
 * keyring.h: keyring.db, the seal keys, each wrapped under the node's
 * key-encryption key (LOG-FORMAT, section 3).
 *
 * One thread, the owner, finds, stages and commits; any thread may open a key
 * by its number.  Who owns it is said with keyring_take() and keyring_leave();
 * before the first take, whoever opened it.  A staged key can be used at once
 * and is durable with the commit, which comes before the log's fdatasync.  A
 * failing disk stops the process.
 *
 *   wrapped = nonce[24] ‖ XChaCha20-Poly1305 of the key,
 *   AD = u64 number ‖ u8 class ‖ u64 owner ‖ cluster_id[16]
 */
#ifndef DEFTER_SERVER_STORE_KEYRING_H
#define DEFTER_SERVER_STORE_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/limits.h"
#include "protocol/status.h"

/* Whose content a key seals; a class and an owner have one key, but for
 * credentials, each of which has a new one. */
enum keyring_class {
    KEYRING_TOMBSTONE = 0, /* On the way between nodes: keyring_rows.h. */
    KEYRING_RECORD = 1,    /* Owner: the subject. */
    KEYRING_EVIDENCE,      /* Owner: the subject. */
    KEYRING_ORGANISATION,
    KEYRING_PERSON,     /* Owner: keyring_person() of a key of his. */
    KEYRING_CREDENTIAL, /* The same. */
    KEYRING_CLUSTER     /* Owner: 0. */
};

/* A person's seal keys are found by the beginning of the id of the signing key
 * that they are about; numbers of the keyring have 63 bits. */
uint64_t keyring_person(const uint8_t key_id[KEY_ID_SIZE]);

/* Invariants: number is not 0 and at most INT64_MAX, as are the others. */
struct keyring_row {
    uint64_t number; /* epoch << 32 | counter. */
    uint64_t owner;
    uint64_t first_index; /* Of the entry that uses the key first. */
    enum keyring_class class;
};

struct keyring; /* Opaque. */

/*
 * keyring_open(keyring_out, path, wrapping_key, cluster_id):
 * Open or create ${path} and load which owner has which key.
 *
 * Returns: ST_OK; ST_DISK_FAILED; ST_FILE_FORMAT for a file that is no keyring
 *          of this version and cluster; ST_SEAL if ${wrapping_key} is not the
 *          key that the rows are wrapped under.
 * Owns:    gives ${*keyring_out}; close with keyring_close.
 */
NODISCARD enum status keyring_open(struct keyring **keyring_out,
                                   const char *path,
                                   const uint8_t wrapping_key[KEY_SIZE],
                                   const uint8_t cluster_id[CLUSTER_ID_SIZE]);
void keyring_close(struct keyring *keyring);

/* ---- The owner thread ---------------------------------------------------- */

/*
 * keyring_take(keyring):
 * From now on the calling thread is the owner, and the only one that may call
 * what stands below; any other call aborts.
 *
 * Requires: nobody took it, or who did has left it.
 * Order:    keyring_leave() in one thread happens before keyring_take() in the
 *           next; the caller sees to it.
 */
void keyring_take(struct keyring *keyring);

/* Requires: the caller took it, and nothing is staged. */
void keyring_leave(struct keyring *keyring);

/* The highest number ever used here, staged and destroyed keys included. */
uint64_t keyring_last(const struct keyring *keyring);

/* Size of the log whose entries may use every committed key: the highest first
 * index and 1; 0 without keys. */
uint64_t keyring_end(struct keyring *keyring);

/* Number of the key of ${owner}, staged ones included; 0 if there is none. */
uint64_t keyring_find(const struct keyring *keyring, enum keyring_class class,
                      uint64_t owner);

/*
 * keyring_stage(keyring, row, key):
 * A new key: ${key}, or fresh random bytes where it is NULL.
 *
 * Requires: row->number > keyring_last(); the owner has no key in this class
 *           (credentials excepted).
 */
void keyring_stage(struct keyring *keyring, const struct keyring_row *row,
                   const uint8_t *key);

/* Keys staged and not yet committed. */
size_t keyring_staged(const struct keyring *keyring);

/* Make the staged keys durable; durable when it returns. */
void keyring_commit(struct keyring *keyring);

/* Forget the staged keys. */
void keyring_discard(struct keyring *keyring);

/* Delete the keys first used at or above ${index}; durable when it returns.
 * Requires: nothing is staged. */
void keyring_truncate(struct keyring *keyring, uint64_t index);

/*
 * keyring_drop_strays(keyring, first, last, epoch):
 * Delete keys that say they are first used by one of the entries [first, last],
 * all of ${epoch}, and have a number of another epoch; durable when it returns.
 * Requires: nothing is staged.
 */
void keyring_drop_strays(struct keyring *keyring, uint64_t first, uint64_t last,
                         uint32_t epoch);

/* What a tombstone names when the log lost its act, with a lineage that was
 * forced: the key stays destroyed. */
#define KEYRING_ACT_LOST ((uint64_t)INT64_MAX)

/*
 * keyring_lose_acts(keyring, size):
 * The log begins anew with ${size} entries: tombstones of acts at or above it
 * name KEYRING_ACT_LOST from now on.  Durable when it returns.
 * Requires: nothing is staged.
 */
void keyring_lose_acts(struct keyring *keyring, uint64_t size);

/*
 * keyring_bury(keyring, numbers, count, act):
 * Destroy keys by the act at index ${act}: the bytes are overwritten, and a
 * tombstone tells that nothing is missing.  A number that has no row gets its
 * tombstone all the same.  Durable when it returns.
 *
 * Requires: nothing is staged.
 * Order:    state.db is synced with ${act} applied.
 */
void keyring_bury(struct keyring *keyring, const uint64_t *numbers,
                  size_t count, uint64_t act);

/* ---- Any thread ---------------------------------------------------------- */

/*
 * keyring_key(keyring, key_out, number):
 * The key's bytes; the caller wipes them.
 *
 * Returns: ST_OK; ST_ERASED if an act destroyed the key; ST_KEY_MISSING if
 *          there is neither a row nor a tombstone; ST_SEAL if the row does not
 *          open, and the file is damaged.
 */
NODISCARD enum status keyring_key(struct keyring *keyring,
                                  uint8_t key_out[KEY_SIZE], uint64_t number);

/*
 * keyring_owned(keyring, numbers_out, numbers_max, class, owner, after):
 * The committed keys of an owner in a class above the number ${after}, in the
 * order of their numbers.
 * Returns: how many there are in ${numbers_out}.
 */
size_t keyring_owned(struct keyring *keyring, uint64_t *numbers_out,
                     size_t numbers_max, enum keyring_class class,
                     uint64_t owner, uint64_t after);

/*
 * keyring_has_room(keyring, class, owner, more, max):
 * Whether the owner may have ${more} keys of the class and then has at most
 * ${max}; those that are staged count.
 * Requires: the caller owns the keyring.
 */
bool keyring_has_room(struct keyring *keyring, enum keyring_class class,
                      uint64_t owner, size_t more, size_t max);

/*
 * keyring_next_buried(keyring, number, act_out):
 * The next tombstone above ${*number}, by which act.
 * Returns: false if there is none.
 */
bool keyring_next_buried(struct keyring *keyring, uint64_t *number,
                         uint64_t *act_out);

/* How many tombstones name KEYRING_ACT_LOST. */
uint64_t keyring_acts_lost(struct keyring *keyring);

/*
 * keyring_row(keyring, row_out, number):
 * The committed row of a key, without its bytes.
 * Returns: ST_OK; ST_ERASED if an act destroyed it, whose entry is then the
 *          owner of a row of class KEYRING_TOMBSTONE; ST_KEY_MISSING.
 */
NODISCARD enum status keyring_row(struct keyring *keyring,
                                  struct keyring_row *row_out, uint64_t number);

#endif
