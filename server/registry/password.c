#include "server/registry/password.h"

#include <string.h>

#include "protocol/identity.h"
#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"

enum { PASSWORD_KDF_EPOCH = 1 };

/* A key has one account that is not replaced. */
static bool password_find(struct act *act, struct row_credential *row,
                          const struct bytes16 *key_id)
{
    struct state_scan scan;
    bool found = false;

    *row = (struct row_credential){.key_id = *key_id};
    state_scan_open(act->state, &scan, INDEX_CREDENTIAL_BY_KEY, row,
                    (struct state_range){.equal = 1});
    while (!found && state_scan_next(&scan, row))
        found = row->state != CREDENTIAL_REPLACED;
    state_scan_close(&scan);
    return found;
}

/* What nothing refers to any more leaves the state at once, and its key is
 * destroyed soon after. */
static void password_forget(struct act *act, const struct row_credential *row)
{
    struct row_record record = {.number = row->credential};

    if (!state_get(act->state, TABLE_RECORD, &record))
        return;
    destroy_replaced(act, record.item, &row->key_id);
    state_delete(act->state, TABLE_RECORD, &record);
}

void password_drop(struct act *act, const struct bytes16 *key_id)
{
    struct row_credential row;

    if (!password_find(act, &row, key_id))
        return;
    password_forget(act, &row);
    row.state = CREDENTIAL_REPLACED;
    row.credential = 0;
    state_update(act->state, TABLE_CREDENTIAL, &row);
}

enum status password_set_state(struct act *act, const struct bytes16 *key_id,
                               enum credential_state from,
                               enum credential_state to)
{
    struct row_credential row;

    if (!password_find(act, &row, key_id))
        return ST_NO_SUCH;
    if (row.state != from)
        return ST_WRONG_STATE;
    row.state = (uint8_t)to;
    state_update(act->state, TABLE_CREDENTIAL, &row);
    return ST_OK;
}

static enum status password_check(const struct act *act,
                                  const struct op_password_set *in)
{
    if (act->signer.is_node)
        return ST_NO_DUTY;
    return in->kdf_epoch == PASSWORD_KDF_EPOCH &&
                   identity_public_key_acceptable(in->login_key.b)
               ? ST_OK
               : ST_BAD_FIELD;
}

/*
 * Whether the signer may have the account of ${row->name_tag}: nobody had it,
 * or his own person did, under a key or a name that was replaced.
 */
static bool password_is_free(struct act *act, struct row_credential *row,
                             bool *exists_out)
{
    struct row_key key;

    *exists_out = state_get(act->state, TABLE_CREDENTIAL, row);
    if (!*exists_out)
        return true;
    key.key_id = row->key_id;
    return row->state == CREDENTIAL_REPLACED &&
           state_get(act->state, TABLE_KEY, &key) && key.person != 0 &&
           key.person == act->signer.person;
}

static void password_write(struct act *act, struct row_credential *row,
                           bool exists)
{
    row->key_id = act->signer.key_id;
    row->kdf_epoch = PASSWORD_KDF_EPOCH;
    row->credential = act_keep(act);
    if (exists)
        state_update(act->state, TABLE_CREDENTIAL, row);
    else
        state_insert(act->state, TABLE_CREDENTIAL, row);
}

enum status password_set(struct act *act, const struct op_password_set *in,
                         struct result_password_set *out)
{
    struct row_credential row, own;
    enum status status = password_check(act, in);
    bool exists;

    (void)out;
    if (status != ST_OK)
        return status;
    act_name_tag(act, &row.name_tag, in->username);
    if (password_find(act, &own, &act->signer.key_id) ||
        !password_is_free(act, &row, &exists))
        return ST_EXISTS;
    row.state = CREDENTIAL_USABLE;
    password_write(act, &row, exists);
    return ST_OK;
}

/* A lock outlives a change: only the security officer lifts it. */
enum status password_change(struct act *act,
                            const struct op_password_change *in,
                            struct result_password_change *out)
{
    const struct op_password_set same = {.username = in->username,
                                         .kdf_epoch = in->kdf_epoch,
                                         .login_key = in->login_key,
                                         .wrapped_key = in->wrapped_key};
    struct row_credential row, own;
    enum status status = password_check(act, &same);
    bool renamed, exists = true;

    (void)out;
    if (status != ST_OK)
        return status;
    if (!password_find(act, &own, &act->signer.key_id))
        return ST_NO_SUCH;
    act_name_tag(act, &row.name_tag, in->username);
    renamed = memcmp(&row.name_tag, &own.name_tag, sizeof own.name_tag) != 0;
    if (renamed && !password_is_free(act, &row, &exists))
        return ST_EXISTS;
    row.state = own.state;
    password_forget(act, &own);
    if (renamed) {
        own.state = CREDENTIAL_REPLACED;
        own.credential = 0;
        state_update(act->state, TABLE_CREDENTIAL, &own);
    }
    password_write(act, &row, exists);
    return ST_OK;
}

enum status password_enable(struct act *act,
                            const struct op_password_enable *in,
                            struct result_password_enable *out)
{
    (void)out;
    return password_set_state(act, &in->key_id, CREDENTIAL_LOCKED,
                              CREDENTIAL_USABLE);
}
