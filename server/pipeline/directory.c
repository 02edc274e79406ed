#include "server/pipeline/directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/tags.h"
#include "replication/need.h"
#include "server/pipeline/directory_map.h"
#include "server/registry/rows.h"

/* Which account a key has, or had: else all would be looked through for it. */
struct directory_owner {
    struct bytes16 key_id;
    struct bytes32 name_tag;
};

/* The lock guards everything below it; names are found under the secret. */
struct directory {
    pthread_rwlock_t lock;
    struct directory_map keys;      /* key_id -> struct directory_key */
    struct directory_map accounts;  /* name_tag -> struct directory_account */
    struct directory_map owners;    /* key_id -> struct directory_owner */
    struct directory_map cosigners; /* node_id -> struct directory_cosigner */
    uint8_t secret[HASH_SIZE];
};

struct directory *directory_open(void)
{
    struct directory *directory = calloc(1, sizeof *directory);

    NEED(directory != NULL);
    NEED(pthread_rwlock_init(&directory->lock, NULL) == 0);
    directory_map_init(&directory->keys, KEY_ID_SIZE,
                       sizeof(struct directory_key));
    directory_map_init(&directory->accounts, HASH_SIZE,
                       sizeof(struct directory_account));
    directory_map_init(&directory->owners, KEY_ID_SIZE,
                       sizeof(struct directory_owner));
    directory_map_init(&directory->cosigners, NODE_ID_SIZE,
                       sizeof(struct directory_cosigner));
    return directory;
}

void directory_close(struct directory *directory)
{
    if (directory == NULL)
        return;
    directory_map_wipe(&directory->keys);
    directory_map_wipe(&directory->accounts);
    directory_map_wipe(&directory->owners);
    directory_map_wipe(&directory->cosigners);
    (void)pthread_rwlock_destroy(&directory->lock);
    sodium_memzero(directory, sizeof *directory);
    free(directory);
}

/* ---- Readers ------------------------------------------------------------ */

bool directory_find(struct directory *directory, struct directory_key *key_out,
                    const uint8_t key_id[KEY_ID_SIZE])
{
    (void)pthread_rwlock_rdlock(&directory->lock);
    const void *found = directory_map_find(&directory->keys, key_id);
    if (found != NULL)
        memcpy(key_out, found, sizeof *key_out);
    (void)pthread_rwlock_unlock(&directory->lock);
    return found != NULL;
}

bool directory_find_cosigner(struct directory *directory,
                             struct directory_cosigner *cosigner_out,
                             const uint8_t node_id[NODE_ID_SIZE])
{
    (void)pthread_rwlock_rdlock(&directory->lock);
    const void *found = directory_map_find(&directory->cosigners, node_id);
    if (found != NULL)
        memcpy(cosigner_out, found, sizeof *cosigner_out);
    (void)pthread_rwlock_unlock(&directory->lock);
    return found != NULL;
}

/* HMAC-SHA-256 under the cluster secret of T(tag) and the name. */
static void directory_hmac(const uint8_t secret[HASH_SIZE],
                           uint8_t out[HASH_SIZE], enum tag tag,
                           struct slice name)
{
    crypto_auth_hmacsha256_state hmac;

    crypto_auth_hmacsha256_init(&hmac, secret, HASH_SIZE);
    crypto_auth_hmacsha256_update(&hmac, tags_bytes(tag), TAG_SIZE);
    crypto_auth_hmacsha256_update(&hmac, name.data, name.size);
    crypto_auth_hmacsha256_final(&hmac, out);
}

bool directory_find_account(struct directory *directory,
                            struct directory_account *account_out,
                            struct slice username)
{
    uint8_t name_tag[HASH_SIZE];

    (void)pthread_rwlock_rdlock(&directory->lock);
    directory_hmac(directory->secret, name_tag, TAG_PWNAME, username);
    const void *found = directory_map_find(&directory->accounts, name_tag);
    if (found != NULL)
        memcpy(account_out, found, sizeof *account_out);
    (void)pthread_rwlock_unlock(&directory->lock);
    return found != NULL;
}

