/*
 * directory.h: what I/O loops may know of keys and accounts, as of the newest
 * applied group.
 *
 * The apply thread writes it; any thread reads it.  It serves steps 4 to 6 and
 * login.  Whether a key may do a thing is decided where the entry is applied,
 * never by this copy.
 */
#ifndef DEFTER_SERVER_PIPELINE_DIRECTORY_H
#define DEFTER_SERVER_PIPELINE_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/catalogue.h"
#include "protocol/limits.h"
#include "protocol/status.h"
#include "server/store/state.h"

/* state as in tables.def: 1 active, 2 rotated, 3 revoked. */
struct directory_key {
    struct bytes16 key_id;
    struct bytes32 public_key;
    uint64_t person;
    uint32_t organisation;
    uint16_t carrier;     /* Its number as a carrier; 0 = carries nobody. */
    uint8_t carrier_kind; /* carrier.enrol's kind; 0 = none. */
    uint8_t role;
    uint8_t level;
    uint8_t state;
    bool is_node;
};

/* The key with which a node cosigns checkpoints; is_active: it is not retired.
 */
struct directory_cosigner {
    struct bytes16 node_id;
    struct bytes32 public_key;
    bool is_active;
};

/* An account for password login. state: 1 usable, 2 locked. */
struct directory_account {
    struct bytes32 name_tag;
    struct bytes16 key_id;
    struct bytes32 login_key;
    uint8_t wrapped_key[WRAPPED_KEY_SIZE];
    uint16_t kdf_epoch;
    uint8_t state;
};

struct directory;

/* Aborts if there is no memory. */
struct directory *directory_open(void);
void directory_close(struct directory *directory);

/* Any thread.  True if there is such a key, in whatever state. */
bool directory_find(struct directory *directory, struct directory_key *key_out,
                    const uint8_t key_id[KEY_ID_SIZE]);

/* Any thread.  True if the log enrolled such a node with such a key. */
bool directory_find_cosigner(struct directory *directory,
                             struct directory_cosigner *cosigner_out,
                             const uint8_t node_id[NODE_ID_SIZE]);

/*
 * directory_find_account(directory, account_out, username):
 * Any thread.  True if there is an account of that (lower-cased) name that is
 * not replaced.
 */
bool directory_find_account(struct directory *directory,
                            struct directory_account *account_out,
                            struct slice username);

/* Any thread.  True if the account that directory_find_account() gave is still
 * as it was: neither changed nor replaced, locked or enabled meanwhile. */
bool directory_has_account(struct directory *directory,
                           const struct directory_account *account);

/* Any thread.  First 16 bytes of HMAC-SHA-256(cluster secret,
 * T("DFT1/pwsalt") || name): the salt of PW_PARAMS, for strangers' names too.
 */
void directory_password_salt(struct directory *directory, uint8_t salt_out[16],
                             struct slice username);

/* The apply thread's half. ---------------------------------------------- */

/* Opens the stored item of a credential; as act_services.open_item. */
struct directory_opener {
    void *context;
    enum status (*open_item)(void *context, struct slice item,
                             struct slice *fields_out);
};

/* Read everything anew from ${state}, at start. */
void directory_load(struct directory *directory, struct state *state,
                    const uint8_t secret[HASH_SIZE],
                    const struct directory_opener *opener);

/* Read one key and its accounts anew, after an entry that touched it. */
void directory_refresh(struct directory *directory, struct state *state,
                       const uint8_t secret[HASH_SIZE],
                       const uint8_t key_id[KEY_ID_SIZE],
                       const struct directory_opener *opener);

#endif