bool directory_has_account(struct directory *directory,
                           const struct directory_account *account)
{
    bool same;

    (void)pthread_rwlock_rdlock(&directory->lock);
    const struct directory_account *found =
        directory_map_find(&directory->accounts, account->name_tag.b);
    same =
        found != NULL && found->state == account->state &&
        memcmp(found->key_id.b, account->key_id.b, KEY_ID_SIZE) == 0 &&
        memcmp(found->login_key.b, account->login_key.b, PUBLIC_KEY_SIZE) ==
            0 &&
        memcmp(found->wrapped_key, account->wrapped_key, WRAPPED_KEY_SIZE) == 0;
    (void)pthread_rwlock_unlock(&directory->lock);
    return same;
}

void directory_password_salt(struct directory *directory, uint8_t salt_out[16],
                             struct slice username)
{
    uint8_t hash[HASH_SIZE];

    (void)pthread_rwlock_rdlock(&directory->lock);
    directory_hmac(directory->secret, hash, TAG_PWSALT, username);
    (void)pthread_rwlock_unlock(&directory->lock);
    memcpy(salt_out, hash, SALT_SIZE);
}

/* ---- The writer --------------------------------------------------------- */

static void directory_key_of(struct state *state, struct directory_key *out,
                             const struct row_key *row)
{
    struct row_carrier carrier = {.number = row->carrier};

    memset(out, 0, sizeof *out);
    out->key_id = row->key_id;
    out->public_key = row->public_key;
    out->person = row->person;
    out->organisation = row->organisation;
    out->role = row->role;
    out->level = row->level;
    out->state = row->state;
    out->is_node = row->is_node != 0;
    out->carrier = row->carrier;
    if (row->carrier != 0 && state_get(state, TABLE_CARRIER, &carrier))
        out->carrier_kind = carrier.kind;
}

/* The account behind a credential; false if its content cannot be had. */
static bool directory_account_of(struct state *state,
                                 struct directory_account *out,
                                 const struct row_credential *row,
                                 const struct directory_opener *opener)
{
    struct row_record record = {.number = row->credential};
    struct op_password_set fields;
    struct field_error error;
    struct slice bytes;

    memset(out, 0, sizeof *out);
    if (row->state == CREDENTIAL_REPLACED ||
        !state_get(state, TABLE_RECORD, &record) ||
        opener->open_item(opener->context, record.item, &bytes) != ST_OK)
        return false;
    /* password.set and password.change have the same fields. */
    if (schema_decode(&schema_op_password_set, &fields, &error, bytes,
                      SCHEMA_REFUSE_UNKNOWN) != ST_OK ||
        fields.wrapped_key.size != WRAPPED_KEY_SIZE)
        return false;
    out->name_tag = row->name_tag;
    out->key_id = row->key_id;
    out->login_key = fields.login_key;
    memcpy(out->wrapped_key, fields.wrapped_key.data, WRAPPED_KEY_SIZE);
    out->kdf_epoch = row->kdf_epoch;
    out->state = row->state;
    return true;
}

/* The account of ${key_id}; false if it has none. */
static bool directory_read_account(struct state *state,
                                   struct directory_account *out,
                                   const uint8_t *key_id,
                                   const struct directory_opener *opener)
{
    struct row_credential row = {.kdf_epoch = 0};
    struct state_scan scan;
    bool found = false;

    memcpy(row.key_id.b, key_id, KEY_ID_SIZE);
    state_scan_open(state, &scan, INDEX_CREDENTIAL_BY_KEY, &row,
                    (struct state_range){.equal = 1});
    /* One of them is not replaced. */
    while (!found && state_scan_next(&scan, &row))
        found = row.state != CREDENTIAL_REPLACED;
    state_scan_close(&scan);
    return found && directory_account_of(state, out, &row, opener);
}

static void directory_put_account(struct directory *directory,
                                  const struct directory_account *account)
{
    struct directory_owner owner = {.key_id = account->key_id,
                                    .name_tag = account->name_tag};

    directory_map_put(&directory->accounts, account->name_tag.b, account);
    directory_map_put(&directory->owners, owner.key_id.b, &owner);
}

/* The name may be another key's by now. */
static void directory_drop_account(struct directory *directory,
                                   const uint8_t *key_id)
{
    const struct directory_owner *owner =
        directory_map_find(&directory->owners, key_id);
    const struct directory_account *account;

    if (owner == NULL)
        return;
    account = directory_map_find(&directory->accounts, owner->name_tag.b);
    if (account != NULL && memcmp(account->key_id.b, key_id, KEY_ID_SIZE) == 0)
        directory_map_remove(&directory->accounts, owner->name_tag.b);
    directory_map_remove(&directory->owners, key_id);
}

/* What a node cosigns with, if its entry said so. */
static void directory_put_cosigner(struct directory *directory,
                                   struct state *state,
                                   const struct row_node *node)
{
    struct row_cosigner row = {.node_id = node->node_id};
    struct directory_cosigner cosigner = {
        .node_id = node->node_id, .is_active = node->state == NODE_ACTIVE};

    if (!state_get(state, TABLE_COSIGNER, &row))
        return;
    cosigner.public_key = row.public_key;
    directory_map_put(&directory->cosigners, cosigner.node_id.b, &cosigner);
}

static void directory_put_cosigner_of_key(struct directory *directory,
                                          struct state *state,
                                          const struct row_key *key)
{
    struct row_node node = {.key_id = key->key_id};
    struct state_scan scan;

    if (key->is_node == 0)
        return;
    state_scan_open(state, &scan, INDEX_NODE_BY_KEY, &node,
                    (struct state_range){.equal = 1});
    if (state_scan_next(&scan, &node))
        directory_put_cosigner(directory, state, &node);
    state_scan_close(&scan);
}

void directory_refresh(struct directory *directory, struct state *state,
                       const uint8_t secret[HASH_SIZE],
                       const uint8_t key_id[KEY_ID_SIZE],
                       const struct directory_opener *opener)
{
    struct row_key row = {.role = 0};
    struct directory_account account;
    struct directory_key key;
    bool has_account;

    memcpy(row.key_id.b, key_id, KEY_ID_SIZE);
    if (!state_get(state, TABLE_KEY, &row))
        return;
    directory_key_of(state, &key, &row);
    has_account = directory_read_account(state, &account, key_id, opener);
    (void)pthread_rwlock_wrlock(&directory->lock);
    memcpy(directory->secret, secret, HASH_SIZE);
    directory_map_put(&directory->keys, key_id, &key);
    directory_drop_account(directory, key_id);
    if (has_account)
        directory_put_account(directory, &account);
    directory_put_cosigner_of_key(directory, state, &row);
    (void)pthread_rwlock_unlock(&directory->lock);
    sodium_memzero(&account, sizeof account);
}

void directory_load(struct directory *directory, struct state *state,
                    const uint8_t secret[HASH_SIZE],
                    const struct directory_opener *opener)
{
    struct row_key row = {.role = 0};
    struct row_credential credential = {.kdf_epoch = 0};
    struct row_node node = {.role = 0};
    struct state_range all = {.equal = 0};
    struct directory_account account;
    struct directory_key key;
    struct state_scan scan;

    (void)pthread_rwlock_wrlock(&directory->lock);
    memcpy(directory->secret, secret, HASH_SIZE);
    /* Keys stay for ever, but accounts are replaced. */
    directory_map_wipe(&directory->accounts);
    directory_map_init(&directory->accounts, HASH_SIZE, sizeof account);
    directory_map_wipe(&directory->owners);
    directory_map_init(&directory->owners, KEY_ID_SIZE,
                       sizeof(struct directory_owner));
    state_scan_key(state, &scan, TABLE_KEY, &row, all);
    while (state_scan_next(&scan, &row)) {
        directory_key_of(state, &key, &row);
        directory_map_put(&directory->keys, key.key_id.b, &key);
    }
    state_scan_close(&scan);
    state_scan_key(state, &scan, TABLE_CREDENTIAL, &credential, all);
    while (state_scan_next(&scan, &credential)) {
        if (directory_account_of(state, &account, &credential, opener))
            directory_put_account(directory, &account);
    }
    state_scan_close(&scan);
    state_scan_key(state, &scan, TABLE_NODE, &node, all);
    while (state_scan_next(&scan, &node))
        directory_put_cosigner(directory, state, &node);
    state_scan_close(&scan);
    sodium_memzero(&account, sizeof account);
    (void)pthread_rwlock_unlock(&directory->lock);
}
